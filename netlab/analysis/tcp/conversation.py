"""
A conversation: both ends of a TCP connection as far as its segments show them (RFC 9293).
"""

from __future__ import annotations

from enum import Enum, IntFlag
from typing import Final, NamedTuple

from netlab.capture.segments import address_text

TRANSITIONS_MAX: Final = 64
"""How many changes of state are kept; an opening and a close make about ten."""

UNSEEN_WAS_ACKED: Final = 0xFFFFFFFF
"""
Instead of a number of duplicate ACKs: the peer has acknowledged what was not captured. Wireshark
stores -1 in an unsigned number, so that it counts as very many.
"""

WINDOW_UNSEEN: Final = 0xFFFFFFFF
"""A window field before the first segment."""


class State(Enum):
    """
    The states of RFC 9293 section 3.3.2, as inferred from the segments: what an end must be in once
    the segment has been sent or has arrived.
    """

    UNSEEN = "not seen"
    """Nothing has been seen that would tell: the capture began later, or has one direction."""

    CLOSED = "CLOSED"
    LISTEN = "LISTEN"
    SYN_SENT = "SYN-SENT"
    SYN_RECEIVED = "SYN-RECEIVED"
    ESTABLISHED = "ESTABLISHED"
    FIN_WAIT_1 = "FIN-WAIT-1"
    FIN_WAIT_2 = "FIN-WAIT-2"
    CLOSE_WAIT = "CLOSE-WAIT"
    CLOSING = "CLOSING"
    LAST_ACK = "LAST-ACK"
    TIME_WAIT = "TIME-WAIT"


_OVER: Final = frozenset({State.TIME_WAIT, State.CLOSED})


class Completeness(IntFlag):
    """
    What a conversation has shown, C{tcp.completeness}.
    """

    SYN = 1
    SYN_ACK = 2
    ACK = 4
    DATA = 8
    FIN = 16
    RST = 32


class Transition(NamedTuple):
    """
    A change of one end's state.

    @ivar number: of the frame that made it.
    @ivar time_ns: of that frame.
    @ivar flow: 0 or 1: the index in L{Conversation.flows} of the end that changed.
    @ivar before: its state before.
    @ivar after: its state after.
    """

    number: int
    time_ns: int
    flow: int
    before: State
    after: State


class Flow:
    """
    One end of a conversation: what it sent, and RFC 9293's variables for it (section 3.3.1).

    All sequence numbers are raw, modulo 2**32; C{None} is not seen.

    @ivar conversation: it belongs to.
    @ivar index: 0 or 1, its place in L{Conversation.flows}.
    @ivar raw_address: 4 or 16 bytes.
    @ivar port: 0 to 65535.
    @ivar peer: the other end.
    @ivar iss: initial send sequence number, known from its SYN; the peer's IRS.
    @ivar base: what relative sequence numbers count from: its ISS, or without a SYN what Wireshark
        takes (one before the first number seen, so that relative numbers begin with 1).
    @ivar rebased: C{(frame number, base)} where a second SYN with ACK gave another number, or
        C{None}; see L{base_at}. Bounded.
    @ivar syn_frame: the number of its first frame with SYN, 0 if none.
    @ivar answer_frame: the number of its first frame with SYN and ACK, 0 if none.
    @ivar rcv_nxt: the number that it expects from its peer: its last ACK.
    @ivar window_shift: how far its window is scaled; -1 if not known, -2 if it is known not to be.
    @ivar mss: what its SYN offered, or C{None}.
    @ivar sack_permitted: what its SYN offered.
    @ivar state: of this end.
    @ivar fin: the sequence number of its FIN, or C{None}.
    @ivar fin_frame: the number of the frame that first carried it, 0 if none.
    @ivar reset_frame: the number of its first frame with RST, 0 if none.
    @ivar frames: how many segments it sent.
    @ivar payload_bytes: all it sent, retransmissions included.
    @ivar last_ns: the time of its last segment; 0 if it sent none.
    @ivar last_ack: the acknowledgment field of its last segment, set or not.
    @ivar window_field: the window field of its last segment; 0xFFFFFFFF before the first.
    @ivar next_seq: the number after the highest that it has sent; 0 before the first.
    @ivar next_seq_frame: the frame that reached it.
    @ivar next_seq_ns: that frame's time.
    @ivar max_ackable: the end of what was seen without a hole; 0 before the first.
    @ivar duplicate_acks: how often L{last_ack} has been repeated, or L{UNSEEN_WAS_ACKED}.
    @ivar first_ack_frame: the frame that L{last_ack} came with first.
    @ivar last_marks: of its last segment.
    @ivar awaits_first_ack: it has sent SYN and nothing with ACK alone since: its window is not yet
        scaled.
    @ivar is_cut: it had more segments outstanding than are remembered.
    @ivar is_ordered: its L{unacked} segments do not overlap and are in order.
    @ivar is_flight_known: false after a hole until the peer acknowledges something.
    @ivar unacked: what it has sent and its peer has not acknowledged, as C{(seq, end, frame,
        time_ns)}, oldest first; bounded.
    @ivar scanned_ack: the peer's ACK for which L{unacked} was last looked through.
    @ivar measured: of L{unacked}: the base, how many were looked at, and their lowest and highest
        relative number; or C{None}.
    @ivar looked_through: how many overlapping segments were looked at; bounds the work.
    @ivar sacked: how many bytes its last segment's SACK option named.
    @ivar pushed_bytes: payload since its last PSH.
    @ivar was_pushed: its last segment with payload had PSH.
    @ivar multipath: kinds of Multipath TCP option seen by its last segment.
    """

    __slots__ = (
        "_address",
        "answer_frame",
        "awaits_first_ack",
        "base",
        "conversation",
        "duplicate_acks",
        "fin",
        "fin_frame",
        "first_ack_frame",
        "frames",
        "index",
        "is_cut",
        "is_flight_known",
        "is_ordered",
        "iss",
        "last_ack",
        "last_marks",
        "last_ns",
        "looked_through",
        "max_ackable",
        "measured",
        "mss",
        "multipath",
        "next_seq",
        "next_seq_frame",
        "next_seq_ns",
        "payload_bytes",
        "peer",
        "port",
        "pushed_bytes",
        "raw_address",
        "rcv_nxt",
        "rebased",
        "reset_frame",
        "sack_permitted",
        "sacked",
        "scanned_ack",
        "state",
        "syn_frame",
        "unacked",
        "was_pushed",
        "window_field",
        "window_shift",
    )

    conversation: Conversation
    peer: Flow

    def __init__(self, index: int, raw_address: bytes, port: int) -> None:
        self.index = index
        self.raw_address = raw_address
        self.port = port
        self._address: str | None = None
        self.iss: int | None = None
        self.base: int | None = None
        self.rebased: list[tuple[int, int]] | None = None
        self.syn_frame = 0
        self.answer_frame = 0
        self.rcv_nxt: int | None = None
        self.window_shift = -1
        self.mss: int | None = None
        self.sack_permitted = False
        self.state = State.UNSEEN
        self.fin: int | None = None
        self.fin_frame = 0
        self.reset_frame = 0
        self.frames = 0
        self.payload_bytes = 0
        self.last_ns = 0
        self.last_ack = 0
        self.window_field = WINDOW_UNSEEN
        self.next_seq = 0
        self.next_seq_frame = 0
        self.next_seq_ns = 0
        self.max_ackable = 0
        self.duplicate_acks = 0
        self.first_ack_frame = 0
        self.last_marks = 0
        self.awaits_first_ack = False
        self.is_cut = False
        self.is_ordered = True
        self.is_flight_known = True
        self.unacked: list[tuple[int, int, int, int]] = []
        self.scanned_ack = -1
        self.measured: tuple[int, int, int, int] | None = None
        self.looked_through = 0
        self.sacked = 0
        self.pushed_bytes = 0
        self.was_pushed = False
        self.multipath = 0

    @property
    def address(self) -> str:
        """The address as text."""
        if self._address is None:
            self._address = address_text(self.raw_address)
        return self._address

    @property
    def irs(self) -> int | None:
        """The initial receive sequence number: the peer's ISS."""
        return self.peer.iss

    @property
    def snd_una(self) -> int | None:
        """The oldest number that its peer has not acknowledged: the peer's last ACK."""
        return self.peer.rcv_nxt

    @property
    def snd_nxt(self) -> int | None:
        """The number after the highest that it has sent."""
        return self.next_seq if self.frames else None

    @property
    def rcv_wnd(self) -> int | None:
        """
        The window that it last offered, in bytes: the peer's SND.WND.
        """
        if self.window_field == WINDOW_UNSEEN:
            return None
        if self.window_shift > 0 and not self.awaits_first_ack:
            return self.window_field << self.window_shift
        return self.window_field

    def base_at(self, number: int) -> int:
        """
        What relative sequence numbers count from in a frame: L{base}, but after a second SYN with
        ACK, whose number differs, what C{tshark -2} takes in its second pass.

        @param number: of the frame.
        """
        base = self.base or 0
        if self.rebased:
            for since, other in self.rebased:
                if since > number:
                    break
                base = other
        return base


class Conversation:
    """
    The segments between two endpoints from one opening to the next: Wireshark's C{tcp.stream}.

    @ivar stream: from 0, in the order of first segments.
    @ivar flows: the two ends; the first sent the first segment that was seen.
    @ivar seen: of L{Completeness}, a plain integer: what its segments have shown, but of the first
        only SYN, and data with that.
    @ivar first_seen: what the first segment shows. C{tshark -2} prints L{seen} in the first frame
        and both together in all others.
    @ivar first_frame: number of its first frame.
    @ivar last_frame: number of its last frame.
    @ivar opener: the index of the flow that sent the first SYN without ACK, or that a SYN with ACK
        answered; C{None} if neither was seen.
    @ivar syn_ns: the time of the last SYN without ACK, or C{None}; for Wireshark 0 is none too.
    @ivar initial_rtt_ns: from that SYN to the first ACK, C{tcp.analysis.initial_rtt}; 0 if unknown.
    @ivar transitions: the first L{TRANSITIONS_MAX} changes of an end's state, oldest first.
    @ivar is_settled: nothing but data and ACKs is expected: both ends are ESTABLISHED.
    @ivar copies: how many frames were exact copies of the one before: a capture on two interfaces,
        or on a loopback that shows each frame going and coming, has all of them twice.
    @ivar quoted: how many ICMP errors quoted one of its segments.
    @ivar multipath: kinds of Multipath TCP option that were seen.
    """

    __slots__ = (
        "copies",
        "first_frame",
        "first_seen",
        "flows",
        "initial_rtt_ns",
        "is_settled",
        "last_frame",
        "multipath",
        "opener",
        "quoted",
        "seen",
        "stream",
        "syn_ns",
        "transitions",
    )

    def __init__(self, stream: int, flows: tuple[Flow, Flow], first_frame: int) -> None:
        self.stream = stream
        self.flows = flows
        self.first_frame = first_frame
        self.last_frame = first_frame
        self.seen = 0
        self.first_seen = 0
        self.opener: int | None = None
        self.syn_ns: int | None = None
        self.initial_rtt_ns = 0
        self.transitions: list[Transition] = []
        self.is_settled = False
        self.copies = 0
        self.quoted = 0
        self.multipath = 0
        flows[0].peer = flows[1]
        flows[1].peer = flows[0]
        flows[0].conversation = flows[1].conversation = self

    @property
    def completeness(self) -> int:
        """What its segments have shown: of L{Completeness}, a plain integer."""
        return self.seen | self.first_seen

    @property
    def client(self) -> Flow:
        """
        The end that opened the connection, or, where the opening was not seen, the end with the
        higher port: L{opener} tells which it is.
        """
        if self.opener is not None:
            return self.flows[self.opener]
        return self.flows[self.flows[0].port < self.flows[1].port]

    @property
    def server(self) -> Flow:
        """The other end than L{client}."""
        return self.client.peer

    @property
    def is_over(self) -> bool:
        """
        Both ends have sent a FIN that was acknowledged, or one has sent RST. Segments may still
        come: retransmissions, and what crossed the last one.
        """
        one, other = self.flows
        return one.state in _OVER and other.state in _OVER
