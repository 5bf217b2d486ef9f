"""
What the sentences of all topics are made of: ends, frames, durations, causes.
"""

from __future__ import annotations

from collections.abc import Sequence

from netlab.analysis.claims.claim import Claim
from netlab.analysis.words.units import cite, count, duration


def whole(claim: Claim, name: str) -> int:
    """
    Give a figure that is a number.
    """
    value = claim.figures[name]
    assert isinstance(value, int)
    return value


def word(claim: Claim, name: str) -> str:
    """
    Give a figure that is a word, or nothing where it may not be shown.
    """
    return str(claim.figures.get(name, ""))


def time(claim: Claim, name: str) -> str:
    """
    Write a figure that is a duration in nanoseconds.
    """
    return duration(whole(claim, name))


def amount(claim: Claim, name: str, singular: str = "byte", plural: str = "") -> str:
    """
    Write a figure that is a count, with its noun.
    """
    return count(whole(claim, name), singular, plural)


def who(claim: Claim) -> str:
    """
    Name whom it is about: C{the client}.
    """
    return f"the {claim.who}"


def peer(claim: Claim) -> str:
    """
    Name the other end.
    """
    return "the server" if claim.who == "client" else "the client"


def frames(claim: Claim) -> str:
    """
    Cite a claim's frames.
    """
    return cite(claim.frames)


def last(claim: Claim) -> str:
    """
    Cite the frame that is the effect.
    """
    return f"#{claim.frames[-1]}"


def either(phrases: Sequence[str]) -> str:
    """
    Join alternatives: C{a, b or c}.
    """
    return phrases[0] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} or {phrases[-1]}"


def capitalised(text: str) -> str:
    """
    Let a sentence begin with a capital letter.
    """
    return text[:1].upper() + text[1:]


def nothing(claim: Claim) -> str:
    """
    Say nothing, where a frame's own sentence says enough.
    """
    del claim
    return ""


def cited(numbers: Sequence[int]) -> str:
    """
    Cite some frames.
    """
    return cite(numbers)
