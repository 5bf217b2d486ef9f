"""
Captures as bytes: pcapng with nanoseconds, interface names and packet comments, and plain pcap.

Both writers return bytes and open nothing: C{file.write(writer.begin())}, then each frame.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Final

from netlab.capture.records import Interface, Record

_NANOSECONDS_EXPONENT: Final = 9
_BYTE_ORDER_MAGIC: Final = 0x1A2B3C4D
_OPTION_MAX_BYTES: Final = 65535
_LENGTH_MAX: Final = 0xFFFFFFFF
TIME_MAX_NS: Final = (1 << 64) - 1
"""The last time that can be written, in July 2554."""


_OPT_COMMENT: Final = 1
_SHB_USERAPPL: Final = 4
_IF_NAME: Final = 2
_IF_DESCRIPTION: Final = 3
_IF_TSRESOL: Final = 9


def _option(code: int, value: bytes) -> bytes:
    if len(value) > _OPTION_MAX_BYTES:
        # A comment is cut between characters, so that what is left is still UTF-8.
        value = value[:_OPTION_MAX_BYTES].decode(errors="ignore").encode()
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def _block(kind: int, body: bytes, options: bytes) -> bytes:
    if options:
        options += bytes(4)
    length = 12 + len(body) + len(options)
    return struct.pack("<II", kind, length) + body + options + struct.pack("<I", length)


def _interface_block(interface: Interface) -> bytes:
    options = b""
    if interface.name:
        options += _option(_IF_NAME, interface.name.encode())
    if interface.description:
        options += _option(_IF_DESCRIPTION, interface.description.encode())
    options += _option(_IF_TSRESOL, bytes([_NANOSECONDS_EXPONENT]))
    body = struct.pack("<HHI", interface.link_type, 0, interface.snaplen)
    return _block(1, body, options)


class PcapngWriter:
    """
    Write one section of pcapng, little-endian, with the interfaces at its head or where they are
    first needed.

    @ivar interfaces: in the order of their numbers in the file.
    """

    def __init__(self, interfaces: Sequence[Interface], application: str = "netlab") -> None:
        """
        @param interfaces: at least one; link types, names, descriptions and snaplens are written,
            the clock's step is always 1 ns.
        @param application: who wrote it, for people.
        """
        self.interfaces = tuple(interfaces)
        self._application = application
        self._numbers = {interface: number for number, interface in enumerate(self.interfaces)}

    def begin(self) -> bytes:
        """
        Return the section's head: a section header block and one block for each interface.
        """
        head = struct.pack("<IHHq", _BYTE_ORDER_MAGIC, 1, 0, -1)
        blocks = [_block(0x0A0D0D0A, head, _option(_SHB_USERAPPL, self._application.encode()))]
        return b"".join([*blocks, *map(_interface_block, self.interfaces)])

    def another(self, interface: Interface) -> bytes:
        """
        Return the block of one more interface, whose number is the next one.
        """
        self._numbers[interface] = len(self.interfaces)
        self.interfaces = (*self.interfaces, interface)
        return _interface_block(interface)

    def packet(
        self,
        time_ns: int,
        data: bytes,
        *,
        interface: int = 0,
        length: int | None = None,
        comments: Iterable[str] = (),
    ) -> bytes:
        """
        Return one frame as an enhanced packet block.

        @param time_ns: nanoseconds since 1970-01-01 UTC, not negative.
        @param data: the frame's captured bytes.
        @param interface: index in L{interfaces}.
        @param length: the frame's length on the wire; C{None} if all of it was captured.
        @param comments: each at most 65535 bytes of UTF-8; longer ones are cut.
        @raise ValueError: a number does not fit the format.
        """
        if not 0 <= interface < len(self.interfaces):
            raise ValueError(f"there is no interface {interface}")
        length = len(data) if length is None else length
        if not 0 <= time_ns <= TIME_MAX_NS or not 0 <= length <= _LENGTH_MAX:
            raise ValueError("the time or the length does not fit a pcapng packet block")
        body = struct.pack(
            "<IIIII", interface, time_ns >> 32, time_ns & 0xFFFFFFFF, len(data), length
        )
        options = b"".join(_option(_OPT_COMMENT, comment.encode()) for comment in comments)
        return _block(6, body + data + bytes(-len(data) % 4), options)

    def record(self, record: Record) -> bytes:
        """
        Return a frame that was read from elsewhere, with its comments.

        @raise ValueError: its interface is not among ours.
        """
        number = self._numbers.get(record.interface)
        if number is None:
            raise ValueError(f"the interface of frame {record.number} is not in this section")
        return self.packet(
            record.time_ns,
            record.data,
            interface=number,
            length=record.length,
            comments=record.comments,
        )


class PcapWriter:
    """
    Write pcap with nanoseconds, little-endian: one link type, no comments.
    """

    def __init__(self, link_type: int, snaplen: int = 262144) -> None:
        """
        @param link_type: of all frames, a L{netlab.capture.records.LinkType} or another number.
        @param snaplen: the most bytes of a frame that were kept.
        """
        self._link_type = link_type
        self._snaplen = snaplen

    def begin(self) -> bytes:
        """
        Return the file header.
        """
        return struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, self._snaplen, self._link_type)

    def packet(self, time_ns: int, data: bytes, *, length: int | None = None) -> bytes:
        """
        Return one frame with its header.

        @param time_ns: nanoseconds since 1970-01-01 UTC, before 2106-02-07 (32 bits of seconds).
        @param data: the frame's captured bytes.
        @param length: the frame's length on the wire; C{None} if all of it was captured.
        @raise ValueError: a number does not fit the format.
        """
        seconds, nanoseconds = divmod(time_ns, 1_000_000_000)
        length = len(data) if length is None else length
        if not 0 <= seconds <= _LENGTH_MAX or not 0 <= length <= _LENGTH_MAX:
            raise ValueError("the time or the length does not fit a pcap packet header")
        return struct.pack("<IIII", seconds, nanoseconds, len(data), length) + data
