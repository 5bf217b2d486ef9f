"""
Tests for L{netlab.analysis.transfer.doubts}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.claims.claim import Known
from tests.analysis.dialogue_script import Script
from tests.analysis.transfer.judged import claims_of, kinds_of, sack, stamp
from tests.captures import frames
from tests.captures.faults import fault_claims


class SpuriousTests(SynchronousTestCase):
    """
    Repeats that were not needed.
    """

    def test_duplicate_sack(self) -> None:
        """
        A range below the ACK names what came twice (RFC 2883 section 4), not a hole.
        """
        claims = fault_claims("f22")
        (claim,) = [each for each in claims if each.kind == "repeats.spurious-by-sack"]
        self.assertEqual((claim.frames, claim.who), ((5, 7, 8), "client"))
        self.assertNotIn("acks.selective", [each.kind for each in claims])

    def test_duplicate_sack_within_a_range(self) -> None:
        """
        So does a first range within the second.
        """
        script = Script().open().client("PSH ACK", b"get")
        script.server("PSH ACK", b"a" * 100, arrives=False).server("PSH ACK", b"b" * 100)
        script.client("ACK", ack=1, options=sack((101, 201)))
        script.server("PSH ACK", b"b" * 100, seq=101, after=0.3)
        script.client("ACK", ack=1, options=sack((101, 201), (101, 201)))
        self.assertIn("repeats.spurious-by-sack", kinds_of(script, "repeats"))

    def test_captured_once(self) -> None:
        """
        Bytes that came twice but were captured once are not said to be repeated by a frame.
        """
        script = Script().open().client("PSH ACK", b"get")
        script.server("PSH ACK", b"a" * 100).client("ACK", options=sack((1, 101)))
        (claim,) = claims_of(script, "repeats.rec")
        self.assertEqual(claim.frames, (6,))

    def stamped(self, echo: int) -> Script:
        """
        Write a repeat, and an ACK that echoes a timestamp.
        """
        script = Script().open().client("PSH ACK", b"get").server("ACK")
        script.server("PSH ACK", b"a" * 100, options=stamp(100), arrives=False)
        script.server("PSH ACK", b"a" * 100, seq=1, options=stamp(400), after=0.3)
        return script.client("ACK", options=stamp(9, echo))

    def test_timestamp(self) -> None:
        """
        An ACK that echoes the first copy's timestamp shows that this one arrived (RFC 3522).
        """
        (claim,) = claims_of(self.stamped(100), "repeats.spurious")
        self.assertEqual(claim.kind, "repeats.spurious-by-timestamp")
        self.assertEqual(claims_of(self.stamped(400), "repeats.spurious"), [])


class OtherBytesTests(SynchronousTestCase):
    """
    Other bytes under the same numbers.
    """

    def written(self, checksum: frames.Checksum = frames.Checksum.GOOD) -> Script:
        """
        Write two segments of one number with different bytes.
        """
        script = Script().open().client("PSH ACK", b"get")
        script.server("PSH ACK", b"the answer", ttl=60, checksum=checksum)
        return script.server("PSH ACK", b"malevolent", seq=1, ttl=240, after=0.3)

    def test_injected(self) -> None:
        """
        They repeat nothing, and may have been injected.
        """
        (claim,) = claims_of(self.written(), "repeats.")[:1]
        self.assertEqual(claim.kind, "repeats.other-bytes")
        self.assertEqual((claim.figures["ttl"], claim.figures["first_ttl"]), (240, 60))
        self.assertIn("injected", claim.causes)
        self.assertEqual(len(claims_of(self.written(), "repeats.t")), 0)

    def test_damaged(self) -> None:
        """
        Where a checksum is wrong, that segment was damaged (RFC 9293 section 3.1).
        """
        (claim,) = claims_of(self.written(frames.Checksum.BAD), "repeats.da")
        self.assertEqual(claim.figures["wrong_checksum_frame"], 5)
        self.assertIs(claim.known, Known.FOLLOWS)
