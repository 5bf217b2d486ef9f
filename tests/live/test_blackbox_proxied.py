"""
Request smuggling, looked for where it would hurt: behind a proxy that shares its few connections
to the server among all clients, and that was told to let odd requests pass.
"""

from __future__ import annotations

import shutil
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from twisted.internet.threads import deferToThread

from tests.blackbox.case import After, request
from tests.blackbox.client import exchange, names_of
from tests.blackbox.tables import STANDARD
from tests.blackbox.tree import TEXT, make_tree
from tests.live.conftest import StartCommand, StartServer

_HAPROXY = """
defaults
    mode http
    timeout connect 30s
    timeout client 1s
    timeout server 30s
    http-reuse always
    option accept-invalid-http-request
listen test
    bind fd@3
    server netlab {host}:{port} maxconn 2 pool-max-conn 2
"""

_BYTES_MAX = 5000
_CLIENTS = 8
_PATIENCE_SECONDS = 60.0

_CASES = [
    case
    for group in STANDARD
    if group.name in ("message framing", "chunks", "field lines and Host", "request lines")
    for case in group.cases
    if len(case.sends) <= _BYTES_MAX and case.after is not After.SHUT
]


def _ask_innocently(address: tuple[str, int], number: int) -> bytes:
    """
    Be somebody else, who asks for a file that nobody has asked for by this query.
    """
    received = bytearray()
    with socket.create_connection(address, _PATIENCE_SECONDS) as client:
        client.sendall(request(b"/text.txt?%d" % number, b"Connection: close"))
        while piece := client.recv(65536):
            received += piece
    return bytes(received)


@pytest.mark.skipif(shutil.which("haproxy") is None, reason="haproxy is not installed")
@pytest.mark.slow
async def test_no_desynchronisation(
    twistd: StartServer, start_command: StartCommand, tmp_path: Path
) -> None:
    """
    After each case the next client gets the answer to its own request, whole and alone.
    """
    # Some cases promise content that never comes.
    options = ["--idle-timeout", "60", "--content-timeout", "2"]
    server = await twistd("netlab-http", "--root", str(make_tree(tmp_path)), *options)
    configuration = tmp_path / "haproxy.cfg"
    configuration.write_text(_HAPROXY.format(host=server.host, port=server.port))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address: tuple[str, int] = listener.getsockname()
        start_command("haproxy", "-f", str(configuration), descriptors={3: listener.fileno()})

        names = await deferToThread(names_of, address)

        def attack(number: int) -> bool:
            exchange(address, _CASES[number], names, _PATIENCE_SECONDS)
            return _is_whole(_ask_innocently(address, number))

        def attack_all() -> list[str]:
            with ThreadPoolExecutor(_CLIENTS) as threads:
                unharmed = threads.map(attack, range(len(_CASES)))
                return [c.name for c, is_well in zip(_CASES, unharmed, strict=True) if not is_well]

        assert len(_CASES) > 300
        assert await deferToThread(attack_all) == []


def _is_whole(answer: bytes) -> bool:
    head, _, content = answer.partition(b"\r\n\r\n")
    return head.startswith(b"HTTP/1.1 200 ") and content == TEXT
