"""
Tests for L{netlab.analysis.transfer.order} and L{netlab.analysis.transfer.counting}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.claims.claim import Known
from tests.analysis.dialogue_script import Script
from tests.analysis.transfer.judged import claims_of, fault_kinds, kinds_of, numbered, stamp
from tests.captures.faults import fault_claims


def hole(*, late: float, ip_id: int | None = None, stamps: bool = False, acks: int = 0) -> Script:
    """
    Write a segment that comes after the one behind it; #6 leaves the hole open.
    """
    one, two = numbered(2)
    script = Script().open().client("PSH ACK", b"get")
    script.server("PSH ACK", b"first", after=0.02)
    options = (stamp(1002), stamp(1001)) if stamps else (b"", b"")
    script.server("PSH ACK", two, seq=1006, after=0.0001, options=options[0])
    for _ in range(acks):
        script.client("ACK", ack=6, after=0.0001)
    script.server("PSH ACK", one, seq=6, after=late, ip_id=ip_id, options=options[1])
    script.next[1] = script.heard[0] = 2006
    return script.client("ACK")


class FinTests(SynchronousTestCase):
    """
    The number of a FIN is a number too.
    """

    def test_late_fin(self) -> None:
        """
        An ACK from behind a FIN that comes later opens a hole of that one number; the FIN fills it,
        so nothing is missing.
        """
        script = Script().open().client("PSH ACK", b"get").server("PSH ACK", b"first")
        script.client("FIN ACK").server("ACK", seq=7, after=0.1)
        script.server("FIN ACK", seq=6, after=0.5).client("ACK", ack=7)
        kinds = {claim.kind for claim in script.claims()}
        self.assertIn("gaps.opened", kinds)
        self.assertEqual(kinds & {"gaps.not-captured", "gaps.never-filled"}, set())


class FilledTests(SynchronousTestCase):
    """
    Holes that are filled.
    """

    def test_overtaken_by_identification(self) -> None:
        """
        A packet with a lower IP identification than the one that was captured before it was
        overtaken, however late it is.
        """
        self.assertEqual(
            kinds_of(hole(late=0.0005, ip_id=199), "reordering"), ["reordering.overtaken"]
        )
        self.assertEqual(
            kinds_of(hole(late=0.9, ip_id=199), "reordering"), ["reordering.overtaken"]
        )

    def test_overtaken_by_timestamp(self) -> None:
        """
        So was one with an older timestamp (RFC 7323 section 3).
        """
        (claim,) = claims_of(hole(late=0.0005, stamps=True), "reordering.")
        self.assertEqual(claim.figures["evidence"], "timestamps")

    def test_soon_but_sent_later(self) -> None:
        """
        One that was sent later, but sooner than a loss can be answered, is not said to be either.
        """
        (claim,) = claims_of(hole(late=0.0005), "reordering.")
        self.assertEqual(claim.kind, "reordering.late")
        self.assertEqual(claim.causes, ("sent-out-of-order", "retransmission"))

    def test_lost_before(self) -> None:
        """
        After duplicate ACKs and more than a round trip its first copy was lost before this point.
        """
        (claim,) = claims_of(hole(late=0.3, acks=4), "repeats.first")
        self.assertEqual(claim.kind, "repeats.first-copy-lost-before")
        self.assertEqual(claim.figures["duplicates"], 3)
        self.assertIn("repeats.first-copy-lost-before", fault_kinds("f46"))

    def test_late_without_duplicate_acks(self) -> None:
        """
        Without duplicate ACKs the capture may have missed it.
        """
        (claim,) = claims_of(hole(late=0.3), "repeats.first")
        self.assertEqual(claim.causes, ("lost-before-this-point", "not-captured"))

    def test_late_original(self) -> None:
        """
        The first copy, captured after its repeat, repeats nothing.
        """
        script = Script().open().client("PSH ACK", b"get")
        script.server("PSH ACK", b"a" * 100, ip_id=205, after=0.3)
        script.server("PSH ACK", b"a" * 100, seq=1, ip_id=203, after=0.001)
        self.assertEqual(kinds_of(script, "reordering"), ["reordering.late-original"])
        self.assertEqual(kinds_of(script, "repeats"), [])

    def test_never_out_of_order_and_lost(self) -> None:
        """
        What fills a hole is claimed once.
        """
        for late in (0.0005, 0.3):
            for ip_id in (199, None):
                for acks in (0, 4):
                    script = hole(late=late, ip_id=ip_id, acks=acks)
                    told = [
                        claim
                        for claim in claims_of(script)
                        if claim.kind.startswith(("reordering.", "repeats.first"))
                    ]
                    self.assertEqual(len(told), 1, told)


class MissingTests(SynchronousTestCase):
    """
    Holes that stay.
    """

    def test_capture_loss(self) -> None:
        """
        What was acknowledged arrived: the capture lost it, and its bytes count.
        """
        claims = fault_claims("f44")
        (gap,) = [each for each in claims if each.kind == "gaps.not-captured"]
        self.assertEqual((gap.figures["bytes"], gap.frames), (3000, (6, 7)))
        sums = {each.who: each.figures for each in claims if each.kind == "bytes.stream"}
        self.assertEqual(sums["server"]["bytes"], 5000)
        self.assertEqual(sums["server"]["missing_bytes"], 3000)

    def test_nothing_behind_the_hole(self) -> None:
        """
        An ACK beyond all that was seen shows a gap, too.
        """
        self.assertIn("gaps.not-captured", fault_kinds("f19"))

    def test_one_direction(self) -> None:
        """
        Of a direction that was not captured at all, no gap is claimed.
        """
        self.assertEqual(fault_kinds("f36", "gaps."), [])

    def test_never_filled(self) -> None:
        """
        What was neither seen nor acknowledged may be lost, or missed.
        """
        script = Script().open().client("PSH ACK", b"x", is_captured=False, arrives=False)
        script.client("PSH ACK", b"y", arrives=False)
        (claim,) = claims_of(script, "gaps.never")
        self.assertEqual(claim.causes, ("lost-on-the-way", "not-captured"))

    def test_after_its_ack(self) -> None:
        """
        Bytes that are captured after their ACK are not called overtaken or lost.
        """
        script = Script().open().client("PSH ACK", b"abc", is_captured=False)
        script.server("ACK").client("PSH ACK", b"abc", seq=1, after=0.0001)
        self.assertEqual(kinds_of(script, "gaps"), ["gaps.seen-after-its-ack"])
        self.assertEqual(kinds_of(script, "reordering"), [])

    def test_another_connection_between_the_same_ports(self) -> None:
        """
        What follows a close with other numbers is of another connection, of which the opening was
        missed: nothing is claimed of it.
        """
        script = Script().open().client("PSH ACK", b"abc").server("ACK").close()
        before = [each.kind for each in claims_of(script)]
        script.client("PSH ACK", b"new", seq=900_000, ack=700_000)
        self.assertEqual(
            [kind for kind in before if kind != "bytes.stream"],
            [each.kind for each in claims_of(script)],
        )


class CountTests(SynchronousTestCase):
    """
    Bytes of a stream, each once.
    """

    def test_each_byte_once(self) -> None:
        """
        Whatever was sent again, in other pieces, or in another order.
        """
        for name, who, size in (
            ("f31_bytes_counted_twice_out_of_order", "client", 3000),
            ("f31_bytes_counted_twice_cut_smaller", "server", 2920),
            ("f31_bytes_counted_twice_first_copy_not_captured", "server", 2000),
            ("f32", "client", 20),
            ("f01", "client", 18),
            ("f13", "server", 6000),
        ):
            (claim,) = [
                each
                for each in fault_claims(name)
                if each.kind == "bytes.stream" and each.who == who
            ]
            self.assertEqual(claim.figures["bytes"], size, name)
            self.assertIs(claim.known, Known.SEEN)

    def test_counts(self) -> None:
        """
        The sums name fast and spurious repeats.
        """
        for name, figure in (
            ("f38_only_fast_retransmission", "fast_retransmit"),
            ("f38_only_fast_retransmission_spurious", "acknowledged_before"),
        ):
            (claim,) = [each for each in fault_claims(name) if each.kind == "repeats.counts"]
            self.assertEqual(dict(claim.figures), {figure: 1})
