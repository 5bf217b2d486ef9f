"""
Reading numbers and vectors from bytes that may end anywhere (RFC 8446 section 3).
"""

from __future__ import annotations


class EndOfOctets(Exception):
    """
    The bytes end before what was to be read.
    """


class Octets:
    """
    A place in some bytes.
    """

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __len__(self) -> int:
        """
        Tell how many bytes are left.
        """
        return len(self._data) - self._at

    def take(self, length: int) -> bytes:
        """
        Read some bytes.

        @raise EndOfOctets: there are fewer.
        """
        end = self._at + length
        if end > len(self._data):
            raise EndOfOctets
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def number(self, size: int) -> int:
        """
        Read an unsigned number.

        @param size: of it in bytes.
        @raise EndOfOctets: there are fewer.
        """
        return int.from_bytes(self.take(size), "big")

    def vector(self, size: int) -> bytes:
        """
        Read bytes whose length stands before them.

        @param size: of that length in bytes.
        @raise EndOfOctets: there are fewer.
        """
        return self.take(self.number(size))

    def part(self, size: int) -> Octets:
        """
        Read a vector from which to read on. Of one that does not end here, what there is.

        @param size: of its length in bytes.
        @raise EndOfOctets: not even the length is there.
        """
        length = self.number(size)
        return Octets(self.take(min(length, len(self))))

    def numbers(self, size: int) -> tuple[int, ...]:
        """
        Read all that is left as numbers; what is too short for one is left over.

        @param size: of each in bytes.
        """
        return tuple(self.number(size) for _ in range(len(self) // size))
