"""
L{netlab.http1.heads}: request and response heads (RFC 9112 sections 2 to 5).
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.errors import RemoteProtocolError
from netlab.http1.fields import Fields
from netlab.http1.framing import NO_BODY, Delimited, Fixed
from netlab.http1.heads import (
    ParsedRequest,
    RequestParser,
    ResponseHeadReader,
    parse_response_head,
)
from netlab.http1.limits import Limits
from netlab.http1.messages import RequestHead, ResponseHead
from netlab.http1.receivebuffer import ReceiveBuffer
from netlab.http1.serversettings import ServerSettings
from netlab.http1.target import TargetForm
from tests.http1.deliveries import deliver, one_by_one, outcome_of

REQUEST = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"


def parse(lines: bytes, version: bytes = b"1.1", limits: Limits | None = None) -> ParsedRequest:
    """
    Parse a request for C{/} with these field lines behind its Host.
    """
    raw = b"GET / HTTP/%b\r\nHost: a\r\n%b\r\n" % (version, lines)
    return RequestParser(limits or Limits()).parse(raw)


class HeadCase(SynchronousTestCase):
    """
    What the test cases below have in common.
    """

    def refuse(
        self, data: bytes, status: int = 400, settings: ServerSettings | None = None
    ) -> None:
        """
        Expect this status as the only outcome, however the bytes are delivered.
        """
        outcome = outcome_of(data, settings)
        self.assertEqual((outcome.status, outcome.events), (status, ()), data)

    def accept(self, data: bytes, settings: ServerSettings | None = None) -> RequestHead:
        """
        Expect one complete request, however the bytes are delivered.
        """
        outcome = outcome_of(data, settings)
        self.assertIsNone(outcome.fault, data)
        self.assertEqual(len(outcome.ends), 1, data)
        return outcome.head


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


class FieldSectionTests(HeadCase):
    """
    Field lines of a request, RFC 9112 section 5.
    """

    def with_line(self, line: bytes) -> bytes:
        """
        Make a request with this line behind its Host, and another line behind it.
        """
        return b"GET / HTTP/1.1\r\nHost: a\r\n" + line + b"\r\nLast: z\r\n\r\n"

    def test_wrong_lines_are_refused(self) -> None:
        """
        Space before the colon (section 5.1), obsolete line folding (section 5.2), a name that is
        empty or no token, a line without a colon.
        """
        for line in (
            b"X : y", b"X\t: y", b" X: y", b"\tX: y", b"X: y\r\n z", b"X: y\r\n\tz", b"X: y\r\n ",
            b": y", b"X", b"X y: z", b"X\xe9: y", b"(X): y", b"X[1]: y", b'"X": y', b"X=y",
            b"X,Y: z", b"\xffX: y", b"Content-Length : 5", b"Transfer-Encoding : chunked",
            b"Content-Length\x00: 5",
        ):  # fmt: skip
            self.refuse(self.with_line(line))

    def test_first_line_that_begins_with_white_space_is_refused(self) -> None:
        """
        Section 2.2: white space between the request line and the first field.
        """
        self.refuse(b"GET / HTTP/1.1\r\n Host: a\r\n\r\n")
        self.refuse(b"GET / HTTP/1.1\r\n \r\nHost: a\r\n\r\n")

    def test_right_lines_pass(self) -> None:
        """
        Empty values, colons, tabs and obs-text within values, any token for a name.
        """
        for line in (
            b"X:",
            b"X: ",
            b"X:y",
            b"X: a:b",
            b"X:\ta\tb\t",
            b"X: \xe9\xff",
            b"!#$%&'*+-.^_`|~: y",
        ):
            self.accept(self.with_line(line))

    def test_field_lines_are_counted(self) -> None:
        """
        As many lines as the limit pass; one more is 431.
        """
        settings = ServerSettings(Limits(field_lines_max=5))
        self.accept(b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 4 + b"\r\n", settings)
        self.refuse(b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 5 + b"\r\n", 431, settings)

    def test_header_section_of_too_many_bytes(self) -> None:
        """
        A section of exactly the limit passes; one byte more is 431, also while it has not ended.
        """
        settings = ServerSettings(Limits(header_section_max_bytes=100))
        section = b"Host: a\r\nX: " + b"y" * 86 + b"\r\n"
        self.assertEqual(len(section), 100)
        self.accept(b"GET / HTTP/1.1\r\n" + section + b"\r\n", settings)
        longer = section.replace(b"X", b"XX")
        self.refuse(b"GET / HTTP/1.1\r\n" + longer + b"\r\n", 431, settings)
        self.refuse(b"GET / HTTP/1.1\r\nX: " + b"y" * 99, 431, settings)
        self.assertIsNone(outcome_of(b"GET / HTTP/1.1\r\nX: " + b"y" * 98, settings).fault)

    def test_default_limits_hold_at_full_size(self) -> None:
        """
        A header section of 16384 bytes passes and one of 16385 does not.
        """
        for length, status in ((16384, None), (16385, 431)):
            section = b"Host: a\r\nX: " + b"y" * (length - 14) + b"\r\n"
            self.assertEqual(len(section), length)
            self.assertEqual(outcome_of(b"GET / HTTP/1.1\r\n" + section + b"\r\n").status, status)

    def test_fault_met_first_is_the_one_reported(self) -> None:
        """
        With several faults in one head the answer does not depend on where the bytes are cut: the
        first one in their order counts.
        """
        settings = ServerSettings(Limits(start_line_max_bytes=40, header_section_max_bytes=60))
        for data, status in (
            (b"GET /\x00 HTTP/2.0\r\nHost: a\r\n\r\n", 400),
            (b"GET / HTTP/2.0\r\nHost: \x00\r\n\r\n", 505),
            (b"GET /\x00" + b"a" * 99 + b" HTTP/1.1\r\n\r\n", 400),
            (b"GET /" + b"a" * 99 + b"\x00 HTTP/1.1\r\n\r\n", 414),
            (b"GET /.. HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x, chunked\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nX: \x00\r\nY: " + b"a" * 99 + b"\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nY: " + b"a" * 99 + b"\x00\r\n\r\n", 431),
            (b"GET /.. HTTP/1.1\r\nY: " + b"a" * 99 + b"\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\n: y\r\nExpect: x\r\n\r\n", 400),
        ):
            self.refuse(data, status, settings)


class HostTests(HeadCase):
    """
    Host, RFC 9112 section 3.2 and RFC 9110 section 7.2.
    """

    def test_http_1_1_needs_exactly_one(self) -> None:
        """
        None and two are 400, equal ones too, in any case of the name.
        """
        self.refuse(b"GET / HTTP/1.1\r\n\r\n")
        self.refuse(b"GET / HTTP/1.1\r\nX: y\r\n\r\n")
        self.refuse(b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n")
        self.refuse(b"GET / HTTP/1.1\r\nHost: a\r\nhOST: b\r\n\r\n")
        self.accept(b"GET / HTTP/1.1\r\nhOST: a\r\n\r\n")

    def test_http_1_0_may_do_without(self) -> None:
        """
        But two, or a wrong one, are refused from HTTP/1.0 too.
        """
        self.accept(b"GET / HTTP/1.0\r\n\r\n")
        self.refuse(b"GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n")
        self.refuse(b"GET / HTTP/1.0\r\nHost: a b\r\n\r\n")

    def test_is_valid(self) -> None:
        """
        A host with an optional port: no empty host, list, userinfo, path or control byte.
        """
        for host in (
            b"", b"a, b", b"a b", b"u@a", b"a/b", b"http://a", b"a:b", b"a:80:80", b"[::1",
            b"\xe9", b"a:99999", b"a?", b"a#",
        ):  # fmt: skip
            self.refuse(b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n" % host)
        for host in (b"a", b"a:80", b"a:", b"127.0.0.1:8080", b"[::1]:8080", b"a.b.c."):
            self.accept(b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n" % host)

    def test_is_needed_and_valid_beside_absolute_form(self) -> None:
        """
        Absolute-form wins over Host (section 3.2.2), which must be there and valid all the same.
        """
        head = self.accept(b"GET http://b.example/c HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual(head.target.authority, b"b.example")
        self.refuse(b"GET http://b.example/c HTTP/1.1\r\n\r\n")
        self.refuse(b"GET http://b.example/c HTTP/1.1\r\nHost: a b\r\n\r\n")

    def test_target_forms(self) -> None:
        """
        C{OPTIONS *} is understood; asterisk and authority elsewhere are refused (section 3.2).
        """
        head = self.accept(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual(head.target.form, TargetForm.ASTERISK)
        for line in (
            b"GET *",
            b"GET a:80",
            b"GET a",
            b"CONNECT /",
            b"CONNECT a",
            b"GET ftp://a/",
            b"GET \\",
        ):
            self.refuse(line + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        # Well-formed, so it is for the server to say that it is no proxy.
        head = self.accept(b"CONNECT b:443 HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual(head.target.form, TargetForm.AUTHORITY)


class PersistenceTests(SynchronousTestCase):
    """
    RFC 9112 section 9.3.
    """

    def test_http_1_1_persists_unless_close_is_said(self) -> None:
        """
        C{close} counts anywhere in the list: any line, any case, tabs, empty elements.
        """
        for lines in (
            b"", b"Connection: keep-alive\r\n", b"Connection: upgrade\r\n", b"Connection:\r\n",
            b"Connection: closed\r\n", b"X: close\r\n", b'Connection: "close"\r\n',
        ):  # fmt: skip
            self.assertTrue(parse(lines).is_persistent, lines)
        for lines in (
            b"Connection: close\r\n", b"connection: CLOSE\r\n",
            b"Connection: keep-alive, close\r\n", b"Connection: close, keep-alive\r\n",
            b"Connection:\tclose\t,x\r\n", b"Connection: ,,close\r\n",
            b"Connection: x\r\nConnection: Close\r\n",
            b"Connection: close\r\nConnection: keep-alive\r\n",
        ):  # fmt: skip
            self.assertFalse(parse(lines).is_persistent, lines)

    def test_http_1_0_persists_only_when_asked(self) -> None:
        """
        With C{keep-alive} and without C{close}.
        """
        for lines in (b"Connection: keep-alive\r\n", b"Connection: a,\tKeep-Alive\r\n"):
            self.assertTrue(parse(lines, b"1.0").is_persistent, lines)
        for lines in (
            b"", b"Connection: close\r\n", b"Connection: keep-alive, close\r\n",
            b"Keep-Alive: 300\r\n", b"Proxy-Connection: keep-alive\r\n",
        ):  # fmt: skip
            self.assertFalse(parse(lines, b"1.0").is_persistent, lines)


class ExpectTests(SynchronousTestCase):
    """
    Expect, RFC 9110 section 10.1.1.
    """

    POST = b"Content-Length: 1\r\n"

    def test_100_continue_is_known(self) -> None:
        """
        In any case, and on an HTTP/1.1 request with content.
        """
        for value in (b"100-continue", b"100-Continue", b", 100-continue"):
            self.assertTrue(parse(self.POST + b"Expect: %b\r\n" % value).expects_continue, value)
        chunked = b"Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n"
        self.assertTrue(parse(chunked).expects_continue)
        self.assertFalse(parse(self.POST).expects_continue)

    def test_request_without_content_waits_for_nothing(self) -> None:
        """
        Where the framing says that no content follows, 100 is left out.
        """
        for lines in (b"", b"Content-Length: 0\r\n"):
            self.assertFalse(parse(lines + b"Expect: 100-continue\r\n").expects_continue)

    def test_http_1_0_expects_nothing(self) -> None:
        """
        C{100-continue} from HTTP/1.0 is ignored.
        """
        parsed = parse(self.POST + b"Expect: 100-continue\r\n", b"1.0")
        self.assertFalse(parsed.expects_continue)

    def test_unknown_expectation(self) -> None:
        """
        417 for whatever else, alone or beside C{100-continue}.
        """
        for value in (
            b"200-ok",
            b"100-continue, x",
            b"100-continue;a=b",
            b"100 continue",
            b"100-continue=1",
        ):
            line = b"Expect: %b\r\n" % value
            fault = self.assertRaises(RemoteProtocolError, parse, self.POST + line)
            self.assertEqual(fault.status, 417)


class RequestParserTests(SynchronousTestCase):
    """
    Parsing is a pure function that remembers.
    """

    def test_equal_heads_give_the_same_object(self) -> None:
        """
        A head that comes again costs no parsing.
        """
        parser = RequestParser(Limits())
        self.assertIs(parser.parse(REQUEST), parser.parse(bytes(bytearray(REQUEST))))

    def test_equal_sections_are_shared(self) -> None:
        """
        Where only the target varies, the header section is parsed once.
        """
        parser = RequestParser(Limits())
        a = parser.parse(REQUEST).head
        b = parser.parse(REQUEST.replace(b"/", b"/b", 1)).head
        self.assertIs(a.fields, b.fields)
        self.assertNotEqual(a.target, b.target)

    def test_equal_sections_of_two_versions_are_not_shared(self) -> None:
        """
        The version decides what a section means.
        """
        parser = RequestParser(Limits())
        self.assertTrue(parser.parse(REQUEST).is_persistent)
        self.assertFalse(parser.parse(REQUEST.replace(b"1.1", b"1.0")).is_persistent)

    def test_long_heads_are_not_remembered(self) -> None:
        """
        What a peer can make us hold is bounded.
        """
        parser = RequestParser(Limits())
        raw = REQUEST[:-2] + b"X: " + b"y" * 5000 + b"\r\n\r\n"
        self.assertEqual(parser.parse(raw), parser.parse(raw))
        self.assertIsNot(parser.parse(raw), parser.parse(raw))

    def test_faults_are_not_remembered_as_heads(self) -> None:
        """
        A wrong head is wrong the second time too.
        """
        parser = RequestParser(Limits())
        for _ in range(2):
            self.assertRaises(RemoteProtocolError, parser.parse, b"GET / HTTP/1.1\r\n\r\n")

    def test_framing_comes_with_the_head(self) -> None:
        """
        The framing is what L{netlab.http1.framing} finds.
        """
        self.assertEqual(parse(b"").framing, NO_BODY)
        self.assertEqual(parse(b"Content-Length: 5\r\n").framing, Fixed(5))
        self.assertEqual(parse(b"Transfer-Encoding: chunked\r\n").framing, Delimited.CHUNKED)

    def test_memory_is_bounded(self) -> None:
        """
        A flood of different heads of many lines is remembered only as far as there is room: parsed,
        each takes tens of kilobytes.
        """
        parser = RequestParser(Limits())
        lines = b"".join(b"x-%d: b\r\n" % number for number in range(150))
        for number in range(600):
            parser.parse(
                b"GET /%d HTTP/1.1\r\nHost: a\r\nA: %d\r\n%b\r\n" % (number, number, lines)
            )
        self.assertLess(len(parser._heads), 300)
        self.assertLess(len(parser._sections), 300)


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
