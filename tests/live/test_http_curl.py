"""
The HTTP server and curl.
"""

from __future__ import annotations

import json
from pathlib import Path

from netlab.demonstration import demonstration_root
from tests.live.conftest import StartServer
from tests.live.tools import NEEDS_CURL, curl

pytestmark = NEEDS_CURL

INDEX = (Path(demonstration_root()) / "index.html").read_text(encoding="ascii")


async def test_head(twistd: StartServer, tmp_path: Path) -> None:
    """
    HEAD gives the fields of GET and no content; curl, which would wait for content that is
    announced, comes back at once.
    """
    server = await twistd("netlab-http")
    url = f"http://{server.host}:{server.port}/"
    head = await curl(tmp_path, "--head", url)
    get = await curl(tmp_path, "--include", url)
    assert (head.status, get.status) == (0, 0)
    assert head.out.startswith("HTTP/1.1 200 OK\r\n")
    assert head.out.endswith("\r\n\r\n")
    names = [line.partition(":")[0] for line in head.out.splitlines()]
    fields, _, content = get.out.partition("\r\n\r\n")
    assert names[:-1] == [line.partition(":")[0] for line in fields.splitlines()]
    assert {"Date", "Content-Type", "Last-Modified", "ETag", "Content-Length"} <= set(names)
    assert content == INDEX


async def test_persistence(twistd: StartServer, tmp_path: Path) -> None:
    """
    Three pages come over one connection; behind a 301 and a 404 there is a new one, and curl says
    that each was left as the answer said.
    """
    server = await twistd("netlab-http", "--idle-timeout", "60")
    base = f"http://{server.host}:{server.port}"
    paths = ["/", "/result.html", "/", "/redirect", "/", "/missing", "/"]
    done = await curl(
        tmp_path,
        *("--write-out", "%{json}\n"),
        *[word for path in paths for word in ("--output", "/dev/null", base + path)],
    )
    assert done.status == 0, done.err
    told = [json.loads(line) for line in done.out.splitlines()]
    answers = [(one["http_code"], one["num_connects"]) for one in told]
    assert answers == [(200, 1), (200, 0), (200, 0), (301, 0), (200, 1), (404, 0), (200, 1)]


async def test_redirect(twistd: StartServer, tmp_path: Path) -> None:
    """
    The 301 is followed, over a second connection, with our answers and with the reference's.
    """
    for style in ([], ["--bare-headers"]):
        server = await twistd("netlab-http", *style)
        url = f"http://{server.host}:{server.port}/redirect"
        shown = "%{num_connects} %{num_redirects} %{url_effective}"
        done = await curl(tmp_path, "--location", "--write-out", shown, url)
        content, _, told = done.out.rpartition(">")
        assert content.startswith("<h1>Success!</h1>\n")
        assert told == f"2 1 http://{server.host}:{server.port}/result.html"


async def test_http_1_0(twistd: StartServer, tmp_path: Path) -> None:
    """
    For HTTP/1.0 the connection ends behind the answer, unless keep-alive was asked for.
    """
    server = await twistd("netlab-http", "--idle-timeout", "60")
    url = f"http://{server.host}:{server.port}/"
    shown = ("--write-out", "%{num_connects}\n", "--output", "/dev/null")
    for options, connects in (([], "1\n1\n"), (["--header", "Connection: keep-alive"], "1\n0\n")):
        done = await curl(
            tmp_path, "--http1.0", *options, *shown, url, "--output", "/dev/null", url
        )
        assert (done.status, done.out) == (0, connects), done.err


async def test_range_and_condition(twistd: StartServer, tmp_path: Path) -> None:
    """
    A part is a part, and what has not changed is not sent again.
    """
    server = await twistd("netlab-http")
    url = f"http://{server.host}:{server.port}/"
    part = await curl(tmp_path, "--range", "0-14", "--write-out", " %{http_code}", url)
    assert part.out == "<!DOCTYPE html> 206"
    etag = ["--etag-save", "etag", "--output", "index.html"]
    await curl(tmp_path, *etag, url)
    again = ["--etag-compare", "etag", "--write-out", "%{http_code} %{size_download}"]
    done = await curl(tmp_path, *again, url)
    assert done.out == "304 0"


async def test_upload(twistd: StartServer, tmp_path: Path) -> None:
    """
    What is sent to a server of files is refused with 405 and the methods that it has, or with 413
    where it is more than any resource would get; and since curl asks before it sends much (RFC 9110
    section 10.1.1), it does not send it.
    """
    server = await twistd("netlab-http")
    url = f"http://{server.host}:{server.port}/"
    shown = ["--write-out", "%{http_code} %{size_upload}", "--dump-header", "head"]
    for size, status in ((0, "405"), (3, "405"), (2**20, "405"), (64 * 2**20, "413")):
        with (tmp_path / "file").open("wb") as file:
            file.truncate(size)
        asks = ["--header", "Expect: 100-continue" if size > 3 else "Expect:"]
        upload = ["--upload-file", "file", "--expect100-timeout", "60", *asks]
        done = await curl(tmp_path, *upload, *shown, "--output", "/dev/null", url)
        assert done.out == f"{status} {size if size <= 3 else 0}", done.err
        head = (tmp_path / "head").read_text(encoding="ascii")
        assert ("\nAllow: GET, HEAD, OPTIONS\n" in head) == (status == "405")
