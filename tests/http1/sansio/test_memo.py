"""
L{netlab.http1.sansio.memo}: a mapping that forgets.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.sansio.memo import Memo


class MemoTests(SynchronousTestCase):
    """
    Two generations in place of an order of use.
    """

    def test_holds_what_was_put(self) -> None:
        """
        The last value put for a key, and None for any other key.
        """
        memo: Memo[bytes, int] = Memo(2)
        memo.put(b"a", 1)
        memo.put(b"a", 2)
        self.assertEqual((memo.get(b"a"), memo.get(b"b"), len(memo)), (2, None, 1))

    def test_forgets_what_was_not_used(self) -> None:
        """
        After twice as many other keys an entry is gone.
        """
        memo: Memo[int, int] = Memo(3)
        for key in range(7):
            memo.put(key, key)
        self.assertIsNone(memo.get(0))
        self.assertEqual(memo.get(6), 6)

    def test_keeps_what_is_used(self) -> None:
        """
        A flood of other keys does not drive out what is used now and then.
        """
        memo: Memo[int, int] = Memo(3)
        memo.put(-1, -1)
        for key in range(50):
            memo.put(key, key)
            self.assertEqual(memo.get(-1), -1)

    def test_old_value_does_not_come_back(self) -> None:
        """
        A value put anew while its key was old counts, however the generations change.
        """
        memo: Memo[int, str] = Memo(2)
        memo.put(0, "old")
        memo.put(1, "x")
        memo.put(2, "x")
        memo.put(0, "new")
        self.assertEqual(memo.get(0), "new")
        memo.discard(0)
        self.assertIsNone(memo.get(0))

    def test_weight_is_bounded(self) -> None:
        """
        A generation weighs no more than its bound; one entry that does is not held at all.
        """
        memo: Memo[int, int] = Memo(99, weight_max=10)
        memo.put(0, 0, 11)
        self.assertIsNone(memo.get(0))
        memo.put(0, 0, 10)
        memo.put(0, 1, 12)
        self.assertIsNone(memo.get(0))
        for key in range(20):
            memo.put(key, key, 4)
        self.assertEqual(len(memo), 4)

    @given(
        st.lists(
            st.tuples(st.sampled_from("pgd"), st.integers(0, 9), st.integers(0, 6)), max_size=60
        )
    )
    @settings(deadline=None, max_examples=200)
    def test_never_wrong_and_never_too_much(self, steps: list[tuple[str, int, int]]) -> None:
        """
        What it returns is what was put last, and both generations keep their bounds.
        """
        memo: Memo[int, int] = Memo(4, weight_max=12)
        model: dict[int, int] = {}
        for number, (step, key, weight) in enumerate(steps):
            if step == "p":
                memo.put(key, number, weight)
                model[key] = number
            elif step == "d":
                memo.discard(key)
                model.pop(key, None)
            else:
                self.assertIn(memo.get(key), (None, model.get(key)))
            self.assertLessEqual(len(memo), 8)
            self.assertEqual(memo._weight, sum(weight for _, weight in memo._young.values()))
            self.assertLessEqual(memo._weight, 12)
