"""
Tests for L{netlab.http1.log}.
"""

from __future__ import annotations

import errno
import json
import os

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.fields import Fields
from netlab.http1.log import (
    FLUSH_LINE_BYTES,
    FLUSH_LINES,
    FLUSH_SECONDS,
    AccessLog,
    CombinedFormat,
    JSONFormat,
    LoggedAnswers,
    escaped,
    shown_head,
)
from netlab.http1.messages import RequestHead
from netlab.http1.target import parse_target

NOW = 784111777.9  # the example of RFC 9110 section 5.6.7


def head(line: bytes = b"GET /a?b HTTP/1.1", *fields: tuple[bytes, bytes]) -> RequestHead:
    """
    Make a request head.
    """
    target = parse_target(b"GET", b"/a?b")
    return RequestHead(b"GET", target, fields=Fields(fields), raw=line + b"\r\n\r\n")


class FullFile:
    """
    A file on a disk that may be full.

    @ivar written: what has been written, a delivery an entry.
    @ivar error: what writing and opening fail with, if with anything.
    """

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.error: OSError | None = None
        self.reopened = 0

    def write(self, data: bytes, /) -> None:
        """
        Write, if there is room.
        """
        if self.error is not None:
            raise self.error
        self.written.append(data)

    def reopen(self) -> None:
        """
        Count.
        """
        if self.error is not None:
            raise self.error
        self.reopened += 1


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
        log.add(b"192.0.2.7", NOW, log.request_part(request), 200, 210)
        log.flush()
        return b"".join(file.written)

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


class BufferTests(SynchronousTestCase):
    """
    When lines are written.
    """

    def setUp(self) -> None:
        """
        Open a log.
        """
        self.file, self.clock = FullFile(), Clock()
        self.log = AccessLog(self.file, self.clock)
        self.part = self.log.request_part(None)

    def add(self, count: int = 1) -> None:
        """
        Add lines.
        """
        for _ in range(count):
            self.log.add(b"192.0.2.7", NOW, self.part, 200, 0)

    def lines(self) -> int:
        """
        Count the lines in the file.
        """
        return b"".join(self.file.written).count(b"\n")

    def test_written_in_time(self) -> None:
        """
        A line is in the file after a second at the latest, and then nothing is armed.
        """
        self.add()
        self.clock.advance(FLUSH_SECONDS / 2)
        self.add()
        self.assertEqual(self.lines(), 0)
        self.clock.advance(FLUSH_SECONDS / 2)
        self.assertEqual((self.lines(), len(self.file.written)), (2, 1))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_again(self) -> None:
        """
        A line that is written again has the time at which it is, also when a second is over and
        when the clock was set back, and the peer whose it is.
        """
        again = LoggedAnswers(((self.part, 200, 0),))
        arrivals = [
            (b"192.0.2.7", NOW),
            (b"192.0.2.7", NOW + 0.5),
            (b"192.0.2.7", NOW + 1),
            (b"192.0.2.8", NOW + 1),
            (b"192.0.2.8", NOW - 3600),
            (b"192.0.2.8", NOW + 0.5),
        ]
        for peer, now in arrivals:
            self.log.add_again(peer, now, again)
        self.log.flush()
        repeated, self.file.written = b"".join(self.file.written), []
        for peer, now in arrivals:
            self.log.add(peer, now, self.part, 200, 0)
        self.log.flush()
        self.assertEqual(b"".join(self.file.written), repeated)
        self.assertEqual(6, repeated.count(b"\n"))

    def test_bounded(self) -> None:
        """
        No more than so many lines wait, however many come within the second.
        """
        self.add(FLUSH_LINES - 1)
        self.assertEqual(self.lines(), 0)
        self.add()
        self.assertEqual(self.lines(), FLUSH_LINES)
        self.add(FLUSH_LINES * 3)
        self.assertEqual(self.lines(), FLUSH_LINES * 4)

    def test_long_lines_do_not_wait(self) -> None:
        """
        A long line is written at once, and what waits goes before it.
        """
        self.add(1)
        part = (b'"' + b"x" * FLUSH_LINE_BYTES + b'"', b'"-" "-"')
        self.log.add(b"192.0.2.7", self.clock.seconds(), part, 200, 5)
        self.assertEqual([text.count(b"\n") for text in self.file.written], [2])
        self.assertGreater(len(self.file.written[0].split(b"\n")[1]), FLUSH_LINE_BYTES)
        self.clock.advance(FLUSH_SECONDS)
        self.assertEqual(len(self.file.written), 1)

    def test_flush(self) -> None:
        """
        Flushed, it has written all, and nothing is armed; again, it does nothing.
        """
        self.add(3)
        self.log.flush()
        self.log.flush()
        self.assertEqual((self.lines(), len(self.file.written)), (3, 1))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_reopen(self) -> None:
        """
        What has gathered is written before the file is opened anew.
        """
        self.add()
        self.log.reopen()
        self.assertEqual((self.lines(), self.file.reopened), (1, 1))

    def test_full_disk(self) -> None:
        """
        Where lines cannot be written it is said how many are lost; the next ones are written again.
        """
        self.file.error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        with capturedLogs() as events:
            self.add(3)
            self.log.flush()
        (event,) = events
        self.assertIn("3 lines of the access log are lost", formatEvent(event))
        self.assertIn("No space left on device", formatEvent(event))
        self.file.error = None
        self.add()
        self.log.flush()
        self.assertEqual(self.lines(), 1)

    def test_memory_is_bounded(self) -> None:
        """
        What is remembered of requests weighs no more than 8 MiB, though escaping makes four bytes
        of each of a peer's.
        """
        held = []
        for number in range(2000):
            agent = b"%d" % number + b"\xff" * 3900
            raw = b"GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: %b\r\n\r\n" % agent
            asked = RequestHead(
                b"GET", parse_target(b"GET", b"/"), fields=Fields([(b"User-Agent", agent)]), raw=raw
            )
            held.append((asked, self.log.request_part(asked)))
        kept = [
            len(asked.raw) + len(part[0]) + len(part[1])
            for asked, part in reversed(held)
            if self.log.request_part(asked) is part
        ]
        self.assertGreater(len(kept), 100)
        self.assertLessEqual(sum(kept), 8 << 20)

    def test_cannot_reopen(self) -> None:
        """
        Where the file cannot be opened anew the old one goes on, and that is said.
        """
        self.file.error = OSError(errno.EACCES, os.strerror(errno.EACCES))
        with capturedLogs() as events:
            self.log.reopen()
        (event,) = events
        self.assertIn("stays in its old file", formatEvent(event))
