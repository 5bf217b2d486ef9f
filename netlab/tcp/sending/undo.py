"""
Taking back a reduction of the congestion window when it turns out that nothing had been lost: the
ACK answers the original, by its timestamp (Eifel, RFC 3522), or D-SACKs say that all
retransmissions were needless (RFC 3708).
"""

from __future__ import annotations

from netlab.tcp.segment import CongestionState
from netlab.tcp.sending.progress import Progress
from netlab.tcp.sending.rack import PERSIST_RECOVERIES
from netlab.tcp.sequence import MASK
from netlab.tcp.tcb import TCB


def may_undo(tcb: TCB, progress: Progress) -> bool:
    """
    Was the reduction for nothing?
    """
    recovery = tcb.recovery
    if recovery.undo_marker is None:
        return False
    return recovery.undo_retransmissions == 0 or original_arrived(tcb, progress)


def original_arrived(tcb: TCB, progress: Progress) -> bool:
    """
    Does the ACK echo a timestamp from before the first retransmission?
    """
    since = tcb.recovery.retransmitting_since
    if since is None or not progress.echo or not tcb.negotiated.has_timestamps:
        return False
    behind = (tcb.timestamp(since) - progress.echo) & MASK
    return 0 < behind < 0x8000_0000


def restore_window(tcb: TCB, *, nothing_is_lost: bool) -> None:
    """
    Take the reduction back.
    """
    recovery = tcb.recovery
    if nothing_is_lost:
        tcb.board.forget_losses()
    if recovery.prior_ssthresh:
        tcb.congestion.undone(recovery.prior_cwnd, recovery.prior_ssthresh)
    tcb.cwr_is_due = False
    recovery.undo_marker = None
    recovery.first_reason = None
    tcb.rack.has_advanced = True


def undo_by_duplicates(tcb: TCB) -> bool:
    """
    Take it back if D-SACKs have reported every retransmission.
    """
    recovery = tcb.recovery
    if recovery.undo_marker is None or recovery.undo_retransmissions != 0:
        return False
    tcb.rack.persist = min(PERSIST_RECOVERIES, tcb.rack.persist + 1)
    restore_window(tcb, nothing_is_lost=False)
    return True


def undo_at_end(tcb: TCB, progress: Progress) -> bool:
    """
    Recovery is over: was it for nothing? Without SACK it is not left before something beyond it is
    acknowledged, since more duplicate ACKs may come that mean nothing (RFC 6582 section 4.1).

    @return: whether it is not left.
    """
    recovery = tcb.recovery
    if may_undo(tcb, progress):
        restore_window(tcb, nothing_is_lost=False)
    elif tcb.rack.persist:
        tcb.rack.persist -= 1
    if holds_without_sack(tcb):
        return True
    recovery.state = CongestionState.OPEN
    return False


def holds_without_sack(tcb: TCB) -> bool:
    """
    Without SACK, is exactly the recovery point acknowledged?
    """
    recovery = tcb.recovery
    if tcb.negotiated.has_sack or tcb.snd_una != recovery.point:
        return False
    if not any_retransmission(tcb):
        recovery.retransmitting_since = None
    return True


def undo_partly(tcb: TCB, progress: Progress) -> bool:
    """
    A part of what was out is acknowledged: was it the originals?
    """
    recovery = tcb.recovery
    if recovery.undo_marker is None or not original_arrived(tcb, progress):
        return False
    tcb.rack.has_reordering = True
    if tcb.board.resent:
        # Their ACKs are still to come, and could be taken for signs of a loss.
        return True
    recovery.retransmitting_since = None
    restore_window(tcb, nothing_is_lost=True)
    open_if_possible(tcb)
    return True


def undo_timeout(tcb: TCB, progress: Progress, *, is_certain: bool) -> bool:
    """
    Take a timeout back.

    @param is_certain: F-RTO has found that it was spurious.
    @return: whether the timeout is dealt with.
    """
    if not is_certain and not may_undo(tcb, progress):
        return False
    restore_window(tcb, nothing_is_lost=True)
    tcb.timeouts = 0
    if holds_without_sack(tcb):
        return True
    if is_certain or tcb.negotiated.has_sack:
        tcb.recovery.state = CongestionState.OPEN
        tcb.recovery.tests_timeout = False
    return True


def any_retransmission(tcb: TCB) -> bool:
    """
    May a retransmission be under way, or has the first segment been one?
    """
    first = tcb.board.first
    return tcb.board.resent > 0 or (first is not None and first.was_retransmitted)


def open_if_possible(tcb: TCB) -> None:
    """
    Believe the network to be in order, or nearly.
    """
    board, recovery = tcb.board, tcb.recovery
    state = CongestionState.OPEN
    if board.sacked or board.lost or any_retransmission(tcb):
        state = CongestionState.DISORDER
    if recovery.state is not state:
        recovery.state = state
        recovery.point = tcb.snd_nxt
