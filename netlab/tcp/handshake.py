"""
The three-way handshake: RFC 9293 section 3.5, and the options that only a SYN has.
"""

from __future__ import annotations

from netlab.capture.options import TCPOptions
from netlab.tcp import ending, timewait
from netlab.tcp.events import Connected, Refused
from netlab.tcp.receiving.receivequeue import ReceiveQueue
from netlab.tcp.receiving.window import SHIFT_MAX
from netlab.tcp.segment import ACK, CWR, ECE, RST, SYN, Reason, TCPSegment
from netlab.tcp.sending import mss, transmission
from netlab.tcp.sending.optionwriting import TIMESTAMPS_BYTES
from netlab.tcp.sending.sendqueue import SendQueue
from netlab.tcp.sequence import unwrap
from netlab.tcp.states import Occurrence
from netlab.tcp.tcb import MSS_DEFAULT, MSS_DEFAULT_IPV6, TCB
from netlab.tcp.timers import Timer


def offer(tcb: TCB) -> None:
    """
    Take from the settings what our SYN will offer.
    """
    settings, negotiated = tcb.settings, tcb.negotiated
    negotiated.advertised_mss = mss.to_advertise(tcb)
    negotiated.has_sack = bool(settings.tcp_sack)
    negotiated.has_timestamps = bool(settings.tcp_timestamps)
    negotiated.has_scaling = bool(settings.tcp_window_scaling)


def begin(tcb: TCB, now: int, iss: int, early_data: bytes = b"") -> None:
    """
    Send the first SYN, or the SYN-ACK: the state says which.

    @param iss: the initial sequence number.
    @param early_data: what a SYN carries (RFC 7413).
    """
    negotiated = tcb.negotiated
    full = negotiated.advertised_mss
    if tcb.is_passive and negotiated.has_timestamps:
        full -= TIMESTAMPS_BYTES
    negotiated.receive_shift = tcb.window.open(full, is_scaled=negotiated.has_scaling)
    if tcb.options.window_clamp:
        tcb.window.wnd = min(tcb.window.wnd, tcb.options.window_clamp)
    tcb.iss = tcb.snd_una = tcb.snd_nxt = iss
    tcb.small_end = iss
    tcb.queue = SendQueue(iss + 1)
    tcb.board.fack = iss
    if early_data:
        tcb.queue.write(early_data, 0)
        tcb.early_data = early_data
    transmission.send_syn(tcb, now)
    tcb.wake()


def syn_arrives(tcb: TCB, now: int, segment: TCPSegment, options: TCPOptions) -> None:
    """
    Learn from the peer's SYN or SYN-ACK.
    """
    tcb.irs = segment.seq
    tcb.received = ReceiveQueue(segment.seq + 1)
    tcb.unread_told = tcb.received.nxt
    tcb.window.wup = tcb.received.nxt
    negotiated = tcb.negotiated
    default = MSS_DEFAULT if len(tcb.local[0]) == 4 else MSS_DEFAULT_IPV6
    # A peer that offers next to nothing would have us send headers (RFC 9293 has no minimum).
    negotiated.peer_mss = max(options.mss or default, tcb.settings.tcp_min_snd_mss)
    negotiated.has_sack &= options.sack_permitted
    negotiated.has_timestamps &= options.timestamps is not None
    negotiated.has_scaling &= options.window_shift is not None
    if negotiated.has_scaling:
        negotiated.send_shift = min(options.window_shift or 0, SHIFT_MAX)
    else:
        negotiated.receive_shift = 0
    if options.timestamps is not None and negotiated.has_timestamps:
        tcb.ts_recent, tcb.ts_recent_at = options.timestamps[0], now
    negotiate_ecn(tcb, segment.flags)
    # The window of a SYN is never scaled (RFC 7323 section 2.2).
    tcb.snd_wnd = tcb.max_window = segment.window
    tcb.snd_wl1 = segment.seq
    tcb.heard_at = now
    mss.synchronise(tcb)
    tcb.acks.expect(tcb.mss, negotiated.advertised_mss)


def negotiate_ecn(tcb: TCB, flags: int) -> None:
    """
    Find out whether both sides speak ECN (RFC 3168 section 6.1.1): a SYN asks for it with ECE and
    CWR, a SYN-ACK agrees with ECE alone.
    """
    asked = flags & (ECE | CWR)
    if flags & ACK:
        tcb.negotiated.has_ecn = tcb.settings.tcp_ecn == 1 and asked == ECE
    else:
        tcb.negotiated.has_ecn = tcb.settings.tcp_ecn in {1, 2} and asked == ECE | CWR


def established(tcb: TCB, now: int) -> None:
    """
    The handshake is complete.
    """
    tcb.window.established(tcb.negotiated.receive_shift)
    tcb.acks.received_at = now
    tcb.timeouts = 0
    tcb.recovery.retransmitting_since = None
    tcb.recovery.point = tcb.snd_nxt
    if tcb.retransmissions > 1:
        # The network lost more than one SYN (RFC 5681 section 3.1).
        tcb.congestion.cwnd = 1
    tcb.events.append(Connected())
    tcb.acks.received_at = now
    if tcb.queue.has_fin:
        tcb.move(Occurrence.CLOSE)
    if tcb.options.keepalive:
        tcb.timers.start(Timer.KEEP_ALIVE, now + tcb.options.keepalive_time)


def arrives_in_syn_sent(tcb: TCB, now: int, segment: TCPSegment, options: TCPOptions) -> bool:
    """
    Take a segment in SYN-SENT (RFC 9293 section 3.10.7.3).

    @return: whether the segment's payload and FIN are still to be looked at.
    """
    flags = segment.flags
    ack = unwrap(segment.ack, tcb.snd_una)
    if flags & ACK and not tcb.iss < ack <= tcb.snd_nxt:
        if not flags & RST:
            transmission.send_reset_for(tcb, segment)
        return False
    if flags & RST:
        if flags & ACK:
            ending.end(tcb, Refused())
        return False
    if not flags & SYN:
        return False
    syn_arrives(tcb, now, segment, options)
    if not flags & ACK:
        tcb.move(Occurrence.SYN_ARRIVES)
        tcb.fast_open_cookie = None
        tcb.timeouts = 0
        transmission.send_syn_ack_after_syn(tcb, now)
        return False
    tcb.move(Occurrence.SYN_ACK_ARRIVES)
    if options.fast_open:
        tcb.fast_open_cookie = options.fast_open
    tcb.snd_wl2 = ack
    tcb.had_early_data = bool(tcb.early_data) and ack > tcb.iss + 1
    syn = tcb.board.first
    if syn is not None and not syn.was_retransmitted:
        tcb.rtt.sample(now, now - syn.sent_at, ack, tcb.snd_nxt)
    while tcb.board.pop_acknowledged(ack) is not None:
        tcb.delivered += 1
    tcb.snd_una = ack
    tcb.queue.release(ack)
    tcb.timers.stop_sender()
    tcb.rtt.backoff = 0
    established(tcb, now)
    for unsent in tcb.board:
        # The server did not take the SYN's data: they leave again, now that it knows us (RFC 7413
        # section 4.2.1). That is no sign of congestion.
        tcb.board.mark_lost(unsent)
    tcb.ack_due = Reason.HANDSHAKE
    return True


def syn_comes_again(tcb: TCB, now: int, seq: int, ack: int, flags: int) -> bool:
    """
    Take a SYN in SYN-RECEIVED: the first one again, if our SYN-ACK was lost; or the SYN-ACK of a
    peer that has opened at the same time (RFC 9293 section 3.5, figure 8).

    @return: whether it is to be taken for an ACK, or judged as any other.
    """
    if seq != tcb.irs:
        return True
    if flags & ACK:
        return ack == tcb.snd_nxt
    first = tcb.board.first
    if first is not None and timewait.may_answer(tcb, now):
        transmission.send_again(tcb, now, first, Reason.HANDSHAKE)
    return False


def syn_is_acknowledged(tcb: TCB, now: int, seq: int, ack: int, window: int) -> None:
    """
    Go from SYN-RECEIVED to ESTABLISHED (RFC 9293 section 3.10.7.4, fifth).
    """
    tcb.move(Occurrence.SYN_IS_ACKED)
    tcb.snd_wnd = window << tcb.negotiated.send_shift
    tcb.max_window = max(tcb.max_window, tcb.snd_wnd)
    tcb.snd_wl1, tcb.snd_wl2 = seq, ack
    established(tcb, now)
