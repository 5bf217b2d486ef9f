"""
What the sender waits for: tail loss probes (RFC 8985 section 7) and timeouts.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.segment import CongestionState, Reason
from tests.tcp.sending.test_recovery import MSS, at, sending


class ProbeTests(SynchronousTestCase):
    """
    Tail loss probes.
    """

    def test_last_segment(self) -> None:
        """
        Two round trips after the last segment (and 2 ms), it leaves again.
        """
        talk = sending(self, 4)
        talk.wait(250)
        talk.says("PA", at(3), 1, MSS, reason=Reason.TAIL_LOSS_PROBE, at=100 + 200 + 2)

    def test_new_data(self) -> None:
        """
        New data serve better, even beyond the congestion window.
        """
        talk = sending(self, 10)
        talk.write(2 * MSS)
        talk.silent()
        talk.wait(202)
        talk.says("A", at(10), 1, MSS, reason=Reason.TAIL_LOSS_PROBE)
        talk.silent()

    def test_one_probe(self) -> None:
        """
        After it the timeout decides, which begins anew (section 7.3).
        """
        talk = sending(self, 4)
        talk.wait(202)
        talk.says("PA", at(3), 1, MSS)
        talk.wait(299)
        talk.silent()
        talk.wait(1)
        talk.says("A", at(0), 1, MSS, reason=Reason.RETRANSMISSION_TIMEOUT)

    def test_single_segment(self) -> None:
        """
        With a single segment the peer may be delaying its ACK: 200 ms more, which is the timeout.
        """
        talk = sending(self, 1)
        talk.wait(299)
        talk.silent()
        talk.wait(1)
        talk.says("PA", 1, 1, MSS, reason=Reason.TAIL_LOSS_PROBE)

    def test_repaired(self) -> None:
        """
        If the probe repaired a loss, the window comes down (section 7.4.2).
        """
        talk = sending(self, 4)
        talk.wait(202)
        talk.says("PA", at(3), 1, MSS)
        talk.wait(90)
        talk.peer("", 1, at(4))
        talk.write(MSS)
        talk.says("PA", at(4), 1, MSS)
        talk.wait(100)
        talk.peer("", 1, at(5))
        self.assertEqual(talk.connection.congestion.cwnd, 5)
        self.assertIs(talk.connection.recovery.state, CongestionState.OPEN)

    def test_needless(self) -> None:
        """
        If a D-SACK says that it had not been lost, it does not.
        """
        talk = sending(self, 4)
        talk.wait(202)
        talk.says("PA", at(3), 1, MSS)
        talk.wait(1)
        talk.peer("", 1, at(4))
        talk.wait(99)
        talk.peer("", 1, at(4), sacks=((at(3), at(4)),))
        talk.write(MSS)
        talk.says("PA", at(4), 1, MSS)
        talk.wait(100)
        talk.peer("", 1, at(5))
        self.assertGreaterEqual(talk.connection.congestion.cwnd, 10)

    def test_shows_the_loss(self) -> None:
        """
        The SACK of the probe brings recovery instead of a timeout.
        """
        talk = sending(self, 4)
        talk.wait(202)
        talk.says("PA", at(3), 1, MSS, reason=Reason.TAIL_LOSS_PROBE)
        talk.wait(100)
        talk.peer("", 1, 1, sacks=((at(3), at(4)),))
        first = talk.says("A", at(0), 1, MSS)
        self.assertIn(first.reason, (Reason.RACK, Reason.FAST_RETRANSMIT))

    def test_off(self) -> None:
        """
        With C{tcp_early_retrans} = 0, or without SACK, there is none.
        """
        for options in ({"tcp_early_retrans": 0}, {"sack": False}):
            talk = sending(self, 4, **options)
            talk.wait(299)
            talk.silent()
            talk.wait(1)
            talk.says("A", 1, 1, MSS, reason=Reason.RETRANSMISSION_TIMEOUT)


class RestartTests(SynchronousTestCase):
    """
    The timeout.
    """

    def test_each_ack(self) -> None:
        """
        An ACK of new data starts it anew (RFC 6298 section 5.3).
        """
        talk = sending(self, 4, sack=False)
        for number in range(1, 4):
            talk.wait(100)
            talk.peer("", 1, at(number))
            talk.silent()
        talk.wait(1000)
        _, packet = talk.said[0]
        self.assertIs(packet.reason, Reason.RETRANSMISSION_TIMEOUT)
        self.assertGreaterEqual(talk.said[0][0] - talk.now, -700_000_000)

    def test_nothing_out(self) -> None:
        """
        When all is acknowledged nothing is waited for (RFC 6298 section 5.2).
        """
        talk = sending(self, 4)
        talk.wait(100)
        talk.peer("", 1, at(4))
        self.assertIsNone(talk.stack.deadline)
