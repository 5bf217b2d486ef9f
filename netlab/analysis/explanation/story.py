"""
A capture told: what each report renders.

The values here are complete: a report looks nothing up and decides nothing, it only lays out. Texts
are plain; frames are cited in them as C{#4}. What a report must not show (payloads, addresses) is
left out before, by L{netlab.analysis.explanation.privacy}.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from netlab.analysis.claims.answers import Question
from netlab.analysis.claims.claim import Claim
from netlab.analysis.claims.ranking import NO_FAULT
from netlab.analysis.explanation.findings import Finding
from netlab.analysis.observations.sketches import CalmGroup, Fate, Outline
from netlab.analysis.words.units import duration
from netlab.capture.sendernotes import SenderNote

LISTED_MIN = 9
"""From how many conversations on a report lists them first, the worst at the top."""

PAYLOAD_SHOWN_MAX_BYTES = 256
"""How much of a frame's payload a story keeps; enough for a request head's first lines."""


class FrameKind(StrEnum):
    """
    What a frame mainly does, which is how it is drawn.
    """

    OPENING = "opening"
    """SYN, or the ACK that completes the handshake."""

    DATA = "data"
    ACK = "ack"
    """It acknowledges, or tells a window, and no more."""

    CLOSING = "closing"
    """FIN, or the ACK of one."""

    RESET = "reset"
    PROBE = "probe"
    """A keep-alive, a window probe, or the answer to one."""


class PassageKind(StrEnum):
    """
    What a passage of a story is about.
    """

    OPENING = "opening"
    EXCHANGE = "exchange"
    IDLE = "idle"
    CLOSE = "close"
    VIEW = "view"
    """Where it was captured, and what of it."""

    WHY = "why"
    """Why there is this connection at all."""

    UNUSUAL = "unusual"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """
    One end of a conversation.

    @ivar address: As text.
    @ivar port: The TCP port.
    """

    address: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class FrameStory:
    """
    A frame told. Numbers mean what Wireshark's fields of the same name mean.

    @ivar number: From 1, over the whole capture.
    @ivar time_ns: Nanoseconds since 1970.
    @ivar stream: The conversation's number.
    @ivar src: Sender.
    @ivar dst: Receiver.
    @ivar is_from_client: Whether the end that opened the conversation sent it.
    @ivar flags: The flags' names in header order, such as C{("SYN", "ACK")}.
    @ivar seq_raw: Sequence number as sent.
    @ivar ack_raw: Acknowledgement number as sent, also where the ACK flag is not set.
    @ivar seq: Relative sequence number.
    @ivar ack: Relative acknowledgement number.
    @ivar len: Payload length in bytes.
    @ivar nxtseq: The relative sequence number after this segment.
    @ivar window_size_value: The window field.
    @ivar window_size: The window in bytes.
    @ivar completeness: The conversation's C{tcp.completeness} in the end.
    @ivar frame_len: The frame's length on the wire in bytes.
    @ivar bytes_in_flight: What the sender has sent and not seen acknowledged after this frame.
    @ivar kind: What it mainly does.
    @ivar marks: What is unusual about it in a word or two each, such as C{retransmission}.
    @ivar label: A few words for an arrow, such as C{PSH, ACK 33 bytes}.
    @ivar sentence: One plain sentence.
    @ivar findings: The rules it obeys or breaks, the one that explains most first.
    @ivar payload: Its first bytes; empty if none is to be shown.
    @ivar is_crossed: Whether the next frame of the conversation left before this one arrived.
    @ivar claims: Those whose effect it is, of its conversation's.
    @ivar rtt_ns: Nanoseconds since the frame that it acknowledges, C{tcp.analysis.ack_rtt}, or
        C{None}.
    @ivar sacks: The ranges that it acknowledges selectively: for each the first relative sequence
        number, and the one after the last.
    @ivar sender: What its sender knew, where the capture says so; else C{None}.
    """

    number: int
    time_ns: int
    stream: int
    src: Endpoint
    dst: Endpoint
    is_from_client: bool
    flags: tuple[str, ...]
    seq_raw: int
    ack_raw: int
    seq: int
    ack: int
    len: int
    nxtseq: int
    window_size_value: int
    window_size: int
    completeness: int
    frame_len: int
    bytes_in_flight: int
    kind: FrameKind
    marks: tuple[str, ...]
    label: str
    sentence: str
    findings: tuple[Finding, ...]
    payload: bytes
    is_crossed: bool = False
    claims: tuple[Claim, ...] = ()
    rtt_ns: int | None = None
    sacks: tuple[tuple[int, int], ...] = ()
    sender: SenderNote | None = None

    def crossed(self) -> FrameStory:
        """
        Give the same frame, passed by the next one on its way.
        """
        return replace(self, is_crossed=True)


@dataclass(frozen=True, slots=True)
class Passage:
    """
    A part of a story.

    @ivar kind: What it is about.
    @ivar frames: The frames that it rests on, ascending.
    @ivar start_ns: When it begins, in nanoseconds since 1970.
    @ivar end_ns: When it ends.
    @ivar sentence: One or two plain sentences.
    @ivar findings: What proves it.
    @ivar claims: What it says, as values.
    """

    kind: PassageKind
    frames: tuple[int, ...]
    start_ns: int
    end_ns: int
    sentence: str
    findings: tuple[Finding, ...] = ()
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True, slots=True)
class ConversationStory:
    """
    A conversation told.

    @ivar stream: Its number, from 0, as C{tcp.stream}.
    @ivar client: The end that opened it, or is taken to have.
    @ivar server: The other end.
    @ivar start_ns: Time of the first frame.
    @ivar end_ns: Time of the last frame.
    @ivar title: A few words, such as C{2 HTTP exchanges; closed first by the server}.
    @ivar passages: What happened, in order.
    @ivar frames: Its frames in order, those of L{frame_count} that are explained one by one.
    @ivar frame_count: How many it has.
    @ivar completeness: C{tcp.completeness}.
    @ivar claims: All that is claimed of it.
    @ivar is_timed: Whether how long it took is known: the capture's clock was not set back.
    @ivar unseen: C{client} or C{server}, where no segment of that end was captured.
    @ivar sent: How many bytes client and server sent, where too few segments are kept to claim it.
    """

    stream: int
    client: Endpoint
    server: Endpoint
    start_ns: int
    end_ns: int
    title: str
    passages: tuple[Passage, ...]
    frames: Sequence[FrameStory]
    frame_count: int
    completeness: int
    claims: tuple[Claim, ...] = ()
    is_timed: bool = True
    unseen: str = ""
    sent: tuple[int, int] = (0, 0)

    @property
    def lasted(self) -> str:
        """How long it took, in words."""
        return duration(self.end_ns - self.start_ns if self.is_timed else -1)


@dataclass(frozen=True, slots=True)
class ConversationLine:
    """
    A conversation in one line.

    @ivar outline: Its figures; addresses are those of the capture, which L{client} and L{server}
        may replace.
    @ivar client: The end that opened it, or is taken to have.
    @ivar server: The other end.
    @ivar rank: How bad what went wrong in it is: 1 is worst.
    @ivar words: What it was and what went wrong, in a few words.
    """

    outline: Outline
    client: Endpoint
    server: Endpoint
    rank: int
    words: str


@dataclass(frozen=True, slots=True)
class CaptureTotals:
    """
    What the conversations of a capture amount to.

    @ivar fates: How many there are with each fault, the worst first, and without.
    @ivar clients: How many addresses began them.
    @ivar servers: How many addresses and ports they were with.
    @ivar client_bytes: Payload that clients sent, what they sent again included.
    @ivar server_bytes: The same of servers.
    """

    fates: Mapping[Fate, int]
    clients: int
    servers: int
    client_bytes: int
    server_bytes: int


@dataclass(frozen=True, slots=True)
class CalmLine:
    """
    Conversations without a fault that have one server's port in common.

    @ivar server: It; C{None} for several.
    @ivar group: How many, and how much.
    """

    server: Endpoint | None
    group: CalmGroup


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What an expert would say first.

    @ivar question: What it answers.
    @ivar frames: The frames that it is about, ascending; its claims, below, cite all.
    @ivar streams: The numbers of the conversations that it is about.
    @ivar sentence: One or two plain sentences.
    @ivar kinds: The kinds of claim that it rests on.
    """

    question: Question
    frames: tuple[int, ...]
    streams: tuple[int, ...]
    sentence: str
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CaptureStory:
    """
    A whole capture told.

    @ivar title: A few words, such as C{2 connections, 22 frames in 2.371 s}.
    @ivar passages: What concerns all of it.
    @ivar conversations: Those told, in order of their numbers.
    @ivar conversation_count: How many there are.
    @ivar frame_count: How many frames the capture has, of any protocol.
    @ivar start_ns: Time of the first frame.
    @ivar end_ns: Time of the last frame.
    @ivar link: The link layers by name.
    @ivar claims: All that is claimed of several conversations together, or of the capture.
    @ivar answers: What an expert would say first, in that order.
    @ivar lines: The conversations, a line each, the worst first; of an abridged story those without
        a fault are left out, but for some. None where there is one conversation.
    @ivar totals: What they amount to; C{None} where there is one.
    @ivar calm: Those without a fault by server and port, the largest groups first.
    @ivar is_abridged: Whether it is so large that a report for reading lists conversations instead
        of explaining each.
    """

    title: str
    passages: tuple[Passage, ...]
    conversations: Sequence[ConversationStory]
    conversation_count: int
    frame_count: int
    start_ns: int
    end_ns: int
    link: str
    claims: tuple[Claim, ...] = ()
    answers: tuple[Answer, ...] = ()
    lines: Sequence[ConversationLine] = ()
    totals: CaptureTotals | None = None
    calm: Sequence[CalmLine] = ()
    is_abridged: bool = False

    @property
    def ranked(self) -> Sequence[ConversationStory]:
        """The conversations that are reported, the worst first where they are listed."""
        if len(self.lines) < LISTED_MIN:
            return self.conversations
        places = {line.outline.stream: place for place, line in enumerate(self.lines)}
        return sorted(self.conversations, key=lambda each: places.get(each.stream, len(places)))

    @property
    def faulty(self) -> Sequence[ConversationLine]:
        """The lines of those in which something went wrong."""
        return [line for line in self.lines if line.rank < NO_FAULT]
