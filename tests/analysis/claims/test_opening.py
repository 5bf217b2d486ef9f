"""
Tests for L{netlab.analysis.claims.opening}.
"""

from __future__ import annotations

import struct

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.claims.claim import Claim, Known
from tests.analysis.dialogue_script import Script, of_kind
from tests.captures.faults import fault_claims


def opening(claims: tuple[Claim, ...]) -> list[str]:
    """
    Give the kinds of the topic.
    """
    return [claim.kind for claim in of_kind(claims, "opening.")]


def one(claims: tuple[Claim, ...], kind: str) -> Claim:
    """
    Give the only claim of a kind.
    """
    (found,) = of_kind(claims, kind)
    return found


def stamps(value: int, echo: int) -> bytes:
    """
    Make a time stamp option.
    """
    return b"\x01\x01\x08\x0a" + struct.pack("!II", value, echo)


class HandshakeTests(SynchronousTestCase):
    """
    Openings that go well.
    """

    def test_handshake(self) -> None:
        """
        Three segments, and the two halves of their round trip.
        """
        claim = one(Script().open(0.02).claims(), "opening.handshake")
        self.assertEqual(claim.frames, (1, 2, 3))
        self.assertEqual(
            (claim.figures["far_ns"], claim.figures["near_ns"]), (20_000_000, 1_000_000)
        )

    def test_clock(self) -> None:
        """
        Where the capture's clock goes back, no duration is claimed.
        """
        for name in ("f61_clock", "f26_records_out_of_order_syn_after_its_answer"):
            claims = fault_claims(name)
            self.assertEqual(opening(claims), ["opening.handshake"])
            self.assertEqual(dict(one(claims, "opening.handshake").figures), {})

    def test_middle(self) -> None:
        """
        A capture that begins later shows no opening.
        """
        self.assertEqual(opening(fault_claims("f01_midstream")), ["opening.not-captured"])
        self.assertEqual(opening(fault_claims("f36_one_side")), ["opening.syn-not-captured"])

    def test_simultaneous(self) -> None:
        """
        Both ends may ask at once; a server may split its answer (RFC 9293 section 3.5).
        """
        split = fault_claims("f33_split_handshake")
        both = fault_claims("f33_split_handshake_simultaneous_open")
        self.assertEqual(opening(split), ["opening.split-handshake"])
        self.assertEqual(opening(both), ["opening.simultaneous"])

    def test_end_of_the_capture(self) -> None:
        """
        A SYN in the last second of a capture may have been answered after it; one before that, or
        one that was sent again in vain, may not.
        """

        def causes(script: Script) -> tuple[str, ...]:
            return one(script.story().conversations[0].claims, "opening.unanswered").causes

        alone = Script().client("SYN")
        self.assertEqual(causes(alone)[0], "capture-ended")
        later = Script().client("SYN").another(40001).client("SYN", after=5).server("RST ACK")
        self.assertNotIn("capture-ended", causes(later))
        again = Script().client("SYN").client("SYN", seq=0, after=1).client("SYN", seq=0, after=2)
        self.assertNotIn("capture-ended", causes(again))

    def test_odd_flags(self) -> None:
        """
        SYN with FIN and URG is told.
        """
        claim = one(fault_claims("f63_syn_with_fin_and_urg"), "opening.odd-flags")
        self.assertEqual(claim.figures["flags"], "SYN, FIN, URG")
        self.assertEqual(of_kind(fault_claims("f63_syn_with_fin_and_urg"), "closes."), [])


class UnansweredTests(SynchronousTestCase):
    """
    Nothing comes back.
    """

    def test_syns(self) -> None:
        """
        Five SYNs in 15 s with waits that double: several causes are possible; that the capture has
        one direction only is not claimed as a fact.
        """
        claim = one(fault_claims("f02_syn_never_answered"), "opening.unanswered")
        self.assertEqual((claim.figures["syns"], claim.figures["doubling"]), (5, 1))
        self.assertEqual(claim.figures["waited_ns"], 15_000_000_000)
        self.assertEqual(claim.known, Known.POSSIBLE)
        self.assertIn("host-down", claim.causes)

    def test_one_direction(self) -> None:
        """
        Where the client acknowledges a SYN-ACK that is not here, the server did answer.
        """
        script = Script().client("SYN").server("SYN ACK", is_captured=False).client("ACK")
        self.assertEqual(opening(script.claims()), ["opening.answer-not-captured"])

    def test_without_a_syn_ack(self) -> None:
        """
        The other end may send without a SYN-ACK that is here.
        """
        script = Script().client("SYN").server("SYN ACK", is_captured=False).client("ACK")
        script.server("PSH ACK", b"hello")
        self.assertEqual(opening(script.claims()), ["opening.no-syn-ack"])

    def test_never_completed(self) -> None:
        """
        A SYN-ACK that the client never acknowledges, sent several times.
        """
        script = Script().client("SYN").server("SYN ACK").server("SYN ACK", seq=0, after=1)
        claims = script.server("SYN ACK", seq=0, after=2).claims()
        self.assertEqual(opening(claims), ["opening.syn-ack-repeated", "opening.never-completed"])
        self.assertEqual(one(claims, "opening.syn-ack-repeated").figures["sendings"], 3)


class LossTests(SynchronousTestCase):
    """
    A SYN or its answer comes again.
    """

    def test_first_syn(self) -> None:
        """
        The first SYN cost 1 s; the round trip is counted from the second.
        """
        claims = fault_claims("f10_first_syn_lost")
        lost = one(claims, "opening.syn-lost")
        self.assertEqual(
            (lost.figures["cost_ns"], lost.figures["answered_ns"]), (1_000_000_000, 20_000_000)
        )
        self.assertIn("syn-lost", lost.causes)
        self.assertEqual(one(claims, "opening.handshake").figures["total_ns"], 35_000_000)

    def test_first_syn_ack(self) -> None:
        """
        A SYN after a SYN-ACK that was seen here: that was lost behind this point, or crossed.
        """
        claims = fault_claims("f11_first_syn_ack_lost")
        lost = one(claims, "opening.syn-ack-lost")
        self.assertEqual(lost.frames, (2, 3))
        self.assertIn("lost-behind-this-point", lost.causes)
        self.assertEqual(of_kind(claims, "opening.syn-lost"), [])

    def test_slow_answer(self) -> None:
        """
        By its time stamp the answer may be that of the first SYN: nothing was lost.
        """
        script = Script().client("SYN", options=stamps(100, 0))
        script.client("SYN", seq=0, options=stamps(1100, 0), after=1)
        script.server("SYN ACK", options=stamps(7, 100), after=0.2).client("ACK")
        claims = script.claims()
        late = one(claims, "opening.syn-answered-late")
        self.assertEqual(late.figures["answered_ns"], 1_200_000_000)
        self.assertEqual(of_kind(claims, "opening.syn-lost"), [])
        self.assertEqual(one(claims, "opening.handshake").frames, (1, 3, 4))

    def test_copies(self) -> None:
        """
        A copy of a SYN that the capture made is no second SYN.
        """
        self.assertEqual(opening(fault_claims("f43_span_port_duplicates")), ["opening.handshake"])

    def test_another_number(self) -> None:
        """
        The second SYN-ACK has another number; the client took that one.
        """
        for name in ("f53_another_syn_ack", "f53_another_syn_ack_and_the_first_again"):
            claim = one(fault_claims(name), "opening.another-syn-ack")
            self.assertEqual(claim.figures["taken_frame"], 4)
            self.assertIn("syn-cookies", claim.causes)

    def test_old_connection(self) -> None:
        """
        An ACK of another number answers the SYN: an old connection (RFC 9293 section 3.5.1). That
        the SYN comes again is no loss.
        """
        claims = fault_claims("f34_ack_answers_a_syn")
        self.assertEqual(one(claims, "opening.old-connection").frames, (1, 2))
        self.assertEqual(of_kind(claims, "opening.syn-lost"), [])
        self.assertEqual(one(claims, "opening.handshake").frames, (4, 5, 6))


class FastOpenTests(SynchronousTestCase):
    """
    Data in a SYN (RFC 7413).
    """

    def test_accepted(self) -> None:
        """
        The SYN-ACK covers it.
        """
        claim = one(fault_claims("f23_fast_open_accepted"), "opening.fast-open-accepted")
        self.assertEqual((claim.figures["bytes"], claim.frames), (100, (1, 2)))

    def test_rejected(self) -> None:
        """
        It does not: the data goes again after the handshake.
        """
        claim = one(fault_claims("f23_fast_open_rejected"), "opening.fast-open-rejected")
        self.assertEqual(claim.frames, (1, 2, 3))

    def test_partly(self) -> None:
        """
        It may cover a part.
        """
        script = Script().client("SYN", b"x" * 100).server("SYN ACK", ack=41).client("ACK", b"")
        claim = one(script.claims(), "opening.fast-open-partly-accepted")
        self.assertEqual(claim.figures["covered"], 40)

    def test_cookie(self) -> None:
        """
        A client may ask for a cookie only.
        """
        cookie = b"\x22\x0a" + b"\xaa" * 8 + b"\x01\x01"
        script = Script().client("SYN", options=b"\x22\x02\x01\x01")
        script.server("SYN ACK", options=cookie).client("ACK")
        claim = one(script.claims(), "opening.fast-open-cookie")
        self.assertEqual(claim.figures["granted"], 8)

    def test_bytes(self) -> None:
        """
        Data in a SYN is counted once, and nothing is missing before it.
        """
        for name in ("f23_fast_open_accepted", "f23_fast_open_rejected"):
            claims = fault_claims(name)
            counts = {each.who: each.figures["bytes"] for each in of_kind(claims, "bytes.stream")}
            self.assertEqual(counts, {"client": 100, "server": 50})
            self.assertEqual(of_kind(claims, "gaps."), [])


class ReadAloudTests(SynchronousTestCase):
    """
    What captures of odd programs refuted.
    """

    def test_syn_ack_again_after_the_ack(self) -> None:
        """
        A server that waits for data sends its SYN-ACK again: the handshake is that of the first.
        """
        script = Script().open().server("SYN ACK", after=3.0, seq=0, ack=1).client("ACK")
        (handshake,) = of_kind(script.claims(), "opening.handshake")
        self.assertEqual(handshake.frames, (1, 2, 3))
        self.assertIn("far_ns", handshake.figures)

    def test_no_ack_flag(self) -> None:
        """
        FIN, PSH and URG without ACK are of no open connection (RFC 9293 section 3.1).
        """
        claims = Script().client("FIN PSH URG", seq=1).claims()
        (odd,) = of_kind(claims, "opening.no-ack-flag")
        self.assertEqual(odd.figures["flags"], "FIN, PSH, URG")
        self.assertEqual(of_kind(claims, "opening.not-captured"), [])

    def test_full_queue(self) -> None:
        """
        SYNs without an answer may have met a full queue.
        """
        (claim,) = of_kind(Script().client("SYN").claims(), "opening.unanswered")
        self.assertIn("queue-full", claim.causes)

    def test_crossing_syns(self) -> None:
        """
        Two SYNs that nobody answers make no split handshake.
        """
        script = Script().client("SYN").server("SYN", after=0.1).client("SYN", seq=0, after=1)
        claims = script.claims()
        self.assertEqual(of_kind(claims, "opening.split-handshake"), [])
        (claim,) = of_kind(claims, "opening.both-unanswered")
        self.assertEqual(claim.frames, (1, 2, 3))

    def test_one_end(self) -> None:
        """
        Of a socket that is connected to itself no end lacks segments.
        """
        ends = ("127.0.0.1", "127.0.0.1")
        script = Script(addresses=ends, ports=(5555, 5555)).client("SYN").client("SYN ACK", seq=0)
        claims = script.client("PSH ACK", b"me").claims()
        kinds = [claim.kind for claim in claims if not claim.kind.startswith("reasons.")]
        self.assertEqual(kinds, ["opening.one-end"])
