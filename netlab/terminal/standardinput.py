"""
Lines from standard input, one at a time, while the reactor goes on running.
"""

from __future__ import annotations

import os
from typing import Any

from twisted.internet.abstract import FileDescriptor
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from netlab.errors import KnownError

#: Longer than any line that is meant. A terminal's own limit is 4096.
LINE_MAX_BYTES = 2**20

_READ_BYTES = 2**16


class StandardInputLines(FileDescriptor):
    """
    The lines of a file descriptor: a terminal, a pipe, a file.

    Twisted's C{StandardIO} would make the descriptor non-blocking; but that is a property of the
    open terminal, which our parent shell and our own C{print} share. Reading only when the reactor
    says that there is something does not block either, and leaves the terminal alone. It is read
    only while a line is waited for.
    """

    def __init__(self, reactor: Any, descriptor: int = 0) -> None:
        """
        @param reactor: Tells when there is something to read.
        @param descriptor: The file descriptor, which stays open and unchanged.
        """
        super().__init__(reactor)
        self._descriptor = descriptor
        self._buffer = bytearray()
        self._has_ended = False
        self._waiting: Deferred[bytes | None] | None = None

    async def next_line(self) -> bytes | None:
        """
        Wait for a line. Not to be called again before the line has come.

        @return: The line without its end (a line feed), or C{None} at the end of the input. A last
            line may lack its end.
        @raise KnownError: The line is absurdly long, or the input cannot be read.
        """
        line = self._take_line()
        if line is not None or self._has_ended:
            return line

        def give_up(_: object) -> None:
            self._stop_waiting()

        waiting: Deferred[bytes | None] = Deferred(give_up)
        self._waiting = waiting
        self.startReading()  # type: ignore[no-untyped-call]
        return await waiting

    def fileno(self) -> int:
        """
        Give the descriptor to the reactor.
        """
        return self._descriptor

    def doRead(self) -> None:
        """
        Take what there is, and deliver a line if it is complete.
        """
        try:
            data = os.read(self._descriptor, _READ_BYTES)
        except OSError as error:
            problem = f"standard input cannot be read: {error.strerror}"
            self._stop_waiting().errback(KnownError(problem))
            return
        self._buffer += data
        self._has_ended = not data
        line = self._take_line()
        if line is not None or self._has_ended:
            self._stop_waiting().callback(line)
        elif len(self._buffer) > LINE_MAX_BYTES:
            problem = f"a line of standard input is longer than {LINE_MAX_BYTES:,} bytes"
            self._stop_waiting().errback(KnownError(problem))

    def readConnectionLost(self, reason: Failure) -> None:
        """
        Nobody can write to the pipe any more, and there is nothing left in it: read its end.
        """
        if self._waiting is not None:
            self.doRead()

    def connectionLost(self, reason: Failure) -> None:
        """
        The reactor stops: read no more. (A read now could wait for somebody's next line.)
        """
        if self._waiting is not None:
            self._stop_waiting()

    def _take_line(self) -> bytes | None:
        """
        Cut the next line off the buffer, if one is complete.
        """
        line, end, rest = self._buffer.partition(b"\n")
        if end or (self._has_ended and line):
            self._buffer = rest
            return bytes(line)
        return None

    def _stop_waiting(self) -> Deferred[bytes | None]:
        """
        Read no more until somebody asks.
        """
        self.stopReading()  # type: ignore[no-untyped-call]
        waiting, self._waiting = self._waiting, None
        assert waiting is not None
        return waiting
