"""
The HTTP server as a service: in one process, or as a supervisor of several.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from twisted.application.service import MultiService, Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IListeningPort, ILoggingContext
from twisted.internet.protocol import Protocol
from twisted.internet.task import deferLater
from zope.interface import implementer

from netlab.connections import OpenConnections
from netlab.factories import Factory
from netlab.http1 import SERVER_NAME
from netlab.http1.accesslog.counters import Snapshot
from netlab.service import ListeningService
from netlab.signals import SignalService, all_calls, on_next_end_signal
from netlab.transport.workers.control import Message
from netlab.transport.workers.supervisor import Supervisor


class HTTPService(MultiService):
    """
    Everything that runs: the server, its signals, and the admin port if there is one.

    @ivar programs: start before the server, and stop after it; None if there are none that do.
    @ivar is_serving: whether new connections are welcome.
    @ivar on_signals: what to do on which signal.
    @ivar take: takes a snapshot of the counters.
    @ivar abort: closes all connections at once.
    """

    def __init__(
        self,
        server: ListeningService,
        reactor: Any,
        stop_delay: float,
        on_signals: Mapping[signal.Signals, Callable[[], None]],
        take: Callable[[], Snapshot | Deferred[Snapshot]],
        abort: Callable[[], None],
        *,
        programs: Service | None = None,
        hears_signals: bool = True,
    ) -> None:
        """
        @param server: listens.
        @param reactor: measures the delay.
        @param stop_delay: for how many seconds to go on as before, except that health says
            otherwise, so that those who ask for that send nothing more.
        @param on_signals: what to do on which signal.
        @param take: takes a snapshot of the counters.
        @param abort: closes all connections at once.
        @param programs: start before the server, and stop after it.
        @param hears_signals: whether they are for this process: a worker's supervisor hears them.
        """
        super().__init__()  # type: ignore[no-untyped-call]
        self.programs = programs
        self.is_serving = False
        self.on_signals = on_signals
        self.take = take
        self.abort = abort
        self._server = server
        self._reactor = reactor
        self._stop_delay = stop_delay
        if hears_signals:
            signals = SignalService(reactor, all_calls(reactor, on_signals))
            signals.setServiceParent(self)  # type: ignore[no-untyped-call]
        if programs is not None:
            programs.setServiceParent(self)
        server.setServiceParent(self)  # type: ignore[no-untyped-call]

    @property
    def ports(self) -> list[IListeningPort]:
        """
        The open ports of the server.
        """
        return self._server.ports

    @property
    def connections(self) -> OpenConnections:
        """
        The open connections of the server.
        """
        return self._server.connections

    def startService(self) -> None:
        """
        Serve.
        """
        super().startService()  # type: ignore[no-untyped-call]
        self.is_serving = True

    def stopService(self) -> Deferred[None]:
        """
        Stop the server, and only when its last answers are sent all that goes with it: its health
        and its metrics can be asked for until then.
        """
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        self.is_serving = False
        if self._stop_delay:
            delay: Deferred[None] = deferLater(self._reactor, self._stop_delay)

            def hurry() -> None:
                delay.cancel()
                self.abort()

            on_next_end_signal(self._reactor, hurry)
            with suppress(CancelledError):
                await delay
        await self._stop_server()
        await super().stopService()  # type: ignore[no-untyped-call]

    async def _stop_server(self) -> None:
        await self._server.stopService()


class SupervisedService(HTTPService):
    """
    The same with workers, which do what there is to do: here only the sockets are opened.
    """

    def __init__(
        self,
        server: ListeningService,
        supervisor: Supervisor,
        past: WorkersPast,
        reactor: Any,
        stop_delay: float,
        on_signals: Mapping[signal.Signals, Callable[[], None]],
    ) -> None:
        """
        @param server: listens, and accepts nothing.
        @param supervisor: has the workers.
        @param past: what workers have done that are gone.
        @param reactor: as for L{HTTPService}, and so are the others.
        """
        self._supervisor = supervisor
        self._past = past
        super().__init__(server, reactor, stop_delay, on_signals, self._gather, supervisor.abort)
        # After the server, for it needs the open sockets.
        supervisor.setServiceParent(self)  # type: ignore[no-untyped-call]

    async def _stop_server(self) -> None:
        on_next_end_signal(self._reactor, self._supervisor.abort)
        # First ours, so that the sockets close with the last worker that accepts.
        await self._server.stopService()
        on_next_end_signal(self._reactor, self._supervisor.abort)
        await self._supervisor.stopService()

    def _gather(self) -> Deferred[Snapshot]:
        """
        Add up what all workers have done, and those before them.
        """

        def add(reports: list[Message | None]) -> Snapshot:
            present = [Snapshot.from_json(report) for report in reports if report is not None]
            return Snapshot.total([self._past.snapshot, *present])

        return self._supervisor.reports().addCallback(add)


class WorkersPast:
    """
    What workers have done that are gone: a sum of counters never falls.

    @ivar snapshot: all of it.
    """

    def __init__(self) -> None:
        self.snapshot = Snapshot()

    def add(self, report: Message) -> None:
        """
        A worker is gone, and this was its last report.
        """
        last = Snapshot.from_json({**report, "open_connections": 0})
        self.snapshot = Snapshot.total([self.snapshot, last])


@implementer(ILoggingContext)
class Nobody(Factory[Protocol]):
    """
    The factory of ports that are opened for others to accept from.
    """

    noisy = False

    def buildProtocol(self, addr: object) -> None:
        """
        Nothing is accepted here.
        """

    def logPrefix(self) -> str:
        """
        Name the server in the lines that Twisted itself logs about its ports.
        """
        return SERVER_NAME


def leave_to_others(port: IListeningPort) -> None:
    """
    Keep a port open, and accept nothing.
    """
    opened: Any = port
    opened.stopReading()
    opened.is_shared = True


def descriptor_of(port: IListeningPort) -> int:
    """
    Give the number of a port's socket.
    """
    opened: Any = port
    number: int = opened.fileno()
    return number
