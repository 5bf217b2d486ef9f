"""
Reading pcap: draft-ietf-opsawg-pcap, with nanoseconds, both byte orders and the old variants.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from netlab.capture.records import Interface, Record
from netlab.capture.source import FRAME_MAX_BYTES, Source

FILE_HEADER_BYTES: Final = 24
_NANOSECONDS: Final = 1_000_000_000


class Variant(NamedTuple):
    """
    How a file with some magic number is laid out.

    @ivar order: of bytes, as C{struct} writes it.
    @ivar nanoseconds: what one step of a time's second half is.
    @ivar file_extra: bytes between the file header and the first record.
    @ivar record_extra: bytes between each record's 16-byte header and its data.
    """

    order: str
    nanoseconds: int
    file_extra: int = 0
    record_extra: int = 0


def _variants() -> dict[bytes, Variant]:
    known = {
        0xA1B2C3D4: (1000, 0, 0),
        0xA1B23C4D: (1, 0, 0),
        # Alexey Kuznetzov's libpcap of Red Hat 6: index, protocol and kind of packet follow.
        0xA1B2CD34: (1000, 0, 8),
        # Ixia's lcap, hardware and software: the size of all records follows the file header.
        0x1C0001AC: (1, 4, 0),
        0x1C0001AB: (1, 4, 0),
    }
    return {
        struct.pack(order + "I", magic): Variant(order, *rest)
        for order in "<>"
        for magic, rest in known.items()
    }


VARIANTS: Final = _variants()
"""By the first four bytes of a file."""


def read_pcap(source: Source, interfaces: list[Interface]) -> Iterator[Record]:
    """
    Read the records of a file until its end or until it makes no sense any more, which becomes a
    fault.

    @param source: at the beginning of a file whose first four bytes are among L{VARIANTS}.
    @param interfaces: the file's only interface is added to it.
    """
    faults = source.faults
    if not source.refill(0, FILE_HEADER_BYTES):
        faults.add("cut", "The file ends within its header.", offset=len(source.window))
        return
    order, fraction_ns, file_extra, record_extra = VARIANTS[source.window[:4]]
    _, major, minor, _, _, snaplen, network = struct.unpack_from(order + "IHHiIII", source.window)
    # The upper bits of the link type tell of frame check sequences (section 4).
    check_bytes = (network >> 28) * 2 if network & 0x04000000 else -1
    interface = Interface(network & 0xFFFF, "", "", snaplen, 0, check_bytes, fraction_ns)
    interfaces.append(interface)
    # Before version 2.3 the two lengths stood the other way round, in 2.3 sometimes.
    is_swapped = (major, minor) < (2, 3)
    may_be_swapped = (major, minor) == (2, 3)
    header = struct.Struct(order + "IIII")
    unpack = header.unpack_from
    header_bytes = 16 + record_extra
    new = tuple.__new__
    number = 0
    at = FILE_HEADER_BYTES + file_extra
    window = source.window
    end = len(window)
    while True:
        begin = at + header_bytes
        if begin > end:
            if not source.refill(min(at, end), header_bytes):
                if source.window:
                    faults.add(
                        "cut",
                        "The file ends within the header of the next frame.",
                        number,
                        source.begin,
                    )
                return
            at, begin = 0, header_bytes
            window = source.window
            end = len(window)
        seconds, fraction, captured, length = unpack(window, at)
        if is_swapped or (may_be_swapped and captured > length):
            captured, length = length, captured
        stop = begin + captured
        if stop > end:
            if captured > FRAME_MAX_BYTES:
                faults.add(
                    "length",
                    f"The next frame claims {captured} captured bytes, which is not believed; "
                    f"nothing after it can be read.",
                    number,
                    source.begin + at,
                )
                return
            if not source.refill(at, header_bytes + captured):
                faults.add(
                    "cut",
                    f"The file ends within the next frame, after "
                    f"{len(source.window) - header_bytes} of {captured} bytes.",
                    number,
                    source.begin,
                )
                return
            at, begin, stop = 0, header_bytes, header_bytes + captured
            window = source.window
            end = len(window)
        number += 1
        yield new(
            Record,
            (
                number,
                seconds * _NANOSECONDS + fraction * fraction_ns,
                window[begin:stop],
                length,
                interface,
                (),
            ),
        )
        at = stop
