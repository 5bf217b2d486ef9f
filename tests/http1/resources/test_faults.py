"""
Tests for L{netlab.http1.resources.faults}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.resources.faults import FaultyFileError, InjectedFault, quoted


class FaultTests(SynchronousTestCase):
    """
    Faults of a file of settings.
    """

    def test_order(self) -> None:
        """
        Faults are told in the order of their lines, one a line.
        """
        error = FaultyFileError([InjectedFault(12, "late"), InjectedFault(3, "early")])
        self.assertEqual(str(error), "line 3: early\nline 12: late")
        self.assertEqual([fault.line for fault in error.faults], [3, 12])

    def test_quoted(self) -> None:
        """
        What is repeated of a file is short, printable ASCII.
        """
        self.assertEqual(quoted(b"/a"), "'/a'")
        for value in (b"\x1b[2J\n\xff", b"x" * 10_000):
            shown = quoted(value)
            self.assertTrue(shown.isascii() and shown.isprintable())
            self.assertLess(len(shown), 300)
