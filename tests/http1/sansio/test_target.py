"""
L{netlab.http1.sansio.target}: request targets (RFC 9112 section 3.2).
"""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.sansio.errors import RemoteProtocolError
from netlab.http1.sansio.target import Target, TargetForm, parse_target

TARGET_TEXTS = st.text("/.%2eE5cCfF0?a*:@[]\\;=htp&", max_size=16)


def segments_of(raw: bytes) -> tuple[bytes, ...]:
    """
    Parse the target of a GET and return its path's segments.
    """
    return parse_target(b"GET", raw).segments


class FormTests(SynchronousTestCase):
    """
    The four forms.
    """

    def refuse(self, method: bytes, raw: bytes) -> None:
        """
        Expect 400.
        """
        fault = self.assertRaises(RemoteProtocolError, parse_target, method, raw)
        self.assertEqual(fault.status, 400)

    def test_origin_form(self) -> None:
        """
        A path, and a query behind the first question mark, which stays undecoded (section 3.2.1).
        """
        self.assertEqual(
            parse_target(b"GET", b"/a%20b?c=%41?d"),
            Target(TargetForm.ORIGIN, b"/a%20b", b"c=%41?d"),
        )
        self.assertEqual(parse_target(b"GET", b"/a%20b?c").segments, (b"a b",))
        self.assertEqual(parse_target(b"GET", b"/?").query, b"")
        self.assertIsNone(parse_target(b"GET", b"/").query)

    def test_absolute_form(self) -> None:
        """
        A server accepts absolute-form though clients send it to proxies (section 3.2.2); the
        scheme is compared without case, and an empty path is C{/}.
        """
        self.assertEqual(
            parse_target(b"GET", b"HTTP://a.example:80/b?c"),
            Target(TargetForm.ABSOLUTE, b"/b", b"c", b"a.example:80"),
        )
        self.assertEqual(parse_target(b"GET", b"https://a").path, b"/")
        target = parse_target(b"GET", b"http://a?b")
        self.assertEqual((target.path, target.query, target.segments), (b"/", b"b", (b"",)))

    def test_absolute_form_with_a_wrong_authority(self) -> None:
        """
        No empty host (RFC 9110 section 4.2.1), no userinfo (section 4.2.4), no fragment.
        """
        for raw in (
            b"http:///", b"http://", b"http://u@a/", b"http://a b/", b"http://a:x/", b"http://a#b",
            b"http://[::1/", b"ftp://a/", b"http:/a", b"http:a", b"mailto:a", b"//a/b\\",
            b"http://a\\b/",
        ):  # fmt: skip
            self.refuse(b"GET", raw)

    def test_asterisk_form_is_for_options_alone(self) -> None:
        """
        Section 3.2.4.
        """
        self.assertEqual(parse_target(b"OPTIONS", b"*").form, TargetForm.ASTERISK)
        for method in (b"GET", b"HEAD", b"options", b"CONNECT"):
            self.refuse(method, b"*")
        self.refuse(b"OPTIONS", b"**")
        self.refuse(b"OPTIONS", b"*?a")

    def test_options_with_absolute_form_without_path_is_asterisk_form(self) -> None:
        """
        What the last proxy would have turned into an asterisk (section 3.2.4); with a slash it is
        the root resource.
        """
        target = parse_target(b"OPTIONS", b"http://a.example:80")
        self.assertEqual((target.form, target.authority), (TargetForm.ASTERISK, b"a.example:80"))
        self.assertEqual(parse_target(b"OPTIONS", b"http://a/").form, TargetForm.ABSOLUTE)

    def test_authority_form_is_for_connect_alone(self) -> None:
        """
        CONNECT has a host and a port and nothing else (section 3.2.3); they mean nothing elsewhere.
        """
        target = parse_target(b"CONNECT", b"a.example:443")
        self.assertEqual((target.form, target.authority), (TargetForm.AUTHORITY, b"a.example:443"))
        self.assertEqual(parse_target(b"CONNECT", b"[::1]:1").authority, b"[::1]:1")
        for raw in (b"/", b"a.example", b"a.example:", b"[::1]", b"http://a:1/", b"u@a:1", b":1"):
            self.refuse(b"CONNECT", raw)
        self.refuse(b"GET", b"a.example:443")

    def test_bytes_that_must_be_encoded(self) -> None:
        """
        Control bytes, non-ASCII bytes, fragments, quotes and angle brackets are refused.
        """
        for byte in (*range(0x21), *b'"#<>', *range(0x7F, 0x100)):
            self.refuse(b"GET", b"/a" + bytes([byte]))
        for byte in b"{}\\^`":
            self.refuse(b"GET", b"/a" + bytes([byte]))
            self.assertEqual(parse_target(b"GET", b"/a?" + bytes([byte])).query, bytes([byte]))


class SegmentTests(SynchronousTestCase):
    """
    A path as decoded segments: decoded once, free of dots.
    """

    def refuse(self, raw: bytes) -> None:
        """
        Expect 400.
        """
        fault = self.assertRaises(RemoteProtocolError, parse_target, b"GET", raw)
        self.assertEqual(fault.status, 400)

    def test_empty_last_segment_says_that_the_path_ends_in_a_slash(self) -> None:
        """
        C{/a/} has one segment more than C{/a}; empty segments in between stay.
        """
        self.assertEqual(segments_of(b"/"), (b"",))
        self.assertEqual(segments_of(b"/a"), (b"a",))
        self.assertEqual(segments_of(b"/a/"), (b"a", b""))
        self.assertEqual(segments_of(b"//a//b"), (b"", b"a", b"", b"b"))

    def test_segments_are_decoded_once(self) -> None:
        """
        C{%252e} is the text C{%2e}, never a dot; an encoded slash stays within its segment.
        """
        self.assertEqual(segments_of(b"/%41%6a"), (b"Aj",))
        self.assertEqual(segments_of(b"/%252e%252e/a"), (b"%2e%2e", b"a"))
        self.assertEqual(segments_of(b"/a%2Fb%5cc"), (b"a/b\\c",))
        self.assertEqual(segments_of(b"/a+b"), (b"a+b",))

    def test_single_dots_stand_for_nothing(self) -> None:
        """
        RFC 3986 section 5.2.4: a dot at the end leaves the slash before it.
        """
        for raw, segments in (
            (b"/.", (b"",)), (b"/./", (b"",)), (b"/%2e", (b"",)), (b"/a/.", (b"a", b"")),
            (b"/./a", (b"a",)), (b"/a/./b", (b"a", b"b")), (b"/a/%2E/", (b"a", b"")),
            (b"/.//", (b"", b"")), (b"//.", (b"", b"")), (b"/a//.", (b"a", b"", b"")),
        ):  # fmt: skip
            self.assertEqual(segments_of(raw), segments, raw)

    def test_dots_within_a_name_are_a_name(self) -> None:
        """
        Only whole segments of one or two dots are special.
        """
        for name in (b"...", b".a", b"a.", b"..a", b"a..", b"a..b"):
            self.assertEqual(segments_of(b"/" + name), (name,))

    def test_two_dots_in_every_encoding_are_refused(self) -> None:
        """
        The way out of the root, written in all ways that decode once to two dots.
        """
        for dots in (b"..", b"%2e%2e", b"%2E.", b".%2e", b"%2e%2E"):
            for raw in (
                b"/%b",
                b"/%b/",
                b"/a/%b",
                b"/a/%b/b",
                b"/%b/etc/passwd",
                b"//%b",
                b"/.//%b",
            ):
                self.refuse(raw % dots)
            self.refuse(b"http://a/%b/b" % dots)

    def test_nul_in_every_place_is_refused(self) -> None:
        """
        A NUL would end the file name for the operating system.
        """
        for raw in (b"/%00", b"/a%00.html", b"/a/%00/", b"/%00?a"):
            self.refuse(raw)
        self.assertEqual(parse_target(b"GET", b"/a?%00").query, b"%00")

    @given(TARGET_TEXTS)
    @settings(deadline=None, max_examples=500)
    def test_segments_are_safe_and_say_what_the_path_says(self, text: str) -> None:
        """
        Whatever the target: 400, or segments without dots and NUL that decode the path's own.
        """
        try:
            target = parse_target(b"GET", b"/" + text.encode())
        except RemoteProtocolError as error:
            self.assertEqual(error.status, 400)
            return
        for segment in target.segments:
            self.assertNotIn(segment, (b".", b".."))
            self.assertNotIn(0, segment)
        decoded = [unquote_to_bytes(part) for part in target.path.split(b"/")][1:]
        ends = (b"",) if decoded[-1] in (b"", b".") else ()
        named = tuple(part for part in decoded[:-1] if part != b".")
        self.assertEqual(target.segments, named + (ends or (decoded[-1],)))

    @given(st.binary(max_size=20), st.sampled_from([b"GET", b"OPTIONS", b"CONNECT"]))
    @settings(deadline=None, max_examples=300)
    def test_arbitrary_bytes_are_a_target_or_a_fault(self, raw: bytes, method: bytes) -> None:
        """
        Whatever the bytes: a target or L{RemoteProtocolError} 400.
        """
        try:
            parse_target(method, raw)
        except RemoteProtocolError as error:
            self.assertEqual(error.status, 400)
