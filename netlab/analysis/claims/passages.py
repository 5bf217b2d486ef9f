"""
From claims to the passages of a story: which claims stand together, where, and how many.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from netlab.analysis.claims.claim import Claim
from netlab.analysis.claims.story import Passage, PassageKind
from netlab.analysis.claims.units import count
from netlab.analysis.claims.viewpoint import INFERRED_PLACES
from netlab.analysis.observations.history import History
from netlab.analysis.words.sentences import FRAME_ONLY, sentence

PASSAGES_OF_A_KIND_MAX: Final = 20
"""How many claims of one kind are told in a conversation; further ones are counted."""

_KINDS: Final = {
    "opening": PassageKind.OPENING,
    "http": PassageKind.EXCHANGE,
    "tls": PassageKind.EXCHANGE,
    "closes": PassageKind.CLOSE,
    "resets": PassageKind.CLOSE,
    "reasons": PassageKind.WHY,
    "delays": PassageKind.IDLE,
    "keepalives": PassageKind.IDLE,
    "dns": PassageKind.WHY,
}
"""What kind of passage each topic makes; any other is something unusual."""


def passages_of(claims: Sequence[Claim], history: History) -> Iterator[Passage]:
    """
    Tell a conversation's claims.

    @param claims: In the order in which those of a topic are to be told.
    @param history: What they are about.
    """
    times = {each.number: each.time_ns for each in history.segments}
    first = history.segments[0].time_ns if history.segments else 0
    for claim, text in _bounded(claims):
        found = [times[frame] for frame in claim.frames if frame in times] or [first]
        yield Passage(_kind(claim), claim.frames, min(found), max(found), text, claims=(claim,))


def capture_passages(claims: Sequence[Claim], span: tuple[int, int]) -> Iterator[Passage]:
    """
    Tell what is claimed of a capture.

    @param claims: In the order in which they are to be told.
    @param span: When the capture begins and ends, in nanoseconds since 1970.
    """
    for claim, text in _bounded(claims):
        yield Passage(_kind(claim), claim.frames, *span, text, claims=(claim,))


def _kind(claim: Claim) -> PassageKind:
    if claim.kind in INFERRED_PLACES or claim.kind == "capture.checksums-offloaded":
        return PassageKind.VIEW
    return _KINDS.get(claim.topic, PassageKind.UNUSUAL)


def _bounded(claims: Iterable[Claim]) -> Iterator[tuple[Claim, str]]:
    """
    Give the claims that are told one by one with their sentences. The last of those of a kind says
    how many more there are.
    """
    groups: dict[str, list[Claim]] = {}
    for claim in claims:
        if claim.kind not in FRAME_ONLY:
            groups.setdefault(claim.kind, []).append(claim)
    for group in groups.values():
        for claim in group[:PASSAGES_OF_A_KIND_MAX]:
            yield claim, sentence(claim)
        rest = len(group) - PASSAGES_OF_A_KIND_MAX
        if rest > 0:
            told = f"{count(rest, 'more case')} of the same, up to #{group[-1].frames[-1]}."
            yield group[-1], told
