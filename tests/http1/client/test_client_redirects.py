"""
The client following redirects.
"""

from __future__ import annotations

from netlab.http1.client.client import Request
from netlab.http1.sansio.fields import Fields
from netlab.http1.sansio.url import parse_url
from tests.http1.clients import EMPTY, ClientTestCase


class RedirectTests(ClientTestCase):
    """
    Redirects (RFC 9110 section 15.4).
    """

    def redirect(self, status: int, *lines: bytes) -> None:
        """
        Answer the last connection's request with a redirect.
        """
        self.end().asked()
        self.end().says(
            b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n%b\r\n"
            % (status, b"".join(line + b"\r\n" for line in lines))
        )

    def test_followed(self) -> None:
        """
        A redirect is followed on the same connection where the origin is the same.
        """
        for status in (301, 302, 303, 307, 308):
            waiting = self.get("http://a/b/c")
            self.redirect(status, b"Location: ../d?e#f")
            self.assertEqual(self.end().asked(), b"GET /d?e HTTP/1.1\r\nHost: a\r\n\r\n")
            self.end().says(EMPTY)
            self.assertEqual(self.successResultOf(waiting).status, 200)
        self.assertEqual(len(self.net.ends), 1)

    def test_not_followed(self) -> None:
        """
        Without a Location, with another status, or when not wanted, a redirect is the answer.
        """
        for status, lines, redirects_max in (
            (301, (), 10),
            (300, (b"Location: /x",), 10),
            (304, (b"Location: /x",), 10),
            (301, (b"Location: /x",), 0),
        ):
            waiting = self.get(redirects_max=redirects_max)
            self.redirect(status, *lines)
            self.assertEqual(self.successResultOf(waiting).status, status)

    def test_method(self) -> None:
        """
        303 turns all but HEAD into GET, 301 and 302 only POST, and 307 and 308 nothing.
        """
        for status, method, next_method in (
            (303, b"PUT", b"GET"),
            (303, b"HEAD", b"HEAD"),
            (301, b"POST", b"GET"),
            (302, b"PUT", b"PUT"),
            (307, b"POST", b"POST"),
            (308, b"POST", b"POST"),
        ):
            fields = Fields([(b"Content-Type", b"x/y"), (b"A", b"b")])
            content = b"" if method == b"HEAD" else b"abc"
            request = Request(method, parse_url("http://a/"), fields, content)
            waiting = self.start(self.client.request(request, 10))
            self.redirect(status, b"Location: /n")
            sent = self.end().asked()
            self.assertTrue(sent.startswith(next_method + b" /n HTTP/1.1\r\nHost: a\r\n"), sent)
            self.assertIn(b"\r\nA: b\r\n", sent)
            keeps = next_method == method
            self.assertIs(b"Content-Type" in sent, keeps)
            self.assertIs(sent.endswith(b"abc"), keeps and bool(content))
            self.end().says(EMPTY)
            self.successResultOf(waiting)

    def test_other_origin(self) -> None:
        """
        Credentials and Host stay with their origin.
        """
        fields = Fields(
            [(b"Host", b"x"), (b"Authorization", b"s"), (b"Cookie", b"c"), (b"A", b"b")]
        )
        self.start(self.client.request(Request(b"GET", parse_url("http://a/"), fields), 10))
        self.redirect(302, b"Location: /same")
        self.assertIn(b"Host: x\r\nAuthorization: s\r\nCookie: c\r\nA: b\r\n", self.end().asked())
        self.redirect(302, b"Location: http://a:81/other")
        self.assertEqual(self.end().asked(), b"GET /other HTTP/1.1\r\nHost: a:81\r\nA: b\r\n\r\n")

    def test_circle(self) -> None:
        """
        Redirects that go round in a circle are named.
        """
        waiting = self.get("http://a/1")
        self.redirect(302, b"Location: /2")
        self.redirect(302, b"Location: /1")
        self.assertEqual(
            self.problem(waiting),
            "http://a/1: the redirects go round in a circle: "
            "http://a/1 to http://a/2 to http://a/1",
        )
        self.check_over()

    def test_too_many(self) -> None:
        """
        The number of redirects is bounded.
        """
        waiting = self.get("http://a/0", redirects_max=3)
        for number in range(1, 4):
            self.redirect(302, b"Location: /%d" % number)
        self.assertNoResult(waiting)
        self.redirect(302, b"Location: /4")
        self.assertEqual(self.problem(waiting), "http://a/0: more than 3 redirects")

    def test_refused(self) -> None:
        """
        A redirect to another scheme, from https to http, or to nowhere is not followed.
        """
        for url, lines, words in (
            ("http://a/", (b"Location: file:///etc/passwd",), "not file"),
            ("http://a/", (b"Location: http://",), "leads nowhere"),
            ("http://a/", (b"Location: /a", b"Location: /b"), "more than one location"),
            ("https://a/", (b"Location: http://a/x",), "not redirected from https to http"),
        ):
            waiting = self.get(url)
            self.redirect(302, *lines)
            self.assertIn(words, self.problem(waiting))
        self.assertEqual(len(self.net.ends), 2)
