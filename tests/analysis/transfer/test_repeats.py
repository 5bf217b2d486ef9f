"""
Tests for L{netlab.analysis.transfer.repeats} and L{netlab.analysis.transfer.signals}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.claims.claim import Known
from tests.analysis.dialogue_script import Script
from tests.analysis.transfer.judged import claims_of, fault_kinds, kinds_of, numbered, sack
from tests.captures import frames
from tests.captures.faults import NAMES, fault_claims, fault_story

SACK_PERMITTED = frames.syn_options(1460, sack_permitted=True)


def asked(options: bytes | None = None) -> Script:
    """
    Write a handshake and a request: #1 to #4.
    """
    return Script().open(options=options).client("PSH ACK", b"get")


def flight(script: Script, count: int, *, lost: int = -1) -> Script:
    """
    Let the server send full segments, one of which does not arrive.
    """
    for index, data in enumerate(numbered(count)):
        heard = script.heard[0]
        script.server("PSH ACK", data, after=0.02 if index == 0 else 0.0001)
        if 0 <= lost <= index:
            script.heard[0] = heard
    return script


class TriggerTests(SynchronousTestCase):
    """
    What made the sender repeat.
    """

    def test_timeout(self) -> None:
        """
        After a timer's time without an ACK, it was the timer; all that follows is sent for it.
        """
        claims = fault_claims("f13")
        timeout, *rest = [each for each in claims if "tries" in each.figures]
        self.assertEqual((timeout.kind, timeout.frames), ("repeats.timeout", (5, 12)))
        self.assertEqual(timeout.figures["waited_ns"], 601_500_000)
        self.assertEqual({each.kind for each in rest}, {"repeats.after-timeout"})
        self.assertEqual([each.frames for each in rest], [(6 + i, 12, 13 + i) for i in range(5)])

    def test_back_off(self) -> None:
        """
        A wait that doubles is a timer's (RFC 6298 section 5.5), even where a tail loss probe may
        have made the first repeat.
        """
        script = asked(SACK_PERMITTED)
        script.server("ACK", after=0.02)
        for at in (1.0, 1.3, 1.9, 3.1):
            script.client("PSH ACK", b"lost", at=at, seq=4)
        claims = claims_of(script, "repeats.tim")
        self.assertEqual(
            [each.kind for each in claims], ["repeats.timer", "repeats.timeout", "repeats.timeout"]
        )
        self.assertEqual(claims[0].causes, ("retransmission-timeout", "tail-loss-probe"))
        self.assertEqual(claims[1].figures["waited_before_ns"], 300_000_000)

    def test_fast_retransmit(self) -> None:
        """
        Three duplicate ACKs of the very number, and the repeat at once (RFC 5681 section 3.2).
        """
        (claim,) = [
            each for each in fault_claims("f38_only_fast_retransmission") if "tries" in each.figures
        ]
        self.assertEqual(claim.kind, "repeats.fast-retransmit")
        self.assertEqual(claim.frames, (6, 11, 12, 13, 14))
        self.assertIs(claim.known, Known.FOLLOWS)

    def test_two_duplicates_are_no_three(self) -> None:
        """
        After two duplicate ACKs a prompt repeat has no sure trigger.
        """
        script = flight(asked(), 3, lost=0)
        for _ in range(2):
            script.client("ACK", ack=1, after=0.0001)
        script.server("PSH ACK", numbered(1)[0], seq=1, after=0.0001)
        self.assertEqual(kinds_of(script, "repeats"), ["repeats.again"])

    def test_late_after_duplicates(self) -> None:
        """
        Three duplicate ACKs long ago may have been lost behind: a timer is as possible.
        """
        script = flight(asked(), 5, lost=0)
        for _ in range(4):
            script.client("ACK", ack=1, after=0.0001)
        script.server("PSH ACK", numbered(1)[0], seq=1, after=0.9)
        (claim,) = claims_of(script, "repeats.after")
        self.assertEqual(claim.kind, "repeats.after-duplicate-acks")
        self.assertIn("retransmission-timeout", claim.causes)
        self.assertIn("fast-retransmit", claim.causes)

    def test_sack_recovery(self) -> None:
        """
        Holes that SACK shows are repeated one after the other, without a timer.
        """
        claims = [each for each in fault_claims("f14") if "tries" in each.figures]
        self.assertEqual([each.kind for each in claims], ["repeats.sack-recovery"] * 2)
        self.assertEqual([each.figures["first_frame"] for each in claims], [6, 7])
        self.assertEqual(claims[1].figures["recovery_frame"], 19)

    def test_partial_ack(self) -> None:
        """
        Without SACK, an ACK of a part of what was outstanding brings the next repeat
        (RFC 6582 section 3.2).
        """
        script = flight(asked(), 8, lost=0)
        data = numbered(8)
        for _ in range(4):
            script.client("ACK", ack=1, after=0.0001)
        script.server("PSH ACK", data[0], seq=1, after=0.0001)
        script.client("ACK", ack=2001, after=0.02)
        script.server("PSH ACK", data[2], seq=2001, after=0.0001)
        fast, partial = [each for each in claims_of(script, "repeats.") if "tries" in each.figures]
        self.assertEqual(fast.kind, "repeats.fast-retransmit")
        self.assertEqual(partial.kind, "repeats.partial-ack")
        self.assertEqual(partial.figures["first_frame"], 7)

    def test_new_data_was_acknowledged_just_before(self) -> None:
        """
        A timer begins anew with each ACK of new data (RFC 6298 section 5.3): a repeat shortly
        after one is none of it.
        """
        script = flight(asked(), 3)
        data = numbered(3)
        script.client("ACK", ack=1001, after=0.5)
        script.server("PSH ACK", data[1], seq=1001, after=0.0001)
        (claim,) = claims_of(script, "repeats.time")
        self.assertEqual(claim.kind, "repeats.timer")
        self.assertIs(claim.known, Known.POSSIBLE)

    def test_one_direction(self) -> None:
        """
        Where the other direction is missing, duplicate ACKs may be, too.
        """
        script = Script().begins().server("PSH ACK", b"a" * 100)
        script.server("PSH ACK", b"a" * 100, seq=1, after=0.5)
        (claim,) = [each for each in claims_of(script, "repeats.") if "tries" in each.figures]
        self.assertIs(claim.known, Known.POSSIBLE)

    def test_capture_loss_makes_unsure(self) -> None:
        """
        Where the capture has missed segments, it may have missed the trigger.
        """
        script = flight(asked(), 5, lost=0)
        script.client("ACK", ack=1, after=0.0001)
        script.server("PSH ACK", numbered(1)[0], seq=1, after=0.7)
        self.assertEqual(kinds_of(script, "repeats"), ["repeats.timeout"])
        script.heard[0] = script.next[1]
        script.client("ACK").server("ACK", b"x" * 50, is_captured=False).client("ACK")
        (claim,) = [each for each in claims_of(script, "repeats.") if "tries" in each.figures]
        self.assertEqual((claim.kind, claim.known), ("repeats.timer", Known.POSSIBLE))

    def test_acknowledged_before(self) -> None:
        """
        What an ACK had covered is repeated for nothing.
        """
        (claim,) = [
            each
            for each in fault_claims("f38_only_fast_retransmission_spurious")
            if "tries" in each.figures
        ]
        self.assertEqual(claim.kind, "repeats.acknowledged-before")
        self.assertEqual(claim.figures["ack_frame"], 6)

    def test_first_frame(self) -> None:
        """
        In no capture is a frame cited as the first that does not carry these very numbers.
        """
        checked = 0
        for name in NAMES:
            for conversation in fault_story(name).conversations:
                told = {frame.number: frame for frame in conversation.frames}
                for claim in conversation.claims:
                    if "tries" in claim.figures and "last" in claim.figures:
                        first = told[int(claim.figures["first_frame"])]
                        again = told[claim.frames[-1]]
                        self.assertLess(first.seq, again.nxtseq)
                        self.assertGreater(first.nxtseq, again.seq)
                        self.assertEqual(first.is_from_client, again.is_from_client)
                        checked += 1
        self.assertGreater(checked, 15)


class SignalTests(SynchronousTestCase):
    """
    SYNs and FINs.
    """

    def test_syn(self) -> None:
        """
        Each repeated SYN names the first, and how long the sender waited.
        """
        claims = [each for each in fault_claims("f02") if each.kind == "repeats.syn"]
        self.assertEqual(
            [each.figures["waited_ns"] for each in claims],
            [second * 10**9 for second in (1, 2, 4, 8)],
        )

    def test_syn_ack_of_one_direction(self) -> None:
        """
        Where the client was not captured, a SYN that it sent again may have been answered: that a
        timer expired is not claimed.
        """
        script = Script().client("SYN", is_captured=False).server("SYN ACK")
        script.server("SYN ACK", seq=0, after=3)
        (claim,) = claims_of(script, "repeats.syn-ack")
        self.assertEqual((claim.known, claim.rule), (Known.SEEN, ""))
        script = Script().client("SYN").server("SYN ACK").server("SYN ACK", seq=0, after=3)
        (claim,) = claims_of(script, "repeats.syn-ack")
        self.assertIs(claim.known, Known.FOLLOWS)

    def test_syn_ack_answers_a_syn(self) -> None:
        """
        A SYN with ACK that follows a repeated SYN answers that; no timer of its own expired.
        """
        (claim,) = [each for each in fault_claims("f11") if each.kind == "repeats.syn-ack"]
        self.assertEqual(claim.figures["asked_frame"], 3)
        self.assertIs(claim.known, Known.SEEN)

    def test_the_first_fin_is_the_first(self) -> None:
        """
        A FIN is no repeat because a byte, or a SYN, had its number.
        """
        for name in (
            "f62_first_fin_told_as_sent_again",
            "f62_first_fin_told_as_sent_again_after_a_byte_of_its_number",
            "f63",
        ):
            self.assertNotIn("repeats.fin", fault_kinds(name))

    def test_fin(self) -> None:
        """
        A FIN with the number of one before is sent again.
        """
        script = asked().server("ACK", after=0.02)
        script.client("FIN ACK")
        script.client("FIN ACK", seq=4, after=0.4)
        (claim,) = claims_of(script, "repeats.fin")
        self.assertEqual(claim.frames, (6, 7))
        self.assertIs(claim.known, Known.FOLLOWS)

    def test_fin_that_was_acknowledged(self) -> None:
        """
        One that had been acknowledged is not said to have been lost.
        """
        script = asked().server("ACK", after=0.02)
        script.client("FIN ACK").server("ACK", after=0.02)
        script.client("FIN ACK", seq=4, after=0.4)
        (claim,) = claims_of(script, "repeats.fin")
        self.assertEqual(claim.figures["ack_frame"], 7)
        self.assertIs(claim.known, Known.SEEN)


class SelectiveTests(SynchronousTestCase):
    """
    SACK without three duplicate ACKs.
    """

    def test_more_than_two_segments_beyond(self) -> None:
        """
        One ACK that names three segments beyond the hole is enough (RFC 6675 section 4, IsLost).
        """
        script = flight(asked(SACK_PERMITTED), 5, lost=0)
        script.client("ACK", ack=1, options=sack((2001, 5001)), after=0.0001)
        script.server("PSH ACK", numbered(1)[0], seq=1, after=0.0001)
        (claim,) = [each for each in claims_of(script, "repeats.") if "tries" in each.figures]
        self.assertEqual(
            (claim.kind, claim.figures["sacked_bytes"]), ("repeats.sack-recovery", 3000)
        )

    def test_fewer(self) -> None:
        """
        Fewer allow several mechanisms: time-based loss detection among them (RFC 8985).
        """
        script = flight(asked(SACK_PERMITTED), 2, lost=0)
        script.client("ACK", ack=1, options=sack((1001, 2001)), after=0.0001)
        script.server("PSH ACK", numbered(1)[0], seq=1, after=0.006)
        (claim,) = [each for each in claims_of(script, "repeats.") if "tries" in each.figures]
        self.assertEqual(claim.kind, "repeats.after-duplicate-acks")
        self.assertIn("rack", claim.causes)


class HastySignalTests(SynchronousTestCase):
    """
    SYN-ACKs that are alike.
    """

    def test_without_identification(self) -> None:
        """
        Linux gives SYN-ACKs no identification: two of them at once may be one that was doubled on
        its way, and nothing says that it was sent again. Later ones were.
        """
        for after, kinds in ((0.0002, []), (1.0, ["repeats.syn-ack"])):
            script = Script().client("SYN").server("SYN ACK", after=0.02, ip_id=0)
            script.server("SYN ACK", seq=0, after=after, ip_id=0).client("ACK")
            self.assertEqual(kinds_of(script, "repeats"), kinds)
