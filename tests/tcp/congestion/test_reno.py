"""
Reno: RFC 5681; and what any congestion control is held to.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.congestion import choice
from netlab.tcp.congestion.base import Acknowledged
from netlab.tcp.congestion.reno import Reno


def ack(segments: int, now: int = 0) -> Acknowledged:
    """
    An ACK of so many segments of a window that is used up.
    """
    return Acknowledged(now, segments, 1000, 1000, 10, True, now, now + 1)


class RenoTests(SynchronousTestCase):
    """
    Section 3.1.
    """

    def test_slow_start(self) -> None:
        """
        Twice as much in a round trip.
        """
        control = Reno()
        control.acknowledged(ack(10))
        self.assertEqual(control.cwnd, 20)

    def test_avoidance(self) -> None:
        """
        One segment more in a round trip.
        """
        control = Reno()
        control.cwnd = control.ssthresh = 20
        for _ in range(20):
            control.acknowledged(ack(1))
        self.assertEqual(control.cwnd, 21)

    def test_from_one_to_the_other(self) -> None:
        """
        Slow start does not go beyond C{ssthresh}.
        """
        control = Reno()
        control.ssthresh = 15
        control.acknowledged(ack(10))
        self.assertEqual(control.cwnd, 15)

    def test_half(self) -> None:
        """
        Half after a loss, at least two segments (equation 4).
        """
        control = Reno()
        for cwnd, expected in ((20, 10), (3, 2), (1, 2)):
            control.cwnd = cwnd
            self.assertEqual(control.threshold_after_loss(0), expected)


class AnyTests(SynchronousTestCase):
    """
    All that can be chosen.
    """

    @given(
        st.sampled_from(sorted(choice.KNOWN)),
        st.lists(st.tuples(st.sampled_from("alti"), st.integers(1, 100)), max_size=80),
    )
    def test_bounds(self, name: str, story: list[tuple[str, int]]) -> None:
        """
        Whatever happens: at least one segment, a threshold of at least two, and never more growth
        than was acknowledged.
        """
        control = choice.make(name)
        now = 0
        for what, number in story:
            now += number * 1_000_000
            before = control.cwnd
            if what == "a":
                control.acknowledged(ack(number, now))
                self.assertLessEqual(control.cwnd, before + number)
            elif what == "l":
                control.ssthresh = control.threshold_after_loss(now)
                self.assertGreaterEqual(control.ssthresh, 2)
                control.cwnd = control.ssthresh
            elif what == "t":
                control.ssthresh = control.threshold_after_loss(now)
                control.cwnd = 1
                control.timed_out(now)
            else:
                control.starts_again(now, number * 1_000_000)
            self.assertGreaterEqual(control.cwnd, 1)

    def test_unknown(self) -> None:
        """
        A name that is not known gets the default, as a kernel without that module has.
        """
        self.assertEqual(choice.make("bbr").name, "cubic")
