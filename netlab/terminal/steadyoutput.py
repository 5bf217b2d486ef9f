"""
Standard output that a reader who stops reading does not stop: a pager, a terminal after Ctrl-S, a
pipe to what hangs.
"""

from __future__ import annotations

import atexit
import io
import os
import select
import stat
import sys
from collections import deque
from typing import Final, TextIO

WAITING_MAX_BYTES: Final = 256 * 1024
"""What is kept for a slow reader; a pipe of Linux holds 64 KiB besides."""

_PIECE_BYTES: Final = select.PIPE_BUF
"""So much a pipe takes without blocking where it is ready to be written to (poll(2), pipe(7))."""

_LAST_SECONDS: Final = 1.0


class SteadyOutput(io.TextIOBase):
    """
    Writes what the reader takes, keeps some more, and leaves out the rest: whole writes, of which
    it tells how many there were.
    """

    def __init__(self, descriptor: int) -> None:
        """
        @param descriptor: where to write; it stays in blocking mode, since others may share it.
        """
        super().__init__()
        self._descriptor = descriptor
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._left_out = 0

    def writable(self) -> bool:
        """
        Say that it can be written to.
        """
        return True

    def fileno(self) -> int:
        """
        Give the descriptor.
        """
        return self._descriptor

    def isatty(self) -> bool:
        """
        Tell whether it is a terminal.
        """
        return os.isatty(self._descriptor)

    def write(self, text: str) -> int:
        """
        Write, or keep, or leave out; never wait.

        @return: how many characters the text has, as if all were written.
        """
        data = text.encode("utf-8", "backslashreplace")
        if self._waiting_bytes + len(data) > WAITING_MAX_BYTES:
            self._left_out += 1
            self.flush()
        else:
            self._keep(data)
            self.flush()
        return len(text)

    def flush(self) -> None:
        """
        Write what the reader takes now.
        """
        self._drain(0)

    def finish(self) -> None:
        """
        Write what the reader takes within a moment.
        """
        self._drain(_LAST_SECONDS)

    def _keep(self, data: bytes) -> None:
        if self._left_out and not self._waiting:
            told = f"({self._left_out} entries are missing here: nobody read them)\n".encode()
            self._left_out = 0
            self._keep(told)
        self._waiting.append(data)
        self._waiting_bytes += len(data)

    def _drain(self, seconds: float) -> None:
        waiting = self._waiting
        while waiting and self._poll.poll(seconds * 1000):
            piece = waiting[0][:_PIECE_BYTES]
            try:
                written = os.write(self._descriptor, piece)
            except OSError:
                # The reader is gone, or the disk is full: there is nobody to tell.
                waiting.clear()
                self._waiting_bytes = 0
                return
            self._waiting_bytes -= written
            if written == len(waiting[0]):
                waiting.popleft()
            else:
                waiting[0] = waiting[0][written:]


def steady(output: TextIO) -> TextIO:
    """
    Make an output steady, if a reader could stop it: not a file on a disk.

    @return: what to write to in its place.
    """
    if isinstance(output, SteadyOutput):
        return output
    try:
        descriptor = output.fileno()
        mode = os.fstat(descriptor).st_mode
    except (OSError, ValueError):
        return output
    if stat.S_ISREG(mode):
        return output
    output.flush()
    made = SteadyOutput(descriptor)
    atexit.register(made.finish)
    return made  # type: ignore[return-value]


def make_output_steady() -> None:
    """
    Let no reader of standard output stop this process. It is for servers, whose log goes there.
    """
    if sys.stdout is not None:
        sys.stdout = steady(sys.stdout)
