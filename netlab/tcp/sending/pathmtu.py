"""
What is known of the paths to peers: RFC 1191 section 6.3.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from netlab.tcp.timers import NANOSECONDS

PATHS_MAX: Final = 1024
"""Peers whose path is remembered; the one noted first is forgotten."""

_EXPIRES: Final = 600 * NANOSECONDS
"""Linux's C{net.ipv4.route.mtu_expires}: the path may have grown since."""


class PathMTUs:
    """
    The largest packets that paths have been found to carry.
    """

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, tuple[int, int]] = OrderedDict()

    def note(self, peer: bytes, mtu: int, now: int) -> None:
        """
        Remember what a router has said.
        """
        self._known.pop(peer, None)
        self._known[peer] = (mtu, now + _EXPIRES)
        if len(self._known) > PATHS_MAX:
            self._known.popitem(last=False)

    def mtu(self, peer: bytes, most: int, now: int) -> int:
        """
        Tell what a path carries.

        @param most: what our link does.
        """
        known = self._known.get(peer)
        if known is None or known[1] <= now:
            return most
        return min(known[0], most)
