"""
Tests for L{netlab.http1.twistd.fieldoption}.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.sansio.fields import Fields
from netlab.http1.twistd.fieldoption import parse_field_option


class ParseFieldOptionTests(SynchronousTestCase):
    """
    A field line given as an option.
    """

    def test_name_and_value(self) -> None:
        """
        What stands before the first colon is the name, the rest without white space around it the
        value (RFC 9112 section 5).
        """
        for option, line in (
            (b"X-Frame-Options: DENY", (b"X-Frame-Options", b"DENY")),
            (b"a:b", (b"a", b"b")),
            (b"a:\t b c ", (b"a", b"b c")),
            (b"a: b: c", (b"a", b"b: c")),
            (b"a:", (b"a", b"")),
            ("a: \N{SNOWMAN}".encode(), (b"a", "\N{SNOWMAN}".encode())),
        ):
            with self.subTest(option=option):
                self.assertEqual(parse_field_option(option), line)

    def test_no_field_line(self) -> None:
        """
        Without a colon, without a name, or with a name that is no token, it is refused.
        """
        for option in (b"", b"a", b": b", b"a : b", b" a: b", b"a b: c", b"a\n: b", b"\xff: b"):
            with self.subTest(option=option):
                self.assertRaises(ValueError, parse_field_option, option)

    def test_control_bytes(self) -> None:
        """
        A value that could end its line, or holds another control byte, is refused (RFC 9110
        section 5.5).
        """
        for option in (b"a: b\r\nc: d", b"a: b\n", b"a: \x00", b"a: \x7f"):
            with self.subTest(option=option):
                error = self.assertRaises(ValueError, parse_field_option, option)
                self.assertIn("control byte", str(error))

    def test_reserved(self) -> None:
        """
        What the server writes itself is refused, whatever its case, and the message names it.
        """
        for name in (b"Content-Length", b"TRANSFER-ENCODING", b"date", b"Content-Type", b"ETag"):
            with self.subTest(name=name):
                error = self.assertRaises(ValueError, parse_field_option, name + b": x")
                self.assertIn(name.decode("ascii"), str(error))

    @settings(deadline=None, max_examples=200)
    @given(st.binary(max_size=30))
    def test_any_bytes(self, option: bytes) -> None:
        """
        Any bytes are refused with one sentence in ASCII, or make a valid field line.
        """
        try:
            line = parse_field_option(option)
        except ValueError as error:
            self.assertTrue(str(error).isascii() and str(error).isprintable())
        else:
            Fields([line])
