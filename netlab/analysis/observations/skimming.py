"""
What is still looked for in a conversation of a large capture, when it has been followed far enough.

To put every byte in order and read it as HTTP takes several times as long as all the rest. So of a
large capture that is done for the beginning of each conversation; after it, messages are counted by
the segments that begin with one.
"""

from __future__ import annotations

import re
from typing import Final

from netlab.capture.segments import Segment

#: Also matches where a segment begins in the middle of a body that looks so: this is a count for a
#: summary, and says so.
_BEGINS: Final = re.compile(
    rb"(HTTP)/1\.[01] [1-9][0-9]{2}[ \r]|[A-Z]{3,20} [^ \r\n]{1,8192} HTTP/1\.[01]\r\n"
)
_SAYS_CLOSE: Final = re.compile(rb"\r\nconnection:[^\r\n]*\bclose\b", re.IGNORECASE)


class Skimmed:
    """
    What was counted of a conversation's messages.

    @ivar is_http: Whether its beginning was HTTP; if not, nothing is counted.
    @ivar has_data: Whether there was any.
    @ivar requests: Segments that begin with a request.
    @ivar announced_close: The last frame whose answer said C{Connection: close}; 0 if none did.
    """

    __slots__ = ("announced_close", "has_data", "is_http", "requests")

    def __init__(self, *, is_http: bool) -> None:
        self.is_http = is_http
        self.has_data = False
        self.requests = 0
        self.announced_close = 0

    def look_at(self, segment: Segment) -> None:
        """
        Count the message that a segment begins with, if it begins with one.
        """
        data, begin = segment.data, segment.payload_at
        found = _BEGINS.match(data, begin)
        if found is None:
            return
        if found.lastindex is None:
            self.requests += 1
            return
        end = data.find(b"\r\n\r\n", begin)
        if _SAYS_CLOSE.search(data, begin, len(data) if end < 0 else end):
            self.announced_close = segment.record.number
