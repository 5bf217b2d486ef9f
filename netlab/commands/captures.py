"""
What the subcommands that read captures have in common.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from netlab.analysis.observations.dialogue import Dialogue
    from netlab.capture.opening import Bounds

_FAULTS_TOLD_MAX: Final = 3


def read_dialogues(
    path: str, *, bounds: Bounds | None = None, opened: int | None = None
) -> tuple[list[Dialogue], tuple[str, ...]]:
    """
    Read a capture to its end.

    @param path: of the capture; C{-} is standard input.
    @param bounds: how much of it is read.
    @param opened: a descriptor of it, if it is open already; it is closed.
    @return: its conversations, finished, and what is wrong with it, a sentence each.
    @raise CaptureError: it cannot be read, or is none.
    """
    from netlab.report import reading

    talks = reading.read_dialogues(path, bounds=bounds, opened=opened)
    notes = [
        f"frame {fault.number}: {fault.text}" if fault.number else fault.text
        for fault in talks.faults[:_FAULTS_TOLD_MAX]
    ]
    if len(talks.faults) > _FAULTS_TOLD_MAX:
        notes.append(f"{len(talks.faults) - _FAULTS_TOLD_MAX} more such faults")
    if talks.left_out:
        notes.append(
            f"only the first {len(talks.dialogues)} conversations were followed; "
            f"{talks.left_out} segments belong to others"
        )
    return talks.dialogues, tuple(notes)
