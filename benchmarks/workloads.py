"""
What is measured: one object for each row of the table, with the goal that issue 4 set for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks import clients, peers
from benchmarks.load import Requests, verify, wrk
from benchmarks.machine import cpu_ns, pin_workers, resident_bytes
from benchmarks.measure import Series, take_turns
from benchmarks.peers import Peer, Running

FILES: Final = 10_000
IDLE_CONNECTIONS: Final = 10_000

#: By then wrk has opened ten thousand connections.
_OPENING_SECONDS: Final = 3

_BROWSER_LINES: Final = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language: en-GB,en;q=0.7,de;q=0.3",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Referer: http://127.0.0.1/index.html",
    "Connection: keep-alive",
    "Upgrade-Insecure-Requests: 1",
    "Sec-Fetch-Dest: document",
    "Sec-Fetch-Mode: navigate",
    "Sec-Fetch-Site: same-origin",
    "Priority: u=0, i",
)

#: Longer than the heads whose answers are remembered, shorter than nginx's buffer for a line.
_LONG_COOKIE: Final = "; ".join(f"name{number:03d}=value{number:03d}" for number in range(300))

_SMALL: Final = Requests("small.html")
_LARGE: Final = Requests("10m.bin", connections=8)


@dataclass(frozen=True, slots=True)
class Settings:
    """
    How thoroughly to measure.

    @ivar root: the folder with the files that are asked for.
    @ivar scratch: a folder for what servers write.
    @ivar rounds: how often each server has its turn.
    @ivar seconds: for how long, each time.
    """

    root: Path
    scratch: Path
    rounds: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Goal:
    """
    What a server's figure should be at most, or at least.

    @ivar server: whose figure.
    @ivar bound: the most, or the least.
    @ivar other: the figure counts divided by this server's, where one is named.
    @ivar is_least: whether the bound is the least.
    """

    server: str
    bound: float
    other: str = ""
    is_least: bool = False

    def figure(self, series: Mapping[str, Series]) -> Series | None:
        """
        Return what the bound is compared with; None where a server is absent.
        """
        if self.server not in series or (self.other and self.other not in series):
            return None
        own = series[self.server]
        return own.over(series[self.other]) if self.other else own

    def is_reached(self, figure: Series) -> bool:
        """
        Compare the median with the bound.
        """
        if self.is_least:
            return figure.median >= self.bound
        return figure.median <= self.bound

    def __str__(self) -> str:
        bound = f"{'≥' if self.is_least else '≤'} {self.bound:.3g}"
        return f"{bound} × {self.other}" if self.other else bound


@dataclass(frozen=True, slots=True)
class Workload:
    """
    One row of the table.

    @ivar name: short, for the command line.
    @ivar title: says what is done.
    @ivar unit: of the figures.
    @ivar servers: the first is ours.
    @ivar goals: what ours should reach.
    @ivar is_quick: whether a quick run includes it.
    @ivar run: measures.
    """

    name: str
    title: str
    unit: str
    servers: Sequence[Peer]
    goals: Sequence[Goal]
    run: Callable[[Workload, Sequence[Peer], Settings], dict[str, Series]]
    is_quick: bool = False
    requests: Requests = field(default=_SMALL)


class _Servers:
    """
    Servers that run side by side, each idle but for its turn.
    """

    def __init__(self, chosen: Sequence[Peer], settings: Settings, name: str) -> None:
        self._chosen = chosen
        self._settings = settings
        self._name = name
        self._stack = ExitStack()

    def __enter__(self) -> dict[str, Running]:
        running = {}
        for number, peer in enumerate(self._chosen):
            scratch = self._settings.scratch / f"{self._name}-{number}"
            running[peer.name] = self._stack.enter_context(
                Running(peer, self._settings.root, scratch)
            )
        return running

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def _cpu_a_request(
    workload: Workload, chosen: Sequence[Peer], settings: Settings, *, is_of_both_ends: bool = False
) -> dict[str, Series]:
    """
    Measure CPU microseconds a request, with every answer checked.

    @param is_of_both_ends: add what wrk takes. On one machine the kernel does some of the work of a
        transfer for whoever happens to run: only the sum says what it costs.
    """
    requests = workload.requests
    with _Servers(chosen, settings, workload.name) as servers:
        asked, lengths = {}, {}
        for name, server in servers.items():
            asked[name] = replace(requests, lines=_lines(server, requests))
            lengths[name] = verify(
                server.port, server.peer.prefix, settings.root, asked[name], samples=FILES
            )
            wrk(server.port, server.peer.prefix, asked[name], 1, lengths[name])

        def measure(name: str) -> float:
            server = servers[name]
            before = cpu_ns(server.pid)
            counts = wrk(
                server.port, server.peer.prefix, asked[name], settings.seconds, lengths[name]
            )
            used = cpu_ns(server.pid) - before
            server.forget_logs()
            if is_of_both_ends:
                used += counts.cpu_ns
            return used / counts.answers / 1e3

        series = take_turns(list(servers), settings.rounds, measure)
        for name, server in servers.items():
            verify(server.port, server.peer.prefix, settings.root, asked[name])
    return dict(series)


def _lines(server: Running, requests: Requests) -> tuple[str, ...]:
    """
    Put the server's own validator where a line asks for one.
    """
    if not any("@ETAG@" in line for line in requests.lines):
        return requests.lines
    etag = clients.field_of(server.port, f"{server.peer.prefix}/{requests.path}", b"etag")
    return tuple(line.replace("@ETAG@", etag) for line in requests.lines)


def _growth(workload: Workload, chosen: Sequence[Peer], settings: Settings) -> dict[str, Series]:
    """
    Measure CPU microseconds a request with more and more connections. What opening and closing
    them costs is taken away: it is what a long and a short run have in common.
    """
    with _Servers(chosen, settings, workload.name) as servers:
        runs = {}
        for server in servers.values():
            is_ours = server.peer in peers.OURS
            for count in (64, 1000, 10_000) if is_ours else (64, 10_000):
                name = f"{count:,} connections" if is_ours else f"{server.peer.name}, {count:,}"
                runs[name] = server, replace(workload.requests, connections=count)
        lengths = {
            server: verify(server.port, server.peer.prefix, settings.root, workload.requests)
            for server in servers.values()
        }

        def run(name: str, seconds: int) -> tuple[int, int]:
            server, asked = runs[name]
            before = cpu_ns(server.pid)
            counts = wrk(server.port, server.peer.prefix, asked, seconds, lengths[server])
            server.forget_logs()
            return cpu_ns(server.pid) - before, counts.answers

        def measure(name: str) -> float:
            short = run(name, _OPENING_SECONDS)
            long = run(name, _OPENING_SECONDS + 2 * settings.seconds)
            return (long[0] - short[0]) / (long[1] - short[1]) / 1e3

        return dict(take_turns(list(runs), settings.rounds, measure))


def _memory(workload: Workload, chosen: Sequence[Peer], settings: Settings) -> dict[str, Series]:
    """
    Measure resident bytes for each connection that has had an answer and is idle.
    """

    def measure(name: str) -> float:
        (peer,) = [peer for peer in chosen if peer.name == name]
        with _Servers([peer], settings, f"{workload.name}-{next(_numbers)}") as servers:
            (server,) = servers.values()
            path = f"{peer.prefix}/{workload.requests.path}"
            clients.ask_on_many(server.port, path, 64)()
            before = resident_bytes(server.pid)
            close = clients.ask_on_many(server.port, path, IDLE_CONNECTIONS)
            after = resident_bytes(server.pid)
            close()
            return (after - before) / IDLE_CONNECTIONS

    return dict(take_turns([peer.name for peer in chosen], min(settings.rounds, 3), measure))


def _idle_cpu(workload: Workload, chosen: Sequence[Peer], settings: Settings) -> dict[str, Series]:
    """
    Measure CPU milliseconds a second with idle connections open.
    """
    with _Servers(chosen, settings, workload.name) as servers:
        path = workload.requests.path
        found = {}
        for name, server in servers.items():
            close = clients.ask_on_many(
                server.port, f"{server.peer.prefix}/{path}", IDLE_CONNECTIONS
            )
            figures = []
            for _ in range(settings.rounds):
                before = cpu_ns(server.pid)
                clients.wait(1)
                figures.append(max(1e-3, (cpu_ns(server.pid) - before) / 1e6))
            close()
            found[name] = Series(tuple(figures))
    return found


def _tail(workload: Workload, chosen: Sequence[Peer], settings: Settings) -> dict[str, Series]:
    """
    Measure how many times longer a small request's 99th percentile is beside clients that take
    big files, some as fast as they can and some slowly, than it is alone.
    """
    with _Servers(chosen, settings, workload.name) as servers:

        def measure(name: str) -> float:
            server = servers[name]
            target = (server.port, f"{server.peer.prefix}/small.html")
            alone = clients.percentile_99(*target, settings.seconds)
            with clients.BigReaders(server.port, f"{server.peer.prefix}/10m.bin"):
                return clients.percentile_99(*target, settings.seconds) / alone

        return dict(take_turns(list(servers), settings.rounds, measure))


def _echo(workload: Workload, chosen: Sequence[Peer], settings: Settings) -> dict[str, Series]:
    """
    Measure CPU microseconds a round trip of 30 bytes.
    """
    connections = workload.requests.connections
    with _Servers(chosen, settings, workload.name) as servers:

        def measure(name: str) -> float:
            with clients.EchoClients(servers[name].port, connections) as echo:
                echo.run(0.2)
                before = cpu_ns(servers[name].pid)
                trips = echo.run(settings.seconds)
                return (cpu_ns(servers[name].pid) - before) / trips / 1e3

        return dict(take_turns(list(servers), settings.rounds, measure))


def _workers(workload: Workload, chosen: Sequence[Peer], settings: Settings) -> dict[str, Series]:
    """
    Measure how many requests a second there are with two processes for each that there is with one.

    Two processes and wrk share two cores, so wrk must need little of them: each request is one
    whose answer is not remembered, for its head is too long. Each process is pinned to a core: left
    alone, Linux keeps those that wake each other on one.
    """
    with ExitStack() as stack:
        running = {}
        for peer in chosen:
            for count in (1, 2):
                scratch = settings.scratch / f"{workload.name}-{peer.name}-{count}"
                server = Running(
                    peers.with_workers(peer, count), settings.root, scratch, is_pinned=False
                )
                running[peer.name, count] = stack.enter_context(server)
                pin_workers(server.pid, count)

        def measure(name: str) -> float:
            rates = []
            for count in (1, 2):
                server = running[name, count]
                length = verify(server.port, "", settings.root, workload.requests)
                counts = wrk(server.port, "", workload.requests, settings.seconds, length)
                server.forget_logs()
                rates.append(counts.answers / counts.seconds)
            return rates[1] / rates[0]

        return dict(take_turns([peer.name for peer in chosen], settings.rounds, measure))


_numbers = iter(range(1_000_000))

_PYTHON_PEERS: Final = (peers.TWISTD_WEB, peers.GRANIAN, peers.AIOHTTP, peers.UVICORN)
_NGINX_PAIR: Final = (peers.NETLAB, peers.NGINX)

WORKLOADS: Final = (
    Workload(
        "small",
        "small hot file, 64 persistent connections",
        "µs CPU a request",
        (*_NGINX_PAIR, peers.NGINX_UNCACHED, peers.BARE_FILE, *_PYTHON_PEERS),
        (
            Goal("netlab", 0.70, "nginx"),
            Goal("netlab", 1 / 16, "twistd web"),
            Goal("netlab", 1 / 5, "granian"),
        ),
        _cpu_a_request,
        is_quick=True,
    ),
    Workload(
        "browser",
        "the same with a browser's field lines",
        "µs CPU a request",
        (*_NGINX_PAIR, peers.BARE_FILE),
        (Goal("netlab", 0.70, "nginx"),),
        _cpu_a_request,
        requests=replace(_SMALL, lines=_BROWSER_LINES),
    ),
    Workload(
        "pipelined",
        "small hot file, 16 requests at a time",
        "µs CPU a request",
        _NGINX_PAIR,
        (Goal("netlab", 1 / 8, "nginx"),),
        _cpu_a_request,
        requests=replace(_SMALL, depth=16),
        is_quick=True,
    ),
    Workload(
        "many",
        "10,000 files at random",
        "µs CPU a request",
        _NGINX_PAIR,
        (Goal("netlab", 1.5, "nginx"),),
        _cpu_a_request,
        requests=Requests("many/%05d.html", paths=FILES),
        is_quick=True,
    ),
    Workload(
        "100k",
        "100 KiB file",
        "µs CPU a request",
        _NGINX_PAIR,
        (Goal("netlab", 1.2, "nginx"),),
        _cpu_a_request,
        requests=Requests("100k.bin"),
        is_quick=True,
    ),
    Workload(
        "10m",
        "10 MiB file, 8 connections",
        "µs CPU a request",
        (*_NGINX_PAIR, peers.BARE_SENDFILE, peers.TWISTD_WEB),
        (Goal("netlab", 1.1, "nginx"),),
        _cpu_a_request,
        requests=_LARGE,
        is_quick=True,
    ),
    Workload(
        "10m-both",
        "10 MiB file, 8 connections, server and wrk together",
        "µs CPU a request",
        (*_NGINX_PAIR, peers.BARE_SENDFILE),
        (),
        partial(_cpu_a_request, is_of_both_ends=True),
        requests=_LARGE,
    ),
    Workload(
        "connect",
        "a new connection for each request",
        "µs CPU a request",
        (*_NGINX_PAIR, peers.NETLAB_DEFERRED, peers.BARE_FILE, peers.TWISTD_WEB),
        (Goal("netlab", 1.1, "nginx"),),
        _cpu_a_request,
        requests=replace(_SMALL, is_closing=True),
        is_quick=True,
    ),
    Workload(
        "304",
        "conditional GET of a small hot file",
        "µs CPU a request",
        (*_NGINX_PAIR, peers.BARE_FILE),
        (Goal("netlab", 1.0, "nginx"),),
        _cpu_a_request,
        requests=replace(_SMALL, lines=("If-None-Match: @ETAG@",), status=304),
        is_quick=True,
    ),
    Workload(
        "206",
        "range of a small hot file",
        "µs CPU a request",
        _NGINX_PAIR,
        (Goal("netlab", 1.0, "nginx"),),
        _cpu_a_request,
        requests=replace(_SMALL, lines=("Range: bytes=10-99",), status=206, first=10, last=99),
        is_quick=True,
    ),
    Workload(
        "single",
        "small hot file, one connection",
        "µs CPU a request",
        (*_NGINX_PAIR, peers.BARE_FILE, peers.BARE_REACTOR),
        (Goal("netlab", 1.0, "nginx"),),
        _cpu_a_request,
        requests=replace(_SMALL, connections=1),
    ),
    Workload(
        "growth",
        "small hot file, more and more connections",
        "µs CPU a request",
        (peers.NETLAB_PATIENT, peers.NGINX, peers.BARE_FILE),
        (
            Goal("1,000 connections", 1.3, "64 connections"),
            Goal("10,000 connections", 1.3, "64 connections"),
        ),
        _growth,
    ),
    Workload(
        "memory",
        f"{IDLE_CONNECTIONS:,} idle connections",
        "bytes each",
        (peers.NETLAB_PATIENT, peers.NGINX, peers.TWISTD_WEB),
        (Goal("netlab", 1.2 * 1024),),
        _memory,
        is_quick=True,
    ),
    Workload(
        "idle",
        f"{IDLE_CONNECTIONS:,} idle connections",
        "ms CPU a second",
        (peers.NETLAB_PATIENT, peers.NGINX),
        (Goal("netlab", 1.0),),
        _idle_cpu,
    ),
    Workload(
        "tail",
        "99th percentile of a small request, beside big files ÷ alone",
        "ratio",
        _NGINX_PAIR,
        (Goal("netlab", 5.0),),
        _tail,
    ),
    Workload(
        "echo",
        "echo exchange, 64 connections",
        "µs CPU a round trip",
        (peers.NETLAB_ECHO, peers.BARE_ECHO),
        (Goal("netlab-echo", 1.3, "bare epoll loop"),),
        _echo,
        is_quick=True,
    ),
    Workload(
        "workers",
        "requests with long heads a second, two processes ÷ one",
        "ratio",
        (peers.NETLAB_TWO_WORKERS, peers.NGINX),
        (Goal("netlab", 1.7, is_least=True),),
        _workers,
        requests=replace(_SMALL, lines=(f"Cookie: {_LONG_COOKIE}",)),
    ),
)
