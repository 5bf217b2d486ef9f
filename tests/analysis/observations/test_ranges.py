"""
Tests for L{netlab.analysis.observations.ranges}.
"""

from __future__ import annotations

import random

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.observations.ranges import OWNERS_MAX, Covered, Owners


class CoveredTests(SynchronousTestCase):
    """
    Which numbers were seen.
    """

    def test_as_a_set(self) -> None:
        """
        It does what a set of numbers does.
        """
        for seed in range(50):
            chance = random.Random(seed)
            covered, seen = Covered(), set[int]()
            for _ in range(60):
                start = chance.randrange(100)
                end = start + chance.randrange(12)
                fresh = covered.add(start, end)
                wanted = set(range(start, end)) - seen
                self.assertEqual({n for low, high in fresh for n in range(low, high)}, wanted)
                self.assertTrue(all(low < high for low, high in fresh))
                seen |= wanted
                low = chance.randrange(100)
                high = low + chance.randrange(30)
                self.assertEqual(covered.missing(low, high), len(set(range(low, high)) - seen))
                self.assertEqual(covered.total, len(seen))


class OwnersTests(SynchronousTestCase):
    """
    Which segment carried each number.
    """

    def test_as_a_mapping(self) -> None:
        """
        It does what a mapping of numbers does.
        """
        for seed in range(50):
            chance = random.Random(seed)
            owners, known = Owners(), dict[int, int]()
            for value in range(60):
                start = chance.randrange(100)
                end = start + chance.randrange(12)
                owners.put(start, end, value)
                known.update(dict.fromkeys(range(start, end), value))
                for position in range(120):
                    self.assertEqual(owners.at(position), known.get(position))
                low = chance.randrange(100)
                wanted = list(dict.fromkeys(known[n] for n in range(low, low + 6) if n in known))
                self.assertEqual(list(owners.of(low, low + 6)), wanted[:OWNERS_MAX])

    def test_bounded(self) -> None:
        """
        Of many owners some are named.
        """
        owners = Owners()
        for value in range(1000):
            owners.put(value, value + 1, value)
        self.assertEqual(owners.of(10, 900), tuple(range(10, 10 + OWNERS_MAX)))
