"""
What happens when a segment arrives for a connection: RFC 9293 section 3.10.7.
"""

from __future__ import annotations

from netlab.capture import options as reading
from netlab.capture.options import TCPOptions
from netlab.tcp import ending, handshake, timewait
from netlab.tcp.events import Refused, WasReset
from netlab.tcp.receiving import delivery, validation
from netlab.tcp.receiving.validation import Acceptability
from netlab.tcp.segment import FIN, SYN, URG, Reason, TCPSegment
from netlab.tcp.sending import acknowledgement, optionwriting, transmission
from netlab.tcp.states import RECEIVES_DATA, TCPState
from netlab.tcp.tcb import TCB
from netlab.tcp.timers import MILLISECOND


def segment_arrives(tcb: TCB, now: int, segment: TCPSegment, ecn: int) -> None:
    """
    Take a segment in any state but LISTEN and CLOSED.

    @param ecn: the ECN bits of the IP header.
    """
    tcb.segments_in += 1
    if tcb.state is TCPState.SYN_SENT:
        if handshake.arrives_in_syn_sent(tcb, now, segment, reading.parse(segment.options)):
            take_text(tcb, now, tcb.irs + 1, segment, ecn)
        return
    options: TCPOptions | None = None
    times = optionwriting.read_timestamps(segment.options)
    if times is None and segment.options:
        options = reading.parse(segment.options)
        times = options.timestamps
    if not tcb.negotiated.has_timestamps:
        times = None
    seq, ack = validation.unwrap_both(tcb, segment.seq, segment.ack)
    flags = segment.flags
    tsval = times[0] if times else None
    if tcb.state is TCPState.TIME_WAIT:
        timewait.segment_arrives(tcb, now, segment, seq, tsval)
        return
    if flags & SYN and tcb.state is TCPState.SYN_RECEIVED:
        if not handshake.syn_comes_again(tcb, now, seq, ack, flags):
            return
        if seq == tcb.irs:
            # The SYN-ACK of a peer that has opened at the same time: its ACK is what counts.
            seq += 1
            flags &= ~SYN
    end = seq + len(segment.payload) + (flags & FIN) + (flags >> 1 & 1)
    verdict = validation.judge(tcb, now, seq, end, flags, tsval)
    if verdict is not Acceptability.ACCEPTABLE:
        refuse(tcb, now, seq, end, segment, verdict)
        return
    if not validation.is_valid_ack(tcb, ack):
        refuse_ack(tcb, now, segment)
        return
    if times and seq <= tcb.window.wup and (times[0] - tcb.ts_recent) & 0x8000_0000 == 0:
        tcb.ts_recent, tcb.ts_recent_at = times[0], now
    tcb.heard_at = now
    tcb.echo = times[1] if times else 0
    if tcb.state is TCPState.SYN_RECEIVED:
        handshake.syn_is_acknowledged(tcb, now, seq, ack, segment.window)
    fin_was_acked = tcb.snd_una > tcb.queue.end
    acknowledgement.ack_arrives(tcb, now, seq, ack, segment, options)
    if tcb.queue.has_fin and not fin_was_acked and tcb.snd_una > tcb.queue.end:
        ending.fin_is_acknowledged(tcb, now)
    if segment.payload or flags & (FIN | URG):
        take_text(tcb, now, seq, segment, ecn)


def take_text(tcb: TCB, now: int, seq: int, segment: TCPSegment, ecn: int) -> None:
    """
    Take what an acceptable segment carries.
    """
    payload, flags = segment.payload, segment.flags
    if tcb.state not in RECEIVES_DATA:
        if payload and tcb.state is not TCPState.CLOSED:
            delivery.payload_arrives_again(tcb, seq, payload)
        return
    if tcb.is_orphan and seq + len(payload) > tcb.received.nxt and payload:
        # Nobody will read it (RFC 9293 section 3.6.1).
        transmission.send_reset_for(tcb, segment)
        ending.end(tcb)
        return
    if flags & URG:
        delivery.urgent_arrives(tcb, seq, segment)
    if payload or flags & FIN:
        delivery.payload_arrives(tcb, now, seq, segment, ecn)
        if tcb.state is TCPState.TIME_WAIT:
            transmission.send_ack(tcb, now, Reason.ACK)
            ending.wait_two_msl(tcb, now)


def refuse(
    tcb: TCB, now: int, seq: int, end: int, segment: TCPSegment, verdict: Acceptability
) -> None:
    """
    Do what a verdict says of an unacceptable segment.
    """
    if verdict is Acceptability.RESET:
        was_opening = tcb.state is TCPState.SYN_RECEIVED and not tcb.is_passive
        # After both FINs it changes nothing for the program.
        is_over = tcb.state in {TCPState.CLOSING, TCPState.LAST_ACK}
        ending.end(tcb, None if is_over else Refused() if was_opening else WasReset())
    elif verdict is Acceptability.CHALLENGE:
        challenge(tcb, now)
    elif verdict is Acceptability.ANSWER:
        has_text = end > seq and not segment.flags & SYN
        if has_text:
            delivery.payload_arrives_again(tcb, seq, segment.payload)
        # What carries data is answered each time: it may be a probe, or a retransmission whose ACK
        # was lost (as in Linux).
        if has_text or timewait.may_answer(tcb, now):
            transmission.send_ack(tcb, now, Reason.UNACCEPTABLE)


def refuse_ack(tcb: TCB, now: int, segment: TCPSegment) -> None:
    """
    Answer a segment that acknowledges what was never sent, or what was acknowledged long ago.
    """
    if tcb.state is TCPState.SYN_RECEIVED:
        transmission.send_reset_for(tcb, segment)
    else:
        challenge(tcb, now)


def challenge(tcb: TCB, now: int) -> None:
    """
    Say what is expected, so that a peer which is what it seems can say it (RFC 5961 section 3.2).
    Not more often than twice a second, nor than the host may (section 7).
    """
    limit = tcb.settings.tcp_invalid_ratelimit * MILLISECOND
    if tcb.challenged_at is not None and now - tcb.challenged_at < limit:
        return
    if not tcb.challenge_budget(now):
        return
    tcb.challenged_at = now
    transmission.send_ack(tcb, now, Reason.CHALLENGE_ACK)
