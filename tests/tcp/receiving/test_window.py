"""
The window that is advertised: RFC 9293 section 3.8.6.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.receiving.window import ReceiveWindow
from netlab.tcp.segment import Reason
from netlab.tcp.settings import Settings
from tests.tcp.dialogue import Dialogue


class FirstTests(SynchronousTestCase):
    """
    The window of a SYN.
    """

    def test_as_linux(self) -> None:
        """
        64240 of 1460 bytes, 65160 of 1448: whole segments within 64 KB.
        """
        for mss, expected in ((1460, 64240), (1448, 65160)):
            window = ReceiveWindow(Settings())
            self.assertEqual(window.open(mss, is_scaled=True), 7)
            self.assertEqual(window.wnd, expected)

    def test_shift(self) -> None:
        """
        The shift lets the largest buffer be advertised, at most 14 (RFC 7323 section 2.3).
        """
        for most, shift in ((65536, 1), (6291456, 7), (1 << 40, 14)):
            window = ReceiveWindow(Settings(tcp_rmem=(4096, 4096, most)))
            self.assertEqual(window.open(1460, is_scaled=True), shift)
        self.assertEqual(ReceiveWindow(Settings()).open(1460, is_scaled=False), 0)


class ZeroTests(SynchronousTestCase):
    """
    A program that does not read.
    """

    def begin(self) -> Dialogue:
        """
        A connection whose window is full.
        """
        talk = Dialogue(self, tcp_rmem=(4096, 20_000, 20_000))
        talk.serve(sack=False)
        at = 1
        while True:
            edge = talk.connection.window.right_edge() - talk.connection.received.nxt
            if edge < 1460:
                break
            talk.peer("", at, 1, 1460)
            at += 1460
        talk.wait(500)
        talk.forget()
        self.at = at
        return talk

    def test_never_taken_back(self) -> None:
        """
        The window shrinks by what arrives and no more (RFC 9293 section 3.8.6).
        """
        talk = Dialogue(self, tcp_rmem=(4096, 20_000, 20_000))
        talk.serve(sack=False)
        edge = 0
        for number in range(6):
            talk.peer("", 1 + 1460 * number, 1, 1460)
            window = talk.connection.window
            self.assertGreaterEqual(window.right_edge(), edge)
            edge = window.right_edge()

    def test_update(self) -> None:
        """
        Reading a little says nothing; reading enough says that the window is open.
        """
        talk = self.begin()
        talk.read(100)
        talk.silent()
        talk.read()
        packet = talk.says("A", 1, self.at, reason=Reason.WINDOW_UPDATE)
        self.assertGreaterEqual(packet.segment.window, 8000)
        talk.silent()

    def test_beyond_the_edge(self) -> None:
        """
        What is sent into a shut window is not taken; the answer says so.
        """
        talk = self.begin()
        unread = talk.connection.received.unread
        talk.peer("", self.at, 1, 5000)
        taken = talk.connection.received.unread - unread
        self.assertLess(taken, 1460)
        talk.says("A", 1, self.at + taken)


class GrowthTests(SynchronousTestCase):
    """
    Autotuning.
    """

    def test_follows_the_program(self) -> None:
        """
        A program that reads much in a round trip gets a larger buffer, up to C{tcp_rmem}'s maximum.
        """
        window = ReceiveWindow(Settings(tcp_rmem=(4096, 131072, 1_000_000)))
        shift = window.open(1460, is_scaled=True)
        window.established(shift)
        now = nxt = 0
        for _ in range(30):
            now += 100
            window.measure(now, nxt, 100)
            nxt += window.buffer
            window.read(now, window.buffer)
        self.assertEqual(window.buffer, 1_000_000)

    def test_fixed(self) -> None:
        """
        One that the program has set stays as it is (SO_RCVBUF).
        """
        window = ReceiveWindow(Settings())
        window.fix(10_000)
        window.established(window.open(1460, is_scaled=True))
        self.assertLessEqual(window.wnd, 10_000)
        now = nxt = 0
        for _ in range(10):
            now += 100
            window.measure(now, nxt, 100)
            nxt += 100_000
            window.read(now, 100_000)
        self.assertEqual(window.full_space, 10_000)
