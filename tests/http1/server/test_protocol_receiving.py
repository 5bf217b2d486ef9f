"""
Tests for L{netlab.http1.server.protocol}: request content that is read as it comes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from twisted.internet.defer import Deferred

from netlab.http1.resources.contents import BytesContent
from netlab.http1.resources.receiving import WAITING_MAX_BYTES, ContentLostError, RequestContent
from netlab.http1.resources.resource import (
    Answer,
    CrossOrigin,
    Nothing,
    Receiver,
    Router,
    WithFields,
)
from netlab.http1.resources.responses import Pages, Response
from netlab.http1.sansio.fields import NO_FIELDS, Fields
from netlab.http1.sansio.limits import Limits, Timeouts
from netlab.http1.sansio.messages import RequestHead
from netlab.http1.sansio.serversettings import ServerSettings
from tests.http1.serving import ServerTestCase, get, post, read_answers
from tests.http1.sources import StreamSource

TIMEOUTS = Timeouts()
LONG = 7 * 24 * 3600.0


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

    def test_with_the_head(self) -> None:
        """
        Content that has come with its head is there, to its end, when the resource begins.
        """
        began: list[bool] = []

        def read(content: RequestContent) -> Deferred[bytes]:
            whole = Deferred.fromCoroutine(content.read(1 << 20))
            began.append(whole.called)
            return whole

        self.serve(Reader(read))
        request = post("Content-Length: 3", content=b"one")
        self.assertEqual(self.ask_one(request).content, b"one")
        client = self.connect()
        client.send(request[:-1], request[-1:])
        self.assertEqual(read_answers(client.received)[0].content, b"one")
        self.assertEqual(began, [True, False])

    def test_fault_with_the_head(self) -> None:
        """
        Where a fault has come with the head, the resource does not begin.
        """
        reader = Reader()
        self.serve(reader)
        answer = self.ask_one(post("Transfer-Encoding: chunked", content=b"3\r\none\r\nx\r\n"))
        self.assertEqual((answer.status, answer.will_close), (400, True))
        self.assertIsNone(reader.content)

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
            return Response(
                200, Fields([(b"Content-Type", b"a/b")]), StreamSource(b"one").generate()
            )

        self.serve(respond)
        self.factory.context.resource = WithFields(
            self.factory.context.resource, ((b"X-Tag", b"1"),)
        )
        answer = self.ask_one(get("/a"))
        self.assertEqual((answer.content, answer.fields["X-Tag"]), (b"one", "1"))
