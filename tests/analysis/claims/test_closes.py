"""
Tests for L{netlab.analysis.claims.closes}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.claims.claim import Claim, Known
from netlab.analysis.explanation.story import PassageKind
from tests.analysis.dialogue_script import CLIENT, SERVER, Script, of_kind
from tests.captures.faults import fault_claims, fault_story
from tests.captures.stories import only, reference_story

REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def one(claims: tuple[Claim, ...], kind: str) -> Claim:
    """
    Give the only claim of a kind.
    """
    (found,) = of_kind(claims, kind)
    return found


def kinds(claims: tuple[Claim, ...]) -> list[str]:
    """
    Give the kinds of the topic.
    """
    return [claim.kind for claim in of_kind(claims, "closes.")]


class OrderTests(SynchronousTestCase):
    """
    Who closed first, and who waits.
    """

    def test_three_frames(self) -> None:
        """
        FIN, FIN, ACK: who closed first is then in TIME-WAIT (RFC 9293 section 3.6.1).
        """
        claims = Script().open().close().claims()
        self.assertEqual(one(claims, "closes.first").frames[-1], 4)
        self.assertEqual(one(claims, "closes.second").frames, (4, 5))
        self.assertEqual(one(claims, "closes.time-wait").who, "client")
        self.assertEqual(of_kind(claims, "closes.fin-wait-2"), [])

    def test_simultaneous(self) -> None:
        """
        The FINs of the echo crossed (RFC 9293 section 3.6, case 3): both ends are in TIME-WAIT.
        """
        claims = only(reference_story("echo")).claims
        self.assertEqual(one(claims, "closes.simultaneous").frames, (8, 9, 10, 11))
        self.assertEqual(one(claims, "closes.time-wait").who, "")
        self.assertEqual(of_kind(claims, "closes.first"), [])

    def test_fin_wait_2(self) -> None:
        """
        An acknowledged FIN waits for the other end's.
        """
        script = Script().open().server("FIN ACK").client("ACK").client("FIN ACK", after=3)
        claims = script.server("ACK").claims()
        claim = one(claims, "closes.fin-wait-2")
        self.assertEqual((claim.who, claim.frames), ("server", (4, 5, 6)))
        self.assertEqual(claim.figures["waited_ns"], 3_000_000_000)

    def test_half_close(self) -> None:
        """
        Data of an end that has the other's FIN goes through a half-closed connection.
        """
        script = Script().open().client("FIN ACK").server("ACK", after=0.02)
        script.say(SERVER, b"y" * 100).server("FIN ACK").client("ACK")
        claim = one(script.claims(), "closes.half-close")
        self.assertEqual((claim.who, claim.figures["bytes"]), ("server", 100))

    def test_crossing_data(self) -> None:
        """
        Data that left before the FIN had arrived shows no half-close.
        """
        script = Script().open().client("FIN ACK", arrives=False)
        script.server("PSH ACK", b"y" * 100, ack=1).server("FIN ACK", ack=2).client("ACK")
        self.assertEqual(of_kind(script.claims(), "closes.half-close"), [])

    def test_one_direction_only(self) -> None:
        """
        One end may never close.
        """
        claims = Script().open().server("FIN ACK").client("ACK").claims()
        claim = one(claims, "closes.one-direction-only")
        self.assertEqual((claim.who, claim.figures["acknowledged"]), ("client", 1))
        self.assertEqual(of_kind(claims, "closes.time-wait"), [])

    def test_last_ack(self) -> None:
        """
        The last ACK may be missing.
        """
        claims = Script().open().client("FIN ACK").server("FIN ACK").claims()
        self.assertEqual(one(claims, "closes.last-ack-missing").frames, (5,))
        self.assertEqual(of_kind(claims, "closes.time-wait"), [])

    def test_fins_first(self) -> None:
        """
        The first FIN is the first, whatever had its number before.
        """
        claims = fault_claims("f62_first_fin_told_as_sent_again_after_a_byte_of_its_number")
        self.assertEqual(one(claims, "closes.first").frames[-1], 7)
        claims = fault_claims("f62_first_fin_told_as_sent_again")
        self.assertEqual(one(claims, "closes.first").frames[-1], 2)


class EndlessTests(SynchronousTestCase):
    """
    Connections without an end in the capture.
    """

    def test_open(self) -> None:
        """
        Neither FIN nor RST.
        """
        self.assertEqual(
            kinds(Script().open().say(CLIENT, b"x").claims()), ["closes.open-at-the-end"]
        )

    def test_begins_with_a_fin(self) -> None:
        """
        A bare FIN at the beginning: no data came with it, and what came before is not known.
        """
        claims = fault_claims("f59_capture_begins_with_a_fin")
        self.assertEqual(one(claims, "closes.begins-with-fin").figures["bytes"], 0)
        self.assertEqual(of_kind(claims, "closes.idle"), [])

    def test_keep_alives(self) -> None:
        """
        Three open connections with nothing but keep-alives.
        """
        for stream in range(3):
            claims = fault_claims("f60_keep_alives_of_open_connections", stream)
            claim = one(claims, "closes.open-at-the-end")
            self.assertEqual((claim.figures["keep_alives"], claim.figures["answered"]), (1, 1))
            self.assertEqual(of_kind(claims, "reasons.no-bytes"), [])

    def test_silence(self) -> None:
        """
        Six sendings of the same bytes in 6.2 s, no answer: the server has fallen silent.
        """
        claim = one(fault_claims("f03_request_never_acknowledged"), "closes.peer-silent")
        self.assertEqual((claim.who, claim.figures["sendings"]), ("server", 6))
        self.assertEqual(claim.figures["waited_ns"], 6_200_000_000)
        self.assertEqual((claim.figures["bytes"], claim.figures["doubling"]), (100, 1))

    def test_a_hasty_repeat(self) -> None:
        """
        Two sendings within a moment at the end of a capture show no silence; three do.
        """
        for sendings, silent in ((2, 0), (3, 1)):
            script = Script().open()
            for number in range(sendings):
                script.client("PSH ACK", b"x", seq=1, after=0.01 if number else 1)
            self.assertEqual(len(of_kind(script.claims(), "closes.peer-silent")), silent)

    def test_one_side(self) -> None:
        """
        Of one side alone who closed first is not seen; its ACK of one number more tells of a FIN.
        """
        claims = fault_claims("f36_one_side_who_closes_first")
        self.assertEqual(
            kinds(claims), ["closes.fin-of-one-direction", "closes.peer-closed-before"]
        )
        self.assertEqual(one(claims, "closes.peer-closed-before").who, "client")


class ReasonTests(SynchronousTestCase):
    """
    Why an end closes first.
    """

    def test_idle(self) -> None:
        """
        A silence with nothing under way may be an idle timeout; that it is one is not claimed.
        """
        claims = only(reference_story("single_fin")).claims
        claim = one(claims, "closes.idle")
        self.assertEqual((claim.frames, claim.figures["idle_ns"]), ((10, 12), 1_013_595_000))
        self.assertEqual(claim.known, Known.POSSIBLE)
        self.assertIn("idle-timeout", claim.causes)
        self.assertGreater(len(claim.causes), 1)

    def test_equation(self) -> None:
        """
        The silence is written as a difference of two frames' times.
        """
        conversation = only(reference_story("single_fin"))
        (passage,) = [each for each in conversation.passages if each.kind is PassageKind.CLOSE]
        equations = {each.rule: each.equation for each in passage.findings}
        self.assertEqual(
            equations["idle-before-close"], "1.116909 s (#12) − 0.103314 s (#10) = 1.013595 s"
        )
        self.assertEqual(
            equations["half-close"], "5.104990 s (#14) − 1.116909 s (#12) = 3.988081 s"
        )

    def test_just_below(self) -> None:
        """
        Below half a second it is no wait: only its length is told.
        """
        claims = fault_claims("f56_at_once_after_400_ms")
        self.assertEqual(of_kind(claims, "closes.idle"), [])
        self.assertEqual(one(claims, "closes.first").figures["after_ns"], 451_000_000)

    def test_a_round_trip_is_no_wait(self) -> None:
        """
        On a way of 0.8 s the FIN that answers the last data comes 0.8 s after it.
        """
        for rtt, idle in ((0.8, 0), (0.02, 1)):
            script = Script().open(rtt).server("PSH ACK", b"bye").client("ACK", after=rtt)
            claims = script.client("FIN ACK", after=0.8 - rtt + 0.001).claims()
            self.assertEqual(len(of_kind(claims, "closes.idle")), idle, rtt)

    def test_late_retransmission(self) -> None:
        """
        A close right after a late retransmission is no idle timeout; Connection: close is why.
        """
        for who in ("client", "server"):
            claims = fault_claims(f"f12_closes_at_once_after_a_late_retransmission_{who}")
            self.assertEqual(of_kind(claims, "closes.idle"), [])
            self.assertEqual(one(claims, "closes.announced").who, who)
            first = one(claims, "closes.first")
            self.assertEqual(first.frames, (8, 10))
            self.assertEqual(first.figures["after_ns"], 1_100_000)

    def test_announced_timeout(self) -> None:
        """
        Keep-Alive: timeout= announces the silence after which a server closes.
        """
        answer = ANSWER.replace(b"\r\n\r\n", b"\r\nKeep-Alive: timeout=5, max=99\r\n\r\n")
        for after, kind in ((5.2, "closes.announced-timeout"), (9, "closes.idle")):
            script = Script().open().say(CLIENT, REQUEST).say(SERVER, answer)
            claims = script.close(SERVER, after=after).claims()
            self.assertEqual(len(of_kind(claims, kind)), 1, claims)

    def test_unacknowledged(self) -> None:
        """
        Where an answer is not acknowledged, the connection was not idle.
        """
        script = Script().open().say(CLIENT, REQUEST)
        script.server("PSH ACK", ANSWER, arrives=False).server("FIN ACK", after=3)
        self.assertEqual(of_kind(script.claims(), "closes.idle"), [])

    def test_not_captured(self) -> None:
        """
        Nor where bytes of the server were acknowledged that are not here.
        """
        claims = fault_claims("f19_answer_not_captured_but_acknowledged")
        self.assertEqual(of_kind(claims, "closes.idle"), [])
        self.assertEqual(of_kind(claims, "closes.while-a-request-waits"), [])

    def test_waiting_request(self) -> None:
        """
        30 s after an unanswered request the server closes: nothing was idle.
        """
        claims = fault_claims("f54_closed_while_a_request_waits")
        claim = one(claims, "closes.while-a-request-waits")
        self.assertEqual((claim.who, claim.frames), ("server", (4, 6)))
        self.assertIn("server-timeout", claim.causes)
        self.assertEqual(of_kind(claims, "closes.idle"), [])

    def test_cut_off(self) -> None:
        """
        The client closes after 1000 of 300,000 bytes.
        """
        claim = one(fault_claims("f55_client_gives_up_a_download"), "closes.answer-cut-off")
        self.assertEqual((claim.figures["came"], claim.figures["announced"]), (1000, 300_000))
        self.assertEqual(claim.who, "client")

    def test_unanswered_bytes(self) -> None:
        """
        Bytes of the client that are no HTTP, and no answer.
        """
        script = Script().open().say(CLIENT, b"\0\1\2").close(SERVER, after=5)
        claims = script.claims()
        self.assertEqual(len(of_kind(claims, "closes.after-unanswered-bytes")), 1)
        self.assertEqual(of_kind(claims, "closes.idle"), [])

    def test_no_claim_of_idleness(self) -> None:
        """
        The title tells of idleness only where that is claimed.
        """
        for name in ("f12_closes_at_once_after_a_late_retransmission_server", "f54_closed"):
            self.assertNotIn("idle", fault_story(name).conversations[0].title)


class ReadAloudTests(SynchronousTestCase):
    """
    What captures of odd programs refuted.
    """

    def test_a_timeout_takes_time(self) -> None:
        """
        A server that closes 0.2 ms after a request has had no timeout.
        """
        script = Script().open().client("PSH ACK", REQUEST).server("FIN ACK", after=0.0002)
        waiting = one(script.claims(), "closes.while-a-request-waits")
        self.assertEqual(waiting.causes, ("server-failed", "not-accepted"))

    def test_a_chunked_answer_without_its_end(self) -> None:
        """
        A FIN before the last chunk leaves the answer incomplete (RFC 9112 section 8).
        """
        answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
        script = Script().open().client("PSH ACK", REQUEST).server("PSH ACK", answer)
        cut = one(script.client("ACK").close(SERVER).claims(), "closes.answer-cut-off")
        self.assertNotIn("announced", cut.figures)
        self.assertIn("server-failed", cut.causes)

    def test_under_way_is_not_idle(self) -> None:
        """
        The wait for a late ACK is no idling.
        """
        script = Script().open().say(CLIENT, b"x" * 5).server("PSH ACK", b"y" * 35)
        script.client("ACK", after=0.45).client("FIN ACK", after=1.0)
        idle = one(script.claims(), "closes.idle")
        self.assertEqual(idle.frames, (7, 8))
        self.assertEqual(idle.figures["idle_ns"], 1_000_000_000)
