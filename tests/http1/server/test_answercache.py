"""
Tests for L{netlab.http1.server.answercache}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.accesslog.counters import Tally
from netlab.http1.accesslog.loglines import LoggedAnswers
from netlab.http1.sansio.fields import Fields
from netlab.http1.sansio.messages import RequestHead
from netlab.http1.sansio.serversettings import ServerSettings
from netlab.http1.sansio.target import parse_target
from netlab.http1.server.answercache import (
    ANSWERS_MAX,
    HEAD_MAX_BYTES,
    AnswerCache,
    CachedAnswer,
)

_MAX_BYTES = 1 << 20


def answer(logged: int = 0, data: bytes = b"answer") -> CachedAnswer:
    """
    Make an answer.

    @param logged: how many bytes the log says of it.
    """
    answers = LoggedAnswers((((b"x" * logged, b"", b""), 200, 2),))
    return CachedAnswer(data, 10.0, None, answers, Tally(), 2)


def head(raw: bytes, *lines: tuple[bytes, bytes]) -> RequestHead:
    """
    Make a request head of these bytes.
    """
    return RequestHead(b"GET", parse_target(b"GET", b"/"), fields=Fields(lines), raw=raw)


class AnswerCacheTests(SynchronousTestCase):
    """
    What is kept, and how much of it.
    """

    def setUp(self) -> None:
        """
        Nothing is known.
        """
        self.cache = AnswerCache(ServerSettings(), _MAX_BYTES)

    def test_wants_what_comes_again(self) -> None:
        """
        The first time a head leaves its mark, and from the second time on its answer is wanted.
        """
        self.assertEqual(
            [self.cache.wants(head(raw)) for raw in (b"a", b"b", b"a", b"b", b"a")],
            [False, False, True, True, True],
        )

    def test_never_wanted(self) -> None:
        """
        Long heads, and those with secrets.
        """
        for request in (
            head(b"x" * (HEAD_MAX_BYTES + 1)),
            head(b"a", (b"Cookie", b"a=b")),
            head(b"b", (b"authorization", b"x")),
            head(b"c", (b"PROXY-AUTHORIZATION", b"x")),
        ):
            self.assertEqual([self.cache.wants(request) for _ in range(3)], [False] * 3)
        self.cache.wants(head(b"x" * HEAD_MAX_BYTES))
        self.assertTrue(self.cache.wants(head(b"x" * HEAD_MAX_BYTES)))

    def test_marks_are_bounded(self) -> None:
        """
        A flood of different heads leaves no more marks than there may be.
        """
        most = 0
        for number in range(40_000):
            self.assertFalse(self.cache.wants(head(b"%d" % number)))
            most = max(most, len(self.cache._seen))
        self.assertEqual(most, 16384)

    def test_bounded_in_number(self) -> None:
        """
        However many answers are kept, there are never more than there may be.
        """
        cache = AnswerCache(ServerSettings(), 1 << 40)
        for number in range(ANSWERS_MAX + 1):
            cache.keep(b"%d" % number, answer())
            self.assertLessEqual(len(cache.known), ANSWERS_MAX)
        self.assertEqual(list(cache.known), [b"%d" % ANSWERS_MAX])

    def test_bounded_in_bytes(self) -> None:
        """
        What is kept is bounded by all that it holds: answers, requests, and lines of the log, which
        are the longest where a head was full of bytes that are escaped.
        """
        for kept in (answer(16384), answer(data=bytes(16384))):
            for number in range(500):
                self.cache.keep(b"%d" % number, kept)
                self.assertLessEqual(len(self.cache.known) * 16384, _MAX_BYTES)
                self.assertLessEqual(self.cache.bytes_kept, _MAX_BYTES)
        self.cache.keep(b"large", answer(data=bytes(_MAX_BYTES)))
        self.assertNotIn(b"large", self.cache.known)
