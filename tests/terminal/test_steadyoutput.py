"""
Tests for L{netlab.terminal.steadyoutput}: readers that stop reading.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netlab.terminal import steadyoutput
from netlab.terminal.steadyoutput import SteadyOutput, make_output_steady, steady

_LINE = "x" * 99 + "\n"


class SteadyOutputTests(SynchronousTestCase):
    """
    A pipe that nobody reads for a while.
    """

    def setUp(self) -> None:
        """
        Have the pipe.
        """
        self.reader, self.writer = os.pipe()
        os.set_blocking(self.reader, False)
        self.addCleanup(os.close, self.writer)
        self.output = SteadyOutput(self.writer)

    def read(self) -> str:
        """
        Read all that there is.
        """
        pieces: list[bytes] = []
        while True:
            try:
                piece = os.read(self.reader, 1 << 20)
            except BlockingIOError:
                return b"".join(pieces).decode()
            pieces.append(piece)
            self.output.flush()

    def test_written_at_once(self) -> None:
        """
        Where somebody reads, each line is there at once; what cannot be encoded is escaped.
        """
        self.output.write("eins zwei drei \u00e4\n")
        self.assertEqual(self.read(), "eins zwei drei \u00e4\n")
        self.output.write("\ud800\n")
        self.assertEqual(self.read(), "\\ud800\n")
        os.close(self.reader)

    def test_nobody_reads(self) -> None:
        """
        A write never waits; what is kept is bounded, nothing of it is lost or cut, and how much was
        left out is told where it is missing.
        """
        for _ in range(10_000):
            self.output.write(_LINE)
        text = self.read()
        kept = text.count(_LINE)
        self.assertEqual(text, _LINE * kept)
        self.assertGreaterEqual(kept * len(_LINE), steadyoutput.WAITING_MAX_BYTES - len(_LINE))
        self.assertLess(kept, 10_000)
        self.output.write("again\n")
        lost = 10_000 - kept
        told = f"({lost} entries are missing here: nobody read them)\nagain\n"
        self.assertEqual(self.read(), told)
        os.close(self.reader)

    def test_reader_is_gone(self) -> None:
        """
        Where the reader is gone nothing is kept, and nothing raised.
        """
        os.close(self.reader)
        for _ in range(10_000):
            self.output.write(_LINE)

    def test_the_end(self) -> None:
        """
        At the end what the reader takes is written.
        """
        while self.output._waiting_bytes < 10_000:
            self.output.write(_LINE)
        os.read(self.reader, 1 << 20)
        self.output.finish()
        self.assertEqual(self.output._waiting_bytes, 0)
        os.close(self.reader)


class SteadyTests(SynchronousTestCase):
    """
    Which outputs are made steady.
    """

    def test_file(self) -> None:
        """
        A file on a disk is written to as ever.
        """
        with Path(self.mktemp()).open("w", encoding="ascii") as file:
            self.assertIs(steady(file), file)

    def test_pipe(self) -> None:
        """
        A pipe is made steady once, and what was written before stands before.
        """
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        with os.fdopen(writer, "w", encoding="ascii") as file:
            file.write("one\n")
            made = steady(file)
            made.write("two\n")
            self.assertIs(steady(made), made)
            self.assertEqual(os.read(reader, 100), b"one\ntwo\n")

    def test_standard_output(self) -> None:
        """
        That of this process is taken; none, where it is closed.
        """
        for output in (None, object()):
            self.patch(sys, "stdout", output)
            self.patch(steadyoutput, "steady", lambda given: (given, "steady"))
            make_output_steady()
            self.assertEqual(sys.stdout, output and (output, "steady"))
