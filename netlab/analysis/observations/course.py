"""
The course of a connection: which segments opened it, brought something new, and closed it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from netlab.analysis.observations.history import History, Sent
from netlab.analysis.tcp.frames import Mark

COPY_MAX_NS: Final = 10_000_000
"""A second copy of a frame follows within so long; nothing that is sent again does."""

_PROBE: Final = int(Mark.KEEP_ALIVE | Mark.ZERO_WINDOW_PROBE)


class Course:
    """
    What a connection's segments amount to. Made in one pass, in time linear in their number.

    @ivar history: it is made of.
    @ivar segments: its segments without the copies that the capture, or a device on the way, made
        of a frame, and without those that their receiver discards.
    @ivar index: for each frame's number its place in L{segments}.
    @ivar syns: for each end its SYNs without ACK.
    @ivar answers: for each end its SYNs with ACK.
    @ivar established: the first segment without SYN, FIN or RST of the end that sent a SYN, which
        acknowledges the other's SYN.
    @ivar fins: for each end its first FIN.
    @ivar fin_acks: for each end the other's first segment that acknowledges its FIN.
    @ivar resets: all segments with RST.
    @ivar spoken: for each end how many segments it sent.
    @ivar discarded: those that their receiver discards.
    @ivar bytes: for each end the position after its last byte, less one: how many it sent.
    """

    __slots__ = (
        "answers",
        "bytes",
        "discarded",
        "established",
        "fin_acks",
        "fins",
        "history",
        "index",
        "resets",
        "segments",
        "spoken",
        "syns",
    )

    def __init__(self, history: History) -> None:
        self.history = history
        self.segments: list[Sent] = []
        self.discarded: list[Sent] = []
        self.index: dict[int, int] = {}
        self.syns: tuple[list[Sent], list[Sent]] = ([], [])
        self.answers: tuple[list[Sent], list[Sent]] = ([], [])
        self.established: Sent | None = None
        self.fins: list[Sent | None] = [None, None]
        self.fin_acks: list[Sent | None] = [None, None]
        self.resets: list[Sent] = []
        self.spoken = [0, 0]
        self.bytes = [0, 0]
        seen: dict[tuple[int, ...], int] = {}
        asked: dict[tuple[int, int], int] = {}
        for sent in history.segments:
            if sent.number in history.discarded:
                self.discarded.append(sent)
                continue
            key = (
                sent.sender,
                sent.seq_raw,
                sent.ack_raw,
                sent.flags,
                sent.length,
                sent.ip_id,
                sent.window,
            )
            before = seen.get(key)
            seen[key] = sent.time_ns
            is_near = before is not None and 0 <= sent.time_ns - before < COPY_MAX_NS
            if is_near and not self._answers_another(sent, asked):
                continue
            if sent.has_ack:
                place = (sent.sender, sent.ack_raw)
                asked[place] = asked.get(place, 0) + 1
            self.index[sent.number] = len(self.segments)
            self.segments.append(sent)
            self._take(sent)

    @staticmethod
    def _answers_another(sent: Sent, asked: dict[tuple[int, int], int]) -> bool:
        """
        Tell whether a RST answers a segment that no RST before it has answered: those of a closed
        socket are alike, where they have no identification, as their answers are.

        @param asked: how many segments of an end with an acknowledgement number wait for one.
        """
        if sent.ip_id or not sent.has_rst or sent.has_ack:
            return False
        place = (1 - sent.sender, sent.seq_raw)
        asked[place] = asked.get(place, 0) - 1
        return asked[place] > 0

    def _take(self, sent: Sent) -> None:
        sender = sent.sender
        self.spoken[sender] += 1
        if sent.has_rst:
            self.resets.append(sent)
            return
        if sent.has_syn:
            (self.answers if sent.has_ack else self.syns)[sender].append(sent)
        elif (
            self.established is None
            and not sent.has_fin
            and sent.ack is not None
            and self.syns[sender]
            and (self.answers[1 - sender] or self.syns[1 - sender])
            and sent.ack >= 1
        ):
            self.established = sent
        if sent.length:
            self.bytes[sender] = max(self.bytes[sender], sent.data_end - 1)
        peers = self.fins[1 - sender]
        if (
            peers is not None
            and self.fin_acks[1 - sender] is None
            and sent.ack is not None
            and sent.ack >= peers.end
        ):
            self.fin_acks[1 - sender] = sent
        if sent.has_fin and not sent.has_syn and self.fins[sender] is None:
            self.fins[sender] = sent

    @property
    def closer(self) -> int | None:
        """
        The end whose FIN came first, where both directions were captured.
        """
        first = self.first_fin
        return None if first is None else first.sender

    @property
    def first_fin(self) -> Sent | None:
        """The FIN that came first."""
        fins = [fin for fin in self.fins if fin is not None]
        return min(fins, key=lambda fin: self.index[fin.number]) if fins else None

    @property
    def second_fin(self) -> Sent | None:
        """The other end's FIN."""
        first = self.first_fin
        return None if first is None else self.fins[1 - first.sender]

    def has_both(self) -> bool:
        """Whether both ends were captured."""
        return bool(self.spoken[0] and self.spoken[1])

    @property
    def round_trip_ns(self) -> int:
        """The round trip of the handshake; 0 where it is not known."""
        opened = self.established
        if opened is None:
            return 0
        syns = [each for each in self.syns[opened.sender] if each.number < opened.number]
        return max(0, opened.time_ns - syns[-1].time_ns) if syns else 0

    def before(self, sent: Sent) -> Sequence[Sent]:
        """
        Give the segments before one, without copies.
        """
        return self.segments[: self.index[sent.number]]

    def after(self, sent: Sent) -> Sequence[Sent]:
        """
        Give the segments after one, without copies.
        """
        return self.segments[self.index[sent.number] + 1 :]


def course_of(history: History) -> Course:
    """
    Give the course of a connection that is over; made once.
    """
    if not isinstance(history.course, Course):
        history.course = Course(history)
    return history.course


def is_probe(sent: Sent) -> bool:
    """
    Tell whether a segment only asks whether the other end is there, or its window open.
    """
    return bool(sent.marks & _PROBE)


def between_ns(earlier: Sent, later: Sent) -> int | None:
    """
    Give the time between two segments, or None where the capture's clock says that it is negative.
    """
    passed = later.time_ns - earlier.time_ns
    return passed if passed >= 0 else None
