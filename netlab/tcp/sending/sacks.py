"""
What SACKs tell the sender: RFC 2018, RFC 2883, RFC 6675.
"""

from __future__ import annotations

from typing import Final

from netlab.tcp.segment import CongestionState
from netlab.tcp.sending.progress import Progress
from netlab.tcp.sequence import unwrap
from netlab.tcp.tcb import TCB

SACK_RANGES_PER_ACK_MAX: Final = 4
"""What fits into a segment's options (RFC 2018 section 3)."""


def sacks_arrive(
    tcb: TCB, now: int, ack: int, sacks: tuple[tuple[int, int], ...], progress: Progress
) -> None:
    """
    Note what an ACK's SACK option reports.

    @param ack: the acknowledgment number, unwrapped.
    @param sacks: as on the wire.
    """
    ranges = [
        (unwrap(start, tcb.snd_una), unwrap(end, tcb.snd_una))
        for start, end in sacks[:SACK_RANGES_PER_ACK_MAX]
    ]
    if is_duplicate_report(tcb, ack, ranges):
        duplicate_arrives(tcb, ranges.pop(0), progress)
    fack = tcb.board.fack
    for start, end in ranges:
        if tcb.snd_una <= start < end <= tcb.snd_nxt:
            mark_range(tcb, now, start, end, progress)
    if progress.lowest_original is not None and (
        tcb.recovery.state is not CongestionState.LOSS or tcb.recovery.undo_marker is not None
    ):
        note_reordering(tcb, progress.lowest_original, fack)
        progress.lowest_original = None


def is_duplicate_report(tcb: TCB, ack: int, ranges: list[tuple[int, int]]) -> bool:
    """
    Does the first range report a duplicate (RFC 2883 section 4)? It does if it lies below the
    acknowledgment number, or within the second range.
    """
    if not ranges or ranges[0][0] >= ranges[0][1]:
        return False
    if ranges[0][0] < ack:
        return True
    return len(ranges) > 1 and ranges[1][0] <= ranges[0][0] and ranges[0][1] <= ranges[1][1]


def duplicate_arrives(tcb: TCB, duplicate: tuple[int, int], progress: Progress) -> None:
    """
    Note that the peer had something already when it arrived again, if it can have been ours: below
    SND.UNA nothing counts that is older than the largest window.
    """
    start, end = duplicate
    recovery = tcb.recovery
    if end > tcb.snd_nxt or start < tcb.snd_una - max(tcb.max_window, tcb.mss):
        return
    progress.has_duplicate = True
    if recovery.probe_point is None:
        # One that a probe caused on purpose says nothing of reordering.
        tcb.rack.has_dsack = True
    marker = recovery.undo_marker
    if marker is not None and marker < end and recovery.undo_retransmissions > 0:
        count = max(1, (end - start) // max(tcb.mss, 1))
        recovery.undo_retransmissions = max(0, recovery.undo_retransmissions - count)


def mark_range(tcb: TCB, now: int, start: int, end: int, progress: Progress) -> None:
    """
    Mark the segments that lie within a range. One that lies in it with a part is not marked: its
    rest is still to be acknowledged.
    """
    board, rack = tcb.board, tcb.rack
    min_rtt = tcb.rtt.min_rtt
    for segment in board.after(start):
        if segment.end > end:
            break
        if segment.is_sacked or segment.seq < start:
            continue
        was_retransmitted = segment.was_retransmitted
        rack.delivered(
            now, segment.sent_at, segment.serial, min_rtt, was_retransmitted=was_retransmitted
        )
        if not was_retransmitted:
            if segment.seq < board.fack:
                progress.note_original(segment.seq)
            if segment.end <= tcb.recovery.point:
                progress.has_original = True
            progress.sack_sent_at = max(progress.sack_sent_at, segment.sent_at)
        board.mark_sacked(segment)
        progress.sacked += 1
        tcb.delivered += 1


def note_reordering(tcb: TCB, low: int, fack: int) -> None:
    """
    Note that an original has arrived that others overtook: raise the threshold of duplicate ACKs,
    and let RACK wait (RFC 8985 section 6.2, step 3).

    @param low: its sequence number.
    @param fack: behind the last byte that had been reported.
    """
    if low >= fack:
        return
    recovery = tcb.recovery
    mss = max(tcb.mss, 1)
    distance = (fack - low + mss - 1) // mss
    if distance > recovery.reordering:
        recovery.reordering = min(distance, tcb.settings.tcp_max_reordering)
    tcb.rack.has_reordering = True
