"""
Frames without what nobody else is to see.

A payload is left out by cutting the frame behind its TCP header, as a capture with a short snapshot
length does; its length on the wire stays. Addresses are replaced in the IP header, hardware
addresses by zeros, and IPv4's header checksum is made right again.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from netlab.analysis.claims.privacy import Discretion
from netlab.capture import checksums
from netlab.capture.decode import Decoder
from netlab.capture.records import LinkType, Record
from netlab.capture.segments import Segment

_HARDWARE_BYTES: Final = 12
_NO_OPERATION: Final = 1

#: MSS, window scale, SACK permitted, SACK, timestamps: they are what the story is about.
_HARMLESS_OPTIONS: Final = frozenset({2, 3, 4, 5, 8})

#: How long the header of each link is that we know to hold no address but those replaced below.
#: Ethernet's may have two tags. There is no room in any for an IP header of a tunnel.
_LINK_BYTES: Final = {
    LinkType.ETHERNET: (14, 18, 22),
    LinkType.NULL: (4,),
    LinkType.LOOP: (4,),
    LinkType.LINUX_SLL: (16,),
    LinkType.LINUX_SLL2: (20,),
    LinkType.RAW: (0,),
    LinkType.RAW_BSD: (0,),
    LinkType.RAW_OPENBSD: (0,),
    LinkType.IPV4: (0,),
    LinkType.IPV6: (0,),
}


class Frame(NamedTuple):
    """
    A frame to be written.

    @ivar data: Its bytes.
    @ivar length: Its length on the wire.
    """

    data: bytes
    length: int


def redacted(record: Record, discretion: Discretion) -> Frame | None:
    """
    Leave out of a frame what is not to be seen.

    @param record: The frame.
    @param discretion: What that is.
    @return: What may be seen; C{None} for a frame that cannot be looked into far enough: with
        anything left out, only whole TCP segments remain.
    """
    if discretion.shows_payload and not discretion.anonymises:
        return Frame(record.data, record.length)
    segment = Decoder().decode(record)
    if not isinstance(segment, Segment) or segment.fragments or segment.is_quoted:
        return None
    data = bytearray(record.data[: segment.payload_at])
    if discretion.anonymises and not _anonymise(data, segment, discretion):
        return None
    return Frame(bytes(data), record.length)


def _anonymise(data: bytearray, segment: Segment, discretion: Discretion) -> bool:
    """
    Replace addresses in place.

    @return: Whether all of them were found: what precedes the IP header must be a link header that
        we know, and no tunnel's.
    """
    size = 4 if segment.ip_version == 4 else 16
    at = segment.ip_at + (12 if size == 4 else 8)
    link_type = segment.record.interface.link_type
    allowed = next((sizes for known, sizes in _LINK_BYTES.items() if known == link_type), ())
    if segment.link_bytes not in allowed or at + 2 * size > len(data):
        return False
    for start in (at, at + size):
        data[start : start + size] = discretion.raw_address(bytes(data[start : start + size]))
    if size == 4:
        header = slice(segment.ip_at, segment.ip_at + 20)
        end = segment.ip_at + segment.ip_bytes
        if segment.ip_bytes > 20:
            # Options may hold addresses (a recorded route): no-operations instead.
            data[header.stop : end] = b"\x01" * (end - header.stop)
        data[segment.ip_at + 10 : segment.ip_at + 12] = b"\0\0"
        total = checksums.ones_complement_sum(bytes(data[segment.ip_at : end]))
        data[segment.ip_at + 10 : segment.ip_at + 12] = (0xFFFF - total).to_bytes(2, "big")
    elif segment.ip_bytes > 40:
        return False
    _blank_options(data, segment)
    match link_type:
        case LinkType.ETHERNET:
            data[:_HARDWARE_BYTES] = bytes(_HARDWARE_BYTES)
        case LinkType.LINUX_SLL:
            data[6:14] = bytes(8)
        case LinkType.LINUX_SLL2:
            data[12:20] = bytes(8)
        case _:
            pass
    return True


def _blank_options(data: bytearray, segment: Segment) -> None:
    """
    Put no-operations where a TCP option may hold an address (Multipath TCP's do, RFC 8684 section
    3.4.1) or a name for a client (fast open's cookie).
    """
    # The frame may have been cut within them.
    stop = min(segment.payload_at, len(data))
    at = segment.tcp_at + 20
    while at < stop and data[at]:
        if data[at] == _NO_OPERATION:
            at += 1
            continue
        length = data[at + 1] if at + 1 < stop else 0
        end = at + length if length >= 2 and at + length <= stop else stop
        if data[at] not in _HARMLESS_OPTIONS or end != at + length:
            data[at:end] = bytes([_NO_OPERATION]) * (end - at)
        at = end
