"""
Cases: what is said of a file, and its precompressed variants (RFC 9110 sections 8 and 12).
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.blackbox.case import ETAG, After, Case, answered, request
from tests.blackbox.tree import FILES, MODIFIED_DATE, TEXT

_SIZE = len(TEXT)


def _whats_there() -> Iterator[Case]:
    types = {
        b"/": rb"text/html; ?charset=(?i:utf-8)",
        b"/text.txt": rb"text/plain; ?charset=(?i:utf-8)",
        b"/packed.js": rb"text/javascript; ?charset=(?i:utf-8)",
        b"/half.css": rb"text/css; ?charset=(?i:utf-8)",
        b"/picture.png": rb"image/png",
        b"/large.bin": rb"application/octet-stream",
        b"/unknown.extension": rb"application/octet-stream",
        b"/noextension": rb"application/octet-stream",
    }
    for target, media_type in types.items():
        yield answered(
            f"the type of {target.decode()}",
            "9110-8.3",
            request(target),
            fields={b"content-type": media_type, b"x-content-type-options": b"nosniff"},
        )
    yield answered(
        "a file and its validators",
        "9110-8.8",
        request(),
        fields={
            b"etag": b'"[^"]+"',
            b"last-modified": MODIFIED_DATE,
            b"accept-ranges": b"bytes",
            b"content-length": b"%d" % _SIZE,
        },
    )
    yield answered(
        "HEAD has the fields of GET",
        "9110-9.3.2",
        request(method=b"HEAD"),
        fields={
            b"etag": b'"[^"]+"',
            b"last-modified": MODIFIED_DATE,
            b"accept-ranges": b"bytes",
            b"content-length": b"%d" % _SIZE,
            b"content-type": b"text/plain.*",
        },
    )
    yield answered(
        "an empty file",
        "9110-8.6",
        request(b"/empty.txt"),
        content=b"",
        fields={b"content-length": b"0"},
    )
    yield answered(
        "HTML is to be asked for anew",
        "9111-5.2.2.4",
        request(b"/"),
        fields={b"cache-control": b"no-cache"},
    )
    yield answered(
        "content beyond what is asked for",
        "9110-12.1",
        request(b"/text.txt", b"Accept: image/png"),
        200,
        406,
        after=After.EITHER,
    )


CONTENT_CODINGS = {
    # What the client accepts, and the variant of /packed.js that it gets.
    b"gzip": b"gzip",
    b"br": b"br",
    b"zstd": b"zstd",
    b"gzip, br": b"br",
    b"gzip, deflate, br, zstd": b"br",
    b"gzip, zstd": b"zstd",
    b"GZIP": b"gzip",
    b"gzip;q=1, br;q=0.5": b"gzip",
    b"gzip;q=0.001": b"gzip",
    b"*": b"br",
    b"br;q=0, *": b"zstd",
    b"gzip;q=0": b"",
    b"identity": b"",
    b"identity, gzip;q=0.5": b"",
    b"identity;q=0.5, gzip": b"gzip",
    b"": b"",
    b"deflate": b"",
    b"gzip;q=0, identity": b"",
    b"gzip ; q=1.000": b"gzip",
    b"*;q=0, gzip": b"gzip",
    b"identity;q=0, gzip": b"gzip",
}


def _codings() -> Iterator[Case]:
    rule = "9110-12.5.3"
    variants = {
        b"": "packed.js",
        b"gzip": "packed.js.gz",
        b"br": "packed.js.br",
        b"zstd": "packed.js.zst",
    }
    for accepted, coding in CONTENT_CODINGS.items():
        fields: dict[bytes, bytes | None] = {
            b"content-encoding": coding or None,
            b"vary": b"(?i:.*accept-encoding.*)",
            b"content-type": rb"text/javascript.*",
        }
        yield answered(
            f"Accept-Encoding: {accepted.decode()}",
            rule,
            request(b"/packed.js", b"Accept-Encoding: " + accepted),
            fields=fields,
            content=FILES[variants[coding]],
        )
    yield answered(
        "no Accept-Encoding",
        rule,
        request(b"/packed.js"),
        content=FILES["packed.js"],
        fields={b"content-encoding": None, b"vary": b"(?i:accept-encoding)"},
    )
    yield answered(
        "only one variant",
        rule,
        request(b"/half.css", b"Accept-Encoding: br, gzip;q=0.1"),
        content=FILES["half.css.gz"],
        fields={b"content-encoding": b"gzip"},
    )
    yield answered(
        "HEAD of a variant",
        rule,
        request(b"/packed.js", b"Accept-Encoding: gzip", method=b"HEAD"),
        content=b"",
        fields={
            b"content-encoding": b"gzip",
            b"content-length": b"%d" % len(FILES["packed.js.gz"]),
        },
    )
    yield answered(
        "a range of a variant",
        rule,
        request(b"/packed.js", b"Accept-Encoding: gzip", b"Range: bytes=0-2"),
        206,
        content=FILES["packed.js.gz"][:3],
        fields={b"content-encoding": b"gzip"},
    )
    yield answered(
        "a variant that leads out of the root",
        "house",
        request(b"/escaping.js", b"Accept-Encoding: gzip"),
        content=FILES["escaping.js"],
        fields={b"content-encoding": None},
    )
    yield answered(
        "a variant asked for by its own name",
        "9110-8.4",
        request(b"/packed.js.gz"),
        content=FILES["packed.js.gz"],
        fields={b"content-encoding": None, b"content-type": rb"application/(x-)?gzip"},
    )
    yield answered(
        "another file's tag",
        "9110-8.8.3.3",
        request(b"/packed.js", b"Accept-Encoding: gzip", b"If-None-Match: " + ETAG),
        fields={b"etag": b'"[^"]+"'},
    )


REPRESENTATIONS = (*_whats_there(), *_codings())
