"""
Opening captures: files, packed files, standard input.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from netlab.capture.faults import CaptureError, Faults
from netlab.capture.reading import Reader, read_capture
from netlab.capture.source import ByteStream
from netlab.capture.unpacking import GZIP_MAGIC, GunzipStream


class _Peeked:
    """
    A stream whose first bytes have been looked at.
    """

    def __init__(self, stream: ByteStream, size: int) -> None:
        pieces = b""
        while len(pieces) < size and (piece := stream.read(size - len(pieces))):
            pieces += piece
        self.first = self._left = pieces
        self._stream = stream

    def read(self, size: int, /) -> bytes:
        if self._left:
            piece, self._left = self._left[:size], self._left[size:]
            return piece
        return self._stream.read(size)


class _Failing:
    """
    A stream whose failures are told as what they are.
    """

    def __init__(self, stream: ByteStream, name: str) -> None:
        self._stream = stream
        self._name = name

    def read(self, size: int, /) -> bytes:
        try:
            return self._stream.read(size)
        except OSError as error:
            raise CaptureError(f"cannot read {self._name}: {error.strerror or error}") from error


@contextmanager
def open_capture(path: str) -> Iterator[Reader]:
    """
    Open a capture and close it again.

    @param path: of a pcap or pcapng file, packed with gzip or not; C{-} is standard input, which
        stays open.
    @raise CaptureError: it cannot be opened or read, or is no capture.
    """
    name = "standard input" if path == "-" else path
    try:
        stream = sys.stdin.buffer if path == "-" else io.FileIO(path)
    except OSError as error:
        raise CaptureError(f"cannot open {name}: {error.strerror or error}") from error
    try:
        yield _reader(stream, name)
    finally:
        if path != "-":
            stream.close()


def _reader(stream: ByteStream, name: str) -> Reader:
    peeked = _Peeked(_Failing(stream, name), len(GZIP_MAGIC))
    if peeked.first != GZIP_MAGIC:
        return read_capture(peeked, name)
    faults = Faults()
    return read_capture(GunzipStream(peeked, faults), name, faults)
