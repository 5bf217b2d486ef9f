"""
The faults of the reference server, each shown to be gone, with its bare answers and with ours.

Every test is one fault of the list that netlab keeps of the old server.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from twisted.internet.threads import deferToThread

from netlab.demonstration import demonstration_root
from tests.live.conftest import StartServer
from tests.live.sockets import client_of, is_quiet, receive_all, receive_answer, request

BOTH_STYLES = pytest.mark.parametrize(
    "style", [[], ["--bare-headers"]], ids=["full answers", "bare answers"]
)

#: So that no connection ends by itself while a busy machine is on its way to the next request.
PATIENT = ("--idle-timeout", "60")

#: The eight bytes of a PNG file's signature, and some that are no text in any encoding.
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """
    A folder to serve, in one with a program that is nobody's business.
    """
    folder = tmp_path / "htdocs"
    shutil.copytree(demonstration_root(), folder)
    (tmp_path / "server.py").write_text("SECRET = 1\n")
    (folder / "wow.png").write_bytes(PICTURE)
    (folder / "x").write_bytes(b"the letter x")
    return folder


@BOTH_STYLES
async def test_one_client_at_a_time(twistd: StartServer, root: Path, style: list[str]) -> None:
    """
    Gone: one client at a time. Clients that say nothing, stop in the middle of a request, or do not
    read their answer hold up nobody.
    """
    (root / "large").write_bytes(bytes(16 << 20))
    server = await twistd("netlab-http", "--root", str(root), *PATIENT, *style)

    def talk() -> bytes:
        others = [client_of(server, receive_buffer=4096) for _ in range(9)]
        try:
            for client in others[3:6]:
                client.sendall(b"GET / HT")
            for client in others[6:]:
                client.sendall(request("/large"))
            with client_of(server) as client:
                client.sendall(request("/x"))
                return receive_answer(client)[1]
        finally:
            for client in others:
                client.close()

    assert await deferToThread(talk) == b"the letter x"


@BOTH_STYLES
async def test_leak(twistd: StartServer, root: Path, style: list[str]) -> None:
    """
    Gone: C{/../server.py} is answered with the program beside the folder.
    """
    server = await twistd("netlab-http", "--root", str(root), *PATIENT, *style)

    def talk(path: str) -> bytes:
        with client_of(server) as client:
            client.sendall(request(path))
            return receive_all(client)

    for path in ("/../server.py", "/%2e%2e/server.py", "/x/../../server.py"):
        answer = await deferToThread(talk, path)
        assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert b"SECRET" not in answer


@BOTH_STYLES
async def test_picture(twistd: StartServer, root: Path, style: list[str]) -> None:
    """
    Gone: a C{.png} ends the server. It arrives byte for byte, and the next request is answered.
    """
    server = await twistd("netlab-http", "--root", str(root), *PATIENT, *style)

    def talk() -> None:
        with client_of(server) as client:
            client.sendall(request("/wow.png"))
            head, content = receive_answer(client)
            assert content == PICTURE
            assert style or b"\r\nContent-Type: image/png\r\n" in head
            client.sendall(request("/x"))
            assert receive_answer(client)[1] == b"the letter x"

    await deferToThread(talk)


@BOTH_STYLES
async def test_head(twistd: StartServer, root: Path, style: list[str]) -> None:
    """
    Gone: HEAD gets content. It gets the head of the GET, the next answer follows at once, and that
    of a missing page has no content either.
    """
    server = await twistd("netlab-http", "--root", str(root), *PATIENT, *style)

    def talk() -> None:
        with client_of(server) as client:
            client.sendall(request("/x", method="HEAD") + request("/x"))
            head, _ = receive_answer(client, method="HEAD")
            again, content = receive_answer(client)
            assert b"\r\nContent-Length: 12\r\n" in head
            assert _without_date(head) == _without_date(again)
            assert content == b"the letter x"
            client.sendall(request("/missing", method="HEAD"))
            answer = receive_all(client)
            assert answer.startswith(b"HTTP/1.1 404 Not Found\r\n")
            assert answer.endswith(b"\r\n\r\n")
            assert answer.count(b"\r\n\r\n") == 1

    await deferToThread(talk)


def _without_date(head: bytes) -> list[bytes]:
    return [line for line in head.split(b"\r\n") if not line.startswith(b"Date: ")]


@BOTH_STYLES
async def test_pipelined(twistd: StartServer, root: Path, style: list[str]) -> None:
    """
    Gone: requests that arrive together are lost. Each is answered, in order.
    """
    server = await twistd("netlab-http", "--root", str(root), *PATIENT, *style)

    def talk() -> None:
        with client_of(server) as client:
            pages = ["/x", "/", "/result.html", "/x", "/wow.png"]
            client.sendall(b"".join(map(request, pages)))
            answers = [receive_answer(client)[1] for _ in pages]
            files = ["x", "index.html", "result.html", "x", "wow.png"]
            assert answers == [(root / name).read_bytes() for name in files]

    await deferToThread(talk)


@BOTH_STYLES
async def test_query_and_encoding(twistd: StartServer, root: Path, style: list[str]) -> None:
    """
    Gone: a query, or a percent-encoded letter, makes a page missing.
    """
    server = await twistd("netlab-http", "--root", str(root), *PATIENT, *style)

    def talk() -> None:
        with client_of(server) as client:
            for path in ("/x?a=b", "/%78", "/%78?", "/?q=%78&r", "/inde%78.html"):
                client.sendall(request(path))
                head, content = receive_answer(client)
                assert head.startswith(b"HTTP/1.1 200 OK\r\n"), path
                name = "x" if path.startswith(("/x", "/%78")) else "index.html"
                assert content == (root / name).read_bytes(), path

    await deferToThread(talk)


@BOTH_STYLES
async def test_without_connection(twistd: StartServer, root: Path, style: list[str]) -> None:
    """
    Gone: a request without Connection is closed behind its answer. In HTTP/1.1 it persists (RFC
    9112 section 9.3), and with close, in whatever letters and company, it does not.
    """
    server = await twistd("netlab-http", "--root", str(root), *PATIENT, *style)

    def talk() -> None:
        with client_of(server) as client:
            for _ in range(3):
                client.sendall(request("/x"))
                assert receive_answer(client)[1] == b"the letter x"
            assert is_quiet(client, 0.05)
            client.sendall(request("/x", "Connection: x-other, CLOSE") + request("/"))
            answer = receive_all(client)
            assert answer.endswith(b"\r\n\r\nthe letter x")
            assert answer.count(b"HTTP/1.1 ") == 1

    await deferToThread(talk)


@BOTH_STYLES
async def test_http_1_0(twistd: StartServer, root: Path, style: list[str]) -> None:
    """
    Gone: HTTP/1.0 is answered as 1.1. Its connection ends behind the answer unless it asks for
    keep-alive, and then the answer says so (RFC 9112 appendix C.2.2); it needs no Host.
    """
    server = await twistd("netlab-http", "--root", str(root), *PATIENT, *style)

    def talk() -> None:
        with client_of(server) as client:
            client.sendall(b"GET /x HTTP/1.0\r\n\r\n")
            answer = receive_all(client)
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
            assert b"\r\nConnection: close\r\n" in answer
            assert answer.endswith(b"\r\n\r\nthe letter x")
        with client_of(server) as client:
            for _ in range(2):
                client.sendall(request("/x", "Connection: keep-alive", version="HTTP/1.0"))
                head, content = receive_answer(client)
                assert b"\r\nConnection: keep-alive\r\n" in head
                assert content == b"the letter x"
            assert is_quiet(client, 0.05)

    await deferToThread(talk)
