"""
Two servers behind HAProxy, restarted one after the other under load.
"""

from __future__ import annotations

import shutil
import signal
import socket
import threading
from collections import Counter
from http.client import HTTPConnection, HTTPException
from typing import Any

import pytest
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.threads import deferToThread

from tests.live.conftest import StartCommand, StartServer
from tests.live.processes import TOP, Server

#: Persistent connections to HAProxy.
CLIENTS = 8
#: How many answers there must be at least before, between and after the restarts.
ANSWERS_PER_PHASE = 300


class Load:
    """
    Clients that ask without a pause, each in a thread of its own.

    @ivar outcomes: how often a request came to what end.
    """

    def __init__(self, reactor: Any, port: int) -> None:
        self._reactor = reactor
        self._port = port
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._count = 0
        self._waiting: list[tuple[int, Deferred[None]]] = []
        self.outcomes: Counter[str] = Counter()

    def start(self) -> Deferred[list[None]]:
        """
        Begin.

        @return: fires when all clients have ended.
        """
        return gatherResults([deferToThread(self._ask, number) for number in range(CLIENTS)])

    def stop(self) -> None:
        """
        Let each client finish its request.
        """
        self._stop.set()

    async def more(self, count: int) -> None:
        """
        Wait for so many more outcomes.
        """
        reached: Deferred[None] = Deferred()
        with self._lock:
            self._waiting.append((self._count + count, reached))
        await reached.addTimeout(60, self._reactor)

    def _ask(self, number: int) -> None:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
        while not self._stop.is_set():
            # Some are not idempotent, so that no proxy may repeat them; we say 405.
            method = "POST" if number % 4 == 0 else "GET"
            try:
                connection.request(method, "/result.html", body=b"x" if method == "POST" else None)
                response = connection.getresponse()
                content = response.read()
            except (OSError, HTTPException) as error:
                connection.close()
                self._note(f"{method} {error!r}")
            else:
                is_cut = response.status == 200 and len(content) != 64
                self._note(f"{method} {response.status}" + " cut" * is_cut)
        connection.close()

    def _note(self, outcome: str) -> None:
        with self._lock:
            self.outcomes[outcome] += 1
            self._count += 1
            due = [one for count, one in self._waiting if count <= self._count]
            self._waiting = [pair for pair in self._waiting if pair[0] > self._count]
        for one in due:
            self._reactor.callFromThread(one.callback, None)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("haproxy") is None, reason="haproxy is not installed")
async def test_rolling_restart(
    reactor: Any,
    twistd: StartServer,
    start_command: StartCommand,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    With the configuration in deploy/, restarting both servers loses no request.
    """

    async def start(port: int = 0, admin_port: int = 0) -> Server:
        listen = f"haproxy:tcp:{port}:interface=127.0.0.1"
        admin = f"tcp:{admin_port}:interface=127.0.0.1"
        server = await twistd(
            "netlab-http", "--listen", listen, "--admin", admin, "--stop-delay", "2"
        )
        await server.addresses(2)
        return server

    servers = [await start(), await start()]
    for name, server in zip("AB", servers, strict=True):
        (host, port), (_, admin_port) = await server.addresses(2)
        monkeypatch.setenv(f"NETLAB_{name}", f"{host}:{port}")
        monkeypatch.setenv(f"NETLAB_{name}_ADMIN", str(admin_port))
    monkeypatch.setenv("NETLAB_BIND", "fd@3")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        front = listener.getsockname()[1]
        configuration = str(TOP / "deploy" / "haproxy.cfg")
        haproxy = start_command("haproxy", "-f", configuration, descriptors={3: listener.fileno()})
    load = Load(reactor, front)
    asking = load.start()
    try:
        await load.more(ANSWERS_PER_PHASE)
        for name, server in zip("ab", servers, strict=True):
            (_, port), (_, admin_port) = await server.addresses(2)
            done = await server.stop()
            assert done.status == -signal.SIGTERM
            await load.more(ANSWERS_PER_PHASE)  # the other one alone
            await start(port, admin_port)
            # Whoever restarts the next one before this is seen to be up has none for a while.
            await haproxy.error_line(f"Server netlab/{name} is UP")
            await load.more(ANSWERS_PER_PHASE)
    finally:
        load.stop()
    await asking
    assert set(load.outcomes) == {"GET 200", "POST 405"}, load.outcomes
