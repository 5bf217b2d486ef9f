"""
What happens when a segment arrives for a connection: RFC 9293 section 3.10.7.
"""

from __future__ import annotations

from netlab.capture import options as reading
from netlab.capture.options import TCPOptions
from netlab.tcp import ending, handshake, optionwriting
from netlab.tcp.events import Refused, WasReset
from netlab.tcp.receiving import delivery, validation
from netlab.tcp.receiving.validation import Acceptability
from netlab.tcp.segment import FIN, URG, Reason, TCPSegment
from netlab.tcp.sending import acknowledgement, transmission
from netlab.tcp.states import RECEIVES_DATA, TCPState
from netlab.tcp.tcb import TCB


def segment_arrives(tcb: TCB, now: int, segment: TCPSegment, ecn: int) -> None:
    """
    Take a segment in any state but LISTEN and CLOSED.

    @param ecn: the ECN bits of the IP header.
    """
    tcb.segments_in += 1
    if tcb.state is TCPState.SYN_SENT:
        if handshake.arrives_in_syn_sent(tcb, now, segment, reading.parse(segment.options)):
            take_text(tcb, now, tcb.irs + 1, segment)
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
    end = seq + len(segment.payload) + (flags & FIN) + (flags >> 1 & 1)
    judgement = validation.judge(tcb, now, seq, end, flags, times[0] if times else None)
    if judgement is not Acceptability.ACCEPTABLE:
        refuse(tcb, now, seq, end, segment, judgement)
        return
    if not validation.is_valid_ack(tcb, ack):
        refuse_ack(tcb, now, ack, segment)
        return
    if times and seq <= tcb.window.wup:
        tcb.ts_recent, tcb.ts_recent_at = times[0], now
    tcb.heard_at = now
    if tcb.state is TCPState.SYN_RECEIVED:
        handshake.syn_is_acknowledged(tcb, now, seq, ack, segment.window)
    if tcb.state is TCPState.TIME_WAIT:
        return
    fin_was_acked = tcb.snd_una > tcb.queue.end
    acknowledgement.ack_arrives(tcb, now, seq, ack, segment, options)
    if tcb.queue.has_fin and not fin_was_acked and tcb.snd_una > tcb.queue.end:
        ending.fin_is_acknowledged(tcb, now)
    if tcb.state is not TCPState.CLOSED:
        take_text(tcb, now, seq, segment)


def take_text(tcb: TCB, now: int, seq: int, segment: TCPSegment) -> None:
    """
    Take what an acceptable segment carries.
    """
    if tcb.state not in RECEIVES_DATA:
        return
    if segment.flags & URG:
        delivery.urgent_arrives(tcb, seq, segment)
    if segment.payload or segment.flags & FIN:
        delivery.payload_arrives(tcb, now, seq, segment)
        if tcb.state is TCPState.TIME_WAIT:
            transmission.send_ack(tcb, now, Reason.ACK)
            ending.wait_two_msl(tcb, now)


def refuse(
    tcb: TCB, now: int, seq: int, end: int, segment: TCPSegment, judgement: Acceptability
) -> None:
    """
    Do what a judgement says of an unacceptable segment.
    """
    if judgement is Acceptability.RESET:
        was_opening = tcb.state is TCPState.SYN_RECEIVED and not tcb.is_passive
        ending.end(tcb, Refused() if was_opening else WasReset())
    elif judgement is Acceptability.CHALLENGE:
        challenge(tcb, now)
    elif judgement is Acceptability.ANSWER:
        transmission.send_ack(tcb, now, Reason.UNACCEPTABLE)


def refuse_ack(tcb: TCB, now: int, ack: int, segment: TCPSegment) -> None:
    """
    Answer a segment that acknowledges what was never sent, or what was acknowledged long ago.
    """
    challenge(tcb, now)


def challenge(tcb: TCB, now: int) -> None:
    """
    Say what is expected, so that a peer which is what it seems can say it (RFC 5961 section 3.2).
    """
    transmission.send_ack(tcb, now, Reason.CHALLENGE_ACK)
