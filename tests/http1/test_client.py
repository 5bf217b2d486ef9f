"""
The client on its machine: connections, time, backpressure, redirects.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.error import (
    ConnectError,
    DNSLookupError,
)
from twisted.internet.error import (
    ConnectionRefusedError as RefusedError,
)
from twisted.internet.error import (
    TimeoutError as ConnectTimeoutError,
)
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.client import HTTPClient, Request
from netlab.http1.clientconnection import ClientSettings
from netlab.http1.clientprotocol import WAITING_MAX_BYTES
from netlab.http1.clientresponse import RequestError, Response
from netlab.http1.fields import Fields
from netlab.http1.limits import Limits
from netlab.http1.url import URLError, parse_url
from tests.http1.memorynet import MemoryNet, ServerEnd

T = TypeVar("T")

EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class ClientTestCase(SynchronousTestCase):
    """
    A client in a network in memory.
    """

    def setUp(self) -> None:
        """
        Make the network and the client.
        """
        self.net = MemoryNet()
        self.client = HTTPClient(
            self.net.clock,
            ClientSettings(Limits(content_max_bytes=1 << 20), answer_timeout=10, content_timeout=5),
            connect_timeout=3,
            endpoint_for=self.net.endpoint_for,
        )

    def start(self, coroutine: Coroutine[Deferred[Any], Any, T]) -> Deferred[T]:
        """
        Start a coroutine.
        """
        return Deferred.fromCoroutine(coroutine)

    def get(self, url: str = "http://a/", redirects_max: int = 10) -> Deferred[Response]:
        """
        Ask for a URL.
        """
        return self.start(self.client.get(url, redirects_max=redirects_max))

    def end(self, number: int = -1) -> ServerEnd:
        """
        Return a connection, by default the last one.
        """
        return self.net.ends[number]

    def problem(self, waiting: Deferred[T]) -> str:
        """
        Return the text that a request has failed with.
        """
        return str(self.failureResultOf(waiting, RequestError).value)

    def read(self, response: Response) -> bytes:
        """
        Read content that has come whole.
        """
        return self.successResultOf(self.start(response.read()))

    def check_over(self) -> None:
        """
        Close the client; nothing is left armed or open.
        """
        self.successResultOf(self.start(self.client.close()))
        self.assertEqual([end for end in self.net.ends if end.is_open], [])
        self.assertTrue(self.net.idle_clock())


class ExchangeTests(ClientTestCase):
    """
    Requests, answers and the connections they ride on.
    """

    def test_answer(self) -> None:
        """
        An answer is there as soon as its head has come; its content follows.
        """
        waiting = self.get("http://localhost:8080/a?b")
        self.assertEqual(self.end().asked(), b"GET /a?b HTTP/1.1\r\nHost: localhost:8080\r\n\r\n")
        self.end().says(b"HTTP/1.1 200 OK\r\nContent-Le")
        self.assertNoResult(waiting)
        self.end().says(b"ngth: 3\r\n\r\n")
        response = self.successResultOf(waiting)
        self.assertEqual(response.status, 200)
        reading = self.start(response.read())
        self.end().says(b"ab")
        self.assertNoResult(reading)
        self.end().says(b"c")
        self.assertEqual(self.successResultOf(reading), b"abc")
        self.check_over()

    def test_until_close(self) -> None:
        """
        Content without a length ends with an orderly close, and is truncated by a reset (RFC 9112
        section 8).
        """
        for is_reset in (False, True):
            waiting = self.get()
            self.end().says(b"HTTP/1.1 200 OK\r\n\r\nabc")
            response = self.successResultOf(waiting)
            if is_reset:
                self.end().resets()
                text = self.problem(self.start(response.read()))
                self.assertEqual(text, "http://a/: the connection was reset")
            else:
                self.end().ends()
                self.assertEqual(self.read(response), b"abc")
        self.check_over()

    def test_interim_and_trailers(self) -> None:
        """
        Interim responses and trailers come with the response.
        """
        waiting = self.get()
        self.end().says(b"HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n")
        self.assertNoResult(waiting)
        self.end().says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        self.end().says(b"1\r\nx\r\n0\r\nC: d\r\n\r\n")
        response = self.successResultOf(waiting)
        self.assertEqual([head.status for head in response.interim], [103])
        self.assertEqual(self.read(response), b"x")
        self.assertEqual(response.trailers, Fields([(b"C", b"d")]))

    def test_reuse(self) -> None:
        """
        The next request to the same origin goes out on the same connection, to another origin on
        another one.
        """
        for _ in range(3):
            waiting = self.get()
            self.end().says(EMPTY)
            self.successResultOf(waiting)
        self.assertEqual(len(self.net.ends), 1)
        waiting = self.get("http://a:81/")
        self.assertEqual(len(self.net.ends), 2)
        self.check_over()
        self.assertEqual(self.problem(waiting), "http://a:81/: given up")

    def test_two_at_once(self) -> None:
        """
        Two requests at once take two connections, of which one is kept.
        """
        self.get()
        self.get()
        self.assertEqual(len(self.net.ends), 2)
        self.end(0).says(EMPTY)
        self.end(1).says(EMPTY)
        self.assertEqual([end.is_open for end in self.net.ends], [True, False])
        self.check_over()

    def test_connection_close(self) -> None:
        """
        After an answer that says close the client closes, and the next request connects anew.
        """
        waiting = self.get()
        self.end().says(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx")
        self.assertEqual(self.read(self.successResultOf(waiting)), b"x")
        self.assertFalse(self.end().is_open)
        self.get()
        self.assertEqual(len(self.net.ends), 2)

    def test_closed_by_the_reader(self) -> None:
        """
        A reader that closes the client as soon as it has its answer whole closes in order also the
        connection that the answer came on, which is not idle yet.
        """

        async def ask() -> bytes:
            response = await self.client.get("http://a/")
            content = await response.read()
            await self.client.close()
            return content

        waiting = self.start(ask())
        self.end().says(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx")
        self.assertEqual(self.successResultOf(waiting), b"x")
        self.assertEqual((self.end().is_open, self.end().was_aborted), (False, False))

    def test_closed_within_an_answer(self) -> None:
        """
        A client that is closed while an answer is coming gives its connection up at once.
        """
        waiting = self.get()
        self.end().says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx")
        reading = self.start(self.successResultOf(waiting).read())
        self.successResultOf(self.start(self.client.close()))
        self.assertTrue(self.end().was_aborted)
        self.failureResultOf(reading, RequestError)

    def test_idle_connections_are_bounded(self) -> None:
        """
        Of many origins the connections used last are kept.
        """
        for number in range(20):
            self.get(f"http://h{number}/")
            self.end().says(EMPTY)
        self.assertEqual([end.is_open for end in self.net.ends], [False] * 4 + [True] * 16)
        self.check_over()

    def test_unasked_bytes(self) -> None:
        """
        A connection that speaks unasked is closed and answers nothing.
        """
        self.get()
        self.end().says(EMPTY)
        self.end().says(EMPTY)
        self.assertTrue(self.end().was_aborted)
        waiting = self.get()
        self.assertNoResult(waiting)
        self.assertEqual(len(self.net.ends), 2)

    def test_surplus_in_the_same_delivery(self) -> None:
        """
        Bytes behind an answer do not spoil it; they spoil its connection.
        """
        waiting = self.get()
        self.end().says(EMPTY + EMPTY)
        self.assertEqual(self.read(self.successResultOf(waiting)), b"")
        self.assertTrue(self.end().was_aborted)

    def test_content_of_a_request(self) -> None:
        """
        A request's content is sent with its length.
        """
        request = Request(b"PUT", parse_url("http://a/x"), content=b"abc")
        self.start(self.client.request(request))
        self.assertEqual(
            self.end().asked(), b"PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
        )


class RepeatTests(ClientTestCase):
    """
    Connections that end under a request.
    """

    def ask_twice(self, method: bytes = b"GET") -> Deferred[Response]:
        """
        Have one request answered, then send another one on the same connection.
        """
        request = Request(method, parse_url("http://a/"))
        self.start(self.client.request(request))
        self.end().says(EMPTY)
        self.end().asked()
        waiting = self.start(self.client.request(request))
        self.assertIn(method, self.end().asked())
        self.assertEqual(len(self.net.ends), 1)
        return waiting

    def test_closed_while_idle(self) -> None:
        """
        Where the server has closed an idle connection, the next request opens a new one.
        """
        self.get()
        self.end().says(EMPTY)
        self.end().ends()
        waiting = self.get()
        self.end().says(EMPTY)
        self.successResultOf(waiting)
        self.assertEqual(len(self.net.ends), 2)

    def test_repeated(self) -> None:
        """
        A request that crosses with the idle timeout's close is sent once more, on a new
        connection, whether the kernel answers it with a reset or not.
        """
        for is_reset in (False, True):
            self.net.ends.clear()
            waiting = self.ask_twice()
            if is_reset:
                self.end().resets()
            else:
                self.end().ends()
            self.assertNoResult(waiting)
            self.assertEqual(len(self.net.ends), 2)
            self.assertEqual(self.end().asked(), b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            self.end().says(EMPTY)
            self.successResultOf(waiting)
            self.end().ends()

    def test_repeated_once_only(self) -> None:
        """
        A server that closes the new connection too has failed.
        """
        waiting = self.ask_twice()
        self.end().ends()
        self.end().ends()
        text = "http://a/: the connection ended without an answer"
        self.assertEqual(self.problem(waiting), text)
        self.assertEqual(len(self.net.ends), 2)
        self.check_over()

    def test_not_on_a_first_request(self) -> None:
        """
        A connection that ends under its first request was not idle.
        """
        waiting = self.get()
        self.end().ends()
        self.assertIn("without an answer", self.problem(waiting))
        self.assertEqual(len(self.net.ends), 1)

    def test_not_after_a_byte(self) -> None:
        """
        One byte of an answer shows that the server had taken the request.
        """
        waiting = self.ask_twice()
        self.end().says(b"H")
        self.end().ends()
        self.assertIn("within the head", self.problem(waiting))
        self.assertEqual(len(self.net.ends), 1)

    def test_not_what_has_effects(self) -> None:
        """
        POST is never repeated (RFC 9110 section 9.2.2).
        """
        waiting = self.ask_twice(b"POST")
        self.end().ends()
        self.assertIn("without an answer", self.problem(waiting))
        self.assertEqual(len(self.net.ends), 1)


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


class BackpressureTests(ClientTestCase):
    """
    A reader that is slower than the server.
    """

    def setUp(self) -> None:
        """
        Begin an answer of 1 MiB, and deliver more than may wait.
        """
        super().setUp()
        waiting = self.get()
        self.end().says(b"HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n")
        self.response = self.successResultOf(waiting)
        self.end().says(b"x" * WAITING_MAX_BYTES)
        self.assertEqual(self.end().producerState, "producing")
        self.end().says(b"x")

    def test_paused(self) -> None:
        """
        Reading is paused while content waits, for any time, and goes on when it has been read.
        """
        self.assertEqual(self.end().producerState, "paused")
        self.net.clock.advance(1000)
        self.assertTrue(self.end().is_open)
        first = self.start(self.response.__anext__())
        second = self.start(self.response.__anext__())
        self.assertEqual(len(self.successResultOf(first)), WAITING_MAX_BYTES)
        self.assertEqual(self.successResultOf(second), b"x")
        self.assertEqual(self.end().producerState, "paused")
        third = self.start(self.response.__anext__())
        self.assertEqual(self.end().producerState, "producing")
        self.end().says(b"y")
        self.assertEqual(self.successResultOf(third), b"y")

    def test_stalls_after_a_pause(self) -> None:
        """
        After a pause the server has its whole time again, and no more.
        """
        self.net.clock.advance(1000)
        reading = self.start(self.response.read())
        self.net.clock.advance(4.9)
        self.assertNoResult(reading)
        self.net.clock.advance(0.2)
        self.assertIn("no progress", self.problem(reading))
        self.check_over()

    def test_abandoned(self) -> None:
        """
        Whoever wants no more closes the connection.
        """
        self.response.abandon()
        self.assertTrue(self.end().was_aborted)
        self.check_over()

    def test_discarded(self) -> None:
        """
        A short rest is read for the connection's sake, a long one is not.
        """
        self.successResultOf(self.start(self.client.discard(self.response)))
        self.assertTrue(self.end().was_aborted)
        waiting = self.get()
        self.end().says(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\na")
        discarding = self.start(self.client.discard(self.successResultOf(waiting)))
        self.assertNoResult(discarding)
        self.end().says(b"b")
        self.successResultOf(discarding)
        self.assertTrue(self.end().is_open)
        self.check_over()

    def test_discarding_ends(self) -> None:
        """
        A rest that does not come is not waited for.
        """
        waiting = self.get()
        self.end().says(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\na")
        discarding = self.start(self.client.discard(self.successResultOf(waiting)))
        self.net.clock.advance(2)
        self.successResultOf(discarding)
        self.assertFalse(self.end().is_open)

    def test_closed_under_a_reader(self) -> None:
        """
        Closing the client tells whoever still reads.
        """
        reading = self.start(self.response.read())
        self.check_over()
        self.assertIn("given up", self.problem(reading))


class ConnectTests(ClientTestCase):
    """
    Servers that are not there.
    """

    def test_failures(self) -> None:
        """
        Each reason has its own words.
        """
        for failure, words in (
            (RefusedError(), "connection refused"),
            (DNSLookupError(), "unknown host: a"),
            (ConnectTimeoutError(), "no connection within 3 seconds"),
            (ConnectError(), "no connection: "),
            (OSError(1, "no"), "no connection: "),
        ):
            self.net.failure = failure
            text = self.problem(self.get())
            self.assertIn(words, text)
            self.assertNotIn("\n", text)
        self.check_over()

    def test_slow(self) -> None:
        """
        A connection that does not come in time is given up.
        """
        self.net.waiting = Deferred()
        waiting = self.get()
        self.net.clock.advance(2.9)
        self.assertNoResult(waiting)
        self.net.clock.advance(0.1)
        self.assertEqual(self.problem(waiting), "http://a/: no connection within 3 seconds")
        self.check_over()

    def test_closed_while_connecting(self) -> None:
        """
        A connection that comes after the client was closed is closed too; and nothing more is
        asked.
        """
        self.net.waiting = Deferred()
        waiting = self.get()
        self.successResultOf(self.start(self.client.close()))
        self.net.waiting.callback(None)
        self.assertIn("the client is closed", self.problem(waiting))
        self.assertIn("the client is closed", self.problem(self.get()))
        self.check_over()

    def test_no_url(self) -> None:
        """
        What is no URL connects nowhere.
        """
        self.failureResultOf(self.get("localhost"), URLError)

    def test_https_without_openssl(self) -> None:
        """
        Where pyOpenSSL is not installed, https says how to install it.
        """
        client = HTTPClient(MemoryReactorClock())
        with mock.patch.dict("sys.modules", {"twisted.internet.ssl": None}):
            waiting = self.start(client.get("https://a/"))
        self.assertEqual(
            self.problem(waiting), "https://a/: https needs pip install 'twisted[tls]'"
        )


class RedirectTests(ClientTestCase):
    """
    Redirects (RFC 9110 section 15.4).
    """

    def redirect(self, status: int, *lines: bytes) -> None:
        """
        Answer the last connection's request with a redirect.
        """
        self.end().asked()
        self.end().says(
            b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n%b\r\n"
            % (status, b"".join(line + b"\r\n" for line in lines))
        )

    def test_followed(self) -> None:
        """
        A redirect is followed on the same connection where the origin is the same.
        """
        for status in (301, 302, 303, 307, 308):
            waiting = self.get("http://a/b/c")
            self.redirect(status, b"Location: ../d?e#f")
            self.assertEqual(self.end().asked(), b"GET /d?e HTTP/1.1\r\nHost: a\r\n\r\n")
            self.end().says(EMPTY)
            self.assertEqual(self.successResultOf(waiting).status, 200)
        self.assertEqual(len(self.net.ends), 1)

    def test_not_followed(self) -> None:
        """
        Without a Location, with another status, or when not wanted, a redirect is the answer.
        """
        for status, lines, redirects_max in (
            (301, (), 10),
            (300, (b"Location: /x",), 10),
            (304, (b"Location: /x",), 10),
            (301, (b"Location: /x",), 0),
        ):
            waiting = self.get(redirects_max=redirects_max)
            self.redirect(status, *lines)
            self.assertEqual(self.successResultOf(waiting).status, status)

    def test_method(self) -> None:
        """
        303 turns all but HEAD into GET, 301 and 302 only POST, and 307 and 308 nothing.
        """
        for status, method, next_method in (
            (303, b"PUT", b"GET"),
            (303, b"HEAD", b"HEAD"),
            (301, b"POST", b"GET"),
            (302, b"PUT", b"PUT"),
            (307, b"POST", b"POST"),
            (308, b"POST", b"POST"),
        ):
            fields = Fields([(b"Content-Type", b"x/y"), (b"A", b"b")])
            content = b"" if method == b"HEAD" else b"abc"
            request = Request(method, parse_url("http://a/"), fields, content)
            waiting = self.start(self.client.request(request, 10))
            self.redirect(status, b"Location: /n")
            sent = self.end().asked()
            self.assertTrue(sent.startswith(next_method + b" /n HTTP/1.1\r\nHost: a\r\n"), sent)
            self.assertIn(b"\r\nA: b\r\n", sent)
            keeps = next_method == method
            self.assertIs(b"Content-Type" in sent, keeps)
            self.assertIs(sent.endswith(b"abc"), keeps and bool(content))
            self.end().says(EMPTY)
            self.successResultOf(waiting)

    def test_other_origin(self) -> None:
        """
        Credentials and Host stay with their origin.
        """
        fields = Fields(
            [(b"Host", b"x"), (b"Authorization", b"s"), (b"Cookie", b"c"), (b"A", b"b")]
        )
        self.start(self.client.request(Request(b"GET", parse_url("http://a/"), fields), 10))
        self.redirect(302, b"Location: /same")
        self.assertIn(b"Host: x\r\nAuthorization: s\r\nCookie: c\r\nA: b\r\n", self.end().asked())
        self.redirect(302, b"Location: http://a:81/other")
        self.assertEqual(self.end().asked(), b"GET /other HTTP/1.1\r\nHost: a:81\r\nA: b\r\n\r\n")

    def test_circle(self) -> None:
        """
        Redirects that go round in a circle are named.
        """
        waiting = self.get("http://a/1")
        self.redirect(302, b"Location: /2")
        self.redirect(302, b"Location: /1")
        self.assertEqual(
            self.problem(waiting),
            "http://a/1: the redirects go round in a circle: "
            "http://a/1 to http://a/2 to http://a/1",
        )
        self.check_over()

    def test_too_many(self) -> None:
        """
        The number of redirects is bounded.
        """
        waiting = self.get("http://a/0", redirects_max=3)
        for number in range(1, 4):
            self.redirect(302, b"Location: /%d" % number)
        self.assertNoResult(waiting)
        self.redirect(302, b"Location: /4")
        self.assertEqual(self.problem(waiting), "http://a/0: more than 3 redirects")

    def test_refused(self) -> None:
        """
        A redirect to another scheme, from https to http, or to nowhere is not followed.
        """
        for url, lines, words in (
            ("http://a/", (b"Location: file:///etc/passwd",), "not file"),
            ("http://a/", (b"Location: http://",), "leads nowhere"),
            ("http://a/", (b"Location: /a", b"Location: /b"), "more than one location"),
            ("https://a/", (b"Location: http://a/x",), "not redirected from https to http"),
        ):
            waiting = self.get(url)
            self.redirect(302, *lines)
            self.assertIn(words, self.problem(waiting))
        self.assertEqual(len(self.net.ends), 2)
