"""
Frames and capture files put together byte by byte, for tests to read.

Nothing here imports C{netlab}: what a test feeds the reader is not made by the reader's own house.
"""

from __future__ import annotations

import enum
import ipaddress
import struct
from collections.abc import Iterable
from dataclasses import dataclass

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << bit for bit in range(8))
FLAGS = {"FIN": FIN, "SYN": SYN, "RST": RST, "PSH": PSH, "ACK": ACK, "URG": URG}

#: LINKTYPE_ values of the pcap registry.
LINK_NULL, LINK_ETHERNET = 0, 1

_ETHERTYPE_IPV4, _ETHERTYPE_IPV6 = 0x0800, 0x86DD
#: AF_INET and AF_INET6 of the system that wrote the capture: those of Windows' and BSD's loopback.
_FAMILY_IPV4, _FAMILY_IPV6 = 2, 24
_ETHERNET_MIN_BYTES = 60
_PROTOCOL_TCP = 6


class Checksum(enum.Enum):
    """
    What stands in a segment's checksum field.
    """

    GOOD = enum.auto()
    BAD = enum.auto()
    OFFLOADED = enum.auto()
    """Only the pseudo-header's sum: the network card was to fill in the rest."""


@dataclass(frozen=True, slots=True)
class Segment:
    """
    A TCP segment and its addresses.

    @ivar src: The sender's address, IPv4 or IPv6.
    @ivar dst: The receiver's address, of the same family.
    @ivar srcport: The sender's port.
    @ivar dstport: The receiver's port.
    @ivar seq: The raw sequence number.
    @ivar ack: The raw acknowledgement number.
    @ivar flags: A sum of this module's flags.
    @ivar payload: The data.
    @ivar window: The window field, unscaled.
    @ivar options: TCP options, padded to a multiple of four bytes.
    @ivar checksum: What stands in the checksum field.
    @ivar ttl: Time to live, or hop limit.
    @ivar urgent: The urgent pointer.
    """

    src: str
    dst: str
    srcport: int
    dstport: int
    seq: int
    ack: int = 0
    flags: int = ACK
    payload: bytes = b""
    window: int = 65535
    options: bytes = b""
    checksum: Checksum = Checksum.GOOD
    ttl: int = 128
    urgent: int = 0


def syn_options(mss: int, shift: int | None = None, *, sack_permitted: bool = False) -> bytes:
    """
    Make the options of a SYN in the order that Windows sends them.

    @param mss: The maximum segment size.
    @param shift: The window scale shift; C{None} leaves the option out.
    @param sack_permitted: Whether selective acknowledgements are allowed.
    @return: The options, padded to a multiple of four bytes.
    """
    options = struct.pack("!BBH", 2, 4, mss)
    if shift is not None:
        options += struct.pack("!BBBB", 1, 3, 3, shift)
    if sack_permitted:
        options += b"\x01\x01\x04\x02"
    return options


def sack_option(ranges: Iterable[tuple[int, int]]) -> bytes:
    """
    Make the option that acknowledges selectively (RFC 2018 section 3).

    @param ranges: Each from its first raw number to the one after its last.
    @return: The option, padded to a multiple of four bytes; nothing without ranges.
    """
    edges = b"".join(struct.pack("!II", start, end) for start, end in ranges)
    return b"\x01\x01\x05" + bytes([2 + len(edges)]) + edges if edges else b""


def ip_packet(segment: Segment, identification: int = 0) -> bytes:
    """
    Put a segment into an IPv4 or IPv6 packet with right lengths and sums.

    @param segment: The segment.
    @param identification: IPv4's identification field.
    @return: The packet.
    """
    source = ipaddress.ip_address(segment.src)
    target = ipaddress.ip_address(segment.dst)
    header_words = 5 + len(segment.options) // 4
    tcp = (
        struct.pack(
            "!HHIIHHHH",
            segment.srcport,
            segment.dstport,
            segment.seq % 2**32,
            segment.ack % 2**32,
            header_words << 12 | segment.flags,
            segment.window,
            0,
            segment.urgent,
        )
        + segment.options
        + segment.payload
    )
    pseudo = source.packed + target.packed
    pseudo += struct.pack(
        "!II" if source.version == 6 else "!HH",
        *((len(tcp), _PROTOCOL_TCP) if source.version == 6 else (_PROTOCOL_TCP, len(tcp))),
    )
    match segment.checksum:
        case Checksum.GOOD:
            sums = 0xFFFF - _sum(pseudo + tcp)
        case Checksum.BAD:
            sums = (0xFFFF - _sum(pseudo + tcp)) ^ 0x5555
        case Checksum.OFFLOADED:
            sums = _sum(pseudo)
    tcp = tcp[:16] + struct.pack("!H", sums) + tcp[18:]
    if source.version == 6:
        head = struct.pack("!IHBB", 6 << 28, len(tcp), _PROTOCOL_TCP, segment.ttl)
        return head + source.packed + target.packed + tcp
    head = struct.pack(
        "!BBHHHBBH", 0x45, 0, 20 + len(tcp), identification, 0x4000, segment.ttl, _PROTOCOL_TCP, 0
    )
    head += source.packed + target.packed
    return head[:10] + struct.pack("!H", 0xFFFF - _sum(head)) + head[12:] + tcp


def null_frame(packet: bytes) -> bytes:
    """
    Put an IP packet behind the BSD loopback header, in little-endian order as on a PC.
    """
    family = _FAMILY_IPV6 if packet[0] >> 4 == 6 else _FAMILY_IPV4
    return struct.pack("<I", family) + packet


def ethernet_frame(packet: bytes, source: bytes, target: bytes, *, padded: bool = False) -> bytes:
    """
    Put an IP packet into an Ethernet frame.

    @param packet: The packet.
    @param source: The sender's hardware address.
    @param target: The receiver's hardware address.
    @param padded: Whether it has been on a wire, which pads it to 60 bytes.
    @return: The frame, without its check sequence.
    """
    ethertype = _ETHERTYPE_IPV6 if packet[0] >> 4 == 6 else _ETHERTYPE_IPV4
    frame = target + source + struct.pack("!H", ethertype) + packet
    return frame.ljust(_ETHERNET_MIN_BYTES, b"\0") if padded else frame


def pcap_file(link_type: int, frames: Iterable[tuple[int, bytes]]) -> bytes:
    """
    Make a classic capture file, little-endian, with nanoseconds.

    @param link_type: The LINKTYPE_ of all frames.
    @param frames: For each frame its time in nanoseconds since 1970 and its bytes.
    @return: The file.
    """
    parts = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, link_type)]
    for time_ns, frame in frames:
        seconds, rest = divmod(time_ns, 1_000_000_000)
        parts.append(struct.pack("<IIII", seconds, rest, len(frame), len(frame)))
        parts.append(frame)
    return b"".join(parts)


def _sum(data: bytes) -> int:
    """
    Add up 16-bit words in ones' complement (RFC 1071).
    """
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total
