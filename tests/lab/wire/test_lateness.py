"""
How late the laboratory is.
"""

from __future__ import annotations

import os

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netlab.lab.wire.lateness import Lateness, priority


class PriorityTests(SynchronousTestCase):
    """
    The wire's right of way.
    """

    def test_restored(self) -> None:
        """
        Afterwards the process has the priority that it had, whether or not it was allowed another,
        and also when something went wrong.
        """
        before = os.getpriority(os.PRIO_PROCESS, 0)

        def fail() -> None:
            with priority():
                self.assertLessEqual(os.getpriority(os.PRIO_PROCESS, 0), before)
                raise ZeroDivisionError

        self.assertRaises(ZeroDivisionError, fail)
        self.assertEqual(os.getpriority(os.PRIO_PROCESS, 0), before)


class LatenessTests(SynchronousTestCase):
    """
    The measure, on a clock of the test's own.
    """

    def test_worst(self) -> None:
        """
        The worst delay of a timer is kept; a punctual one changes nothing; no timer is left.
        """
        clock = Clock()
        lateness = Lateness(clock)
        lateness.start()
        clock.advance(0.02)
        self.assertAlmostEqual(lateness.worst, 0.0)
        clock.advance(0.12)
        self.assertAlmostEqual(lateness.worst, 0.1)
        clock.advance(0.05)
        self.assertAlmostEqual(lateness.worst, 0.1)
        lateness.stop()
        self.assertEqual(clock.getDelayedCalls(), [])
