"""
Tests for L{netlab.commands.outcome}.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

from netlab.commands.outcome import columns_of_terminal, fold, say, show
from tests.captures.reference import exchange
from tests.test_cli import CommandTestCase


class Terminal(io.StringIO):
    """
    An output at which somebody looks.
    """

    def isatty(self) -> bool:
        """
        Say that it is a terminal.
        """
        return True


class FoldTests(CommandTestCase):
    """
    Long lines on a terminal.
    """

    def look(self, columns: int) -> None:
        """
        Let output be shown on a terminal of so many columns.
        """
        self.out = Terminal()
        self.patch(sys, "stdout", self.out)
        self.patch(os, "environ", {**os.environ, "COLUMNS": str(columns)})

    def test_between_words(self) -> None:
        """
        A line that is longer than the terminal is broken between words, and hangs.
        """
        self.look(40)
        line = "    FAIL  closed-by: the client closes first, and nobody else"
        self.assertEqual(
            fold(line, hanging=6),
            "    FAIL  closed-by: the client closes\n          first, and nobody else",
        )
        self.assertEqual(fold("x" * 40), "x" * 40)
        self.assertEqual(fold("a/b-" * 20), "a/b-" * 20)

    def test_impossible_width(self) -> None:
        """
        A terminal that has no width, or next to none, gets lines that can be read.
        """
        for columns in (1, 39):
            self.look(columns)
            self.assertEqual(columns_of_terminal(), 40)

    def test_elsewhere(self) -> None:
        """
        What goes into a file or a pipe has a line for each line.
        """
        self.assertEqual(columns_of_terminal(), 0)
        self.assertEqual(fold("word " * 100), "word " * 100)

    def test_subcommands(self) -> None:
        """
        No line of those that tell is wider than the terminal, and a spreadsheet's rows stay whole.
        """
        paths = []
        for name in ("single_fin", "double_fin"):
            paths.append(str(self.mktemp()))
            Path(paths[-1]).write_bytes(exchange(name).pcap())
        for words in (
            ("lab", "list"),
            ("lab", "show", "fast_retransmit"),
            ("lab", "verify", "echo", paths[0]),
            ("verify", "--exchange", "echo", paths[0]),
            ("compare", *paths),
        ):
            self.look(60)
            self.assertIn(self.status(*words), (0, 1))
            lines = self.out.getvalue().splitlines()
            self.assertGreater(len(lines), 5)
            for line in lines:
                if "/" not in line:
                    self.assertLessEqual(len(line), 60, words)
        self.look(60)
        self.status("verify", "--exchange", "echo", "--format", "csv", *paths)
        self.assertEqual(len(self.out.getvalue().splitlines()), 3)


class ShownTests(CommandTestCase):
    """
    What reaches a terminal.
    """

    def test_from_outside(self) -> None:
        """
        Escape sequences and changes of direction are escaped; a report's own layout stays.
        """
        show("one\x1b[31m\ttwo\r\n\u202ethree\xa0four")
        self.assertEqual(self.out.getvalue(), "one\\x1b[31m\ttwo\\r\n\\u202ethree\xa0four\n")
        self.assertEqual(say(1, "a\x1b\nb"), 1)
        self.assertEqual(self.err.getvalue(), "a\\x1b\\nb\n")
