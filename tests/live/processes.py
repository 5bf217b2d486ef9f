"""
Real programs for live tests: start them, read what they print, wait for their end.

Everything waits by Deferreds, so a coroutine test can watch several processes at once. A patience
bounds each wait, only so that a broken program fails its test instead of hanging it.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProcessTransport
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

#: The top of the tree, which goes before all else on the programs' PYTHONPATH.
TOP = Path(__file__).resolve().parent.parent.parent

#: Far longer than anything here takes on a busy machine.
PATIENCE_SECONDS = 60.0

#: What our servers log for each port (netlab.service).
LISTENS_ON = re.compile(r"(?P<server>netlab-\S+) listens on (?P<kind>tcp|unix) (?P<place>\S+)$")


@dataclass(frozen=True, slots=True)
class Completed:
    """
    A program that has ended.

    @ivar status: Its exit status, or the negative number of the signal that ended it.
    @ivar out: What it wrote to standard output.
    @ivar err: What it wrote to standard error.
    """

    status: int
    out: str
    err: str


class Program(ProcessProtocol):
    """
    A running program.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._out = bytearray()
        self._err = bytearray()
        self._status: int | None = None
        self._waiting: list[Deferred[None]] = []

    # ProcessProtocol's part.

    def outReceived(self, data: bytes) -> None:
        """
        Keep standard output.
        """
        self._out += data
        self._wake()

    def errReceived(self, data: bytes) -> None:
        """
        Keep standard error.
        """
        self._err += data
        self._wake()

    def processEnded(self, reason: Failure) -> None:
        """
        Keep the status. All output has come by now.
        """
        ended: Any = reason.value
        self._status = -ended.signal if ended.signal is not None else ended.exitCode
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.callback(None)

    async def _something(self) -> None:
        """
        Wait until more is known.
        """
        more: Deferred[None] = Deferred()
        self._waiting.append(more)
        await more.addTimeout(PATIENCE_SECONDS, self._reactor)

    # The tests' part.

    @property
    def process(self) -> IProcessTransport:
        """
        The process itself.
        """
        assert self.transport is not None
        return self.transport

    @property
    def pid(self) -> int:
        """
        Its process id.
        """
        pid = self.process.pid
        assert isinstance(pid, int)
        return pid

    @property
    def lines(self) -> list[str]:
        """
        The complete lines of standard output so far.
        """
        return self._out.decode(errors="replace").split("\n")[:-1]

    @property
    def errors(self) -> str:
        """
        Standard error so far.
        """
        return self._err.decode(errors="replace")

    async def line(self, pattern: str | re.Pattern[str], *, times: int = 1) -> re.Match[str]:
        """
        Wait for a line of standard output.

        @param pattern: Is searched in each line.
        @param times: How many lines must match.
        @return: The last of these matches.
        """
        return await self._line(lambda: self.lines, pattern, times)

    async def error_line(self, pattern: str | re.Pattern[str], *, times: int = 1) -> re.Match[str]:
        """
        Wait for a line of standard error, as L{line} does for one of standard output.
        """
        return await self._line(lambda: self.errors.split("\n")[:-1], pattern, times)

    async def _line(
        self, lines: Callable[[], list[str]], pattern: str | re.Pattern[str], times: int
    ) -> re.Match[str]:
        while True:
            found = [match for line in lines() if (match := re.search(pattern, line))]
            if len(found) >= times:
                return found[times - 1]
            assert self._status is None, (
                f"ended with status {self._status} before {pattern!r}:\n"
                f"{self._out.decode()}\n{self.errors}"
            )
            await self._something()

    async def output(self, is_enough: Callable[[bytes], bool]) -> bytes:
        """
        Wait until standard output, which need not be text, is enough.

        @param is_enough: Is asked about all of it whenever there is more.
        """
        while not is_enough(bytes(self._out)):
            assert self._status is None, f"ended with status {self._status}:\n{self.errors}"
            await self._something()
        return bytes(self._out)

    async def ended(self) -> Completed:
        """
        Wait for the end.
        """
        while self._status is None:
            await self._something()
        return Completed(self._status, self._out.decode(errors="replace"), self.errors)

    def send(self, text: bytes) -> None:
        """
        Write to its standard input.
        """
        self.process.write(text)

    def end_input(self) -> None:
        """
        Close its standard input.
        """
        self.process.closeStdin()

    async def stop(self, number: int = signal.SIGTERM) -> Completed:
        """
        Ask it to stop, by its process id, and wait until it has.

        @param number: The signal that asks.
        """
        if self._status is None:
            os.kill(self.pid, number)
        return await self.ended()


class Server(Program):
    """
    A running server of ours.
    """

    async def addresses(self, count: int = 1) -> list[tuple[str, int]]:
        """
        Wait until it listens on some TCP ports.

        @return: The host and the port of each, in the order in which they were opened.
        """
        await self.line(LISTENS_ON, times=count)
        found = [match for line in self.lines if (match := LISTENS_ON.search(line))]
        places = [match["place"].rpartition(":") for match in found if match["kind"] == "tcp"]
        return [(host.strip("[]"), int(port)) for host, _, port in places]

    @property
    def address(self) -> tuple[str, int]:
        """
        The host and the port that it listens on, once it does.
        """
        match = next(match for line in self.lines if (match := LISTENS_ON.search(line)))
        host, _, port = match["place"].rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def host(self) -> str:
        """
        The address that it listens on.
        """
        return self.address[0]

    @property
    def port(self) -> int:
        """
        The port that it listens on.
        """
        return self.address[1]


def spawn(
    reactor: Any,
    program: Program,
    arguments: Sequence[str],
    directory: Path,
    *,
    closed_input: bool = False,
) -> None:
    """
    Start a Python program.

    @param reactor: Watches it.
    @param program: Will represent it.
    @param arguments: The interpreter's arguments.
    @param directory: Its current directory.
    @param closed_input: Whether it has no standard input at all.
    """
    path = os.pathsep.join([str(TOP), *filter(None, [os.environ.get("PYTHONPATH")])])
    reactor.spawnProcess(
        program,
        sys.executable,
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"},
        path=str(directory),
        childFDs={1: "r", 2: "r"} if closed_input else {0: "w", 1: "r", 2: "r"},
    )


def spawn_command(
    reactor: Any,
    program: Program,
    command: Sequence[str],
    directory: Path,
    descriptors: Mapping[int, int] | None = None,
) -> None:
    """
    Start a program of somebody else's, found on the PATH.

    @param reactor: Watches it.
    @param program: Will represent it.
    @param command: Its name and its arguments.
    @param directory: Its current directory.
    @param descriptors: What it inherits besides the standard three: its numbers, and ours.
    """
    path = shutil.which(command[0])
    assert path is not None, f"{command[0]} is not installed"
    python_path = os.pathsep.join([str(TOP), *filter(None, [os.environ.get("PYTHONPATH")])])
    reactor.spawnProcess(
        program,
        path,
        list(command),
        env={**os.environ, "PYTHONPATH": python_path, "PYTHONUNBUFFERED": "1"},
        path=str(directory),
        childFDs={0: "w", 1: "r", 2: "r", **(descriptors or {})},
    )


def twistd_arguments(*arguments: str) -> list[str]:
    """
    Give the interpreter's arguments that run twistd, wherever it is installed.
    """
    return ["-c", "from twisted.scripts.twistd import run; run()", *arguments]
