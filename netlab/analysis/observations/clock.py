"""
Where the times of a capture go back, so that no duration is reported across such a point.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final, NamedTuple

STEPS_MAX: Final = 1000
"""How many steps back are kept; if there are more, no duration after the last one is reported."""

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

    @ivar first_ns: the earliest, in nanoseconds since 1970; 0 before the first frame.
    @ivar now_ns: the last frame's; C{None} before the first. A caller in a hurry may set it
        instead of calling L{tick}, where it does not go back.
    @ivar steps: where times go back, the first L{STEPS_MAX}.
    @ivar left_out: how many more there are.
    """

    __slots__ = ("_latest_ns", "_numbers", "_sums", "first_ns", "left_out", "now_ns", "steps")

    def __init__(self) -> None:
        self.first_ns = self._latest_ns = 0
        self.now_ns: int | None = None
        self.steps: list[StepBack] = []
        self.left_out = 0
        self._numbers: list[int] = []
        self._sums = [0]

    def tick(self, number: int, time_ns: int) -> None:
        """
        Take the next frame's time.
        """
        before = self.now_ns
        self.now_ns = time_ns
        if before is None:
            self.first_ns = self._latest_ns = time_ns
        elif time_ns < before:
            self._latest_ns = max(self._latest_ns, before)
            self.first_ns = min(self.first_ns, time_ns)
            if len(self.steps) < STEPS_MAX:
                self.steps.append(StepBack(number, before - time_ns))
                self._numbers.append(number)
                self._sums.append(self._sums[-1] + before - time_ns)
            else:
                self.left_out += 1

    @property
    def last_ns(self) -> int:
        """The latest, in nanoseconds since 1970; 0 before the first frame."""
        return self._latest_ns if self.now_ns is None else max(self._latest_ns, self.now_ns)

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
