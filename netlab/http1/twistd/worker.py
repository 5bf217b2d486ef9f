"""
One of several processes that serve on the same sockets: C{python -m netlab.http1.twistd.worker}, as
L{netlab.transport.workers.supervisor} starts it.

Its arguments are the module of its reactor, its slot, the number of its sockets, and the command
line of C{twistd netlab-http}. It ends on request, and when its supervisor is gone.
"""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from importlib import import_module
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IStreamServerEndpoint
from twisted.internet.protocol import Factory
from twisted.logger import ILogObserver, LogEvent, Logger, eventAsText, globalLogBeginner
from zope.interface import provider

from netlab.http1 import SERVER_NAME
from netlab.http1.accesslog.counters import Snapshot
from netlab.http1.programs.asyncioloop import install_asyncio_reactor
from netlab.http1.twistd.options import Options
from netlab.http1.twistd.running import HTTPService
from netlab.http1.twistd.tap import makeService
from netlab.transport.endpoint import adopted_from_string
from netlab.transport.port import FastPort
from netlab.transport.workers.control import ControlLink, Message
from netlab.transport.workers.shares import WorkerShares
from netlab.transport.workers.supervisor import CONTROL_DESCRIPTOR, FIRST_SOCKET, SHARES_DESCRIPTOR

_log = Logger(namespace=SERVER_NAME)


class WorkerOptions(Options):
    """
    The same command line, but for sockets that are there already.
    """

    is_worker = True

    def __init__(self, descriptors: Iterator[int]) -> None:
        """
        @param descriptors: the sockets, in the order of C{--listen}.
        """
        super().__init__()
        self._inherited = descriptors

    def endpoint(self, option: str, description: str) -> IStreamServerEndpoint:
        """
        Make an endpoint on the next of the sockets.
        """
        if option != "--listen":
            return super().endpoint(option, description)
        from twisted.internet import reactor

        return adopted_from_string(
            reactor,
            description,
            next(self._inherited),
            is_fast=not self["stock-transport"],
            **self.tls_for(option),
        )


class WorkerProcess:
    """
    What this process does on request.
    """

    def __init__(self, service: HTTPService, reactor: Any, shares: WorkerShares, slot: int) -> None:
        """
        @param service: the server.
        @param reactor: runs it.
        @param shares: tells how many connections the others have.
        @param slot: its own number there.
        """
        self._shares = shares
        self._slot = slot
        self._service = service
        self._reactor = reactor
        self._is_stopping = False
        self.link = ControlLink(self._received, self.stop)

    def start(self) -> None:
        """
        Serve, and say so.
        """
        self._service.privilegedStartService()  # type: ignore[no-untyped-call]
        self._service.startService()
        self._shares.note(self._slot, 0)
        self._service.connections.changed = partial(self._shares.note, self._slot)
        for port in self._service.ports:
            if isinstance(port, FastPort):
                port.lets_others = partial(self._shares.has_its_share, self._slot)
        self._reactor.addSystemEventTrigger("before", "shutdown", self._stop_service)
        self.link.send({"ready": True})

    def stop(self) -> None:
        """
        Finish, and end. Harmless when repeated.
        """
        if not self._is_stopping:
            self._is_stopping = True
            self._reactor.stop()

    def _stop_service(self) -> Deferred[None]:
        return self._service.stopService().addCallback(lambda _: self._report())

    def _report(self) -> None:
        snapshot = self._service.take()
        assert isinstance(snapshot, Snapshot)
        self.link.send({"report": snapshot.to_json()})

    def _received(self, message: Message) -> None:
        match message.get("do"):
            case "stop":
                self.stop()
            case "abort":
                self.stop()
                self._service.abort()
            case "report":
                self._report()
            case "signal":
                self._service.on_signals[signal.Signals[message["name"]]]()
            case other:
                _log.error("There is nothing to do as {what!r}", what=other)


def main(arguments: Sequence[str]) -> None:
    """
    Run a worker.

    @param arguments: as the module's documentation says.
    """
    reactor_module, slot, count, *words = arguments
    if reactor_module == "twisted.internet.asyncioreactor":
        install_asyncio_reactor()
    else:
        import_module(reactor_module).install()
    from twisted.internet import reactor

    # Some go to all processes of a terminal or a service; the supervisor says what is to be done.
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    globalLogBeginner.beginLoggingTo([_write_event], redirectStandardIO=False)
    sockets = range(FIRST_SOCKET, FIRST_SOCKET + int(count))
    options = WorkerOptions(iter(sockets))
    options.parseOptions(words)
    service = makeService(options, reactor)
    if service.programs is not None:
        # Before the reactor runs: a program may take its time to start.
        service.programs.privilegedStartService()
    worker = WorkerProcess(service, reactor, WorkerShares(SHARES_DESCRIPTOR), int(slot))
    running: Any = reactor
    factory: Factory[ControlLink] = Factory.forProtocol(lambda: worker.link)
    factory.noisy = False
    control = socket.socket(fileno=CONTROL_DESCRIPTOR)
    control.setblocking(False)
    running.adoptStreamConnection(control.fileno(), socket.AF_UNIX, factory)
    control.close()
    signal.signal(signal.SIGTERM, lambda number, frame: running.callFromThread(worker.stop))
    running.callWhenRunning(worker.start)
    running.run(installSignalHandlers=False)


@provider(ILogObserver)
def _write_event(event: LogEvent) -> None:
    """
    Write a log event for the supervisor, who knows the time.
    """
    text = eventAsText(event, includeTimestamp=False, includeSystem=False)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
