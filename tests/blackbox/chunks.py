"""
Cases: the chunked transfer coding (RFC 9112 section 7.1).
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.blackbox.case import After, Case, answered, refused
from tests.blackbox.framing import post


def _chunks() -> Iterator[Case]:
    rule = "9112-7.1"

    def chunked(body: bytes) -> bytes:
        return post(b"Transfer-Encoding: chunked", body=body, method=b"GET")

    good = {
        "one chunk": b"5\r\nhello\r\n0\r\n\r\n",
        "two chunks": b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
        "a size in capitals": b"A\r\n0123456789\r\n0\r\n\r\n",
        "a size in small letters": b"a\r\n0123456789\r\n0\r\n\r\n",
        "leading zeros": b"0005\r\nhello\r\n0\r\n\r\n",
        "a last chunk of zeros": b"5\r\nhello\r\n000\r\n\r\n",
        "a chunk of line ends": b"4\r\n\r\n\r\n\r\n0\r\n\r\n",
        "an extension": b"5;a\r\nhello\r\n0\r\n\r\n",
        "an extension with a value": b"5;a=b\r\nhello\r\n0\r\n\r\n",
        "an extension with a quoted value": b'5;a="b;c"\r\nhello\r\n0\r\n\r\n',
        "two extensions": b"5;a=b;c\r\nhello\r\n0\r\n\r\n",
        "an extension of the last chunk": b"5\r\nhello\r\n0;a=b\r\n\r\n",
        "a trailer": b"5\r\nhello\r\n0\r\nX-A: b\r\n\r\n",
        "two trailers": b"5\r\nhello\r\n0\r\nX-A: b\r\nX-B: c\r\n\r\n",
        "a trailer that speaks of framing": b"5\r\nhello\r\n0\r\nContent-Length: 50\r\n\r\n",
    }
    for name, body in good.items():
        yield answered(name, rule, chunked(body))
    yield answered(
        "white space before an extension",
        "9112-7.1.1",
        chunked(b"5 ;a\r\nhello\r\n0\r\n\r\n"),
        200,
        400,
        after=After.EITHER,
    )
    bad = {
        "an empty size": b"\r\nhello\r\n0\r\n\r\n",
        "a size with 0x": b"0x5\r\nhello\r\n0\r\n\r\n",
        "a size with 0X": b"0X5\r\nhello\r\n0\r\n\r\n",
        "a size with +": b"+5\r\nhello\r\n0\r\n\r\n",
        "a size with -": b"-5\r\nhello\r\n0\r\n\r\n",
        "a size of -0": b"-0\r\n\r\n",
        "a size with _": b"0_5\r\nhello\r\n0\r\n\r\n",
        "a size that is none": b"g\r\nhello\r\n0\r\n\r\n",
        "a size with a dot": b"5.0\r\nhello\r\n0\r\n\r\n",
        "a size in quotes": b'"5"\r\nhello\r\n0\r\n\r\n',
        "a size with an h": b"5h\r\nhello\r\n0\r\n\r\n",
        "a space before the size": b" 5\r\nhello\r\n0\r\n\r\n",
        "a tab before the size": b"\t5\r\nhello\r\n0\r\n\r\n",
        "a NUL behind the size": b"5\x00\r\nhello\r\n0\r\n\r\n",
        "a size with a digit of another script": b"\xd9\xa5\r\nhello\r\n0\r\n\r\n",
        "a size with _ between digits": b"1_0\r\n0123456789abcdef\r\n0\r\n\r\n",
        "a space behind the size": b"5 \r\nhello\r\n0\r\n\r\n",
        "a tab behind the size": b"5\t\r\nhello\r\n0\r\n\r\n",
        "a semicolon and no extension": b"5;\r\nhello\r\n0\r\n\r\n",
        "an extension that is no token": b"5;bad[=x\r\nhello\r\n0\r\n\r\n",
        "an extension with an open quote": b'5;a="b\r\nhello\r\n0\r\n\r\n',
        "an extension without its value": b"5;a=\r\nhello\r\n0\r\n\r\n",
        "two bytes more than the size": b"5\r\nhello!!\r\n0\r\n\r\n",
        "LF alone behind a semicolon": b"5;\nhello\r\n0\r\n\r\n",
        "a last chunk of -1": b"5\r\nhello\r\n-1\r\n\r\n",
        "a comma behind the size": b"5,6\r\nhello\r\n0\r\n\r\n",
        "words behind the size": b"5 hello\r\nhello\r\n0\r\n\r\n",
        "LF alone behind the size": b"5\nhello\r\n0\r\n\r\n",
        "CR alone behind the size": b"5\rhello\r\n0\r\n\r\n",
        "CR CR LF behind the size": b"5\r\r\nhello\r\n0\r\n\r\n",
        "LF alone behind the data": b"5\r\nhello\n0\r\n\r\n",
        "CR alone behind the data": b"5\r\nhello\r0\r\n\r\n",
        "nothing behind the data": b"5\r\nhello0\r\n\r\n",
        "other bytes behind the data": b"5\r\nhelloXX0\r\n\r\n",
        "a chunk longer than its size": b"4\r\nhello\r\n0\r\n\r\n",
        "LF alone behind the last chunk": b"5\r\nhello\r\n0\n\r\n",
        "LF alone at the end": b"5\r\nhello\r\n0\r\n\n",
        "other bytes at the end": b"5\r\nhello\r\n0\r\nXX\r\n\r\n",
        "LF alone in an extension": b"5;a\nb\r\nhello\r\n0\r\n\r\n",
        "CR alone in an extension": b"5;a\rb\r\nhello\r\n0\r\n\r\n",
        "NUL in an extension": b"5;a\x00\r\nhello\r\n0\r\n\r\n",
        "a folded trailer": b"5\r\nhello\r\n0\r\nX-A: b\r\n c\r\n\r\n",
        "a trailer with a space before its colon": b"5\r\nhello\r\n0\r\nX-A : b\r\n\r\n",
        "a trailer without a colon": b"5\r\nhello\r\n0\r\nX-A\r\n\r\n",
        "a trailer with a NUL": b"5\r\nhello\r\n0\r\nX-A: \x00\r\n\r\n",
        "a trailer with a bare CR": b"5\r\nhello\r\n0\r\nX-A: b\rc\r\n\r\n",
    }
    for name, body in bad.items():
        yield refused(name, rule, chunked(body))
    for size in (
        b"FFFFFFFFFFFFFFFF",
        b"FFFFFFFFFFFFFFFFF",
        b"10000000000000005",
        b"7FFFFFFFFFFFFFFF",
        b"8000000000000000",
        b"100000000",
        b"F" * 100,
        b"0" * 5000 + b"5",
    ):
        statuses = (413, 400) if size in (b"7FFFFFFFFFFFFFFF", b"100000000") else (400, 413)
        yield refused(
            f"a size of {size[:20].decode()}{'…' if len(size) > 20 else ''}",
            "9112-7.1",
            chunked(size + b"\r\nhello\r\n0\r\n\r\n"),
            *statuses,
        )
    limits = "9112-7.1.1"
    yield refused(
        "an extension of 70000 bytes",
        limits,
        chunked(b"5;" + b"a" * 70_000 + b"\r\nhello\r\n0\r\n\r\n"),
        400,
        413,
        431,
    )
    yield refused(
        "extensions of 200000 bytes in all",
        limits,
        chunked((b"1;" + b"a" * 200 + b"\r\nx\r\n") * 1000 + b"0\r\n\r\n"),
        400,
        413,
        431,
    )
    yield refused(
        "a trailer of 70000 bytes",
        "9112-7.1.2",
        chunked(b"5\r\nhello\r\n0\r\nX-A: " + b"b" * 70_000 + b"\r\n\r\n"),
        431,
        400,
        413,
    )
    yield refused(
        "3000 trailers",
        "9112-7.1.2",
        chunked(b"0\r\n" + b"X-A: b\r\n" * 3000 + b"\r\n"),
        431,
        400,
        413,
    )
    yield Case(
        "chunks that end early", "9112-7.1", chunked(b"5\r\nhello\r\n"), (400, 200, 408), After.SHUT
    )
    yield answered(
        "2000 chunks of one byte",
        rule,
        chunked(b"1\r\na\r\n" * 2000 + b"0\r\n\r\n"),
        200,
        400,
        413,
        after=After.EITHER,
    )


CHUNKS = tuple(_chunks())
