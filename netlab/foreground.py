"""
One coroutine on the reactor, in the foreground of a terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

_Result = TypeVar("_Result")


def run_until_done(
    task: Callable[[Any], Coroutine[Deferred[Any], Any, _Result]], reactor: Any
) -> _Result:
    """
    Run the reactor for as long as a coroutine takes. A reactor runs only once in a process.

    (C{twisted.internet.task.react} does nearly this; but it ends the process itself, and shows
    every failure as a traceback in the log.)

    @param task: Is called with the reactor once that runs.
    @param reactor: The reactor to run.
    @return: What the coroutine returns; what it raises is raised here.
    @raise KeyboardInterrupt: The reactor was stopped by a signal before the coroutine was done.
    """
    results: list[_Result] = []
    failures: list[Failure] = []

    def finish(_: object) -> None:
        # A signal may have stopped the reactor already, while the coroutine was on its last step.
        if reactor.running:
            reactor.stop()

    def start() -> None:
        running = Deferred.fromCoroutine(task(reactor))
        running.addCallbacks(results.append, failures.append)
        running.addCallback(finish)

    reactor.callWhenRunning(start)
    reactor.run()
    if failures:
        failures[0].raiseException()
    if not results:
        raise KeyboardInterrupt
    return results[0]
