"""
Taking turns: each server of a workload is measured once a round, and a ratio is made of two
figures of the same round, so that whatever else the machine does hits both alike.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Series:
    """
    The figures of one server in one workload, in the order of the rounds.
    """

    figures: tuple[float, ...]

    @property
    def median(self) -> float:
        """
        The middle figure.
        """
        return statistics.median(self.figures)

    def over(self, other: Series) -> Series:
        """
        Divide round by round.
        """
        return Series(tuple(a / b for a, b in zip(self.figures, other.figures, strict=True)))

    def __str__(self) -> str:
        return (
            f"{shown(self.median)} ({shown(min(self.figures))}–{shown(max(self.figures))}, "
            f"n={len(self.figures)})"
        )


def shown(figure: float) -> str:
    """
    Write a figure with three digits that count.
    """
    if figure >= 100:
        return f"{figure:,.0f}"
    return f"{figure:.{1 if figure >= 10 else 2 if figure >= 0.1 else 3}f}"


def take_turns(
    names: Sequence[str], rounds: int, measure: Callable[[str], float]
) -> Mapping[str, Series]:
    """
    Measure each once a round; every other round goes backwards.
    """
    figures: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            figures[name].append(measure(name))
    return {name: Series(tuple(found)) for name, found in figures.items()}
