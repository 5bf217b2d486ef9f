"""
Tests for L{netlab.analysis.observations.clock}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.observations.clock import STEPS_MAX, Clock, StepBack


def clock_of(*times: int) -> Clock:
    """Let frames pass at these times."""
    clock = Clock()
    for number, time_ns in enumerate(times, 1):
        clock.tick(number, time_ns)
    return clock


class ClockTests(SynchronousTestCase):
    """
    Times that go on, and back.
    """

    def test_forth(self) -> None:
        """
        Times that never go back are those of the first and the last frame.
        """
        clock = clock_of(5, 5, 7, 9)
        self.assertEqual((clock.first_ns, clock.last_ns, clock.goes_back), (5, 9, False))
        self.assertEqual(clock.back_ns(1, 4), 0)

    def test_back(self) -> None:
        """
        A step back lies between the frame before it and its own; the ends are the extremes.
        """
        clock = clock_of(100, 200, 50, 60)
        self.assertEqual((clock.first_ns, clock.last_ns), (50, 200))
        self.assertEqual(clock.steps, [StepBack(3, 150)])
        spans = [(1, 2), (2, 3), (1, 4), (3, 4)]
        self.assertEqual([clock.back_ns(*span) for span in spans], [0, 150, 150, 0])
        self.assertTrue(clock.is_odd)

    def test_small_steps(self) -> None:
        """
        Steps of less than a tenth of the whole leave its length known.
        """
        self.assertFalse(clock_of(0, 500, 450, 1000).is_odd)
        self.assertTrue(clock_of(0, 500, 350, 1000).is_odd)

    def test_many_steps(self) -> None:
        """
        After more steps than are kept no duration is known.
        """
        times = [number for pair in range(STEPS_MAX + 1) for number in (pair + 2, pair)]
        clock = clock_of(*times)
        self.assertEqual((len(clock.steps), clock.left_out), (STEPS_MAX, 1))
        self.assertEqual(clock.back_ns(1, 2), 2)
        self.assertGreater(clock.back_ns(1, len(times)), 1 << 60)
        self.assertTrue(clock.is_odd)

    def test_nothing(self) -> None:
        """
        Before the first frame there is no time.
        """
        self.assertEqual((Clock().first_ns, Clock().last_ns), (0, 0))
