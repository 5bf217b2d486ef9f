"""
Tests for L{netlab.http1.accesslog.log}.
"""

from __future__ import annotations

import errno
import os

from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.accesslog.log import FLUSH_LINE_BYTES, FLUSH_LINES, FLUSH_SECONDS, AccessLog
from netlab.http1.accesslog.loglines import LoggedAnswers
from netlab.http1.sansio.fields import Fields
from netlab.http1.sansio.messages import RequestHead
from netlab.http1.sansio.target import parse_target
from tests.http1.logs import NOW, FullFile


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
        self.texts = (b'"-"', b'"-"', b'"-"')

    def add(self, count: int = 1) -> None:
        """
        Add lines.
        """
        for _ in range(count):
            self.log.add(b"192.0.2.7", NOW, None, 200, 0)

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
        again = LoggedAnswers(((self.texts, 200, 0),))
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
            self.log.add(peer, now, None, 200, 0)
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
        raw = b"GET /" + b"x" * FLUSH_LINE_BYTES + b" HTTP/1.1\r\n\r\n"
        head = RequestHead(b"GET", parse_target(b"GET", b"/"), raw=raw)
        self.log.add(b"192.0.2.7", NOW, head, 200, 5)
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

    def test_agents_are_bounded(self) -> None:
        """
        Of a flood of user agents only few are remembered, and none that is long once escaped.
        """
        target = parse_target(b"GET", b"/")
        for number in range(1000):
            agent = b"%d" % number + b"\xff" * (number % 150)
            head = RequestHead(b"GET", target, fields=Fields([(b"User-Agent", agent)]))
            self.log.add(b"192.0.2.7", NOW, head, 200, 0)
            self.assertLessEqual(len(self.log._agents), 256)
            self.assertLessEqual(sum(map(len, self.log._agents.values())), 256 * 512)

    def test_clock_set_back(self) -> None:
        """
        Lines do not wait for a timer that follows a clock which was set back.
        """
        self.add(2)
        self.log.add(b"192.0.2.7", NOW - 3600, None, 200, 0)
        self.assertEqual(self.lines(), 2)

    def test_cannot_reopen(self) -> None:
        """
        Where the file cannot be opened anew the old one goes on, and that is said.
        """
        self.file.error = OSError(errno.EACCES, os.strerror(errno.EACCES))
        with capturedLogs() as events:
            self.log.reopen()
        (event,) = events
        self.assertIn("stays in its old file", formatEvent(event))
