"""
What a connection may send now. Each rule of sending is a question with a short answer.
"""

from __future__ import annotations

from typing import Final

from netlab.tcp.congestion.base import INITIAL_WINDOW
from netlab.tcp.segment import SYN, CongestionState, Reason
from netlab.tcp.sending import arming, bursts, transmission
from netlab.tcp.sending.lossdetection import uses_rack
from netlab.tcp.states import SENDS_DATA, TCPState
from netlab.tcp.tcb import TCB
from netlab.tcp.timers import Timer

SEGMENT_COST_BYTES: Final = 1024
"""What a segment that is out counts of C{tcp_wmem}'s maximum at least; Linux counts about 700 to
1300 bytes beside the payload. With 4 MB 4096 may be out, 5.9 MB of full segments."""

SEGMENTS_LEAST: Final = 64


def send_what_is_due(tcb: TCB, now: int) -> None:
    """
    Put all that may be sent into the outbox: lost segments first, then new ones, then the ACK that
    is owed, if none of them has carried it.
    """
    if tcb.state in SENDS_DATA or (tcb.is_early and tcb.state is TCPState.SYN_RECEIVED):
        if tcb.recovery.prefers_new:
            send_new_data(tcb, now)
            if tcb.snd_nxt <= tcb.recovery.point:
                # There was none to test the timeout with.
                tcb.recovery.prefers_new = tcb.recovery.tests_timeout = False
        if tcb.board.to_resend and not tcb.recovery.prefers_new:
            send_lost(tcb, now)
        if tcb.snd_nxt < tcb.queue.end + tcb.queue.has_fin:
            send_new_data(tcb, now)
    if tcb.ack_due is not None:
        transmission.send_ack(tcb, now, tcb.ack_due)


def send_lost(tcb: TCB, now: int) -> None:
    """
    Send lost segments again, the first one first, as far as the windows allow (RFC 6675 section 5,
    NextSeg).
    """
    board, congestion = tcb.board, tcb.congestion
    edge = tcb.snd_una + tcb.snd_wnd
    first = board.first
    burst = count = 0
    for segment in board.after(board.resend_from):
        if board.in_flight >= congestion.cwnd or not board.to_resend:
            break
        if not segment.is_lost or segment.is_resent:
            continue
        if segment.seq >= edge and segment is not first:
            break
        if segment.burst != burst or segment.seq != board.resend_from:
            if count > 1:
                bursts.push_last(tcb)
            burst, count = segment.burst, 0
        if segment is first and tcb.timers.sender is not Timer.REORDERING:
            arming.arm_retransmission(tcb, now)
        transmission.send_again(tcb, now, segment, reason_again(tcb))
        count += 1
        board.resend_from = segment.end
    if count > 1:
        bursts.push_last(tcb)


def reason_again(tcb: TCB) -> Reason:
    """
    Why would a lost segment be sent again now?
    """
    recovery = tcb.recovery
    first, recovery.first_reason = recovery.first_reason, None
    if first is not None:
        return first
    if recovery.state is CongestionState.LOSS:
        return Reason.LOSS_RECOVERY
    if not tcb.negotiated.has_sack:
        return Reason.FAST_RETRANSMIT
    return Reason.RACK if uses_rack(tcb) else Reason.SACK_RECOVERY


def send_new_data(tcb: TCB, now: int) -> None:
    """
    Send new segments as long as every rule allows it.
    """
    board = tcb.board
    was_idle = not board
    # A SYN-ACK on its way does not count, as in Linux: data of fast open may follow it.
    first = board.first
    is_opening = first is not None and bool(first.flags & SYN)
    sent = burst = count = room = 0
    is_limited = False
    most = segments_max(tcb)
    while True:
        end = next_end(tcb)
        if end is None or not fits_window(tcb, end) or not may_be_small(tcb, end):
            break
        if was_idle and not sent:
            begin_to_send(tcb, now)
        if board.in_flight - is_opening >= tcb.congestion.cwnd:
            is_limited = True
            break
        if len(board) >= most:
            break
        if count == room:
            if count > 1:
                bursts.push_last(tcb)
            burst, count, room = tcb.snd_nxt, 0, bursts.burst_segments(tcb)
        transmission.send_new(tcb, now, end, reason_of_new(tcb), burst, arms=was_idle and not sent)
        sent += 1
        count += 1
    if count > 1:
        bursts.push_last(tcb)
    if sent:
        if sent > 1 or not was_idle:
            arming.arm_after_sending(tcb, now, was_idle=False)
        note_use_of_window(
            tcb, now, is_limited=is_limited or board.in_flight >= tcb.congestion.cwnd
        )
    elif was_idle:
        wait_for_window(tcb, now)


def segments_max(tcb: TCB) -> int:
    """
    How many segments may be out? A peer that asks for tiny ones and reports each by itself would
    have us look at a hundred thousand for each of its ACKs (CVE-2019-11478 and 11479).
    """
    return max(tcb.settings.tcp_wmem[2] // SEGMENT_COST_BYTES, SEGMENTS_LEAST)


def has_unsent(tcb: TCB) -> bool:
    """
    Is there a byte, or a FIN, that has not been sent?
    """
    queue = tcb.queue
    return tcb.snd_nxt < queue.end + queue.has_fin


def next_end(tcb: TCB) -> int | None:
    """
    Where would the next new segment end? Behind the FIN, if it would have all the rest.
    """
    queue = tcb.queue
    end = queue.end
    nxt = tcb.snd_nxt
    if nxt > end:
        return None
    mss = tcb.mss
    if tcb.received.sacks:
        mss -= 4 + 8 * len(tcb.received.sacks)
    if queue.records:
        while queue.records and queue.records[0] <= nxt:
            queue.records.popleft()
        if queue.records and queue.records[0] < end:
            return min(nxt + mss, queue.records[0])
    if end - nxt > mss:
        return nxt + mss
    if queue.has_fin and (nxt == end or end < tcb.snd_una + tcb.snd_wnd):
        return end + 1
    return end if nxt < end else None


def fits_window(tcb: TCB, end: int) -> bool:
    """
    Is the peer's window large enough for all of the segment? A part of it would be a silly one
    (RFC 9293 section 3.8.6.2.1); a window that stays too small for a full one is probed.
    """
    return end <= tcb.snd_una + tcb.snd_wnd


def may_be_small(tcb: TCB, end: int) -> bool:
    """
    May a segment leave that is not full? By Nagle's algorithm only if no other small one is under
    way (RFC 9293 section 3.7.4, in Minshall's variant, as Linux has it). What ends the stream may,
    and what more follows already.
    """
    if end - tcb.snd_nxt >= tcb.mss or end != tcb.queue.end:
        return True
    options = tcb.options
    if end <= tcb.released_end:
        return True
    if options.cork or tcb.awaits_more:
        return False
    return options.nodelay or not tcb.board or tcb.small_end <= tcb.snd_una


def reason_of_new(tcb: TCB) -> Reason:
    """
    Why would new data leave now?
    """
    if tcb.recovery.state is CongestionState.DISORDER and 0 < tcb.board.sacked < 3:
        return Reason.LIMITED_TRANSMIT
    return Reason.DATA


def begin_to_send(tcb: TCB, now: int) -> None:
    """
    Nothing is in flight: how much is the congestion window still worth? Halve it for each timeout
    that has passed without sending (RFC 2861; RFC 5681 section 4.1 would begin anew at once).
    """
    congestion = tcb.congestion
    idle = now - tcb.sent_at
    rto = tcb.rtt.rto
    if not tcb.sent_at:
        return
    congestion.starts_again(now, idle)
    if not tcb.settings.tcp_slow_start_after_idle or idle <= rto:
        return
    cwnd = congestion.cwnd
    congestion.ssthresh = max(congestion.ssthresh, (cwnd >> 1) + (cwnd >> 2))
    least = min(INITIAL_WINDOW, cwnd)
    congestion.cwnd = max(cwnd >> min(idle // rto, 32), least)
    tcb.cwnd_used_at = now
    tcb.cwnd_used = 0


def note_use_of_window(tcb: TCB, now: int, *, is_limited: bool) -> None:
    """
    Note how much of the congestion window was used in this round trip. A window that the program
    has not used for a timeout says nothing any more and comes half way down (RFC 2861 section 3).
    """
    out = len(tcb.board)
    if tcb.snd_una >= tcb.cwnd_used_point or is_limited or out > tcb.cwnd_used:
        tcb.is_cwnd_limited = is_limited
        tcb.cwnd_used = out
        tcb.cwnd_used_point = tcb.snd_nxt
    congestion = tcb.congestion
    if is_cwnd_limited(tcb):
        tcb.cwnd_used_at = now
    elif (
        tcb.settings.tcp_slow_start_after_idle
        and now - tcb.cwnd_used_at >= tcb.rtt.rto
        and tcb.recovery.state is CongestionState.OPEN
    ):
        used = max(tcb.cwnd_used, INITIAL_WINDOW)
        if used < congestion.cwnd and not has_unsent(tcb):
            cwnd = congestion.cwnd
            congestion.ssthresh = max(congestion.ssthresh, (cwnd >> 1) + (cwnd >> 2))
            congestion.cwnd = (cwnd + used) >> 1
        tcb.cwnd_used_at = now


def is_cwnd_limited(tcb: TCB) -> bool:
    """
    Is it the congestion window that limits the sender? In slow start it counts as that when half of
    it is used, so that it is large enough when the program has more to send.
    """
    if tcb.congestion.is_in_slow_start:
        return tcb.congestion.cwnd < 2 * tcb.cwnd_used
    return tcb.is_cwnd_limited


def wait_for_window(tcb: TCB, now: int) -> None:
    """
    Nothing may leave, and nothing under way will change that: ask for a larger window after a
    while, or let a cork go.
    """
    if tcb.timers.sender is None and next_end(tcb) is not None:
        tcb.timers.start(Timer.WINDOW_PROBE, now + tcb.rtt.rto)
        tcb.probing_since = now


def send_space(tcb: TCB) -> int:
    """
    How many bytes more may be written? The buffer has room for what is in flight and as much again,
    so that the program can keep the pipe full.
    """
    return _send_limit(tcb) - len(tcb.queue)


def has_much_space(tcb: TCB) -> bool:
    """
    Is so much free that it is worth while to write?
    """
    queued = len(tcb.queue)
    unsent = tcb.queue.end - tcb.snd_nxt
    lowat = tcb.options.notsent_lowat
    if lowat and unsent >= lowat:
        return False
    return _send_limit(tcb) - queued >= queued >> 1


def _send_limit(tcb: TCB) -> int:
    if tcb.options.send_buffer:
        return tcb.options.send_buffer
    _, default, most = tcb.settings.tcp_wmem
    # What a segment costs Linux: a power of two for the data and their headers, and a structure.
    cost = (1 << (tcb.mss + 640 - 1).bit_length()) + 256
    return min(max(default, 2 * max(tcb.congestion.cwnd, INITIAL_WINDOW) * cost), most)
