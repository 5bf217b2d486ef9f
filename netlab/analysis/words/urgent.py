"""
Sentences of the topic C{urgent}.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from netlab.analysis.claims.claim import Claim
from netlab.analysis.words.causes import rule
from netlab.analysis.words.phrases import last, who, whole


def _byte(claim: Claim) -> str:
    return (
        f"{who(claim)} sends one urgent byte in {last(claim)}, byte {whole(claim, 'position')} of "
        f"its stream (URG, urgent pointer {whole(claim, 'pointer')}){rule(claim)}: a program gets "
        "it out of band, apart from the others, unless it has set SO_OOBINLINE."
    )


def _pointer(claim: Claim) -> str:
    pointer = whole(claim, "pointer")
    where = "and has no data" if not whole(claim, "bytes") else "which is not in its data"
    return f"{last(claim)} sets URG with an urgent pointer of {pointer}, {where}{rule(claim)}."


WORDS: Final[Mapping[str, Callable[[Claim], str]]] = {
    "urgent.byte": _byte,
    "urgent.pointer": _pointer,
}
