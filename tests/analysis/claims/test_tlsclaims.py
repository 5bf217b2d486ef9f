"""
Tests for L{netlab.analysis.claims.tlsclaims}: what is claimed of connections that OpenSSL made, and
what never.
"""

from __future__ import annotations

import io
import re

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.claims.claim import Claim, Known
from netlab.analysis.explanation import explain
from netlab.analysis.explanation.privacy import Discretion
from netlab.analysis.explanation.story import ConversationStory
from netlab.analysis.tls.keylog import parse_keylog
from netlab.analysis.words.sentences import frame_sentence, sentence
from netlab.capture.reading import read_capture
from netlab.report.reading import tell
from tests.analysis.tls.played import (
    MSS,
    REQUEST,
    RESPONSE,
    Terms,
    begin,
    http_exchange,
    server_of,
)
from tests.captures.frames import ACK, FIN, PSH, RST
from tests.captures.talk import Talk


def told(
    talk: Talk, keylog: bytes | None = None, discretion: Discretion | None = None
) -> ConversationStory:
    """
    Tell a capture of one connection.
    """
    reader = read_capture(io.BytesIO(talk.pcap()), "test.pcap")
    keys = None if keylog is None else parse_keylog(keylog)
    # Of a SYN that comes late there may be a second one, without a byte.
    return tell(reader, "test.pcap", discretion, keylog=keys).story.conversations[0]


def in_tls(conversation: ConversationStory) -> list[Claim]:
    """
    Give what is claimed of TLS.
    """
    return [each for each in conversation.claims if each.topic in ("tls", "alerts")]


def kinds(conversation: ConversationStory) -> set[str]:
    """
    Give the kinds of that.
    """
    return {each.kind for each in in_tls(conversation)}


def only(conversation: ConversationStory, kind: str) -> Claim:
    """
    Give the one claim of a kind.
    """
    (claim,) = (each for each in conversation.claims if each.kind == kind)
    return claim


class TLSClaimTests(SynchronousTestCase):
    """
    What is claimed, and from which frames.
    """

    def assert_sound(self, conversation: ConversationStory) -> None:
        """
        Each sentence ends, and cites frames of its claim alone, none of which lies after the
        capture's; what is possible names causes.
        """
        frames = {each.number for each in conversation.frames}
        for claim in in_tls(conversation):
            text = sentence(claim)
            self.assertTrue(text.endswith("."), text)
            self.assertLessEqual(set(claim.frames), frames)
            self.assertEqual(list(claim.frames), sorted(set(claim.frames)), claim)
            cited = {int(number) for number in re.findall(r"#([0-9]+)", text)}
            self.assertLessEqual(cited, set(claim.frames), text)
            self.assertEqual(bool(claim.causes), claim.known is Known.POSSIBLE, claim)
            self.assertEqual(bool(claim.rule), claim.known is Known.FOLLOWS, claim)
            frame_sentence(claim)
            for name, value in claim.figures.items():
                self.assertFalse(name.endswith("_ns") and int(value) < 0, claim)

    def test_closed(self) -> None:
        """
        Without a key log, TLS 1.3 shows hellos, handshake, and how much was sent; no request is
        told, and close_notify is only possible.
        """
        played = http_exchange(Terms(alpn=(b"http/1.1",)))
        conversation = told(played.captured().close("s"))
        self.assert_sound(conversation)
        self.assertEqual(
            kinds(conversation),
            {
                "tls.client-hello",
                "tls.server-hello",
                "tls.handshake",
                "tls.protected",
                "tls.hidden-close-notify",
            },
        )
        hello = only(conversation, "tls.client-hello")
        self.assertEqual(hello.figures["server_name_text"], "www.example.com")
        self.assertEqual(hello.figures["alpn_text"], "http/1.1")
        self.assertEqual(only(conversation, "tls.server-hello").figures["version"], "TLS 1.3")
        self.assertIn("TLS 1.3, ", conversation.title)
        self.assertNotIn("HTTP", conversation.title)

    def test_opened(self) -> None:
        """
        With a key log the request is told as of plain HTTP, and close_notify is seen.
        """
        played = http_exchange(Terms())
        conversation = told(played.captured().close("s"), played.keylog_bytes)
        self.assert_sound(conversation)
        self.assertLessEqual(
            {"tls.opened", "tls.certificate", "tls.application-data", "tls.close-notify"},
            kinds(conversation),
        )
        self.assertFalse({"tls.protected", "alerts.no-close-notify"} & kinds(conversation))
        self.assertEqual(conversation.title.partition(";")[0], "1 HTTP exchange")
        text = " ".join(passage.sentence for passage in conversation.passages)
        self.assertIn("GET /secret?x=1 (51 bytes", text)
        self.assertIn("200 OK (5041 bytes", text)
        sizes = {
            claim.who: claim.figures["bytes"]
            for claim in conversation.claims
            if claim.kind == "tls.application-data"
        }
        self.assertEqual(sizes, {"client": len(REQUEST), "server": len(RESPONSE)})
        # The frame with the request's first byte is labelled with it.
        labels = [frame.label for frame in conversation.frames if "GET" in frame.label]
        self.assertEqual(len(labels), 1)

    def test_other_protocol(self) -> None:
        """
        What is inside and no HTTP/1.1 is not told as if it were.
        """
        played = begin(Terms(alpn=(b"h2",)))
        played.say("c", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9))
        played.say("s", bytes(9))
        conversation = told(played.captured().close("c"), played.keylog_bytes)
        self.assert_sound(conversation)
        claim = only(conversation, "tls.opened")
        self.assertEqual((claim.figures["exchanges"], claim.figures["alpn_text"]), (0, "h2"))
        self.assertNotIn("HTTP exchange", conversation.title)
        self.assertIn("no HTTP/1.1", sentence(claim))

    def test_handshake_time(self) -> None:
        """
        The handshake begins with the ClientHello and ends with the client's Finished in TLS 1.3,
        with the server's in TLS 1.2.
        """
        for version, last in (("1.3", "c"), ("1.2", "s")):
            with self.subTest(version=version):
                played = begin(Terms(version))
                conversation = told(played.captured(), played.keylog_bytes)
                claim = only(conversation, "tls.handshake")
                by_number = {frame.number: frame for frame in conversation.frames}
                end = by_number[claim.frames[-1]]
                start = by_number[claim.frames[0]]
                self.assertEqual(end.is_from_client, last == "c")
                self.assertEqual(claim.figures["took_ns"], end.time_ns - start.time_ns)

    def test_not_notified(self) -> None:
        """
        A FIN without close_notify is named, by the rule; one with it is not.
        """
        for terms in (Terms(), Terms("1.2")):
            played = begin(terms)
            played.say("c", REQUEST)
            played.say("s", RESPONSE)
            played.close("s")
            conversation = told(played.captured().close("s"), played.keylog_bytes)
            self.assert_sound(conversation)
            claim = only(conversation, "alerts.no-close-notify")
            self.assertEqual(claim.who, "client")
            self.assertIn("FIN", self._frame(conversation, claim.frames[-1]))

    def test_reset_after_notification(self) -> None:
        """
        A RST of an end that had said close_notify cuts nothing off that it sent.
        """
        played = http_exchange(Terms())
        talk = played.captured()
        talk.send("s", FIN | ACK)
        talk.send("c", RST)
        conversation = told(talk, played.keylog_bytes)
        self.assert_sound(conversation)
        claim = only(conversation, "tls.reset-after-close-notify")
        self.assertEqual(claim.who, "client")
        self.assertIn("RST", self._frame(conversation, claim.frames[-1]))

    def test_fatal_alert(self) -> None:
        """
        A fatal alert is named, and what ends the connection after it follows from it.
        """
        played = begin(Terms("1.2"), server_of(Terms("1.3")))
        talk = played.captured()
        talk.send("s", FIN | ACK)
        talk.send("c", RST | ACK)
        conversation = told(talk)
        self.assert_sound(conversation)
        alert = only(conversation, "alerts.sent")
        self.assertEqual(
            (alert.figures["level"], alert.figures["alert"]), ("fatal", "protocol_version")
        )
        ended = only(conversation, "alerts.ended")
        self.assertEqual(ended.figures["flag"], "FIN")
        self.assertNotIn("alerts.hello-refused", kinds(conversation))
        self.assertNotIn("alerts.no-close-notify", kinds(conversation))

    def test_hello_refused(self) -> None:
        """
        A RST in answer to a ClientHello has several possible causes; a ClientHello that nothing
        answers is one without an answer in this capture.
        """
        played = begin(Terms())
        for ends in (True, False):
            talk = Talk(ports=(40000, 443)).open()
            data = played.sent[0][1]
            for at in range(0, len(data), MSS):
                talk.send("c", PSH | ACK, data[at : at + MSS])
            talk.send("s", RST | ACK if ends else ACK)
            conversation = told(talk)
            self.assert_sound(conversation)
            kind = "alerts.hello-refused" if ends else "alerts.hello-unanswered"
            self.assertEqual(kinds(conversation), {"tls.client-hello", kind})

    def test_certificate_refused(self) -> None:
        """
        A client that refuses the certificate says so by a fatal alert, which OpenSSL sends in the
        open; then no handshake is told as done.
        """
        for version in ("1.2", "1.3"):
            played = begin(Terms(version, verifies=True))
            talk = played.captured()
            talk.send("c", RST | ACK)
            for keylog in (None, played.keylog_bytes):
                conversation = told(talk, keylog)
                self.assert_sound(conversation)
                self.assertNotIn("tls.handshake", kinds(conversation))
                self.assertEqual(only(conversation, "alerts.sent").figures["level"], "fatal")
                self.assertEqual(only(conversation, "alerts.ended").figures["flag"], "RST")

    def test_certificate_refused_in_secret(self) -> None:
        """
        Others encrypt that alert: it is known by its length, where a Finished should be.
        """
        played = begin(Terms(verifies=True))
        end, alert = played.sent[-1]
        self.assertEqual((end, len(alert)), ("c", 7))
        played.sent[-1] = (end, b"\x17\x03\x03\x00\x13" + bytes(19))
        conversation = told(played.captured().close("c"))
        self.assert_sound(conversation)
        self.assertIn("alerts.hidden-refusal", kinds(conversation))
        self.assertNotIn("alerts.sent", kinds(conversation))
        self.assertNotIn("tls.handshake", kinds(conversation))
        whole = told(http_exchange(Terms()).captured().close("c"))
        self.assertNotIn("alerts.hidden-refusal", kinds(whole))
        self.assertIn("tls.handshake", kinds(whole))

    def test_no_tls_there(self) -> None:
        """
        A server of HTTP that is asked by TLS answers in the open.
        """
        played = begin(Terms("1.2"))
        talk = Talk(ports=(40000, 8080)).open()
        talk.say("c", played.sent[0][1])
        talk.say("s", b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").close("s")
        conversation = told(talk)
        self.assert_sound(conversation)
        self.assertEqual(
            kinds(conversation),
            {"tls.client-hello", "alerts.answered-without-tls", "tls.incomplete"},
        )

    def test_plain_to_tls(self) -> None:
        """
        A request in the open to a server of TLS is told, and so is the alert that answers it.
        """
        talk = Talk(ports=(40000, 443)).open()
        talk.say("c", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        talk.say("s", b"\x15\x03\x01\x00\x02\x02\x46").close("s")
        conversation = told(talk)
        self.assert_sound(conversation)
        self.assertEqual(only(conversation, "alerts.sent").figures["alert"], "protocol_version")
        self.assertIn("HTTP exchange", conversation.title)

    def test_not_followed(self) -> None:
        """
        Of a large capture only the beginning of a conversation is read: nothing is told then of how
        much was said, nor of what was not.
        """
        self.patch(explain, "FRAMES_TOLD_MAX", 3)
        self.patch(explain, "SKIMMED_AFTER", 12)
        for terms in (Terms(), Terms("1.2")):
            played = http_exchange(terms)
            for keylog in (None, played.keylog_bytes):
                conversation = told(played.captured().close("c"), keylog)
                self.assertIn("tls.server-hello", kinds(conversation))
                self.assertFalse(
                    {
                        "tls.application-data",
                        "tls.protected",
                        "tls.incomplete",
                        "tls.hidden-close-notify",
                        "alerts.no-close-notify",
                    }
                    & kinds(conversation)
                )

    def test_certificate_time(self) -> None:
        """
        A certificate that does not hold at the time of the capture is named; one that does is not.
        """
        played = begin(Terms("1.2"))
        early = told(played.captured())
        claim = only(early, "alerts.certificate-not-valid")
        self.assertEqual(claim.figures["is_over"], 0)
        self.assert_sound(early)
        begins = int(played.leaf.not_valid_before_utc.timestamp()) * 1_000_000_000
        ends = int(played.leaf.not_valid_after_utc.timestamp()) * 1_000_000_000
        for start, expected in ((begins, None), (ends - 10**9, None), (ends + 10**9, 1)):
            conversation = told(played.captured(now_ns=start))
            found = [
                each.figures["is_over"]
                for each in conversation.claims
                if each.kind == "alerts.certificate-not-valid"
            ]
            self.assertEqual(found, [] if expected is None else [expected])

    def test_resumed(self) -> None:
        """
        A resumed session is told with the way in which it is, and no certificate.
        """
        for version in ("1.2", "1.3"):
            context = server_of(Terms(version))
            first = begin(Terms(version), context)
            first.say("s", RESPONSE)
            second = begin(Terms(version, before=first), context)
            conversation = told(second.captured(), second.keylog_bytes)
            self.assert_sound(conversation)
            self.assertIn("tls.resumed", kinds(conversation))
            self.assertNotIn("tls.certificate", kinds(conversation))
            other = begin(Terms(version, before=first))
            self.assertIn("tls.not-resumed", kinds(told(other.captured())))

    def test_retry(self) -> None:
        """
        A HelloRetryRequest is told with the group that the server wants.
        """
        played = begin(Terms(wants_other_group=True))
        conversation = told(played.captured())
        self.assert_sound(conversation)
        claim = only(conversation, "tls.retry")
        self.assertEqual(claim.figures["group"], "secp384r1")
        self.assertGreater(int(claim.figures["cost_ns"]), 0)

    def test_keys(self) -> None:
        """
        Where a key log does not open a connection, the reason is told; without one nothing is.
        """
        for terms, keylog, kind in (
            (Terms(), http_exchange(Terms()).keylog_bytes, "tls.keys-missing"),
            (Terms("1.2", "ECDHE-ECDSA-AES128-SHA"), None, "tls.suite-not-opened"),
            (Terms(), b"wrong", "tls.keys-wrong"),
        ):
            played = http_exchange(terms)
            lines = played.keylog_bytes if keylog is None else keylog
            if keylog == b"wrong":
                lines = b"".join(line[:-4] + b"0000\n" for line in played.keylog)
            conversation = told(played.captured().close("c"), lines)
            self.assert_sound(conversation)
            self.assertIn(kind, kinds(conversation))
            self.assertNotIn("tls.opened", kinds(conversation))
            self.assertNotIn("HTTP", conversation.title)

    def test_from_the_middle(self) -> None:
        """
        Of a connection whose beginning was not captured, records are counted and no hello told.
        """
        played = begin(Terms())
        for _ in range(3):
            played.say("c", REQUEST)
            played.say("s", RESPONSE)
        talk = played.captured()
        handshake = sum(len(data) for _, data in played.sent[: played.said[0]])
        self.assertGreater(handshake, 500)
        talk.frames[:] = [frame for frame in talk.frames if frame[0] > talk.frames[9][0]]
        conversation = told(talk, played.keylog_bytes)
        self.assert_sound(conversation)
        self.assertFalse({"tls.client-hello", "tls.server-hello"} & kinds(conversation))
        self.assertIn("tls.keys-unnamed", kinds(conversation))

    def test_discretion(self) -> None:
        """
        Where no payload may be shown, neither host nor certificate nor target is told.
        """
        played = http_exchange(Terms("1.2", alpn=(b"http/1.1",)))
        for discretion in (Discretion(shows_payload=False), Discretion(anonymises=True)):
            conversation = told(played.captured().close("c"), played.keylog_bytes, discretion)
            self.assert_sound(conversation)
            text = " ".join(
                [
                    *(passage.sentence for passage in conversation.passages),
                    *(frame.sentence + frame.label for frame in conversation.frames),
                    *(str(dict(claim.figures)) for claim in conversation.claims),
                ]
            )
            for secret in ("example", "Example", "secret", "http/1.1"):
                self.assertNotIn(secret, text)
            self.assertIn("TLS 1.2", text)

    @staticmethod
    def _frame(conversation: ConversationStory, number: int) -> tuple[str, ...]:
        return next(frame.flags for frame in conversation.frames if frame.number == number)
