"""
Of what one end's capture lets one know, how much is told.

What happened is known from the wire and from what the programs were to do. Of each kind of event
only those count that the frames of this capture show, by the narrowest test: a lost segment, say,
is not known at its receiver unless something that was sent later arrived before its repeat.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from netlab.capture.segments import Flag, Segment
from netlab.lab.api.sides import Side
from netlab.lab.wire.wire import Crossing
from tests.truth.claimed import Claimed, claims_of
from tests.truth.scenarios import Ending, Scenario
from tests.truth.wirelog import WireLog, overlap

_RESETS: Final = Flag.RST
_DAMAGE: Final = ("damage", "repeats")

#: Who times out, and what may be claimed of it.
_TIMEOUTS: Final[Mapping[Ending, tuple[str, tuple[str, ...]]]] = {
    Ending.SERVER_TIMES_OUT: ("server", ("closes.idle",)),
    Ending.CLIENT_TIMES_OUT: ("client", ("closes.idle", "closes.after-unanswered-bytes")),
}


class Knowledge:
    """
    Counts, by the kind of event, how many a capture shows and how many are told.

    @ivar shown: how many the frames show.
    @ivar told: how many of them claims tell of.
    @ivar missed: for each kind where one is not told of: the frame.
    """

    def __init__(self) -> None:
        self.shown: Counter[str] = Counter()
        self.told: Counter[str] = Counter()
        self.missed: dict[str, list[int]] = {}

    def note(self, kind: str, number: int, *, is_told: bool) -> None:
        """
        Count an event.
        """
        self.shown[kind] += 1
        self.told[kind] += is_told
        if not is_told:
            self.missed.setdefault(kind, []).append(number)

    def add(self, other: Knowledge) -> None:
        """
        Add the counts of another capture.
        """
        self.shown += other.shown
        self.told += other.told


def knowledge_of(document: Mapping[str, Any], log: WireLog, drawn: Scenario) -> Knowledge:
    """
    Count what one end's capture shows, and what of it is told.

    @param document: the JSON report of that capture.
    @param drawn: what was done.
    """
    claims = list(claims_of(document))
    cited: dict[int, list[Claimed]] = {}
    for claim in claims:
        for number in claim.frames:
            cited.setdefault(number, []).append(claim)
    found = Knowledge()
    for kind, number, topics in _events(log):
        is_told = any(claim.topic in topics for claim in cited.get(number, ()))
        if kind == "corruption":
            is_told = is_told or any(each.kind == "capture.checksums-wrong" for each in claims)
        found.note(kind, number, is_told=is_told)
    told = _told_of(claims, log)
    for lost, number in _known_losses(log):
        is_told = any(overlap(lost.decoded, one.decoded) for one in told if one.number >= number)
        found.note("losses", number, is_told=is_told)
    _programs(found, claims, log, drawn.ending, is_steady=drawn.is_steady)
    return found


def _events(log: WireLog) -> Iterator[tuple[str, int, Sequence[str]]]:
    """
    List the events that a single frame shows: kind, frame, and the topics that may tell of it.
    """
    seen: list[Crossing] = []
    for number, crossing in enumerate(log.here, 1):
        segment = crossing.decoded
        if not isinstance(segment, Segment):
            continue
        if any("was flipped" in note for note in crossing.notes):
            if crossing.sender is not log.end:
                yield "corruption", number, _DAMAGE
            continue
        if any(each.number == crossing.number for each in seen):
            yield "duplicates", number, ("copies", "repeats", "resets")
        elif segment.length and crossing.sender is not log.end:
            is_late = any(
                each.sender is crossing.sender
                and each.number > crossing.number
                and isinstance(each.decoded, Segment)
                and each.decoded.length
                and 0 < (each.decoded.seq - segment.seq) % 2**32 < 2**31
                for each in seen
            )
            is_fresh = not any(overlap(each.decoded, segment) for each in seen)
            if is_late and is_fresh:
                yield "holds", number, ("reordering", "repeats", "gaps")
        if segment.flags & _RESETS:
            yield "resets", number, ("resets",)
        seen.append(crossing)


def _known_losses(log: WireLog) -> Iterator[tuple[Crossing, int]]:
    """
    List the lost data segments that this capture shows: where they were sent, by a repeat of their
    bytes; where they were to arrive, by a hole that they left.

    @return: each with the number of a crossing at which it shows.
    """
    for lost in log.lost:
        if not isinstance(lost.decoded, Segment) or not lost.decoded.length:
            continue
        for each in log.here:
            if each.sender is not lost.sender or each.number <= lost.number:
                continue
            if not isinstance(each.decoded, Segment) or not each.decoded.length:
                continue
            if any("was flipped" in note for note in each.notes):
                continue
            if overlap(each.decoded, lost.decoded):
                if lost.sender is log.end:
                    yield lost, lost.number
                break
            if lost.sender is not log.end:
                ahead = (each.decoded.seq - lost.decoded.seq) % 2**32
                if each.decoded.key == lost.decoded.key and 0 < ahead < 2**31:
                    yield lost, lost.number
                    break


def _told_of(claims: Sequence[Claimed], log: WireLog) -> list[Crossing]:
    numbers = {
        claim.frames[-1]
        for claim in claims
        if claim.topic in {"repeats", "gaps", "reordering", "closes"} and claim.frames
    }
    return [log[number] for number in numbers if number <= len(log.here)]


def _programs(
    found: Knowledge, claims: Sequence[Claimed], log: WireLog, ending: Ending, *, is_steady: bool
) -> None:
    """
    Count what the programs did, where the frames show it.

    @param is_steady: whether all frames took about as long: else a silence may be the way's.
    """
    fins = {
        side: next(
            (
                number
                for number, each in enumerate(log.here, 1)
                if each.sender is side
                and isinstance(each.decoded, Segment)
                and each.decoded.flags & Flag.FIN
            ),
            0,
        )
        for side in Side
    }
    has_reset = any(
        isinstance(each.decoded, Segment) and each.decoded.flags & Flag.RST for each in log.here
    )
    kinds = {claim.kind for claim in claims}
    shut = [
        number
        for number, each in enumerate(log.here, 1)
        if each.sender is Side.CLIENT
        and isinstance(each.decoded, Segment)
        and not each.decoded.window
        and not each.decoded.flags & (Flag.SYN | Flag.RST)
        and not any("was flipped" in note for note in each.notes)
    ]
    if shut:
        is_told = any(each.kind == "windows.closed" and each.who == "client" for each in claims)
        found.note("silent readers", shut[0], is_told=is_told)
    if ending is Ending.HALF_CLOSE and not has_reset and all(fins.values()):
        fin = log[fins[Side.CLIENT]].decoded
        assert isinstance(fin, Segment)
        is_shown = any(
            each.sender is Side.SERVER
            and isinstance(each.decoded, Segment)
            and each.decoded.length
            and (each.decoded.ack - fin.seq - fin.seglen) % 2**32 < 2**31
            for each in log.here[fins[Side.CLIENT] : fins[Side.SERVER]]
        )
        if is_shown:
            number = fins[Side.CLIENT]
            found.note("half-closes", number, is_told="closes.half-close" in kinds)
    if ending in _TIMEOUTS and not log.lost and is_steady:
        who, meant = _TIMEOUTS[ending]
        side = Side.CLIENT if who == "client" else Side.SERVER
        if fins[side] and not has_reset:
            is_told = any(each.kind in meant and each.who == who for each in claims)
            found.note("timeouts", fins[side], is_told=is_told)
