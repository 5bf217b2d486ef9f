"""
What has been sent and is not yet acknowledged: bytes in flight, and which frame an ACK is for.

Nearly always the segments are in order, and only the first and the last need to be looked at.
Where they overlap, all are.
"""

from __future__ import annotations

from typing import Final

from netlab.analysis.tcp.conversation import Flow

LONG: Final = 256
"""More overlapping segments than this are many; a lossy path of high speed has a thousand."""

LOOKED_THROUGH_MAX: Final = 20_000_000
"""
How many of them are looked at in all for one end, some seconds' work. Then only the oldest L{LONG}
are kept: the capture is made to cost.
"""

_MASK: Final = 0xFFFFFFFF
_HALF: Final = 0x80000000


def acknowledge(flow: Flow, ack: int) -> tuple[int, int]:
    """
    Drop what an acknowledgment number covers.

    A segment that it covers in part keeps the rest; so does one that begins where it ends.

    @param flow: whose segments are acknowledged; some are outstanding.
    @param ack: what the peer sent.
    @return: the number and time of the frame that ends right there, or C{(0, 0)}.
    """
    unacked = flow.unacked
    flow.scanned_ack = ack
    if not flow.is_ordered:
        return _search(flow, ack)
    # "Not acknowledged" is that a segment's end is after the number, by less than half of all
    # numbers. The segments cover less than half, in order: if the last is acknowledged and the
    # first is too, so are all between.
    first = unacked[0]
    last = unacked[-1]
    ahead_last = (last[1] - ack) & _MASK
    ahead_first = (first[1] - ack) & _MASK
    is_first_kept = 0 < ahead_first <= _HALF
    if not 0 < ahead_last <= _HALF:
        if is_first_kept:
            return _search(flow, ack)
        flow.unacked = []
        flow.measured = None
        return (last[2], last[3]) if ahead_last == 0 else (0, 0)
    if is_first_kept:
        if 0 < (ack - first[0]) & _MASK <= _HALF:
            unacked[0] = (ack, *first[1:])
            flow.measured = None
        return 0, 0
    flow.measured = None
    count = 1
    while not 0 < (unacked[count][1] - ack) & _MASK <= _HALF:
        count += 1
    end = unacked[count - 1]
    first = unacked[count]
    if 0 < (ack - first[0]) & _MASK <= _HALF:
        unacked[count] = (ack, *first[1:])
    del unacked[:count]
    return (end[2], end[3]) if end[1] == ack else (0, 0)


def _search(flow: Flow, ack: int) -> tuple[int, int]:
    flow.measured = None
    if len(flow.unacked) > LONG:
        flow.looked_through += len(flow.unacked)
        if flow.looked_through > LOOKED_THROUGH_MAX:
            del flow.unacked[LONG:]
    kept = []
    number = since = 0
    for segment in flow.unacked:
        begin, end, frame, time_ns = segment
        ahead = (end - ack) & _MASK
        if ahead == 0:
            # Of several that end there, the oldest.
            if not number:
                number, since = frame, time_ns
        elif ahead <= _HALF:
            kept.append(
                (ack, end, frame, time_ns) if 0 < (ack - begin) & _MASK <= _HALF else segment
            )
    flow.unacked = kept
    return number, since


def extent(flow: Flow) -> int:
    """
    Return how many bytes lie between the lowest and the highest number that are outstanding.

    @param flow: some of its segments are outstanding.
    """
    base = flow.base or 0
    unacked = flow.unacked
    if flow.is_ordered:
        low = (unacked[0][0] - base) & _MASK
        high = (unacked[-1][1] - base) & _MASK
        if low <= high:
            return high - low
    # What has been looked at already is remembered, so that each segment is looked at once.
    measured = flow.measured
    if measured is None or measured[0] != base:
        count, low, high = 0, _MASK, 0
    else:
        _, count, low, high = measured
    for segment in unacked[count:]:
        low = min(low, (segment[0] - base) & _MASK)
        high = max(high, (segment[1] - base) & _MASK)
    flow.measured = (base, len(unacked), low, high)
    return high - low
