"""
The way of a GET on a connection that is open, from the call to the answer's content, in few calls.
Work is counted, not time.
"""

from __future__ import annotations

import sys
from typing import Any

from tests.http1.clients import ClientTestCase
from tests.http1.server.test_straight_way import Way

#: Python functions, ours and Twisted's.
CALLS_MAX = 140

_ANSWER = (
    b"HTTP/1.1 200 OK\r\n"
    b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    b"Content-Type: text/html\r\n"
    b"ETag: %b\r\n"
    b"Content-Length: 5\r\n\r\nhello"
)


class StraightWayTests(ClientTestCase):
    """
    Sequential requests.
    """

    def test_persistent(self) -> None:
        """
        One write for the request, one delivery for the answer, and that is that.
        """
        for number in range(3):
            waiting = self.get()
            self.end().says(_ANSWER % (b'"%d"' % number))
            self.successResultOf(waiting)
        way = Way()
        profiler = sys.getprofile()
        sys.setprofile(way)
        try:
            waiting = self.get()
            protocol: Any = self.end().protocol
            protocol.dataReceived(_ANSWER % b'"4"')
            reading = self.start(self.successResultOf(waiting).read())
        finally:
            sys.setprofile(profiler)
        self.assertEqual(self.successResultOf(reading), b"hello")
        self.assertEqual(len(self.net.ends), 1)
        self.assertLessEqual(way.python_calls, CALLS_MAX, str(way))
        self.check_over()
