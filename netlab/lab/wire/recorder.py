"""
What was seen at each end of the wire, as two captures.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

from netlab.capture.records import Interface, LinkType
from netlab.capture.writing import PcapngWriter
from netlab.lab.api.sides import Side
from netlab.lab.wire.places import capture_path
from netlab.lab.wire.wire import IN_FLIGHT_MAX, Crossing

#: A capture stops growing here; no experiment comes near.
CAPTURE_MAX_BYTES: Final = 256 << 20


#: As many frames as may be under way.
_NOTES_MAX: Final = IN_FLIGHT_MAX


class Recorder:
    """
    Writes C{client.pcapng} and C{server.pcapng} as frames cross.

    Each frame is written when it is seen, without a buffer: what has been seen is in the file even
    if the laboratory is killed. What the wire does to a frame stands beside it as a comment.

    @ivar is_complete: whether all was written.
    @ivar sender_note: says what the sender of a frame knew, where that can be known.
    """

    def __init__(self, folder: Path) -> None:
        """
        @param folder: an existing one; captures of the same name there are replaced.
        @raise OSError: a file cannot be made.
        """
        self.is_complete = True
        self.sender_note: Callable[[Side, bytes], str | None] | None = None
        self._writers: dict[Side, PcapngWriter] = {}
        self._files: dict[Side, BinaryIO] = {}
        self._bytes = 0
        self._notes: dict[int, str] = {}
        for side in Side:
            description = f"The {side.value}'s end of the laboratory's wire"
            writer = PcapngWriter([Interface(LinkType.ETHERNET, side.value, description)])
            file = capture_path(folder, side).open("wb", buffering=0)
            file.write(writer.begin())
            self._writers[side] = writer
            self._files[side] = file

    def observe(self, crossing: Crossing) -> None:
        """
        Write a frame into the capture of the end that it was seen at.
        """
        if self._bytes > CAPTURE_MAX_BYTES:
            self.is_complete = False
            return
        comments = [f"On the wire: {note}" for note in crossing.notes]
        note = self._note_of(crossing)
        if note is not None:
            comments.append(note)
        block = self._writers[crossing.end].packet(
            crossing.time_ns, crossing.frame, comments=comments
        )
        self._bytes += len(block)
        self._files[crossing.end].write(block)

    def _note_of(self, crossing: Crossing) -> str | None:
        """
        Say what the sender of a frame knew when it left, also where it arrives.
        """
        if self.sender_note is None:
            return None
        if crossing.end is not crossing.sender:
            return self._notes.get(crossing.number)
        note = self.sender_note(crossing.sender, crossing.frame)
        if note is not None and not crossing.is_lost:
            if len(self._notes) >= _NOTES_MAX:
                del self._notes[next(iter(self._notes))]
            self._notes[crossing.number] = note
        return note

    def close(self) -> None:
        """
        Finish the files.
        """
        for file in self._files.values():
            file.close()
