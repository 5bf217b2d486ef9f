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
    damage,
    http,
    icmp,
    leading,
    opening,
    reasons,
    repetition,
    resets,
    tls,
    urgent,
    waiting,
)
from netlab.analysis.words.phrases import capitalised

_TOPICS: Final = (
    opening,
    damage,
    closes,
    resets,
    reasons,
    repetition,
    waiting,
    capture,
    leading,
    icmp,
    http,
    tls,
    urgent,
)

WORDS: Final[Mapping[str, Callable[[Claim], str]]] = {
    kind: words for topic in _TOPICS for kind, words in topic.WORDS.items()
}
"""For each kind of claim what makes its sentence."""

FRAME_WORDS: Final[Mapping[str, Callable[[Claim], str]]] = {
    kind: words for topic in _TOPICS for kind, words in getattr(topic, "FRAME_WORDS", {}).items()
}
"""For some kinds what makes the sentence of the frame that is the effect; empty is none."""

FRAME_ONLY: Final = repetition.FRAME_ONLY | waiting.FRAME_ONLY
"""Kinds that only the frame that is the effect tells, not the conversation's story."""


def sentence(claim: Claim) -> str:
    """
    Say a claim in one or two plain sentences, which cite frames as C{#4}.

    @raise KeyError: Its kind has no words.
    """
    return capitalised(WORDS[claim.kind](claim))


def frame_sentence(claim: Claim) -> str:
    """
    Say a claim where the frame that is its effect is explained.

    @return: Empty where there is nothing to add.
    """
    return capitalised(FRAME_WORDS.get(claim.kind, WORDS[claim.kind])(claim))
