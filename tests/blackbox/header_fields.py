"""
Cases: field lines (RFC 9112 section 5), Host (section 3.2), and how many there may be.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.blackbox.case import After, Case, answered, refused, request
from tests.blackbox.tree import TEXT


def _names() -> Iterator[Case]:
    rule = "9112-5.1"
    for name, line in {
        "a space before the colon": b"X-A : b",
        "a tab before the colon": b"X-A\t: b",
        "a space before the colon of Content-Length": b"Content-Length : 5",
        "a space before the colon of Transfer-Encoding": b"Transfer-Encoding : chunked",
        "a space within the name": b"X A: b",
        "no colon": b"X-A",
        "no colon but a value": b"X-A b",
        "no name": b": b",
        "only a colon": b":",
        "a space for a name": b" : b",
    }.items():
        yield refused(name, rule, request(b"/text.txt", line))
    for byte in b'"(),/;<=>?@[\\]{}\x00\x01\x0b\x0c\x1f\x7f\x80\xff':
        line = b"X-" + bytes([byte]) + b"A: b"
        yield refused(f"a name with the byte {byte:#04x}", rule, request(b"/text.txt", line))
    yield answered(
        "a name of all characters", rule, request(b"/text.txt", b"!#$%&'*+-.^_`|~09azAZ: b")
    )
    yield answered(
        "names in any case", "9110-5.1", b"GET /text.txt HTTP/1.1\r\nhOsT: localhost\r\n\r\n"
    )


def _values() -> Iterator[Case]:
    rule = "9110-5.5"
    for byte in b"\x01\x07\x08\x0b\x0c\x0e\x1b\x1f\x7f":
        sends = request(b"/text.txt", b"X-A: b" + bytes([byte]) + b"c")
        # Section 5.5: these may be kept in a safe place, unlike NUL, CR and LF.
        yield Case(f"a value with the byte {byte:#04x}", rule, sends, (400, 200), After.EITHER)
    for name, value in {
        "a NUL": b"b\x00c",
        "a bare CR": b"b\rc",
        "a CR at the end": b"b\r",
        "a CR at the beginning": b"\rb",
        "a NUL at the end": b"b\x00",
    }.items():
        yield refused(f"a value with {name}", rule, request(b"/text.txt", b"X-A: " + value))
    yield Case(
        "a value with a bare LF",
        "9112-2.2",
        request(b"/text.txt", b"X-A: b\nX-B: c"),
        (400, 200),
        After.EITHER,
    )
    yield refused(
        "a bare LF hides a Transfer-Encoding from others",
        "9112-2.2",
        request(
            b"/text.txt",
            b"X-A: b\nTransfer-Encoding: chunked",
            b"Content-Length: 5",
            method=b"POST",
            body=b"0\r\n\r\n",
        ),
    )
    yield refused("obsolete line folding", "9112-5.2", request(b"/text.txt", b"X-A: b\r\n c"))
    yield refused("line folding with a tab", "9112-5.2", request(b"/text.txt", b"X-A: b\r\n\tc"))
    yield refused(
        "a folded Transfer-Encoding",
        "9112-5.2",
        request(b"/text.txt", b"Transfer-Encoding:\r\n chunked", method=b"POST", body=b"0\r\n\r\n"),
    )
    yield refused("a line of white space", "9112-5.2", request(b"/text.txt", b"X-A: b\r\n   "))
    yield answered("an empty value", rule, request(b"/text.txt", b"X-A:"))
    yield answered("a value of white space", rule, request(b"/text.txt", b"X-A: \t "))
    yield answered("no space after the colon", "9112-5", request(b"/text.txt", b"X-A:b"))
    yield answered("tabs around a value", "9112-5", request(b"/text.txt", b"X-A:\t\tb\t"))
    yield answered(
        "bytes beyond ASCII in a value", rule, request(b"/text.txt", b"X-A: \xc3\xbc\xff")
    )
    yield answered("a colon in a value", rule, request(b"/text.txt", b"X-A: b:c: d"))


def _host() -> Iterator[Case]:
    rule = "9112-3.2"
    yield refused("no Host in HTTP/1.1", rule, request(host=None))
    yield refused(
        "no Host with absolute-form", rule, request(b"http://localhost/text.txt", host=None)
    )
    yield answered(
        "no Host in HTTP/1.0", rule, request(host=None, version=b"HTTP/1.0"), after=After.CLOSES
    )
    yield refused("two different Hosts", rule, request(b"/text.txt", b"Host: other"))
    yield refused("two equal Hosts", rule, request(b"/text.txt", b"Host: localhost"))
    yield refused(
        "two Hosts with other fields between",
        rule,
        request(b"/text.txt", b"X-A: b", b"host: other"),
    )
    yield refused(
        "two Hosts in HTTP/1.0", rule, request(b"/text.txt", b"Host: other", version=b"HTTP/1.0")
    )
    for host in (
        b"localhost",
        b"localhost:80",
        b"localhost:",
        b"LOCALHOST",
        b"127.0.0.1",
        b"127.0.0.1:8080",
        b"[::1]",
        b"[::1]:8080",
        b"a.b.c.example",
        b"a-b_c.example",
        b"xn--bcher-kva.example",
        b"example.",
        b"a%41.example",
    ):
        # A server may not serve that name (421, 404), but the request is a good one.
        yield answered(f"Host: {host.decode()}", rule, request(host=host))
    yield answered("white space around Host", rule, request(host=b" \tlocalhost \t"))
    for host in (
        b"user@localhost",
        b"user:pass@localhost",
        b"localhost:x",
        b"localhost:80:80",
        b"localhost:-1",
        b"localhost:+80",
        b"localhost/path",
        b"localhost?a",
        b"localhost#a",
        b"local host",
        b"local\thost",
        b"localhost, other",
        b"localhost,\tother",
        b"[::1",
        b"::1",
        b"[::zz]",
        b"[]",
        b"[::1]x",
        b"[127.0.0.1]",
        b"http://localhost",
        b"local\\host",
        b'local"host',
        b"local<host",
        b"local>host",
        b"local{host",
        b"local|host",
        b"local^host",
        b"local`host",
        b"local%host",
        b"local%zzhost",
        b"loc\xc3\xbclhost",
        b"localhost:65536",
        b"localhost:999999",
        b":80",
        b"[::1]:x",
    ):
        yield refused(f"Host: {host!r}", rule, request(host=host))
    # An http URI has a host (RFC 9110 section 4.2.1), while the field's grammar lets it be empty.
    yield Case("an empty Host", "9110-4.2.1", request(host=b""), (400, 200), After.EITHER)
    yield refused(
        "a bad Host with absolute-form", rule, request(b"http://localhost/text.txt", host=b"a b")
    )
    yield refused(
        "a Host with a space before its colon",
        "9112-5.1",
        request(b"/text.txt", b"Host : localhost", host=None),
    )


def _amounts() -> Iterator[Case]:
    rule = "9110-5.4"
    yield answered(
        "a value of 4000 bytes", rule, request(b"/text.txt", b"X-A: " + b"b" * 4000), content=TEXT
    )
    yield answered(
        "90 field lines", rule, request(b"/text.txt", *[b"X-%d: b" % n for n in range(90)])
    )
    yield answered(
        "150 field lines",
        rule,
        request(b"/text.txt", *[b"X-%d: b" % n for n in range(150)]),
        200,
        431,
        400,
        after=After.EITHER,
    )
    yield answered("the same field 50 times", rule, request(b"/text.txt", *[b"X-A: b"] * 50))
    for size in (20_000, 70_000, 300_000, 2_000_000):
        yield refused(
            f"a value of {size} bytes",
            "6585-5",
            request(b"/text.txt", b"X-A: " + b"b" * size),
            431,
            400,
            413,
        )
    yield refused(
        "a name of 70000 bytes",
        "6585-5",
        request(b"/text.txt", b"A" * 70_000 + b": b"),
        431,
        400,
        413,
    )
    for count in (3000, 30_000):
        lines = [b"X-%d: b" % number for number in range(count)]
        yield refused(
            f"{count} field lines", "6585-5", request(b"/text.txt", *lines), 431, 400, 413
        )
    yield refused("a Host of 70000 bytes", "6585-5", request(host=b"a" * 70_000), 431, 400, 413)


HEADER_FIELDS = (*_names(), *_values(), *_host(), *_amounts())
