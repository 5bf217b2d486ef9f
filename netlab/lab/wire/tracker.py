"""
Which connections are still open, by the segments that have arrived.

This only decides when a run is over; what a capture says is the analysis' business.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from netlab.capture.segments import Flag, Other, Segment

_MODULUS_MASK = 0xFFFFFFFF


@dataclass(slots=True)
class _Connection:
    """
    @ivar fins: by the sender's key, the number that acknowledges its FIN.
    @ivar acked: the keys of those whose FIN has been acknowledged.
    """

    fins: dict[bytes, int] = field(default_factory=dict)
    acked: set[bytes] = field(default_factory=set)
    is_reset: bool = False

    @property
    def is_over(self) -> bool:
        return self.is_reset or len(self.acked) == 2


class ConnectionTracker:
    """
    Watches segments as they arrive.
    """

    def __init__(self) -> None:
        self._connections: dict[frozenset[bytes], _Connection] = {}

    def arrived(self, frame: Segment | Other) -> None:
        """
        Take note of a segment that has arrived.
        """
        if not isinstance(frame, Segment):
            return
        reverse = frame.reverse_key
        name = frozenset((frame.key, reverse))
        if frame.flags & Flag.SYN and not frame.flags & Flag.ACK:
            self._connections[name] = _Connection()
        connection = self._connections.setdefault(name, _Connection())
        if frame.flags & Flag.RST:
            connection.is_reset = True
        if frame.flags & Flag.FIN:
            connection.fins[frame.key] = (frame.seq + frame.seglen) & _MODULUS_MASK
        if frame.flags & Flag.ACK and connection.fins.get(reverse) == frame.ack:
            connection.acked.add(reverse)

    @property
    def all_closed(self) -> bool:
        """
        Whether there has been a connection, and none is open.
        """
        return bool(self._connections) and all(
            connection.is_over for connection in self._connections.values()
        )

    def all_ended_by(self, address: bytes) -> bool:
        """
        Whether there has been a connection, and a host has closed its side of each, or one of the
        ends has reset it.

        @param address: of the host, 4 bytes.
        """
        return bool(self._connections) and all(
            connection.is_reset or any(key.startswith(address) for key in connection.fins)
            for connection in self._connections.values()
        )
