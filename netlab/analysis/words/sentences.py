"""
From a claim to its sentence.

Each topic has a module with C{WORDS}: for each kind a function that makes one or two sentences of
a claim of it. C{FRAME_WORDS} of a topic gives a shorter one for the frame that is the effect, or
none where that frame has nothing to add to its conversation's story.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from netlab.analysis.claims.claim import Claim
from netlab.analysis.words import (
    capture,
    closes,
    icmp,
    leading,
    opening,
    reasons,
    resets,
    tls,
)
from netlab.analysis.words.phrases import capitalised

WORDS: Final[Mapping[str, Callable[[Claim], str]]] = {
    **capture.WORDS,
    **leading.WORDS,
    **icmp.WORDS,
    **reasons.WORDS,
    **opening.WORDS,
    **closes.WORDS,
    **resets.WORDS,
    **tls.WORDS,
}
"""For each kind of claim what makes its sentence."""

FRAME_WORDS: Final[Mapping[str, Callable[[Claim], str]]] = {
    **capture.FRAME_WORDS,
    **leading.FRAME_WORDS,
    **icmp.FRAME_WORDS,
    **reasons.FRAME_WORDS,
    **opening.FRAME_WORDS,
    **closes.FRAME_WORDS,
    **resets.FRAME_WORDS,
    **tls.FRAME_WORDS,
}
"""For some kinds what makes the sentence of the frame that is the effect; empty is none."""


def sentence(claim: Claim) -> str:
    """
    Say a claim in one or two plain sentences, which cite frames as C{#4}.

    @raise KeyError: Its kind has no words.
    """
    return capitalised(WORDS[claim.kind](claim))


def frame_sentence(claim: Claim) -> str:
    """
    Say a claim where the frame that is its effect is told.

    @return: Empty where there is nothing to add.
    """
    return capitalised(FRAME_WORDS.get(claim.kind, WORDS[claim.kind])(claim))
