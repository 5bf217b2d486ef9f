"""
The HTTP server as a real process: what it prints, where it listens, and what clients of all sorts
get from it.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import gatherResults
from twisted.internet.threads import deferToThread

from tests.live.conftest import RunNetlab, StartServer
from tests.live.processes import PATIENCE_SECONDS, Program, Server, spawn, twistd_arguments
from tests.live.sockets import (
    client_of,
    peak_memory_kb,
    receive,
    receive_all,
    receive_answer,
    receive_head,
    request,
)

BOTH_TRANSPORTS = pytest.mark.parametrize(
    "transport", [[], ["--stock-transport"]], ids=["fast", "stock"]
)

LARGE_BYTES = 64 << 20


@pytest.fixture
def large_root(tmp_path: Path) -> Path:
    """
    A folder with a large file, which is a hole but for its last bytes, and a small one.
    """
    root = tmp_path / "root"
    root.mkdir()
    with (root / "large.bin").open("wb") as file:
        file.truncate(LARGE_BYTES - 8)
        file.seek(0, os.SEEK_END)
        file.write(b"the end.")
    (root / "small.txt").write_bytes(b"small")
    return root


@BOTH_TRANSPORTS
async def test_large_file(twistd: StartServer, large_root: Path, transport: list[str]) -> None:
    """
    A file of any size takes bounded memory, however many clients ask for it and do not read.
    Whoever reads, gets all of it, and the connection persists.
    """
    patient = ("--idle-timeout", "60")
    server = await twistd("netlab-http", "--root", str(large_root), *patient, *transport)

    def talk() -> None:
        idle = [client_of(server, receive_buffer=4096) for _ in range(10)]
        try:
            for client in idle:
                client.sendall(request("/large.bin") * 3)
                receive_head(client)
            with client_of(server) as client:
                client.sendall(request("/large.bin"))
                head = receive_head(client)
                assert b"\r\nContent-Length: %d\r\n" % LARGE_BYTES in head
                left = LARGE_BYTES
                while left > 8:
                    data = client.recv(min(1 << 20, left - 8))
                    assert data.count(0) == len(data) > 0
                    left -= len(data)
                assert receive(client, 8) == b"the end."
                client.sendall(request("/small.txt"))
                assert receive_answer(client)[1] == b"small"
        finally:
            for client in idle:
                client.close()

    def warm_up() -> None:
        with client_of(server) as client:
            client.sendall(request("/small.txt"))
            receive_answer(client)

    await deferToThread(warm_up)
    before = peak_memory_kb(server)
    await deferToThread(talk)
    # Eleven connections with a piece of 64 KiB, and the transport's buffer of as much, each.
    assert peak_memory_kb(server) - before < 8 * 1024


@BOTH_TRANSPORTS
async def test_half_close(twistd: StartServer, large_root: Path, transport: list[str]) -> None:
    """
    A client that shuts its write side behind its requests still gets every answer whole, then the
    end.
    """
    server = await twistd("netlab-http", "--root", str(large_root), *transport)

    def talk() -> None:
        with client_of(server) as client:
            client.sendall(request("/small.txt") + request("/large.bin") + request("/small.txt"))
            client.shutdown(socket.SHUT_WR)
            assert receive_answer(client)[1] == b"small"
            receive_head(client)
            left = LARGE_BYTES
            while left:
                data = client.recv(min(1 << 20, left))
                assert data
                left -= len(data)
            assert receive_answer(client)[1] == b"small"
            assert receive_all(client) == b""

    await deferToThread(talk)


async def test_client_that_goes(twistd: StartServer, large_root: Path) -> None:
    """
    A client that resets its connection in the middle of a large answer, or leaves in the middle of
    a request, leaves nothing open behind it and no traceback in the log.
    """
    server = await twistd("netlab-http", "--root", str(large_root), "--idle-timeout", "60")

    def count_descriptors() -> int:
        return len(os.listdir(f"/proc/{server.pid}/fd"))

    def ask(client: socket.socket) -> None:
        client.sendall(request("/small.txt"))
        assert receive_answer(client)[1] == b"small"

    def talk() -> None:
        with client_of(server) as witness:
            witness.sendall(request("/large.bin", "Range: bytes=-8"))
            assert receive_answer(witness)[1] == b"the end."
            before = count_descriptors()
            for _ in range(20):
                client = client_of(server, receive_buffer=4096)
                client.sendall(request("/large.bin"))
                client.recv(1)
                # With bytes unread the close is a reset (RFC 2525 section 2.17).
                client.close()
                with client_of(server) as client:
                    client.sendall(b"GET /")
            # With each answer the server has been once around its loop.
            end = time.monotonic() + PATIENCE_SECONDS
            while count_descriptors() != before:
                assert time.monotonic() < end, "connections are left open"
                ask(witness)

    await deferToThread(talk)
    assert "Traceback" not in "\n".join(server.lines) + server.errors


async def test_shown_requests(twistd: StartServer) -> None:
    """
    With --show-requests each request head is in the log line by line as it came, escaped where it
    holds bytes that could speak to a terminal.
    """
    server = await twistd("netlab-http", "--show-requests")

    def talk() -> None:
        with client_of(server) as client:
            client.sendall(
                b"GET /?q=%1b%5b31m HTTP/1.1\r\nHost: localhost\r\n"
                b"X-Note:\t\xc2\x9b31m \xff\r\n\r\n"
                b"HEAD / HTTP/1.0\r\n\r\n"
            )
            receive_all(client)

    await deferToThread(talk)
    await server.line(r"HEAD / HTTP/1\.0$")
    (begin,) = [n for n, line in enumerate(server.lines) if "GET /?q=%1b%5b31m HTTP/1.1" in line]
    shown = [line.strip("\t") for line in server.lines[begin + 1 : begin + 3]]
    assert shown == ["Host: localhost", r"X-Note:\x09\xc2\x9b31m \xff"]


async def test_quiet_log(twistd: StartServer) -> None:
    """
    Without --show-requests a request leaves no line.
    """
    server = await twistd("netlab-http")
    before = server.lines

    def talk() -> None:
        with client_of(server) as client:
            client.sendall(request("/", "Connection: close"))
            receive_all(client)

    await deferToThread(talk)
    await server.stop()
    assert not [line for line in server.lines[len(before) :] if "GET" in line or "HTTP/1" in line]


async def test_access_log(twistd: StartServer, tmp_path: Path) -> None:
    """
    --access-log gets a line for each answer, all of them by the time the server has stopped.
    """
    path = tmp_path / "access.log"
    server = await twistd("netlab-http", "--access-log", str(path))

    def talk() -> None:
        with client_of(server) as client:
            client.sendall(
                request("/") + request("/result.html", 'Referer: a"b') + request("/missing")
            )
            receive_all(client)

    await deferToThread(talk)
    await server.stop()
    lines = path.read_text(encoding="ascii").splitlines()
    assert len(lines) == 3
    assert all(line.startswith("127.0.0.1 - - [") for line in lines)
    assert lines[0].endswith('] "GET / HTTP/1.1" 200 210 "-" "-"')
    assert lines[1].endswith(r'] "GET /result.html HTTP/1.1" 200 64 "a\x22b" "-"')
    assert '] "GET /missing HTTP/1.1" 404 ' in lines[2]


async def test_several_endpoints(twistd: StartServer, tmp_path: Path) -> None:
    """
    --listen repeats: IPv4, IPv6 and a unix socket serve the same pages.
    """
    path = tmp_path / "http.sock"
    server = await twistd(
        "netlab-http",
        *("--listen", "tcp:0:interface=127.0.0.1"),
        *("--listen", "tcp6:0:interface=\\:\\:1"),
        *("--listen", f"unix:{path}"),
    )
    addresses = await server.addresses(3)
    assert [host for host, _ in addresses] == ["127.0.0.1", "::1"]

    def talk(address: tuple[str, int] | None) -> bytes:
        if address is not None:
            client = client_of(server, address=address)
        else:
            client = socket.socket(socket.AF_UNIX)
            client.settimeout(60)
            client.connect(str(path))
        with client:
            client.sendall(request("/result.html"))
            return receive_answer(client)[1]

    contents = await gatherResults([deferToThread(talk, a) for a in (*addresses, None)])
    assert all(content.startswith(b"<h1>Success!</h1>") for content in contents)
    assert len(set(contents)) == 1


@pytest.mark.slow
async def test_stops_with_clients(twistd: StartServer, large_root: Path) -> None:
    """
    Asked to stop, the server ends idle connections at once, and finishes what is under way.
    """
    patient = ("--idle-timeout", "60", "--drain-timeout", "60")
    server = await twistd("netlab-http", "--root", str(large_root), *patient)
    with client_of(server) as idle, client_of(server) as client:
        client.sendall(request("/large.bin"))
        await deferToThread(receive_head, client)
        os.kill(server.pid, signal.SIGTERM)
        assert await deferToThread(receive_all, idle) == b""
        content = await deferToThread(receive_all, client)
        assert len(content) == LARGE_BYTES
        done = await server.ended()
    assert done.status == -signal.SIGTERM
    assert "Traceback" not in done.out + done.err


async def test_taken_port(reactor: Any, programs: list[Program], tmp_path: Path) -> None:
    """
    A taken port ends twistd with status 1 and one line on standard error.
    """
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        program = Program(reactor)
        listen = f"tcp:{port}:interface=127.0.0.1"
        arguments = twistd_arguments("-n", "--pidfile=", "netlab-http", "--listen", listen)
        spawn(reactor, program, arguments, tmp_path)
        programs.append(program)
        done = await program.ended()
    assert done.status == 1
    assert done.err == (
        f"netlab-http: port {port} on 127.0.0.1 is taken by another program: "
        "end that program or choose another port with --listen tcp:127.0.0.1:PORT\n"
    )


@pytest.mark.parametrize(
    "arguments, problem",
    [
        (["--root", "/nonexistent/folder"], "--root '/nonexistent/folder': No such file"),
        (["--root", "\x1b[31m"], r"--root '\x1b[31m': No such file"),
        (["--cache-control", "a\nb"], r"--cache-control 'a\nb': "),
        (["--no-such-option"], "option --no-such-option not recognized"),
    ],
)
async def test_wrong_option(
    reactor: Any, programs: list[Program], tmp_path: Path, arguments: list[str], problem: str
) -> None:
    """
    A wrong option ends twistd with status 1 and one line on standard error that says what is wrong.
    """
    program = Program(reactor)
    spawn(
        reactor, program, twistd_arguments("-n", "--pidfile=", "netlab-http", *arguments), tmp_path
    )
    programs.append(program)
    done = await program.ended()
    assert done.status == 1
    (line,) = done.err.splitlines()
    assert line.startswith(f"twistd netlab-http: {problem}")
    assert done.out == ""


async def test_wrong_root_of_serve(netlab: RunNetlab) -> None:
    """
    A wrong folder for C{netlab serve} is one line, and wrong usage.
    """
    done = await netlab("serve", "--root", "/nonexistent/folder")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("netlab serve: --root '/nonexistent/folder': No such file")
    assert done.err.count("\n") == 1


async def test_reader_of_the_log_goes(
    reactor: Any, programs: list[Program], tmp_path: Path
) -> None:
    """
    Whoever reads the server's log may go; the server goes on.
    """
    server = Server(reactor)
    listen = ["--listen", "tcp:0:interface=127.0.0.1"]
    arguments = twistd_arguments("-n", "--pidfile=", "netlab-http", "--show-requests", *listen)
    spawn(reactor, server, arguments, tmp_path)
    programs.append(server)
    await server.addresses()
    server.process.closeStdout()

    def talk() -> None:
        for _ in range(2):
            with client_of(server) as client:
                client.sendall(request("/result.html"))
                assert receive_answer(client)[1].startswith(b"<h1>Success!</h1>")

    await deferToThread(talk)
