"""
Tests for L{netlab.http1.sansio.heads}: remembered field lines change nothing but the time taken.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.sansio.errors import RemoteProtocolError
from netlab.http1.sansio.fields import parse_fields
from netlab.http1.sansio.heads import (
    LINE_MAX_BYTES,
    LINES_MAX,
    REMEMBERED_FIELDS,
    FieldLineMemory,
    RequestParser,
)
from netlab.http1.sansio.limits import Limits
from netlab.http1.sansio.target import parse_target

SECRETS = (
    b"Authorization: Basic dXNlcjpwYXNz",
    b"Proxy-Authorization: Basic dXNlcjpwYXNz",
    b"Cookie: session=secret",
    b"Set-Cookie: session=secret",
    b"Referer: http://a.example/?token=secret",
    b'If-None-Match: "secret"',
    b"X-Api-Key: secret",
    b"X-Forwarded-For: 192.0.2.1",
)


class FieldLineMemoryTests(SynchronousTestCase):
    """
    What is remembered: little, short, and no secret.
    """

    def test_known(self) -> None:
        """
        A line that has been read is known, with its name in lower case and its value stripped.
        """
        memory = FieldLineMemory()
        read = memory.read(b"Accept-Language:\t en-GB ")
        self.assertEqual(read, (b"accept-language", (b"en-GB",)))
        self.assertIs(memory.known[b"Accept-Language:\t en-GB "], read)

    def test_no_secrets(self) -> None:
        """
        What may be a secret is read and leaves nothing behind, whatever its case.
        """
        memory = FieldLineMemory()
        for line in SECRETS:
            for spelled in (line, line.upper(), line.lower()):
                read = memory.read(spelled)
                assert read is not None
                self.assertNotIn(read[0], REMEMBERED_FIELDS)
        self.assertEqual(memory.known, {})

    def test_no_faults(self) -> None:
        """
        What is no field line is not remembered.
        """
        memory = FieldLineMemory()
        for line in (b"", b"Accept", b"Accept : a", b" Accept: a", b"Accept: a\x00", b"Accept: \r"):
            self.assertIsNone(memory.read(line))
        self.assertEqual(memory.known, {})

    def test_line_length(self) -> None:
        """
        A line of the longest length is remembered, a longer one is not.
        """
        memory = FieldLineMemory()
        line = b"Accept: " + b"a" * (LINE_MAX_BYTES - 8)
        memory.read(line + b"a")
        self.assertEqual(memory.known, {})
        memory.read(line)
        self.assertEqual(list(memory.known), [line])

    def test_flood(self) -> None:
        """
        A flood of different lines never takes more than its bound.
        """
        memory = FieldLineMemory()
        most = 0
        for number in range(3 * LINES_MAX):
            memory.read(b"User-Agent: %d" % number)
            most = max(most, len(memory.known))
        self.assertEqual(most, LINES_MAX)


class EqualityTests(SynchronousTestCase):
    """
    A parser that has read anything before parses as one that has read nothing.
    """

    LINES = (
        b"Host: a",
        b"Host: b",
        b"Host: ",
        b"Host: a b",
        b"Accept: */*",
        b"Accept:*/*\t",
        b"accept: text/html",
        b"Connection: keep-alive",
        b"Connection: close",
        b"Connection: close, x",
        b"Cookie: a=b",
        b"Content-Length: 3",
        b"Content-Length: x",
        b"Transfer-Encoding: chunked",
        b"Expect: 100-continue",
        b"Expect: x",
        b"X: ",
        b"no colon",
        b" folded: a",
        b"Name : a",
        b"A: \x7f",
    )

    @staticmethod
    def outcome(parser: RequestParser, raw: bytes) -> object:
        """
        Say all that there is to say of a head, or what is wrong with it.
        """
        try:
            parsed = parser.parse(raw)
        except RemoteProtocolError as fault:
            return fault.status, fault.explanation
        return parsed, parsed.head.fields.lines, parsed.head.fields.index, parsed.head.raw

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(
                    (
                        b"GET / HTTP/1.1",
                        b"GET /a?b%20 HTTP/1.0",
                        b"GET /a%2fb HTTP/1.1",
                        b"GET /../x HTTP/1.1",
                        b"GET /.well-known HTTP/1.1",
                        b"CONNECT /a HTTP/1.1",
                        b"CONNECT a:1 HTTP/1.1",
                        b"OPTIONS * HTTP/1.1",
                        b"GET /a HTTP/1.2",
                        b"GET /a HTTP/2.0",
                        b"GET  /a HTTP/1.1",
                        b"G@T /a HTTP/1.1",
                    )
                ),
                st.lists(st.sampled_from(LINES), max_size=6),
            ),
            max_size=5,
        )
    )
    @settings(deadline=None, max_examples=300)
    def test_equal(self, heads: list[tuple[bytes, list[bytes]]]) -> None:
        """
        The same head or the same fault, and the same fields as L{parse_fields} and the same target
        as L{parse_target} find.
        """
        limits = Limits(field_lines_max=4)
        used = RequestParser(limits)
        for _ in range(2):
            for line, lines in heads:
                raw = b"\r\n".join((line, *lines, b"", b""))
                found = self.outcome(used, raw)
                self.assertEqual(found, self.outcome(RequestParser(limits), raw))
                try:
                    head = used.parse(raw).head
                except RemoteProtocolError:
                    continue
                section = b"".join(line + b"\r\n" for line in lines)
                fields = parse_fields(section, 4)
                self.assertEqual(head.fields, fields)
                self.assertEqual(head.fields.index, fields.index)
                target = parse_target(head.method, line.split(b" ")[1])
                self.assertEqual(head.target, target)
                self.assertEqual(head.target.segments, target.segments)
