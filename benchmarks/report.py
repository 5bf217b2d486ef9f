"""
What was measured, as a table for people and as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import Series, shown
from benchmarks.workload import Goal, Workload


@dataclass(frozen=True, slots=True)
class Result:
    """
    The figures of one workload.

    @ivar series: by server.
    @ivar absent: why servers are missing, by name.
    """

    workload: Workload
    series: Mapping[str, Series]
    absent: Mapping[str, str]

    def lines(self) -> Iterable[str]:
        """
        Write the figures, then the goals.
        """
        workload = self.workload
        yield f"{workload.name}: {workload.title}, {workload.unit}"
        own = next(iter(self.series), None)
        for name, series in self.series.items():
            line = f"    {name:26} {series}"
            if name != own and own is not None:
                ratio = self.series[own].over(series)
                line += f"   {own} ÷ this: {ratio}"
            yield line
        for name, why in self.absent.items():
            yield f"    {name:26} absent: {why}"
        for goal in workload.goals:
            yield f"    goal: {goal.server} {goal}: {_outcome(goal, self.series)}"


def _outcome(goal: Goal, series: Mapping[str, Series]) -> str:
    figure = goal.figure(series)
    if figure is None:
        return "not measured"
    return f"{shown(figure.median)}, {'reached' if goal.is_reached(figure) else 'NOT reached'}"


def as_json(result: Result, seconds: int, about: Mapping[str, Any]) -> dict[str, Any]:
    """
    Gather everything for L{write}.

    @param seconds: how long each turn was.
    @param about: machine, versions, date.
    """
    return {
        **about,
        "workloads": {
            result.workload.name: {
                "title": result.workload.title,
                "unit": result.workload.unit,
                "seconds": seconds,
                "figures": {
                    name: [round(figure, 4) for figure in series.figures]
                    for name, series in result.series.items()
                },
                "medians": {
                    name: round(series.median, 4) for name, series in result.series.items()
                },
                "goals": [
                    {
                        "of": goal.server,
                        "goal": str(goal),
                        "figure": round(figure.median, 4),
                        "low": round(min(figure.figures), 4),
                        "high": round(max(figure.figures), 4),
                        "reached": goal.is_reached(figure),
                    }
                    for goal in result.workload.goals
                    if (figure := goal.figure(result.series)) is not None
                ],
                "absent": dict(result.absent),
            }
        },
    }


def write(path: Path, everything: Mapping[str, Any]) -> None:
    """
    Write JSON for other programs, and for the chart. Workloads that a file of the same machine and
    day already has, and this run has not, stay.
    """
    merged = dict(everything)
    if path.exists():
        known = json.loads(path.read_text())
        if (known["machine"], known["date"]) == (merged["machine"], merged["date"]):
            merged["workloads"] = known["workloads"] | merged["workloads"]
            merged["versions"] = known["versions"] | merged["versions"]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(merged, indent=1, ensure_ascii=False) + "\n")
