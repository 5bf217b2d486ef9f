"""
The demonstration pages in a real browser. Its pictures are kept under artefacts/browser/.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.live.conftest import StartServer
from tests.live.processes import Server
from tests.live.tools import NEEDS_CHROMIUM, browse, png_size

pytestmark = NEEDS_CHROMIUM

BOTH_STYLES = pytest.mark.parametrize(
    "style", [[], ["--bare-headers"]], ids=["full answers", "bare answers"]
)


def asked_for(server: Server) -> list[str]:
    """
    List the paths that a server with --show-requests was asked for, without the browser's icon.
    """
    found = [re.search(r"GET (/\S*) HTTP/1\.1$", line) for line in server.lines]
    paths = [match[1] for match in found if match is not None]
    return [path for path in paths if path != "/favicon.ico"]


async def open_page(server: Server, path: str, picture: str, directory: Path) -> str:
    """
    Open a page of a server, and see to it that the picture is one.

    @return: the page as the browser has it.
    """
    url = f"http://{server.host}:{server.port}{path}"
    browsed = await browse(url, picture, directory / "browser", 640, 360)
    assert browsed.document, browsed.errors
    assert png_size(browsed.picture.read_bytes()) == (640, 360)
    return browsed.document


async def test_page(twistd: StartServer, tmp_path: Path) -> None:
    """
    The page is shown.
    """
    server = await twistd("netlab-http", "--show-requests")
    page = await open_page(server, "/", "index", tmp_path)
    assert "<h1>Hello World</h1>" in page
    assert "<title>Network Assignment</title>" in page
    assert asked_for(server) == ["/"]


@BOTH_STYLES
async def test_redirect(
    twistd: StartServer, tmp_path: Path, style: list[str], request: pytest.FixtureRequest
) -> None:
    """
    redirect: the browser asks for /redirect, gets the 301, asks for the page that it names, and
    shows that.
    """
    server = await twistd("netlab-http", "--show-requests", *style)
    name = f"redirect, {request.node.callspec.id}".replace(" ", "-")
    page = await open_page(server, "/redirect", name, tmp_path)
    assert "<h1>Success!</h1>" in page
    assert "You have been redirected to result.html" in page
    assert asked_for(server) == ["/redirect", "/result.html"]


async def test_notfound(twistd: StartServer, tmp_path: Path) -> None:
    """
    notfound: the browser shows our page about what is missing.
    """
    server = await twistd("netlab-http", "--show-requests")
    page = await open_page(server, "/missing.html", "notfound", tmp_path)
    assert "<h1>404 Not Found</h1>" in page
    assert asked_for(server) == ["/missing.html"]


async def test_notfound_bare(twistd: StartServer, tmp_path: Path) -> None:
    """
    With the reference's 404, which has no page, the browser fails by the status; a page of its own
    would be all that there is to see, and a headless browser makes no picture of that.
    """
    server = await twistd("netlab-http", "--show-requests", "--bare-headers")
    url = f"http://{server.host}:{server.port}/missing.html"
    browsed = await browse(url, "notfound-bare", tmp_path / "browser", 640, 360)
    assert browsed.document == ""
    assert "net::ERR_HTTP_RESPONSE_CODE_FAILURE" in browsed.errors
    assert asked_for(server) == ["/missing.html"]
