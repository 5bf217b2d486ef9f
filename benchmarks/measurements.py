"""
How each kind of workload is measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Final

from benchmarks import clients, peers
from benchmarks.load import Requests, WrongAnswerError, cipher_of, verify, wrk
from benchmarks.machine import CLIENT_CORE, cpu_ns, pin_workers, resident_bytes
from benchmarks.measure import Series, take_turns
from benchmarks.peers import Peer, Place, Running
from benchmarks.workload import Settings, Workload

FILES: Final = 10_000
IDLE_CONNECTIONS: Final = 10_000

#: By then wrk has opened ten thousand connections.
_OPENING_SECONDS: Final = 3

#: A client has its connection by then, and is warm.
_FIRST_REQUESTS: Final = 200
#: About what a client does in a second; each does as many.
_REQUESTS_A_SECOND: Final = 1500


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


def cpu_a_request(
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
        if requests.is_encrypted:
            _check_ciphers(servers.values())
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


def _check_ciphers(servers: Iterable[Running]) -> None:
    """
    Make sure that all servers encrypt alike: ciphers differ in what they cost.

    @raise WrongAnswerError: they do not.
    """
    chosen = {server.peer.name: cipher_of(server.port) for server in servers}
    if len(set(chosen.values())) > 1:
        raise WrongAnswerError(f"not the same cipher everywhere: {chosen}")


def _lines(server: Running, requests: Requests) -> tuple[str, ...]:
    """
    Put the server's own validator where a line asks for one.
    """
    if not any("@ETAG@" in line for line in requests.lines):
        return requests.lines
    etag = clients.field_of(server.port, f"{server.peer.prefix}/{requests.path}", b"etag")
    return tuple(line.replace("@ETAG@", etag) for line in requests.lines)


def growth(workload: Workload, chosen: Sequence[Peer], settings: Settings) -> dict[str, Series]:
    """
    Measure CPU microseconds a request with more and more connections. What opening and closing
    them costs is taken away: it is what a long and a short run have in common.
    """
    with _Servers(chosen, settings, workload.name) as servers:
        runs = {}
        for server in servers.values():
            is_ours = server.peer.is_ours
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


def memory(workload: Workload, chosen: Sequence[Peer], settings: Settings) -> dict[str, Series]:
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


def idle_cpu(workload: Workload, chosen: Sequence[Peer], settings: Settings) -> dict[str, Series]:
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


def tail(workload: Workload, chosen: Sequence[Peer], settings: Settings) -> dict[str, Series]:
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


def echo(workload: Workload, chosen: Sequence[Peer], settings: Settings) -> dict[str, Series]:
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


def workers(workload: Workload, chosen: Sequence[Peer], settings: Settings) -> dict[str, Series]:
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
                server = Running(peers.with_workers(peer, count), settings.root, scratch, core=None)
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


def handshake(workload: Workload, chosen: Sequence[Peer], settings: Settings) -> dict[str, Series]:
    """
    Measure CPU microseconds for a TLS connection with a full handshake, a request and an end.
    """
    path = workload.requests.path
    with _Servers(chosen, settings, workload.name) as servers:
        _check_ciphers(servers.values())
        lengths = {
            name: verify(server.port, server.peer.prefix, settings.root, workload.requests)
            for name, server in servers.items()
        }

        def measure(name: str) -> float:
            server = servers[name]
            target = f"{server.peer.prefix}/{path}"
            before = cpu_ns(server.pid)
            count = clients.handshakes(server.port, target, settings.seconds, lengths[name])
            return (cpu_ns(server.pid) - before) / count / 1e3

        return dict(take_turns(list(servers), settings.rounds, measure))


def client(workload: Workload, chosen: Sequence[Peer], settings: Settings) -> dict[str, Series]:
    """
    Measure CPU microseconds of a client for each request that it sends, one after another on one
    connection. Our server answers, on the other core.
    """
    scratch = settings.scratch / workload.name
    with ExitStack() as stack:
        server = stack.enter_context(
            Running(peers.NETLAB_PATIENT, settings.root, scratch, core=CLIENT_CORE)
        )
        place = Place(settings.root, server.port, scratch)
        running = {
            peer.name: stack.enter_context(clients.Client(peer.command(place))) for peer in chosen
        }
        for asking in running.values():
            asking.ask(_FIRST_REQUESTS)

        def measure(name: str) -> float:
            asking = running[name]
            count = _REQUESTS_A_SECOND * settings.seconds
            before = cpu_ns(asking.pid)
            asking.ask(count)
            server.forget_logs()
            return (cpu_ns(asking.pid) - before) / count / 1e3

        return dict(take_turns(list(running), settings.rounds, measure))


_numbers = iter(range(1_000_000))
