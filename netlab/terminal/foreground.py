"""
One coroutine on the reactor, in the foreground of a terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from threading import Thread
from typing import Any, Final, TypeVar

from twisted.internet._resolver import GAIResolver
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

#: How many names are looked up at a time; others wait.
_LOOKUPS_MAX: Final = 8

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

    _look_up_aside(reactor)
    reactor.callWhenRunning(start)
    reactor.run()
    if failures:
        failures[0].raiseException()
    if not results:
        raise KeyboardInterrupt
    return results[0]


def _look_up_aside(reactor: Any) -> None:
    """
    Look names up in threads that nobody waits for at the end: a name server that is silent keeps
    C{getaddrinfo} for ten seconds and more, which cannot be told to stop, and the reactor would
    wait for its own threads. A reactor with a resolver of another kind keeps it.
    """
    if not isinstance(reactor.nameResolver, GAIResolver):
        return
    pool = ThreadPool(0, _LOOKUPS_MAX, "names")
    pool.threadFactory = _Abandoned
    pool.start()
    reactor.installNameResolver(GAIResolver(reactor, lambda: pool))


class _Abandoned(Thread):
    """
    A thread that does not keep the process from ending.
    """

    def __init__(self, *arguments: Any, **others: Any) -> None:
        super().__init__(*arguments, **others, daemon=True)
