"""
How a descriptor leaves what watches it: with the calls and the log lines that Twisted's reactors
would give it.
"""

# mypy: allow-untyped-calls
# Twisted leaves log.err and Failure without annotations.

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.internet import error, main
from twisted.internet.interfaces import (
    IHalfCloseableDescriptor,
    IReactorFDSet,
)
from twisted.python import failure, log

# Shared by all connections, as Twisted shares its own: building a Failure costs more than serving a
# request.
_FAILURES: Mapping[type[BaseException], failure.Failure] = {
    error.ConnectionDone: failure.Failure(main.CONNECTION_DONE),
    error.ConnectionLost: failure.Failure(main.CONNECTION_LOST),
}


def disconnect(
    reactor: IReactorFDSet, selectable: Any, why: BaseException, *, is_read: bool
) -> None:
    """
    Take a descriptor out of its reactor and tell it that its connection, or the peer's half of it,
    is over.

    An exception of the application in doing so is logged and goes no further.

    @param reactor: what watches the descriptor.
    @param selectable: an C{IReadDescriptor} or C{IWriteDescriptor}.
    @param why: what C{doRead} or C{doWrite} returned or raised.
    @param is_read: whether that came from reading: then L{ConnectionDone<error.ConnectionDone>}
        ends only the peer's half, for a descriptor that can be half-closed.
    """
    try:
        reactor.removeReader(selectable)
        reason = _FAILURES.get(why.__class__) or failure.Failure(why)
        if (
            is_read
            and why.__class__ is error.ConnectionDone
            and IHalfCloseableDescriptor.providedBy(selectable)
        ):
            selectable.readConnectionLost(reason)
        else:
            reactor.removeWriter(selectable)
            selectable.connectionLost(reason)
    except BaseException as raised:
        log_exception(selectable, raised)


def log_exception(selectable: Any, raised: BaseException) -> BaseException:
    """
    Log an exception under the prefix of the descriptor that raised it.

    @param selectable: the descriptor whose code raised.
    @param raised: what it raised.
    @return: the exception again.
    """
    try:
        prefix = selectable.logPrefix()
    except BaseException:
        log.err()
        prefix = "(buggy logPrefix method)"
    log.err(failure.Failure(raised), system=prefix)
    return raised
