"""
Where the times of a capture go back, so that no duration is told across such a point.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final, NamedTuple

STEPS_MAX: Final = 1000
"""How many steps back are kept; if there are more, no duration after the last one is told."""

_ODD: Final = 10
"""How many times longer than all steps back a capture must be for its length to be told."""

_NEVER_NS: Final = 1 << 62


class StepBack(NamedTuple):
    """
    A frame whose time is before that of the frame before it.

    @ivar number: the frame.
    @ivar by_ns: by how many nanoseconds, more than 0.
    """

    number: int
    by_ns: int


class Clock:
    """
    The times of a capture's frames.

    @ivar first_ns: the earliest, in nanoseconds since 1970.
    @ivar last_ns: the latest.
    @ivar steps: where times go back, the first L{STEPS_MAX}.
    @ivar left_out: how many more there are.
    """

    __slots__ = ("_before_ns", "_numbers", "_sums", "first_ns", "last_ns", "left_out", "steps")

    def __init__(self) -> None:
        self.first_ns = self.last_ns = 0
        self.steps: list[StepBack] = []
        self.left_out = 0
        self._before_ns: int | None = None
        self._numbers: list[int] = []
        self._sums = [0]

    def tick(self, number: int, time_ns: int) -> None:
        """
        Take the next frame's time.
        """
        before = self._before_ns
        self._before_ns = time_ns
        if before is None:
            self.first_ns = self.last_ns = time_ns
        elif time_ns >= before:
            self.last_ns = max(self.last_ns, time_ns)
        else:
            self.first_ns = min(self.first_ns, time_ns)
            if len(self.steps) < STEPS_MAX:
                self.steps.append(StepBack(number, before - time_ns))
                self._numbers.append(number)
                self._sums.append(self._sums[-1] + before - time_ns)
            else:
                self.left_out += 1

    @property
    def goes_back(self) -> bool:
        """Whether times go back anywhere."""
        return bool(self.steps)

    @property
    def is_odd(self) -> bool:
        """Whether times go back so far that how long the capture took is not known."""
        return self.left_out > 0 or self._sums[-1] * _ODD > self.last_ns - self.first_ns

    def back_ns(self, first: int, last: int) -> int:
        """
        Tell by how much times go back between two frames, in nanoseconds, all steps together. As
        long as it is not 0, how long it was from one to the other is not known to that amount.

        @param first: the number of a frame.
        @param last: of the same or a later one.
        """
        if not self._numbers:
            return 0
        begin, end = bisect_right(self._numbers, first), bisect_right(self._numbers, last)
        more = _NEVER_NS if self.left_out and last > self._numbers[-1] else 0
        return self._sums[end] - self._sums[begin] + more
