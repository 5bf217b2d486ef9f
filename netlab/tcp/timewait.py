"""
Segments that arrive in TIME-WAIT: RFC 9293 section 3.10.7.4, RFC 6191, RFC 1337.
"""

from __future__ import annotations

from typing import Final

from netlab.tcp import ending
from netlab.tcp.receiving import validation
from netlab.tcp.segment import ACK, FIN, RST, SYN, Reason, TCPSegment
from netlab.tcp.sending import transmission
from netlab.tcp.sequence import MASK
from netlab.tcp.tcb import TCB
from netlab.tcp.timers import NANOSECONDS

ISS_STEP: Final = 65535 + 2
"""So far above the old connection's last number a new one's first is, as in Linux."""


def segment_arrives(tcb: TCB, now: int, segment: TCPSegment, seq: int, tsval: int | None) -> None:
    """
    Answer what the peer repeats, so that it comes to its end too.
    """
    flags = segment.flags
    end = seq + segment.seglen
    is_old = tsval is not None and validation.is_old_duplicate(tcb, now, tsval, seq, end, flags)
    if seq == tcb.received.nxt and not is_old and (flags & RST or seq == end):
        if flags & RST:
            if not tcb.settings.tcp_rfc1337:
                ending.end(tcb)
        elif tsval is not None:
            tcb.ts_recent, tcb.ts_recent_at = tsval, now
        return
    if flags & RST:
        return
    if flags & FIN and not is_old:
        ending.wait_two_msl(tcb, now)
    if (is_old or flags & ACK) and may_answer(tcb, now):
        transmission.send_ack(tcb, now, Reason.UNACCEPTABLE)


def may_answer(tcb: TCB, now: int) -> bool:
    """
    Has the last answer to something unacceptable been long enough ago? Two machines that each find
    the other's segments unacceptable would else answer each other for ever.
    """
    limit = tcb.settings.tcp_invalid_ratelimit * 1_000_000
    if tcb.unacceptable_at is not None and now - tcb.unacceptable_at < limit:
        return False
    tcb.unacceptable_at = now
    return True


def may_be_replaced(tcb: TCB, segment: TCPSegment, seq: int, tsval: int | None) -> bool:
    """
    Is this the SYN of a new connection, whose numbers or timestamps are above all of the old one
    (RFC 9293 section 3.6.1, RFC 6191)?
    """
    if not segment.flags & SYN or segment.flags & (ACK | RST):
        return False
    if tsval is not None and tcb.ts_recent_at >= 0:
        ahead = (tsval - tcb.ts_recent) & MASK
        if ahead >= 0x8000_0000:
            return False
        if ahead:
            return True
    return seq > tcb.received.nxt


def may_be_reused(tcb: TCB, now: int) -> bool:
    """
    May we open a new connection with its ports? Only if timestamps tell the new one's segments
    from the old one's, and a second has passed so that they do (RFC 6191 section 3).
    """
    return (
        tcb.settings.tcp_tw_reuse == 1
        and tcb.ts_recent_at >= 0
        and now - tcb.ts_recent_at > NANOSECONDS
    )
