"""
Tests for L{netlab.http1.programs.asgi} and what it stands on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from netlab.http1.programs.answerheads import ApplicationError
from netlab.http1.programs.asgi import Application, ASGIProgram
from netlab.http1.programs.mounts import Mounts
from netlab.http1.resources.resource import Nothing
from netlab.http1.resources.responses import Pages
from tests.http1.serving import Client, ReceivedAnswer, ServerTestCase, get, post, read_answers

#: More than any program here needs to go as far as it can.
TURNS = 10

START = {"type": "http.response.start", "status": 200}


def body(data: bytes, *, more: bool = False) -> dict[str, Any]:
    """
    Write a piece of an answer.
    """
    return {"type": "http.response.body", "body": data, "more_body": more}


class ASGITestCase(ServerTestCase):
    """
    An application behind a server in memory.

    @ivar loop: on which it runs.
    @ivar program: the resource.
    """

    def setUp(self) -> None:
        """
        Make a loop.
        """
        super().setUp()
        self.loop = asyncio.new_event_loop()
        self.addCleanup(self.loop.close)

    def serve_application(self, application: Application, **more: Any) -> ASGIProgram:
        """
        Start the server.
        """
        program = ASGIProgram(application, self.loop, **more)
        self.addCleanup(self.end, program)
        self.serve(program)
        return program

    def end(self, program: ASGIProgram) -> None:
        """
        End what still runs.
        """
        for call in tuple(program.running):
            call.cancel()
        self.loop.call_soon(self.loop.stop)
        self.loop.run_forever()
        self.flushLoggedErrors(ApplicationError)

    def turn(self) -> None:
        """
        Let application and server go as far as they can.
        """
        for _ in range(TURNS):
            self.loop.call_soon(self.loop.stop)
            self.loop.run_forever()
            self.take_turns()
            for client in self.clients:
                client.transport.turn()

    def send(self, *deliveries: bytes) -> Client:
        """
        Send on a new connection.
        """
        client = self.connect()
        for data in deliveries:
            client.send(data)
            self.turn()
        return client

    def failed(self) -> list[type[BaseException]]:
        """
        Take the failures that were logged.
        """
        return [failure.type for failure in self.flushLoggedErrors()]

    def answer(self, request: bytes) -> ReceivedAnswer:
        """
        Ask, and read the only answer.
        """
        client = self.send(request)
        (answer,) = read_answers(client.received, [request.split(b" ", 1)[0].decode()])
        return answer


async def hello(scope: Any, receive: Any, send: Any) -> None:
    """
    Answer everyone alike.
    """
    await send({**START, "headers": [(b"content-type", b"text/plain"), (b"content-length", b"5")]})
    await send(body(b"hello"))


def echo_content(received: list[Any]) -> Application:
    """
    Make an application that answers with the content it gets.

    @param received: gets all messages.
    """

    async def application(scope: Any, receive: Any, send: Any) -> None:
        content = b""
        while True:
            message = await receive()
            received.append(message)
            content += message.get("body", b"")
            if not message.get("more_body"):
                break
        await send(START)
        await send(body(content))

    return application


class AnswerTests(ASGITestCase):
    """
    What a client gets.
    """

    def test_whole(self) -> None:
        """
        An answer of one piece has its length and its fields, and the connection stays.
        """
        self.serve_application(hello)
        client = self.send(get(), get())
        for answer in read_answers(client.received):
            self.assertEqual((answer.status, answer.content), (200, b"hello"))
            self.assertEqual(answer.fields["content-type"], "text/plain")
            self.assertEqual(answer.fields.get_all("content-length"), ["5"])
        self.assertFalse(client.is_ended)

    def test_no_length(self) -> None:
        """
        An application need not say how long its only piece is.
        """

        async def application(scope: Any, receive: Any, send: Any) -> None:
            await send(START)
            await send({"type": "http.response.body"})

        self.serve_application(application)
        answer = self.answer(get())
        self.assertEqual((answer.content, answer.fields["content-length"]), (b"", "0"))

    def test_pieces(self) -> None:
        """
        Pieces are chunks; where the length is known they are not, and the end is in its place.
        """
        for headers, framing in (([], "transfer-encoding"), ([(b"content-length", b"4")], "")):

            async def application(
                scope: Any, receive: Any, send: Any, headers: Any = headers
            ) -> None:
                await send({**START, "headers": headers})
                await send(body(b"ab", more=True))
                await send(body(b"", more=True))
                await send(body(b"cd"))

            self.serve_application(application)
            client = self.send(get(), get("/again"))
            answers = read_answers(client.received)
            self.assertEqual([answer.content for answer in answers], [b"abcd"] * 2)
            for answer in answers:
                self.assertEqual("transfer-encoding" in answer.fields, bool(framing))

    def test_slow_client(self) -> None:
        """
        An application waits for a client that does not take what it is sent: it gets ahead by what
        the transport buffers and a piece or two, however much it has to say.
        """
        sent: list[int] = []

        async def application(scope: Any, receive: Any, send: Any) -> None:
            await send(START)
            for number in range(1000):
                await send(body(b"x" * 65536, more=True))
                sent.append(number)
            await send(body(b""))

        self.serve_application(application)
        client = self.connect()
        client.transport.window = 0
        client.send(get())
        self.turn()
        self.assertLess(len(sent), 8)
        before = len(sent)
        client.transport.take(65536 * 4)
        self.turn()
        self.assertGreater(len(sent), before)
        self.assertLess(len(sent), 16)
        client.transport.window = 1 << 40
        while len(sent) < 1000:
            at = len(sent)
            self.turn()
            self.assertGreater(len(sent), at)
        self.turn()
        (answer,) = read_answers(client.received)
        self.assertEqual(len(answer.content), 1000 * 65536)

    def test_head(self) -> None:
        """
        HEAD gets the length that the application tells, whether it sends content or not.
        """
        for content in (b"", b"hello"):

            async def application(
                scope: Any, receive: Any, send: Any, content: bytes = content
            ) -> None:
                await send({**START, "headers": [(b"content-length", b"5")]})
                await send(body(content))

            self.serve_application(application)
            client = self.send(get(method="HEAD"), get(method="HEAD"))
            answers = read_answers(client.received, ["HEAD", "HEAD"])
            self.assertEqual([one.fields["content-length"] for one in answers], ["5", "5"])
            self.assertTrue(client.received.endswith(b"\r\n\r\n"))

    def test_close(self) -> None:
        """
        An application may end the connection.
        """

        async def application(scope: Any, receive: Any, send: Any) -> None:
            await send({**START, "headers": [(b"Connection", b"close")]})
            await send(body(b"bye"))

        self.serve_application(application)
        client = self.send(get())
        (answer,) = read_answers(client.received)
        self.assertEqual(answer.fields.get_all("connection"), ["close"])
        self.assertTrue(client.is_ended)

    def test_own_fields(self) -> None:
        """
        Date and the framing are the server's: an application's own are not sent beside them.
        """

        async def application(scope: Any, receive: Any, send: Any) -> None:
            lines = [(b"date", b"never"), (b"Transfer-Encoding", b"chunked"), (b"X-A", b"1")]
            await send({**START, "headers": lines})
            await send(body(b"hello"))

        self.serve_application(application)
        answer = self.answer(get())
        self.assertNotIn("never", answer.fields.get_all("date", []))
        self.assertNotIn("transfer-encoding", answer.fields)
        self.assertEqual((answer.fields["x-a"], answer.content), ("1", b"hello"))


class FaultTests(ASGITestCase):
    """
    Applications that do not keep to the protocol.
    """

    def assert_500(self, *messages: dict[str, Any]) -> None:
        """
        An application that sends this gets its client a 500, and the log its mistake.
        """

        async def application(scope: Any, receive: Any, send: Any) -> None:
            for message in messages:
                await send(message)

        self.serve_application(application)
        self.assertEqual(self.answer(get()).status, 500)
        self.assertEqual(self.failed(), [ApplicationError])

    def test_mistakes(self) -> None:
        """
        No answer, half of one, one that cannot be written, or nonsense: 500.
        """
        self.assert_500()
        self.assert_500(START)
        self.assert_500(body(b"too early"))
        self.assert_500(START, START)
        self.assert_500({"type": "http.response.push"})
        for status in (100, 99, 600, "200", None):
            self.assert_500({**START, "status": status}, body(b""))
        for headers in (
            [(b"a b", b"1")],
            [(b"x", b"1\r\nSet-Cookie: a=b")],
            [("x", "text")],
            [(b"only one",)],
            7,
            [(b"content-length", b"-1")],
            [(b"content-length", b"9" * 30)],
        ):
            self.assert_500({**START, "headers": headers}, body(b""))
        self.assert_500({**START, "headers": [(b"content-length", b"3")]}, body(b"four"))

    def test_exception(self) -> None:
        """
        An exception before the answer is a 500 without detail; the log has it.
        """

        async def application(scope: Any, receive: Any, send: Any) -> None:
            raise ZeroDivisionError("a secret")

        self.serve_application(application)
        answer = self.answer(get())
        self.assertEqual(answer.status, 500)
        self.assertNotIn(b"secret", answer.content)
        self.assertEqual(self.failed(), [ZeroDivisionError])

    def test_exception_in_the_middle(self) -> None:
        """
        After a piece has left only the end of the connection can say that the rest does not come.
        """

        async def application(scope: Any, receive: Any, send: Any) -> None:
            await send(START)
            await send(body(b"half", more=True))
            await half_sent
            raise ZeroDivisionError

        half_sent = self.loop.create_future()
        self.serve_application(application)
        client = self.send(get())
        half_sent.set_result(None)
        self.turn()
        self.assertTrue(client.received.endswith(b"4\r\nhalf\r\n"))
        self.assertTrue(client.transport.is_aborted)
        self.assertEqual(self.failed(), [ZeroDivisionError])

    def test_short(self) -> None:
        """
        Less than was announced is not made to look complete.
        """

        async def application(scope: Any, receive: Any, send: Any) -> None:
            await send({**START, "headers": [(b"content-length", b"10")]})
            await send(body(b"half", more=True))
            await half_sent
            await send(body(b""))

        half_sent = self.loop.create_future()
        self.serve_application(application)
        client = self.send(get(), get())
        half_sent.set_result(None)
        self.turn()
        self.assertTrue(client.received.endswith(b"\r\n\r\nhalf"))
        self.assertTrue(client.transport.is_aborted)

    def test_exception_afterwards(self) -> None:
        """
        What happens after a whole answer changes nothing for the client, and is in the log.
        """

        async def application(scope: Any, receive: Any, send: Any) -> None:
            await hello(scope, receive, send)
            raise ZeroDivisionError

        self.serve_application(application)
        self.assertEqual(self.answer(get()).content, b"hello")
        self.assertEqual(self.failed(), [ZeroDivisionError])

    def test_more_after_the_end(self) -> None:
        """
        A piece behind the last one is the application's mistake, and is not sent.
        """

        async def application(scope: Any, receive: Any, send: Any) -> None:
            await hello(scope, receive, send)
            await send(body(b"HTTP/1.1 200 OK\r\n\r\n"))

        self.serve_application(application)
        self.assertEqual(self.answer(get()).content, b"hello")
        self.assertEqual(self.failed(), [ApplicationError])


class ReceiveTests(ASGITestCase):
    """
    What an application gets.
    """

    def test_none(self) -> None:
        """
        A request without content is one empty message.
        """
        received: list[Any] = []
        self.serve_application(echo_content(received))
        self.answer(get())
        self.assertEqual(received, [{"type": "http.request", "body": b"", "more_body": False}])

    def test_small(self) -> None:
        """
        Content that came with its head is one message.
        """
        received: list[Any] = []
        self.serve_application(echo_content(received))
        self.assertEqual(self.answer(post("Content-Length: 3", content=b"abc")).content, b"abc")
        self.assertEqual(received, [{"type": "http.request", "body": b"abc", "more_body": False}])

    def test_cut(self) -> None:
        """
        Content that comes in pieces is read as it comes, with either framing.
        """
        for request in (
            post("Content-Length: 6", content=b"abcdef"),
            post("Transfer-Encoding: chunked", content=b"3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"),
        ):
            for cut in range(request.index(b"abc"), len(request)):
                received: list[Any] = []
                self.serve_application(echo_content(received))
                client = self.send(request[:cut], request[cut:])
                (answer,) = read_answers(client.received)
                self.assertEqual(answer.content, b"abcdef")
                self.assertEqual({one["type"] for one in received}, {"http.request"})

    def test_continue(self) -> None:
        """
        A client that expects 100 gets it when the application asks for content, and not before.
        """
        asked: list[Callable[[], None]] = []

        async def application(scope: Any, receive: Any, send: Any) -> None:
            future = self.loop.create_future()
            asked.append(lambda: future.set_result(None))
            await future
            await echo_content([])(scope, receive, send)

        self.serve_application(application)
        client = self.send(post("Content-Length: 3", "Expect: 100-continue"))
        self.assertEqual(client.received, b"")
        asked[0]()
        self.turn()
        self.assertEqual(client.received, b"HTTP/1.1 100 Continue\r\n\r\n")
        client.send(b"abc")
        self.turn()
        self.assertTrue(client.received.endswith(b"abc"))

    def test_disconnect(self) -> None:
        """
        C{receive} says that the client has gone: while content is missing, while it waits for the
        answer, and while it is being sent; and after the answer.
        """
        for request, start in (
            (post("Content-Length: 6", content=b"abc"), []),
            (get(), []),
            (get(), [START, body(b"a", more=True)]),
        ):
            received: list[str] = []

            async def application(
                scope: Any, receive: Any, send: Any, start: Any = start, received: Any = received
            ) -> None:
                for message in start:
                    await send(message)
                while not received or received[-1] != "http.disconnect":
                    received.append((await receive())["type"])

            program = self.serve_application(application)
            client = self.send(request)
            self.assertNotIn("http.disconnect", received)
            client.vanish()
            self.turn()
            self.assertEqual(received[-1], "http.disconnect")
            self.assertEqual(program.running, set())
        self.assertEqual(self.failed(), [])

    def test_half_closed(self) -> None:
        """
        A client that shuts its side is said to have disconnected, as most that do this have; what
        the application sends nevertheless arrives.
        """
        received: list[str] = []

        async def application(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            received.append((await receive())["type"])
            await hello(scope, receive, send)

        self.serve_application(application)
        client = self.send(get())
        self.assertEqual(received, [])
        client.shut()
        self.turn()
        self.assertEqual(received, ["http.disconnect"])
        (answer,) = read_answers(client.received)
        self.assertEqual(answer.content, b"hello")

    def test_after_the_answer(self) -> None:
        """
        Once the answer is complete there is nothing more to receive.
        """
        received: list[Any] = []

        async def application(scope: Any, receive: Any, send: Any) -> None:
            await hello(scope, receive, send)
            received.extend([await receive(), await receive()])

        self.serve_application(application)
        self.answer(get())
        self.assertEqual([one["type"] for one in received], ["http.request", "http.disconnect"])

    def test_sending_to_nobody(self) -> None:
        """
        Sending to a client that has gone fails, so that an application which never looks ends too.
        """
        sent: list[int] = []
        raised: list[OSError] = []

        async def application(scope: Any, receive: Any, send: Any) -> None:
            await send(START)
            try:
                for number in range(100):
                    await send(body(b"x" * 65536, more=True))
                    sent.append(number)
            except OSError as error:
                raised.append(error)
                await send(body(b""))

        program = self.serve_application(application)
        client = self.connect()
        client.transport.window = 0
        client.send(get())
        self.turn()
        client.vanish()
        self.turn()
        self.assertLess(len(sent), 10)
        self.assertEqual((len(raised), program.running), (1, set()))
        self.assertEqual(self.failed(), [])


class ScopeTests(ASGITestCase):
    """
    What an application gets to know.
    """

    def scope(self, request: bytes, **more: Any) -> dict[str, Any]:
        """
        Take the scope of a request.
        """
        scopes: list[dict[str, Any]] = []

        async def application(scope: Any, receive: Any, send: Any) -> None:
            scopes.append(scope)
            await hello(scope, receive, send)

        self.serve_application(application, **more)
        self.answer(request)
        return scopes[0]

    def test_all(self) -> None:
        """
        It is as the specification of ASGI 3.0 writes it.
        """
        scope = self.scope(get("/a%20b/%C3%A9?x=1&y=%20", "X-Name: Value", "x-name: 2"))
        self.assertEqual(
            scope,
            {
                "type": "http",
                "asgi": {"version": "3.0", "spec_version": "2.4"},
                "http_version": "1.1",
                "method": "GET",
                "scheme": "http",
                "path": "/a b/é",
                "raw_path": b"/a%20b/%C3%A9",
                "query_string": b"x=1&y=%20",
                "root_path": "",
                "headers": [(b"host", b"localhost"), (b"x-name", b"Value"), (b"x-name", b"2")],
                "client": ("192.0.2.7", 40000),
                "server": ("192.0.2.1", 80),
                "extensions": {},
            },
        )

    def test_state(self) -> None:
        """
        Each request has its own copy of what the application has put aside.
        """
        state = {"pool": object()}
        scope = self.scope(get(), state=state)
        self.assertEqual(scope["state"], state)
        self.assertIsNot(scope["state"], state)

    def test_http_1_0(self) -> None:
        """
        HTTP/1.0 is named.
        """
        self.assertEqual(self.scope(get(version="HTTP/1.0"))["http_version"], "1.0")

    def test_mounted(self) -> None:
        """
        A program that is mounted at a path sees all of it, and where it is mounted; it answers
        there and below, and nowhere else.
        """
        seen: list[tuple[str, str]] = []

        async def application(scope: Any, receive: Any, send: Any) -> None:
            seen.append((scope["root_path"], scope["path"]))
            await hello(scope, receive, send)

        inner = ASGIProgram(application, self.loop, "/api/v1")
        outer = ASGIProgram(application, self.loop, "/api")
        mounted = {(b"api", b"v1"): inner, (b"api",): outer}
        self.serve(Mounts(mounted, Nothing(Pages())))
        statuses = [
            self.answer(get(path)).status
            for path in ("/api", "/api/", "/api/v1", "/api/v1/x", "/%61pi/v2", "/apis", "/api%2Fv1")
        ]
        self.assertEqual(statuses, [200] * 5 + [404] * 2)
        expected = [("/api", "/api"), ("/api", "/api/"), ("/api/v1", "/api/v1")]
        self.assertEqual(seen, [*expected, ("/api/v1", "/api/v1/x"), ("/api", "/api/v2")])
