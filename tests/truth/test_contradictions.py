"""
The checker finds what other frames of a conversation contradict.
"""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.truth.checker import refuted
from tests.truth.frames import ACK, FIN, RST, SYN, Frame
from tests.truth.test_checker import frame

_CLIENT, _SERVER = ("192.0.2.1", "40000"), ("192.0.2.2", "80")


class ContradictedTests(SynchronousTestCase):
    """
    One claim about one small conversation at a time.
    """

    def why(self, talk: list[Frame], kind: str, *frames: int, **more: Any) -> list[str]:
        """
        Give what is said against a claim.
        """
        claim: dict[str, Any] = {
            "kind": kind,
            "frames": list(frames),
            "known": "possible",
            "figures": {},
            "rule": "",
            "causes": ["unknown"],
            "who": "",
            "sentence": "Possible.",
        } | more
        conversation = {
            "stream": 0,
            "client": {"address": _CLIENT[0], "port": int(_CLIENT[1])},
            "claims": [claim],
        }
        document = {"claims": [], "conversations": [conversation]}
        found = refuted(document, {each.number: each for each in talk})
        return [each.why for each in found]

    def setUp(self) -> None:
        """
        Let there be a handshake whose SYN-ACK is sent again.
        """
        self.open = [
            frame(1, _CLIENT, SYN, 100),
            frame(2, _SERVER, SYN | ACK, 500, 101),
            frame(3, _CLIENT, ACK, 101, 501),
        ]

    def test_handshake(self) -> None:
        """
        The SYN-ACK of a handshake is the one before its ACK.
        """
        talk = [*self.open, frame(4, _SERVER, SYN | ACK, 500, 101)]
        self.assertEqual(len(self.why(talk, "opening.handshake", 1, 3, 4)), 1)
        self.assertEqual(self.why(talk, "opening.handshake", 1, 2, 3), [])

    def test_scans_are_no_connections(self) -> None:
        """
        A FIN without ACK, and the RST that answers it, show no connection and no close.
        """
        talk = [frame(1, _CLIENT, FIN, 100), frame(2, _SERVER, RST | ACK, 0, 101)]
        self.assertEqual(len(self.why(talk, "opening.not-captured", 1)), 1)
        self.assertEqual(len(self.why(talk, "resets.instead-of-fin", 1, 2)), 1)
        talk = [frame(1, _CLIENT, ACK, 100, 7), frame(2, _SERVER, RST, 7)]
        self.assertEqual(len(self.why(talk, "opening.not-captured", 1)), 1)
        self.assertEqual(self.why(talk, "resets.unknown-connection", 1, 2), [])

    def test_a_sender_that_goes_on(self) -> None:
        """
        An end that sends new bytes after a RST has not aborted; bytes from before the RST's number
        were sent earlier, and overtaken.
        """
        talk = [*self.open, frame(4, _SERVER, RST, 501), frame(5, _CLIENT, ACK, 101, 501)]
        self.assertEqual(self.why(talk, "resets.abort", 4), [])
        late = [*self.open, frame(4, _SERVER, RST, 505), talk[-1]]
        late.append(frame(6, _SERVER, ACK, 501, 101, b"late"))
        self.assertEqual(self.why(late, "resets.abort", 4), [])
        talk.append(frame(6, _SERVER, ACK, 501, 101, b"more"))
        self.assertEqual(len(self.why(talk, "resets.abort", 4)), 1)

    def test_in_the_handshake(self) -> None:
        """
        A host that has just sent a SYN-ACK knows the connection.
        """
        talk = [*self.open[:2], frame(3, _CLIENT, ACK, 101, 506), frame(4, _SERVER, RST, 506)]
        self.assertEqual(len(self.why(talk, "resets.unknown-connection", 3, 4)), 1)

    def test_keep_alives_follow_a_silence(self) -> None:
        """
        An ACK right after the other end's is no keep-alive.
        """
        probe = frame(4, _SERVER, ACK, 500, 101)
        soon = probe._replace(time_ns=self.open[2].time_ns + 50_000)
        cited = {"known": "follows", "rule": "RFC 9293 section 3.8.4", "causes": []}
        self.assertEqual(self.why([*self.open, probe], "keepalives.probe", 4, **cited), [])
        self.assertEqual(len(self.why([*self.open, soon], "keepalives.probe", 4, **cited)), 1)

    def test_acknowledged_parts(self) -> None:
        """
        An ACK of three bytes has not acknowledged ten.
        """
        talk = [*self.open[:2], frame(3, _CLIENT, ACK, 101, 504)]
        talk.append(frame(4, _SERVER, ACK, 501, 101, b"0123456789"))
        for last, count in ((3, 0), (10, 1)):
            figures = {"first": 1, "last": last, "bytes": last, "opened_frame": 3}
            found = self.why(talk, "gaps.seen-after-its-ack", 3, 4, figures=figures)
            self.assertEqual(len(found), count, found)

    def test_never_sent(self) -> None:
        """
        What its sender stands before has not been sent.
        """
        talk = [*self.open, frame(4, _CLIENT, ACK, 101, 521)]
        cited = {"known": "follows", "rule": "RFC 9293 section 3.4", "causes": []}
        behind = [*talk, frame(5, _SERVER, ACK, 521, 101)]
        self.assertEqual(self.why(behind, "gaps.not-captured", 4, **cited), [])
        before = [*talk, frame(5, _SERVER, ACK, 501, 101)]
        self.assertEqual(len(self.why(before, "gaps.not-captured", 4, **cited)), 1)

    def test_the_last_is_last(self) -> None:
        """
        A connection that goes on has not ended.
        """
        talk = [*self.open, frame(4, _CLIENT, ACK | FIN, 101, 501), frame(5, _SERVER, ACK)]
        self.assertEqual(self.why(talk, "closes.one-direction-only", 4, 5), [])
        self.assertEqual(len(self.why(talk, "closes.one-direction-only", 4)), 1)

    def test_under_way(self) -> None:
        """
        An ACK that is a second late was under way.
        """
        talk = [*self.open, frame(4, _SERVER, ACK, 501, 101, b"answer")]
        talk += [frame(5, _CLIENT, ACK, 101, 507), frame(6, _CLIENT, ACK | FIN, 101, 507)]
        figures = {"idle_ns": 2 * 10**9}
        self.assertEqual(len(self.why(talk, "closes.idle", 4, 6, figures=figures)), 1)
        self.assertEqual(self.why(talk, "closes.idle", 5, 6, figures={"idle_ns": 10**9}), [])

    def test_time_stamps(self) -> None:
        """
        Who echoes an older time stamp has not got the ACK.
        """
        talk = [*self.open, frame(4, _SERVER, ACK, 501, 101, b"a")]
        talk.append(frame(5, _CLIENT, ACK, 101, 502)._replace(stamp=300, echo=900))
        for echo, count in ((300, 0), (100, 1)):
            sent = frame(6, _SERVER, ACK, 502, 101, b"b")._replace(stamp=910, echo=echo)
            figures = {"end_ns": 10**9, "ack_frame": 5}
            found = self.why([*talk, sent], "delays.paused", 4, 5, 6, figures=figures)
            self.assertEqual(len(found), count, found)

    def test_timeouts_take_time(self) -> None:
        """
        A close after 0.2 ms is no timeout.
        """
        figures = {"waited_ns": 200_000}
        found = self.why(
            self.open,
            "closes.while-a-request-waits",
            3,
            figures=figures,
            causes=["server-timeout"],
        )
        self.assertEqual(len(found), 1)

    def test_one_answer_each(self) -> None:
        """
        The answer to the first request is not called unreadable for the third.
        """
        claims = [
            {"kind": "http.exchange", "figures": {"number": 1, "answer_first": 3}},
            {"kind": "http.answer-unreadable", "figures": {"number": 3}},
        ]
        rest = {"frames": [3], "known": "seen", "rule": "", "causes": [], "who": "", "sentence": ""}
        conversation = {
            "stream": 0,
            "client": {"address": _CLIENT[0], "port": int(_CLIENT[1])},
            "claims": [each | rest for each in claims],
        }
        document = {"claims": [], "conversations": [conversation]}
        found = refuted(document, {each.number: each for each in self.open})
        self.assertEqual([each.claim.kind for each in found], ["http.answer-unreadable"])
