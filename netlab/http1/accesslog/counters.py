"""
Counters of a server.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self


class Tally:
    """
    Answers of one status.

    @ivar answers: how many have been sent.
    @ivar content_bytes: how many bytes of content they had.
    """

    __slots__ = ("answers", "content_bytes")

    def __init__(self) -> None:
        self.answers = 0
        self.content_bytes = 0


class Counters:
    """
    What a server has done; plain numbers, since they are raised with each answer.

    @ivar connections: how many connections have come.
    @ivar large_answers: how many answers were not written in one piece.
    @ivar tallies: of the statuses that have been asked for by L{tally}; for reading only.
    """

    __slots__ = ("connections", "large_answers", "tallies")

    def __init__(self) -> None:
        self.tallies: dict[int, Tally] = {}
        self.connections = 0
        self.large_answers = 0

    def tally(self, status: int) -> Tally:
        """
        Return what counts the answers of a status; it may be kept, and raised at any time.
        """
        found = self.tallies.get(status)
        if found is None:
            found = self.tallies[status] = Tally()
        return found

    @property
    def answers(self) -> dict[int, int]:
        """
        How many answers have been sent, by status.
        """
        return {status: tally.answers for status, tally in self.tallies.items() if tally.answers}

    @property
    def small_answers(self) -> int:
        """
        How many answers were written in one piece.
        """
        return sum(tally.answers for tally in self.tallies.values()) - self.large_answers

    @property
    def content_bytes(self) -> int:
        """
        How many bytes of content all answers had.
        """
        return sum(tally.content_bytes for tally in self.tallies.values())


@dataclass(frozen=True, slots=True)
class Snapshot:
    """
    The counters of one process, or of several added up, at one moment.

    @ivar answers: as in L{Counters}, and so are the next two.
    @ivar content_bytes: in bytes.
    @ivar connections: how many have come.
    @ivar refused: how many connections were not let in.
    @ivar open_connections: how many are open now.
    """

    answers: Mapping[int, int] = field(default_factory=dict)
    content_bytes: int = 0
    connections: int = 0
    refused: int = 0
    open_connections: int = 0

    @classmethod
    def total(cls, snapshots: Iterable[Self]) -> Self:
        """
        Add up.
        """
        several = list(snapshots)
        answers: Counter[int] = Counter()
        for one in several:
            answers.update(one.answers)
        return cls(
            dict(answers),
            sum(one.content_bytes for one in several),
            sum(one.connections for one in several),
            sum(one.refused for one in several),
            sum(one.open_connections for one in several),
        )

    def to_json(self) -> dict[str, Any]:
        """
        Make what a worker tells its supervisor.
        """
        return {
            "answers": {str(status): count for status, count in self.answers.items()},
            "content_bytes": self.content_bytes,
            "connections": self.connections,
            "refused": self.refused,
            "open_connections": self.open_connections,
        }

    @classmethod
    def from_json(cls, report: Mapping[str, Any]) -> Self:
        """
        Read what L{to_json} has made.
        """
        return cls(
            {int(status): count for status, count in report["answers"].items()},
            report["content_bytes"],
            report["connections"],
            report["refused"],
            report["open_connections"],
        )
