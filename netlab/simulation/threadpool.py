"""
What a reactor calls its pool of threads, where there are none: work is done when it is handed over,
and takes no time of the simulation's.
"""

# mypy: allow-untyped-calls
# Twisted leaves Failure without annotations.

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.python.failure import Failure


class PoolWithoutThreads:
    """
    Has the members of C{twisted.python.threadpool.ThreadPool} that callers use.
    """

    def __init__(self, soon: Callable[..., None]) -> None:
        """
        @param soon: makes a call in the reactor's next turn.
        """
        self._soon = soon

    def callInThread(self, func: Callable[..., object], *args: Any, **kw: Any) -> None:
        """
        Do some work.
        """
        self.callInThreadWithCallback(None, func, *args, **kw)

    def callInThreadWithCallback(
        self,
        onResult: Callable[[bool, Any], object] | None,
        func: Callable[..., object],
        *args: Any,
        **kw: Any,
    ) -> None:
        """
        Do some work, in the reactor's next turn.

        @param onResult: is called with whether it went well, and the result or the failure.
        """

        def work() -> None:
            try:
                result: Any = func(*args, **kw)
            except Exception:
                if onResult is None:
                    raise
                onResult(False, Failure())
            else:
                if onResult is not None:
                    onResult(True, result)

        self._soon(work)

    def start(self) -> None:
        """
        Nothing need be started.
        """

    def stop(self) -> None:
        """
        Nothing need be stopped.
        """

    def adjustPoolsize(self, minthreads: int | None = None, maxthreads: int | None = None) -> None:
        """
        There are none.
        """
