"""
Tests for L{netlab.http1.server.answercache}.
"""

from __future__ import annotations

import sys

from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.accesslog.counters import Tally
from netlab.http1.accesslog.loglines import LoggedAnswers
from netlab.http1.resources.responses import Response
from netlab.http1.sansio.fields import Fields
from netlab.http1.sansio.messages import RequestHead
from netlab.http1.sansio.serversettings import ServerSettings
from netlab.http1.sansio.target import parse_target
from netlab.http1.server.answercache import (
    ANSWERS_MAX,
    DELIVERY_MAX_BYTES,
    HEAD_MAX_BYTES,
    AnswerCache,
    CachedAnswer,
    joined,
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

    def test_what_comes_again(self) -> None:
        """
        The first time a delivery leaves its mark; a long one never does.
        """
        long = b"x" * (DELIVERY_MAX_BYTES + 1)
        self.assertEqual(
            [self.cache.has_come(data) for data in (b"a", b"b", b"a", b"b", b"a", long, long)],
            [False, False, True, True, True, False, False],
        )
        self.assertFalse(self.cache.has_come(long[1:]))
        self.assertTrue(self.cache.has_come(long[1:]))

    def test_never_wanted(self) -> None:
        """
        Answers to long heads and to those with secrets, and those that may not be sent again; such
        heads leave no mark.
        """
        response = Response(repeat_seconds=1.0)
        for request in (
            head(b"x" * (HEAD_MAX_BYTES + 1)),
            head(b"a", (b"Cookie", b"a=b")),
            head(b"b", (b"authorization", b"x")),
            head(b"c", (b"PROXY-AUTHORIZATION", b"x")),
        ):
            for is_alone in (True, True, False):
                self.assertFalse(self.cache.wants(request, response, is_alone=is_alone))
        self.assertEqual(self.cache._marks.count(0), len(self.cache._marks))
        longest = head(b"x" * HEAD_MAX_BYTES)
        self.assertFalse(self.cache.wants(longest, Response(), is_alone=False))
        self.assertTrue(self.cache.wants(longest, response, is_alone=False))
        self.assertFalse(self.cache.wants(longest, response, is_alone=True))
        self.assertTrue(self.cache.wants(longest, response, is_alone=True))
        self.assertTrue(self.cache.wants(longest, Response(renew=lambda: 1.0), is_alone=True))

    def test_joined(self) -> None:
        """
        Answers of one status are one, for as long as all of them hold; others are none.
        """
        one, other = answer(), answer(data=b"other")
        other.tally, other.until = one.tally, 5.0
        both = joined([one, other])
        assert both is not None
        self.assertEqual(
            (both.data, both.until, both.count, both.content_bytes, both.logged.count),
            (b"answerother", 5.0, 2, 4, 2),
        )
        self.assertIsNone(joined([one, answer()]))

    def test_marks_are_bounded(self) -> None:
        """
        A flood of different deliveries takes no memory, and hardly any is taken for another.
        """
        before = sys.getsizeof(self.cache._marks)
        taken = sum(self.cache.has_come(b"%d" % number) for number in range(100_000))
        self.assertEqual(sys.getsizeof(self.cache._marks), before)
        self.assertLess(taken, 100_000 // 64)

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
