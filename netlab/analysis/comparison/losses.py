"""
What became of segments that one of two captures holds and the other does not.

Not to be captured is not to be lost: what was acknowledged and never sent again has arrived.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from netlab.analysis.comparison.sightings import Sighting, SightingMark
from netlab.capture.segments import Flag

_HALF: Final = 1 << 31
_MASK: Final = (1 << 32) - 1
_ACK: Final = int(Flag.ACK)
_RST: Final = int(Flag.RST)
_SYN: Final = int(Flag.SYN)
_FIN: Final = int(Flag.FIN)


class Absent(NamedTuple):
    """
    Segments of one end that passed one place and are not in the other's capture.

    @ivar lost: their sender sent the same again, and no ACK of them had come by then: they were
        lost between both places, or behind.
    @ivar uncaptured: acknowledged, and never sent again before that: they arrived, and the capture
        lost them.
    @ivar unknown: neither is the case, or they carry nothing that could be acknowledged.
    """

    lost: tuple[Sighting, ...] = ()
    uncaptured: tuple[Sighting, ...] = ()
    unknown: tuple[Sighting, ...] = ()


def absent_of(
    here: Sequence[Sighting],
    there: Sequence[Sighting],
    answers_here: Sequence[Sighting],
    answers_there: Sequence[Sighting] = (),
) -> Absent:
    """
    Tell what became of one end's segments that did not show up at the other place.

    @param here: that end's segments where they passed first.
    @param there: the same where they are missed.
    @param answers_here: the other end's segments where this one's passed first.
    @param answers_there: the same at the other place.
    """
    lost: list[Sighting] = []
    uncaptured: list[Sighting] = []
    unknown: list[Sighting] = []
    missing = _missing(here, there)
    if not missing:
        return Absent()
    sent = _Sent(here)
    acked = sent.acknowledged([*answers_there, *answers_here])
    ackers = sent.ackers(answers_here)
    for sighting in missing:
        mark = sighting.mark
        if not _length(mark) or mark.flags & _RST:
            unknown.append(sighting)
        elif (again := sent.repeat_of(sighting)) is not None:
            # What was acknowledged before it was sent again had arrived: that was in vain.
            has_arrived = ackers.first_of(sent.end(mark)) < again
            (uncaptured if has_arrived else lost).append(sighting)
        elif sent.end(mark) <= acked and not sent.goes_back(sighting):
            uncaptured.append(sighting)
        else:
            unknown.append(sighting)
    return Absent(tuple(lost), tuple(uncaptured), tuple(unknown))


def _length(mark: SightingMark) -> int:
    return mark.length + bool(mark.flags & _SYN) + bool(mark.flags & _FIN)


class _Ackers(NamedTuple):
    """
    Which answer acknowledges what first.

    @ivar reaches: up to which place, ascending.
    @ivar frames: the answer that did.
    """

    reaches: list[int]
    frames: list[int]

    def first_of(self, end: int) -> int:
        """
        Give the first frame that acknowledges all up to a place; a very large number if none does.
        """
        at = bisect_left(self.reaches, end)
        return self.frames[at] if at < len(self.frames) else 1 << 62


class _Sent:
    """
    What an end sent, so that each question about a segment is answered at once.
    """

    def __init__(self, here: Sequence[Sighting]) -> None:
        self._base = here[0].mark.seq
        # For each place the frames that begin, or end, there, ascending.
        self._begins: dict[int, list[int]] = {}
        self._ends: dict[int, list[int]] = {}
        self._lowest_later: dict[int, int] = {}
        self._highest = 0
        lowest = 1 << 32
        for sighting in reversed(here):
            mark, frame = sighting.mark, sighting.at.frame
            self._lowest_later[frame] = lowest
            if not _length(mark) or sighting.is_probe:
                continue
            begin, end = _place(mark.seq, self._base), self.end(mark)
            self._begins.setdefault(begin, []).append(frame)
            self._ends.setdefault(end, []).append(frame)
            self._highest = max(self._highest, end)
            lowest = min(lowest, begin)
        for each in (*self._begins.values(), *self._ends.values()):
            each.reverse()

    def end(self, mark: SightingMark) -> int:
        """Give the place after a segment's last number."""
        return _place(mark.seq, self._base) + _length(mark)

    def repeat_of(self, sighting: Sighting) -> int | None:
        """
        Give the first later frame whose segment begins, or ends, where this one does.
        """
        begin, end, frame = (
            _place(sighting.mark.seq, self._base),
            self.end(sighting.mark),
            sighting.at.frame,
        )
        later: list[int] = []
        for frames in (self._begins.get(begin, ()), self._ends.get(end, ())):
            at = bisect_right(frames, frame)
            later += frames[at : at + 1]
        return min(later, default=None)

    def ackers(self, answers: Sequence[Sighting]) -> _Ackers:
        """
        Sort out which answer acknowledges what first.
        """
        reaches: list[int] = []
        frames: list[int] = []
        for answer in answers:
            if answer.mark.flags & (_ACK | _RST) != _ACK:
                continue
            place = _place(answer.mark.ack, self._base)
            if place <= self._highest and (not reaches or place > reaches[-1]):
                reaches.append(place)
                frames.append(answer.at.frame)
        return _Ackers(reaches, frames)

    def goes_back(self, sighting: Sighting) -> bool:
        """Tell whether a later segment begins before this one ends."""
        return self._lowest_later[sighting.at.frame] < self.end(sighting.mark)

    def acknowledged(self, answers: Sequence[Sighting]) -> int:
        """Give the place up to which all was acknowledged; what was never sent does not count."""
        places = (
            _place(answer.mark.ack, self._base)
            for answer in answers
            if answer.mark.flags & (_ACK | _RST) == _ACK
        )
        return max((place for place in places if place <= self._highest), default=-1)


def _missing(here: Sequence[Sighting], there: Sequence[Sighting]) -> Sequence[Sighting]:
    """
    List what was sent here and did not arrive there; of equal segments, the first ones.

    A network card may cut a segment into several, and join several into one: data whose every byte
    arrived is not missing.
    """
    arrived = Counter(sighting.mark for sighting in there)
    sent: dict[SightingMark, list[Sighting]] = {}
    for sighting in here:
        sent.setdefault(sighting.mark, []).append(sighting)
    base = there[0].mark.seq if there else 0
    covered = _covered(there, base)
    lost: list[Sighting] = []
    for mark, sightings in sent.items():
        if mark.length and not arrived[mark] and _is_covered(mark, covered, base):
            continue
        lost.extend(sightings[: max(0, len(sightings) - arrived[mark])])
    return sorted(lost, key=lambda sighting: sighting.at)


def _covered(there: Sequence[Sighting], base: int) -> list[tuple[int, int]]:
    """
    Join what data took to intervals, ascending, counted from a sequence number.
    """
    intervals: list[tuple[int, int]] = []
    for begin, end in sorted(
        (_place(sighting.mark.seq, base), _place(sighting.mark.seq, base) + sighting.mark.length)
        for sighting in there
        if sighting.mark.length
    ):
        if intervals and begin <= intervals[-1][1]:
            intervals[-1] = (intervals[-1][0], max(end, intervals[-1][1]))
        else:
            intervals.append((begin, end))
    return intervals


def _is_covered(mark: SightingMark, intervals: Sequence[tuple[int, int]], base: int) -> bool:
    begin = _place(mark.seq, base)
    at = bisect_right(intervals, (begin, 1 << 33)) - 1
    return at >= 0 and begin + mark.length <= intervals[at][1]


def _place(seq: int, base: int) -> int:
    """
    Count from a base to a sequence number, backwards where that is nearer.
    """
    return ((seq - base + _HALF) & _MASK) - _HALF
