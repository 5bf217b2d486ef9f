"""
Cases: connections (RFC 9112 section 9), pipelining, half-close, and expectations.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.blackbox.case import After, Case, answered, refused, request
from tests.blackbox.tree import LARGE, TEXT


def _persistence() -> Iterator[Case]:
    rule = "9112-9.3"
    yield answered("HTTP/1.1", rule, request())
    for value in (
        b"keep-alive",
        b"Keep-Alive",
        b"foo",
        b"keep-alive, foo",
        b"foo,,bar",
        b"upgrade",
        b"",
        b"closed",
        b"close-not",
        b'"close"',
    ):
        yield answered(
            f"Connection: {value.decode()}", rule, request(b"/text.txt", b"Connection: " + value)
        )
    for value in (
        b"close",
        b"Close",
        b"CLOSE",
        b"close, foo",
        b"foo, close",
        b"foo,close,bar",
        b"\tclose\t",
        b",close,",
        b"foo , close",
        b"foo,\tclose",
        b"keep-alive, close",
        b"close, keep-alive",
        b"close,close",
    ):
        yield answered(
            f"Connection: {value!r}",
            rule,
            request(b"/text.txt", b"Connection: " + value),
            after=After.CLOSES,
            fields={b"connection": b"close"},
            content=TEXT,
        )
    yield answered(
        "close in the second line",
        "9110-5.3",
        request(b"/text.txt", b"Connection: foo", b"Connection: close"),
        after=After.CLOSES,
    )
    yield answered(
        "close in the first line",
        "9110-5.3",
        request(b"/text.txt", b"Connection: close", b"Connection: keep-alive"),
        after=After.CLOSES,
    )
    old = b"HTTP/1.0"
    yield answered(
        "HTTP/1.0",
        rule,
        request(version=old),
        after=After.CLOSES,
        fields={b"transfer-encoding": None},
        content=TEXT,
    )
    for value in (b"keep-alive", b"Keep-Alive", b"foo, keep-alive"):
        yield answered(
            f"HTTP/1.0 with {value.decode()}",
            rule,
            request(b"/text.txt", b"Connection: " + value, version=old),
            fields={b"connection": rb"(?i:keep-alive)"},
        )
    for value in (b"close", b"foo", b"close, keep-alive", b"keep-alive, close", b"keep-alive-not"):
        yield answered(
            f"HTTP/1.0 with {value.decode()}",
            rule,
            request(b"/text.txt", b"Connection: " + value, version=old),
            after=After.CLOSES,
        )
    yield answered(
        "HTTP/1.0 with Keep-Alive alone",
        rule,
        request(b"/text.txt", b"Keep-Alive: timeout=5", version=old),
        after=After.CLOSES,
    )
    yield answered(
        "Proxy-Connection", "9112-C.2.2", request(b"/text.txt", b"Proxy-Connection: close")
    )
    yield answered(
        "an error of a file keeps the connection's word",
        rule,
        request(method=b"PUT"),
        405,
        501,
        403,
        after=After.EITHER,
    )


def _pipelines() -> Iterator[Case]:
    rule = "9112-9.3.2"
    yield answered("two requests in one piece", rule, request() * 2, then=(200,))
    yield answered("twenty requests in one piece", rule, request() * 20, then=(200,) * 19)
    yield answered(
        "500 requests in one piece", rule, request(b"/probe.txt") * 500, then=(200,) * 499
    )
    yield answered(
        "HEAD between two GETs",
        rule,
        request() + request(method=b"HEAD") + request(),
        then=(200, 200),
    )
    yield answered(
        "a request behind content",
        rule,
        request(b"/text.txt", b"Content-Length: 5", body=b"hello") + request(),
        then=(200,),
    )
    yield answered(
        "a request behind chunks",
        rule,
        request(b"/text.txt", b"Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\n\r\n")
        + request(),
        then=(200,),
    )
    yield answered(
        "a large answer between small ones",
        rule,
        request() + request(b"/large.bin") + request(),
        then=(200, 200),
    )
    yield answered(
        "nothing behind close",
        rule,
        request(b"/text.txt", b"Connection: close") + request(),
        after=After.CLOSES,
    )
    yield answered(
        "a bad request behind a good one",
        "9112-2.2",
        request() + b"G ET / HTTP/1.1\r\n\r\n",
        then=(400,),
        after=After.CLOSES,
    )
    yield refused(
        "a good request behind a bad one",
        "9112-2.2",
        b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n" + request(),
    )
    yield answered(
        "a 304 between two others",
        rule,
        request() + request(b"/text.txt", b"If-None-Match: *") + request(),
        then=(304, 200),
    )
    yield answered("a large file", "9112-6.2", request(b"/large.bin"), content=LARGE)


def _half_closes() -> Iterator[Case]:
    rule = "9112-9.6"
    yield answered("shut after a request", rule, request(), after=After.SHUT, content=TEXT)
    yield answered(
        "shut after a request for a large file",
        rule,
        request(b"/large.bin"),
        after=After.SHUT,
        content=LARGE,
    )
    yield answered("shut after two requests", rule, request() * 2, after=After.SHUT, then=(200,))
    yield Case(
        "shut within a head",
        "9112-8",
        b"GET /text.txt HTTP/1.1\r\nHost: loc",
        (400, 408),
        After.SHUT,
    )


def _expectations() -> Iterator[Case]:
    rule = "9110-10.1.1"
    five = (b"Content-Length: 5", b"Expect: 100-continue")
    for method, statuses in ((b"POST", (405, 501, 403)), (b"GET", (200, 417))):
        yield Case(
            f"100-continue before the content of {method.decode()}",
            rule,
            request(b"/text.txt", *five, method=method),
            statuses,
            After.SILENT,
            after_100=b"hello" + request(b"/text.txt", b"Connection: close"),
            then=(),
        )
    yield answered(
        "100-continue with content already there",
        rule,
        request(b"/text.txt", *five, body=b"hello"),
        200,
        417,
        after=After.EITHER,
    )
    yield answered(
        "100-Continue in capitals, content there",
        rule,
        request(b"/text.txt", b"Content-Length: 5", b"EXPECT: 100-CONTINUE", body=b"hello"),
        200,
        417,
        after=After.EITHER,
    )
    yield answered(
        "100-continue without content",
        rule,
        request(b"/text.txt", b"Expect: 100-continue"),
        200,
        417,
        after=After.EITHER,
    )
    for value in (b"foo", b"100-continue, foo", b"200-ok", b"100-continued", b"foo=bar"):
        yield Case(
            f"Expect: {value.decode()}",
            rule,
            request(b"/text.txt", b"Expect: " + value),
            (417, 200),
            After.EITHER,
        )
    yield answered(
        "100-continue of HTTP/1.0",
        rule,
        request(b"/text.txt", *five, body=b"hello", version=b"HTTP/1.0"),
        after=After.CLOSES,
    )
    yield Case(
        "413 instead of 100",
        rule,
        request(
            b"/text.txt", b"Content-Length: 10000000000", b"Expect: 100-continue", method=b"POST"
        ),
        (413, 405, 417),
        After.SILENT,
    )


def _upgrades() -> Iterator[Case]:
    rule = "9110-7.8"
    yield answered(
        "an upgrade to HTTP/2",
        rule,
        request(
            b"/text.txt",
            b"Connection: Upgrade, HTTP2-Settings",
            b"Upgrade: h2c",
            b"HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA",
        ),
    )
    yield answered(
        "an upgrade to WebSocket",
        rule,
        request(
            b"/text.txt",
            b"Connection: Upgrade",
            b"Upgrade: websocket",
            b"Sec-WebSocket-Version: 13",
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ),
    )
    yield answered(
        "an upgrade to nothing known",
        rule,
        request(b"/text.txt", b"Connection: upgrade", b"Upgrade: foo/2"),
    )
    yield answered(
        "an upgrade of HTTP/1.0",
        rule,
        request(b"/text.txt", b"Connection: Upgrade", b"Upgrade: websocket", version=b"HTTP/1.0"),
        after=After.CLOSES,
    )
    yield answered(
        "an upgrade by POST",
        rule,
        request(b"/text.txt", b"Connection: Upgrade", b"Upgrade: websocket", method=b"POST"),
        405,
        501,
        403,
        400,
        after=After.EITHER,
    )
    yield answered(
        "an upgrade without its option", rule, request(b"/text.txt", b"Upgrade: websocket")
    )
    yield answered(
        "TE: trailers", "9110-10.1.4", request(b"/text.txt", b"TE: trailers", b"Connection: TE")
    )
    yield answered(
        "a Trailer field",
        "9110-6.6.2",
        request(
            b"/text.txt",
            b"Trailer: X-A",
            b"Transfer-Encoding: chunked",
            body=b"0\r\nX-A: b\r\n\r\n",
        ),
    )


CONNECTIONS = (*_persistence(), *_pipelines(), *_half_closes(), *_expectations(), *_upgrades())
