"""
What is wrong with a file of settings, line by line, so that all of it can be mended at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class InjectedFault:
    """
    One fault.

    @ivar line: where it is, the first line being 1.
    @ivar explanation: what is wrong, in ASCII; what it repeats of the file is quoted.
    """

    line: int
    explanation: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.explanation}"


class FaultyFileError(ValueError):
    """
    A file of settings cannot be used.

    @ivar faults: at least one, in the order of their lines.
    """

    def __init__(self, faults: Iterable[InjectedFault]) -> None:
        """
        @param faults: in any order.
        """
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(str(fault) for fault in self.faults))


def quoted(value: bytes) -> str:
    """
    Repeat bytes of a file in an explanation: printable ASCII, shortened where they are many.
    """
    shown = value if len(value) <= 60 else value[:57] + b"..."
    return ascii(shown)[1:]
