"""
Cases: the request line (RFC 9112 section 3), its method and version.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.blackbox.case import After, Case, answered, refused, request
from tests.blackbox.tree import TEXT

_HOST = b"Host: localhost\r\n\r\n"


def _syntax() -> Iterator[Case]:
    rule = "9112-3"
    for name, line in {
        "two spaces before the target": b"GET  /text.txt HTTP/1.1",
        "two spaces before the version": b"GET /text.txt  HTTP/1.1",
        "a space at the beginning": b" GET /text.txt HTTP/1.1",
        "a tab at the beginning": b"\tGET /text.txt HTTP/1.1",
        "a space at the end": b"GET /text.txt HTTP/1.1 ",
        "a tab at the end": b"GET /text.txt HTTP/1.1\t",
        "tabs for spaces": b"GET\t/text.txt\tHTTP/1.1",
        "a vertical tab for a space": b"GET\x0b/text.txt HTTP/1.1",
        "a form feed for a space": b"GET /text.txt\x0cHTTP/1.1",
        "a bare CR for a space": b"GET\r/text.txt HTTP/1.1",
        "no target": b"GET HTTP/1.1",
        "no target but two spaces": b"GET  HTTP/1.1",
        "a space in the target": b"GET /text .txt HTTP/1.1",
        "four words": b"GET /text.txt HTTP/1.1 more",
        "no spaces at all": b"GET/text.txtHTTP/1.1",
        "garbage": b"\x80\x81\x82\x83",
        "a TLS handshake": b"\x16\x03\x01\x00\xf8\x01\x00\x00\xf4\x03\x03",
        "a NUL in the method": b"G\x00ET /text.txt HTTP/1.1",
        "a NUL in the target": b"GET /te\x00xt.txt HTTP/1.1",
        "a NUL in the version": b"GET /text.txt HTTP/1.1\x00",
        "a DEL in the target": b"GET /te\x7fxt.txt HTTP/1.1",
        "an escape in the target": b"GET /te\x1bxt.txt HTTP/1.1",
        "a byte above 127 in the version": b"GET /text.txt HTTP/1.\xb1",
    }.items():
        yield refused(name, rule, line + b"\r\n" + _HOST)
    yield refused("only the method", rule, b"GET\r\n" + _HOST)
    yield refused("a bare CR at its end", "9112-2.2", b"GET /text.txt HTTP/1.1\r" + _HOST)
    yield refused("CR CR LF at its end", "9112-2.2", b"GET /text.txt HTTP/1.1\r\r\n" + _HOST)
    yield refused("a field line first", rule, _HOST)
    # Section 2.2 lets a recipient take LF alone; then it must not be taken in one place only.
    yield Case(
        "LF alone at its end",
        "9112-2.2",
        b"GET /text.txt HTTP/1.1\n" + _HOST,
        (400, 200),
        After.EITHER,
    )
    yield Case(
        "LF alone everywhere",
        "9112-2.2",
        b"GET /text.txt HTTP/1.1\nHost: localhost\n\n",
        (400, 200),
        After.EITHER,
    )
    yield answered("an empty line before it", "9112-2.2", b"\r\n" + request())
    yield answered(
        "an empty line after a request", "9112-2.2", request() + b"\r\n" + request(), then=(200,)
    )
    yield Case(
        "many empty lines before it", "9112-2.2", b"\r\n" * 50 + request(), (400, 200), After.EITHER
    )
    yield refused(
        "white space between it and the fields",
        "9112-2.2",
        request(host=None).replace(b"\r\n\r\n", b"\r\n Host: localhost\r\n\r\n"),
    )


def _methods() -> Iterator[Case]:
    allow = {b"allow": rb"GET, HEAD(, OPTIONS)?"}
    for method in (b"POST", b"PUT", b"DELETE", b"PATCH", b"TRACE"):
        statuses = (405, 501, 403)
        yield answered(
            f"{method.decode()} on a file",
            "9110-9.1",
            request(method=method),
            *statuses,
            fields=allow,
            after=After.EITHER,
        )
    for method in (
        b"FOO",
        b"get",
        b"Get",
        b"GETT",
        b"PROPFIND",
        b"M-SEARCH",
        b"!#$%&'*+-.^_`|~",
        b"X" * 200,
    ):
        yield answered(
            f"the unknown method {method[:20].decode()}",
            "9110-9.1",
            request(method=method),
            501,
            400,
            405,
            after=After.EITHER,
        )
    for byte in b'"(),/:;<=>?@[\\]{}\x7f\x80\xff':
        method = b"GE" + bytes([byte]) + b"T"
        yield refused(
            f"a method with the byte {byte:#04x}", "9110-9.1", request(method=method), 400, 501
        )
    yield answered(
        "OPTIONS of a file",
        "9110-9.3.7",
        request(method=b"OPTIONS"),
        204,
        200,
        405,
        501,
        fields=allow,
        after=After.EITHER,
    )
    yield answered(
        "OPTIONS of the server",
        "9110-9.3.7",
        request(b"*", method=b"OPTIONS"),
        204,
        200,
        400,
        405,
        fields=allow,
        after=After.EITHER,
    )
    yield answered(
        "OPTIONS of the server by a proxy's form",
        "9112-3.2.4",
        request(b"http://localhost", method=b"OPTIONS"),
        204,
        200,
        400,
        405,
        after=After.EITHER,
    )
    for target, name in ((b"localhost:80", "a host"), (b"[::1]:80", "an IPv6 address")):
        yield Case(
            f"CONNECT to {name}",
            "9110-9.3.6",
            request(target, method=b"CONNECT"),
            (405, 400, 501),
            After.CLOSES,
            fields=allow,
        )
    for target in (b"/", b"localhost", b"http://localhost:80/", b"localhost:", b":80", b"*"):
        name = f"CONNECT to {target.decode()}"
        yield refused(name, "9112-3.2.3", request(target, method=b"CONNECT"), 400, 405, 501)
    yield answered(
        "HEAD of a file",
        "9110-9.3.2",
        request(method=b"HEAD"),
        content=b"",
        fields={b"content-length": b"%d" % len(TEXT)},
    )
    yield answered(
        "HEAD of nothing",
        "9110-9.3.2",
        request(b"/nothing", method=b"HEAD"),
        404,
        after=After.EITHER,
        content=b"",
    )
    yield answered(
        "HEAD of a folder without a slash",
        "9110-9.3.2",
        request(b"/folder", method=b"HEAD"),
        301,
        302,
        307,
        308,
        after=After.EITHER,
        content=b"",
    )
    yield Case(
        "HEAD without Host",
        "9110-9.3.2",
        request(method=b"HEAD", host=None),
        (400,),
        After.CLOSES,
        content=b"",
    )
    yield Case(
        "HEAD with a bad field",
        "9110-9.3.2",
        request(b"/", b"a b: c", method=b"HEAD"),
        (400,),
        After.CLOSES,
        content=b"",
    )
    yield Case(
        "HEAD with an unknown expectation",
        "9110-9.3.2",
        request(b"/", b"Expect: x", method=b"HEAD"),
        (417, 200),
        After.EITHER,
        content=b"",
    )
    yield answered(
        "POST with content",
        "9110-9.3.3",
        request(b"/text.txt", b"Content-Length: 5", method=b"POST", body=b"hello"),
        405,
        501,
        fields=allow,
        after=After.EITHER,
    )
    yield answered(
        "GET with content",
        "9110-9.3.1",
        request(b"/text.txt", b"Content-Length: 5", body=b"hello"),
        200,
        400,
        413,
        after=After.EITHER,
    )


def _versions() -> Iterator[Case]:
    rule = "9112-2.3"
    yield answered(
        "HTTP/1.2", "9110-2.5", request(version=b"HTTP/1.2"), 200, 505, after=After.EITHER
    )
    yield answered(
        "HTTP/1.9", "9110-2.5", request(version=b"HTTP/1.9"), 200, 505, after=After.EITHER
    )
    for version in (b"HTTP/2.0", b"HTTP/3.0", b"HTTP/9.9", b"HTTP/0.9", b"HTTP/2.1"):
        yield refused(version.decode(), "9110-15.6.6", request(version=version), 505, 400)
    for version in (
        b"HTTP/1",
        b"HTTP/1.",
        b"HTTP/.1",
        b"HTTP/1.1.1",
        b"HTTP/11.1",
        b"HTTP/1.10",
        b"HTTP/01.1",
        b"HTTP/1.01",
        b"HTTP/+1.1",
        b"HTTP/-1.1",
        b"HTTP/1.x",
        b"HTTP/x.1",
        b"HTTP/1,1",
        b"HTTP1.1",
        b"HTTP 1.1",
        b"HTTP\\1.1",
        b"http/1.1",
        b"Http/1.1",
        b"HTP/1.1",
        b"HTTPS/1.1",
        b"1.1",
        b"HTTP/",
        b"HTTP/1.1x",
        b"xHTTP/1.1",
        b"ICE/1.0",
        b"HTTP/1.1,HTTP/1.1",
        b"HTTP//1.1",
        b"HTTP/1 .1",
        b"HTTP/ 1.1",
        b"HTTP/1.1\x01",
        b"HTTP/1\xb2.1",
        b"RTSP/1.0",
    ):
        yield refused(f"the version {version!r}", rule, request(version=version), 400, 505)
    yield refused("HTTP/0.9 as it was", rule, b"GET /text.txt\r\n", 400)
    yield refused("HTTP/0.9 with fields", rule, b"GET /text.txt\r\n" + _HOST, 400)
    yield refused(
        "the preface of HTTP/2", "9113-3.4", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, 400
    )


def _lengths() -> Iterator[Case]:
    rule = "9112-3"
    yield answered(
        "a request line of 8000 bytes",
        rule,
        request(b"/text.txt?" + b"a" * (8000 - 23)),
        content=TEXT,
        after=After.EITHER,
    )
    for size in (9000, 20_000, 70_000, 300_000, 2_000_000):
        yield refused(
            f"a target of {size} bytes", "9110-15.5.15", request(b"/" + b"a" * size), 414, 431, 400
        )
    yield refused(
        "a query of 70000 bytes",
        "9110-15.5.15",
        request(b"/text.txt?" + b"a" * 70_000),
        414,
        431,
        400,
    )
    yield refused(
        "a method of 70000 bytes", rule, request(method=b"A" * 70_000), 414, 501, 400, 431
    )
    yield refused(
        "a version of 70000 bytes", rule, request(version=b"HTTP/1." + b"1" * 70_000), 414, 400, 431
    )
    yield refused(
        "a line of 70000 bytes without a space",
        rule,
        b"a" * 70_000 + b"\r\n" + _HOST,
        414,
        400,
        431,
    )


REQUEST_LINES = (*_syntax(), *_methods(), *_versions(), *_lengths())
