"""
A simulated host in its place at the wire, and the programs on it.
"""

# mypy: allow-untyped-calls
# Twisted leaves its failures without annotations.

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from socket import inet_aton
from typing import Final

from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from netlab.lab.api.sides import Side
from netlab.lab.hosts.settings import CLIENT, SERVER
from netlab.lab.hosts.sysctls import settings as sysctl_settings
from netlab.lab.runs.machines import ProgramMachine
from netlab.lab.runs.programs import OutputLine
from netlab.lab.runs.sendernotes import SenderNotes
from netlab.lab.runs.servedfiles import settle_times, with_settled_root
from netlab.lab.runs.work import CommandWork, FunctionWork, ServerWork, Work
from netlab.lab.wire.wire import Wire
from netlab.simulation.clock import VirtualClock
from netlab.simulation.kernel import Kernel
from netlab.simulation.network import boot
from netlab.simulation.process import Process
from netlab.simulation.programs import run_command, run_function, run_server
from netlab.simulation.standardinput import StandardInput
from netlab.tcp.settings import Settings

_HOSTS: Final = {Side.CLIENT: CLIENT, Side.SERVER: SERVER}

_NAMES: Final = {
    "localhost": ("127.0.0.1", "::1"),
    CLIENT.name: (CLIENT.address,),
    SERVER.name: (SERVER.address,),
}

#: Has a call made at the time that it is now, if that goes by another clock.
Within = Callable[[Callable[[bytes], None], bytes], None]


def is_loaded_anew(name: str) -> bool:
    """
    Tell whether a module that an experiment imports uses sockets, time or standard output itself.
    """
    return name == "netlab.lab.api.sockets" or name.startswith("netlab.lab.experiments.")


def at_once(call: Callable[[bytes], None], frame: bytes) -> None:
    """
    Make a call where there is only one clock.
    """
    call(frame)


class SimulatedHost:
    """
    One simulated host, from one boot to the next.

    @ivar address: its IPv4 address.
    @ivar kernel: what its programs share, its TCP among it; None while it has no power.
    """

    def __init__(
        self,
        clock: VirtualClock,
        wire: Wire,
        side: Side,
        sysctls: Mapping[str, str],
        seed: str,
        folder: Path,
        on_line: Callable[[OutputLine], None],
        within: Within = at_once,
    ) -> None:
        """
        @param side: which end of the wire it is at.
        @param sysctls: an experiment's own system settings, by name.
        @param seed: of what it leaves to chance.
        @param folder: the current directory of its programs.
        @param on_line: is called with each line that they print.
        @param within: hands it a frame.
        """
        self.address = _HOSTS[side].address
        self.kernel: Kernel | None = None
        self._clock = clock
        self._wire = wire
        self._side = side
        self._settings = Settings.from_sysctls(dict(sysctl_settings(sysctls)))
        self._seed = seed
        self._folder = folder
        self._on_line = on_line
        self._within = within
        self._boots = 0
        self._processes: list[Process] = []
        self._notes: SenderNotes | None = None

    def note_of(self, frame: bytes) -> str | None:
        """
        Say what it knew when it sent a frame that leaves now.
        """
        return None if self._notes is None else self._notes.comment_of(frame)

    def boot(self) -> ProgramMachine:
        """
        Start it, with nothing running on it.
        """
        side = self._side
        ours, theirs = _HOSTS[side], _HOSTS[side.other]
        self._boots += 1
        # A seed for each boot: what one host draws does not change the other's luck.
        self.kernel = kernel = boot(
            self._clock,
            ours.name,
            (ours.address,),
            ours.hardware_address,
            {inet_aton(theirs.address): theirs.hardware_address},
            _NAMES,
            self._settings,
            f"{self._seed} {side.value} {self._boots}",
        )
        self._notes = notes = SenderNotes(kernel.interface)
        kernel.sent = notes.sent
        receive = kernel.interface.frame_arrives
        kernel.interface.attach(lambda frame: self._wire.send(side, frame))
        self._wire.attach(side, lambda frame: self._within(receive, frame))

        def spawn(program: ProcessProtocol, work: Work) -> object:
            return self._spawn(kernel, program, work)

        return ProgramMachine(spawn, side, ours.address, self._on_line, self._clock.time_ns)

    def power_off(self) -> None:
        """
        Let it lose its power: it sends nothing more, and its programs are gone.
        """
        if self.kernel is not None:
            self.kernel.power_off()
            self.kernel = None
        processes, self._processes = self._processes, []
        for process in processes:
            process.exit(-9)

    def _spawn(self, kernel: Kernel, program: ProcessProtocol, work: Work) -> object:
        clock = self._clock

        def write(descriptor: int, data: bytes) -> None:
            # Not within the program's own call, nor in its thread: who reads this may end it.
            clock.call_at(clock.now, program.childDataReceived, descriptor, data)

        process = Process(kernel, work.label, write, str(self._folder))
        self._processes.append(process)
        standard_input: StandardInput | None = None
        match work:
            case FunctionWork(path, name, arguments, listen):
                standard_input = run_function(
                    process, path, name, arguments, listen, is_loaded_anew
                )
            case ServerWork(name):
                now = clock.time_ns()
                settle_times(self._folder, now)
                run_server(process, name, with_settled_root(work, self._folder, now))
            case CommandWork(words):
                run_command(process, words)
        transport = _ProcessTransport(process, program, standard_input)
        program.makeConnection(transport)
        return transport


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
