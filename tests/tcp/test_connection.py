"""
A connection as a program sees it.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.connection import RECEIVE_BUFFER_MIN, SEND_BUFFER_MIN
from netlab.tcp.events import PeerClosed, Readable
from netlab.tcp.segment import CongestionState
from netlab.tcp.states import TCPState
from netlab.tcp.timers import MILLISECOND
from tests.tcp.dialogue import Dialogue


class CallTests(SynchronousTestCase):
    """
    What a program may call when.
    """

    def test_write_after_shutdown(self) -> None:
        """
        After a half-close nothing is taken.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.shutdown()
        talk.shutdown()
        talk.says("FA", 1, 1)
        self.assertEqual(talk.write(b"x"), 0)
        talk.silent()

    def test_read_after_the_peer_has_closed(self) -> None:
        """
        What arrived can be read after the FIN, in pieces; then there is nothing.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.peer("FP", 1, 1, b"abcdef")
        self.assertEqual(talk.events(), [Readable(), PeerClosed()])
        self.assertEqual([talk.read(4), talk.read(4), talk.read(4)], [b"abcd", b"ef", b""])
        self.assertFalse(talk.connection.is_readable)

    def test_close_twice(self) -> None:
        """
        The second close, and one after the end, change nothing.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.close()
        talk.close()
        talk.says("FA", 1, 1)
        talk.peer("R", 1)
        talk.close()
        talk.abort()
        talk.silent()

    def test_close_after_the_peer(self) -> None:
        """
        What was written is still sent.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.write(100)
        talk.write(100)
        talk.close()
        talk.says("PA", 1, 1, 100)
        talk.says("FPA", 101, 1, 100)


class OptionTests(SynchronousTestCase):
    """
    Options.
    """

    def test_buffers(self) -> None:
        """
        Buffers are within what the settings allow and what works at all.
        """
        talk = Dialogue(self, tcp_rmem=(4096, 8192, 10_000), tcp_wmem=(4096, 8192, 10_000))
        talk.serve()
        connection = talk.connection
        connection.set_receive_buffer(1 << 30)
        self.assertEqual(connection.window.full_space, 10_000)
        connection.set_receive_buffer(1)
        self.assertEqual(connection.window.full_space, RECEIVE_BUFFER_MIN)
        connection.set_send_buffer(1)
        self.assertEqual(talk.write(50_000), 2 * SEND_BUFFER_MIN)
        connection.set_send_buffer(1 << 30)
        self.assertEqual(talk.write(50_000), 2 * 10_000 - 2 * SEND_BUFFER_MIN)

    def test_grows(self) -> None:
        """
        By itself the send buffer has room for two windows, at the 4352 bytes that Linux counts for
        a segment of 1460: 87,040.
        """
        talk = Dialogue(self)
        talk.serve(win=1000)
        self.assertEqual(talk.write(1_000_000), 2 * 10 * (2048 + 256))
        talk = Dialogue(self)
        talk.serve()
        self.assertEqual(talk.write(1_000_000), 87_040)

    def test_window_clamp(self) -> None:
        """
        No window is larger than the program wants (TCP_WINDOW_CLAMP), from the SYN on.
        """
        talk = Dialogue(self)
        talk.connect(window_clamp=5000)
        talk.says("S", win=5000)
        talk.peer("S", 0, 1, options=talk.syn_options())
        talk.says("A")
        for number in range(20):
            talk.peer("", 1 + 1000 * number, 1, 1000)
            talk.read()
            self.assertLessEqual(talk.connection.window.wnd, 5000)
        self.assertEqual(talk.connection.received.nxt - talk.connection.irs, 20_001)

    def test_keepalive_off(self) -> None:
        """
        It can be switched off again.
        """
        talk = Dialogue(self)
        talk.serve()
        talk.connection.set_keepalive(talk.now, time=MILLISECOND)
        self.assertIsNotNone(talk.stack.deadline)
        talk.connection.set_keepalive(talk.now, is_on=False)
        talk.drain()
        self.assertIsNone(talk.stack.deadline)


class InfoTests(SynchronousTestCase):
    """
    What can be seen of it.
    """

    def test_info(self) -> None:
        """
        TCP_INFO's figures, in its units.
        """
        talk = Dialogue(self)
        talk.serve(rtt=50, shift=5, times=True)
        talk.write(3000)
        info = talk.connection.info(talk.now)
        self.assertIs(info.state, TCPState.ESTABLISHED)
        self.assertIs(info.ca_state, CongestionState.OPEN)
        self.assertEqual((info.rtt, info.rttvar, info.rto), (50_000, 25_000, 250_000))
        self.assertEqual((info.snd_mss, info.advmss, info.unacked), (1448, 1460, 3))
        self.assertEqual((info.snd_wscale, info.rcv_wscale), (5, 7))
        self.assertEqual((info.snd_cwnd, info.snd_ssthresh), (10, 0x7FFFFFFF))
        self.assertEqual(info.notsent_bytes, 0)

    def test_variables(self) -> None:
        """
        Each segment tells what its sender knew when it had sent it.
        """
        talk = Dialogue(self)
        talk.serve(rtt=50, sack=False)
        talk.write(3 * 1460)
        seen = [packet.variables for _, packet in talk.said]
        self.assertEqual([v.flight for v in seen if v], [1, 2, 3])
        self.assertEqual([v.bytes_in_flight for v in seen if v], [1460, 2920, 4380])
        self.assertEqual([v.unsent for v in seen if v], [2920, 1460, 0])
        for variables in seen:
            assert variables is not None
            self.assertEqual(variables.timer, "retransmission")
            self.assertEqual(variables.timer_at, talk.now + 250 * MILLISECOND)
            self.assertEqual(variables.rto, 250 * MILLISECOND)
