"""
A stream of bytes with a window to look through: what the readers of both formats share.
"""

from __future__ import annotations

from typing import Final, Protocol

from netlab.capture.faults import Faults

CHUNK_BYTES: Final = 262144
"""How much is asked of a stream at a time."""

FRAME_MAX_BYTES: Final = 1 << 24
"""
A longer frame is not believed. Wireshark's limit is 262,144 bytes for networks and 128 MiB for
buses; Linux's largest offloaded segment has 524,288.
"""


class ByteStream(Protocol):
    """
    What captures are read from: a file in binary mode, or anything with its C{read}.
    """

    def read(self, size: int, /) -> bytes:
        """
        Return at most this number of bytes, at least one, or none at the end.
        """


class Source:
    """
    The bytes of a stream that have been read and not yet consumed.

    The readers keep their place in L{window} themselves, and tell it when they need more: one call
    a chunk and not one a frame.

    @ivar window: bytes that were read.
    @ivar begin: the offset of the window's first byte in the stream.
    @ivar faults: what is wrong with the capture.
    """

    __slots__ = ("_stream", "begin", "faults", "window")

    def __init__(self, stream: ByteStream, faults: Faults) -> None:
        self._stream = stream
        self.window = b""
        self.begin = 0
        self.faults = faults

    def refill(self, at: int, size: int) -> bool:
        """
        Drop what is before a place, and read until a number of bytes follows it, which stand at
        the window's beginning.

        @param at: place in the window.
        @param size: at most some L{FRAME_MAX_BYTES}: that number of bytes may be kept in memory.
        @return: false if the stream ends before.
        """
        kept = self.window[at:]
        self.begin += at
        pieces = [kept]
        have = len(kept)
        while have < size:
            piece = self._stream.read(max(CHUNK_BYTES, size - have))
            if not piece:
                break
            pieces.append(piece)
            have += len(piece)
        self.window = b"".join(pieces) if len(pieces) > 1 else kept
        return have >= size

    def skip(self, at: int, size: int) -> bool:
        """
        Drop what is before a place and a number of bytes after it, without keeping them.

        @param at: place in the window; afterwards the place is 0.
        @param size: any number, such as a file may claim.
        @return: false if the stream ends before.
        """
        left = size - (len(self.window) - at)
        if left <= 0:
            self.window = self.window[at + size :]
            self.begin += at + size
            return True
        self.begin += len(self.window)
        self.window = b""
        while left > 0:
            piece = self._stream.read(CHUNK_BYTES)
            if not piece:
                return False
            if len(piece) > left:
                self.window = piece[left:]
                self.begin += left
                return True
            self.begin += len(piece)
            left -= len(piece)
        return True
