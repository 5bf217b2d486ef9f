"""
A connection that has left HTTP for another protocol (RFC 9110 section 7.8).
"""

from __future__ import annotations

from typing import Any
from typing import Protocol as Structure

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from netlab.connections import OpenConnections


class Left(Structure):
    """
    What the connection was before.
    """

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Give back what it has of the server.
        """


@implementer(IHalfCloseableProtocol)
class UpgradedConnection(Protocol):
    """
    Stands for the new protocol towards the transport, and for the connection towards the server:
    what that counts, it still counts.
    """

    def __init__(self, before: Left, after: Any, connections: OpenConnections) -> None:
        """
        @param before: spoke HTTP.
        @param after: what is spoken now; it can be closed.
        @param connections: the open ones.
        """
        self._before = before
        self._after = after
        self._connections = connections

    def take_over(self, transport: Any, data: bytes) -> None:
        """
        Begin.

        @param transport: the connection's.
        @param data: what has been received for the new protocol.
        """
        # Twisted's TLS, and its PROXY protocol, wrap.
        wraps = hasattr(transport, "wrappedProtocol")
        setattr(transport, "wrappedProtocol" if wraps else "protocol", self)
        self.transport = transport
        self.connected = 1
        self._connections.add(self._after)
        self._after.makeConnection(transport)
        if data:
            self._after.dataReceived(data)

    def dataReceived(self, data: bytes) -> None:
        """
        Hand on.
        """
        self._after.dataReceived(data)

    def readConnectionLost(self) -> None:
        """
        The client sends nothing more; no protocol that is switched to goes on then.
        """
        assert self.transport is not None
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """
        Our side is shut.
        """

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Leave nothing behind.
        """
        self._connections.remove(self._after)
        self._after.connectionLost(reason)
        self._before.connectionLost(reason)
