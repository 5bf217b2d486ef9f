"""
Programs that an experiment runs on the hosts, and what they print.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProcessTransport
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from netlab.errors import KnownError
from netlab.lab.api.sides import Side

#: What is kept of one program's output; a program that prints more goes on unheard.
OUTPUT_MAX_BYTES: Final = 1 << 20


class ProgramError(KnownError):
    """
    A program did not do what the experiment needs of it.
    """


@dataclass(frozen=True, slots=True)
class OutputLine:
    """
    A line that a program printed.

    @ivar time_ns: nanoseconds since 1970-01-01 UTC, when it arrived here.
    @ivar host: where the program ran.
    @ivar program: its label.
    @ivar text: the line, without its end.
    """

    time_ns: int
    host: Side
    program: str
    text: str


class Program(ProcessProtocol):
    """
    A running program; L{netlab.lab.api.experiment.RunningProgram} says what an experiment may do.
    """

    def __init__(self, label: str, on_line: Callable[[str, str], None]) -> None:
        """
        @param label: what to call it.
        @param on_line: is called with the label and each line of its output.
        """
        self.label = label
        self.status: int | None = None
        self._on_line = on_line
        self._kept_bytes = 0
        self._lines: list[str] = []
        self._parts = {1: bytearray(), 2: bytearray()}
        self._waiting: list[Deferred[None]] = []

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        """
        Keep standard output and standard error, by lines.
        """
        self._kept_bytes += len(data)
        if self._kept_bytes > OUTPUT_MAX_BYTES:
            return
        part = self._parts[childFD]
        part += data
        *lines, rest = bytes(part).split(b"\n")
        part[:] = rest
        for line in lines:
            self._keep(line)
        self._wake()

    def childConnectionLost(self, childFD: int) -> None:
        """
        Keep a last line that has no end.
        """
        part = self._parts.get(childFD)
        if part:
            self._keep(bytes(part))
            part.clear()

    def processEnded(self, reason: Failure) -> None:
        """
        Keep the status. All output has come by now.
        """
        ended: object = reason.value
        signal = getattr(ended, "signal", None)
        self.status = -signal if signal is not None else getattr(ended, "exitCode", 0)
        self._wake()

    @property
    def transport_of_process(self) -> IProcessTransport:
        """
        The process.
        """
        assert self.transport is not None
        return self.transport

    async def line(self, pattern: str) -> re.Match[str]:
        """
        Wait for a line of its output that a regular expression is found in.

        @raise ProgramError: it ended before.
        """
        seen = 0
        while True:
            for text in self._lines[seen:]:
                if (match := re.search(pattern, text)) is not None:
                    return match
            seen = len(self._lines)
            if self.status is not None:
                raise ProgramError(f"{self.label} ended before it printed {pattern!a}{self.last()}")
            await self._change()

    async def ended(self) -> int:
        """
        Wait for its end.
        """
        while self.status is None:
            await self._change()
        return self.status

    async def succeeded(self) -> None:
        """
        Wait for its end.

        @raise ProgramError: its status is not 0.
        """
        status = await self.ended()
        if status:
            how = f"ended with status {status}" if status > 0 else f"was ended by signal {-status}"
            raise ProgramError(f"{self.label} {how}{self.last()}")

    def send(self, data: bytes) -> None:
        """
        Write to its standard input.
        """
        self.transport_of_process.writeToChild(0, data)

    def end_input(self) -> None:
        """
        Close its standard input.
        """
        self.transport_of_process.closeChildFD(0)

    def signal(self, number: int) -> None:
        """
        Send it a signal; one that has ended gets none.
        """
        if self.status is None:
            self.transport_of_process.signalProcess(number)

    def last(self) -> str:
        """
        Quote the last line of its output, for an error.
        """
        return f": {self._lines[-1]}" if self._lines else ""

    def _keep(self, line: bytes) -> None:
        text = line.decode(errors="replace")
        self._lines.append(text)
        self._on_line(self.label, text)

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.callback(None)

    async def _change(self) -> None:
        def forget(deferred: Deferred[None]) -> None:
            if deferred in self._waiting:
                self._waiting.remove(deferred)

        change: Deferred[None] = Deferred(forget)
        self._waiting.append(change)
        await change
