"""
When connections come so fast that they had better be accepted together.
"""

from __future__ import annotations

from typing import Final

TOGETHER_SECONDS: Final = 0.001
"""While connections arrive faster than one per this many seconds, they are accepted at that
rate."""

ALONE_MAX: Final = 8
"""This many in a row are accepted one by one all the same: a browser opens half a dozen."""


class Pace:
    """
    Tells from the times at which connections come whether to gather them.

    A connection that is accepted the moment it is there has not sent its request yet: accepting it
    is one turn of the reactor, its request another one, with a sleep before each. A millisecond
    later most have, and one turn does for all that have come meanwhile.
    """

    def __init__(self) -> None:
        self._last = 0.0
        self._in_a_row = 0

    def is_fast(self, now: float) -> bool:
        """
        Note that connections wait, and find out whether to gather more of them first.

        @param now: in seconds.
        """
        # A clock that was set back must not seem fast.
        is_soon = 0 <= now - self._last < TOGETHER_SECONDS
        self._last = now
        self._in_a_row = self._in_a_row + 1 if is_soon else 0
        return self._in_a_row > ALONE_MAX

    def slow_down(self) -> None:
        """
        Hardly anybody has come lately.
        """
        self._in_a_row = 0
