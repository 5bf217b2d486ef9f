"""
The states of both ends (RFC 9293 section 3.3.2), as far as segments prove them.

A segment proves what its sender knew when it sent it, and is taken to arrive at once. An end has
received the peer's FIN when it acknowledges it, not before: so two FINs that cross in the network
are a simultaneous close (section 3.6, case 3) also in a capture that shows one of them first.
"""

from __future__ import annotations

from typing import Final

from netlab.analysis.tcp.conversation import (
    TRANSITIONS_MAX,
    Conversation,
    Flow,
    State,
    Transition,
)
from netlab.capture.segments import Segment

_MASK: Final = 0xFFFFFFFF
_HALF: Final = 0x80000000

_FIN: Final = 0x01
_SYN: Final = 0x02
_RST: Final = 0x04
_ACK: Final = 0x10
_SYN_ACK: Final = 0x12

#: What becomes of an end when it sends FIN.
_SENDS_FIN: Final = {
    State.UNSEEN: State.FIN_WAIT_1,
    State.SYN_SENT: State.FIN_WAIT_1,
    State.SYN_RECEIVED: State.FIN_WAIT_1,
    State.ESTABLISHED: State.FIN_WAIT_1,
    State.CLOSE_WAIT: State.LAST_ACK,
}

#: What becomes of an end when it acknowledges the peer's FIN.
_HAS_RECEIVED_FIN: Final = {
    State.UNSEEN: State.CLOSE_WAIT,
    State.SYN_RECEIVED: State.CLOSE_WAIT,
    State.ESTABLISHED: State.CLOSE_WAIT,
    State.FIN_WAIT_1: State.CLOSING,
    State.FIN_WAIT_2: State.TIME_WAIT,
}

#: What becomes of an end when its FIN is acknowledged.
_FIN_IS_ACKED: Final = {
    State.FIN_WAIT_1: State.FIN_WAIT_2,
    State.CLOSING: State.TIME_WAIT,
    State.LAST_ACK: State.CLOSED,
}


def shown(flags: int, length: int) -> int:
    """
    Return what a segment adds to its conversation's completeness.

    @param length: payload bytes.
    @return: of L{netlab.analysis.tcp.conversation.Completeness}, without C{SYN}.
    """
    bits = 0
    if flags & _SYN_ACK == _SYN_ACK:
        bits |= 2
    if flags & _SYN_ACK == _ACK:
        bits |= 8 if length else 4
    if flags & 0x11 == 0x11:
        bits |= 16
    if flags & _RST:
        bits |= 32
    return bits


def begin(conversation: Conversation, flags: int, length: int) -> None:
    """
    Take note of what a conversation's first segment shows.
    """
    if flags & _SYN_ACK == _SYN:
        conversation.seen = 9 if length else 1
    conversation.first_seen = shown(flags, length)


def notice_opening(sender: Flow, segment: Segment) -> None:
    """
    Keep the time of SYN and of the first ACK, and what they say about scaling.
    """
    conversation = sender.conversation
    flags = segment.flags
    if flags & _SYN:
        sender.awaits_first_ack = True
        if not flags & _ACK:
            conversation.syn_ns = segment.record.time_ns
        _agree_on_scaling(sender, is_answer=bool(flags & _ACK))
    elif flags & _ACK:
        if conversation.syn_ns and conversation.initial_rtt_ns == 0:
            conversation.initial_rtt_ns = segment.record.time_ns - conversation.syn_ns
        sender.awaits_first_ack = False


def follow(sender: Flow, segment: Segment) -> None:
    """
    Bring both ends' states up to date.

    To be called for each segment with SYN, FIN or RST, and for all as long as the conversation is
    not settled.
    """
    conversation = sender.conversation
    peer = sender.peer
    flags = segment.flags
    notice_opening(sender, segment)
    if flags & _SYN:
        _follow_syn(conversation, sender, segment)
    elif flags & _ACK:
        if sender.state is State.SYN_SENT:
            # It answers a SYN with ACK that was not captured.
            _move(sender, State.ESTABLISHED, segment)
        if peer.state is State.SYN_RECEIVED and sender.state is not State.SYN_RECEIVED:
            _move(peer, State.ESTABLISHED, segment)
        elif peer.state is State.SYN_RECEIVED and segment.ack != peer.base:
            # A simultaneous opening: each end's SYN is acknowledged by the other.
            _move(peer, State.ESTABLISHED, segment)
    if sender.state is State.UNSEEN and not flags & (_SYN | _RST):
        # The capture began later: what sends without SYN has been opened before.
        _move(sender, State.ESTABLISHED, segment)
        if peer.state is State.UNSEEN and flags & _ACK:
            _move(peer, State.ESTABLISHED, segment)
    if flags & _ACK and peer.fin is not None and 0 < (segment.ack - peer.fin) & _MASK < _HALF:
        _step(sender, _HAS_RECEIVED_FIN, segment)
        _step(peer, _FIN_IS_ACKED, segment)
    if flags & _FIN:
        if sender.fin is None:
            sender.fin = (segment.seq + segment.length + ((flags >> 1) & 1)) & _MASK
            sender.fin_frame = segment.record.number
        _step(sender, _SENDS_FIN, segment)
    if flags & _RST:
        if not sender.reset_frame:
            sender.reset_frame = segment.record.number
        _move(sender, State.CLOSED, segment)
        _move(peer, State.CLOSED, segment)
    conversation.is_settled = (
        sender.state is State.ESTABLISHED
        and peer.state is State.ESTABLISHED
        and not sender.awaits_first_ack
        and not peer.awaits_first_ack
        and sender.fin is None
        and peer.fin is None
    )


def _follow_syn(conversation: Conversation, sender: Flow, segment: Segment) -> None:
    peer = sender.peer
    is_answer = bool(segment.flags & _ACK)
    if sender.iss is None:
        sender.iss = segment.seq
        sender.syn_frame = segment.record.number
    if is_answer and not sender.answer_frame:
        sender.answer_frame = segment.record.number
    if conversation.opener is None:
        conversation.opener = peer.index if is_answer else sender.index
    if not is_answer:
        if peer.state is State.SYN_SENT:
            # Both have sent SYN: a simultaneous opening (section 3.5).
            _move(sender, State.SYN_RECEIVED, segment)
            _move(peer, State.SYN_RECEIVED, segment)
        elif sender.state is State.UNSEEN:
            _move(sender, State.SYN_SENT, segment)
            if peer.state is State.UNSEEN:
                _move(peer, State.LISTEN, segment)
    elif sender.state in {State.UNSEEN, State.LISTEN}:
        _move(sender, State.SYN_RECEIVED, segment)
        if peer.state in {State.UNSEEN, State.SYN_SENT}:
            _move(peer, State.ESTABLISHED, segment)


def _agree_on_scaling(sender: Flow, *, is_answer: bool) -> None:
    """
    Windows are scaled only if both ends offer it (RFC 7323 section 2.2).
    """
    peer = sender.peer
    if sender.window_shift == -1:
        sender.window_shift = peer.window_shift = -2
    elif is_answer and peer.window_shift == -2:
        sender.window_shift = -2


def _step(flow: Flow, table: dict[State, State], segment: Segment) -> None:
    after = table.get(flow.state)
    if after is not None:
        _move(flow, after, segment)


def _move(flow: Flow, after: State, segment: Segment) -> None:
    if flow.state is after:
        return
    transitions = flow.conversation.transitions
    if len(transitions) < TRANSITIONS_MAX:
        record = segment.record
        transitions.append(Transition(record.number, record.time_ns, flow.index, flow.state, after))
    flow.state = after
