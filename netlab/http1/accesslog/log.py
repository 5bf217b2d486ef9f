"""
The access log: one line for each answer, buffered.
"""

from __future__ import annotations

from typing import Final, Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from netlab.http1 import SERVER_NAME
from netlab.http1.accesslog.loglines import (
    CombinedFormat,
    LineFormat,
    LoggedAnswer,
    LoggedAnswers,
    RequestPart,
)
from netlab.http1.sansio.memo import Memo
from netlab.http1.sansio.messages import RequestHead

FLUSH_SECONDS: Final = 1.0
FLUSH_LINES: Final = 512
FLUSH_LINE_BYTES: Final = 8192
"""A line longer than this is written at once: escaped, the longest are of 100 KB."""

_PARTS_MAX: Final = 1024
_PARTS_MAX_BYTES: Final = 4 << 20
_PARTS_HEAD_MAX_BYTES: Final = 4096

_log = Logger(namespace=SERVER_NAME)


class LogFile(Protocol):
    """
    Where lines go.
    """

    def write(self, data: bytes, /) -> object:
        """
        Write some lines.
        """

    def reopen(self) -> None:
        """
        Go on in the file that now has this name.
        """


class AccessLog:
    """
    Writes a line for each answer, some hundred at a time.

    Formatting is split: what depends on the request alone is made once for each different request
    (L{request_part}), the time once a second.
    """

    def __init__(
        self, file: LogFile, clock: IReactorTime, line_format: LineFormat | None = None
    ) -> None:
        """
        @param file: open for appending, unbuffered.
        @param clock: tells the time and calls back to write what has gathered.
        @param line_format: the combined format unless told otherwise.
        """
        chosen = CombinedFormat() if line_format is None else line_format
        self._request_part = chosen.request_part
        self._parts: Memo[bytes, RequestPart] = Memo(_PARTS_MAX, _PARTS_MAX_BYTES)
        self._make_stamp = chosen.stamp
        self._template = chosen.template
        self._file = file
        self._clock = clock
        self._texts: list[bytes] = []
        # How many lines these are.
        self._waiting = 0
        self._call: IDelayedCall | None = None
        self._second = -1
        self._stamp = b""

    def request_part(self, head: RequestHead | None) -> RequestPart:
        """
        Write what the request determines, or remember it.

        @param head: as for L{LineFormat.request_part}.
        """
        if head is None or len(head.raw) > _PARTS_HEAD_MAX_BYTES:
            return self._request_part(head)
        part = self._parts.get(head.raw)
        if part is None:
            part = self._request_part(head)
            # Weighed: escaped, a byte of a peer becomes four.
            self._parts.put(head.raw, part, len(head.raw) + len(part[0]) + len(part[1]))
        return part

    def add(
        self, peer: bytes, now: float, request: RequestPart, status: int, content_bytes: int
    ) -> None:
        """
        Add a line.

        @param peer: the peer's address; empty where it has none.
        @param now: when the answer was complete, in seconds since the epoch.
        @param request: from L{request_part}.
        @param status: the answer's status.
        @param content_bytes: how many bytes of content were sent.
        """
        self._set_second(int(now))
        self._append(self._line(peer, (request, status, content_bytes)))

    def add_again(self, peer: bytes, now: float, answers: LoggedAnswers) -> None:
        """
        Add the lines of answers that are sent again.

        @param peer: as for L{add}, and so is C{now}.
        """
        # (A clock may be set back.)
        if not answers.since <= now < answers.until or answers.peer != peer:
            self._set_second(int(now))
            answers.text = b"".join([self._line(peer, answer) for answer in answers.answers])
            answers.since = float(self._second)
            answers.until = answers.since + 1.0
            answers.peer = peer
        # As in _append, without the call.
        self._texts.append(answers.text)
        self._waiting += answers.count
        if self._call is None or self._waiting >= FLUSH_LINES:
            self._see_to_it()

    def _set_second(self, second: int) -> None:
        if second != self._second:
            self._second = second
            self._stamp = self._make_stamp(second)

    def _line(self, peer: bytes, answer: LoggedAnswer) -> bytes:
        request, status, content_bytes = answer
        return self._template % (
            peer or b"-",
            self._stamp,
            request[0],
            status,
            content_bytes,
            request[1],
        )

    def _append(self, line: bytes) -> None:
        self._texts.append(line)
        self._waiting += 1
        if len(line) > FLUSH_LINE_BYTES:
            self._write()
        elif self._call is None or self._waiting >= FLUSH_LINES:
            self._see_to_it()

    def _see_to_it(self) -> None:
        """
        Write what has gathered, in a while, or now if it is much.
        """
        if self._call is None:
            self._call = self._clock.callLater(FLUSH_SECONDS, self._flush_later)
        elif self._waiting >= FLUSH_LINES:
            self._write()

    def flush(self) -> None:
        """
        Write what has gathered, now.
        """
        if self._call is not None:
            self._call.cancel()
            self._call = None
        self._write()

    def reopen(self) -> None:
        """
        Write what has gathered, then go on in the file that now has this name (logrotate).
        """
        self.flush()
        try:
            self._file.reopen()
        except OSError as error:
            _log.error("The access log stays in its old file: {error}", error=error)
        else:
            _log.info("The access log was opened anew")

    def _flush_later(self) -> None:
        self._call = None
        self._write()

    def _write(self) -> None:
        texts, self._texts = self._texts, []
        lines, self._waiting = self._waiting, 0
        if not texts:
            return
        try:
            self._file.write(b"".join(texts))
        except OSError as error:
            # A full disk must not stop the server; the lines are lost, and that is said.
            _log.error(
                "{count} lines of the access log are lost: {error}", count=lines, error=error
            )
