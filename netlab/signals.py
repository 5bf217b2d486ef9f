"""
Signals as calls: what a server does on SIGHUP and SIGUSR1, and on a second SIGTERM.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

from twisted.application.service import Service


class SignalService(Service):
    """
    Calls functions in the reactor's thread when signals come, for as long as it runs.

    What handled a signal before is called too: twistd rotates its own log on SIGUSR1.
    """

    def __init__(self, reactor: Any, calls: Mapping[signal.Signals, Callable[[], None]]) -> None:
        """
        @param reactor: makes the calls.
        @param calls: what to call by signal.
        """
        self._reactor = reactor
        self._calls = dict(calls)
        self._previous: dict[signal.Signals, Any] = {}

    def startService(self) -> None:
        """
        Begin to listen, once the reactor runs: it sets handlers of its own when it starts.
        """
        super().startService()  # type: ignore[no-untyped-call]
        self._reactor.callWhenRunning(self._install)

    def stopService(self) -> None:
        """
        Give the signals back.
        """
        super().stopService()  # type: ignore[no-untyped-call]
        for number, previous in self._previous.items():
            signal.signal(number, previous)
        self._previous.clear()

    def _install(self) -> None:
        if not self.running or threading.current_thread() is not threading.main_thread():
            return
        if not _hears(self._reactor):
            return
        for number, call in self._calls.items():
            previous = signal.getsignal(number)
            self._previous[number] = previous
            signal.signal(number, self._handler(call, previous))

    def _handler(
        self, call: Callable[[], None], previous: Any
    ) -> Callable[[int, FrameType | None], None]:
        def handle(number: int, frame: FrameType | None) -> None:
            self._reactor.callFromThread(call)
            if callable(previous):
                previous(number, frame)

        return handle


def _hears(reactor: Any) -> bool:
    """
    Tell whether signals to this process are for what runs on a reactor. Those of a simulated
    program are not: it has its own way to get some.
    """
    return bool(getattr(reactor, "hears_signals", True))


def on_next_end_signal(reactor: Any, call: Callable[[], None]) -> None:
    """
    Have the next SIGTERM or SIGINT make a call, instead of asking the reactor to stop once more.

    @param reactor: makes the call, in its own thread.
    """
    if threading.current_thread() is not threading.main_thread() or not _hears(reactor):
        return  # Python lets no other thread set handlers

    def handle(number: int, frame: FrameType | None) -> None:
        reactor.callFromThread(call)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)
