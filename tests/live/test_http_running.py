"""
What runs C{twistd netlab-http}: its log, its admin port, and its end.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from twisted.internet.threads import deferToThread

from tests.live.conftest import StartServer
from tests.live.processes import LISTENS_ON, TOP, Server
from tests.live.sockets import client_of, receive_all, receive_answer, request

COMBINED = re.compile(
    r'127\.0\.0\.1 - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET /result\.html HTTP/1\.1" '
    r'200 64 "-" "(?P<agent>.*)"'
)


def ask(address: tuple[str, int], *lines: str, path: str = "/result.html") -> tuple[bytes, bytes]:
    """
    Ask for a page on a connection of its own.

    @return: Head and content.
    """
    with socket.create_connection(address, 60) as client:
        client.sendall(request(path, *lines))
        return receive_answer(client)


async def test_log_moved_away(twistd: StartServer, tmp_path: Path) -> None:
    """
    After logrotate has moved the log away, SIGUSR1 begins a new one; no line is lost, and none is
    in both.
    """
    log, old = tmp_path / "access.log", tmp_path / "access.log.1"
    server = await twistd("netlab-http", "--access-log", str(log))
    await deferToThread(ask, server.address, "User-Agent: first")
    log.rename(old)
    await deferToThread(ask, server.address, "User-Agent: second")
    assert not log.exists()
    os.kill(server.pid, signal.SIGUSR1)
    await server.line("The access log was opened anew")
    await deferToThread(ask, server.address, "User-Agent: third")
    await server.stop()
    agents = [
        [COMBINED.fullmatch(line)["agent"] for line in file.read_text().splitlines()]  # type: ignore[index]
        for file in (old, log)
    ]
    assert agents == [["first", "second"], ["third"]]
    assert log.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("form", ["combined", "json"])
async def test_forged_lines(twistd: StartServer, tmp_path: Path, form: str) -> None:
    """
    What a client says can neither end its line of the log nor close its quotes.
    """
    log = tmp_path / "log"
    options = ["--access-log", str(log), "--access-log-format", form]
    server = await twistd("netlab-http", *options)
    agent = 'x" 200 0\\ \x80\xff\t{"peer":"'
    await deferToThread(ask, server.address, f"User-Agent: {agent}")
    await server.stop()
    (line,) = log.read_bytes().splitlines()
    assert re.fullmatch(rb"[\x20-\x7e]+", line)
    if form == "json":
        entry = json.loads(line)
        assert (entry["user_agent"], entry["status"], entry["bytes"]) == (agent, 200, 64)
        assert entry["peer"] == "127.0.0.1"
    else:
        escaped = rb'"x\x22 200 0\x5c \x80\xff\x09{\x22peer\x22:\x22"'
        assert line.endswith(b' 200 64 "-" ' + escaped)


async def test_log_that_cannot_be_opened(twistd: StartServer, tmp_path: Path) -> None:
    """
    If the new log cannot be opened the old one is kept, and the server serves on.
    """
    folder = tmp_path / "logs"
    folder.mkdir()
    server = await twistd("netlab-http", "--access-log", str(folder / "log"))
    await deferToThread(ask, server.address)
    folder.rename(tmp_path / "moved")
    os.kill(server.pid, signal.SIGUSR1)
    await server.line("The access log stays in its old file: ")
    await deferToThread(ask, server.address)
    await server.stop()
    assert len((tmp_path / "moved" / "log").read_text().splitlines()) == 2


async def test_admin(twistd: StartServer) -> None:
    """
    Metrics and health are on the admin port, and there alone.
    """
    local = "tcp:0:interface=127.0.0.1"
    server = await twistd("netlab-http", "--listen", local, "--admin", local)
    public, admin = await server.addresses(2)
    head, content = await deferToThread(ask, admin, path="/health")
    assert (head.split(b"\r\n")[0], content) == (b"HTTP/1.1 200 OK", b"ok\n")
    for path in ("/metrics", "/health"):
        head, _ = await deferToThread(ask, public, path=path)
        assert head.startswith(b"HTTP/1.1 404 ")
    await deferToThread(ask, public)
    head, content = await deferToThread(ask, admin, path="/metrics")
    assert b"\r\nContent-Type: text/plain; version=" in head
    lines = content.decode().splitlines()
    for line in (
        'netlab_http_answers_total{status="200"} 1.0',
        'netlab_http_answers_total{status="404"} 2.0',
        "netlab_http_connections_total 3.0",
        "netlab_http_refused_connections_total 0.0",
    ):
        assert line in lines
    assert any(line.startswith("process_resident_memory_bytes ") for line in lines)
    for path in ("/", "/result.html"):
        assert (await deferToThread(ask, admin, path=path))[0].startswith(b"HTTP/1.1 404 ")


async def begin_large(server: Server) -> socket.socket:
    """
    Ask for what is too large for the buffers on the way, and read only the head.
    """
    client = client_of(server, receive_buffer=10_000)
    client.sendall(request("/large"))
    assert (await deferToThread(client.recv, 15)) == b"HTTP/1.1 200 OK"
    return client


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """
    Make a folder with a large file, of which only a part fits the buffers on the way.
    """
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "large").write_bytes(b"x" * (20 << 20))
    (folder / "index.html").write_bytes(b"hello")
    return folder


async def test_drain(twistd: StartServer, root: Path) -> None:
    """
    On SIGTERM nobody can connect any more, and health says so; an idle connection ends at once, an
    answer under way is finished, and then the process ends.
    """
    local = "tcp:0:interface=127.0.0.1"
    server = await twistd(
        "netlab-http",
        *("--listen", local, "--admin", local, "--root", str(root)),
        *("--idle-timeout", "600", "--drain-timeout", "600"),
    )
    public, admin = await server.addresses(2)
    large = await begin_large(server)
    with client_of(server) as idle:
        idle.sendall(request("/"))
        await deferToThread(receive_answer, idle)
        server.process.signalProcess("TERM")
        assert await deferToThread(receive_all, idle) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(public)
    head, content = await deferToThread(ask, admin, path="/health")
    assert head.startswith(b"HTTP/1.1 503 ")
    assert content == b"stopping\n"
    with large:
        rest = await deferToThread(receive_all, large)
    assert len(rest.partition(b"\r\n\r\n")[2]) == 20 << 20
    assert (await server.ended()).status == -signal.SIGTERM


async def test_second_signal(twistd: StartServer, root: Path) -> None:
    """
    A second SIGTERM ends answers under way at once.
    """
    server = await twistd("netlab-http", "--root", str(root), "--drain-timeout", "600")
    with await begin_large(server) as large:
        server.process.signalProcess("TERM")
        await server.line("Port [0-9]+ Closed")
        assert (await server.stop()).status == -signal.SIGTERM
        with pytest.raises(ConnectionResetError):
            await deferToThread(receive_all, large)


async def test_drain_timeout(twistd: StartServer, root: Path) -> None:
    """
    What is not finished in time is cut.
    """
    server = await twistd("netlab-http", "--root", str(root), "--drain-timeout", "0.1")
    with await begin_large(server) as large:
        assert (await server.stop()).status == -signal.SIGTERM
        with pytest.raises(ConnectionResetError):
            await deferToThread(receive_all, large)


async def test_stop_delay(twistd: StartServer) -> None:
    """
    With a delay the server goes on, new connections included, while health says 503 already; a
    second signal ends the delay.
    """
    local = "tcp:0:interface=127.0.0.1"
    options = ("--listen", local, "--admin", local, "--stop-delay", "600")
    server = await twistd("netlab-http", *options)
    public, admin = await server.addresses(2)
    await deferToThread(ask, public)
    server.process.signalProcess("TERM")
    await server.line("Received SIGTERM")
    # The line comes before the stop itself, which Twisted leaves to a later turn of the reactor.
    for _ in range(100):
        head, _ = await deferToThread(ask, admin, path="/health")
        if head.startswith(b"HTTP/1.1 503 "):
            break
    assert head.startswith(b"HTTP/1.1 503 ")
    assert (await deferToThread(ask, public))[0].startswith(b"HTTP/1.1 200 ")
    assert (await server.stop()).status == -signal.SIGTERM


async def test_log_that_nobody_reads(tmp_path: Path) -> None:
    """
    Where nobody reads the server's standard output any more, it serves on.
    """

    def ask_much() -> int:
        place = "tcp:0:interface=127.0.0.1"
        options = ["-n", "--pidfile=", "netlab-http", "--show-requests", "--listen", place]
        server = subprocess.Popen(
            [sys.executable, "-c", "from twisted.scripts.twistd import run; run()", *options],
            stdout=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(TOP)},
        )
        try:
            assert server.stdout is not None
            listening = next(filter(None, map(LISTENS_ON.search, server.stdout)))
            host, port = listening["place"].split(":")
            # Four times what the pipe and what is kept hold.
            for number in range(1300):
                ask((host, int(port)), f"X-Long: {'x' * 1000}", path=f"/{number}")
            return number
        finally:
            server.kill()
            server.communicate()

    assert await deferToThread(ask_much) == 1299
