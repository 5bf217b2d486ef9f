"""
What the page shows: the events of one run, kept for every open page, in bounded memory.

There is one log, and each listener has a place in it. A listener that is slow is behind; it costs
no memory of its own. One that comes later, or comes back, reads what it has missed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Self

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from netlab.http1.resources.serverevents import HEARTBEAT, server_event

EVENTS_MAX: Final = 10_000
"""How many events of a run are kept; of further ones there is only word that there were some."""

KEPT_MAX_BYTES: Final = 16 << 20
"""How much memory they may take."""

LISTENERS_MAX: Final = 16
"""How many may look on at once. A browser opens at most six connections to one server."""

HEARTBEAT_SECONDS: Final = 15.0

_RESERVED_EVENTS: Final = 8
"""Kept free for what tells how a run ended."""

_PIECE_EVENTS: Final = 100

_IDENTIFIER: Final = re.compile(rb"([0-9]{1,9})-([0-9]{1,9})")


class TooManyListenersError(Exception):
    """
    Nobody else may look on.
    """


class Feed:
    """
    The log, and who reads it.

    @ivar run: the number of the run that the log is about; 0 before the first.
    @ivar is_full: whether events have been left out.
    """

    def __init__(self, clock: IReactorTime) -> None:
        """
        @param clock: measures the time between heartbeats.
        """
        self.run = 0
        self.is_full = False
        self._clock = clock
        self._events: list[bytes] = []
        self._bytes = 0
        self._has_ended = False
        self._listeners: set[Listener] = set()

    def __len__(self) -> int:
        return len(self._events)

    @property
    def listeners(self) -> int:
        """
        How many look on.
        """
        return len(self._listeners)

    def begin(self) -> int:
        """
        Begin the log of another run; what is left of the one before is forgotten.

        @return: the run's number.
        """
        self.run += 1
        self.is_full = False
        self._events.clear()
        self._bytes = 0
        return self.run

    def add(self, name: str, data: Mapping[str, Any], *, is_last: bool = False) -> bool:
        """
        Tell everyone of an event.

        @param name: its type, of lower-case letters.
        @param data: what JSON can carry.
        @param is_last: it is one of the few that tell how a run ended, for which there is room.
        @return: whether it is in the log; not if that is full.
        """
        identifier = f"{self.run}-{len(self._events)}"
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        # Bytes of the wire may be half a surrogate when they are shown as text.
        event = server_event(text.encode("utf-8", "replace").decode("utf-8"), name, identifier)
        room = EVENTS_MAX - (0 if is_last else _RESERVED_EVENTS)
        if len(self._events) >= room or (self._bytes + len(event) > KEPT_MAX_BYTES and not is_last):
            self.is_full = True
            return False
        self._events.append(event)
        self._bytes += len(event)
        for listener in tuple(self._listeners):
            listener.wake()
        return True

    def listen(self, last_event: bytes | None = None) -> Listener:
        """
        Let somebody look on.

        @param last_event: the identifier of the last event that they have had, from anywhere.
        @raise TooManyListenersError: there are L{LISTENERS_MAX} already.
        """
        if len(self._listeners) >= LISTENERS_MAX:
            raise TooManyListenersError
        match = _IDENTIFIER.fullmatch(last_event or b"")
        run, place = (int(match[1]), int(match[2]) + 1) if match else (self.run, 0)
        listener = Listener(self, run, place, self._clock, self._listeners.discard)
        self._listeners.add(listener)
        return listener

    def end(self) -> None:
        """
        There will be no more events: all listeners get what they have not had, and leave.
        """
        self._has_ended = True
        for listener in tuple(self._listeners):
            listener.wake()

    def since(self, run: int, place: int) -> tuple[list[bytes], int, int]:
        """
        Give the events that somebody has not had.

        @param run: the run that they read about.
        @param place: how many of its events they have had.
        @return: some events, and the run and the place behind them.
        """
        if run != self.run or place > len(self._events):
            run, place = self.run, 0
        events = self._events[place : place + _PIECE_EVENTS]
        return events, run, place + len(events)

    @property
    def has_ended(self) -> bool:
        """
        Whether there will be no more events.
        """
        return self._has_ended


class Listener:
    """
    One who looks on: the content of a response, see L{netlab.http1.resources.responses.Response}.
    """

    def __init__(
        self,
        feed: Feed,
        run: int,
        place: int,
        clock: IReactorTime,
        left: Callable[[Listener], object],
    ) -> None:
        self._feed = feed
        self._run = run
        self._place = place
        self._clock = clock
        self._left = left
        self._waiting: Deferred[None] | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """
        Wait for events, or for the time of a heartbeat: it finds out that a client has vanished.
        """
        while True:
            events, self._run, self._place = self._feed.since(self._run, self._place)
            if events:
                return b"".join(events)
            if self._feed.has_ended:
                raise StopAsyncIteration
            if not await self._wait():
                return HEARTBEAT

    async def aclose(self) -> None:
        """
        The client has gone, or will not be sent more.
        """
        self._left(self)

    def wake(self) -> None:
        """
        There is something to read.
        """
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)

    async def _wait(self) -> bool:
        """
        Wait until there is something to read.

        @return: whether there is; not if it took too long.
        """
        waiting: Deferred[None] = Deferred()
        self._waiting = waiting
        timer = self._clock.callLater(HEARTBEAT_SECONDS, self.wake)
        try:
            await waiting
        finally:
            self._waiting = None
            is_timely = timer.active()
            if is_timely:
                timer.cancel()
        return is_timely
