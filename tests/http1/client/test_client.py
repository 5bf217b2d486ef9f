"""
The client on its machine: exchanges, the connections that they ride on, and backpressure.
"""

from __future__ import annotations

from unittest import mock

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError, DNSLookupError
from twisted.internet.error import (
    ConnectionRefusedError as RefusedError,
)
from twisted.internet.error import (
    TimeoutError as ConnectTimeoutError,
)
from twisted.internet.testing import MemoryReactorClock

from netlab.http1.client.client import HTTPClient, Request
from netlab.http1.client.clientprotocol import WAITING_MAX_BYTES
from netlab.http1.client.clientresponse import ClientResponse, RequestError
from netlab.http1.sansio.fields import Fields
from netlab.http1.sansio.url import URLError, parse_url
from tests.http1.clients import EMPTY, ClientTestCase


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

    def ask_twice(self, method: bytes = b"GET") -> Deferred[ClientResponse]:
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
