"""
CUBIC: RFC 9438.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.congestion.base import Acknowledged
from netlab.tcp.congestion.cubic import Cubic, integer_cube_root
from netlab.tcp.timers import MILLISECOND, NANOSECONDS

RTT = 100 * MILLISECOND


def pass_time(control: Cubic, begin: int, seconds: float, rtt: int = RTT) -> int:
    """
    Acknowledge a full window in each round trip.

    @return: when it ends.
    """
    now = begin
    while now < begin + seconds * NANOSECONDS:
        now += rtt
        control.acknowledged(
            Acknowledged(now, control.cwnd, rtt, rtt, control.cwnd, True, now, now + 1)
        )
    return now


class CubeRootTests(SynchronousTestCase):
    """
    Integers.
    """

    @given(st.integers(0, 10**40))
    def test_largest(self, number: int) -> None:
        """
        Its cube is not larger, the next one's is.
        """
        root = integer_cube_root(number)
        self.assertLessEqual(root**3, number)
        self.assertGreater((root + 1) ** 3, number)


class FunctionTests(SynchronousTestCase):
    """
    The cubic function.
    """

    def lose(self, cwnd: int) -> Cubic:
        """
        A window of so many segments in which one was lost.
        """
        control = Cubic()
        control.cwnd = cwnd
        control.ssthresh = control.threshold_after_loss(0)
        control.cwnd = control.ssthresh
        return control

    def test_reduction(self) -> None:
        """
        To 70 percent (section 4.6).
        """
        control = self.lose(1000)
        self.assertEqual(control.cwnd, 700)

    def test_back_at_k(self) -> None:
        """
        After K = cbrt(W_max (1 - beta) / C) it is back where it was (section 4.2): for 1000
        segments cbrt(1000 · 0.3 / 0.4) = 9.1 s.
        """
        control = self.lose(1000)
        at = pass_time(control, 0, 6)
        self.assertTrue(960 <= control.cwnd <= 995, control.cwnd)
        at = pass_time(control, at, 3)
        self.assertTrue(990 <= control.cwnd <= 1005, control.cwnd)
        pass_time(control, at, 9)
        self.assertGreater(control.cwnd, 1200)

    def test_flat_in_between(self) -> None:
        """
        About K it hardly grows.
        """
        control = self.lose(1000)
        at = pass_time(control, 0, 8)
        before = control.cwnd
        pass_time(control, at, 2)
        self.assertLess(control.cwnd - before, 10)

    def test_friendly(self) -> None:
        """
        With small windows it is not slower than Reno (section 4.3): with 0.5 segments a round trip
        up to where it was, and one beyond.
        """
        control = self.lose(20)
        pass_time(control, 0, 3, rtt=10 * MILLISECOND)
        # 300 round trips: 6 segments at 0.53 each are there after 12, the others bring one each.
        self.assertGreater(control.cwnd, 200)

    def test_fast_convergence(self) -> None:
        """
        A second loss before it is back leaves room for others (section 4.7).
        """
        control = self.lose(1000)
        control.threshold_after_loss(0)
        # 700 (1 + 0.7) / 2, of which 0.7 is 717/1024.
        self.assertEqual(control.w_max // 1000, 595)

    def test_idle(self) -> None:
        """
        The function stands still while nothing is sent (section 5.8).
        """
        control = self.lose(1000)
        at = pass_time(control, 0, 5)
        before = control.cwnd
        control.starts_again(at + 100 * NANOSECONDS, 100 * NANOSECONDS)
        pass_time(control, at + 100 * NANOSECONDS, 0.1)
        self.assertLess(control.cwnd - before, 10)

    def test_not_limited(self) -> None:
        """
        A window that is not used does not grow.
        """
        control = Cubic()
        control.acknowledged(Acknowledged(1, 10, RTT, RTT, 10, False, 1, 2))
        self.assertEqual(control.cwnd, 10)


class HyStartTests(SynchronousTestCase):
    """
    The end of slow start.
    """

    def test_delay(self) -> None:
        """
        Round trips that become an eighth longer end it, with nothing lost (RFC 9406 section 4.2).
        """
        control = Cubic()
        control.cwnd = 20
        una = 0
        for rtt in (RTT, RTT, RTT + RTT // 4):
            nxt = una + control.cwnd
            while una < nxt:
                una += 1
                control.acknowledged(Acknowledged(una, 1, rtt, rtt, 20, True, una, una + 20))
        self.assertFalse(control.is_in_slow_start)
        self.assertLess(control.cwnd, 100)
