"""
The open connections of one server: who they are, and the moment when the last one is gone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime


class Closable(Protocol):
    """
    What a connection must be able to do so that a server can be stopped.
    """

    def close(self) -> None:
        """
        Send what is still to be sent, then close. Harmless when repeated or too late.
        """

    def abort(self) -> None:
        """
        Close now, dropping what is still to be sent. Harmless when repeated or too late.
        """


class OpenConnections:
    """
    The connections of one server. A protocol adds itself in C{connectionMade} and removes itself
    in C{connectionLost}.
    """

    def __init__(self) -> None:
        #: Is called with their number whenever that changes.
        self.changed: Callable[[int], None] | None = None
        # As a set, but with ten thousand in it half as large.
        self._open: dict[Closable, None] = {}
        self._when_empty: list[Deferred[None]] = []

    def __len__(self) -> int:
        return len(self._open)

    def add(self, connection: Closable) -> None:
        """
        Count a connection among the open ones.
        """
        self._open[connection] = None
        if self.changed is not None:
            self.changed(len(self._open))

    def remove(self, connection: Closable) -> None:
        """
        Count a connection no longer.
        """
        self._open.pop(connection, None)
        if self.changed is not None:
            self.changed(len(self._open))
        if not self._open:
            waiting, self._when_empty = self._when_empty, []
            for done in waiting:
                done.callback(None)

    def abort(self) -> None:
        """
        Close every open connection at once.
        """
        for connection in list(self._open):
            connection.abort()

    def close(self, clock: IReactorTime, grace: float) -> Deferred[None]:
        """
        Close every open connection: in order at first, at once for those still open after a while.

        @param clock: Measures the grace.
        @param grace: Seconds for a connection to send what it still has to send.
        @return: Fires when no connection is open.
        """
        for connection in list(self._open):
            connection.close()
        done: Deferred[None] = Deferred()
        if not self._open:
            done.callback(None)
            return done

        patience = clock.callLater(grace, self.abort)

        def forget(_: None) -> None:
            if patience.active():
                patience.cancel()

        self._when_empty.append(done)
        return done.addCallback(forget)
