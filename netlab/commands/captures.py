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
    from netlab.analysis.tcp.frames import Analysed

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


def analysed_segments(path: str, notes: list[str] | None = None) -> Iterator[Analysed]:
    """
    Analyse a capture as it is read.

    @param path: of the capture; C{-} is standard input.
    @param notes: in the end, what is wrong with the capture is added to it, a sentence each.
    @raise CaptureError: it cannot be read, or is none.
    """
    from netlab.analysis.tcp.analyser import Analyser
    from netlab.analysis.tcp.limits import STREAMING
    from netlab.capture.decode import Decoder
    from netlab.capture.opening import open_capture
    from netlab.capture.segments import Segment

    decoder, analyser = Decoder(), Analyser(STREAMING)
    with open_capture(path) as reader:
        for record in reader:
            frame = decoder.decode(record)
            if isinstance(frame, Segment):
                yield analyser.analyse(frame)
    if notes is None:
        return
    faults = [*reader.faults.kept, *decoder.faults.kept, *analyser.faults.kept]
    notes.extend(
        f"frame {fault.number}: {fault.text}" if fault.number else fault.text
        for fault in faults[:_FAULTS_TOLD_MAX]
    )
    if len(faults) > _FAULTS_TOLD_MAX:
        notes.append(f"{len(faults) - _FAULTS_TOLD_MAX} more such faults")


def read_dialogues(path: str) -> tuple[list[Dialogue], tuple[str, ...]]:
    """
    Read a capture to its end.

    @param path: of the capture; C{-} is standard input.
    @return: its conversations, finished, and what is wrong with it, a sentence each.
    @raise CaptureError: it cannot be read, or is none.
    """
    from netlab.analysis.observations.dialogue import Dialogues

    dialogues = Dialogues()
    notes: list[str] = []
    for analysed in analysed_segments(path, notes):
        dialogues.receive(analysed)
    if dialogues.left_out:
        notes.append(
            f"only the first {len(dialogues.all)} conversations were followed; "
            f"{dialogues.left_out} segments belong to others"
        )
    return dialogues.finish(), tuple(notes)
