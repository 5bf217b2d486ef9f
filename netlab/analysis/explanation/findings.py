"""
A finding: one rule, one equation with its values, one verdict.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    """
    What became of a rule.
    """

    PASS = "PASS"  # noqa: S105 -- a verdict
    """The values obey it."""

    FAIL = "FAIL"
    """They do not."""

    NOTED = "NOTED"
    """A measurement, or how a number comes about: nothing here could be disobeyed."""

    UNKNOWN = "UNKNOWN"
    """What would decide it was not captured."""


class Finding(NamedTuple):
    """
    One rule applied to one place of a capture.

    It is a tuple and not a frozen dataclass because several are made for each frame.

    @ivar rule: The rule's name, lower-case words joined by hyphens; stable, for programs.
    @ivar frames: The numbers of the frames that it rests on, ascending.
    @ivar equation: The rule with its values filled in, in one line; frames are cited as C{#4}.
    @ivar verdict: Whether the values obey it, if they could disobey.
    @ivar sentence: The same in plain words.
    """

    rule: str
    frames: tuple[int, ...]
    equation: str
    verdict: Verdict
    sentence: str
