"""
Which conversations of a capture matter most: what went wrong in each, and how much time it lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from netlab.analysis.claims.answers import rank_of
from netlab.analysis.claims.claim import Claim
from netlab.analysis.observations.sketches import Fate, Outline

NO_FAULT: Final = 9
"""The rank of a conversation in which nothing went wrong."""

_RANKS: Final[Mapping[Fate, int]] = {
    Fate.UNANSWERED: 1,
    Fate.REFUSED: 1,
    Fate.RESET: 2,
    Fate.STALLED: 4,
    Fate.REPEATED: 4,
    Fate.SLOW: 4,
    Fate.GAPS: 5,
    Fate.CALM: NO_FAULT,
}

Place: TypeAlias = tuple[int, int, int]
"""What conversations are sorted by: how bad, less the time that was lost, the number."""


def place_of(outline: Outline, claims: Iterable[Claim] = ()) -> Place:
    """
    Place a conversation among others: the worst first, of equals that which lost most time.

    @param outline: it.
    @param claims: what is claimed of it, where it was judged.
    """
    ranks = [rank for claim in claims if (rank := rank_of(claim.kind))]
    return min([_RANKS[outline.fate], *ranks]), -outline.lost_ns, outline.stream
