"""
The access log: one line for each answer, buffered.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Final, Protocol, TypeAlias

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from netlab.http1 import SERVER_NAME
from netlab.http1.dates import format_date
from netlab.http1.memo import Memo
from netlab.http1.messages import RequestHead

FLUSH_SECONDS: Final = 1.0
FLUSH_LINES: Final = 512
FLUSH_LINE_BYTES: Final = 8192
"""A line longer than this is written at once: escaped, the longest are of 100 KB."""

_PARTS_MAX: Final = 1024
_PARTS_MAX_BYTES: Final = 4 << 20
_PARTS_HEAD_MAX_BYTES: Final = 4096

_LINE_WEIGHT: Final = 100
"""What a line has besides: peer, time, status and length."""

_UNSAFE: Final = re.compile(rb"[^\x20\x21\x23-\x5b\x5d-\x7e]")
_SHOWN: Final = tuple(
    b"\\x%02x" % byte if _UNSAFE.match(bytes([byte])) else bytes([byte]) for byte in range(256)
)
_log = Logger(namespace=SERVER_NAME)


def escaped(data: bytes) -> bytes:
    r"""
    Make bytes of a peer fit for a log line: controls, quotes, backslashes and all that is not
    ASCII become C{\xHH}, so that nobody can forge a line or speak to a terminal.
    """
    if _UNSAFE.search(data) is None:
        return data
    return b"".join([_SHOWN[byte] for byte in data])


def shown_head(raw: bytes) -> str:
    r"""
    Show a request head line by line, as it came, with control bytes as C{\xHH}.
    """
    return "\n".join(
        re.sub(rb"[^\x20-\x7e]", lambda match: b"\\x%02x" % match[0][0], line).decode("ascii")
        for line in raw.split(b"\r\n")
    )


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


RequestPart: TypeAlias = tuple[bytes, bytes]
"""The parts of a line that the request alone determines: before and behind the status."""

LoggedAnswer: TypeAlias = tuple[RequestPart, int, int]
"""What the log says of an answer but for peer and time: the request's part, the status, and how
many bytes of content there were."""


class LineFormat(Protocol):
    """
    How a line is written.

    @ivar template: takes the peer, the time, the first part of the request, status and length of
        the content, and the second part.
    """

    template: bytes

    def request_part(self, head: RequestHead | None) -> RequestPart:
        """
        Write what the request determines.

        @param head: None where no request could be read.
        """

    def stamp(self, second: int) -> bytes:
        """
        Write a time.

        @param second: since the epoch.
        """


class CombinedFormat:
    """
    The combined format, which Apache made common.
    """

    template = b"%b - - [%b] %b %d %d %b\n"

    def request_part(self, head: RequestHead | None) -> RequestPart:
        """
        Write the quoted request line, and the quoted referrer and user agent.
        """
        if head is None:
            return b'"-"', b'"-" "-"'
        referrer = head.fields.get(b"referer") or b"-"
        agent = head.fields.get(b"user-agent") or b"-"
        return (
            b'"%b"' % escaped(_request_line(head)),
            b'"%b" "%b"' % (escaped(referrer), escaped(agent)),
        )

    def stamp(self, second: int) -> bytes:
        """
        Write a time as C{06/Nov/1994:08:49:37 +0000}.
        """
        date = format_date(second)  # Sun, 06 Nov 1994 08:49:37 GMT
        return b"%b/%b/%b:%b +0000" % (date[5:7], date[8:11], date[12:16], date[17:25])


class JSONFormat:
    """
    One JSON object a line.
    """

    template = b'{"peer":"%b","time":"%b",%b,"status":%d,"bytes":%d,%b}\n'

    def request_part(self, head: RequestHead | None) -> RequestPart:
        """
        Write the request line, the referrer and the user agent; null where there is none.
        """
        line = None if head is None else _request_line(head)
        referrer = None if head is None else head.fields.get(b"referer")
        agent = None if head is None else head.fields.get(b"user-agent")
        return (
            b'"request":%b' % _json(line),
            b'"referer":%b,"user_agent":%b' % (_json(referrer), _json(agent)),
        )

    def stamp(self, second: int) -> bytes:
        """
        Write a time as RFC 3339 has it.
        """
        return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode("ascii")


def _request_line(head: RequestHead) -> bytes:
    return head.raw[: head.raw.find(b"\r\n")]


def _json(value: bytes | None) -> bytes:
    # In ASCII; a byte that is not becomes the character of the same number.
    return b"null" if value is None else json.dumps(value.decode("latin-1")).encode("ascii")


class LoggedAnswers:
    """
    What the log says of answers that are sent again and again: their lines, but for peer and time.

    @ivar answers: one for each line.
    """

    __slots__ = ("answers", "count", "peer", "since", "text", "until")

    def __init__(self, answers: tuple[LoggedAnswer, ...]) -> None:
        self.answers = answers
        self.count = len(answers)
        # The lines as they were written last: a peer that asks again within the second, as one
        # that fetches a page or tries how fast we are does, gets the same ones.
        self.peer = b""
        self.since = self.until = 0.0
        self.text = b""

    @property
    def weight(self) -> int:
        """
        How much they take in memory, in bytes: what the request determines, and again in the lines.
        """
        return sum(
            2 * (len(before) + len(behind)) + _LINE_WEIGHT
            for (before, behind), _status, _content_bytes in self.answers
        )


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
