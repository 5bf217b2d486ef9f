"""
The address resolution protocol (RFC 826) for IPv4 on links with six-byte addresses.
"""

from __future__ import annotations

from typing import Final, NamedTuple

REQUEST: Final = 1
REPLY: Final = 2

_BYTES: Final = 28


class Arp(NamedTuple):
    """
    One message.

    @ivar operation: L{REQUEST}, L{REPLY} or another number.
    @ivar sender: the IPv4 address of who sends; zeros in a probe (RFC 5227).
    @ivar target: the IPv4 address that is asked for, or answered to.
    """

    operation: int
    sender: bytes
    target: bytes


def read_arp(data: bytes, at: int) -> Arp | None:
    """
    Read a message.

    @param at: where it begins.
    @return: C{None} if it is cut, or about other addresses than Ethernet's and IPv4's.
    """
    if len(data) < at + _BYTES or data[at + 2 : at + 6] != b"\x08\x00\x06\x04":
        return None
    operation = int.from_bytes(data[at + 6 : at + 8])
    return Arp(operation, data[at + 14 : at + 18], data[at + 24 : at + 28])
