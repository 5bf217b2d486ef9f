"""
Measure the fast TCP path against Twisted's own, with a protocol that does next to nothing.

    python benchmarks/transport.py [--pairs N] [--seconds S] [WORKLOAD …]

Each workload runs a server process pinned to one core, and wrk (or a small client of our own) on
the other; stock and fast take turns, so that noise hits both alike. What counts is the server's
own CPU time, user and system, for each request, connection or byte. Printed are medians with
the lowest and highest of the runs.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import select
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 210\r\n\r\n"
    + b"x" * 209
    + b"\n"
)
SERVER_CORE = 0
CLIENT_CORE = max(os.sched_getaffinity(0))


# The server: python benchmarks/transport.py serve VARIANT REACTOR WORKLOAD [FILE]


def serve(variant: str, reactor_name: str, workload: str, path: str) -> None:
    """
    Serve until standard input ends; print the port first, then CPU seconds each time a line comes.
    """
    os.sched_setaffinity(0, {SERVER_CORE})
    __import__(f"twisted.internet.{reactor_name}reactor", fromlist=["install"]).install()
    from twisted.internet import protocol, reactor, stdio

    class Constant(protocol.Protocol):
        """Answers each delivery with the same bytes."""

        __slots__ = ("transport",)

        def dataReceived(self, data: bytes) -> None:
            self.transport.write(ANSWER)

    class Closing(Constant):
        """Closes after each answer."""

        __slots__ = ()

        def dataReceived(self, data: bytes) -> None:
            self.transport.write(ANSWER)
            self.transport.loseConnection()

    class Echo(Constant):
        """Upper-cases what it gets."""

        __slots__ = ()

        def dataReceived(self, data: bytes) -> None:
            self.transport.write(data.upper())

    class File(Constant):
        """Answers with a file, or shortly where that is asked for."""

        __slots__ = ()

        def dataReceived(self, data: bytes) -> None:
            if data.startswith(b"GET /small"):
                self.transport.write(ANSWER)
            else:
                send(self.transport)

    send: Callable[[Any], None] = lambda _transport: None  # noqa: E731
    if path:
        size = Path(path).stat().st_size
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size
        file = Path(path).open("rb")  # noqa: SIM115 (until the process ends)
        if variant == "stock":
            from twisted.protocols.basic import FileSender

            class Sender(FileSender):
                """In pieces of the size that was fastest."""

                CHUNK_SIZE = 65536

            def send(transport: Any) -> None:
                transport.write(head)
                content = Path(path).open("rb", buffering=0)  # noqa: SIM115 (closed when sent)
                sent = Sender().beginFileTransfer(content, transport)
                sent.addBoth(lambda _: content.close())
        else:
            from netlab.transport import sendfile

            if os.environ.get("PIECE"):
                sendfile.SENDFILE_PIECE_MAX_BYTES = int(os.environ["PIECE"])

            def send(transport: Any) -> None:
                sendfile.FileTransfer(transport, file.fileno(), 0, size, lambda _why: None).begin(
                    head
                )

    made = {"close": Closing, "echo": Echo, "file": File}.get(workload, Constant)
    factory: Any = protocol.Factory.forProtocol(made)
    factory.noisy = False

    def report_port(port: Any) -> None:
        print(port.getHost().port, flush=True)

    class Control(protocol.Protocol):
        """Reports CPU seconds and resident bytes."""

        def dataReceived(self, data: bytes) -> None:
            times = os.times()
            resident = int(Path("/proc/self/statm").read_text().split()[1]) * 4096
            print(times.user, times.system, resident, flush=True)

        def connectionLost(self, reason: object = None) -> None:
            if reactor.running:
                reactor.stop()

    stdio.StandardIO(Control())
    if variant == "stock":
        report_port(reactor.listenTCP(0, factory, 511, "127.0.0.1"))
    elif variant == "bare":
        serve_bare(workload)
    else:
        from netlab.transport import compat
        from netlab.transport.poller import NestedPoller
        from netlab.transport.port import FastPort

        assert compat.reason_to_stay_stock() is None
        options = {"defer_accept_seconds": 5} if "deferred" in variant else {}
        watcher = reactor if "unnested" in variant else NestedPoller(reactor)
        port = FastPort(0, factory, 511, "127.0.0.1", watcher, **options)
        port.startListening()
        report_port(port)
    reactor.run()


def serve_bare(workload: str) -> None:
    """
    Serve from a bare epoll loop: the least that Python can do. Ends with the process's input.
    """
    listener = socket.create_server(("127.0.0.1", 0), backlog=511)
    listener.setblocking(False)
    print(listener.getsockname()[1], flush=True)
    epoll = select.epoll()
    epoll.register(listener.fileno(), select.EPOLLIN)
    epoll.register(0, select.EPOLLIN)
    connections: dict[int, socket.socket] = {}
    while True:
        for fd, _ in epoll.poll():
            connection = connections.get(fd)
            if connection is not None:
                try:
                    data = connection.recv(65536)
                except ConnectionError:
                    data = b""
                if data:
                    connection.send(data.upper() if workload == "echo" else ANSWER)
                else:
                    del connections[fd]
                    connection.close()
            elif fd == 0:
                if not os.read(0, 100):
                    sys.exit()
                times = os.times()
                print(times.user, times.system, 0, flush=True)
            else:
                connection = listener.accept()[0]
                connection.setblocking(False)
                connections[connection.fileno()] = connection
                epoll.register(connection.fileno(), select.EPOLLIN)


# The client's side


class Server:
    """
    A server process, its port and what it has used.
    """

    def __init__(self, variant: str, reactor_name: str, workload: str, path: str = "") -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__, "serve", variant, reactor_name, workload, path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = int(self._line())

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def usage(self) -> tuple[float, int]:
        """
        CPU seconds so far, and resident bytes.
        """
        assert self.process.stdin is not None
        self.process.stdin.write("?\n")
        self.process.stdin.flush()
        user, system, resident = self._line().split()
        return float(user) + float(system), int(resident)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        self.process.communicate()


def wrk(port: int, connections: int, seconds: float, *, closes: bool = False) -> int:
    """
    Load a server.

    @return: how many right answers came.
    """
    command = ["taskset", "-c", str(CLIENT_CORE), "wrk", "-t1", f"-c{connections}"]
    command += [f"-d{seconds}s"] + (["-H", "Connection: close"] if closes else [])
    text = subprocess.run(
        [*command, f"http://127.0.0.1:{port}/"], capture_output=True, text=True, check=True
    ).stdout
    errors = re.search(r"Socket errors: (.*)|Non-2xx.*", text)
    if errors and not closes:
        print("   wrk:", errors[0])
    found = re.search(r"(\d+) requests in", text)
    return int(found[1]) if found else 0


def cost_of_requests(
    variant: str, reactor_name: str, workload: str, seconds: float, connections: int
) -> float:
    """
    @return: CPU microseconds a request.
    """
    with Server(variant, reactor_name, workload) as server:
        wrk(server.port, connections, 1, closes=workload == "close")
        before = server.usage()[0]
        answers = wrk(server.port, connections, seconds, closes=workload == "close")
        return (server.usage()[0] - before) / answers * 1e6


def cost_of_files(variant: str, reactor_name: str, size: int, seconds: float) -> float:
    """
    @return: CPU microseconds an answer that is a file of C{size} bytes.
    """
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "file")
        path.write_bytes(os.urandom(size))
        connections = 64 if size < 1 << 20 else 8
        with Server(variant, reactor_name, "file", str(path)) as server:
            wrk(server.port, connections, 1)
            before = server.usage()[0]
            answers = wrk(server.port, connections, seconds)
            return (server.usage()[0] - before) / answers * 1e6


def memory_of_idle(variant: str, reactor_name: str, count: int = 8000) -> float:
    """
    @return: resident bytes a connection that has had one answer.
    """
    with Server(variant, reactor_name, "constant") as server:
        wrk(server.port, 64, 1)
        before = server.usage()[1]
        clients = []
        for _ in range(count):
            client = socket.create_connection(("127.0.0.1", server.port))
            client.send(b"GET / HTTP/1.1\r\n\r\n")
            client.recv(4096)
            clients.append(client)
        after = server.usage()[1]
        for client in clients:
            client.close()
        return (after - before) / count


def latency_beside_files(variant: str, reactor_name: str, seconds: float) -> float:
    """
    @return: the 99th percentile of a small request's microseconds while 8 clients load a file of
        10 MiB as fast as they can.
    """
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "file")
        path.write_bytes(os.urandom(10 << 20))
        with Server(variant, reactor_name, "file", str(path)) as server:
            load = subprocess.Popen(
                [
                    *("taskset", "-c", str(CLIENT_CORE), "wrk", "-t1", "-c8"),
                    *(f"-d{seconds + 1}s", f"http://127.0.0.1:{server.port}/"),
                ],
                stdout=subprocess.DEVNULL,
            )
            client = socket.create_connection(("127.0.0.1", server.port))
            taken = []
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                begun = time.perf_counter()
                client.send(b"GET /small HTTP/1.1\r\n\r\n")
                client.recv(4096)
                taken.append(time.perf_counter() - begun)
            client.close()
            load.wait()
            return statistics.quantiles(taken, n=100)[98] * 1e6


def echo_round_trips(variant: str, reactor_name: str, seconds: float) -> float:
    """
    @return: CPU microseconds a round trip of 30 bytes, one after the other on one connection.
    """
    with Server(variant, reactor_name, "echo") as server:
        client = socket.create_connection(("127.0.0.1", server.port))
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def trips_until(end: float) -> int:
            trips = 0
            while time.monotonic() < end:
                for _ in range(100):
                    client.send(b"a line of some thirty bytes\r\n")
                    client.recv(100)
                trips += 100
            return trips

        trips_until(time.monotonic() + 0.3)
        before = server.usage()[0]
        trips = trips_until(time.monotonic() + seconds)
        used = server.usage()[0] - before
        client.close()
        return used / trips * 1e6


@dataclass(frozen=True, slots=True)
class Workload:
    """
    One row of the table.
    """

    name: str
    unit: str
    variants: tuple[str, ...]
    measure: Callable[[str, str, float], float]


WORKLOADS = (
    Workload(
        "constant",
        "µs a request, 64 persistent connections",
        ("stock", "fast unnested", "fast", "bare"),
        lambda variant, reactor, seconds: cost_of_requests(
            variant, reactor, "constant", seconds, 64
        ),
    ),
    Workload(
        "single",
        "µs a request, 1 connection",
        ("stock", "fast", "bare"),
        lambda variant, reactor, seconds: cost_of_requests(
            variant, reactor, "constant", seconds, 1
        ),
    ),
    Workload(
        "many",
        "µs a request, 1000 connections",
        ("stock", "fast"),
        lambda variant, reactor, seconds: cost_of_requests(
            variant, reactor, "constant", seconds, 1000
        ),
    ),
    Workload(
        "close",
        "µs a connection of one request",
        ("stock", "fast unnested", "fast", "fast deferred"),
        lambda variant, reactor, seconds: cost_of_requests(variant, reactor, "close", seconds, 64),
    ),
    Workload(
        "echo",
        "µs a round trip, one connection",
        ("stock", "fast", "bare"),
        echo_round_trips,
    ),
    Workload(
        "file100k",
        "µs a file of 100 KiB, 64 connections",
        ("stock", "fast"),
        lambda variant, reactor, seconds: cost_of_files(variant, reactor, 100 * 1024, seconds),
    ),
    Workload(
        "file10m",
        "µs a file of 10 MiB, 8 connections",
        ("stock", "fast"),
        lambda variant, reactor, seconds: cost_of_files(variant, reactor, 10 << 20, seconds),
    ),
    Workload(
        "beside",
        "µs, 99th percentile of a small request beside 8 clients of a 10 MiB file",
        ("stock", "fast"),
        latency_beside_files,
    ),
    Workload(
        "idle",
        "resident bytes an idle connection",
        ("stock", "fast"),
        lambda variant, reactor, _seconds: memory_of_idle(variant, reactor),
    ),
)


def main() -> None:
    """
    Measure what the command line names, all by default.
    """
    options = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    options.add_argument("workloads", nargs="*", choices=[[], *[w.name for w in WORKLOADS]])
    options.add_argument("--pairs", type=int, default=5, help="runs of each variant")
    options.add_argument("--seconds", type=float, default=2, help="how long a run loads the server")
    options.add_argument("--reactor", default="epoll", help="epoll, poll, select or asyncio")
    options.add_argument("--variants", help="only these, with commas between")
    chosen = options.parse_args()
    if shutil.which("wrk") is None or shutil.which("taskset") is None:
        sys.exit("this needs wrk and taskset")
    import twisted

    print(
        f"{platform.python_implementation()} {platform.python_version()}, {twisted.__version__=}, "
        f"Linux {platform.release()}, {os.cpu_count()} cores, n = {chosen.pairs}"
    )
    for workload in WORKLOADS:
        if chosen.workloads and workload.name not in chosen.workloads:
            continue
        variants = chosen.variants.split(",") if chosen.variants else workload.variants
        runs: dict[str, list[float]] = {variant: [] for variant in variants}
        for _ in range(chosen.pairs):
            for variant in variants:
                seconds = int(chosen.seconds) if chosen.seconds == int(chosen.seconds) else 2
                runs[variant].append(workload.measure(variant, chosen.reactor, seconds))
        print(f"\n{workload.name}: {workload.unit}")
        first = statistics.median(runs[variants[0]])
        for variant, values in runs.items():
            middle = statistics.median(values)
            print(
                f"  {variant:16} {middle:10.1f}   {min(values):10.1f} … {max(values):10.1f}"
                f"   {middle / first:6.2f} × {variants[0]}"
            )


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(*sys.argv[2:6])
    else:
        main()
