"""
One direction of a wire: what becomes of each frame.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from netlab.capture.segments import Checksum
from netlab.lab.api.impairment import Direction, Impairment, Plan
from netlab.lab.api.script import ScriptState, parse_rule
from netlab.lab.api.sides import Side
from tests.lab.segments import decoded, frame

FRAME = frame(Side.SERVER, payload=b"x" * 100)


def never() -> float:
    """
    Be the chance that is above every probability below one.
    """
    return 0.999999


def direction(impairment: Impairment, *rules: str, draw: Callable[[], float] = never) -> Direction:
    """
    Make a direction with a script.
    """
    return Direction(impairment, draw, ScriptState([parse_rule(rule) for rule in rules]))


def plan(path: Direction, now: float, data: bytes = FRAME) -> Plan:
    """
    Ask what becomes of a frame.
    """
    return path.plan(data, decoded(data), now)


def arrivals(path: Direction, *times: float) -> list[list[float]]:
    """
    Send a frame at each time, and tell when it arrives.
    """
    return [[at for at, _ in plan(path, now).arrivals] for now in times]


class DirectionTests(SynchronousTestCase):
    """
    The knobs, one by one.
    """

    def test_nothing_is_done_by_default(self) -> None:
        """
        A wire without knobs passes each frame at once and unchanged.
        """
        self.assertEqual(plan(direction(Impairment()), 5.0), Plan([(5.0, FRAME)], []))

    def test_delay(self) -> None:
        """
        Every frame takes the same time.
        """
        self.assertEqual(arrivals(direction(Impairment(delay=0.5)), 1.0, 1.25), [[1.5], [1.75]])

    def test_jitter_keeps_the_order(self) -> None:
        """
        A frame that would overtake the one before arrives together with it.
        """
        # Only the sixth draw for each frame is its jitter.
        draws = iter([0.9] * 5 + [0.5] + [0.9] * 5 + [0.0])
        path = direction(Impairment(jitter=1.0), draw=lambda: next(draws))
        self.assertEqual(arrivals(path, 1.0, 1.25), [[1.5], [1.5]])

    def test_rate(self) -> None:
        """
        A frame takes its bits divided by the rate, and the next one waits for it.
        """
        bits = len(FRAME) * 8
        path = direction(Impairment(rate=bits * 2, delay=1.0))
        self.assertEqual(arrivals(path, 0.0, 0.0, 10.0), [[1.5], [2.0], [11.5]])

    def test_queue(self) -> None:
        """
        Beside the frame that is being sent only so many may wait; there is room again when one of
        them has begun.
        """
        path = direction(Impairment(rate=len(FRAME) * 8, queue=2))
        self.assertEqual(arrivals(path, 0.0, 0.0, 0.0, 0.0, 1.0), [[1.0], [2.0], [3.0], [], [4.0]])

    def test_loss(self) -> None:
        """
        A lost frame does not arrive, and says so.
        """
        lost = plan(direction(Impairment(loss=0.5), draw=lambda: 0.49), 0.0)
        self.assertEqual(lost, Plan((), ["lost by chance"]))
        kept = plan(direction(Impairment(loss=0.5), draw=lambda: 0.5), 0.0)
        self.assertEqual(len(kept.arrivals), 1)

    def test_duplication(self) -> None:
        """
        A duplicated frame arrives twice.
        """
        path = direction(Impairment(duplication=1.0))
        self.assertEqual(plan(path, 1.0), Plan([(1.0, FRAME)] * 2, ["sent twice"]))

    def test_reordering(self) -> None:
        """
        A frame that is held back by chance is overtaken by the next.
        """
        draws = iter([0.9, 0.9, 0.1, 0.9, 0.9, 0.9] + [0.9] * 6)
        path = direction(Impairment(reordering=0.5, reordering_delay=1.0), draw=lambda: next(draws))
        self.assertEqual(arrivals(path, 0.0, 0.5), [[1.0], [0.5]])

    def test_corruption(self) -> None:
        """
        Exactly one bit changes, behind the IP header, so that the TCP checksum is wrong.
        """
        for place in (0.0, 0.5, 0.999999):
            draws = iter([0.9, 0.9, 0.9, 0.1, place, 0.9])
            path = direction(Impairment(corruption=0.5), draw=draws.__next__)
            ((_, damaged),) = plan(path, 0.0).arrivals
            self.assertEqual(damaged[:34], FRAME[:34])
            changed = int.from_bytes(damaged) ^ int.from_bytes(FRAME)
            self.assertEqual(changed.bit_count(), 1)
            self.assertIs(decoded(FRAME).checksum, Checksum.GOOD)
            self.assertIsNot(decoded(damaged).checksum, Checksum.GOOD)

    def test_same_seed_same_fate(self) -> None:
        """
        The same seed gives the same losses, and switching another knob on does not change them.
        """

        def losses(impairment: Impairment, seed: int) -> list[bool]:
            path = direction(impairment, draw=random.Random(seed).random)
            return [not plan(path, float(now)).arrivals for now in range(200)]

        first = losses(Impairment(loss=0.3), 7)
        self.assertEqual(losses(Impairment(loss=0.3), 7), first)
        self.assertEqual(losses(Impairment(loss=0.3, duplication=0.5, jitter=0.1), 7), first)
        self.assertNotEqual(losses(Impairment(loss=0.3), 8), first)
        self.assertIn(True, first)


class ScriptedTests(SynchronousTestCase):
    """
    The actions of a script.
    """

    def test_drop(self) -> None:
        """
        A dropped frame does not arrive, and names its rule.
        """
        path = direction(Impairment(), "drop server data 1")
        self.assertEqual(plan(path, 0.0), Plan((), ["by the script: drop server data no. 1"]))

    def test_delay_is_overtaken(self) -> None:
        """
        Those behind a delayed frame do not wait for it.
        """
        path = direction(Impairment(delay=0.25), "delay server data 1 1s")
        self.assertEqual(arrivals(path, 0.0, 0.5), [[1.25], [0.75]])

    def test_hold_is_not_overtaken(self) -> None:
        """
        Those behind a held frame wait for it.
        """
        path = direction(Impairment(delay=0.25), "hold server data 1 1s")
        self.assertEqual(arrivals(path, 0.0, 0.5, 2.0), [[1.25], [1.25], [2.25]])

    def test_duplicate(self) -> None:
        """
        A frame is duplicated by the script as by chance.
        """
        path = direction(Impairment(), "duplicate server data 1")
        self.assertEqual(arrivals(path, 0.0, 1.0), [[0.0, 0.0], [1.0]])
