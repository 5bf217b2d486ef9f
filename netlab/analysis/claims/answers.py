"""
What matters of all that is claimed: what an expert would say first.

The answers to the questions that people bring to a capture are among its claims. Here they are
chosen and put in order; L{netlab.analysis.words.answers} makes sentences of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from netlab.analysis.claims.claim import Claim


class Question(StrEnum):
    """
    What people ask of a capture, in the order in which it is answered.
    """

    SHOWS = "shows"
    """What does it show?"""

    WRONG = "wrong"
    """What went wrong, the worst first?"""

    TIME = "time"
    """Where was time spent?"""

    LIMITS = "limits"
    """What of the capture itself must be known, so that nothing is concluded from what it lacks?"""

    WHERE = "where"
    """Which connections matter?"""


class ConnectionEnd(StrEnum):
    """
    How a connection ended.
    """

    UNANSWERED = "unanswered"
    REFUSED = "refused"
    RESET = "reset"
    CLOSED = "closed"
    HALF_CLOSED = "half-closed"
    ONE_CLOSED = "one-closed"
    NOT_OPENED = "not-opened"
    OPEN = "open"


class Told(NamedTuple):
    """
    A claim and whose it is.

    @ivar stream: the conversation's number; -1 where the claim is about the capture.
    @ivar claim: the claim.
    """

    stream: int
    claim: Claim


@dataclass(frozen=True, slots=True)
class Trouble:
    """
    Claims of one kind that something went wrong.

    @ivar rank: how bad: 1 is worst.
    @ivar told: the claims, in the order of the capture.
    """

    rank: int
    told: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class TimeShares:
    """
    Where time passed between one end's data and the other's, in nanoseconds, over all connections.
    """

    server_ns: int = 0
    client_ns: int = 0
    network_ns: int = 0
    transfer_ns: int = 0


_NO_CONNECTION, _CUT_SHORT, _ODD, _SLOW = range(1, 5)

#: How bad what a kind of claim says is. A whole topic stands for those of its kinds that have no
#: entry of their own; what is in neither is no trouble.
_RANKS: Final[Mapping[str, int]] = {
    "opening.unanswered": _NO_CONNECTION,
    "opening.never-completed": _NO_CONNECTION,
    "opening.both-unanswered": _NO_CONNECTION,
    "resets.refused": _NO_CONNECTION,
    "resets.unacceptable-ack": _NO_CONNECTION,
    "reasons.series-refused": _NO_CONNECTION,
    "icmp.error": _NO_CONNECTION,
    "dns.failed": _NO_CONNECTION,
    "dns.unanswered": _NO_CONNECTION,
    "arp.unanswered": _NO_CONNECTION,
    "resets": _CUT_SHORT,
    "closes.peer-silent": _CUT_SHORT,
    "closes.while-a-request-waits": _CUT_SHORT,
    "closes.answer-cut-off": _CUT_SHORT,
    "closes.after-unanswered-bytes": _CUT_SHORT,
    "windows.closed-to-the-end": _CUT_SHORT,
    "alerts": _CUT_SHORT,
    "opening.another-syn-ack": _ODD,
    "opening.odd-flags": _ODD,
    "opening.no-ack-flag": _ODD,
    "opening.old-connection": _ODD,
    "reasons.series-half-open": _ODD,
    "resets.outside-window": _ODD,
    "resets.other-sender": _ODD,
    "resets.without-effect": _ODD,
    "resets.no-connection": _ODD,
    "resets.after-syn-ack": _ODD,
    "acks.never-sent": _ODD,
    "damage.discarded": _ODD,
    "windows.beyond": _SLOW,
    "opening.syn-ack-discarded": _SLOW,
    "repeats.other-bytes": _ODD,
    "repeats.damaged": _ODD,
    "http.rule-broken": _ODD,
    "http.surplus": _ODD,
    "http.request-incomplete": _ODD,
    "opening.syn-lost": _SLOW,
    "opening.syn-ack-lost": _SLOW,
    "repeats.counts": _SLOW,
    "copies.single": _SLOW,
    "gaps.never-filled": _SLOW,
    "windows.one-a-round-trip": _SLOW,
    "windows.closed": _SLOW,
    "windows.reopened": _SLOW,
    "icmp.sends-smaller": _SLOW,
    # Of these another claim says the same, or they are no trouble.
    "resets.again": 0,
    "resets.answers-a-segment": 0,
    "resets.after-a-reset": 0,
    "resets.goes-on": 0,
    "resets.own-attempt": 0,
    "resets.text": 0,
    "resets.closed-socket": 0,
    "alerts.no-close-notify": 0,
}

#: What must be known of the capture, the most misleading first.
_LIMITS: Final = (
    "capture.header-cut",
    "capture.snapped",
    "capture.layer-not-decoded",
    "capture.one-direction",
    "capture.times-go-back",
    "capture.no-times",
    "capture.checksums-wrong",
    "capture.checksums-zeroed",
    "capture.checksums-offloaded",
    "gaps.not-captured",
    "copies.throughout",
    "copies.translated",
)

#: What says why one end waited for the other, or paused, and which figure says how long.
_WAITS: Final = {
    "delays.server": "waited_ns",
    "delays.client": "waited_ns",
    "delays.paused": "end_ns",
    "delays.nagle-total": "waited_ns",
}

#: What says how a window of zero went on; the first frame of each is what shut it.
_OUTCOMES_OF_ZERO: Final = frozenset(
    {
        "windows.reopened",
        "windows.closed-to-the-end",
        "resets.window-stayed-shut",
    }
)

#: What says that something may have happened that the capture does not show.
_HIDES: Final = frozenset(
    {
        "capture.header-cut",
        "capture.layer-not-decoded",
        "capture.one-direction",
        "capture.times-go-back",
        "opening.not-captured",
        "opening.unconfirmed",
    }
)

#: What says how a connection ended, the surest first.
_ENDS: Final = (
    ("opening.unanswered", ConnectionEnd.UNANSWERED),
    ("resets.refused", ConnectionEnd.REFUSED),
    ("closes.second", ConnectionEnd.CLOSED),
    ("closes.simultaneous", ConnectionEnd.CLOSED),
    ("resets.closed-socket", ConnectionEnd.RESET),
)

#: What may be a part of a worse fact.
_PARTS: Final = frozenset({"windows.closed", "repeats.counts"})

#: What is said once of several connections, and of each.
_SERIES: Final = {
    "resets.after-syn-ack": "reasons.series-half-open",
    "resets.refused": "reasons.series-refused",
}
#: What says that nothing shows an open connection.
_NOT_OPENED: Final = frozenset(
    {
        "opening.never-completed",
        "opening.both-unanswered",
        "opening.one-end",
        "opening.unconfirmed",
        "opening.no-ack-flag",
        "resets.own-attempt",
    }
)

_NO_RESET: Final = frozenset(
    {
        "again",
        "answers-a-segment",
        "after-a-reset",
        "goes-on",
        "without-effect",
        "outside-window",
        "other-sender",
        "text",
        "own-attempt",
    }
)


def rank_of(kind: str) -> int:
    """
    Tell how bad what a kind of claim says is.

    @return: 1 is worst; 0 is no trouble.
    """
    return _RANKS.get(kind, _RANKS.get(kind.partition(".")[0], 0))


def _rank(claim: Claim) -> int:
    """
    Tell how bad it is what a claim says.
    """
    if claim.kind == "closes.after-unanswered-bytes" and claim.who == "client":
        # Who only sends, and then closes, waits for nothing.
        return 0
    return rank_of(claim.kind)


def _is_worse(claim: Claim, other: Claim) -> bool:
    """
    Tell which of two claims about one effect says more: an alert why a connection ends, a RST only
    that it does.
    """
    ranks = _rank(claim), _rank(other)
    if ranks[0] == ranks[1]:
        return claim.topic == "alerts" and other.topic == "resets"
    return ranks[0] < ranks[1]


def end_of(claims: Iterable[Claim]) -> ConnectionEnd:
    """
    Tell how a connection ended, by its claims.
    """
    kinds = {claim.kind for claim in claims}
    obeyed = {
        kind for kind in kinds if kind.startswith("resets.") and kind[7:] not in _NO_RESET
    } - {"resets.refused", "resets.closed-socket"}
    if obeyed and "resets.goes-on" not in kinds:
        return ConnectionEnd.RESET
    for kind, end in _ENDS:
        if kind in kinds:
            return end
    if kinds & {"closes.first", "closes.one-direction-only"}:
        return ConnectionEnd.HALF_CLOSED
    if "closes.fin-of-one-direction" in kinds:
        return ConnectionEnd.ONE_CLOSED
    return ConnectionEnd.NOT_OPENED if kinds & _NOT_OPENED else ConnectionEnd.OPEN


def troubles(told: Sequence[Told]) -> list[Trouble]:
    """
    Choose what went wrong.

    Of several claims about one effect the worst stays.

    @param told: all claims, in the order of the capture.
    @return: by kind, the worst first, and of equals the most frequent.
    """
    told = [each for each in told if not _is_told_by_others(each, told)]
    worst: dict[tuple[int, int, bool], Told] = {}
    loose: list[Told] = []
    # What becomes of a shut window is said with how long it was shut.
    shut = {
        (each.stream, each.claim.frames[0]) for each in told if each.claim.kind in _OUTCOMES_OF_ZERO
    }
    for each in told:
        rank = _rank(each.claim)
        if not rank:
            continue
        if each.claim.kind == "windows.closed" and (each.stream, each.claim.frames[-1]) in shut:
            continue
        if not each.claim.frames:
            loose.append(each)
            continue
        # That a frame may be forged is another matter than what it did.
        place = (each.stream, each.claim.frames[-1], each.claim.kind == "resets.other-sender")
        other = worst.get(place)
        if other is None or _is_worse(each.claim, other.claim):
            worst[place] = each
    kinds: dict[str, list[Told]] = {}
    for each in (*loose, *worst.values()):
        kinds.setdefault(each.claim.kind, []).append(each)
    found = [Trouble(_rank(each[0].claim), tuple(each)) for each in kinds.values()]
    return sorted(found, key=lambda trouble: (trouble.rank, -len(trouble.told)))


def _is_told_by_others(each: Told, told: Sequence[Told]) -> bool:
    """
    Tell whether a claim says nothing that a worse one of the same conversation does not say: that
    one rests on the same frames.
    """
    rank, frames = _rank(each.claim), set(each.claim.frames)
    series = _SERIES.get(each.claim.kind)
    if series is not None:
        members = sum(1 for other in told if other.claim.kind == each.claim.kind)
        counted = [other.claim for other in told if other.claim.kind == series]
        return sum(int(claim.figures["connections"]) for claim in counted) >= members or any(
            each.claim.frames[0] in claim.frames for claim in counted
        )
    if each.claim.kind not in _PARTS:
        return False
    return any(
        other.stream == each.stream
        and 0 < _rank(other.claim) <= rank
        and other.claim.kind not in _PARTS
        and frames <= set(other.claim.frames)
        for other in told
    )


def limits(told: Sequence[Told]) -> list[Trouble]:
    """
    Choose what must be known of the capture itself.

    @param told: all claims, in the order of the capture.
    @return: by kind, the most misleading first; the rank is its place in that order, from 1.
    """
    found = []
    for rank, kind in enumerate(_LIMITS, 1):
        those = tuple(each for each in told if each.claim.kind == kind)
        if those:
            found.append(Trouble(rank, those))
    return found


def shares(told: Iterable[Told]) -> TimeShares:
    """
    Add up where time passed.
    """
    sums = dict.fromkeys(("server_ns", "client_ns", "network_ns", "transfer_ns"), 0)
    for each in told:
        if each.claim.kind == "delays.shares":
            for name in sums:
                value = each.claim.figures.get(name, 0)
                assert isinstance(value, int)
                sums[name] += value
    return TimeShares(**sums)


def longest_waits(told: Iterable[Told], at_most: int) -> list[Told]:
    """
    Choose the claims about the longest waits.

    @return: the longest first.
    """
    waits = [each for each in told if each.claim.kind in _WAITS]
    return sorted(waits, key=_length_ns, reverse=True)[:at_most]


def _length_ns(told: Told) -> int:
    return int(told.claim.figures[_WAITS[told.claim.kind]])


def is_calm(told: Iterable[Told]) -> bool:
    """
    Tell whether nothing was sent again, reset, refused or left unanswered, and all is here that
    would show it.
    """
    return not any(
        each.claim.topic in {"repeats", "resets", "gaps", "alerts", "icmp", "acks", "copies"}
        or each.claim.kind in _HIDES
        or rank_of(each.claim.kind)
        for each in told
    )
