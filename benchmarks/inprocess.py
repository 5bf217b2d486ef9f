"""
Measure Python's part of an answer alone: what our own code takes between the system calls.

    python benchmarks/inprocess.py [--rounds N] [WORKLOAD …]

Protocol, port and transport are the real ones, with the access log on; the socket takes all that
it is sent, the poller watches nothing, and the clock moves when it is told. So there is no kernel
in these figures but for what files need (stat, open, read). Run it with the Python of another
virtual environment to see what a change was worth. Printed is the least of the rounds, and their
median: what disturbs can only add.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock

from netlab.http1.accesslog.log import AccessLog
from netlab.http1.resources.beneath import Root
from netlab.http1.resources.static import StaticFiles
from netlab.http1.server.factory import HTTPServerFactory
from netlab.transport.port import FastPort
from netlab.transport.reception import Reception
from netlab.transport.server import FastServer

_FILES: Final = 9_000
_CONNECTIONS: Final = 5_000
_PIPELINED: Final = 16
_LARGE_BYTES: Final = 100 << 10
_DESCRIPTOR: Final = 1 << 20
_PEER: Final = ("127.0.0.1", 50_000)

#: More than the second for which a file's state is taken for granted.
_STALE_SECONDS: Final = 1.1


class _Socket:
    """
    A socket of a client that has sent its request, and takes whatever it is sent. Both are
    functions written in C, as those of a real one, so as to be no part of the figures.

    @ivar sent: what it was sent last, if L{listen} was called before.
    """

    __slots__ = (
        "close",
        "fileno",
        "gettimeout",
        "recv",
        "send",
        "sent",
        "setblocking",
        "setsockopt",
    )

    def __init__(self, asked: bytes) -> None:
        self.ask(asked)
        self.sent = b""
        self.send: Callable[..., int] = len
        self.fileno = lambda: _DESCRIPTOR
        # Not yet told not to block.
        self.gettimeout = lambda: None
        self.setblocking = lambda _flag: None
        self.setsockopt = lambda *_option: None
        self.close = lambda: None

    def ask(self, asked: bytes) -> None:
        """
        Be found with this request whenever it is read from.
        """
        # (It may be called with flags.)
        self.recv = {FastServer.bufferSize: asked}.get

    def listen(self) -> None:
        """
        Keep what is sent from now on.
        """
        self.send = self._take

    def _take(self, data: bytes, *_flags: int) -> int:
        self.sent = data
        return len(data)


class _Transport(FastServer):
    """
    Sends files to nobody.
    """

    def send_file_part(self, fd: int, start: int, count: int) -> int | None:
        return count


class _Port(FastPort):
    transport = _Transport


class _Reactor(Clock):
    """
    Watches nothing.
    """

    def addReader(self, reader: object) -> None:
        pass

    addWriter = removeReader = removeWriter = addReader


class _NoFile:
    """
    A log that nobody reads.
    """

    def write(self, data: bytes, /) -> object:
        return len(data)

    def reopen(self) -> None:
        pass


class _Server:
    """
    Our server in a folder, and connections to it.
    """

    def __init__(self, folder: Path) -> None:
        self.clock: Any = _Reactor()
        self.clock.advance(time.time())
        self.factory = HTTPServerFactory(
            StaticFiles(Root(folder), self.clock.seconds),
            self.clock,
            access_log=AccessLog(_NoFile(), self.clock),
        )
        self.port: Any = _Port(0, self.factory, reactor=self.clock)
        self.port._realPortNumber = 8080
        self._reception: Any = Reception(self.port)
        # As if it listened: with the last connection nothing ends but that connection.
        self.factory.doStart()

    def connect(self) -> tuple[_Socket, FastServer]:
        """
        Open a connection that has asked for nothing.
        """
        client: Any = _Socket(b"")
        protocol = self.factory.buildProtocol(IPv4Address("TCP", *_PEER))
        transport = _Transport(client, protocol, _PEER, self.port, 0, self.clock)
        protocol.makeConnection(transport)
        return client, transport

    def accept(self, client: _Socket) -> None:
        """
        Take a connection that has asked already.
        """
        self._reception.admit_all([(client, _PEER)])


def _request(path: str, *lines: str) -> bytes:
    fields = "".join(f"{line}\r\n" for line in ("Host: 127.0.0.1:8080", *lines))
    return f"GET /{path} HTTP/1.1\r\n{fields}\r\n".encode()


def _repeatedly(
    server: _Server, asked: bytes, answers: int = 1, *, is_large: bool = False
) -> Iterator[float]:
    """
    Ask for the same again and again on one connection; a second never passes.

    @param answers: how many answers a delivery has.
    """
    while True:
        client, transport = server.connect()
        client.ask(asked)
        if is_large:
            # A head before a file is sent with a flag, which the builtin does not take.
            client.listen()
        read = transport.doRead
        read()
        # The connection does not live for ever: see Limits.exchanges_max.
        times = server.factory.context.settings.limits.exchanges_max // answers - 3
        begin = time.perf_counter()
        for _ in range(times):
            read()
        used = time.perf_counter() - begin
        client.listen()
        read()
        _check(client, 304 if b"If-None-Match" in asked else 200)
        transport.abortConnection()
        yield used / times / answers


def _small(server: _Server) -> Iterator[float]:
    yield from _repeatedly(server, _request("00000.html"))


def _pipelined(server: _Server) -> Iterator[float]:
    yield from _repeatedly(server, _request("00000.html") * _PIPELINED, _PIPELINED)


def _conditional(server: _Server) -> Iterator[float]:
    client, transport = server.connect()
    client.ask(_request("00000.html"))
    client.listen()
    transport.doRead()
    head = client.sent.partition(b"\r\n\r\n")[0]
    (etag,) = [line[6:] for line in head.split(b"\r\n") if line.startswith(b"ETag: ")]
    yield from _repeatedly(server, _request("00000.html", f"If-None-Match: {etag.decode()}"))


def _large(server: _Server) -> Iterator[float]:
    yield from _repeatedly(server, _request("large.bin"), is_large=True)


def _many(server: _Server) -> Iterator[float]:
    """
    Ask for many files, each for the first time since more than a second.
    """
    asked = [_request(f"{number:05d}.html") for number in range(_FILES)]
    while True:
        server.clock.advance(_STALE_SECONDS)
        client, transport = server.connect()
        begin = time.perf_counter()
        for request in asked:
            client.ask(request)
            transport.doRead()
        used = time.perf_counter() - begin
        client.listen()
        transport.doRead()
        _check(client, 200)
        transport.abortConnection()
        yield used / len(asked)


def _connect(server: _Server) -> Iterator[float]:
    """
    Accept, answer and close.
    """
    while True:
        clients = [
            _Socket(_request("00000.html", "Connection: close")) for _ in range(_CONNECTIONS)
        ]
        for client in clients:
            client.listen()
        accept = server.accept
        begin = time.perf_counter()
        for client in clients:
            accept(client)
        used = time.perf_counter() - begin
        _check(clients[-1], 200)
        if len(server.factory.connections):
            raise RuntimeError("a connection was not closed")
        yield used / len(clients)


def _check(client: _Socket, status: int) -> None:
    if not client.sent.startswith(b"HTTP/1.1 %d " % status):
        raise RuntimeError(f"in place of {status} it answered {client.sent[:200]!r}")


_WORKLOADS: Final[dict[str, tuple[str, Callable[[_Server], Iterator[float]]]]] = {
    "small": ("small hot file", _small),
    "pipelined": (f"the same, {_PIPELINED} requests at a time", _pipelined),
    "many": (f"{_FILES:,} files, more than a second old", _many),
    "connect": ("a connection for each request", _connect),
    "304": ("conditional GET of a small hot file", _conditional),
    "100k": ("file of 100 KiB, taken at once", _large),
}


def main() -> None:
    """
    Measure what the command line names, all by default.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workloads", nargs="*", choices=[[], *_WORKLOADS], help="all by default")
    parser.add_argument("--rounds", type=int, default=15, help="[15]")
    options = parser.parse_args()
    print(f"CPython {sys.version.split()[0]}, µs a request, n={options.rounds}: least, median")
    with tempfile.TemporaryDirectory(prefix="netlab-inprocess-") as name:
        folder = Path(name)
        for number in range(_FILES):
            (folder / f"{number:05d}.html").write_bytes(os.urandom(210))
        (folder / "large.bin").write_bytes(os.urandom(_LARGE_BYTES))
        for workload in options.workloads or _WORKLOADS:
            title, measure = _WORKLOADS[workload]
            rounds = measure(_Server(folder))
            next(rounds)
            figures = [next(rounds) * 1e6 for _ in range(options.rounds)]
            print(f"{title:42} {min(figures):6.2f} {statistics.median(figures):6.2f}", flush=True)


if __name__ == "__main__":
    main()
