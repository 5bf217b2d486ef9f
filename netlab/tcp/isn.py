"""
Numbers that nobody can guess who has not been told: initial sequence numbers, timestamp offsets and
fast open cookies.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

from netlab.tcp.sequence import MASK

COOKIE_BYTES: Final = 8
"""Of fast open; RFC 7413 section 4.1.1 allows 4 to 16, and Linux sends 8."""

_ISN_TICK: Final = 4_000
"""Nanoseconds (RFC 9293 section 3.4.1)."""

Address = tuple[bytes, int]
"""An IP address of 4 or 16 bytes, and a port."""


class Secrets:
    """
    Keyed hashes of addresses. The same key gives the same numbers, so a run can be repeated.

    @param key: 16 to 64 bytes; knowing it is enough to guess all of them.
    """

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def _hash(self, purpose: bytes, *parts: bytes, size: int = 4) -> bytes:
        # Each purpose is a function of its own, so that none says anything of another.
        return blake2b(b"|".join(parts), digest_size=size, key=self._key, person=purpose).digest()

    def initial_sequence_number(self, now: int, local: Address, remote: Address) -> int:
        """
        ISN = M + F(addresses, ports, key), RFC 6528 section 3: a clock per connection, so that a
        new connection's numbers lie above those of the old one with its addresses and ports, and
        nobody else knows where.
        """
        digest = self._hash(b"isn", *_name(local), *_name(remote))
        return (int.from_bytes(digest) + now // _ISN_TICK) & MASK

    def timestamp_offset(self, local: Address, remote: Address) -> int:
        """
        An offset for a connection's timestamps, which so do not show how long the host has been up
        (RFC 7323 section 7.1). By addresses alone: a new connection's timestamps lie above the old
        one's, which RFC 6191 needs.
        """
        return int.from_bytes(self._hash(b"timestamp", local[0], remote[0]))

    def cookie(self, server: bytes, client: bytes) -> bytes:
        """
        What a client must show to send data in its SYN (RFC 7413 section 4.1.2).
        """
        return self._hash(b"fast open", server, client, size=COOKIE_BYTES)


def _name(address: Address) -> tuple[bytes, bytes]:
    return address[0], address[1].to_bytes(2)
