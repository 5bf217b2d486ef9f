"""
What runs on a host: commands, netlab's own servers, and functions of an experiment's file.
"""

from __future__ import annotations

import inspect
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from twisted.internet import defer
from twisted.internet.interfaces import IProcessTransport
from twisted.internet.protocol import ProcessProtocol

from netlab.lab.api.experiment import ECHO_PORT, HTTP_PORT
from netlab.lab.api.sides import Side
from netlab.lab.hosts.function import LISTENS
from netlab.lab.runs.programs import OutputLine, Program
from netlab.lab.runs.work import CommandWork, FunctionWork, ServerWork, Work

#: How long programs may take to end in order before their host is stopped.
_STOP_SECONDS: Final = 2.0

_DEFAULT_PORTS: Final = {"netlab-echo": ECHO_PORT, "netlab-http": HTTP_PORT}


class ProgramHost(Protocol):
    """
    Where a machine's programs run.
    """

    def spawn(
        self, program: ProcessProtocol, command: Sequence[str], directory: Path
    ) -> IProcessTransport:
        """
        Start a program there.
        """


Spawn = Callable[[ProcessProtocol, Work], object]
"""Starts a program, which hears what becomes of it."""


def spawner(host: ProgramHost, directory: Path) -> Spawn:
    """
    Make what starts programs as processes of a host.

    @param directory: their current directory.
    """

    def spawn(program: ProcessProtocol, work: Work) -> object:
        return host.spawn(program, work.command_line(), directory)

    return spawn


class ProgramMachine:
    """
    One host and the programs on it: a L{netlab.lab.api.experiment.Machine}.

    @ivar address: where the other host finds it.
    @ivar programs: all that were started, oldest first.
    """

    def __init__(
        self,
        spawn: Spawn,
        side: Side,
        address: str,
        on_line: Callable[[OutputLine], None],
        time_ns: Callable[[], int],
    ) -> None:
        """
        @param spawn: starts the programs.
        @param side: which host it is.
        @param on_line: is called with each line that they print.
        @param time_ns: tells the time of day in nanoseconds.
        """
        self.address = address
        self._spawn = spawn
        self.programs: list[Program] = []
        self._side = side
        self._on_line = on_line
        self._time_ns = time_ns

    @property
    def listening_address(self) -> str:
        """
        Where its servers listen.
        """
        return self.address

    def listens(self, port: int) -> None:
        """
        Take note that a server of this host's listens on a port.
        """

    def start(self, *command: str) -> Program:
        """
        Start a command; C{netlab} is our own.
        """
        return self._start(CommandWork(command))

    async def run(self, *command: str, stdin: bytes = b"") -> None:
        """
        Run a command to its end.

        @raise ProgramError: its exit status is not 0.
        """
        program = self.start(*command)
        if stdin:
            program.send(stdin)
        program.end_input()
        await program.succeeded()

    async def serve(
        self, name: str, *options: str, port: int | None = None, tls: str = ""
    ) -> Program:
        """
        Start one of netlab's servers under twistd and wait until it listens.

        @raise ProgramError: it did not.
        """
        if port is None:
            port = _DEFAULT_PORTS[name]
        listen = f"tcp:{port}:interface={self.listening_address}"
        if tls:
            keys = f"privateKey={tls}:certKey={tls}"
            listen = f"ssl:{port}:{keys}:interface={self.listening_address}"
        program = self._start(ServerWork(name, listen, options))
        await program.line(rf"{name} listens on ")
        self.listens(port)
        return program

    def start_function(self, function: Callable[..., object], *arguments: Any) -> Program:
        """
        Start a function in a Python of its own.
        """
        return self._start_function(function, arguments, None)

    async def run_function(self, function: Callable[..., object], *arguments: Any) -> None:
        """
        Run a function in a Python of its own, to its end.

        @raise ProgramError: it raised an exception.
        """
        await self.start_function(function, *arguments).succeeded()

    async def serve_function(
        self, function: Callable[..., object], *arguments: Any, port: int
    ) -> Program:
        """
        Start a server that is a function.

        @raise ProgramError: it cannot listen.
        """
        program = self._start_function(function, arguments, (self.listening_address, port))
        await program.line(LISTENS)
        self.listens(port)
        return program

    async def stop_programs(self, clock: Any) -> None:
        """
        Ask all programs to end, and wait a little.
        """
        for program in self.programs:
            program.signal(signal.SIGTERM)
        for program in self.programs:
            try:
                await defer.Deferred.fromCoroutine(program.ended()).addTimeout(_STOP_SECONDS, clock)
            except defer.TimeoutError:
                program.signal(signal.SIGKILL)

    def _start_function(
        self,
        function: Callable[..., object],
        arguments: Sequence[Any],
        listen: tuple[str, int] | None,
    ) -> Program:
        path = inspect.getsourcefile(function)
        assert path is not None
        work = FunctionWork(os.path.abspath(path), function.__name__, arguments, listen)
        return self._start(work)

    def _start(self, work: Work) -> Program:
        def on_line(label: str, text: str) -> None:
            self._on_line(OutputLine(self._time_ns(), self._side, label, text))

        program = Program(work.label, on_line)
        self._spawn(program, work)
        self.programs.append(program)
        return program
