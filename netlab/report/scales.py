"""
Scales of plots: where they end, their ticks and labels, and how many points a curve needs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from netlab.report.times import TimeAxis

TICKS_MAX: Final = 7

POINTS_MAX: Final = 1500
"""How many points a curve has at most; of more, each place on the axis keeps the last one."""

_WIDTH: Final = 780
"""How wide a drawing is to which that applies."""


def scale_to(most: float) -> tuple[int, int]:
    """
    Choose where a scale ends, and its ticks: round numbers, at most six of them.
    """
    most = max(math.ceil(most), 4)
    power = 10 ** (len(str(most)) - 1)
    for step in (power // 5, power // 4, power // 2, power, 2 * power):
        if step >= 1 and (steps := -(-most // step)) <= TICKS_MAX - 2:
            return step * steps, step
    return 5 * power, power


def time_ticks(axis: TimeAxis, start_ns: int, end_ns: int) -> Iterator[tuple[int, str]]:
    """
    Choose times for labels: round ones, so that five to seven fit where something happens.
    """
    busy = [
        (before, after)
        for (before, _), (after, _) in pairwise(axis.stops)
        if after > before and not any(axis.place(before) == p.start for p in axis.pauses)
    ]
    busy_ns = sum(after - before for before, after in busy)
    step = _round_step(max(busy_ns / TICKS_MAX, 1))
    for before, after in busy:
        first = -(-(before - start_ns) // step) * step
        for time_ns in range(start_ns + first, after + 1, step):
            if start_ns < time_ns < end_ns:
                yield time_ns, time_text(time_ns - start_ns)


def _round_step(length: float) -> int:
    power = 10 ** math.floor(math.log10(length))
    return (
        int(next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= length)) or 1
    )


def time_text(nanoseconds: int) -> str:
    """
    Write a time for a tick, in at most four digits.
    """
    for unit, factor in (("s", 1_000_000_000), ("ms", 1_000_000), ("µs", 1000)):
        if nanoseconds >= factor:
            return f"{nanoseconds / factor:.4g} {unit}"
    return f"{nanoseconds} ns" if nanoseconds else "0"


def bytes_text(value: int) -> str:
    """
    Write a number of bytes for a tick.
    """
    for factor, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if value >= factor:
            return f"{round(value / factor, 2):g} {unit}"
    return f"{value} B" if value else "0"


def rate_text(value: int) -> str:
    """
    Write bytes per second for a tick.
    """
    return f"{bytes_text(value)}/s" if value else "0"


def steps_path(points: Sequence[tuple[float, float]], end: float | None) -> str:
    """
    Make a path of steps: a value holds until the next one.

    @param end: To where the last one does; C{None} for not at all.
    """
    parts: list[str] = []
    height = ""
    for x, y in thinned(points):
        place = f"{y:.1f}"
        if not parts:
            parts.append(f"M{x:.1f} {place}")
        elif place != height:
            parts.append(f"H{x:.1f}V{place}")
        height = place
    if parts and end is not None:
        parts.append(f"H{end:g}")
    return "".join(parts)


def thinned(
    points: Sequence[tuple[float, ...]], *, is_joined: bool = False
) -> list[tuple[float, ...]]:
    """
    Keep at most L{POINTS_MAX} points: the last of those that fall on one place.

    @param is_joined: Whether what falls on one place is a range, from the least to the most.
    """
    if len(points) <= POINTS_MAX:
        return list(points)
    kept: dict[int, tuple[float, ...]] = {}
    for point in points:
        place = int(point[0] * POINTS_MAX / _WIDTH)
        if is_joined and (other := kept.get(place)) is not None:
            kept[place] = (point[0], min(point[1], other[1]), max(point[2], other[2]))
        else:
            kept[place] = point
    return list(kept.values())
