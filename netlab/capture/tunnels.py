"""
What carries IP inside IP: GRE, and what rides on UDP. As in L{netlab.capture.links}, each function
returns an EtherType and a place, and raises C{IndexError} where the data ends before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from netlab.capture.links import (
    EITHER_IP,
    IPV6,
    NOT_ETHERTYPE,
    ethernet,
    payload_of,
    ppp,
)

_TRANSPARENT_ETHERNET: Final = 0x6558
_GRE_PPP: Final = 0x880B
_ERSPAN: Final = 0x88BE
_ERSPAN3: Final = 0x22EB


def _u16(data: bytes, at: int) -> int:
    return (data[at] << 8) | data[at + 1]


def gre(data: bytes, at: int) -> tuple[int, int]:
    """
    Generic routing encapsulation (RFC 2784, RFC 2890; version 1 is RFC 2637).
    """
    flags, protocol = _u16(data, at), _u16(data, at + 2)
    if flags & 0x4000:  # source routes, long out of use
        return NOT_ETHERTYPE, at
    has_sequence = bool(flags & 0x1000)
    at += 4
    for bit in (0x8000, 0x2000, 0x1000):
        at += 4 if flags & bit else 0
    if flags & 7 == 1 and flags & 0x80:
        at += 4
    if protocol == _GRE_PPP:
        return ppp(data, at)
    if protocol == _ERSPAN:
        return ethernet(data, at + 8 if has_sequence else at)
    if protocol == _ERSPAN3:
        return ethernet(data, at + (20 if data[at + 11] & 1 else 12))
    return carried(data, protocol, at)


def carried(data: bytes, protocol: int, at: int) -> tuple[int, int]:
    """
    What a header with an EtherType of its own carries.
    """
    if protocol == _TRANSPARENT_ETHERNET:
        return ethernet(data, at)
    return payload_of(data, protocol, at)


def _vxlan(data: bytes, at: int) -> tuple[int, int]:
    return ethernet(data, at + 8)


def _geneve(data: bytes, at: int) -> tuple[int, int]:
    return carried(data, _u16(data, at + 2), at + 8 + (data[at] & 0x3F) * 4)


def _gtp_user(data: bytes, at: int) -> tuple[int, int]:
    flags, kind = data[at], data[at + 1]
    if flags >> 5 != 1 or kind != 255:
        return NOT_ETHERTYPE, at
    at += 8
    if flags & 7:
        extension = data[at + 3]
        at += 4
        while extension and flags & 4:
            size = data[at] * 4
            if size == 0:
                return NOT_ETHERTYPE, at
            extension = data[at + size - 1]
            at += size
    return (EITHER_IP, at) if data[at] >> 4 in {4, 6} else (NOT_ETHERTYPE, at)


def _l2tp(data: bytes, at: int) -> tuple[int, int]:
    flags = _u16(data, at)
    if flags & 0x8000 or flags & 0xF != 2:  # a control message, or another version
        return NOT_ETHERTYPE, at
    at += 6 + (2 if flags & 0x4000 else 0) + (4 if flags & 0x0800 else 0)
    if flags & 0x0200:
        at += 2 + _u16(data, at)
    return ppp(data, at)


def _teredo(data: bytes, at: int) -> tuple[int, int]:
    if data[at : at + 2] == b"\0\x01":
        at += 13 + data[at + 2] + data[at + 3]
    if data[at : at + 2] == b"\0\0":
        at += 8
    return (IPV6, at) if data[at] >> 4 == 6 else (NOT_ETHERTYPE, at)


UDP: Final[dict[int, Callable[[bytes, int], tuple[int, int]]]] = {
    1701: _l2tp,
    2152: _gtp_user,
    3544: _teredo,
    4789: _vxlan,
    6081: _geneve,
}
"""By the port at either end."""
