"""
How much work listings of folders may make.
"""

from __future__ import annotations

from typing import Final

ENTRIES_PER_SECOND: Final = 6000
"""
How many entries are listed in a second, in all: some 150 ms' work, in which nothing else is
answered. A folder of 2000 has twelve listings (three sort keys, two directions, HTML and JSON),
each of which may be wanted once a second: two such folders could keep everybody waiting. nginx,
Apache and Go list whatever is asked for, but not in the thread that serves all.
"""

_LISTING_WEIGHT: Final = 20
"""What a listing costs apart from its entries, as a number of entries."""


class ListingBudget:
    """
    Counts what is listed in each second.
    """

    __slots__ = ("_begin", "_spent")

    def __init__(self) -> None:
        self._begin = 0.0
        self._spent = 0

    def is_spent(self, now: float) -> bool:
        """
        Say whether no more should be listed for the moment.

        @param now: in seconds since the epoch.
        """
        if not 0 <= now - self._begin < 1.0:
            self._begin = now
            self._spent = 0
        return self._spent >= ENTRIES_PER_SECOND

    def spend(self, entries: int) -> None:
        """
        Count a listing.

        @param entries: how many were looked at for it, whether it shows them or not.
        """
        self._spent += entries + _LISTING_WEIGHT
