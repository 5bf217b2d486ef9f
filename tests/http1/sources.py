"""
Content to be sent, for tests of those who send it: read in pieces, or made as it goes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from twisted.internet.defer import Deferred


@dataclass
class Source:
    """
    A source of content that counts.

    @ivar pieces: how many bytes each read asked for.
    @ivar closed: how often it was closed.
    @ivar cut: after how many bytes it has nothing more, though it promised it.
    @ivar error: what reading raises then.
    """

    data: bytes
    cut: int | None = None
    error: Exception | None = None
    pieces: list[int] = field(default_factory=list)
    closed: int = 0
    offset: int = 0

    @property
    def length(self) -> int:
        """
        Say how much there is.
        """
        return len(self.data)

    def read(self, count: int) -> bytes:
        """
        Return some.
        """
        self.pieces.append(count)
        end = self.offset + count
        if self.cut is not None and end > self.cut:
            if self.error is not None:
                raise self.error
            end = self.cut
        piece = self.data[self.offset : end]
        self.offset += len(piece)
        return piece

    def close(self) -> None:
        """
        Count.
        """
        self.closed += 1


class StreamSource:
    """
    An asynchronous generator, and what became of it.

    @ivar asked: how many pieces it was asked for.
    @ivar end: how it ended: C{"whole"}, or the name of what was raised in it.
    """

    def __init__(self, *pieces: bytes | Deferred[None]) -> None:
        self.pieces = pieces
        self.asked = 0
        self.end: str | None = None

    async def generate(self) -> AsyncIterator[bytes]:
        """
        Yield the pieces and wait for the Deferreds, in order.
        """
        try:
            for piece in self.pieces:
                self.asked += 1
                if isinstance(piece, Deferred):
                    await piece
                else:
                    yield piece
        except BaseException as error:
            self.end = type(error).__name__
            raise
        self.end = "whole"


def pattern(length: int) -> bytes:
    """
    Make content in which every place is different from its neighbours.
    """
    return (b"%08d" * (length // 8 + 1) % tuple(range(length // 8 + 1)))[:length]
