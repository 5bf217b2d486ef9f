"""
Tests for L{netlab.http1.resources.negotiation}.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.resources.negotiation import (
    CODINGS,
    IDENTITY,
    acceptable_codings,
    accepts_html,
    media_type_weight,
    prefers_json,
)
from netlab.http1.sansio.fields import Fields


def codings(*values: bytes, available: tuple[bytes, ...] = CODINGS) -> list[bytes]:
    """
    Order what is available by these lines of Accept-Encoding.
    """
    fields = Fields([(b"Accept-Encoding", value) for value in values])
    return list(acceptable_codings(fields, available))


def accept(*values: bytes) -> Fields:
    """
    Make a header section with these lines of Accept.
    """
    return Fields([(b"Accept", value) for value in values])


class AcceptableCodingsTests(SynchronousTestCase):
    """
    Accept-Encoding, RFC 9110 section 12.5.3.
    """

    def test_absent(self) -> None:
        """
        Who says nothing gets the plain representation.
        """
        self.assertEqual(codings(), [b"identity"])

    def test_empty(self) -> None:
        """
        An empty field wants no coding at all.
        """
        self.assertEqual(codings(b""), [b"identity"])

    def test_our_preference(self) -> None:
        """
        With equal weights ours is the order br, zstd, gzip, whatever order the client names.
        """
        self.assertEqual(
            codings(b"gzip, deflate, br, zstd"), [b"br", b"zstd", b"gzip", b"identity"]
        )

    def test_only_what_is_available(self) -> None:
        """
        A coding that is not at hand is left out.
        """
        self.assertEqual(codings(b"gzip, br, zstd", available=(b"gzip",)), [b"gzip", b"identity"])
        self.assertEqual(codings(b"deflate, compress"), [b"identity"])
        self.assertEqual(codings(b"gzip", available=()), [b"identity"])

    def test_weights(self) -> None:
        """
        The client's weights come before our order (section 12.4.2).
        """
        self.assertEqual(
            codings(b"br;q=0.1, gzip;q=0.5, zstd;q=0.499"),
            [b"gzip", b"zstd", b"br", b"identity"],
        )
        self.assertEqual(codings(b"gzip ; Q=1.000, br;\tq=0.")[0], b"gzip")

    def test_weight_of_zero(self) -> None:
        """
        A weight of 0 is a refusal, also where the coding is named again with a greater one.
        """
        self.assertEqual(codings(b"br;q=0, gzip"), [b"gzip", b"identity"])
        self.assertEqual(codings(b"br;q=0.000, gzip"), [b"gzip", b"identity"])
        self.assertEqual(codings(b"gzip;q=0, gzip;q=1"), [b"identity"])

    def test_identity_preferred(self) -> None:
        """
        The plain representation comes first where the client gives it the greater weight.
        """
        self.assertEqual(codings(b"identity, gzip;q=0.5"), [b"identity", b"gzip"])
        self.assertEqual(codings(b"gzip, identity;q=0.5"), [b"gzip", b"identity"])

    def test_identity_refused(self) -> None:
        """
        It is excluded by its own weight of 0, or by that of the asterisk.
        """
        self.assertEqual(codings(b"gzip, identity;q=0"), [b"gzip"])
        self.assertEqual(codings(b"gzip, *;q=0"), [b"gzip"])
        self.assertEqual(codings(b"identity;q=0"), [])
        self.assertEqual(codings(b"*;q=0"), [])
        self.assertEqual(codings(b"*;q=0, identity"), [b"identity"])

    def test_smallest_weight(self) -> None:
        """
        A coding with the smallest weight there is still comes before unnamed identity.
        """
        self.assertEqual(codings(b"gzip;q=0.001"), [b"gzip", b"identity"])

    def test_asterisk(self) -> None:
        """
        An asterisk stands for all codings that are not named.
        """
        self.assertEqual(codings(b"*"), [b"br", b"zstd", b"gzip", b"identity"])
        self.assertEqual(codings(b"gzip;q=0.5, *;q=0.1"), [b"gzip", b"br", b"zstd", b"identity"])
        self.assertEqual(codings(b"br;q=0, *"), [b"zstd", b"gzip", b"identity"])

    def test_names_without_case(self) -> None:
        """
        Codings have no case (section 8.4.1), and x-gzip is gzip (section 8.4.1.3).
        """
        self.assertEqual(codings(b"GZip"), [b"gzip", b"identity"])
        self.assertEqual(codings(b"x-gzip"), [b"gzip", b"identity"])

    def test_several_lines(self) -> None:
        """
        Several lines are one list (section 5.3).
        """
        self.assertEqual(codings(b"gzip;q=0.5", b"br"), [b"br", b"gzip", b"identity"])

    def test_malformed(self) -> None:
        """
        A field that breaks the grammar anywhere gets the plain representation.
        """
        for value in (
            b"gzip;q=2",
            b"gzip;q=1.001",
            b"gzip;q=0.1234",
            b"gzip;q=-1",
            b"gzip;q=.5",
            b"gzip;q=",
            b"gzip;q",
            b"gzip;",
            b"gzip;q =1",
            b"gzip;q= 1",
            b"gzip;level=1",
            b"gzip;q=1;q=1",
            b"gzip br",
            b"gz/ip",
            b'"gzip"',
            b"gzip, br;q=x",
            b";q=1",
            b"g\xffzip",
        ):
            with self.subTest(value=value):
                self.assertEqual(codings(value), [b"identity"])

    @settings(deadline=None, max_examples=200)
    @given(st.one_of(st.binary(max_size=40), st.text("gzipbr*q;=01., ").map(str.encode)))
    def test_any_value(self, value: bytes) -> None:
        """
        Any bytes give some of what is available, each at most once.
        """
        fields = Fields.known([(b"Accept-Encoding", value)])
        result = acceptable_codings(fields, (b"gzip", b"br"))
        self.assertEqual(len(set(result)), len(result))
        self.assertLessEqual(set(result), {b"gzip", b"br", IDENTITY})

    def test_long_values(self) -> None:
        """
        A value that fills a whole header section is read as well as a short one.
        """
        self.assertEqual(codings(b"a," * 8000 + b"gzip"), [b"gzip", b"identity"])
        self.assertEqual(codings(b"," * 16000 + b"br"), [b"br", b"identity"])
        self.assertEqual(codings(b"gzip" + b" " * 16000 + b";q=0.5x"), [b"identity"])


class MediaTypeWeightTests(SynchronousTestCase):
    """
    Accept, RFC 9110 section 12.5.1.
    """

    def test_section_example(self) -> None:
        """
        The most specific media range decides, as in the table of the section.
        """
        fields = accept(b"text/*;q=0.3, text/plain;q=0.7, text/x-c;q=1, */*;q=0.5")
        for media_type, weight in (
            (b"text/plain", 700),
            (b"text/html", 300),
            (b"text/x-c", 1000),
            (b"image/jpeg", 500),
        ):
            with self.subTest(media_type=media_type):
                self.assertEqual(media_type_weight(fields, media_type), weight)

    def test_absent_or_malformed(self) -> None:
        """
        Without the field, or where it breaks the grammar, all is acceptable.
        """
        for fields in (
            accept(),
            accept(b""),
            accept(b"html"),
            accept(b"*/html;q=0"),
            accept(b"text/html;q=2"),
            accept(b"application/json, text/html;q"),
            accept(b'text/html;a="b'),
        ):
            with self.subTest(fields=fields):
                self.assertEqual(media_type_weight(fields, b"text/html"), 1000)

    def test_not_named(self) -> None:
        """
        What no media range covers is not acceptable.
        """
        self.assertEqual(media_type_weight(accept(b"image/png"), b"text/html"), 0)

    def test_parameters(self) -> None:
        """
        Parameters are passed over, quoted strings with commas, semicolons and a weight too; what
        stands behind the weight as well, since RFC 7231 let it.
        """
        self.assertEqual(
            media_type_weight(accept(b'text/html;a="b,\\";q=1";q=0.5'), b"text/html"), 500
        )
        self.assertEqual(media_type_weight(accept(b"text/html;q=0.5;a=b"), b"text/html"), 500)
        self.assertEqual(
            media_type_weight(accept(b"text/html ; level=1 ; Q=0.1 , a/b"), b"text/html"), 100
        )

    def test_names_without_case(self) -> None:
        """
        Types and subtypes have no case (section 8.3.1).
        """
        self.assertEqual(media_type_weight(accept(b"Text/HTML;q=0.2"), b"text/html"), 200)

    def test_several_lines(self) -> None:
        """
        Several lines are one list (section 5.3).
        """
        fields = accept(b"text/html;q=0.2", b"*/*;q=0.1")
        self.assertEqual(media_type_weight(fields, b"text/html"), 200)
        self.assertEqual(media_type_weight(fields, b"image/png"), 100)

    def test_long_values(self) -> None:
        """
        A value that fills a whole header section is read as well as a short one.
        """
        for value in (
            b"a/b," * 4000 + b"text/html;q=0.2",
            b'text/html;a="' + b" " * 16000 + b'";q=0.2',
            b"text/html" + b";" * 16000 + b"q=0.2",
            b"text/html" + b" " * 16000 + b";q=0.2",
        ):
            self.assertEqual(media_type_weight(accept(value), b"text/html"), 200)

    @settings(deadline=None, max_examples=200)
    @given(st.one_of(st.binary(max_size=40), st.text('ab*/q;=01., "\\').map(str.encode)))
    def test_any_value(self, value: bytes) -> None:
        """
        Any bytes give a weight from 0 to 1000.
        """
        fields = Fields.known([(b"Accept", value)])
        self.assertIn(media_type_weight(fields, b"a/b"), range(1001))


class HtmlOrJsonTests(SynchronousTestCase):
    """
    The two choices made by Accept.
    """

    BROWSER = b"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"

    def test_json(self) -> None:
        """
        JSON goes to who likes it better than HTML.
        """
        for value in (
            b"application/json",
            b"application/json, text/plain, */*;q=0.9",
            b"text/html;q=0.5, application/json",
            b"application/*",
        ):
            with self.subTest(value=value):
                self.assertTrue(prefers_json(accept(value)))

    def test_html(self) -> None:
        """
        HTML goes to a browser, to who likes both alike, and to who says nothing.
        """
        for fields in (
            accept(),
            accept(self.BROWSER),
            accept(b"*/*"),
            accept(b"text/html, application/json"),
            accept(b"application/json;q=0.5, text/html"),
            accept(b"image/png"),
            accept(b"application/json;q=0"),
            accept(b"malformed"),
        ):
            with self.subTest(fields=fields):
                self.assertFalse(prefers_json(fields))

    def test_accepts_html(self) -> None:
        """
        A page may be sent to a browser's navigation, to who takes anything and to who says nothing,
        not to who wants an image or a style sheet.
        """
        for fields in (accept(), accept(self.BROWSER), accept(b"*/*"), accept(b"text/*;q=0.1")):
            with self.subTest(fields=fields):
                self.assertTrue(accepts_html(fields))
        for fields in (
            accept(b"application/json"),
            accept(b"image/avif,image/webp,image/*"),
            accept(b"text/html;q=0, */*"),
        ):
            with self.subTest(fields=fields):
                self.assertFalse(accepts_html(fields))
