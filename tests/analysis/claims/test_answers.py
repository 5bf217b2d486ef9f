"""
Tests for L{netlab.analysis.claims.answers} and its words: the questions that people bring to a
capture are answered at the top of its report.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.claims.answers import (
    ConnectionEnd,
    Question,
    Told,
    end_of,
    is_calm,
    longest_waits,
    rank_of,
    troubles,
)
from netlab.analysis.claims.claim import Claim
from netlab.analysis.explanation.story import Answer
from netlab.analysis.words.answers import answers_of
from netlab.report.reading import read_story
from tests.analysis.dialogue_script import Script

_FAULTS = Path(__file__).parents[2] / "captures" / "data" / "faults"


def answers(name: str) -> tuple[Answer, ...]:
    """
    Give the answers of one of the tiny captures.
    """
    return read_story(str(_FAULTS / f"{name}.pcap")).story.answers


class QuestionsTests(SynchronousTestCase):
    """
    What people ask of a capture.
    """

    def assert_answered(self, name: str, question: Question, *kinds: str) -> None:
        """
        Expect that one of some kinds of claim answers a question.
        """
        found = [kind for each in answers(name) if each.question is question for kind in each.kinds]
        self.assertTrue(set(found) & set(kinds), f"{name}: {found}")

    def test_why_no_connection(self) -> None:
        """
        Nobody answered, the port was refused, or ICMP says why.
        """
        self.assert_answered("f02_syn_never_answered", Question.WRONG, "opening.unanswered")
        self.assert_answered("f35_icmp_port_unreachable", Question.WRONG, "icmp.error")

    def test_an_end_that_was_not_captured(self) -> None:
        """
        Of an end without a segment here it is not known that it sent nothing.
        """
        story = Script().begins().server("PSH ACK", b"x" * 74).story()
        text = story.answers[0].sentence
        self.assertIn("no segment of the client, 74 bytes from the server", text)
        both = Script().begins().server("PSH ACK", b"x" * 74).client("ACK").story()
        self.assertIn("0 bytes from the client, 74 bytes", both.answers[0].sentence)
        (conversation,) = story.conversations
        self.assertIn("up not captured", conversation.title)
        (sentence,) = [each.sentence for each in answers("f49_undecoded_layer")[:1]]
        self.assertIn("no segment of the server", sentence)

    def test_calm_without_a_connection(self) -> None:
        """
        Where no connection was read, nothing is said of what went well.
        """
        story = Script().open().close().story()
        calm = answers_of(story, is_whole=True)
        self.assertIn("Nothing in this capture was sent again", calm[1].sentence)
        without = answers_of(replace(story, conversations=()), is_whole=True)
        self.assertEqual([each.sentence for each in without if "Nothing" in each.sentence], [])

    def test_why_the_reset(self) -> None:
        """
        Keep-alives were not answered; the window stayed shut.
        """
        for name, kind in (
            ("f45_keep_alive_against_application", "resets.keep-alives-unanswered"),
            ("f20_zero_window_probes_and_give_up", "resets.window-stayed-shut"),
        ):
            self.assert_answered(name, Question.WRONG, kind)

    def test_who_is_slow(self) -> None:
        """
        Where most of the time went comes first, with the exchange that shows it.
        """
        for end in ("server", "client"):
            name = f"f42_slow_server_against_slow_network_{end}"
            self.assert_answered(name, Question.TIME, f"delays.{end}")
            (shares, *_) = [each for each in answers(name) if each.question is Question.TIME]
            self.assertRegex(shares.sentence, rf"other's: [\d.]+ s at the {end}")
        (shares, *_) = [
            each
            for each in answers("f42_slow_server_against_slow_network_way")
            if each.question is Question.TIME
        ]
        self.assertRegex(shares.sentence, r"other's: 800\.0 ms on the network")

    def test_why_40_ms(self) -> None:
        """
        Nagle's algorithm met delayed ACKs.
        """
        name = "f40_delayed_ack_and_nagle"
        self.assert_answered(name, Question.TIME, "delays.nagle-total")

    def test_loss_or_reordering(self) -> None:
        """
        What was sent again is counted by its cause.
        """
        for name in ("f14_sack_recovery", "f46_retransmission_seen_once"):
            self.assert_answered(name, Question.WRONG, "repeats.counts")

    def test_capture_loss(self) -> None:
        """
        Bytes that were acknowledged and are not here were not lost on the network.
        """
        name = "f44_capture_loss_or_network_loss"
        self.assert_answered(name, Question.LIMITS, "gaps.not-captured")

    def test_why_window_full(self) -> None:
        """
        The receiver did not read.
        """
        name = "f20_zero_window_probes_and_give_up"
        self.assert_answered(name, Question.WRONG, "resets.window-stayed-shut")

    def test_duplicates(self) -> None:
        """
        Frames that are copies of others are no retransmissions.
        """
        self.assert_answered("f43_span_port_duplicates", Question.LIMITS, "copies.throughout")
        self.assert_answered("f37_both_sides_of_a_nat", Question.LIMITS, "copies.translated")

    def test_checksums(self) -> None:
        """
        They were left to the network card, or not filled in.
        """
        name = "f24_checksum_of_segmentation_offload"
        self.assert_answered(name, Question.LIMITS, "capture.checksums-offloaded")
        name = "f25_checksums_zeroed"
        self.assert_answered(name, Question.LIMITS, "capture.checksums-zeroed")

    def test_why_throughput_stalls(self) -> None:
        """
        One window per round trip is the most there can be.
        """
        name = "f41_no_window_scaling_on_a_long_way"
        self.assert_answered(name, Question.WRONG, "windows.one-a-round-trip")

    def test_what_it_shows(self) -> None:
        """
        It begins with what the capture shows, if it has a connection at all.
        """
        others = [
            path.stem
            for path in sorted(_FAULTS.glob("*.pcap"))
            if answers(path.stem)[0].question is not Question.SHOWS
        ]
        self.assertEqual(others, ["f50_snapped_at_40_bytes"])


class ChoiceTests(SynchronousTestCase):
    """
    What is chosen, and in which order.
    """

    def test_the_worst_first(self) -> None:
        """
        No connection is worse than one cut short, and that than a slow one.
        """
        told = [
            Told(0, Claim("repeats.counts", (3,))),
            Told(1, Claim("resets.abort", (9,))),
            Told(2, Claim("opening.unanswered", (12,))),
        ]
        kinds = [trouble.told[0].claim.kind for trouble in troubles(told)]
        self.assertEqual(kinds, ["opening.unanswered", "resets.abort", "repeats.counts"])

    def test_one_effect_is_said_once(self) -> None:
        """
        Of two claims about one frame the worse stays.
        """
        told = [Told(0, Claim("repeats.damaged", (4, 9))), Told(0, Claim("resets.abort", (8, 9)))]
        (trouble,) = troubles(told)
        self.assertEqual([each.claim.kind for each in trouble.told], ["resets.abort"])

    def test_no_trouble(self) -> None:
        """
        What is just the case is no trouble, and neither is a RST that changed nothing.
        """
        for kind in ("opening.handshake", "closes.first", "resets.again", "bytes.stream"):
            self.assertEqual(rank_of(kind), 0, kind)

    def test_waits(self) -> None:
        """
        The longest wait comes first, however many there are.
        """
        told = [Told(n, Claim("delays.server", (n,), figures={"waited_ns": n})) for n in range(9)]
        self.assertEqual([each.stream for each in longest_waits(told, 2)], [8, 7])

    def test_calm(self) -> None:
        """
        Anything sent again, reset or unanswered ends the calm.
        """
        self.assertTrue(is_calm([Told(0, Claim("opening.handshake", (1, 2, 3)))]))
        for kind in ("repeats.timeout", "resets.again", "gaps.not-captured", "acks.duplicate"):
            self.assertFalse(is_calm([Told(0, Claim(kind, (4,)))]), kind)

    def test_ends(self) -> None:
        """
        How a connection ended is said by the surest claim.
        """
        cases = {
            ConnectionEnd.RESET: ("closes.first", "resets.abort"),
            ConnectionEnd.CLOSED: ("closes.first", "closes.second"),
            ConnectionEnd.HALF_CLOSED: ("closes.first",),
            # What the other end did is not here: it may have closed too.
            ConnectionEnd.ONE_CLOSED: ("closes.fin-of-one-direction",),
            ConnectionEnd.REFUSED: ("resets.refused",),
            ConnectionEnd.OPEN: ("resets.outside-window", "opening.handshake"),
        }
        for end, kinds in cases.items():
            self.assertIs(end_of([Claim(kind, (1,)) for kind in kinds]), end)


class ReadAloudTests(SynchronousTestCase):
    """
    What an expert refuted in the first sentences.
    """

    def test_a_reset_is_no_close(self) -> None:
        """
        A RST of a closed socket ends what the other end never closed, and data is lost with it.
        """
        script = Script().open().say(0, b"ask").server("FIN ACK").client("ACK")
        script.client("PSH ACK", b"more", after=1.0).server("RST")
        claims = script.claims()
        self.assertIs(end_of(claims), ConnectionEnd.RESET)
        (trouble,) = troubles([Told(0, claim) for claim in claims])
        self.assertEqual(trouble.told[0].claim.kind, "resets.data-after-close")

    def test_what_never_opened_is_not_open(self) -> None:
        """
        A handshake that is not completed leaves nothing open.
        """
        claims = Script().client("SYN").server("SYN ACK").claims()
        self.assertIs(end_of(claims), ConnectionEnd.NOT_OPENED)
        self.assertIs(end_of(Script().open().claims()), ConnectionEnd.OPEN)

    def test_a_shut_window_with_how_long(self) -> None:
        """
        Of a window of zero the answer is how long it was so, not only that it was.
        """
        script = Script().open().client("PSH ACK", b"x" * 100).server("ACK", window=0)
        script.server("ACK", window=1000, after=3.0).client("PSH ACK", b"y").server("ACK")
        kinds = [
            trouble.told[0].claim.kind
            for trouble in troubles([Told(0, claim) for claim in script.claims()])
        ]
        self.assertEqual(kinds, ["windows.reopened"])
