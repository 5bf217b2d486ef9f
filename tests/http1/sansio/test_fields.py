"""
L{netlab.http1.sansio.fields}: header and trailer sections.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.sansio.errors import LocalProtocolError, RemoteProtocolError
from netlab.http1.sansio.fields import NO_FIELDS, Fields, parse_fields

NAMES = st.from_regex(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,8}", fullmatch=True)
VALUES = st.from_regex(
    rb"([\x21-\x7e\x80-\xff]([\t\x20-\x7e\x80-\xff]{0,8}[\x21-\x7e\x80-\xff])?)?", fullmatch=True
)
LINES = st.lists(st.tuples(NAMES, VALUES), max_size=6)


class FieldsTests(SynchronousTestCase):
    """
    RFC 9110 section 5.
    """

    def test_names_are_compared_without_case(self) -> None:
        """
        A field is found by its name in lower case, whatever case it came in (section 5.1).
        """
        fields = Fields([(b"HoSt", b"a")])
        self.assertIn(b"host", fields)
        self.assertEqual(fields.get(b"host"), b"a")
        self.assertEqual(list(fields), [(b"HoSt", b"a")])

    def test_lines_of_one_name_join_with_a_comma(self) -> None:
        """
        Several lines are one list, in their order (section 5.3).
        """
        fields = Fields([(b"A", b"1"), (b"B", b"x"), (b"a", b"2, 3"), (b"A", b"")])
        self.assertEqual(fields.get(b"a"), b"1, 2, 3, ")
        self.assertEqual(fields.get_all(b"a"), (b"1", b"2, 3", b""))

    def test_missing_field(self) -> None:
        """
        A field that is not there has no value, no lines and no elements.
        """
        self.assertIsNone(NO_FIELDS.get(b"a"))
        self.assertEqual(NO_FIELDS.get_all(b"a"), ())
        self.assertEqual(NO_FIELDS.tokens(b"a"), frozenset())
        self.assertNotIn(b"a", NO_FIELDS)
        self.assertNotIn("a", NO_FIELDS)

    def test_tokens_are_in_lower_case(self) -> None:
        """
        Connection options are compared without case, over all lines (section 7.6.1).
        """
        fields = Fields([(b"Connection", b"Close,\tX"), (b"connection", b" , keep-alive".strip())])
        self.assertEqual(fields.tokens(b"connection"), {b"close", b"x", b"keep-alive"})

    def test_are_values(self) -> None:
        """
        Equal lines in equal order are equal fields with an equal hash; nothing else is equal.
        """
        a, b = Fields([(b"A", b"1"), (b"B", b"2")]), Fields([(b"A", b"1"), (b"B", b"2")])
        self.assertEqual((a, hash(a)), (b, hash(b)))
        self.assertNotEqual(a, Fields([(b"B", b"2"), (b"A", b"1")]))
        self.assertNotEqual(a, a.lines)
        self.assertEqual(repr(Fields([(b"A", b"1")])), "Fields([(b'A', b'1')])")

    def test_serialises_each_line_with_crlf(self) -> None:
        """
        A line is name, colon, space, value, CRLF; the text is made once.
        """
        fields = Fields([(b"A", b"1"), (b"B", b"")])
        self.assertEqual(fields.serialised, b"A: 1\r\nB: \r\n")
        self.assertIs(fields.serialised, fields.serialised)

    def test_line_that_could_split_a_response_is_refused(self) -> None:
        """
        CR, LF, NUL and other control bytes in a value of ours would let its source write field
        lines or a whole response (section 5.5).
        """
        for value in (b"a\r\nX: y", b"a\nb", b"a\rb", b"\x00", b"a\x7f", b"\x1b[0m"):
            with self.assertRaises(LocalProtocolError):
                Fields([(b"Location", value)])

    def test_name_that_is_no_token_is_refused(self) -> None:
        """
        A name of ours is a token.
        """
        for name in (b"", b"A:", b"A B", b"A\r\n", b"\xe9", b"(A)"):
            with self.assertRaises(LocalProtocolError):
                Fields([(name, b"v")])

    def test_white_space_around_a_value_is_refused(self) -> None:
        """
        The reader would take it away, so it is a mistake to send it.
        """
        for value in (b" a", b"a ", b"\ta", b" "):
            with self.assertRaises(LocalProtocolError):
                Fields([(b"A", value)])


class ParseFieldsTests(SynchronousTestCase):
    """
    RFC 9112 section 5.
    """

    def fault(self, section: bytes, lines_max: int = 9) -> str:
        """
        Parse, and return status and words of the error.
        """
        return str(self.assertRaises(RemoteProtocolError, parse_fields, section, lines_max))

    def test_white_space_around_a_value_is_taken_away(self) -> None:
        """
        Spaces and tabs before and behind a value are no part of it, those within it are.
        """
        fields = parse_fields(b"A: \t b \tc \t\r\nB:\r\nC:d\r\nD: \t \r\n", 9)
        self.assertEqual(fields.lines, ((b"A", b"b \tc"), (b"B", b""), (b"C", b"d"), (b"D", b"")))

    def test_obsolete_bytes_pass_as_they_are(self) -> None:
        """
        obs-text, RFC 9110 section 5.5, is opaque.
        """
        self.assertEqual(parse_fields(b"A: \xff\x80\xa0\r\n", 9).get(b"a"), b"\xff\x80\xa0")

    def test_faults_are_named(self) -> None:
        """
        Each fault has words of its own and status 400.
        """
        for section, words in (
            (b"A: b\r\n c\r\n", "400 a field line begins with white space"),
            (b" A: b\r\n", "400 a field line begins with white space"),
            (b"\tA: b\r\n", "400 a field line begins with white space"),
            (b"A\r\n", "400 a field line has no colon"),
            (b": b\r\n", "400 a field line has no field name"),
            (b"A : b\r\n", "400 there is white space between a field name and its colon"),
            (b"A\t: b\r\n", "400 there is white space between a field name and its colon"),
            (b"A\xa0: b\r\n", "400 a field name holds a byte that no name may have"),
            (b"A(b): c\r\n", "400 a field name holds a byte that no name may have"),
            (b"A\x00: b\r\n", "400 a field name holds a byte that no name may have"),
            (b"A: \x00\r\n", "400 a field value holds a control byte"),
            (b"A: b\nC: d\r\n", "400 a field value holds a control byte"),
            (b"A: b\rC: d\r\n", "400 a field value holds a control byte"),
            (b"A: b\r\n\r\n", "400 the header section is malformed"),
        ):
            self.assertTrue(self.fault(section).startswith(words), (section, self.fault(section)))

    def test_lines_are_counted(self) -> None:
        """
        As many lines as the limit pass; one more is 431 (RFC 6585 section 5).
        """
        self.assertEqual(len(parse_fields(b"A: b\r\n" * 9, 9)), 9)
        self.assertTrue(self.fault(b"A: b\r\n" * 10).startswith("431"))

    @given(LINES)
    @settings(deadline=None, max_examples=200)
    def test_writing_then_reading_is_identity(self, lines: list[tuple[bytes, bytes]]) -> None:
        """
        What we may send is read back as it was.
        """
        fields = Fields(lines)
        self.assertEqual(parse_fields(fields.serialised, 9), fields)

    @given(st.binary(max_size=40))
    @settings(deadline=None, max_examples=300)
    def test_arbitrary_bytes_are_fields_or_a_fault(self, section: bytes) -> None:
        """
        Whatever the bytes: fields that may be sent again, or L{RemoteProtocolError}.
        """
        try:
            fields = parse_fields(section, 9)
        except RemoteProtocolError as error:
            self.assertIn(error.status, (400, 431))
        else:
            self.assertEqual(Fields(fields.lines), fields)
