"""
Losses and what follows: RFC 5681, RFC 6582, RFC 6675, RFC 6937, RFC 5682.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.segment import CongestionState, Reason
from tests.tcp.dialogue import Dialogue

MSS = 1000


def sending(case: SynchronousTestCase, segments: int, **options: object) -> Dialogue:
    """
    Begin a dialogue in which so many full segments have just been sent. The round trip is 100 ms.

    @param options: of the peer's SYN, or settings with C{tcp_} before them.
    """
    settings = {name: value for name, value in options.items() if name.startswith("tcp_")}
    others = {name: value for name, value in options.items() if name not in settings}
    settings.setdefault("tcp_congestion_control", "reno")
    talk = Dialogue(case, **settings)
    talk.serve(mss=MSS + 12 * bool(others.get("times")), **others)  # type: ignore[arg-type]
    talk.write(segments * MSS)
    for number in range(segments):
        flags = "PA" if number == segments - 1 else "A"
        talk.says(flags, 1 + number * MSS, 1, MSS, reason=Reason.DATA)
    talk.silent()
    return talk


def at(number: int) -> int:
    """
    The sequence number of a segment, counted from 0.
    """
    return 1 + number * MSS


class NewRenoTests(SynchronousTestCase):
    """
    Without SACK.
    """

    def test_third_duplicate(self) -> None:
        """
        The third duplicate ACK has the first segment sent again, at once (RFC 5681 section 3.2).
        """
        talk = sending(self, 5, sack=False)
        talk.wait(100)
        for _ in range(2):
            talk.peer("", 1, at(0))
        talk.silent()
        self.assertIs(talk.connection.recovery.state, CongestionState.DISORDER)
        talk.peer("", 1, at(0))
        talk.says("A", at(0), 1, MSS, reason=Reason.FAST_RETRANSMIT)
        talk.silent()
        self.assertIs(talk.connection.recovery.state, CongestionState.RECOVERY)
        self.assertEqual(talk.connection.congestion.ssthresh, 5)
        talk.wait(100)
        talk.peer("", 1, at(5))
        talk.silent()
        # It is left when something beyond it is acknowledged (RFC 6582 section 4.1).
        talk.write(MSS)
        talk.says("PA", at(5), 1, MSS)
        talk.wait(100)
        talk.peer("", 1, at(6))
        self.assertIs(talk.connection.recovery.state, CongestionState.OPEN)
        self.assertEqual(talk.connection.congestion.cwnd, 5)

    def test_limited_transmit(self) -> None:
        """
        The first two let new data leave (RFC 3042).
        """
        talk = sending(self, 10, sack=False)
        talk.write(10 * MSS)
        talk.silent()
        talk.wait(100)
        talk.peer("", 1, at(0))
        talk.says("A", at(10), 1, MSS, reason=Reason.LIMITED_TRANSMIT)
        talk.peer("", 1, at(0))
        talk.says("A", at(11), 1, MSS, reason=Reason.LIMITED_TRANSMIT)
        talk.peer("", 1, at(0))
        talk.says("A", at(0), 1, MSS, reason=Reason.FAST_RETRANSMIT)
        talk.silent()

    def test_partial_ack(self) -> None:
        """
        An ACK of a part shows the next loss, and the recovery goes on (RFC 6582 section 3.2).
        """
        talk = sending(self, 6, sack=False)
        talk.wait(100)
        for _ in range(3):
            talk.peer("", 1, at(0))
        talk.says("A", at(0), 1, MSS)
        talk.wait(100)
        talk.peer("", 1, at(2))
        talk.says("A", at(2), 1, MSS, reason=Reason.PARTIAL_ACK)
        talk.silent()
        self.assertIs(talk.connection.recovery.state, CongestionState.RECOVERY)
        talk.wait(100)
        talk.peer("", 1, at(6))
        talk.silent()

    def test_not_duplicates(self) -> None:
        """
        An ACK with data, or with another window, is no duplicate ACK (RFC 5681 section 2).
        """
        talk = sending(self, 5, sack=False)
        talk.wait(100)
        for number in range(4):
            talk.peer("P", 1 + number, 1, b"x")
            talk.peer("", 5, 1, win=40_000 + 1000 * number)
        self.assertFalse(any(p.segment.payload for _, p in talk.said))


class SackTests(SynchronousTestCase):
    """
    With SACK, by the count of segments.
    """

    def test_third(self) -> None:
        """
        Three segments beyond are reported: the first is lost (RFC 6675 section 4).
        """
        talk = sending(self, 5, tcp_recovery=0, tcp_early_retrans=0)
        talk.wait(100)
        talk.peer("", 1, 1, sacks=((at(1), at(2)),))
        talk.peer("", 1, 1, sacks=((at(1), at(3)),))
        talk.silent()
        talk.peer("", 1, 1, sacks=((at(1), at(4)),))
        talk.says("A", at(0), 1, MSS, reason=Reason.FAST_RETRANSMIT)
        talk.silent()

    def test_two_holes(self) -> None:
        """
        What three reported segments lie beyond is lost; the rest may come yet.
        """
        talk = sending(self, 8, tcp_recovery=0, tcp_early_retrans=0)
        talk.wait(100)
        talk.peer("", 1, 1, sacks=((at(1), at(2)),))
        talk.peer("", 1, 1, sacks=((at(3), at(4)), (at(1), at(2))))
        talk.silent()
        talk.peer("", 1, 1, sacks=((at(3), at(5)), (at(1), at(2))))
        talk.says("A", at(0), 1, MSS)
        talk.silent()
        talk.peer("", 1, 1, sacks=((at(3), at(6)), (at(1), at(2))))
        talk.says("A", at(2), 1, MSS, reason=Reason.SACK_RECOVERY)
        talk.silent()

    def test_nothing_reported_is_sent(self) -> None:
        """
        What a SACK has reported is not sent again, even after a timeout.
        """
        talk = sending(self, 4, tcp_recovery=0, tcp_early_retrans=0)
        talk.wait(100)
        talk.peer("", 1, 1, sacks=((at(1), at(3)),))
        talk.wait(400)
        talk.says("A", at(0), 1, MSS, reason=Reason.RETRANSMISSION_TIMEOUT)
        talk.peer("", 1, at(3))
        talk.says("PA", at(3), 1, MSS, reason=Reason.LOSS_RECOVERY)
        talk.silent()

    def test_reneging(self) -> None:
        """
        A receiver that throws away what it had reported is sent it again (RFC 2018 section 8).
        """
        talk = sending(self, 4, tcp_recovery=0, tcp_early_retrans=0)
        talk.wait(100)
        talk.peer("", 1, 1, sacks=((at(1), at(4)),))
        talk.says("A", at(0), 1, MSS)
        talk.wait(50)
        talk.peer("", 1, at(1))
        self.assertEqual(talk.connection.board.sacked, 3)
        talk.wait(1000)
        packet = talk.says("A", at(1), 1, MSS, reason=Reason.RETRANSMISSION_TIMEOUT)
        assert packet.variables is not None
        self.assertEqual(packet.variables.sacked, 0)


class ReductionTests(SynchronousTestCase):
    """
    The window on its way down.
    """

    def test_proportional(self) -> None:
        """
        From 10 to 5 one segment leaves for two that are delivered (RFC 6937 section 3).
        """
        talk = sending(self, 10)
        talk.write(20 * MSS)
        talk.wait(100)
        for number in range(2, 5):
            talk.peer("", 1, 1, sacks=((at(1), at(number)),))
        sent = [packet.segment.seq for _, packet in talk.said]
        # Two by limited transmit, then the one that is lost.
        self.assertEqual([(seq - talk.iss) & 0xFFFFFFFF for seq in sent], [at(10), at(11), at(0)])
        talk.forget()
        new = 0
        for number in range(5, 13):
            talk.peer("", 1, 1, sacks=((at(1), at(number)),))
            new += len(talk.said)
            talk.forget()
        self.assertEqual(talk.connection.congestion.ssthresh, 5)
        self.assertEqual(new, 4)
        talk.wait(100)
        talk.peer("", 1, at(12))
        self.assertEqual(talk.connection.congestion.cwnd, 5)

    def test_half(self) -> None:
        """
        Reno halves, CUBIC takes 70 percent (RFC 5681 section 3.1, RFC 9438 section 4.6).
        """
        for name, expected in (("reno", 5), ("cubic", 7)):
            talk = sending(self, 10, tcp_congestion_control=name)
            talk.wait(100)
            talk.peer("", 1, 1, sacks=((at(1), at(4)),))
            self.assertEqual(talk.connection.congestion.ssthresh, expected)


class TimeoutTests(SynchronousTestCase):
    """
    Retransmission timeouts.
    """

    def test_back_off(self) -> None:
        """
        Each is twice the one before (RFC 6298 section 5.5), from SRTT + 200 ms on.
        """
        talk = sending(self, 1, sack=False)
        talk.wait(10_000)
        for time in (300, 900, 2100, 4500, 9300):
            talk.says("PA", 1, 1, MSS, at=100 + time, reason=Reason.RETRANSMISSION_TIMEOUT)
        talk.silent()

    def test_one_segment(self) -> None:
        """
        After it the window is one segment and grows by slow start (RFC 5681 section 3.1).
        """
        talk = sending(self, 6, sack=False, tcp_frto=0)
        talk.wait(300)
        packet = talk.says("A", at(0), 1, MSS, reason=Reason.RETRANSMISSION_TIMEOUT)
        assert packet.variables is not None
        self.assertEqual((packet.variables.cwnd, packet.variables.ssthresh), (1, 5))
        talk.silent()
        talk.wait(100)
        talk.peer("", 1, at(1))
        talk.says("A", at(1), 1, MSS, reason=Reason.LOSS_RECOVERY)
        talk.says("A", at(2), 1, MSS, reason=Reason.LOSS_RECOVERY)
        talk.silent()

    def test_karn(self) -> None:
        """
        The ACK of a retransmission measures nothing (RFC 6298 section 3), and the timeout stays
        backed off.
        """
        talk = sending(self, 1, sack=False)
        talk.wait(300)
        talk.says("PA", 1, 1, MSS)
        talk.wait(1)
        talk.peer("", 1, at(1))
        info = talk.connection.info(talk.now)
        self.assertEqual((info.rtt, info.backoff), (100_000, 1))
        talk.write(MSS)
        talk.says("PA", at(1), 1, MSS)
        talk.wait(100)
        talk.peer("", 1, at(2))
        self.assertEqual(talk.connection.info(talk.now).backoff, 0)

    def test_new_measure_by_timestamp(self) -> None:
        """
        With timestamps it does (RFC 7323 section 4.1).
        """
        talk = sending(self, 1, times=True, sack=False)
        talk.wait(300)
        talk.says("PA", 1, 1, MSS)
        talk.wait(60)
        talk.peer("", 1, at(1))
        info = talk.connection.info(talk.now)
        self.assertEqual(info.backoff, 0)
        self.assertEqual(info.rtt, 100_000 - 40_000 // 8)


class CollapseTests(SynchronousTestCase):
    """
    Small segments that are sent again.
    """

    def begin(self, **settings: object) -> Dialogue:
        """
        Four small segments are out.
        """
        talk = Dialogue(self, **settings)
        talk.serve(sack=False)
        talk.connection.set_nodelay()
        for number in range(4):
            talk.write(100)
            talk.says("PA", 1 + 100 * number, 1, 100)
        return talk

    def test_merged(self) -> None:
        """
        The first takes up the others.
        """
        talk = self.begin()
        talk.wait(300)
        talk.says("PA", 1, 1, 400, reason=Reason.RETRANSMISSION_TIMEOUT)
        talk.wait(100)
        talk.peer("", 1, 401)
        self.assertIsNone(talk.stack.deadline)
        self.assertEqual(talk.connection.board.in_flight, 0)

    def test_off(self) -> None:
        """
        With C{tcp_retrans_collapse} = 0 it does not.
        """
        talk = self.begin(tcp_retrans_collapse=0)
        talk.wait(300)
        talk.says("PA", 1, 1, 100)

    def test_not_too_much(self) -> None:
        """
        No more than fits into a segment, nor into the window, and the FIN goes along.
        """
        talk = Dialogue(self)
        talk.serve(mss=536, sack=False)
        talk.connection.set_nodelay()
        for size in (400, 100, 100):
            talk.write(size)
        talk.shutdown()
        talk.forget()
        talk.wait(300)
        talk.says("PA", 1, 1, 500)
        talk.wait(50)
        talk.peer("", 1, 501)
        talk.says("FPA", 501, 1, 100)

    def test_counts(self) -> None:
        """
        Without SACK the duplicate ACKs that were counted are as many fewer.
        """
        talk = Dialogue(self, tcp_early_retrans=0)
        talk.serve(sack=False)
        talk.connection.set_nodelay()
        for _ in range(6):
            talk.write(100)
        talk.forget()
        talk.wait(100)
        for _ in range(5):
            talk.peer("", 1, 1)
        self.assertEqual(len(talk.connection.board), 1)
        self.assertGreaterEqual(talk.connection.board.in_flight, 0)
        talk.peer("", 1, 601)
        self.assertIsNone(talk.stack.deadline)

    def test_not_beyond_a_record(self) -> None:
        """
        Nor beyond the end of a record (MSG_EOR).
        """
        talk = Dialogue(self)
        talk.serve(sack=False)
        talk.connection.set_nodelay()
        for ends in (False, True, False):
            talk.connection.write(talk.now, bytes(100), ends_record=ends)
            talk.drain()
        talk.forget()
        talk.wait(300)
        talk.says("PA", 1, 1, 200)

    def test_not_what_is_reported(self) -> None:
        """
        Nor what a SACK has reported.
        """
        talk = Dialogue(self, tcp_early_retrans=0, tcp_recovery=0)
        talk.serve()
        talk.connection.set_nodelay()
        for _ in range(3):
            talk.write(100)
        talk.forget()
        talk.wait(100)
        talk.peer("", 1, 1, sacks=((101, 201),))
        talk.wait(400)
        talk.says("PA", 1, 1, 100)


class UndoTests(SynchronousTestCase):
    """
    Reductions that were for nothing.
    """

    def test_eifel(self) -> None:
        """
        The ACK echoes the original's timestamp: nothing was lost (RFC 3522).
        """
        talk = sending(self, 6, times=True)
        original = talk.last_times()[0]
        talk.wait(100)
        for number in range(2, 5):
            talk.peer("", 1, 1, sacks=((at(1), at(number)),))
        talk.says("A", at(0), 1, MSS)
        self.assertEqual(talk.connection.congestion.ssthresh, 5)
        talk.wait(5)
        talk.peer("", 1, at(6), echo=original)
        congestion = talk.connection.congestion
        self.assertGreaterEqual(congestion.cwnd, 10)
        self.assertGreater(congestion.ssthresh, 5)

    def test_part(self) -> None:
        """
        So does the ACK of a part, without SACK.
        """
        talk = sending(self, 6, times=True, sack=False)
        original = talk.last_times()[0]
        talk.wait(100)
        for _ in range(3):
            talk.peer("", 1, 1)
        talk.says("A", at(0), 1, MSS)
        talk.wait(5)
        talk.peer("", 1, at(2), echo=original)
        talk.silent()
        self.assertIsNot(talk.connection.recovery.state, CongestionState.RECOVERY)
        self.assertGreaterEqual(talk.connection.congestion.cwnd, 10)

    def test_duplicates_reported(self) -> None:
        """
        D-SACKs report every retransmission (RFC 3708).
        """
        talk = sending(self, 6)
        talk.wait(100)
        for number in range(2, 5):
            talk.peer("", 1, 1, sacks=((at(1), at(number)),))
        talk.says("A", at(0), 1, MSS)
        talk.wait(5)
        talk.peer("", 1, at(6))
        self.assertEqual(talk.connection.congestion.cwnd, 5)
        talk.wait(100)
        talk.write(MSS)
        talk.says("PA", at(6), 1, MSS)
        talk.peer("", 1, at(6), sacks=((at(0), at(1)),))
        self.assertGreaterEqual(talk.connection.congestion.cwnd, 10)

    def test_spurious_timeout(self) -> None:
        """
        F-RTO: the ACK after a timeout lets new data leave, and if they or originals are
        acknowledged, the timeout was spurious (RFC 5682 section 2).
        """
        talk = sending(self, 10, tcp_early_retrans=0)
        talk.write(4 * MSS)
        talk.silent()
        talk.wait(300)
        talk.says("A", at(0), 1, MSS, reason=Reason.RETRANSMISSION_TIMEOUT)
        talk.wait(10)
        talk.peer("", 1, at(1))
        # Not the second segment again, but something new.
        self.assertTrue(talk.said)
        for _, packet in talk.said:
            self.assertIs(packet.reason, Reason.DATA)
        talk.forget()
        talk.peer("", 1, at(3))
        self.assertIs(talk.connection.recovery.state, CongestionState.OPEN)
        self.assertGreaterEqual(talk.connection.congestion.cwnd, 10)
