"""
Which numbers of a stream were seen, and in which segment: ranges, kept sorted.

Every operation costs what it changes and a search: a range that is added takes the place of those
that it covers, so that a stream costs its number of segments, however they overlap.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Final

OWNERS_MAX: Final = 8
"""How many segments are named that carried a range; of more, the first ones."""


class Covered:
    """
    The numbers that were seen, as ranges that do not touch.
    """

    __slots__ = ("_ends", "_starts")

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def add(self, start: int, end: int) -> list[tuple[int, int]]:
        """
        Note a range.

        @param start: its first number.
        @param end: the number after its last.
        @return: those parts of it that had not been seen, ascending.
        """
        if start >= end:
            return []
        starts, ends = self._starts, self._ends
        low = bisect_left(ends, start)
        high = bisect_right(starts, end)
        fresh: list[tuple[int, int]] = []
        at = start
        for index in range(low, high):
            if at < starts[index]:
                fresh.append((at, min(end, starts[index])))
            at = max(at, ends[index])
        if at < end:
            fresh.append((at, end))
        if low < high:
            start, end = min(start, starts[low]), max(end, ends[high - 1])
        starts[low:high] = [start]
        ends[low:high] = [end]
        return fresh

    def missing(self, start: int, end: int) -> int:
        """
        Count the numbers of a range that were not seen.
        """
        starts, ends = self._starts, self._ends
        left = max(0, end - start)
        for index in range(bisect_right(ends, start), bisect_left(starts, end)):
            left -= min(end, ends[index]) - max(start, starts[index])
        return left

    @property
    def total(self) -> int:
        """How many numbers were seen."""
        return sum(self._ends) - sum(self._starts)


class Owners:
    """
    Which segment carried each number, as ranges in order; the last one to be put counts.
    """

    __slots__ = ("_ends", "_starts", "_values")

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._values: list[int] = []

    def put(self, start: int, end: int, value: int) -> None:
        """
        Say that a segment carried a range.

        @param value: which segment.
        """
        if start >= end:
            return
        starts, ends, values = self._starts, self._ends, self._values
        low = bisect_right(ends, start)
        high = bisect_left(starts, end)
        new = [(start, end, value)]
        if low < high:
            if starts[low] < start:
                new.insert(0, (starts[low], start, values[low]))
            if ends[high - 1] > end:
                new.append((end, ends[high - 1], values[high - 1]))
        starts[low:high] = [each[0] for each in new]
        ends[low:high] = [each[1] for each in new]
        values[low:high] = [each[2] for each in new]

    def of(self, start: int, end: int) -> tuple[int, ...]:
        """
        Name the segments that carried a range.

        @return: in the order of the numbers, each once, at most L{OWNERS_MAX}.
        """
        found: list[int] = []
        first = bisect_right(self._ends, start)
        # A segment of which parts were sent again since may come more than once.
        for index in range(first, min(len(self._starts), first + 4 * OWNERS_MAX)):
            if self._starts[index] >= end or len(found) >= OWNERS_MAX:
                break
            if self._values[index] not in found:
                found.append(self._values[index])
        return tuple(found)

    def at(self, position: int) -> int | None:
        """
        Name the segment that carried a number, if any did.
        """
        index = bisect_right(self._ends, position)
        if index < len(self._starts) and self._starts[index] <= position:
            return self._values[index]
        return None
