"""
Fixtures of the live tests: real servers and real commands.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Mapping
from pathlib import Path
from typing import Any, Protocol

import pytest
import pytest_twisted  # type: ignore[import-untyped]

from tests.live.processes import (
    Completed,
    Program,
    Server,
    spawn,
    spawn_command,
    twistd_arguments,
)


class StartServer(Protocol):
    """
    Start C{twistd -n NAME OPTION...} and wait until it listens. Without a --listen among the
    options it listens on a free port of 127.0.0.1. The test's end stops it.
    """

    def __call__(self, name: str, *options: str) -> Awaitable[Server]:
        """
        Start it.
        """


class StartNetlab(Protocol):
    """
    Start C{netlab ARGUMENT...}. The test's end ends it too.
    """

    def __call__(self, *arguments: str, closed_input: bool = False) -> Program:
        """
        Start it.
        """


class RunNetlab(Protocol):
    """
    Run C{netlab ARGUMENT...} to its end.
    """

    def __call__(self, *arguments: str, stdin: bytes = b"") -> Awaitable[Completed]:
        """
        Run it.
        """


class StartCommand(Protocol):
    """
    Start a program that is not ours. The test's end ends it too.
    """

    def __call__(self, *command: str, descriptors: Mapping[int, int] | None = None) -> Program:
        """
        Start it.
        """


class DocumentedProgram(Program):
    """
    A program of the documentation.
    """

    async def port(self) -> int:
        """
        Wait until it listens.
        """
        return int((await self.line(r"netlab-http starting on ([0-9]+)$"))[1])


class StartDocumented(Protocol):
    """
    Start a program of the documentation by twistd. One thing is changed: it listens on a free port.
    """

    def __call__(self, source: str) -> DocumentedProgram:
        """
        Start it.
        """


class RunCommand(Protocol):
    """
    Run a program that is not ours to its end.
    """

    def __call__(self, *command: str, stdin: bytes = b"") -> Awaitable[Completed]:
        """
        Run it.
        """


@pytest.fixture
def reactor() -> Any:
    """
    Give the reactor that pytest-twisted runs.
    """
    from twisted.internet import reactor

    return reactor


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]
async def programs() -> AsyncIterator[list[Program]]:
    """
    Collect the programs that a test starts, and stop them at its end.
    """
    started: list[Program] = []
    yield started
    for program in started:
        await program.stop()


@pytest.fixture
def twistd(reactor: Any, programs: list[Program], tmp_path: Path) -> StartServer:
    """
    Start servers.
    """

    async def start(name: str, *options: str) -> Server:
        listen = [] if "--listen" in options else ["--listen", "tcp:0:interface=127.0.0.1"]
        server = Server(reactor)
        arguments = twistd_arguments("-n", "--pidfile=", name, *listen, *options)
        spawn(reactor, server, arguments, tmp_path)
        programs.append(server)
        await server.addresses(max(1, options.count("--listen")))
        return server

    return start


@pytest.fixture
def start_netlab(reactor: Any, programs: list[Program], tmp_path: Path) -> StartNetlab:
    """
    Start commands.
    """

    def start(*arguments: str, closed_input: bool = False) -> Program:
        program = Program(reactor)
        arguments = ("-m", "netlab.cli", *arguments)
        spawn(reactor, program, arguments, tmp_path, closed_input=closed_input)
        programs.append(program)
        return program

    return start


@pytest.fixture
def netlab(start_netlab: StartNetlab) -> RunNetlab:
    """
    Run commands.
    """

    async def run(*arguments: str, stdin: bytes = b"") -> Completed:
        program = start_netlab(*arguments)
        program.send(stdin)
        program.end_input()
        return await program.ended()

    return run


@pytest.fixture
def start_command(reactor: Any, programs: list[Program], tmp_path: Path) -> StartCommand:
    """
    Start programs that are not ours.
    """

    def start(*command: str, descriptors: Mapping[int, int] | None = None) -> Program:
        program = Program(reactor)
        spawn_command(reactor, program, command, tmp_path, descriptors)
        programs.append(program)
        return program

    return start


@pytest.fixture
def command(start_command: StartCommand) -> RunCommand:
    """
    Run programs that are not ours.
    """

    async def run(*words: str, stdin: bytes = b"") -> Completed:
        program = start_command(*words)
        program.send(stdin)
        program.end_input()
        return await program.ended()

    return run


@pytest.fixture
def start_documented(reactor: Any, programs: list[Program], tmp_path: Path) -> StartDocumented:
    """
    Start programs of the documentation.
    """

    def start(source: str) -> DocumentedProgram:
        assert source.count('"tcp:8080"') == 1
        tested = source.replace('"tcp:8080"', '"tcp:0:interface=127.0.0.1"')
        (tmp_path / "program.tac").write_text(tested)
        program = DocumentedProgram(reactor)
        spawn(reactor, program, twistd_arguments("--pidfile=", "-ny", "program.tac"), tmp_path)
        programs.append(program)
        return program

    return start
