"""
The laboratory proper: two hosts, the wire between them, and the programs on the hosts.

Experiments see it as L{netlab.lab.api.experiment.Laboratory} describes it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from pathlib import Path
from socket import inet_aton
from typing import Any

from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from netlab.lab.api.experiment import Experiment
from netlab.lab.api.sides import Side
from netlab.lab.hosts.hosts import Host, start_host
from netlab.lab.hosts.settings import CLIENT, SERVER, HostSettings, Isolation
from netlab.lab.runs.driving import Driver
from netlab.lab.runs.machines import ProgramMachine, spawner
from netlab.lab.runs.programs import OutputLine
from netlab.lab.runs.simulatedhost import SimulatedHost
from netlab.lab.runs.watching import WireWatch
from netlab.lab.wire.tapreader import Tap
from netlab.lab.wire.wire import Wire
from netlab.simulation.clock import VirtualClock
from netlab.simulation.programs import ProgramLog


class NamespaceLaboratory:
    """
    Two hosts on a wire: a L{netlab.lab.api.experiment.Laboratory}.

    @ivar clock: what time is measured by.
    @ivar wire: what joins the hosts.
    @ivar machines: the hosts.
    @ivar folder: the current directory of all programs.
    @ivar failure: why the wire has failed, a mistake of ours or of an observer's; else None.
    @ivar on_failure: is called then.
    """

    def __init__(
        self,
        reactor: Any,
        experiment: Experiment,
        wire: Wire,
        isolation: Isolation,
        scratch: Path,
        folder: Path,
        on_line: Callable[[OutputLine], None],
        time_ns: Callable[[], int] = time.time_ns,
        own_stacks: Collection[Side] = (),
    ) -> None:
        """
        @param own_stacks: hosts that are simulated, in real time: our own TCP on the wire, against
            the other's, which is the kernel's.
        @param scratch: an existing folder, which in the hosts is an empty one in memory.
        @param on_line: is called with each line that a program prints.
        @param time_ns: tells the time of day in nanoseconds.
        """
        self.wire = wire
        self.machines: dict[Side, ProgramMachine] = {}
        self._reactor = self.clock = reactor
        self._isolation = isolation
        self._scratch = scratch
        self.folder = folder
        self._on_line = on_line
        self._time_ns = time_ns
        self._hosts: dict[Side, Host] = {}
        self._taps: dict[Side, Tap] = {}
        self._settings = {
            Side.CLIENT: _with_sysctls(CLIENT, experiment.client_sysctls),
            Side.SERVER: _with_sysctls(SERVER, experiment.server_sysctls),
        }
        self._watch = WireWatch(reactor, wire)
        self._log = ProgramLog()
        self._clock = clock = VirtualClock(time_ns())
        self._driver = Driver(reactor, clock, self._broke, is_paced=True, is_late=True)
        seed = f"{experiment.wire.seed} {experiment.name}"
        self._simulated = {
            side: SimulatedHost(
                clock,
                wire,
                side,
                self._settings[side].sysctls,
                seed,
                folder,
                on_line,
                self._driver.at_once,
            )
            for side in own_stacks
        }
        self.failure: Failure | None = None
        self.on_failure: Callable[[], None] = lambda: None

    def note_of(self, sender: Side, frame: bytes) -> str | None:
        """
        Say what a host knew when it sent a frame that leaves now: one with our own TCP.
        """
        host = self._simulated.get(sender)
        return None if host is None else host.note_of(frame)

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
        Make the hosts and join them.

        @raise HostError: a host could not be made.
        """
        if self._simulated:
            self._log.start()
            self._driver.start()
        for side in Side:
            await self.reboot(side)

    async def reboot(self, side: Side) -> None:
        """
        Start a host, with nothing running on it.

        @raise HostError: it could not be made.
        """
        simulated = self._simulated.get(side)
        if simulated is not None:
            self.machines[side] = simulated.boot()
            return
        settings, peer = self._settings[side], self._settings[side.other]
        self._hosts[side] = host = await start_host(
            self._reactor, settings, [peer], self._isolation, self._scratch
        )
        tap = Tap(self._reactor, host.tap, lambda frame: self.wire.send(side, frame), self._broke)
        self._taps[side] = tap
        self.wire.attach(side, tap.write)
        self.machines[side] = ProgramMachine(
            spawner(host, self.folder), side, settings.address, self._on_line, self._time_ns
        )

    async def crash(self, side: Side) -> None:
        """
        Let a host lose its power. Its device is taken away first, so that nothing of its end is
        sent.
        """
        if side in self._simulated:
            del self.machines[side]
            self._simulated[side].power_off()
            return
        self._taps.pop(side).close()
        del self.machines[side]
        await self._hosts.pop(side).stop()

    async def pause(self, seconds: float) -> None:
        """
        Wait.
        """
        await deferLater(self._reactor, seconds)

    async def all_closed(self) -> None:
        """
        Wait until every connection that the wire has seen is closed or reset.
        """
        await self._watch.all_closed()

    async def all_ended_by(self, side: Side) -> None:
        """
        Wait until a host has closed its side of every connection, or one of them has reset it.
        """
        await self._watch.all_ended_by(inet_aton(self._settings[side].address))

    async def stop(self) -> None:
        """
        End everything. What ends programs is no part of the capture: the wire has stopped before.
        """
        self.wire.stop()
        for simulated in self._simulated.values():
            simulated.power_off()
        if self._simulated:
            self._driver.stop()
            self._log.stop()
            self._clock.advance(0)
        for side, machine in self.machines.items():
            if side not in self._simulated:
                await machine.stop_programs(self._reactor)
        for tap in self._taps.values():
            tap.close()
        for host in self._hosts.values():
            await host.stop()

    def _broke(self, failure: Failure) -> None:
        self.failure = failure
        self.on_failure()


def _with_sysctls(settings: HostSettings, sysctls: Any) -> HostSettings:
    return HostSettings(settings.name, settings.address, settings.hardware_address, sysctls)
