"""
L{netlab.http1.sansio.heads}: field lines of a request, and those that decide about its connection
(RFC 9112 sections 3.2, 5 and 9.3).
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.sansio.errors import RemoteProtocolError
from netlab.http1.sansio.limits import Limits
from netlab.http1.sansio.serversettings import ServerSettings
from netlab.http1.sansio.target import TargetForm
from tests.http1.deliveries import outcome_of
from tests.http1.heads import HeadCase, parse


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
