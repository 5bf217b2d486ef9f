"""
Both directions of a conversation, followed segment by segment: what each one brought, repeated,
acknowledged and was allowed to send, as the frames before it show.

The judges of what travelled look at nothing else. It takes one pass, linear in the segments.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from netlab.analysis.observations.copies import find_copies
from netlab.analysis.observations.history import History, Sent
from netlab.analysis.observations.ranges import Covered, Owners
from netlab.capture.segments import Checksum

UNSEEN_MAX: Final = 1 << 26
"""How many bytes an ACK may cover beyond what was seen, where the window is not known: 64 MiB."""

DUPLICATES_KEPT: Final = 4
"""How many duplicate ACKs of one number are kept to be cited, the first ones."""

SOON_NS: Final = 10_000_000
"""Within so short a time no end asks by a keep-alive whether the other is there."""

_SYN_FIN_RST: Final = 7
_HALF: Final = 1 << 31
_MODULUS: Final = 1 << 32


@dataclass(slots=True)
class StreamStep:
    """
    A segment, and how its conversation stood when it came. Indexes are of L{Streams.steps}.

    @ivar index: its own.
    @ivar sent: it.
    @ivar is_discarded: its receiver discards it, for its checksum is wrong: it brought nothing.
    @ivar copy_of: the one of which it is a copy, made on the way or by the capture. A copy changes
        nothing, and what follows describes only what is none.
    @ivar fresh: bytes that had not been seen before.
    @ivar firsts: those that carried its other bytes first, as far as they are kept.
    @ivar latest: the one that carried the first of its repeated bytes last, before it.
    @ivar tries: how often that byte had been sent before.
    @ivar hole: the one that left open the hole which this one fills, wholly or in part.
    @ivar opens: the position from which on something is missing before it, or None.
    @ivar acked: up to where the peer had acknowledged before it.
    @ivar acked_by: the ACK that first did.
    @ivar duplicates: how many duplicate ACKs of that number had come.
    @ivar duplicates_kept: the first of them, and the last.
    @ivar sacked_bytes: how many bytes beyond L{acked} the peer's newest ACK had named (SACK).
    @ivar sacked_to: up to where.
    @ivar highest: up to where its sender had sent before it.
    @ivar edge: up to where the peer's window allowed it to send; None where that is not known.
    @ivar window: the peer's newest window; -1 before the first.
    @ivar window_by: the segment that offered it.
    @ivar is_beyond: it lies beyond the window, and was never acknowledged.
    @ivar newly: how many numbers of the peer's it acknowledges first.
    @ivar unseen: from where to where it acknowledges what was not seen.
    @ivar is_duplicate: it repeats the peer's sender's last ACK, has no data, and changes nothing.
    @ivar is_nonsense: it acknowledges what cannot have been sent.
    @ivar rtt_ns: since the segment that it acknowledges, if that was sent once.
    @ivar answers: that segment.
    """

    index: int
    sent: Sent
    copy_of: int | None = None
    is_discarded: bool = False
    fresh: int = 0
    firsts: tuple[int, ...] = ()
    latest: int | None = None
    tries: int = 0
    hole: int | None = None
    opens: int | None = None
    acked: int | None = None
    acked_by: int | None = None
    duplicates: int = 0
    duplicates_kept: tuple[int, ...] = ()
    sacked_bytes: int = 0
    sacked_to: int = 0
    highest: int = 0
    edge: int | None = None
    window: int = -1
    window_by: int | None = None
    is_beyond: bool = False
    newly: int = 0
    unseen: tuple[int, int] | None = None
    is_duplicate: bool = False
    is_nonsense: bool = False
    rtt_ns: int | None = None
    answers: int | None = None

    @property
    def length(self) -> int:
        """Bytes of its stream: what comes with a RST is a text for people (RFC 9293 3.5.3)."""
        return 0 if self.sent.has_rst else self.sent.length

    @property
    def end(self) -> int:
        """The position after its last byte."""
        return self.sent.data_start + self.length

    @property
    def repeated(self) -> int:
        """How many bytes were seen before."""
        return self.length - self.fresh if self.copy_of is None and not self.is_beyond else 0

    @property
    def is_window_probe(self) -> bool:
        """
        Whether it asks for a window that is zero: at most a byte, at the edge of what the peer has
        (RFC 9293 section 3.8.6.1).
        """
        return (
            self.window == 0
            and self.length <= 1
            and not self.sent.flags & _SYN_FIN_RST
            and self.copy_of is None
            and self.acked is not None
            and (
                self.sent.start == self.acked - 1
                or (self.length == 1 and self.sent.start == self.acked)
            )
        )

    @property
    def is_keep_alive(self) -> bool:
        """
        Whether it asks for a sign of life: at most a byte, before the next number, all of which the
        peer has acknowledged (RFC 9293 section 3.8.4).
        """
        return (
            self.window != 0
            and self.length <= 1
            and not self.sent.flags & _SYN_FIN_RST
            and self.copy_of is None
            and self.acked is not None
            and self.acked >= self.highest
            and self.sent.start == self.highest - 1
            and self.sent.has_ack
        )


@dataclass(slots=True)
class StreamDirection:
    """
    What one end sent, and what the other said about it. All positions are of this direction.

    @ivar covered: the bytes that were seen, each once.
    @ivar highest: up to where it was sent.
    @ivar acked: up to where it was acknowledged; None before the first ACK.
    @ivar edge: up to where the window allows to send; None where it is not known.
    @ivar window: the newest window.
    @ivar window_by: the segment that offered it.
    @ivar knows_scale: whether the window's scale is known.
    @ivar is_seen: whether a segment of it was captured.
    @ivar base_seen: the position of the first segment that was seen.
    @ivar largest: the most bytes in one segment.
    @ivar rtt_min_ns: the shortest time from a segment to its ACK, here; None if none was measured.
    @ivar rtt_max_ns: the longest, of segments that an ACK without data answers.
    @ivar has_bare_answer: whether an ACK without data was among those measured: one with data may
        have waited for its program.
    @ivar sent_bytes: all that was sent, repeats included, copies not.
    @ivar fin: the step that first carried its FIN.
    @ivar syn: the step that first carried its SYN.
    """

    covered: Covered = field(default_factory=Covered)
    firsts: Owners = field(default_factory=Owners)
    latest: Owners = field(default_factory=Owners)
    highest: int = 0
    acked: int | None = None
    acked_by: int | None = None
    duplicates: int = 0
    duplicates_kept: list[int] = field(default_factory=list)
    last_duplicate: int = -1
    sacked_bytes: int = 0
    sacked_to: int = 0
    edge: int | None = None
    window: int = -1
    window_by: int | None = None
    knows_scale: bool = False
    is_seen: bool = False
    base_seen: int | None = None
    largest: int = 0
    rtt_min_ns: int | None = None
    rtt_max_ns: int = 0
    has_bare_answer: bool = False
    sent_bytes: int = 0
    fin: int | None = None
    syn: int | None = None
    holes: list[tuple[int, int, int]] = field(default_factory=list)
    outstanding: deque[tuple[int, int]] = field(default_factory=deque)
    clean_from: int = 0


class Streams:
    """
    A conversation's directions and segments, followed.

    @ivar history: whose they are.
    @ivar steps: its segments in order, from the first on, as far as none was left out.
    @ivar directions: by the index of the sender.
    @ivar is_doubled: most of its segments were captured twice.
    @ivar lacks_segments: the capture has missed some: others may be missing, too.
    @ivar is_whole: they are all that the capture has of the conversation, and of one connection.
    """

    __slots__ = (
        "_bare",
        "_is_over",
        "_last_ack",
        "directions",
        "history",
        "is_doubled",
        "is_whole",
        "lacks_segments",
        "steps",
    )

    def __init__(self, history: History) -> None:
        self.history = history
        self.steps: list[StreamStep] = []
        self.directions = (StreamDirection(), StreamDirection())
        self._last_ack: list[Sent | None] = [None, None]
        flows = history.conversation.flows
        for index, direction in enumerate(self.directions):
            direction.knows_scale = flows[1 - index].window_shift != -1
        segments = history.segments[: history.unbroken]
        if history.discarded:
            # Without data such a segment did nothing; with data its bytes were sent.
            segments = [
                each for each in segments if each.length or each.number not in history.discarded
            ]
        copies, self.is_doubled = find_copies(segments)
        acks = _last_acks(segments)
        self._bare = _next_bare(segments)
        self._is_over = False
        self.is_whole = history.is_whole
        for index, sent in enumerate(segments):
            if self._is_over and self._begins_anew(sent):
                # Another connection between the same ports, of which the opening was missed.
                self.is_whole = False
                break
            step = StreamStep(index, sent, copies.get(index), sent.number in history.discarded)
            self.steps.append(step)
            if step.copy_of is None:
                self._follow(step, acks[index])
                self._is_over = self._is_over or self._has_ended(step)

        self.lacks_segments = any(
            each.is_seen and (each.acked or 0) >= high and each.covered.missing(low, high) > 1
            for each in self.directions
            for low, high, _ in each.holes
        )

    @property
    def has_both(self) -> bool:
        """Whether segments of both ends were captured."""
        return all(direction.is_seen for direction in self.directions)

    def bytes_in(self, sender: int, low: int, high: int) -> tuple[int, int, int]:
        """
        Give the bytes among the numbers of a range: a FIN at its end is none.

        @param low: the first number.
        @param high: the number after the last.
        @return: the first byte, the last, and how many there are.
        """
        fin = self.directions[sender].fin
        if fin is not None and low < high == self.steps[fin].sent.end:
            high -= 1
        return low, high - 1, high - low

    @property
    def round_trip_ns(self) -> int | None:
        """
        The shortest way from here to one end, to the other and back, that was seen.
        """
        parts = [each.rtt_min_ns for each in self.directions if each.rtt_min_ns is not None]
        return sum(parts) if len(parts) == 2 else None

    def since_ns(self, earlier: int, later: int) -> int | None:
        """
        Measure from one step to another.

        @return: None where the capture's clock went back between them.
        """
        span = self.steps[later].sent.time_ns - self.steps[earlier].sent.time_ns
        return span if span >= 0 else None

    def number(self, index: int) -> int:
        """Give the number of a step's frame."""
        return self.steps[index].sent.number

    def numbers(self, *indexes: int) -> tuple[int, ...]:
        """Give the numbers of steps' frames, ascending, each once."""
        return tuple(sorted({self.steps[index].sent.number for index in indexes}))

    def _has_ended(self, step: StreamStep) -> bool:
        """
        Tell whether a connection is over: reset, or closed and acknowledged on both sides.
        """
        if step.sent.has_rst and not step.is_discarded:
            return True
        return all(
            each.fin is not None and each.acked is not None and each.acked >= each.highest
            for each in self.directions
        )

    def _begins_anew(self, sent: Sent) -> bool:
        """
        Tell whether a segment does not continue what both ends had sent and acknowledged.
        """
        own, other = self.directions[sent.sender], self.directions[1 - sent.sender]
        if sent.has_rst:
            return False
        reach = max(own.largest, 1) + 1
        is_strange = not (own.base_seen or 0) - reach <= sent.start <= own.highest + reach
        return is_strange or (
            sent.ack is not None and other.is_seen and sent.ack > other.highest + 1
        )

    def _follow(self, step: StreamStep, last_ack: int) -> None:
        sent = step.sent
        own, other = self.directions[sent.sender], self.directions[1 - sent.sender]
        own.is_seen = True
        step.acked, step.acked_by = own.acked, own.acked_by
        step.duplicates = own.duplicates
        kept = own.duplicates_kept
        if own.duplicates > len(kept):
            kept = [*kept, own.last_duplicate]
        step.duplicates_kept = tuple(kept)
        step.sacked_bytes, step.sacked_to = own.sacked_bytes, own.sacked_to
        step.highest = own.highest
        step.edge = own.edge if own.knows_scale else None
        step.window, step.window_by = own.window, own.window_by
        if own.base_seen is None:
            own.base_seen = sent.start
            own.highest = max(own.highest, sent.start)
        self._take(step, own, last_ack)
        if sent.ack is not None and not sent.has_rst and not step.is_discarded:
            self._acknowledge(step, sent.ack, other, last_ack)

    def _take(self, step: StreamStep, own: StreamDirection, last_ack: int) -> None:
        """
        Take what a segment brings.
        """
        sent = step.sent
        start, end = sent.data_start, sent.data_start + step.length
        has_fin = sent.has_fin and not step.is_discarded
        reach = end + (has_fin and not sent.has_rst)
        limit = own.edge if own.knows_scale and own.edge is not None else None
        if limit is None:
            step.is_beyond = start - own.highest > UNSEEN_MAX
        else:
            step.is_beyond = start > limit + own.largest and last_ack < end
        if step.is_beyond or sent.has_rst or step.is_keep_alive or step.is_window_probe:
            return
        if sent.has_syn:
            own.syn = step.index if own.syn is None else own.syn
            # Data or a FIN in the SYN itself follow its number: no hole is before them.
            own.highest = max(own.highest, start)
        if has_fin and own.fin is None:
            own.fin = step.index
        if step.length or has_fin:
            if start > own.highest and (own.syn is not None or own.covered.total):
                step.opens = own.highest
                own.holes.append((own.highest, start, step.index))
            elif start < own.highest and step.length:
                step.hole = _hole_at(own, start, end)
        elif start > own.highest and own.syn is not None and sent.has_ack:
            # Its number is that of the next byte: those before it have been sent.
            step.opens = own.highest
            own.holes.append((own.highest, start, step.index))
        if step.length:
            self._bring(step, own, start, end)
        if reach > own.highest or sent.has_syn:
            own.highest = max(own.highest, reach)
            own.outstanding.append((reach, step.index))
        elif step.length:
            own.clean_from = step.index

    def _bring(self, step: StreamStep, own: StreamDirection, start: int, end: int) -> None:
        own.sent_bytes += step.length
        own.largest = max(own.largest, step.length)
        fresh = own.covered.add(start, end)
        step.fresh = sum(high - low for low, high in fresh)
        if step.fresh < step.length:
            step.firsts = own.firsts.of(start, end)
            repeated_from = fresh[0][1] if fresh and fresh[0][0] == start else start
            step.latest = own.latest.at(repeated_from)
            if step.latest is not None:
                step.tries = self.steps[step.latest].tries + 1
        for low, high in fresh:
            own.firsts.put(low, high, step.index)
        own.latest.put(start, end, step.index)
        if any(self.steps[first].is_discarded for first in step.firsts):
            # What its receiver got first is this.
            own.firsts.put(start, end, step.index)

    def _acknowledge(
        self, step: StreamStep, ack: int, other: StreamDirection, last_ack: int
    ) -> None:
        """
        Take what a segment says about the other direction.

        @param ack: its position there.
        @param last_ack: up to where its own direction is acknowledged in the end.
        """
        sent = step.sent
        if other.acked is None and not other.covered.total and other.syn is None:
            # The first that is seen of this direction: what came before is not in the capture.
            other.highest = max(other.highest, ack)
        if other.syn is not None and ack < 1:
            # Before the direction's first number.
            step.is_nonsense = other.acked is not None and self._continues(step, last_ack)
            return
        if ack > other.highest:
            most = other.edge if other.knows_scale and other.edge is not None else None
            is_opening = other.syn is not None and other.acked is None
            beyond = other.highest + UNSEEN_MAX if most is None else max(most, other.highest)
            # A FIN may stand where no window is left for it.
            if ack > beyond + 1:
                step.is_nonsense = (
                    not is_opening and most is not None and self._continues(step, last_ack)
                )
                return
            if self._was_not_sent(step, ack, other):
                step.is_nonsense = True
                return
            step.unseen = (other.highest, ack)
            other.holes.append((other.highest, ack, step.index))
            other.highest = ack
        before = self._last_ack[sent.sender]
        self._last_ack[sent.sender] = sent
        if other.acked is None or ack > other.acked:
            step.newly = 0 if other.acked is None else ack - other.acked
            other.acked, other.acked_by = ack, step.index
            other.duplicates = 0
            other.duplicates_kept.clear()
            self._measure(step, ack, other)
        elif (
            ack == other.acked
            and before is not None
            and not step.length
            and not sent.flags & 3
            and before.window == sent.window
            and before.ack == ack
            and not before.flags & 3
            and other.highest > ack
        ):
            step.is_duplicate = True
            other.duplicates += 1
            other.last_duplicate = step.index
            if len(other.duplicates_kept) < DUPLICATES_KEPT - 1:
                other.duplicates_kept.append(step.index)
        ranges = [
            (ack + _signed(low - sent.ack_raw), ack + _signed(high - sent.ack_raw))
            for low, high in sent.options.sacks
        ]
        above = sorted(each for each in ranges if ack < each[0] < each[1])
        other.sacked_bytes = _total(above)
        other.sacked_to = above[-1][1] if above else 0
        self._offer(step, ack, other)

    def _was_not_sent(self, step: StreamStep, ack: int, other: StreamDirection) -> bool:
        """
        Tell whether the other end shows by its next segment that it has not sent what is
        acknowledged: one without data has the number that it would send next. So has a keep-alive,
        less one, after a silence.
        """
        index = self._bare[step.index]
        if index is None or other.syn is None:
            return False
        bare = self.history.segments[index]
        soon = 0 <= bare.time_ns - step.sent.time_ns < SOON_NS
        return bare.start == other.highest < ack - (not soon)

    @staticmethod
    def _continues(step: StreamStep, last_ack: int) -> bool:
        """
        Tell whether a segment is certainly of this connection: sound, next by its own number, and
        acknowledged later if it takes any.
        """
        sent = step.sent
        is_sound = sent.checksum in (Checksum.GOOD, Checksum.OFFLOADED)
        return is_sound and sent.start == step.highest and last_ack >= sent.end

    def _measure(self, step: StreamStep, ack: int, other: StreamDirection) -> None:
        answered = None
        while other.outstanding and other.outstanding[0][0] <= ack:
            answered = other.outstanding.popleft()[1]
        if answered is None:
            return
        step.answers = answered
        span = self.since_ns(answered, step.index)
        if answered >= other.clean_from and span is not None:
            step.rtt_ns = span
            if not step.length:
                other.has_bare_answer = True
                other.rtt_max_ns = max(other.rtt_max_ns, span)
            if other.rtt_min_ns is None or span < other.rtt_min_ns:
                other.rtt_min_ns = span

    @staticmethod
    def _offer(step: StreamStep, ack: int, other: StreamDirection) -> None:
        other.window, other.window_by = step.sent.window, step.index
        edge = ack + step.sent.window
        if other.edge is None or edge > other.edge:
            other.edge = edge


def _signed(number: int) -> int:
    """Take a difference of sequence numbers as the smaller way round."""
    number %= _MODULUS
    return number - _MODULUS if number >= _HALF else number


def _next_bare(segments: list[Sent]) -> list[int | None]:
    """
    Give for each segment the place of the other end's next one, if that is nothing but an ACK.
    """
    found: list[int | None] = [None] * len(segments)
    ahead: list[int | None] = [None, None]
    for index in range(len(segments) - 1, -1, -1):
        sent = segments[index]
        found[index] = ahead[1 - sent.sender]
        is_bare = not sent.length and sent.has_ack and not sent.flags & _SYN_FIN_RST
        ahead[sent.sender] = index if is_bare else None
    return found


def _total(ranges: list[tuple[int, int]]) -> int:
    """Count the numbers in sorted ranges, each once."""
    covered = Covered()
    for low, high in ranges:
        covered.add(low, high)
    return covered.total


def _hole_at(own: StreamDirection, start: int, end: int) -> int | None:
    """
    Find the segment that left open the first hole which a range reaches into. A hole that was
    filled since still counts: whether the bytes are fresh tells.
    """
    at = bisect_right(own.holes, (start, _MODULUS * _MODULUS, 0))
    if at and own.holes[at - 1][1] > start:
        return own.holes[at - 1][2]
    if at < len(own.holes) and own.holes[at][0] < end:
        return own.holes[at][2]
    return None


def _last_acks(segments: list[Sent]) -> list[int]:
    """
    Tell for each segment up to where its direction is acknowledged in the end.
    """
    found = [0] * len(segments)
    acked = [0, 0]
    for index in range(len(segments) - 1, -1, -1):
        sent = segments[index]
        found[index] = acked[sent.sender]
        if sent.ack is not None:
            acked[1 - sent.sender] = max(acked[1 - sent.sender], sent.ack)
    return found
