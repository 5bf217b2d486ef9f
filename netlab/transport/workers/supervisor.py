"""
Worker processes: started, replaced when they end, told what to do, and ended together.

The listening sockets are opened once, here, and inherited: all workers accept from the same queue,
so that what waits there is not lost with a worker (docs/decisions/0071). A worker learns from the
end of its control connection that the supervisor is gone, even if that was killed.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from twisted.application.service import Service
from twisted.internet import defer
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.interfaces import IDelayedCall, IProcessTransport
from twisted.internet.protocol import Factory, ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from netlab.transport.workers.control import ControlLink, Message
from netlab.transport.workers.shares import WorkerShares, create_shares

#: The worker's descriptors: its control connection, the counts of L{WorkerShares}, the first
#: socket.
CONTROL_DESCRIPTOR: Final = 3
SHARES_DESCRIPTOR: Final = 4
FIRST_SOCKET: Final = 5

FIRST_DELAY_SECONDS: Final = 0.1
"""How long after its end a worker is replaced; twice as long each time that one ends early."""

LONGEST_DELAY_SECONDS: Final = 30.0

STARTING_MAX: Final = 2 * max(2, os.cpu_count() or 1)
"""How many workers begin at a time: a hundred that do so share the processors such that none serves
for minutes."""

EARLY_SECONDS: Final = 10.0
"""A worker that has lived for so long has not ended early."""

REPORT_SECONDS: Final = 1.0
"""How long a worker may take for its report; then its last one counts."""

KILL_SECONDS: Final = 5.0
"""How much longer than it was given a worker may take to end, before it is killed."""

_LINE_MAX_BYTES: Final = 8192


#: What systemd tells a service's first process, and no other (sd_notify(3), sd_listen_fds(3)).
_OURS_ALONE: Final = frozenset(
    {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}
    | {"LISTEN_FDS", "LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDNAMES", "MAINPID"}
)


class Worker(ProcessProtocol):
    """
    One worker process, from the supervisor's side.

    @ivar pid: its process id.
    @ivar is_ready: whether it accepts connections.
    @ivar slot: its number among the workers of its time, from 0.
    @ivar started: when it was started, in the clock's seconds.
    @ivar report: the last one that it has given.
    """

    def __init__(self, supervisor: Supervisor, slot: int, started: float) -> None:
        self._supervisor = supervisor
        self.slot = slot
        self.started = started
        self.pid: int | None = None
        self.is_ready = False
        self.report: Message | None = None
        self.link = ControlLink(self._received, lambda: None)
        self._asking: list[Deferred[None]] = []
        self._out = b""

    # The process

    def outReceived(self, data: bytes) -> None:
        """
        Write what it says into our own log.
        """
        *lines, self._out = (self._out + data).split(b"\n")
        if len(self._out) > _LINE_MAX_BYTES:
            lines.append(self._out)
            self._out = b""
        for line in lines:
            self._supervisor.say(f"worker {self.pid}: {line.decode('utf-8', 'replace')}")

    errReceived = outReceived

    def processEnded(self, reason: Failure) -> None:
        """
        See to it that there is another one.
        """
        asking, self._asking = self._asking, []
        for one in asking:
            one.callback(None)
        ended: Any = reason.value
        how = f"signal {ended.signal}" if ended.signal else f"status {ended.exitCode}"
        self._supervisor.ended(self, how)

    def kill(self) -> None:
        """
        End it without asking.
        """
        process: IProcessTransport | None = self.transport
        assert process is not None
        try:
            process.signalProcess("KILL")
        except ProcessExitedAlready:
            return

    # The control connection

    def _received(self, message: Message) -> None:
        if message.get("ready"):
            self.is_ready = True
            self._supervisor.say(f"worker {self.pid} serves")
            self._supervisor.start_another()
        elif "report" in message:
            self.report = message["report"]
            if self._asking:
                self._asking.pop(0).callback(None)

    async def ask(self, reactor: Any) -> Message | None:
        """
        Ask for a report.

        @return: the newest there is.
        """
        answered: Deferred[None] = Deferred()
        self._asking.append(answered)
        self.link.send({"do": "report"})
        try:
            await answered.addTimeout(REPORT_SECONDS, reactor)
        except defer.TimeoutError:
            # An answer that comes later is the next question's, and as good.
            self._asking.remove(answered)
        return self.report


class Supervisor(Service):
    """
    Keeps a number of workers running.

    @ivar workers: those that run.
    @ivar replaced: how many have been replaced, ever.
    """

    def __init__(
        self,
        reactor: Any,
        name: str,
        count: int,
        command: Callable[[int, int], Sequence[str]],
        descriptors: Callable[[], Sequence[int]],
        *,
        directory: str,
        environment: Mapping[str, str],
        grace: float,
        gone: Callable[[Message], None] = lambda report: None,
    ) -> None:
        """
        @param reactor: starts processes and measures time.
        @param name: the server's name in the log.
        @param count: how many workers there are.
        @param command: makes a worker's command line, given its slot and the number of listening
            sockets: they are its descriptors from L{FIRST_SOCKET} on.
        @param descriptors: gives our descriptors of these sockets.
        @param directory: where a worker runs.
        @param environment: its environment.
        @param grace: for how many seconds it may go on after it was told to stop.
        @param gone: is called with the last report of a worker that is gone.
        """
        self.workers: list[Worker] = []
        self.replaced = 0
        self._reactor = reactor
        self._log = Logger(namespace=name)
        self._count = count
        self._command = command
        self._descriptors = descriptors
        self._directory = directory
        self._environment = environment
        self._grace = grace
        self._gone = gone
        self._early_ends = 0
        self._unstarted = 0
        self._shares_descriptor = create_shares(count)
        self._shares = WorkerShares(self._shares_descriptor)
        self._replacements: set[IDelayedCall] = set()
        self._when_ended: Deferred[None] | None = None

    def say(self, line: str) -> None:
        """
        Write a line into the log.
        """
        self._log.info("{line}", line=line)

    def startService(self) -> None:
        """
        Start the workers.
        """
        super().startService()  # type: ignore[no-untyped-call]
        self._unstarted = self._count
        for _ in range(STARTING_MAX):
            self.start_another()

    def start_another(self) -> None:
        """
        Start one of those that have not been started yet, if there is one: another serves by now.
        """
        if self._unstarted and self.running:
            self._unstarted -= 1
            self._start_one()

    def stopService(self) -> Deferred[None]:
        """
        Let every worker finish, and kill those that do not.

        @return: fires when none is left.
        """
        super().stopService()  # type: ignore[no-untyped-call]
        for call in self._replacements:
            call.cancel()
        self._replacements.clear()
        stopped: Deferred[None] = Deferred()
        if not self.workers:
            stopped.callback(None)
            return stopped
        self._when_ended = stopped
        self.tell({"do": "stop"})
        patience = self._reactor.callLater(self._grace + KILL_SECONDS, self._kill)

        def forget(ignored: None) -> None:
            if patience.active():
                patience.cancel()

        return stopped.addCallback(forget)

    def abort(self) -> None:
        """
        While stopping: let the workers drop what they are at.
        """
        self.tell({"do": "abort"})

    def tell(self, message: Message) -> None:
        """
        Send a message to every worker.
        """
        for worker in self.workers:
            worker.link.send(message)

    def reports(self) -> Deferred[list[Message | None]]:
        """
        Ask every worker for its report.

        @return: fires with one for each; None for a worker that has never given one.
        """
        asking = [Deferred.fromCoroutine(worker.ask(self._reactor)) for worker in self.workers]
        return gatherResults(asking)

    def ended(self, worker: Worker, how: str) -> None:
        """
        A worker has ended.
        """
        self.workers.remove(worker)
        self._shares.note(worker.slot, None)
        if worker.report is not None:
            self._gone(worker.report)
        if not self.running:
            if not self.workers and self._when_ended is not None:
                done, self._when_ended = self._when_ended, None
                done.callback(None)
            return
        lived = self._reactor.seconds() - worker.started
        self._early_ends = 0 if lived >= EARLY_SECONDS else self._early_ends + 1
        self._replace(f"worker {worker.pid} ended by {how}")

    def _replace(self, why: str) -> None:
        doublings = min(max(self._early_ends - 1, 0), 16)
        delay = min(FIRST_DELAY_SECONDS * 2**doublings, LONGEST_DELAY_SECONDS)
        self._log.error("{why}; another is started in {delay} s", why=why, delay=delay)

        def replace() -> None:
            self._replacements.discard(call)
            self.replaced += 1
            self._start_one()

        call = self._reactor.callLater(delay, replace)
        self._replacements.add(call)

    def _start_one(self) -> None:
        slot = min(set(range(self._count)) - {worker.slot for worker in self.workers})
        worker = Worker(self, slot, self._reactor.seconds())
        sockets = self._descriptors()
        command = self._command(slot, len(sockets))
        ours, theirs = socket.socketpair()
        with ours, theirs:
            inherited = [theirs.fileno(), self._shares_descriptor, *sockets]
            try:
                process = self._reactor.spawnProcess(
                    worker,
                    command[0],
                    command,
                    env=dict(self._environment),
                    path=self._directory,
                    childFDs={
                        0: "w",
                        1: "r",
                        2: "r",
                        **{CONTROL_DESCRIPTOR + i: fd for i, fd in enumerate(inherited)},
                    },
                )
            except OSError as error:
                self._early_ends += 1
                self._replace(f"a worker could not be started ({error})")
                return
            ours.setblocking(False)
            factory: Factory[ControlLink] = Factory.forProtocol(lambda: worker.link)
            factory.noisy = False
            self._reactor.adoptStreamConnection(ours.fileno(), socket.AF_UNIX, factory)
        process.closeStdin()
        worker.pid = process.pid
        self.workers.append(worker)

    def _kill(self) -> None:
        for worker in self.workers:
            self._log.error("worker {pid} does not end, and is killed", pid=worker.pid)
            worker.kill()


def worker_environment(package: str) -> dict[str, str]:
    """
    Make an environment in which a worker finds the same package as we do. A worker is this server:
    what its resources need of the environment is not known here, so that it gets all but what a
    service manager tells this one process. It looks for no code where it stands.

    @param package: the folder that holds the package.
    """
    passed_on = {name: value for name, value in os.environ.items() if name not in _OURS_ALONE}
    places = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    path = os.pathsep.join([package, *map(os.path.abspath, places)])
    return {**passed_on, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"}


def forwarded(supervisor: Supervisor, number: signal.Signals) -> Callable[[], None]:
    """
    Make what passes a signal on to the workers, as a message.
    """
    return lambda: supervisor.tell({"do": "signal", "name": number.name})
