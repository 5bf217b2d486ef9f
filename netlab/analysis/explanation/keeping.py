"""
Frames that wait to be told, without the bytes that nobody will ask for.
"""

from __future__ import annotations

from typing import NamedTuple

from netlab.analysis.explanation.story import PAYLOAD_SHOWN_MAX_BYTES
from netlab.analysis.tcp.frames import Analysed
from netlab.capture.segments import Checksum
from netlab.capture.sendernotes import sender_notes_of


class Kept(NamedTuple):
    """
    A frame that waits.

    @ivar analysed: The segment; its data end behind the payload's first bytes.
    @ivar checksum: What its checksum says, which takes all of its bytes to know.
    """

    analysed: Analysed
    checksum: Checksum


def keep(analysed: Analysed) -> Kept:
    """
    Keep what telling a frame takes.

    @param analysed: The segment as it was captured.
    """
    segment = analysed.segment
    checksum = segment.checksum
    size = segment.payload_at + PAYLOAD_SHOWN_MAX_BYTES
    if (
        len(segment.data) > size
        or segment.data is not segment.record.data
        # Of these a frame may have 4 MiB, in a packed file of any size.
        or segment.record.comments
    ):
        data = segment.data[:size]
        record = segment.record._replace(
            data=data, comments=sender_notes_of(segment.record.comments)
        )
        analysed = analysed._replace(segment=segment._replace(data=data, record=record))
    return Kept(analysed, checksum)
