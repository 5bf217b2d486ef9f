"""
Who may connect: a bound on the connections in all, and on those of one peer.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from netlab.http1.sansio.limits import Admission
from netlab.transport.tls.peerturns import peer_key

_REFUSALS_MAX: Final = 256
"""How many connections beyond the bound get a 503 at the same time; others are just closed."""


class Gate:
    """
    Counts connections by peer.

    @ivar refused: how many connections were not let in, ever.
    """

    def __init__(
        self, admission: Admission, is_proxy: Callable[[bytes], bool] = lambda peer: False
    ) -> None:
        """
        @param admission: the bounds.
        @param is_proxy: tells whether a peer stands for many clients; the bound for one peer does
            not hold for it.
        """
        self._admission = admission
        self._is_proxy = is_proxy
        self._by_peer: dict[bytes, int] = {}
        self._open = 0
        self._refusals = 0
        self.refused = 0

    def enter(self, peer: bytes) -> bool:
        """
        A connection has come.

        @param peer: the peer's address; empty where it has none that could be counted.
        @return: whether it may stay. If so, L{leave} is called once when it goes.
        """
        admission = self._admission
        if self._open >= admission.connections_max:
            self.refused += 1
            return False
        if peer and admission.connections_per_peer_max and not self._is_proxy(peer):
            key = peer_key(peer)
            count = self._by_peer.get(key, 0)
            if count >= admission.connections_per_peer_max:
                self.refused += 1
                return False
            self._by_peer[key] = count + 1
        self._open += 1
        return True

    def has_room(self, peer: bytes) -> bool:
        """
        Find out whether L{enter} would let this peer in.
        """
        admission = self._admission
        if self._open >= admission.connections_max:
            return False
        most = admission.connections_per_peer_max
        if not (peer and most) or self._is_proxy(peer):
            return True
        return self._by_peer.get(peer_key(peer), 0) < most

    @property
    def handshakes_max(self) -> int:
        """
        How many connections may be in their TLS handshake: what is left of the bound; where that is
        next to nothing, as many as may be told so.
        """
        return max(_REFUSALS_MAX, self._admission.connections_max - self._open)

    def leave(self, peer: bytes) -> None:
        """
        A connection that had been let in has gone.

        @param peer: as it was given to L{enter}.
        """
        self._open -= 1
        if peer and self._admission.connections_per_peer_max and not self._is_proxy(peer):
            key = peer_key(peer)
            count = self._by_peer[key] - 1
            if count:
                self._by_peer[key] = count
            else:
                del self._by_peer[key]

    def enter_refusal(self) -> bool:
        """
        A connection that was not let in wants to be told so.

        @return: whether there is room for that. If so, L{leave_refusal} is called once.
        """
        if self._refusals >= _REFUSALS_MAX:
            return False
        self._refusals += 1
        return True

    def leave_refusal(self) -> None:
        """
        A refused connection has gone.
        """
        self._refusals -= 1


@lru_cache(1024)
def peer_of(host: str) -> bytes:
    """
    Write a peer's address for the log: once for all its connections.
    """
    return host.encode("ascii", "backslashreplace")
