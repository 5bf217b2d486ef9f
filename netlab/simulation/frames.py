"""
Frames around segments, and back: Ethernet, IPv4 or IPv6, and the checksums.
"""

from __future__ import annotations

import struct
from functools import lru_cache
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

#: Ethernet, IPv4 without options and TCP.
_USUAL: Final = struct.Struct(">12xHBBH2xHxB2x4s4sHHIIHH2xH").unpack_from
_USUAL_BYTES: Final = 54

_PAIRS_MAX: Final = 1024

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
    source, destination, segment = outgoing[:3]
    pair = source + destination
    (
        source_port,
        destination_port,
        seq,
        ack,
        flags,
        window,
        options,
        payload,
        urgent,
    ) = segment
    offset = 20 + len(options)
    length = offset + len(payload)
    # The checksum (RFC 1071) is the sum of 16-bit words modulo 65535, whatever they are summed in:
    # so the parts are, each in one step, rather than the whole once it is put together.
    words = _TCP(source_port, destination_port, seq, ack, offset << 10 | flags, window, 0, urgent)
    total = (
        _pair_sum(pair)
        + length
        + int.from_bytes(words)
        + int.from_bytes(options)
        + int.from_bytes(payload + b"\0" if length & 1 else payload)
    )
    checksum = 65535 - (total % 65535 or 65535)
    body = b"".join((words[:16], checksum.to_bytes(2), words[18:], options, payload))
    if len(pair) == 8:
        size, fragment = _IPV4_BYTES + length, _DONT_FRAGMENT if outgoing.dont_fragment else 0
        kind = outgoing.ttl << 8 | _TCP_PROTOCOL
        total = (0x4500 | outgoing.ecn) + size + identification + fragment + kind + _words(pair)
        return b"".join(
            (
                _ETHERTYPE_4,
                _IPV4(
                    0x45,
                    outgoing.ecn,
                    size,
                    identification,
                    fragment,
                    outgoing.ttl,
                    _TCP_PROTOCOL,
                    65535 - (total % 65535 or 65535),
                    pair,
                ),
                body,
            )
        )
    head = _IPV6(6 << 28 | outgoing.ecn << 20, length, _TCP_PROTOCOL, outgoing.ttl, pair)
    return b"".join((_ETHERTYPE_6, head, body))


@lru_cache(_PAIRS_MAX)
def _words(pair: bytes) -> int:
    """
    Sum the words of two addresses.
    """
    return int.from_bytes(pair) % 65535


def _pair_sum(pair: bytes) -> int:
    """
    Sum what a pseudo-header has besides the length.
    """
    return _words(pair) + _TCP_PROTOCOL


def read_usual(frame: bytes) -> Arrived | None:
    """
    Take a segment out of a frame of the most usual kind: Ethernet, IPv4 without options and not
    fragmented. It is what L{arrived} makes of what the decoder of captures finds, in a third of
    the time.

    @return: None if the frame is of another kind, and also if the checksum is wrong.
    """
    if len(frame) < _USUAL_BYTES:
        return None
    (
        ethertype,
        version_length,
        ecn,
        size,
        fragment,
        protocol,
        source,
        destination,
        source_port,
        destination_port,
        seq,
        ack,
        offset_flags,
        window,
        urgent,
    ) = _USUAL(frame)
    end = 14 + size
    offset = 34 + (offset_flags >> 12 << 2)
    if (
        ethertype != 0x0800
        or version_length != 0x45
        or fragment & 0x3FFF
        or protocol != _TCP_PROTOCOL
        or not _USUAL_BYTES <= offset <= end <= len(frame)
    ):
        return None
    segment = frame[34:end]
    length = end - 34
    total = _pair_sum(frame[26:34]) + length
    if (total + int.from_bytes(segment + b"\0" if length & 1 else segment)) % 65535:
        return None
    return Arrived(
        source,
        destination,
        TCPSegment(
            source_port,
            destination_port,
            seq,
            ack,
            offset_flags & 0xFFF,
            window,
            frame[_USUAL_BYTES:offset],
            frame[offset:end],
            urgent,
        ),
        ecn & 3,
    )


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
