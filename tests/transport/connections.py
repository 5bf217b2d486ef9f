"""
Real connections for tests that turn a reactor by hand, one turn at a time.

The reactors are Twisted's own, made but not installed: nothing here waits for the global one.
"""

from __future__ import annotations

import asyncio
import os
import resource
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from twisted.internet import tcp
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python import failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from netlab.factories import Factory
from netlab.transport.poller import NestedPoller
from netlab.transport.port import FastPort

# How many turns, of at most TURN_SECONDS each, something may take before the test gives up.
TURNS_MAX = 1000
TURN_SECONDS = 0.01


@cache
def reactor_named(name: str) -> Any:
    """
    Make, once in the process, a reactor that is not the global one.

    @param name: C{epoll}, C{poll}, C{select} or C{asyncio}.
    """
    if name == "epoll":
        from twisted.internet.epollreactor import EPollReactor

        return EPollReactor()
    if name == "poll":
        from twisted.internet.pollreactor import PollReactor

        return PollReactor()
    if name == "select":
        from twisted.internet.selectreactor import SelectReactor

        return SelectReactor()
    from twisted.internet.asyncioreactor import AsyncioSelectorReactor

    return AsyncioSelectorReactor(asyncio.new_event_loop())


class Recorder(Protocol):
    """
    Remembers all that happens to it, and does what the test says on each delivery.

    @ivar received: all bytes delivered.
    @ivar lost: the reasons C{connectionLost} was called with.
    @ivar on_data: called with the protocol and each delivery.
    """

    def __init__(self, on_data: Callable[[Any, bytes], None] | None = None) -> None:
        self.received = b""
        self.deliveries = 0
        self.lost: list[failure.Failure] = []
        self.on_data = on_data
        self.on_made: Callable[[Any], None] | None = None
        self.on_lost: Callable[[Any], None] | None = None

    def connectionMade(self) -> None:
        """
        Do what the test says.
        """
        if self.on_made is not None:
            self.on_made(self)

    def dataReceived(self, data: bytes) -> None:
        """
        Remember the delivery, and do what the test says.
        """
        self.received += data
        self.deliveries += 1
        if self.on_data is not None:
            self.on_data(self, data)

    def connectionLost(self, reason: failure.Failure = connectionDone) -> None:
        """
        Remember why, and do what the test says.
        """
        self.lost.append(reason)
        if self.on_lost is not None:
            self.on_lost(self)

    @property
    def reasons(self) -> list[type[BaseException] | None]:
        """
        The types of L{lost}.
        """
        return [reason.type for reason in self.lost]


@implementer(IHalfCloseableProtocol)
class HalfCloseableRecorder(Recorder):
    """
    Also told when one half of its connection ends.

    @ivar halves: C{"read"} and C{"write"}, as they ended.
    """

    def __init__(self, on_data: Callable[[Any, bytes], None] | None = None) -> None:
        super().__init__(on_data)
        self.halves: list[str] = []
        self.on_read_lost: Callable[[Any], None] | None = None

    def readConnectionLost(self) -> None:
        """
        Remember that the peer's half ended.
        """
        self.halves.append("read")
        if self.on_read_lost is not None:
            self.on_read_lost(self)

    def writeConnectionLost(self) -> None:
        """
        Remember that our half ended.
        """
        self.halves.append("write")


class RecorderFactory(Factory[Recorder]):
    """
    Builds protocols and keeps them, in order.

    @ivar built: the protocols.
    """

    def __init__(self, build: Callable[[], Any]) -> None:
        self.build = build
        self.built: list[Any] = []

    def doStart(self) -> None:
        """
        Say nothing in the log.
        """

    def buildProtocol(self, addr: object) -> Any:
        """
        Build a protocol as the test says.
        """
        protocol = self.build()
        if protocol is not None:
            protocol.factory = self
            self.built.append(protocol)
        return protocol


class ConnectionTestCase(SynchronousTestCase):
    """
    A listening port, and sockets of ours as its clients.

    @cvar reactor_name: see L{reactor_named}.
    @cvar port_class: the port under test; its connections are the transports under test.
    @cvar has_poller: whether a L{FastPort} has a L{NestedPoller} of its own.
    @ivar port: where L{come} connects, in cases that set it.
    """

    reactor_name = "epoll"
    port_class: type[tcp.Port] = FastPort
    has_poller = True
    port: Any

    def setUp(self) -> None:
        """
        Nothing listens and nobody is connected.
        """
        self.reactor = reactor_named(self.reactor_name)
        if self.has_poller and issubclass(self.port_class, FastPort):
            self.watcher: Any = NestedPoller(self.reactor)
        else:
            self.watcher = self.reactor
        self._ports: list[Any] = []
        self._clients: list[socket.socket] = []

    def tearDown(self) -> None:
        """
        Whatever a test leaves open is closed, and the reactor is as it was.
        """
        for client in self._clients:
            client.close()
        for port in self._ports:
            if port.connected:
                port.stopListening()
        for selectable in {*self.watcher.getReaders(), *self.watcher.getWriters()}:
            if isinstance(selectable, tcp.Connection):
                selectable.abortConnection()
        self.turn_until(lambda: not any(port.connected for port in self._ports))
        self.turn(3)
        self.assertEqual([], [c for c in self.reactor.getDelayedCalls() if c.active()])

    def listen(
        self, build: Callable[[], Any], interface: str = "127.0.0.1", **options: Any
    ) -> tuple[Any, RecorderFactory]:
        """
        Listen on a port that the kernel chooses.

        @param build: makes a protocol for each connection.
        @return: the port and the factory.
        """
        factory = RecorderFactory(build)
        return self.listen_for(factory, interface, **options), factory

    def listen_for(self, factory: Any, interface: str = "127.0.0.1", **options: Any) -> Any:
        """
        Listen on a port that the kernel chooses.

        @param factory: makes the protocols.
        @return: the port.
        """
        port: Any = self.port_class(0, factory, 50, interface, self.watcher, **options)
        port.startListening()
        self._ports.append(port)
        return port

    def connect(self, port: Any, receive_buffer: int | None = None) -> socket.socket:
        """
        Connect a client, which never blocks.

        @param receive_buffer: the size of its receive buffer, in bytes.
        """
        host = port.getHost()
        client = socket.socket(port.addressFamily, socket.SOCK_STREAM)
        if receive_buffer is not None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._clients.append(client)
        client.connect((host.host, host.port))
        client.setblocking(False)
        return client

    def come(self, data: bytes = b"") -> socket.socket:
        """
        Be a client that has sent something when it is accepted.
        """
        client = self.connect(self.port)
        if data:
            client.send(data)
        return client

    def connected(self, protocol: Any, **options: Any) -> tuple[Any, socket.socket]:
        """
        Make one connection.

        @param protocol: the server's protocol.
        @return: it, connected, and the client.
        """
        port, factory = self.listen(lambda: protocol)
        client = self.connect(port, **options)
        self.turn_until(lambda: factory.built)
        return protocol, client

    def turn(self, times: int = 1) -> None:
        """
        Turn the reactor.
        """
        for _ in range(times):
            self.reactor.iterate(0)

    def turn_until(self, condition: Callable[[], Any]) -> None:
        """
        Turn the reactor until something is so.
        """
        for _ in range(TURNS_MAX):
            if condition():
                return
            self.reactor.iterate(TURN_SECONDS)
        self.fail("it did not happen")

    def read(self, client: socket.socket) -> bytes:
        """
        Turn the reactor until a client has something to read, and read it.

        @return: what was read; nothing at the end of the stream.
        @raise OSError: as recv(2) does: C{ConnectionResetError} if the server aborted.
        """
        for _ in range(TURNS_MAX):
            try:
                return client.recv(1 << 20)
            except BlockingIOError:
                self.reactor.iterate(TURN_SECONDS)
        raise AssertionError("nothing came")

    def read_bytes(self, client: socket.socket, count: int) -> bytes:
        """
        Turn the reactor and read so many bytes as a client.
        """
        parts = bytearray()
        while len(parts) < count:
            part = self.read(client)
            self.assertNotEqual(b"", part, f"the stream ended after {len(parts)} bytes")
            parts += part
        return bytes(parts)

    def read_to_end(self, client: socket.socket) -> bytes:
        """
        Turn the reactor and read as a client until the stream ends.

        @raise OSError: as for L{read}.
        """
        return b"".join(iter(lambda: self.read(client), b""))


def reset(client: socket.socket) -> None:
    """
    Close a client's socket with a reset instead of a FIN.
    """
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


@contextmanager
def no_descriptors(one: int) -> Iterator[None]:
    """
    Use up all descriptors of this process, and give them back at the end.

    @param one: an open one, to be duplicated.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, soft), hard))
    taken = []
    try:
        while True:
            try:
                taken.append(os.dup(one))
            except OSError:
                break
        yield
    finally:
        for fd in taken:
            os.close(fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


if TYPE_CHECKING:
    ConnectionCases = ConnectionTestCase
else:
    # What cases are in that run on several transports: no test case by itself, or they would also
    # run apart.
    ConnectionCases = object
