"""
The books of a conversation: what each segment adds to what is known, and what it covers.

L{Books.enter} takes the segments of one conversation in order and gives for each a
L{SegmentContext}: the frames that its acknowledgement newly covers, whether it repeats what was
sent before, and so on. Rules and sentences are made from these.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from netlab.analysis.explanation.keeping import Kept
from netlab.analysis.explanation.ledger import Ledger
from netlab.analysis.tcp.conversation import Conversation, Flow
from netlab.analysis.tcp.frames import Analysed, Mark
from netlab.capture.segments import Checksum, Flag

_FIN: Final = int(Flag.FIN)
_SYN: Final = int(Flag.SYN)
_ACK: Final = int(Flag.ACK)
_REUSED: Final = int(Mark.REUSED_PORTS)

#: What is said of a segment's numbers is as sure as that they arrived as they were sent.
_SOUND: Final = (Checksum.GOOD, Checksum.OFFLOADED, Checksum.ZEROED)


class SegmentContext(NamedTuple):
    """
    One segment and what the books say of it. Positions count as L{Ledger} does.

    @ivar analysed: the segment.
    @ivar checksum: what its checksum says.
    @ivar own: the ledger of its sender, this segment entered.
    @ivar peer: the ledger of its receiver.
    @ivar start: position of its first number in C{own}.
    @ivar expected: the position that was next in C{own} before it.
    @ivar ack: position of its acknowledgement number in C{peer}, or C{None} without ACK.
    @ivar ack_before: the highest position that its sender had acknowledged before, or C{None}.
    @ivar covered: the frames whose numbers it newly acknowledges, ascending.
    @ivar covers_syn: whether it newly acknowledges the peer's SYN.
    @ivar covers_fin: whether it newly acknowledges the peer's FIN.
    @ivar covered_bytes: how many bytes of data it newly acknowledges.
    @ivar since_before_ns: nanoseconds since the conversation's frame before, 0 for the first.
    @ivar own_fin: position of its sender's FIN in C{own}, or C{None} if none was seen so far.
    @ivar peer_fin: position of its receiver's FIN in C{peer}, or C{None} if none was seen so far.
    @ivar own_final: the position after all that its sender ever had to send, or C{None} where there
        is any doubt that its FIN was that FIN, or that this segment is of the same connection.
    @ivar peer_final: the same of its receiver.
    @ivar answers_sure: whether a SYN of its sender can only answer the receiver's SYN seen here.
    @ivar limit: the highest position of C{own} that the receiver has allowed, or C{None}.
    @ivar limit_frame: the frame that allowed it, 0 if none.
    @ivar peer_mss: what the receiver's SYN said that it takes, or C{None}.
    @ivar peer_syn_frame: the frame of that SYN, 0 if it was not captured.
    """

    analysed: Analysed
    checksum: Checksum
    own: Ledger
    peer: Ledger
    start: int
    expected: int
    ack: int | None
    ack_before: int | None
    covered: tuple[int, ...]
    covers_syn: bool
    covers_fin: bool
    covered_bytes: int
    since_before_ns: int
    own_fin: int | None
    peer_fin: int | None
    own_final: int | None
    peer_final: int | None
    answers_sure: bool
    limit: int | None
    limit_frame: int
    peer_mss: int | None
    peer_syn_frame: int


class _Side:
    """
    What the books hold of one end.
    """

    __slots__ = (
        "ack",
        "fin",
        "fin_ttl",
        "is_fin_sure",
        "is_syn_sure",
        "ledger",
        "limit",
        "limit_frame",
        "syn_frame",
    )

    def __init__(self) -> None:
        self.ledger: Ledger | None = None
        self.ack: int | None = None
        self.fin: int | None = None
        self.fin_ttl = 0
        self.is_fin_sure = self.is_syn_sure = False
        self.limit: int | None = None
        self.limit_frame = 0
        self.syn_frame = 0

    def ledger_from(self, flow: Flow, number: int) -> Ledger:
        """
        Give this end's ledger, opened at its first number.
        """
        if self.ledger is None:
            base = number if flow.iss is None else flow.iss
            self.ledger = Ledger(base, has_isn=flow.iss is not None)
        return self.ledger

    def note_syn(self, kept: Kept) -> None:
        """
        Keep in mind whether a SYN bears being relied on: it is whole, and the first between these
        ports. After another connection between them, its answer may be to a SYN that was missed.
        """
        sound = kept.checksum in _SOUND and not kept.analysed.marks & _REUSED
        self.is_syn_sure = sound and (self.is_syn_sure or not self.syn_frame)
        self.syn_frame = self.syn_frame or kept.analysed.number

    def note_fin(self, position: int, kept: Kept) -> None:
        """
        Keep in mind whether a FIN bears being relied on: it is whole, and each of them has the same
        number. One that was damaged on its way, or that somebody slipped in, ends nothing.
        """
        sound = kept.checksum in _SOUND
        ttl = kept.analysed.segment.ttl
        if self.fin is None:
            self.is_fin_sure = sound
            self.fin_ttl = ttl
        else:
            same = position == self.fin and ttl == self.fin_ttl
            self.is_fin_sure = self.is_fin_sure and sound and same
        self.fin = position

    def final(self, flow: Flow) -> int | None:
        """
        Give the position after all that this end ever had to send, where the capture leaves no
        doubt: it has a sound SYN, a sound FIN, each number between them, and none after it.
        """
        ledger, fin = self.ledger, self.fin
        if ledger is None or fin is None or not self.is_syn_sure or not self.is_fin_sure:
            return None
        is_one = ledger.has_isn and not flow.rebased
        return fin + 1 if is_one and ledger.is_whole and ledger.end == fin + 1 else None


class Books:
    """
    The books of one conversation. Where it has been read to its end before, its ISNs are known from
    the first frame on.
    """

    def __init__(self, conversation: Conversation) -> None:
        self._sides = {flow.index: _Side() for flow in conversation.flows}
        self._last_ns: int | None = None

    def enter(self, kept: Kept) -> SegmentContext:
        """
        Enter the conversation's next segment.
        """
        analysed = kept.analysed
        segment, flow = analysed.segment, analysed.flow
        side, other = self._sides[flow.index], self._sides[flow.peer.index]
        own = side.ledger_from(flow, segment.seq)
        has_ack = bool(segment.flags & _ACK)
        if has_ack or other.ledger is not None or flow.peer.iss is not None:
            peer = other.ledger_from(flow.peer, segment.ack)
        else:
            # Nothing is known of the other end yet, and this says nothing of it.
            peer = Ledger(0, has_isn=False)
        start, expected = own.position(segment.seq), own.end
        limit, limit_frame = other.limit, other.limit_frame
        own_final, peer_final = side.final(flow), other.final(flow.peer)
        if other.ack != own_final or segment.ttl != side.fin_ttl:
            # The receiver has confirmed where its sender ended, and nobody else sent this.
            own_final = None
        if start != expected:
            # It may be of a later connection, the opening of which was missed.
            peer_final = None
        answers_sure = (
            other.is_syn_sure and not flow.peer.rebased and expected <= 1 and peer.end == 1
        )
        self._post(side, own, start, kept)
        ack = before = None
        covered: tuple[int, ...] = ()
        covers_syn = covers_fin = False
        covered_bytes = 0
        if has_ack:
            ack, before = peer.position(segment.ack), side.ack
            since = before if before is not None else min(ack, 0)
            if ack > since:
                covered = peer.frames_between(max(since, 0), ack) if ack > 0 else ()
                covers_syn = peer.has_isn and since <= 0 < ack
                covers_fin = other.fin is not None and since <= other.fin < ack
                # What lies before the first number seen counts as well.
                low = since if ack <= 0 else max(since, 0)
                covered_bytes = ack - low - covers_syn - covers_fin
            side.ack = ack if before is None else max(ack, before)
            edge = ack + analysed.window_size
            if side.limit is None or edge > side.limit:
                side.limit, side.limit_frame = edge, analysed.number
        since_ns = 0 if self._last_ns is None else analysed.time_ns - self._last_ns
        self._last_ns = analysed.time_ns
        return SegmentContext(
            analysed,
            kept.checksum,
            own,
            peer,
            start,
            expected,
            ack,
            before,
            covered,
            covers_syn,
            covers_fin,
            covered_bytes,
            since_ns,
            side.fin,
            other.fin,
            own_final,
            peer_final,
            answers_sure,
            limit,
            limit_frame,
            flow.peer.mss,
            other.syn_frame,
        )

    @staticmethod
    def _post(side: _Side, own: Ledger, start: int, kept: Kept) -> None:
        """
        Note the numbers that a segment takes.
        """
        segment, number = kept.analysed.segment, kept.analysed.number
        at = start
        if segment.flags & _SYN:
            own.add(at, 1, number, "SYN")
            side.note_syn(kept)
            at += 1
        if segment.length and at >= 0:
            own.add(at, segment.length, number)
        at += segment.length
        if segment.flags & _FIN:
            own.add(at, 1, number, "FIN")
            side.note_fin(at, kept)
