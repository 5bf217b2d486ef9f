"""
What becomes of a segment's payload, its FIN and its urgent pointer, and of the ACK they are owed.
"""

from __future__ import annotations

from typing import Final

from netlab.tcp.events import PeerClosed, Readable, UrgentData
from netlab.tcp.receiving.ackpolicy import QUICK_ACKS_MAX
from netlab.tcp.segment import CE, CWR, FIN, PSH, URG, Reason, TCPSegment
from netlab.tcp.sequence import MASK
from netlab.tcp.states import RECEIVES_DATA, Occurrence, TCPState
from netlab.tcp.tcb import TCB
from netlab.tcp.timers import MILLISECOND, NEVER, Timer

EVENTS_MAX: Final = 64
"""Events that a program has not taken; a later Readable adds nothing to them."""


def payload_arrives(tcb: TCB, now: int, seq: int, segment: TCPSegment, ecn: int) -> None:
    """
    Take the payload and the FIN of an acceptable segment, as far as they lie in the window.

    @param seq: unwrapped.
    @param ecn: the ECN bits of the IP header.
    """
    payload, flags = segment.payload, segment.flags
    received = tcb.received
    nxt = received.nxt
    end = seq + len(payload)
    has_fin = bool(flags & FIN)
    if end + has_fin <= nxt:
        # All of it was there: our ACK was lost, or the peer's timeout was too short.
        received.duplicate = (seq, end)
        tcb.acks.enter_quick(tcb.window.wnd, QUICK_ACKS_MAX)
        tcb.ack_due = Reason.DUPLICATE_ACK
        return
    edge = max(tcb.window.right_edge(), nxt)
    if seq > edge or (seq == edge and payload):
        # The window is shut; the answer says so.
        tcb.acks.enter_quick(tcb.window.wnd, QUICK_ACKS_MAX)
        tcb.ack_due = Reason.DUPLICATE_ACK
        return
    if end > edge:
        payload = payload[: edge - seq]
        has_fin = False
    size = len(payload)
    moved = received.add(seq, payload) if payload else 0
    if has_fin:
        received.note_fin(end)
    if size:
        measure(tcb, now, size)
        kept = received.unread + received.out_of_order
        is_last = bool(flags & (PSH | FIN | URG))
        tcb.acks.data_arrives(now, size, tcb.window.wnd, tcb.rtt.rto, is_last=is_last)
        if tcb.negotiated.has_ecn:
            congestion_arrives(tcb, flags, ecn)
        if moved and size >= 128:
            tcb.window.grow(size, kept)
        tell_readable(tcb)
    if received.is_finished:
        fin_arrives(tcb)
    elif seq > nxt:
        # Behind a gap: tell the sender at once (RFC 5681 section 4.2).
        tcb.acks.enter_quick(tcb.window.wnd, QUICK_ACKS_MAX)
        tcb.ack_due = Reason.DUPLICATE_ACK
    elif moved:
        owe_ack(tcb, now)


def measure(tcb: TCB, now: int, size: int) -> None:
    """
    Measure a round trip as the receiver sees it, for the growth of its buffer.
    """
    rtt = 0
    echo = tcb.echo
    if echo:
        if echo == tcb.measured_echo or size < tcb.acks.segment:
            return
        tcb.measured_echo = echo
        rtt = max((tcb.timestamp(now) - echo) & MASK, 1) * MILLISECOND
    tcb.window.measure(now, tcb.received.nxt, rtt)


def payload_arrives_again(tcb: TCB, seq: int, payload: bytes) -> None:
    """
    Note a payload that had arrived, for a D-SACK (RFC 2883 section 4).
    """
    nxt = tcb.received.nxt
    end = min(seq + len(payload), nxt)
    if tcb.negotiated.has_sack and seq < end:
        tcb.received.duplicate = (seq, end)
        tcb.acks.enter_quick(tcb.window.wnd, QUICK_ACKS_MAX)
        if tcb.ack_due is None:
            tcb.ack_due = Reason.DUPLICATE_ACK


def early_data_arrives(tcb: TCB, payload: bytes) -> None:
    """
    Take the data of a SYN (RFC 7413 section 4.2).
    """
    tcb.is_early = True
    tcb.received.add(tcb.irs + 1, payload)
    tell_readable(tcb)


def congestion_arrives(tcb: TCB, flags: int, ecn: int) -> None:
    """
    Take note of a router's mark, and tell the sender in each ACK until it says that it has heard
    (RFC 3168 section 6.1.3).
    """
    if flags & CWR:
        tcb.echoes_congestion = False
        tcb.ack_due = Reason.ACK
    if ecn == CE:
        if not tcb.echoes_congestion:
            tcb.acks.enter_quick(tcb.window.wnd, 2)
        tcb.echoes_congestion = True


def tell_readable(tcb: TCB) -> None:
    """
    Tell the program that there is something to read, once for what it has not read.
    """
    received = tcb.received
    if received.nxt > tcb.unread_told and received.unread >= tcb.options.low_water:
        tcb.unread_told = received.nxt
        events = tcb.events
        if not (events and isinstance(events[-1], Readable)) and len(events) < EVENTS_MAX:
            events.append(Readable())


def owe_ack(tcb: TCB, now: int) -> None:
    """
    Decide when data that came in order are acknowledged.
    """
    acks, received = tcb.acks, tcb.received
    if received.nxt - tcb.window.wup > acks.segment and window_is_not_smaller(tcb):
        tcb.ack_due = Reason.ACK
    elif acks.is_quick or received.has_gap:
        tcb.ack_due = Reason.ACK if acks.is_quick else Reason.DUPLICATE_ACK
    elif tcb.ack_due is None:
        delay_ack(tcb, now)


def window_is_not_smaller(tcb: TCB) -> bool:
    """
    Does the program keep up, so that an ACK would not show a shrinking window?
    """
    received, window = tcb.received, tcb.window
    if received.unread < tcb.options.low_water:
        return True
    current = window.right_edge() - received.nxt
    return window.select(received.nxt, received.unread + received.out_of_order) >= min(
        window.wnd, current + received.nxt - window.wup
    )


def delay_ack(tcb: TCB, now: int) -> None:
    """
    Owe an ACK.
    """
    running = tcb.timers.at(Timer.DELAYED_ACK)
    due = tcb.acks.due(now, tcb.rtt.srtt, running)
    if running != NEVER and running <= now + (tcb.acks.delay >> 2):
        tcb.ack_due = Reason.DELAYED_ACK
    else:
        tcb.timers.start(Timer.DELAYED_ACK, due)


def fin_arrives(tcb: TCB) -> None:
    """
    Take note of the peer's FIN, all before which has arrived (RFC 9293 section 3.10.7.4, eighth).
    """
    if tcb.state not in RECEIVES_DATA:
        return
    tcb.move(Occurrence.FIN_ARRIVES)
    tcb.acks.is_interactive = False
    # Nothing is missing any more that a D-SACK could be about; Linux forgets it as well.
    tcb.received.duplicate = None
    tcb.ack_due = Reason.ACK
    tcb.events.append(PeerClosed())


def urgent_arrives(tcb: TCB, seq: int, segment: TCPSegment) -> None:
    """
    Take note of an urgent pointer that is ahead of those before it (RFC 9293 section 3.10.7.4,
    sixth).
    """
    pointer = segment.urgent + (0 if not tcb.settings.tcp_stdurg else 1)
    if not segment.flags & URG or not pointer:
        return
    end = seq + pointer
    received = tcb.received
    if end <= received.nxt - received.unread or (tcb.urgent_end or 0) >= end:
        return
    tcb.urgent_end = end
    if len(tcb.events) < EVENTS_MAX and tcb.state is not TCPState.TIME_WAIT:
        tcb.events.append(UrgentData(end - (received.nxt - received.unread)))
