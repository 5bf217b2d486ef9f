"""
What the subcommands that read captures have in common.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from netlab.capture.faults import CaptureError

if TYPE_CHECKING:
    from netlab.analysis.observations.dialogue import Dialogue

#: What a folder's captures are called.
_SUFFIXES: Final = (".pcap", ".pcapng", ".cap", ".pcap.gz", ".pcapng.gz", ".cap.gz")

_FAULTS_TOLD_MAX: Final = 3


def capture_files(paths: Sequence[str]) -> Iterator[str]:
    """
    List captures: files as they are, and of folders all that are called so, at any depth.

    @param paths: files and folders.
    @raise CaptureError: a folder has none.
    """
    for path in paths:
        if not os.path.isdir(path):
            yield path
            continue
        found = sorted(
            os.path.join(folder, name)
            for folder, _, names in os.walk(path)
            for name in names
            if name.lower().endswith(_SUFFIXES)
        )
        if not found:
            raise CaptureError(f"{path}: no capture in this folder ({', '.join(_SUFFIXES)})")
        yield from found


def read_dialogues(path: str) -> tuple[list[Dialogue], tuple[str, ...]]:
    """
    Read a capture to its end.

    @param path: of the capture; C{-} is standard input.
    @return: its conversations, finished, and what is wrong with it, a sentence each.
    @raise CaptureError: it cannot be read, or is none.
    """
    from netlab.report import reading

    talks = reading.read_dialogues(path)
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
