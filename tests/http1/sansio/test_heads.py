"""
L{netlab.http1.sansio.heads}: request lines, line ends, and response heads (RFC 9112 sections 2 to
4).
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.sansio.errors import RemoteProtocolError
from netlab.http1.sansio.fields import Fields
from netlab.http1.sansio.framing import NO_BODY, Delimited, Fixed
from netlab.http1.sansio.heads import RequestParser, ResponseHeadReader, parse_response_head
from netlab.http1.sansio.limits import Limits
from netlab.http1.sansio.messages import ResponseHead
from netlab.http1.sansio.receivebuffer import ReceiveBuffer
from netlab.http1.sansio.serversettings import ServerSettings
from tests.http1.deliveries import deliver, one_by_one, outcome_of
from tests.http1.heads import REQUEST, HeadCase, parse


class RequestLineTests(HeadCase):
    """
    method SP request-target SP HTTP-version, RFC 9112 section 3.
    """

    def line(self, line: bytes) -> bytes:
        """
        Make a head with this request line.
        """
        return line + b"\r\nHost: a\r\n\r\n"

    def test_is_taken_apart(self) -> None:
        """
        Method, target and version come out as they went in, and the raw head too.
        """
        head = self.accept(self.line(b"FOO! /a?b HTTP/1.1"))
        self.assertEqual((head.method, head.version), (b"FOO!", (1, 1)))
        self.assertEqual((head.target.path, head.target.query), (b"/a", b"b"))
        self.assertEqual(head.raw, self.line(b"FOO! /a?b HTTP/1.1"))

    def test_white_space_is_one_space_twice(self) -> None:
        """
        Two spaces, tabs, a space before or behind: two readers could see different targets.
        """
        for line in (
            b"GET  / HTTP/1.1", b"GET /  HTTP/1.1", b" GET / HTTP/1.1", b"GET / HTTP/1.1 ",
            b"GET\t/\tHTTP/1.1", b"GET /\tHTTP/1.1", b"GET / a HTTP/1.1", b"GET /HTTP/1.1",
            b"GET\x0b/ HTTP/1.1", b"GET /\x0cHTTP/1.1", b"GET\xa0/ HTTP/1.1",
        ):  # fmt: skip
            self.refuse(self.line(line))

    def test_method_is_a_token(self) -> None:
        """
        RFC 9110 section 9.1.
        """
        for method in (b"", b"G\x00T", b"GET:", b"(GET)", b"G\xc9T", b'"GET"', b"GET/", b"@"):
            self.refuse(self.line(method + b" / HTTP/1.1"))

    def test_http_0_9_request_is_refused(self) -> None:
        """
        A line without a version is no request of HTTP/1.
        """
        self.refuse(b"GET /\r\n\r\n")
        self.refuse(b"GET\r\n\r\n")

    def test_malformed_version(self) -> None:
        """
        RFC 9112 section 2.3: 400, because nobody knows what was meant.
        """
        for version in (
            b"http/1.1", b"HTTP/1", b"HTTP/1.", b"HTTP/1.10", b"HTTP/01.1", b"HTTP/+1.1",
            b"HTTP 1.1", b"HTTP/x.y", b"HTTP/ 1.1", b"HTTPS/1.1", b"HTTP/1,1", b"HTTP/-1.1",
            b"HTTP/1.1\x00", b"X",
        ):  # fmt: skip
            self.refuse(self.line(b"GET / " + version))

    def test_other_major_version(self) -> None:
        """
        505 for a well-formed version that we do not speak (RFC 9110 section 15.6.6), the preface
        of HTTP/2 among them.
        """
        for version in (b"HTTP/2.0", b"HTTP/0.9", b"HTTP/3.1", b"HTTP/9.9"):
            self.refuse(self.line(b"GET / " + version), 505)
        self.refuse(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505)

    def test_higher_minor_version_is_treated_as_1_1(self) -> None:
        """
        RFC 9110 section 2.5: a minor version we do not know is compatible with the highest we do.
        """
        self.assertEqual(self.accept(self.line(b"GET / HTTP/1.9")).version, (1, 9))
        self.refuse(b"GET / HTTP/1.2\r\n\r\n")  # it must have a Host too

    def test_target_of_too_many_bytes(self) -> None:
        """
        A request line of exactly the limit passes; one byte more is 414 (RFC 9112 section 3),
        also while its end has not come.
        """
        settings = ServerSettings(Limits(start_line_max_bytes=100))
        line = b"GET /" + b"a" * 86 + b" HTTP/1.1"
        self.assertEqual(len(line), 100)
        self.accept(self.line(line), settings)
        self.refuse(self.line(line.replace(b"/", b"/a")), 414, settings)
        self.refuse(b"G" * 102, 414, settings)
        self.assertIsNone(outcome_of(b"G" * 101, settings).fault)

    def test_default_limit_is_at_least_8000(self) -> None:
        """
        RFC 9112 section 3 asks all recipients for request lines of 8000 bytes.
        """
        self.accept(self.line(b"GET /" + b"a" * 7986 + b" HTTP/1.1"))
        self.assertEqual(Limits().start_line_max_bytes, 8192)


class LineEndTests(HeadCase):
    """
    CRLF and nothing else ends a line, RFC 9112 section 2.2.
    """

    def test_one_empty_line_before_the_request_is_ignored(self) -> None:
        """
        Old clients send CRLF behind a POST; one is tolerated, for each request anew.
        """
        self.accept(b"\r\n" + REQUEST)
        self.assertEqual(len(outcome_of((b"\r\n" + REQUEST) * 3).heads), 3)

    def test_second_empty_line_is_refused(self) -> None:
        """
        More than one is no request, whether one follows or not.
        """
        for data in (b"\r\n\r\n", b"\r\n\r\n" + REQUEST, b"\r\n" * 9, REQUEST + b"\r\n\r\n"):
            outcome = outcome_of(data)
            self.assertEqual(outcome.status, 400, data)
            self.assertEqual(len(outcome.heads), data.startswith(b"GET"))

    def test_bare_lf_is_refused(self) -> None:
        """
        A LF without CR ends no line here; a reader to whom it does would see other fields.
        """
        for data in (
            b"GET / HTTP/1.1\nHost: a\n\n", b"GET / HTTP/1.1\r\nHost: a\n\r\n", b"\n" + REQUEST,
            b"GET / HTTP/1.1\r\nHost: a\r\n\n", b"GET / HTTP/1.1\nHost: a\r\n\r\n",
            b"GET /\n HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n",
            b"GET / HTTP/1.1\r\n\nHost: a\r\n\r\n",
        ):  # fmt: skip
            self.refuse(data)

    def test_bare_cr_is_refused(self) -> None:
        """
        A CR without LF is neither a line's end nor white space.
        """
        for data in (
            b"GET / HTTP/1.1\rHost: a\r\r", b"GET / HTTP/1.1\r\nHost: a\r\r\n\r\n",
            b"\rGET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n",
            b"GET /\r HTTP/1.1\r\n\r\n", b"\r\r\n" + REQUEST,
            b"GET / HTTP/1.1\r\nHost: a\r\n\r\r\n",
        ):  # fmt: skip
            self.refuse(data)

    def test_control_bytes_are_refused_wherever_they_stand(self) -> None:
        """
        Each control byte but HTAB, CR and LF, in method, target, version, name and value.
        """
        for byte in {*range(32), 0x7F} - {9, 10, 13}:
            for at in (1, 5, 10, 17, 24):
                self.refuse(REQUEST[:at] + bytes([byte]) + REQUEST[at:])

    def test_wrong_byte_is_answered_at_once(self) -> None:
        """
        Half of a wrong head is refused when the wrong byte has come, not at a deadline.
        """
        for begun in (
            b"GET / HTTP/1.1\n", b"\n", b"\x16", b"G\x00", b"GET /\rX", b"GET /../ HTTP/1.1\r\n",
            b"GET / HTTP/2.0\r\n", b"GET /\r\n", b"EHLO a\r\n", b"\r\r",
        ):  # fmt: skip
            self.assertIsNotNone(outcome_of(begun).fault, begun)
            self.assertIsNone(deliver(one_by_one(begun[:-1]), ServerSettings()).fault, begun)


class RequestParserTests(SynchronousTestCase):
    """
    Parsing is a pure function that remembers.
    """

    def test_the_version_counts(self) -> None:
        """
        The version decides what a section means.
        """
        parser = RequestParser(Limits())
        self.assertTrue(parser.parse(REQUEST).is_persistent)
        self.assertFalse(parser.parse(REQUEST.replace(b"1.1", b"1.0")).is_persistent)

    def test_faults_stay_faults(self) -> None:
        """
        A wrong head is wrong the second time too.
        """
        parser = RequestParser(Limits())
        for _ in range(2):
            self.assertRaises(RemoteProtocolError, parser.parse, b"GET / HTTP/1.1\r\n\r\n")

    def test_framing_comes_with_the_head(self) -> None:
        """
        The framing is what L{netlab.http1.sansio.framing} finds.
        """
        self.assertEqual(parse(b"").framing, NO_BODY)
        self.assertEqual(parse(b"Content-Length: 5\r\n").framing, Fixed(5))
        self.assertEqual(parse(b"Transfer-Encoding: chunked\r\n").framing, Delimited.CHUNKED)


class ResponseHeadTests(SynchronousTestCase):
    """
    RFC 9112 section 4.
    """

    def read(self, *deliveries: bytes) -> ResponseHead | None:
        """
        Read a head from these deliveries.
        """
        reader, buffer = ResponseHeadReader(Limits()), ReceiveBuffer()
        head = None
        for delivery in deliveries:
            self.assertIsNone(head)
            buffer.append(delivery)
            head = reader.read(buffer)
        return head

    def refuse(self, raw: bytes) -> None:
        """
        Expect an error, whole and byte by byte.
        """
        self.assertRaises(RemoteProtocolError, self.read, raw)
        self.assertRaises(RemoteProtocolError, self.read, *one_by_one(raw))

    def test_is_taken_apart(self) -> None:
        """
        Version, status, reason phrase and fields, whole and byte by byte.
        """
        raw = b"HTTP/1.0 404 Not \xe9 Found\r\nA: b\r\n\r\n"
        expected = ResponseHead(404, Fields([(b"A", b"b")]), b"Not \xe9 Found", (1, 0))
        for deliveries in ([raw], list(one_by_one(raw))):
            head = self.read(*deliveries)
            assert head is not None
            self.assertEqual(head, expected)
            self.assertEqual(head.raw, raw)

    def test_reason_phrase_may_be_missing(self) -> None:
        """
        With or without the space before it (section 4, and servers that leave it out).
        """
        for line in (b"HTTP/1.1 200", b"HTTP/1.1 200 "):
            self.assertEqual(parse_response_head(line + b"\r\n\r\n", Limits()).reason, b"")

    def test_wrong_status_lines_are_refused(self) -> None:
        """
        No other version, no status of two or four digits, no leading empty line.
        """
        for line in (
            b"HTTP/2.0 200 OK", b"HTTP/1.1 20 X", b"HTTP/1.1 2000 X", b"ICY 200 OK", b"",
            b" HTTP/1.1 200 OK", b"HTTP/1.1 200 O\x00K", b"HTTP/1.1\t200 OK", b"\r\nHTTP/1.1 200",
        ):  # fmt: skip
            self.refuse(line + b"\r\nA: b\r\n\r\n")

    def test_wrong_fields_are_refused(self) -> None:
        """
        As in requests, but for obsolete line folding.
        """
        for lines in (
            b"A : b\r\n",
            b" A: b\r\n",
            b"A\r\n",
            b": b\r\n",
            b"A: \x00\r\n",
            b"A: b\nC: d\r\n",
        ):
            self.refuse(b"HTTP/1.1 200 OK\r\n" + lines + b"\r\n")

    def test_obsolete_line_folding_becomes_a_space(self) -> None:
        """
        RFC 9112 section 5.2 asks it of a user agent.
        """
        raw = b"HTTP/1.1 200 OK\r\nA: b \r\n\t c\r\n d\r\nE: f\r\n\r\n"
        head = parse_response_head(raw, Limits())
        self.assertEqual(head.fields, Fields([(b"A", b"b c d"), (b"E", b"f")]))

    def test_length_is_bounded(self) -> None:
        """
        Start line and header section together, whether the end has come or not.
        """
        limits = Limits(start_line_max_bytes=20, header_section_max_bytes=20)
        for length, is_fine in ((40, True), (41, False)):
            raw = b"HTTP/1.1 200 OK\r\nA: ".ljust(length, b"b") + b"\r\n\r\n"
            for deliveries in ([raw], list(one_by_one(raw))):
                reader, buffer = ResponseHeadReader(limits), ReceiveBuffer()
                try:
                    for delivery in deliveries:
                        buffer.append(delivery)
                        head = reader.read(buffer)
                except RemoteProtocolError:
                    self.assertFalse(is_fine)
                else:
                    self.assertTrue(is_fine)
                    self.assertIsNotNone(head)

    @given(st.binary(max_size=60))
    @settings(deadline=None, max_examples=200)
    def test_arbitrary_bytes_are_a_head_or_a_fault(self, data: bytes) -> None:
        """
        Whatever the bytes: a head, nothing yet, or L{RemoteProtocolError}.
        """
        for prefix in (b"", b"HTTP/1.1 200 OK\r\n"):
            reader, buffer = ResponseHeadReader(Limits()), ReceiveBuffer()
            buffer.append(prefix + data + b"\r\n\r\n")
            try:
                reader.read(buffer)
            except RemoteProtocolError as error:
                self.assertIn(error.status, (400, 431))
