"""
Frames without what nobody else is to see.

A frame is made anew of what may be shown, header by header; whatever is not named here does not
reach it. It ends behind its TCP header, as in a capture with a short snapshot length; its length on
the wire stays. Checksums are made anew too, since they are sums of what is hidden.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from netlab.analysis.explanation.privacy import Discretion
from netlab.capture import checksums
from netlab.capture.decode import Decoder
from netlab.capture.records import LinkType, Record
from netlab.capture.segments import Checksum, Flag, Segment

_END: Final = 0
_NO_OPERATION: Final = 1
_TIMESTAMPS: Final = 8

#: The TCP options that may be shown, each with the lengths that it may have: MSS, window scale,
#: SACK permitted, SACK, timestamps. Others hold addresses (Multipath TCP's, RFC 8684 section
#: 3.4.1), a name for a client (fast open's cookie), or a sum of the payload (Multipath TCP's DSS;
#: MD5 and TCP-AO's).
_OPTIONS_SHOWN: Final = {
    2: frozenset({4}),
    3: frozenset({3}),
    4: frozenset({2}),
    5: frozenset({10, 18, 26, 34}),
    _TIMESTAMPS: frozenset({10}),
}

_ETHERNET_BYTES: Final = 14
_HARDWARE_BYTES: Final = 12
_TAGS: Final = frozenset({b"\x81\x00", b"\x88\xa8", b"\x91\x00", b"\x92\x00"})
_IP_TYPES: Final = frozenset({b"\x08\x00", b"\x86\xdd"})
_IPV4_BYTES: Final = 20
_IPV6_BYTES: Final = 40
_TCP_BYTES: Final = 20

#: Links whose header says nothing but which version of IP follows.
_BARE: Final[dict[int, int]] = {
    LinkType.NULL: 4,
    LinkType.LOOP: 4,
    LinkType.RAW: 0,
    LinkType.RAW_BSD: 0,
    LinkType.RAW_OPENBSD: 0,
    LinkType.IPV4: 0,
    LinkType.IPV6: 0,
}

_NOT_FRAGMENT_OFFSET: Final = 0xC000
"""Of IPv4's flags and offset: the reserved bit, and that it must not be fragmented."""


class Frame(NamedTuple):
    """
    A frame to be written.

    @ivar data: Its bytes.
    @ivar length: Its length on the wire.
    """

    data: bytes
    length: int


class Redactor:
    """
    Leaves out of a capture's frames what is not to be seen.
    """

    def __init__(self, discretion: Discretion) -> None:
        """
        @param discretion: What that is.
        """
        self._discretion = discretion
        self._identifications: dict[int, int] = {0: 0}

    def redacted(self, record: Record) -> Frame | None:
        """
        Leave out of a frame what is not to be seen.

        @param record: The frame.
        @return: What may be seen; C{None} for a frame of which not every header is known: with
            anything left out, only whole TCP segments remain, behind one IP header.
        """
        if self._discretion.quotes:
            return Frame(record.data, record.length)
        segment = Decoder().decode(record)
        if (
            not isinstance(segment, Segment)
            or segment.fragments
            or segment.is_partial
            or segment.tcp_bytes < _TCP_BYTES
            or segment.tcp_at + _TCP_BYTES > len(record.data)
        ):
            return None
        link = self._link(record, segment)
        network = self._network(segment)
        if link is None or network is None:
            return None
        header, addresses = network
        data = link + header + self._transport(segment, addresses)
        return Frame(data[: len(record.data)], record.length)

    def _link(self, record: Record, segment: Segment) -> bytes | None:
        """
        Write the link header, without hardware addresses and tags where addresses are replaced.

        @return: It; C{None} if it is of another kind, or holds a tunnel's header.
        """
        data, size = record.data, segment.ip_at
        hides = self._discretion.anonymises
        match record.interface.link_type:
            case LinkType.ETHERNET:
                return self._ethernet(data[:size])
            case LinkType.LINUX_SLL if size == 16:
                length = 0 if hides else min(int.from_bytes(data[4:6]), 8)
                return data[:6] + data[6 : 6 + length].ljust(8, b"\0") + data[14:16]
            case LinkType.LINUX_SLL2 if size == 20:
                length = 0 if hides else min(data[11], 8)
                return data[:2] + b"\0\0" + data[4:12] + data[12 : 12 + length].ljust(8, b"\0")
            case link_type if _BARE.get(link_type, -1) == size:
                return data[:size]
            case _:
                return None

    def _ethernet(self, header: bytes) -> bytes | None:
        hides = self._discretion.anonymises
        written = bytes(_HARDWARE_BYTES) if hides else header[:_HARDWARE_BYTES]
        at = _HARDWARE_BYTES
        while header[at : at + 2] in _TAGS:
            written += header[at : at + 2] + (b"\0\0" if hides else header[at + 2 : at + 4])
            at += 4
        is_ip = header[at : at + 2] in _IP_TYPES and len(header) == at + 2
        return written + header[at : at + 2] if is_ip else None

    def _network(self, segment: Segment) -> tuple[bytes, bytes] | None:
        """
        Write the IP header.

        @return: It and its addresses, source and destination; C{None} if there is more than one,
            or an extension header.
        """
        at, end, data = segment.ip_at, segment.tcp_at, segment.data
        if segment.ip_version == 6:
            if end - at != _IPV6_BYTES:
                return None
            addresses = self._addresses(data[at + 8 : at + 24], data[at + 24 : at + 40])
            # Systems make the flow label of the addresses.
            label = 0xFFF00000 if self._discretion.anonymises else 0xFFFFFFFF
            first = int.from_bytes(data[at : at + 4]) & label
            return first.to_bytes(4) + data[at + 4 : at + 8] + addresses, addresses
        size = (data[at] & 15) * 4
        if end - at != size:
            return None
        addresses = self._addresses(data[at + 12 : at + 16], data[at + 16 : at + 20])
        flags = int.from_bytes(data[at + 6 : at + 8]) & _NOT_FRAGMENT_OFFSET
        # Options may hold addresses (a recorded route): no-operations instead.
        options = bytes([_NO_OPERATION]) * (size - _IPV4_BYTES)
        before = data[at : at + 4] + struct.pack("!HH", self._identification(segment.ip_id), flags)
        before += data[at + 8 : at + 10]
        total = checksums.ones_complement_sum(before + b"\0\0" + addresses + options)
        return before + (0xFFFF - total).to_bytes(2) + addresses + options, addresses

    def _addresses(self, source: bytes, destination: bytes) -> bytes:
        address = self._discretion.raw_address
        return address(source) + address(destination)

    def _identification(self, number: int) -> int:
        """
        Give an identification, or its number in order of appearance: a copy of a frame has the same
        one still, and how many frames a host has sent to others does not show.
        """
        if not self._discretion.anonymises:
            return number
        return self._identifications.setdefault(number, len(self._identifications))

    def _transport(self, segment: Segment, addresses: bytes) -> bytes:
        """
        Write the TCP header with its options.

        @param addresses: Source and destination, as they are shown.
        """
        at, end, data = segment.tcp_at, segment.payload_at, segment.data
        urgent = data[at + 18 : at + 20] if segment.flags & Flag.URG else b"\0\0"
        options = shown_options(
            data[at + _TCP_BYTES : end], timestamps=not self._discretion.anonymises
        )
        before, after = data[at : at + 16], urgent + options
        after = after.ljust(end - at - len(before) - 2, bytes([_NO_OPERATION]))
        pseudo = checksums.pseudo_header_sum(addresses, end - at + segment.length)
        right = 0xFFFF - (pseudo + checksums.ones_complement_sum(before + b"\0\0" + after)) % 0xFFFF
        match segment.checksum:
            case Checksum.OFFLOADED:
                shown = pseudo
            case Checksum.GOOD if not segment.length:
                shown = right
            case Checksum.BAD if not segment.length:
                shown = next(wrong for wrong in _wrong(right) if wrong != pseudo)
            case _:
                # The payload is not there, so nobody can check it, nor learn from it.
                shown = 0
        return before + shown.to_bytes(2) + after


def with_shown_options(segment: Segment) -> Segment:
    """
    Give a segment without what may not be shown of malformed options.
    """
    if segment.options and segment.option_values.problem:
        return segment._replace(options=shown_options(segment.options))
    return segment


def shown_options(options: bytes, *, timestamps: bool = True) -> bytes:
    """
    Write TCP options, with no-operations in place of those that may not be shown: unknown ones,
    those of a wrong length, and what follows the end of the list.

    @param options: As they follow a TCP header's first 20 bytes.
    @param timestamps: Whether timestamps may be shown.
    """
    written = bytearray()
    at = 0
    while at < len(options) and options[at] != _END:
        kind = options[at]
        if kind == _NO_OPERATION:
            written.append(kind)
            at += 1
            continue
        length = options[at + 1] if at + 1 < len(options) else 0
        if length < 2 or at + length > len(options):
            break
        is_shown = length in _OPTIONS_SHOWN.get(kind, ()) and (timestamps or kind != _TIMESTAMPS)
        option = options[at : at + length]
        written += option if is_shown else bytes([_NO_OPERATION]) * length
        at += length
    return bytes(written).ljust(len(options), bytes([_NO_OPERATION]))


def _wrong(right: int) -> tuple[int, int]:
    """
    Give checksums in place of a right one that are wrong, and tell nothing else.
    """
    return right ^ 0x5555, right ^ 0x2AAA
