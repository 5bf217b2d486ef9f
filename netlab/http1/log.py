"""
The access log: one line for each answer, buffered.
"""

from __future__ import annotations

import re
from typing import Final, Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from netlab.http1.dates import format_date
from netlab.http1.messages import RequestHead

FLUSH_SECONDS: Final = 1.0
FLUSH_LINES: Final = 512

_UNSAFE: Final = re.compile(rb"[^\x20\x21\x23-\x5b\x5d-\x7e]")
_log = Logger(namespace="netlab-http")


def escaped(data: bytes) -> bytes:
    r"""
    Make bytes of a peer fit for a log line: controls, quotes, backslashes and all that is not
    ASCII become C{\xHH}, so that nobody can forge a line or speak to a terminal.
    """
    return _UNSAFE.sub(lambda match: b"\\x%02x" % match[0][0], data)


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


class AccessLog:
    """
    Writes lines in the combined format that Apache made common, some hundred at a time.

    Formatting is split: what depends on the request alone is made once for each different request
    (L{request_part}), the time once a second.
    """

    def __init__(self, file: LogFile, clock: IReactorTime) -> None:
        """
        @param file: open for appending, unbuffered.
        @param clock: tells the time and calls back to write what has gathered.
        """
        self._file = file
        self._clock = clock
        self._lines: list[bytes] = []
        self._call: IDelayedCall | None = None
        self._second = -1
        self._stamp = b""

    def request_part(self, head: RequestHead | None) -> tuple[bytes, bytes]:
        """
        Make the parts of a line that the request determines.

        @param head: None where no request could be read.
        @return: the quoted request line, and the quoted referrer and user agent.
        """
        if head is None:
            return b'"-"', b'"-" "-"'
        line = head.raw[: head.raw.find(b"\r\n")]
        referrer = head.fields.get(b"referer") or b"-"
        agent = head.fields.get(b"user-agent") or b"-"
        return b'"%b"' % escaped(line), b'"%b" "%b"' % (escaped(referrer), escaped(agent))

    def add(
        self, peer: bytes, now: float, request: tuple[bytes, bytes], status: int, content_bytes: int
    ) -> None:
        """
        Add a line.

        @param peer: the peer's address; empty where it has none.
        @param now: when the answer was complete, in seconds since the epoch.
        @param request: from L{request_part}.
        @param status: the answer's status.
        @param content_bytes: how many bytes of content were sent.
        """
        second = int(now)
        if second != self._second:
            self._second = second
            # "Sun, 06 Nov 1994 08:49:37 GMT" to "06/Nov/1994:08:49:37 +0000"
            date = format_date(second)
            self._stamp = b"%b/%b/%b:%b +0000" % (date[5:7], date[8:11], date[12:16], date[17:25])
        self._lines.append(
            b"%b - - [%b] %b %d %d %b\n"
            % (peer or b"-", self._stamp, request[0], status, content_bytes, request[1])
        )
        if self._call is None:
            self._call = self._clock.callLater(FLUSH_SECONDS, self._flush_later)
        elif len(self._lines) >= FLUSH_LINES:
            self._write()

    def flush(self) -> None:
        """
        Write what has gathered, now.
        """
        if self._call is not None:
            self._call.cancel()
            self._call = None
        self._write()

    def _flush_later(self) -> None:
        self._call = None
        self._write()

    def _write(self) -> None:
        lines, self._lines = self._lines, []
        if not lines:
            return
        try:
            self._file.write(b"".join(lines))
        except OSError as error:
            # A full disk must not stop the server; the lines are lost, and that is said.
            _log.error(
                "{count} lines of the access log are lost: {error}", count=len(lines), error=error
            )
