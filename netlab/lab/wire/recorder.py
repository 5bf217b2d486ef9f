"""
What was seen at each end of the wire, as two captures.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, Final

from netlab.capture.records import Interface, LinkType
from netlab.capture.writing import PcapngWriter
from netlab.lab.api.sides import Side
from netlab.lab.wire.places import capture_path
from netlab.lab.wire.wire import Crossing

#: A capture stops growing here; no experiment comes near.
CAPTURE_MAX_BYTES: Final = 256 << 20


class Recorder:
    """
    Writes C{client.pcapng} and C{server.pcapng} as frames cross.

    Each frame is written when it is seen, without a buffer: what has been seen is in the file even
    if the laboratory is killed. What the wire does to a frame stands beside it as a comment.

    @ivar is_complete: whether all was written.
    """

    def __init__(self, folder: Path) -> None:
        """
        @param folder: an existing one; captures of the same name there are replaced.
        @raise OSError: a file cannot be made.
        """
        self.is_complete = True
        self._writers: dict[Side, PcapngWriter] = {}
        self._files: dict[Side, BinaryIO] = {}
        self._bytes = 0
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
        block = self._writers[crossing.end].packet(
            crossing.time_ns,
            crossing.frame,
            comments=[f"On the wire: {note}" for note in crossing.notes],
        )
        self._bytes += len(block)
        self._files[crossing.end].write(block)

    def close(self) -> None:
        """
        Finish the files.
        """
        for file in self._files.values():
            file.close()
