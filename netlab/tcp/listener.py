"""
What waits for connections.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import final

from netlab.tcp.connection import TCPConnection
from netlab.tcp.isn import Address


@final
class TCPListener:
    """
    A local address and port in LISTEN.

    @ivar local: an address of no bytes takes connections to any of the host's.
    @ivar backlog: how many connections may wait to be accepted, less one (as Linux counts).
    @ivar fast_open: how many may be in SYN-RECEIVED with data from their SYN (RFC 7413); 0: none.
    @ivar early: how many are.
    @ivar prepare: called with each new connection before its SYN-ACK is made, to set its options;
        C{None} for none.
    @ivar half_open: the connections in SYN-RECEIVED.
    """

    __slots__ = (
        "_close",
        "_ready",
        "backlog",
        "early",
        "fast_open",
        "half_open",
        "is_closed",
        "local",
        "prepare",
    )

    def __init__(
        self, local: Address, backlog: int, close: Callable[[TCPListener, int], None]
    ) -> None:
        self.local = local
        self.backlog = backlog
        self.fast_open = 0
        self.early = 0
        self.prepare: Callable[[TCPConnection], None] | None = None
        self.half_open: dict[TCPConnection, None] = {}
        self.is_closed = False
        self._ready: deque[TCPConnection] = deque()
        self._close = close

    @property
    def is_full(self) -> bool:
        """
        Whether as many connections wait to be accepted as may.
        """
        return len(self._ready) > self.backlog

    @property
    def waiting(self) -> int:
        """
        How many connections wait to be accepted.
        """
        return len(self._ready)

    def enqueue(self, connection: TCPConnection) -> None:
        """
        Let a connection wait to be accepted.
        """
        self._ready.append(connection)

    def accept(self) -> TCPConnection | None:
        """
        Take the connection that has waited longest.
        """
        return self._ready.popleft() if self._ready else None

    def close(self, now: int) -> None:
        """
        Listen no more. Connections that nobody has accepted are reset.
        """
        if not self.is_closed:
            self.is_closed = True
            self._close(self, now)
