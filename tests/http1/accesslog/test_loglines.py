"""
Tests for L{netlab.http1.accesslog.loglines}.
"""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.accesslog.log import AccessLog
from netlab.http1.accesslog.loglines import (
    CombinedFormat,
    JSONFormat,
    LoggedAnswers,
    escaped,
    shown_head,
)
from netlab.http1.sansio.messages import RequestHead
from tests.http1.logs import NOW, FullFile, head


class EscapeTests(SynchronousTestCase):
    """
    What a peer says, in a line.
    """

    @given(st.binary())
    def test_escaped(self, data: bytes) -> None:
        """
        Whatever the bytes are, what is logged is printable ASCII without quotes, and is what they
        were.
        """
        shown = escaped(data)
        self.assertRegex(shown, rb"\A[\x20-\x7e]*\Z")
        self.assertNotIn(b'"', shown)
        self.assertEqual(shown.decode("unicode_escape").encode("latin-1"), data)

    @given(st.binary())
    def test_shown_head(self, raw: bytes) -> None:
        """
        Of a head only CRLF begins a line.
        """
        shown = shown_head(raw)
        self.assertRegex(shown, r"\A[\x20-\x7e\n]*\Z")
        self.assertEqual(shown.count("\n"), raw.count(b"\r\n"))


class FormatTests(SynchronousTestCase):
    """
    How a line is written.
    """

    def line(self, line_format: CombinedFormat | JSONFormat, request: RequestHead | None) -> bytes:
        """
        Write the line of an answer.
        """
        file, clock = FullFile(), Clock()
        log = AccessLog(file, clock, line_format)
        log.add(b"192.0.2.7", NOW, request, 200, 210)
        log.flush()
        line = b"".join(file.written)
        if request is not None:
            # Sent again, the answer is logged in the same words.
            file.written.clear()
            again = LoggedAnswers(((log.request_texts(request), 200, 210),))
            log.add_again(b"192.0.2.7", NOW, again)
            log.flush()
            self.assertEqual(b"".join(file.written), line)
        return line

    def test_combined(self) -> None:
        """
        The combined format, as Apache describes it.
        """
        request = head(b"GET /a?b HTTP/1.1", (b"Referer", b"http://a/"), (b"User-Agent", b"x"))
        self.assertEqual(
            self.line(CombinedFormat(), request),
            b"192.0.2.7 - - [06/Nov/1994:08:49:37 +0000] "
            b'"GET /a?b HTTP/1.1" 200 210 "http://a/" "x"\n',
        )
        self.assertEqual(
            self.line(CombinedFormat(), None),
            b'192.0.2.7 - - [06/Nov/1994:08:49:37 +0000] "-" 200 210 "-" "-"\n',
        )

    def test_combined_is_one_line(self) -> None:
        """
        No field of a request can end the line or a quote in it.
        """
        request = head(b'GET /"\x1b[31m HTTP/1.1', (b"User-Agent", b'" 200 0\t\\\xff'))
        line = self.line(CombinedFormat(), request)
        self.assertEqual(line.count(b'"'), 6)
        self.assertIn(rb'"GET /\x22\x1b[31m HTTP/1.1"', line)
        self.assertIn(rb'"\x22 200 0\x09\x5c\xff"', line)

    def test_json(self) -> None:
        """
        One object a line, in which a reader finds every byte again.
        """
        request = head(b'GET /"\x1b HTTP/1.1', (b"User-Agent", b'"\\\xff'))
        line = self.line(JSONFormat(), request)
        self.assertRegex(line, rb"\A[\x20-\x7e]*\n\Z")
        self.assertEqual(
            json.loads(line),
            {
                "peer": "192.0.2.7",
                "time": "1994-11-06T08:49:37Z",
                "request": 'GET /"\x1b HTTP/1.1',
                "status": 200,
                "bytes": 210,
                "referer": None,
                "user_agent": '"\\\xff',
            },
        )
        self.assertEqual(json.loads(self.line(JSONFormat(), None))["request"], None)
