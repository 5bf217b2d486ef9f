"""
What is outstanding: the quick way gives what looking at every segment gives.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.tcp import unacked
from netlab.analysis.tcp.conversation import Flow

MASK = 0xFFFFFFFF
STEPS = st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 3000)), min_size=1, max_size=8)


def flow_of(begin: int, steps: list[tuple[int, int]], *, is_ordered: bool) -> Flow:
    """
    Make a flow with outstanding segments: each a gap, then so many bytes.
    """
    flow = Flow(0, b"\x0a\0\0\1", 80)
    flow.base = begin
    flow.is_ordered = is_ordered
    at = begin
    for number, (gap, size) in enumerate(steps, 1):
        at += gap
        flow.unacked.append((at & MASK, (at + size) & MASK, number, number * 10))
        at += size
    return flow


class UnackedTests(SynchronousTestCase):
    """
    L{unacked.acknowledge} and L{unacked.extent}.
    """

    @settings(deadline=None)
    @given(st.integers(0, MASK), STEPS, st.one_of(st.integers(0, MASK), st.integers(-9, 50_000)))
    def test_orderedIsQuick(self, begin: int, steps: list[tuple[int, int]], ack: int) -> None:
        """
        Of segments in order, an ACK of any number, also next to where numbers wrap, removes and
        cuts the same ones whether the first and last are looked at or all of them.
        """
        ack = (begin + ack) & MASK if ack <= 50_000 else ack
        quick = flow_of(begin, steps, is_ordered=True)
        thorough = flow_of(begin, steps, is_ordered=False)
        self.assertEqual(unacked.extent(quick), unacked.extent(thorough))
        self.assertEqual(unacked.acknowledge(quick, ack), unacked.acknowledge(thorough, ack))
        self.assertEqual(quick.unacked, thorough.unacked)
        if quick.unacked:
            self.assertEqual(unacked.extent(quick), unacked.extent(thorough))

    @settings(deadline=None)
    @given(st.integers(0, MASK), st.lists(st.tuples(st.integers(0, 9000), st.integers(1, 2000))))
    def test_extentRemembers(self, base: int, pieces: list[tuple[int, int]]) -> None:
        """
        What is remembered of overlapping segments gives the same as looking at all of them again.
        """
        flow = flow_of(base, [], is_ordered=False)
        for begin, size in pieces:
            flow.unacked.append(((base + begin) & MASK, (base + begin + size) & MASK, 1, 1))
            low = min((segment[0] - base) & MASK for segment in flow.unacked)
            high = max((segment[1] - base) & MASK for segment in flow.unacked)
            self.assertEqual(unacked.extent(flow), high - low)

    def test_exactEnd(self) -> None:
        """
        The frame that ends where the ACK does is the one that it acknowledges.
        """
        flow = flow_of(MASK - 5, [(0, 10), (0, 10), (0, 10)], is_ordered=True)
        self.assertEqual(unacked.acknowledge(flow, 14), (2, 20))
        self.assertEqual(flow.unacked, [(14, 24, 3, 30)])
        self.assertEqual(unacked.acknowledge(flow, 20), (0, 0))
        self.assertEqual(flow.unacked, [(20, 24, 3, 30)])

    def test_workIsBounded(self) -> None:
        """
        Where very many overlapping segments have been looked through, only the oldest are kept.
        """
        self.patch(unacked, "LOOKED_THROUGH_MAX", 2000)
        flow = flow_of(0, [(0, 1)] * 1000, is_ordered=False)
        for ack in (MASK, MASK - 1):
            unacked.acknowledge(flow, ack)
            self.assertEqual(len(flow.unacked), 1000)
        unacked.acknowledge(flow, MASK - 2)
        self.assertEqual(len(flow.unacked), unacked.LONG)
        self.assertEqual(flow.unacked[0][2], 1)
