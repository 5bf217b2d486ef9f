"""
What the sender waits for: a retransmission timeout or, where that comes first, a tail loss probe.
"""

from __future__ import annotations

from netlab.tcp.segment import CongestionState
from netlab.tcp.settings import RTO_INITIAL
from netlab.tcp.tcb import TCB
from netlab.tcp.timers import MILLISECOND, Timer

_SLACK = 2 * MILLISECOND
"""What Linux adds to a probe's wait."""


def arm_retransmission(tcb: TCB, now: int, *, goes_on: bool = False) -> None:
    """
    Wait for a retransmission timeout (RFC 6298 section 5), if anything is to be acknowledged. One
    that takes the place of a probe or of RACK's wait ends when it would have ended without it.

    @param goes_on: it takes the place of one of those, which has just ended.
    """
    first = tcb.board.first
    if first is None:
        tcb.timers.stop_sender()
        return
    at = now + tcb.rtt.rto
    if goes_on or tcb.timers.sender in {Timer.LOSS_PROBE, Timer.REORDERING}:
        at = max(first.sent_at + tcb.rtt.rto, now + 1)
    since, patience = tcb.recovery.retransmitting_since, tcb.options.user_timeout
    if patience and since is not None:
        # The timer is where the program's patience is looked at.
        at = min(at, max(since + patience, now + MILLISECOND))
    tcb.timers.start(Timer.RETRANSMISSION, at)


def arm_after_ack(tcb: TCB, now: int) -> None:
    """
    Wait anew, since an ACK has shown that the peer is there.
    """
    if not arm_probe(tcb, now, at_most=tcb.rtt.rto):
        arm_retransmission(tcb, now)


def arm_after_sending(tcb: TCB, now: int, *, was_idle: bool) -> None:
    """
    Wait for the ACK of what has just been sent.

    @param was_idle: nothing was in flight before.
    """
    first = tcb.board.first
    if first is None or arm_probe(tcb, now, at_most=first.sent_at + tcb.rtt.rto - now):
        return
    if was_idle or tcb.timers.sender is Timer.LOSS_PROBE:
        arm_retransmission(tcb, now)


def arm_probe(tcb: TCB, now: int, at_most: int) -> bool:
    """
    Wait for a tail loss probe: two round trips, and with a single segment in flight also as long as
    the peer may delay an ACK (RFC 8985 section 7.2).

    @param at_most: how long the retransmission timeout would be.
    @return: false if probes do not apply.
    """
    settings = tcb.settings
    out = len(tcb.board)
    if (
        settings.tcp_early_retrans < 3
        or not out
        or not tcb.negotiated.has_sack
        or tcb.recovery.state not in _PROBES_IN
        or tcb.timers.sender is Timer.REORDERING
    ):
        return False
    wait = RTO_INITIAL
    srtt = tcb.rtt.srtt
    if srtt:
        wait = 2 * srtt + (settings.tcp_rto_min_us * 1000 if out == 1 else _SLACK)
    if 0 < at_most < wait:
        wait = at_most
    tcb.timers.start(Timer.LOSS_PROBE, now + wait)
    return True


_PROBES_IN = (CongestionState.OPEN, CongestionState.CWR)
