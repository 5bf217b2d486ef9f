"""
Waiting for what the wire sees: connections that close.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet import defer
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from netlab.lab.wire.tracker import ConnectionTracker
from netlab.lab.wire.wire import Crossing, Wire


class WireWatch:
    """
    Watches the segments that arrive at either end of a wire.
    """

    def __init__(self, clock: IReactorTime, wire: Wire) -> None:
        self._clock = clock
        self._tracker = ConnectionTracker()
        self._waiting: list[defer.Deferred[None]] = []
        wire.observers.append(self._track)

    async def all_closed(self) -> None:
        """
        Wait until every connection that the wire has seen is closed or reset.
        """
        await self._arrivals(lambda: self._tracker.all_closed)

    async def all_ended_by(self, address: bytes) -> None:
        """
        Wait until a host has closed its side of every connection, or one of them has reset it.

        @param address: the host's, 4 bytes.
        """
        await self._arrivals(lambda: self._tracker.all_ended_by(address))

    def _track(self, crossing: Crossing) -> None:
        if crossing.end is not crossing.sender:
            self._tracker.arrived(crossing.decoded)
            waiting, self._waiting = self._waiting, []
            for one in waiting:
                one.callback(None)

    async def _arrivals(self, is_enough: Callable[[], bool]) -> None:
        """
        Wait for segments to arrive until there are enough.
        """

        def forget(change: defer.Deferred[None]) -> None:
            if change in self._waiting:
                self._waiting.remove(change)

        while not is_enough():
            change: defer.Deferred[None] = defer.Deferred(forget)
            self._waiting.append(change)
            await change
            # Not within the wire's own call: what comes next may stop the wire.
            await deferLater(self._clock, 0)
