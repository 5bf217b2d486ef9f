"""
Times, sizes and frames in words.
"""

from __future__ import annotations

from collections.abc import Sequence


def duration(nanoseconds: int) -> str:
    """
    Write a duration with four significant figures and the unit that fits.

    @param nanoseconds: Negative where a capture's clock was set back: then how long it was is not
        known.
    @return: Such as C{72.48 ms} or C{1.014 s}.
    """
    if nanoseconds < 0:
        return "an unknown time"
    size = nanoseconds
    for unit, factor in (("s", 1_000_000_000), ("ms", 1_000_000), ("µs", 1000)):
        if size >= factor:
            value = nanoseconds / factor
            whole = len(str(int(value)))
            return f"{value:.{max(0, 4 - whole)}f} {unit}"
    return f"{nanoseconds} ns"


def count(number: int, singular: str, plural: str = "") -> str:
    """
    Write a number with its noun. From 10 000 on its digits stand in groups.

    @param number: How many.
    @param singular: The noun for one.
    @param plural: The noun for all else; by default with an C{s}.
    @return: Such as C{1 byte} or C{2 bytes}.
    """
    digits = f"{number:,}".replace(",", " ") if number >= 10_000 else f"{number}"
    return f"{digits} {singular if number == 1 else plural or singular + 's'}"


def cite(frames: Sequence[int], at_most: int = 3) -> str:
    """
    Cite frames.

    @param frames: Their numbers, ascending, at least one.
    @param at_most: How many are named; of more, the first and the last.
    @return: Such as C{#4}, C{#4 and #6} or C{#4 to #23}.
    """
    if len(frames) > at_most:
        return f"#{frames[0]} to #{frames[-1]}"
    names = [f"#{frame}" for frame in frames]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
