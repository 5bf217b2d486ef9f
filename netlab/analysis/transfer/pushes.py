"""
PSH: where a sender asks for its data to be handed on without waiting for more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from netlab.analysis.claims.claim import Claim, Known
from netlab.analysis.observations.streams import Streams
from netlab.capture.segments import Flag

SEGMENTS_MIN: Final = 4
"""From how many segments with data on PSH is counted."""


def claims_of(streams: Streams) -> Iterator[Claim]:
    """
    Count for both ends the segments that set PSH (RFC 9293 section 3.9.1.2), where some do and some
    do not: that parts what was sent.
    """
    for sender in (0, 1):
        steps = [
            step
            for step in streams.steps
            if step.sent.sender == sender and step.fresh and not step.sent.flags & Flag.RST
        ]
        pushes = [step for step in steps if step.sent.flags & Flag.PSH]
        if len(steps) < SEGMENTS_MIN or not 0 < len(pushes) < len(steps):
            continue
        yield Claim(
            "delays.pushes",
            streams.numbers(pushes[0].index, pushes[-1].index),
            Known.POSSIBLE,
            {"segments": len(steps), "pushes": len(pushes)},
            "RFC 9293 section 3.9.1.2",
            ("write-ended", "nothing-more-queued", "pushed-by-the-system"),
            streams.history.name(sender),
        )
