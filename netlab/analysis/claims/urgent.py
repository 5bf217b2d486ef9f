"""
Urgent data: claims of the topic C{urgent}.
"""

from __future__ import annotations

from collections.abc import Iterator

from netlab.analysis.claims.claim import Claim, Known
from netlab.analysis.observations.history import History
from netlab.capture.segments import Flag


def claims_of(history: History) -> Iterator[Claim]:
    """
    Judge each segment with URG (RFC 9293 section 3.8.5).

    By RFC 6093 the pointer is the number that follows the urgent data; sockets hand out one byte,
    the one before it, apart from the stream.
    """
    for sent in history.segments:
        if not sent.flags & Flag.URG or sent.has_syn or sent.has_rst:
            continue
        is_here = 0 < sent.urgent <= sent.length
        yield Claim(
            "urgent.byte" if is_here else "urgent.pointer",
            (sent.number,),
            Known.FOLLOWS,
            {
                "pointer": sent.urgent,
                "position": sent.data_start + sent.urgent - 1,
                "bytes": sent.length,
            },
            "RFC 9293 section 3.8.5, RFC 6093 section 2",
            who=history.name(sent.sender),
        )
