"""
The client and servers that send nonsense, too much, or nothing.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.python.failure import Failure

from netlab.http1.client.clientprotocol import WAITING_MAX_BYTES
from netlab.http1.client.clientresponse import RequestError
from tests.http1.clients import EMPTY, ClientTestCase


class HostileTests(ClientTestCase):
    """
    Servers that err or attack.
    """

    def fails_with(self, data: bytes, *, ends: bool = False) -> str:
        """
        Answer a new client with these bytes; read the problem, wherever it comes.
        """
        self.setUp()

        async def get_and_read() -> bytes:
            response = await self.client.get("http://a/")
            return await response.read()

        waiting = self.start(get_and_read())
        self.end().says(data)
        if ends:
            self.end().ends()
        text = self.problem(waiting)
        self.assertFalse(self.end().is_open)
        self.check_over()
        return text

    def test_no_http(self) -> None:
        """
        Another protocol's greeting is told at once.
        """
        self.assertEqual(
            self.fails_with(b"SSH-2.0-x\r\n"), "http://a/: the answer is not HTTP/1.0 or HTTP/1.1"
        )

    def test_endless_head(self) -> None:
        """
        A head that does not end is given up at its limit.
        """
        text = self.fails_with(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 5000)
        self.assertEqual(text, "http://a/: the answer's head is too long")

    def test_wrong_lengths(self) -> None:
        """
        Content that ends early, or is longer than the limit, is an error.
        """
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\nabc"
        self.assertIn("2 bytes early", self.fails_with(head % 5, ends=True))
        self.assertIn("too long", self.fails_with(head % (1 << 40)))
        self.assertIn(
            "not a number", self.fails_with(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n")
        )

    def test_wrong_chunks(self) -> None:
        """
        Broken chunks are an error, and so is their missing end.
        """
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.assertIn("its size", self.fails_with(head + b"x\r\n"))
        self.assertIn("last chunk", self.fails_with(head + b"1\r\na\r\n", ends=True))

    def test_silence(self) -> None:
        """
        No complete head within the timeout is a failure; bytes now and then do not extend it.
        """
        waiting = self.get()
        self.end().says(b"HTTP/1.1 200")
        self.net.clock.advance(9.9)
        self.end().says(b" OK\r\n")
        self.assertNoResult(waiting)
        self.net.clock.advance(0.1)
        self.assertEqual(self.problem(waiting), "http://a/: no answer within 10 seconds")
        self.check_over()

    def test_stalled_content(self) -> None:
        """
        Content may be slow but not stand still.
        """
        waiting = self.get()
        self.end().says(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
        reading = self.start(self.successResultOf(waiting).read())
        for _ in range(4):
            self.net.clock.advance(4.9)
            self.end().says(b"x")
        self.assertNoResult(reading)
        self.net.clock.advance(4.9)
        self.assertNoResult(reading)
        self.net.clock.advance(0.2)
        self.assertIn("no progress for 5 seconds", self.problem(reading))
        self.check_over()

    def test_timer_ends(self) -> None:
        """
        Once an answer has come, the timer fires once at most and is not armed again.
        """
        self.get()
        self.end().says(EMPTY)
        self.net.clock.advance(10)
        self.assertTrue(self.net.idle_clock())
        self.assertTrue(self.end().is_open)

    def test_read_is_bounded(self) -> None:
        """
        Reading all at once has a bound of its own.
        """
        waiting = self.get()
        self.end().says(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd")
        reading = self.start(self.successResultOf(waiting).read(3))
        self.assertIn("more than 3 bytes", self.problem(reading))


class AnyServerTests(ClientTestCase):
    """
    What holds whatever a server says.
    """

    @settings(deadline=None, max_examples=150)
    @given(
        st.lists(
            st.one_of(
                st.binary(min_size=1, max_size=20),
                st.sampled_from(
                    [
                        b"HTTP/1.1 200 OK\r\n",
                        b"HTTP/1.1 100 Continue\r\n\r\n",
                        b"HTTP/1.1 302 Found\r\nLocation: /%d\r\n",
                        b"Content-Length: 3\r\n",
                        b"Transfer-Encoding: chunked\r\n",
                        b"Connection: close\r\n",
                        b"\r\n",
                        b"abc",
                        b"3\r\nabc\r\n0\r\n\r\n",
                        b"x" * (WAITING_MAX_BYTES + 1),
                    ]
                ),
            ),
            max_size=12,
        ),
        st.sampled_from(["ends", "resets", "stalls"]),
    )
    def test_an_answer_or_one_error(self, pieces: list[bytes], finally_: str) -> None:
        """
        Any server, however it ends, gives an answer or a RequestError in one line, and leaves
        nothing open or armed.
        """
        self.setUp()

        async def get_and_read() -> bytes:
            response = await self.client.get("http://a/", redirects_max=3)
            return await response.read()

        waiting = self.start(get_and_read())
        for piece in pieces:
            if self.end().is_open:
                self.end().says(piece)
        while self.end().is_open and not waiting.called:
            if finally_ == "stalls":
                self.net.clock.advance(11)
            elif finally_ == "ends":
                self.end().ends()
            else:
                self.end().resets()
        results: list[object] = []
        waiting.addBoth(results.append)
        self.assertEqual(len(results), 1)
        if isinstance(results[0], Failure):
            self.assertIsInstance(results[0].value, RequestError)
            self.assertTrue(str(results[0].value).isprintable())
        self.check_over()
