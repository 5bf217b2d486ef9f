"""
Running coroutines: most of those that answer requests never wait.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from contextvars import copy_context
from typing import Any, TypeVar

from twisted.internet.defer import Deferred

_T = TypeVar("_T")


def run_coroutine(coroutine: Coroutine[Deferred[Any], Any, _T]) -> _T | Deferred[_T]:
    """
    Run a coroutine until it returns, or waits. As C{Deferred.fromCoroutine}, in a context of its
    own, but one that returns at once needs no C{Deferred}.

    @return: what it returns, or a Deferred for it; cancelled, that cancels what is waited for.
    @raise Exception: what it raises before it waits.
    """
    context = copy_context()
    try:
        awaited = context.run(coroutine.send, None)
    except StopIteration as stop:
        result: _T = stop.value
        return result
    return context.run(Deferred.fromCoroutine, _rest(coroutine, awaited))


def _rest(
    coroutine: Coroutine[Deferred[Any], Any, _T], awaited: Deferred[Any]
) -> Generator[Deferred[Any], Any, _T]:
    """
    Go on with a coroutine that waits.

    @param awaited: what it waits for.
    """
    try:
        while True:
            try:
                value = yield awaited
            except BaseException as error:  # noqa: BLE001, it is the coroutine's to handle
                awaited = coroutine.throw(error)
            else:
                awaited = coroutine.send(value)
    except StopIteration as stop:
        result: _T = stop.value
        return result
