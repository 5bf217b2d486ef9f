"""
Cases: what the options of the server change. C{{folder}} in an option is the folder of the root.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.blackbox.access import CROSS_ORIGIN, PASSWORDS
from tests.blackbox.case import After, Case, Group, answered, refused, request
from tests.blackbox.tree import FILES, TEXT


def _listing() -> Iterator[Case]:
    html = {b"content-type": rb"text/html; ?charset=utf-8", b"x-content-type-options": b"nosniff"}
    json = {b"content-type": rb"application/json.*", b"vary": rb"(?i:.*accept.*)"}
    yield answered("a folder's list", "house", request(b"/bare/"), fields=html)
    yield answered("HEAD of a list", "9110-9.3.2", request(b"/bare/", method=b"HEAD"), content=b"")
    for query in (
        b"?sort=name",
        b"?sort=size",
        b"?sort=time&order=desc",
        b"?sort=%3Cscript%3E",
        b"?",
    ):
        name = f"a list with {query.decode()}"
        yield answered(name, "house", request(b"/bare/" + query), fields=html)
    yield answered(
        "a list as JSON",
        "9110-12.5.1",
        request(b"/bare/", b"Accept: application/json"),
        fields=json,
    )
    yield answered(
        "a list for a browser",
        "9110-12.5.1",
        request(b"/bare/", b"Accept: text/html,application/xhtml+xml,*/*;q=0.8"),
        fields=html,
    )
    yield answered(
        "a list for anything", "9110-12.5.1", request(b"/bare/", b"Accept: */*"), fields=html
    )
    yield answered(
        "an index comes first", "house", request(b"/folder/"), content=FILES["folder/index.html"]
    )
    yield answered("no list of nothing", "house", request(b"/nothing/"), 404, after=After.EITHER)
    yield answered(
        "no list without the slash",
        "house",
        request(b"/bare"),
        301,
        after=After.EITHER,
        fields={b"location": b"/bare/"},
    )
    yield answered("PUT to a list", "9110-15.5.6", request(b"/bare/", method=b"PUT"), 405)


def _pages() -> Iterator[Case]:
    page = FILES["404.html"]
    html = {
        b"content-type": rb"text/html; ?charset=utf-8",
        b"etag": None,
        b"last-modified": None,
        b"accept-ranges": None,
    }
    for target in (b"/nothing", b"/nothing/", b"/.hidden", b"/outside.txt", b"/bare/"):
        yield answered(
            f"the page for {target.decode()}",
            "house",
            request(target),
            404,
            after=After.EITHER,
            content=page,
            fields=html,
        )
    yield answered(
        "the page for HEAD",
        "9110-9.3.2",
        request(b"/nothing", method=b"HEAD"),
        404,
        after=After.EITHER,
        content=b"",
        fields={b"content-length": b"%d" % len(page)},
    )
    yield answered(
        "no range of the page",
        "9110-14.2",
        request(b"/nothing", b"Range: bytes=0-4"),
        404,
        after=After.EITHER,
        content=page,
    )
    yield answered(
        "no 304 for the page",
        "9110-13.2.1",
        request(b"/nothing", b"If-None-Match: *"),
        404,
        after=After.EITHER,
        content=page,
    )


def _single_page() -> Iterator[Case]:
    index = FILES["index.html"]
    html = b"Accept: text/html,*/*;q=0.8"
    for target in (b"/app", b"/app/users/7", b"/app/", b"/app?a=b", b"/a.b/c"):
        yield answered(
            f"the page for {target.decode()}", "house", request(target, html), content=index
        )
    yield answered(
        "HEAD of a page",
        "9110-9.3.2",
        request(b"/app", html, method=b"HEAD"),
        content=b"",
        fields={b"content-length": b"%d" % len(index)},
    )
    yield answered("a file comes first", "house", request(b"/text.txt", html), content=TEXT)
    for target, line in (
        (b"/app.js", html),
        (b"/app/logo.png", html),
        (b"/app", b"Accept: application/json"),
        (b"/app", b"Accept: image/*"),
        (b"/app", b"Accept: text/html;q=0"),
    ):
        name = f"none for {target.decode()} with {line.decode()}"
        yield answered(name, "house", request(target, line), 404, after=After.EITHER)
    yield answered("none for POST", "9110-15.5.6", request(b"/app", html, method=b"POST"), 405)
    yield answered(
        "none out of the root",
        "house",
        request(b"/..%2fsecret", html),
        404,
        400,
        after=After.EITHER,
    )


def _redirects() -> Iterator[Case]:
    for target, status, location in (
        (b"/old.html", 301, rb"/text\.txt"),
        (b"/old.html?q", 301, rb"/text\.txt\?q"),
        (b"/gone", 302, b"/folder/"),
        (b"/blog/page.html", 308, rb"/folder/page\.html"),
        (b"/blog/a/b?c", 308, rb"/folder/a/b\?c"),
        (b"/blog/", 308, b"/folder/"),
        (b"/away", 301, rb"https://example\.org/"),
        (b"/see", 303, rb"/text\.txt\?a=b"),
        (b"/temporary", 307, rb"/text\.txt"),
        (b"/%6fld.html", 301, rb"/text\.txt"),
        (b"/blog//other.example", 308, rb"/folder/[^/].*|/folder//other.example"),
        (b"/blog/%0d%0aa:b", 308, rb"/folder/%0[dD]%0[aA]a(:|%3A)b"),
    ):
        yield answered(
            f"redirected: {target.decode()}",
            "9110-15.4",
            request(target),
            status,
            after=After.EITHER,
            fields={b"location": location},
        )
    yield answered("not redirected", "house", request(b"/text.txt"), content=TEXT)
    yield answered(
        "POST is not redirected",
        "9110-15.5.6",
        request(b"/old.html", method=b"POST"),
        405,
        after=After.EITHER,
    )


def _added() -> Iterator[Case]:
    added: dict[bytes, bytes | None] = {b"x-added": b"yes", b"referrer-policy": b"no-referrer"}
    yield answered("added to a file", "house", request(), fields=added)
    yield answered(
        "added to a 404", "house", request(b"/nothing"), 404, fields=added, after=After.EITHER
    )
    yield answered(
        "added to a 304", "house", request(b"/text.txt", b"If-None-Match: *"), 304, fields=added
    )
    yield answered(
        "added to a redirection",
        "house",
        request(b"/folder"),
        301,
        fields=added,
        after=After.EITHER,
    )
    yield answered(
        "in place of our own", "house", request(b"/"), fields={b"cache-control": b"max-age=60"}
    )


def _limits() -> Iterator[Case]:
    yield answered(
        "a request line as long as it may be",
        "9110-15.5.15",
        request(b"/text.txt?" + b"a" * (100 - 23)),
        content=TEXT,
    )
    yield refused("one byte more", "9110-15.5.15", request(b"/text.txt?" + b"a" * (101 - 23)), 414)
    lines = request(b"/text.txt", b"A: ").partition(b"\r\n")[2]
    fill = b"a" * (300 - (len(lines) - 2))
    yield answered(
        "a header section as long as it may be", "6585-5", request(b"/text.txt", b"A: " + fill)
    )
    yield refused("a section one byte longer", "6585-5", request(b"/text.txt", b"A: a" + fill), 431)
    yield answered(
        "as many field lines as there may be", "6585-5", request(b"/text.txt", *[b"A: b"] * 9)
    )
    yield refused("one line more", "6585-5", request(b"/text.txt", *[b"A: b"] * 10), 431)
    yield answered(
        "as much content as there may be",
        "9110-15.5.14",
        request(b"/text.txt", b"Content-Length: 1000", body=b"a" * 1000),
    )
    yield refused(
        "content one byte longer",
        "9110-15.5.14",
        request(b"/text.txt", b"Content-Length: 1001"),
        413,
    )
    yield refused(
        "chunks one byte longer",
        "9110-15.5.14",
        request(
            b"/text.txt",
            b"Transfer-Encoding: chunked",
            body=b"3e9\r\n" + b"a" * 1001 + b"\r\n0\r\n\r\n",
        ),
        413,
    )
    yield answered(
        "the fourth request closes", "9112-9.3", request() * 4, then=(200,) * 3, after=After.CLOSES
    )


def _bare() -> Iterator[Case]:
    bare: dict[bytes, bytes | None] = {b"date": None, b"etag": None, b"content-type": None}
    yield answered(
        "the reference's 200",
        "house",
        request(b"/", b"Connection: keep-alive"),
        fields={
            **bare,
            b"connection": b"keep-alive",
            b"content-length": b"%d" % len(FILES["index.html"]),
        },
    )
    yield answered(
        "the reference's 404",
        "house",
        request(b"/nothing"),
        404,
        after=After.CLOSES,
        content=b"",
        fields={**bare, b"content-length": None},
    )
    yield answered(
        "the reference's 301",
        "house",
        request(b"/redirect"),
        301,
        after=After.CLOSES,
        content=b"",
        fields={**bare, b"location": rb"/result\.html"},
    )
    yield Case(
        "no less strict",
        "9112-3.2",
        request(host=None),
        (400,),
        After.CLOSES,
        fields={b"date": None},
    )


OPTIONAL = (
    Group("listing", tuple(_listing()), ("--listing",)),
    Group("not-found", tuple(_pages()), ("--not-found", "404.html")),
    Group("single-page", tuple(_single_page()), ("--single-page",)),
    Group("redirects", tuple(_redirects()), ("--redirects", "{folder}/redirects")),
    Group("basic-auth", PASSWORDS, ("--basic-auth", "{folder}/htpasswd")),
    Group("cors", CROSS_ORIGIN, ("--cors", "https://app.example")),
    Group(
        "header",
        tuple(_added()),
        (
            "--header",
            "X-Added: yes",
            "--header",
            "Referrer-Policy: no-referrer",
            "--header",
            "Cache-Control: max-age=60",
        ),
    ),
    Group("bare-headers", tuple(_bare()), ("--bare-headers",)),
    Group(
        "limits",
        tuple(_limits()),
        (
            "--max-request-line",
            "100",
            "--max-header-section",
            "300",
            "--max-field-lines",
            "10",
            "--max-content",
            "1000",
            "--max-requests",
            "4",
        ),
    ),
)
"""What each option changes; each group has a server of its own."""
