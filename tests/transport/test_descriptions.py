"""
Tests for L{netlab.transport.descriptions}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.transport.descriptions import arguments_of


class ArgumentsTests(SynchronousTestCase):
    """
    Where a description is split.
    """

    def test_arguments(self) -> None:
        """
        Colons separate the kind and the arguments, but not one behind a backslash.
        """
        for description, parts in (
            ("tcp:8080", ["tcp", "8080"]),
            (r"tcp6:0:interface=\:\:1", ["tcp6", "0", r"interface=\:\:1"]),
            ("systemd:domain=INET:index=0", ["systemd", "domain=INET", "index=0"]),
            ("", []),
            (":", []),
        ):
            self.assertEqual(parts, arguments_of(description), description)
