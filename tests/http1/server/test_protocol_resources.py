"""
Tests for L{netlab.http1.server.protocol}: what a resource may return, now or later, and what it
may not.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from netlab.http1.resources.resource import Answer
from netlab.http1.resources.responses import Response
from netlab.http1.sansio.fields import NO_FIELDS, Fields
from netlab.http1.sansio.messages import RequestHead
from tests.http1.serving import ServerTestCase, get, read_answers
from tests.http1.sources import Source


class ResourceTests(ServerTestCase):
    """
    What a resource may return, and what happens when it does wrong.
    """

    def check_500(self) -> None:
        """
        Check that there is one answer, without detail, and that the connection serves on.
        """
        client = self.connect()
        client.send(get("/"))
        (answer,) = read_answers(client.received)
        self.assertEqual(answer.status, 500)
        self.assertNotIn(b"secret", answer.content)
        self.assertNotIn(b"Traceback", answer.content)
        self.assertFalse(client.is_ended)
        client.send(get("/"))
        self.assertEqual([a.status for a in read_answers(client.received)], [500, 500])

    def test_raises(self) -> None:
        """
        An exception is a 500 without detail, and a traceback in the log.
        """

        def respond(head: RequestHead) -> Answer:
            raise ValueError("secret")

        self.serve(respond)
        self.check_500()
        self.assertEqual(self.failures(), [ValueError, ValueError])
        self.flushLoggedErrors(ValueError)

    def test_nonsense(self) -> None:
        """
        So is what is no response.
        """

        async def nothing() -> None:
            pass

        async def text() -> str:
            return "secret"

        for nonsense in (lambda: None, lambda: "secret", lambda: 200, nothing, text):
            self.serve(lambda head, n=nonsense: n())  # type: ignore[misc]
            self.check_500()
        self.assertEqual(set(self.failures()), {TypeError})
        self.flushLoggedErrors(TypeError)

    def test_wrong_responses(self) -> None:
        """
        So is a response that cannot be sent: fields that are the connection's, interim statuses,
        and values of the wrong type.
        """
        wrong = [
            Response(200, Fields([(b"Content-Length", b"1")])),
            Response(200, Fields([(b"Transfer-Encoding", b"chunked")])),
            Response(200, Fields([(b"connection", b"close")])),
            Response(200, Fields([(b"Date", b"now")])),
            Response(101),
            Response("200"),  # type: ignore[arg-type]
            Response(None),  # type: ignore[arg-type]
            Response(200, None),  # type: ignore[arg-type]
            Response(200, NO_FIELDS, "text"),  # type: ignore[arg-type]
            Response(200, NO_FIELDS, None),  # type: ignore[arg-type]
        ]
        for response in wrong:
            self.serve(lambda head, r=response: r)  # type: ignore[misc]
            self.check_500()
        self.flushLoggedErrors()

    def test_deferred(self) -> None:
        """
        A Deferred's result is the answer, whether it has fired or not.
        """
        fired: Deferred[Response] = Deferred()
        fired.callback(Response(200, NO_FIELDS, b"fired"))
        later: Deferred[Response] = Deferred()
        self.serve(lambda head: fired if head.target.path == b"/fired" else later)
        client = self.connect()
        client.send(get("/fired"))
        self.assertEqual([a.content for a in read_answers(client.received)], [b"fired"])
        client.send(get("/later"))
        later.callback(Response(200, NO_FIELDS, b"later"))
        client.transport.turn()
        self.assertEqual([a.content for a in read_answers(client.received)], [b"fired", b"later"])

    def test_deferred_fails(self) -> None:
        """
        A Deferred that fails is a 500, whether it fails before it is returned or after.
        """
        early: Deferred[Response] = Deferred()
        early.errback(ValueError("secret"))
        late: Deferred[Response] = Deferred()
        self.serve(lambda head: early if head.target.path == b"/early" else late)
        client = self.connect()
        client.send(get("/early"), get("/late"))
        late.errback(ValueError("secret"))
        client.transport.turn()
        self.assertEqual([a.status for a in read_answers(client.received)], [500, 500])
        self.assertNotIn(b"secret", client.received)
        self.assertEqual(self.failures(), [ValueError, ValueError])
        self.flushLoggedErrors(ValueError)

    def test_coroutine(self) -> None:
        """
        A resource may be a coroutine function that awaits Deferreds.
        """
        later: Deferred[bytes] = Deferred()

        async def respond(head: RequestHead) -> Response:
            return Response(200, NO_FIELDS, await later)

        self.serve(respond)
        client = self.connect()
        client.send(get("/"))
        self.assertEqual(client.received, b"")
        later.callback(b"later")
        client.transport.turn()
        self.assertEqual([a.content for a in read_answers(client.received)], [b"later"])

    def test_cancelled(self) -> None:
        """
        When the client has gone, the Deferred is cancelled, without a word in the log.
        """
        cancelled: list[Deferred[Response]] = []
        self.serve(lambda head: Deferred(cancelled.append))
        client = self.connect()
        client.send(get("/"))
        self.assertEqual(cancelled, [])
        client.vanish()
        self.assertEqual(len(cancelled), 1)
        self.assertEqual(self.failures(), [])
        self.assert_nothing_armed()

    def test_cancelled_coroutine(self) -> None:
        """
        So is a coroutine, at the place where it waits; it may tidy up.
        """
        steps: list[str] = []

        async def respond(head: RequestHead) -> Response:
            try:
                await Deferred()
            finally:
                steps.append("tidied")
            return Response()

        self.serve(respond)
        client = self.connect()
        client.send(get("/"))
        client.vanish()
        self.assertEqual(steps, ["tidied"])
        self.assertEqual(self.failures(), [])

    def test_too_late(self) -> None:
        """
        A resource that answers although it was cancelled answers nobody; its content is closed.
        """
        source = Source(b"x" * 10)
        self.serve(lambda head: Deferred(lambda d: d.callback(Response(200, NO_FIELDS, source))))
        client = self.connect()
        client.send(get("/"))
        client.vanish()
        self.assertEqual(source.closed, 1)
        self.assertEqual(client.received, b"")
        self.assertEqual(self.failures(), [])
