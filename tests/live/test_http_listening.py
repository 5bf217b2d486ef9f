"""
C{twistd netlab-http} on every kind of endpoint, met by the programs that people have at the other
end: curl, openssl, HAProxy, and what starts a service with its socket.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import ssl
import sys
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.threads import deferToThreadPool

from tests.certificates import Authority
from tests.live.conftest import RunCommand, StartCommand, StartServer
from tests.live.processes import LISTENS_ON, Program, Server, spawn_command
from tests.live.sockets import client_of, receive, request

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="openssl is not installed"
)
needs_haproxy = pytest.mark.skipif(
    shutil.which("haproxy") is None, reason="haproxy is not installed"
)

CURL = ("curl", "--silent", "--show-error", "--fail", "--max-time", "30")


@needs_curl
@needs_openssl
async def test_tls(twistd: StartServer, command: RunCommand, tmp_path: Path) -> None:
    """
    TLS is served; a certificate that was renewed on disk is taken on SIGHUP, a broken one is not.
    """
    authority = Authority()
    trusted = str(authority.write(tmp_path / "authority.pem"))
    authority.issue(tmp_path, "first")
    # The paths are relative: the server's folder is tmp_path.
    server = await twistd(
        "netlab-http",
        "--listen",
        "ssl:0:privateKey=key.pem:certKey=cert.pem:interface=127.0.0.1",
    )
    url = f"https://localhost:{server.port}/"
    done = await command(*CURL, "--ipv4", "--noproxy", "*", "--cacert", trusted, url)
    assert (done.status, done.err) == (0, "")
    assert "<h1>Hello World</h1>" in done.out

    async def subject() -> str:
        place = f"{server.host}:{server.port}"
        shown = await command("openssl", "s_client", "-connect", place, "-CAfile", trusted)
        assert "Verify return code: 0 (ok)" in shown.out
        return next(line for line in shown.out.splitlines() if line.startswith("subject="))

    assert (await subject()).endswith("first")
    authority.issue(tmp_path, "second")
    assert (await subject()).endswith("first")
    server.process.signalProcess("HUP")
    await server.line("The certificate of ssl:.* was read again")
    assert (await subject()).endswith("second")
    (tmp_path / "cert.pem").write_text("no certificate")
    server.process.signalProcess("HUP")
    await server.line("The certificate of ssl:.* stays as it was: ")
    assert (await subject()).endswith("second")


@needs_openssl
async def test_tls_refusal(twistd: StartServer, command: RunCommand, tmp_path: Path) -> None:
    """
    Under TLS too a refusal is complete, and ends by a closure alert: not by a cut.
    """
    authority = Authority()
    trusted = str(authority.write(tmp_path / "authority.pem"))
    authority.issue(tmp_path, "server")
    server = await twistd("netlab-http", "--listen", "ssl:0:key.pem:cert.pem:interface=127.0.0.1")
    client = ("openssl", "s_client", "-quiet", "-CAfile", trusted, "-connect")
    place = f"{server.host}:{server.port}"
    done = await command(*client, place, stdin=b"GET / HTTP/1.1\r\n\r\nmore and more")
    assert done.out.startswith("HTTP/1.1 400 Bad Request\r\n")
    assert done.out.endswith("</html>\n")
    assert "unexpected eof" not in done.err


def listen_in_silence(place: tuple[str, int], trusted: str) -> None:
    """
    Shake hands, and then wait for the connection's end without a word, not even a goodbye.

    @raise TimeoutError: nothing has come for 20 s.
    """
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context(cafile=trusted)
    tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with socket.create_connection(place, timeout=20) as connection:
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                connection.sendall(outgoing.read())
                incoming.write(connection.recv(65536))
        connection.sendall(outgoing.read())
        while connection.recv(65536):
            pass


@pytest.mark.parametrize("transport", [(), ("--stock-transport",)])
async def test_silent_tls(
    twistd: StartServer, reactor: Any, tmp_path: Path, transport: tuple[str, ...]
) -> None:
    """
    Under TLS too an idle connection is closed at once, though the client does not answer our
    closure alert: it would else stay until the deadline for writing, or twice as long.
    """
    authority = Authority()
    trusted = str(authority.write(tmp_path / "authority.pem"))
    authority.issue(tmp_path, "server")
    listen = "ssl:0:key.pem:cert.pem:interface=127.0.0.1"
    server = await twistd("netlab-http", "--listen", listen, "--idle-timeout", "0.2", *transport)
    place = (server.host, server.port)
    await deferToThreadPool(reactor, reactor.getThreadPool(), listen_in_silence, place, trusted)


@needs_curl
async def test_unix(twistd: StartServer, command: RunCommand, tmp_path: Path) -> None:
    """
    A UNIX socket is served.
    """
    place = tmp_path / "http.sock"
    await twistd("netlab-http", "--listen", f"unix:{place}")
    done = await command(*CURL, "--unix-socket", str(place), "http://localhost/")
    assert (done.status, done.err) == (0, "")
    assert "<h1>Hello World</h1>" in done.out


@needs_curl
@pytest.mark.parametrize("description", [r"tcp6:0:interface=\:\:1", r"tcp:0:interface=\:\:1"])
async def test_ipv6(
    twistd: StartServer, command: RunCommand, tmp_path: Path, description: str
) -> None:
    """
    IPv6 is served, and its addresses are in the log.
    """
    server = await twistd("netlab-http", "--listen", description, "--access-log", "log")
    url = f"http://[::1]:{server.port}/"
    done = await command(*CURL, "--globoff", "--noproxy", "*", url)
    assert (done.status, done.err) == (0, "")
    assert "<h1>Hello World</h1>" in done.out
    await server.stop()
    log = (tmp_path / "log").read_text()
    assert log.startswith("::1 - - [")


def activate(
    reactor: Any,
    programs: list[Program],
    tmp_path: Path,
    listener: socket.socket,
    *options: str,
) -> Server:
    """
    Start the server as systemd does: with a listening socket as descriptor 3, and its own process
    id in the environment.
    """
    server = Server(reactor)
    run = "from twisted.scripts.twistd import run; run()"
    arguments = ["-c", run, "-n", "--pidfile=", "netlab-http", *options]
    command = [
        "sh",
        "-c",
        'LISTEN_FDS=1 LISTEN_FDNAMES=http LISTEN_PID=$$ exec "$@"',
        "sh",
        sys.executable,
        *arguments,
    ]
    spawn_command(reactor, server, command, tmp_path, {3: listener.fileno()})
    programs.append(server)
    return server


@needs_curl
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6, socket.AF_UNIX])
async def test_systemd(
    reactor: Any,
    programs: list[Program],
    command: RunCommand,
    tmp_path: Path,
    family: socket.AddressFamily,
) -> None:
    """
    A socket that systemd has opened is served; who connects before the server is there waits, and
    a TCP socket outlives the server.
    """
    path = str(tmp_path / "sock")
    place: Any = {socket.AF_INET: ("127.0.0.1", 0), socket.AF_INET6: ("::1", 0)}.get(family, path)
    with socket.socket(family) as listener, socket.socket(family) as early:
        listener.bind(place)
        listener.listen()
        early.connect(listener.getsockname())
        early.sendall(b"GET / HTTP/1.0\r\n\r\n")
        description = f"systemd:domain={family.name.removeprefix('AF_')}:index=0"
        server = activate(reactor, programs, tmp_path, listener, "--listen", description)
        await server.line(LISTENS_ON)
        if family == socket.AF_UNIX:
            url = ["--unix-socket", path, "http://localhost/"]
        else:
            host, port = listener.getsockname()[:2]
            url = [f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"]
        done = await command(*CURL, "--globoff", "--noproxy", "*", *url)
        assert "<h1>Hello World</h1>" in done.out
        early.settimeout(60)
        assert early.recv(15) == b"HTTP/1.1 200 OK"
        assert (await server.stop()).status == -signal.SIGTERM
        if family != socket.AF_UNIX:  # Twisted removes the name of a UNIX socket, whose ever it is
            with socket.socket(family) as late:
                late.connect(listener.getsockname())


async def test_no_such_socket(reactor: Any, programs: list[Program], tmp_path: Path) -> None:
    """
    A socket that was not handed over is one line.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = activate(
            reactor, programs, tmp_path, listener, "--listen", "systemd:domain=INET:index=1"
        )
        done = await server.ended()
    assert done.status == 1
    assert "no such socket was handed over by systemd" in done.out + done.err
    assert "Traceback" not in done.out + done.err


HAPROXY = """
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
listen test
    bind fd@3
    server netlab {server} {send_proxy}
"""


@needs_curl
@needs_haproxy
@pytest.mark.parametrize("send_proxy", ["send-proxy", "send-proxy-v2"])
@pytest.mark.parametrize("place", ["tcp", "unix"])
async def test_haproxy(
    twistd: StartServer,
    command: RunCommand,
    start_command: StartCommand,
    tmp_path: Path,
    send_proxy: str,
    place: str,
) -> None:
    """
    Behind HAProxy the log has the client's address, not the proxy's.
    """
    path = tmp_path / "http.sock"
    listen = f"unix:{path}" if place == "unix" else "tcp:0:interface=127.0.0.1"
    log = tmp_path / "log"
    options = ["--access-log", str(log), "--access-log-format", "json"]
    server = await twistd("netlab-http", "--listen", f"haproxy:{listen}", *options)
    behind = f"unix@{path}" if place == "unix" else f"{server.host}:{server.port}"
    config = tmp_path / "haproxy.cfg"
    config.write_text(HAPROXY.format(server=behind, send_proxy=send_proxy))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        start_command("haproxy", "-f", str(config), descriptors={3: listener.fileno()})
        url = f"http://127.0.0.1:{port}/result.html"
        client = ("--interface", "127.0.0.3", "--noproxy", "*", "--user-agent", "test")
        done = await command(*CURL, *client, url)
    assert (done.status, done.err) == (0, "")
    await server.stop()
    (entry,) = map(json.loads, log.read_text().splitlines())
    assert (entry["peer"], entry["request"]) == ("127.0.0.3", "GET /result.html HTTP/1.1")


async def test_terminal_closes(twistd: StartServer) -> None:
    """
    Without TLS a server ends on SIGHUP, as what runs in a terminal must when that is closed; but in
    order, as on SIGTERM.
    """
    for name in ("netlab-http", "netlab-echo", "netlab-lab"):
        server = await twistd(name)
        done = await server.stop(signal.SIGHUP)
        assert (done.status, done.err) == (0, ""), name
        assert "Server Shut Down" in done.out


async def test_signal_for_another(twistd: StartServer) -> None:
    """
    SIGUSR1 ends no server that has no log to open anew, with workers or without.
    """
    for arguments in (["netlab-http"], ["netlab-http", "--workers", "1"], ["netlab-echo"]):
        server = await twistd(*arguments)
        os.kill(server.pid, signal.SIGUSR1)
        # It serves on; then it runs, and SIGTERM ends it in order.
        with client_of(server) as client:
            client.sendall(request("/result.html"))
            assert receive(client, 4)
        done = await server.stop(signal.SIGTERM)
        assert "Server Shut Down" in done.out, arguments
