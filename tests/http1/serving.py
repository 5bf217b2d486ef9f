"""
An HTTP server in memory for the tests: Twisted's own transport logic above a window instead of a
socket, and the standard library's client to read the answers.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPResponse
from io import BytesIO
from typing import Any, cast

from twisted.internet.abstract import FileDescriptor
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IAddress
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import LogEvent, capturedLogs, formatEvent
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.accesslog.log import AccessLog
from netlab.http1.resources.resource import Answer, Resource
from netlab.http1.resources.responses import Response
from netlab.http1.sansio.fields import Fields
from netlab.http1.sansio.messages import RequestHead
from netlab.http1.sansio.serversettings import ServerSettings
from netlab.http1.server.context import ANSWER_CACHE_MAX_BYTES
from netlab.http1.server.factory import HTTPServerFactory
from netlab.http1.server.protocol import HTTPServerProtocol

PEER = IPv4Address("TCP", "192.0.2.7", 40000)
HOST = IPv4Address("TCP", "192.0.2.1", 80)

#: A Friday: "Fri, 13 Feb 2009 23:31:30 GMT".
NOW = 1234567890.0


class MemoryTransport(FileDescriptor):
    """
    A server's TCP connection without a socket. Buffering, producers and the order of closing are
    Twisted's own, as every real transport has them; what a socket would do is done here.

    @ivar sent: what the client has taken.
    @ivar window: how many more bytes the client takes.
    @ivar is_shut: whether our side is shut, so that the client sees the end.
    @ivar is_aborted: whether the connection was reset.
    @ivar largest_buffer: the most bytes that have waited for the client at a time.
    """

    def __init__(self, reactor: MemoryReactorClock, peer: IAddress = PEER) -> None:
        super().__init__(cast(Any, reactor))
        self._peer = peer
        self.protocol: HTTPServerProtocol
        self.sent = bytearray()
        self.window = 1 << 62
        self.is_shut = False
        self.is_aborted = False
        self.largest_buffer = 0
        self.socket: socket.socket | None = None

    def getPeer(self) -> IAddress:
        """
        Say who the client is.
        """
        return self._peer

    def getHost(self) -> IAddress:
        """
        Say where it is connected to.
        """
        return HOST

    def getHandle(self) -> socket.socket | None:
        """
        Return the socket of a test that lends one.
        """
        return self.socket

    @property
    def buffered(self) -> int:
        """
        How many bytes wait for the client.
        """
        return len(self.dataBuffer) - self.offset + self._tempDataLen

    @property
    def is_reading(self) -> bool:
        """
        Whether the transport reads.
        """
        return self in cast(Any, self.reactor).getReaders()

    def write(self, data: bytes) -> None:
        """
        Note how much waits at the most.
        """
        super().write(data)
        self.largest_buffer = max(self.largest_buffer, self.buffered)

    def writeSomeData(self, data: bytes) -> int:
        """
        Let the client take what its window allows.
        """
        piece = bytes(data)[: self.window]
        self.window -= len(piece)
        self.sent += piece
        return len(piece)

    def turn(self) -> None:
        """
        Let the reactor turn for as long as there is something to write that the client takes.
        """
        writers = cast(Any, self.reactor).writers
        while self in writers and (self.window or not self.buffered):
            reason = self.doWrite()
            if reason is not None:
                self.connectionLost(Failure(reason))

    def take(self, count: int) -> bytes:
        """
        Let the client take this many bytes more.

        @return: what it took.
        """
        before = len(self.sent)
        self.window += count
        self.turn()
        return bytes(self.sent[before:])

    def _closeWriteConnection(self) -> None:
        self.is_shut = True
        self.protocol.writeConnectionLost()

    def readConnectionLost(self, reason: Failure) -> None:
        """
        Tell the protocol that the client has shut its side.
        """
        self.stopReading()
        self.protocol.readConnectionLost()

    def abortConnection(self) -> None:
        """
        Reset the connection in the next turn.
        """
        if self.disconnected or self.is_aborted:
            return
        self.is_aborted = True
        self.stopReading()
        self.stopWriting()
        cast(Any, self.reactor).callLater(0, self.connectionLost, Failure(ConnectionAborted()))

    def connectionLost(self, reason: Failure) -> None:
        """
        Tell the protocol.
        """
        if not self.disconnected:
            super().connectionLost(reason)
            self.is_shut = True
            self.protocol.connectionLost(reason)


class Client:
    """
    The client's end of one connection.

    @ivar transport: the server's transport.
    @ivar protocol: the server's protocol.
    """

    def __init__(
        self, factory: HTTPServerFactory, reactor: MemoryReactorClock, peer: IAddress = PEER
    ) -> None:
        self.protocol = factory.buildProtocol(peer)
        self.transport = MemoryTransport(reactor)
        self.transport.protocol = self.protocol
        self.transport.connected = 1
        self.transport.startReading()
        self.protocol.makeConnection(self.transport)

    def send(self, *deliveries: bytes) -> None:
        """
        Send, delivery by delivery, whatever the server does with it.
        """
        for data in deliveries:
            if self.transport.is_reading:
                # Not always that of the beginning: a connection may leave HTTP.
                self.transport.protocol.dataReceived(data)
            self.transport.turn()

    def shut(self) -> None:
        """
        Shut our side: we send no more.
        """
        self.transport.readConnectionLost(Failure(ConnectionDone()))
        self.transport.turn()

    def vanish(self) -> None:
        """
        Be gone, as after a reset.
        """
        self.transport.connectionLost(Failure(ConnectionLost()))

    @property
    def received(self) -> bytes:
        """
        All bytes that came.
        """
        return bytes(self.transport.sent)

    @property
    def is_ended(self) -> bool:
        """
        Whether the server has closed, or shut its side.
        """
        return self.transport.is_shut

    @property
    def is_lost(self) -> bool:
        """
        Whether the server holds the connection no longer.
        """
        return bool(self.transport.disconnected)


@dataclass(frozen=True)
class ReceivedAnswer:
    """
    An answer as Python's own C{http.client} reads it.
    """

    status: int
    reason: str
    version: int
    fields: Message
    content: bytes
    will_close: bool

    @property
    def names(self) -> list[str]:
        """
        The field names, in order.
        """
        return list(self.fields.keys())


class _Stream:
    """
    What C{http.client} takes for a socket.
    """

    def __init__(self, data: bytes) -> None:
        self.file = BytesIO(data)
        # HTTPResponse closes its file after an answer without content.
        self.file.close = lambda: None  # type: ignore[method-assign]

    def makefile(self, *args: object) -> BytesIO:
        return self.file


def read_answers(data: bytes, methods: Iterable[str] = ()) -> list[ReceivedAnswer]:
    """
    Read all answers of a connection.

    @param methods: of the requests they answer; GET where there is none left.
    """
    stream = _Stream(data)
    answers = []
    left = list(methods)
    while stream.file.tell() < len(data):
        method = left.pop(0) if left else "GET"
        response = HTTPResponse(cast(Any, stream), method=method)
        response.begin()
        content = response.read()
        answers.append(
            ReceivedAnswer(
                response.status,
                response.reason,
                response.version,
                response.msg,
                content,
                response.will_close,
            )
        )
    return answers


class FunctionResource:
    """
    A resource that is a function.

    @ivar heads: the requests that came.
    """

    def __init__(self, function: Callable[[RequestHead], Answer]) -> None:
        self._function = function
        self.heads: list[RequestHead] = []

    def respond(self, head: RequestHead) -> Answer:
        """
        Call the function.
        """
        self.heads.append(head)
        return self._function(head)


def echo_path(head: RequestHead) -> Response:
    """
    Answer with the path.
    """
    return Response(200, Fields([(b"Content-Type", b"text/plain")]), head.target.path)


def get(path: str = "/", *lines: str, method: str = "GET", version: str = "HTTP/1.1") -> bytes:
    """
    Write a request.
    """
    fields = "".join(f"{line}\r\n" for line in ("Host: localhost", *lines))
    return f"{method} {path} {version}\r\n{fields}\r\n".encode("latin-1")


def post(*lines: str, content: bytes = b"") -> bytes:
    """
    Write a POST request.
    """
    return get("/", *lines, method="POST") + content


class ServerTestCase(SynchronousTestCase):
    """
    A server in memory.
    """

    def setUp(self) -> None:
        """
        Take the log, and set the clock.
        """
        self.reactor = MemoryReactorClock()
        self.reactor.rightNow = NOW
        self.events: Sequence[LogEvent] = self.enterContext(capturedLogs())
        self.log_lines: list[bytes] = []
        self.clients: list[Client] = []
        self.factory: HTTPServerFactory

    def serve(
        self,
        resource: Resource | Callable[[RequestHead], Answer] = echo_path,
        settings: ServerSettings | None = None,
        *,
        shows_requests: bool = False,
        has_access_log: bool = False,
        answer_cache_max_bytes: int = ANSWER_CACHE_MAX_BYTES,
    ) -> HTTPServerFactory:
        """
        Start the server.
        """
        if not hasattr(resource, "respond"):
            resource = FunctionResource(resource)
        log = AccessLog(BytesWriter(self.log_lines), self.reactor) if has_access_log else None
        self.factory = HTTPServerFactory(
            cast(Resource, resource),
            self.reactor,
            settings,
            log,
            shows_requests=shows_requests,
            answer_cache_max_bytes=answer_cache_max_bytes,
        )
        return self.factory

    def connect(self, peer: IAddress = PEER) -> Client:
        """
        Let a client connect.
        """
        client = Client(self.factory, self.reactor, peer)
        self.clients.append(client)
        return client

    def ask(self, *requests: bytes, methods: Iterable[str] = ()) -> list[ReceivedAnswer]:
        """
        Send requests on a new connection, one delivery each, and read the answers.
        """
        client = self.connect()
        client.send(*requests)
        self.take_turns()
        return read_answers(client.received, methods)

    def ask_one(self, request: bytes) -> ReceivedAnswer:
        """
        Send one request on a new connection; there is exactly one answer.
        """
        (answer,) = self.ask(request, methods=[request.split(b" ", 1)[0].decode("latin-1")])
        return answer

    def take_turns(self) -> None:
        """
        Let the reactor turn for as long as it has something to do at once.
        """
        while any(
            call.getTime() <= self.reactor.seconds() for call in self.reactor.getDelayedCalls()
        ):
            self.pass_time(0)

    def pass_time(self, seconds: float) -> None:
        """
        Let time pass.
        """
        self.reactor.advance(seconds)
        for client in self.clients:
            client.transport.turn()

    def logged(self) -> list[str]:
        """
        Give the lines of the log.
        """
        return [formatEvent(event) for event in self.events]

    def failures(self) -> list[type[BaseException]]:
        """
        Give the kinds of failures that the log has.
        """
        return [type(event["log_failure"].value) for event in self.events if "log_failure" in event]

    def assert_nothing_armed(self) -> None:
        """
        Nothing waits for a time.
        """
        self.assertEqual(self.reactor.getDelayedCalls(), [])


class BytesWriter:
    """
    A log file that is a list of lines.
    """

    def __init__(self, lines: list[bytes]) -> None:
        self._lines = lines

    def write(self, data: bytes, /) -> object:
        """
        Take some lines.
        """
        self._lines.extend(data.splitlines(keepends=True))
        return len(data)

    def reopen(self) -> None:
        """
        There is no other file.
        """
