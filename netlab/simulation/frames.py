"""
Frames around segments, and back: Ethernet, IPv4 or IPv6, and the checksums.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from netlab.capture.checksums import is_right, ones_complement_sum, pseudo_header_sum
from netlab.capture.segments import Segment
from netlab.tcp.segment import Outgoing, TCPSegment

_IPV4: Final = struct.Struct(">BBHHHBBH8s").pack
_IPV6: Final = struct.Struct(">IHBB32s").pack
_TCP: Final = struct.Struct(">HHIIHHHH").pack

_TCP_PROTOCOL: Final = 6
_DONT_FRAGMENT: Final = 0x4000
_ETHERTYPE_4, _ETHERTYPE_6 = b"\x08\x00", b"\x86\xdd"

_IPV4_BYTES: Final = 20
_IPV6_BYTES: Final = 40


class Arrived(NamedTuple):
    """
    A segment as a host has received it.

    @ivar source: 4 or 16 bytes.
    @ivar destination: 4 or 16 bytes.
    @ivar ecn: the two ECN bits of the IP header.
    """

    source: bytes
    destination: bytes
    segment: TCPSegment
    ecn: int


def frame_of(outgoing: Outgoing, addresses: bytes, identification: int) -> bytes:
    """
    Put a segment into a frame.

    @param addresses: the Ethernet addresses, destination first: 12 bytes.
    @param identification: IPv4's, 16 bits.
    """
    return addresses + packet_of(outgoing, identification)


def packet_of(outgoing: Outgoing, identification: int) -> bytes:
    """
    Put a segment into an IP datagram, with its Ethernet type before it.
    """
    pair = outgoing.source + outgoing.destination
    segment = outgoing.segment
    offset = 20 + len(segment.options)
    length = offset + len(segment.payload)
    header = _TCP(
        segment.source_port,
        segment.destination_port,
        segment.seq,
        segment.ack,
        offset << 10 | segment.flags,
        segment.window,
        0,
        segment.urgent,
    )
    body = b"".join((header, segment.options, segment.payload))
    total = pseudo_header_sum(pair, length) + ones_complement_sum(body)
    # The sum that makes the whole 0 (RFC 1071); the remainder 0 is written as all ones' opposite.
    checksum = 65535 - (total % 65535 or 65535)
    body = b"".join((body[:16], checksum.to_bytes(2), body[18:]))
    if len(pair) == 8:
        head = _IPV4(
            0x45,
            outgoing.ecn,
            _IPV4_BYTES + length,
            identification,
            _DONT_FRAGMENT if outgoing.dont_fragment else 0,
            outgoing.ttl,
            _TCP_PROTOCOL,
            0,
            pair,
        )
        checksum = 65535 - ones_complement_sum(head)
        return b"".join((_ETHERTYPE_4, head[:10], checksum.to_bytes(2), head[12:], body))
    head = _IPV6(6 << 28 | outgoing.ecn << 20, length, _TCP_PROTOCOL, outgoing.ttl, pair)
    return b"".join((_ETHERTYPE_6, head, body))


def arrived(segment: Segment) -> Arrived | None:
    """
    Take a segment out of its frame as a host does.

    @param segment: as the decoder of captures gives it.
    @return: None if its checksum is wrong, or it is not all there.
    """
    if segment.is_partial or segment.is_quoted:
        return None
    data, at = segment.data, segment.tcp_at
    key = segment.key
    half = len(key) // 2 - 2
    end = segment.payload_at + segment.length
    length = end - at
    if not is_right(pseudo_header_sum(key[:-4], length), data[at:end]):
        return None
    ip_at = segment.ip_at
    # IPv4 has a byte for it; in IPv6 the traffic class begins in the middle of one.
    ecn = data[ip_at + 1] & 3 if half == 4 else data[ip_at + 1] >> 4 & 3
    return Arrived(
        key[:half],
        key[half : 2 * half],
        TCPSegment(
            segment.srcport,
            segment.dstport,
            segment.seq,
            segment.ack,
            segment.flags,
            segment.window,
            segment.options,
            data[segment.payload_at : end],
            data[at + 18] << 8 | data[at + 19],
        ),
        ecn,
    )


_ICMP: Final = 1
_ICMPV6: Final = 58
_QUOTED_BYTES: Final = 548
"""What an ICMP error quotes: as much as fits into 576 bytes (RFC 1812 section 4.3.2.3)."""


def too_big_4(source: bytes, datagram: bytes, mtu: int) -> bytes:
    """
    Write the ICMP error of a datagram that must not be fragmented (RFC 1191 section 4), with its
    Ethernet type before it.

    @param source: the router's address.
    @param datagram: from its IP header on.
    @param mtu: the largest that would have gone on.
    """
    body = b"\x03\x04\0\0\0\0" + mtu.to_bytes(2) + datagram[:_QUOTED_BYTES]
    body = body[:2] + (65535 - ones_complement_sum(body)).to_bytes(2) + body[4:]
    pair = source + datagram[12:16]
    head = _IPV4(0x45, 0, _IPV4_BYTES + len(body), 0, 0, 64, _ICMP, 0, pair)
    checksum = 65535 - ones_complement_sum(head)
    return b"".join((_ETHERTYPE_4, head[:10], checksum.to_bytes(2), head[12:], body))


def too_big_6(source: bytes, datagram: bytes, mtu: int) -> bytes:
    """
    Write ICMPv6's Packet Too Big (RFC 4443 section 3.2), with its Ethernet type before it.
    """
    body = b"\x02\0\0\0" + mtu.to_bytes(4) + datagram[:1232]
    pair = source + datagram[8:24]
    total = ones_complement_sum(pair) + _ICMPV6 + len(body) + ones_complement_sum(body)
    checksum = 65535 - (total % 65535 or 65535)
    body = body[:2] + checksum.to_bytes(2) + body[4:]
    return b"".join((_ETHERTYPE_6, _IPV6(6 << 28, len(body), _ICMPV6, 64, pair), body))
