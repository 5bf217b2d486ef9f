"""
Tests for L{netlab.http1.server.protocol}: requests that come together, and their answers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from twisted.internet.defer import Deferred, succeed

from netlab.http1.resources.resource import Answer
from netlab.http1.resources.responses import Response
from netlab.http1.sansio.errors import LocalProtocolError
from netlab.http1.sansio.messages import RequestHead
from tests.http1.serving import Client, ServerTestCase, get, read_answers


class GatheringTests(ServerTestCase):
    """
    Small answers leave together.
    """

    def connect_counting(self) -> tuple[Client, list[bytes]]:
        """
        Connect a client.

        @return: it, and what is written to it, write by write.
        """
        client = self.connect()
        written: list[bytes] = []
        write = client.transport.write

        def count(data: bytes) -> None:
            written.append(data)
            write(data)

        self.patch(client.transport, "write", count)
        return client, written

    def test_one_write(self) -> None:
        """
        Requests in one delivery that nobody has seen before are answered in order and in one write.
        """
        self.serve()
        client, written = self.connect_counting()
        client.send(b"".join(get(f"/{number}") for number in range(10)))
        self.assertEqual(len(written), 1)
        contents = [answer.content for answer in read_answers(client.received)]
        self.assertEqual(contents, [b"/%d" % number for number in range(10)])

    def test_bounded(self) -> None:
        """
        No more than sixteen, and nothing behind a larger one, waits to leave.
        """
        self.serve(lambda head: Response(200, content=head.target.path * 1000))
        client, written = self.connect_counting()
        client.send(b"".join(get("/a") for _ in range(40)))
        self.assertEqual(len(written), 3)
        written.clear()
        client.send(b"".join(map(get, ("/a", "/a", "/larger", "/a", "/larger"))))
        self.assertEqual([len(read_answers(data)) for data in written], [3, 2])

    def test_among_others(self) -> None:
        """
        They keep their places among answers that leave in other ways: large, streamed, late,
        failed, refused.
        """
        late: Deferred[Response] = Deferred()

        async def stream() -> AsyncIterator[bytes]:
            yield b"streamed"

        def respond(head: RequestHead) -> Answer:
            match head.target.path:
                case b"/large":
                    return Response(200, content=bytes(100_000))
                case b"/stream":
                    return Response(200, content=stream())
                case b"/late":
                    return late
                case b"/soon":
                    return succeed(Response(200, content=b"soon"))
                case b"/fail":
                    raise ValueError("wrong")
                case path:
                    return Response(200, content=path)

        self.serve(respond)
        client = self.connect()
        paths = ["a", "large", "b", "stream", "c", "late", "d", "soon", "e", "fail", "f"]
        client.send(b"".join(get(f"/{path}") for path in paths) + b"wrong\r\n\r\n")
        self.take_turns()
        late.callback(Response(200, content=b"late"))
        self.take_turns()
        client.transport.turn()
        answers = read_answers(client.received)
        self.assertEqual(
            [answer.content for answer in answers[:-3]],
            [b"/a", bytes(100_000), b"/b", b"streamed", b"/c", b"late", b"/d", b"soon", b"/e"],
        )
        self.assertEqual([answer.status for answer in answers[-3:]], [500, 200, 400])
        self.assertTrue(client.is_ended)
        self.flushLoggedErrors(ValueError)


class ReasonTests(ServerTestCase):
    """
    RFC 9112 section 4: the reason phrase.
    """

    def test_own(self) -> None:
        """
        A response may have its own.
        """
        self.serve(lambda head: Response(200, reason=b"Fine"))
        self.assertEqual(self.ask_one(get("/")).reason, "Fine")

    def test_splitting(self) -> None:
        """
        One that would end its line is the resource's mistake: 500.
        """
        self.serve(lambda head: Response(200, reason=b"Fine\r\nX: y"))
        answer = self.ask_one(get("/"))
        self.assertEqual((answer.status, answer.fields["X"]), (500, None))
        self.flushLoggedErrors(LocalProtocolError)
