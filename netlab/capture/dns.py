"""
DNS messages over UDP as far as they explain a connection: which name, which addresses (RFC 1035).

Not a resolver and not a dissector. Everything is bounded: the length of a name, how often it is
compressed, how many records are looked at.
"""

from __future__ import annotations

from typing import Final, NamedTuple

PORT: Final = 53

A: Final = 1
CNAME: Final = 5
AAAA: Final = 28

NO_ERROR: Final = 0

#: RFC 1035 section 4.1.1, RFC 2136 section 2.2.
_FAILURES: Final = {
    1: "FORMERR, the server could not read the question",
    2: "SERVFAIL, the server failed",
    3: "NXDOMAIN, the name does not exist",
    4: "NOTIMP, not implemented",
    5: "REFUSED",
}

NAME_MAX_BYTES: Final = 255
"""RFC 1035 section 2.3.4."""

POINTERS_MAX: Final = 32
"""How often a name may jump to an earlier place; each is also before the last one."""

RECORDS_MAX: Final = 64
"""How many answers of a message are looked at."""

_HEADER_BYTES: Final = 12
_IS_PLAIN: Final = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_*")


class DNSMessage(NamedTuple):
    """
    One message.

    @ivar identity: what a question and its answer share.
    @ivar is_answer: or else a question.
    @ivar rcode: 0 if no error.
    @ivar is_truncated: whether the rest is to be asked for over TCP.
    @ivar name: what is asked for, in lower case, without a last dot; bytes that are no letter,
        digit, C{-}, C{_} or C{*} are written as a backslash and three digits (section 5.1).
    @ivar kind: of the record that is asked for, such as L{A}.
    @ivar addresses: those that the answer gives, of 4 or 16 bytes.
    @ivar alias: the name that the answer says the addresses belong to; empty if it is L{name}.
    """

    identity: int
    is_answer: bool
    rcode: int
    is_truncated: bool
    name: str
    kind: int
    addresses: tuple[bytes, ...]
    alias: str

    @property
    def failure(self) -> str:
        """The error in words; empty if there is none."""
        return "" if self.rcode == NO_ERROR else _FAILURES.get(self.rcode, f"error {self.rcode}")


def read_message(data: bytes) -> DNSMessage | None:
    """
    Read a message with one question.

    @param data: of a UDP datagram, as far as it was captured.
    @return: C{None} if it is none, or one that makes no sense. Answers that were cut are left out.
    """
    if len(data) < _HEADER_BYTES or int.from_bytes(data[4:6]) != 1:
        return None
    flags = int.from_bytes(data[2:4])
    if flags & 0x7800:  # an update, a notification
        return None
    asked = _name(data, _HEADER_BYTES)
    if asked is None or asked[1] + 4 > len(data):
        return None
    name, at = asked
    kind = int.from_bytes(data[at : at + 2])
    addresses: list[bytes] = []
    alias = ""
    at += 4
    if flags & 0x8000:
        for _ in range(min(int.from_bytes(data[6:8]), RECORDS_MAX)):
            owner = _name(data, at)
            if owner is None:
                break
            at = owner[1]
            size = int.from_bytes(data[at + 8 : at + 10])
            begin, end = at + 10, at + 10 + size
            if end > len(data):
                break
            record = int.from_bytes(data[at : at + 2])
            if (record, size) in {(A, 4), (AAAA, 16)}:
                addresses.append(data[begin:end])
            elif record == CNAME and (target := _name(data, begin)) is not None:
                alias = target[0]
            at = end
    return DNSMessage(
        int.from_bytes(data[:2]),
        bool(flags & 0x8000),
        flags & 15,
        bool(flags & 0x0200),
        name,
        kind,
        tuple(addresses),
        alias,
    )


def _name(data: bytes, at: int) -> tuple[str, int] | None:
    """
    Read a name.

    @return: it, and where what follows it begins; C{None} if it is malformed or cut.
    """
    labels: list[str] = []
    size = jumps = after = 0
    while at < len(data):
        length = data[at]
        if length == 0:
            return ".".join(labels), after or at + 1
        if length & 0xC0 == 0xC0:
            if at + 2 > len(data):
                return None
            target = int.from_bytes(data[at : at + 2]) & 0x3FFF
            after = after or at + 2
            jumps += 1
            # Compression points backwards (section 4.1.4): a name that does not cannot end.
            if target >= at or jumps > POINTERS_MAX:
                return None
            at = target
            continue
        size += length + 1
        if length & 0xC0 or size > NAME_MAX_BYTES or at + 1 + length > len(data):
            return None
        labels.append(_label(data[at + 1 : at + 1 + length]))
        at += 1 + length
    return None


def _label(raw: bytes) -> str:
    return "".join(chr(byte) if byte in _IS_PLAIN else f"\\{byte:03d}" for byte in raw).lower()
