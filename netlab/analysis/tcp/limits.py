"""
How much of a capture the analysis remembers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

UNACKED_MAX: Final = 10_000
"""How many segments of one end Wireshark remembers until they are acknowledged."""


@dataclass(frozen=True, slots=True)
class MemoryLimits:
    """
    Bounds of memory. The defaults remember every conversation, as Wireshark does.

    @ivar open_max: conversations that are not over. When there are more, one is forgotten: of the
        16 that began first, the one that has been silent for longest; a fault tells so. Its later
        segments, if any, are taken for a new conversation. 0 is any number.
    @ivar closed_max: conversations that are over, and wait for a late segment. When there are
        more, the one that ended first is forgotten. A late segment of such a one begins a new
        conversation; a fault tells of conversations that begin so. 0 is any number.
    @ivar unacked_max: segments of one end that are remembered until they are acknowledged. A fault
        tells where there were more, if they are fewer than L{UNACKED_MAX}.
    """

    open_max: int = 0
    closed_max: int = 0
    unacked_max: int = UNACKED_MAX


THOROUGH: Final = MemoryLimits(open_max=65_536, closed_max=65_536)
"""For the first frames of any capture, and all of most: what comes out is what Wireshark shows."""

STREAMING: Final = MemoryLimits(open_max=8192, closed_max=4096, unacked_max=1024)
"""For captures of any size in some 64 MiB."""
