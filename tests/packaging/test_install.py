"""
What an installed netlab does, from a directory that has nothing to do with it.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.packaging.conftest import TOP, clean_environment, run

#: What is built is built once.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("packaging")]


def test_twistd_lists_the_servers(programs: Path, tmp_path: Path) -> None:
    """
    C{twistd --help} lists the plugins, so they are where Twisted looks for them.
    """
    listed = run(programs / "twistd", "--help", cwd=tmp_path)
    assert {"netlab-echo", "netlab-http", "netlab-lab"} <= set(listed.split())


def test_demonstration_files_are_found(programs: Path, tmp_path: Path) -> None:
    """
    The packaged pages are found, and they are not those of the tree that runs this test.
    """
    question = "import netlab.demonstration as d; print(d.demonstration_root())"
    root = Path(run(programs / "python", "-c", question, cwd=tmp_path).strip())
    assert not root.is_relative_to(TOP)
    assert len((root / "index.html").read_bytes()) == 210


@contextmanager
def serving(programs: Path, folder: Path, *options: str) -> Iterator[int]:
    """
    Run C{twistd -n netlab-http} of an environment for a while.

    @param folder: its current directory.
    @return: the port that it listens on.
    """
    listen = ["--listen", "tcp:0:interface=127.0.0.1"]
    command: list[str | Path] = [
        programs / "twistd",
        "-n",
        "--pidfile=",
        "netlab-http",
        *listen,
        *options,
    ]
    with subprocess.Popen(
        command, cwd=folder, env=clean_environment(), stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        try:
            log = (re.search(r"listens on tcp 127\.0\.0\.1:(\d+)$", line) for line in server.stdout)
            yield next(int(match[1]) for match in log if match is not None)
        finally:
            server.terminate()


def get(port: int, path: str) -> tuple[int, bytes]:
    """
    Ask for a page.

    @return: the status and the content.
    """
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_serves_the_demonstration(programs: Path, tmp_path: Path) -> None:
    """
    Without options the server has the packaged pages.
    """
    with serving(programs, tmp_path) as port:
        status, content = get(port, "/")
    assert (status, len(content)) == (200, 210)


def test_serves_any_folder(programs: Path, tmp_path: Path) -> None:
    """
    With C{--root} it has a folder, named from where it was started.
    """
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "index.html").write_text("mine")
    with serving(programs, tmp_path, "--root", "pages") as port:
        assert get(port, "/") == (200, b"mine")
        assert get(port, "/result.html")[0] == 404


def test_command(programs: Path, tmp_path: Path) -> None:
    """
    The C{netlab} command is there.
    """
    assert re.fullmatch(r"netlab \S+\n", run(programs / "netlab", "--version", cwd=tmp_path))
