"""
Tests for L{netlab.analysis.explanation.misconceptions}: what people claimed about the reference
exchanges.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.explanation import misconceptions as claims
from netlab.analysis.explanation.findings import Finding, Verdict
from tests.captures.frames import ACK, FIN
from tests.captures.reference import NAMES
from tests.captures.stories import reference_story, story_of
from tests.captures.talk import Talk


class RefutedTests(SynchronousTestCase):
    """
    Each claim is refuted by frames that are cited and an equation with their values.
    """

    def refuted(self, finding: Finding, frames: tuple[int, ...], *quoted: str) -> None:
        """
        A claim is refuted by these frames, and the equation shows these values.
        """
        self.assertIs(finding.verdict, Verdict.FAIL, finding)
        self.assertEqual(finding.frames, frames)
        for value in quoted:
            self.assertIn(value, f"{finding.equation} {finding.sentence}")

    def test_bits(self) -> None:
        """
        "SYN takes one bit", "it acknowledged all the bits": numbers count bytes.
        """
        self.refuted(
            claims.numbers_count_bits(reference_story("echo")),
            (1, 4),
            "34 − 1 = 33 numbers for 33 bytes (264 bits)",
            "1 − 0 = 1 number for a SYN",
        )

    def test_where_the_stack_starts(self) -> None:
        """
        "The raw number is where the stack starts": each direction has a random one of its own.
        """
        self.refuted(
            claims.numbers_begin_alike(reference_story("redirect")),
            (1, 2, 12, 13),
            "3910103527 (#1) ≠ 1201178507 (#2)",
        )

    def test_server_closed_client_answered(self) -> None:
        """
        Echo, "the server closed and the client then answered": the close was simultaneous.
        """
        self.refuted(
            claims.answered_close(reference_story("echo"), "server"),
            (8, 9),
            "ack 54 < 55",
            "simultaneous close",
        )

    def test_one_handshake(self) -> None:
        """
        Echo, "one four-part handshake in the order 1, 3, 4, 2": two half-closes, FIN FIN ACK ACK.
        """
        self.refuted(
            claims.one_close_handshake(reference_story("echo")),
            (8, 9, 10, 11),
            "FIN FIN ACK ACK: FIN #8 + ACK #11, FIN #9 + ACK #10",
            "Two half-closes",
        )

    def test_two_connections_a_request(self) -> None:
        """
        "A browser opens two connections for every request": redirect has one each, notfound one
        with a spare.
        """
        self.refuted(
            claims.two_connections_a_request(reference_story("redirect")),
            (1, 12),
            "2 requests on 2 connections",
        )
        self.refuted(
            claims.two_connections_a_request(reference_story("notfound")),
            (1, 10),
            "1 request on 1 connection, 1 spare connection with 0 bytes",
        )

    def test_keep_alive(self) -> None:
        """
        "The server waited because the client said keep-alive": the wait is its idle timeout.
        """
        self.refuted(
            claims.waits_for_keep_alive(reference_story("single_fin")), (12,), "1.014 s idle"
        )
        self.refuted(
            claims.waits_for_keep_alive(reference_story("notfound")),
            (15,),
            "1.005 s idle before #15 (0 requests)",
            "nobody said anything",
        )

    def test_frame_8_carries_the_301(self) -> None:
        """
        Redirect, "frame 8 carries the 301": frame 6 does; frame 8 is an empty FIN.
        """
        self.refuted(
            claims.carries_status(reference_story("redirect"), 8, 301),
            (6, 8),
            "#8: FIN, ACK, length of payload 0",
            "77 bytes of #6",
        )

    def test_client_closed_first(self) -> None:
        """
        Redirect, "the client closed first": the server did, in frame 8, the client in frame 10.
        """
        self.refuted(
            claims.closed_first(reference_story("redirect"), "client"),
            (8, 10),
            "FIN #8 (server) before FIN #10 (client)",
        )

    def test_after_a_second_the_client_closes(self) -> None:
        """
        Redirect, "after a second we close": the server does, the client 1.35 s later.
        """
        self.refuted(
            claims.closed_after_idling(reference_story("redirect"), "client", 1),
            (19, 21),
            "#19 after 1.008 s idle",
            "#21 another 1.351 s later",
        )

    def test_the_same_as_before(self) -> None:
        """
        Notfound, "the same as before": a second connection without a request, ended by a timeout.
        """
        self.refuted(
            claims.same_as_before(reference_story("notfound"), 1, 0),
            (1, 10),
            "conversation 1: 0 requests, 0 bytes, closed first by the server (#15) after 1.005 s",
        )

    def test_both_end_alike(self) -> None:
        """
        Double_fin, "both connections end alike": one by the server's timeout, one by the client.
        """
        self.refuted(
            claims.end_alike(reference_story("double_fin"), 0, 1),
            (8, 19),
            "conversation 0: closed first by the server (#8) after 1.010 s",
            "conversation 1: closed first by the client (#19)",
        )

    def test_the_list(self) -> None:
        """
        All of the listed claims are refuted by the exchange that they were made about.
        """
        for claim in claims.CLAIMS:
            for name in NAMES if claim.exchange == "any" else (claim.exchange,):
                finding = claim.judge(reference_story(name))
                self.assertIs(finding.verdict, Verdict.FAIL, (claim.text, finding))
                self.assertTrue(finding.frames)


class BorneOutTests(SynchronousTestCase):
    """
    The same claims about captures in which they are right, or cannot be judged.
    """

    def test_the_server_closes_and_is_answered(self) -> None:
        """
        Where the server's FIN is acknowledged by the client's, that is what happened.
        """
        story = story_of(Talk().open().close("s").pcap())
        for finding in (
            claims.answered_close(story, "server"),
            claims.closed_first(story, "server"),
        ):
            self.assertIs(finding.verdict, Verdict.PASS, finding)

    def test_the_client_closes_after_idling(self) -> None:
        """
        Where the client closes after a second, that is what happened.
        """
        story = story_of(Talk().open().say("c", b"x").close("c", after_ms=1100).pcap())
        self.assertIs(claims.closed_after_idling(story, "client", 0).verdict, Verdict.PASS)

    def test_a_frame_that_carries_it(self) -> None:
        """
        Frame 6 of redirect does carry the 301.
        """
        finding = claims.carries_status(reference_story("redirect"), 6, 301)
        self.assertIs(finding.verdict, Verdict.PASS)

    def test_connections_that_are_alike(self) -> None:
        """
        Two connections that said as much and were closed by the same end, at once, are alike.
        """
        talk = Talk().open().say("c", b"x").close("c")
        talk.again(40001).open().say("c", b"y").close("c")
        story = story_of(talk.pcap())
        self.assertIs(claims.same_as_before(story, 1, 0).verdict, Verdict.PASS)
        self.assertIs(claims.end_alike(story, 0, 1).verdict, Verdict.PASS)

    def test_no_request(self) -> None:
        """
        Where nobody asks, nothing can be said about connections for each request.
        """
        finding = claims.two_connections_a_request(story_of(Talk().open().pcap()))
        self.assertIs(finding.verdict, Verdict.UNKNOWN)

    def test_nothing_to_judge_by(self) -> None:
        """
        A capture that ends before the close cannot tell how it was.
        """
        talk = Talk().open()
        talk.send("s", FIN | ACK)
        talk.send("c", ACK)
        story = story_of(talk.pcap())
        for finding in (
            claims.answered_close(story, "server"),
            claims.one_close_handshake(story),
            claims.closed_after_idling(story, "server", 0),
            claims.waits_for_keep_alive(story),
            claims.numbers_count_bits(story),
            claims.carries_status(story, 1, 301),
        ):
            self.assertIs(finding.verdict, Verdict.UNKNOWN, finding)
