"""
Cases: who may read what, by password (RFC 7617) or origin (Fetch standard, CORS protocol).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator

from tests.blackbox.case import ETAG, After, Case, answered, refused, request
from tests.blackbox.tree import TEXT


def _passwords() -> Iterator[Case]:
    rule = "7617-2"
    asked = {b"www-authenticate": rb'Basic realm="[^"]+", charset="UTF-8"'}

    def basic(credentials: bytes) -> bytes:
        return b"Authorization: Basic " + b64encode(credentials)

    yield answered("no password", rule, request(), 401, after=After.EITHER, fields=asked)
    yield answered(
        "no password for what is not there",
        rule,
        request(b"/nothing"),
        401,
        after=After.EITHER,
        fields=asked,
    )
    yield answered(
        "HEAD without a password",
        rule,
        request(method=b"HEAD"),
        401,
        after=After.EITHER,
        content=b"",
    )
    yield answered(
        "the right password", rule, request(b"/text.txt", basic(b"ana:secret")), content=TEXT
    )
    yield answered(
        "the right password with a colon",
        rule,
        request(b"/text.txt", basic("ben:päss:word".encode())),
        content=TEXT,
    )
    yield answered(
        "the scheme in small letters",
        "9110-11.1",
        request(b"/text.txt", basic(b"ana:secret").replace(b"Basic", b"basic")),
        content=TEXT,
    )
    yield answered(
        "the right password twice on a connection",
        rule,
        request(b"/text.txt", basic(b"ana:secret")) * 2,
        then=(200,),
    )
    for name, line in {
        "a wrong password": basic(b"ana:wrong"),
        "a wrong user": basic(b"nobody:secret"),
        "no colon": basic(b"ana"),
        "nothing": basic(b""),
        "an empty password": basic(b"ana:"),
        "another scheme": b"Authorization: Bearer abc",
        "no base64": b"Authorization: Basic !!!",
        "half of base64": b"Authorization: Basic YW5hOnNlY3JldA",
        "a longer password": basic(b"ana:secretx"),
        "a NUL behind it": basic(b"ana:secret\x00"),
        "no scheme": b"Authorization: YW5hOnNlY3JldA==",
        "a shorter password": basic(b"ana:secre"),
    }.items():
        yield answered(
            f"refused: {name}",
            rule,
            request(b"/text.txt", line),
            401,
            after=After.EITHER,
            fields=asked,
        )
    twice = (basic(b"ana:wrong"), basic(b"ana:secret"))
    yield answered(
        "two Authorizations", rule, request(b"/text.txt", *twice), 401, 400, after=After.EITHER
    )
    yield refused("a bad request needs no password", "9112-3", request(b"/text.txt", b"a b: c"))


def _cross_origin() -> Iterator[Case]:
    origin = b"Origin: https://app.example"
    allowed: dict[bytes, bytes | None] = {
        b"access-control-allow-origin": rb"https://app\.example",
        b"vary": rb"(?i:.*origin.*)",
        b"access-control-allow-credentials": None,
    }
    other: dict[bytes, bytes | None] = {
        b"access-control-allow-origin": None,
        b"vary": rb"(?i:.*origin.*)",
    }
    yield answered(
        "a file for the origin",
        "fetch",
        request(b"/text.txt", origin),
        fields=allowed,
        content=TEXT,
    )
    yield answered(
        "a 304 for the origin",
        "fetch",
        request(b"/text.txt", origin, b"If-None-Match: " + ETAG),
        304,
        fields=allowed,
    )
    yield answered(
        "a 404 for the origin",
        "fetch",
        request(b"/nothing", origin),
        404,
        fields=allowed,
        after=After.EITHER,
    )
    yield answered(
        "a 206 for the origin",
        "fetch",
        request(b"/text.txt", origin, b"Range: bytes=0-4"),
        206,
        fields=allowed,
    )
    yield answered("no origin", "fetch", request(), fields=other)
    for value in (
        b"https://other.example",
        b"null",
        b"https://app.example.evil",
        b"http://app.example",
        b"https://app.example:444",
        b"HTTPS://APP.EXAMPLE",
    ):
        yield answered(
            f"the origin {value.decode()}",
            "fetch",
            request(b"/text.txt", b"Origin: " + value),
            fields=other,
        )
    preflight = (b"Access-Control-Request-Method: GET", b"Access-Control-Request-Headers: range")
    yield answered(
        "a preflight",
        "fetch",
        request(b"/text.txt", origin, *preflight, method=b"OPTIONS"),
        204,
        200,
        fields={
            **allowed,
            b"access-control-allow-methods": rb".*GET.*",
            b"access-control-allow-headers": rb".+",
        },
    )
    yield answered(
        "a preflight of another origin",
        "fetch",
        request(b"/text.txt", b"Origin: https://other.example", *preflight, method=b"OPTIONS"),
        204,
        403,
        fields=other,
    )
    yield answered(
        "OPTIONS that is no preflight",
        "9110-9.3.7",
        request(b"/text.txt", method=b"OPTIONS"),
        204,
        fields={b"allow": b"GET, HEAD, OPTIONS"},
    )


PASSWORDS = tuple(_passwords())
CROSS_ORIGIN = tuple(_cross_origin())
