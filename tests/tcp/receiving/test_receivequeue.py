"""
The bytes that have arrived.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.receiving.receivequeue import (
    OUT_OF_ORDER_PIECES_MAX,
    SACK_RANGES_MAX,
    ReceiveQueue,
)

STREAM = bytes(range(1, 201))


class OrderTests(SynchronousTestCase):
    """
    In order and not.
    """

    def test_in_order(self) -> None:
        """
        What is in order can be read at once.
        """
        queue = ReceiveQueue(10)
        self.assertEqual(queue.add(10, b"abc"), 3)
        self.assertEqual((queue.nxt, queue.unread), (13, 3))
        self.assertEqual(queue.read(2), b"ab")
        self.assertEqual(queue.read(9), b"c")

    def test_gap(self) -> None:
        """
        What is behind a gap waits, and is reported.
        """
        queue = ReceiveQueue(0)
        self.assertEqual(queue.add(5, b"fgh"), 0)
        self.assertEqual((queue.sacks, queue.out_of_order, queue.unread), ([(5, 8)], 3, 0))
        self.assertEqual(queue.add(0, b"abcde"), 8)
        self.assertEqual((queue.sacks, queue.out_of_order), ([], 0))
        self.assertEqual(queue.read(100), b"abcdefgh")

    def test_newest_range_first(self) -> None:
        """
        The range that changed last is first (RFC 2018 section 4), and those that touch are one.
        """
        queue = ReceiveQueue(0)
        for start in (10, 30, 50):
            queue.add(start, b"12345")
        self.assertEqual(queue.sacks, [(50, 55), (30, 35), (10, 15)])
        queue.add(15, b"67890")
        self.assertEqual(queue.sacks, [(10, 20), (50, 55), (30, 35)])

    def test_duplicate(self) -> None:
        """
        What had arrived is noted (RFC 2883 section 4).
        """
        queue = ReceiveQueue(0)
        queue.add(10, b"0123456789")
        queue.add(15, b"5678901234")
        self.assertEqual(queue.duplicate, (15, 20))
        queue.duplicate = None
        queue.add(0, b"0123456789")
        queue.add(0, b"01234")
        self.assertEqual(queue.duplicate, (0, 5))

    @given(
        st.lists(
            st.tuples(st.integers(0, len(STREAM) - 1), st.integers(1, 60)), min_size=1, max_size=60
        )
    )
    def test_any_order(self, segments: list[tuple[int, int]]) -> None:
        """
        Whatever arrives in whatever order: what can be read is the stream up to the first gap; what
        is reported is what is there, in disjoint ranges.
        """
        queue = ReceiveQueue(0)
        there: set[int] = set()
        forgets = False
        for start, length in segments:
            payload = STREAM[start : start + length]
            queue.add(start, payload)
            there |= set(range(start, start + len(payload)))
            nxt = next(at for at in range(len(STREAM) + 1) if at not in there)
            self.assertEqual(queue.nxt, nxt)
            self.assertEqual(queue.peek(), STREAM[:nxt])
            beyond = {at for at in there if at > nxt}
            self.assertEqual(queue.out_of_order, len(beyond))
            reported = [set(range(low, high)) for low, high in queue.sacks]
            self.assertEqual(sum(map(len, reported)), len(set().union(*reported)))
            self.assertLessEqual(set().union(*reported), beyond)
            runs = sum(1 for at in beyond if at - 1 not in beyond)
            forgets = forgets or runs > SACK_RANGES_MAX
            if not forgets:
                self.assertEqual(set().union(*reported), beyond)
            if start > nxt:
                self.assertIn(start, reported[0])


class FinTests(SynchronousTestCase):
    """
    The end of the stream.
    """

    def test_in_order(self) -> None:
        """
        The FIN takes up a number.
        """
        queue = ReceiveQueue(0)
        queue.add(0, b"ab")
        queue.note_fin(2)
        self.assertTrue(queue.is_finished)
        self.assertEqual(queue.nxt, 3)

    def test_behind_gap(self) -> None:
        """
        It counts when all before it has arrived.
        """
        queue = ReceiveQueue(0)
        queue.note_fin(4)
        self.assertFalse(queue.is_finished)
        queue.add(2, b"cd")
        queue.add(0, b"ab")
        self.assertTrue(queue.is_finished)
        self.assertEqual(queue.nxt, 5)

    def test_nothing_behind_it(self) -> None:
        """
        Bytes behind it are none of the stream's, and the first FIN counts.
        """
        queue = ReceiveQueue(0)
        queue.note_fin(4)
        queue.note_fin(2)
        queue.add(0, b"abcdefgh")
        self.assertEqual(queue.read(9), b"abcd")
        self.assertTrue(queue.is_finished)
        self.assertEqual(queue.add(8, b"x"), 0)


class BoundTests(SynchronousTestCase):
    """
    A peer that sends every other byte.
    """

    def test_pieces(self) -> None:
        """
        So many pieces are kept and no more; what is not kept is not reported.
        """
        queue = ReceiveQueue(0)
        for at in range(OUT_OF_ORDER_PIECES_MAX + 100):
            queue.add(1 + 2 * at, b"x")
        self.assertEqual(queue.out_of_order, OUT_OF_ORDER_PIECES_MAX)
        self.assertEqual(queue.sacks[0][1], 2 * OUT_OF_ORDER_PIECES_MAX)
        self.assertEqual(len(queue.sacks), SACK_RANGES_MAX)
        # What closes the first gap is taken all the same.
        self.assertEqual(queue.add(0, b"y"), 2)
