"""
The retransmission timeout: RFC 6298.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.sending.rtt import RTTEstimator
from netlab.tcp.timers import MILLISECOND, NANOSECONDS

FLOOR = 200 * MILLISECOND
CEILING = 120 * NANOSECONDS


class TimeoutTests(SynchronousTestCase):
    """
    From samples to a timeout.
    """

    def test_before_the_first(self) -> None:
        """
        A second (section 2.1).
        """
        self.assertEqual(RTTEstimator(FLOOR, CEILING).rto, NANOSECONDS)

    def test_first(self) -> None:
        """
        SRTT = R, and four times RTTVAR = R / 2 (section 2.2).
        """
        rtt = RTTEstimator(FLOOR, CEILING)
        rtt.sample(0, 400 * MILLISECOND, 1, 2)
        self.assertEqual(rtt.srtt, 400 * MILLISECOND)
        self.assertEqual(rtt.rto, 1200 * MILLISECOND)

    def test_smoothing(self) -> None:
        """
        SRTT takes an eighth of each (section 2.3).
        """
        rtt = RTTEstimator(FLOOR, CEILING)
        rtt.sample(0, 100 * MILLISECOND, 1, 2)
        rtt.sample(0, 180 * MILLISECOND, 2, 3)
        self.assertEqual(rtt.srtt, 110 * MILLISECOND)

    def test_floor(self) -> None:
        """
        The timeout is 200 ms above SRTT, however steady the path is (Linux; RFC 6298 says a second
        in all).
        """
        rtt = RTTEstimator(FLOOR, CEILING)
        for number in range(200):
            rtt.sample(number, 10 * MILLISECOND, number, number + 1)
        self.assertEqual(rtt.rto, 210 * MILLISECOND)

    def test_back_off(self) -> None:
        """
        Doubled, up to the maximum.
        """
        rtt = RTTEstimator(FLOOR, CEILING)
        rtt.backoff = 3
        self.assertEqual(rtt.rto, 8 * NANOSECONDS)
        rtt.backoff = 40
        self.assertEqual(rtt.rto, CEILING)
        rtt.backoff = 0
        self.assertEqual(rtt.rto, NANOSECONDS)

    @given(st.lists(st.integers(0, 10 * NANOSECONDS), min_size=1, max_size=100))
    def test_any(self, samples: list[int]) -> None:
        """
        SRTT stays among the samples, the timeout above it and within its bounds; the least sample
        is the least.
        """
        rtt = RTTEstimator(FLOOR, CEILING)
        for number, sample in enumerate(samples):
            rtt.sample(number, sample, number, number + 1)
        self.assertTrue(min(samples) - 1 <= rtt.srtt <= max(*samples, 1))
        self.assertTrue(rtt.srtt + FLOOR <= rtt.rto <= CEILING)
        if len(samples) < 16:
            self.assertEqual(rtt.min_rtt, max(min(samples), 1))

    def test_old_minimum(self) -> None:
        """
        The least sample counts for five minutes.
        """
        rtt = RTTEstimator(FLOOR, CEILING)
        rtt.sample(0, 10, 1, 2)
        rtt.sample(200 * NANOSECONDS, 50, 1, 2)
        self.assertEqual(rtt.min_rtt, 10)
        rtt.sample(301 * NANOSECONDS, 70, 1, 2)
        self.assertEqual(rtt.min_rtt, 50)
