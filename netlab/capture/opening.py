"""
Opening captures: files, packed files, standard input.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from netlab.capture.faults import CaptureError, Faults
from netlab.capture.reading import Reader, read_capture
from netlab.capture.source import ByteStream
from netlab.capture.unpacking import GZIP_MAGIC, GunzipStream


class Bounds(NamedTuple):
    """
    How much is read of a capture that somebody else has made: packed a thousandfold, a small file
    holds work for hours.

    @ivar frames_max: how many frames it may have.
    @ivar bytes_max: how many bytes, of the file and of what it is unpacked to.
    @ivar parts_max: how many HTTP messages, chunks and TLS records.
    """

    frames_max: int
    bytes_max: int
    parts_max: int


class _Bounded:
    """
    A stream of which a bounded number of bytes is read.
    """

    def __init__(self, stream: ByteStream, name: str, bytes_max: int) -> None:
        self._stream = stream
        self._name = name
        self._left = self._bytes_max = bytes_max

    def read(self, size: int, /) -> bytes:
        piece = self._stream.read(size)
        self._left -= len(piece)
        if self._left < 0:
            raise CaptureError(
                f"{self._name} has more than {self._bytes_max:,} bytes, unpacked: cut it with "
                "editcap -r"
            )
        return piece


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
    A stream whose failures are named for what they are.
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
def open_capture(
    path: str, *, bounds: Bounds | None = None, opened: int | None = None
) -> Iterator[Reader]:
    """
    Open a capture and close it again.

    @param path: of a pcap or pcapng file, packed with gzip or not; C{-} is standard input, which
        stays open.
    @param bounds: how many bytes are read; the caller counts the frames.
    @param opened: a descriptor of it, if it is open already; it is closed.
    @raise CaptureError: it cannot be opened or read, or is no capture.
    """
    name = "standard input" if path == "-" else path
    closing: io.FileIO | None = None
    try:
        if path == "-" and opened is None:
            stream: ByteStream = sys.stdin.buffer
        else:
            stream = closing = io.FileIO(path if opened is None else opened)
    except OSError as error:
        raise CaptureError(f"cannot open {name}: {error.strerror or error}") from error
    try:
        yield _reader(stream, name, bounds)
    finally:
        if closing is not None:
            closing.close()


def _reader(stream: ByteStream, name: str, bounds: Bounds | None) -> Reader:
    def bounded(stream: ByteStream) -> ByteStream:
        return stream if bounds is None else _Bounded(stream, name, bounds.bytes_max)

    peeked = _Peeked(bounded(_Failing(stream, name)), len(GZIP_MAGIC))
    if peeked.first != GZIP_MAGIC:
        return read_capture(peeked, name)
    faults = Faults()
    return read_capture(bounded(GunzipStream(peeked, faults)), name, faults)
