"""
Tests for L{netlab.simulation.clock}.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.error import AlreadyCalled, AlreadyCancelled
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from netlab.simulation.clock import EPOCH_NS, VirtualClock, nanoseconds

_SECOND = 1_000_000_000


class NanosecondsTests(SynchronousTestCase):
    """
    Tests for L{nanoseconds}.
    """

    def test_decimal_fractions_are_exact(self) -> None:
        """
        What a person writes in milliseconds is that many nanoseconds, although most such fractions
        have no exact floating-point number.
        """
        for milliseconds in range(1, 5000, 7):
            self.assertEqual(nanoseconds(milliseconds / 1000), milliseconds * 1_000_000)

    def test_any_duration_takes_time(self) -> None:
        """
        A duration that is not 0 is at least a nanosecond, so that nothing is done for ever at one
        time.
        """
        self.assertEqual(nanoseconds(0), 0)
        self.assertEqual(nanoseconds(1e-18), 1)
        self.assertEqual(nanoseconds(1.5e-9), 2)


class VirtualClockTests(SynchronousTestCase):
    """
    Tests for L{VirtualClock}.
    """

    def setUp(self) -> None:
        """
        Make a clock.
        """
        self.clock = VirtualClock()
        self.made: list[object] = []

    def test_interfaces(self) -> None:
        """
        It is a clock of Twisted's, and its calls are Twisted's delayed calls.
        """
        self.assertTrue(verifyObject(IReactorTime, self.clock))
        self.assertTrue(verifyObject(IDelayedCall, self.clock.callLater(1, self.made.append, 1)))

    def test_order(self) -> None:
        """
        Calls are made in the order of their times; those of one time, in the order in which they
        were asked for.
        """
        self.clock.callLater(0.002, self.made.append, "later")
        self.clock.callLater(0.001, self.made.append, "first")
        self.clock.callLater(0.001, self.made.append, "second")
        self.clock.call_at(1_000_000, self.made.append, "third")
        while self.clock.step():
            pass
        self.assertEqual(self.made, ["first", "second", "third", "later"])
        self.assertEqual(self.clock.now, 2_000_000)

    def test_time_stands_still_within_a_call(self) -> None:
        """
        A call takes no time, and what it asks for without delay comes behind what is due.
        """

        def first() -> None:
            self.clock.callLater(0, self.made.append, ("asked for", self.clock.now))

        self.clock.callLater(1, first)
        self.clock.callLater(1, lambda: self.made.append(("due", self.clock.now)))
        self.clock.advance(2 * _SECOND)
        self.assertEqual(self.made, [("due", _SECOND), ("asked for", _SECOND)])
        self.assertEqual(self.clock.seconds(), 2.0)

    def test_time_of_day(self) -> None:
        """
        A simulation begins at a fixed time of day.
        """
        self.clock.advance(5)
        self.assertEqual(self.clock.time_ns(), EPOCH_NS + 5)

    def test_cancel(self) -> None:
        """
        A call that was cancelled is not made, and cannot be cancelled again; nor can one that was
        made.
        """
        call = self.clock.callLater(1, self.made.append, 1)
        call.cancel()
        made = self.clock.callLater(1, self.made.append, 2)
        self.assertRaises(AlreadyCancelled, call.cancel)
        self.clock.advance(_SECOND)
        self.assertEqual(self.made, [2])
        self.assertRaises(AlreadyCalled, made.cancel)
        self.assertFalse(made.active())

    def test_reset_and_delay(self) -> None:
        """
        A call can be moved, from now on or from where it was, and then comes behind those of its
        new time.
        """
        moved = self.clock.callLater(1, self.made.append, "moved")
        self.clock.callLater(2, self.made.append, "there")
        moved.reset(3)
        moved.delay(-1)
        self.assertEqual(moved.getTime(), 2.0)
        self.clock.advance(3 * _SECOND)
        self.assertEqual(self.made, ["there", "moved"])

    def test_no_call_in_the_past(self) -> None:
        """
        A negative delay is refused.
        """
        self.assertRaises(ValueError, self.clock.callLater, -0.1, self.made.append, 1)

    def test_cancelled_calls_do_not_pile_up(self) -> None:
        """
        Cancelling costs no memory for as long as the call would have waited: a program may arm and
        cancel a distant timeout for each segment.
        """
        for _ in range(10_000):
            self.clock.callLater(3600, self.made.append, 1).cancel()
        kept = self.clock.callLater(1, self.made.append, 2)
        self.assertLess(len(self.clock._heap), 1000)
        self.assertEqual(self.clock.getDelayedCalls(), [kept])

    @given(st.lists(st.tuples(st.integers(0, 50), st.sampled_from(["make", "cancel", "reset"]))))
    def test_every_call_is_made_once_and_in_order(self, plan: list[tuple[int, str]]) -> None:
        """
        Whatever is asked for, moved and cancelled: what is left is made once, in the order of its
        times.
        """
        clock = VirtualClock()
        made: list[int] = []
        wanted = 0
        for due, what in plan:
            call = clock.call_at(due, lambda: made.append(clock.now))
            wanted += 1
            if what == "cancel":
                call.cancel()
                wanted -= 1
            elif what == "reset":
                call.reset((due * 7 % 50) / _SECOND)
        self.assertEqual(len(clock.getDelayedCalls()), wanted)
        while clock.step():
            pass
        self.assertEqual(len(made), wanted)
        self.assertEqual(made, sorted(made))
        self.assertIsNone(clock.next_due)
