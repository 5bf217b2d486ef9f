"""
Contents that are not one file: bytes, and several contents one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence

from netlab.http1.resources.responses import ContentSource


class BytesContent:
    """
    Bytes as a source of content.
    """

    __slots__ = ("_data", "_offset")

    def __init__(self, data: bytes) -> None:
        """
        @param data: all the content.
        """
        self._data = data
        self._offset = 0

    @property
    def length(self) -> int:
        """
        How many bytes there are in all.
        """
        return len(self._data)

    def read(self, count: int) -> bytes:
        """
        Return the next piece.
        """
        piece = self._data[self._offset : self._offset + count]
        self._offset += len(piece)
        return piece

    def close(self) -> None:
        """
        There is nothing to give back.
        """


class JoinedContent:
    """
    Several contents, one after the other, as multipart/byteranges has them.
    """

    __slots__ = ("_at", "_left", "_sources")

    def __init__(self, contents: Sequence[bytes | ContentSource]) -> None:
        """
        @param contents: in order, none of them empty; they are closed with this one.
        """
        self._sources = [
            BytesContent(content) if isinstance(content, bytes) else content for content in contents
        ]
        self._at = 0
        self._left = self._sources[0].length

    @property
    def length(self) -> int:
        """
        How many bytes there are in all.
        """
        return sum(source.length for source in self._sources)

    def read(self, count: int) -> bytes:
        """
        Return the next piece: never of two contents at once.
        """
        piece = self._sources[self._at].read(min(count, self._left))
        self._left -= len(piece)
        if not self._left and self._at + 1 < len(self._sources):
            self._at += 1
            self._left = self._sources[self._at].length
        return piece

    def close(self) -> None:
        """
        Close every one of them.
        """
        for source in self._sources:
            source.close()
