"""
Tests for L{netlab.analysis.http.lenient}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.http.lenient import LenientRequestReader, RequestRead
from netlab.http1.sansio.errors import RemoteProtocolError
from netlab.http1.sansio.framing import NO_BODY, Fixed
from netlab.http1.sansio.heads import RequestParser
from netlab.http1.sansio.limits import Limits
from netlab.http1.sansio.receivebuffer import ReceiveBuffer

_PARSER = RequestParser(Limits())


def read(data: bytes, step: int) -> tuple[RequestRead | None, bytes]:
    """
    Read a head that is delivered in pieces, and give what is left.
    """
    reader, buffer = LenientRequestReader(_PARSER), ReceiveBuffer()
    found = None
    for start in range(0, len(data), step):
        buffer.append(data[start : start + step])
        if found is None:
            found = reader.read(buffer)
    return found, buffer.take_all()


class LenientRequestReaderTests(SynchronousTestCase):
    """
    Heads that obey the rules, and others.
    """

    def test_by_the_rules(self) -> None:
        """
        A right head has no fault, wherever the deliveries are cut.
        """
        data = b"\r\nPOST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
        for step in (1, 2, 7, 1000):
            found, rest = read(data, step)
            assert found is not None
            self.assertEqual((found.fault, found.framing, rest), ("", Fixed(3), b"abc"))

    def test_faults(self) -> None:
        """
        A head that breaks a rule is read as far as it goes, and says which one.
        """
        for data, fault, framing in (
            (b"GET / HTTP/1.1\r\n\r\n", "Host", NO_BODY),
            (b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n", "Host", Fixed(3)),
            (b"GET / HTTP/1.1\r\nHost: a\r\nx y: z\r\n\r\n", "", NO_BODY),
            (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", "", NO_BODY),
            (b"GET  HTTP/1.1\r\nHost: a\r\n\r\n", "target", NO_BODY),
        ):
            for step in (1, 1000):
                found, _ = read(data, step)
                assert found is not None
                self.assertTrue(found.fault, data)
                self.assertIn(fault, found.fault)
                self.assertEqual(found.framing, framing)
                self.assertEqual(found.head.raw, data)

    def test_refused_but_no_fault(self) -> None:
        """
        What our own server refuses, but HTTP allows, is no fault: dot-segments (RFC 3986 section
        3.3), an encoded NUL, an unknown expectation (RFC 9110 section 10.1.1).
        """
        for data in (
            b"GET /../../etc/shadow HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET /a%00b HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nExpect: the-unexpected\r\n\r\n",
        ):
            found, _ = read(data, 1000)
            assert found is not None
            self.assertEqual((found.fault, found.head.raw), ("", data))

    def test_no_request(self) -> None:
        """
        What has no request line is refused, at once where its first bytes tell.
        """
        for data in (b"\0\1", b"HTTP/1.1 200 OK\r\n\r\n", b"SSH-2.0-x\r\n\r\n", b"a\nb\r\n\r\n"):
            self.assertRaises(RemoteProtocolError, read, data, 1000)
        self.assertRaises(RemoteProtocolError, read, b"\x16\x03\x01\x02\x00", 1)

    def test_bound(self) -> None:
        """
        A head without an end is given up at the limits of a head.
        """
        limits = _PARSER.limits
        most = limits.start_line_max_bytes + limits.header_section_max_bytes
        self.assertRaises(
            RemoteProtocolError, read, b"GET / HTTP/1.1\r\nx: " + b"y" * most, most // 4
        )
