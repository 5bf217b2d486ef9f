"""
Which claims the wire refutes: it knows which frame it lost, doubled, held or damaged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from netlab.capture.segments import Segment
from netlab.lab.api.sides import Side
from netlab.lab.wire.wire import Crossing
from tests.truth.claimed import Claimed, claims_of
from tests.truth.scenarios import Ending

#: By how much a claim may be wrong about what passed at an end, in nanoseconds: a scheduler may let
#: a program wait. Of a longer time, by a tenth.
_SLACK_NS: Final = 60_000_000

#: What really made an end send its first RST: that end, and the causes or kinds that say so.
_CAUSES: Final[Mapping[Ending, tuple[str, frozenset[str]]]] = {
    Ending.CLIENT_ABORTS: ("client", frozenset({"abort"})),
    Ending.SERVER_ABORTS: ("server", frozenset({"abort"})),
    # It closes before anything has come, or with data unread.
    Ending.CLIENT_NEVER_READS: ("client", frozenset({"unread-data", "resets.data-after-close"})),
    Ending.SERVER_LEAVES_UNREAD: ("server", frozenset({"unread-data"})),
    Ending.CLIENT_TIMES_OUT: (
        "client",
        frozenset(
            {
                "closed-without-a-trace",
                "data-after-close",
                "resets.closed-socket",
                "resets.data-after-close",
            }
        ),
    ),
    Ending.SERVER_CRASHES: ("server", frozenset({"restarted"})),
    Ending.REFUSED: ("server", frozenset({"no-listener"})),
}

_NO_REASON: Final = frozenset(
    f"resets.{kind}"
    for kind in ("goes-on", "outside-window", "other-sender", "text", "again", "after-a-reset")
) | {"resets.answers-a-segment"}

#: What only a capture that lacks frames can show. Each end's capture has all that the end saw.
_NEVER: Final = ("gaps.not-captured", "capture.one-direction")


class WireLog:
    """
    What truly happened, as one end's capture numbers it.

    @ivar here: the crossings seen at that end, in the order of its capture, from frame 1.
    @ivar lost: those that the wire lost, of both ends.
    """

    def __init__(self, crossings: Sequence[Crossing], end: Side) -> None:
        self.end = end
        self.here = [each for each in crossings if each.end is end]
        self._sent = [each for each in crossings if each.end is each.sender]
        self.lost = [each for each in self._sent if each.is_lost]
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
            and overlap(each.decoded, crossing.decoded)
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
            and overlap(each.decoded, crossing.decoded)
        ]

    def sent_at(self, crossing: Crossing) -> int:
        """
        Tell when a frame left its sender, in nanoseconds since 1970.
        """
        return min(each.time_ns for each in self._sent if each.number == crossing.number)

    def is_damaged(self, number: int) -> bool:
        """
        Tell whether the wire has flipped a bit of a frame: it may name other ports.
        """
        return any("flipped" in note for note in self[number].notes)

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


def overlap(one: object, other: object) -> bool:
    """
    Tell whether two frames are segments of one sender and connection that share numbers.
    """
    if not isinstance(one, Segment) or not isinstance(other, Segment):
        return False
    if one.key != other.key:
        return False
    offset = (one.seq - other.seq + 2**31) % 2**32 - 2**31
    return offset < max(other.seglen, 1) and -offset < max(one.seglen, 1)


def contradicted(document: Mapping[str, Any], log: WireLog, ending: Ending) -> Iterator[str]:
    """
    Find the claims about one end's capture that the wire, or what the programs did, contradicts.

    @param document: the JSON report of that capture.
    """
    for claim in claims_of(document):
        why = _why(claim, log) or _why_not_waited(claim, log) or _why_not_caused(claim, log, ending)
        if why:
            yield f"{claim.kind} {list(claim.frames)}: {why}\n    {claim.sentence}"


def _why(claim: Claimed, log: WireLog) -> str | None:
    if claim.kind in _NEVER:
        return "this end's capture has every frame"
    if claim.kind == "gaps.never-filled" and not any("lost" in cause for cause in claim.causes):
        return "what is missing was lost, which is none of the causes that it names"
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
    if claim.kind in {"repeats.acknowledged-before", "repeats.spurious-by-timestamp"}:
        before = [each for each in log.sendings_of(crossing) if each.number < crossing.number]
        if before and not log.arrivals_of(crossing, crossing.time_ns):
            return "no byte of it had arrived"
    return None


def _why_not_waited(claim: Claimed, log: WireLog) -> str | None:
    """
    Hold what is said to have passed at an end against what truly did: from when that end had what
    it answers until it sent the answer.
    """
    if claim.kind not in {"delays.server", "delays.client"}:
        return None
    answer, asked = log[claim.frames[-1]], log[claim.figures["asked_frame"]]
    sent = log.sent_at(answer)
    had = min(
        (
            each.time_ns
            for each in log.arrivals_of(asked, sent)
            if isinstance(each.decoded, Segment) and each.decoded.length
        ),
        default=0,
    )
    if not had:
        return "what it answers had not arrived"
    passed, said = sent - had, claim.figures["end_ns"]
    # "About, give or take a round trip."
    slack = max(_SLACK_NS, passed // 10, claim.figures.get("ack_ns", 0))
    is_false = claim.known == "seen" and abs(passed - said) > slack
    return f"{passed} ns passed there" if is_false else None


def _why_not_caused(claim: Claimed, log: WireLog, ending: Ending) -> str | None:
    """
    The true cause is among those that are named.
    """
    if claim.topic != "resets" or claim.kind in _NO_REASON or ending not in _CAUSES:
        return None
    who, causes = _CAUSES[ending]
    if claim.who != who or log.is_copy(claim.frames[-1]) or log.is_damaged(claim.frames[-1]):
        return None
    if causes & {claim.kind, *claim.causes}:
        return None
    return f"its cause was {' or '.join(sorted(causes))}, which is not named"
