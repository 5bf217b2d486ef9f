"""
What an ACK tells the sender: what has arrived, how long it took, how much more may be sent.
"""

from __future__ import annotations

from netlab.capture.options import TCPOptions
from netlab.tcp.congestion.base import Acknowledged
from netlab.tcp.events import Writable
from netlab.tcp.segment import ECE, FIN, SYN, TCPSegment
from netlab.tcp.sending import arming, lossdetection, mss, questions, recovery, sacks
from netlab.tcp.sending.progress import Progress
from netlab.tcp.sequence import MASK
from netlab.tcp.tcb import TCB
from netlab.tcp.timers import MILLISECOND, Timer


def ack_arrives(
    tcb: TCB,
    now: int,
    seq: int,
    ack: int,
    segment: TCPSegment,
    options: TCPOptions | None,
) -> None:
    """
    Take an acknowledgment that is valid.

    @param seq: unwrapped.
    @param ack: unwrapped; it may be older than SND.UNA.
    @param options: C{None} if there are none but timestamps.
    """
    board = tcb.board
    tcb.probes = tcb.keep_alive_probes = 0
    tcb.recovery.prefers_new = tcb.awaits_more = False
    if options is None and not board and is_quiet(tcb, segment.flags):
        update_window(tcb, seq, ack, segment.window)
        return
    fack = board.fack
    had_in_flight = len(board)
    in_flight = board.in_flight
    delivered = tcb.delivered
    lost = board.lost
    progress = Progress(tcb.snd_una, tcb.echo)
    progress.has_payload = bool(segment.payload or segment.flags & (FIN | SYN))
    progress.has_echo = bool(segment.flags & ECE) and tcb.negotiated.has_ecn
    progress.una_advanced = ack > tcb.snd_una
    progress.updates_window = update_window(tcb, seq, ack, segment.window)
    if options is not None and options.sacks and tcb.negotiated.has_sack:
        sacks.sacks_arrive(tcb, now, ack, options.sacks, progress)
    if had_in_flight:
        if progress.una_advanced:
            take_acknowledged(tcb, now, ack, progress, fack)
        measure(tcb, now, progress)
        if progress.prior_delivered:
            lossdetection.adjust_reordering_window(tcb, progress.prior_delivered)
        if tcb.recovery.probe_point is not None:
            recovery.probe_is_acknowledged(tcb, ack, progress)
        if recovery.is_dubious(tcb, progress):
            recovery.alert(tcb, now, progress)
        control_congestion(tcb, now, progress, in_flight, tcb.delivered - delivered, lost)
        if progress.sets_timer and tcb.timers.sender is not Timer.REORDERING:
            arming.arm_after_ack(tcb, now)
    else:
        if progress.has_duplicate or progress.has_echo:
            recovery.alert(tcb, now, progress)
        if tcb.recovery.probe_point is not None:
            recovery.probe_is_acknowledged(tcb, ack, progress)
    if tcb.timers.sender is Timer.WINDOW_PROBE:
        window_probe_is_answered(tcb, now)
    if tcb.wants_space:
        tell_writable(tcb)


def is_quiet(tcb: TCB, flags: int) -> bool:
    """
    Is there nothing that an ACK could change, but the window? So it is for one who only receives.
    """
    return (
        tcb.timers.sender is None
        and not flags & ECE
        and not tcb.wants_space
        and tcb.recovery.probe_point is None
    )


def update_window(tcb: TCB, seq: int, ack: int, field: int) -> bool:
    """
    Take the window, unless a later segment has brought one (RFC 9293 section 3.10.7.4, fifth). Of
    two that came with the same numbers the larger counts: which was sent last cannot be told, and
    a receiver does not shrink its window. Except to nothing, as Linux has it.
    """
    window = field << tcb.negotiated.send_shift
    una = tcb.snd_una
    if ack < una:
        # It is counted from an older edge. Its sequence number may be the newest all the same: what
        # was sent again after it, and overtook it, has a lower one.
        return False
    if not (
        ack > una
        or seq > tcb.snd_wl1
        or (seq == tcb.snd_wl1 and (window > tcb.snd_wnd or not window))
    ):
        return False
    tcb.snd_wl1, tcb.snd_wl2 = seq, ack
    tcb.snd_wnd = window
    if window > tcb.max_window:
        tcb.max_window = window
        mss.synchronise(tcb)
    return True


def take_acknowledged(tcb: TCB, now: int, ack: int, progress: Progress, fack: int) -> None:
    """
    Take off what an ACK covers (RFC 9293 section 3.10.7.4, fifth).

    @param fack: behind the last byte that SACKs had reported before this ACK came: what arrived for
        the first time before it, and was not reported, was overtaken.
    """
    board, rack = tcb.board, tcb.rack
    min_rtt = tcb.rtt.min_rtt
    point = tcb.recovery.point
    while (sent := board.pop_acknowledged(ack)) is not None:
        if sent.is_sacked:
            continue
        if sent.flags & SYN:
            tcb.delivered += 1
            if not sent.was_retransmitted:
                progress.first_sent_at = sent.sent_at
            continue
        progress.acked += 1
        sent_at = sent.sent_at
        if sent.was_retransmitted:
            progress.has_retransmitted = True
        else:
            if progress.first_sent_at < 0:
                progress.first_sent_at = sent_at
            progress.last_sent_at = sent_at
            if sent.seq < fack:
                progress.note_original(sent.seq)
            if sent.end <= point:
                progress.has_original = True
        progress.prior_delivered = max(progress.prior_delivered, sent.delivered)
        rack.delivered(now, sent_at, sent.serial, min_rtt, was_retransmitted=sent.was_retransmitted)
    board.trim(ack)
    tcb.snd_una = ack
    tcb.queue.release(ack)
    tcb.timeouts = 0
    progress.sets_timer = True
    if tcb.negotiated.has_sack:
        tcb.delivered += progress.acked
        if progress.lowest_original is not None:
            sacks.note_reordering(tcb, progress.lowest_original, fack)
    else:
        # The count of duplicate ACKs stood for these, but for the first, which was missing; they
        # were counted as delivered when the duplicate ACKs came.
        if progress.acked:
            tcb.delivered += max(progress.acked - board.sacked, 1)
        board.sacked = max(0, board.sacked - max(progress.acked - 1, 0))
        board.sacked = min(board.sacked, max(len(board) - board.lost, 0))
        if progress.has_retransmitted:
            progress.has_original = False


def measure(tcb: TCB, now: int, progress: Progress) -> None:
    """
    Take a round-trip time: of a segment that was sent once (Karn), or by the timestamp that is
    echoed (RFC 7323 section 4.3).
    """
    first_sent_at = progress.first_sent_at
    if first_sent_at >= 0 and not progress.has_retransmitted:
        rtt = now - first_sent_at
    elif progress.sack_sent_at >= 0:
        rtt = now - progress.sack_sent_at
    elif progress.una_advanced and progress.echo and tcb.negotiated.has_timestamps:
        behind = (tcb.timestamp(now) - progress.echo) & MASK
        if behind >= 0x8000_0000:
            return
        rtt = max(behind, 1) * MILLISECOND
    else:
        return
    tcb.rtt.sample(now, rtt, tcb.snd_una, tcb.snd_nxt)
    if progress.una_advanced:
        tcb.rtt.backoff = 0


def control_congestion(
    tcb: TCB, now: int, progress: Progress, in_flight: int, delivered: int, lost: int
) -> None:
    """
    Bring the window down while it is being reduced; else let it grow, if the ACK shows progress.

    @param in_flight: before the ACK.
    @param delivered: segments that it shows to have arrived.
    @param lost: how many were taken for lost before it.
    """
    if recovery.is_reducing(tcb):
        is_clean = progress.una_advanced and tcb.board.lost <= lost
        recovery.reduce(tcb, delivered, is_clean=is_clean)
    elif progress.acked or (
        progress.sacked and tcb.recovery.reordering > tcb.settings.tcp_reordering
    ):
        last = max(progress.last_sent_at, progress.sack_sent_at)
        tcb.congestion.acknowledged(
            Acknowledged(
                now,
                delivered,
                now - last if last >= 0 else 0,
                tcb.rtt.srtt,
                in_flight,
                questions.is_cwnd_limited(tcb),
                tcb.snd_una,
                tcb.snd_nxt,
            )
        )


def window_probe_is_answered(tcb: TCB, now: int) -> None:
    """
    Go on probing if the window is still too small, else stop (RFC 9293 section 3.8.6.1).
    """
    end = questions.next_end(tcb)
    if end is None or questions.fits_window(tcb, end):
        tcb.rtt.backoff = 0
        tcb.timers.stop_sender()
    else:
        tcb.timers.start(Timer.WINDOW_PROBE, now + tcb.rtt.rto)


def tell_writable(tcb: TCB) -> None:
    """
    Tell the program that it may write again: a third of the buffer is free, as Linux has it.
    """
    if questions.has_much_space(tcb):
        tcb.wants_space = False
        tcb.events.append(Writable())
