"""
Servers in memory: a test sees what the client sent and says what comes back.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IProtocol, IStreamClientEndpoint
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface import implementer

from netlab.http1.client.clientprotocol import HTTPClientProtocol
from netlab.http1.sansio.url import URL


class ServerEnd(StringTransport):
    """
    The client's transport, with the server's words put into it.

    @ivar is_open: whether neither end has closed.
    @ivar was_aborted: whether the client closed at once.
    """

    def __init__(self, url: URL) -> None:
        super().__init__()
        self.url = url
        self.protocol: HTTPClientProtocol | None = None
        self.is_open = True
        self.was_aborted = False

    def asked(self) -> bytes:
        """
        Return what the client has sent since the last call.
        """
        sent: bytes = self.value()
        self.clear()
        return sent

    def says(self, data: bytes) -> None:
        """
        Deliver these bytes to the client.
        """
        assert self.protocol is not None
        self.protocol.dataReceived(data)

    def ends(self) -> None:
        """
        Close in order.
        """
        self._lose(ConnectionDone())

    def resets(self) -> None:
        """
        Send a reset.
        """
        self._lose(ConnectionLost())

    def loseConnection(self) -> None:
        """
        The client closes in order.
        """
        self._lose(ConnectionDone())

    def abortConnection(self) -> None:
        """
        The client closes at once.
        """
        self.was_aborted = self.is_open
        self._lose(ConnectionLost())

    def _lose(self, reason: Exception) -> None:
        if self.is_open:
            self.is_open = False
            assert self.protocol is not None
            self.protocol.connectionLost(Failure(reason))


class MemoryNet:
    """
    Where the client connects to: each connection is one L{ServerEnd}.

    @ivar ends: the connections, in order.
    @ivar failure: if set, what connecting fails with.
    @ivar waiting: if set, connecting waits for it.
    """

    def __init__(self) -> None:
        self.clock = Clock()
        self.ends: list[ServerEnd] = []
        self.failure: Exception | None = None
        self.waiting: Deferred[None] | None = None

    def endpoint_for(self, url: URL) -> IStreamClientEndpoint:
        """
        Find the way to this URL's server.
        """
        return MemoryEndpoint(self, url)

    def idle_clock(self) -> bool:
        """
        Whether nothing is left to be called later.
        """
        return not self.clock.getDelayedCalls()


@implementer(IStreamClientEndpoint)
class MemoryEndpoint:
    """
    The way to one server.
    """

    def __init__(self, net: MemoryNet, url: URL) -> None:
        self._net = net
        self._url = url

    def connect(self, protocolFactory: Any) -> Deferred[IProtocol]:
        """
        Connect; at once, if nothing else is set.
        """
        if self._net.failure is not None:
            return fail(self._net.failure)

        def connected(_: object) -> IProtocol:
            protocol: HTTPClientProtocol = protocolFactory.buildProtocol(None)
            end = ServerEnd(self._url)
            end.protocol = protocol
            self._net.ends.append(end)
            protocol.makeConnection(end)
            return protocol

        return (self._net.waiting or succeed(None)).addCallback(connected)
