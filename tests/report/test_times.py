"""
Tests for L{netlab.report.times}.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.report.times import TimeAxis

_SECOND = 1_000_000_000


class AxisTests(SynchronousTestCase):
    """
    Times on an axis with gaps.
    """

    def test_in_proportion(self) -> None:
        """
        Without long silences places are in proportion to times.
        """
        axis = TimeAxis([0, 10, 100], 0, 50)
        self.assertEqual([axis.place(time) for time in (0, 10, 50, 100)], [0, 5, 25, 50])
        self.assertEqual(axis.pauses, [])

    def test_a_silence_is_a_gap(self) -> None:
        """
        A long silence takes a fixed part of the axis, however long it is.
        """
        one = TimeAxis([0, 1000, _SECOND, _SECOND + 1000], 0, 100)
        long = TimeAxis([0, 1000, 60 * _SECOND, 60 * _SECOND + 1000], 0, 100)
        self.assertEqual(one.place(1000), long.place(1000))
        (pause,) = one.pauses
        self.assertEqual(pause.length_ns, _SECOND - 1000)
        self.assertAlmostEqual(pause.end - pause.start, 8)

    def test_one_moment(self) -> None:
        """
        A single time has a place.
        """
        self.assertEqual(TimeAxis([5], 0, 10).place(5), 10)

    @given(st.lists(st.integers(0, 100 * _SECOND), min_size=1, max_size=60))
    def test_order_is_kept(self, times: list[int]) -> None:
        """
        Later times never lie before earlier ones, and all lie on the axis.
        """
        times.sort()
        axis = TimeAxis(times, 10, 90)
        places = [axis.place(time) for time in times]
        self.assertEqual(places, sorted(places))
        self.assertGreaterEqual(places[0], 10)
        self.assertLessEqual(places[-1], 90 + 1e-9)
