"""
The guard of the served folder, tried over the socket by somebody who wants what is outside of it.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest
from twisted.internet.threads import deferToThread

from tests.live.conftest import StartServer
from tests.live.processes import Server
from tests.live.sockets import client_of, is_quiet, receive_all, request

SECRET = b"the secret"

#: What no encoding of a path may reach: 400 where the path is refused as such, 404 where it is one
#: that just leads to nothing here.
REFUSED = (
    "/../secret.txt",
    "/..",
    "/sub/../../secret.txt",
    "/sub/..",
    "/%2e%2e/secret.txt",
    "/%2E%2e/secret.txt",
    "/.%2e/secret.txt",
    "/sub/%2e%2e/%2e%2e/secret.txt",
    "http://localhost/../secret.txt",
    "/inside.txt%00",
    "/inside.txt%00.html",
    "/%00",
    "/sub/%00/../inside.txt",
    "/%",
    "/%2",
    "/%zz",
    "/inside.txt#fragment",
    "/a b",
    "/\\..\\secret.txt",
    "/..\\secret.txt",
    "\\..\\secret.txt",
    "../secret.txt",
    "inside.txt",
    "/\u00e4",
)
MISSING = (
    "/..%2fsecret.txt",
    "/%2e%2e%2fsecret.txt",
    "/sub%2f..%2f..%2fsecret.txt",
    "/%2fetc%2fpasswd",
    "//etc/passwd",
    "///secret.txt",
    "/..%5csecret.txt",
    "/%5c..%5csecret.txt",
    "/%2e%2e%5csecret.txt",
    "/back%5cslash.txt",
    "/%252e%252e/secret.txt",
    "/%252e%252e%252fsecret.txt",
    "/%c0%ae%c0%ae/secret.txt",
    "/%e0%80%ae%e0%80%ae/secret.txt",
    "/%ef%bc%8e%ef%bc%8e/secret.txt",
    "/%25uff0e%25uff0e/secret.txt",
    "/..;/secret.txt",
    "/.../secret.txt",
    "/..../secret.txt",
    "/..%20/secret.txt",
    "/file:%2f%2f%2fetc/passwd",
    "/C:/secret.txt",
    "/~root/",
    "/inside.txt/",
    "/inside.txt/x",
    "/..inside",
    "/.hidden",
    "/%2ehidden",
    "/.git/config",
    "/sub/.hidden",
    "/sub/.hidden/index.html",
    "/link-out.txt",
    "/link-out/secret.txt",
    "/link-absolute.txt",
    "/link-through.txt",
    "/link-to-itself",
    "/link-to-nothing",
    "/pipe",
    "/socket",
    "/sub/",
    "/" + "a" * 255,
    "/" + "a" * 256,
    "/" + "a" * 5000,
    "/" + "%61" * 2000,
    "/" + "a/" * 3000,
    "/" + "sub/" * 1500 + "inside.txt",
)
FOUND = {
    "/inside.txt": b"inside",
    "/./inside.txt": b"inside",
    "/sub/././inside.txt": b"below",
    "/%69nside.txt": b"inside",
    "/link-in.txt": b"below",
    "/link-sub/inside.txt": b"below",
    "/link-absolute-in.txt": b"inside",
    "/sub/link-up.txt": b"inside",
    "/inside..txt": b"two dots",
    "/.well-known/security.txt": b"well known",
    "/with%20space": b"space",
    "/%c3%a4": b"umlaut",
    "/%252e": b"percent",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """
    A folder that holds all that a folder can hold, with a secret beside it.
    """
    folder = tmp_path / "root"
    (folder / "sub" / ".hidden").mkdir(parents=True)
    (folder / ".well-known").mkdir()
    (folder / ".git").mkdir()
    (tmp_path / "root2").mkdir()
    for name, content in {
        "../secret.txt": SECRET,
        "../root2/secret.txt": SECRET,
        "inside.txt": b"inside",
        "sub/inside.txt": b"below",
        "inside..txt": b"two dots",
        "..inside": SECRET,
        ".hidden": SECRET,
        ".git/config": SECRET,
        "sub/.hidden/index.html": SECRET,
        ".well-known/security.txt": b"well known",
        "with space": b"space",
        "\u00e4": b"umlaut",
        "%2e": b"percent",
        "back\\slash.txt": SECRET,
    }.items():
        (folder / name).write_bytes(content)
    for name, target in {
        "link-in.txt": "sub/inside.txt",
        "link-sub": "sub",
        "link-absolute-in.txt": str(folder / "inside.txt"),
        "sub/link-up.txt": "../inside.txt",
        "link-out.txt": "../secret.txt",
        "link-out": "..",
        "link-absolute.txt": str(tmp_path / "root2" / "secret.txt"),
        "link-through.txt": "link-out/secret.txt",
        "link-to-itself": "link-to-itself",
        "link-to-nothing": "nothing",
    }.items():
        (folder / name).symlink_to(target)
    os.mkfifo(folder / "pipe")
    os.mknod(folder / "socket", stat.S_IFSOCK | 0o600)
    return folder


def ask(server: Server, target: str, method: str = "GET") -> bytes:
    """
    Ask on a connection of its own, and receive everything.
    """
    with client_of(server) as client:
        client.sendall(request(target, "Connection: close", method=method))
        return receive_all(client)


@pytest.mark.parametrize(
    "options", [[], ["--bare-headers"], ["--listing", "--single-page", "--not-found", "inside.txt"]]
)
async def test_guard(twistd: StartServer, root: Path, options: list[str]) -> None:
    """
    What is outside of the root, hidden, or no file is never sent, whatever the path is written
    like: the answer is 400 or 404, and not 500. Names that merely look strange are found.
    """
    server = await twistd("netlab-http", "--root", str(root), *options)

    def try_all() -> None:
        for status, targets in ((400, REFUSED), (404, MISSING)):
            for target in targets:
                if options[:1] == ["--listing"] and target == "/sub/":
                    continue  # this one is shown
                for method in ("GET", "HEAD"):
                    answer = ask(server, target, method)
                    assert answer.startswith(b"HTTP/1.1 %d " % status), (target, answer[:80])
                    assert SECRET not in answer, target
        for target, content in FOUND.items():
            answer = ask(server, target)
            assert answer.startswith(b"HTTP/1.1 200 "), (target, answer[:80])
            assert answer.endswith(b"\r\n\r\n" + content), target

    await deferToThread(try_all)
    assert "Traceback" not in "\n".join(server.lines) + server.errors


async def test_overlong_target(twistd: StartServer, root: Path) -> None:
    """
    A request line beyond the limit of 8192 bytes is refused by 414, without waiting for its end.
    """
    server = await twistd("netlab-http", "--root", str(root))

    def talk() -> bytes:
        with client_of(server) as client:
            client.sendall(b"GET /" + b"a" * 10_000)
            return receive_all(client)

    assert (await deferToThread(talk)).startswith(b"HTTP/1.1 414 ")


async def test_hidden(twistd: StartServer, root: Path) -> None:
    """
    With --hidden names that begin with a dot are served; dot-segments and what is outside of the
    root are still not.
    """
    server = await twistd("netlab-http", "--root", str(root), "--hidden")

    def talk() -> None:
        assert ask(server, "/.git/config").endswith(SECRET)
        assert ask(server, "/sub/.hidden/").endswith(SECRET)
        for target in ("/../secret.txt", "/link-out.txt", "/..%2fsecret.txt"):
            assert SECRET not in ask(server, target)

    await deferToThread(talk)


async def test_folder(twistd: StartServer, root: Path) -> None:
    """
    A folder without its slash is redirected to the same path with it: always to a path here, never
    to another host.
    """
    server = await twistd("netlab-http", "--root", str(root))
    cases = {"/sub": b"/sub/", "/link-sub?q=1": b"/link-sub/?q=1", "/%73ub": b"/sub/"}

    def talk() -> None:
        for target, location in cases.items():
            answer = ask(server, target)
            assert answer.startswith(b"HTTP/1.1 301 ")
            assert re.findall(rb"\r\nLocation: (.*)\r\n", answer) == [location]
        assert not ask(server, "//sub").startswith(b"HTTP/1.1 301 ")

    await deferToThread(talk)


async def test_links_that_change(twistd: StartServer, root: Path) -> None:
    """
    A file that becomes a link out of the root is gone at the latest after the second for which a
    known file is not looked at again.
    """
    server = await twistd("netlab-http", "--root", str(root), "--idle-timeout", "60")
    path = root / "inside.txt"
    assert (await deferToThread(ask, server, "/inside.txt")).endswith(b"inside")
    path.unlink()
    path.symlink_to("../secret.txt")

    def until_gone() -> bytes:
        with client_of(server) as client:
            while b"200 OK" in (answer := ask(server, "/inside.txt")):
                assert answer.endswith(b"inside")
                assert is_quiet(client, 0.1)
            return answer

    answer = await deferToThread(until_gone)
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert SECRET not in answer
