"""
What a story may say of whom: addresses as they are, or stand-ins for them.

With anything left out, what may be shown is named (docs/decisions/0155), and all else is not shown:
a value that is derived from hidden bytes, as a checksum is, would give them away again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Final

from netlab.capture.segments import address_text

_DOCUMENTATION_4: Final = ip_network("192.0.2.0/24")
#: For captures with more than 254 addresses: the range set aside for benchmarks (RFC 2544).
_MORE_4: Final = ip_network("198.18.0.0/15")
_DOCUMENTATION_6: Final = ip_network("2001:db8::/32")

#: What a request may be called where nothing is quoted: RFC 9110's methods, and PATCH. Any other
#: one is a client's own word.
METHODS_SHOWN: Final = frozenset(
    {b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"CONNECT", b"OPTIONS", b"TRACE", b"PATCH"}
)

_NAMELESS: Final = "A capture"


@dataclass(slots=True)
class Discretion:
    """
    What is to be left out. Captures that differ in nothing but hidden bytes tell the same story
    (C{tests/commands/test_privacy.py}).

    @ivar shows_payload: Whether payloads, and what is quoted from them, may be shown.
    @ivar anonymises: Whether addresses are replaced. Each gets a stand-in of its own from the
        ranges set aside for documentation (RFC 5737, RFC 3849), in order of appearance; loopback
        addresses, which tell nothing about anybody, and ports stay. Payloads are not shown then:
        they hold names and addresses too.
    """

    shows_payload: bool = True
    anonymises: bool = False
    _stand_ins: dict[bytes, bytes] = field(default_factory=dict)
    _counts: dict[int, int] = field(default_factory=dict)

    @property
    def quotes(self) -> bool:
        """Whether nothing is left out: only then may anything be quoted from the capture."""
        return self.shows_payload and not self.anonymises

    def capture_name(self, name: str) -> str:
        """
        Name the capture in its report: who named the file may have written down what is hidden.

        @param name: What it is called.
        """
        return name if self.quotes else _NAMELESS

    def address(self, raw: bytes) -> str:
        """
        Write an address, or its stand-in.

        @param raw: 4 or 16 bytes.
        """
        return address_text(self.raw_address(raw))

    def raw_address(self, raw: bytes) -> bytes:
        """
        Give an address, or its stand-in.

        @param raw: 4 or 16 bytes.
        """
        if not self.anonymises:
            return raw
        known = self._stand_ins.get(raw)
        if known is None:
            known = self._stand_ins[raw] = self._stand_in(raw)
        return known

    def _stand_in(self, raw: bytes) -> bytes:
        if ip_address(raw).is_loopback:
            return raw
        number = self._counts[len(raw)] = self._counts.get(len(raw), 0) + 1
        if len(raw) == 16:
            return (int(_DOCUMENTATION_6.network_address) + number).to_bytes(16, "big")
        if number < _DOCUMENTATION_4.num_addresses - 1:
            return (int(_DOCUMENTATION_4.network_address) + number).to_bytes(4, "big")
        offset = number % _MORE_4.num_addresses
        return (int(_MORE_4.network_address) + offset).to_bytes(4, "big")
