"""
Draw the chart of the README from the figures of a run: C{python chart.py RESULTS.json FOLDER}.
Requests that no server has seen before come first, repeated ones after them.

Runs in the peers' Python, which has matplotlib.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib import pyplot as plt

#: Rows of the ratios, unseen requests first: workload, and what stands beside the bar.
_ROWS: Final = (
    ("unseen", "each head different: small file"),
    ("https-unseen", "… HTTPS"),
    ("many", "10,000 files at random"),
    ("connect", "a connection for each request"),
    ("https-connect", "… HTTPS, a full handshake each"),
    ("small", "the same bytes again: small file"),
    ("browser", "… with a browser's field lines"),
    ("pipelined", "… 16 requests at a time"),
    ("304", "… conditional GET"),
    ("206", "… range of a small file"),
    ("100k", "… 100 KiB file"),
    ("10m", "… 10 MiB file"),
    ("https", "… HTTPS, small file"),
    ("https-100k", "… HTTPS, 100 KiB file"),
    ("https-10m", "… HTTPS, 10 MiB file"),
)
#: What is compared by time alone: workload and title, unseen requests first.
_COMPARED: Final = (
    ("unseen", "A small file, each request's head different"),
    ("program", "A program's answer, each head and path different"),
    ("small", "A small file, the same bytes again and again"),
)
#: Not servers that one would use.
_FLOORS: Final = ("bare epoll loop", "bare reactor loop")
_OURS: Final = "#1b6e8c"
_OTHERS: Final = "#b9b9b4"
_INK: Final = "#2b2b2b"

#: How much of the chart's width a figure takes.
_FIGURE_WIDTH: Final = 0.12


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
    figure = plt.figure(figsize=(11, 7.2), layout="constrained", facecolor="white")
    grid = figure.add_gridspec(len(_COMPARED), 2)
    for row, (name, title) in enumerate(_COMPARED):
        if name in everything["workloads"]:
            medians = everything["workloads"][name]["medians"]
            _draw_servers(figure.add_subplot(grid[row, 0]), title, medians)
    _draw_ratios(figure.add_subplot(grid[:, 1]), everything["workloads"])
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


def _draw_servers(axes: Any, title: str, medians: dict[str, float]) -> None:
    """
    Compare all servers of a workload.
    """
    names = sorted((n for n in medians if n not in _FLOORS), key=medians.__getitem__)
    figures = [medians[name] for name in names]
    colours = [_OURS if name.startswith("netlab") else _OTHERS for name in names]
    bars = axes.barh(names, figures, color=colours, height=0.65)
    axes.bar_label(bars, [f"{figure:,.1f} µs" for figure in figures], padding=4)
    axes.set_xlim(right=max(figures) * 1.2)
    axes.set_title(title, loc="left", fontsize=10)
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
    right = max([1.0, *ratios]) * 1.2
    axes.barh(titles, ratios, color=_OURS, height=0.65)
    for row, ratio in enumerate(ratios):
        # A figure does not stand on the line.
        begin = 1.0 if 1 - right * _FIGURE_WIDTH < ratio < 1 else ratio
        axes.text(begin + right * 0.01, row, f"{ratio:.2f}", va="center")
    axes.axvline(1, color=_INK, linewidth=1)
    axes.set_xlim(right=right)
    axes.set_title("netlab ÷ nginx (the line: as much)", loc="left", fontsize=10)
    _tidy(axes)


def _tidy(axes: Any) -> None:
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_visible(False)
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)


main(Path(sys.argv[1]), Path(sys.argv[2]))
