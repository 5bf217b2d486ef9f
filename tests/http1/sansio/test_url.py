"""
URLs: what a user types and what a Location field says.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.sansio.grammar import PATH_AND_QUERY, is_authority
from netlab.http1.sansio.url import (
    URL,
    URLError,
    encode_target,
    parse_url,
    remove_dot_segments,
    resolve,
)


class ParseTests(SynchronousTestCase):
    """
    Absolute URLs.
    """

    def test_parts(self) -> None:
        """
        Scheme and host know no case, the port has a default, and an empty path is a slash.
        """
        for text, url in (
            ("http://localhost", URL("http", "localhost", 80)),
            ("HTTPS://Example.ORG/A?b#c", URL("https", "example.org", 443, b"/A?b")),
            ("http://[::1]:8080/", URL("http", "::1", 8080)),
            ("http://127.0.0.1:/x", URL("http", "127.0.0.1", 80, b"/x")),
            ("http://a?q", URL("http", "a", 80, b"/?q")),
            ("http://a/?", URL("http", "a", 80, b"/?")),
        ):
            self.assertEqual(parse_url(text), url, text)

    def test_host_field(self) -> None:
        """
        Host holds the port where it is not the scheme's own (RFC 9110 section 7.2).
        """
        for text, authority in (
            ("http://a:80/", b"a"),
            ("https://a:443/", b"a"),
            ("https://a:80/", b"a:80"),
            ("http://[::1]:8080/", b"[::1]:8080"),
        ):
            self.assertEqual(parse_url(text).authority, authority)
        self.assertEqual(str(parse_url("http://[::1]:8080/a?b")), "http://[::1]:8080/a?b")

    def test_encoding(self) -> None:
        """
        What a request target may not hold is encoded once; what is encoded already stays.
        """
        for text, target in (
            ("http://a/b c", b"/b%20c"),
            ("http://a/ü?ü", b"/%C3%BC?%C3%BC"),
            ("http://a/%20%zz", b"/%20%25zz"),
            ('http://a/"<>\\^`{|}', b"/%22%3C%3E%5C%5E%60%7B|%7D"),
        ):
            self.assertEqual(parse_url(text).target, target)

    def test_refused(self) -> None:
        """
        What is no http or https URL is refused with a reason.
        """
        for text, reason in (
            ("", "does not begin with"),
            ("localhost:8080", "only http and https"),
            ("/path", "does not begin with"),
            ("ftp://a/", "not ftp"),
            ("file:///etc/passwd", "not file"),
            ("http:///x", "names no host"),
            ("http://:80/x", "names no host"),
            ("http:a", "no host"),
            ("http://a:0/", "port"),
            ("http://a:65536/", "port"),
            ("http://a:x/", "host"),
            ("http://u:p@a/", "user name"),
            ("http://a/\r\nX: y", "control"),
            ("http://a/\x00", "control"),
            ("http://ü/", "ASCII"),
            ("http://[::1/", "host"),
            ("http://[nonsense]/", "host"),
            ("http://a%2fb/", "host"),
        ):
            with self.assertRaises(URLError) as caught:
                parse_url(text)
            self.assertIn(reason, str(caught.exception), text)


class ResolveTests(SynchronousTestCase):
    """
    References against a URL (RFC 3986 section 5.4, with http for its scheme).
    """

    def test_rfc_3986_examples(self) -> None:
        """
        The RFC's own examples, normal and abnormal, come out as it says.
        """
        base = parse_url("http://a/b/c/d;p?q")
        for reference, target in (
            (b"g", b"/b/c/g"),
            (b"./g", b"/b/c/g"),
            (b"g/", b"/b/c/g/"),
            (b"/g", b"/g"),
            (b"?y", b"/b/c/d;p?y"),
            (b"g?y", b"/b/c/g?y"),
            (b"#s", b"/b/c/d;p?q"),
            (b"g#s", b"/b/c/g"),
            (b";x", b"/b/c/;x"),
            (b"", b"/b/c/d;p?q"),
            (b".", b"/b/c/"),
            (b"./", b"/b/c/"),
            (b"..", b"/b/"),
            (b"../g", b"/b/g"),
            (b"../..", b"/"),
            (b"../../../g", b"/g"),
            (b"/./g", b"/g"),
            (b"/../g", b"/g"),
            (b"g.", b"/b/c/g."),
            (b"..g", b"/b/c/..g"),
            (b"./g/.", b"/b/c/g/"),
            (b"g/../h", b"/b/c/h"),
            (b"g?y/../x", b"/b/c/g?y/../x"),
            (b"g#s/../x", b"/b/c/g"),
        ):
            self.assertEqual(resolve(base, reference), URL("http", "a", 80, target), reference)
        self.assertEqual(resolve(base, b"//g"), URL("http", "g", 80))

    def test_other_origin(self) -> None:
        """
        A reference may name another scheme, host and port.
        """
        base = parse_url("http://a/b")
        self.assertEqual(resolve(base, b"https://c:1/d"), URL("https", "c", 1, b"/d"))
        self.assertEqual(resolve(base, b"//c:1/d"), URL("http", "c", 1, b"/d"))

    def test_bytes_outside_ascii(self) -> None:
        """
        Bytes that some servers send unencoded, UTF-8 or not, are encoded.
        """
        base = parse_url("http://a/")
        self.assertEqual(resolve(base, b"/\xc3\xbc").target, b"/%C3%BC")
        self.assertEqual(resolve(base, b"/\xfc").target, b"/%FC")


class TargetTests(SynchronousTestCase):
    """
    Paths as they are typed.
    """

    def test_dot_segments_stay(self) -> None:
        """
        Encoding resolves no dots: what is typed is asked for.
        """
        self.assertEqual(encode_target(b"/../a b"), b"/../a%20b")

    def test_no_slash(self) -> None:
        """
        A path begins with a slash.
        """
        with self.assertRaises(URLError):
            encode_target(b"index.html")

    def test_encoded_dots(self) -> None:
        """
        Dots are resolved in their encoded forms too, as browsers do.
        """
        self.assertEqual(remove_dot_segments(b"/a/%2e%2E/b/%2e"), b"/b/")


class PropertyTests(SynchronousTestCase):
    """
    What holds for any text.
    """

    @settings(deadline=None, max_examples=200)
    @given(
        st.text(max_size=40),
        st.sampled_from(["", "http://", "http://a/", "http://a:", "//", "/", "http://["]),
    )
    def test_a_url_can_be_asked_for(self, text: str, prefix: str) -> None:
        """
        Any text is refused or becomes a URL whose target and authority are valid, and which reads
        back the same.
        """
        try:
            url = resolve(URL("http", "h", 80), (prefix + text).encode("utf-8", "surrogatepass"))
        except URLError:
            return
        self.assertIsNotNone(PATH_AND_QUERY.fullmatch(url.target))
        self.assertTrue(is_authority(url.authority))
        self.assertEqual(parse_url(str(url)), url)
