"""
Twisted's own TCP classes on the sockets of a simulated host.

Only where a socket comes from is ours: what a transport does with producers, half-closes, aborts
and failures is Twisted's own code.
"""

# mypy: allow-untyped-calls
# Twisted leaves its TCP classes without annotations.

from __future__ import annotations

import socket
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
        owner: Any = self.reactor
        made = owner.process.open_socket(self.addressFamily)
        # As on all systems but Windows.
        if getattr(self, "_reuseAddress", True):
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if getattr(self, "_reusePort", False) and hasattr(socket, "SO_REUSEPORT"):
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        return made


class SimulatedClient(tcp.Client):
    """
    A connection that a simulated host opens.
    """

    def createInternetSocket(self) -> Any:
        """
        Make a socket of the host's.
        """
        # Its own reactor is set only later.
        return self.connector.reactor.process.open_socket(self.addressFamily)


class SimulatedConnector(tcp.Connector):
    """
    Opens a connection from a simulated host.
    """

    def _makeTransport(self) -> tcp.Client:
        return SimulatedClient(self.host, self.port, self.bindAddress, self, self.reactor)
