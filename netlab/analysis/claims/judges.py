"""
The judges by topic: what may be claimed of a conversation, and of a capture's conversations.

A judge is a pure function that looks only at what it is given, takes time linear in the number of
segments, and makes no sentence: L{netlab.analysis.words} does. A new topic is one more entry here,
one in L{netlab.analysis.words.sentences}, and a section of docs/claims.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Final, TypeAlias

from netlab.analysis.claims import (
    capturing,
    closes,
    damage,
    exchanges,
    icmp,
    leading,
    opening,
    reasons,
    resets,
    tlsclaims,
    urgent,
    viewpoint,
)
from netlab.analysis.claims.around import Around
from netlab.analysis.claims.claim import Claim
from netlab.analysis.observations.history import History
from netlab.analysis.transfer import judge as transfer

Judge: TypeAlias = Callable[[History], Iterable[Claim]]
"""From a conversation's history to what may be claimed of it."""

CaptureJudge: TypeAlias = Callable[[Sequence[History]], Iterable[Claim]]
"""From the histories of a capture's conversations to what may be claimed of several together."""

NeighbourJudge: TypeAlias = Callable[[Sequence[History]], Iterable[tuple[int, Claim]]]
"""From the histories of a capture's conversations to what may be claimed of each, after those
before it: the number of the conversation, and the claim."""

JUDGES: Final[Sequence[Judge]] = (
    opening.claims_of,
    damage.claims_of,
    transfer.claims_of,
    urgent.claims_of,
    exchanges.claims_of,
    closes.claims_of,
    resets.claims_of,
    tlsclaims.claims_of,
)

CAPTURE_JUDGES: Final[Sequence[CaptureJudge]] = (reasons.series_of, transfer.claims_across)

NEIGHBOUR_JUDGES: Final[Sequence[NeighbourJudge]] = (reasons.claims_of,)

AroundJudge: TypeAlias = Callable[[History, Around], Iterable[Claim]]
"""From a conversation's history and the capture around it to what may be claimed of it."""

AroundCaptureJudge: TypeAlias = Callable[[Sequence[History], Around], Iterable[Claim]]
"""The same of all conversations, and of the capture itself."""

AROUND_JUDGES: Final[Sequence[AroundJudge]] = (
    leading.conversation_claims_of,
    icmp.claims_of,
    capturing.conversation_claims_of,
)

AROUND_CAPTURE_JUDGES: Final[Sequence[AroundCaptureJudge]] = (
    viewpoint.claims_of,
    capturing.claims_of,
    leading.claims_of,
)

CLAIMS_OF_A_KIND_MAX: Final = 1000
"""How many claims of one kind are made of one conversation, or of the capture; further ones are
left out."""

_QUOTE: Final = "_text"
"""What the name of a figure ends in that quotes bytes of a payload."""

_HIDDEN_FIGURES: Final = frozenset(
    {"not_before", "not_after", "days"} | {"ip_id", "first_ip_id", "opened_ip_id", "usual_ip_id"}
)
"""Figures that are not said where payloads are hidden, or addresses: when a certificate is valid
names it as well as its subject does, and an identification counts what a host sends to others."""


def conversation_claims(
    history: History, around: Around | None = None, *, quotes: bool = True
) -> tuple[Claim, ...]:
    """
    Claim what may be claimed of a conversation.

    @param history: its history, finished.
    @param around: the capture around it.
    @param quotes: whether a figure may quote a payload.
    @return: the claims in the order of their topics, those of a topic as its judge makes them.
    """
    if opening.has_one_end(history):
        # Whose segment is whose cannot be told.
        return tuple(opening.of_one_end(history))
    claims: Iterable[Claim] = chain.from_iterable(judge(history) for judge in JUDGES)
    if around is not None:
        # How it came about, then what became of it.
        others = [judge(history, around) for judge in AROUND_JUDGES]
        claims = capturing.undecoded(around, opening.until_the_end(history, around, claims))
        claims = icmp.explained(chain(*others, claims))
    return _bounded(claims, around, quotes=quotes)


def capture_claims(
    histories: Sequence[History], around: Around | None = None, *, quotes: bool = True
) -> tuple[Claim, ...]:
    """
    Claim what may be claimed of several conversations together.

    @param histories: those of the conversations that are reported, by number.
    @param around: the capture around them.
    @param quotes: whether a figure may quote a payload.
    """
    claims = chain.from_iterable(judge(histories) for judge in CAPTURE_JUDGES)
    if around is not None:
        others = [judge(histories, around) for judge in AROUND_CAPTURE_JUDGES]
        claims = chain(*others, claims)
    return _bounded(claims, around, quotes=quotes)


def neighbour_claims(
    histories: Sequence[History], *, quotes: bool = True
) -> dict[int, tuple[Claim, ...]]:
    """
    Claim what may be claimed of each conversation after those before it.

    @param histories: those of all conversations that are known, by number.
    @param quotes: whether a figure may quote a payload.
    @return: the claims by the number of their conversation.
    """
    found: dict[int, list[Claim]] = {}
    for judge in NEIGHBOUR_JUDGES:
        for stream, claim in judge(histories):
            found.setdefault(stream, []).append(claim)
    return {stream: _bounded(claims, None, quotes=quotes) for stream, claims in found.items()}


def by_last_frame(claims: Iterable[Claim]) -> dict[int, list[Claim]]:
    """
    Sort claims to the frames whose effect they are: the last that each cites.
    """
    found: dict[int, list[Claim]] = {}
    for claim in claims:
        if claim.frames:
            found.setdefault(claim.frames[-1], []).append(claim)
    return found


def _bounded(claims: Iterable[Claim], around: Around | None, *, quotes: bool) -> tuple[Claim, ...]:
    counts: dict[str, int] = {}
    kept = []
    for claim in claims:
        if around is not None and not around.is_timed(claim):
            continue
        counts[claim.kind] = counts.get(claim.kind, 0) + 1
        if counts[claim.kind] <= CLAIMS_OF_A_KIND_MAX:
            kept.append(claim if quotes else _unquoted(claim))
    return tuple(kept)


def _unquoted(claim: Claim) -> Claim:
    figures = {
        name: each
        for name, each in claim.figures.items()
        if not name.endswith(_QUOTE) and name not in _HIDDEN_FIGURES
    }
    return claim if len(figures) == len(claim.figures) else claim._replace(figures=figures)
