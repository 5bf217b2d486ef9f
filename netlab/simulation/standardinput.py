"""
What a simulated program reads from its standard input.
"""

from __future__ import annotations

import io

from netlab.simulation.process import Process
from netlab.simulation.waiting import wait_until

INPUT_MAX_BYTES = 1 << 20
"""What may wait to be read; more is thrown away."""


class StandardInput(io.TextIOBase):
    """
    A program's standard input, as text; C{buffer} has the bytes.
    """

    encoding = "utf-8"

    def __init__(self, process: Process) -> None:
        super().__init__()
        self._process = process
        self._waiting = bytearray()
        self._has_ended = False
        self.buffer = _Bytes(self)

    def feed(self, data: bytes) -> None:
        """
        Give the program something to read. For the simulation's side.
        """
        self._waiting += data[: INPUT_MAX_BYTES - len(self._waiting)]
        self._process.awakened()

    def end(self) -> None:
        """
        There is nothing more to read. For the simulation's side.
        """
        self._has_ended = True
        self._process.awakened()

    def readable(self) -> bool:
        """
        It is.
        """
        return True

    def fileno(self) -> int:
        """
        Its number.
        """
        return 0

    def readline(self, size: int | None = -1) -> str:  # type: ignore[override]
        """
        Wait for a line.
        """
        return self.take_line().decode("utf-8", "replace")

    def read(self, size: int | None = -1) -> str:
        """
        Wait for the end, and take everything.
        """
        return self.take_all().decode("utf-8", "replace")

    def take_line(self) -> bytes:
        """
        Wait for a line, or the end.
        """
        wait_until(self._process, lambda: self._has_ended or b"\n" in self._waiting)
        line, end, rest = bytes(self._waiting).partition(b"\n")
        self._waiting[:] = rest
        return line + end

    def take_all(self) -> bytes:
        """
        Wait for the end.
        """
        wait_until(self._process, lambda: self._has_ended)
        taken = bytes(self._waiting)
        self._waiting.clear()
        return taken


class _Bytes(io.BufferedIOBase):
    """
    The same as bytes.
    """

    def __init__(self, text: StandardInput) -> None:
        super().__init__()
        self._text = text

    def readable(self) -> bool:
        """
        It is.
        """
        return True

    def readline(self, size: int | None = -1) -> bytes:
        """
        Wait for a line.
        """
        return self._text.take_line()

    def read(self, size: int | None = -1) -> bytes:
        """
        Wait for the end.
        """
        return self._text.take_all()
