"""
Link headers: from a frame's first byte to the network protocol's.

Each function takes a frame and where it begins, and returns what follows: the EtherType (or what
stands for it) and its place. It raises C{IndexError} or C{struct.error} where the frame ends
before; the decoder catches both in one place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from netlab.capture.records import LinkType

IPV4: Final = 0x0800
IPV6: Final = 0x86DD
EITHER_IP: Final = -4
"""The first four bits tell the version."""

NOT_ETHERTYPE: Final = -1
"""Something that is no EtherType and carries no IP."""

_VLANS: Final = frozenset({0x8100, 0x88A8, 0x9100, 0x9200})
_MPLS: Final = frozenset({0x8847, 0x8848})
_PPPOE_SESSION: Final = 0x8864
_TAGS_MAX: Final = 16
"""Tags or labels on a frame; two are usual."""

#: BSD address families, whose numbers for IPv6 differ from system to system.
_FAMILIES: Final = {2: IPV4, 24: IPV6, 28: IPV6, 30: IPV6}

NAMES: Final = {
    0x0806: "ARP",
    0x8035: "RARP",
    0x86DD: "IPv6",
    0x0800: "IPv4",
    0x888E: "EAPOL",
    0x88CC: "LLDP",
    0x8863: "PPPoE discovery",
    0x88E5: "MACsec",
}
"""Names of EtherTypes for readers."""


def _u16(data: bytes, at: int) -> int:
    return (data[at] << 8) | data[at + 1]


def payload_of(data: bytes, ethertype: int, at: int) -> tuple[int, int]:
    """
    Follow VLAN tags, MPLS labels and PPPoE to the network protocol.

    @param ethertype: what the link header said.
    @param at: what follows the link header.
    """
    for _ in range(_TAGS_MAX):
        if ethertype in _VLANS:
            ethertype = _u16(data, at + 2)
            at += 4
            if ethertype < 0x0600:
                ethertype, at = llc(data, at)
        elif ethertype in _MPLS:
            while not data[at + 2] & 1:
                at += 4
            at += 4
            # A pseudo-wire's control word begins with zero and an Ethernet frame may follow it.
            return (EITHER_IP, at) if data[at] >> 4 in {4, 6} else (NOT_ETHERTYPE, at)
        elif ethertype == _PPPOE_SESSION:
            return _ppp_protocol(data, at + 6)
        else:
            break
    return ethertype, at


def ethernet(data: bytes, at: int) -> tuple[int, int]:
    """
    Ethernet II, and IEEE 802.3 with LLC.
    """
    ethertype = _u16(data, at + 12)
    if ethertype >= 0x0600:
        return payload_of(data, ethertype, at + 14)
    return payload_of(data, *llc(data, at + 14))


def llc(data: bytes, at: int) -> tuple[int, int]:
    """
    Logical link control (IEEE 802.2), with SNAP: to the EtherType, whose tags are not followed.
    """
    if data[at] == 0xAA and data[at + 1] == 0xAA and data[at + 2] == 3:
        # SNAP: an organisation and a protocol; 00-00-00 and 00-00-F8 mean EtherTypes.
        if data[at + 3 : at + 6] in {b"\0\0\0", b"\0\0\xf8"}:
            return _u16(data, at + 6), at + 8
        return NOT_ETHERTYPE, at
    if data[at] == 6 and data[at + 1] == 6 and data[at + 2] == 3:
        return IPV4, at + 3
    return NOT_ETHERTYPE, at


def _null(data: bytes, at: int) -> tuple[int, int]:
    family = int.from_bytes(data[at : at + 4], "little")
    if family > 0xFFFF:
        family = int.from_bytes(data[at : at + 4])
    return _FAMILIES.get(family, family if family >= 0x0600 else NOT_ETHERTYPE), at + 4


def _raw(data: bytes, at: int) -> tuple[int, int]:
    return EITHER_IP, at


def _sll(data: bytes, at: int) -> tuple[int, int]:
    hardware, protocol = _u16(data, at + 2), _u16(data, at + 14)
    if protocol == 4:
        return payload_of(data, *llc(data, at + 16))
    if hardware == 778:  # GRE without a link header of its own
        return protocol, at + 16
    return payload_of(data, protocol, at + 16)


def _sll2(data: bytes, at: int) -> tuple[int, int]:
    protocol = _u16(data, at)
    if protocol == 4:
        return payload_of(data, *llc(data, at + 20))
    return payload_of(data, protocol, at + 20)


def ppp(data: bytes, at: int) -> tuple[int, int]:
    """
    The point-to-point protocol (RFC 1661), with the header of RFC 1662 or without.
    """
    if data[at] == 0xFF and data[at + 1] == 3:
        at += 2
    return _ppp_protocol(data, at)


def _ppp_protocol(data: bytes, at: int) -> tuple[int, int]:
    # RFC 1661 section 2: an odd first byte is the whole protocol field, compressed.
    if data[at] & 1:
        protocol, at = data[at], at + 1
    else:
        protocol, at = _u16(data, at), at + 2
    if protocol == 0x0281:
        return payload_of(data, 0x8847, at)
    return {0x21: IPV4, 0x57: IPV6}.get(protocol, NOT_ETHERTYPE), at


def _cisco_hdlc(data: bytes, at: int) -> tuple[int, int]:
    return payload_of(data, _u16(data, at + 2), at + 4)


def _ppp_or_cisco(data: bytes, at: int) -> tuple[int, int]:
    if data[at] in {0x0F, 0x8F}:
        return _cisco_hdlc(data, at)
    return ppp(data, at)


def _frame_relay(data: bytes, at: int) -> tuple[int, int]:
    while not data[at] & 1:
        at += 1
    at += 1
    if data[at] == 3:
        at += 1
        if data[at] == 0:
            at += 1
        if data[at] == 0xCC:
            return IPV4, at + 1
        if data[at] == 0x8E:
            return IPV6, at + 1
        if data[at] == 0x80 and data[at + 1 : at + 4] == b"\0\0\0":
            return payload_of(data, _u16(data, at + 4), at + 6)
        return NOT_ETHERTYPE, at
    return payload_of(data, _u16(data, at), at + 2)


def ieee80211(data: bytes, at: int) -> tuple[int, int]:
    """
    A data frame of IEEE 802.11 that is not encrypted.
    """
    control, flags = data[at], data[at + 1]
    if control & 0x0C != 0x08 or control & 0x40 or flags & 0x40:
        return NOT_ETHERTYPE, at
    header = 30 if flags & 3 == 3 else 24
    if control & 0x80:
        is_ordered = flags & 0x80
        is_aggregate = data[at + header] & 0x80
        header += 6 if is_ordered else 2
        if is_aggregate:
            return NOT_ETHERTYPE, at
    return payload_of(data, *llc(data, at + header))


def _radiotap(data: bytes, at: int) -> tuple[int, int]:
    length = data[at + 2] | data[at + 3] << 8
    present = int.from_bytes(data[at + 4 : at + 8], "little")
    begin = at + length
    inner, place = ieee80211(data, begin)
    # Some cards pad the header to four bytes, which the flags field tells (0x20); it follows the
    # bit masks and, aligned to eight bytes, the time.
    if present & 2:
        field = at + 8
        mask = present
        while mask & 0x80000000:
            mask = int.from_bytes(data[field : field + 4], "little")
            field += 4
        if present & 1:
            field = at + ((field - at + 7) & ~7) + 8
        if data[field] & 0x20 and inner == NOT_ETHERTYPE and data[begin] & 0x8C == 0x88:
            return payload_of(data, *llc(data, place + 2))
    return inner, place


def _token_ring(data: bytes, at: int) -> tuple[int, int]:
    routing = data[at + 14] & 0x1F if data[at + 8] & 0x80 else 0
    return payload_of(data, *llc(data, at + 14 + routing))


def _fddi(data: bytes, at: int) -> tuple[int, int]:
    return payload_of(data, *llc(data, at + 13))


def _openbsd_enc(data: bytes, at: int) -> tuple[int, int]:
    return _null(data, at)[0], at + 12


def _pflog(data: bytes, at: int) -> tuple[int, int]:
    return _FAMILIES.get(data[at + 1], NOT_ETHERTYPE), at + ((data[at] + 3) & ~3)


def _nflog(data: bytes, at: int) -> tuple[int, int]:
    # This one has the numbers of Linux, where 10 is IPv6.
    family = {2: IPV4, 10: IPV6}.get(data[at], NOT_ETHERTYPE)
    at += 4
    while True:
        size = data[at] | data[at + 1] << 8
        kind = data[at + 2] | data[at + 3] << 8
        if kind & 0x7FFF == 9:
            return family, at + 4
        if size < 4:
            return NOT_ETHERTYPE, at
        at += (size + 3) & ~3


def _ieee1394(data: bytes, at: int) -> tuple[int, int]:
    return payload_of(data, _u16(data, at + 16), at + 18)


def _ipoib(data: bytes, at: int) -> tuple[int, int]:
    return payload_of(data, _u16(data, at + 40), at + 44)


def _ppi(data: bytes, at: int) -> tuple[int, int]:
    length = data[at + 2] | data[at + 3] << 8
    inner = int.from_bytes(data[at + 4 : at + 8], "little")
    if inner == 105:
        return ieee80211(data, at + length)
    return ethernet(data, at + length) if inner == LinkType.ETHERNET else (NOT_ETHERTYPE, at)


def _prism(data: bytes, at: int) -> tuple[int, int]:
    length = int.from_bytes(data[at + 4 : at + 8], "little")
    is_avs = data[at : at + 2] == b"\x80\x21"
    return ieee80211(data, at + (int.from_bytes(data[at + 4 : at + 8]) if is_avs else length))


HEADERS: Final[dict[int, Callable[[bytes, int], tuple[int, int]]]] = {
    LinkType.NULL: _null,
    LinkType.ETHERNET: ethernet,
    6: _token_ring,
    9: _ppp_or_cisco,
    10: _fddi,
    LinkType.RAW_BSD: _raw,
    LinkType.RAW_OPENBSD: _raw,
    50: _ppp_or_cisco,
    51: lambda data, at: _ppp_protocol(data, at + 6),
    LinkType.RAW: _raw,
    104: _ppp_or_cisco,
    105: ieee80211,
    107: _frame_relay,
    LinkType.LOOP: _null,
    109: _openbsd_enc,
    LinkType.LINUX_SLL: _sll,
    117: _pflog,
    119: _prism,
    127: _radiotap,
    138: _ieee1394,
    163: _prism,
    192: _ppi,
    LinkType.IPV4: lambda data, at: (IPV4, at),
    LinkType.IPV6: lambda data, at: (IPV6, at),
    239: _nflog,
    242: _ipoib,
    LinkType.LINUX_SLL2: _sll2,
}
"""By the registry's number of the link type."""
