"""
Tests for L{netlab.transport.tls.turns}.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netlab.transport.tls.turns import TURN_SECONDS, DecryptionTurns


class TurnsTests(SynchronousTestCase):
    """
    Work that takes the time that the test says.
    """

    def setUp(self) -> None:
        """
        Nothing waits.
        """
        self.clock = Clock()
        self.clock.advance(1000)
        self.turns = DecryptionTurns(self.clock)
        self.done: list[str] = []

    def work(self, name: str, seconds: float = 0.0) -> Callable[[], None]:
        """
        Make work that takes a while.
        """

        def work() -> None:
            self.done.append(name)
            self.clock.rightNow += seconds

        return work

    def turn(self) -> None:
        """
        Make the calls that are due, and not those that are added meanwhile.
        """
        calls, self.clock.calls[:] = list(self.clock.calls), []
        for call in calls:
            call.func()

    def do(self, seconds: float) -> bool:
        """
        Do work at once, if that is allowed.
        """
        began = self.turns.begin()
        if began is None:
            return False
        self.clock.rightNow += seconds
        self.turns.end(began)
        return True

    def test_at_once(self) -> None:
        """
        Work is done at once while it takes no more than its share.
        """
        for _ in range(100):
            self.assertTrue(self.do(TURN_SECONDS / 10))
            self.clock.rightNow += TURN_SECONDS / 5

    def test_too_much(self) -> None:
        """
        Without pause it must wait after two shares, until half of its excess has passed.
        """
        times = 0
        while self.do(TURN_SECONDS / 10):
            times += 1
        # Half of what is spent is forgiven meanwhile; one more for what rounding does.
        self.assertIn(times, (20, 21))
        self.clock.rightNow += TURN_SECONDS
        self.assertTrue(self.do(0))

    def test_order(self) -> None:
        """
        What waits is done in order, a share of it in each turn, and what is new waits behind it.
        """
        for name in "abcd":
            self.turns.add(self.work(name, TURN_SECONDS * 0.6))
        self.assertFalse(self.do(0))
        self.assertEqual([], self.done)
        self.turn()
        self.assertEqual(["a", "b"], self.done)
        self.assertFalse(self.do(0))
        self.turn()
        self.assertEqual(["a", "b", "c", "d"], self.done)
        self.assertTrue(self.do(0))
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_in_turn_by_peer(self) -> None:
        """
        However much waits of one peer, another's waits for little of it; of an IPv6 network of 64
        bits all is one peer's.
        """
        for number in range(1000):
            self.turns.add(self.work("many", TURN_SECONDS * 0.6), f"2001:db8::{number:x}")
        self.turns.add(self.work("one"), "192.0.2.1")
        self.turn()
        self.assertEqual(["many", "one", "many"], self.done)

    def test_added_meanwhile(self) -> None:
        """
        Work that asks for more has it in the next turn: others come between.
        """

        def again() -> None:
            self.done.append("again")
            if len(self.done) < 3:
                self.turns.add(again)

        self.turns.add(again)
        for turns in (1, 2, 3):
            self.turn()
            self.assertEqual(turns, len(self.done))
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_clock_set_back(self) -> None:
        """
        A clock that is set back neither stops work nor lets it go on without bound.
        """
        self.assertTrue(self.do(-500))
        self.assertTrue(self.do(0))
        self.turns.add(self.work("a", -5))
        self.turns.add(self.work("b"))
        self.turn()
        self.assertEqual(["a"], self.done)
        self.turn()
        self.assertEqual(["a", "b"], self.done)
