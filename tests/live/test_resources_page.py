"""
The programs of docs/resources.md, run as they stand there.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from twisted.internet.threads import deferToThread

from tests.live.conftest import StartDocumented
from tests.live.processes import TOP
from tests.live.sockets import receive_answer, request, socket_to

PAGE = (TOP / "docs" / "resources.md").read_text(encoding="utf-8")
GREETING, SITE = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


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


async def test_greeting(start_documented: StartDocumented) -> None:
    """
    The first program answers as the page shows, but for the date.
    """
    port = await start_documented(GREETING).port()
    head, content = await deferToThread(get, port, "/from/wonderland")
    shown = PAGE.partition("from/wonderland\n")[2].partition("```")[0]
    answer = (head + content).decode().replace("\r\n", "\n")
    date = re.compile(r"^Date: .* GMT$", re.MULTILINE)
    assert date.sub("", answer) == date.sub("", shown)
    assert date.search(answer)


async def test_site(start_documented: StartDocumented, tmp_path: Path) -> None:
    """
    The second program answers by a Deferred, by a coroutine, and with files.
    """
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "index.html").write_text("<h1>Hello</h1>")
    program = start_documented(SITE)
    port = await program.port()
    assert (await deferToThread(get, port, "/later"))[1] == b"At last.\n"
    head, content = await deferToThread(get, port, "/steps")
    assert b"\r\nContent-Type: application/json\r\n" in head
    assert list(json.loads(content)) == ["seconds"]
    assert (await deferToThread(get, port, "/"))[1] == b"<h1>Hello</h1>"
    assert (await deferToThread(get, port, "/nothing"))[0].startswith(b"HTTP/1.1 404 ")
    await program.stop()
    assert "Traceback" not in "\n".join(program.lines) + program.errors
