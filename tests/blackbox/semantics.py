"""
Cases: preconditions (RFC 9110 section 13) and ranges (section 14).
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.blackbox.case import ETAG, MODIFIED, After, Case, answered, request
from tests.blackbox.tree import LARGE, MODIFIED_DATE, TEXT

_SIZE = len(TEXT)
_EARLIER = b"Tue, 31 Dec 2019 23:59:59 GMT"
_LATER = b"Thu, 02 Jan 2020 00:00:00 GMT"


def _ask(*lines: bytes, target: bytes = b"/text.txt", method: bytes = b"GET") -> bytes:
    return request(target, *lines, method=method)


def _conditions() -> Iterator[Case]:
    is_304 = {
        b"etag": b'"[^"]+"',
        b"content-type": None,
        b"content-length": None,
        b"content-encoding": None,
    }
    match, none = b"If-Match: ", b"If-None-Match: "
    since, unmodified = b"If-Modified-Since: ", b"If-Unmodified-Since: "

    def stays(name: str, rule: str, *lines: bytes, method: bytes = b"GET") -> Case:
        return answered(name, rule, _ask(*lines, method=method), 304, fields=is_304, content=b"")

    def sends(name: str, rule: str, *lines: bytes) -> Case:
        return answered(
            name, rule, _ask(*lines), 200, content=TEXT, fields={b"last-modified": MODIFIED_DATE}
        )

    def fails(name: str, rule: str, *lines: bytes, method: bytes = b"GET") -> Case:
        return answered(name, rule, _ask(*lines, method=method), 412, after=After.EITHER)

    rule = "9110-13.1.2"
    yield stays("If-None-Match: the tag", rule, none + ETAG)
    yield stays("If-None-Match: the tag, weak", rule, none + b"W/" + ETAG)
    yield stays("If-None-Match: *", rule, none + b"*")
    yield stays("If-None-Match: a list with the tag", rule, none + b'"a", ' + ETAG + b', "b"')
    yield stays("If-None-Match: a list of two lines", rule, none + b'"a"', none + ETAG)
    yield stays("If-None-Match: a tag with a comma before it", rule, none + b'"a,b", ' + ETAG)
    yield stays("If-None-Match of HEAD", rule, none + ETAG, method=b"HEAD")
    yield sends("If-None-Match: another tag", rule, none + b'"another"')
    yield sends("If-None-Match: several others", rule, none + b'"a", W/"b", "c"')
    yield sends("If-None-Match: the tag within another", rule, none + b'"x' + ETAG[1:-1] + b'x"')
    rule = "9110-13.1.3"
    yield stays("If-Modified-Since: the date", rule, since + MODIFIED)
    yield stays("If-Modified-Since: later", rule, since + _LATER)
    yield stays(
        "If-Modified-Since: RFC 850's form",
        "9110-5.6.7",
        since + b"Wednesday, 01-Jan-20 00:00:00 GMT",
    )
    yield stays(
        "If-Modified-Since: asctime's form", "9110-5.6.7", since + b"Wed Jan  1 00:00:00 2020"
    )
    yield stays("If-Modified-Since of HEAD", rule, since + MODIFIED, method=b"HEAD")
    yield answered(
        "If-Modified-Since: in the future",
        rule,
        _ask(since + b"Fri, 01 Jan 2100 00:00:00 GMT"),
        304,
        200,
    )
    yield sends("If-Modified-Since: earlier", rule, since + _EARLIER)
    yield sends("If-Modified-Since: 1970", rule, since + b"Thu, 01 Jan 1970 00:00:00 GMT")
    for value in (
        b"yesterday",
        b"2020-01-02T00:00:00Z",
        b"1577923200",
        b"Thu, 02 Jan 2020 00:00:00 CET",
        b"Thu, 32 Jan 2020 00:00:00 GMT",
        b"Thu, 02 Foo 2020 00:00:00 GMT",
        b"Thu, 02 Jan 2020 25:00:00 GMT",
        b"",
        b"Thu, 02 Jan 2020",
    ):
        yield sends(f"If-Modified-Since: {value.decode()!r} is no date", rule, since + value)
    rule = "9110-13.1.1"
    yield sends("If-Match: the tag", rule, match + ETAG)
    yield sends("If-Match: *", rule, match + b"*")
    yield sends("If-Match: a list with the tag", rule, match + b'"a", ' + ETAG)
    yield fails("If-Match: another tag", rule, match + b'"another"')
    yield fails("If-Match: the tag, weak", rule, match + b"W/" + ETAG)
    yield fails("If-Match of HEAD: another tag", rule, match + b'"another"', method=b"HEAD")
    rule = "9110-13.1.4"
    yield sends("If-Unmodified-Since: the date", rule, unmodified + MODIFIED)
    yield sends("If-Unmodified-Since: later", rule, unmodified + _LATER)
    yield sends("If-Unmodified-Since: no date", rule, unmodified + b"yesterday")
    yield fails("If-Unmodified-Since: earlier", rule, unmodified + _EARLIER)
    rule = "9110-13.2.2"
    yield sends("If-None-Match before If-Modified-Since", rule, none + b'"another"', since + _LATER)
    yield stays(
        "If-None-Match before an earlier If-Modified-Since", rule, none + ETAG, since + _EARLIER
    )
    yield sends("If-Match before If-Unmodified-Since", rule, match + ETAG, unmodified + _EARLIER)
    yield fails("If-Match fails before all", rule, match + b'"another"', none + ETAG)
    yield stays("If-Match holds, If-None-Match too", rule, match + ETAG, none + ETAG)
    yield fails(
        "If-Unmodified-Since fails before If-None-Match", rule, unmodified + _EARLIER, none + ETAG
    )
    yield answered(
        "conditions of nothing",
        "9110-13.2.1",
        _ask(match + b'"a"', target=b"/nothing"),
        404,
        after=After.EITHER,
    )
    yield answered(
        "conditions of PUT",
        "9110-13.2.1",
        _ask(none + b"*", method=b"PUT"),
        405,
        412,
        501,
        403,
        after=After.EITHER,
    )
    yield answered(
        "304 before a range", rule, _ask(none + ETAG, b"Range: bytes=0-4"), 304, content=b""
    )


def _ranges() -> Iterator[Case]:
    def part(name: str, rule: str, value: bytes, first: int, last: int, *lines: bytes) -> Case:
        wanted = {
            b"content-range": b"bytes %d-%d/%d" % (first, last, _SIZE),
            b"content-length": b"%d" % (last - first + 1),
            b"accept-ranges": b"bytes",
            b"etag": b'"[^"]+"',
        }
        return answered(
            name,
            rule,
            _ask(b"Range: " + value, *lines),
            206,
            content=TEXT[first : last + 1],
            fields=wanted,
        )

    def whole(name: str, rule: str, *lines: bytes, method: bytes = b"GET") -> Case:
        content = b"" if method == b"HEAD" else TEXT
        return answered(
            name,
            rule,
            _ask(*lines, method=method),
            200,
            content=content,
            fields={b"content-range": None},
        )

    rule = "9110-14.1.2"
    yield part("the first byte", rule, b"bytes=0-0", 0, 0)
    yield part("the first five", rule, b"bytes=0-4", 0, 4)
    yield part("some in the middle", rule, b"bytes=100-199", 100, 199)
    yield part("from a position on", rule, b"bytes=1000-", 1000, _SIZE - 1)
    yield part("the last byte", rule, b"bytes=%d-" % (_SIZE - 1), _SIZE - 1, _SIZE - 1)
    yield part("from 0 on", rule, b"bytes=0-", 0, _SIZE - 1)
    yield part("a last position behind the end", rule, b"bytes=1000-999999", 1000, _SIZE - 1)
    yield part("a last position with 30 digits", rule, b"bytes=1000-" + b"9" * 30, 1000, _SIZE - 1)
    yield part("the last five", rule, b"bytes=-5", _SIZE - 5, _SIZE - 1)
    yield part("the last one", rule, b"bytes=-1", _SIZE - 1, _SIZE - 1)
    yield part("a suffix longer than the file", rule, b"bytes=-999999", 0, _SIZE - 1)
    yield part("the unit in capitals", "9110-14.1", b"BYTES=0-4", 0, 4)
    yield part("one of two beyond the end", "9110-15.3.7", b"bytes=0-4, 999999-", 0, 4)
    unsatisfied = {b"content-range": b"bytes \\*/%d" % _SIZE}
    for value in (
        b"bytes=%d-" % _SIZE,
        b"bytes=999999-",
        b"bytes=999999-9999999",
        b"bytes=-0",
        b"bytes=" + b"9" * 30 + b"-",
        b"bytes=999998-999998, 999999-",
    ):
        yield answered(
            f"Range: {value.decode()}",
            "9110-15.5.17",
            _ask(b"Range: " + value),
            416,
            fields=unsatisfied,
            after=After.EITHER,
        )
    for value in (
        b"bytes=5-4",
        b"bytes=a-b",
        b"bytes=",
        b"bytes",
        b"bytes=-",
        b"bytes=--5",
        b"bytes=0-4-8",
        b"bytes=0x0-4",
        b"bytes=+0-4",
        b"bytes=0 - 4",
        b"bytes:0-4",
        b"=0-4",
        b"",
        b"bytes=0-4;5-9",
        b"bytes=1-2,a",
    ):
        # Section 14.2: an invalid Range is ignored, or refused with 416.
        yield answered(
            f"an invalid Range: {value.decode()!r}",
            "9110-14.2",
            _ask(b"Range: " + value),
            200,
            416,
            content=TEXT,
            after=After.EITHER,
        )
    yield whole("another unit", "9110-14.2", b"Range: lines=0-4")
    yield whole("a range of HEAD", "9110-14.2", b"Range: bytes=0-4", method=b"HEAD")
    yield whole(
        "an unsatisfiable range of HEAD", "9110-14.2", b"Range: bytes=999999-", method=b"HEAD"
    )
    yield answered(
        "a range of PUT",
        "9110-14.2",
        _ask(b"Range: bytes=0-4", method=b"PUT"),
        405,
        501,
        403,
        after=After.EITHER,
    )
    yield answered(
        "two Range lines",
        "9110-14.2",
        _ask(b"Range: bytes=0-4", b"Range: bytes=5-9"),
        200,
        206,
        400,
        after=After.EITHER,
    )
    yield answered(
        "a range of an empty file",
        "9110-14.1.2",
        _ask(b"Range: bytes=0-4", target=b"/empty.txt"),
        416,
        200,
        after=After.EITHER,
    )
    yield answered(
        "a suffix of an empty file",
        "9110-14.1.2",
        _ask(b"Range: bytes=-5", target=b"/empty.txt"),
        200,
        206,
        416,
        after=After.EITHER,
    )
    yield answered(
        "a range of a large file",
        rule,
        _ask(b"Range: bytes=100000-199999", target=b"/large.bin"),
        206,
        content=LARGE[100_000:200_000],
    )
    several = {b"content-type": b"multipart/byteranges; ?boundary=.+", b"content-range": None}
    rule = "9110-14.6"
    for name, value in {
        "two ranges": b"bytes=0-4, 10-14",
        "two ranges without a space": b"bytes=0-4,10-14",
        "a range and a suffix": b"bytes=0-0,-1",
        "ranges in the other order": b"bytes=10-14,0-4",
        "ranges with empty elements": b"bytes=0-4,,10-14",
        "three ranges": b"bytes=0-4,10-14,-5",
    }.items():
        yield answered(name, rule, _ask(b"Range: " + value), 206, fields=several)
    yield answered(
        "overlapping ranges",
        "9110-14.2",
        _ask(b"Range: bytes=0-9,5-14"),
        206,
        200,
        416,
        after=After.EITHER,
    )
    yield answered(
        "adjacent ranges", "9110-14.2", _ask(b"Range: bytes=0-4,5-9"), 206, 200, after=After.EITHER
    )
    yield answered(
        "the whole file twice",
        "9110-17.15",
        _ask(b"Range: bytes=0-,0-"),
        200,
        206,
        416,
        after=After.EITHER,
    )
    flood = b"bytes=" + b",".join(b"%d-%d" % (n, n) for n in range(0, 1200, 2))
    yield answered(
        "600 tiny ranges", "9110-17.15", _ask(b"Range: " + flood), 200, 416, after=After.EITHER
    )
    yield answered(
        "1000 overlapping ranges",
        "9110-17.15",
        _ask(b"Range: bytes=" + b"0-," * 999 + b"0-"),
        200,
        416,
        after=After.EITHER,
    )
    rule = "9110-13.1.5"
    yield part("If-Range: the tag", rule, b"bytes=0-4", 0, 4, b"If-Range: " + ETAG)
    yield part("If-Range: the date", rule, b"bytes=0-4", 0, 4, b"If-Range: " + MODIFIED)
    for name, value in {
        "another tag": b'"another"',
        "the tag, weak": b"W/" + ETAG,
        "an earlier date": _EARLIER,
        "a later date": _LATER,
        "a list": b'"a", ' + ETAG,
        "an asterisk": b"*",
        "the tag without quotes": b"x",
    }.items():
        yield whole(f"If-Range: {name}", rule, b"Range: bytes=0-4", b"If-Range: " + value)
    yield whole("If-Range without Range", rule, b"If-Range: " + ETAG)
    yield whole(
        "If-Range decides before 416", rule, b"Range: bytes=999999-", b'If-Range: "another"'
    )
    yield answered(
        "If-Match and a range",
        "9110-13.2.2",
        _ask(b"If-Match: " + ETAG, b"Range: bytes=0-4"),
        206,
        content=TEXT[:5],
    )
    yield answered(
        "If-Match fails before a range",
        "9110-13.2.2",
        _ask(b'If-Match: "a"', b"Range: bytes=0-4"),
        412,
        after=After.EITHER,
    )


CONDITIONS = tuple(_conditions())
RANGES = tuple(_ranges())
