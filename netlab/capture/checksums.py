"""
The Internet checksum (RFC 1071), for TCP over IPv4 and IPv6 (RFC 9293 section 3.1).
"""

from __future__ import annotations

from typing import Final

_TCP: Final = 6


def ones_complement_sum(data: bytes) -> int:
    """
    Add 16-bit words, an odd last byte padded with zero, with end-around carry.

    @return: 0 to 65535; 0 only if all bytes are 0.
    """
    if len(data) % 2:
        data += b"\0"
    # 65536 is 1 modulo 65535, so the number that the bytes make has the same remainder as the sum
    # of its 16-bit digits. Both steps run in C.
    number = int.from_bytes(data)
    return (number % 65535) or (65535 if number else 0)


def pseudo_header_sum(addresses: bytes, length: int) -> int:
    """
    Sum the pseudo-header of a TCP segment.

    @param addresses: source and destination, 8 or 32 bytes.
    @param length: of the segment with its header, in bytes.
    """
    total = ones_complement_sum(addresses) + _TCP + (length >> 16) + (length & 0xFFFF)
    return total % 65535 or 65535


def is_right(pseudo: int, segment: bytes) -> bool:
    """
    Tell whether a whole segment's checksum is right.

    @param pseudo: what L{pseudo_header_sum} returned.
    @param segment: header and payload.
    """
    return (pseudo + ones_complement_sum(segment)) % 65535 == 0
