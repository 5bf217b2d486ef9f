"""
How many connections a running server takes.
"""

from __future__ import annotations

import socket
from contextlib import ExitStack

import pytest
from twisted.internet.threads import deferToThread

from tests.live.conftest import StartServer

_REQUEST = b"GET /result.html HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize("option", ["--max-connections", "--max-connections-per-peer"])
async def test_too_many(twistd: StartServer, option: str) -> None:
    """
    Whoever comes beyond the limit gets a whole 503 that asks to come again, though its request was
    on the way already; those within the limit are served; and a place that becomes free is taken.
    """
    server = await twistd("netlab-http", option, "3", "--idle-timeout", "60")

    def connect(stack: ExitStack) -> socket.socket:
        return stack.enter_context(socket.create_connection(server.address, 60))

    def ask(client: socket.socket) -> bytes:
        client.sendall(_REQUEST)
        return client.recv(65536)

    def be_many() -> None:
        with ExitStack() as stack:
            clients = [connect(stack) for _ in range(3)]
            assert all(ask(client).startswith(b"HTTP/1.1 200 ") for client in clients)
            late = connect(stack)
            late.sendall(_REQUEST)
            refusal = b"".join(iter(lambda: late.recv(65536), b""))
            head, _, content = refusal.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
            assert b"\r\nRetry-After: 1\r\n" in head + b"\r\n"
            assert b"\r\nConnection: close" in head
            assert b"\r\nContent-Length: %d\r\n" % len(content) in head + b"\r\n"
            assert all(ask(client).startswith(b"HTTP/1.1 200 ") for client in clients)
            late.close()
            clients[0].shutdown(socket.SHUT_WR)
            assert clients[0].recv(1) == b""
            assert ask(connect(stack)).startswith(b"HTTP/1.1 200 ")

    await deferToThread(be_many)
