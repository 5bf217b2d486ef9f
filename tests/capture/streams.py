"""
Captures made byte by byte, and ways to deliver them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from netlab.capture.faults import Fault
from netlab.capture.reading import Reader, read_capture
from netlab.capture.records import Record


class Trickle:
    """
    A stream that gives at most so many bytes at a time.
    """

    def __init__(self, data: bytes, step: int) -> None:
        self._data = data
        self._step = step
        self._at = 0

    def read(self, size: int, /) -> bytes:
        """Return the next piece, or nothing at the end."""
        piece = self._data[self._at : self._at + min(size, self._step)]
        self._at += len(piece)
        return piece


def reader_of(data: bytes, step: int = 1 << 30) -> Reader:
    """Begin to read a capture that is delivered in pieces of so many bytes."""
    return read_capture(Trickle(data, step))


def records_of(data: bytes, step: int = 1 << 30) -> list[Record]:
    """Read all frames."""
    return list(reader_of(data, step))


def faults_of(data: bytes) -> tuple[list[Record], list[Fault]]:
    """Read all frames, and what was wrong."""
    reader = reader_of(data)
    return list(reader), reader.faults.kept


def pcap_header(
    order: str = "<",
    magic: int = 0xA1B2C3D4,
    version: tuple[int, int] = (2, 4),
    network: int = 1,
    snaplen: int = 65535,
) -> bytes:
    """Make a pcap file header."""
    return struct.pack(order + "IHHiIII", magic, *version, 0, 0, snaplen, network)


def pcap_record(
    data: bytes, time: tuple[int, int] = (0, 0), order: str = "<", length: int | None = None
) -> bytes:
    """Make a pcap record."""
    length = len(data) if length is None else length
    return struct.pack(order + "IIII", *time, len(data), length) + data


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """Make a pcapng block."""
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", 12 + len(body))
    return struct.pack(order + "I", kind) + size + body + size


def options(values: Iterable[tuple[int, bytes]], order: str = "<") -> bytes:
    """Make a list of pcapng options with its end."""
    parts = [
        struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)
        for code, value in values
    ]
    return b"".join([*parts, bytes(4)])


def section(order: str = "<") -> bytes:
    """Make a section header block."""
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(
    link_type: int = 1,
    snaplen: int = 0,
    values: Iterable[tuple[int, bytes]] = (),
    order: str = "<",
) -> bytes:
    """Make an interface description block."""
    body = struct.pack(order + "HHI", link_type, 0, snaplen)
    return block(1, body + options(values, order), order)


def packet(
    data: bytes,
    time: int = 0,
    index: int = 0,
    values: Iterable[tuple[int, bytes]] | None = None,
    order: str = "<",
    captured: int | None = None,
) -> bytes:
    """Make an enhanced packet block; C{values} of C{None} leaves the options out."""
    captured = len(data) if captured is None else captured
    head = struct.pack(
        order + "IIIII", index, time >> 32, time & 0xFFFFFFFF, captured, len(data) + 1
    )
    body = head + data + bytes(-len(data) % 4)
    return block(6, body if values is None else body + options(values, order), order)
