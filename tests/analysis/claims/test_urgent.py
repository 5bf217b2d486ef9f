"""
Tests for L{netlab.analysis.claims.urgent}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.analysis.dialogue_script import Script, of_kind
from tests.captures.faults import fault_claims


class UrgentTests(SynchronousTestCase):
    """
    Segments with URG.
    """

    def test_byte(self) -> None:
        """
        The pointer follows the urgent byte (RFC 6093): with 1 that is the first of the segment.
        """
        (claim,) = of_kind(fault_claims("f21_urgent_byte"), "urgent.")
        self.assertEqual((claim.kind, claim.frames, claim.who), ("urgent.byte", (5,), "client"))
        self.assertEqual((claim.figures["pointer"], claim.figures["position"]), (1, 4))

    def test_elsewhere(self) -> None:
        """
        A pointer beyond the segment, or of 0, points at no byte of it.
        """
        for pointer in (0, 9):
            script = Script().open().client("URG ACK", b"abc", urgent=pointer)
            (claim,) = of_kind(script.claims(), "urgent.")
            self.assertEqual(claim.kind, "urgent.pointer")

    def test_without_the_flag(self) -> None:
        """
        Without URG the field means nothing.
        """
        script = Script().open().client("PSH ACK", b"abc", urgent=2)
        self.assertEqual(of_kind(script.claims(), "urgent."), [])
