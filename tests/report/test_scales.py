"""
Tests for L{netlab.report.scales}.
"""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis.strategies import integers, lists
from twisted.trial.unittest import SynchronousTestCase

from netlab.report.scales import TICKS_MAX, bytes_text, scale_to, time_text, time_ticks
from netlab.report.times import TimeAxis


class ScaleTests(SynchronousTestCase):
    """
    Where scales end.
    """

    @given(integers(0, 10**13))
    def test_values(self, most: int) -> None:
        """
        A scale reaches what it must and is not twice as high, but for the smallest; it has three to
        seven ticks.
        """
        top, step = scale_to(most)
        self.assertGreaterEqual(top, most)
        self.assertLess(top, 2 * max(most, 4))
        self.assertEqual(top % step, 0)
        self.assertIn(top // step + 1, range(3, TICKS_MAX + 1))

    @given(lists(integers(0, 10**13), min_size=2, max_size=30))
    def test_times(self, times: list[int]) -> None:
        """
        The ticks of a time axis ascend, lie within it, are few, and are one step apart where
        nothing is cut.
        """
        times.sort()
        axis = TimeAxis(times, 0, 700)
        ticks = [time for time, _ in time_ticks(axis, times[0], times[-1])]
        self.assertEqual(ticks, sorted(set(ticks)))
        self.assertLess(len(ticks), TICKS_MAX + 2 * len(times))
        if not axis.pauses:
            self.assertLessEqual(len({after - before for before, after in pairwise(ticks)}), 1)
        self.assertTrue(all(times[0] < tick < times[-1] for tick in ticks))

    def test_words(self) -> None:
        """
        Labels have a unit and few digits.
        """
        self.assertEqual(
            [time_text(each) for each in (0, 20_000, 2_500_000, 1_234_567_890)],
            ["0", "20 µs", "2.5 ms", "1.235 s"],
        )
        self.assertEqual(
            [bytes_text(each) for each in (0, 20, 1500, 64_240, 10**9)],
            ["0", "20 B", "1.5 kB", "64.24 kB", "1 GB"],
        )
