"""
Tests for L{netlab.http1.programs.wsgienviron}.
"""

from __future__ import annotations

from typing import Any, cast

from twisted.internet.interfaces import ITransport
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.programs.wsgienviron import environ_of, environ_of_connection
from netlab.http1.resources.connectionfacts import ConnectionFacts
from netlab.http1.sansio.fields import Fields
from netlab.http1.sansio.messages import RequestHead
from netlab.http1.sansio.target import parse_target
from tests.http1.serving import HOST, PEER


class _Transport:
    def getPeer(self) -> Any:
        return PEER

    def getHost(self) -> Any:
        return HOST


def environ(
    target: bytes = b"/", *lines: tuple[bytes, bytes], root_path: str = ""
) -> dict[str, Any]:
    """
    Write the environ of a request.
    """
    facts = ConnectionFacts(cast(ITransport, _Transport()), b"192.0.2.7", 1)
    connection = environ_of_connection(facts, is_multiprocess=False)
    head = RequestHead(b"GET", parse_target(b"GET", target), fields=Fields(lines))
    return environ_of(head, connection, root_path)


class EnvironTests(SynchronousTestCase):
    """
    Tests for L{environ_of}.
    """

    def test_connection(self) -> None:
        """
        Both ends, and the scheme.
        """
        known = environ()
        names = ("SERVER_NAME", "SERVER_PORT", "REMOTE_ADDR", "REMOTE_PORT", "wsgi.url_scheme")
        self.assertEqual(
            [known[name] for name in names], ["192.0.2.1", "80", "192.0.2.7", "40000", "http"]
        )

    def test_path(self) -> None:
        """
        The path is decoded to bytes, which are told as Latin-1 (PEP 3333, "Unicode Issues"); the
        query is not.
        """
        known = environ(b"/a%20b/%C3%A9?x=%20")
        names = ("SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "RAW_URI")
        self.assertEqual(
            [known[name] for name in names],
            ["", "/a b/\xc3\xa9", "x=%20", "/a%20b/%C3%A9?x=%20"],
        )

    def test_mounted(self) -> None:
        """
        What the application is mounted at is the beginning of the path, however it came.
        """
        for target, rest in ((b"/api", ""), (b"/api/", "/"), (b"/%61pi/x", "/x")):
            known = environ(target, root_path="/api")
            self.assertEqual((known["SCRIPT_NAME"], known["PATH_INFO"]), ("/api", rest))

    def test_fields(self) -> None:
        """
        Fields are joined as their kind asks for; content's two have names of their own.
        """
        known = environ(
            b"/",
            (b"Content-Type", b"text/plain"),
            (b"Content-Length", b"3"),
            (b"X-A", b"1"),
            (b"x-a", b"2"),
            (b"Cookie", b"a=1"),
            (b"Cookie", b"b=2"),
        )
        self.assertEqual((known["CONTENT_TYPE"], known["CONTENT_LENGTH"]), ("text/plain", "3"))
        self.assertEqual((known["HTTP_X_A"], known["HTTP_COOKIE"]), ("1, 2", "a=1; b=2"))
        self.assertNotIn("HTTP_CONTENT_TYPE", known)

    def test_underscores(self) -> None:
        """
        A field whose name has an underscore does not pose as another.
        """
        known = environ(b"/", (b"X_Forwarded_For", b"spoofed"), (b"X-Real-User", b"right"))
        self.assertNotIn("HTTP_X_FORWARDED_FOR", known)
        self.assertEqual(known["HTTP_X_REAL_USER"], "right")

    def test_length_twice(self) -> None:
        """
        The same length twice, which the parser lets pass, is one number.
        """
        known = environ(b"/", (b"Content-Length", b"3"), (b"Content-Length", b"3"))
        self.assertEqual(known["CONTENT_LENGTH"], "3")
