"""
Whether small answers are sent while others are sent large ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from netlab.http1.accesslog.counters import Counters

LOOK_SECONDS: Final = 0.02
"""For how long an observation holds."""


class Fairness:
    """
    Large answers give way where somebody asks for something small and would wait behind them.

    That is found by counting, now and then, so that a small answer costs nothing for it: of all
    answers since the last look, some were not large.
    """

    def __init__(self, counters: Counters, seconds: Callable[[], float]) -> None:
        """
        @param counters: count all answers, and which of them were large.
        @param seconds: tells the time.
        """
        self._counters = counters
        self._seconds = seconds
        self._small_answers = 0
        self._looked_at = -LOOK_SECONDS
        self._gives_way = False

    def gives_way(self) -> bool:
        """
        Find out whether small answers have been sent lately.
        """
        now = self._seconds()
        if not 0 <= now - self._looked_at < LOOK_SECONDS:
            small_answers = self._counters.small_answers
            self._gives_way = small_answers > self._small_answers
            self._small_answers = small_answers
            self._looked_at = now
        return self._gives_way
