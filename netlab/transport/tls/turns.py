"""
Work that must not keep others waiting: a part of it at once, the rest when they have had a turn.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Final

from netlab.transport.tls.peerturns import PeerTurns, peer_key

#: How much of such work is done between two turns of all others. A full handshake takes 0.1 to 1
#: millisecond, a KeyUpdate 10 to 20 microseconds, a turn of the reactor itself some 50.
TURN_SECONDS: Final = 0.002


class DecryptionTurns:
    """
    A queue of work of many connections, done in turn by peer, each peer's oldest first: one that
    begins thousands of handshakes keeps itself waiting.

    Work is done at once as long as the work of the last moments has taken less than
    L{TURN_SECONDS} more than half of their time; otherwise it waits, and a turn of the reactor does
    no more of it than that.
    """

    def __init__(self, clock: Any) -> None:
        """
        @param clock: the reactor, or a clock in tests: seconds and delayed calls.
        """
        self._clock = clock
        self._seconds = clock.seconds
        # What waits is bounded by the connections, each of which waits once.
        self._waiting: PeerTurns[Callable[[], None]] = PeerTurns(sys.maxsize)
        self._is_due = False
        self._debt = 0.0
        self._noted = 0.0

    def begin(self) -> float | None:
        """
        Ask whether work may be done at once.

        @return: what L{end} is to be given; None if it must wait: give it to L{add}.
        """
        if self._is_due:
            return None
        now: float = self._seconds()
        # A clock may be set back.
        self._debt = max(0.0, self._debt - max(0.0, now - self._noted) / 2)
        self._noted = now
        return None if self._debt >= TURN_SECONDS else now

    def end(self, began: float) -> None:
        """
        Work was done.

        @param began: from L{begin}.
        """
        self._debt += max(0.0, self._seconds() - began)

    def add(self, work: Callable[[], None], host: object = "") -> None:
        """
        Do work later.

        @param work: raises nothing, and does nothing where its connection is gone.
        @param host: the peer's address; anything else stands for a peer too.
        """
        self._waiting.add(peer_key(str(host).encode("utf-8", "surrogateescape")), work)
        if not self._is_due:
            self._is_due = True
            self._clock.callLater(0, self._take_turn)

    def _take_turn(self) -> None:
        waiting, seconds = self._waiting, self._seconds
        began = seconds()
        # What is added meanwhile has its turn later.
        for _ in range(len(waiting)):
            work = waiting.take()
            assert work is not None
            work()
            if not 0 <= seconds() - began < TURN_SECONDS:
                break
        if waiting:
            self._clock.callLater(0, self._take_turn)
        else:
            self._is_due = False
