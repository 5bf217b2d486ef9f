"""
Which segments are copies of one that was captured before: the same packet, seen again, not the
same bytes, sent again.

A sender numbers its packets: a retransmission has a new identification in its IP header (RFC 6864
section 4), a copy has the old one. Where a sender does not number them (IPv6, or always 0), a copy
is what comes sooner than any sender repeats itself.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Final

from netlab.analysis.observations.history import Sent

ROUTED_MAX_NS: Final = 2_000_000_000
"""
After how long a packet of the same number and another time to live may still be a copy: numbers
come again.
"""

NUMBERED_MAX_NS: Final = 100_000_000
"""
The same with the same time to live. A sender may keep the number where it sends a packet again
(RFC 1122 section 3.2.1.5), but no timer is so short.
"""

UNNUMBERED_MAX_NS: Final = 100_000
"""
The same without numbers: a tenth of the shortest timer of a sender, which is a millisecond, since
packets do not all take equally long to the capture.
"""

_SYN_FIN: Final = 3
_MANY: Final = 4
"""A conversation is doubled if this many of five distinguishable packets came twice."""


def find_copies(segments: Sequence[Sent]) -> tuple[dict[int, int], bool]:
    """
    Find the copies.

    @param segments: of one conversation, in order.
    @return: by its index, each copy's original; and whether nearly all came twice.
    """
    copies: dict[int, int] = {}
    unsure: list[tuple[int, int]] = []
    seen: dict[Hashable, int] = {}
    constant = [_is_constant(segments, sender) for sender in (0, 1)]
    told_apart = 0
    for index, sent in enumerate(segments):
        numbered = sent.ip_id != 0 and not constant[sent.sender]
        takes_numbers = bool(sent.length or sent.flags & _SYN_FIN)
        told_apart += numbered or takes_numbers
        key = (
            sent.sender,
            sent.seq_raw,
            sent.ack_raw,
            sent.flags,
            sent.window,
            sent.length,
            sent.ip_id,
            sent.options,
            sent.payload,
        )
        original = seen.get(key)
        span = 0 if original is None else sent.time_ns - segments[original].time_ns
        if original is None or span < 0:
            seen[key] = index
        elif numbered and span <= _longest(sent, segments[original]):
            copies[index] = original
        elif not numbered and span <= UNNUMBERED_MAX_NS:
            if takes_numbers or sent.ttl != segments[original].ttl:
                copies[index] = original
            else:
                unsure.append((index, original))
                seen[key] = index
        else:
            seen[key] = index
    is_doubled = told_apart > 2 and 10 * len(copies) >= _MANY * told_apart
    if is_doubled:
        copies.update(unsure)
    return copies, is_doubled


def _longest(sent: Sent, original: Sent) -> int:
    """Give after how long a numbered packet may be a copy of another."""
    return NUMBERED_MAX_NS if sent.ttl == original.ttl else ROUTED_MAX_NS


def _is_constant(segments: Sequence[Sent], sender: int) -> bool:
    """
    Tell whether an end gives all its packets one number.
    """
    numbers = {
        (sent.ip_id, sent.seq_raw, sent.ack_raw) for sent in segments if sent.sender == sender
    }
    return len(numbers) > 2 and len({number for number, _, _ in numbers}) == 1
