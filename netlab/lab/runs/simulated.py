"""
A laboratory whose hosts are simulated: our own TCP, in virtual time, the same each time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from socket import inet_aton
from typing import Any

from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from netlab.errors import KnownError
from netlab.lab.api.experiment import Experiment
from netlab.lab.api.sides import Side
from netlab.lab.runs.driving import Driver
from netlab.lab.runs.machines import ProgramMachine
from netlab.lab.runs.programs import OutputLine
from netlab.lab.runs.simulatedhost import SimulatedHost
from netlab.lab.runs.watching import WireWatch
from netlab.lab.wire.wire import Wire
from netlab.simulation.clock import VirtualClock
from netlab.simulation.programs import ProgramLog


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
    @ivar hosts: the hosts.
    @ivar machines: what runs programs on them, while they have power.
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
        self.folder = folder
        self.failure: Failure | None = None
        self.on_failure: Callable[[], None] = lambda: None
        # With its name, so that not every experiment has the same ports and sequence numbers.
        seed = f"{experiment.wire.seed} {experiment.name}"
        self.hosts = {
            side: SimulatedHost(clock, wire, side, sysctls, seed, folder, on_line)
            for side, sysctls in (
                (Side.CLIENT, experiment.client_sysctls),
                (Side.SERVER, experiment.server_sysctls),
            )
        }
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
            await self.reboot(side)
        self._driver.start()

    def note_of(self, sender: Side, frame: bytes) -> str | None:
        """
        Say what a host knew when it sent a frame that leaves now.
        """
        return self.hosts[sender].note_of(frame)

    async def reboot(self, side: Side) -> None:
        """
        Start a host, with nothing running on it.
        """
        self.machines[side] = self.hosts[side].boot()

    async def crash(self, side: Side) -> None:
        """
        Let a host lose its power.
        """
        del self.machines[side]
        self.hosts[side].power_off()

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
        await self._watch.all_ended_by(inet_aton(self.hosts[side].address))

    async def stop(self) -> None:
        """
        End everything. What ends programs is no part of the capture: the wire has stopped before.
        """
        self.wire.stop()
        for host in self.hosts.values():
            host.power_off()
        self._driver.stop()
        self._log.stop()
        # What programs have printed before.
        self.clock.advance(0)

    def _broke(self, failure: Failure) -> None:
        self.failure = failure
        self.on_failure()
