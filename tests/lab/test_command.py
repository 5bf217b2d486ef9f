"""
The words of C{netlab lab}.
"""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netlab.cli import main
from netlab.lab.results.catalogue import names
from netlab.terminal import foreground
from tests.captures.reference import exchange


class CommandTests(SynchronousTestCase):
    """
    What it says without running anything.
    """

    def run_main(self, *arguments: str) -> tuple[int, str, str]:
        """
        Run the command.

        @return: its status, and what it wrote to standard output and standard error.
        """
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            try:
                status = main(["lab", *arguments])
            except SystemExit as end:
                status = int(str(end.code))
        return status, out.getvalue(), err.getvalue()

    def test_list(self) -> None:
        """
        Each experiment has a line with its question.
        """
        status, out, err = self.run_main("list")
        self.assertEqual((status, err), (0, ""))
        lines = out.splitlines()
        self.assertEqual([line.split()[0] for line in lines], names())
        self.assertTrue(all(line.endswith("?") for line in lines))

    def test_show(self) -> None:
        """
        An experiment is shown with its programs, what to look for, its wire and its expectations.
        """
        status, out, err = self.run_main("show", "fast_retransmit")
        self.assertEqual((status, err), (0, ""))
        for words in (
            "How is a lost segment noticed",
            "both directions: 20 ms delay",
            "rule: drop server data no. 5",
            "server: net.ipv4.tcp_recovery = 0",
            "at the server: The first connection shows 1 segment of the server again",
            "fast_retransmit.py",
        ):
            self.assertIn(words, out)

    def test_verify(self) -> None:
        """
        A capture that was not made here is judged by an experiment's expectations; what is missing
        is told, and makes the status 1.
        """
        folder = Path(self.mktemp())
        folder.mkdir()
        for name in ("echo", "single_fin"):
            (folder / name).write_bytes(exchange(name).pcap())
        status, out, err = self.run_main("verify", "echo", str(folder / "echo"), "--end", "client")
        self.assertEqual((status, err), (0, ""))
        self.assertNotIn("FAIL", out)
        self.assertIn("PASS  The first connection is closed by both ends simultaneously", out)
        status, out, err = self.run_main("verify", "echo", str(folder / "single_fin"))
        self.assertEqual((status, err), (1, ""))
        self.assertIn("FAIL  The first connection is closed by both ends simultaneously", out)

    def test_nobody_reads(self) -> None:
        """
        Where nobody reads the output any more a run ends without a word; only what fails to write a
        result is told to be that.
        """
        for error, words in (
            (BrokenPipeError(), ""),
            (PermissionError(13, "Permission denied", "r/echo"), "r/echo: Permission denied"),
        ):

            def run(*_: object, error: OSError = error) -> None:
                raise error

            self.patch(foreground, "run_until_done", run)
            err = io.StringIO()
            with open(self.mktemp(), "w") as out, redirect_stdout(out), redirect_stderr(err):
                self.assertEqual(main(["lab", "run", "echo", "--out", self.mktemp()]), 1)
            self.assertEqual(err.getvalue().count("\n"), len(words[:1]))
            self.assertIn(words, err.getvalue())

    def test_wrong_words(self) -> None:
        """
        Whatever is wrong on the command line is told in one line.
        """
        for arguments, words in (
            (("run",), "no experiment"),
            (("run", "nonesuch"), "there is no experiment 'nonesuch'"),
            (("run", "./nonesuch.py"), "there is no file"),
            (("run", "echo", "--delay", "soon"), "--delay 'soon': not a duration"),
            (("run", "echo", "--loss", "1%/2"), "--loss '1%/2': too much"),
            (("run", "echo", "--rule", "eat client data"), "'eat' is not an action"),
            (("run", "echo", "--sysctl", "kernel.panic=1"), "--sysctl 'kernel.panic=1'"),
            (("run", "echo", "--jobs", "0"), "--jobs '0': too small"),
            (("run", "echo", "--seed", "x"), "--seed 'x': not a whole number"),
            (("show", "nonesuch"), "there is no experiment"),
            (("verify", "echo", "nonesuch.pcap"), "nonesuch.pcap"),
            (("sing",), "invalid choice: 'sing'"),
        ):
            status, out, err = self.run_main(*arguments)
            self.assertIn(status, (1, 2))
            self.assertEqual(out, "")
            self.assertIn(words, err)
            self.assertEqual(err.count("\n"), 1, err)
