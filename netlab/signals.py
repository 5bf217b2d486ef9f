"""
Signals as calls: what a server does on SIGHUP and SIGUSR1, and on a second SIGTERM.

What operators and their tools send ends no server by default: an unhandled SIGUSR1 would, and
SIGHUP would without a word to clients, or cleaning up.
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

    def privilegedStartService(self) -> None:
        """
        Begin to listen, before a port is open and said to be. A reactor that starts sets handlers
        of its own, but for other signals.
        """
        super().privilegedStartService()  # type: ignore[no-untyped-call]
        self._install()

    def startService(self) -> None:
        """
        Begin to listen, unless that has been done.
        """
        super().startService()  # type: ignore[no-untyped-call]
        if not self._previous:
            self._install()

    def stopService(self) -> None:
        """
        Give the signals back.
        """
        super().stopService()  # type: ignore[no-untyped-call]
        for number, previous in self._previous.items():
            signal.signal(number, previous)
        self._previous.clear()

    def _install(self) -> None:
        if threading.current_thread() is not threading.main_thread():
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


def all_calls(
    reactor: Any, calls: Mapping[signal.Signals, Callable[[], None]] | None = None
) -> Mapping[signal.Signals, Callable[[], None]]:
    """
    Say what to do on each signal of operation: SIGUSR1 does nothing by default, and SIGHUP, which
    comes when the terminal is closed, stops the server as SIGTERM does; but not where it was
    started so that it ignores that (nohup).

    @param calls: what else is to be done.
    """

    def nothing() -> None:
        pass

    def stop() -> None:
        if reactor.running:
            reactor.stop()

    defaults: dict[signal.Signals, Callable[[], None]] = {signal.SIGUSR1: nothing}
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        defaults[signal.SIGHUP] = stop
    return {**defaults, **(calls or {})}


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
