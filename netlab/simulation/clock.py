"""
The one clock of a simulation: all happens at its times, and time passes by its steps alone.

Times are whole nanoseconds since the simulation began, so that a run is the same on any machine.
What Twisted's interfaces want as seconds is converted at the edge.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from typing import Any, Final

from twisted.internet.error import AlreadyCalled, AlreadyCancelled
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from zope.interface import implementer

NANOSECONDS: Final = 1_000_000_000
"""In a second."""

EPOCH_NS: Final = 1_767_225_600 * NANOSECONDS
"""When every simulation begins: 2026-01-01 00:00:00 UTC, in nanoseconds since 1970."""

_ROUNDING_NS: Final = 1e-3
"""So much of a nanosecond is an error of floating point and not meant."""

_STALE_MAX: Final = 256
"""Cancelled calls that may lie in the heap before they are looked for."""


def nanoseconds(seconds: float) -> int:
    """
    Convert a duration, upwards, so that nothing is early: any duration but 0 takes time.

    @param seconds: not negative.
    """
    if seconds <= 0:
        return 0
    return max(1, math.ceil(seconds * NANOSECONDS - _ROUNDING_NS))


@implementer(IDelayedCall)
class VirtualCall:
    """
    A call that is due at a time.

    @ivar due: when, in nanoseconds of the clock.
    @ivar order: calls of one time are made in the order of these.
    """

    __slots__ = ("_arguments", "_clock", "_function", "_keywords", "_state", "due", "order")

    def __init__(
        self,
        clock: VirtualClock,
        due: int,
        order: int,
        function: Callable[..., object],
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
    ) -> None:
        self.due = due
        self.order = order
        self._clock = clock
        self._function = function
        self._arguments = arguments
        self._keywords = keywords
        # None while it is waiting, then what it must not be cancelled for.
        self._state: type[Exception] | None = None

    @property
    def function(self) -> Callable[..., object]:
        """
        What it calls.
        """
        return self._function

    def getTime(self) -> float:
        """
        Tell when it is due, in seconds of the clock.
        """
        return self.due / NANOSECONDS

    def active(self) -> bool:
        """
        Tell whether it is still to be made.
        """
        return self._state is None

    def cancel(self) -> None:
        """
        Do not make it.

        @raise AlreadyCalled: it has been made.
        @raise AlreadyCancelled: it has been cancelled.
        """
        self._check()
        self._state = AlreadyCancelled
        self._clock.one_is_stale()

    def reset(self, secondsFromNow: float) -> None:
        """
        Make it that much later than now.
        """
        self._check()
        self._clock.move(self, self._clock.now + nanoseconds(secondsFromNow))

    def delay(self, secondsLater: float) -> None:
        """
        Make it that much later than it was to be.
        """
        self._check()
        earlier = secondsLater < 0
        change = nanoseconds(abs(secondsLater))
        self._clock.move(self, max(self._clock.now, self.due + (-change if earlier else change)))

    def make(self) -> None:
        """
        Make it.
        """
        self._state = AlreadyCalled
        self._function(*self._arguments, **self._keywords)

    def _check(self) -> None:
        if self._state is not None:
            raise self._state


_Entry = tuple[int, int, VirtualCall | None, Callable[..., object] | None, tuple[Any, ...]]
"""When, in which order, and a call that may be cancelled, or else a function and its arguments."""


@implementer(IReactorTime)
class VirtualClock:
    """
    Makes calls in the order of their times; those of one time, in the order in which they were
    asked for.

    @ivar now: nanoseconds since the simulation began.
    @ivar epoch: when it began, in nanoseconds since 1970-01-01 UTC.
    @ivar made: how many calls have been made.
    """

    def __init__(self, epoch: int = EPOCH_NS) -> None:
        """
        @param epoch: when the simulation begins.
        """
        self.now = 0
        self.epoch = epoch
        self.made = 0
        self._order = 0
        self._stale = 0
        # A moved call is there twice; its entry that is not of its time is stale.
        self._heap: list[_Entry] = []

    def seconds(self) -> float:
        """
        Tell the time in seconds since the simulation began.
        """
        return self.now / NANOSECONDS

    def time_ns(self) -> int:
        """
        Tell the time of day: nanoseconds since 1970-01-01 UTC.
        """
        return self.epoch + self.now

    def callLater(
        self,
        delay: float,
        callable: Callable[..., object],  # noqa: A002, so the interface calls it
        *args: object,
        **kwargs: object,
    ) -> VirtualCall:
        """
        Make a call later.

        @param delay: seconds, not negative.
        """
        if delay < 0:
            raise ValueError(f"{delay} s: a call cannot be made in the past")
        return self._put(self.now + nanoseconds(delay), callable, args, kwargs)

    def call_at(self, due: int, function: Callable[..., object], *arguments: Any) -> VirtualCall:
        """
        Make a call at a time; now, if that is past.

        @param due: nanoseconds since the simulation began.
        """
        return self._put(max(due, self.now), function, arguments, {})

    def post(self, due: int, function: Callable[..., object], *arguments: Any) -> None:
        """
        Make a call at a time, as L{call_at}, without a handle: it cannot be cancelled.
        """
        self._order += 1
        heapq.heappush(self._heap, (max(due, self.now), self._order, None, function, arguments))

    def getDelayedCalls(self) -> list[IDelayedCall]:
        """
        List the calls that are still to be made, the next one first.
        """
        return list(self.waiting_calls())

    def waiting_calls(self) -> list[VirtualCall]:
        """
        List the calls that may still be cancelled, the next one first.
        """
        entries = sorted(self._heap, key=lambda entry: entry[:2])
        return [entry[2] for entry in entries if entry[2] is not None and _is_present(entry)]

    @property
    def next_due(self) -> int | None:
        """
        When something will next happen; None if nothing ever will.
        """
        self._drop_stale()
        return self._heap[0][0] if self._heap else None

    def step(self) -> bool:
        """
        Go to the time of the next call and make it.

        @return: whether there was one.
        """
        heap = self._heap
        while heap:
            due, order, call, function, arguments = heapq.heappop(heap)
            if function is not None:
                self.now = max(due, self.now)
                self.made += 1
                function(*arguments)
                return True
            assert call is not None
            if call.order == order and call.active():
                self.now = max(due, self.now)
                self.made += 1
                call.make()
                return True
            self._stale -= 1
        return False

    def advance(self, duration: int) -> None:
        """
        Let time pass, and make the calls that become due.

        @param duration: nanoseconds.
        """
        end = self.now + duration
        while (due := self.next_due) is not None and due <= end:
            self.step()
        self.now = end

    def catch_up(self, now: int) -> None:
        """
        Let it be later, without making the calls that have become due: they are late, and come
        next. For a simulation that something outside of it keeps the time of.
        """
        self.now = max(now, self.now)

    def move(self, call: VirtualCall, due: int) -> None:
        """
        Make a waiting call at another time, behind those that are there.
        """
        self._order += 1
        call.due, call.order = due, self._order
        heapq.heappush(self._heap, (due, call.order, call, None, ()))
        self.one_is_stale()

    def one_is_stale(self) -> None:
        """
        Take note that an entry of the heap is of no use any more; if most are, clear them away.
        """
        self._stale += 1
        if self._stale > _STALE_MAX and self._stale * 2 > len(self._heap):
            # In place: a step may be at work on it.
            self._heap[:] = filter(_is_present, self._heap)
            heapq.heapify(self._heap)
            self._stale = 0

    def _put(
        self,
        due: int,
        function: Callable[..., object],
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
    ) -> VirtualCall:
        self._order += 1
        call = VirtualCall(self, due, self._order, function, arguments, keywords)
        heapq.heappush(self._heap, (due, self._order, call, None, ()))
        return call

    def _drop_stale(self) -> None:
        while self._heap and not _is_present(self._heap[0]):
            heapq.heappop(self._heap)
            self._stale -= 1


def _is_present(entry: _Entry) -> bool:
    """
    Tell whether an entry of the heap is still to be looked at.
    """
    call = entry[2]
    return call is None or (call.order == entry[1] and call.active())
