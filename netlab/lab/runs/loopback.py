"""
A laboratory without hosts, for where the kernel gives no namespaces: two programs on this machine's
loopback, and a relay between them that tells what it read.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from twisted.internet.interfaces import IProcessTransport
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import deferLater

from netlab.errors import KnownError
from netlab.lab.api.sides import Side
from netlab.lab.hosts.hosts import environment, python_arguments
from netlab.lab.runs.machines import ProgramMachine, spawner
from netlab.lab.runs.programs import OutputLine
from netlab.lab.runs.relay import Relay, RelayedPassage


class NoWireError(KnownError):
    """
    The experiment does something to a host or a wire, and there is none.
    """

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} needs hosts of its own, which cannot be made here")


class _Loopback:
    """
    The machine itself, as a host.
    """

    def __init__(self, reactor: Any, scratch: Path) -> None:
        self._reactor = reactor
        self._scratch = scratch

    def spawn(
        self, program: ProcessProtocol, command: Sequence[str], directory: Path
    ) -> IProcessTransport:
        """
        Start a program, which ends with the laboratory at the latest.
        """
        transport: IProcessTransport = self._reactor.spawnProcess(
            program,
            sys.executable,
            [*python_arguments("netlab.lab.hosts.enter"), "0", "-", *command],
            env=environment(str(self._scratch)),
            path=str(directory),
        )
        return transport


class _RelayedMachine(ProgramMachine):
    """
    The server's side: what listens here is reached by way of a relay.
    """

    def __init__(self, inner_address: str, relay: Callable[[int], None], *arguments: Any) -> None:
        super().__init__(*arguments)
        self._inner_address = inner_address
        self._relay = relay

    @property
    def listening_address(self) -> str:
        """
        Where its servers listen: behind the relay.
        """
        return self._inner_address

    def listens(self, port: int) -> None:
        """
        Put a relay before a server.
        """
        self._relay(port)


class _NoWire:
    """
    Stands where the wire would.
    """

    def cut(self) -> None:
        """
        @raise NoWireError: always.
        """
        raise NoWireError("cutting the wire")

    def mend(self) -> None:
        """
        @raise NoWireError: always.
        """
        raise NoWireError("mending the wire")


class LoopbackLaboratory:
    """
    A L{netlab.lab.api.experiment.Laboratory} without hosts.

    @ivar clock: what time is measured by.
    @ivar client: this machine.
    @ivar server: this machine too; its address is the relay's.
    @ivar wire: none.
    @ivar folder: the current directory of all programs.
    """

    def __init__(
        self,
        reactor: Any,
        scratch: Path,
        folder: Path,
        on_line: Callable[[OutputLine], None],
        on_passage: Callable[[RelayedPassage], None],
        time_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """
        @param scratch: an existing folder for temporary files.
        @param folder: the current directory of all programs.
        @param on_line: is called with each line that a program prints.
        @param on_passage: is called with what the relay notices.
        @param time_ns: tells the time of day in nanoseconds.
        """
        self.wire = _NoWire()
        self.folder = folder
        self._reactor = self.clock = reactor
        self._on_passage = on_passage
        self._time_ns = time_ns
        self._relays: list[Relay] = []
        # All of 127/8 is this machine: addresses of our own leave the experiment its ports.
        net = f"127.{random.randint(64, 254)}.{random.randint(1, 254)}"  # noqa: S311
        self._addresses = (f"{net}.1", f"{net}.2")
        spawn = spawner(_Loopback(reactor, scratch), folder)
        self.client = ProgramMachine(spawn, Side.CLIENT, f"{net}.3", on_line, time_ns)
        self.server: ProgramMachine = _RelayedMachine(
            self._addresses[1],
            self._relay,
            spawn,
            Side.SERVER,
            self._addresses[0],
            on_line,
            time_ns,
        )

    async def start(self) -> None:
        """
        There is nothing to make.
        """

    async def pause(self, seconds: float) -> None:
        """
        Wait.
        """
        await deferLater(self._reactor, seconds)

    async def all_closed(self) -> None:
        """
        Nothing is known of connections.
        """

    async def all_ended_by(self, side: Side) -> None:
        """
        @raise NoWireError: always.
        """
        raise NoWireError("watching connections")

    async def crash(self, side: Side) -> None:
        """
        @raise NoWireError: always.
        """
        raise NoWireError("crashing a host")

    async def reboot(self, side: Side) -> None:
        """
        @raise NoWireError: always.
        """
        raise NoWireError("rebooting a host")

    async def stop(self) -> None:
        """
        End everything.
        """
        for machine in (self.client, self.server):
            await machine.stop_programs(self._reactor)
        for relay in self._relays:
            await relay.stop()

    def _relay(self, port: int) -> None:
        relay = Relay(self._reactor, self._addresses, port, self._on_passage, self._time_ns)
        self._relays.append(relay)
