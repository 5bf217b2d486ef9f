"""
Files that are being served: one descriptor for any number of answers.
"""

from __future__ import annotations

import os
from typing import Final


class OpenFile:
    """
    A descriptor that is closed when nobody holds it any more.

    A cache and any number of answers may share one: reading always says from where.

    @ivar descriptor: open for reading.
    """

    __slots__ = ("__weakref__", "descriptor")

    def __init__(self, descriptor: int) -> None:
        """
        @param descriptor: is ours from now on.
        """
        self.descriptor: Final = descriptor

    def __del__(self) -> None:
        # As with the files of the standard library, the last reference closes.
        os.close(self.descriptor)


class FileRange:
    """
    A range of an open file as the content of an answer.

    @ivar offset: where the next piece begins, in bytes from the beginning of the file.
    @ivar left: how many bytes have not been read.
    """

    __slots__ = ("_file", "left", "length", "offset")

    def __init__(self, file: OpenFile, offset: int, length: int) -> None:
        """
        @param file: is kept open until L{close}.
        @param offset: where the range begins, in bytes.
        @param length: how many bytes it has.
        """
        self._file: OpenFile | None = file
        self.offset = offset
        self.length = length
        self.left = length

    @property
    def file(self) -> OpenFile:
        """
        The file itself.
        """
        assert self._file is not None, "this range is closed"
        return self._file

    @property
    def descriptor(self) -> int:
        """
        The descriptor to read from, for callers that move the bytes without looking at them.
        """
        assert self._file is not None, "this range is closed"
        return self._file.descriptor

    def read(self, count: int) -> bytes:
        """
        Return the next piece; none when the file has become shorter than it was.
        """
        data = os.pread(self.descriptor, min(count, self.left), self.offset)
        self.offset += len(data)
        self.left -= len(data)
        return data

    def close(self) -> None:
        """
        Let go of the file.
        """
        self._file = None
