"""
The content of a request, for a resource that wants it: piece by piece, as fast as it is read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, Self

from twisted.internet.defer import Deferred

WAITING_MAX_BYTES: Final = 1 << 16
"""When so much has been received that the resource has not asked for yet, no more is read."""


class ContentLostError(Exception):
    """
    The rest of a request's content does not come: the client has gone, or has sent nonsense, or
    the answer was complete before.
    """


class ContentTooLongError(Exception):
    """
    There is more content than the resource has asked for; the client gets a 413.
    """


class RequestContent:
    """
    The content of one request::

        async for piece in content:
            ...

    What is not read is not received: the client has to wait. A client that expects 100 gets it
    when reading begins.

    @ivar is_full: whether no more should be received until the resource has read all there is.
    """

    __slots__ = (
        "_error",
        "_has_ended",
        "_reader",
        "_waiting",
        "_waiting_bytes",
        "_wanted",
        "is_full",
    )

    def __init__(self, wanted: Callable[[bool], None]) -> None:
        """
        @param wanted: is called when the resource waits for more than has been received, and told
            whether that had been full.
        """
        self.is_full = False
        self._wanted = wanted
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._has_ended = False
        self._error: ContentLostError | None = None
        self._reader: Deferred[None] | None = None

    @classmethod
    def whole(cls, data: bytes) -> Self:
        """
        Make content that has come whole.
        """
        content = cls(_nothing_more)
        if data:
            content._waiting.append(data)
            content._waiting_bytes = len(data)
        content._has_ended = True
        return content

    async def read(self, at_most: int) -> bytes:
        """
        Read all that is left.

        @param at_most: how many bytes the resource can use.
        @raise ContentTooLongError: there are more.
        """
        pieces = bytearray()
        async for piece in self:
            pieces += piece
            if len(pieces) > at_most:
                raise ContentTooLongError(f"more than {at_most} bytes")
        return bytes(pieces)

    @property
    def is_at_end(self) -> bool:
        """
        Whether all has been received, and read.
        """
        return self._has_ended and not self._waiting

    def take(self) -> bytes | None:
        """
        Read what has been received, without waiting.

        @return: all of it; nothing at the end; None where there is something to wait for.
        @raise ContentLostError: the rest does not come.
        """
        waiting = self._waiting
        if waiting:
            data = waiting[0] if len(waiting) == 1 else b"".join(waiting)
            waiting.clear()
            self._waiting_bytes = 0
            return data
        if self._error is not None:
            raise self._error
        return b"" if self._has_ended else None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while True:
            if self._waiting:
                piece = self._waiting.popleft()
                self._waiting_bytes -= len(piece)
                return piece
            if self._error is not None:
                raise self._error
            if self._has_ended:
                raise StopAsyncIteration
            self._reader = Deferred()
            reader = self._reader
            was_full, self.is_full = self.is_full, False
            self._wanted(was_full)
            try:
                await reader
            finally:
                self._reader = None

    # The connection's part

    def add(self, data: bytes) -> None:
        """
        A piece has been received.
        """
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        self.is_full = self.is_full or self._waiting_bytes >= WAITING_MAX_BYTES
        self._wake()

    def end(self) -> None:
        """
        All has been received.
        """
        self._has_ended = True
        self._wake()

    def lose(self, why: str) -> None:
        """
        The rest does not come.
        """
        if not self._has_ended and self._error is None:
            self._waiting.clear()
            self._waiting_bytes = 0
            self._error = ContentLostError(why)
            self._wake()

    def _wake(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.callback(None)


def _nothing_more(was_full: bool) -> None:
    """
    Nobody waits for more of what has come whole.
    """
