"""
Tests for L{netlab.http1.server.protocol}: answers that are sent as they come.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from twisted.internet.defer import Deferred

from netlab.http1.resources.responses import Response
from netlab.http1.resources.streaming import TURN_BYTES, PushedContent
from netlab.http1.sansio.fields import NO_FIELDS
from netlab.http1.sansio.limits import Timeouts
from tests.http1.serving import Client, ServerTestCase, get, read_answers
from tests.http1.sources import StreamSource

TIMEOUTS = Timeouts()
LONG = 7 * 24 * 3600.0


class StreamTestCase(ServerTestCase):
    """
    A server whose answers are streams.
    """

    def serve_stream(self, content: Any, status: int = 200) -> Client:
        """
        Serve the same content to all, and connect.
        """
        self.serve(lambda head: Response(status, NO_FIELDS, content()), has_access_log=True)
        return self.connect()


class StreamedAnswerTests(StreamTestCase):
    """
    Answers of unknown length.
    """

    def test_chunked(self) -> None:
        """
        To HTTP/1.1 the pieces are chunks, empty ones are none, and the connection persists.
        """
        source = StreamSource(b"one, ", b"", b"two")
        client = self.serve_stream(source.generate)
        client.send(get("/a"))
        self.assertTrue(client.received.endswith(b"\r\n\r\n5\r\none, \r\n3\r\ntwo\r\n0\r\n\r\n"))
        self.assertEqual(source.end, "whole")
        client.send(get("/b"))
        first, second = read_answers(client.received)
        self.assertEqual(first.fields["Transfer-Encoding"], "chunked")
        self.assertNotIn("Content-Length", first.fields)
        self.assertEqual((first.content, second.content), (b"one, two", b"one, two"))
        self.assertFalse(client.is_ended)

    def test_until_close(self) -> None:
        """
        To HTTP/1.0 the content ends with the connection, whatever was asked for.
        """
        client = self.serve_stream(StreamSource(b"one, ", b"two").generate)
        client.send(get("/a", "Connection: keep-alive", version="HTTP/1.0"))
        self.assertTrue(client.is_lost)
        self.assertFalse(client.transport.is_aborted)
        (answer,) = read_answers(client.received)
        self.assertEqual(answer.content, b"one, two")
        self.assertNotIn("Transfer-Encoding", answer.fields)
        self.assertEqual(answer.fields["Connection"], "close")

    def test_head(self) -> None:
        """
        For HEAD a generator is closed without having begun; so it is for a 204.
        """
        for request, status in ((get("/a", method="HEAD"), 200), (get("/a"), 204)):
            source = StreamSource(b"one")
            pushed = PushedContent()
            for content in (source.generate, lambda pushed=pushed: pushed):
                client = self.serve_stream(content, status)
                client.send(request)
                self.assertTrue(client.received.endswith(b"\r\n\r\n"), client.received)
                self.assertFalse(client.is_ended)
            self.assertEqual(source.asked, 0)
            self.assertTrue(pushed.is_closed)

    def test_as_it_comes(self) -> None:
        """
        The head is sent at once, and each piece when it is there; in between nothing times out.
        """
        pushed = PushedContent()
        client = self.serve_stream(lambda: pushed)
        client.send(get("/a"))
        self.assertTrue(client.received.endswith(b"Transfer-Encoding: chunked\r\n\r\n"))
        for piece in (b"one", b"two"):
            self.pass_time(LONG)
            self.assertTrue(pushed.push(piece))
            client.transport.turn()
            self.assertTrue(client.received.endswith(b"3\r\n%b\r\n" % piece))
        self.pass_time(LONG)
        pushed.end()
        client.transport.turn()
        self.assertEqual(read_answers(client.received)[0].content, b"onetwo")
        self.assertTrue(pushed.is_closed)
        self.assertFalse(pushed.push(b"late"))
        self.pass_time(TIMEOUTS.idle + 1)
        self.assertTrue(client.is_lost)

    def test_pipelined(self) -> None:
        """
        What has been asked meanwhile is answered afterwards.
        """
        pushed = PushedContent()
        contents = iter([pushed, StreamSource(b"second").generate()])
        client = self.serve_stream(lambda: next(contents))
        client.send(get("/a") + get("/b"))
        pushed.push(b"first")
        pushed.end()
        client.transport.turn()
        self.assertEqual(
            [answer.content for answer in read_answers(client.received)], [b"first", b"second"]
        )

    def test_backpressure(self) -> None:
        """
        A generator waits while the client does not read.
        """
        source = StreamSource(*[b"x" * 1000] * 1000)
        client = self.serve_stream(source.generate)
        client.transport.window = 0
        client.send(get("/a"))
        self.assertLess(client.transport.largest_buffer, 70_000)
        self.assertLess(source.asked, 70)
        while source.end is None:
            asked = source.asked
            client.transport.take(100_000)
            self.pass_time(0)
            self.assertLess(source.asked - asked, 200)
        client.transport.take(1 << 20)
        self.assertEqual(len(read_answers(client.received)[0].content), 1_000_000)
        self.assertLess(client.transport.largest_buffer, 70_000)

    def test_turns(self) -> None:
        """
        A generator that never waits, for a client that takes everything, lets others have turns.
        """
        source = StreamSource(*[b"x"] * 1000)
        client = self.serve_stream(source.generate)
        client.send(get("/a"))
        self.assertLessEqual(source.asked, TURN_BYTES / 1000)
        self.assertIsNone(source.end)
        self.pass_time(0)
        self.assertEqual(source.end, "whole")
        self.assertEqual(len(read_answers(client.received)[0].content), 1000)

    def test_client_vanishes(self) -> None:
        """
        A client that goes cancels what the content waits for: something of its own, the client, or
        the next turn.
        """
        for pieces, window in (
            ([b"one", Deferred()], 1 << 62),
            ([b"x" * 100_000] * 9, 0),
            ([b"x"] * 900, 1 << 62),
        ):
            source = StreamSource(*pieces)
            client = self.serve_stream(source.generate)
            client.transport.window = window
            client.send(get("/a"))
            self.assertIsNone(source.end)
            client.vanish()
            self.assertIn(source.end, ("CancelledError", "GeneratorExit"))
            self.assertEqual(self.failures(), [])
            self.assert_nothing_armed()

    def test_stubborn(self) -> None:
        """
        Content that goes on after it was cancelled is not listened to; one that fails then is in
        the log.
        """
        ends: list[str] = []

        async def stubborn(error: Exception | None) -> AsyncIterator[bytes]:
            yield b"one"
            try:
                await Deferred()
            except Exception:  # noqa: BLE001
                ends.append("cancelled")
                if error is not None:
                    raise error from None
            yield b"two"
            ends.append("asked again")

        for error in (None, ZeroDivisionError()):
            client = self.serve_stream(lambda error=error: stubborn(error))
            client.send(get("/a"))
            client.vanish()
        self.assertEqual(ends, ["cancelled", "cancelled"])
        self.assertEqual(self.failures(), [ZeroDivisionError])
        self.flushLoggedErrors(ZeroDivisionError)

    def test_fails(self) -> None:
        """
        Content that fails in its middle cuts the connection, and the log says why.
        """
        wrong: Any = "text"
        for failing in (True, False):
            for version in ("HTTP/1.0", "HTTP/1.1"):
                until: Deferred[None] = Deferred()
                client = self.serve_stream(StreamSource(b"one", until, wrong).generate)
                client.send(get("/a", version=version) + get("/b"))
                if failing:
                    until.errback(ZeroDivisionError())
                else:
                    until.callback(None)
                self.assertTrue(client.transport.is_aborted)
                self.pass_time(0)
                self.assertTrue(client.is_lost)
                self.assertEqual(client.received.count(b"HTTP/1.1 200"), 1)
                self.assertNotIn(b"0\r\n\r\n", client.received)
                error = ZeroDivisionError if failing else TypeError
                self.assertEqual(self.failures().pop(), error)
                self.assertEqual(len(self.flushLoggedErrors(error)), 1)
                self.assert_nothing_armed()
                self.factory.context.access_log.flush()  # type: ignore[union-attr]
                self.assertIn(b" 200 3 ", self.log_lines.pop())

    def test_stops_reading(self) -> None:
        """
        A client that stops reading is cut off after the write timeout.
        """
        source = StreamSource(*[b"x" * 100_000] * 9)
        client = self.serve_stream(source.generate)
        client.transport.window = 0
        client.send(get("/a"))
        self.pass_time(TIMEOUTS.write - 0.01)
        self.assertFalse(client.transport.is_aborted)
        self.pass_time(0.02)
        self.pass_time(0)
        self.assertTrue(client.is_lost)
        self.assertEqual(source.end, "GeneratorExit")
        self.assert_nothing_armed()

    def test_pushed_to_a_slow_reader(self) -> None:
        """
        What is pushed faster than it is read is not kept without bound: the connection is cut, and
        that is no failure of ours.
        """
        pushed = PushedContent(waiting_max_bytes=1000)
        client = self.serve_stream(lambda: pushed)
        client.transport.window = 0
        client.send(get("/a"))
        self.assertTrue(pushed.push(b"x" * 1000))  # taken at once by the transport
        closed = pushed.when_closed()
        for _ in range(200):
            if not pushed.push(b"x" * 1000):
                break
        self.assertNoResult(closed)
        client.transport.take(1 << 20)
        self.pass_time(0)
        self.assertTrue(client.transport.is_aborted)
        self.successResultOf(closed)
        self.successResultOf(pushed.when_closed())
        self.assertFalse(pushed.push(b"x"))
        self.assertEqual(self.failures(), [])

    def test_grace(self) -> None:
        """
        A server that stops cuts an endless stream off after the grace, and a finished one not.
        """
        endless, ending = PushedContent(), PushedContent()
        contents = iter([endless, ending])
        first = self.serve_stream(lambda: next(contents))
        second = self.connect()
        first.send(get("/a"))
        second.send(get("/b"))
        done = self.factory.connections.close(self.reactor, 5)
        ending.push(b"last")
        ending.end()
        second.transport.turn()
        self.assertTrue(second.is_lost)
        self.assertEqual(read_answers(second.received)[0].content, b"last")
        self.pass_time(5)
        self.pass_time(0)
        self.assertTrue(first.transport.is_aborted)
        self.assertTrue(endless.is_closed)
        self.successResultOf(done)

    def test_half_close(self) -> None:
        """
        A client that has shut its side still gets all.
        """
        pushed = PushedContent()
        client = self.serve_stream(lambda: pushed)
        client.send(get("/a"))
        client.shut()
        pushed.push(b"one")
        pushed.end()
        client.transport.turn()
        self.assertTrue(client.is_lost)
        self.assertEqual(read_answers(client.received)[0].content, b"one")
