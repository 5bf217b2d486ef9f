"""
The terminal excerpts of README.md are what the programs print.

Commands are taken from the page and run; only ports, dates and the addresses that a test listens on
differ, and are made equal before both are compared.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

from tests.captures.reference import exchange
from tests.live.conftest import RunNetlab, StartServer
from tests.live.processes import TOP, Program, Server, spawn

PAGE = (TOP / "README.md").read_text(encoding="utf-8")


def excerpt(command: str) -> tuple[list[str], list[str]]:
    """
    Find the excerpt that begins with a command.

    @return: the words of the whole command, and the lines that follow up to the next one.
    """
    text = PAGE[PAGE.index(f"```console\n$ {command}") :].split("\n```", 1)[0]
    line, *lines = text.removeprefix("```console\n$ ").split("\n")
    (*shown,) = "\n".join(lines).split("\n$ ", 1)[0].split("\n")
    return shlex.split(line), shown


def levelled(lines: list[str]) -> list[str]:
    """
    Take out what differs from run to run.
    """
    text = "\n".join(lines)
    text = re.sub(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000", "TIME", text, flags=re.MULTILINE)
    text = text.replace(".venv/bin/netlab ", "netlab ")
    text = re.sub(r"\b(0\.0\.0\.0|127\.0\.0\.1|localhost)\b", "HOST", text)
    text = re.sub(r"(HOST[: ]|, )\d+\b", r"\1PORT", text)
    return text.split("\n")


def logged(server: Server) -> list[str]:
    """
    List what a server has logged since it listens.
    """
    lines = server.lines
    begin = next(n for n, line in enumerate(lines) if "listens on" in line)
    return lines[begin:]


async def test_make_run(reactor: Any, programs: list[Program], tmp_path: Path) -> None:
    """
    C{make run} introduces both servers as the page says.
    """
    _, shown = excerpt("make run")
    server = Server(reactor)
    arguments = ["-m", "netlab.cli", "serve", "--echo-port", "0", "--http-port", "0"]
    spawn(reactor, server, arguments, tmp_path)
    programs.append(server)
    await server.line("Ctrl-C stops both")
    lines = server.lines
    begin = next(n for n, line in enumerate(lines) if line.startswith("The echo server"))
    assert levelled(lines[begin : begin + len(shown)]) == levelled(shown)


async def test_echo(twistd: StartServer, netlab: RunNetlab) -> None:
    """
    The echo server and its client print what the page shows.
    """
    words, shown = excerpt("twistd -n --pidfile= netlab-echo")
    server = await twistd(*words[3:])
    (_, *words), answers = excerpt("netlab echo")
    assert words[1:3] == ["localhost", "12345"]
    done = await netlab(words[0], server.host, str(server.port), *words[3:])
    assert done.out.splitlines() == answers
    await server.line("Client disconnected")
    assert levelled(logged(server)) == levelled(shown)


async def test_http(twistd: StartServer, netlab: RunNetlab, tmp_path: Path) -> None:
    """
    The HTTP server and its client print what the page shows.
    """
    words, shown = excerpt("twistd -n --pidfile= netlab-http")
    server = await twistd(*words[3:])
    (_, *words), answers = excerpt("netlab get")
    url = words.pop()
    assert url.startswith("http://localhost:8080/")
    done = await netlab(*words, url.replace("localhost:8080", f"127.0.0.1:{server.port}"))
    assert done.out.splitlines() == answers
    saved = PAGE.partition("$ cat redirect\n")[2].partition("\n```")[0]
    assert (tmp_path / "redirect").read_text(encoding="ascii") == saved
    assert levelled(logged(server)) == levelled(shown)


async def test_verify(netlab: RunNetlab, tmp_path: Path) -> None:
    """
    Marking a folder, in which kim has captured another exchange, prints what the page shows.
    """
    (_, *words), shown = excerpt("netlab verify")
    folder = tmp_path / words[1]
    folder.mkdir()
    (folder / "kim.pcap").write_bytes(exchange("single_fin").pcap())
    (folder / "lee.pcap").write_bytes(exchange("double_fin").pcap())
    done = await netlab(*words)
    assert (done.status, done.out.splitlines()) == (1, shown)
