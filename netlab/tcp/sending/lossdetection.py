"""
Which segments are lost: by time (RACK, RFC 8985 section 6), by the count of those reported beyond
them (RFC 6675 section 4), or by the count of duplicate ACKs (RFC 6582).
"""

from __future__ import annotations

from netlab.tcp.segment import CongestionState
from netlab.tcp.settings import RECOVERY_NO_DUPTHRESH, RECOVERY_RACK, RECOVERY_STATIC_REO_WND
from netlab.tcp.tcb import TCB
from netlab.tcp.timers import MILLISECOND, Timer

_RECOVERING = (CongestionState.RECOVERY, CongestionState.LOSS)


def uses_rack(tcb: TCB) -> bool:
    """
    Are losses told by time? RACK needs SACK to learn what has arrived.
    """
    return bool(tcb.settings.tcp_recovery & RECOVERY_RACK) and tcb.negotiated.has_sack


def look_for_losses(tcb: TCB, now: int, *, una_advanced: bool) -> bool:
    """
    Take segments for lost as far as this can be done before it is decided whether to recover.

    @return: whether a retransmission was lost again.
    """
    if not tcb.board:
        return False
    resent = tcb.board.resent
    if not tcb.negotiated.has_sack:
        mark_by_duplicates(tcb, una_advanced=una_advanced)
    elif uses_rack(tcb):
        if not tcb.rack.has_advanced:
            return False
        tcb.rack.has_advanced = False
        wait = mark_by_time(tcb, now)
        if wait:
            tcb.timers.start(
                Timer.REORDERING, now + min(wait + 2 * MILLISECOND, max(tcb.rtt.rto, 1))
            )
        return tcb.board.resent < resent
    return False


def mark_by_time(tcb: TCB, now: int) -> int:
    """
    Take for lost what was sent a reordering window before something that has arrived, and should
    have arrived itself (RFC 8985 section 6.2, step 5).

    @return: how long to wait until the rest is lost, too; 0 if there is no such rest.
    """
    rack, board = tcb.rack, tcb.board
    limit = rack.rtt + reordering_window(tcb)
    wait = 0
    lost = []
    for segment in board.by_time:
        if segment.serial > rack.serial:
            break
        remaining = limit - (now - segment.sent_at)
        if remaining <= 0:
            lost.append(segment)
        else:
            wait = max(wait, remaining)
    for segment in lost:
        board.mark_lost(segment)
    return wait


def reordering_window(tcb: TCB) -> int:
    """
    How long may a segment be overtaken by others before it is lost (RFC 8985 section 6.2, step 4)?
    Not at all where that has never been seen and the classic count says that it is lost.
    """
    rack, settings = tcb.rack, tcb.settings
    if not rack.has_reordering:
        if tcb.recovery.state in _RECOVERING:
            return 0
        if (
            tcb.board.sacked >= tcb.recovery.reordering
            and not settings.tcp_recovery & RECOVERY_NO_DUPTHRESH
        ):
            return 0
    return min((tcb.rtt.min_rtt >> 2) * rack.steps, tcb.rtt.srtt)


def adjust_reordering_window(tcb: TCB, prior_delivered: int) -> None:
    """
    Learn from D-SACKs how large the reordering window must be.
    """
    if prior_delivered and not tcb.settings.tcp_recovery & RECOVERY_STATIC_REO_WND:
        tcb.rack.adjust(tcb.delivered, prior_delivered)


def mark_by_count(tcb: TCB, *, at_least_first: bool) -> None:
    """
    Take for lost what has as many reported segments beyond it as the threshold says (RFC 6675
    section 4, IsLost).

    @param at_least_first: the first segment, too: recovery begins.
    """
    board = tcb.board
    beyond = board.sacked
    lost = []
    for segment in board:
        if beyond < tcb.recovery.reordering:
            break
        if segment.is_sacked:
            beyond -= 1
        elif not segment.is_lost:
            lost.append(segment)
    first = board.first
    if not lost and at_least_first and first and not first.is_sacked and not first.is_lost:
        lost.append(first)
    for segment in lost:
        board.mark_lost(segment)


def mark_by_duplicates(tcb: TCB, *, una_advanced: bool) -> None:
    """
    Without SACK, take the first segment for lost after the third duplicate ACK, and in a recovery
    after each partial ACK (RFC 6582 section 3.2).
    """
    state = tcb.recovery.state
    if state is CongestionState.RECOVERY:
        if not una_advanced:
            return
    elif state is CongestionState.LOSS or tcb.board.sacked < tcb.recovery.reordering:
        return
    first = tcb.board.first
    if first is not None and not first.is_lost:
        tcb.board.mark_lost(first)


def is_time_to_recover(tcb: TCB) -> bool:
    """
    Is something lost, or have there been as many signs of it as the threshold says?
    """
    if tcb.board.lost:
        return True
    return not uses_rack(tcb) and tcb.board.sacked >= tcb.recovery.reordering
