"""
Every conversation of a capture in a few figures, by which the ones that went wrong are found.

To follow a conversation, put its bytes in order and judge it costs several times as much as all
else, and of a large capture hardly any conversation is worth it. So each has a sketch, which costs
next to nothing; only what goes wrong is followed, from its beginning, which waits that long.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from netlab.analysis.observations.facts import Facts
from netlab.analysis.tcp.conversation import Completeness, Conversation
from netlab.analysis.tcp.frames import Analysed, Mark
from netlab.capture.segments import Flag

SKETCHES_MAX: Final = 4096
"""How many conversations have figures of their own; those without a fault make room for others."""

SERVERS_MAX: Final = 1000
"""How many servers' ports are distinguished among conversations that have none."""

WAIT_MIN_NS: Final = 200_000_000
"""From how long on a silence counts as time lost: Linux's shortest retransmission timeout."""

SLOW_MIN_NS: Final = 1_000_000_000
"""From how long a wait on, for the other end's data or for a retransmission, it is a fault."""

WAITING_MAX: Final = 12
"""How many frames of a conversation wait until something goes wrong in it."""

WAITING_FRAMES_MAX: Final = 512
"""How many frames of all conversations wait. Thousands would cost more time than all else: the
garbage collector looks through them each time."""

WAITING_MAX_BYTES: Final = 8 << 20
"""How many bytes of all conversations' frames wait."""

_RST: Final = int(Flag.RST)
_REPEATS: Final = int(Mark.RETRANSMISSION | Mark.FAST_RETRANSMISSION | Mark.SPURIOUS_RETRANSMISSION)
_GAPS: Final = int(Mark.LOST_SEGMENT | Mark.ACK_LOST_SEGMENT)
_CLOSED: Final = int(Mark.ZERO_WINDOW)
_FAULTS: Final = _REPEATS | _GAPS | _CLOSED


class Fate(StrEnum):
    """
    What went wrong in a conversation, as far as its sketch shows, the worst first.
    """

    UNANSWERED = "unanswered"
    """Nothing answered its SYN."""

    REFUSED = "refused"
    """Its SYN was answered by a RST."""

    RESET = "reset"
    """A RST was sent in it."""

    STALLED = "stalled"
    """A window was closed."""

    REPEATED = "repeated"
    """Segments are marked as retransmissions."""

    GAPS = "gaps"
    """Segments are missing in the capture."""

    SLOW = "slow"
    """One end waited long for the other."""

    CALM = "calm"
    """Nothing of the above."""


class Outline(NamedTuple):
    """
    A conversation in figures.

    @ivar stream: its number.
    @ivar client: address and port of the end that opened it, or seems to have.
    @ivar server: those of the other end.
    @ivar start_ns: the time of its first frame.
    @ivar end_ns: the time of its last frame.
    @ivar frame_count: how many it has.
    @ivar client_bytes: payload that the client sent, what it sent again included.
    @ivar server_bytes: payload that the server sent.
    @ivar fate: what went wrong.
    @ivar repeats: how many frames are marked as retransmissions.
    @ivar gaps: how many are marked because others are missing.
    @ivar lost_ns: how long one end waited for the other or for a retransmission, as far as the
        waits were of L{WAIT_MIN_NS} and more.
    @ivar completeness: of L{Completeness}.
    """

    stream: int
    client: tuple[bytes, int]
    server: tuple[bytes, int]
    start_ns: int
    end_ns: int
    frame_count: int
    client_bytes: int
    server_bytes: int
    fate: Fate
    repeats: int
    gaps: int
    lost_ns: int
    completeness: int


class CalmGroup(NamedTuple):
    """
    Conversations without a fault, with one port of one server.

    @ivar conversations: how many.
    @ivar frame_count: their frames.
    @ivar byte_count: their payload.
    """

    conversations: int = 0
    frame_count: int = 0
    byte_count: int = 0

    def plus(self, outline: Outline) -> CalmGroup:
        """
        Count another one.
        """
        size = outline.client_bytes + outline.server_bytes
        return CalmGroup(
            self.conversations + 1, self.frame_count + outline.frame_count, self.byte_count + size
        )


class Sketch:
    """
    A conversation while its frames come.

    @ivar conversation: it.
    @ivar first_ns: the time of its first frame.
    @ivar last_ns: the time of its last frame.
    @ivar facts: where it is followed, what is gathered of it.
    @ivar waiting: its frames, where it may be followed yet; C{None} where not.
    @ivar repeats: how many frames are marked as retransmissions.
    @ivar gaps: how many are marked because others are missing.
    @ivar closed: how many are marked as closing a window.
    @ivar lost_ns: as in L{Outline}.
    """

    __slots__ = (
        "_speaker",
        "closed",
        "conversation",
        "facts",
        "first_ns",
        "gaps",
        "last_ns",
        "lost_ns",
        "repeats",
        "waiting",
    )

    def __init__(self, conversation: Conversation, time_ns: int) -> None:
        self.conversation = conversation
        self.first_ns = self.last_ns = time_ns
        self.facts: Facts | None = None
        self.waiting: list[Analysed] | None = None
        self.repeats = self.gaps = self.closed = self.lost_ns = 0
        self._speaker = -1

    def observe(self, analysed: Analysed) -> bool:
        """
        Take the next segment.

        @return: whether something went wrong with it.
        """
        segment = analysed[0]
        time_ns = segment[0][1]
        marks = analysed[3]
        silent_ns = time_ns - self.last_ns
        self.last_ns = time_ns
        is_wrong = False
        if silent_ns >= WAIT_MIN_NS and (
            marks & _REPEATS or (segment[9] and self._speaker == 1 - analysed[2].index)
        ):
            self.lost_ns += silent_ns
            is_wrong = self.lost_ns >= SLOW_MIN_NS
        if segment[9]:
            self._speaker = analysed[2].index
        if marks & _FAULTS:
            self.repeats += bool(marks & _REPEATS)
            self.gaps += bool(marks & _GAPS)
            self.closed += bool(marks & _CLOSED)
            return True
        return is_wrong or segment[6] & _RST != 0

    def outline(self) -> Outline:
        """
        Give its figures so far.
        """
        conversation = self.conversation
        client, server = conversation.client, conversation.server
        return Outline(
            conversation.stream,
            (client.raw_address, client.port),
            (server.raw_address, server.port),
            self.first_ns,
            self.last_ns,
            client.frames + server.frames,
            client.payload_bytes,
            server.payload_bytes,
            self.fate,
            self.repeats,
            self.gaps,
            self.lost_ns,
            conversation.completeness,
        )

    @property
    def fate(self) -> Fate:
        """What went wrong so far."""
        seen = self.conversation.completeness
        client, server = self.conversation.client, self.conversation.server
        if seen & Completeness.SYN and not seen & Completeness.SYN_ACK:
            if not server.frames:
                return Fate.UNANSWERED
            if server.reset_frame and not client.payload_bytes and not server.payload_bytes:
                return Fate.REFUSED
        if client.reset_frame or server.reset_frame:
            return Fate.RESET
        if self.closed:
            return Fate.STALLED
        if self.repeats:
            return Fate.REPEATED
        if self.gaps:
            return Fate.GAPS
        return Fate.SLOW if self.lost_ns >= SLOW_MIN_NS else Fate.CALM


class Sketches:
    """
    The conversations of a capture. Memory is bounded, whatever their number.

    @ivar open: those that have figures of their own, by their numbers; always the same dictionary.
    @ivar calm: of those without a fault that have made room for others, by the server's address
        and port; of servers beyond L{SERVERS_MAX} at port 0 of no address.
    @ivar left_out: how many were left out, since there were too many with a fault.
    """

    def __init__(self) -> None:
        self.calm: dict[tuple[bytes, int], CalmGroup] = {}
        self.left_out = 0
        self.open: dict[int, Sketch] = {}
        self._waiting: dict[int, Sketch] = {}
        self._waiting_frames = self._waiting_bytes = 0
        self._latest = -1

    def begin(self, analysed: Analysed) -> Sketch | None:
        """
        Begin a conversation.

        @param analysed: its first segment, or another one of a conversation that was left out.
        @return: C{None} if it is left out.
        """
        stream = analysed.stream
        if len(self.open) >= SKETCHES_MAX:
            self._make_room()
            if len(self.open) >= SKETCHES_MAX:
                self.left_out += stream > self._latest
                self._latest = max(stream, self._latest)
                return None
        if stream <= self._latest:
            # A late segment of one that has made room.
            return None
        self._latest = stream
        conversation = analysed.conversation
        sketch = self.open[stream] = Sketch(conversation, analysed.time_ns)
        if conversation.first_frame == analysed.number:
            sketch.waiting = []
            self._waiting[stream] = sketch
        return sketch

    def hold(self, sketch: Sketch, analysed: Analysed) -> None:
        """
        Let a frame wait until something goes wrong in its conversation, if all before it do.
        """
        waiting = sketch.waiting
        if waiting is None:
            return
        if len(waiting) >= WAITING_MAX:
            self.release(sketch)
            return
        waiting.append(analysed)
        self._waiting_frames += 1
        self._waiting_bytes += len(analysed[0].data)
        if self._waiting_frames > WAITING_FRAMES_MAX or self._waiting_bytes > WAITING_MAX_BYTES:
            self._release_some()

    def release(self, sketch: Sketch) -> list[Analysed]:
        """
        Let a conversation's frames wait no longer.

        @return: they.
        """
        frames = sketch.waiting or []
        sketch.waiting = None
        self._waiting.pop(sketch.conversation.stream, None)
        self._waiting_frames -= len(frames)
        self._waiting_bytes -= sum(len(each.segment.data) for each in frames)
        return frames

    def _release_some(self) -> None:
        """
        Make room: first what is over goes, then what began first, until half of it is free.
        """
        waiting = list(self._waiting.values())
        for sketch in waiting:
            if sketch.conversation.is_over:
                self.release(sketch)
        for sketch in waiting:
            if (
                2 * self._waiting_frames <= WAITING_FRAMES_MAX
                and 2 * self._waiting_bytes <= WAITING_MAX_BYTES
            ):
                break
            self.release(sketch)

    def outlines(self) -> list[Outline]:
        """
        Give the figures of all that have some, by number.
        """
        return [sketch.outline() for sketch in self.open.values()]

    def _make_room(self) -> None:
        """
        Count those without a fault that are over, and keep the others.
        """
        for stream, sketch in list(self.open.items()):
            is_calm = sketch.facts is None and sketch.fate is Fate.CALM
            if is_calm and sketch.conversation.is_over:
                self.release(sketch)
                self._count_calm(sketch.outline())
                del self.open[stream]

    def _count_calm(self, outline: Outline) -> None:
        key = outline.server
        if key not in self.calm and len(self.calm) >= SERVERS_MAX:
            key = (b"", 0)
        self.calm[key] = self.calm.get(key, CalmGroup()).plus(outline)
