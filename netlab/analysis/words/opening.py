"""
Sentences of the topic C{opening}.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from netlab.analysis.claims.claim import Claim
from netlab.analysis.words.causes import possible
from netlab.analysis.words.phrases import amount, frames, time, whole


def _unanswered(claim: Claim) -> str:
    syns = amount(claim, "syns", "SYN")
    spell = f" in {time(claim, 'waited_ns')}" if whole(claim, "syns") > 1 else ""
    return f"Nothing answers the client: {syns}{spell} ({frames(claim)}).{possible(claim)}"


WORDS: Final[Mapping[str, Callable[[Claim], str]]] = {"opening.unanswered": _unanswered}
