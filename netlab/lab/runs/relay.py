"""
Where there can be no hosts: a relay between client and server that tells what it read.

It is no wire: it reads from one connection and writes to another, so it knows deliveries, not
segments; who acknowledged what, and how each connection was opened and closed, it cannot see.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from twisted.internet.interfaces import IAddress, IListeningPort
from twisted.internet.protocol import connectionDone
from twisted.protocols.portforward import (
    Proxy,
    ProxyClient,
    ProxyClientFactory,
    ProxyFactory,
    ProxyServer,
)
from twisted.python.failure import Failure

from netlab.lab.api.sides import Side

#: What is reported of one delivery's bytes.
SHOWN_BYTES_MAX: Final = 60


@dataclass(frozen=True, slots=True)
class RelayedPassage:
    """
    Something that the relay noticed.

    @ivar time_ns: nanoseconds since 1970-01-01 UTC.
    @ivar connection: from 1, in the order in which they were accepted.
    @ivar sender: whose doing it was.
    @ivar what: a few words.
    """

    time_ns: int
    connection: int
    sender: Side
    what: str


class Relay:
    """
    Passes the connections of one port on to a server.
    """

    def __init__(
        self,
        reactor: Any,
        addresses: tuple[str, str],
        port: int,
        tell: Callable[[RelayedPassage], None],
        time_ns: Callable[[], int],
    ) -> None:
        """
        @param addresses: where to listen, and where the server is.
        @param port: of both.
        @param tell: is called with each passage.
        @param time_ns: tells the time of day in nanoseconds.
        @raise CannotListenError: the port is taken.
        """
        self._count = 0
        self._tell = tell
        self._time_ns = time_ns
        factory = _Factory(self, reactor, addresses[1], port)
        self._port: IListeningPort = reactor.listenTCP(port, factory, interface=addresses[0])

    async def stop(self) -> None:
        """
        Stop listening.
        """
        stopping = self._port.stopListening()
        if stopping is not None:
            await stopping

    def begin(self) -> Callable[[Side, str], None]:
        """
        Begin to tell of another connection.

        @return: what to call with each thing that happens on it.
        """
        self._count += 1
        number = self._count

        def tell(sender: Side, what: str) -> None:
            self._tell(RelayedPassage(self._time_ns(), number, sender, what))

        tell(Side.CLIENT, "connects")
        return tell


def _shown(data: bytes) -> str:
    """
    Write a delivery on one line.
    """
    shown = repr(data[:SHOWN_BYTES_MAX]) + ("..." if len(data) > SHOWN_BYTES_MAX else "")
    return f"{len(data)} bytes: {shown}"


class _Half(Proxy):
    """
    A connection with one side, which tells what that side does.
    """

    noisy = False
    side: ClassVar[Side]
    tell: Callable[[Side, str], None]

    def dataReceived(self, data: bytes) -> None:
        """
        Tell of a delivery, and hand it on.
        """
        self.tell(self.side, _shown(data))
        super().dataReceived(data)  # type: ignore[no-untyped-call]

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Tell of the end.
        """
        if self.peer is not None:
            self.tell(self.side, "closes")
        super().connectionLost(reason)  # type: ignore[no-untyped-call]


class _ServersHalf(_Half, ProxyClient):
    """
    The connection with the server.
    """

    side = Side.SERVER


class _ConnectingFactory(ProxyClientFactory):
    noisy = False
    protocol = _ServersHalf

    def buildProtocol(self, addr: IAddress | None) -> ProxyClient:
        """
        Make the connection with the server.
        """
        half = super().buildProtocol(addr)
        assert isinstance(half, _ServersHalf)
        half.tell = self.server.tell
        return half


class _ClientsHalf(_Half, ProxyServer):
    """
    The connection with the client.
    """

    side = Side.CLIENT
    clientProtocolFactory = _ConnectingFactory

    def __init__(self, reactor: Any, tell: Callable[[Side, str], None]) -> None:
        self.reactor = reactor
        self.tell = tell


class _Factory(ProxyFactory):
    noisy = False

    def __init__(self, relay: Relay, reactor: Any, host: str, port: int) -> None:
        super().__init__(host, port)
        self._relay = relay
        self._reactor = reactor

    def buildProtocol(self, addr: IAddress | None) -> ProxyServer:
        """
        Make the connection with a client.
        """
        half = _ClientsHalf(self._reactor, self._relay.begin())
        half.factory = self
        return half
