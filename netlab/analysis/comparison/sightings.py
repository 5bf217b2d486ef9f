"""
The segments of a capture as they are compared with those of another.
"""

from __future__ import annotations

from typing import Final, NamedTuple
from zlib import crc32

from netlab.analysis.observations.dialogue import Dialogues, Moment
from netlab.analysis.tcp.frames import Analysed
from netlab.analysis.tcp.frames import Mark as Flagged

#: How many segments of a capture are kept for aligning; further ones are not aligned.
SEGMENTS_MAX: Final = 500_000


_PROBES: Final = int(Flagged.KEEP_ALIVE | Flagged.ZERO_WINDOW_PROBE)


class SightingMark(NamedTuple):
    """
    What makes a segment the same at both places, whatever a translator of addresses does to it.

    @ivar from_client: who sent it.
    @ivar seq: its raw sequence number.
    @ivar ack: its raw acknowledgement number.
    @ivar length: its payload's length.
    @ivar flags: its flags.
    """

    from_client: bool
    seq: int
    ack: int
    length: int
    flags: int


class Sighting(NamedTuple):
    """
    A segment at one place.

    @ivar mark: what it is.
    @ivar at: its frame there.
    @ivar window: its window in bytes, scaled as far as the scale was known by then.
    @ivar digest: of its payload; None where that is empty, or was not captured whole.
    @ivar is_probe: whether it asks if the other end, or its window, is still there.
    """

    mark: SightingMark
    at: Moment
    window: int = 1
    is_probe: bool = False
    digest: int | None = None


class Sightings:
    """
    A capture read for comparing.

    @ivar dialogues: its conversations.
    @ivar seen: the segments of each conversation, in order, by its number.
    @ivar left_out: how many segments are not among them.
    """

    def __init__(self) -> None:
        self.dialogues = Dialogues()
        self.seen: dict[int, list[Sighting]] = {}
        self.left_out = 0
        self._kept = 0

    def receive(self, analysed: Analysed) -> None:
        """
        Take the capture's next segment.
        """
        if analysed.segment.is_quoted:
            return
        self.dialogues.receive(analysed)
        dialogue = self.dialogues.all.get(analysed.conversation.stream)
        if dialogue is None or self._kept >= SEGMENTS_MAX:
            self.left_out += 1
            return
        self._kept += 1
        segment = analysed.segment
        payload = segment.payload
        mark = SightingMark(
            analysed.flow is dialogue.client,
            segment.seq,
            segment.ack,
            segment.length,
            segment.flags,
        )
        sighting = Sighting(
            mark,
            Moment(analysed.number, analysed.time_ns),
            analysed.window_size,
            bool(analysed.marks & _PROBES),
            crc32(payload) if len(payload) == segment.length > 0 else None,
        )
        self.seen.setdefault(analysed.conversation.stream, []).append(sighting)
