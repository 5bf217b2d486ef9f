"""
The segments of a conversation one by one, as far as expectations about segments need them.
"""

from __future__ import annotations

from typing import NamedTuple

from netlab.analysis.tcp.frames import Analysed


class TrailStep(NamedTuple):
    """
    One segment.

    @ivar frame: its number.
    @ivar time_ns: when it was captured, in nanoseconds since 1970.
    @ivar from_client: who sent it.
    @ivar flags: of L{netlab.capture.segments.Flag}.
    @ivar length: payload bytes.
    @ivar ack: the acknowledgement number, raw.
    @ivar end: the sequence number after its last byte, raw; a SYN or FIN counts.
    @ivar window: in bytes, scaled as far as the scale was known by then.
    @ivar marks: of L{netlab.analysis.tcp.frames.Mark}.
    @ivar in_flight: bytes sent and not acknowledged, this segment included; C{None} if not known.
    @ivar rto_ns: nanoseconds since the segment that this one repeats; C{None} if it repeats none.
    @ivar sack_ranges: how many ranges its SACK option tells of.
    """

    frame: int
    time_ns: int
    from_client: bool
    flags: int
    length: int
    ack: int
    end: int
    window: int
    marks: int
    in_flight: int | None
    rto_ns: int | None
    sack_ranges: int


def step_of(analysed: Analysed, *, from_client: bool) -> TrailStep:
    """
    Take the figures of a segment.
    """
    segment = analysed.segment
    return TrailStep(
        analysed.number,
        analysed.time_ns,
        from_client,
        segment.flags,
        segment.length,
        segment.ack,
        (segment.seq + segment.seglen) % 2**32,
        analysed.window_size,
        analysed.marks,
        analysed.bytes_in_flight,
        analysed.rto_ns,
        len(segment.option_values.sacks),
    )
