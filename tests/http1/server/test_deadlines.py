"""
Deadlines by themselves.
"""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.server.deadlines import BUCKET_SECONDS, Deadlines


class Waiter:
    """
    Waits for a moment, or for none.

    @ivar passed: when it was told that its deadline had passed.
    """

    def __init__(self, deadline: float | None = None) -> None:
        self.bucket: int | None = None
        self.deadline = deadline
        self.passed: list[float] = []

    def next_deadline(self) -> float | None:
        """Answer as the test says."""
        return self.deadline

    def deadline_passed(self, now: float) -> None:
        """Remember it."""
        self.passed.append(now)


class DeadlinesTests(SynchronousTestCase):
    """
    Many waiters on one call.
    """

    def setUp(self) -> None:
        """
        Begin at a moment within a bucket.
        """
        self.clock = Clock()
        self.clock.advance(1000.0001)
        self.deadlines = Deadlines(self.clock)

    def watched(self, seconds: float) -> Waiter:
        """
        Let a waiter wait for so long.
        """
        waiter = Waiter(self.clock.seconds() + seconds)
        assert waiter.deadline is not None
        self.deadlines.watch(waiter, waiter.deadline)
        return waiter

    def test_never_early(self) -> None:
        """
        A waiter is called when its deadline has passed, at most a bucket late, and once.
        """
        waiter = self.watched(1.0)
        self.clock.advance(0.999)
        self.assertEqual([], waiter.passed)
        self.clock.advance(0.001 + BUCKET_SECONDS)
        self.assertEqual(1, len(waiter.passed))
        self.clock.advance(10)
        self.assertEqual(1, len(waiter.passed))

    def test_moved_on(self) -> None:
        """
        A waiter whose deadline has moved on meanwhile waits until then.
        """
        waiter = self.watched(1.0)
        waiter.deadline = self.clock.seconds() + 3.0
        self.clock.advance(2.9)
        self.assertEqual([], waiter.passed)
        self.clock.advance(0.1 + BUCKET_SECONDS)
        self.assertEqual(1, len(waiter.passed))

    def test_turns(self) -> None:
        """
        However many deadlines pass at once, others have a turn after 256 of them.
        """
        passed: list[int] = []
        at_others_turn: list[int] = []

        class Busy(Waiter):
            def deadline_passed(busy, now: float) -> None:  # noqa: N805
                if not passed:
                    self.clock.callLater(0, lambda: at_others_turn.append(len(passed)))
                passed.append(1)

        deadline = self.clock.seconds() + 1.0
        for _ in range(600):
            self.deadlines.watch(Busy(deadline), deadline)
        self.clock.advance(1.0 + BUCKET_SECONDS)
        self.assertEqual([256], at_others_turn)
        self.assertEqual(600, len(passed))
        self.clock.advance(10)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_come_and_go(self) -> None:
        """
        Waiters that come and go one after the other, as connections of one request do, share one
        call, and what is kept does not grow with them; one that comes and stays is called in time.
        """
        for number in range(20_000):
            gone = self.watched(1.0 if number % 2 else 10.0)
            self.deadlines.forget(gone)
            self.assertEqual(1, len(self.clock.getDelayedCalls()))
            if number % 10 == 0:
                self.clock.advance(0.00002)
        self.assertLessEqual(len(self.deadlines._buckets), 2)
        self.assertLess(len(self.deadlines._order), 100)
        stays = self.watched(1.0)
        self.clock.advance(1.0 + BUCKET_SECONDS)
        self.assertEqual(1, len(stays.passed))
        self.clock.advance(20)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_earlier_one(self) -> None:
        """
        A deadline before all others is met, also when the others have been forgotten.
        """
        self.deadlines.forget(self.watched(5.0))
        late = self.watched(4.0)
        soon = self.watched(0.5)
        self.clock.advance(0.5 + BUCKET_SECONDS)
        self.assertEqual(([], 1), (late.passed, len(soon.passed)))
        self.clock.advance(3.5)
        self.assertEqual(1, len(late.passed))

    def test_rest(self) -> None:
        """
        With nobody waiting nothing is left armed after a rest; with somebody, that one is called.
        """
        waiter = self.watched(1.0)
        self.deadlines.rest()
        self.assertEqual(1, len(self.clock.getDelayedCalls()))
        self.deadlines.forget(waiter)
        self.deadlines.rest()
        self.assertEqual([], self.clock.getDelayedCalls())
        again = self.watched(1.0)
        self.clock.advance(1.0 + BUCKET_SECONDS)
        self.assertEqual(([], 1), (waiter.passed, len(again.passed)))
