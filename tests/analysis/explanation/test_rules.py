"""
Tests for L{netlab.analysis.explanation.rules}, by way of whole captures.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.explanation.findings import Finding, Verdict
from netlab.analysis.explanation.story import CaptureStory
from tests.captures.frames import ACK, FIN, PSH, RST, SYN, Checksum
from tests.captures.reference import NAMES
from tests.captures.stories import frame_of, only, reference_story, story_of
from tests.captures.talk import Talk


def finding(story: CaptureStory, number: int, rule: str) -> Finding:
    """
    Give what a rule says of a frame.
    """
    return next(each for each in frame_of(story, number).findings if each.rule == rule)


class ReferenceTests(SynchronousTestCase):
    """
    The five reference exchanges, every number of which is right.
    """

    def test_no_right_frame_fails(self) -> None:
        """
        No rule is broken by any of the 88 frames, or cannot be judged.
        """
        for name in NAMES:
            for conversation in reference_story(name).conversations:
                for frame in conversation.frames:
                    for each in frame.findings:
                        self.assertIn(
                            each.verdict, (Verdict.PASS, Verdict.NOTED), (name, frame.number, each)
                        )

    def test_acknowledgements_are_sums_that_cite_frames(self) -> None:
        """
        An acknowledgement number is the initial number, and what each frame added to it.
        """
        story = reference_story("echo")
        for number, equation in (
            (2, "ack 1928250446 = ISN 1928250445 + 1 (SYN)"),
            (5, "ack 1928250479 = ISN 1928250445 + 1 (SYN) + 33 (#4)"),
            (7, "ack 1928250499 = ISN 1928250445 + 1 (SYN) + 33 (#4) + 20 (#6)"),
            (9, "ack 1928250499 = ISN 1928250445 + 1 (SYN) + 33 (#4) + 20 (#6)"),
            (11, "ack 1928250500 = ISN 1928250445 + 1 (SYN) + 33 (#4) + 20 (#6) + 1 (FIN #8)"),
        ):
            self.assertEqual(finding(story, number, "acknowledgement").equation, equation)

    def test_a_syn_without_ack_has_no_acknowledgement(self) -> None:
        """
        What stands in the field of a segment without ACK means nothing, and nothing is said of it.
        """
        rules = [each.rule for each in frame_of(reference_story("echo"), 1).findings]
        self.assertNotIn("acknowledgement", rules)

    def test_windows(self) -> None:
        """
        A window is its field times a power of two, and in a SYN the field alone.
        """
        story = reference_story("echo")
        self.assertEqual(finding(story, 1, "window").equation, "window 64240 = 64240")
        self.assertEqual(finding(story, 5, "window").equation, "window 1049600 = 4100 × 2^8")

    def test_frame_lengths(self) -> None:
        """
        A frame is link, IP, TCP, payload, and padding where it came over Ethernet.
        """
        story = reference_story("echo")
        self.assertEqual(
            finding(story, 4, "frame-length").equation,
            "length 87 = 14 (Ethernet) + 20 (IPv4) + 20 (TCP) + 33 (payload)",
        )
        self.assertEqual(
            finding(story, 9, "frame-length").equation,
            "length 60 = 14 (Ethernet) + 20 (IPv4) + 20 (TCP) + 0 (payload) + 6 (padding)",
        )
        self.assertEqual(
            finding(reference_story("redirect"), 1, "frame-length").equation,
            "length 56 = 4 (loopback) + 20 (IPv4) + 32 (TCP) + 0 (payload)",
        )

    def test_next_sequence_numbers(self) -> None:
        """
        SYN and FIN take one number, data one a byte.
        """
        story = reference_story("echo")
        self.assertEqual(
            finding(story, 6, "next-sequence").equation, "next seq 54 = 34 + 20 (payload)"
        )
        self.assertEqual(finding(story, 8, "next-sequence").equation, "next seq 55 = 54 + 1 (FIN)")

    def test_offloaded_checksums(self) -> None:
        """
        A checksum that the card was to finish is noted, and tells where it was captured.
        """
        story = reference_story("echo")
        offloaded = finding(story, 4, "checksum")
        self.assertEqual(offloaded.equation, "checksum: offloaded")
        self.assertIs(offloaded.verdict, Verdict.NOTED)
        self.assertEqual(finding(story, 5, "checksum").equation, "checksum: right")


class WrongNumberTests(SynchronousTestCase):
    """
    Frames whose numbers are wrong, or cannot be judged.
    """

    def test_a_bad_checksum_fails(self) -> None:
        """
        A segment that was damaged on its way fails.
        """
        talk = Talk().open()
        talk.send("c", PSH | ACK, b"hello", checksum=Checksum.BAD)
        self.assertIs(finding(story_of(talk.pcap()), 4, "checksum").verdict, Verdict.FAIL)

    def test_a_syn_answered_with_a_wrong_number_fails(self) -> None:
        """
        A SYN with ACK acknowledges exactly the SYN (RFC 9293 section 3.10.7.3).
        """
        for wrong in (1000, 1002):
            talk = Talk()
            talk.send("c", SYN)
            talk.send("s", SYN | ACK, ack=wrong)
            self.assertIs(
                finding(story_of(talk.pcap()), 2, "acknowledgement").verdict, Verdict.FAIL
            )

    def test_an_acknowledgement_beyond_the_fin_fails(self) -> None:
        """
        Nothing follows a FIN, so nothing after it can be acknowledged.
        """
        talk = Talk().open()
        talk.send("c", FIN | ACK)
        talk.send("s", ACK, ack=talk.next["c"] + 1)
        self.assertIs(finding(story_of(talk.pcap()), 5, "acknowledgement").verdict, Verdict.FAIL)

    def test_data_after_the_fin_fails(self) -> None:
        """
        An end that has closed, and whose peer has confirmed it, sends no more data.
        """
        talk = Talk().open()
        talk.send("c", FIN | ACK)
        talk.send("s", ACK)
        talk.send("c", PSH | ACK, b"more")
        self.assertIs(finding(story_of(talk.pcap()), 6, "sequence").verdict, Verdict.FAIL)

    def test_what_was_not_captured_is_not_called_wrong(self) -> None:
        """
        An acknowledgement of bytes that are not in the capture is neither right nor wrong.
        """
        talk = Talk().open()
        talk.send("c", PSH | ACK, b"lost", is_captured=False)
        talk.send("s", ACK)
        story = story_of(talk.pcap())
        judged = finding(story, 4, "acknowledgement")
        self.assertIs(judged.verdict, Verdict.UNKNOWN)
        self.assertEqual(judged.equation, "ack 1005 = ISN 1000 + 1 (SYN) + 4 (not captured)")

    def test_a_capture_from_the_middle(self) -> None:
        """
        Without the SYN sums begin at the first number seen, and windows cannot be scaled.
        """
        talk = Talk()
        talk.received = {"c": 5000, "s": 1000}
        talk.send("c", PSH | ACK, b"12345")
        talk.send("s", PSH | ACK, b"123")
        story = story_of(talk.pcap())
        self.assertEqual(
            finding(story, 2, "acknowledgement").equation,
            "ack 1005 = first number seen 1000 + 5 (#1)",
        )
        self.assertIs(finding(story, 2, "acknowledgement").verdict, Verdict.PASS)
        self.assertIs(finding(story, 1, "window").verdict, Verdict.UNKNOWN)

    def test_numbers_that_wrap(self) -> None:
        """
        Sums go on through 2^32, and say so.
        """
        talk = Talk(isn=(2**32 - 3, 5000)).open()
        talk.say("c", b"0123456789")
        judged = finding(story_of(talk.pcap()), 5, "acknowledgement")
        self.assertEqual(judged.equation, "ack 8 = ISN 4294967293 + 1 (SYN) + 10 (#4) modulo 2^32")
        self.assertIs(judged.verdict, Verdict.PASS)

    def test_a_retransmission_goes_back(self) -> None:
        """
        A retransmission repeats numbers, names the frame that carried them first.
        """
        talk = Talk().open()
        talk.send("c", PSH | ACK, b"again", arrives=False)
        talk.send("c", PSH | ACK, b"again", seq=1001, after_ms=300)
        judged = finding(story_of(talk.pcap()), 5, "sequence")
        self.assertIs(judged.verdict, Verdict.NOTED)
        self.assertIn("#4", judged.sentence)
        self.assertIn("back by 5 numbers", judged.sentence)

    def test_more_than_a_segment_may_hold(self) -> None:
        """
        A payload beyond the MSS was cut up after the capture, or joined before; it is not wrong.
        """
        talk = Talk(mss=1000).open()
        talk.say("s", bytes(1500))
        judged = finding(story_of(talk.pcap()), 4, "segment-size")
        self.assertIs(judged.verdict, Verdict.UNKNOWN)
        self.assertEqual(judged.equation, "1500 > MSS 1000 (#1)")

    def test_a_window_without_scale(self) -> None:
        """
        Where the ends did not agree on scaling, the field is the window.
        """
        talk = Talk(shift=None).open()
        self.assertEqual(
            finding(story_of(talk.pcap()), 3, "window").equation, "window 500 = 500 × 2^0"
        )

    def test_a_reset_has_no_window(self) -> None:
        """
        The window of a RST means nothing, and nothing is said of it.
        """
        talk = Talk().open()
        talk.send("s", RST)
        rules = [each.rule for each in frame_of(story_of(talk.pcap()), 4).findings]
        self.assertNotIn("window", rules)


class DisagreementTests(SynchronousTestCase):
    """
    Two frames that contradict each other, of which either may be the wrong one.
    """

    def assert_unknown(self, talk: Talk, number: int, rule: str) -> None:
        """
        Check that a frame is not judged by a rule, and that no other frame fails by it.
        """
        story = story_of(talk.pcap())
        self.assertIs(finding(story, number, rule).verdict, Verdict.UNKNOWN)
        for frame in story.conversations[0].frames:
            for each in frame.findings:
                if each.rule != "checksum":
                    self.assertIsNot(each.verdict, Verdict.FAIL, (frame.number, each))

    def test_a_fin_from_before_the_capture(self) -> None:
        """
        A FIN that is sent again with too low a number does not make its right acknowledgement
        wrong: the data before it may have travelled before the capture began.
        """
        talk = Talk()
        talk.received = {"c": 5000, "s": 1000}
        talk.send("s", FIN | ACK)
        talk.send("c", ACK, ack=5000 + 1231)
        talk.send("s", FIN | ACK, seq=5000)
        talk.send("c", ACK, ack=5000 + 1231)
        self.assert_unknown(talk, 2, "acknowledgement")
        self.assert_unknown(talk, 4, "acknowledgement")

    def test_a_damaged_fin(self) -> None:
        """
        A FIN with a bad checksum was dropped; what was sent instead and acknowledged is right.
        """
        talk = Talk().open()
        talk.send("s", FIN | ACK, seq=4980, checksum=Checksum.BAD)
        talk.send("s", PSH | ACK, b"right")
        talk.send("c", ACK)
        self.assert_unknown(talk, 5, "sequence")

    def test_an_acknowledgement_of_what_a_damaged_fin_hides(self) -> None:
        """
        A FIN whose number was damaged does not make the acknowledgement of the sent one wrong.
        """
        talk = Talk().open()
        talk.send("s", PSH | ACK, b"x" * 200)
        talk.send("s", FIN | ACK, seq=5101, checksum=Checksum.BAD)
        talk.next["s"] += 1
        talk.arrive("c")
        talk.send("c", ACK)
        self.assert_unknown(talk, 6, "acknowledgement")

    def test_an_acknowledgement_that_does_not_continue_its_own_end(self) -> None:
        """
        A frame that belongs elsewhere by its own number may be of a later connection.
        """
        talk = Talk().open().close("c")
        talk.send("c", ACK, seq=900_000, ack=700_000)
        self.assert_unknown(talk, 8, "acknowledgement")

    def test_a_later_connection_of_which_the_syn_was_missed(self) -> None:
        """
        A SYN with ACK between ports that had a connection before may answer a SYN that is not in
        the capture, and all that follows it is right by its numbers.
        """
        talk = Talk().open().close("c")
        talk.next = {"c": 50_000_000, "s": 90_000_000}
        talk.send("c", SYN, is_captured=False)
        talk.send("s", SYN | ACK)
        talk.send("c", ACK)
        talk.send("c", PSH | ACK, b"data")
        talk.send("s", PSH | ACK, b"more")
        talk.send("c", ACK)
        self.assert_unknown(talk, 8, "acknowledgement")
        self.assert_unknown(talk, 10, "sequence")

    def test_a_fin_slipped_in_by_somebody_else(self) -> None:
        """
        A FIN with another time to live than the data after it came from somebody on the way.
        """
        talk = Talk().open()
        talk.send("s", FIN | ACK, seq=5001, ttl=41)
        talk.send("c", ACK, ack=5002)
        talk.send("s", PSH | ACK, b"the real one")
        self.assert_unknown(talk, 6, "sequence")

    def test_a_fin_that_nobody_confirmed(self) -> None:
        """
        Until its peer has acknowledged a FIN, data after it may be right and the FIN wrong.
        """
        talk = Talk().open()
        talk.send("c", FIN | ACK)
        talk.send("c", PSH | ACK, b"more")
        self.assert_unknown(talk, 5, "sequence")

    def test_a_damaged_syn(self) -> None:
        """
        A SYN whose number was damaged does not make the answer to the sent one wrong.
        """
        talk = Talk()
        talk.send("c", SYN, seq=77, checksum=Checksum.BAD)
        talk.next["c"] = 1001
        talk.arrive("s")
        talk.send("s", SYN | ACK)
        self.assert_unknown(talk, 2, "acknowledgement")

    def test_a_keep_alive_with_a_byte_after_a_half_close(self) -> None:
        """
        An end that has closed may ask whether its peer is still there, with one byte in place of
        the FIN's number (RFC 9293 section 3.8.4): this is no data after a FIN.
        """
        talk = Talk().open()
        talk.send("c", FIN | ACK)
        talk.send("s", ACK)
        talk.send("c", ACK, b"\0", after_ms=7_200_000, seq=talk.next["c"] - 1)
        talk.send("s", ACK)
        judged = finding(story_of(talk.pcap()), 6, "sequence")
        self.assertIs(judged.verdict, Verdict.NOTED)
        self.assertIn("asks whether the peer is still there", judged.sentence)


class NotedTests(SynchronousTestCase):
    """
    What cannot fail is a measurement, and no rule that is obeyed.
    """

    def test_measurements(self) -> None:
        """
        An ISN, a window, a length and a round trip are noted; sums over other frames pass.
        """
        story = reference_story("echo")
        verdicts: dict[str, set[Verdict]] = {}
        for frame in only(story).frames:
            for each in frame.findings:
                verdicts.setdefault(each.rule, set()).add(each.verdict)
        for rule in ("next-sequence", "window", "frame-length", "round-trip"):
            self.assertEqual(verdicts[rule], {Verdict.NOTED}, rule)
        self.assertEqual(verdicts["acknowledgement"], {Verdict.PASS})
        syn = frame_of(story, 1).findings
        self.assertNotIn(Verdict.PASS, [each.verdict for each in syn if each.rule == "sequence"])
