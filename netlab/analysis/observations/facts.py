"""
What of a conversation is worth telling, gathered segment by segment in bounded memory.

The segments themselves are not kept, so that a capture of any size can be told.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from netlab.analysis.http.allowance import Allowance
from netlab.analysis.observations.dialogue import Dialogue
from netlab.analysis.observations.history import BEGINNING_MAX, History
from netlab.analysis.observations.skimming import Skimmed
from netlab.analysis.observations.soundness import discarded_of
from netlab.analysis.tcp.conversation import Conversation, Flow
from netlab.analysis.tcp.frames import Analysed, Mark
from netlab.analysis.tls.tools import NO_TOOLS, Tools
from netlab.capture.segments import Flag

IDLE_MIN_NS: Final = 500_000_000
"""From how long on a silence is an idle spell: longer than any round trip and than delayed ACKs."""

IDLES_MAX: Final = 100
"""How many idle spells are reported."""

_PAYLOAD_OF_SOME_MAX: Final = 256
"""Up to which size payloads are kept where not all segments are."""

_EXCHANGES_KEPT: Final = 200
"""How many HTTP exchanges of a conversation are kept in a summary: the first and the last ones."""

_SYN: Final = int(Flag.SYN)
_ACK: Final = int(Flag.ACK)
_FIN: Final = int(Flag.FIN)
_RST: Final = int(Flag.RST)

#: A plain integer, as L{Analysed.marks} is: quicker by ten times than a flag.
_REPEATS: Final = int(
    Mark.RETRANSMISSION | Mark.FAST_RETRANSMISSION | Mark.SPURIOUS_RETRANSMISSION | Mark.KEEP_ALIVE
)
_SYN_FIN_RST: Final = _SYN | _FIN | _RST
_MARKS: Final = tuple(int(mark) for mark in Mark)

_new = tuple.__new__


class Point(NamedTuple):
    """
    A frame and its time.

    @ivar number: The frame's number.
    @ivar time_ns: Nanoseconds since 1970.
    """

    number: int
    time_ns: int


class Idle(NamedTuple):
    """
    A spell in which nothing travelled.

    @ivar before: The frame before it.
    @ivar after: The frame that ended it.
    """

    before: Point
    after: Point

    @property
    def length_ns(self) -> int:
        """How long it was, in nanoseconds."""
        return self.after.time_ns - self.before.time_ns


class Fin(NamedTuple):
    """
    The first FIN of one end.

    @ivar at: Its frame.
    @ivar before: The conversation's frame before it.
    @ivar active: The last frame before it that brought new data or completed the handshake, or else
        the first frame: since then the connection had been idle.
    @ivar has_seen_peers: Whether it acknowledges a FIN of the peer.
    @ivar ack_raw: The acknowledgement number that it carries.
    """

    at: Point
    before: Point
    active: Point
    has_seen_peers: bool
    ack_raw: int


class Reset(NamedTuple):
    """
    The first RST of a conversation.

    @ivar at: Its frame.
    @ivar flow: The index of its sender.
    @ivar before: The conversation's frame before it.
    @ivar received_bytes: What its sender had been sent in all: no more can have been left unread.
    @ivar since_own_bytes: What it had been sent since it last sent any itself.
    @ivar after_own_fin: Whether its sender had closed before.
    """

    at: Point
    flow: int
    before: Point
    received_bytes: int
    since_own_bytes: int
    after_own_fin: bool


class EndFacts:
    """
    What is gathered of one end.

    @ivar byte_count: New bytes of data.
    @ivar fin: The first FIN.
    @ivar fin_acked: The frame that acknowledged it.
    @ivar since_own_data: Bytes received since it last sent any.
    """

    __slots__ = (
        "byte_count",
        "fin",
        "fin_acked",
        "since_own_data",
    )

    def __init__(self) -> None:
        self.byte_count = self.since_own_data = 0
        self.fin: Fin | None = None
        self.fin_acked: Point | None = None


class Facts:
    """
    What is gathered of one conversation.

    @ivar conversation: The conversation.
    @ivar sides: Of its two flows, by their indexes.
    @ivar first: Its first frame.
    @ivar last: Its last frame.
    @ivar frame_count: How many it has.
    @ivar dialogue: What the ends said to each other.
    @ivar history: Its segments one by one, as far as they are kept.
    @ivar idles: Idle spells, at most L{IDLES_MAX}.
    @ivar reset: The first RST.
    @ivar marks: How often each mark was seen, and in which frame first.
    @ivar skimmed: What is counted since the dialogue is not followed any more; C{None} before.
    """

    __slots__ = (
        "_active",
        "_is_open",
        "conversation",
        "dialogue",
        "first",
        "frame_count",
        "history",
        "idles",
        "last",
        "marks",
        "reset",
        "sides",
        "skimmed",
    )

    def __init__(
        self,
        conversation: Conversation,
        first: Point,
        tools: Tools = NO_TOOLS,
        allowance: Allowance | None = None,
    ) -> None:
        """
        @param first: its first frame.
        @param tools: with what TLS is opened.
        @param allowance: what reading may cost, together with others; None for this one alone.
        """
        self.conversation = conversation
        self.sides = (EndFacts(), EndFacts())
        self.first = self.last = first
        self.frame_count = 0
        self.dialogue = Dialogue(conversation, tools=tools, allowance=allowance)
        self.history = History(conversation)
        self.idles: list[Idle] = []
        self.reset: Reset | None = None
        self.marks: dict[int, tuple[int, int]] = {}
        self.skimmed: Skimmed | None = None
        self._active = first
        self._is_open = False

    def observe(self, analysed: Analysed) -> None:
        """
        Take the conversation's next segment.
        """
        here = Point(analysed.number, analysed.time_ns)
        self.dialogue.receive(analysed)
        if not self._is_open and self.dialogue.established is not None:
            self._is_open = True
            self._active = here
        self._note(analysed, here)

    def remember(self, analysed: Analysed) -> None:
        """
        Remember a segment, before L{observe} is given it, where not all are kept one by one: of the
        first ones each, of the others those that are noteworthy.
        """
        if len(self.history.segments) < BEGINNING_MAX:
            self.history.add(analysed, payload_max=_PAYLOAD_OF_SOME_MAX)
        elif (
            analysed.marks
            or self._is_event(analysed)
            or analysed.time_ns - self.last.time_ns >= IDLE_MIN_NS
        ):
            self._remember_noteworthy(analysed)

    def _is_event(self, analysed: Analysed) -> bool:
        """
        Tell whether a segment opens, closes or resets the connection, or comes after that.
        """
        return (
            bool(analysed[0][6] & _SYN_FIN_RST)
            or self.reset is not None
            or self.sides[1 - analysed[2].index].fin is not None
        )

    def _remember_noteworthy(self, analysed: Analysed) -> None:
        silent_ns = analysed.time_ns - self.last.time_ns
        self.history.add_noteworthy(
            analysed, self.last.number, silent_ns, is_event=self._is_event(analysed)
        )

    def skim(self, analysed: Analysed) -> None:
        """
        Take the conversation's next segment after L{begin_skimming}. Quick where there is nothing
        unusual about it: large captures consist of such.
        """
        segment, flow = analysed[0], analysed[2]
        skimmed = self.skimmed
        assert skimmed is not None
        length = segment[9]
        if length:
            skimmed.has_data = True
            if skimmed.is_http:
                skimmed.look_at(segment)
        record = segment[0]
        here = _new(Point, record[:2])
        side = self.sides[flow.index]
        other = self.sides[1 - flow.index]
        if (
            analysed[3]
            or segment[6] & _SYN_FIN_RST
            or here[1] - self.last[1] >= IDLE_MIN_NS
            or other.fin is not None
            or self.reset is not None
        ):
            self._remember_noteworthy(analysed)
            self._note(analysed, here)
            return
        self.frame_count += 1
        if length:
            side.byte_count += length
            side.since_own_data = 0
            other.since_own_data += length
            self._active = here
        self.last = here

    def begin_skimming(self) -> None:
        """
        Follow the dialogue no further: from now on L{skim} is to be called.
        """
        self.dialogue.stop()
        self.skimmed = Skimmed(is_http=self.dialogue.http.is_http)

    def _note(self, analysed: Analysed, here: Point) -> None:
        segment, flow = analysed.segment, analysed.flow
        side, other = self.sides[flow.index], self.sides[flow.peer.index]
        flags = segment.flags
        self.frame_count += 1
        if here.time_ns - self.last.time_ns >= IDLE_MIN_NS and len(self.idles) < IDLES_MAX:
            self.idles.append(Idle(self.last, here))
        if analysed.marks:
            self._count(analysed)
        if flags & _RST:
            self._note_reset(flow, here)
        has_fin = flow.peer.fin is not None and bool(flags & _ACK)
        is_acked = has_fin and (segment.ack - (flow.peer.fin or 0) - 1) & 0xFFFFFFFF < 0x80000000
        if is_acked and other.fin_acked is None:
            other.fin_acked = here
        if segment.length and not analysed.marks & _REPEATS:
            self._take_data(flow, here, segment.length)
        if flags & _FIN and side.fin is None:
            side.fin = Fin(here, self.last, self._active, is_acked, segment.ack)
        self.last = here

    def trim(self) -> None:
        """
        Forget what only matters where frames are explained one by one: texts, and most exchanges.
        """
        turns = self.dialogue.turns
        if len(turns) > 1:
            turns[-2].text = b""
        http = self.dialogue.http
        surplus = len(http.exchanges) - _EXCHANGES_KEPT
        if surplus > _EXCHANGES_KEPT:
            del http.exchanges[_EXCHANGES_KEPT // 2 : _EXCHANGES_KEPT // 2 + surplus]
            http.exchanges_uncounted += surplus

    def finish(self) -> None:
        """
        There are no more segments.
        """
        self.dialogue.finish()
        if self.skimmed is not None:
            self.history.announced_close = self.skimmed.announced_close
        self.history.finish(
            self.frame_count, self.dialogue.client.index, self.dialogue.http, self.dialogue.tls
        )
        self.history.discarded = discarded_of(self.history.segments)

    @property
    def has_data(self) -> bool:
        """Whether either end sent a byte."""
        return bool(self.dialogue.bytes_said or any(side.byte_count for side in self.sides))

    def name(self, index: int) -> str:
        """
        Call an end by its part.

        @param index: Of its flow.
        @return: C{the client} or C{the server}.
        """
        is_client = self.conversation.flows[index] is self.dialogue.client
        return "the client" if is_client else "the server"

    @property
    def client_side(self) -> EndFacts:
        """What is gathered of the client."""
        return self.sides[self.dialogue.client.index]

    @property
    def server_side(self) -> EndFacts:
        """What is gathered of the server."""
        return self.sides[self.dialogue.server.index]

    def _count(self, analysed: Analysed) -> None:
        marks = analysed.marks
        for mark in _MARKS:
            if marks & mark:
                number, first = self.marks.get(mark, (0, analysed.number))
                self.marks[mark] = (number + 1, first)

    def _take_data(self, flow: Flow, here: Point, length: int) -> None:
        side, other = self.sides[flow.index], self.sides[flow.peer.index]
        side.byte_count += length
        side.since_own_data = 0
        other.since_own_data += length
        self._active = here

    def _note_reset(self, flow: Flow, here: Point) -> None:
        if self.reset is None:
            side = self.sides[flow.index]
            self.reset = Reset(
                here,
                flow.index,
                self.last,
                self.sides[flow.peer.index].byte_count,
                side.since_own_data,
                side.fin is not None,
            )
