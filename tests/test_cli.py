"""
Tests for L{netlab.cli}.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from unittest import skipUnless

from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

import netlab.cli
from netlab.cli import main
from netlab.errors import KnownError


class CommandTestCase(SynchronousTestCase):
    """
    What the tests of the command share.
    """

    def setUp(self) -> None:
        """
        Read what goes to the terminal.
        """
        self.out, self.err = io.StringIO(), io.StringIO()
        self.patch(sys, "stdout", self.out)
        self.patch(sys, "stderr", self.err)

    def status(self, *arguments: str) -> int:
        """
        Run the command line, and give the exit status.
        """
        try:
            return main(arguments)
        except SystemExit as leaving:
            return int(leaving.code or 0)


class ParsingTests(CommandTestCase):
    """
    Command lines that lead nowhere.
    """

    def test_version(self) -> None:
        """
        --version tells the version and nothing else.
        """
        self.assertEqual(self.status("--version"), 0)
        self.assertRegex(self.out.getvalue(), r"\Anetlab \S.*\n\Z")

    def test_help(self) -> None:
        """
        --help lists every subcommand with what it does.
        """
        self.assertEqual(self.status("--help"), 0)
        for name in ("echo", "serve"):
            self.assertIn(f"\n    {name} ", self.out.getvalue())

    def test_what_is_unknown_is_told_where_it_stands(self) -> None:
        """
        Of an option that a subcommand does not have the line names that subcommand and its help.
        """
        for words, where in (
            (("--nonesuch",), "netlab"),
            (("serve", "extra"), "netlab serve"),
            (("explain", "--nonesuch", "a.pcap"), "netlab explain"),
            (("lab", "list", "extra"), "netlab lab list"),
            (("lab", "run", "echo", "--nonesuch"), "netlab lab run"),
        ):
            self.err.truncate(0)
            self.err.seek(0)
            self.assertEqual(self.status(*words), 2)
            unknown = next(word for word in words if word in {"--nonesuch", "extra"})
            self.assertEqual(
                self.err.getvalue(),
                f"{where}: unrecognized arguments: {unknown}; see {where} --help\n",
            )

    def test_help_of_subcommands(self) -> None:
        """
        Each subcommand tells its options, and so does each action of those that have some.
        """
        names = [[name] for name in netlab.cli._SUBCOMMANDS]
        for name in [*names, ["lab", "list"], ["lab", "show"], ["lab", "run"]]:
            self.out.truncate(0)
            self.assertEqual((name, self.status(*name, "--help")), (name, 0))
            self.assertIn(f"usage: netlab {' '.join(name)}", self.out.getvalue())

    def test_examples(self) -> None:
        """
        The help of every subcommand has examples, and all of them can be parsed.
        """
        names = [[name] for name in netlab.cli._SUBCOMMANDS]
        for name in [[], *names, ["lab", "run"], ["lab", "verify"]]:
            self.out.truncate(0)
            self.out.seek(0)
            self.status(*name, "--help")
            (_, examples) = self.out.getvalue().split("\nExamples:\n")
            for line in examples.splitlines():
                pipeline = re.split(" [|<>] ", line)
                (call,) = [part.split("netlab ", 1)[1] for part in pipeline if "netlab " in part]
                words = shlex.split(call)
                self.assertEqual(words[: len(name)], name)
                netlab.cli._parser().parse_args(words)

    def test_wrong_usage(self) -> None:
        """
        A command line that makes no sense ends with status 2 and one line, which says where to read
        more.
        """
        for arguments, start in (
            ((), "netlab: "),
            (("nonsense",), "netlab: "),
            (("--echo",), "netlab: "),
            (("echo", "localhost"), "netlab echo: "),
            (("serve", "surplus"), "netlab serve: "),
        ):
            self.err.truncate(0)
            self.err.seek(0)
            self.assertEqual(self.status(*arguments), 2)
            line = self.err.getvalue()
            self.assertEqual(line.count("\n"), 1, line)
            self.assertTrue(line.startswith(start), line)
            self.assertIn("--help", line)

    def test_wrong_values(self) -> None:
        """
        A value that cannot be ends with status 2 and one line, before anything is connected.
        """
        for arguments, line in (
            (("echo", "localhost", "0", "x"), "netlab echo: PORT '0': not a TCP port; "),
            (("echo", "", "7", "x"), "netlab echo: HOST '': names no host; "),
            (("echo", "localhost", "7", "x", "--timeout", "y"), "netlab echo: --timeout 'y': "),
            (("echo", "localhost", "7", ""), "netlab echo: a MESSAGE is empty"),
            (("serve", "--http-port", "http"), "netlab serve: --http-port 'http': "),
        ):
            self.err.truncate(0)
            self.err.seek(0)
            self.assertEqual(self.status(*arguments), 2)
            self.assertTrue(self.err.getvalue().startswith(line), self.err.getvalue())
            self.assertEqual(self.err.getvalue().count("\n"), 1)


class OutcomeTests(CommandTestCase):
    """
    How the end of a subcommand becomes an exit status.
    """

    def outcome(self, run: Callable[[], int]) -> tuple[int, str]:
        """
        Run a subcommand that comes to some end, and give the status and the terminal's last line.
        """

        def subcommand(_: argparse.ArgumentParser) -> Callable[[argparse.Namespace], int]:
            return lambda _: run()

        self.patch(netlab.cli, "_SUBCOMMANDS", {"try": ("Try.", subcommand)})
        return self.status("try"), self.err.getvalue()

    def end(self, error: BaseException) -> tuple[int, str]:
        """
        Run a subcommand that ends with an error.
        """

        def run() -> int:
            raise error

        return self.outcome(run)

    def test_success(self) -> None:
        """
        A subcommand's own status is the command's.
        """
        self.assertEqual(self.outcome(lambda: 0), (0, ""))

    def test_known_failure(self) -> None:
        """
        A failure that the user can understand is one line and status 1.
        """
        self.assertEqual(self.end(KnownError("no luck")), (1, "netlab try: no luck\n"))

    def test_usage(self) -> None:
        """
        A wrong value is one line and status 2.
        """
        self.assertEqual(self.end(UsageError("no sense")), (2, "netlab try: no sense\n"))

    def test_interrupted(self) -> None:
        """
        Ctrl-C is status 130, silently.
        """
        self.assertEqual(self.end(KeyboardInterrupt()), (130, ""))

    def test_control_characters(self) -> None:
        """
        What an error quotes cannot draw on the terminal, nor start a second line.
        """
        status, line = self.end(KnownError("odd \x1b[2J\nnetlab: é"))
        self.assertEqual((status, line), (1, "netlab try: odd \\x1b[2J\\nnetlab: é\n"))

    def test_our_own_mistakes(self) -> None:
        """
        Any other error is ours, and is not hidden.
        """
        self.assertRaises(ZeroDivisionError, self.end, ZeroDivisionError())


class OutputTests(SynchronousTestCase):
    """
    Standard output that takes nothing, as a shell makes it.
    """

    def run_in_shell(self, redirection: str) -> tuple[int, str]:
        """
        Let the command serve on free ports with its output redirected, and stop as soon as it has
        said where.

        @return: the exit status, and what it wrote to standard error.
        """
        program = (
            "import sys\n"
            "from twisted.internet import reactor\n"
            "from netlab.cli import main\n"
            "reactor.callWhenRunning(reactor.stop)\n"
            "sys.exit(main(['serve', '--echo-port', '0', '--http-port', '0']))\n"
        )
        done = subprocess.run(
            ["sh", "-c", f'exec "$0" -c "$1" {redirection}', sys.executable, program],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
            env={"PYTHONPATH": ":".join(sys.path)},
        )
        return done.returncode, done.stderr

    @skipUnless(os.path.exists("/dev/full"), "there is no /dev/full here")
    def test_full(self) -> None:
        """
        A full disk is one line and status 1.
        """
        line = "netlab serve: cannot write to standard output: No space left on device\n"
        self.assertEqual(self.run_in_shell(">/dev/full"), (1, line))

    def test_closed(self) -> None:
        """
        Closed, standard output is nobody's wish to read: the command does its work all the same.
        """
        self.assertEqual(self.run_in_shell(">&-"), (0, ""))

    def test_all_closed(self) -> None:
        """
        So it is when nothing at all is open.
        """
        self.assertEqual(self.run_in_shell("<&- >&- 2>&-"), (0, ""))


class ImportTests(SynchronousTestCase):
    """
    What a subcommand costs.
    """

    def test_lazy(self) -> None:
        """
        Reading a command line imports neither a server nor a client, nor a reactor.
        """
        program = (
            "import sys, netlab.cli\n"
            "netlab.cli._parser().parse_args(['echo', 'localhost', '7', 'x'])\n"
            "loaded = {name for name in sys.modules if name.startswith(('netlab.', 'twisted'))}\n"
            "loaded -= {name for name in loaded if name.startswith('netlab.commands')}\n"
            "print(sorted(loaded))\n"
        )
        shown = subprocess.run(
            [sys.executable, "-c", program],
            check=True,
            capture_output=True,
            text=True,
            env={"PYTHONPATH": ":".join(sys.path)},
        )
        self.assertEqual(shown.stdout, "['netlab.cli', 'netlab.errors', 'netlab.plaintext']\n")
