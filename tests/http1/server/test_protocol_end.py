"""
Tests for L{netlab.http1.server.protocol}: how connections end.
"""

from __future__ import annotations

import contextlib
import socket
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from netlab.http1.resources.resource import Answer
from netlab.http1.resources.responses import Pages, Response
from netlab.http1.sansio.fields import NO_FIELDS
from netlab.http1.sansio.limits import Admission, Limits, Timeouts
from netlab.http1.sansio.messages import RequestHead
from netlab.http1.sansio.serversettings import ServerSettings
from netlab.http1.server.deadlines import BUCKET_SECONDS
from netlab.http1.server.factory import HTTPServerFactory
from netlab.http1.server.sender import acknowledged_bytes, unacknowledged_bytes
from netlab.transport.compat import accept_from
from tests.http1.serving import Client, FunctionResource, ServerTestCase, get, read_answers

LINGER = Timeouts().linger
WRITE = Timeouts().write


def put_kernel_below(case: ServerTestCase, client: Client) -> tuple[socket.socket, socket.socket]:
    """
    Let a connection in memory ask a kernel what was acknowledged: that of a connection besides.

    @return: our end of it, and the peer's.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    case.addCleanup(ours.close)
    case.addCleanup(theirs.close)
    client.transport.socket = ours
    return ours, theirs


class LingerTests(ServerTestCase):
    """
    The close in two steps: our side is shut at once, and what still comes is thrown away for a
    while, so that no reset overtakes the answer (RFC 9112 section 9.6).
    """

    def test_refusal(self) -> None:
        """
        After a refusal our side is shut and the connection read on, until the client shuts its own.
        """
        self.serve()
        client = self.connect()
        client.send(b"nonsense\r\n\r\n")
        self.assertTrue(client.is_ended)
        self.assertFalse(client.is_lost)
        client.send(b"x" * 100_000)
        self.assertFalse(client.is_lost)
        client.shut()
        self.assertTrue(client.is_lost)
        self.assertFalse(client.transport.is_aborted)
        self.assertEqual([a.status for a in read_answers(client.received)], [400])
        self.assert_nothing_armed()

    def test_requests_behind_the_last_answer(self) -> None:
        """
        So it is where pipelined requests are left unanswered behind the last answer.
        """
        self.serve(lambda head: Response(200, NO_FIELDS, b"bye", closes=True))
        client = self.connect()
        client.send(get("/a") + get("/b"))
        self.assertTrue(client.is_ended)
        self.assertFalse(client.is_lost)
        self.assertEqual([a.content for a in read_answers(client.received)], [b"bye"])

    def test_nothing_unread(self) -> None:
        """
        With all input read, the connection is closed in one step.
        """
        self.serve(lambda head: Response(200, NO_FIELDS, b"bye", closes=True))
        client = self.connect()
        client.send(get("/a"))
        self.assertTrue(client.is_lost)
        self.assertFalse(client.transport.is_aborted)
        self.assert_nothing_armed()

    def test_linger_ends(self) -> None:
        """
        A client that goes on sending is cut off when the linger is over.
        """
        self.serve()
        client = self.connect()
        client.send(b"nonsense\r\n\r\n")
        for _ in range(9):
            self.pass_time((LINGER - 0.01) / 9)
            client.send(b"x")
        self.assertFalse(client.is_lost)
        self.pass_time(0.02)
        self.pass_time(0)
        self.assertTrue(client.is_lost)
        self.assert_nothing_armed()

    def test_linger_after_the_last_acknowledgement(self) -> None:
        """
        If the answer's last bytes were acknowledged meanwhile, as most are, the linger counts from
        when that is noticed, once; a kernel that still has much to send is not interrupted.
        """
        self.serve()
        client = self.connect()
        ours, theirs = put_kernel_below(self, client)
        client.send(b"nonsense\r\n\r\n")
        self.assertTrue(client.is_ended)
        # Now the peer's kernel has acknowledged something, as it does with every answer.
        ours.sendall(b"x")
        theirs.recv(1)
        self.pass_time(LINGER + 0.01)
        self.assertFalse(client.transport.is_aborted)
        self.pass_time(LINGER + 0.01)
        self.pass_time(0)
        self.assertTrue(client.is_lost)

    def test_linger_is_bounded(self) -> None:
        """
        So is one that sends more than 64 MiB meanwhile.
        """
        self.serve()
        client = self.connect()
        client.send(b"nonsense\r\n\r\n", *[b"x" * 65536] * 1024)
        self.assertFalse(client.is_lost)
        client.send(b"x")
        self.pass_time(0)
        self.assertTrue(client.is_lost)
        self.assert_nothing_armed()

    def test_reading_resumes(self) -> None:
        """
        Where reading had been paused behind a slow answer, it goes on for the linger.
        """
        later: Deferred[Response] = Deferred()
        self.serve(lambda head: later, ServerSettings(Limits(pipelined_max_bytes=100)))
        client = self.connect()
        client.send(get("/a") + b"x" * 200)
        self.assertFalse(client.transport.is_reading)
        later.callback(Response(200, NO_FIELDS, b"", closes=True))
        client.transport.turn()
        self.assertTrue(client.is_ended)
        self.assertTrue(client.transport.is_reading)

    def test_transport_without_half_close(self) -> None:
        """
        A transport that cannot shut one side is closed.
        """
        self.serve()
        client = self.connect()
        client.transport.loseWriteConnection = None  # type: ignore[assignment,method-assign]
        client.send(b"nonsense\r\n\r\n")
        self.assertTrue(client.is_lost)


class FullBufferTests(ServerTestCase):
    """
    Ends that come while the transport's buffer is full: a paused producer must not keep the
    transport from closing.
    """

    def full_then_close(self, request: bytes) -> None:
        """
        Let an answer fill the buffer and be the last, then read it slowly.
        """
        content = b"x" * 65536
        self.serve(lambda head: Response(200, NO_FIELDS, content, closes=True))
        client = self.connect()
        client.transport.window = 0
        client.send(request)
        self.assertFalse(client.is_ended)
        client.transport.take(50_000)
        self.assertFalse(client.is_ended)
        client.transport.take(50_000)
        self.assertTrue(client.is_ended)
        self.assertEqual([a.content for a in read_answers(client.received)], [content])
        client.vanish()
        self.assert_nothing_armed()

    def test_close(self) -> None:
        """
        The connection is closed when the last byte has been taken.
        """
        self.full_then_close(get("/"))

    def test_half_close(self) -> None:
        """
        So is our side, where input is left unread.
        """
        self.full_then_close(get("/") + get("/"))

    def test_idle(self) -> None:
        """
        A connection that becomes idle with a full buffer is closed when all has been taken.
        """
        self.serve(lambda head: Response(200, NO_FIELDS, b"x" * 65536))
        client = self.connect()
        client.transport.window = 0
        client.send(get("/"))
        self.pass_time(1.5)
        client.transport.take(1 << 20)
        self.pass_time(1.5)
        self.assertTrue(client.is_lost)
        self.assertFalse(client.transport.is_aborted)
        self.assert_nothing_armed()


class WriteProgressTests(ServerTestCase):
    """
    The deadline of a peer that takes nothing.
    """

    def serve_much(self) -> None:
        """
        Serve more than any buffer holds, in pieces and in one.
        """

        def respond(head: RequestHead) -> Answer:
            size = 1 << 20 if head.target.path == b"/large" else 60_000
            return Response(200, NO_FIELDS, b"x" * size)

        self.serve(respond, has_access_log=True)

    def test_stalled(self) -> None:
        """
        A client that takes no byte for the whole write timeout is cut off, and not before.
        """
        for requests in (get("/large"), get("/small") + get("/small") + get("/small")):
            self.serve_much()
            client = self.connect()
            client.transport.window = 0
            client.send(requests)
            self.pass_time(WRITE - 0.01)
            self.assertFalse(client.transport.is_aborted)
            self.pass_time(0.02)
            self.pass_time(0)
            self.assertTrue(client.is_lost)
            self.factory.doStop()
            self.assert_nothing_armed()

    def test_stalled_close(self) -> None:
        """
        So is one that takes nothing of the last answer.
        """
        self.serve_much()
        client = self.connect()
        client.transport.window = 0
        client.send(get("/small", "Connection: close"))
        self.pass_time(WRITE - 0.01)
        self.assertFalse(client.transport.is_aborted)
        self.pass_time(0.02)
        self.pass_time(0)
        self.assertTrue(client.is_lost)

    def test_piece_by_piece(self) -> None:
        """
        A client that takes a whole piece now and then gets everything, however long it takes.
        """
        self.serve_much()
        client = self.connect()
        client.transport.window = 0
        client.send(get("/large"))
        for _ in range(20):
            self.pass_time(WRITE - 1)
            client.transport.take(66_000)
        self.assertEqual(len(read_answers(client.received)[0].content), 1 << 20)

    def test_drained_byte_by_byte(self) -> None:
        """
        Where the kernel tells that the peer acknowledges something, a slow reader is not cut off,
        though nothing more can be written.
        """
        self.serve_much()
        client = self.connect()
        ours, theirs = put_kernel_below(self, client)
        client.transport.window = 0
        client.send(get("/large"))
        for _ in range(3):
            ours.sendall(b"x")
            theirs.recv(1)
            self.pass_time(WRITE + 0.01)
            self.assertFalse(client.transport.is_aborted)
        self.pass_time(WRITE + 0.01)
        self.assertTrue(client.transport.is_aborted)

    def test_nothing_after_the_first_bytes(self) -> None:
        """
        What the peer's kernel takes into its own buffer at first does not double the time.
        """
        self.serve_much()
        client = self.connect()
        ours, theirs = put_kernel_below(self, client)
        client.transport.window = 0
        client.send(get("/large"))
        ours.sendall(b"x")
        theirs.recv(1)
        waited = 0.0
        while not client.transport.is_aborted:
            self.pass_time(WRITE / 16)
            waited += WRITE / 16
            self.assertLess(waited, 1.5 * WRITE)
        self.assertGreaterEqual(waited, WRITE)

    def send_more_than_is_taken(self, ours: socket.socket) -> None:
        """
        Fill the kernel's buffers.
        """
        ours.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                ours.send(bytes(1 << 16))

    def test_not_idle(self) -> None:
        """
        While an answer is on its way, its connection is not idle: a close would meet the next
        request with a reset, and the rest of the answer were lost.
        """
        self.serve_much()
        client = self.connect()
        ours, theirs = put_kernel_below(self, client)
        client.send(get("/small"))
        self.send_more_than_is_taken(ours)
        self.pass_time(5)
        self.assertFalse(client.is_lost)
        client.send(get("/small"))
        self.assertEqual(len(read_answers(client.received)), 2)
        theirs.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                theirs.recv(1 << 20)
                self.pass_time(0)
        self.pass_time(1.01)
        self.pass_time(1.01)
        self.assertTrue(client.is_lost)
        self.assertFalse(client.transport.is_aborted)
        self.assert_nothing_armed()

    def test_an_accepted_socket(self) -> None:
        """
        What our ports accept is asked too, which is no C{socket.socket}.
        """
        with socket.create_server(("127.0.0.1", 0)) as listener:
            theirs = socket.create_connection(listener.getsockname())
            ours, _ = accept_from(listener)()
        self.addCleanup(theirs.close)
        self.addCleanup(ours.close)
        transport: Any = StringTransport()
        transport.getHandle = lambda: ours
        self.assertEqual((unacknowledged_bytes(transport), acknowledged_bytes(transport)), (0, 0))
        with contextlib.suppress(BlockingIOError):
            while True:
                ours.send(bytes(1 << 16), socket.MSG_DONTWAIT)
        self.assertGreater(unacknowledged_bytes(transport) or 0, 0)

    def test_not_idle_and_takes_nothing(self) -> None:
        """
        But the peer must take something of it within the write timeout.
        """
        self.serve_much()
        client = self.connect()
        ours, _ = put_kernel_below(self, client)
        client.send(get("/small"))
        self.send_more_than_is_taken(ours)
        for _ in range(24):
            self.pass_time(WRITE / 16)
        self.assertTrue(client.transport.is_aborted)


class StopTests(ServerTestCase):
    """
    The server stops.
    """

    def test_idle(self) -> None:
        """
        Idle connections are closed at once: after one look at what has come meanwhile.
        """
        self.serve()
        client = self.connect()
        client.send(get("/a"))
        done = self.factory.connections.close(self.reactor, 5)
        self.pass_time(BUCKET_SECONDS)
        self.assertTrue(client.is_ended)
        self.assertNoResult(done)
        client.shut()
        self.assertTrue(client.is_lost)
        self.successResultOf(done)
        self.assert_nothing_armed()

    def test_request_on_its_way(self) -> None:
        """
        A request that has come in the meantime, even in part, is answered: it is the last one.
        """
        self.serve()
        client = self.connect()
        client.send(get("/a"))
        done = self.factory.connections.close(self.reactor, 5)
        client.send(get("/b")[:5])
        self.pass_time(1)
        self.assertNoResult(done)
        client.send(get("/b")[5:])
        self.assertEqual(
            [answer.fields["Connection"] for answer in read_answers(client.received)],
            [None, "close"],
        )
        self.successResultOf(done)

    def test_under_way(self) -> None:
        """
        An answer under way is finished, says close, and is the last one.
        """
        later: Deferred[Response] = Deferred()
        self.serve(lambda head: later)
        client = self.connect()
        client.send(get("/a") + get("/b"))
        done = self.factory.connections.close(self.reactor, 5)
        self.assertNoResult(done)
        later.callback(Response(200, NO_FIELDS, b"last"))
        client.transport.turn()
        client.shut()
        (answer,) = read_answers(client.received)
        self.assertEqual((answer.content, answer.fields["Connection"]), (b"last", "close"))
        self.successResultOf(done)
        self.assert_nothing_armed()

    def test_large(self) -> None:
        """
        So is one that is being sent.
        """
        self.serve(lambda head: Response(200, NO_FIELDS, b"x" * (1 << 20)))
        client = self.connect()
        client.transport.window = 0
        client.send(get("/a"))
        done = self.factory.connections.close(self.reactor, 5)
        for _ in range(30):
            client.transport.take(65536)
        self.assertEqual(len(read_answers(client.received)[0].content), 1 << 20)
        self.successResultOf(done)

    def test_grace(self) -> None:
        """
        What takes longer than the grace is cut off.
        """
        self.serve(lambda head: Deferred())
        client = self.connect()
        client.send(get("/a"))
        done = self.factory.connections.close(self.reactor, 5)
        self.pass_time(5)
        self.pass_time(0)
        self.assertTrue(client.is_lost)
        self.successResultOf(done)
        self.assert_nothing_armed()

    def test_twice(self) -> None:
        """
        Closing twice, or too late, is harmless.
        """
        self.serve()
        client = self.connect()
        client.protocol.close()
        client.protocol.close()
        client.transport.turn()
        client.protocol.close()
        client.protocol.abort()
        self.pass_time(0)
        self.assertTrue(client.is_lost)

    def test_log_of_the_last_answers(self) -> None:
        """
        Answers that end after the ports have closed are in the access log before the process ends.
        """
        later: Deferred[Response] = Deferred()
        factory: HTTPServerFactory = self.serve(lambda head: later, has_access_log=True)
        factory.doStart()
        client = self.connect()
        client.send(get("/a"))
        factory.connections.close(self.reactor, 5)
        factory.doStop()
        later.callback(Response(200, NO_FIELDS, b"last"))
        client.transport.turn()
        self.assertTrue(client.is_lost)
        self.assertEqual(len(self.log_lines), 1)
        self.assert_nothing_armed()


class AdmissionTests(ServerTestCase):
    """
    More connections than there may be.
    """

    def crowd(self, admission: Admission) -> None:
        """
        Serve only so many.
        """
        self.factory = HTTPServerFactory(
            FunctionResource(lambda head: Response()), self.reactor, admission=admission
        )

    def test_turned_away(self) -> None:
        """
        One connection too many is told 503 and when to come again, whatever it asks, and does not
        lose that answer by sending a request.
        """
        self.crowd(Admission(connections_max=1))
        first, second = self.connect(), self.connect()
        second.send(get("/"))
        (answer,) = read_answers(second.received)
        self.assertEqual(answer.status, 503)
        self.assertEqual(answer.fields["Retry-After"], "1")
        self.assertEqual(answer.fields["Connection"], "close")
        self.assertTrue(second.is_ended)
        second.shut()
        self.assertTrue(second.is_lost)
        first.send(get("/"))
        self.assertEqual([a.status for a in read_answers(first.received)], [200])

    def test_room_again(self) -> None:
        """
        When a connection has gone, another may come.
        """
        self.crowd(Admission(connections_max=1))
        self.connect().vanish()
        client = self.connect()
        client.send(get("/"))
        self.assertEqual([a.status for a in read_answers(client.received)], [200])

    def test_nothing_left(self) -> None:
        """
        Nothing is left of those turned away.
        """
        self.crowd(Admission(connections_max=1))
        clients = [self.connect() for _ in range(300)]
        for client in clients:
            client.transport.turn()
        self.pass_time(LINGER + 0.01)
        self.pass_time(0)
        self.pass_time(0)
        self.assertEqual([client.is_lost for client in clients], [True] * 300)
        self.assert_nothing_armed()


class LostTests(ServerTestCase):
    """
    The connection is lost.
    """

    def test_in_each_phase(self) -> None:
        """
        Nothing stays armed or counted, wherever the exchange was.
        """
        deliveries = [
            [],
            [b"\r\n"],
            [b"GET / HT"],
            [get("/", "Content-Length: 5", method="POST"), b"x"],
            [get("/")],
            [get("/slow")],
            [get("/large")],
            [b"nonsense\r\n\r\n"],
        ]

        def respond(head: RequestHead) -> Answer:
            if head.target.path == b"/slow":
                return Deferred()
            if head.target.path == b"/large":
                return Response(200, NO_FIELDS, b"x" * (1 << 20))
            return Pages().error(403)

        for sent in deliveries:
            self.serve(respond)
            client = self.connect()
            client.transport.window = 0
            client.send(*sent)
            client.vanish()
            self.assert_nothing_armed()
            self.assertEqual(len(self.factory.connections), 0)
            self.assertEqual(self.logged(), [])

    def test_reset_by_the_client(self) -> None:
        """
        A reset while the transport is being written to is no error of ours.
        """
        self.serve(lambda head: Response(200, NO_FIELDS, b"x" * (1 << 20)))
        client = self.connect()
        client.transport.window = 0
        client.send(get("/"))
        client.transport.connectionLost(Failure(ConnectionResetError()))
        self.assertEqual(self.logged(), [])
        self.assert_nothing_armed()
