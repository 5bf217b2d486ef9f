"""
Counters of a server.
"""

from __future__ import annotations


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
    """

    __slots__ = ("_tallies", "connections")

    def __init__(self) -> None:
        self._tallies: dict[int, Tally] = {}
        self.connections = 0

    def tally(self, status: int) -> Tally:
        """
        Return what counts the answers of a status; it may be kept, and raised at any time.
        """
        found = self._tallies.get(status)
        if found is None:
            found = self._tallies[status] = Tally()
        return found

    @property
    def answers(self) -> dict[int, int]:
        """
        How many answers have been sent, by status.
        """
        return {status: tally.answers for status, tally in self._tallies.items() if tally.answers}

    @property
    def content_bytes(self) -> int:
        """
        How many bytes of content all answers had.
        """
        return sum(tally.content_bytes for tally in self._tallies.values())
