"""
Putting segments into the outbox, with all that depends on the moment: the acknowledgment, the
window, the options.
"""

from __future__ import annotations

from netlab.tcp.segment import (
    ACK,
    CWR,
    ECE,
    ECT_0,
    FIN,
    NOT_ECT,
    RST,
    SYN,
    CongestionState,
    Outgoing,
    Reason,
    TCPSegment,
    Variables,
)
from netlab.tcp.sending import arming, optionwriting
from netlab.tcp.sending.scoreboard import SentSegment
from netlab.tcp.sequence import MASK
from netlab.tcp.states import TCPState
from netlab.tcp.tcb import TCB
from netlab.tcp.timers import Timer

#: Makes a named tuple without the call that its class would make for its arguments' names.
_new = tuple.__new__


def send_new(
    tcb: TCB,
    now: int,
    end: int,
    reason: Reason,
    burst: int | None = None,
    *,
    arms: bool = False,
) -> None:
    """
    Send bytes for the first time, from SND.NXT on, and the FIN if C{end} is behind it.

    @param burst: the first sequence number of the burst that the segment belongs to; C{None} if it
        is one of its own.
    @param arms: whether the sender is to wait anew.
    """
    seq = tcb.snd_nxt
    flags = tcb.queue.flags(seq, end)
    segment = SentSegment(seq, end, flags, now)
    segment.delivered = tcb.delivered
    if tcb.queue.records:
        segment.ends_record = tcb.queue.records[0] == end
    if burst is not None:
        segment.burst = burst
    tcb.board.add(segment)
    tcb.snd_nxt = end
    if end - seq < tcb.mss:
        tcb.small_end = end
    if tcb.recovery.state is not CongestionState.OPEN:
        tcb.recovery.prr_out += 1
    payload = tcb.queue.peek(seq, end)
    ecn = NOT_ECT
    if tcb.negotiated.has_ecn and payload:
        ecn = ECT_0
        if tcb.cwr_is_due:
            flags |= CWR
            tcb.cwr_is_due = False
    if flags & FIN:
        reason = Reason.CLOSE
    if payload:
        tcb.acks.data_is_sent(now)
    tcb.sent_at = now
    if arms:
        arming.arm_after_sending(tcb, now, was_idle=len(tcb.board) == 1)
    put(tcb, now, seq, flags | ACK, payload, reason, ecn)


def send_syn(tcb: TCB, now: int) -> None:
    """
    Send the SYN or the SYN-ACK, which takes up the first sequence number. Data that a SYN carries
    are a segment of their own from here on.
    """
    tcb.board.add(SentSegment(tcb.iss, tcb.iss + 1, SYN, now))
    tcb.snd_nxt = tcb.iss + 1
    if tcb.early_data:
        end = tcb.snd_nxt + len(tcb.early_data)
        tcb.board.add(SentSegment(tcb.snd_nxt, end, tcb.queue.flags(tcb.snd_nxt, end), now))
        tcb.snd_nxt = end
    tcb.timers.start(Timer.RETRANSMISSION, now + tcb.rtt.rto)
    _put_syn(tcb, now, Reason.HANDSHAKE)


def send_syn_ack_after_syn(tcb: TCB, now: int) -> None:
    """
    Answer the SYN of a peer that has opened at the same time: with the sequence number of our SYN,
    which is on its way.
    """
    tcb.timers.start(Timer.RETRANSMISSION, now + tcb.rtt.rto)
    _put_syn(tcb, now, Reason.HANDSHAKE)


def _put_syn(tcb: TCB, now: int, reason: Reason) -> None:
    """
    Put a SYN, first or again, with its options.
    """
    negotiated, settings = tcb.negotiated, tcb.settings
    is_answer = tcb.state is not TCPState.SYN_SENT
    times = None
    if negotiated.has_timestamps:
        times = (tcb.timestamp(now), tcb.ts_recent)
    cookie = tcb.fast_open_cookie
    payload = b""
    flags = SYN
    if is_answer:
        flags |= ACK
        if negotiated.has_ecn:
            flags |= ECE
    else:
        first = tcb.board.first
        if first is not None and first.was_retransmitted:
            # What took it may have been the cookie, the data or the ECN bits (RFC 7413 section
            # 4.2.1, RFC 3168 section 6.1.1.1).
            cookie = None
        else:
            payload = tcb.early_data
            if settings.tcp_ecn == 1:
                flags |= ECE | CWR
    options = optionwriting.handshake(
        negotiated.advertised_mss,
        sack_permitted=negotiated.has_sack,
        times=times,
        window_shift=negotiated.receive_shift if negotiated.has_scaling else None,
        cookie=cookie,
    )
    # The window of a SYN is never scaled (RFC 7323 section 2.2).
    window = min(tcb.window.wnd, 0xFFFF)
    tcb.window.wup = tcb.received.nxt
    ack = tcb.received.nxt & MASK if is_answer else 0
    _append(tcb, tcb.iss, ack, flags, window, options, payload, reason, NOT_ECT)


def send_again(tcb: TCB, now: int, segment: SentSegment, reason: Reason) -> None:
    """
    Send a segment again that was sent before, in more than one if it does not fit any more.
    """
    if not segment.flags & SYN:
        if segment.end - segment.seq > tcb.mss:
            tcb.board.split(segment, segment.seq + tcb.mss)
        elif tcb.settings.tcp_retrans_collapse:
            collapse(tcb, segment)
    tcb.board.mark_resent(segment, now)
    segment.delivered = tcb.delivered
    recovery = tcb.recovery
    if recovery.retransmitting_since is None:
        recovery.retransmitting_since = now
    recovery.undo_retransmissions = max(recovery.undo_retransmissions, 0) + 1
    recovery.prr_out += 1
    tcb.retransmissions += 1
    if segment.flags & SYN:
        _put_syn(tcb, now, reason)
        return
    tcb.sent_at = now
    payload = tcb.queue.peek(segment.seq, segment.end)
    # A retransmission is not ECN-capable (RFC 3168 section 6.1.5).
    put(tcb, now, segment.seq, segment.flags | ACK, payload, reason)


def collapse(tcb: TCB, segment: SentSegment) -> None:
    """
    Take into a small segment that is sent again what follows it, as far as that fits: the small
    ones that come behind a lost small one are often lost with it. As Linux does; RFC 9293 section
    3.8.6.2.1 calls it repacketization.
    """
    edge = min(segment.seq + tcb.mss, tcb.snd_una + tcb.snd_wnd)
    while not segment.ends_record and (following := tcb.board.following(segment)) is not None:
        if following.is_sacked or following.end > edge:
            break
        tcb.board.merge(segment, following)
        if not tcb.negotiated.has_sack:
            # Duplicate ACKs were counted as segments, of which there is one less.
            tcb.board.sacked = max(tcb.board.sacked - 1, 0)


def send_ack(tcb: TCB, now: int, reason: Reason) -> None:
    """
    Send an ACK without data.
    """
    put(tcb, now, tcb.snd_nxt, ACK, b"", reason)


def send_probe(tcb: TCB, now: int, reason: Reason) -> None:
    """
    Send an old sequence number, which the peer must answer with what it expects and its window.
    """
    put(tcb, now, tcb.snd_una - 1, ACK, b"", reason)


def send_reset(tcb: TCB, now: int) -> None:
    """
    Send a reset.
    """
    put(tcb, now, tcb.snd_nxt, RST | ACK, b"", Reason.RESET)


def send_reset_for(tcb: TCB, segment: TCPSegment) -> None:
    """
    Send a reset that the sender of a segment must believe (RFC 9293 section 3.5.2).
    """
    if segment.flags & ACK:
        seq, ack, flags = segment.ack, 0, RST
    else:
        seq, ack, flags = 0, (segment.seq + segment.seglen) & MASK, RST | ACK
    _append(tcb, seq, ack, flags, 0, b"", b"", Reason.RESET, NOT_ECT)


def put(
    tcb: TCB, now: int, seq: int, flags: int, payload: bytes, reason: Reason, ecn: int = NOT_ECT
) -> None:
    """
    Put any segment but a SYN into the outbox. It carries an ACK, so none is owed after it.

    @param seq: need not be cut to 32 bits.
    """
    received = tcb.received
    nxt = received.nxt
    window = tcb.window
    clamp = tcb.options.window_clamp
    if clamp and window.clamp > clamp:
        window.clamp = clamp
    field = window.advertise(nxt, received.unread + received.out_of_order)
    negotiated = tcb.negotiated
    options = b""
    if negotiated.has_timestamps:
        options = optionwriting.timestamps(tcb.timestamp(now), tcb.ts_recent)
    if received.sacks or received.duplicate:
        room = optionwriting.OPTIONS_MAX_BYTES - len(options)
        options += _sack(tcb, min(room, tcb.mss - len(payload)) if payload else room)
    if tcb.echoes_congestion:
        flags |= ECE
    tcb.ack_due = None
    tcb.acks.ack_is_sent()
    tcb.timers.stop_ack()
    _append(tcb, seq, nxt & MASK, flags, field, options, payload, reason, ecn)


def _sack(tcb: TCB, room: int) -> bytes:
    """
    Write the ranges that have arrived, a duplicate first (RFC 2883 section 4).

    @param room: bytes.
    """
    received = tcb.received
    if not tcb.negotiated.has_sack:
        received.duplicate = None
        return b""
    ranges = received.sacks
    if received.duplicate is not None:
        if tcb.settings.tcp_dsack:
            ranges = [received.duplicate, *ranges]
        received.duplicate = None
    return optionwriting.sack(ranges, room)


def _append(
    tcb: TCB,
    seq: int,
    ack: int,
    flags: int,
    window: int,
    options: bytes,
    payload: bytes,
    reason: Reason,
    ecn: int,
) -> None:
    tcb.segments_out += 1
    local, remote = tcb.local, tcb.remote
    segment = _new(
        TCPSegment,
        (local[1], remote[1], seq & MASK, ack, flags, window, options, payload, 0),
    )
    ttl = tcb.settings.ip_default_ttl
    tcb.outbox.append(
        _new(
            Outgoing,
            (local[0], remote[0], segment, reason, variables(tcb), ecn, ttl, True),
        )
    )


def variables(tcb: TCB) -> Variables:
    """
    Take down what the sender knows now.
    """
    congestion, rtt, board, timers = tcb.congestion, tcb.rtt, tcb.board, tcb.timers
    received, timer = tcb.received, timers.sender
    nxt = tcb.snd_nxt
    unsent = tcb.queue.end - nxt
    return _new(
        Variables,
        (
            congestion.cwnd,
            congestion.ssthresh,
            tcb.mss,
            rtt.srtt,
            rtt.rttvar,
            rtt.rto,
            board.in_flight,
            nxt - tcb.snd_una,
            tcb.recovery.state,
            board.sacked,
            board.lost,
            tcb.snd_wnd,
            tcb.window.wnd,
            max(0, unsent),
            received.unread,
            received.out_of_order,
            timer.label if timer is not None else "",
            timers.sender_at if timer is not None else 0,
        ),
    )
