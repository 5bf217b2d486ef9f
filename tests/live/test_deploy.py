"""
The files in deploy/, read by the programs that they are for.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import socket
import ssl
from pathlib import Path

import pytest
from twisted.internet.threads import deferToThread

from netlab.http1.twistd.options import Options
from tests.certificates import Authority
from tests.live.conftest import RunCommand, StartCommand, StartServer
from tests.live.processes import PATIENCE_SECONDS, TOP

DEPLOY = TOP / "deploy"

#: "systemd-analyze security" calls a service up to 2.0 "OK"; 10 has no protection at all.
EXPOSURE_MAX_TENTHS = 15

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)
needs_haproxy = pytest.mark.skipif(
    shutil.which("haproxy") is None, reason="haproxy is not installed"
)


def read_options(words: list[str], folder: Path) -> Options:
    """
    Let our own command line read options, with what they name in a folder that there is.

    @param words: All that goes behind C{netlab-http}.
    """
    options = Options()
    existing = {"/srv/www": str(folder), "/var/log/netlab-http/access.log": f"{folder}/log"}
    options.parseOptions([existing.get(word, word) for word in words])
    return options


@needs_haproxy
async def test_haproxy(command: RunCommand) -> None:
    """
    HAProxy finds nothing wrong with its configuration, not even something to warn of.
    """
    done = await command("haproxy", "-c", "-f", str(DEPLOY / "haproxy.cfg"))
    assert (done.status, done.err) == (0, "")


@needs_haproxy
async def test_tls_in_haproxy(
    twistd: StartServer, start_command: StartCommand, tmp_path: Path
) -> None:
    """
    With the configuration that docs/running.md shows, and places of its own, HAProxy ends TLS and
    the server's log knows the client.
    """
    page = (TOP / "docs" / "running.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```haproxy\n(.*?)```", page, re.DOTALL)
    authority = Authority()
    authority.write(tmp_path / "authority.pem")
    authority.issue(tmp_path, "site")
    pair = [(tmp_path / name).read_text() for name in ("cert.pem", "key.pem")]
    (tmp_path / "site.pem").write_text("".join(pair))
    log = tmp_path / "access.log"
    listen = ("--listen", "haproxy:tcp:0:interface=127.0.0.1")
    server = await twistd("netlab-http", *listen, "--access-log", str(log))
    for written, ours in (
        ("bind :8443", "bind fd@3"),
        ("127.0.0.1:8081", f"127.0.0.1:{server.port}"),
        ("site.pem", str(tmp_path / "site.pem")),
    ):
        assert shown.count(written) == 1
        shown = shown.replace(written, ours)
    configuration = tmp_path / "haproxy.cfg"
    configuration.write_text(shown)

    def ask(address: tuple[str, int]) -> bytes:
        context = ssl.create_default_context(cafile=tmp_path / "authority.pem")
        with (
            socket.create_connection(address, PATIENCE_SECONDS, ("127.0.0.2", 0)) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as client,
        ):
            client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return b"".join(iter(lambda: client.recv(65536), b""))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        start_command("haproxy", "-f", str(configuration), descriptors={3: listener.fileno()})
        answer = await deferToThread(ask, listener.getsockname())
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"<h1>Hello World</h1>" in answer
    await server.stop()
    assert log.read_text().startswith("127.0.0.2 - - ")


@needs_systemd
async def test_units(command: RunCommand, tmp_path: Path) -> None:
    """
    Nothing is wrong with the units for systemd, and the service hardly exposed.
    """
    for name in ("netlab-http.service", "netlab-http.socket"):
        unit = (DEPLOY / name).read_text()
        # The one thing that need not be there.
        (tmp_path / name).write_text(unit.replace("/opt/netlab/bin/twistd", "/bin/true"))
    service, socket = tmp_path / "netlab-http.service", tmp_path / "netlab-http.socket"
    done = await command("systemd-analyze", "verify", str(service), str(socket))
    assert (done.status, done.out, done.err) == (0, "", "")
    threshold = f"--threshold={EXPOSURE_MAX_TENTHS}"
    done = await command("systemd-analyze", "security", "--offline=true", threshold, str(service))
    assert done.status == 0, done.out


def test_service_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The service's options are ours; it gives itself less time to finish than systemd gives it.
    """
    unit = (DEPLOY / "netlab-http.service").read_text().replace("\\\n", " ")
    settings = dict(re.findall(r"^(\w+)=(.*)$", unit, re.MULTILINE))
    program, _, arguments = settings["ExecStart"].partition("netlab-http ")
    assert program == "/opt/netlab/bin/twistd --nodaemon --pidfile= "
    words = shlex.split(arguments)
    place = words[words.index("--listen") + 1]
    assert place == "systemd:domain=INET6:name=http"
    words[words.index("--listen") + 1] = "tcp:0"
    options = read_options(words, tmp_path)
    assert options["drain-timeout"] < float(settings["TimeoutStopSec"])
    socket_unit = (DEPLOY / "netlab-http.socket").read_text()
    assert "\nFileDescriptorName=http\n" in socket_unit


INSTRUCTION = re.compile(r"(?P<name>[A-Z]+) (?P<rest>.+)")


def test_container_file(tmp_path: Path) -> None:
    """
    The container file is well-formed, what it runs is our command line, and it is not root.
    """
    text = (DEPLOY / "Containerfile").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    instructions = []
    for line in lines:
        match = INSTRUCTION.fullmatch(line)
        assert match is not None, line
        instructions.append((match["name"], match["rest"]))
    assert instructions[0][0] == "FROM"
    known = {"FROM", "COPY", "RUN", "USER", "WORKDIR", "EXPOSE", "STOPSIGNAL", "ENTRYPOINT", "CMD"}
    assert {name for name, _ in instructions} <= known
    for name, rest in instructions:
        if name in ("RUN", "ENTRYPOINT", "CMD"):
            assert all(isinstance(word, str) for word in json.loads(rest))
    last = dict(instructions)
    assert last["USER"].split(":")[0].isdigit()
    assert int(last["USER"].split(":")[0]) > 0
    assert last["STOPSIGNAL"] == "SIGTERM"
    entry = json.loads(last["ENTRYPOINT"])
    assert entry[-1] == "netlab-http"
    options = read_options(json.loads(last["CMD"]), tmp_path)
    assert options.endpoints[0][0] == f"tcp:{last['EXPOSE']}"
    # docker and podman kill what has not ended after ten seconds.
    assert options["drain-timeout"] < 10
    sources = re.findall(r"^COPY (?!--from)(\S+) ", text, re.MULTILINE)
    assert sources == ["."]
