"""
Which claims the wire refutes: it knows which frame it lost, doubled, held or damaged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from netlab.capture.segments import Segment
from netlab.lab.api.sides import Side
from netlab.lab.wire.wire import Crossing
from tests.truth.checker import Claimed, claims_of

#: What only a capture that lacks frames can show. Each end's capture has all that the end saw.
_NEVER: Final = ("gaps.not-captured", "gaps.never-filled", "capture.one-direction")


class WireLog:
    """
    What truly happened, as one end's capture numbers it.

    @ivar here: the crossings seen at that end, in the order of its capture, from frame 1.
    """

    def __init__(self, crossings: Sequence[Crossing], end: Side) -> None:
        self.end = end
        self.here = [each for each in crossings if each.end is end]
        self._sent = [each for each in crossings if each.end is each.sender]
        self._arrived = [each for each in crossings if each.end is not each.sender]

    def __getitem__(self, number: int) -> Crossing:
        return self.here[number - 1]

    def sendings_of(self, crossing: Crossing) -> list[Crossing]:
        """
        List when the sender has sent bytes of a segment, up to and with it, the first time first.
        """
        return [
            each
            for each in self._sent
            if each.sender is crossing.sender
            and each.number <= crossing.number
            and _overlap(each.decoded, crossing.decoded)
        ]

    def arrivals_of(self, crossing: Crossing, before: int) -> list[Crossing]:
        """
        List when bytes of a segment have reached its receiver, up to a time in nanoseconds.
        """
        return [
            each
            for each in self._arrived
            if each.sender is crossing.sender
            and each.time_ns <= before
            and _overlap(each.decoded, crossing.decoded)
        ]

    def is_copy(self, number: int) -> bool:
        """
        Tell whether the wire had delivered the same frame before.
        """
        crossing = self[number]
        return any(each.number == crossing.number for each in self.here[: number - 1])

    def is_overtaken(self, number: int) -> bool:
        """
        Tell whether a frame arrived after one that was sent later.
        """
        crossing = self[number]
        return any(
            each.number > crossing.number
            for each in self.here[: number - 1]
            if each.sender is crossing.sender
        )


def _overlap(one: object, other: object) -> bool:
    if not isinstance(one, Segment) or not isinstance(other, Segment):
        return False
    if one.key != other.key:
        return False
    offset = (one.seq - other.seq + 2**31) % 2**32 - 2**31
    return offset < max(other.seglen, 1) and -offset < max(one.seglen, 1)


def contradicted(document: Mapping[str, Any], log: WireLog) -> Iterator[str]:
    """
    Find the claims about one end's capture that the wire contradicts.

    @param document: the JSON report of that capture.
    """
    for claim in claims_of(document):
        why = _why(claim, log)
        if why:
            yield f"{claim.kind} {list(claim.frames)}: {why}\n    {claim.sentence}"


def _why(claim: Claimed, log: WireLog) -> str | None:
    if claim.kind in _NEVER:
        return "this end's capture has every frame"
    if not claim.frames or claim.frames[-1] > len(log.here):
        return None
    last = claim.frames[-1]
    crossing = log[last]
    is_repeat = claim.kind.startswith("repeats.") and "first_frame" in claim.figures
    if is_repeat and claim.kind not in {"repeats.spurious-by-sack", "repeats.received-twice"}:
        first = log[claim.figures["first_frame"]]
        if first.number == crossing.number:
            return "the wire doubled it: its sender has not sent it again"
    if claim.kind == "repeats.first-copy-lost-before":
        earlier = log.sendings_of(crossing)[:-1]
        if not any(each.is_lost or each.notes for each in earlier):
            return "no earlier copy was lost or damaged"
    if claim.kind.startswith("copies.copy") and not log.is_copy(last):
        return "the wire has not doubled it"
    if claim.kind == "reordering.overtaken":
        if crossing.sender is log.end:
            return "its sender is at this end: nothing can have overtaken it"
        if not log.is_overtaken(last):
            return "it arrived in the order in which it was sent"
        if len(log.sendings_of(crossing)) > 1:
            return "its sender had sent these bytes before"
    if claim.kind in {"repeats.acknowledged-before", "repeats.spurious-by-timestamp"}:
        before = [each for each in log.sendings_of(crossing) if each.number < crossing.number]
        if before and not log.arrivals_of(crossing, crossing.time_ns):
            return "no byte of it had arrived"
    return None
