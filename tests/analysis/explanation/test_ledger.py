"""
Tests for L{netlab.analysis.explanation.ledger}.
"""

from __future__ import annotations

from typing import SupportsIndex, overload

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.explanation.ledger import LOOKED_AT_MAX, TERMS_MAX, Ledger


class SumTests(SynchronousTestCase):
    """
    A number as a sum of what frames carried.
    """

    def test_the_sum_of_the_echo(self) -> None:
        """
        A number is the initial one, plus one for the SYN, plus each frame's bytes.
        """
        ledger = Ledger(1928250445, has_isn=True)
        ledger.add(0, 1, 1, "SYN")
        ledger.add(1, 33, 4)
        ledger.add(34, 20, 6)
        total = ledger.sum_to(ledger.position(1928250499))
        self.assertEqual(total.text, "ISN 1928250445 + 1 (SYN) + 33 (#4) + 20 (#6)")
        self.assertEqual(total.frames, (1, 4, 6))
        self.assertTrue(total.is_captured)

    def test_a_fin_is_cited(self) -> None:
        """
        The one number that a FIN takes is a term of its own, also beside data in the same frame.
        """
        ledger = Ledger(10, has_isn=True)
        ledger.add(0, 1, 1, "SYN")
        ledger.add(1, 5, 2)
        ledger.add(6, 1, 2, "FIN")
        self.assertEqual(ledger.sum_to(7).text, "ISN 10 + 1 (SYN) + 5 (#2) + 1 (FIN #2)")

    def test_a_retransmission_adds_no_term(self) -> None:
        """
        Bytes count for the frame that carried them first; one that brings more, for the rest alone.
        """
        ledger = Ledger(0, has_isn=False)
        ledger.add(0, 10, 1)
        ledger.add(0, 10, 2)
        ledger.add(5, 10, 3)
        self.assertEqual(ledger.sum_to(15).text, "first number seen 0 + 10 (#1) + 5 (#3)")

    def test_a_gap_is_named_and_filled(self) -> None:
        """
        What no frame carried is a term that says so, until a frame carries it after all.
        """
        ledger = Ledger(0, has_isn=False)
        ledger.add(0, 10, 1)
        ledger.add(30, 10, 2)
        total = ledger.sum_to(40)
        self.assertEqual(total.text, "first number seen 0 + 10 (#1) + 20 (not captured) + 10 (#2)")
        self.assertFalse(total.is_captured)
        ledger.add(15, 5, 3)
        self.assertEqual(
            ledger.sum_to(40).text,
            "first number seen 0 + 10 (#1) + 5 (not captured) + 5 (#3) + 10 (not captured) + "
            "10 (#2)",
        )
        ledger.add(5, 40, 4)
        total = ledger.sum_to(45)
        self.assertEqual(
            total.text,
            "first number seen 0 + 10 (#1) + 5 (#4) + 5 (#3) + 10 (#4) + 10 (#2) + 5 (#4)",
        )
        self.assertTrue(total.is_captured)

    def test_a_part_of_a_frame(self) -> None:
        """
        An acknowledgement within a frame's bytes covers so many of them.
        """
        ledger = Ledger(0, has_isn=False)
        ledger.add(0, 10, 1)
        self.assertEqual(ledger.sum_to(4).text, "first number seen 0 + 4 of 10 (#1)")

    def test_beyond_what_was_sent(self) -> None:
        """
        Numbers that nobody sent, here, are not captured.
        """
        ledger = Ledger(0, has_isn=False)
        ledger.add(0, 10, 1)
        total = ledger.sum_to(15)
        self.assertEqual(total.text, "first number seen 0 + 10 (#1) + 5 (not captured)")
        self.assertFalse(total.is_captured)

    def test_numbers_wrap_around(self) -> None:
        """
        Positions go on where raw numbers begin again at 0.
        """
        ledger = Ledger(2**32 - 5, has_isn=True)
        ledger.add(0, 1, 1, "SYN")
        ledger.add(1, 10, 2)
        self.assertEqual(ledger.position(6), 11)
        self.assertEqual(ledger.sum_to(11).text, "ISN 4294967291 + 1 (SYN) + 10 (#2)")

    def test_a_long_sum_is_shortened(self) -> None:
        """
        Of many terms the middle ones are added up, and all of it is still the number.
        """
        ledger = Ledger(0, has_isn=True)
        ledger.add(0, 1, 1, "SYN")
        for index in range(20):
            ledger.add(1 + index * 100, 100, 2 + index)
        self.assertEqual(
            ledger.sum_to(2001).text,
            "ISN 0 + 1 (SYN) + 1700 (17 terms, #2 to #18) + 100 (#19) + 100 (#20) + 100 (#21)",
        )

    @given(
        st.lists(st.tuples(st.integers(0, 400), st.integers(1, 60)), min_size=1, max_size=40),
        st.integers(0, 460),
    )
    def test_terms_add_up(self, segments: list[tuple[int, int]], position: int) -> None:
        """
        Whatever came in whatever order, the terms of a sum add up to the number, each byte counts
        for one frame, and what was captured is what some segment covers.
        """
        ledger = Ledger(0, has_isn=False)
        covered: set[int] = set()
        for frame, (start, size) in enumerate(segments, 1):
            ledger.add(start, size, frame)
            covered |= set(range(start, start + size))
        total = ledger.sum_to(position)
        terms = total.text.split(" + ")[1:]
        self.assertEqual(sum(int(term.split()[0]) for term in terms), position)
        self.assertLessEqual(len(terms), TERMS_MAX + 2)
        self.assertEqual(total.is_captured, set(range(position)) <= covered)


class _Counting(list[int]):
    """
    A list that counts how many of its values are looked at.
    """

    looked_at = 0

    @overload
    def __getitem__(self, index: SupportsIndex) -> int: ...

    @overload
    def __getitem__(self, index: slice) -> list[int]: ...

    def __getitem__(self, index: SupportsIndex | slice) -> int | list[int]:
        found = super().__getitem__(index)
        self.looked_at += len(found) if isinstance(found, list) else 1
        return found


class WorkTests(SynchronousTestCase):
    """
    Conversations that are made to cost the square of their segments.
    """

    def setUp(self) -> None:
        """
        Have a ledger of 5000 terms and, before the last of them, a gap.
        """
        self.ledger = Ledger(0, has_isn=False)
        for frame in range(1, 5000):
            self.ledger.add(frame - 1, 1, frame)
        self.ledger.add(5000, 1, 5000)
        self.frames = self.ledger._frames = _Counting(self.ledger._frames)

    def test_far_back(self) -> None:
        """
        For a frame that goes back by thousands of terms some hundred are looked at, of both ends.
        """
        found = self.ledger.frames_around(10, 5001)
        self.assertLessEqual(self.frames.looked_at, LOOKED_AT_MAX)
        self.assertEqual((found[0], found[-1]), (11, 5000))
        self.assertEqual(self.ledger.frames_around(10, 14), (11, 12, 13, 14))
        most = self.ledger.frames_around(10, 10 + LOOKED_AT_MAX)
        self.assertEqual(most, tuple(range(11, 11 + LOOKED_AT_MAX)))

    def test_wide(self) -> None:
        """
        A frame that repeats thousands of terms costs no look at each; what it brings is noted.
        """
        self.ledger.add(0, 4990, 5001)
        self.assertLess(self.frames.looked_at, 10)
        self.assertFalse(self.ledger.is_whole)
        self.ledger.add(0, 5000, 5002)
        self.assertLess(self.frames.looked_at, 20)
        self.assertTrue(self.ledger.is_whole)
        self.assertIn(5002, self.ledger.frames_between(4990, 5001))
