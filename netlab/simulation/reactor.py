"""
A reactor for one program on a simulated host: Twisted's interfaces over virtual time and simulated
sockets.

It watches the sockets of its own host alone, so it does not claim to watch descriptors
(C{IReactorFDSet}), and what asks for that, as L{netlab.transport} does, keeps to Twisted's own
transport.
"""

# mypy: allow-untyped-calls
# Twisted leaves its failures without annotations.

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Any, Final

from twisted.internet import error, interfaces
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.main import CONNECTION_LOST
from twisted.internet.posixbase import _DisconnectSelectableMixin
from twisted.logger import Logger
from twisted.python import log
from twisted.python.failure import Failure
from zope.interface import implementer

from netlab.simulation.clock import EPOCH_NS, NANOSECONDS, VirtualCall, nanoseconds
from netlab.simulation.kernelsocket import KernelSocket
from netlab.simulation.process import Process
from netlab.simulation.resolving import HostsFile
from netlab.simulation.threadpool import PoolWithoutThreads
from netlab.simulation.twistedtcp import SimulatedConnector, SimulatedPort

WAKE_NS: Final = 20_000
"""How long a program takes to notice that something has happened to a socket."""

_log = Logger(namespace="netlab-simulation")


@implementer(
    interfaces.IReactorCore,
    interfaces.IReactorTCP,
    interfaces.IReactorTime,
    interfaces.IReactorThreads,
    interfaces.IReactorPluggableNameResolver,
    interfaces.IReactorPluggableResolver,
)
class ProcessReactor(_DisconnectSelectableMixin):
    """
    The reactor of one program.

    @ivar process: the program.
    @ivar nameResolver: knows the names of the simulation's hosts.
    @cvar hears_signals: signals to this Python are not for the program.
    @ivar running: L{run} has been called, and not L{stop}.
    """

    hears_signals = False

    def __init__(self, process: Process) -> None:
        self.process = process
        self.running = False
        self._clock = process.kernel.clock
        self._readers: dict[Any, None] = {}
        self._writers: dict[Any, None] = {}
        self._looks: dict[Any, VirtualCall] = {}
        self._triggers: dict[str, list[tuple[Callable[..., Any], Any, Any]]] = {}
        self._when_running: list[tuple[Callable[..., Any], Any, Any]] = []
        self._resolver: Any = None
        self._pool = PoolWithoutThreads(self.callFromThread)
        self.nameResolver: Any = HostsFile(process.kernel.look_up)

    # IReactorTime

    def seconds(self) -> float:
        """
        Tell the time of day, in seconds since 1970.
        """
        return (EPOCH_NS + self._clock.now) / NANOSECONDS

    def callLater(
        self,
        delay: float,
        callable: Callable[..., object],  # noqa: A002, so the interface calls it
        *args: object,
        **kwargs: object,
    ) -> VirtualCall:
        """
        Make a call later.
        """
        return self._clock.callLater(delay, self._call, callable, args, kwargs)

    def getDelayedCalls(self) -> Sequence[interfaces.IDelayedCall]:
        """
        List the calls of this program that are to be made.
        """
        ours = self._call
        return [call for call in self._clock.waiting_calls() if call.function == ours]

    # IReactorThreads: there are none

    def callFromThread(self, callable: Callable[..., object], *args: Any, **kw: Any) -> None:  # noqa: A002
        """
        Make a call as soon as possible.
        """
        self._clock.callLater(0, self._call, callable, args, kw)

    def callInThread(self, callable: Callable[..., object], *args: Any, **kw: Any) -> None:  # noqa: A002
        """
        Make a call that may take its time: it takes none of the simulation's.
        """
        self._pool.callInThread(callable, *args, **kw)

    def getThreadPool(self) -> Any:
        """
        Give what looks like a pool of threads.
        """
        return self._pool

    def suggestThreadPoolSize(self, size: int) -> None:
        """
        There is no thread, whatever is suggested.
        """

    # IReactorPluggableNameResolver, and what clients of old ask

    def installNameResolver(self, resolver: Any) -> Any:
        """
        Use another resolver.

        @return: the one before.
        """
        before, self.nameResolver = self.nameResolver, resolver
        return before

    def installResolver(self, resolver: Any) -> Any:
        """
        Use another resolver for L{resolve}.

        @return: the one before.
        """
        before, self._resolver = self._resolver, resolver
        return before

    def resolve(self, name: str, timeout: Sequence[int] = ()) -> Deferred[str]:
        """
        Find the IPv4 address of a host.
        """
        if self._resolver is not None:
            found: Deferred[str] = self._resolver.getHostByName(name, timeout)
            return found
        try:
            return succeed(self.process.kernel.look_up(name, socket.AF_INET))
        except OSError:
            return fail(error.DNSLookupError(f"no host is called {name!a}"))

    # IReactorTCP

    def listenTCP(
        self,
        port: int,
        factory: interfaces.IProtocolFactory,
        backlog: int = 50,
        interface: str = "",
    ) -> interfaces.IListeningPort:
        """
        Listen.

        @raise CannotListenError: the port is taken, or the address not the host's.
        """
        listening = SimulatedPort(port, factory, backlog, interface, self)
        listening.startListening()
        return listening

    def connectTCP(
        self,
        host: str,
        port: int,
        factory: Any,
        timeout: float = 30,
        bindAddress: Any = None,
    ) -> interfaces.IConnector:
        """
        Connect.
        """
        connector = SimulatedConnector(host, port, factory, timeout, bindAddress, self)
        connector.connect()
        return connector

    # What Twisted's TCP classes need of a reactor

    def addReader(self, selectable: Any) -> None:
        """
        Tell when there is something to read.
        """
        self._readers[selectable] = None
        self._consider(selectable)

    def addWriter(self, selectable: Any) -> None:
        """
        Tell when something can be written.
        """
        self._writers[selectable] = None
        self._consider(selectable)

    def removeReader(self, selectable: Any) -> None:
        """
        Tell no more.
        """
        self._readers.pop(selectable, None)

    def removeWriter(self, selectable: Any) -> None:
        """
        Tell no more.
        """
        self._writers.pop(selectable, None)

    def removeAll(self) -> list[Any]:
        """
        Watch nothing any more.

        @return: what was watched.
        """
        watched = list(self._readers | self._writers)
        self._readers.clear()
        self._writers.clear()
        return watched

    def getReaders(self) -> list[Any]:
        """
        List what is watched for reading.
        """
        return list(self._readers)

    def getWriters(self) -> list[Any]:
        """
        List what is watched for writing.
        """
        return list(self._writers)

    def disconnectAll(self) -> None:
        """
        Lose all connections and close all ports.
        """
        for selectable in self.removeAll():
            selectable.connectionLost(Failure(CONNECTION_LOST))

    # IReactorCore

    def callWhenRunning(self, callable: Callable[..., Any], *args: Any, **kw: Any) -> None:  # noqa: A002
        """
        Make a call when the reactor runs: at once, if it does.
        """
        if self.running:
            callable(*args, **kw)
        else:
            self._when_running.append((callable, args, kw))

    def addSystemEventTrigger(
        self,
        phase: str,
        eventType: str,
        callable: Callable[..., Any],  # noqa: A002
        *args: Any,
        **kw: Any,
    ) -> Any:
        """
        Make a call before, during or after the start or the end.
        """
        trigger = callable, args, kw
        self._triggers.setdefault(f"{phase} {eventType}", []).append(trigger)
        return phase, eventType, trigger

    def removeSystemEventTrigger(self, triggerID: Any) -> None:
        """
        Do not make a call.
        """
        phase, event, trigger = triggerID
        self._triggers[f"{phase} {event}"].remove(trigger)

    def fireSystemEvent(self, eventType: str) -> None:
        """
        Make the calls of an event.
        """
        for phase in ("before", "during", "after"):
            for function, arguments, keywords in self._triggers.pop(f"{phase} {eventType}", []):
                self._call(function, arguments, keywords)

    def run(self, installSignalHandlers: bool = True) -> None:
        """
        Run until L{stop}: the program waits meanwhile.

        @raise ReactorAlreadyRunning: it runs.
        """
        self.start()
        turns = self.process.turns
        while self.running:
            if turns is not None:
                turns.wait()
            elif not self._clock.step():
                # Nothing will ever happen: an ordinary reactor would wait for ever.
                self.running = False

    def start(self) -> None:
        """
        Be running from now on, without waiting for the end.
        """
        if self.running:
            raise error.ReactorAlreadyRunning
        for function, arguments, keywords in self._triggers.pop("before startup", []):
            self._call(function, arguments, keywords)
        self.running = True
        self.fireSystemEvent("startup")
        calls, self._when_running = self._when_running, []
        for function, arguments, keywords in calls:
            self._call(function, arguments, keywords)

    def stop(self) -> None:
        """
        Stop, when what is to be done before has been done.

        @raise ReactorNotRunning: it does not run.
        """
        if not self.running:
            raise error.ReactorNotRunning
        self.callLater(0, self._stop)

    def crash(self) -> None:
        """
        Stop at once.
        """
        self.running = False
        if self.process.turns is not None:
            self._clock.callLater(0, self.process.take_turn)

    def iterate(self, delay: float = 0) -> None:
        """
        Let time pass.
        """
        self._clock.advance(nanoseconds(delay))

    def _stop(self) -> None:
        if not self.running:
            return
        waiting: list[Deferred[Any]] = []
        for function, arguments, keywords in self._triggers.pop("before shutdown", []):
            result = self._call(function, arguments, keywords)
            if isinstance(result, Deferred) and not result.called:
                waiting.append(result)
        left = len(waiting)

        def one_less(_: object) -> None:
            nonlocal left
            left -= 1
            if not left:
                self._end()

        for deferred in waiting:
            deferred.addBoth(one_less)
        if not waiting:
            self._end()

    def _end(self) -> None:
        self.disconnectAll()
        self.fireSystemEvent("shutdown")
        self.crash()

    # What happens

    def _call(self, function: Callable[..., Any], arguments: Any, keywords: Any) -> Any:
        """
        Make a call as the program, if that has not ended.
        """
        process = self.process
        if process.status is not None:
            return None
        with process.running():
            try:
                return function(*arguments, **keywords)
            except Exception:  # noqa: BLE001, a reactor survives what it calls
                _log.failure("Unhandled error of a simulated program")
                return None

    def _socket_of(self, selectable: Any) -> KernelSocket | None:
        found = self.process.kernel.descriptors.get(selectable.fileno())
        return found if isinstance(found, KernelSocket) else None

    def _consider(self, selectable: Any) -> None:
        """
        Come back if there is something to do for what is watched.
        """
        if selectable in self._looks:
            return
        one = self._socket_of(selectable)
        if one is None:
            return
        one.changed = lambda: self._consider(selectable)
        if (selectable in self._readers and one.is_readable) or (
            selectable in self._writers and one.is_writable
        ):
            due = self._clock.now + WAKE_NS
            self._looks[selectable] = self._clock.call_at(due, self._look, selectable)

    def _look(self, selectable: Any) -> None:
        """
        Let a selectable do what it can.
        """
        del self._looks[selectable]
        if self.process.status is not None:
            return
        with self.process.running():
            log.callWithLogger(selectable, self._let_do, selectable)
        if selectable in self._readers or selectable in self._writers:
            self._consider(selectable)

    def _let_do(self, selectable: Any) -> None:
        one = self._socket_of(selectable)
        if one is not None and selectable in self._readers and one.is_readable:
            self._do(selectable, selectable.doRead, is_read=True)
        if one is not None and selectable in self._writers and one.is_writable:
            self._do(selectable, selectable.doWrite, is_read=False)

    def _do(self, selectable: Any, what: Callable[[], Any], *, is_read: bool) -> None:
        try:
            why = what()
        except Exception as problem:  # noqa: BLE001, as a reactor does: the connection is lost
            _log.failure("Unhandled error of a simulated program")
            why = problem
        if why:
            self._disconnectSelectable(selectable, why, is_read)
