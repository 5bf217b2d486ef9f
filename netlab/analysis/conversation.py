"""
A conversation: both ends of a TCP connection as far as its segments show them (RFC 9293).
"""

from __future__ import annotations

from enum import Enum, IntFlag
from typing import NamedTuple

from netlab.capture.segments import address_text


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

    @ivar index: 0 or 1, its place in L{Conversation.flows}.
    @ivar raw_address: 4 or 16 bytes.
    @ivar port: 0 to 65535.
    @ivar peer: the other end.
    @ivar iss: initial send sequence number, known from its SYN; the peer's IRS.
    @ivar base: what relative sequence numbers count from: its ISS, or without a SYN what Wireshark
        takes (one before the first number seen, so that relative numbers begin with 1).
    @ivar snd_una: the oldest number that its peer has not acknowledged.
    @ivar snd_nxt: the number after the highest that it has sent.
    @ivar rcv_nxt: the number that it expects from its peer: its last ACK.
    @ivar window_field: its last window field, unscaled.
    @ivar window_shift: how far its window is scaled; C{None} if not known; 0 if one of the ends
        did not offer scaling.
    @ivar mss: what its SYN offered, or C{None}.
    @ivar sack_permitted: what its SYN offered.
    @ivar state: of this end.
    @ivar fin: the sequence number of its FIN, or C{None}.
    @ivar fin_frame: the number of the frame that first carried it, 0 if none.
    @ivar reset_frame: the number of its first frame with RST, 0 if none.
    @ivar frames: how many segments it sent.
    @ivar payload_bytes: all it sent, retransmissions included.
    @ivar first_ns: the time of its first segment; C{None} if it sent none.
    @ivar last_ns: the time of its last segment; C{None} if it sent none.
    """

    __slots__ = (
        "base",
        "fin",
        "fin_frame",
        "first_ns",
        "frames",
        "index",
        "iss",
        "last_ns",
        "mss",
        "payload_bytes",
        "peer",
        "port",
        "raw_address",
        "rcv_nxt",
        "reset_frame",
        "sack_permitted",
        "snd_nxt",
        "snd_una",
        "state",
        "window_field",
        "window_shift",
    )

    peer: Flow

    def __init__(self, index: int, raw_address: bytes, port: int) -> None:
        self.index = index
        self.raw_address = raw_address
        self.port = port
        self.iss: int | None = None
        self.base: int | None = None
        self.snd_una: int | None = None
        self.snd_nxt: int | None = None
        self.rcv_nxt: int | None = None
        self.window_field: int | None = None
        self.window_shift: int | None = None
        self.mss: int | None = None
        self.sack_permitted = False
        self.state = State.UNSEEN
        self.fin: int | None = None
        self.fin_frame = 0
        self.reset_frame = 0
        self.frames = 0
        self.payload_bytes = 0
        self.first_ns: int | None = None
        self.last_ns: int | None = None

    @property
    def address(self) -> str:
        """The address as text."""
        return address_text(self.raw_address)

    @property
    def irs(self) -> int | None:
        """The initial receive sequence number: the peer's ISS."""
        return self.peer.iss

    @property
    def rcv_wnd(self) -> int | None:
        """
        The window that it last offered, in bytes.
        """
        if self.window_field is None:
            return None
        return self.window_field << (self.window_shift or 0)


class Conversation:
    """
    The segments between two endpoints from one opening to the next: Wireshark's C{tcp.stream}.

    @ivar stream: from 0, in the order of first segments.
    @ivar flows: the two ends; the first sent the first segment that was seen.
    @ivar completeness: of L{Completeness}, a plain integer.
    @ivar transitions: every change of an end's state, oldest first; bounded.
    @ivar first_frame: number of its first frame.
    @ivar last_frame: number of its last frame.
    @ivar opener: the index of the flow that sent the first SYN without ACK, or that a SYN with ACK
        answered; C{None} if neither was seen.
    """

    __slots__ = (
        "completeness",
        "first_frame",
        "flows",
        "last_frame",
        "opener",
        "stream",
        "transitions",
    )

    def __init__(self, stream: int, flows: tuple[Flow, Flow], first_frame: int) -> None:
        self.stream = stream
        self.flows = flows
        self.first_frame = first_frame
        self.last_frame = first_frame
        self.completeness = 0
        self.opener: int | None = None
        self.transitions: list[Transition] = []
        flows[0].peer = flows[1]
        flows[1].peer = flows[0]

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
        Both ends have sent a FIN that was acknowledged, or one has sent RST.
        """
        return any(flow.reset_frame for flow in self.flows) or all(
            flow.state in {State.TIME_WAIT, State.CLOSED} for flow in self.flows
        )
