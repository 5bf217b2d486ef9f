"""
Tests for L{netlab.analysis.claims.ranking}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.claims.claim import Claim
from netlab.analysis.claims.ranking import NO_FAULT, place_of
from netlab.analysis.observations.sketches import Fate, Outline


def outline(stream: int, fate: Fate, lost_ns: int = 0) -> Outline:
    """
    Make up a conversation.
    """
    ends = (b"\x0a\0\0\1", 40000 + stream), (b"\x0a\0\0\2", 80)
    return Outline(stream, *ends, 0, 0, 3, 0, 0, fate, 0, 0, lost_ns, 7)


class PlaceTests(SynchronousTestCase):
    """
    Which conversation comes first.
    """

    def test_worst_first(self) -> None:
        """
        No connection is worse than one cut short, that than a slow one; of equals the one that lost
        most time, then the first.
        """
        made = [
            outline(0, Fate.CALM),
            outline(1, Fate.SLOW, 2_000),
            outline(2, Fate.REPEATED, 5_000),
            outline(3, Fate.RESET),
            outline(4, Fate.REFUSED),
            outline(5, Fate.REFUSED),
            outline(6, Fate.GAPS),
            outline(7, Fate.CALM, 900),
        ]
        ranked = sorted(made, key=place_of)
        self.assertEqual([each.stream for each in ranked], [4, 5, 3, 2, 1, 6, 7, 0])

    def test_claims(self) -> None:
        """
        A claim makes a conversation worse than its figures do, never better.
        """
        calm, reset = outline(0, Fate.CALM), outline(1, Fate.RESET)
        self.assertEqual(place_of(calm)[0], NO_FAULT)
        self.assertEqual(place_of(calm, [Claim("http.request", (4,))])[0], NO_FAULT)
        self.assertLess(place_of(calm, [Claim("closes.answer-cut-off", (4,))])[0], NO_FAULT)
        self.assertEqual(place_of(reset, [Claim("repeats.counts", (4,))])[0], place_of(reset)[0])
