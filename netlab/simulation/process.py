"""
A program on a simulated host: what it has opened, what it prints, and its end.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Generator
from contextlib import chdir, contextmanager
from typing import Final

from netlab.simulation.kernel import Kernel
from netlab.simulation.kernelsocket import KernelSocket
from netlab.simulation.turns import ProgramKilled, Turns

#: Where a process writes what it prints, and what goes wrong.
OUT, ERR = 1, 2

#: The processes that run now: the last one, and those whose calls have led to it.
_running: Final[list[Process]] = []


class Process:
    """
    A program that runs on a host.

    @ivar name: what it is called.
    @ivar kernel: its host's.
    @ivar folder: its current directory; None for that of the whole simulation.
    @ivar sockets: what it has open.
    @ivar status: its exit status, or the negative number of the signal that ended it; None while it
        runs.
    @ivar ended: is called at its end.
    @ivar awakened: is called when something has come that is no socket's: standard input.
    @ivar logs: whether it prints what Twisted logs, as twistd does.
    @ivar at_signal: is called with a signal's number; it returns whether that was taken care of.
    """

    def __init__(
        self,
        kernel: Kernel,
        name: str,
        write: Callable[[int, bytes], None] | None = None,
        folder: str | None = None,
    ) -> None:
        """
        @param write: is called with L{OUT} or L{ERR} and what the program prints.
        @param folder: its current directory; None for that of the whole simulation.
        """
        self.name = name
        self.kernel = kernel
        self.sockets: dict[KernelSocket, None] = {}
        self.status: int | None = None
        self.ended: Callable[[], object] = _nothing
        self.at_signal: Callable[[int], bool] = lambda number: False
        self.logs = False
        self.turns: Turns | None = None
        self.awakened: Callable[[], None] = _nothing
        self._write = write
        self.folder = folder

    @property
    def is_running(self) -> bool:
        """
        Whether it has not ended.
        """
        return self.status is None

    def open_socket(self, family: int) -> KernelSocket:
        """
        Make a socket.

        @param family: C{AF_INET} or C{AF_INET6}.
        """
        return KernelSocket(self.kernel, family, self.sockets)

    def write(self, descriptor: int, data: bytes) -> None:
        """
        Print something.

        @param descriptor: L{OUT} or L{ERR}.
        """
        if self._write is not None and self.is_running:
            self._write(descriptor, data)

    @contextmanager
    def running(self) -> Generator[None, None, None]:
        """
        While this is entered the process is what L{current} tells, and this is its current
        directory: all others wait.
        """
        _running.append(self)
        try:
            if self.folder is None:
                yield
            else:
                with chdir(self.folder):
                    yield
        finally:
            _running.pop()

    def run_function(self, function: Callable[[], object]) -> None:
        """
        Run a function that waits as the program, which ends with it.

        @param function: is called in a thread of its own, turn by turn.
        """
        self.turns = Turns(function, self.name)
        self.kernel.clock.call_at(self.kernel.clock.now, self.take_turn)

    def take_turn(self) -> None:
        """
        Let the function go on where it waits.

        @raise EndlessTurnError: it goes on for ever.
        """
        turns = self.turns
        if not self.is_running or turns is None:
            return
        with self.running():
            turns.resume()
        if turns.has_ended and self.is_running:
            self.exit(self._status_of(turns.error))

    def signal(self, number: int) -> None:
        """
        Send it a signal.
        """
        if self.is_running and not self.at_signal(number):
            self.exit(-number)

    def exit(self, status: int) -> None:
        """
        End it. Its sockets are closed as a kernel closes them.
        """
        if not self.is_running:
            return
        turns = self.turns
        if turns is not None and not turns.has_ended:
            with self.running():
                turns.kill()
        self.status = status
        for one in list(self.sockets):
            one.close()
        self.ended()

    def _status_of(self, problem: BaseException | None) -> int:
        match problem:
            case None:
                return 0
            case SystemExit(code=None):
                return 0
            case SystemExit(code=int(code)):
                return code
            case SystemExit(code=text):
                self.write(ERR, f"{text}\n".encode())
                return 1
            case ProgramKilled():
                return -9
            case _:
                lines = traceback.format_exception(problem)
                self.write(ERR, "".join(lines).encode("utf-8", "replace"))
                return 1


def current() -> Process | None:
    """
    Tell which process runs now; None outside of the simulation.
    """
    return _running[-1] if _running else None


def _nothing() -> None:
    """
    Nobody waits for it.
    """
