"""
C{twistd netlab-http --workers}: several processes on the same sockets.
"""

from __future__ import annotations

import os
import re
import select
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from twisted.internet.threads import deferToThread

from tests.certificates import Authority
from tests.live.conftest import RunCommand, StartServer
from tests.live.processes import PATIENCE_SECONDS, Server
from tests.live.sockets import client_of, receive_all, receive_answer, request

LOCAL = "tcp:0:interface=127.0.0.1"
SERVES = re.compile(r"worker (\d+) serves$")


async def workers(server: Server, count: int) -> list[int]:
    """
    Wait until so many workers have begun to serve, ever.

    @return: Their process ids.
    """
    await server.line(SERVES, times=count)
    return [int(match[1]) for line in server.lines if (match := SERVES.search(line))]


def ask(address: tuple[str, int], path: str = "/", *lines: str) -> bytes:
    """
    Ask for a page on a connection of its own.

    @return: Its content.
    """
    with socket.create_connection(address, PATIENCE_SECONDS) as client:
        client.sendall(request(path, *lines))
        head, content = receive_answer(client)
        assert head.startswith(b"HTTP/1.1 200 "), head
        return content


@contextmanager
def watched(pid: int) -> Iterator[int]:
    """
    Hold a process by a descriptor, so that its end can be waited for whoever is its parent.
    """
    descriptor = os.pidfd_open(pid)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def has_ended(descriptor: int) -> bool:
    """
    Wait for the end of a process.
    """
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(PATIENCE_SECONDS * 1000))


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """
    Stop a process for a while.
    """
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.slow
async def test_each_serves(twistd: StartServer) -> None:
    """
    With any one of the workers stopped, the other one serves.
    """
    server = await twistd("netlab-http", "--workers", "2")
    both = await workers(server, 2)
    assert len({server.pid, *both}) == 3
    for pid in both:
        with stopped(pid):
            for _ in range(5):
                assert b"Hello World" in await deferToThread(ask, server.address)


@pytest.mark.slow
async def test_killed(twistd: StartServer) -> None:
    """
    A worker that is killed is replaced, and what it has counted stays counted.
    """
    server = await twistd("netlab-http", "--listen", LOCAL, "--workers", "2", "--admin", LOCAL)
    public, admin = await server.addresses(2)
    both = await workers(server, 2)

    async def answers() -> float:
        metrics = (await deferToThread(ask, admin, "/metrics")).decode()
        found = re.search(
            r'^netlab_http_answers_total\{status="200"\} (.*)$', metrics, re.MULTILINE
        )
        assert found is not None, metrics
        return float(found[1])

    for pid in both:
        with stopped(pid):
            for _ in range(3):
                await deferToThread(ask, public)
    assert await answers() == 6
    os.kill(both[0], signal.SIGKILL)
    await server.line(f"worker {both[0]} ended by signal 9; another is started")
    third = (await workers(server, 3))[2]
    assert await answers() == 6
    with stopped(both[1]):
        await deferToThread(ask, public)
    assert third not in both
    assert await answers() == 7
    metrics = (await deferToThread(ask, admin, "/metrics")).decode()
    assert "\nnetlab_http_workers 2.0\n" in metrics
    assert "\nnetlab_http_replaced_workers_total 1.0\n" in metrics


async def begin_large(server: Server) -> socket.socket:
    """
    Ask for what is too large for the buffers on the way.
    """
    client = client_of(server, receive_buffer=10_000)
    client.sendall(request("/large"))
    assert (await deferToThread(client.recv, 15)) == b"HTTP/1.1 200 OK"
    return client


@pytest.fixture
def root(tmp_path: Path) -> str:
    """
    Make a folder with a large file.
    """
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "large").write_bytes(b"x" * (20 << 20))
    (folder / "index.html").write_bytes(b"hello")
    return str(folder)


@pytest.mark.slow
async def test_drain(twistd: StartServer, root: str) -> None:
    """
    On SIGTERM all workers finish what they are at; then all processes have ended.
    """
    options = ("--root", root, "--idle-timeout", "600", "--drain-timeout", "600")
    server = await twistd("netlab-http", "--workers", "2", *options)
    both = await workers(server, 2)
    with watched(both[0]) as first, watched(both[1]) as second:
        large = []
        for pid in both:
            with stopped(pid):
                large.append(await begin_large(server))
        with client_of(server) as idle:
            idle.sendall(request("/"))
            await deferToThread(receive_answer, idle)
            server.process.signalProcess("TERM")
            assert await deferToThread(receive_all, idle) == b""
        for client in large:
            with client:
                rest = await deferToThread(receive_all, client)
                assert len(rest.partition(b"\r\n\r\n")[2]) == 20 << 20
        assert (await server.ended()).status == -signal.SIGTERM
        assert has_ended(first)
        assert has_ended(second)


@pytest.mark.slow
async def test_second_signal(twistd: StartServer, root: str) -> None:
    """
    A second SIGTERM ends all at once.
    """
    server = await twistd("netlab-http", "--workers", "2", "--root", root, "--drain-timeout", "600")
    both = await workers(server, 2)
    with watched(both[0]) as first, watched(both[1]) as second, await begin_large(server) as large:
        server.process.signalProcess("TERM")
        await server.line("Port [0-9]+ Closed", times=3)
        assert (await server.stop()).status == -signal.SIGTERM
        assert has_ended(first)
        assert has_ended(second)
        with pytest.raises(ConnectionResetError):
            await deferToThread(receive_all, large)


@pytest.mark.slow
async def test_no_orphans(twistd: StartServer) -> None:
    """
    When the supervisor is killed, its workers end.
    """
    server = await twistd("netlab-http", "--workers", "2")
    both = await workers(server, 2)
    with watched(both[0]) as first, watched(both[1]) as second:
        assert (await server.stop(signal.SIGKILL)).status == -signal.SIGKILL
        assert await deferToThread(has_ended, first)
        assert await deferToThread(has_ended, second)


@pytest.mark.slow
async def test_one_log(twistd: StartServer, tmp_path: Path) -> None:
    """
    Several workers write whole lines to one log, and all go over to a new one on SIGUSR1.
    """
    log, old = tmp_path / "log", tmp_path / "log.1"
    server = await twistd("netlab-http", "--workers", "2", "--access-log", str(log))
    both = await workers(server, 2)
    agent = "User-Agent: " + "x" * 5000

    async def ask_both() -> None:
        for pid in both:
            with stopped(pid):
                for _ in range(20):
                    await deferToThread(ask, server.address, "/", agent)

    await ask_both()
    log.rename(old)
    os.kill(server.pid, signal.SIGUSR1)
    await server.line("The access log was opened anew", times=2)
    await ask_both()
    await server.stop()
    for file in (old, log):
        lines = file.read_text().splitlines()
        assert len(lines) == 40
        whole = re.compile(r'127\.0\.0\.1 - - \[.{26}\] "GET / HTTP/1\.1" 200 210 "-" "x{5000}"')
        assert all(whole.fullmatch(line) for line in lines)


@pytest.mark.slow
async def test_tls(twistd: StartServer, command: RunCommand, tmp_path: Path) -> None:
    """
    Workers serve TLS, and take a renewed certificate on SIGHUP.
    """
    authority = Authority()
    trusted = str(authority.write(tmp_path / "authority.pem"))
    authority.issue(tmp_path, "first")
    listen = "ssl:0:key.pem:cert.pem:interface=127.0.0.1"
    server = await twistd("netlab-http", "--workers", "2", "--listen", listen)
    await workers(server, 2)
    place = f"{server.host}:{server.port}"

    async def subject() -> str:
        shown = await command("openssl", "s_client", "-connect", place, "-CAfile", trusted)
        assert "Verify return code: 0 (ok)" in shown.out
        return next(line for line in shown.out.splitlines() if line.startswith("subject="))

    assert (await subject()).endswith("first")
    authority.issue(tmp_path, "second")
    server.process.signalProcess("HUP")
    await server.line("The certificate of ssl:.* was read again", times=2)
    assert (await subject()).endswith("second")


@pytest.mark.slow
async def test_proxy_header(twistd: StartServer, tmp_path: Path) -> None:
    """
    Workers take PROXY headers.
    """
    log = tmp_path / "log"
    server = await twistd(
        "netlab-http", "--workers", "1", "--listen", f"haproxy:{LOCAL}", "--access-log", str(log)
    )
    await workers(server, 1)
    with client_of(server) as client:
        client.sendall(b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + request("/"))
        await deferToThread(receive_answer, client)
    await server.stop()
    assert log.read_text().startswith("192.0.2.1 - - [")
