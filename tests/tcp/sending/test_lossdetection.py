"""
RACK: RFC 8985 section 6.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.segment import CongestionState, Reason
from tests.tcp.sending.test_recovery import MSS, at, sending


class RackTests(SynchronousTestCase):
    """
    Losses told by time.
    """

    def test_waits(self) -> None:
        """
        One segment has been overtaken: it gets a quarter of the least round trip (and 2 ms), then
        it is lost.
        """
        talk = sending(self, 3)
        talk.wait(100)
        begin = talk.ms
        talk.peer("", 1, 1, sacks=((at(1), at(2)),))
        talk.silent()
        talk.wait(40)
        talk.says("A", at(0), 1, MSS, reason=Reason.RACK, at=begin + 25 + 2)
        self.assertIs(talk.connection.recovery.state, CongestionState.RECOVERY)

    def test_comes_in_time(self) -> None:
        """
        If it comes within that, nothing was lost.
        """
        talk = sending(self, 3)
        talk.wait(100)
        talk.peer("", 1, 1, sacks=((at(1), at(2)),))
        talk.wait(20)
        talk.peer("", 1, at(2))
        talk.peer("", 1, at(3))
        talk.wait(1000)
        talk.silent()
        self.assertTrue(talk.connection.rack.has_reordering)

    def test_third_is_enough(self) -> None:
        """
        Where reordering was never seen, three reported segments are enough (section 6.2, step 4).
        """
        talk = sending(self, 5)
        talk.wait(100)
        talk.peer("", 1, 1, sacks=((at(1), at(4)),))
        talk.says("A", at(0), 1, MSS)

    def test_but_not_with_reordering(self) -> None:
        """
        Where it was, time decides alone.
        """
        talk = sending(self, 5)
        talk.connection.rack.has_reordering = True
        talk.wait(100)
        talk.peer("", 1, 1, sacks=((at(1), at(4)),))
        talk.silent()
        talk.wait(30)
        talk.says("A", at(0), 1, MSS, reason=Reason.RACK)

    def test_lost_retransmission(self) -> None:
        """
        A retransmission that is lost is found by what was sent after it (section 3.3).
        """
        talk = sending(self, 10)
        talk.write(4 * MSS)
        talk.wait(100)
        talk.peer("", 1, 1, sacks=((at(1), at(4)),))
        said = [(packet.segment.seq - talk.iss) & 0xFFFFFFFF for _, packet in talk.said]
        # What is lost, and, since three segments have left the network, a new one.
        self.assertEqual(said, [at(0), at(10)])
        talk.forget()
        talk.wait(10)
        for number in range(5, 11):
            talk.peer("", 1, 1, sacks=((at(1), at(number)),))
        new = [(packet.segment.seq - talk.iss) & 0xFFFFFFFF for _, packet in talk.said]
        self.assertEqual(new[0], at(11))
        talk.forget()
        talk.wait(105)
        talk.peer("", 1, 1, sacks=((at(1), at(12)),))
        talk.wait(30)
        reasons = {
            (packet.segment.seq - talk.iss) & 0xFFFFFFFF: packet.reason for _, packet in talk.said
        }
        self.assertIs(reasons[at(0)], Reason.RACK)

    def test_window_grows_with_duplicates(self) -> None:
        """
        A D-SACK makes the reordering window larger (section 6.2, step 4).
        """
        talk = sending(self, 5)
        talk.wait(100)
        talk.peer("", 1, 1, sacks=((at(1), at(4)),))
        talk.says("A", at(0), 1, MSS)
        talk.wait(100)
        talk.peer("", 1, at(5), sacks=((at(0), at(1)),))
        self.assertEqual(talk.connection.rack.steps, 2)

    def test_off(self) -> None:
        """
        With C{tcp_recovery} = 0 a single overtaken segment waits for a third, or the timeout.
        """
        talk = sending(self, 3, tcp_recovery=0, tcp_early_retrans=0)
        talk.wait(100)
        talk.peer("", 1, 1, sacks=((at(1), at(2)),))
        talk.wait(199)
        talk.silent()
        talk.wait(1)
        talk.says("A", at(0), 1, MSS, reason=Reason.RETRANSMISSION_TIMEOUT)
