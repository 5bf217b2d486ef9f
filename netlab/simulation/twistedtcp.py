"""
Twisted's own TCP classes on the sockets of a simulated host.

Only where a socket comes from is ours: what a transport does with producers, half-closes, aborts and
failures is Twisted's own code.
"""

from __future__ import annotations

from typing import Any

from twisted.internet import tcp


class SimulatedPort(tcp.Port):
    """
    A port that listens on a simulated host.
    """

    def createInternetSocket(self) -> Any:
        """
        Make a socket of the host's.
        """
        return _open(self)


class SimulatedClient(tcp.Client):
    """
    A connection that a simulated host opens.
    """

    def createInternetSocket(self) -> Any:
        """
        Make a socket of the host's.
        """
        return _open(self)


class SimulatedConnector(tcp.Connector):
    """
    Opens a connection from a simulated host.
    """

    def _makeTransport(self) -> tcp.Client:
        return SimulatedClient(self.host, self.port, self.bindAddress, self, self.reactor)


def _open(owner: Any) -> Any:
    """
    Make a socket for what Twisted's class is about to bind or connect.
    """
    return owner.reactor.process.open_socket(owner.addressFamily)
