"""
What lets a simulation's time pass while an ordinary reactor runs.
"""

# mypy: allow-untyped-calls
# Twisted leaves Failure without annotations.

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from netlab.simulation.clock import NANOSECONDS, VirtualClock, nanoseconds

_TURN_SECONDS: Final = 0.01
"""For how long a simulation goes on before others have their turn."""

_IDLE_SECONDS: Final = 0.01
"""How often to look again where nothing is to be done: programs are started from outside."""


class Driver:
    """
    Makes the calls of a virtual clock, as fast as that goes or at the pace of real time.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        clock: VirtualClock,
        broke: Callable[[Failure], None],
        *,
        is_paced: bool,
        is_late: bool = False,
    ) -> None:
        """
        @param broke: is called with what a call has raised; no time passes then any more.
        @param is_paced: whether a simulated second is to take a second.
        @param is_late: whether a call that is made late is made at the time that it is then: it has
            to do with something outside. If not, a late call is made as if it were not.
        """
        self._is_late = is_late
        self._reactor = reactor
        self._clock = clock
        self._broke = broke
        self._is_paced = is_paced
        self._timer: IDelayedCall | None = None
        self._began = 0.0

    def start(self) -> None:
        """
        Begin.
        """
        self._began = self._reactor.seconds() - self._clock.seconds()
        self._timer = self._reactor.callLater(0, self._turn)

    def at_once(self, call: Callable[[bytes], None], frame: bytes) -> None:
        """
        Make a call that comes from outside, at the time that it is now.
        """
        # What is due has to wait: it might send, and so bring the next frame before this one.
        self._clock.catch_up(self._real_ns())
        call(frame)
        if self._timer is not None:
            # What it has caused may be due before what was.
            self._timer.reset(0)

    def stop(self) -> None:
        """
        Let no more time pass.
        """
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _turn(self) -> None:
        self._timer = self._reactor.callLater(0, self._turn)
        try:
            wait = self._go_on()
        except Exception:  # noqa: BLE001, it is reported
            self.stop()
            self._broke(Failure())
            return
        if wait and self._timer is not None:
            self._timer.reset(wait)

    def _real_ns(self) -> int:
        """
        Tell how much real time has passed.
        """
        return nanoseconds(self._reactor.seconds() - self._began)

    def _go_on(self) -> float:
        """
        Make some calls.

        @return: how many seconds to wait before the next ones.
        """
        clock = self._clock
        until = time.perf_counter() + _TURN_SECONDS
        if self._is_late:
            clock.catch_up(self._real_ns())
        while self._timer is not None:
            due = clock.next_due
            if due is None:
                return _IDLE_SECONDS
            if self._is_paced:
                early = (due - self._real_ns()) / NANOSECONDS
                if early > 0:
                    return min(early, _IDLE_SECONDS)
            clock.step()
            if time.perf_counter() > until:
                break
        return 0.0
