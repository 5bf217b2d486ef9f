"""
What the two ends of a conversation said to each other, in turns, and how they parted.

A L{Dialogue} keeps what a sentence about the whole conversation needs, in bounded memory: not a
frame is kept, only numbers of frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from netlab.analysis.http.allowance import Allowance
from netlab.analysis.http.exchange import REQUEST_BEGINS, ExchangeReader
from netlab.analysis.http.reassembly import Piece, Reassembler
from netlab.analysis.observations.soundness import Soundness
from netlab.analysis.observations.trail import TrailStep, step_of
from netlab.analysis.tcp.conversation import Conversation, Flow
from netlab.analysis.tcp.frames import Analysed, Mark
from netlab.analysis.tls.conversation import TLSReader, begins_with_hello
from netlab.analysis.tls.tools import NO_TOOLS, Tools
from netlab.capture.segments import Flag

#: How many turns of a conversation are kept; what follows is not.
TURNS_MAX: Final = 1000

#: How many conversations of a capture are followed; one costs some kilobytes.
DIALOGUES_MAX: Final = 10_000

#: How many bytes of a turn are kept.
TEXT_MAX_BYTES: Final = 4096

#: How many different SYN-ACKs of a conversation are kept apart.
_ANSWERS_MAX: Final = 8

_FIN: Final = int(Flag.FIN)
_SYN: Final = int(Flag.SYN)
_RST: Final = int(Flag.RST)
_ACK: Final = int(Flag.ACK)
_HALF: Final = 1 << 31
_SCALE_UNKNOWN: Final = -1

#: How many bytes of ACKs a capture may lack before a segment is not believed.
_LATE_ACKS_MAX_BYTES: Final = 1 << 20

_MASK: Final = (1 << 32) - 1
_PROBE: Final = int(Mark.KEEP_ALIVE | Mark.ZERO_WINDOW_PROBE)
_REPAIR: Final = int(
    Mark.RETRANSMISSION | Mark.OUT_OF_ORDER | Mark.LOST_SEGMENT | Mark.ACK_LOST_SEGMENT
)


class Moment(NamedTuple):
    """
    A frame and its time.

    @ivar frame: its number.
    @ivar time_ns: when it was captured, in nanoseconds since 1970.
    """

    frame: int
    time_ns: int


@dataclass(slots=True)
class Turn:
    """
    What one end said until the other one spoke: an application's message, as far as TCP shows one.

    @ivar from_client: who spoke.
    @ivar length: how many bytes, each counted once.
    @ivar first: the frame that brought the first of them.
    @ivar last: the frame that brought the last of them.
    @ivar text: the first L{TEXT_MAX_BYTES} of them, up to the first that was not captured.
    @ivar missing: how many of them were not captured.
    """

    from_client: bool
    length: int
    first: Moment
    last: Moment
    text: bytes
    missing: int

    @property
    def is_whole(self) -> bool:
        """
        Whether L{text} is all of it.
        """
        return len(self.text) == self.length


@dataclass(frozen=True, slots=True)
class Farewell:
    """
    One end's FIN.

    @ivar at: the first frame that carried it.
    @ivar idle_ns: how long the connection had been idle: since the last new byte of either end or,
        where there was none, since the handshake.
    @ivar unheard_ns: how long the other end had not said anything new: since its last new byte or,
        where there was none, since the handshake. What this end said last may have been lost and
        have come late; then this tells more than L{idle_ns}.
    @ivar knows_other: whether this end had received the other's FIN, so that it closed second.
    """

    at: Moment
    idle_ns: int
    unheard_ns: int
    knows_other: bool


class Dialogue:
    """
    One conversation.

    @ivar conversation: whose it is.
    @ivar turns: who said what, in order of the first frames that brought it.
    @ivar has_more_turns: whether there were more than are kept.
    @ivar http: the same as HTTP messages: those inside TLS, where that can be opened.
    @ivar tls: the same as TLS records.
    @ivar syn: the client's first SYN.
    @ivar syn_ack: the server's first SYN with ACK.
    @ivar established: the client's first segment that acknowledges it.
    @ivar resets: for client and server the first RST.
    @ivar is_repaired: whether segments were sent again, came out of order or were not captured, so
        that times say less about what the programs did.
    @ivar frames: how many frames it has.
    @ivar trail: its first segments one by one, as many as were asked for.
    """

    __slots__ = (
        "_active_ns",
        "_allowance",
        "_answers",
        "_client",
        "_farewells",
        "_fin_seqs",
        "_pending_ends",
        "_said_ns",
        "_soundness",
        "_streams",
        "_tools",
        "_trail_max",
        "conversation",
        "established",
        "frames",
        "has_more_turns",
        "http",
        "is_repaired",
        "resets",
        "syn",
        "syn_ack",
        "tls",
        "trail",
        "turns",
    )

    def __init__(
        self,
        conversation: Conversation,
        trail_max: int = 0,
        tools: Tools = NO_TOOLS,
        allowance: Allowance | None = None,
    ) -> None:
        """
        @param trail_max: how many segments are kept one by one.
        @param tools: with what TLS is opened.
        @param allowance: what reading may cost, together with others; None for this one alone.
        """
        self._allowance = allowance or Allowance()
        self.conversation = conversation
        self.trail: list[TrailStep] = []
        self._trail_max = trail_max
        self._soundness = Soundness()
        self.turns: list[Turn] = []
        self.has_more_turns = False
        self.http = ExchangeReader(self._allowance)
        self.tls = TLSReader(tools, self._allowance)
        self._tools = tools
        self.syn: Moment | None = None
        self.syn_ack: Moment | None = None
        self.established: Moment | None = None
        self.resets: list[Moment | None] = [None, None]
        self.is_repaired = False
        self.frames = 0
        self._client: Flow | None = None
        self._active_ns: int | None = None
        self._said_ns: list[int | None] = [None, None]
        self._farewells: list[Farewell | None] = [None, None]
        self._fin_seqs: list[int | None] = [None, None]
        self._pending_ends: list[Moment | None] = [None, None]
        self._streams = (Reassembler(), Reassembler())
        # The initial sequence numbers of SYN-ACKs: a SYN cookie or a balancer may give several.
        self._answers: set[int] = set()

    @property
    def client(self) -> Flow:
        """
        The end that opened the connection, or seems to have.
        """
        return self._client or self.conversation.client

    @property
    def server(self) -> Flow:
        """
        The other end.
        """
        return self.client.peer

    @property
    def client_fin(self) -> Farewell | None:
        """
        The client's FIN.
        """
        return self._farewells[0]

    @property
    def server_fin(self) -> Farewell | None:
        """
        The server's FIN.
        """
        return self._farewells[1]

    @property
    def bytes_said(self) -> int:
        """
        How many bytes both ends sent, each counted once.
        """
        return sum(stream.next_offset for stream in self._streams)

    @property
    def is_simultaneous_close(self) -> bool:
        """
        Whether each end sent its FIN before the other's arrived (RFC 9293 section 3.6, case 3).
        """
        return all(end is not None and not end.knows_other for end in self._farewells)

    def receive(self, analysed: Analysed) -> None:
        """
        Take the conversation's next segment.

        @param analysed: it; what an ICMP error quotes was not sent just now, and is passed over.
        """
        segment = analysed.segment
        if segment.is_quoted:
            return
        now = Moment(analysed.number, analysed.time_ns)
        flags = segment.flags
        self.frames += 1
        if len(self.trail) < self._trail_max:
            self.trail.append(step_of(analysed, from_client=analysed.flow is self.client))
        if analysed.marks & _REPAIR:
            self.is_repaired = True
        if self._soundness.is_discarded(analysed):
            return
        if flags & _SYN:
            self._receive_syn(analysed, now)
            return
        if self._client is None and (segment.length or flags & (_FIN | _RST)):
            self._decide_roles(analysed)
        who = int(analysed.flow is not self.client)
        if self.established is None and who == 0 and flags & _ACK and self.syn_ack is not None:
            self.established = now
            taken = (segment.ack - 1) & _MASK in self._answers
            if taken and not self._streams[1].next_offset:
                # Of several SYN-ACKs the client has taken this one.
                self._streams[1].begin(segment.ack)
            self._active_ns = self._said_ns[0] = self._said_ns[1] = now.time_ns
        if flags & _ACK:
            pieces = self._streams[1 - who].acknowledge(segment.ack)
            if pieces:
                self._speak(pieces, 1 - who)
        if flags & _RST:
            # What a RST carries is no data but a reason (RFC 9293 section 3.5.3).
            if self.resets[who] is None:
                self.resets[who] = now
            return
        if segment.length and not analysed.marks & _PROBE and not _is_far(analysed):
            pieces = self._streams[who].receive(
                segment.seq, segment.payload, segment.length, now.frame, now.time_ns
            )
            if pieces:
                self._active_ns = self._said_ns[who] = now.time_ns
                self._speak(pieces, who)
        if flags & _FIN and self._farewells[who] is None:
            self._part(analysed, now, who)
        self._end_streams()

    def stop(self) -> None:
        """
        Follow no further, and keep no bytes for it: no other segment will be given.
        """
        self.http.stop()
        self.tls.stop()
        for stream in self._streams:
            stream.forget()

    def finish(self) -> None:
        """
        There are no more segments: pass over what was not captured.
        """
        if self._client is None:
            self._client = self.conversation.client
        for who, stream in enumerate(self._streams):
            self._speak(stream.finish(), who)
        self._end_streams(even_early=True)

    def _receive_syn(self, analysed: Analysed, now: Moment) -> None:
        is_answer = bool(analysed.segment.flags & _ACK)
        if self._client is None:
            self._client = analysed.flow.peer if is_answer else analysed.flow
        who = int(analysed.flow is not self._client)
        if who == 0 and not is_answer and self.syn is None:
            self.syn = now
        if who == 1 and is_answer and self.syn_ack is None:
            self.syn_ack = now
        stream = self._streams[who]
        if is_answer and len(self._answers) < _ANSWERS_MAX:
            self._answers.add(analysed.segment.seq)
        if not stream.next_offset and self.established is None:
            stream.begin(analysed.segment.seq + 1)
        if analysed.segment.length:
            # TCP Fast Open (RFC 7413): data that may be sent again if the server does not take it.
            self._speak(
                stream.receive(
                    analysed.segment.seq + 1,
                    analysed.segment.payload,
                    analysed.segment.length,
                    now.frame,
                    now.time_ns,
                ),
                who,
            )
        self._active_ns = now.time_ns

    def _decide_roles(self, analysed: Analysed) -> None:
        """
        The opening was not captured: the end that begins with a request or a ClientHello is the
        client, the one that begins with a status line or a ServerHello the server.
        """
        payload = analysed.segment.payload
        if payload.startswith(b"HTTP/1."):
            self._client = analysed.flow.peer
        elif REQUEST_BEGINS.match(payload):
            self._client = analysed.flow
        elif (is_from_client := begins_with_hello(payload)) is not None:
            self._client = analysed.flow if is_from_client else analysed.flow.peer
        else:
            self._client = self.conversation.client
        self.http = ExchangeReader(self._allowance, is_from_start=False)
        self.tls = TLSReader(self._tools, self._allowance, is_from_start=False)

    def _speak(self, pieces: tuple[Piece, ...], who: int) -> None:
        for piece in pieces:
            moment = Moment(piece.frame, piece.time_ns)
            length = len(piece.data) + piece.missing
            turn = self.turns[-1] if self.turns else None
            if turn is None or turn.from_client != (who == 0):
                if len(self.turns) < TURNS_MAX:
                    turn = Turn(who == 0, 0, moment, moment, b"", 0)
                    self.turns.append(turn)
                else:
                    self.has_more_turns = True
            if turn is not None and not self.has_more_turns:
                if turn.is_whole:
                    turn.text += piece.data[: TEXT_MAX_BYTES - len(turn.text)]
                turn.length += length
                turn.missing += piece.missing
                turn.last = moment
            if not self.tls.receive(piece, self.http, from_client=who == 0):
                self.http.receive(piece, from_client=who == 0)

    def _part(self, analysed: Analysed, now: Moment, who: int) -> None:
        fin_seq = (analysed.segment.seq + analysed.segment.length) & _MASK
        self._fin_seqs[who] = fin_seq
        other = self._fin_seqs[1 - who]
        knows_other = other is not None and (analysed.segment.ack - other - 1) & _MASK < _HALF
        since = self._active_ns if self._active_ns is not None else now.time_ns
        said_ns = self._said_ns[1 - who]
        unheard = now.time_ns - (since if said_ns is None else said_ns)
        self._farewells[who] = Farewell(now, now.time_ns - since, unheard, knows_other)
        self._pending_ends[who] = now

    def _end_streams(self, *, even_early: bool = False) -> None:
        """
        Tell the reader of HTTP that a direction has ended, once all bytes before the FIN are there.
        """
        for who, moment in enumerate(self._pending_ends):
            if moment is None:
                continue
            fin_seq = self._fin_seqs[who]
            assert fin_seq is not None
            if even_early or self._streams[who].has_reached(fin_seq):
                self._pending_ends[who] = None
                self.http.receive_end(moment.frame, moment.time_ns, from_client=who == 0)


def _is_far(analysed: Analysed) -> bool:
    """
    Tell whether a segment lies more than another window beyond its receiver's window: that does not
    take it (RFC 9293 section 3.10.7.4).
    """
    receiver = analysed.flow.peer
    window, expected = receiver.rcv_wnd, receiver.rcv_nxt
    if window is None or expected is None or receiver.window_shift == _SCALE_UNKNOWN:
        return False
    ahead = (analysed.segment.seq - expected) & _MASK
    return 2 * window + _LATE_ACKS_MAX_BYTES < ahead < _HALF


class Dialogues:
    """
    The dialogues of a capture.

    @ivar all: by the number of their conversations, in the order in which they began.
    @ivar left_out: how many segments belong to conversations beyond the bound.
    @ivar allowance: what is left of what reading them may cost.
    """

    def __init__(
        self,
        most: int = DIALOGUES_MAX,
        trail_max: int = 0,
        tools: Tools = NO_TOOLS,
        parts_max: int | None = None,
    ) -> None:
        """
        @param most: how many conversations are followed, the first ones.
        @param trail_max: how many segments of each are kept one by one.
        @param tools: with what TLS is opened.
        @param parts_max: as for L{Allowance}.
        """
        self._tools = tools
        self.allowance = Allowance(parts_max)
        self._trail_max = trail_max
        self._most = most
        self.all: dict[int, Dialogue] = {}
        self.left_out = 0

    def receive(self, analysed: Analysed) -> None:
        """
        Take the capture's next segment.
        """
        dialogue = self.all.get(analysed.conversation.stream)
        if dialogue is None:
            if len(self.all) >= self._most:
                self.left_out += 1
                return
            dialogue = Dialogue(analysed.conversation, self._trail_max, self._tools, self.allowance)
            self.all[analysed.conversation.stream] = dialogue
        dialogue.receive(analysed)

    def finish(self) -> list[Dialogue]:
        """
        The capture has ended.

        @return: all dialogues, finished.
        """
        for dialogue in self.all.values():
            dialogue.finish()
        return list(self.all.values())
