"""
ICMP errors: what is reported, by whom, and about which datagram (RFC 792, RFC 1191, RFC 4443).

Eight bytes of what a datagram carried are enough: RFC 792 asks for no more. A TCP header's first
eight are its ports and its sequence number.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from netlab.capture.records import Record

DESTINATION_UNREACHABLE: Final = 3
TIME_EXCEEDED: Final = 11
FRAGMENTATION_NEEDED: Final = 4
"""A code of L{DESTINATION_UNREACHABLE}."""

PACKET_TOO_BIG_6: Final = 2

#: Types of message that quote what they are about.
ERRORS_4: Final = frozenset({3, 4, 5, 11, 12})
ERRORS_6: Final = frozenset({1, 2, 3, 4})

_HEADER_BYTES: Final = 8
_EXTENSIONS_MAX: Final = 8
_TCP: Final = 6

#: Codes of RFC 792, RFC 1122 section 3.2.2.1 and RFC 1812 section 5.2.7.1; types as in RFC 792.
_MEANINGS_4: Final = {
    (3, 0): "network unreachable",
    (3, 1): "host unreachable",
    (3, 2): "protocol unreachable",
    (3, 3): "port unreachable",
    (3, 4): "fragmentation needed",
    (3, 5): "source route failed",
    (3, 6): "destination network unknown",
    (3, 7): "destination host unknown",
    (3, 8): "source host isolated",
    (3, 9): "network administratively prohibited",
    (3, 10): "host administratively prohibited",
    (3, 11): "network unreachable for this type of service",
    (3, 12): "host unreachable for this type of service",
    (3, 13): "communication administratively prohibited",
    (3, 14): "host precedence violation",
    (3, 15): "precedence cutoff",
    (4, 0): "source quench",
    (5, 0): "redirect for the network",
    (5, 1): "redirect for the host",
    (5, 2): "redirect for the type of service and network",
    (5, 3): "redirect for the type of service and host",
    (11, 0): "time to live exceeded in transit",
    (11, 1): "fragment reassembly time exceeded",
    (12, 0): "parameter problem",
    (12, 1): "required option missing",
    (12, 2): "bad length",
}

#: RFC 4443 sections 3.1 to 3.4.
_MEANINGS_6: Final = {
    (1, 0): "no route to destination",
    (1, 1): "communication administratively prohibited",
    (1, 2): "beyond the scope of the source address",
    (1, 3): "address unreachable",
    (1, 4): "port unreachable",
    (1, 5): "source address failed ingress or egress policy",
    (1, 6): "reject route to destination",
    (2, 0): "packet too big",
    (3, 0): "hop limit exceeded in transit",
    (3, 1): "fragment reassembly time exceeded",
    (4, 0): "erroneous header field",
    (4, 1): "unrecognized next header type",
    (4, 2): "unrecognized IPv6 option",
}

_TYPES_4: Final = {
    3: "destination unreachable",
    4: "source quench",
    5: "redirect",
    11: "time exceeded",
    12: "parameter problem",
}
_TYPES_6: Final = {
    1: "destination unreachable",
    2: "packet too big",
    3: "time exceeded",
    4: "parameter problem",
}


class IcmpError(NamedTuple):
    """
    One ICMP error message.

    @ivar number: of the frame.
    @ivar time_ns: when it was captured, in nanoseconds since 1970.
    @ivar version: 4 or 6, of the IP that it belongs to.
    @ivar kind: its type.
    @ivar code: its code.
    @ivar mtu: the MTU of the next hop in bytes; 0 if it names none.
    @ivar sender: the address of the host that reports.
    @ivar protocol: what the quoted datagram carries, as a protocol number of IP; -1 if unknown.
    @ivar key: of what is quoted: addresses and ports as in L{netlab.capture.segments.Segment.key};
        empty if the quotation does not reach that far, or carries neither TCP nor UDP.
    @ivar seq: the quoted raw sequence number of TCP; -1 if there is none.
    @ivar size: the quoted datagram's length in bytes, by its header; 0 if unknown.
    """

    number: int
    time_ns: int
    version: int
    kind: int
    code: int
    mtu: int
    sender: bytes
    protocol: int
    key: bytes
    seq: int
    size: int = 0

    @property
    def means(self) -> str:
        """Its type and code in words, those of the RFCs."""
        meanings, types = (_MEANINGS_4, _TYPES_4) if self.version == 4 else (_MEANINGS_6, _TYPES_6)
        known = meanings.get((self.kind, self.code))
        return known or f"{types.get(self.kind, f'type {self.kind}')}, code {self.code}"

    @property
    def is_too_big(self) -> bool:
        """Whether it says that a datagram did not fit into the next hop's MTU."""
        if self.version == 6:
            return self.kind == PACKET_TOO_BIG_6
        return self.kind == DESTINATION_UNREACHABLE and self.code == FRAGMENTATION_NEEDED


def read_error(record: Record, data: bytes, at: int, version: int, sender: bytes) -> IcmpError:
    """
    Read an ICMP error.

    @param record: the frame.
    @param data: what C{at} counts in.
    @param at: where the ICMP header begins; two bytes of it are there.
    @param version: 4 or 6.
    @param sender: who sent it.
    """
    kind, code = data[at], data[at + 1]
    mtu = 0
    if version == 4 and kind == DESTINATION_UNREACHABLE and code == FRAGMENTATION_NEEDED:
        mtu = int.from_bytes(data[at + 6 : at + 8])
    elif version == 6 and kind == PACKET_TOO_BIG_6:
        mtu = int.from_bytes(data[at + 4 : at + 8])
    protocol, addresses, inner = _quoted(data, at + _HEADER_BYTES)
    ports = data[inner : inner + 4]
    key = addresses + ports if protocol in {_TCP, 17} and addresses and len(ports) == 4 else b""
    number = data[inner + 4 : inner + 8] if protocol == _TCP and key else b""
    return IcmpError(
        record.number,
        record.time_ns,
        version,
        kind,
        code,
        mtu,
        sender,
        protocol,
        key,
        int.from_bytes(number) if len(number) == 4 else -1,
        _size(data, at + _HEADER_BYTES) if key else 0,
    )


def _size(data: bytes, at: int) -> int:
    """
    Give the length of a datagram whose header is there.
    """
    if data[at] >> 4 == 4:
        return int.from_bytes(data[at + 2 : at + 4])
    return int.from_bytes(data[at + 4 : at + 6]) + 40


def _quoted(data: bytes, at: int) -> tuple[int, bytes, int]:
    """
    Read a quoted IP header, as far as it is there.

    @return: what it carries, -1 if that is not known or its first byte is not there; source and
        destination address; where what it carries begins.
    """
    nothing = -1, b"", at
    if at >= len(data):
        return nothing
    if data[at] >> 4 == 4:
        header = (data[at] & 15) * 4
        if header < 20 or at + header > len(data):
            return nothing
        is_first = not int.from_bytes(data[at + 6 : at + 8]) & 0x1FFF
        return (data[at + 9] if is_first else -1), data[at + 12 : at + 20], at + header
    if data[at] >> 4 != 6 or at + 40 > len(data):
        return nothing
    protocol, addresses, at = data[at + 6], data[at + 8 : at + 40], at + 40
    for _ in range(_EXTENSIONS_MAX):
        if protocol not in {0, 43, 44, 60} or at + 8 > len(data):
            break
        if protocol == 44 and int.from_bytes(data[at + 2 : at + 4]) & 0xFFF8:
            return nothing
        size = 8 if protocol == 44 else (data[at + 1] + 1) * 8
        protocol, at = data[at], at + size
    return protocol, addresses, at
