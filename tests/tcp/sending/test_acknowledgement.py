"""
What ACKs do to the sender.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.tcp.dialogue import Dialogue
from tests.tcp.sending.test_recovery import MSS, at, sending


class GrowthTests(SynchronousTestCase):
    """
    How the window grows.
    """

    def test_slow_start(self) -> None:
        """
        By a segment for each that is acknowledged (RFC 5681 section 3.1).
        """
        talk = sending(self, 10)
        talk.wait(100)
        talk.peer("", 1, at(4))
        self.assertEqual(talk.connection.congestion.cwnd, 14)

    def test_divided_acks(self) -> None:
        """
        A receiver that acknowledges byte by byte gains nothing (RFC 3465 section 2).
        """
        talk = sending(self, 10)
        talk.wait(100)
        for number in range(1, MSS):
            talk.peer("", 1, 1 + number)
        self.assertEqual(talk.connection.congestion.cwnd, 10)
        talk.peer("", 1, at(1))
        self.assertEqual(talk.connection.congestion.cwnd, 11)

    def test_not_limited(self) -> None:
        """
        A window that is not used does not grow (RFC 9293 section 3.8.2, RFC 2861).
        """
        talk = Dialogue(self)
        talk.serve()
        end = 1
        for _ in range(50):
            talk.write(100)
            talk.forget()
            end += 100
            talk.wait(10)
            talk.peer("", 1, end)
        self.assertEqual(talk.connection.congestion.cwnd, 10)


class PartTests(SynchronousTestCase):
    """
    ACKs of parts.
    """

    def test_rest_again(self) -> None:
        """
        Of a segment that was acknowledged in part, only the rest leaves again.
        """
        talk = sending(self, 1, sack=False)
        talk.wait(100)
        talk.peer("", 1, 1 + 400)
        talk.wait(1000)
        packet = talk.says("PA", 401, 1, 600)
        self.assertEqual(len(packet.segment.payload), 600)

    def test_sack_of_a_part(self) -> None:
        """
        One that a SACK reports in part is not taken for arrived.
        """
        talk = sending(self, 4)
        talk.wait(100)
        talk.peer("", 1, 1, sacks=((at(1), at(2) + 500),))
        self.assertEqual(talk.connection.board.sacked, 1)

    def test_nonsense(self) -> None:
        """
        A SACK of what was never sent, or upside down, says nothing.
        """
        talk = sending(self, 4)
        talk.wait(100)
        talk.peer("", 1, 1, sacks=((at(10), at(12)), (at(3), at(1)), (1, 1)))
        self.assertEqual(talk.connection.board.sacked, 0)
        talk.silent()
