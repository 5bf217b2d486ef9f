"""
How punctual the laboratory was: on a busy machine the wire itself may be late.
"""

from __future__ import annotations

from typing import Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime

_BEAT_SECONDS: Final = 0.02


class Lateness:
    """
    Measures by how much timers are late.

    @ivar worst: in seconds.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self.worst = 0.0
        self._clock = clock
        self._due = 0.0
        self._timer: IDelayedCall | None = None

    def start(self) -> None:
        """
        Begin to measure.
        """
        self._due = self._clock.seconds() + _BEAT_SECONDS
        self._timer = self._clock.callLater(_BEAT_SECONDS, self._beat)

    def stop(self) -> None:
        """
        Measure no more.
        """
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _beat(self) -> None:
        self.worst = max(self.worst, self._clock.seconds() - self._due)
        self.start()
