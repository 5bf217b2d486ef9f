"""
A claim: what may be said of a capture, as a value, before it is a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

Figure: TypeAlias = int | str
"""A count, a duration in nanoseconds (its name ends in C{_ns}), or a word of a fixed set."""

_NO_FIGURES: Final[Mapping[str, Figure]] = MappingProxyType({})


class Known(StrEnum):
    """
    How a claim is known.
    """

    SEEN = "seen"
    """The frames that it cites show it."""

    FOLLOWS = "follows"
    """It follows from the frames that it cites, by the rule of a standard that it cites."""

    POSSIBLE = "possible"
    """It is one of the causes that the frames allow; the claim names all of them."""


class Claim(NamedTuple):
    """
    One thing that may be said.

    @ivar kind: what is claimed: lower-case words with hyphens, its topic first and a dot, such as
        C{opening.syn-unanswered}. Stable, for programs; docs/claims.md lists all.
    @ivar frames: the frames that it rests on, ascending. A cause never lies in a later frame than
        what it causes: the last of these frames is the effect.
    @ivar known: how it is known.
    @ivar figures: its values by name.
    @ivar rule: the rule that it follows from, such as C{RFC 9293 section 3.10.7.4}; empty where it
        is just seen.
    @ivar causes: of a claim that is possible, the kinds of cause that the frames allow, at least
        two, or one and C{unknown}; empty otherwise.
    @ivar who: whom it is about: C{client}, C{server}, or empty.
    """

    kind: str
    frames: tuple[int, ...]
    known: Known = Known.SEEN
    figures: Mapping[str, Figure] = _NO_FIGURES
    rule: str = ""
    causes: tuple[str, ...] = ()
    who: str = ""

    @property
    def topic(self) -> str:
        """What it is about: the word before the dot in L{kind}."""
        return self.kind.partition(".")[0]
