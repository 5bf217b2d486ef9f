"""
Tests for L{netlab.analysis.transfer.copying} and L{netlab.analysis.observations.copies}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.analysis.dialogue_script import Script
from tests.analysis.transfer.judged import claims_of, fault_kinds, kinds_of
from tests.captures.faults import fault_claims, fault_story


class CopyTests(SynchronousTestCase):
    """
    One packet, captured twice.
    """

    def test_before_and_after_a_router(self) -> None:
        """
        A copy with a lower TTL was captured behind a router; nothing was sent again.
        """
        claims = fault_claims("f43")
        (whole,) = [each for each in claims if each.kind == "copies.throughout"]
        self.assertEqual((whole.figures["copies"], whole.figures["place"]), (9, "router"))
        self.assertEqual(fault_kinds("f43", "repeats."), [])
        self.assertEqual(fault_kinds("f43", "acks."), [])

    def test_single(self) -> None:
        """
        A single copy may be the network's or the capture's, and repeats nothing.
        """
        script = (
            Script().open().client("PSH ACK", b"abc").client("PSH ACK", b"abc", seq=1, ip_id=103)
        )
        script.server("ACK")
        self.assertEqual(kinds_of(script, "copies"), ["copies.single"])
        self.assertEqual(kinds_of(script, "repeats"), [])

    def test_another_identification(self) -> None:
        """
        With an identification of its own a packet was sent again.
        """
        script = (
            Script().open().client("PSH ACK", b"abc").client("PSH ACK", b"abc", seq=1, after=0.3)
        )
        self.assertEqual(kinds_of(script, "copies"), [])
        self.assertEqual(len(kinds_of(script, "repeats")), 1)

    def test_sender_that_does_not_count(self) -> None:
        """
        Where all packets have one identification, equal ones are not copies for that.
        """
        script = Script().open()
        for after in (0.001, 0.3, 0.6):
            script.client("PSH ACK", b"abc", seq=1, ip_id=0, after=after)
        self.assertEqual(kinds_of(script, "copies"), [])
        self.assertEqual(len(kinds_of(script, "repeats")), 2)

    def test_duplicate_acks_are_no_copies(self) -> None:
        """
        ACKs without numbers of their own that repeat each other are duplicate ACKs.
        """
        script = Script().open().client("PSH ACK", b"get")
        for index in range(4):
            script.server("PSH ACK", bytes([97 + index]) * 100, after=0.0001)
        script.heard[0] = 1
        for _ in range(4):
            script.client("ACK", ack=1, ip_id=0, after=0.0001)
        self.assertEqual(kinds_of(script, "copies"), [])
        self.assertEqual(len(claims_of(script, "acks.duplicate")), 4)


class TranslatedTests(SynchronousTestCase):
    """
    Both sides of an address translator.
    """

    def test_one_connection(self) -> None:
        """
        Two conversations with the same numbers and bytes are one connection.
        """
        (claim,) = [each for each in fault_story("f37").claims if each.kind == "copies.translated"]
        self.assertEqual(claim.figures["packets"], 9)
        self.assertEqual((claim.figures["ttl"], claim.figures["ttl_after"]), (64, 63))

    def test_two_connections(self) -> None:
        """
        Conversations with numbers of their own are not.
        """
        for name in ("f06", "f07", "f60"):
            kinds = [each.kind for each in fault_story(name).claims]
            self.assertNotIn("copies.translated", kinds)
