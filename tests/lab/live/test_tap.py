"""
Tests for L{netlab.lab.live.tap}.
"""

from __future__ import annotations

from pathlib import Path

from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from netlab.lab.hosts.settings import Isolation
from netlab.lab.live.tap import Options


class OptionsTests(SynchronousTestCase):
    """
    The command line.
    """

    def parsed(self, *arguments: str) -> Options:
        """
        Read a command line.
        """
        options = Options()
        options.parseOptions(arguments)
        return options

    def places(self, *arguments: str) -> list[str]:
        """
        Tell where it would listen.
        """
        return [description for description, _ in self.parsed(*arguments).endpoints]

    def refusal(self, *arguments: str) -> str:
        """
        Tell why a command line is refused, in one line.
        """
        text = str(self.assertRaises(UsageError, self.parsed, *arguments))
        self.assertNotIn("\n", text)
        return text

    def test_default(self) -> None:
        """
        By itself it listens on loopback alone.
        """
        self.assertEqual(self.places(), ["tcp:8081:interface=127.0.0.1"])

    def test_places_of_loopback(self) -> None:
        """
        Loopback may be written in Twisted's way or with the address first.
        """
        for text, place in (
            ("tcp:127.0.0.1:8081", "tcp:8081:interface=127.0.0.1"),
            ("tcp:localhost:0", "tcp:0:interface=127.0.0.1"),
            ("tcp:[::1]:8081", "tcp6:8081:interface=\\:\\:1"),
            ("tcp:8081:interface=127.0.0.1", "tcp:8081:interface=127.0.0.1"),
            ("tcp6:8081:interface=\\:\\:1", "tcp6:8081:interface=\\:\\:1"),
            ("tcp:8081:backlog=9:interface=127.0.0.9", "tcp:8081:backlog=9:interface=127.0.0.9"),
        ):
            self.assertEqual(self.places("--listen", text), [place])

    def test_places_that_others_reach(self) -> None:
        """
        What other machines could reach is refused, unless that is said to be wanted.
        """
        for text in (
            "tcp:8081",
            "tcp:8081:interface=0.0.0.0",
            "tcp:8081:interface=192.0.2.7",
            "tcp:192.0.2.7:8081",
            "tcp:8081:interface=",
            "tcp6:8081:interface=\\:\\:",
            "tcp:8081:interface=127.0.0.1:interface=0.0.0.0",
            "tcp:8081:interface=1270.0.0.1",
            "unix:/tmp/lab",
        ):
            self.assertIn("--expose", self.refusal("--listen", text), text)
            if "1270" not in text:
                self.assertEqual(len(self.places("--expose", "--listen", text)), 1)
        self.assertIn(
            "--expose", self.refusal("--listen", "tcp:127.0.0.1:8081", "--listen", "tcp:8082")
        )

    def test_nonsense(self) -> None:
        """
        Bad values get one line.
        """
        for arguments, words in (
            (("--listen", "8081"), "write tcp:8081"),
            (("--isolation", "magic"), "write one of root, user"),
            (("--host", "not a name"), "not a host name"),
            (("--out", __file__), "cannot be used (Not a directory)"),
            (("--out", "/proc/nowhere/x"), "name a folder, or a new one where you may write"),
            (("stray",), "not an option"),
        ):
            self.assertIn(words, self.refusal(*arguments))

    def test_values(self) -> None:
        """
        A folder is made absolute, before a daemon changes its own; names are lower case.
        """
        folder = self.mktemp()
        options = self.parsed(
            "--out", folder, "--isolation", "none", "--host", "Lab.Example", "--host", "b"
        )
        self.assertEqual(options.out, Path(folder).absolute())
        self.assertTrue(Path(folder).is_dir())
        self.assertIs(options.isolation, Isolation.NONE)
        self.assertEqual(options.hosts, {"lab.example", "b"})
        self.assertIsNone(self.parsed().out)
