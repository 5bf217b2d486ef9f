"""
Tests for L{netlab.http1.server.oneshot}: a connection that is answered without a protocol is like
one with a protocol, in everything that anyone can observe.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from typing import Any

from netlab.http1.accesslog.log import AccessLog
from netlab.http1.resources.responses import Response
from netlab.http1.sansio.fields import NO_FIELDS
from netlab.http1.sansio.limits import Admission
from netlab.http1.sansio.messages import RequestHead
from netlab.http1.server.admission import Gate
from netlab.http1.server.answercache import CachedAnswer
from netlab.http1.server.deadlines import BUCKET_SECONDS
from netlab.http1.server.factory import HTTPServerFactory
from tests.http1.serving import (
    PEER,
    BytesWriter,
    Client,
    FunctionResource,
    ServerTestCase,
    get,
    read_answers,
)
from tests.transport.connections import ConnectionTestCase

#: A request that is the only one of its connection.
LAST = get("/a", "Connection: close")

#: A deadline is noticed at most this late, besides the reactor's own delay.
LATE = 2 * BUCKET_SECONDS
EARLY = 0.001

_LOG_TIME = re.compile(rb"\[[^]]*\]")


def counted(factory: HTTPServerFactory) -> tuple[int, int, int, int, int]:
    """
    Read the counters: of answers, their bytes, connections, those refused, and those open.
    """
    counters = factory.context.counters
    answers = sum(counters.answers.values())
    sent, come = counters.content_bytes, counters.connections
    return answers, sent, come, factory.context.gate.refused, len(factory.connections)


class OneShotTests(ServerTestCase):
    """
    One-shot answers in memory.
    """

    def setUp(self) -> None:
        """
        It has been asked twice, in each way, for what it may repeat for a second.
        """
        super().setUp()

        def respond(head: RequestHead) -> Response:
            return Response(200, NO_FIELDS, b"<%b>" % head.target.path, repeat_seconds=1.0)

        self.serve(respond, has_access_log=True)
        for request in (LAST, get("/a")) * 2:
            self.ask(request)

    def look_up(self, data: bytes) -> CachedAnswer | None:
        """
        Ask for a one-shot answer.
        """
        return self.factory.one_shot.find_answer(PEER.host, data)

    def known(self) -> CachedAnswer:
        """
        Ask for what is known.
        """
        answer = self.look_up(LAST)
        assert answer is not None
        return answer

    def finish(self, sent: int, window: int = 1 << 62) -> tuple[Client, CachedAnswer]:
        """
        Connect a client that got so many bytes of its answer already, and let it have the rest.

        @param window: how many bytes the client takes of that.
        """
        answer = self.known()
        client = self.connect()
        client.transport.window = window
        self.factory.one_shot.finish_rest(client.protocol, answer, sent)
        client.transport.turn()
        return client, answer

    def observe(self, serve: Callable[[], bytes]) -> tuple[bytes, list[bytes], list[int]]:
        """
        Serve one connection.

        @return: what the client got, the lines of the log, and what was counted.
        """
        log = self.factory.context.access_log
        assert log is not None
        log.flush()
        self.log_lines.clear()
        before = counted(self.factory)
        received = serve()
        log.flush()
        grown = [now - then for now, then in zip(counted(self.factory), before, strict=True)]
        return received, list(self.log_lines), grown

    def test_like_a_protocol(self) -> None:
        """
        The bytes, the line of the log and the counters are those of a connection with a protocol,
        whether all of the answer leaves without one or a part.
        """

        def by_protocol() -> bytes:
            client = self.connect()
            client.send(LAST)
            self.assertTrue(client.is_lost)
            return client.received

        def at_door() -> bytes:
            answer = self.known()
            self.factory.one_shot.answer_sent(PEER.host, answer)
            return answer.data

        def in_two_parts() -> bytes:
            client, answer = self.finish(10)
            self.assertTrue(client.is_lost)
            return answer.data[:10] + client.received

        expected = self.observe(by_protocol)
        (answer,) = read_answers(expected[0])
        self.assertEqual((200, b"</a>", True), (answer.status, answer.content, answer.will_close))
        self.assertEqual([1, 4, 1, 0, 0], expected[2])
        self.assertEqual(expected, self.observe(at_door))
        self.assertEqual(expected, self.observe(in_two_parts))

    def test_needs_a_protocol(self) -> None:
        """
        It knows nothing of requests that let the connection persist, of what is not a whole head,
        of what has something behind it, and of what nobody has asked for.
        """
        for data in (
            get("/a"),
            LAST[:-1],
            LAST + b"x",
            LAST + LAST,
            get("/b", "Connection: close"),
            b"\x16\x03\x01",
        ):
            self.assertIsNone(self.look_up(data))
        self.assertIsNotNone(self.look_up(LAST))

    def test_until(self) -> None:
        """
        An answer whose time has passed is no longer known.
        """
        self.pass_time(1.0 - EARLY)
        self.assertIsNotNone(self.look_up(LAST))
        self.pass_time(EARLY)
        self.assertIsNone(self.look_up(LAST))

    def test_no_room(self) -> None:
        """
        Where there is no room for the connection, in all or of this peer, it needs a protocol to
        be refused; nothing is counted by asking.
        """
        for admission in (Admission(connections_max=1), Admission(connections_per_peer_max=1)):
            self.factory.context.gate = Gate(admission)
            self.assertIsNotNone(self.look_up(LAST))
            client = self.connect()
            before = counted(self.factory)
            self.assertIsNone(self.look_up(LAST))
            self.assertEqual(before, counted(self.factory))
            client.vanish()
            self.assertIsNotNone(self.look_up(LAST))

    def test_rest(self) -> None:
        """
        What was not sent at once is sent, and the connection is closed when the client has taken
        it.
        """
        client, answer = self.finish(10, window=5)
        self.assertEqual(answer.data[10:15], client.received)
        self.assertFalse(client.is_lost)
        client.transport.take(1 << 20)
        self.assertEqual(answer.data[10:], client.received)
        self.assertTrue(client.is_lost)
        self.assertFalse(client.transport.is_aborted)
        self.take_turns()

    def test_takes_nothing(self) -> None:
        """
        A client that takes nothing of the rest is cut when the time for that is over.
        """
        client, _ = self.finish(10, window=0)
        self.pass_time(self.factory.context.settings.timeouts.write - EARLY)
        self.assertFalse(client.transport.is_aborted)
        self.pass_time(EARLY + LATE)
        self.assertTrue(client.transport.is_aborted)
        self.take_turns()
        self.assertTrue(client.is_lost)

    def test_refused_meanwhile(self) -> None:
        """
        Where the connection is refused nevertheless, no other answer follows the beginning of this.
        """
        answer = self.known()
        self.factory.context.gate = Gate(Admission(connections_max=0))
        client = self.connect()
        self.factory.one_shot.finish_rest(client.protocol, answer, 10)
        client.transport.turn()
        self.take_turns()
        self.assertEqual(b"", client.received)
        self.assertTrue(client.transport.is_aborted)
        self.assertTrue(client.is_lost)


class OneShotOnSocketsTests(ConnectionTestCase):
    """
    A server whose port asks for one-shot answers.
    """

    content = b"content"

    def open(self, admission: Admission | None = None) -> None:
        """
        Open a port.
        """

        def respond(_head: RequestHead) -> Response:
            return Response(200, NO_FIELDS, self.content, repeat_seconds=3600)

        resource: Any = FunctionResource(respond)
        self.log_lines: list[bytes] = []
        self.log = AccessLog(BytesWriter(self.log_lines), self.reactor)
        self.factory = HTTPServerFactory(
            resource, self.reactor, access_log=self.log, admission=admission
        )
        self.built: list[Any] = []
        build = self.factory.build_for_host

        def build_for_host(host: str) -> Any:
            self.built.append(build(host))
            return self.built[-1]

        self.patch(self.factory, "build_for_host", build_for_host)
        self.port = self.listen_for(self.factory)

    def ask(self, receive_buffer: int | None = None) -> socket.socket:
        """
        Send a request that is the only one of its connection.
        """
        client = self.connect(self.port, receive_buffer)
        client.send(LAST)
        return client

    def test_answered(self) -> None:
        """
        The first two requests of a kind are answered by a protocol, others without one: alike.
        """
        self.open()
        answers = []
        for _ in range(4):
            (answer,) = read_answers(self.read_to_end(self.ask()))
            answers.append((answer.status, answer.content, answer.names, answer.will_close))
        self.assertEqual([answers[0]] * 4, answers)
        self.assertEqual(self.content, answers[0][1])
        self.assertEqual(2, len(self.built))
        self.log.flush()
        lines = [_LOG_TIME.sub(b"", line) for line in self.log_lines]
        self.assertEqual([lines[0]] * 4, lines)
        self.assertEqual((4, 4 * len(self.content), 4, 0, 0), counted(self.factory))

    def test_no_room(self) -> None:
        """
        A peer for which there is no room gets its 503 from a protocol; when there is room again it
        is answered without a protocol.
        """
        self.open(Admission(connections_per_peer_max=1))
        for _ in range(2):
            self.read_to_end(self.ask())
        idle = self.connect(self.port)
        self.turn_until(lambda: len(self.factory.connections) == 1)
        refused = self.ask()
        (answer,) = read_answers(self.read_to_end(refused))
        refused.close()
        self.assertEqual(503, answer.status)
        self.assertEqual((1, 4), (self.factory.context.gate.refused, len(self.built)))
        idle.close()
        self.turn_until(lambda: not self.factory.connections)
        (answer,) = read_answers(self.read_to_end(self.ask()))
        self.assertEqual((200, 4), (answer.status, len(self.built)))

    def test_large(self) -> None:
        """
        An answer that the kernel does not take at once arrives whole, and is counted once.
        """
        self.content = bytes(range(256)) * 200
        self.open()
        # Connections inherit it.
        self.port.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        finished: list[int] = []
        finish = self.factory.one_shot.finish_rest

        def finish_rest(protocol: Any, answer: CachedAnswer, sent: int) -> None:
            finished.append(sent)
            finish(protocol, answer, sent)

        self.patch(self.factory.one_shot, "finish_rest", finish_rest)
        for built in (1, 2, 3):
            (answer,) = read_answers(self.read_to_end(self.ask(receive_buffer=4096)))
            self.assertTrue(answer.content == self.content)
            self.turn_until(lambda: not self.factory.connections)
            self.assertEqual(built, len(self.built))
        # The third one was begun without a protocol.
        self.assertEqual(1, len(finished))
        self.assertEqual((3, 3 * len(self.content), 3, 0, 0), counted(self.factory))
