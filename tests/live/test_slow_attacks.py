"""
Slow clients on purpose: slowhttptest, which knows the classic ones, all four at the same time.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from twisted.internet.defer import gatherResults
from twisted.internet.threads import deferToThread

from tests.blackbox.tree import make_tree
from tests.live.conftest import StartServer
from tests.live.processes import Server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("slowhttptest") is None, reason="slowhttptest is not installed"
    ),
]

_CONNECTIONS = 150
_MEMORY_MAX_KIB = 48 * 1024

#: -p 1: whoever connects meanwhile must be answered within a second, or the service is not there.
_COMMON = f"-c {_CONNECTIONS} -r {_CONNECTIONS} -l 5 -p 1".split()

_ATTACKS = {
    "a field line now and then": ("-H -i 1 -u {url}/text.txt", "No open connections left"),
    "a byte of content now and then": (
        "-B -i 1 -s 8192 -u {url}/text.txt",
        "No open connections left",
    ),
    "thousands of ranges": (
        "-R -t GET -a 10 -b 3000 -u {url}/text.txt",
        "No open connections left",
    ),
    # These do read, 32 bytes a second, and are not cut off: they cost a socket's buffer each.
    "an answer read drop by drop": (
        "-X -w 512 -y 1024 -n 1 -z 32 -k 3 -u {url}/large.bin",
        "Hit test time limit",
    ),
}


def _attack(arguments: str, url: str) -> str:
    done = subprocess.run(
        ["slowhttptest", *_COMMON, *arguments.format(url=url).split()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
        check=False,
    )
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", done.stdout.decode(errors="replace"))


def _memory_kib(server: Server) -> int:
    """
    Say how much memory the server has needed at the most.
    """
    status = Path(f"/proc/{server.pid}/status").read_text(encoding="ascii")
    match = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    assert match is not None
    return int(match[1])


async def test_slow_attacks(twistd: StartServer, tmp_path: Path) -> None:
    """
    Others are answered within a second all the while, those who are late are cut off, and memory
    stays bounded.
    """
    root = make_tree(tmp_path)
    server = await twistd(
        "netlab-http", "--root", str(root), "--head-timeout", "2", "--content-timeout", "2"
    )
    before = _memory_kib(server)
    url = f"http://{server.host}:{server.port}"
    attacks = [deferToThread(_attack, arguments, url) for arguments, _ in _ATTACKS.values()]
    outputs = await gatherResults(attacks, consumeErrors=True)
    for (name, (_, end)), output in zip(_ATTACKS.items(), outputs, strict=True):
        assert re.search(r"service available:\s+NO", output) is None, (name, output)
        assert f"Exit status: {end}" in output, (name, output)
    assert _memory_kib(server) - before < _MEMORY_MAX_KIB

    def get() -> bytes:
        with socket.create_connection(server.address, 60) as client:
            client.sendall(b"GET /probe.txt HTTP/1.0\r\n\r\n")
            return b"".join(iter(lambda: client.recv(65536), b""))

    assert (await deferToThread(get)).endswith(b"\r\n\r\nprobe\n")
