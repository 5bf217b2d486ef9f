"""
Received bytes that wait to be parsed, at a cost linear in their number.
"""

from __future__ import annotations

import re
from typing import Final

NOT_YET: Final = -1
"""The separator has not come yet."""

FORBIDDEN: Final = -2
"""The separator has not come yet, and a forbidden byte stands before it."""


class ReceiveBuffer:
    """
    A queue of bytes that remembers how far it has been searched.

    While one delivery holds whole messages, which is the common case, its bytes are never copied
    as a whole: L{_data} is the delivery itself and L{_start} moves through it. Only a message cut
    between deliveries is put together in a bytearray.

    No byte is ever dropped unread: whatever leaves the buffer is returned to the caller.
    """

    __slots__ = ("_data", "_searched", "_start")

    def __init__(self) -> None:
        self._data: bytes | bytearray = b""
        self._start = 0
        self._searched = 0

    def __len__(self) -> int:
        return len(self._data) - self._start

    def append(self, data: bytes) -> None:
        """
        Add a delivery's bytes at the end.
        """
        if self._start == len(self._data):
            self._data = data
            self._start = 0
            self._searched = 0
            return
        if isinstance(self._data, bytes):
            self._data = bytearray(self._data[self._start :])
            self._searched -= self._start
            self._start = 0
        self._data += data

    def find(self, separator: bytes, forbidden: re.Pattern[bytes]) -> int:
        """
        Look for a separator and, where it has not come yet, for bytes that may not stand before
        it; neither is looked for again where the last call has looked already.

        @param forbidden: matches one byte, and looks at most at the bytes next to it; what has
            been taken is next to nothing.
        @return: how many bytes stand before the separator, or L{NOT_YET}, or L{FORBIDDEN}.
        """
        data = self._data
        at = data.find(separator, max(self._start, self._searched - len(separator) + 1))
        if at >= 0:
            return at - self._start
        searched = max(self._start, self._searched - 1)
        self._searched = len(data)
        # The first byte is judged alone, because a pattern that looks back would see before it
        # whatever was taken last, if that came in the same delivery.
        if forbidden.search(data[self._start : self._start + 1]) or forbidden.search(
            data, searched
        ):
            return FORBIDDEN
        return NOT_YET

    def locate(self, separator: bytes, begin: int, end: int) -> int:
        """
        Look for a separator among some of the bytes, without remembering that.

        @param begin: how many bytes are passed over.
        @param end: how many bytes, those included, are looked at.
        @return: how many bytes stand before the separator, or L{NOT_YET}.
        """
        at = self._data.find(separator, self._start + begin, self._start + end)
        return NOT_YET if at < 0 else at - self._start

    def peek(self, count: int) -> bytes:
        """
        Return the first C{count} bytes, or all there are where that is fewer, and keep them.
        """
        return bytes(self._data[self._start : self._start + count])

    def take(self, count: int) -> bytes:
        """
        Remove and return the first C{count} bytes, or all there are where that is fewer.
        """
        begin = self._start
        taken = bytes(self._data[begin : begin + count])
        self._start = self._searched = begin + len(taken)
        if self._start == len(self._data):
            self._data = b""
            self._start = self._searched = 0
        elif isinstance(self._data, bytearray) and self._start > 65536:
            # bytearray gives up a prefix without moving the rest (CPython), so this stays linear.
            del self._data[: self._start]
            self._start = self._searched = 0
        return taken

    def take_all(self) -> bytes:
        """
        Remove and return everything.
        """
        return self.take(len(self))
