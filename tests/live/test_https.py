"""
C{twistd netlab-http} over TLS of its own, met by the programs that people have at the other end.
"""

from __future__ import annotations

import shutil
import socket
import ssl
import stat
from pathlib import Path

import pytest
from twisted.internet.threads import deferToThread

from tests.certificates import Authority
from tests.live.conftest import RunCommand, StartServer
from tests.live.processes import Server

needs_programs = pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("openssl")),
    reason="curl or openssl is not installed",
)

SILENT = 300
"""How many silent clients a test has; C{python -m benchmarks.tls_attack} has 10,000."""


async def served(twistd: StartServer, folder: Path, *options: str) -> Server:
    """
    Start a server on a plain description, with a certificate for localhost.
    """
    authority = Authority()
    authority.write(folder / "authority.pem")
    authority.issue(folder, "localhost")
    return await twistd(
        "netlab-http",
        "--listen",
        "tcp:0:interface=127.0.0.1",
        "--tls-cert",
        "cert.pem",
        "--tls-key",
        "key.pem",
        *options,
    )


def curl(folder: Path, *words: str) -> tuple[str, ...]:
    """
    Write a command of curl that trusts the authority.
    """
    trusted = str(folder / "authority.pem")
    return (
        "curl",
        "--silent",
        "--show-error",
        "--max-time",
        "30",
        "--noproxy",
        "*",
        "--ipv4",
        "--cacert",
        trusted,
        *words,
    )


def ask(server: Server, folder: Path) -> bytes:
    """
    Ask for a page as a client that trusts the authority.

    @return: the beginning of the answer.
    """
    context = ssl.create_default_context(cafile=str(folder / "authority.pem"))
    connected = socket.create_connection((server.host, server.port), 30)
    with context.wrap_socket(connected, server_hostname="localhost") as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return client.recv(12)


@needs_programs
async def test_options(twistd: StartServer, command: RunCommand, tmp_path: Path) -> None:
    """
    With --tls-cert plain descriptions speak TLS, no older than --min-tls; --tls-keylog writes
    secrets that only its owner can read, and is warned of.
    """
    server = await served(
        twistd, tmp_path, "--min-tls", "1.3", "--tls-keylog", "keys", "--access-log", "access.log"
    )
    url = f"https://localhost:{server.port}/"
    done = await command(*curl(tmp_path, "--write-out", "%{http_version}", url))
    assert (done.status, done.err) == (0, "")
    assert "<h1>Hello World</h1>" in done.out
    assert done.out.endswith("1.1")
    old = await command(*curl(tmp_path, "--tls-max", "1.2", url))
    assert old.status == 35
    assert "CLIENT_TRAFFIC_SECRET_0" in (tmp_path / "keys").read_text()
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o600
    await server.line("The secrets of all TLS connections are written to .*keys")


@needs_programs
async def test_plain_http(twistd: StartServer, command: RunCommand, tmp_path: Path) -> None:
    """
    Who speaks plain HTTP to it is told so in plain text.
    """
    server = await served(twistd, tmp_path)
    done = await command(*curl(tmp_path, "--include", f"http://localhost:{server.port}/"))
    assert done.out.startswith("HTTP/1.1 400 Bad Request\r\n")
    assert "https://" in done.out.rpartition("\r\n\r\n")[2]


@needs_programs
async def test_client_certificate(twistd: StartServer, command: RunCommand, tmp_path: Path) -> None:
    """
    With --client-ca a client is served that shows a certificate, and no other.
    """
    server = await served(twistd, tmp_path, "--client-ca", "authority.pem")
    url = f"https://localhost:{server.port}/"
    refused = await command(*curl(tmp_path, url))
    assert refused.status != 0
    known = ("--cert", str(tmp_path / "cert.pem"), "--key", str(tmp_path / "key.pem"))
    done = await command(*curl(tmp_path, *known, url))
    assert (done.status, done.err) == (0, "")


@needs_programs
@pytest.mark.slow
async def test_suites(twistd: StartServer, command: RunCommand, tmp_path: Path) -> None:
    """
    To openssl the server offers forward-secret suites that authenticate, and nothing of old.
    """
    server = await served(twistd, tmp_path)
    place = ("-connect", f"{server.host}:{server.port}", "-CAfile", str(tmp_path / "authority.pem"))
    for suites, is_served in (
        ("ECDHE-ECDSA-AES128-GCM-SHA256", True),
        ("ECDHE-ECDSA-CHACHA20-POLY1305", True),
        ("ECDHE-ECDSA-AES128-SHA256", False),
        ("AES128-GCM-SHA256", False),
        ("AES128-SHA", False),
    ):
        shown = await command("openssl", "s_client", "-tls1_2", "-cipher", suites, *place)
        assert (f"Cipher    : {suites}" in shown.out) is is_served
        if is_served:
            assert "Verify return code: 0 (ok)" in shown.out


@pytest.mark.slow
async def test_silent(twistd: StartServer, tmp_path: Path) -> None:
    """
    Clients that connect and say nothing, more of them than may shake hands at a time, leave the
    server answering.
    """
    server = await served(twistd, tmp_path)

    def ask_among_them() -> bytes:
        silent = [socket.create_connection((server.host, server.port), 30) for _ in range(SILENT)]
        try:
            return ask(server, tmp_path)
        finally:
            for one in silent:
                one.close()

    assert await deferToThread(ask_among_them) == b"HTTP/1.1 200"


async def test_renewed(twistd: StartServer, tmp_path: Path) -> None:
    """
    On SIGHUP the certificate is read again, and a broken one changes nothing.
    """
    server = await served(twistd, tmp_path)
    # It listens before it listens to signals.
    assert await deferToThread(ask, server, tmp_path) == b"HTTP/1.1 200"
    server.process.signalProcess("HUP")
    await server.line("The certificate of tcp:.* was read again")
    (tmp_path / "cert.pem").write_text("nonsense")
    server.process.signalProcess("HUP")
    await server.line("The certificate of tcp:.* stays as it was: not a certificate and its key")
