"""
Sentences of the topic C{damage}.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from netlab.analysis.claims.claim import Claim
from netlab.analysis.words.causes import rule
from netlab.analysis.words.phrases import amount, last, peer, time, who, whole, word


def _discarded(claim: Claim) -> str:
    what = f"{who(claim)}'s {word(claim, 'flag')}" if word(claim, "flag") else "the segment"
    if not word(claim, "flag") and whole(claim, "bytes"):
        what = f"{who(claim)}'s segment of {amount(claim, 'bytes')}"
    return (
        f"The checksum of {what} in {last(claim)} is wrong, while "
        f"{amount(claim, 'right', 'other', 'others')} of {who(claim)} are right: {peer(claim)} "
        f"must discard it{rule(claim)}, so it changes nothing."
    )


def _again(claim: Claim) -> str:
    text = f"{who(claim)} sends its {word(claim, 'flag')} again in {last(claim)}"
    if "waited_ns" in claim.figures:
        text += f", {time(claim, 'waited_ns')} later"
    return f"{text}: #{claim.frames[0]} had a wrong checksum and was discarded."


WORDS: Final[Mapping[str, Callable[[Claim], str]]] = {
    "damage.discarded": _discarded,
    "damage.sent-again": _again,
}
