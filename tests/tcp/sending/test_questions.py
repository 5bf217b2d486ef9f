"""
When new data may leave: Nagle, silly windows, idle connections.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.events import Writable
from netlab.tcp.segment import Reason
from netlab.tcp.sending.questions import SEGMENT_COST_BYTES
from tests.tcp.dialogue import Dialogue


class NagleTests(SynchronousTestCase):
    """
    Small segments (RFC 9293 section 3.7.4).
    """

    def test_one_at_a_time(self) -> None:
        """
        A small segment waits while another is under way; what is written meanwhile joins it.
        """
        talk = Dialogue(self)
        talk.serve()
        for _ in range(3):
            talk.write(10)
        talk.says("PA", 1, 1, 10)
        talk.silent()
        talk.wait(100)
        talk.peer("", 1, 11)
        talk.says("PA", 11, 1, 20)

    def test_full_ones_do_not_wait(self) -> None:
        """
        A full segment does not, and leaves the rest to wait.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.write(10)
        talk.says("PA", 1, 1, 10)
        talk.write(2000)
        talk.says("A", 11, 1, 1460)
        talk.silent()

    def test_behind_full_ones(self) -> None:
        """
        A small one need not wait for full ones (Minshall's variant).
        """
        talk = Dialogue(self)
        talk.serve()
        talk.write(1460)
        talk.says("PA", 1, 1, 1460)
        talk.write(10)
        talk.says("PA", 1461, 1, 10)

    def test_nodelay(self) -> None:
        """
        TCP_NODELAY lets each leave, and what waits when it is set.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.write(10)
        talk.write(10)
        talk.says("PA", 1, 1, 10)
        talk.silent()
        talk.connection.set_nodelay()
        talk.drain()
        talk.says("PA", 11, 1, 10)
        talk.write(10)
        talk.says("PA", 21, 1, 10)

    def test_cork(self) -> None:
        """
        TCP_CORK holds back even the first one, not for ever.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.connection.set_cork()
        talk.write(10)
        talk.silent()
        talk.write(1455)
        talk.says("A", 1, 1, 1460)
        talk.connection.set_cork(is_on=False)
        talk.drain()
        talk.says("PA", 1461, 1, 5)
        talk.wait(50)
        talk.peer("", 1, 1466)
        talk.connection.set_cork()
        talk.write(10)
        talk.silent()
        talk.wait(1000)
        talk.says("PA", 1466, 1, 10, reason=Reason.DATA)


class WindowTests(SynchronousTestCase):
    """
    The peer's window (RFC 9293 section 3.8.6).
    """

    def test_never_beyond(self) -> None:
        """
        Nothing leaves that does not fit.
        """
        talk = Dialogue(self)
        talk.serve(win=4000)
        talk.write(10_000)
        talk.says("A", 1, 1, 1460)
        talk.says("A", 1461, 1, 1460)
        talk.silent()
        talk.peer("", 1, 1461, win=4000)
        talk.says("A", 2921, 1, 1460)
        talk.silent()

    def test_small_window(self) -> None:
        """
        A segment has no more than half the largest window, so that a small one can be used.
        """
        talk = Dialogue(self)
        talk.serve(win=1000)
        talk.write(2000)
        talk.says("A", 1, 1, 500)
        talk.says("PA", 501, 1, 500)

    def test_silly(self) -> None:
        """
        A window that opens by less than a segment is not filled (section 3.8.6.2.1).
        """
        talk = Dialogue(self)
        talk.serve(win=2920)
        talk.write(10_000)
        talk.forget()
        talk.wait(50)
        talk.peer("", 1, 2921, win=0)
        talk.peer("", 1, 2921, win=700)
        talk.silent()
        talk.peer("", 1, 2921, win=1460)
        talk.says("A", 2921, 1, 1460)

    def test_probes(self) -> None:
        """
        A shut window is probed after an RTO, then half as often each time (section 3.8.6.1), with a
        segment that takes no place; and for ever, as long as the peer answers.
        """
        talk = Dialogue(self)
        talk.serve(win=2920)
        talk.write(5000)
        talk.forget()
        talk.wait(100)
        talk.peer("", 1, 2921, win=0)
        begin = talk.ms
        for time in (300, 900, 2100):
            talk.wait(begin + time - talk.ms)
            talk.says("A", 2920, 1, 0, reason=Reason.WINDOW_PROBE, at=begin + time)
            talk.peer("", 1, 2921, win=0)
        for _ in range(100):
            talk.wait(120_000)
            talk.says("A", 2920, 1, 0, reason=Reason.WINDOW_PROBE)
            talk.forget()
            talk.peer("", 1, 2921, win=0)
        talk.peer("", 1, 2921, win=8000)
        talk.says("A", 2921, 1, 1460)

    def test_probe_with_data(self) -> None:
        """
        A window that stays small gets what it has room for, after an RTO.
        """
        talk = Dialogue(self)
        talk.serve(win=2920)
        talk.write(5000)
        talk.forget()
        talk.wait(100)
        talk.peer("", 1, 2921, win=700)
        begin = talk.ms
        talk.wait(1000)
        talk.says("A", 2921, 1, 700, at=begin + 300)

    def test_fin_needs_room(self) -> None:
        """
        The FIN takes up a number and must fit, too.
        """
        talk = Dialogue(self)
        talk.serve(win=100)
        talk.write(50)
        talk.forget()
        talk.peer("", 1, 51, win=50)
        talk.write(50)
        talk.shutdown()
        talk.says("PA", 51, 1, 50)
        talk.silent()
        talk.peer("", 1, 101, win=0)
        talk.silent()
        talk.peer("", 1, 101, win=1)
        talk.says("FA", 101, 1)

    def test_old_window(self) -> None:
        """
        A window that comes late does not shrink what is known (section 3.10.7.4, fifth).
        """
        talk = Dialogue(self)
        talk.serve()
        talk.peer("P", 1, 1, b"abc")
        talk.peer("P", 4, 1, b"def", win=50_000)
        talk.peer("", 1, 1, win=60_000)
        self.assertEqual(talk.connection.snd_wnd, 50_000)

    def test_window_of_an_old_ack(self) -> None:
        """
        Nor does the window of an older ACK count, which its sender's retransmission has overtaken.
        """
        talk = Dialogue(self)
        talk.serve(win=2000)
        talk.write(1000)
        talk.forget()
        talk.peer("P", 1, 1001, b"again", win=1000)
        talk.peer("P", 6, 1, b"sent before", win=2000)
        self.assertEqual(talk.connection.snd_una + talk.connection.snd_wnd - talk.iss, 2001)


class IdleTests(SynchronousTestCase):
    """
    A sender that has been idle.
    """

    def grown(self, **settings: object) -> Dialogue:
        """
        A connection whose window has grown to 40 segments.
        """
        talk = Dialogue(self, **settings)
        talk.serve()
        talk.write(1460)
        talk.forget()
        talk.peer("", 1, 1461)
        talk.connection.congestion.cwnd = 40
        return talk

    def test_window_halves(self) -> None:
        """
        It loses half its window in each RTO, down to the initial one (RFC 2861 section 3).
        """
        talk = self.grown()
        talk.wait(650)
        talk.write(60 * 1460)
        self.assertEqual(len(talk.said), 10)
        self.assertEqual(talk.connection.congestion.ssthresh, 0x7FFFFFFF)

    def test_off(self) -> None:
        """
        Not with C{tcp_slow_start_after_idle} = 0.
        """
        talk = self.grown(tcp_slow_start_after_idle=0)
        talk.connection.set_send_buffer(1_000_000)
        talk.wait(650)
        talk.write(60 * 1460)
        self.assertEqual(len(talk.said), 40)


class BoundTests(SynchronousTestCase):
    """
    A peer that wants many segments.
    """

    def test_tiny(self) -> None:
        """
        However small the segments and large the window: so many are out and no more.
        """
        talk = Dialogue(self, tcp_wmem=(4096, 16384, 100 * SEGMENT_COST_BYTES))
        talk.serve(mss=1, win=65535)
        talk.connection.congestion.cwnd = 10_000
        talk.write(60_000)
        self.assertEqual(len(talk.said), 100)


class BufferTests(SynchronousTestCase):
    """
    The send buffer.
    """

    def test_full(self) -> None:
        """
        A write takes what there is room for; when a third is free, the program is told.
        """
        talk = Dialogue(self)
        talk.serve(win=1000)
        talk.connection.set_send_buffer(5_000)
        self.assertEqual(talk.write(50_000), 10_000)
        self.assertEqual(talk.write(1), 0)
        self.assertEqual(talk.events(), [])
        at = 1
        while Writable() not in talk.events():
            at += 500
            talk.peer("", 1, at, win=1000)
        self.assertEqual(talk.write(50_000), at - 1)
        self.assertTrue(3000 <= at - 1 <= 4000, at)

    def test_push(self) -> None:
        """
        The end of each write is pushed (RFC 9293 section 3.9.1.2).
        """
        talk = Dialogue(self)
        talk.serve()
        talk.write(2000)
        pushed = [bool(packet.segment.flags & 8) for _, packet in talk.said]
        self.assertEqual(pushed, [False, True])
