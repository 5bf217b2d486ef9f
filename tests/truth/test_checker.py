"""
The checker refutes what is false, and lets pass what is true.
"""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.truth.checker import refuted
from tests.truth.frames import ACK, FIN, RST, SYN, Frame

_CLIENT, _SERVER = ("192.0.2.1", "40000"), ("192.0.2.2", "80")


def frame(
    number: int,
    src: tuple[str, str],
    flags: int = ACK,
    seq: int = 0,
    ack: int = 0,
    payload: bytes = b"",
    window: int = 1000,
) -> Frame:
    """
    Make a segment; each comes a second after the one before.
    """
    dst = _SERVER if src == _CLIENT else _CLIENT
    size = len(payload)
    time_ns = number * 10**9
    return Frame(
        number, time_ns, 0, src, dst, flags, seq, ack, size, window, 64, number, payload, False
    )


#: A conversation: handshake, a request, its answer twice, the window shut, and both FINs.
TALK = {
    each.number: each
    for each in (
        frame(1, _CLIENT, SYN, 100),
        frame(2, _SERVER, SYN | ACK, 500, 101),
        frame(3, _CLIENT, ACK, 101, 501),
        frame(4, _CLIENT, ACK, 101, 501, b"ask"),
        frame(5, _SERVER, ACK, 501, 104, b"answer"),
        frame(6, _SERVER, ACK, 501, 104, b"answer"),
        frame(7, _CLIENT, ACK, 104, 507, window=0),
        frame(8, _SERVER, ACK | FIN, 507, 104),
        frame(9, _CLIENT, ACK | FIN, 104, 508),
        frame(10, _SERVER, ACK, 508, 105),
    )
}


class RefutedTests(SynchronousTestCase):
    """
    One claim at a time about the same conversation.
    """

    def why(
        self, kind: str, *frames: int, among: dict[int, Frame] = TALK, **more: Any
    ) -> list[str]:
        """
        Give what is said against a claim.
        """
        claim: dict[str, Any] = {
            "kind": kind,
            "frames": list(frames),
            "known": "seen",
            "figures": {},
            "rule": "",
            "causes": [],
            "who": "",
            "sentence": "",
        } | more
        conversation = {
            "stream": 0,
            "client": {"address": _CLIENT[0], "port": int(_CLIENT[1])},
            "claims": [claim],
        }
        document = {"claims": [], "conversations": [conversation]}
        return [each.why for each in refuted(document, among)]

    def assert_refuted(self, text: str, kind: str, *frames: int, **more: Any) -> None:
        """
        Expect that a claim is refuted, for one reason.
        """
        (why,) = self.why(kind, *frames, **more)
        self.assertIn(text, why)

    def assert_stands(self, kind: str, *frames: int, **more: Any) -> None:
        """
        Expect that nothing is said against a claim.
        """
        self.assertEqual(self.why(kind, *frames, **more), [])

    def test_frames(self) -> None:
        """
        Frames ascend, and words cite none but those of their claim.
        """
        self.assert_stands("any.thing", 2, 4, sentence="From #2 to #4.")
        self.assert_refuted("not ascending", "any.thing", 4, 2)
        self.assert_refuted("cite [9]", "any.thing", 2, 4, sentence="So it was in #9.")

    def test_known(self) -> None:
        """
        A rule is cited for what follows, causes are named for what is possible, and the words say
        that they are possible.
        """
        self.assert_stands("any.thing", 1, known="follows", rule="RFC 9293 section 3.4")
        self.assert_refuted("follows from no rule", "any.thing", 1, known="follows")
        self.assert_refuted("names no cause", "any.thing", 1, known="possible")
        more = {"known": "possible", "causes": ["unread-data"]}
        self.assert_stands("any.thing", 1, sentence="A possible cause: unread data.", **more)
        self.assert_refuted("told as a fact", "any.thing", 1, sentence="It had not read.", **more)

    def test_durations(self) -> None:
        """
        They are not negative, and no longer than the frames that show them.
        """
        for waited, why in ((10**9, ""), (-1, "negative"), (2 * 10**9, "it is 10000")):
            figures = {"waited_ns": waited, "asked_frame": 4}
            found = self.why("delays.server", 4, 5, figures=figures)
            self.assertEqual(bool(found), bool(why), found)
            self.assertIn(why, "".join(found))

    def test_sent_again(self) -> None:
        """
        What is sent again carries bytes of the frame that it is said to repeat, which came before.
        """
        who = {"who": "server"}
        self.assert_stands("repeats.timeout", 5, 6, figures={"first_frame": 5}, **who)
        self.assert_refuted(
            "carries no byte", "repeats.timeout", 4, 5, figures={"first_frame": 4}, **who
        )
        self.assert_refuted(
            "does not come before", "repeats.timeout", 5, figures={"first_frame": 5}, **who
        )
        self.assert_refuted(
            "same bytes", "repeats.other-bytes", 5, 6, figures={"first_frame": 5}, **who
        )

    def test_reports(self) -> None:
        """
        A report that bytes came twice says nothing of their order, but comes after both.
        """
        kind = "repeats.spurious-by-sack"
        figures = {"first_frame": 6, "repeat_frame": 5}
        self.assert_stands(kind, 5, 6, 7, figures=figures, who="client")
        figures = {"first_frame": 5, "repeat_frame": 6}
        self.assert_refuted("comes after it", kind, 5, 6, figures=figures, who="server")

    def test_duplicates(self) -> None:
        """
        Three duplicate ACKs come before a fast retransmission.
        """
        figures = {"first_frame": 5}
        self.assert_refuted(
            "only 1 ACKs", "repeats.fast-retransmit", 5, 6, figures=figures, who="server"
        )

    def test_senders(self) -> None:
        """
        Who is said to have sent something has sent it.
        """
        self.assert_stands("closes.first", 8, who="server")
        self.assert_refuted("other end", "closes.first", 8, who="client")

    def test_flags(self) -> None:
        """
        A handshake has SYNs, a close a FIN, a reset a RST.
        """
        self.assert_stands("opening.handshake", 1, 2, 3)
        self.assert_refuted("no SYN, SYN-ACK", "opening.handshake", 1, 3, 4)
        self.assert_refuted("both ends", "opening.simultaneous", 1, 3)
        self.assert_refuted("no FIN", "closes.begins-with-fin", 7)
        self.assert_stands("closes.second", 8, 9, who="client")
        self.assert_refuted("both ends", "closes.second", 9, who="client")
        self.assert_refuted("RST", "resets.abort", 10, who="server")

    def test_absence(self) -> None:
        """
        Nobody is silent who speaks, and nothing is first that has one before it.
        """
        self.assert_refuted("the server sends #2", "opening.unanswered", 1)
        self.assert_refuted("#8 has a FIN before", "closes.first", 9)

    def test_idle(self) -> None:
        """
        No data travels while a connection is called idle.
        """
        self.assert_stands("closes.idle", 8, figures={"idle_ns": 2 * 10**9})
        self.assert_refuted("#6 carries data", "closes.idle", 8, figures={"idle_ns": 3 * 10**9})

    def test_windows(self) -> None:
        """
        A closed window is 0.
        """
        self.assert_stands("windows.closed", 7, who="client")
        self.assert_refuted("is not 0", "windows.closed", 4, who="client")
        self.assert_refuted("is 0", "windows.reopened", 7, who="client")
        self.assert_refuted("is not 0", "windows.probe", 8, figures={"closed_frame": 4})

    def test_bytes(self) -> None:
        """
        Bytes of a stream count once.
        """
        figures = {"bytes": 6, "missing_bytes": 0}
        self.assert_stands("bytes.stream", 1, figures=figures, who="server")
        figures = {"bytes": 12, "missing_bytes": 0}
        self.assert_refuted("6 different", "bytes.stream", 1, figures=figures, who="server")

    def test_discarded(self) -> None:
        """
        What is discarded has a wrong checksum, and closes nothing.
        """
        talk = TALK | {11: frame(11, _SERVER, RST, 508)}
        among = {number: each._replace(is_sound=number != 11) for number, each in talk.items()}
        follows = {"known": "follows", "rule": "RFC 9293 section 3.1"}
        self.assertEqual(self.why("damage.discarded", 11, among=among, **follows), [])
        self.assertIn("not wrong", self.why("damage.discarded", 9, among=among, **follows)[0])
        (why,) = self.why("resets.abort", 11, among=among, who="server")
        self.assertIn("wrong checksum", why)
