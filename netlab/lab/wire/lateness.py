"""
How punctual the laboratory was: on a busy machine the wire itself may be late.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime

_BEAT_SECONDS: Final = 0.02

#: Before ordinary programs, and behind what the system itself needs.
_NICENESS: Final = -10


@contextlib.contextmanager
def priority() -> Iterator[None]:
    """
    Go before other programs of this machine for a while, where that is allowed (it takes root's
    rights): a wire needs little time, but at once.
    """
    if not hasattr(os, "getpriority"):
        # Not every system has it, and none of those has hosts that need it.
        yield
        return
    before = os.getpriority(os.PRIO_PROCESS, 0)
    # Without the right the wire is as punctual as the machine is idle, and lateness is measured.
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)
    try:
        yield
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, before)


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
