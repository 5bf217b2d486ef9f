"""
L{netlab.http1.sansio.grammar}: each pattern at its edges.
"""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.sansio import grammar
from netlab.http1.sansio.grammar import (
    ABSOLUTE_FORM,
    CHUNK_LINE,
    CONTROL_BYTE,
    FIELD_LINE,
    FIELD_LINES,
    MISPLACED_BYTE,
    PATH_AND_QUERY,
    START_LINE_VERSION,
    STATUS_LINE,
    is_authority,
    is_token,
    parse_decimal,
    split_list,
)

TCHARS = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""tchar as RFC 9110 section 5.6.2 lists it."""


def bytes_matched(pattern: re.Pattern[bytes], before: bytes = b"", behind: bytes = b"") -> set[int]:
    """
    Find which single bytes a pattern takes between two texts.
    """
    return {b for b in range(256) if pattern.fullmatch(before + bytes([b]) + behind)}


class TokenTests(SynchronousTestCase):
    """
    token, RFC 9110 section 5.6.2.
    """

    def test_holds_exactly_the_tchars(self) -> None:
        """
        Of the 256 bytes a token takes the 77 of the rule and no other.
        """
        self.assertEqual({b for b in range(256) if is_token(bytes([b]))}, set(TCHARS))
        self.assertEqual(len(set(TCHARS)), 77)

    def test_is_not_empty(self) -> None:
        """
        No byte is no token.
        """
        self.assertFalse(is_token(b""))

    def test_does_not_end_before_a_line_feed(self) -> None:
        """
        C{$} of a pattern would match before a last LF; a token does not.
        """
        self.assertFalse(is_token(b"GET\n"))


class FieldLineTests(SynchronousTestCase):
    """
    field-line, RFC 9112 section 5.
    """

    def test_value_takes_tab_visible_bytes_and_obs_text(self) -> None:
        """
        A value takes HTAB, SP, VCHAR and obs-text, RFC 9110 section 5.5: no control byte.
        """
        allowed = {9, *range(0x20, 0x7F), *range(0x80, 0x100)}
        self.assertEqual(bytes_matched(FIELD_LINES, b"A: b", b"c\r\n"), allowed)

    def test_name_is_a_token(self) -> None:
        """
        A name takes tchars alone: no space before the colon, no control byte, no obs-text.
        """
        # A colon there begins the value.
        self.assertEqual(bytes_matched(FIELD_LINES, b"A", b":v\r\n"), {*TCHARS, ord(":")})

    def test_no_lines_are_a_section(self) -> None:
        """
        A header section may be empty.
        """
        self.assertIsNotNone(FIELD_LINES.fullmatch(b""))

    def test_line_that_is_not_complete_is_refused(self) -> None:
        """
        Behind complete lines the beginning of another one is refused at whatever byte it stops.
        (The re module of Python 3.11.0 to 3.11.4 lets some pass in a possessive group.)
        """
        line = b"Foo: bar\r\n"
        for end in range(1, len(line)):
            self.assertIsNone(FIELD_LINES.fullmatch(b"Host: x\r\n" + line[:end]), line[:end])

    def test_lines_found_one_by_one_are_all_there_is(self) -> None:
        """
        What C{FIELD_LINE} finds in a valid section joins to that section.
        """
        section = b"A:\r\nB: b \r\nC:\t:c\r\n"
        found = FIELD_LINE.findall(section)
        self.assertEqual(b"".join(b"%b:%b\r\n" % line for line in found), section)


class StartLineTests(SynchronousTestCase):
    """
    HTTP-version and status-line, RFC 9112 sections 2.3 and 4.
    """

    def test_version_is_one_digit_dot_one_digit(self) -> None:
        """
        No sign, no second digit, no white space, no other case.
        """
        for good in (b"HTTP/1.1", b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2.0"):
            self.assertIsNotNone(START_LINE_VERSION.fullmatch(good), good)
        for bad in (
            b"http/1.1", b"HTTP/1", b"HTTP/1.", b"HTTP/1.10", b"HTTP/01.1", b"HTTP/1.1\n",
            b"HTTP/ 1.1", b"HTTP/+1.1", b"HTTP/1,1", b"HTTP/-1.1", b"HTTP/1.1 ",
            "HTTP/１.1".encode(), b"HTCPCP/1.0",
        ):  # fmt: skip
            self.assertIsNone(START_LINE_VERSION.fullmatch(bad), bad)

    def test_status_has_three_digits(self) -> None:
        """
        A status code is 100 to 999; the reason phrase, and the space before it, may be missing.
        """
        for good in (
            b"HTTP/1.1 200 OK",
            b"HTTP/1.1 200 ",
            b"HTTP/1.1 200",
            b"HTTP/1.0 999 \xe9\t!",
        ):
            self.assertIsNotNone(STATUS_LINE.fullmatch(good), good)
        for bad in (
            b"HTTP/1.1 20 OK", b"HTTP/1.1 2000", b"HTTP/1.1 099 X", b"HTTP/1.1  200 OK",
            b"HTTP/1.1 200OK", b"HTTP/1.1 +20 X", b"HTTP/1.1 200 \x00", b"HTTP/1.1 200 OK\n",
        ):  # fmt: skip
            self.assertIsNone(STATUS_LINE.fullmatch(bad), bad)


class ControlByteTests(SynchronousTestCase):
    """
    What may stand nowhere, and what only in its place.
    """

    def test_control_bytes_are_the_32_and_del_without_tab(self) -> None:
        """
        HTAB alone of the control bytes may stand in a line.
        """
        self.assertEqual(bytes_matched(CONTROL_BYTE), {*range(32), 0x7F} - {9})

    def test_cr_and_lf_are_in_place_only_together(self) -> None:
        """
        A bare LF or CR is misplaced (RFC 9112 section 2.2); a CR at the end waits for its LF.
        """
        for fine in (b"a\r\nb", b"a\r", b"\r\n\r\n", b"\r\n\r", b""):
            self.assertIsNone(MISPLACED_BYTE.search(fine), fine)
        for wrong in (b"a\nb", b"\n", b"a\rb", b"\r\r\n", b"\n\r", b"\r\n\n", b"a\x00", b"\x7f"):
            self.assertIsNotNone(MISPLACED_BYTE.search(wrong), wrong)


class PathAndQueryTests(SynchronousTestCase):
    """
    absolute-path [ "?" query ], RFC 9112 section 3.2.1.
    """

    def test_path_takes_pchar_slash_and_what_browsers_leave(self) -> None:
        """
        A path takes RFC 3986's pchar, the slash, and | [ ] which browsers do not encode.
        """
        expected = set(
            b"/ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@"
        )
        self.assertEqual(bytes_matched(PATH_AND_QUERY, b"/", b"x"), expected | set(b"|[]?"))

    def test_query_takes_more(self) -> None:
        r"""
        A query takes also slash and question mark, and { } \\ ^ ` which browsers do not encode.
        """
        path = bytes_matched(PATH_AND_QUERY, b"/", b"x")
        self.assertEqual(bytes_matched(PATH_AND_QUERY, b"/?", b"x"), path | set(b"{}\\^`"))

    def test_percent_encoding_has_two_hexadecimal_digits(self) -> None:
        """
        Everything else behind a percent sign is refused, at the end too.
        """
        for good in (b"/%41", b"/%aF%00", b"/?%41", b"/%2e/%2F?%3f"):
            self.assertIsNotNone(PATH_AND_QUERY.fullmatch(good), good)
        for bad in (
            b"/%",
            b"/%4",
            b"/%4g",
            b"/%%41",
            b"/a%",
            b"/a/%4",
            b"/?%",
            b"/?a%4",
            b"/%u0041",
        ):
            self.assertIsNone(PATH_AND_QUERY.fullmatch(bad), bad)

    def test_begins_with_a_slash(self) -> None:
        """
        A path without a leading slash is none.
        """
        for bad in (b"", b"a", b"?a", b"*", b"%2f"):
            self.assertIsNone(PATH_AND_QUERY.fullmatch(bad), bad)

    def test_absolute_form_is_scheme_authority_and_rest(self) -> None:
        """
        Http and https in any case, two slashes, no fragment (RFC 9110 section 4.2).
        """
        match = ABSOLUTE_FORM.fullmatch(b"HtTp://a:80/b?c")
        assert match is not None
        self.assertEqual(match.groups(), (b"HtTp", b"a:80", b"/b?c"))
        for bad in (b"http:/a", b"ftp://a/", b"http//a", b"http://a/#b", b"://a"):
            self.assertIsNone(ABSOLUTE_FORM.fullmatch(bad), bad)


class AuthorityTests(SynchronousTestCase):
    """
    uri-host [ ":" port ], RFC 9110 section 4.2 and RFC 3986 section 3.2.
    """

    def test_accepts_names_and_addresses(self) -> None:
        """
        Registered names, IPv4, IPv6 in brackets, IPvFuture; a port may be there and may be empty.
        """
        for good in (
            b"localhost", b"a.example", b"a.example.", b"127.0.0.1:8080", b"[::1]", b"[::1]:80",
            b"[::ffff:1.2.3.4]:443", b"a:", b"a:0", b"a:65535", b"a_b", b"%41", b"xn--nxasmq6b",
            b"[v1.a:b]",
        ):  # fmt: skip
            self.assertTrue(is_authority(good), good)

    def test_refuses_what_two_readers_could_take_for_two_hosts(self) -> None:
        """
        No empty host, userinfo, path, white space, list with a space, control or non-ASCII byte.
        """
        for bad in (
            b"", b":80", b"a b", b"a, b", b"u@a", b"u:p@a", b"a/b", b"a?b", b"a#b", b"a\\b",
            b"a:b", b"a:-1", b"a:+80", b"a:65536", b"a:99999", b"a:000080", b"a:80:80", b"[::1",
            b"::1", b"[::1]80", b"[]", b"[1.2.3.4]", b"[::g]", b"[:::]", b"[fe80::1%25eth0]",
            b"[::1/64]", b"\xe9", b"a\x00", b"%4", b"%", b"a\t", b"<a>", b'"a"', b"[v.a]",
            b"[vg.a]", b"[1::2::3]",
        ):  # fmt: skip
            self.assertFalse(is_authority(bad), bad)


class DecimalTests(SynchronousTestCase):
    """
    1*DIGIT, RFC 9110 section 8.6.
    """

    def test_reads_digits(self) -> None:
        """
        Leading zeros change nothing.
        """
        for value, number in (
            (b"0", 0), (b"7", 7), (b"0042", 42), (b"9" * 19, 10**19 - 1), (b"0" * 20, 0),
            (b"0" * 10_000 + b"5", 5),
        ):  # fmt: skip
            self.assertEqual(parse_decimal(value), number)

    def test_refuses_what_int_takes(self) -> None:
        """
        C{int()} takes signs, underscores, white space and other scripts' digits; the rule does not.
        """
        for bad in (
            b"", b"+1", b"-1", b"-0", b"1_0", b" 1", b"1 ", b"\t1", b"1\n", b"0x1", b"1.0", b"1e3",
            b"\xb2", "١".encode(), "１".encode(), b"1,1", b"9" * 20, b"1" * 5000, b"0" * 20 + b"x",
        ):  # fmt: skip
            self.assertIsNone(parse_decimal(bad), bad)


class ChunkLineTests(SynchronousTestCase):
    """
    chunk-size [ chunk-ext ], RFC 9112 section 7.1.
    """

    def test_accepts_sizes_and_extensions(self) -> None:
        """
        An extension has a name and perhaps a value, a token or a quoted string, with optional
        white space before and behind the semicolon and the equals sign.
        """
        for good in (
            b"0", b"1a", b"FF", b"00005", b"5;a", b"5;a=b", b"5 ; a = b", b"5;a;b=c;d", b'5;a="x"',
            b'5;a="x;y=\\"z\\\\"', b'5;a="\xe9"', b'5;a=""', b'5\t;\ta\t=\t"b c"',
        ):  # fmt: skip
            self.assertIsNotNone(CHUNK_LINE.fullmatch(good), good)

    def test_refuses_what_other_readers_take_for_a_size(self) -> None:
        """
        No sign, prefix, underscore, white space around, other digits; no half of an extension.
        """
        for bad in (
            b"", b"g", b"+5", b"-5", b"0x5", b"5_0", b" 5", b"5 ", b"5\t", b"5;", b"5 ;", b"5;;a",
            b"5;a=", b'5;a="', b'5;a="x', b'5;a="x\\"', b'5;a="x"y', b"5;a=b ; ", b"5;a=b ;",
            b"5,a", b"5 a", b"5;a b", b"5\x00", b"5\r", b"5\n", b"5;\x0ba", "５".encode(),
            b"5;a=\xe9", b'5;"a"=b', b'5;a="\x7f"',
        ):  # fmt: skip
            self.assertIsNone(CHUNK_LINE.fullmatch(bad), bad)


class ListTests(SynchronousTestCase):
    """
    #element, RFC 9110 section 5.6.1.
    """

    def test_elements_over_several_lines(self) -> None:
        """
        White space around elements and empty elements are left out, over all lines in order.
        """
        values = (b"a, b ,\tc", b"", b" , ,", b"d")
        self.assertEqual(split_list(values), [b"a", b"b", b"c", b"d"])

    def test_white_space_is_space_and_tab_alone(self) -> None:
        r"""
        A vertical tab is no optional white space: C{"\\x0bchunked"} is not C{"chunked"}.
        """
        self.assertEqual(split_list((b"\x0bchunked",)), [b"\x0bchunked"])


class PatternsAreLinearTests(SynchronousTestCase):
    """
    No pattern gives back what it has taken.
    """

    def patterns(self) -> dict[str, re.Pattern[bytes]]:
        """
        Find all compiled patterns of the module.
        """
        return {k: v for k, v in vars(grammar).items() if isinstance(v, re.Pattern)}

    def test_there_are_patterns(self) -> None:
        """
        The next tests look at something.
        """
        self.assertGreater(len(self.patterns()), 9)

    def test_repetitions_are_possessive_or_atomic(self) -> None:
        """
        Each unbounded repetition of a class is possessive, and of a group stands in an atomic
        group; a possessive group, which Python before 3.11.5 matches wrongly, does not occur.
        """
        for name, pattern in self.patterns().items():
            text = re.sub(rb"\\.", b"x", pattern.pattern)  # escaped brackets and stars
            classes = re.sub(rb"\[[^\]]*\]", b"C", text)
            self.assertNotRegex(classes, rb"C[*+](?!\+)", name)
            self.assertNotRegex(classes, rb"\)[*+]\+", name)
            for end in re.finditer(rb"\)[*+]", classes):
                self.assertEqual(classes[end.end() : end.end() + 1], b")", name)


class OldReadingTests(SynchronousTestCase):
    """
    The atomic patterns say what plain, backtracking ones say.
    """

    @given(st.text('5;a= \t"\\b', max_size=12))
    @settings(deadline=None, max_examples=300)
    def test_chunk_lines(self, text: str) -> None:
        """
        A chunk line matches exactly where the rule written down plainly does.
        """
        plain = re.compile(
            rb"[0-9A-Fa-f]+([ \t]*;[ \t]*[5ab]+([ \t]*=[ \t]*"
            rb'([5ab]+|"([\t \x21\x23-\x5b\x5d-\x7e]|\\[\t\x20-\x7e])*"))?)*'
        )
        line = text.encode()
        self.assertEqual(bool(CHUNK_LINE.fullmatch(line)), bool(plain.fullmatch(line)), line)

    @given(st.text("/a%4?", max_size=10))
    @settings(deadline=None, max_examples=300)
    def test_paths(self, text: str) -> None:
        """
        A path and query matches exactly where the rule written down plainly does.
        """
        plain = re.compile(rb"(?:/(?:[a4]|%[4a]{2})*)+(?:\?(?:[a4/?]|%[4a]{2})*)?")
        line = text.encode()
        self.assertEqual(bool(PATH_AND_QUERY.fullmatch(line)), bool(plain.fullmatch(line)), line)
