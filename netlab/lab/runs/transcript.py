"""
What the programs of a run printed, and what a relay noticed, as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from netlab.lab.runs.programs import OutputLine
from netlab.lab.runs.relay import RelayedPassage
from netlab.plaintext import plain

_RELAY_LABEL = """\
An application-level trace, not a capture: there were no hosts and no wire. A relay between the two
programs tells what it read from one and wrote to the other. It saw no segment, no acknowledgement,
and not how a connection was opened or closed.
"""


def write_output(folder: Path, lines: Sequence[OutputLine]) -> None:
    """
    Write C{output.txt}: each line with its time, from the first one on, its host and its program;
    what is not printable in it is escaped, as somebody will look at it on a terminal.
    """
    start = lines[0].time_ns if lines else 0
    text = "".join(
        f"{(line.time_ns - start) / 1e9:10.6f}  {line.host.value}  {line.program}: "
        f"{plain(line.text)}\n"
        for line in lines
    )
    (folder / "output.txt").write_text(text, encoding="utf-8")


def write_trace(folder: Path, passages: Sequence[RelayedPassage]) -> None:
    """
    Write C{trace.txt}: what the relay noticed.
    """
    start = passages[0].time_ns if passages else 0
    text = "".join(
        f"{(passage.time_ns - start) / 1e9:10.6f}  connection {passage.connection}  "
        f"{passage.sender.value}: {passage.what}\n"
        for passage in passages
    )
    (folder / "trace.txt").write_text(f"{_RELAY_LABEL}\n{text}", encoding="utf-8")
