"""
The header of the PROXY protocol, by which a proxy in front says whose connection it passes on.

Both versions are read as HAProxy's C{proxy-protocol.txt} has them, and nothing else is: what the
header says goes into logs and decides who may connect.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final

#: Section 2.1: the longest line, with its end.
VERSION_1_MAX_BYTES: Final = 107

#: Behind its first 16 bytes a header of version 2 has addresses and extensions. The addresses need
#: 216 bytes at most; HAProxy's own extensions some hundred. The field would allow 64 KiB.
VERSION_2_MAX_BYTES: Final = 16 + 4096

_SIGNATURE_2: Final = b"\r\n\r\n\0\r\nQUIT\n"
_SIGNATURE_1: Final = b"PROXY "
_PORT: Final = rb"(0|[1-9][0-9]{0,4})"
_LINE: Final = re.compile(
    rb"PROXY (?:UNKNOWN(?: [\x20-\x7e]*)?"
    rb"|TCP4 ([0-9.]{7,15}) ([0-9.]{7,15}) " + _PORT + b" " + _PORT + rb"|"
    rb"TCP6 ([0-9A-Fa-f:.]{2,39}) ([0-9A-Fa-f:.]{2,39}) " + _PORT + b" " + _PORT + rb")\r\n"
)
_PORT_MAX: Final = 65535

_LOCAL: Final = 0x20
_PROXY: Final = 0x21
_FIXED_BYTES: Final = 16
_INET: Final = 0x1
_INET6: Final = 0x2


class ProxyHeaderError(ValueError):
    """
    What has come is no PROXY header.
    """


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """
    A whole header.

    @ivar length: how many bytes it has.
    @ivar source: the client's address and port; None where the proxy speaks for itself, as in a
        health check, or the client came over something other than TCP.
    """

    length: int
    source: tuple[IPv4Address | IPv6Address, int] | None


def read_proxy_header(data: bytes) -> ProxyHeader | None:
    """
    Read the header at the beginning of a connection.

    @param data: everything that has come so far.
    @return: the header, or None while it is not whole; then there are at most
        L{VERSION_2_MAX_BYTES} bytes of it.
    @raise ProxyHeaderError: it is none, whatever comes next.
    """
    if data.startswith(_SIGNATURE_2[: len(data)]):
        return _read_version_2(data)
    if data.startswith(_SIGNATURE_1[: len(data)]):
        return _read_version_1(data)
    raise ProxyHeaderError("it begins with neither of the two signatures")


def _read_version_1(data: bytes) -> ProxyHeader | None:
    end = data.find(b"\n", 0, VERSION_1_MAX_BYTES) + 1
    if not end:
        if len(data) >= VERSION_1_MAX_BYTES:
            raise ProxyHeaderError(f"its line is longer than {VERSION_1_MAX_BYTES} bytes")
        return None
    match = _LINE.fullmatch(data[:end])
    if match is None:
        raise ProxyHeaderError("its line is malformed")
    source_4, destination_4, *ports_4, source_6, destination_6 = match.groups()[:6]
    ports = match.groups()[6:] if source_6 else ports_4
    try:
        if source_4:
            IPv4Address(destination_4.decode("ascii"))
            address: IPv4Address | IPv6Address = IPv4Address(source_4.decode("ascii"))
        elif source_6:
            IPv6Address(destination_6.decode("ascii"))
            address = IPv6Address(source_6.decode("ascii"))
        else:
            return ProxyHeader(end, None)
    except ValueError as error:
        raise ProxyHeaderError(str(error)) from None
    if max(map(int, ports)) > _PORT_MAX:
        raise ProxyHeaderError("it names a port that does not exist")
    return ProxyHeader(end, (address, int(ports[0])))


def _read_version_2(data: bytes) -> ProxyHeader | None:
    if len(data) < _FIXED_BYTES:
        return None
    command, family = data[12], data[13] >> 4
    length = _FIXED_BYTES + int.from_bytes(data[14:16])
    if command not in (_LOCAL, _PROXY):
        raise ProxyHeaderError("it has another version than 1 and 2, or an unknown command")
    if length > VERSION_2_MAX_BYTES:
        raise ProxyHeaderError(f"it is longer than {VERSION_2_MAX_BYTES} bytes")
    if len(data) < length:
        return None
    if command == _LOCAL or family not in (_INET, _INET6):
        # Section 2.2: then the addresses, if there are any, are skipped.
        return ProxyHeader(length, None)
    width = 4 if family == _INET else 16
    addresses = data[_FIXED_BYTES:length]
    if len(addresses) < 2 * width + 4:
        raise ProxyHeaderError("it is too short for its addresses")
    packed = addresses[:width]
    address = IPv4Address(packed) if family == _INET else IPv6Address(packed)
    return ProxyHeader(length, (address, int.from_bytes(addresses[2 * width : 2 * width + 2])))
