"""
A queue in which each peer has a share, however many wait for another one.
"""

from __future__ import annotations

from collections import deque
from ipaddress import IPv6Address
from typing import Generic, TypeVar

T = TypeVar("T")


class PeerTurns(Generic[T]):
    """
    What waits, by peer. Peers are served in turn, each its oldest first; where there is no room
    left, the peer with the most gives up its newest, so that one that has less gets in.
    """

    __slots__ = ("_most", "_size", "_waiting")

    def __init__(self, most: int) -> None:
        """
        @param most: how many may wait in all.
        """
        self._most = most
        self._size = 0
        # In the order of their turns.
        self._waiting: dict[bytes, deque[T]] = {}

    def __len__(self) -> int:
        return self._size

    def add(self, peer: bytes, item: T) -> T | None:
        """
        Let something wait.

        @return: what has to give way: something of another peer's, or the item itself; C{None}
            where there was room.
        """
        out: T | None = None
        if self._size >= self._most:
            largest = max(self._waiting, key=lambda each: len(self._waiting[each]))
            if len(self._waiting.get(peer, ())) + 1 >= len(self._waiting[largest]):
                return item
            out = self._waiting[largest].pop()
            self._size -= 1
        self._waiting.setdefault(peer, deque()).append(item)
        self._size += 1
        return out

    def take(self) -> T | None:
        """
        Take what is next; its peer's turn comes again after all others'.
        """
        if not self._waiting:
            return None
        peer, items = next(iter(self._waiting.items()))
        item = items.popleft()
        self._size -= 1
        del self._waiting[peer]
        if items:
            self._waiting[peer] = items
        return item

    def remove(self, peer: bytes, item: T) -> bool:
        """
        Let something not wait any more.

        @return: whether it did.
        """
        items = self._waiting.get(peer)
        if items is None or item not in items:
            return False
        items.remove(item)
        self._size -= 1
        if not items:
            del self._waiting[peer]
        return True


def peer_key(peer: bytes) -> bytes:
    """
    Reduce an address to what one peer has for itself: an IPv6 host commonly has a whole /64.
    """
    if b":" not in peer:
        return peer
    try:
        address = IPv6Address(peer.decode("ascii").partition("%")[0])
    except ValueError:
        return peer
    # At a port for both families, IPv4 peers all lie in one /64: ::ffff:0:0.
    return str(address.ipv4_mapped).encode() if address.ipv4_mapped else address.packed[:8]
