"""
What a log is given to write, and a file to write it to, for tests of the access log.
"""

from __future__ import annotations

from netlab.http1.sansio.fields import Fields
from netlab.http1.sansio.messages import RequestHead
from netlab.http1.sansio.target import parse_target

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
