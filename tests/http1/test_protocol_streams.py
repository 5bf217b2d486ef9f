"""
Tests for L{netlab.http1.protocol}: answers that are sent as they come, and request content that is
read as it comes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from twisted.internet.defer import Deferred

from netlab.http1.contents import BytesContent
from netlab.http1.fields import NO_FIELDS, Fields
from netlab.http1.limits import Limits, Timeouts
from netlab.http1.messages import RequestHead
from netlab.http1.receiving import (
    WAITING_MAX_BYTES,
    ContentLostError,
    RequestContent,
)
from netlab.http1.resource import Answer, CrossOrigin, Nothing, Receiver, Router, WithFields
from netlab.http1.responses import Pages, Response
from netlab.http1.serversettings import ServerSettings
from netlab.http1.streaming import TURN_BYTES, PushedContent
from tests.http1.serving import Client, ServerTestCase, get, read_answers

TIMEOUTS = Timeouts()
LONG = 7 * 24 * 3600.0


def post(*lines: str, content: bytes = b"") -> bytes:
    """
    Write a POST request.
    """
    return get("/", *lines, method="POST") + content


class Source:
    """
    An asynchronous generator, and what became of it.

    @ivar asked: how many pieces it was asked for.
    @ivar end: how it ended: C{"whole"}, or the name of what was raised in it.
    """

    def __init__(self, *pieces: bytes | Deferred[None]) -> None:
        self.pieces = pieces
        self.asked = 0
        self.end: str | None = None

    async def generate(self) -> AsyncIterator[bytes]:
        """
        Yield the pieces and wait for the Deferreds, in order.
        """
        try:
            for piece in self.pieces:
                self.asked += 1
                if isinstance(piece, Deferred):
                    await piece
                else:
                    yield piece
        except BaseException as error:
            self.end = type(error).__name__
            raise
        self.end = "whole"


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
        source = Source(b"one, ", b"", b"two")
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
        client = self.serve_stream(Source(b"one, ", b"two").generate)
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
            source = Source(b"one")
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
        contents = iter([pushed, Source(b"second").generate()])
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
        source = Source(*[b"x" * 1000] * 1000)
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
        source = Source(*[b"x"] * 1000)
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
            source = Source(*pieces)
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
                client = self.serve_stream(Source(b"one", until, wrong).generate)
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
                self.factory.access_log.flush()  # type: ignore[union-attr]
                self.assertIn(b" 200 3 ", self.log_lines.pop())

    def test_stops_reading(self) -> None:
        """
        A client that stops reading is cut off after the write timeout.
        """
        source = Source(*[b"x" * 100_000] * 9)
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


class Reader:
    """
    A resource that reads the content of POST requests by a given function.

    @ivar content: of the last request.
    @ivar ends: how reading ended: C{"whole"}, or the name of what was raised.
    """

    def __init__(self, read: Callable[[RequestContent], Any] | None = None) -> None:
        self._read = read or (lambda content: content.read(1 << 20))
        self.content: RequestContent | None = None
        self.ends: list[str] = []

    def respond(self, head: RequestHead) -> Response:
        """
        Say that nobody read.
        """
        return Response(200, NO_FIELDS, b"not read")

    def receiver(self, head: RequestHead) -> Receiver | None:
        """
        Read the content of POST.
        """
        return self.receive if head.method == b"POST" else None

    async def receive(self, head: RequestHead, content: RequestContent) -> Response:
        """
        Read, and answer with what was read.
        """
        self.content = content
        try:
            read = await self._read(content)
        except Exception as error:
            self.ends.append(type(error).__name__)
            raise
        self.ends.append("whole")
        return Response(200, NO_FIELDS, read)


class ReceivedContentTests(ServerTestCase):
    """
    Content of requests for resources that want it.
    """

    def test_read(self) -> None:
        """
        Content is read whatever its framing and its cuts, and the connection persists.
        """
        chunked = b"5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n"
        for request in (
            post("Content-Length: 12", content=b"hello, world"),
            post("Transfer-Encoding: chunked", content=chunked),
        ):
            for cut in (len(request), 1, 7):
                self.serve(Reader())
                client = self.connect()
                for _ in range(2):
                    client.send(*(request[i : i + cut] for i in range(0, len(request), cut)))
                client.send(get("/a"))
                self.assertEqual(
                    [answer.content for answer in read_answers(client.received)],
                    [b"hello, world", b"hello, world", b"not read"],
                )

    def test_pipelined(self) -> None:
        """
        Content ends where it ends, even if all arrives at once.
        """
        self.serve(Reader())
        requests = [post("Content-Length: 3", content=content) for content in (b"one", b"two")]
        answers = self.ask(b"".join(requests) + get("/a"))
        self.assertEqual([answer.content for answer in answers], [b"one", b"two", b"not read"])

    def test_none(self) -> None:
        """
        A POST without content has empty content.
        """
        self.serve(Reader())
        answers = self.ask(post(), post("Content-Length: 0"))
        self.assertEqual([answer.content for answer in answers], [b"", b""])

    def test_unwanted(self) -> None:
        """
        Where the resource does not want it, content is dropped as ever.
        """
        self.serve(Reader())
        answers = self.ask(get("/", "Content-Length: 3", method="PUT") + b"abc" + get("/a"))
        self.assertEqual([answer.content for answer in answers], [b"not read"] * 2)

    def test_continue(self) -> None:
        """
        A client that expects 100 gets it when the resource begins to read, and not before.
        """
        may: Deferred[None] = Deferred()

        async def read(content: RequestContent) -> bytes:
            await may
            return await content.read(100)

        self.serve(Reader(read))
        client = self.connect()
        client.send(post("Content-Length: 3", "Expect: 100-continue"))
        self.assertEqual(client.received, b"")
        may.callback(None)
        client.transport.turn()
        self.assertEqual(client.received, b"HTTP/1.1 100 Continue\r\n\r\n")
        client.send(b"abc")
        answer = read_answers(client.received.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n"))[0]
        self.assertEqual(answer.content, b"abc")
        self.assertFalse(client.is_ended)

    def test_refused_instead_of_continue(self) -> None:
        """
        If the resource answers without reading, the client need not send: the connection ends.
        """

        async def refuse(content: RequestContent) -> bytes:
            return b"no"

        self.serve(Reader(refuse))
        client = self.connect()
        client.send(post("Content-Length: 3", "Expect: 100-continue"))
        (answer,) = read_answers(client.received)
        self.assertEqual((answer.content, answer.fields["Connection"]), (b"no", "close"))
        self.assertTrue(client.is_ended)

    def test_answered_early(self) -> None:
        """
        If the resource answers before the end, what has come is dropped. If that is all, the
        connection persists; else it ends in order.
        """

        async def glance(content: RequestContent) -> bytes:
            return await anext(content)

        request = post("Transfer-Encoding: chunked", content=b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n")
        self.serve(Reader(glance))
        client = self.connect()
        client.send(request + get("/a"))
        self.assertEqual(
            [answer.content for answer in read_answers(client.received)], [b"a", b"not read"]
        )
        client = self.connect()
        client.send(request[:-5], get("/a"))
        (answer,) = read_answers(client.received)
        self.assertEqual((answer.content, answer.fields["Connection"]), (b"a", "close"))
        client = self.connect()
        client.send(request[:-10] + b"nonsense\r\n")
        (answer,) = read_answers(client.received)
        self.assertEqual(answer.status, 400)

    def test_backpressure(self) -> None:
        """
        A resource that does not read lets the client wait, in bounded memory; it is not for the
        client then to be in time.
        """
        may: Deferred[None] = Deferred()

        async def read(content: RequestContent) -> bytes:
            await may
            return b"%d" % len(await content.read(1 << 30))

        limits = Limits(content_max_bytes=1 << 30, pipelined_max_bytes=30_000)
        self.serve(Reader(read), ServerSettings(limits))
        client = self.connect()
        client.send(post("Content-Length: 1000000"))
        sent = 0
        while client.transport.is_reading:
            client.send(b"x" * 10_000)
            sent += 10_000
        self.assertLess(sent, WAITING_MAX_BYTES + 30_000 + 3 * 10_000)
        self.pass_time(LONG)
        self.assertEqual(client.received, b"")
        may.callback(None)
        self.assertTrue(client.transport.is_reading)
        self.pass_time(TIMEOUTS.content - 1)
        for _ in range(100 - sent // 10_000):
            client.send(b"x" * 10_000)
        self.assertEqual(read_answers(client.received)[0].content, b"1000000")

    def test_client_is_slow(self) -> None:
        """
        Content must be complete in time, although a byte comes now and then; who waits for it is
        cancelled.
        """
        reader = Reader()
        self.serve(reader)
        client = self.connect()
        client.send(post("Content-Length: 100"))
        for _ in range(9):
            self.pass_time(TIMEOUTS.content / 10)
            client.send(b"x")
        self.assertEqual(client.received, b"")
        self.pass_time(TIMEOUTS.content / 10 + 0.02)
        (answer,) = read_answers(client.received)
        self.assertEqual(answer.status, 408)
        self.assertEqual(reader.ends, ["CancelledError"])
        self.assertEqual(self.failures(), [])

    def test_fault(self) -> None:
        """
        A fault in content is answered by 400, once; who reads is cancelled.
        """
        reader = Reader()
        self.serve(reader)
        client = self.connect()
        client.send(post("Transfer-Encoding: chunked", content=b"1\r\na\r\n"))
        client.send(b"nonsense\r\n" + get("/a"))
        (answer,) = read_answers(client.received)
        self.assertEqual(answer.status, 400)
        self.assertEqual(reader.ends, ["CancelledError"])
        self.assertEqual(self.failures(), [])
        assert reader.content is not None
        self.failureResultOf(Deferred.fromCoroutine(reader.content.read(1)), ContentLostError)

    def test_ends_early(self) -> None:
        """
        A client that shuts its side within its content gets a 400.
        """
        self.serve(Reader())
        client = self.connect()
        client.send(post("Content-Length: 100", content=b"abc"))
        client.shut()
        (answer,) = read_answers(client.received)
        self.assertEqual(answer.status, 400)

    def test_client_vanishes(self) -> None:
        """
        A client that goes cancels who waits for its content.
        """
        reader = Reader()
        self.serve(reader)
        client = self.connect()
        client.send(post("Content-Length: 100", content=b"abc"))
        client.vanish()
        self.assertEqual(reader.ends, ["CancelledError"])
        self.assertEqual(self.failures(), [])
        self.assert_nothing_armed()

    def test_too_long(self) -> None:
        """
        More than the resource can use is a 413, without a failure in the log; more than the server
        takes at all is one before anybody is asked.
        """
        reader = Reader(lambda content: content.read(10))
        self.serve(reader, ServerSettings(Limits(content_max_bytes=20)))
        for content, framing in (
            (b"x" * 11, "Content-Length: 11"),
            (b"b\r\nxxxxxxxxxxx\r\n0\r\n\r\n", "Transfer-Encoding: chunked"),
            (b"", "Content-Length: 21"),
        ):
            (answer,) = self.ask(post(framing, content=content))
            self.assertEqual(answer.status, 413)
        self.assertEqual(reader.ends, ["ContentTooLongError"] * 2)
        self.assertEqual(self.failures(), [])
        (answer,) = self.ask(post("Content-Length: 10", content=b"x" * 10))
        self.assertEqual(answer.content, b"x" * 10)

    def test_fails(self) -> None:
        """
        A resource that fails, while it is asked or while it reads, is a 500 without detail.
        """

        class Broken(Reader):
            """
            Cannot even say whether it wants content.
            """

            def receiver(self, head: RequestHead) -> Receiver | None:
                """
                Fail.
                """
                raise ZeroDivisionError("secret")

        async def fail(content: RequestContent) -> bytes:
            await anext(content)
            raise ZeroDivisionError("secret")

        def fail_at_once(content: RequestContent) -> Any:
            raise ZeroDivisionError("secret")

        for resource in (Broken(), Reader(fail), Reader(fail_at_once)):
            self.serve(resource)
            (answer,) = self.ask(post("Content-Length: 3", content=b"abc"))
            self.assertEqual(answer.status, 500)
            self.assertNotIn(b"secret", answer.content)
            self.assertEqual(self.failures(), [ZeroDivisionError])
            self.flushLoggedErrors(ZeroDivisionError)
            self.events.clear()  # type: ignore[attr-defined]

    def test_large_answers(self) -> None:
        """
        Any kind of answer may follow content that has not been read.
        """
        for content in (b"x" * 100_000, BytesContent(b"x" * 100_000)):

            def receive(
                head: RequestHead, unread: RequestContent, content: Any = content
            ) -> Answer:
                return Response(200, NO_FIELDS, content)

            reader = Reader()
            reader.receive = receive  # type: ignore[method-assign, assignment]
            self.serve(reader)
            client = self.connect()
            client.send(post("Content-Length: 3", content=b"abc") + get("/a"))
            first, second = read_answers(client.received)
            self.assertEqual((len(first.content), second.content), (100_000, b"not read"))


class BothWaysTests(ServerTestCase):
    """
    An answer that is sent while the request still arrives.
    """

    def setUp(self) -> None:
        """
        Serve upper case.
        """
        super().setUp()
        self.ends: list[str] = []

        async def upper(content: RequestContent) -> AsyncIterator[bytes]:
            try:
                async for piece in content:
                    yield piece.upper()
                    if piece == b"enough":
                        return
            except BaseException as error:
                self.ends.append(type(error).__name__)
                raise

        def receive(head: RequestHead, content: RequestContent) -> Answer:
            return Response(200, NO_FIELDS, upper(content))

        reader = Reader()
        reader.receive = receive  # type: ignore[method-assign, assignment]
        self.serve(reader)
        self.client = self.connect()

    def test_piece_by_piece(self) -> None:
        """
        Each piece is answered before the next is sent, and the connection persists.
        """
        self.client.send(post("Content-Length: 6", content=b"one"))
        self.assertTrue(self.client.received.endswith(b"3\r\nONE\r\n"))
        self.client.send(b"two")
        self.client.send(get("/a"))
        self.assertEqual(
            [answer.content for answer in read_answers(self.client.received)],
            [b"ONETWO", b"not read"],
        )

    def test_answer_ends_first(self) -> None:
        """
        An answer that ends before the request ends the connection.
        """
        self.client.send(post("Content-Length: 16", content=b"enough"))
        self.client.send(b"and more")
        self.assertEqual(read_answers(self.client.received)[0].content, b"ENOUGH")
        self.assertTrue(self.client.is_ended)
        self.assertFalse(self.client.transport.is_aborted)

    def test_fault(self) -> None:
        """
        A fault, or too slow a client, cuts an answer that has begun: it must not look complete.
        """
        self.client.send(post("Transfer-Encoding: chunked", content=b"1\r\na\r\n"))
        self.client.send(b"nonsense\r\n")
        self.assertTrue(self.client.transport.is_aborted)
        late = self.connect()
        late.send(post("Content-Length: 2", content=b"a"))
        self.pass_time(TIMEOUTS.content + 0.02)
        self.assertTrue(late.transport.is_aborted)
        self.pass_time(0)
        self.assertEqual(len(self.ends), 2)
        self.assertEqual(self.failures(), [])
        self.assert_nothing_armed()

    def test_client_reads_nothing(self) -> None:
        """
        While the client does not read, nothing of its content is read either.
        """
        self.client.transport.window = 0
        self.client.send(post("Transfer-Encoding: chunked"))
        sent = 0
        while self.client.transport.is_reading:
            self.client.send(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
            sent += 10_000
            self.assertLess(sent, 400_000)
        self.client.transport.take(1 << 20)
        self.assertTrue(self.client.transport.is_reading)


class FrontTests(ServerTestCase):
    """
    Resources in front of one that reads.
    """

    def test_passed_on(self) -> None:
        """
        Router, added fields and cross-origin pass content on and still do their own part.
        """
        inner = Router({(b"",): Reader()}, Nothing(Pages()), Pages())
        front = CrossOrigin(WithFields(inner, ((b"X-Tag", b"1"),)), (b"https://a.example",))
        self.serve(front)
        origin = "Origin: https://a.example"
        (answer,) = self.ask(post(origin, "Content-Length: 3", content=b"abc"))
        self.assertEqual(answer.content, b"abc")
        self.assertEqual(answer.fields["X-Tag"], "1")
        self.assertEqual(answer.fields["Access-Control-Allow-Origin"], "https://a.example")
        preflight = get("/", origin, "Access-Control-Request-Method: POST", method="OPTIONS")
        self.assertEqual(self.ask_one(preflight).status, 204)
        self.assertEqual(self.ask_one(get("/b", method="POST")).status, 405)
        self.assertEqual(self.ask_one(get("*", method="OPTIONS")).status, 204)

    def test_fields_of_a_stream(self) -> None:
        """
        A stream in an answer stays one when fields are added.
        """

        def respond(head: RequestHead) -> Response:
            return Response(200, Fields([(b"Content-Type", b"a/b")]), Source(b"one").generate())

        self.serve(respond)
        self.factory.resource = WithFields(self.factory.resource, ((b"X-Tag", b"1"),))
        answer = self.ask_one(get("/a"))
        self.assertEqual((answer.content, answer.fields["X-Tag"]), (b"one", "1"))
