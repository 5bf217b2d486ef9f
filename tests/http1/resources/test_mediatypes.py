"""
Tests for L{netlab.http1.resources.mediatypes}.
"""

from __future__ import annotations

from email.message import Message

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.resources.mediatypes import _TABLE, DEFAULT_MEDIA_TYPE, MEDIA_TYPES, media_type_of
from netlab.http1.sansio.grammar import is_token


class TableTests(SynchronousTestCase):
    """
    The table as a whole, RFC 9110 section 8.3.1.
    """

    def test_every_type_is_well_formed(self) -> None:
        """
        Each is type, slash and subtype, both tokens, of a registered top-level type.
        """
        for extension, value in MEDIA_TYPES.items():
            with self.subTest(extension=extension):
                media_type = value.partition(b";")[0]
                main_type, _slash, subtype = media_type.partition(b"/")
                self.assertTrue(is_token(subtype))
                self.assertIn(
                    main_type,
                    (b"application", b"audio", b"font", b"image", b"model", b"text", b"video"),
                )

    def test_text_has_a_charset(self) -> None:
        """
        Text says that it is UTF-8, and nothing else has a charset (section 8.3.2).
        """
        for extension, value in MEDIA_TYPES.items():
            with self.subTest(extension=extension):
                message = Message()
                message["Content-Type"] = value.decode("ascii")
                is_text = message.get_content_maintype() == "text"
                self.assertEqual(message.get_param("charset"), "utf-8" if is_text else None)

    def test_extensions(self) -> None:
        """
        Extensions are in lower case, without a dot, and each stands in one line only.
        """
        listed = [word for line in _TABLE.splitlines() for word in line.split()[1:]]
        self.assertEqual(len(listed), len(set(listed)))
        for extension in MEDIA_TYPES:
            self.assertTrue(extension.isalnum())
            self.assertEqual(extension, extension.lower())


class MediaTypeOfTests(SynchronousTestCase):
    """
    A file's name to its media type.
    """

    def test_what_the_web_is_made_of(self) -> None:
        """
        The types are those which browsers insist on: RFC 9239 for scripts, the WHATWG's MIME
        Sniffing for modules and fonts, IANA's registry for the rest.
        """
        for name, value in (
            (b"index.html", b"text/html; charset=utf-8"),
            (b"a.htm", b"text/html; charset=utf-8"),
            (b"a.css", b"text/css; charset=utf-8"),
            (b"a.js", b"text/javascript; charset=utf-8"),
            (b"a.mjs", b"text/javascript; charset=utf-8"),
            (b"a.txt", b"text/plain; charset=utf-8"),
            (b"a.md", b"text/markdown; charset=utf-8"),
            (b"a.csv", b"text/csv; charset=utf-8"),
            (b"a.vtt", b"text/vtt; charset=utf-8"),
            (b"a.json", b"application/json"),
            (b"a.map", b"application/json"),
            (b"a.webmanifest", b"application/manifest+json"),
            (b"a.wasm", b"application/wasm"),
            (b"a.xml", b"application/xml"),
            (b"a.pdf", b"application/pdf"),
            (b"a.svg", b"image/svg+xml"),
            (b"a.png", b"image/png"),
            (b"a.jpg", b"image/jpeg"),
            (b"a.webp", b"image/webp"),
            (b"a.avif", b"image/avif"),
            (b"favicon.ico", b"image/vnd.microsoft.icon"),
            (b"a.woff2", b"font/woff2"),
            (b"a.mp4", b"video/mp4"),
            (b"a.webm", b"video/webm"),
            (b"a.mp3", b"audio/mpeg"),
            (b"a.zip", b"application/zip"),
        ):
            with self.subTest(name=name):
                self.assertEqual(media_type_of(name), value)

    def test_unknown(self) -> None:
        """
        Without an extension, or with one that nobody knows, a file is only bytes.
        """
        for name in (b"README", b"a.unknown", b"a.", b"", b".", b"a.html~", b"a.html ", b"a.\xff"):
            with self.subTest(name=name):
                self.assertEqual(media_type_of(name), DEFAULT_MEDIA_TYPE)

    def test_case(self) -> None:
        """
        The case of an extension does not matter.
        """
        self.assertEqual(media_type_of(b"A.HTML"), media_type_of(b"a.html"))
        self.assertEqual(media_type_of(b"A.JpEg"), b"image/jpeg")

    def test_last_extension(self) -> None:
        """
        The last extension decides: a compressed file is what it is when asked for by its own name.
        """
        self.assertEqual(media_type_of(b"a.tar.gz"), b"application/gzip")
        self.assertEqual(media_type_of(b"a.html.gz"), b"application/gzip")
        self.assertEqual(media_type_of(b"a.html.zst"), b"application/zstd")
        self.assertEqual(media_type_of(b"a.html.br"), DEFAULT_MEDIA_TYPE)
        self.assertEqual(media_type_of(b"a.min.js"), b"text/javascript; charset=utf-8")

    def test_dotfiles(self) -> None:
        """
        A leading dot hides a file and begins no extension.
        """
        self.assertEqual(media_type_of(b".html"), DEFAULT_MEDIA_TYPE)
        self.assertEqual(media_type_of(b"..html"), DEFAULT_MEDIA_TYPE)
        self.assertEqual(media_type_of(b".config.json"), b"application/json")

    @settings(deadline=None, max_examples=100)
    @given(st.binary(max_size=20))
    def test_any_name(self, name: bytes) -> None:
        """
        Any bytes have a media type of the table, or the default one.
        """
        self.assertIn(media_type_of(name), {*MEDIA_TYPES.values(), DEFAULT_MEDIA_TYPE})
