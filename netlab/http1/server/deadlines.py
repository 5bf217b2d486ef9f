"""
Any number of deadlines on one C{callLater}.

Moving a deadline is the assignment of a number. Who waits stands in the bucket of a few
milliseconds in which it will next be looked at; a deadline that has moved on meanwhile is found
out then, and its owner moves to another bucket. So an idle connection costs a place in a set, and
a busy one nothing for each request.

Connections that come and go at once, one after the other, must not make and drop a bucket and a
C{callLater} each: the newest bucket stays when it is empty, and so does the call, which then finds
nothing to do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Final, Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

BUCKET_SECONDS: Final = 0.005
"""How late a deadline may be noticed, besides the reactor's own delay."""

#: So close to its deadline a waiter is not sent round again: the division could give it the bucket
#: that is being emptied.
_ROUNDING_SECONDS: Final = 1e-6


_LOOKED_AT_A_TURN: Final = 256
"""How many waiters are looked at before everybody else has a turn: refusing that number of
connections takes some ten milliseconds."""

_LATE_SECONDS: Final = 0.5
"""A busy reactor calls back late, too."""

_SLACK: Final = 64
"""How many keys more than twice the buckets may be left in the order."""


class Waiter(Protocol):
    """
    Something with a deadline.

    @ivar bucket: belongs to L{Deadlines}; None at first.
    """

    bucket: int | None

    def next_deadline(self) -> float | None:
        """
        Return when this waiter wants to be called, in seconds; None for not at all.
        """

    def deadline_passed(self, now: float) -> None:
        """
        The deadline has passed. L{Deadlines.watch} must be called again for another one.
        """


class Deadlines:
    """
    Calls each waiter once its deadline has passed, at most L{BUCKET_SECONDS} late, never early.
    """

    def __init__(self, clock: IReactorTime, seconds: Callable[[], float] | None = None) -> None:
        """
        @param clock: calls back.
        @param seconds: tells the time of all deadlines; None where the clock does.
        """
        self._clock = clock
        self._seconds = clock.seconds if seconds is None else seconds
        # A bucket is a dict only because a set would be larger.
        self._buckets: dict[int, dict[Waiter, None]] = {}
        # The keys of _buckets, as a heap; a key may outlive its bucket, or be there twice.
        self._order: list[int] = []
        # The bucket that was made last; no other one is empty.
        self._newest = -1
        self._call: IDelayedCall | None = None
        self._armed = 0

    def watch(self, waiter: Waiter, deadline: float) -> None:
        """
        See to it that this waiter is looked at by this time.

        It costs nothing to call this again with a later deadline: the waiter stays where it is.

        @param deadline: in seconds, by the clock of the deadlines.
        """
        bucket = math.ceil(deadline / BUCKET_SECONDS)
        if waiter.bucket is not None:
            if waiter.bucket <= bucket:
                return
            self._leave_bucket(waiter)
        waiters = self._buckets.get(bucket)
        if waiters is None:
            self._begin_bucket(bucket, waiter)
        else:
            waiters[waiter] = None
            if bucket == self._newest:
                # The same number, once for all in there: 32 bytes less for each.
                bucket = self._newest
        waiter.bucket = bucket

    def forget(self, waiter: Waiter) -> None:
        """
        Never call this waiter again.
        """
        if waiter.bucket is not None:
            self._leave_bucket(waiter)

    def rest(self) -> None:
        """
        Leave nothing armed, if nobody waits.
        """
        if any(self._buckets.values()):
            return
        self._buckets.clear()
        self._order.clear()
        self._newest = -1
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def catch_up(self, now: float) -> None:
        """
        Look at the waiters that are overdue. The clock that calls back may go by the time of day,
        and that may have been set back.
        """
        if self._call is not None and self._armed * BUCKET_SECONDS + _LATE_SECONDS < now:
            self._arm(self._armed)

    def _begin_bucket(self, bucket: int, waiter: Waiter) -> None:
        buckets = self._buckets
        if not buckets.get(self._newest, True):
            del buckets[self._newest]
        self._newest = bucket
        buckets[bucket] = {waiter: None}
        heappush(self._order, bucket)
        if len(self._order) > 2 * len(buckets) + _SLACK:
            # In ascending order it is a heap. In place: L{_look} may be at work on it.
            self._order[:] = sorted(buckets)
        if self._call is None or bucket < self._armed:
            self._arm(bucket)

    def _leave_bucket(self, waiter: Waiter) -> None:
        bucket = waiter.bucket
        assert bucket is not None
        waiter.bucket = None
        waiters = self._buckets[bucket]
        waiters.pop(waiter, None)
        if not waiters and bucket != self._newest:
            del self._buckets[bucket]

    def _arm(self, bucket: int) -> None:
        if self._call is not None:
            self._call.cancel()
        self._armed = bucket
        delay = max(0.0, bucket * BUCKET_SECONDS - self._seconds())
        self._call = self._clock.callLater(delay, self._look)

    def _look(self) -> None:
        """
        Look at every waiter whose bucket is due; if they are many, at the others in the next turn.
        """
        self._call = None
        now = self._seconds()
        order = self._order
        left = _LOOKED_AT_A_TURN
        while order and order[0] * BUCKET_SECONDS <= now:
            bucket = heappop(order)
            waiters = self._buckets.get(bucket, {})
            while waiters:
                if not left:
                    heappush(order, bucket)
                    self._arm(bucket)
                    return
                left -= 1
                # One at a time: a call may make another waiter of this bucket forget.
                waiter, _ = waiters.popitem()
                waiter.bucket = None
                deadline = waiter.next_deadline()
                if deadline is None:
                    continue
                if deadline <= now + _ROUNDING_SECONDS:
                    waiter.deadline_passed(now)
                else:
                    self.watch(waiter, deadline)
            self._buckets.pop(bucket, None)
        while order and order[0] not in self._buckets:
            heappop(order)
        if order:
            self._arm(order[0])
