"""
Tests for C{python -m netlab.tcp.script}.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.script.__main__ import main

_GOOD = "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"


class MainTests(SynchronousTestCase):
    """
    The command.
    """

    def run_with(self, *texts: str, words: Sequence[str] = ()) -> tuple[int, list[str]]:
        """
        Run the command over files with some texts.

        @return: its exit status, and the lines it writes to standard error, the files' names cut
            down to A, B, and so on.
        """
        names = []
        for text in texts:
            path = Path(self.mktemp())
            path.write_text(text, encoding="utf-8")
            names.append(str(path))
        errors = io.StringIO()
        with redirect_stderr(errors), redirect_stdout(io.StringIO()):
            status = main([*words, *names])
        said = errors.getvalue()
        for letter, name in zip("ABC", names, strict=False):
            said = said.replace(name, letter)
        return status, said.splitlines()

    def test_passes(self) -> None:
        """
        Nothing is said, and the status is 0.
        """
        self.assertEqual(self.run_with(_GOOD, _GOOD), (0, []))

    def test_differs(self) -> None:
        """
        One line, with file and line; the status is 1.
        """
        self.assertEqual(
            self.run_with(_GOOD, _GOOD + "+0 bind(3, ..., ...) = 7\n"),
            (1, ["B:2: expected bind to return 7 at 0.000000, got 0"]),
        )

    def test_not_supported(self) -> None:
        """
        So it says; the status is 2.
        """
        self.assertEqual(
            self.run_with(_GOOD + "+0 mmap(3) = 0\n"),
            (2, ["A:2: not supported: the system call mmap"]),
        )

    def test_no_script(self) -> None:
        """
        The status is 2, too; so it is if there is no file, or none is named.
        """
        self.assertEqual(self.run_with("0 socket"), (2, ["A:1: expected '(', found the end"]))
        self.assertEqual(
            self.run_with(words=["/no/such/file"]),
            (2, ["/no/such/file: No such file or directory"]),
        )
        status, said = self.run_with()
        self.assertEqual((status, said[0][:6]), (2, "usage:"))
        self.assertEqual(self.run_with("\0\ufffd\udcff".encode("utf-8", "replace").decode())[0], 2)

    def test_options(self) -> None:
        """
        Options and definitions may come with the command.
        """
        text = "0 socket(..., SOCK_STREAM, PROTOCOL) = 3\n"
        self.assertEqual(self.run_with(text)[0], 2)
        for words in (
            ["--define=PROTOCOL=IPPROTO_TCP"],
            ["-D", "PROTOCOL=IPPROTO_TCP"],
            ["--define", "PROTOCOL=IPPROTO_TCP", "-v", "--ip_version=ipv6", "--local_ip=fd00::1"],
        ):
            with self.subTest(words=words):
                self.assertEqual(self.run_with(text, words=words), (0, []))
        status, said = self.run_with(_GOOD, words=["--ip_version=ipx"])
        self.assertEqual((status, said), (2, ["A:0: not supported: --ip_version=ipx"]))
        self.assertEqual(self.run_with(words=["--help"]), (0, []))
