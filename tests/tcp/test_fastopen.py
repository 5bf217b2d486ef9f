"""
Fast open: RFC 7413.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.fastopen import COOKIES_MAX, FastOpen
from netlab.tcp.isn import Secrets
from netlab.tcp.settings import Settings
from netlab.tcp.timers import NANOSECONDS
from tests.tcp.dialogue import PEER, PEER_PORT, Dialogue
from tests.tcp.pair import PORT, SERVER, Pair

COOKIE = b"12345678"


class ClientTests(SynchronousTestCase):
    """
    The machine opens.
    """

    def connect(self, talk: Dialogue, data: bytes) -> int:
        """
        Open with data.

        @return: how many were taken.
        """
        connection, taken = talk.stack.connect_with_data(talk.now, (PEER, PEER_PORT), data)
        talk._connection = connection
        talk.local_port = connection.local[1]
        talk.drain()
        talk.iss = talk.said[0][1].segment.seq
        return taken

    def with_cookie(self) -> Dialogue:
        """
        Get a cookie (section 4.1).
        """
        talk = Dialogue(self)
        self.assertEqual(self.connect(talk, b"GET"), 0)
        packet = talk.says("S", 0, length=0)
        self.assertEqual(talk.options_of(packet).fast_open, b"")
        talk.peer("S", 0, 1, options=talk.syn_options(cookie=COOKIE))
        talk.abort()
        talk.forget()
        return talk

    def test_cookie(self) -> None:
        """
        The first SYN asks for a cookie; the next one shows it, with data.
        """
        talk = self.with_cookie()
        self.assertEqual(self.connect(talk, b"GET"), 3)
        packet = talk.says("S", 0, length=3)
        self.assertEqual(talk.options_of(packet).fast_open, COOKIE)
        talk.wait(50)
        talk.peer("S", 0, 4, options=talk.syn_options())
        talk.says("A", 4, 1)
        talk.wait(5000)
        talk.silent()

    def test_as_much_as_fits(self) -> None:
        """
        As much goes along as the server's MSS lets, which came with the cookie, less the room for
        options.
        """
        talk = self.with_cookie()
        self.assertEqual(self.connect(talk, bytes(5000)), 1460 - 40)
        talk.says("S", 0, length=1420)

    def test_not_taken(self) -> None:
        """
        Data that the SYN-ACK does not cover leave again at once (section 4.2.1).
        """
        talk = self.with_cookie()
        self.connect(talk, b"GET")
        talk.says("S", length=3)
        talk.wait(50)
        talk.peer("S", 0, 1, options=talk.syn_options())
        talk.says("PA", 1, 1, 3)

    def test_timeout(self) -> None:
        """
        A SYN that leaves again has neither: they may be what was dropped.
        """
        talk = self.with_cookie()
        self.connect(talk, b"GET")
        talk.forget()
        talk.wait(1000)
        packet = talk.says("S", 0, length=0)
        self.assertIsNone(talk.options_of(packet).fast_open)

    def test_off(self) -> None:
        """
        Without bit 1 of C{tcp_fastopen} nothing is asked.
        """
        talk = Dialogue(self, tcp_fastopen=0)
        self.assertEqual(self.connect(talk, b"GET"), 0)
        self.assertIsNone(talk.options_of(talk.says("S", 0)).fast_open)


class ServerTests(SynchronousTestCase):
    """
    The peer opens.
    """

    def test_both(self) -> None:
        """
        Data arrive with the SYN, and the answer is under way before the handshake is complete.
        """
        pair = Pair(server=Settings(tcp_fastopen=2))
        pair.listener.fast_open = 5
        pair.client.connect_with_data(pair.now, (SERVER, PORT), b"")
        pair.run_for(NANOSECONDS)
        self.assertIsNotNone(pair.listener.accept())
        begin = pair.now
        client, taken = pair.client.connect_with_data(pair.now, (SERVER, PORT), b"ping")
        self.assertEqual(taken, 4)
        pair.run_until(lambda: pair.listener.waiting > 0)
        server = pair.listener.accept()
        assert server is not None
        self.assertEqual(pair.now - begin, pair.weather.delay)
        self.assertEqual(server.read(pair.now, 100), b"ping")
        server.write(pair.now, b"pong")
        pair.run_until(lambda: client.is_readable)
        self.assertEqual(pair.now - begin, 2 * pair.weather.delay)
        self.assertEqual(client.read(pair.now, 100), b"pong")
        pair.run_for(NANOSECONDS)
        self.assertEqual(pair.listener.early, 0)
        self.assertEqual(pair.listener.waiting, 0)

    def test_wrong_cookie(self) -> None:
        """
        Without the right cookie the data are not taken, and a right one is given (section 4.1.2).
        """
        talk = Dialogue(self, tcp_fastopen=2)
        talk.listen()
        talk.listener.fast_open = 5
        talk.peer("S", 0, None, b"data", options=talk.syn_options(cookie=b"wrong123"))
        packet = talk.says("SA", None, 1)
        cookie = talk.options_of(packet).fast_open
        assert cookie is not None
        self.assertEqual(len(cookie), 8)
        self.assertIsNone(talk.listener.accept())

    def test_bound(self) -> None:
        """
        Only so many at a time are taken with data: whoever has a cookie can lie about its address
        no more, but can still be many (section 5.1).
        """
        talk = Dialogue(self, tcp_fastopen=0x202)
        talk.listen()
        talk.listener.fast_open = 1
        talk.peer("S", 0, None, b"data", options=talk.syn_options())
        talk.says("SA", None, 5)
        self.assertEqual(talk.listener.waiting, 1)
        talk.local_port = 80
        self.assertEqual(talk.listener.early, 1)


class CookieTests(SynchronousTestCase):
    """
    The cookies that are remembered.
    """

    def test_bound(self) -> None:
        """
        The one not used for longest is forgotten.
        """
        jar = FastOpen(Settings(), Secrets(b"k" * 16))
        for number in range(COOKIES_MAX + 1):
            jar.remember(number.to_bytes(4), COOKIE, 1460)
            jar.cookie_for((0).to_bytes(4))
        self.assertEqual(jar.cookie_for((0).to_bytes(4)), COOKIE)
        self.assertEqual(jar.cookie_for((1).to_bytes(4)), b"")

    def test_size(self) -> None:
        """
        One of a size that RFC 7413 does not allow is not kept (section 4.1.1).
        """
        jar = FastOpen(Settings(), Secrets(b"k" * 16))
        for cookie in (b"12", b"12345", b"1" * 18):
            jar.remember(b"peer", cookie, 1460)
            self.assertEqual(jar.cookie_for(b"peer"), b"")
