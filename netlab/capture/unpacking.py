"""
Unpacking gzip as it is read (RFC 1952).
"""

from __future__ import annotations

import zlib
from typing import Final

from netlab.capture.faults import Faults
from netlab.capture.source import CHUNK_BYTES, ByteStream

GZIP_MAGIC: Final = b"\x1f\x8b"

_GZIP_WINDOW: Final = 31
"""zlib's largest window, in a gzip wrapper."""


class GunzipStream:
    """
    A gzip stream's content, in pieces of bounded size: what is packed a thousandfold is a matter of
    time, not of memory. What ends it early becomes a fault.
    """

    def __init__(self, stream: ByteStream, faults: Faults) -> None:
        self._stream = stream
        self._faults = faults
        self._unpacker = zlib.decompressobj(_GZIP_WINDOW)
        self._packed = b""
        self._is_over = False

    def read(self, size: int, /) -> bytes:
        """
        Return at most this number of bytes, none at the end.
        """
        while not self._is_over:
            if not self._packed:
                self._packed = self._stream.read(CHUNK_BYTES)
                if not self._packed:
                    self._end("The gzip stream is cut.")
                    break
            try:
                piece = self._unpacker.decompress(self._packed, size)
            except zlib.error:
                self._end("The gzip stream is damaged.")
                break
            self._packed = self._unpacker.unconsumed_tail
            if self._unpacker.eof:
                self._begin_member()
            if piece:
                return piece
        return b""

    def _begin_member(self) -> None:
        # Members may follow each other (section 2.2), padded with zero bytes by tape writers.
        rest = self._unpacker.unused_data.lstrip(b"\0")
        while len(rest) < len(GZIP_MAGIC):
            more = self._stream.read(CHUNK_BYTES)
            if not more:
                break
            rest = (rest + more).lstrip(b"\0")
        if rest.startswith(GZIP_MAGIC):
            self._unpacker = zlib.decompressobj(_GZIP_WINDOW)
            self._packed = rest
            return
        self._end("Something that is not gzip follows the gzip stream." if rest else "")

    def _end(self, problem: str) -> None:
        self._is_over = True
        if problem:
            self._faults.add("packed", problem)
