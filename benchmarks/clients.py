"""
Clients for what wrk cannot do: idle connections, echo exchanges, slow readers, percentiles.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Self

from benchmarks.load import Requests, WrongAnswerError, ask
from benchmarks.machine import CLIENT_CORE, SERVER_CORE

_LINE: Final = b"a line of some thirty bytes.\r\n"
_FAST_READERS: Final = 8
_HERE: Final = Path(__file__).parent


def wait(seconds: float) -> None:
    """
    Do nothing.
    """
    time.sleep(seconds)


def field_of(port: int, path: str, name: bytes) -> str:
    """
    Ask for a path, and return the value of a field of the answer.
    """
    head, _content, _length = ask(port, Requests(path).bytes_for(path))
    for line in head.split(b"\r\n"):
        found, _, value = line.partition(b":")
        if found.lower() == name:
            return value.strip().decode()
    raise WrongAnswerError(f"the answer to {path} has no {name.decode()}")


def ask_on_many(port: int, path: str, count: int) -> Callable[[], None]:
    """
    Open connections, and have an answer on each.

    @return: closes them.
    """
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    opened: list[socket.socket] = []
    for _ in range(count):
        client = socket.create_connection(("127.0.0.1", port), timeout=20)
        client.sendall(request)
        if not client.recv(65536).startswith(b"HTTP/1.1 200 "):
            raise WrongAnswerError(f"connection {len(opened)} did not get its answer")
        opened.append(client)

    def close() -> None:
        for client in opened:
            client.close()

    return close


class EchoClients:
    """
    Connections to an echo server. All of them send, then all of them wait.
    """

    def __init__(self, port: int, count: int) -> None:
        """
        @param count: of connections.
        """
        self._clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
        for client in self._clients:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        os.sched_setaffinity(0, {CLIENT_CORE})
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._clients:
            client.close()
        os.sched_setaffinity(0, range(os.cpu_count() or 1))

    def run(self, seconds: float) -> int:
        """
        Exchange for a while.

        @return: how many round trips there were; each answer is compared.
        """
        trips = 0
        expected = _LINE.upper()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for client in self._clients:
                client.send(_LINE)
            for client in self._clients:
                if client.recv(100) != expected:
                    raise WrongAnswerError("the echo was wrong")
            trips += len(self._clients)
        return trips


class BigReaders:
    """
    Clients that take a big file again and again: some as fast as they can, some slowly.
    """

    def __init__(self, port: int, path: str) -> None:
        """
        @param path: of the file.
        """
        self._url = f"http://127.0.0.1:{port}{path}"
        self._slow_command = _on_client_core(_HERE / "slow_readers.py", str(port), path)

    def __enter__(self) -> Self:
        self._slow = subprocess.Popen(
            self._slow_command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._slow.stdout is not None
        if self._slow.stdout.readline() != b"ready\n":
            raise WrongAnswerError("the slow readers did not begin")
        self._fast = subprocess.Popen(
            [
                *("taskset", "-c", str(CLIENT_CORE), "wrk", "-t1", f"-c{_FAST_READERS}"),
                *("-d600s", self._url),
            ],
            stdout=subprocess.DEVNULL,
        )
        # Until their connections are up, and buffers are full.
        time.sleep(0.3)
        return self

    def __exit__(self, *_: object) -> None:
        self._slow.communicate()
        self._fast.terminate()
        self._fast.wait()


def percentile_99(port: int, path: str, seconds: float) -> float:
    """
    Ask for a small file now and then on one connection (C{probe.py}).

    @return: the 99th percentile of the time that an answer takes, in seconds.
    """
    command = _on_client_core(_HERE / "probe.py", str(port), path, str(seconds))
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        raise WrongAnswerError(run.stderr.strip())
    return float(run.stdout.split()[0]) / 1e6


def handshakes(port: int, path: str, seconds: float, answer_bytes: int) -> int:
    """
    Open TLS connections, each with a full handshake and one request (C{handshakes.py}).

    @return: how many there were.
    """
    command = _on_client_core(
        *(_HERE / "handshakes.py", str(port), path, str(seconds), str(answer_bytes))
    )
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        raise WrongAnswerError(run.stderr.strip())
    return int(run.stdout)


class Client:
    """
    A client that is measured, pinned to the core where servers are otherwise.

    @ivar pid: its process.
    """

    def __init__(self, command: Sequence[str]) -> None:
        """
        @param command: reads how often to ask, a line each, and writes a line when that is done.
        """
        self._process = subprocess.Popen(
            ["taskset", "-c", str(SERVER_CORE), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def ask(self, count: int) -> None:
        """
        Let it ask, one request after another.

        @raise WrongAnswerError: when an answer was wrong.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{count}\n")
        self._process.stdin.flush()
        if self._process.stdout.readline() != "done\n":
            raise WrongAnswerError("a client did not have its answers")


def _on_client_core(script: Path, *arguments: str) -> list[str]:
    return ["taskset", "-c", str(CLIENT_CORE), sys.executable, str(script), *arguments]
