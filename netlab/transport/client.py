"""
A client's end of a TCP connection that sends at once, and how Twisted's endpoints come to make it.
"""

# mypy: allow-untyped-calls
# Most methods of the base class have no annotations.

from __future__ import annotations

from typing import Any

from twisted.internet import main, tcp
from twisted.internet.interfaces import IConnector
from twisted.internet.protocol import ClientFactory
from zope.interface import directlyProvides, providedBy

from netlab.transport import compat
from netlab.transport.directsending import DirectSender


class FastClient(DirectSender, tcp.Client):
    """
    A client's end, as L{tcp.Client} but for its writing.
    """

    def doRead(self) -> Any:
        """
        Deliver what has arrived.

        @return: why the connection, or the server's half of it, is over; C{None} while it is not.
        """
        over = super().doRead()
        if over is main.CONNECTION_DONE and self._is_broken:
            # A send has taken the error that recv(2) would have reported.
            return main.CONNECTION_LOST
        return over


class FastConnector(tcp.Connector):
    """
    Makes L{FastClient}s.
    """

    def _makeTransport(self) -> FastClient:
        return FastClient(self.host, self.port, self.bindAddress, self, self.reactor)


class ConnectingReactor:
    """
    A reactor whose C{connectTCP} makes connections that send at once; all else is the other
    reactor's. So Twisted's own endpoints, with their looking up of names and their trying of
    addresses, make them too.
    """

    def __init__(self, reactor: Any) -> None:
        """
        @param reactor: watches descriptors (L{IReactorFDSet
            <twisted.internet.interfaces.IReactorFDSet>}).
        """
        self._reactor = reactor
        directlyProvides(self, providedBy(reactor))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)

    def connectTCP(
        self,
        host: str,
        port: int,
        factory: ClientFactory,
        timeout: float = 30,
        bindAddress: tuple[str, int] | None = None,
    ) -> IConnector:
        """
        Connect; as L{IReactorTCP.connectTCP<twisted.internet.interfaces.IReactorTCP.connectTCP>}.
        """
        connector = FastConnector(host, port, factory, timeout, bindAddress, self._reactor)
        connector.connect()
        made: IConnector = connector
        return made


def connecting_reactor(reactor: Any) -> Any:
    """
    Find what connects by the fast way where there is one, and else by Twisted's own.
    """
    return reactor if compat.reason_to_connect_stock(reactor) else ConnectingReactor(reactor)
