"""
Times on an axis that spares the reader the silence.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

PAUSE_MIN_NS: Final = 100_000_000
"""From how long on a silence is drawn as a gap of a fixed size."""

_PAUSE_SHARE: Final = 0.08
"""How much of the axis one gap takes; all of them together take at most half."""


class AxisPause(NamedTuple):
    """
    A silence on an axis.

    @ivar start: Where it begins, in the axis's units.
    @ivar end: Where it ends.
    @ivar length_ns: How long it was, in nanoseconds.
    """

    start: float
    end: float
    length_ns: int


class TimeAxis:
    """
    Maps times to places: in proportion where something happens, each longer silence to a gap of a
    fixed size.

    @ivar pauses: The gaps.
    @ivar stops: Pairs of a time and its place, ascending, between which the axis is linear.
    """

    def __init__(
        self,
        times_ns: Sequence[int],
        start: float,
        end: float,
        *,
        pause_min_ns: int = PAUSE_MIN_NS,
    ) -> None:
        """
        @param times_ns: When something happened, ascending, at least one.
        @param start: The place of the first.
        @param end: The place of the last.
        @param pause_min_ns: From how long on a silence is a gap.
        """
        pairs = pairwise(times_ns)
        silences = [(a, b) for a, b in pairs if b - a >= pause_min_ns]
        # A capture of hundreds of pauses keeps the longest as gaps; the rest share the axis.
        silences = sorted(sorted(silences, key=lambda each: each[0] - each[1])[:12])
        size = end - start
        gap = min(_PAUSE_SHARE * size, size / 2 / max(len(silences), 1))
        busy_ns = max(times_ns[-1] - times_ns[0] - sum(b - a for a, b in silences), 1)
        scale = (size - gap * len(silences)) / busy_ns
        self.pauses: list[AxisPause] = []
        self.stops: list[tuple[int, float]] = [(times_ns[0], start)]
        place, now = start, times_ns[0]
        for before, after in silences:
            place += (before - now) * scale
            self.stops.append((before, place))
            self.pauses.append(AxisPause(place, place + gap, after - before))
            place += gap
            self.stops.append((after, place))
            now = after
        self.stops.append((times_ns[-1], end))
        self._times = [time for time, _ in self.stops]

    def place(self, time_ns: int) -> float:
        """
        Map a time.

        @param time_ns: A time; before the first or after the last it is moved to the axis's end.
        """
        index = min(max(bisect_right(self._times, time_ns) - 1, 0), len(self.stops) - 2)
        (before, start), (after, end) = self.stops[index], self.stops[index + 1]
        if after == before:
            return end if time_ns >= after else start
        share = min(max((time_ns - before) / (after - before), 0.0), 1.0)
        return start + share * (end - start)


def seconds(nanoseconds: int) -> str:
    """
    Write seconds with six decimals, as Wireshark does.
    """
    return f"{nanoseconds / 1e9:.6f}"
