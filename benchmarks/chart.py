"""
Draw the chart of the README from the figures of a run: C{python chart.py RESULTS.json FOLDER}.

Runs in the peers' Python, which has matplotlib.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib import pyplot as plt

#: Rows of the upper part: workload and the other server that ours is divided by.
_ROWS: Final = (
    ("pipelined", "16 requests at a time"),
    ("206", "range of a small file"),
    ("small", "small hot file"),
    ("browser", "… with a browser's field lines"),
    ("304", "conditional GET"),
    ("100k", "100 KiB file"),
    ("10m", "10 MiB file"),
    ("many", "10,000 files at random"),
    ("connect", "a connection for each request"),
)
_OURS: Final = "#1b6e8c"
_OTHERS: Final = "#b9b9b4"
_INK: Final = "#2b2b2b"

#: Between here and 1 there is no room for a figure.
_NEAR_THE_LINE: Final = 0.85


def main(results: Path, folder: Path) -> None:
    """
    Draw.
    """
    everything = json.loads(results.read_text())
    mpl.rcParams.update(
        {
            "font.family": "sans-serif",
            "font.size": 10,
            "text.color": _INK,
            "axes.labelcolor": _INK,
            "xtick.color": _INK,
            "ytick.color": _INK,
            "svg.hashsalt": "netlab",
            "svg.fonttype": "path",
        }
    )
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(11, 4.6), layout="constrained", facecolor="white"
    )
    _draw_small(left, everything["workloads"]["small"]["medians"])
    _draw_ratios(right, everything["workloads"])
    figure.suptitle(
        "CPU time a request, user and system; shorter is better", x=0.01, ha="left", weight="bold"
    )
    figure.supxlabel(
        f"{everything['machine']}; medians of interleaved rounds, {everything['date']}",
        fontsize=8,
        x=0.01,
        ha="left",
    )
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / "bench.svg", metadata={"Date": None})
    figure.savefig(folder / "bench.png", dpi=150, metadata={"Software": None})


def _draw_small(axes: Any, medians: dict[str, float]) -> None:
    """
    Compare all servers by the small hot file.
    """
    names = sorted((n for n in medians if n != "bare epoll loop"), key=medians.__getitem__)
    figures = [medians[name] for name in names]
    colours = [_OURS if name == "netlab" else _OTHERS for name in names]
    bars = axes.barh(names, figures, color=colours, height=0.65)
    axes.bar_label(bars, [f"{figure:,.1f} µs" for figure in figures], padding=4)
    axes.set_xlim(right=max(figures) * 1.2)
    axes.set_title("A small file, 64 persistent connections", loc="left", fontsize=10)
    _tidy(axes)


def _draw_ratios(axes: Any, workloads: dict[str, Any]) -> None:
    """
    Show ours divided by nginx: the medians of the rounds' ratios.
    """
    rows = [
        (title, goal["figure"])
        for name, title in _ROWS
        for goal in workloads.get(name, {}).get("goals", [])
        if goal["of"] == "netlab" and goal["goal"].endswith("× nginx")
    ]
    titles = [title for title, _ in rows]
    ratios = [ratio for _, ratio in rows]
    axes.barh(titles, ratios, color=_OURS, height=0.65)
    for row, ratio in enumerate(ratios):
        # A figure does not stand on the line.
        begin = 1.0 if _NEAR_THE_LINE < ratio < 1 else ratio
        axes.text(begin + 0.02, row, f"{ratio:.2f}", va="center")
    axes.axvline(1, color=_INK, linewidth=1)
    axes.set_xlim(right=max([1.0, *ratios]) * 1.2)
    axes.set_title("netlab ÷ nginx (the line: as much)", loc="left", fontsize=10)
    _tidy(axes)


def _tidy(axes: Any) -> None:
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_visible(False)
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)


main(Path(sys.argv[1]), Path(sys.argv[2]))
