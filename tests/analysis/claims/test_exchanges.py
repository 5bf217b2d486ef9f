"""
Tests for L{netlab.analysis.claims.exchanges}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.claims.claim import Claim, Known
from netlab.analysis.explanation.privacy import Discretion
from tests.analysis.dialogue_script import CLIENT, SERVER, Script, of_kind
from tests.captures.faults import fault_claims
from tests.captures.stories import only, story_of

REQUEST = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
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
    return [claim.kind for claim in of_kind(claims, "http.")]


class RequestTests(SynchronousTestCase):
    """
    Requests, and what became of them.
    """

    def test_exchange(self) -> None:
        """
        A request and its answer, with the time between them.
        """
        script = Script().open().say(CLIENT, REQUEST).server("PSH ACK", ANSWER, after=3)
        claim = one(script.client("ACK").claims(), "http.exchange")
        self.assertEqual((claim.frames, claim.figures["status"]), ((4, 6), 200))
        self.assertEqual(claim.figures["waited_ns"], 3_020_000_000)
        self.assertEqual(claim.figures["request_text"], "GET /a")

    def test_broken_rule(self) -> None:
        """
        A request without Host breaks a rule and is a request: it was captured, and answered.
        """
        claims = fault_claims("f15_http_request_without_host")
        broken = one(claims, "http.rule-broken")
        self.assertEqual((broken.frames, broken.rule), ((4,), "RFC 9112 section 3.2"))
        self.assertEqual(one(claims, "http.exchange").figures["status"], 400)
        self.assertEqual(of_kind(claims, "http.request-not-captured"), [])

    def test_other_faults(self) -> None:
        """
        So is one with a bad field line, or a target with a space; its body is passed over.
        """
        for request in (
            b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET /a HTTP/1.1\r\nHost: a\r\nbad field: x\r\n\r\n",
            b"POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
            b"GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        ):
            script = Script().open().say(CLIENT, request).say(SERVER, ANSWER)
            claims = script.say(CLIENT, REQUEST).say(SERVER, ANSWER).claims()
            self.assertEqual(len(of_kind(claims, "http.rule-broken")), 1, request)
            self.assertEqual(len(of_kind(claims, "http.exchange")), 2, request)

    def test_no_http(self) -> None:
        """
        What only looks like the beginning of a request is none.
        """
        for data in (b"HELLO there\r\n\r\n", b"\0\1\2\3", b"EHLO a\r\nMAIL b\r\n\r\n"):
            self.assertEqual(kinds(Script().open().say(CLIENT, data).claims()), [])

    def test_unanswered(self) -> None:
        """
        Nothing came, and nothing is missing.
        """
        claims = fault_claims("f54_closed_while_a_request_waits")
        self.assertEqual(one(claims, "http.unanswered").frames, (4,))

    def test_answer_not_captured(self) -> None:
        """
        2900 bytes of the server were acknowledged that are not here: very likely the answer.
        """
        claims = fault_claims("f19_answer_not_captured_but_acknowledged")
        claim = one(claims, "http.answer-not-captured")
        self.assertEqual((claim.figures["missing"], claim.frames), (2900, (4, 6)))
        self.assertEqual(of_kind(claims, "http.unanswered"), [])

    def test_incomplete(self) -> None:
        """
        8 bytes of a request in 1.4 s, answered by 408: they are no request that was not captured.
        """
        claims = fault_claims("f51_request_in_drips")
        claim = one(claims, "http.request-incomplete")
        self.assertEqual((claim.figures["request_bytes"], claim.figures["status"]), (8, 408))
        self.assertEqual(of_kind(claims, "http.request-not-captured"), [])

    def test_unasked(self) -> None:
        """
        A server may answer without a request, as it does where none comes in time.
        """
        answer = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"
        self.assertEqual(kinds(Script().open().say(SERVER, answer).claims()), ["http.unasked"])

    def test_unreadable(self) -> None:
        """
        What cannot be read is not said to be missing: neither an answer nor a request.
        """
        script = Script().open().say(CLIENT, REQUEST).say(SERVER, b"ICY 200 OK\r\n\r\n")
        claim = one(script.claims(), "http.answer-unreadable")
        self.assertEqual(claim.frames, (4, 6))
        script = Script().open().say(CLIENT, b"GET /\r\n\r\n").say(SERVER, ANSWER)
        claims = script.claims()
        self.assertEqual(kinds(claims), ["http.request-unreadable"])
        self.assertEqual(one(claims, "http.request-unreadable").frames, (4, 6))

    def test_unreadable_body(self) -> None:
        """
        A body that breaks its framing has an end that cannot be read, not one that is not here.
        """
        answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n"
        claims = Script().open().say(CLIENT, REQUEST).say(SERVER, answer).claims()
        self.assertEqual(kinds(claims), ["http.exchange", "http.body-unreadable"])

    def test_goes_on(self) -> None:
        """
        A request whose end is not here is not unanswered.
        """
        request = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc"
        claims = Script().open().say(CLIENT, request).claims()
        self.assertEqual(kinds(claims), ["http.request-goes-on"])


class OrderTests(SynchronousTestCase):
    """
    Which answer is whose, and what was sent before what.
    """

    def test_pipelining(self) -> None:
        """
        A second request is pipelined where nothing of the first answer had come or been
        acknowledged (RFC 9112 section 9.3.2).
        """
        script = Script().open().client("PSH ACK", REQUEST).client("PSH ACK", REQUEST)
        script.say(SERVER, ANSWER + ANSWER)
        claims = script.claims()
        self.assertEqual(one(claims, "http.pipelined").frames, (4, 5))
        self.assertEqual(len(of_kind(claims, "http.exchange")), 2)

    def test_gap_in_an_answer(self) -> None:
        """
        A request after an answer of which bytes are missing is not pipelined.
        """
        claims = fault_claims("f17_gap_in_an_answer_is_no_pipelining")
        self.assertEqual(of_kind(claims, "http.pipelined"), [])
        self.assertEqual(one(claims, "http.bytes-not-captured").figures["missing"], 1000)

    def test_answer_that_was_not_captured(self) -> None:
        """
        Nor is one after an answer that was acknowledged and not captured.
        """
        script = Script().open().say(CLIENT, REQUEST)
        script.server("PSH ACK", ANSWER, is_captured=False).client("ACK")
        script.say(CLIENT, REQUEST).say(SERVER, ANSWER)
        claims = script.claims()
        self.assertEqual(of_kind(claims, "http.pipelined"), [])
        missing = one(claims, "http.answer-not-captured")
        self.assertEqual(missing.figures["missing"], len(ANSWER))
        self.assertEqual(one(claims, "http.exchange").figures["number"], 2)

    def test_one_gap(self) -> None:
        """
        After a gap requests and answers pair up again at once.
        """
        claims = fault_claims("f48_thousand_requests_one_gap")
        self.assertEqual(of_kind(claims, "http.pipelined"), [])
        self.assertEqual(len(of_kind(claims, "http.exchange")), 40)
        self.assertEqual(one(claims, "http.answer-not-captured").figures["missing"], 41)

    def test_request_not_captured(self) -> None:
        """
        Requests 1 and 3 have their answers; the second answer has none, and none precedes its
        request.
        """
        claims = fault_claims("f18_answer_before_its_request")
        self.assertEqual(one(claims, "http.request-not-captured").frames, (7,))
        pairs = [
            (claim.frames[0], claim.figures["answer_first"])
            for claim in of_kind(claims, "http.exchange")
        ]
        self.assertEqual(pairs, [(4, 5), (9, 10)])

    def test_late_segment(self) -> None:
        """
        A hole that is filled before it is acknowledged is none.
        """
        script = Script().open().say(CLIENT, REQUEST)
        script.server("PSH ACK", ANSWER[10:], seq=11, arrives=False)
        script.client("ACK").server("PSH ACK", ANSWER[:10], seq=1, after=0.2)
        script.next[SERVER] = script.heard[CLIENT] = 1 + len(ANSWER)
        claims = script.client("ACK").claims()
        self.assertEqual(kinds(claims), ["http.exchange"])


class AnswerTests(SynchronousTestCase):
    """
    Kinds of answers.
    """

    def test_upgrade(self) -> None:
        """
        101 is an answer; from there on it is no HTTP (RFC 9110 section 15.2.2).
        """
        claims = fault_claims("f16_http_upgrade_to_websocket")
        claim = one(claims, "http.upgrade")
        self.assertEqual((claim.frames, claim.figures["protocol_text"]), ((4, 5), "websocket"))
        self.assertEqual(kinds(claims), ["http.upgrade"])

    def test_interim(self) -> None:
        """
        Other interim answers come before the final one.
        """
        script = Script().open().say(CLIENT, REQUEST)
        script.say(SERVER, b"HTTP/1.1 103 Early Hints\r\n\r\n").say(SERVER, ANSWER)
        claims = script.claims()
        self.assertEqual(one(claims, "http.interim").figures["status"], 103)
        self.assertEqual(one(claims, "http.exchange").figures["status"], 200)

    def test_cut_off(self) -> None:
        """
        Content-Length is held against what came.
        """
        claims = fault_claims("f55_client_gives_up_a_download")
        claim = one(claims, "http.answer-incomplete")
        self.assertEqual((claim.figures["came"], claim.figures["announced"]), (1000, 300_000))

    def test_surplus(self) -> None:
        """
        Bytes beyond the Content-Length, or after an answer to HEAD, belong to no answer.
        """
        longer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n0123456789"
        claims = Script().open().say(CLIENT, REQUEST).say(SERVER, longer).close(SERVER).claims()
        claim = one(claims, "http.surplus")
        self.assertEqual((claim.figures["body_bytes"], claim.figures["announced"]), (5, 5))
        self.assertEqual((claim.frames, claim.known), ((6,), Known.FOLLOWS))
        head = REQUEST.replace(b"GET", b"HEAD")
        claims = Script().open().say(CLIENT, head).say(SERVER, ANSWER).close(SERVER).claims()
        self.assertEqual(one(claims, "http.surplus").figures["body_bytes"], 0)
        claims = Script().open().say(CLIENT, REQUEST).say(SERVER, ANSWER).close(SERVER).claims()
        self.assertEqual(of_kind(claims, "http.surplus"), [])

    def test_surplus_after_a_gap(self) -> None:
        """
        Where bytes are missing nothing is known of what comes after them.
        """
        script = Script().open().say(CLIENT, REQUEST).say(SERVER, ANSWER)
        script.server("PSH ACK", b"HTTP", is_captured=False).say(SERVER, b"/1.1 404 No\r\n\r\n")
        self.assertEqual(of_kind(script.close().claims(), "http.surplus"), [])

    def test_last_chunk(self) -> None:
        """
        A body in chunks that the server's FIN cuts off lacks its last one (RFC 9112 section 8).
        """
        begun = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
        for end, is_cut in ((b"", True), (b"0\r\n\r\n", False)):
            script = Script().open().say(CLIENT, REQUEST).say(SERVER, begun + end).close(SERVER)
            found = of_kind(script.claims(), "closes.answer-cut-off")
            self.assertEqual(bool(found), is_cut)

    def test_answered_early(self) -> None:
        """
        An answer may come before the request's body is complete: how much of it came is told.
        """
        request = REQUEST.replace(b"GET", b"POST").replace(
            b"\r\n\r\n", b"\r\nContent-Length: 9000\r\n\r\n"
        )
        script = Script().open().say(CLIENT, request + b"x" * 1000)
        script.say(SERVER, b"HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n").close(SERVER)
        claim = one(script.claims(), "http.exchange")
        self.assertEqual((claim.figures["came"], claim.figures["announced"]), (1000, 9000))

    def test_until_the_end(self) -> None:
        """
        An answer without a length ends with the stream (RFC 9112 section 6.3).
        """
        script = Script().open().say(CLIENT, REQUEST)
        script.say(SERVER, b"HTTP/1.1 200 OK\r\n\r\nall").close(SERVER)
        claim = one(script.claims(), "http.ends-with-the-stream")
        self.assertEqual((claim.known, claim.frames[-1]), (Known.FOLLOWS, 8))

    def test_discretion(self) -> None:
        """
        Without payloads neither target nor reason is in any figure.
        """
        script = Script().open().say(CLIENT, REQUEST.replace(b"/a", b"/secret"))
        script.say(SERVER, ANSWER.replace(b"OK", b"Private"))
        story = story_of(script.pcap(), Discretion(shows_payload=False))
        text = repr(only(story).claims) + " ".join(each.sentence for each in only(story).passages)
        self.assertNotIn("secret", text)
        self.assertNotIn("Private", text)
        self.assertIn("200", text)


class TurnTests(SynchronousTestCase):
    """
    Answers come in the order of their requests.
    """

    def test_answers_of_earlier_requests(self) -> None:
        """
        What answers the first of two pipelined requests is no unreadable answer to the second.
        """
        request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        script = Script().open().client("PSH ACK", request).client("PSH ACK", request)
        claims = script.server("ACK").server("PSH ACK", answer).client("ACK").claims()
        self.assertEqual(of_kind(claims, "http.answer-unreadable"), [])
        self.assertEqual(len(of_kind(claims, "http.unanswered")), 1)
