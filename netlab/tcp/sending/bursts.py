"""
How many segments Linux hands to its network card as one, to be cut there. It shows on the wire: the
last segment of each such burst has PSH, so that the receiver's card does not wait for more.
"""

from __future__ import annotations

from typing import Final

from netlab.tcp.segment import PSH
from netlab.tcp.tcb import TCB
from netlab.tcp.timers import NANOSECONDS

_BURST_MAX_BYTES: Final = 65_215
"""What fits into one IP packet, less what Linux reserves for headers."""

_PACING_SHIFT: Final = 10
"""A burst lasts about a millisecond, 1/1024 s, at the rate of the connection."""


def burst_segments(tcb: TCB) -> int:
    """
    Say how many segments the next burst may have: a millisecond of what the connection sends, and
    more where the round trip is so short that acknowledgments come soon; half a window at most.
    """
    congestion, settings, rtt = tcb.congestion, tcb.settings, tcb.rtt
    cwnd = congestion.cwnd
    srtt = rtt.srtt
    if srtt:
        slow = cwnd < congestion.ssthresh >> 1
        ratio = settings.tcp_pacing_ss_ratio if slow else settings.tcp_pacing_ca_ratio
        rate = tcb.mss * max(cwnd, len(tcb.board)) * ratio * NANOSECONDS // (100 * srtt)
        size = rate >> _PACING_SHIFT
        # min_rtt in units of 2^9 microseconds.
        shift = rtt.min_rtt // 1000 >> settings.tcp_tso_rtt_log
        if settings.tcp_tso_rtt_log and shift < 32:
            size += 65_536 >> shift
    else:
        size = _BURST_MAX_BYTES
    count = max(min(size, _BURST_MAX_BYTES) // tcb.mss, settings.tcp_min_tso_segs)
    return min(count, max(cwnd >> 1, 1))


def push_last(tcb: TCB) -> None:
    """
    Set PSH on the segment that was put into the outbox last, which ends a burst of several, or what
    there is to send. Sent again alone, it will not have it.
    """
    outgoing = tcb.outbox[-1]
    segment = outgoing.segment
    if not segment.flags & PSH:
        tcb.outbox[-1] = outgoing._replace(segment=segment._replace(flags=segment.flags | PSH))
