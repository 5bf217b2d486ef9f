"""
What a workload is: a row of the table, with the goals that were set for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.load import Requests
from benchmarks.measure import Series
from benchmarks.peers import Peer

SMALL: Final = Requests("small.html")


@dataclass(frozen=True, slots=True)
class Settings:
    """
    How thoroughly to measure.

    @ivar root: the folder with the files that are asked for.
    @ivar scratch: a folder for what servers write.
    @ivar rounds: how often each server has its turn.
    @ivar seconds: for how long, each time.
    """

    root: Path
    scratch: Path
    rounds: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Goal:
    """
    What a server's figure should be at most, or at least.

    @ivar server: whose figure.
    @ivar bound: the most, or the least.
    @ivar other: the figure counts divided by this server's, where one is named.
    @ivar is_least: whether the bound is the least.
    """

    server: str
    bound: float
    other: str = ""
    is_least: bool = False

    def figure(self, series: Mapping[str, Series]) -> Series | None:
        """
        Return what the bound is compared with; None where a server is absent.
        """
        if self.server not in series or (self.other and self.other not in series):
            return None
        own = series[self.server]
        return own.over(series[self.other]) if self.other else own

    def is_reached(self, figure: Series) -> bool:
        """
        Compare the median with the bound.
        """
        if self.is_least:
            return figure.median >= self.bound
        return figure.median <= self.bound

    def __str__(self) -> str:
        bound = f"{'≥' if self.is_least else '≤'} {self.bound:.3g}"
        return f"{bound} × {self.other}" if self.other else bound


@dataclass(frozen=True, slots=True)
class Workload:
    """
    One row of the table.

    @ivar name: short, for the command line.
    @ivar title: says what is done.
    @ivar unit: of the figures.
    @ivar servers: the first is ours.
    @ivar goals: what ours should reach.
    @ivar is_quick: whether a quick run includes it.
    @ivar run: measures.
    """

    name: str
    title: str
    unit: str
    servers: Sequence[Peer]
    goals: Sequence[Goal]
    run: Callable[[Workload, Sequence[Peer], Settings], dict[str, Series]]
    is_quick: bool = False
    requests: Requests = field(default=SMALL)
