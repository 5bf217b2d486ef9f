"""
A laboratory whose hosts are simulated: our own TCP, in virtual time, the same each time.
"""

# mypy: allow-untyped-calls
# Twisted leaves its failures without annotations.

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from socket import inet_aton
from typing import Any, Final

from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from netlab.errors import KnownError
from netlab.lab.api.experiment import Experiment
from netlab.lab.api.sides import Side
from netlab.lab.hosts.settings import CLIENT, SERVER
from netlab.lab.hosts.sysctls import settings as sysctl_settings
from netlab.lab.runs.driving import Driver
from netlab.lab.runs.machines import ProgramMachine
from netlab.lab.runs.programs import OutputLine
from netlab.lab.runs.servedfiles import settle_times, with_settled_root
from netlab.lab.runs.watching import WireWatch
from netlab.lab.runs.work import CommandWork, FunctionWork, ServerWork, Work
from netlab.lab.wire.wire import Wire
from netlab.simulation.clock import VirtualClock
from netlab.simulation.kernel import Kernel
from netlab.simulation.network import boot
from netlab.simulation.process import Process
from netlab.simulation.programs import ProgramLog, run_command, run_function, run_server
from netlab.simulation.standardinput import StandardInput
from netlab.tcp.settings import Settings

_HOSTS: Final = {Side.CLIENT: CLIENT, Side.SERVER: SERVER}

_NAMES: Final = {
    "localhost": ("127.0.0.1", "::1"),
    CLIENT.name: (CLIENT.address,),
    SERVER.name: (SERVER.address,),
}


def is_loaded_anew(name: str) -> bool:
    """
    Tell whether a module that an experiment imports uses sockets, time or standard output itself.
    """
    return name == "netlab.lab.api.sockets" or name.startswith("netlab.lab.experiments.")


class NotSimulatedError(KnownError):
    """
    The experiment is about a program that simulated hosts do not have.
    """

    def __init__(self, commands: Sequence[str]) -> None:
        """
        @param commands: by which the program is started.
        """
        names = ", ".join(commands)
        super().__init__(
            f"it cannot be simulated: {names} runs on Linux's TCP alone; "
            "run it with --isolation root or user"
        )


class SimulatedLaboratory:
    """
    Two simulated hosts on a wire: a L{netlab.lab.api.experiment.Laboratory}.

    @ivar clock: the virtual one.
    @ivar wire: what joins the hosts.
    @ivar machines: the hosts.
    @ivar kernels: what the programs of each host share, its TCP among it.
    @ivar folder: the current directory of all programs.
    @ivar failure: why the simulation has failed, a mistake of ours or of an observer's; else None.
    @ivar on_failure: is called then.
    """

    def __init__(
        self,
        reactor: Any,
        clock: VirtualClock,
        experiment: Experiment,
        wire: Wire,
        folder: Path,
        on_line: Callable[[OutputLine], None],
        *,
        is_paced: bool = False,
    ) -> None:
        """
        @param reactor: lets time pass.
        @param clock: the wire's too.
        @param on_line: is called with each line that a program prints.
        @param is_paced: whether a simulated second is to take a second.
        """
        self.clock = clock
        self.wire = wire
        self.machines: dict[Side, ProgramMachine] = {}
        self.kernels: dict[Side, Kernel] = {}
        self.folder = folder
        self.failure: Failure | None = None
        self.on_failure: Callable[[], None] = lambda: None
        self._on_line = on_line
        # With its name, so that not every experiment has the same ports and sequence numbers.
        self._seed = f"{experiment.wire.seed} {experiment.name}"
        self._boots = 0
        self._settings = {
            Side.CLIENT: _settings(experiment.client_sysctls),
            Side.SERVER: _settings(experiment.server_sysctls),
        }
        self._processes: dict[Side, list[Process]] = {side: [] for side in Side}
        self._watch = WireWatch(clock, wire)
        self._log = ProgramLog()
        self._driver = Driver(reactor, clock, self._broke, is_paced=is_paced)

    @property
    def client(self) -> ProgramMachine:
        """
        The client's host.
        """
        return self.machines[Side.CLIENT]

    @property
    def server(self) -> ProgramMachine:
        """
        The server's host.
        """
        return self.machines[Side.SERVER]

    async def start(self) -> None:
        """
        Make the hosts, join them, and let time begin.
        """
        self._log.start()
        for side in Side:
            self._boot(side)
        self._driver.start()

    async def reboot(self, side: Side) -> None:
        """
        Start a host, with nothing running on it.
        """
        self._boot(side)

    async def crash(self, side: Side) -> None:
        """
        Let a host lose its power.
        """
        del self.machines[side]
        self._power_off(side)

    async def pause(self, seconds: float) -> None:
        """
        Wait.
        """
        await deferLater(self.clock, seconds)

    async def all_closed(self) -> None:
        """
        Wait until every connection that the wire has seen is closed or reset.
        """
        await self._watch.all_closed()

    async def all_ended_by(self, side: Side) -> None:
        """
        Wait until a host has closed its side of every connection, or one of them has reset it.
        """
        await self._watch.all_ended_by(inet_aton(_HOSTS[side].address))

    async def stop(self) -> None:
        """
        End everything. What ends programs is no part of the capture: the wire has stopped before.
        """
        self.wire.stop()
        for side in self.kernels.copy():
            self._power_off(side)
        self._driver.stop()
        self._log.stop()
        # What programs have printed before.
        self.clock.advance(0)

    def _boot(self, side: Side) -> None:
        ours, theirs = _HOSTS[side], _HOSTS[side.other]
        self._boots += 1
        # A seed for each boot: what one host draws does not change the other's luck.
        self.kernels[side] = kernel = boot(
            self.clock,
            ours.name,
            (ours.address,),
            ours.hardware_address,
            {inet_aton(theirs.address): theirs.hardware_address},
            _NAMES,
            self._settings[side],
            f"{self._seed} {side.value} {self._boots}",
        )
        kernel.interface.attach(lambda frame: self.wire.send(side, frame))
        self.wire.attach(side, kernel.interface.frame_arrives)

        def spawn(program: ProcessProtocol, work: Work) -> object:
            return self._spawn(side, kernel, program, work)

        self.machines[side] = ProgramMachine(
            spawn, side, ours.address, self._on_line, self.clock.time_ns
        )

    def _power_off(self, side: Side) -> None:
        self.kernels.pop(side).power_off()
        processes, self._processes[side] = self._processes[side], []
        for process in processes:
            process.exit(-9)

    def _spawn(self, side: Side, kernel: Kernel, program: ProcessProtocol, work: Work) -> object:

        def write(descriptor: int, data: bytes) -> None:
            # Not within the program's own call, nor in its thread: who reads this may end it.
            self.clock.call_at(self.clock.now, program.childDataReceived, descriptor, data)

        process = Process(kernel, work.label, write, str(self.folder))
        self._processes[side].append(process)
        standard_input: StandardInput | None = None
        match work:
            case FunctionWork(path, name, arguments, listen):
                standard_input = run_function(
                    process, path, name, arguments, listen, is_loaded_anew
                )
            case ServerWork(name):
                now = self.clock.time_ns()
                settle_times(self.folder, now)
                run_server(process, name, with_settled_root(work, self.folder, now))
            case CommandWork(words):
                run_command(process, words)
        transport = _ProcessTransport(process, program, standard_input)
        program.makeConnection(transport)
        return transport

    def _broke(self, failure: Failure) -> None:
        self.failure = failure
        self.on_failure()


class _ProcessTransport:
    """
    A simulated process as what started it sees it.
    """

    def __init__(
        self, process: Process, program: ProcessProtocol, standard_input: StandardInput | None
    ) -> None:
        clock = process.kernel.clock
        self._process = process
        self._program = program
        self._standard_input = standard_input
        process.ended = lambda: clock.call_at(clock.now, self._ended)

    def writeToChild(self, childFD: int, data: bytes) -> None:
        """
        Give it something to read.
        """
        if self._standard_input is not None:
            self._standard_input.feed(data)

    def closeChildFD(self, childFD: int) -> None:
        """
        Give it no more.
        """
        if self._standard_input is not None:
            self._standard_input.end()

    def signalProcess(self, number: int) -> None:
        """
        Send it a signal.
        """
        self._process.signal(number)

    def _ended(self) -> None:
        for descriptor in (1, 2):
            self._program.childConnectionLost(descriptor)
        status = self._process.status
        if status == 0:
            reason: Exception = ProcessDone(0)
        elif status is not None and status < 0:
            reason = ProcessTerminated(signal=-status)
        else:
            reason = ProcessTerminated(exitCode=status)
        self._program.processEnded(Failure(reason))


def _settings(sysctls: Any) -> Settings:
    return Settings.from_sysctls(dict(sysctl_settings(sysctls)))
