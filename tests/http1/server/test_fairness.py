"""
Tests for L{netlab.http1.server.fairness}.
"""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.accesslog.counters import Counters
from netlab.http1.server.fairness import LOOK_SECONDS, Fairness


class FairnessTests(SynchronousTestCase):
    """
    Counted now and then.
    """

    def setUp(self) -> None:
        """
        Nothing has been answered yet.
        """
        self.clock = Clock()
        self.counters = Counters()
        self.fairness = Fairness(self.counters, self.clock.seconds)

    def look(self) -> bool:
        """
        Look when the last observation holds no longer.
        """
        self.clock.advance(2 * LOOK_SECONDS)
        return self.fairness.gives_way()

    def answer(self, status: int, *, is_large: bool = False) -> None:
        """
        Count an answer.
        """
        self.counters.tally(status).answers += 1
        self.counters.large_answers += is_large

    def test_nobody(self) -> None:
        """
        Where nothing is answered nobody is there.
        """
        self.assertFalse(self.fairness.gives_way())
        self.assertFalse(self.look())

    def test_small(self) -> None:
        """
        Small answers of any status count, until none has come for a while.
        """
        for status in (200, 304, 404):
            self.answer(status)
            self.assertTrue(self.look())
            self.assertFalse(self.look())

    def test_large(self) -> None:
        """
        Those who are sent large answers are no bystanders of one another.
        """
        self.answer(200, is_large=True)
        self.answer(206, is_large=True)
        self.assertFalse(self.look())
        self.answer(200)
        self.answer(200, is_large=True)
        self.assertTrue(self.look())

    def test_holds(self) -> None:
        """
        An observation holds for a while, whatever is answered meanwhile.
        """
        self.assertFalse(self.look())
        self.answer(200)
        self.assertFalse(self.fairness.gives_way())
        self.assertTrue(self.look())
        self.clock.advance(LOOK_SECONDS / 2)
        self.assertTrue(self.fairness.gives_way())

    def test_clock_set_back(self) -> None:
        """
        A clock that is set back does not make an observation hold until it has caught up.
        """
        self.clock.advance(1000)
        self.assertFalse(self.fairness.gives_way())
        self.clock.rightNow = 10
        self.answer(200)
        self.assertTrue(self.fairness.gives_way())
