"""
Who accounts for each sequence number: the frames whose sum an acknowledgement number is.

A ledger stands for one direction of a conversation. It notes which frame carried which numbers
first, so that any number of that direction can be written as a sum that cites frames::

    1928250499 = ISN 1928250445 + 1 (SYN) + 33 (#4) + 20 (#6)

A retransmission carries numbers that another frame has carried already and adds no term.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Final, NamedTuple

_SEQUENCE_NUMBERS: Final = 1 << 32

TERMS_MAX: Final = 6
"""How many terms a sum spells out; the middle of a longer one is added up."""

_TERMS_AT_END: Final = 3

LOOKED_AT_MAX: Final = 256
"""How many terms are looked at for one frame that goes back."""


class Sum(NamedTuple):
    """
    A sequence number as a sum.

    @ivar text: The right-hand side, with frames cited as C{#4}.
    @ivar frames: The frames that it cites, ascending.
    @ivar is_captured: Whether frames account for all of it.
    """

    text: str
    frames: tuple[int, ...]
    is_captured: bool


class Ledger:
    """
    The terms of one direction's sequence numbers.

    Positions are offsets from L{base}, so that they grow beyond 2**32 where raw numbers wrap.

    @ivar base: The raw number that everything is counted from: the initial sequence number or,
        where the SYN was not captured, the first number seen.
    @ivar has_isn: Whether L{base} is the initial sequence number.
    @ivar end: The position after the last number sent: SND.NXT as seen here.
    """

    __slots__ = ("_ends", "_frames", "_gaps", "_notes", "base", "end", "has_isn")

    def __init__(self, base: int, *, has_isn: bool) -> None:
        self.base = base
        self.has_isn = has_isn
        self.end = 0
        self._ends: list[int] = []
        self._frames: list[int] = []
        self._notes: list[str] = []
        # Where terms begin that no frame accounts for, ascending. Two never follow each other.
        self._gaps: list[int] = []

    @property
    def is_whole(self) -> bool:
        """Whether frames account for every number up to L{end}."""
        return not self._gaps

    def position(self, raw: int) -> int:
        """
        Give the position of a raw number: of all those that it may be, the nearest to L{end}.
        """
        distance = (raw - self.base - self.end) % _SEQUENCE_NUMBERS
        if distance >= _SEQUENCE_NUMBERS // 2:
            distance -= _SEQUENCE_NUMBERS
        return self.end + distance

    def add(self, start: int, count: int, frame: int, note: str = "") -> None:
        """
        Note which numbers a frame carries. Those that are accounted for already stay so.

        @param start: The position of its first number; one before the base is counted from there.
        @param count: How many numbers, at least 1.
        @param frame: The frame's number.
        @param note: What takes the number if it is no data: C{SYN} or C{FIN}.
        """
        end = start + count
        if end <= self.end:
            if self._gaps:
                self._fill(start, end, frame, note)
            return
        if start > self.end:
            self._gaps.append(self.end)
            self._append(start, 0, "")
        elif self._gaps:
            self._fill(start, self.end, frame, note)
        self._append(end, frame, note)

    def _append(self, end: int, frame: int, note: str) -> None:
        self._ends.append(end)
        self._frames.append(frame)
        self._notes.append(note)
        self.end = end

    def _fill(self, start: int, end: int, frame: int, note: str) -> None:
        """
        Let a frame account for what no frame did, within its numbers.
        """
        index = bisect_right(self._ends, start)
        while index < len(self._ends) and (self._ends[index - 1] if index else 0) < end:
            begin = self._ends[index - 1] if index else 0
            if self._frames[index]:
                # On to the next gap: there may be thousands of terms before it.
                at = bisect_left(self._gaps, begin)
                if at == len(self._gaps):
                    return
                index = bisect_right(self._ends, self._gaps[at])
                continue
            stop = self._ends[index]
            filled = (max(start, begin), min(end, stop))
            parts = [(begin, filled[0], 0), (*filled, frame), (filled[1], stop, 0)]
            kept = [part for part in parts if part[1] > part[0]]
            self._ends[index : index + 1] = [part[1] for part in kept]
            self._frames[index : index + 1] = [part[2] for part in kept]
            self._notes[index : index + 1] = [note if part[2] else "" for part in kept]
            at = bisect_left(self._gaps, begin)
            self._gaps[at : at + 1] = [part[0] for part in kept if not part[2]]
            index += len(kept)

    def _edge(self, terms: range) -> int:
        """
        Give the frame of the first of some terms that a frame accounts for, or 0.
        """
        frames = self._frames
        for each in terms:
            if frames[each]:
                return frames[each]
        return 0

    def frames_between(self, start: int, end: int) -> tuple[int, ...]:
        """
        Name the frames that account for some numbers.

        @param start: The position of the first number.
        @param end: The position after the last.
        @return: Their numbers, ascending.
        """
        first = bisect_right(self._ends, start)
        last = bisect_right(self._ends, end - 1)
        return tuple(sorted({each for each in self._frames[first : last + 1] if each}))

    def frames_around(self, start: int, end: int) -> tuple[int, ...]:
        """
        Name the frames that account for some numbers, as L{frames_between} does; of more than
        L{LOOKED_AT_MAX} terms those of the first and of the last ones. So it costs the same however
        far a frame goes back: thousands of frames may go back by thousands each.
        """
        first = bisect_right(self._ends, start)
        last = bisect_right(self._ends, end - 1)
        if last - first < LOOKED_AT_MAX:
            return self.frames_between(start, end)
        half = LOOKED_AT_MAX // 2
        ends = [*self._frames[first : first + half], *self._frames[last + 1 - half : last + 1]]
        return tuple(sorted({each for each in ends if each}))

    def sum_to(self, position: int) -> Sum:
        """
        Write a number of this direction as a sum.

        @param position: The number's position, at least 0.
        @return: The sum; what no captured frame carried is a term that says so.
        """
        last = bisect_right(self._ends, position - 1) if position > 0 else -1
        count = min(last + 1, len(self._ends))
        terms: list[str] = [f"{'ISN' if self.has_isn else 'first number seen'} {self.base}"]
        cited: list[int] = []
        is_captured = True
        start = 0
        hidden = range(0)
        if count > TERMS_MAX:
            first = 1 if self._notes[0] == "SYN" else 0
            hidden = range(first, count - _TERMS_AT_END)
        index = 0
        while index < count:
            if index == hidden.start and hidden:
                index = hidden.stop
                end = self._ends[index - 1]
                missing = bisect_left(self._gaps, end) - bisect_left(self._gaps, start)
                number = len(hidden) - missing
                low, high = sorted((self._edge(hidden), self._edge(hidden[::-1])))
                terms.append(_many(end - start, number, low, high, missing))
                is_captured = is_captured and not missing
                start = end
                continue
            end = self._ends[index]
            frame, note = self._frames[index], self._notes[index]
            size = min(end, position) - start
            part = f"{size} of {end - start}" if end > position else f"{size}"
            terms.append(f"{part} ({_source(frame, note)})")
            if frame:
                cited.append(frame)
            is_captured = is_captured and frame != 0
            start = end
            index += 1
        if position > self.end:
            terms.append(f"{position - self.end} (not captured)")
            is_captured = False
        elif position < 0:
            terms.append(f"({position}) (before the first number seen)")
            is_captured = False
        return Sum(" + ".join(terms), tuple(sorted(set(cited))), is_captured)


def _source(frame: int, note: str) -> str:
    """
    Name what a term comes from. A connection has one SYN, which needs no number.
    """
    if not frame:
        return "not captured"
    return note if note == "SYN" else f"{note} #{frame}".lstrip()


def _many(size: int, number: int, low: int, high: int, missing: int) -> str:
    """
    Write many terms as one.
    """
    if not number:
        return f"{size} (not captured)"
    where = f"#{low}" if low == high else f"#{low} to #{high}"
    return f"{size} ({number} terms, {where}{', some not captured' if missing else ''})"
