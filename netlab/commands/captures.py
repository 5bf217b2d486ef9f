"""
What the subcommands that read captures have in common.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from netlab.capture.faults import CaptureError

if TYPE_CHECKING:
    from netlab.analysis.observations.dialogue import Dialogue
    from netlab.analysis.tcp.frames import Analysed
    from netlab.capture.opening import Bounds

_FAULTS_TOLD_MAX: Final = 3


def analysed_segments(
    path: str,
    notes: list[str] | None = None,
    *,
    bounds: Bounds | None = None,
    opened: int | None = None,
) -> Iterator[Analysed]:
    """
    Analyse a capture as it is read.

    @param path: of the capture; C{-} is standard input.
    @param notes: in the end, what is wrong with the capture is added to it, a sentence each.
    @param bounds: how much of it is read.
    @param opened: a descriptor of it, if it is open already; it is closed.
    @raise CaptureError: it cannot be read, or is none.
    """
    from netlab.analysis.tcp.analyser import Analyser
    from netlab.analysis.tcp.limits import STREAMING
    from netlab.capture.decode import Decoder
    from netlab.capture.opening import open_capture
    from netlab.capture.segments import Segment

    decoder, analyser = Decoder(), Analyser(STREAMING)
    frames_left = None if bounds is None else bounds.frames_max
    with open_capture(path, bounds=bounds, opened=opened) as reader:
        for record in reader:
            if frames_left is not None:
                if not frames_left:
                    assert bounds is not None
                    raise CaptureError(
                        f"{path} has more than {bounds.frames_max:,} frames: cut it with editcap -r"
                    )
                frames_left -= 1
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
    from netlab.analysis.observations.dialogue import Dialogues

    dialogues = Dialogues()
    notes: list[str] = []
    for analysed in analysed_segments(path, notes, bounds=bounds, opened=opened):
        dialogues.receive(analysed)
    if dialogues.left_out:
        notes.append(
            f"only the first {len(dialogues.all)} conversations were followed; "
            f"{dialogues.left_out} segments belong to others"
        )
    return dialogues.finish(), tuple(notes)
