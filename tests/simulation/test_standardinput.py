"""
Tests for L{netlab.simulation.standardinput}; what a program reads of it is tested with blocking
programs.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.simulation.process import Process
from netlab.simulation.standardinput import INPUT_MAX_BYTES, StandardInput
from tests.simulation.hosts import two_hosts


class StandardInputTests(SynchronousTestCase):
    """
    Tests for L{StandardInput}.
    """

    def test_what_waits_is_bounded(self) -> None:
        """
        A program that does not read makes nobody keep more than a bound.
        """
        network = two_hosts()
        standard_input = StandardInput(Process(network.hosts["client"], "idle"))
        for _ in range(5):
            standard_input.feed(bytes(INPUT_MAX_BYTES // 2))
        standard_input.end()
        self.assertEqual(len(standard_input.take_all()), INPUT_MAX_BYTES)
