"""
Counters of a server.
"""

from __future__ import annotations

from collections import defaultdict


class Counters:
    """
    What a server has done; plain numbers, since they are raised with each answer.

    @ivar answers: how many answers have been sent, by status.
    @ivar content_bytes: how many bytes of content they had.
    @ivar connections: how many connections have come.
    """

    __slots__ = ("answers", "connections", "content_bytes")

    def __init__(self) -> None:
        self.answers: defaultdict[int, int] = defaultdict(int)
        self.content_bytes = 0
        self.connections = 0
