"""
Expectations of HTTP messages, on conversations written down frame by frame.
"""

from __future__ import annotations

from netlab.analysis.expectations.expected_talk import (
    answers_after,
    answers_in_chunks,
    asks_apart,
    asks_on_one_only,
    asks_somewhere,
    continues,
    pipelines,
    statuses,
    withholds_content,
)
from netlab.analysis.observations.dialogue import Dialogue
from tests.analysis.dialogue_script import Script
from tests.analysis.expectations.expectationcase import ExpectationTestCase

GET = b"GET /%s HTTP/1.1\r\nHost: server\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
MISSING = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
PUT = b"PUT /x HTTP/1.1\r\nHost: server\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"


def talk(*connections: list[tuple[str, bytes]], step: float = 10) -> list[Dialogue]:
    """
    Let both ends say things in turn, each in one segment, on connections one after the other.

    @param step: milliseconds between two segments.
    """
    script = Script()
    for number, said in enumerate(connections):
        if number:
            script.another(40000 + number)
        script.open(rtt=0.001)
        for sender, data in said:
            script.send("cs".index(sender), "ACK", data, after=step / 1000)
    return script.dialogues()


class TalkTests(ExpectationTestCase):
    """
    The expectations, each with what meets it and what does not.
    """

    def test_statuses(self) -> None:
        """
        The final answers' statuses are compared in order; one that is cut off does not count.
        """
        cast = talk([("c", GET % b"a"), ("s", OK), ("c", GET % b"b"), ("s", MISSING)])
        self.assert_met(statuses(0, (200, 404)), cast)
        self.assert_missed(statuses(0, (404, 200)), cast, "200, 404")
        cut = talk([("c", GET % b"a"), ("s", OK[:-1])])
        self.assert_missed(statuses(0, (200,)), cut, "not all complete")
        self.assert_missed(statuses(0, (200,)), talk([("c", GET % b"a")]), "no answer")

    def test_continue(self) -> None:
        """
        100 must come between the head and the content.
        """
        asked = talk([("c", PUT), ("s", CONTINUE), ("c", b"abc"), ("s", OK)])
        refused = talk([("c", PUT), ("s", MISSING)])
        late = talk([("c", PUT + b"abc"), ("s", CONTINUE + OK)])
        self.assert_met(continues(0), asked)
        self.assert_missed(continues(0), late, "100")
        self.assert_missed(continues(0), refused, "no interim answer")
        self.assert_met(withholds_content(0), refused)
        self.assert_missed(withholds_content(0), asked, "3 bytes of content")
        self.assert_missed(withholds_content(0), talk([("c", PUT)]), "no request was answered")

    def test_pipelining(self) -> None:
        """
        All but the first request must come before the answer to the one before.
        """
        early = talk([("c", GET % b"a" + GET % b"b"), ("s", OK + OK)])
        polite = talk([("c", GET % b"a"), ("s", OK), ("c", GET % b"b"), ("s", OK)])
        self.assert_met(pipelines(0, 2), early)
        self.assert_missed(pipelines(0, 3), early, "2 requests, 1 early, 2 answered")
        self.assert_missed(pipelines(0, 2), polite, "0 early")

    def test_chunks(self) -> None:
        """
        The answer must be delimited by chunks, up to the last.
        """
        self.assert_met(answers_in_chunks(0), talk([("c", GET % b"a"), ("s", CHUNKED)]))
        self.assert_missed(answers_in_chunks(0), talk([("c", GET % b"a"), ("s", OK)]), "its length")
        self.assert_missed(
            answers_in_chunks(0), talk([("c", GET % b"a"), ("s", CHUNKED[:-5])]), "nothing"
        )

    def test_answer_time(self) -> None:
        """
        The time from the client's first byte to the server's lies within bounds, inclusive.
        """
        cast = talk([("c", GET[:5]), ("c", GET[5:]), ("s", OK)], step=100)
        self.assert_met(answers_after(0, 0.2, 1), cast)
        self.assert_missed(answers_after(0, 0.201, 1), cast, "after 0.200 s")
        self.assert_missed(answers_after(0, 0, 0.199), cast, "after 0.200 s")
        self.assert_missed(answers_after(0, 0, 1), talk([("c", GET)]), "not both ends")

    def test_spare_connections(self) -> None:
        """
        Exactly one connection talks, and there is at least one more.
        """
        asking = [("c", GET % b"a"), ("s", MISSING)]
        self.assert_met(asks_on_one_only(404), talk([], asking, []))
        self.assert_missed(asks_on_one_only(200), talk([], asking), "404")
        self.assert_missed(asks_on_one_only(404), talk(asking), "1 connection with data, 0 without")
        self.assert_missed(asks_on_one_only(404), talk(asking, asking, []), "2 connections")

    def test_anywhere(self) -> None:
        """
        A request may ride on any connection; two may be required to ride apart, and in turn.
        """
        apart = talk([("c", GET % b"a"), ("s", OK)], [("c", GET % b"b"), ("s", MISSING)])
        together = talk([("c", GET % b"a"), ("s", OK), ("c", GET % b"b"), ("s", MISSING)])
        self.assert_met(asks_somewhere(b"/b", 404), apart)
        self.assert_missed(asks_somewhere(b"/b", 200), apart, "404")
        self.assert_missed(asks_somewhere(b"/c", 200), apart, "0 requests, no answer")
        self.assert_met(asks_apart(b"/a", b"/b"), apart)
        self.assert_missed(asks_apart(b"/b", b"/a"), apart, "other order")
        self.assert_missed(asks_apart(b"/a", b"/b"), together, "same connection")
        self.assert_missed(asks_apart(b"/a", b"/c"), apart, "not both")

    def test_no_connection(self) -> None:
        """
        Nothing is met by a capture without connections.
        """
        for expectation in (
            statuses(0, (200,)),
            continues(0),
            withholds_content(0),
            pipelines(0, 1),
            answers_in_chunks(0),
            answers_after(0, 0, 1),
            asks_on_one_only(200),
            asks_somewhere(b"/", 200),
            asks_apart(b"/", b"/a"),
        ):
            self.assertFalse(expectation.check(()).is_met, expectation.name)
