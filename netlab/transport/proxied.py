"""
Connections that a proxy passes on, with the client's address in a PROXY header before all else.

Twisted's own C{haproxy:} introduces a connection before it knows whose it is, ends one whose header
comes in two deliveries, and wraps the transport ever after. Here the protocol behind is made when
the header has come, with the client's address, and then has the transport to itself.
"""

from __future__ import annotations

from ipaddress import IPv4Address as Version4
from typing import Any, Final

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IListeningPort,
    IProtocolFactory,
    IReactorTime,
    IStreamServerEndpoint,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from netlab.factories import Factory
from netlab.transport.proxyheader import ProxyHeader, ProxyHeaderError, read_proxy_header

#: A proxy sends its header at once. HAProxy itself waits for one for as long as for a client.
HEADER_SECONDS: Final = 3.0

#: How many connections may wait for their header; nobody counts them yet but we.
WAITING_MAX: Final = 1024

_log = Logger()


class _AwaitedConnection(Protocol):
    """
    A connection whose header has not come yet.
    """

    def __init__(self, factory: ProxiedFactory) -> None:
        self._factory = factory
        self._received = b""
        self._patience: IDelayedCall | None = None

    def connectionMade(self) -> None:
        factory = self._factory
        factory.waiting.add(self)
        if len(factory.waiting) > WAITING_MAX:
            self.abort()
        else:
            self._patience = factory.clock.callLater(HEADER_SECONDS, self.abort)

    def dataReceived(self, data: bytes) -> None:
        received = self._received + data
        try:
            header = read_proxy_header(received)
        except ProxyHeaderError as error:
            _log.warn("A connection without a PROXY header was closed: {error}", error=error)
            self.abort()
            return
        if header is None:
            self._received = received
        else:
            self._hand_over(header, received[header.length :])

    def _hand_over(self, header: ProxyHeader, rest: bytes) -> None:
        self._forget()
        transport: Any = self.transport
        peer = transport.getPeer() if header.source is None else _address(*header.source)
        protocol = self._factory.wrapped.buildProtocol(peer)
        if protocol is None:
            transport.loseConnection()
            return
        transport.protocol = protocol
        # The transport's own peer is the proxy.
        transport.proxied_client = peer
        protocol.makeConnection(transport)
        if rest:
            protocol.dataReceived(rest)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._forget()

    def abort(self) -> None:
        """
        Wait no longer.
        """
        self._forget()
        transport: Any = self.transport
        transport.abortConnection()

    def _forget(self) -> None:
        self._factory.waiting.discard(self)
        if self._patience is not None and self._patience.active():
            self._patience.cancel()
        self._patience = None


class ProxiedFactory(Factory[_AwaitedConnection]):
    """
    Makes connections that begin with a PROXY header, and then are another factory's.

    @ivar wrapped: the other factory. It is given the client's address.
    @ivar clock: measures how long a header takes.
    @ivar waiting: the connections whose header has not come yet.
    """

    noisy = False

    def __init__(self, wrapped: IProtocolFactory, clock: IReactorTime) -> None:
        self.wrapped = wrapped
        self.clock = clock
        self.waiting: set[_AwaitedConnection] = set()

    def buildProtocol(self, addr: IAddress | None) -> _AwaitedConnection:
        """
        Wait for a header.
        """
        return _AwaitedConnection(self)

    def doStart(self) -> None:
        """
        A port has opened.
        """
        super().doStart()  # type: ignore[no-untyped-call]
        self.wrapped.doStart()

    def doStop(self) -> None:
        """
        A port has closed: nobody is waited for any longer.
        """
        super().doStop()  # type: ignore[no-untyped-call]
        for connection in list(self.waiting):
            connection.abort()
        self.wrapped.doStop()


@implementer(IStreamServerEndpoint)
class ProxiedEndpoint:
    """
    An endpoint whose connections all begin with a PROXY header.
    """

    def __init__(self, endpoint: IStreamServerEndpoint, clock: IReactorTime) -> None:
        """
        @param endpoint: where a proxy, and nobody else, can connect: TCP or UNIX, without TLS.
        @param clock: measures how long a header takes.
        """
        self._endpoint = endpoint
        self._clock = clock

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """
        Begin to listen.

        @param protocolFactory: builds a protocol for each connection, once its header has come.
        @return: as the endpoint behind.
        """
        return self._endpoint.listen(ProxiedFactory(protocolFactory, self._clock))


def _address(address: object, port: int) -> IAddress:
    kind = IPv4Address if isinstance(address, Version4) else IPv6Address
    made: IAddress = kind("TCP", str(address), port)
    return made
