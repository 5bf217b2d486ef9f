"""
Tests for L{netlab.terminal.standardinput}.
"""

from __future__ import annotations

import os

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from netlab.errors import KnownError
from netlab.terminal.standardinput import LINE_MAX_BYTES, StandardInputLines


class LinesTests(SynchronousTestCase):
    """
    Lines from a pipe.
    """

    def setUp(self) -> None:
        """
        Make a pipe; the reactor in memory watches, and the test plays its part.
        """
        self.reactor = MemoryReactorClock()
        self.descriptor, self.writer = os.pipe()
        self.lines = StandardInputLines(self.reactor, self.descriptor)
        self.addCleanup(os.close, self.descriptor)
        self.addCleanup(self.close_writer)

    def close_writer(self) -> None:
        """
        End the input, once.
        """
        if self.writer != -1:
            os.close(self.writer)
            self.writer = -1

    def ask(self) -> Deferred[bytes | None]:
        """
        Ask for a line.
        """
        return Deferred.fromCoroutine(self.lines.next_line())

    def type(self, text: bytes) -> None:
        """
        Write to the pipe, and let the reactor notice.
        """
        os.write(self.writer, text)
        if self.lines in self.reactor.getReaders():
            self.lines.doRead()

    def test_a_line(self) -> None:
        """
        A line is delivered without its end, when the end has come.
        """
        line = self.ask()
        self.type(b"hel")
        self.assertNoResult(line)
        self.type(b"lo\n")
        self.assertEqual(self.successResultOf(line), b"hello")

    def test_reads_only_when_asked(self) -> None:
        """
        The reactor watches the descriptor only while a line is waited for.
        """
        self.assertEqual(self.reactor.getReaders(), [])
        line = self.ask()
        self.assertEqual(self.reactor.getReaders(), [self.lines])
        self.type(b"one\n")
        self.successResultOf(line)
        self.assertEqual(self.reactor.getReaders(), [])

    def test_many_lines_at_once(self) -> None:
        """
        Lines that came together are delivered one at a time, empty ones among them.
        """
        first = self.ask()
        self.type(b"one\n\nthree\r\n")
        self.assertEqual(self.successResultOf(first), b"one")
        self.assertEqual(self.successResultOf(self.ask()), b"")
        self.assertEqual(self.successResultOf(self.ask()), b"three\r")

    def test_end(self) -> None:
        """
        A last line may lack its end; after it there is only the end of the input, again and again.
        """
        line = self.ask()
        self.type(b"last")
        self.close_writer()
        self.lines.doRead()
        self.assertEqual(self.successResultOf(line), b"last")
        self.assertIsNone(self.successResultOf(self.ask()))
        self.assertIsNone(self.successResultOf(self.ask()))

    def test_hung_up_pipe(self) -> None:
        """
        A pipe that nobody can write to any more, which the reactor reports as a lost connection, is
        the end of the input.
        """
        line = self.ask()
        self.close_writer()
        self.lines.readConnectionLost(Failure(ConnectionDone()))
        self.assertIsNone(self.successResultOf(line))

    def test_reactor_stops(self) -> None:
        """
        When the reactor stops, nothing is read: that could block until somebody presses a key.
        """
        line = self.ask()
        self.lines.connectionLost(Failure(ConnectionLost()))
        self.assertNoResult(line)
        self.assertEqual(self.reactor.getReaders(), [])

    def test_cancel(self) -> None:
        """
        Who no longer wants the line can say so, and ask again later.
        """
        line = self.ask()
        line.cancel()
        self.failureResultOf(line, CancelledError)
        self.assertEqual(self.reactor.getReaders(), [])
        again = self.ask()
        self.type(b"one\n")
        self.assertEqual(self.successResultOf(again), b"one")

    def test_endless_line(self) -> None:
        """
        A line without an end is refused before it fills the memory.
        """
        line = self.ask()
        for _ in range(LINE_MAX_BYTES // 4096):
            self.type(b"x" * 4096)
        self.assertNoResult(line)
        self.type(b"x")
        self.failureResultOf(line, KnownError)

    def test_unreadable(self) -> None:
        """
        A descriptor that cannot be read is reported in the system's words.
        """
        lines = StandardInputLines(self.reactor, self.writer)
        line = Deferred.fromCoroutine(lines.next_line())
        lines.doRead()
        problem = self.failureResultOf(line, KnownError).getErrorMessage()
        self.assertEqual(problem, "standard input cannot be read: Bad file descriptor")
