"""
What the sender does about losses, and for how long: fast recovery (RFC 6582, RFC 6675), the window
on the way down (proportional rate reduction, RFC 6937), and what follows a timeout (RFC 5682).
"""

from __future__ import annotations

from netlab.tcp.segment import SSTHRESH_INFINITE, CongestionState, Reason
from netlab.tcp.sending import lossdetection, undo
from netlab.tcp.sending.progress import Progress
from netlab.tcp.tcb import TCB

_OPEN, _DISORDER, _CWR, _RECOVERY, _LOSS = CongestionState
_REDUCING = (_CWR, _RECOVERY)


def is_dubious(tcb: TCB, progress: Progress) -> bool:
    """
    Is there anything to think about?
    """
    return (
        tcb.recovery.state is not _OPEN
        or progress.sacked > 0
        or progress.has_echo
        or progress.has_duplicate
        or not (progress.una_advanced or progress.has_payload or progress.updates_window)
    )


def alert(tcb: TCB, now: int, progress: Progress) -> None:
    """
    Take the steps that an ACK causes which is dubious, or comes while something is wrong.
    """
    recovery = tcb.recovery
    is_duplicate = progress.is_duplicate_ack
    signs_loss = is_duplicate or progress.sacked > 0
    if progress.has_echo:
        recovery.prior_ssthresh = 0
    if recovery.state is _OPEN:
        recovery.retransmitting_since = None
    elif tcb.snd_una >= recovery.point and finish(tcb, progress):
        return
    state = recovery.state
    begins = False
    if state is _RECOVERY:
        if continue_recovery(tcb, now, progress, is_duplicate=is_duplicate):
            return
        if recovery.state is not _RECOVERY:
            if not lossdetection.is_time_to_recover(tcb):
                return
            enter_recovery(tcb, progress)
    elif state is _LOSS:
        continue_after_timeout(tcb, progress, is_duplicate=is_duplicate)
        lost_again = lossdetection.look_for_losses(tcb, now, una_advanced=progress.una_advanced)
        if recovery.state is not _OPEN and not lost_again:
            return
        if recovery.state is _LOSS or not lossdetection.is_time_to_recover(tcb):
            return
        enter_recovery(tcb, progress)
        begins = True
    else:
        if not tcb.negotiated.has_sack:
            if progress.una_advanced:
                tcb.board.sacked = 0
            if is_duplicate:
                count_duplicate(tcb)
        if state is not _CWR:
            undo.undo_by_duplicates(tcb)
        lossdetection.look_for_losses(tcb, now, una_advanced=progress.una_advanced)
        if not lossdetection.is_time_to_recover(tcb):
            try_to_open(tcb, progress)
            return
        enter_recovery(tcb, progress)
        begins = True
    if signs_loss and tcb.negotiated.has_sack and not lossdetection.uses_rack(tcb):
        lossdetection.mark_by_count(tcb, at_least_first=begins)


def finish(tcb: TCB, progress: Progress) -> bool:
    """
    The recovery point is acknowledged.

    @return: whether the ACK has nothing else to say.
    """
    recovery = tcb.recovery
    if recovery.state is _CWR:
        # Something beyond it must be acknowledged, or its duplicate ACKs would look like a loss.
        if tcb.snd_una != recovery.point:
            end_reduction(tcb)
            recovery.state = _OPEN
    elif recovery.state is _RECOVERY:
        if not tcb.negotiated.has_sack:
            tcb.board.sacked = 0
        if undo.undo_at_end(tcb, progress):
            return True
        end_reduction(tcb)
    return False


def continue_recovery(tcb: TCB, now: int, progress: Progress, *, is_duplicate: bool) -> bool:
    """
    Go on in fast recovery.

    @return: whether the ACK has nothing else to say.
    """
    if not progress.una_advanced:
        if not tcb.negotiated.has_sack and is_duplicate:
            count_duplicate(tcb)
    elif undo.undo_partly(tcb, progress):
        return True
    if undo.undo_by_duplicates(tcb):
        try_to_open(tcb, progress)
    lossdetection.look_for_losses(tcb, now, una_advanced=progress.una_advanced)
    if progress.una_advanced and not tcb.negotiated.has_sack:
        tcb.recovery.first_reason = Reason.PARTIAL_ACK
    return False


def continue_after_timeout(tcb: TCB, progress: Progress, *, is_duplicate: bool) -> None:
    """
    Go on after a retransmission timeout, and find out whether it was spurious (F-RTO, RFC 5682
    section 3.1).
    """
    recovery = tcb.recovery
    is_recovered = tcb.snd_una >= recovery.point
    if progress.una_advanced and undo.undo_timeout(tcb, progress, is_certain=False):
        return
    if recovery.tests_timeout:
        if progress.has_original and undo.undo_timeout(tcb, progress, is_certain=True):
            return
        if tcb.snd_nxt > recovery.point:
            if progress.sacked or is_duplicate:
                recovery.tests_timeout = False
        elif progress.una_advanced and not is_recovered:
            recovery.point = tcb.snd_nxt
            recovery.prefers_new = True
            return
    if is_recovered:
        undo.undo_at_end(tcb, progress)
        return
    if not tcb.negotiated.has_sack:
        if tcb.snd_nxt > recovery.point and is_duplicate:
            count_duplicate(tcb)
        elif progress.una_advanced:
            tcb.board.sacked = 0


def count_duplicate(tcb: TCB) -> None:
    """
    Without SACK, take a duplicate ACK for the report of one segment that has arrived.
    """
    board = tcb.board
    if board.sacked + board.lost < len(board):
        board.sacked += 1
        tcb.delivered += 1
    else:
        # There are more than can be explained by a loss: segments overtake each other.
        tcb.recovery.reordering = min(len(board) + 1, tcb.settings.tcp_max_reordering)


def try_to_open(tcb: TCB, progress: Progress) -> None:
    """
    Nothing is lost, as far as is known.
    """
    recovery = tcb.recovery
    if not undo.any_retransmission(tcb):
        recovery.retransmitting_since = None
    if progress.has_echo:
        enter_cwr(tcb)
    if recovery.state is not _CWR:
        undo.open_if_possible(tcb)


def enter_recovery(tcb: TCB, progress: Progress | None) -> None:
    """
    Something is lost: send it again, and bring the window down (RFC 5681 section 3.2).
    """
    recovery = tcb.recovery
    if recovery.state not in _REDUCING:
        recovery.prior_ssthresh = 0
        if progress is None or not progress.has_echo:
            recovery.prior_ssthresh = threshold_for_undo(tcb)
        begin_reduction(tcb)
    begin_undo(tcb)
    recovery.state = _RECOVERY
    recovery.first_reason = None
    by_time = lossdetection.uses_rack(tcb) and tcb.rack.has_reordering
    if tcb.board.sacked >= recovery.reordering and not by_time:
        recovery.first_reason = Reason.FAST_RETRANSMIT


def enter_cwr(tcb: TCB) -> None:
    """
    A router has marked a segment: bring the window down as if it had been lost (RFC 3168 section
    6.1.2).
    """
    recovery = tcb.recovery
    recovery.prior_ssthresh = 0
    if recovery.state in {_OPEN, _DISORDER}:
        recovery.undo_marker = None
        begin_reduction(tcb)
        recovery.state = _CWR


def enter_loss(tcb: TCB, now: int) -> None:
    """
    A retransmission timeout has ended: take for lost what is out, and begin with one segment
    (RFC 5681 section 3.1).
    """
    recovery, congestion, board = tcb.recovery, tcb.congestion, tcb.board
    is_first = recovery.state in {_OPEN, _DISORDER}
    mark_at_timeout(tcb, now)
    if is_first or recovery.point <= tcb.snd_una or (recovery.state is _LOSS and tcb.timeouts == 0):
        recovery.prior_ssthresh = threshold_for_undo(tcb)
        recovery.prior_cwnd = congestion.cwnd
        congestion.ssthresh = congestion.threshold_after_loss(now)
        congestion.timed_out(now)
        begin_undo(tcb)
    congestion.cwnd = board.in_flight + 1
    if is_first and board.sacked >= tcb.settings.tcp_reordering:
        # What was reported was no reordering.
        recovery.reordering = min(recovery.reordering, tcb.settings.tcp_reordering)
    recovery.tests_timeout = bool(tcb.settings.tcp_frto) and (
        recovery.state is not _LOSS or tcb.timeouts > 0
    )
    recovery.prefers_new = False
    recovery.state = _LOSS
    recovery.point = tcb.snd_nxt
    recovery.probe_point = None
    recovery.first_reason = Reason.RETRANSMISSION_TIMEOUT
    tcb.cwr_is_due = tcb.negotiated.has_ecn


def mark_at_timeout(tcb: TCB, now: int) -> None:
    """
    Take everything for lost that is out; with RACK not what was sent so late that its ACK may still
    come (RFC 8985 section 6.3).
    """
    board = tcb.board
    first = board.first
    if first is not None and first.is_sacked:
        # The receiver has thrown away what it had reported (RFC 2018 section 8).
        board.forget_sacks()
    elif not tcb.negotiated.has_sack:
        board.sacked = 0
    limit = 0
    if lossdetection.uses_rack(tcb):
        limit = tcb.rack.rtt + lossdetection.reordering_window(tcb)
    for segment in list(board):
        if segment.is_sacked:
            continue
        if segment is first or segment.sent_at + limit <= now:
            board.mark_lost(segment)


def begin_undo(tcb: TCB) -> None:
    """
    Remember from where on the reduction can be taken back.
    """
    recovery = tcb.recovery
    recovery.undo_marker = tcb.snd_una
    recovery.undo_retransmissions = tcb.board.resent or -1


def threshold_for_undo(tcb: TCB) -> int:
    """
    What C{ssthresh} shall be if the reduction is taken back.
    """
    congestion = tcb.congestion
    if tcb.recovery.state in _REDUCING:
        return congestion.ssthresh
    return max(congestion.ssthresh, (congestion.cwnd >> 1) + (congestion.cwnd >> 2))


def begin_reduction(tcb: TCB) -> None:
    """
    Bring the window down to the new threshold in the course of a round trip.
    """
    recovery, congestion = tcb.recovery, tcb.congestion
    recovery.point = tcb.snd_nxt
    recovery.probe_point = None
    recovery.prior_cwnd = congestion.cwnd
    recovery.prr_delivered = recovery.prr_out = 0
    congestion.ssthresh = congestion.threshold_after_loss(tcb.heard_at)
    tcb.cwr_is_due = tcb.negotiated.has_ecn


def reduce(tcb: TCB, delivered: int, *, is_clean: bool) -> None:
    """
    Set the window for the next segment, so that it comes down by as many segments for each that is
    delivered as it shall in all (RFC 6937 section 3); and where more was lost than that, so that
    it comes up to the threshold again by slow start.

    @param delivered: segments that the ACK shows to have arrived.
    @param is_clean: it acknowledges new data and shows no new loss.
    """
    recovery, congestion = tcb.recovery, tcb.congestion
    if delivered <= 0 or recovery.prior_cwnd <= 0:
        return
    in_flight = tcb.board.in_flight
    recovery.prr_delivered += delivered
    room = congestion.ssthresh - in_flight
    if room < 0:
        share = congestion.ssthresh * recovery.prr_delivered + recovery.prior_cwnd - 1
        count = share // recovery.prior_cwnd - recovery.prr_out
    else:
        count = max(recovery.prr_delivered - recovery.prr_out, delivered) + is_clean
        count = min(room, count)
    # The first retransmission leaves at once.
    count = max(count, 0 if recovery.prr_out else 1)
    congestion.cwnd = max(in_flight + count, 1)


def end_reduction(tcb: TCB) -> None:
    """
    The window has come down, or the recovery was taken back.
    """
    recovery, congestion = tcb.recovery, tcb.congestion
    if congestion.ssthresh < SSTHRESH_INFINITE and (
        recovery.state is _CWR or recovery.undo_marker is not None
    ):
        congestion.cwnd = congestion.ssthresh
        tcb.cwnd_used_at = tcb.heard_at


def is_reducing(tcb: TCB) -> bool:
    """
    Is the window being brought down?
    """
    return tcb.recovery.state in _REDUCING


def probe_is_acknowledged(tcb: TCB, ack: int, progress: Progress) -> None:
    """
    Find out what a tail loss probe has done (RFC 8985 section 7.4): if it repaired a loss, that
    counts as one.
    """
    recovery = tcb.recovery
    point = recovery.probe_point
    if point is None or ack < point:
        return
    if recovery.probe_was_new or progress.has_duplicate:
        recovery.probe_point = None
    elif ack > point:
        begin_reduction(tcb)
        recovery.prior_ssthresh = 0
        recovery.state = _CWR
        end_reduction(tcb)
        undo.open_if_possible(tcb)
    elif not (progress.una_advanced or progress.sacked or progress.has_payload):
        recovery.probe_point = None
