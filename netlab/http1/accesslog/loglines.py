"""
The lines of the access log, and request heads as a log shows them: in ASCII, whatever a peer sends.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Final, Protocol, TypeAlias

from netlab.http1.sansio.dates import format_date

_LINE_WEIGHT: Final = 100
"""What a line has besides: peer, time, status and length."""

_UNSAFE: Final = re.compile(rb"[^\x20\x21\x23-\x5b\x5d-\x7e]")
_SHOWN: Final = tuple(
    b"\\x%02x" % byte if _UNSAFE.match(bytes([byte])) else bytes([byte]) for byte in range(256)
)


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


CLEAN_BYTES: Final = bytes(byte for byte in range(256) if not _UNSAFE.match(bytes([byte])))
"""What stands in a line of either format as it came, between quotes."""

RequestTexts: TypeAlias = tuple[bytes, bytes, bytes]
"""What a line says of the request: its request line, referrer and user agent, quoted."""

LoggedAnswer: TypeAlias = tuple[RequestTexts, int, int]
"""What the log says of an answer but for peer and time: the request's texts, the status, and how
many bytes of content there were."""


class LineFormat(Protocol):
    """
    How a line is written. Text whose bytes are all L{CLEAN_BYTES} stands between quotes.

    @ivar template: takes the peer, the time, the request line, status, length of the content,
        referrer and user agent.
    @ivar nothing: stands for a text that is not there.
    """

    template: bytes
    nothing: bytes

    def quoted(self, text: bytes) -> bytes:
        """
        Write a text, whatever its bytes.
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

    template = b"%b - - [%b] %b %d %d %b %b\n"
    nothing = b'"-"'

    def quoted(self, text: bytes) -> bytes:
        """
        Write a text with escapes.
        """
        return b'"%b"' % (escaped(text) or b"-")

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

    template = (
        b'{"peer":"%b","time":"%b","request":%b,"status":%d,"bytes":%d,'
        b'"referer":%b,"user_agent":%b}\n'
    )
    nothing = b"null"

    def quoted(self, text: bytes) -> bytes:
        """
        Write a text in ASCII; a byte that is not becomes the character of the same number.
        """
        return json.dumps(text.decode("latin-1")).encode("ascii")

    def stamp(self, second: int) -> bytes:
        """
        Write a time as RFC 3339 has it.
        """
        return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode("ascii")


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
            2 * sum(map(len, texts)) + _LINE_WEIGHT
            for texts, _status, _content_bytes in self.answers
        )
