"""
Key logs of real programs, and captures that are read with them.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted  # type: ignore[import-untyped]
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from netlab.factories import Factory
from tests.captures.frames import ACK, PSH
from tests.captures.talk import Talk
from tests.certificates import Authority
from tests.live.conftest import RunNetlab, StartCommand, StartServer


class Recorded:
    """
    What a relay has carried.

    @ivar sent: whose bytes, C{c} or C{s}, in order.
    """

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes]] = []

    def pcap(self) -> bytes:
        """
        Write it as a capture.
        """
        talk = Talk(ports=(40000, 443)).open()
        for end, data in self.sent:
            for begin in range(0, len(data), 1460):
                talk.send(end, PSH | ACK, data[begin : begin + 1460])
            talk.send("s" if end == "c" else "c", ACK)
        return talk.close("c").pcap()


class _Carrying(Factory[Protocol]):
    noisy = False

    def __init__(self, make: Callable[[], Protocol]) -> None:
        self._make = make

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        """Make one end's."""
        return self._make()


class _Far(Protocol):
    def __init__(self, near: _Near) -> None:
        self.near = near

    def dataReceived(self, data: bytes) -> None:
        """Carry."""
        self.near.recorded.sent.append(("s", data))
        self.near.transport.write(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Close the other side."""
        self.near.transport.loseConnection()


class _Near(Protocol):
    transport: Any

    def __init__(self, reactor: Any, port: int, recorded: Recorded) -> None:
        self.recorded = recorded
        self._endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port)
        self._waiting: list[bytes] = []
        self._far: _Far | None = None

    def connectionMade(self) -> None:
        """Connect to the server."""
        factory = _Carrying(lambda: _Far(self))
        self._endpoint.connect(factory).addCallback(self._connected)

    def _connected(self, far: Any) -> None:
        self._far = far
        for data in self._waiting:
            far.transport.write(data)

    def dataReceived(self, data: bytes) -> None:
        """Carry."""
        self.recorded.sent.append(("c", data))
        if self._far is None:
            self._waiting.append(data)
        else:
            assert self._far.transport is not None
            self._far.transport.write(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Close the other side."""
        if self._far is not None and self._far.transport is not None:
            self._far.transport.loseConnection()


async def relay(reactor: Any, port: int, recorded: Recorded) -> Any:
    """
    Listen, and carry what comes to a port and back.
    """
    factory = _Carrying(lambda: _Near(reactor, port, recorded))
    return await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(factory)


@pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]
@pytest.mark.slow
async def test_get(
    reactor: Any,
    twistd: StartServer,
    netlab: RunNetlab,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    What C{netlab get --keylog} writes opens the capture of what it asked.
    """
    authority = Authority()
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.write(tmp_path / "ca.pem")))
    authority.issue(tmp_path, "localhost")
    server = await twistd(
        "netlab-http",
        "--listen",
        f"ssl:0:privateKey={tmp_path}/key.pem:certKey={tmp_path}/cert.pem:interface=127.0.0.1",
    )
    recorded = Recorded()
    port = await relay(reactor, server.port, recorded)
    try:
        keys = tmp_path / "keys.txt"
        url = f"https://localhost:{port.getHost().port}/?unseen"
        done = await netlab(
            "get", "--close", "--output-dir", str(tmp_path), "--keylog", str(keys), url
        )
        assert done.status == 0, done
    finally:
        await port.stopListening()
    assert stat.S_IMODE(os.stat(keys).st_mode) == 0o600
    capture = tmp_path / "https.pcap"
    capture.write_bytes(recorded.pcap())
    closed = await netlab("explain", str(capture))
    assert "unseen" not in closed.out
    assert "for the host localhost" in " ".join(closed.out.split())
    opened = await netlab("explain", "--keylog", str(keys), str(capture))
    assert "GET /?unseen" in opened.out
    assert "200 OK" in opened.out


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
@pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]
@pytest.mark.slow
async def test_key_update(
    reactor: Any,
    twistd: StartServer,
    netlab: RunNetlab,
    start_command: StartCommand,
    tmp_path: Path,
) -> None:
    """
    After a KeyUpdate (RFC 8446 section 4.6.3) of both ends, which openssl sends when it is told to,
    the next request is still read.
    """
    authority = Authority()
    authority.issue(tmp_path, "localhost")
    server = await twistd(
        "netlab-http",
        "--listen",
        f"ssl:0:privateKey={tmp_path}/key.pem:certKey={tmp_path}/cert.pem:interface=127.0.0.1",
    )
    recorded = Recorded()
    port = await relay(reactor, server.port, recorded)
    keys = tmp_path / "keys.txt"
    try:
        client = start_command(
            "openssl",
            "s_client",
            "-connect",
            f"127.0.0.1:{port.getHost().port}",
            "-servername",
            "localhost",
            "-keylogfile",
            str(keys),
            "-tls1_3",
            "-crlf",
        )
        client.send(b"GET /?first HTTP/1.1\nHost: localhost\n\n")
        await client.line("HTTP/1.1 200 OK")
        client.send(b"K\n")
        await client.error_line("KEYUPDATE")
        client.send(b"GET /?second HTTP/1.1\nHost: localhost\nConnection: close\n\n")
        await client.line("HTTP/1.1 200 OK", times=2)
        client.end_input()
        await client.ended()
    finally:
        await port.stopListening()
    capture = tmp_path / "https.pcap"
    capture.write_bytes(recorded.pcap())
    opened = await netlab("explain", "--keylog", str(keys), str(capture))
    assert "GET /?first" in opened.out
    assert "GET /?second" in opened.out
    assert "(KeyUpdate)" in opened.out
