"""
The echo server and its client as real processes, on real sockets.
"""

from __future__ import annotations

import os
import select
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.threads import deferToThread

from tests.live.conftest import RunNetlab, StartNetlab, StartServer
from tests.live.processes import Program, spawn, twistd_arguments
from tests.live.sockets import (
    TCP_CLOSE,
    TCP_CLOSE_WAIT,
    client_of,
    memory_kb,
    receive,
    tcp_state,
)

UNLIMITED = ("--exchanges", "0", "--max-bytes", "64k", "--quiet")

BOTH_TRANSPORTS = pytest.mark.parametrize(
    "transport", [[], ["--stock-transport"]], ids=["fast", "stock"]
)


async def test_reference_conversation(twistd: StartServer, netlab: RunNetlab) -> None:
    """
    The reference's conversation (33 and 20 bytes): both programs print the reference's lines.
    """
    server = await twistd("netlab-echo")
    first, second = "a message of thirty-three letters", "and one of twenty bytes"[:20]
    assert (len(first), len(second)) == (33, 20)
    done = await netlab("echo", server.host, str(server.port), first, second)
    assert done.out.splitlines() == [
        f"Server sent:  {first.upper().encode()!r}",
        f"Server sent:  {second.upper().encode()!r}",
    ]
    assert (done.status, done.err) == (0, "")
    await server.line(r"Connection from:  \('127\.0\.0\.1', [0-9]+\)$")
    await server.line(r"Received:  b'a message of thirty-three letters' from \('127\.0\.0\.1', ")
    await server.line(r"Received:  b'and one of twenty by' from ")
    await server.line(r"Client disconnected:  \('127\.0\.0\.1', [0-9]+\)$")


async def test_server_closes_in_order(twistd: StartServer) -> None:
    """
    After the second answer the server ends its side: the client's end is then in CLOSE-WAIT (RFC
    9293 section 3.3.2), not reset.
    """
    server = await twistd("netlab-echo")

    def talk() -> None:
        with client_of(server) as client:
            client.sendall(b"x" * 33)
            assert receive(client, 33) == b"X" * 33
            client.sendall(b"y" * 20)
            assert receive(client, 100) == b"Y" * 20
            assert tcp_state(client) == TCP_CLOSE_WAIT

    await deferToThread(talk)


@BOTH_TRANSPORTS
async def test_unread_bytes_reset(twistd: StartServer, transport: list[str]) -> None:
    """
    A server that reads five bytes at a time takes no more than it answers; the rest is still in the
    kernel when it closes, so the kernel resets the connection (RFC 9293 section 3.6.1), as it
    did for the reference server.
    """
    server = await twistd("netlab-echo", "--max-bytes", "5", *transport)

    def talk() -> None:
        with client_of(server) as client:
            client.sendall(b"x" * 33)
            assert receive(client, 10) == b"X" * 10
            # POLLHUP and POLLERR come unasked; nothing but a reset makes them come here.
            poll = select.poll()
            poll.register(client, 0)
            ((_, events),) = poll.poll(60_000)
            assert events & select.POLLHUP
            assert tcp_state(client) == TCP_CLOSE

    await deferToThread(talk)


async def test_large_delivery(twistd: StartServer) -> None:
    """
    Of 250 bytes sent at once, the default server answers two times 100.
    """
    server = await twistd("netlab-echo")

    def talk() -> bytes:
        with client_of(server) as client:
            client.sendall(b"x" * 250)
            return receive(client, 200)

    assert await deferToThread(talk) == b"X" * 200
    await server.line(rf"Received:  b'{'x' * 100}' from", times=2)


@BOTH_TRANSPORTS
async def test_half_close(twistd: StartServer, transport: list[str]) -> None:
    """
    A client that shuts its write side after a megabyte still gets every byte back.
    """
    server = await twistd("netlab-echo", *UNLIMITED, *transport)
    sent = bytes(range(256)) * 4096

    def talk() -> bytes:
        with client_of(server) as client:
            # Into the socket buffers, while the server works: nothing is read before all is sent.
            client.setblocking(False)
            received, position = bytearray(), 0
            while position < len(sent):
                readable, writable, _ = select.select([client], [client], [], 60)
                if writable:
                    position += client.send(sent[position : position + 65536])
                if readable:
                    received += client.recv(65536)
            client.shutdown(socket.SHUT_WR)
            client.settimeout(60)
            return bytes(received) + receive(client, len(sent))

    assert await deferToThread(talk) == sent.upper()


@BOTH_TRANSPORTS
async def test_client_that_never_reads(twistd: StartServer, transport: list[str]) -> None:
    """
    A client that sends and never reads is stopped by TCP's window, with little in the server's
    memory, and holds up no other client. When it reads at last, not a byte is missing.
    """
    server = await twistd("netlab-echo", *UNLIMITED, *transport)
    limit = 256 * 2**20

    def fill(client: socket.socket) -> int:
        # Send until nothing has moved for a while: not a measurement, only how long we watch.
        client.settimeout(1)
        sent = 0
        while sent < limit:
            try:
                sent += client.send(b"x" * 65536)
            except TimeoutError:
                break
        return sent

    def drain(client: socket.socket, count: int) -> int:
        client.settimeout(60)
        client.shutdown(socket.SHUT_WR)
        received = 0
        while data := client.recv(2**20):
            assert data == b"X" * len(data)
            received += len(data)
        assert received == count
        return received

    def talk() -> bytes:
        with client_of(server) as other:
            other.sendall(b"hello")
            return receive(other, 5)

    before = memory_kb(server)
    with client_of(server, send_buffer=65536) as client:
        sent = await deferToThread(fill, client)
        assert sent < limit, "the server took everything"
        # Two deliveries of 64 KiB and what Python keeps around them; the kernel holds the rest.
        assert memory_kb(server) - before < 8 * 1024
        assert await deferToThread(talk) == b"HELLO"
        await deferToThread(drain, client, sent)


async def test_silent_clients_hold_up_nobody(twistd: StartServer) -> None:
    """
    Any number of clients that say nothing do not delay one that does.
    """
    server = await twistd("netlab-echo")

    def talk() -> bytes:
        silent = [client_of(server) for _ in range(50)]
        try:
            with client_of(server) as client:
                client.sendall(b"hello")
                return receive(client, 5)
        finally:
            for one in silent:
                one.close()

    assert await deferToThread(talk) == b"HELLO"


async def test_idle_timeout(twistd: StartServer) -> None:
    """
    A silent client is closed in order when the idle timeout has passed, and the log says so.
    """
    server = await twistd("netlab-echo", "--idle-timeout", "0.2")

    def wait() -> tuple[bytes, int]:
        with client_of(server) as client:
            return client.recv(1), tcp_state(client)

    assert await deferToThread(wait) == (b"", TCP_CLOSE_WAIT)
    await server.line(r"Idle for 0\.2 seconds, closing:  \('127\.0\.0\.1', ")


@pytest.mark.slow
async def test_several_endpoints(twistd: StartServer, netlab: RunNetlab, tmp_path: Path) -> None:
    """
    --listen repeats, and takes IPv6 and UNIX sockets as well as IPv4.
    """
    path = tmp_path / "echo"
    server = await twistd(
        "netlab-echo",
        *("--listen", "tcp:0:interface=127.0.0.1"),
        *("--listen", r"tcp6:0:interface=\:\:1"),
        *("--listen", f"unix:{path}"),
    )
    (host4, port4), (host6, port6) = await server.addresses(3)
    assert (host4, host6) == ("127.0.0.1", "::1")
    for host, port in ((host4, port4), (host6, port6)):
        done = await netlab("echo", host, str(port), "hello")
        assert done.out == "Server sent:  b'HELLO'\n"

    def talk() -> bytes:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(60)
            client.connect(str(path))
            client.sendall(b"hello")
            return client.recv(100)

    assert await deferToThread(talk) == b"HELLO"


async def test_stops_with_clients(twistd: StartServer) -> None:
    """
    A server with open connections stops when asked to, and closes them in order.
    """
    server = await twistd("netlab-echo")
    with client_of(server) as client:
        await server.line("Connection from")
        done = await server.stop()
        # twistd ends itself by the signal that stopped it, so that its parent knows.
        assert done.status == -signal.SIGTERM
        assert client.recv(1) == b""
    assert any("Client disconnected" in line for line in server.lines)
    assert "Traceback" not in done.out + done.err


def reserve_port() -> socket.socket:
    """
    Take a free port.
    """
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    holder.listen()
    return holder


async def test_taken_port(reactor: Any, programs: list[Program], tmp_path: Path) -> None:
    """
    A taken port ends twistd with status 1, one line on standard error, and no pid file.
    """
    with reserve_port() as holder:
        port = holder.getsockname()[1]
        program = Program(reactor)
        listen = f"tcp:{port}:interface=127.0.0.1"
        arguments = twistd_arguments("-n", "netlab-echo", "--listen", listen)
        spawn(reactor, program, arguments, tmp_path)
        programs.append(program)
        done = await program.ended()
    assert done.status == 1
    assert done.err == (
        f"netlab-echo: port {port} on 127.0.0.1 is taken by another program: "
        "end that program or choose another port with --listen tcp:127.0.0.1:PORT\n"
    )
    assert "Traceback" not in done.out
    assert os.listdir(tmp_path) == []


async def test_taken_port_of_a_daemon(
    reactor: Any, programs: list[Program], tmp_path: Path
) -> None:
    """
    A daemon that finds its port taken ends with status 1 too: the terminal and the log name the
    port, and no pid file is left.
    """
    with reserve_port() as holder:
        port = holder.getsockname()[1]
        program = Program(reactor)
        listen = f"tcp:{port}:interface=127.0.0.1"
        spawn(reactor, program, twistd_arguments("netlab-echo", "--listen", listen), tmp_path)
        programs.append(program)
        done = await program.ended()
    assert done.status == 1
    assert f"port {port} on 127.0.0.1 is taken" in done.err
    # The parent ends when its child reports; the child then writes its last line to the log.
    log = tmp_path / "twistd.log"
    while f"netlab-echo: port {port} on 127.0.0.1 is taken by" not in log.read_text("utf-8"):
        await deferToThread(os.sched_yield)
    assert "Traceback" not in log.read_text("utf-8")
    assert os.listdir(tmp_path) == ["twistd.log"]


async def test_wrong_option(reactor: Any, programs: list[Program], tmp_path: Path) -> None:
    """
    A wrong option ends twistd before it starts; one line says what is wrong and what to write.
    """
    program = Program(reactor)
    spawn(reactor, program, twistd_arguments("-n", "netlab-echo", "--listen", "12345"), tmp_path)
    programs.append(program)
    done = await program.ended()
    assert done.status == 1
    line = "twistd netlab-echo: --listen '12345': a bare number; write tcp:12345\n"
    assert (done.out, done.err) == ("", line)


async def test_lines_of_standard_input(twistd: StartServer, netlab: RunNetlab) -> None:
    """
    - stands for the lines of standard input; empty ones are left out, and the last one may lack its
    end.
    """
    server = await twistd("netlab-echo", "--exchanges", "0")
    done = await netlab(
        "echo", server.host, str(server.port), "first", "-", "last", stdin=b"one\n\ntwo \xff"
    )
    assert done.out.splitlines() == [
        "Server sent:  b'FIRST'",
        "Server sent:  b'ONE'",
        r"Server sent:  b'TWO \xff'",
        "Server sent:  b'LAST'",
    ]
    assert (done.status, done.err) == (0, "")


async def test_standard_input_while_it_is_typed(
    twistd: StartServer, start_netlab: StartNetlab
) -> None:
    """
    Each line is sent and answered as it is typed, before the next one; Ctrl-C ends with status 130.
    """
    server = await twistd("netlab-echo", "--exchanges", "0")
    client = start_netlab("echo", server.host, str(server.port), "-")
    client.send(b"one\n")
    await client.line("b'ONE'")
    client.send(b"two\n")
    await client.line("b'TWO'")
    done = await client.stop(signal.SIGINT)
    assert (done.status, done.err) == (130, "")


async def test_closed_standard_input(twistd: StartServer, start_netlab: StartNetlab) -> None:
    """
    Where there is no standard input at all, one line says so.
    """
    server = await twistd("netlab-echo")
    done = await start_netlab("echo", server.host, str(server.port), "-", closed_input=True).ended()
    assert (done.status, done.err) == (1, "netlab echo: standard input is closed\n")


async def test_more_messages_than_exchanges(twistd: StartServer, netlab: RunNetlab) -> None:
    """
    A third message to the reference server is reported as closed early, or reset if it was already
    on its way.
    """
    server = await twistd("netlab-echo")
    done = await netlab("echo", server.host, str(server.port), "one", "two", "three")
    assert done.out.splitlines() == ["Server sent:  b'ONE'", "Server sent:  b'TWO'"]
    assert done.status == 1
    assert done.err.startswith("netlab echo: message 3: the ")
    assert done.err.endswith(": 0 of 5 bytes of the answer had come\n")


async def test_refused(netlab: RunNetlab) -> None:
    """
    A port where nothing listens is one line and status 1.
    """
    with reserve_port() as holder:
        port = holder.getsockname()[1]
    done = await netlab("echo", "127.0.0.1", str(port), "hello")
    assert done.status == 1
    assert done.err == (
        f"netlab echo: 127.0.0.1 port {port} refused the connection: "
        "nothing listens there; twistd -n netlab-echo starts a server\n"
    )


async def test_unknown_host(netlab: RunNetlab) -> None:
    """
    A name that cannot exist (RFC 6761 section 6.4) is one line and status 1.
    """
    done = await netlab("echo", "nowhere.invalid", "7", "hello")
    assert done.status == 1
    assert done.err == (
        "netlab echo: nowhere.invalid port 7 cannot be found: no such host name or address\n"
    )


def serve_once(answer: Callable[[socket.socket], None], listener: socket.socket) -> None:
    """
    Accept one client and treat it in some way.
    """
    client, _ = listener.accept()
    with client:
        answer(client)


async def test_reset(netlab: RunNetlab) -> None:
    """
    A reset is one line and status 1.
    """

    def reset(client: socket.socket) -> None:
        client.recv(100)
        # Lingering for 0 seconds makes close() send a reset.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with reserve_port() as listener:
        served = deferToThread(serve_once, reset, listener)
        done = await netlab("echo", "127.0.0.1", str(listener.getsockname()[1]), "hello")
        await served
    assert (done.status, done.err) == (
        1,
        "netlab echo: message 1: the connection was reset: 0 of 5 bytes of the answer had come\n",
    )


async def test_timeout(netlab: RunNetlab) -> None:
    """
    A server that accepts and never answers is given up after --timeout: one line and status 1.
    """

    def ignore(client: socket.socket) -> None:
        while client.recv(100):
            pass

    with reserve_port() as listener:
        served = deferToThread(serve_once, ignore, listener)
        port = str(listener.getsockname()[1])
        done = await netlab("echo", "127.0.0.1", port, "hello", "--timeout", "0.2")
        await served
    assert done.status == 1
    assert done.err == (
        "netlab echo: message 1: no complete answer within 0.2 seconds: "
        "0 of 5 bytes of the answer had come\n"
    )


async def test_closed_output(twistd: StartServer, start_netlab: StartNetlab) -> None:
    """
    When nobody reads the output any more, the client ends without a word.
    """
    server = await twistd("netlab-echo", "--exchanges", "0")
    client = start_netlab("echo", server.host, str(server.port), "-")
    client.send(b"one\n")
    await client.line("b'ONE'")
    client.process.closeStdout()
    client.send(b"two\n")
    done = await client.ended()
    assert (done.status, done.err) == (1, "")


pytestmark = pytest.mark.filterwarnings("error")
