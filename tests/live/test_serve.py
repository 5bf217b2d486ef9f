"""
C{netlab serve}: both servers in one process.
"""

from __future__ import annotations

import signal
import socket
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.threads import deferToThread

from tests.live.conftest import RunNetlab
from tests.live.processes import Program, Server, spawn


@pytest.fixture
def serve(reactor: Any, programs: list[Program], tmp_path: Path) -> Server:
    """
    Start C{netlab serve} on free ports.
    """
    server = Server(reactor)
    arguments = ["-m", "netlab.cli", "serve", "--echo-port", "0", "--http-port", "0"]
    spawn(reactor, server, arguments, tmp_path)
    programs.append(server)
    return server


async def test_introduction(serve: Server, netlab: RunNetlab) -> None:
    """
    Both servers listen, and the introduction says where and what to try. That works.
    """
    (_, echo_port), (_, http_port) = await serve.addresses(2)
    await serve.line("Ctrl-C stops both")
    assert f'    netlab echo 127.0.0.1 {echo_port} "hello there" "and goodbye"' in serve.lines
    assert f"    curl -i http://127.0.0.1:{http_port}/" in serve.lines
    done = await netlab("echo", "127.0.0.1", str(echo_port), "hello there", "and goodbye")
    assert done.out == "Server sent:  b'HELLO THERE'\nServer sent:  b'AND GOODBYE'\n"

    def get() -> bytes:
        with socket.create_connection(("127.0.0.1", http_port), 60) as client:
            client.sendall(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
            return b"".join(iter(lambda: client.recv(65536), b""))

    answer = await deferToThread(get)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"<h1>Hello World</h1>" in answer


async def test_requests_are_shown(serve: Server, netlab: RunNetlab) -> None:
    """
    What clients ask for is seen in the terminal, of the HTTP server as of the echo server.
    """
    _, (_, http_port) = await serve.addresses(2)
    await netlab("get", f"http://127.0.0.1:{http_port}/result.html")
    await serve.line("GET /result.html HTTP/1.1")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_stop(serve: Server, number: int) -> None:
    """
    A signal stops both with status 0, although a client is connected.
    """
    (_, echo_port), _ = await serve.addresses(2)
    await serve.line("Ctrl-C stops both")
    with socket.create_connection(("127.0.0.1", echo_port), 60) as client:
        await serve.line("Connection from")
        done = await serve.stop(number)
        assert client.recv(1) == b""
    assert (done.status, done.err) == (0, "")


@pytest.mark.parametrize("server", ["echo", "http"])
async def test_taken_port(netlab: RunNetlab, server: str) -> None:
    """
    A taken port is one line, which names the port and the option that changes it, make's too.
    """
    ports = {"echo": "0", "http": "0"}
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        ports[server] = port = str(holder.getsockname()[1])
        done = await netlab("serve", "--echo-port", ports["echo"], "--http-port", ports["http"])
    assert done.status == 1
    assert done.err == (
        f"netlab serve: port {port} on 127.0.0.1 is taken by another program: end that program or "
        f"choose another port with --{server}-port PORT (make run {server.upper()}_PORT=PORT)\n"
    )


@pytest.mark.parametrize(
    "host, problem",
    [
        ("192.0.2.1", ", because this machine does not have that address: choose one of its own"),
        ("no.such.host.invalid", " ("),
    ],
)
async def test_foreign_host(netlab: RunNetlab, host: str, problem: str) -> None:
    """
    A host that is no address of this machine is one line, which names the option that changes it.
    """
    done = await netlab("serve", "--host", host, "--echo-port", "0", "--http-port", "0")
    assert done.status == 1
    assert done.err.startswith(f"netlab serve: port 0 on {host} cannot be opened{problem}")
    assert done.err.endswith(" with --host ADDRESS (make run HOST=ADDRESS)\n")
    assert done.err.count("\n") == 1
