"""
Cases: the request target (RFC 9112 section 3.2), and the file that it stands for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.blackbox.case import After, Case, answered, refused, request
from tests.blackbox.tree import FILES, TEXT

# A whole segment of two dots, however it is written.
_TWO_DOTS = re.compile(rb"/(\.|%2e){2}(/|\Z)", re.IGNORECASE)
_INDEX = FILES["index.html"]


def _targets() -> Iterator[Case]:
    rule = "9112-3.2"
    good = {
        "the root": (b"/", _INDEX),
        "a query": (b"/text.txt?a=b&c=d", TEXT),
        "an empty query": (b"/text.txt?", TEXT),
        "two question marks": (b"/text.txt?a?b", TEXT),
        "a query with slashes and dots": (b"/text.txt?/../..", TEXT),
        "an encoded letter": (b"/%74ext.txt", TEXT),
        "an encoded dot": (b"/text%2etxt", TEXT),
        "an encoded dot in capitals": (b"/text%2Etxt", TEXT),
        "an encoded space": (b"/with%20space.txt", FILES["with space.txt"]),
        "an encoded letter beyond ASCII": (b"/%C3%BCnicode.txt", FILES["ünicode.txt"]),
        "absolute-form": (b"http://localhost/text.txt", TEXT),
        "absolute-form in capitals": (b"HTTP://LOCALHOST/text.txt", TEXT),
        "absolute-form with a port": (b"http://localhost:80/text.txt", TEXT),
        "absolute-form without a path": (b"http://localhost", _INDEX),
        "absolute-form with a query": (b"http://localhost/text.txt?a", TEXT),
        "absolute-form with another host than Host": (b"http://other.example/text.txt", TEXT),
        "absolute-form with an IPv6 address": (b"http://[::1]:80/text.txt", TEXT),
    }
    for name, (target, content) in good.items():
        yield answered(name, rule, request(target), content=content)
    yield answered(
        "a path that ends in a dot-segment",
        "3986-5.2.4",
        request(b"/."),
        200,
        400,
        404,
        after=After.EITHER,
        content=_INDEX,
    )
    bad: dict[str, tuple[bytes, *tuple[int, ...]]] = {
        "a fragment": (b"/text.txt#top", 400, 404, 200),
        "an incomplete encoding": (b"/text.txt%", 400, 404),
        "half an encoding": (b"/text.txt%2", 400, 404),
        "an encoding without digits": (b"/%zz", 400, 404),
        "an encoded NUL": (b"/text.txt%00", 400, 404),
        "an encoded NUL before an extension": (b"/text.txt%00.html", 400, 404),
        "no slash at the beginning": (b"text.txt", 400),
        "only a query": (b"?a", 400),
        "a backslash": (b"\\text.txt", 400),
        "a backslash in the path": (b"/\\text.txt", 400, 404),
        "a quotation mark": (b'/"', 400, 404),
        "angle brackets": (b"/<b>", 400, 404),
        "bytes beyond ASCII": (b"/\xc3\xbcnicode.txt", 400, 404, 200),
        "an asterisk for GET": (b"*", 400, 404),
        "another scheme": (b"ftp://localhost/text.txt", 400, 404, 421),
        "a scheme of nobody's": (b"foo:bar", 400, 404),
        "a scheme without a host": (b"http:///text.txt", 400),
        "a scheme alone": (b"http:", 400),
        "a scheme and two slashes": (b"http://", 400),
        "a scheme and one slash": (b"http:/text.txt", 400),
        "a host with a user": (b"http://user@localhost/text.txt", 400, 200),
        "a host with a space": (b"http://local%20host:x/text.txt", 400),
        "a port that is none": (b"http://localhost:x/text.txt", 400),
        "a port beyond all": (b"http://localhost:65536/text.txt", 400),
        "an IPv6 address that is none": (b"http://[::zz]/text.txt", 400),
        "a bracket that does not close": (b"http://[::1/text.txt", 400),
        "authority-form for GET": (b"localhost:80", 400),
    }
    for name, (target, *statuses) in bad.items():
        yield Case(name, rule, request(target), tuple(statuses), After.EITHER)
    yield refused(
        "https where there is no TLS", "9110-7.4", request(b"https://localhost/text.txt"), 421, 400
    )


def _paths() -> Iterator[Case]:
    climbs = (
        b"/../secret.txt",
        b"/../../../../etc/passwd",
        b"/folder/../../secret.txt",
        b"/%2e%2e/secret.txt",
        b"/%2E%2E/secret.txt",
        b"/.%2e/secret.txt",
        b"/%2e./secret.txt",
        b"/..%2fsecret.txt",
        b"/..%2Fsecret.txt",
        b"/%2e%2e%2fsecret.txt",
        b"/..%5csecret.txt",
        b"/%2e%2e%5csecret.txt",
        b"/..%00/secret.txt",
        b"/folder%2f..%2f..%2fsecret.txt",
        b"/....//secret.txt",
        b"/..;/secret.txt",
        b"/%252e%252e/secret.txt",
        b"/..%c0%afsecret.txt",
        b"/%c0%ae%c0%ae/secret.txt",
        b"/%uff0e%uff0e/secret.txt",
        b"//../secret.txt",
        b"/./../secret.txt",
        b"/.../secret.txt",
        b"http://localhost/../secret.txt",
        b"/folder/..",
        b"/%2fetc%2fpasswd",
        b"//etc/passwd",
        b"/file:///etc/passwd",
    )
    for target in climbs:
        name = f"a way out of the root: {target.decode()}"
        is_refused_early = (
            _TWO_DOTS.search(target) is not None or b"%00" in target or b"%uff" in target
        )
        statuses: tuple[int, ...]
        statuses = (400, 404, 403, 301) if is_refused_early else (404, 400, 403, 301)
        if target == b"/folder/..":
            statuses = (*statuses, 200)
        yield Case(name, "9110-17.3", request(target), statuses, After.EITHER)
    for target in (
        b"/nothing",
        b"/folder/nothing",
        b"/text.txt/",
        b"/text.txt/more",
        b"/%ff%fe",
        b"/folder%2findex.html",
        b"/text.txt.",
        b"/TEXT.TXT",
        b"/" + b"a" * 300,
        b"/" + b"a/" * 1000,
    ):
        yield Case(
            f"no such file: {target[:30].decode()}",
            "9110-15.5.5",
            request(target),
            (404, 403),
            After.EITHER,
        )
    yield answered(
        "a link to a file beneath the root", "house", request(b"/inside.txt"), content=b"probe\n"
    )
    yield Case(
        "a link out of the root", "house", request(b"/outside.txt"), (404, 403), After.EITHER
    )
    yield Case("a hidden file", "house", request(b"/.hidden"), (404, 403), After.EITHER)
    yield answered("a well-known file", "8615-3", request(b"/.well-known/security.txt"))
    redirect = (301, 302, 307, 308)
    for target, location in {
        b"/folder": rb"(http://[^/]+)?/folder/",
        b"/folder?a=b": rb"(http://[^/]+)?/folder/\?a=b",
        b"/bare": rb"(http://[^/]+)?/bare/",
        b"http://other.example/folder": rb"(http://[^/]+)?/folder/",
    }.items():
        yield answered(
            f"a folder without its slash: {target.decode()}",
            "9110-15.4.2",
            request(target),
            *redirect,
            after=After.EITHER,
            fields={b"location": location},
        )
    for target in (
        b"//folder",
        b"///folder",
        b"//other.example/%2e%2e",
        b"//other.example/%2f..",
        b"/%5cother.example/..%2f",
        b"/\\other.example",
        b"//other.example//folder",
        b"/%0d%0aLocation:%20//x",
        b"/folder/%0d%0aa:b",
    ):
        first, second = (400, 404) if b"/%2e%2e" in target or b"\\" in target else (404, 400)
        yield Case(
            f"no way to another host: {target.decode()}",
            "9110-17.4",
            request(target),
            (first, second, 301, 302, 308, 200),
            After.EITHER,
            fields={b"location": None},
        )
    yield answered("a folder", "house", request(b"/folder/"), content=FILES["folder/index.html"])
    yield answered(
        "a folder with a query", "house", request(b"/folder/?a"), content=FILES["folder/index.html"]
    )
    yield answered(
        "a folder without an index", "house", request(b"/bare/"), 404, 403, after=After.EITHER
    )


TARGETS = (*_targets(), *_paths())
