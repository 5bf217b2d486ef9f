"""
Reading pcapng: draft-ietf-opsawg-pcapng. Blocks that hold no frame are passed over.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from netlab.capture.records import Interface, Record
from netlab.capture.source import FRAME_MAX_BYTES, Source

SECTION_HEADER: Final = 0x0A0D0D0A
"""Reads the same in both byte orders."""

_BLOCK_MAX_BYTES: Final = FRAME_MAX_BYTES + 65536
"""A longer block is passed over unread."""

_INTERFACES_MAX: Final = 65536
"""In one file. The old packet block has 16 bits for an interface's number."""

_NAMES_MAX: Final = 65536
_NAME_MAX_BYTES: Final = 255
"""
Of a host's or an interface's name, and of its description; the rest is dropped. A domain name has
253 at most; the longest that the format allows would let a packed file of 7 MB fill 9 GB.
"""

SECRETS_MAX_BYTES: Final = 1 << 24
"""Of all secrets of TLS in one file; further ones are passed over."""

_COMMENTS_MAX: Final = 64
"""Of one frame."""

_NANOSECONDS: Final = 1_000_000_000

_INTERFACE: Final = 1
_OLD_PACKET: Final = 2
_SIMPLE_PACKET: Final = 3
_NAMES: Final = 4
_STATISTICS: Final = 5
_PACKET: Final = 6
_SECRETS: Final = 10

_STATISTICS_BYTES: Final = 12
"""Of a block of statistics, before its options."""

_DROPS: Final = frozenset({5, 7})
"""Options of it: frames that the interface dropped, and those that the operating system did."""

_TLS_KEY_LOG: Final = 0x544C534B
"""The secrets of a block are lines of a key log of TLS."""

#: Blocks of other tools that Wireshark counts as frames too: a systemd journal entry, the events of
#: Sysdig and Falco, and custom blocks. They are counted so that the numbers of later frames are the
#: same.
_COUNTED: Final = frozenset(
    {9, 0x204, 0x208, 0x216, 0x217, 0x221, 0x222, 0x223, 0x0BAD, 0x40000BAD}
)

NOT_A_FRAME: Final = Interface(-1, "", "a block that holds no frame of a network")


class _Clock:
    """
    How an interface counts time: C{nanoseconds = count * multiplier // divisor + offset}.
    """

    __slots__ = ("divisor", "multiplier", "offset")

    def __init__(self, resolution: int = 6, offset_seconds: int = 0) -> None:
        """
        @param resolution: if_tsresol: the negative power of 10, or with the highest bit of 2.
        """
        if resolution & 0x80:
            self.multiplier, self.divisor = _NANOSECONDS, 1 << (resolution & 0x7F)
        elif resolution <= 9:
            self.multiplier, self.divisor = 10 ** (9 - resolution), 1
        else:
            self.multiplier, self.divisor = 1, 10 ** (resolution - 9)
        self.offset = offset_seconds * _NANOSECONDS


class PcapngReader:
    """
    The state of reading one file.

    @ivar interfaces: all that have been described so far, of all sections.
    @ivar names: addresses of 4 or 16 bytes and the names that the file gives them; bounded.
    @ivar secrets: key logs of TLS that the file holds so far; bounded, also if they are taken away.
    @ivar drops: how many frames an interface could not deliver so far, by its number.
    """

    def __init__(
        self,
        source: Source,
        interfaces: list[Interface],
        names: dict[bytes, str],
        secrets: list[bytes],
        drops: dict[int, int],
    ) -> None:
        self._source = source
        self._faults = source.faults
        self.interfaces = interfaces
        self.names = names
        self.secrets = secrets
        self.drops = drops
        self._secrets_room = SECRETS_MAX_BYTES
        self._order = "<"
        self._section: list[tuple[Interface, _Clock]] = []
        self._number = 0

    def read(self) -> Iterator[Record]:
        """
        Read records until the file's end or until it makes no sense any more, which becomes a
        fault.
        """
        source = self._source
        faults = self._faults
        at = 0
        window = source.window
        end = len(window)
        new = tuple.__new__
        little = struct.Struct("<IIIIIII").unpack_from
        big = struct.Struct(">IIIIIII").unpack_from
        unpack = little
        while True:
            # What most blocks of most files are: an enhanced packet without options.
            if at + 32 <= end:
                kind, size, index, high, low, captured, length = unpack(window, at)
                padded = (captured + 3) & ~3
                if (
                    kind == _PACKET
                    and size == 32 + padded
                    and at + size <= end
                    and index < len(self._section)
                    and window[at + size - 4 : at + size] == window[at + 4 : at + 8]
                ):
                    interface, clock = self._section[index]
                    count = (high << 32) + low
                    if clock.divisor == 1:
                        time_ns = count * clock.multiplier + clock.offset
                    else:
                        time_ns = count * clock.multiplier // clock.divisor + clock.offset
                    self._number = number = self._number + 1
                    begin = at + 28
                    yield new(
                        Record,
                        (number, time_ns, window[begin : begin + captured], length, interface, ()),
                    )
                    at += size
                    continue
            if at + 12 > end:
                if not source.refill(at, 12):
                    if source.window:
                        self._fault("cut", "The file ends within a block's header.", 0)
                    return
                at, window = 0, source.window
                end = len(window)
            kind, size = struct.unpack_from(self._order + "II", window, at)
            if kind == SECTION_HEADER:
                magic = window[at + 8 : at + 12]
                if magic not in {b"\x1a\x2b\x3c\x4d", b"\x4d\x3c\x2b\x1a"}:
                    self._fault("section", "A section header has no byte-order magic.", at)
                    return
                self._order = ">" if magic[0] == 0x1A else "<"
                unpack = big if magic[0] == 0x1A else little
                size = struct.unpack_from(self._order + "I", window, at + 4)[0]
                self._section = []
            if size < 12:
                self._fault("length", f"A block claims to have {size} bytes.", at)
                return
            size = (size + 3) & ~3
            if size > _BLOCK_MAX_BYTES:
                self._fault(
                    "length", f"A block of {size} bytes is too long to be believed; skipped.", at
                )
                if not source.skip(at, size):
                    faults.add("cut", "The file ends within that block.", self._number)
                    return
                at, window = 0, source.window
                end = len(window)
                continue
            if at + size > end:
                if not source.refill(at, size):
                    self._fault(
                        "cut",
                        f"The file ends within a block, after {len(source.window)} of {size} "
                        f"bytes.",
                        0,
                    )
                    return
                at, window = 0, source.window
                end = len(window)
            if window[at + size - 4 : at + size] != window[at + 4 : at + 8]:
                self._fault("length", "A block's two lengths differ; the first is believed.", at)
            record = self._block(kind, window[at + 8 : at + size - 4], at)
            if record is not None:
                yield record
            at += size

    def _fault(self, rule: str, text: str, at: int) -> None:
        self._faults.add(rule, text, self._number, self._source.begin + at)

    def _block(self, kind: int, body: bytes, at: int) -> Record | None:
        if kind == _PACKET:
            return self._packet(body, at, "IIIII", 20)
        if kind == _OLD_PACKET:
            return self._packet(body, at, "HHIIII", 20)
        if kind == _SIMPLE_PACKET:
            return self._simple(body, at)
        if kind == _INTERFACE:
            self._interface(body, at)
        elif kind == _NAMES:
            self._names(body)
        elif kind == _STATISTICS:
            self._take_statistics(body)
        elif kind == _SECRETS:
            self._take_secrets(body, at)
        elif kind in _COUNTED:
            self._number += 1
            return Record(self._number, 0, b"", len(body), NOT_A_FRAME)
        return None

    def _take_statistics(self, body: bytes) -> None:
        """
        Take how many frames an interface has dropped since it began; the last count stands.
        """
        if len(body) < _STATISTICS_BYTES:
            return
        (index,) = struct.unpack_from(self._order + "I", body)
        if index >= len(self._section):
            return
        dropped = 0
        for code, value in self._options(body[_STATISTICS_BYTES:]):
            if code in _DROPS and len(value) == 8:
                dropped += struct.unpack(self._order + "Q", value)[0]
        self.drops[self._section[index][0].number] = dropped

    def _take_secrets(self, body: bytes, at: int) -> None:
        if len(body) < 8:
            self._fault("secrets", "A block of secrets is shorter than its own header.", at)
            return
        kind, size = struct.unpack_from(self._order + "II", body)
        if kind != _TLS_KEY_LOG:
            return
        data = body[8 : 8 + size]
        if len(data) > self._secrets_room:
            self._fault("secrets", "The file holds more secrets than are kept.", at)
            return
        self._secrets_room -= len(data)
        self.secrets.append(data)

    def _options(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        at = 0
        while at + 4 <= len(data):
            code, size = struct.unpack_from(self._order + "HH", data, at)
            if code == 0:
                return
            yield code, data[at + 4 : at + 4 + size]
            at += 4 + ((size + 3) & ~3)

    def _interface(self, body: bytes, at: int) -> None:
        if len(body) < 8 or len(self.interfaces) >= _INTERFACES_MAX:
            self._fault("interface", "An interface's description is cut, or one too many.", at)
            return
        link_type, _, snaplen = struct.unpack_from(self._order + "HHI", body)
        name = description = ""
        resolution, offset_seconds, check_bytes = 6, 0, -1
        for code, value in self._options(body[8:]):
            if code == 2:
                name = _text(value[:_NAME_MAX_BYTES])
            elif code == 3:
                description = _text(value[:_NAME_MAX_BYTES])
            elif code == 9 and value:
                resolution = value[0]
            elif code == 13 and value:
                check_bytes = value[0]
            elif code == 14 and len(value) == 8:
                offset_seconds = struct.unpack(self._order + "q", value)[0]
        clock = _Clock(resolution, offset_seconds)
        interface = Interface(
            link_type,
            name,
            description,
            snaplen,
            len(self.interfaces),
            check_bytes,
            max(1, clock.multiplier // clock.divisor),
        )
        self.interfaces.append(interface)
        self._section.append((interface, clock))

    def _packet(self, body: bytes, at: int, layout: str, header_bytes: int) -> Record | None:
        self._number += 1
        if len(body) < header_bytes:
            self._fault("length", "A packet block is shorter than its own header.", at)
            return Record(self._number, 0, b"", 0, NOT_A_FRAME)
        index, *_, high, low, captured, length = struct.unpack_from(self._order + layout, body)
        if captured > len(body) - header_bytes:
            self._fault(
                "length",
                f"A frame claims {captured} captured bytes in a block that has "
                f"{len(body) - header_bytes}.",
                at,
            )
            captured = len(body) - header_bytes
        if index >= len(self._section):
            self._fault("interface", f"A frame names interface {index}, which is missing.", at)
            return Record(self._number, 0, body[20 : 20 + captured], length, NOT_A_FRAME)
        interface, clock = self._section[index]
        count = (high << 32) + low
        comments = tuple(
            _text(value)
            for (code, value), _ in zip(
                self._options(body[header_bytes + ((captured + 3) & ~3) :]),
                range(_COMMENTS_MAX),
                strict=False,
            )
            if code == 1
        )
        return Record(
            self._number,
            count * clock.multiplier // clock.divisor + clock.offset,
            body[header_bytes : header_bytes + captured],
            length,
            interface,
            comments,
        )

    def _simple(self, body: bytes, at: int) -> Record:
        self._number += 1
        if len(body) < 4 or not self._section:
            self._fault("interface", "A simple packet block is cut or has no interface.", at)
            return Record(self._number, 0, b"", 0, NOT_A_FRAME)
        interface = self._section[0][0]
        (length,) = struct.unpack_from(self._order + "I", body)
        captured = min(length, interface.snaplen or length, len(body) - 4)
        return Record(self._number, 0, body[4 : 4 + captured], length, interface)

    def _names(self, body: bytes) -> None:
        for code, value in self._options(body):
            size = {1: 4, 2: 16}.get(code)
            if size is None or len(value) <= size or len(self.names) >= _NAMES_MAX:
                continue
            # Several names may follow an address, each ended by a zero byte; the first is kept.
            name = _text(value[size:].partition(b"\0")[0][:_NAME_MAX_BYTES])
            self.names.setdefault(value[:size], name)


def _text(value: bytes) -> str:
    return value.rstrip(b"\0").decode(errors="replace")
