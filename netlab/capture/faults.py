"""
What is wrong with a capture: told, bounded, and never in the way of what can be read.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from netlab.errors import KnownError

FAULTS_KEPT_MAX: Final = 1000
"""How many faults of one capture are kept word for word; the rest is counted."""


class CaptureError(KnownError):
    """
    The input is no capture at all, or of a kind that cannot be read. Its text is one line.
    """


class Fault(NamedTuple):
    """
    Something that could not be read, decoded or followed as it should.

    @ivar rule: what kind, a lower-case word or words joined by hyphens; stable, for programs.
    @ivar text: one sentence for a person, without the frame's number.
    @ivar number: the frame it is about, from 1; 0 if it is about the file.
    @ivar offset: where in the (unpacked) file, in bytes, or C{None}.
    """

    rule: str
    text: str
    number: int = 0
    offset: int | None = None


class Faults:
    """
    A list of faults that a hostile capture cannot make grow without end.

    @ivar kept: the first L{FAULTS_KEPT_MAX} of them.
    @ivar counts: how many of each rule, those not kept included.
    """

    __slots__ = ("counts", "kept")

    def __init__(self) -> None:
        self.kept: list[Fault] = []
        self.counts: dict[str, int] = {}

    def add(self, rule: str, text: str, number: int = 0, offset: int | None = None) -> None:
        """
        Note a fault.
        """
        self.counts[rule] = self.counts.get(rule, 0) + 1
        if len(self.kept) < FAULTS_KEPT_MAX:
            self.kept.append(Fault(rule, text, number, offset))

    def __len__(self) -> int:
        return sum(self.counts.values())
