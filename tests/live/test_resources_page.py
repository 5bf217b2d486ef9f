"""
The programs of docs/resources.md, run as they stand there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from twisted.internet.threads import deferToThread

from tests.live.processes import TOP, Program, spawn, twistd_arguments
from tests.live.sockets import receive_answer, request, socket_to

PAGE = (TOP / "docs" / "resources.md").read_text(encoding="utf-8")
GREETING, SITE = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)

#: The one thing that is changed: tests listen on free ports.
DOCUMENTED, TESTED = '"tcp:8080"', '"tcp:0:interface=127.0.0.1"'


class StartedProgram(Program):
    """
    A documented program that runs.
    """

    async def port(self) -> int:
        """
        Wait until it listens.
        """
        return int((await self.line(r"netlab-http starting on ([0-9]+)$"))[1])


Start: TypeAlias = Callable[[str], StartedProgram]


@pytest.fixture
def start(reactor: Any, programs: list[Program], tmp_path: Path) -> Start:
    """
    Start a documented program by twistd.
    """

    def start(source: str) -> StartedProgram:
        assert source.count(DOCUMENTED) == 1
        (tmp_path / "program.tac").write_text(source.replace(DOCUMENTED, TESTED))
        program = StartedProgram(reactor)
        spawn(reactor, program, twistd_arguments("--pidfile=", "-ny", "program.tac"), tmp_path)
        programs.append(program)
        return program

    return start


def get(port: int, path: str) -> tuple[bytes, bytes]:
    """
    Ask for a path.

    @return: Head and content.
    """
    with socket_to("127.0.0.1", port) as client:
        client.sendall(request(path))
        return receive_answer(client)


def test_nine_lines() -> None:
    """
    The first program is as short as the page says.
    """
    assert "in nine lines" in PAGE
    assert len([line for line in GREETING.splitlines() if line]) == 9


async def test_greeting(start: Start) -> None:
    """
    The first program answers as the page shows, but for the date.
    """
    port = await start(GREETING).port()
    head, content = await deferToThread(get, port, "/from/wonderland")
    shown = PAGE.partition("from/wonderland\n")[2].partition("```")[0]
    answer = (head + content).decode().replace("\r\n", "\n")
    date = re.compile(r"^Date: .* GMT$", re.MULTILINE)
    assert date.sub("", answer) == date.sub("", shown)
    assert date.search(answer)


async def test_site(start: Start, tmp_path: Path) -> None:
    """
    The second program answers by a Deferred, by a coroutine, and with files.
    """
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "index.html").write_text("<h1>Hello</h1>")
    program = start(SITE)
    port = await program.port()
    assert (await deferToThread(get, port, "/later"))[1] == b"At last.\n"
    head, content = await deferToThread(get, port, "/steps")
    assert b"\r\nContent-Type: application/json\r\n" in head
    assert list(json.loads(content)) == ["seconds"]
    assert (await deferToThread(get, port, "/"))[1] == b"<h1>Hello</h1>"
    assert (await deferToThread(get, port, "/nothing"))[0].startswith(b"HTTP/1.1 404 ")
    await program.stop()
    assert "Traceback" not in "\n".join(program.lines) + program.errors
