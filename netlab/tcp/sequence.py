"""
Sequence numbers.

Within a machine a sequence number is a plain integer that does not wrap: the initial sequence
number plus an offset. It is compared as integers are. Only the wire has 32 bits of it
(RFC 9293 section 3.4): masked on the way out, L{unwrap}ped on the way in.
"""

from __future__ import annotations

from typing import Final

MASK: Final = 0xFFFF_FFFF
_HALF: Final = 0x8000_0000


def unwrap(wire: int, near: int) -> int:
    """
    Find the sequence number that these 32 bits mean: the one nearest to another.

    @param wire: 0 to 2**32 - 1.
    @param near: a sequence number that does not wrap.
    """
    return near + ((wire - near + _HALF) & MASK) - _HALF
