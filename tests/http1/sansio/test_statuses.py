"""
L{netlab.http1.sansio.statuses}: reason phrases and status lines.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.sansio.grammar import STATUS_LINE
from netlab.http1.sansio.statuses import REASON_PHRASES, STATUS_LINES, forbids_content


class StatusTests(SynchronousTestCase):
    """
    RFC 9110 section 15.
    """

    def test_names_are_those_of_the_standard(self) -> None:
        """
        Also where older Pythons have older names.
        """
        for status, phrase in (
            (100, b"Continue"), (200, b"OK"), (206, b"Partial Content"),
            (301, b"Moved Permanently"), (304, b"Not Modified"), (408, b"Request Timeout"),
            (412, b"Precondition Failed"), (413, b"Content Too Large"), (414, b"URI Too Long"),
            (416, b"Range Not Satisfiable"), (417, b"Expectation Failed"),
            (422, b"Unprocessable Content"), (426, b"Upgrade Required"),
            (431, b"Request Header Fields Too Large"), (501, b"Not Implemented"),
            (505, b"HTTP Version Not Supported"), (511, b"Network Authentication Required"),
        ):  # fmt: skip
            self.assertEqual(REASON_PHRASES[status], phrase)

    def test_status_lines_are_valid(self) -> None:
        """
        Each of them is a status-line (RFC 9112 section 4) of version 1.1 with its CRLF.
        """
        for status, line in STATUS_LINES.items():
            self.assertTrue(line.endswith(b"\r\n"))
            match = STATUS_LINE.fullmatch(line[:-2])
            assert match is not None
            self.assertEqual(match.groups(), (b"1", b"1", b"%d" % status, REASON_PHRASES[status]))

    def test_content_is_forbidden(self) -> None:
        """
        By 1xx, 204 and 304 (RFC 9112 section 6.3 item 1) and by no other status.
        """
        forbidden = {status for status in range(100, 1000) if forbids_content(status)}
        self.assertEqual(forbidden, {*range(100, 200), 204, 304})
