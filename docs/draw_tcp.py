"""
Draw in docs/tcp.md what the tables in netlab/tcp say: its states, its timers, its bounds::

    python docs/draw_tcp.py

What stands between C{<!-- drawn: NAME -->} and C{<!-- end -->} is replaced; all else stays.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from netlab.tcp.states import TRANSITIONS, TCPState
from netlab.tcp.timers import Timer

PAGE: Final = Path(__file__).resolve().parent / "tcp.md"

_DRAWN = re.compile(r"(<!-- drawn: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def drawn(page: str) -> str:
    """
    Draw anew what a page has drawn.

    @raise KeyError: it names a drawing that there is not.
    """
    drawings = {"states": states(), "timers": timers()}
    return _DRAWN.sub(lambda found: found[1] + drawings[found[2]] + found[3], page)


def states() -> str:
    """
    Draw the states: an arrow for each pair of them, labelled with what leads along it.
    """
    arrows: dict[tuple[TCPState, TCPState], list[str]] = {}
    for (before, occurrence), after in TRANSITIONS.items():
        arrows.setdefault((before, after), []).append(occurrence.value)
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f"    {state.name}: {state.name}<br>{state.value}" for state in TCPState]
    lines += ["    [*] --> CLOSED"]
    lines += [
        f"    {before.name} --> {after.name}: {', '.join(causes)}"
        for (before, after), causes in arrows.items()
    ]
    return "\n".join([*lines, "```", ""])


def timers() -> str:
    """
    List the timers: which of the three it is, what it is running for, what it ends.
    """
    slots = ("sender", "ACK", "connection")
    rows = [
        f"| {slots[timer.slot]} | {timer.label} | {timer.text} | {timer.rule} |" for timer in Timer
    ]
    head = ["| timer | runs for | what ends with it | rule |", "|--|--|--|--|"]
    return "\n".join([*head, *rows, ""])


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text("utf-8")), "utf-8")
