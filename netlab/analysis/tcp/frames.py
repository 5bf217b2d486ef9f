"""
A segment in its conversation: every figure that Wireshark shows of it, with the same meaning.

L{Analysed} is a tuple because one is made for each frame, and computes what only reports need when
they ask: see docs/decisions/0100.
"""

from __future__ import annotations

from enum import IntFlag
from typing import Final, NamedTuple

from netlab.analysis.tcp.conversation import Conversation, Flow
from netlab.capture.segments import Segment

_MODULUS_MASK: Final = 0xFFFFFFFF

_new = tuple.__new__


class Mark(IntFlag):
    """
    What is noteworthy about a segment, by Wireshark's rules: C{tcp.analysis.*}.
    L{Analysed.marks} is a plain integer, which is quicker to test.
    """

    RETRANSMISSION = 0x0001
    """C{tcp.analysis.retransmission}."""

    FAST_RETRANSMISSION = 0x0002
    """C{tcp.analysis.fast_retransmission}; tshark then shows C{retransmission} as well."""

    SPURIOUS_RETRANSMISSION = 0x0004
    """C{tcp.analysis.spurious_retransmission}; tshark then shows C{retransmission} as well."""

    OUT_OF_ORDER = 0x0008
    DUPLICATE_ACK = 0x0010
    LOST_SEGMENT = 0x0020
    """C{tcp.analysis.lost_segment}: the one before this was not captured, or not yet."""

    ACK_LOST_SEGMENT = 0x0040
    """C{tcp.analysis.ack_lost_segment}: this acknowledges what was not captured."""

    WINDOW_UPDATE = 0x0080
    WINDOW_FULL = 0x0100
    ZERO_WINDOW = 0x0200
    ZERO_WINDOW_PROBE = 0x0400
    ZERO_WINDOW_PROBE_ACK = 0x0800
    KEEP_ALIVE = 0x1000
    KEEP_ALIVE_ACK = 0x2000
    REUSED_PORTS = 0x4000
    """C{tcp.analysis.reused_ports}: a new connection between ports that had one before."""


class SegmentFigures(NamedTuple):
    """
    What Wireshark shows of every segment, all at once: each figure is L{Analysed}'s of that name.
    """

    number: int
    time_ns: int
    stream: int
    src: str
    dst: str
    srcport: int
    dstport: int
    flags: int
    seq_raw: int
    ack_raw: int
    seq: int
    ack: int
    len: int
    nxtseq: int
    window_size_value: int
    window_size: int
    completeness: int
    marks: int


class Analysed(NamedTuple):
    """
    A segment and what the conversation so far makes of it.

    Relative numbers, scaled window and completeness rest on what is known of the conversation when
    they are asked for, as C{tshark -2} prints them in its second pass: ask when the conversation is
    over (or the capture read) to get the same.

    @ivar segment: as it was captured.
    @ivar conversation: it belongs to.
    @ivar flow: of the sender, one of C{conversation.flows}.
    @ivar first_marks: of L{Mark}; L{marks} is what to ask for.
    @ivar bytes_in_flight: C{tcp.analysis.bytes_in_flight}, or C{None} where tshark shows none.
    @ivar push_bytes_sent: C{tcp.analysis.push_bytes_sent}, or C{None}.
    @ivar acked_frame: the number of the frame this is the ACK to, C{tcp.analysis.acks_frame}; 0 if
        none.
    @ivar rtt_ns: nanoseconds since that frame, C{tcp.analysis.ack_rtt}, or C{None}.
    @ivar duplicate_ack_number: this is the n-th duplicate ACK, C{tcp.analysis.duplicate_ack_num};
        0 if it is none.
    @ivar duplicate_ack_frame: the frame whose ACK it repeats; 0 if none.
    @ivar rto_ns: nanoseconds since the segment that this retransmits, C{tcp.analysis.rto}, or
        C{None}.
    @ivar rto_frame: the number of the frame that this retransmits, C{tcp.analysis.rto_frame}; 0
        if none.
    """

    segment: Segment
    conversation: Conversation
    flow: Flow
    first_marks: int
    bytes_in_flight: int | None
    push_bytes_sent: int | None
    acked_frame: int
    rtt_ns: int | None
    duplicate_ack_number: int
    duplicate_ack_frame: int
    rto_ns: int | None
    rto_frame: int

    @property
    def marks(self) -> int:
        """
        What is noteworthy about the segment: of L{Mark}, a plain integer.
        """
        rebased = self.flow.rebased
        # In its second pass tshark compares the first SYN with ACK to the last one's number.
        if rebased and rebased[0] == (self.number, self.seq_raw) and self.seq_raw != self.flow.base:
            return self.first_marks | Mark.REUSED_PORTS.value
        return self.first_marks

    @property
    def number(self) -> int:
        """C{frame.number}."""
        return self.segment.record.number

    @property
    def time_ns(self) -> int:
        """Nanoseconds since 1970-01-01 UTC."""
        return self.segment.record.time_ns

    @property
    def stream(self) -> int:
        """C{tcp.stream}."""
        return self.conversation.stream

    @property
    def src(self) -> str:
        """The sender's address as text."""
        return self.flow.address

    @property
    def dst(self) -> str:
        """The receiver's address as text."""
        return self.flow.peer.address

    @property
    def srcport(self) -> int:
        """C{tcp.srcport}."""
        return self.segment.srcport

    @property
    def dstport(self) -> int:
        """C{tcp.dstport}."""
        return self.segment.dstport

    @property
    def flags(self) -> int:
        """C{tcp.flags}: of L{netlab.capture.segments.Flag}."""
        return self.segment.flags

    @property
    def seq_raw(self) -> int:
        """C{tcp.seq_raw}."""
        return self.segment.seq

    @property
    def ack_raw(self) -> int:
        """C{tcp.ack_raw}."""
        return self.segment.ack

    @property
    def seq(self) -> int:
        """C{tcp.seq}: relative to L{Flow.base}; raw in a partial segment."""
        segment = self.segment
        if segment.is_partial:
            return segment.seq
        flow = self.flow
        if flow.rebased:
            return (segment.seq - flow.base_at(segment.record.number)) & _MODULUS_MASK
        return (segment.seq - (flow.base or 0)) & _MODULUS_MASK

    @property
    def ack(self) -> int:
        """C{tcp.ack}: relative to the peer's L{Flow.base}; raw where the ACK flag is not set."""
        segment = self.segment
        if not segment.flags & 0x10 or segment.is_partial:
            return segment.ack
        peer = self.flow.peer
        if peer.rebased:
            return (segment.ack - peer.base_at(segment.record.number)) & _MODULUS_MASK
        return (segment.ack - (peer.base or 0)) & _MODULUS_MASK

    @property
    def len(self) -> int:
        """C{tcp.len}: payload bytes."""
        return self.segment.length

    @property
    def nxtseq(self) -> int:
        """
        C{tcp.nxtseq}: the relative sequence number that follows this segment. SYN and FIN count as
        one, also where both are set.
        """
        segment = self.segment
        return (self.seq + segment.length + bool(segment.flags & 0x03)) & _MODULUS_MASK

    @property
    def window_size_value(self) -> int:
        """C{tcp.window_size_value}: the window field."""
        return self.segment.window

    @property
    def window_size(self) -> int:
        """
        C{tcp.window_size}: in bytes. Never scaled in a SYN (RFC 7323 section 2.2).
        """
        segment = self.segment
        shift = self.flow.window_shift
        if shift <= 0 or segment.flags & 0x02 or segment.is_partial:
            return segment.window
        return segment.window << shift

    @property
    def completeness(self) -> int:
        """C{tcp.completeness}."""
        conversation = self.conversation
        if self.segment.record.number == conversation.first_frame:
            return conversation.seen
        return conversation.seen | conversation.first_seen

    def figures(self) -> SegmentFigures:
        """
        Return all that L{SegmentFigures} has. Costs a third of asking for each.
        """
        segment, conversation, flow, marks, *_ = self
        (
            record,
            _,
            srcport,
            dstport,
            seq_raw,
            ack_raw,
            flags,
            window,
            _,
            length,
            _,
            _,
            _,
            _,
            _,
            is_partial,
            _,
        ) = segment
        number = record[0]
        peer = flow.peer
        window_size = window
        if is_partial:
            seq, ack = seq_raw, ack_raw
        else:
            if flow.rebased or peer.rebased:
                seq, ack, marks = self.seq, self.ack, self.marks
            else:
                seq = (seq_raw - (flow.base or 0)) & _MODULUS_MASK
                ack = (ack_raw - (peer.base or 0)) & _MODULUS_MASK if flags & 0x10 else ack_raw
            if flow.window_shift > 0 and not flags & 0x02:
                window_size <<= flow.window_shift
        completeness = conversation.seen
        if number != conversation.first_frame:
            completeness |= conversation.first_seen
        return _new(
            SegmentFigures,
            (
                number,
                record[1],
                conversation.stream,
                flow._address or flow.address,
                peer._address or peer.address,
                srcport,
                dstport,
                flags,
                seq_raw,
                ack_raw,
                seq,
                ack,
                length,
                (seq + length + 1 if flags & 0x03 else seq + length) & _MODULUS_MASK,
                window,
                window_size,
                completeness,
                marks,
            ),
        )
