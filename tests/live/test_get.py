"""
C{netlab get} as a real process, with scripted servers and with C{twistd netlab-http}.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted  # type: ignore[import-untyped]
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from netlab.demonstration import demonstration_root
from netlab.factories import Factory
from tests.live.conftest import RunNetlab, StartNetlab, StartServer

REFERENCE_REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n"

Answer = Callable[["ScriptedConnection", bytes], None]


class ScriptedConnection(Protocol):
    """
    One connection to the scripted server.

    @ivar lost: fires when it is lost.
    @ivar ending: how it was lost: C{ConnectionDone} by a FIN, C{ConnectionLost} by a RST.
    """

    factory: ScriptedServer

    def __init__(self) -> None:
        self.lost: Deferred[None] = Deferred()
        self.ending: type[BaseException] | None = None
        self._received = b""

    def dataReceived(self, data: bytes) -> None:
        """
        Answer each request by the script's next entry.
        """
        self._received += data
        while (at := self._received.find(b"\r\n\r\n")) >= 0:
            request, self._received = self._received[: at + 4], self._received[at + 4 :]
            self.factory.requests.append((self.factory.connections.index(self), request))
            self.factory.script.pop(0)(self, request)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Tell whoever waits for it.
        """
        self.ending = reason.type
        self.lost.callback(None)

    def says(self, data: bytes) -> None:
        """
        Send some bytes.
        """
        assert self.transport is not None
        self.transport.write(data)

    def closes(self) -> None:
        """
        Close in order.
        """
        assert self.transport is not None
        self.transport.loseConnection()


class ScriptedServer(Factory[ScriptedConnection]):
    """
    A server that follows a script.

    @ivar script: how to answer each request, whichever connection it comes on.
    @ivar connections: the connections, in order.
    @ivar requests: the number of the connection and the bytes of each request.
    @ivar port: where it listens on 127.0.0.1.
    """

    noisy = False

    def __init__(self) -> None:
        self.script: list[Answer] = []
        self.connections: list[ScriptedConnection] = []
        self.requests: list[tuple[int, bytes]] = []
        self.port = 0

    def buildProtocol(self, addr: object) -> ScriptedConnection:
        """
        Begin a connection.
        """
        connection = ScriptedConnection()
        connection.factory = self
        self.connections.append(connection)
        return connection


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]
async def server(reactor: Any) -> AsyncIterator[ScriptedServer]:
    """
    Listen on a free port of 127.0.0.1.
    """
    scripted = ScriptedServer()
    port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(scripted)
    scripted.port = port.getHost().port
    yield scripted
    await maybeDeferred(port.stopListening)
    for connection in scripted.connections:
        connection.closes()
        await connection.lost


def ok(content: bytes, *lines: bytes, length: int | None = None) -> Answer:
    """
    Answer 200, with some field lines; the length may be a wrong one.
    """
    length = len(content) if length is None else length
    fields = b"".join(line + b"\r\n" for line in lines)

    def answer(connection: ScriptedConnection, request: bytes) -> None:
        connection.says(
            b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n%b" % (fields, length, content)
        )

    return answer


def then_close(first: Answer | None) -> Answer:
    """
    Answer, if there is an answer, and close.
    """

    def answer(connection: ScriptedConnection, request: bytes) -> None:
        if first is not None:
            first(connection, request)
        connection.closes()

    return answer


@pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]
async def test_one_connection_for_all(
    server: ScriptedServer, netlab: RunNetlab, tmp_path: Path
) -> None:
    """
    The paths of standard input are asked for in the reference's bytes, all on one connection.
    """
    server.script = [ok(b"one"), ok(b"two")]
    done = await netlab("get", "localhost", str(server.port), stdin=b"/\n\n/two?x=/y")
    assert (done.status, done.err) == (0, "")
    assert done.out == "HTTP/1.1 200 OK\n" * 2
    assert server.requests[0] == (0, REFERENCE_REQUEST)
    assert len(REFERENCE_REQUEST) == 59
    assert [number for number, _ in server.requests] == [0, 0]
    assert (tmp_path / "index.html").read_bytes() == b"one"
    assert (tmp_path / "two").read_bytes() == b"two"
    assert sorted(os.listdir(tmp_path)) == ["index.html", "two"]


@pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]
async def test_closed_while_idle(server: ScriptedServer, start_netlab: StartNetlab) -> None:
    """
    A path typed after the server has closed the idle connection opens a new one (as
    in the reference's double_fin).
    """
    server.script = [then_close(ok(b"one")), ok(b"one")]
    program = start_netlab("get", "localhost", str(server.port))
    program.send(b"/\n")
    await program.line("200 OK")
    await server.connections[0].lost
    program.send(b"/\n")
    await program.line("200 OK", times=2)
    program.end_input()
    done = await program.ended()
    assert (done.status, done.err) == (0, "")
    assert server.requests == [(0, REFERENCE_REQUEST), (1, REFERENCE_REQUEST)]


@pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]
async def test_closed_under_a_request(server: ScriptedServer, netlab: RunNetlab) -> None:
    """
    A request that the idle timeout's close overtakes is repeated once; a second close is a
    failure, and the next path is asked for all the same.
    """
    server.script = [
        ok(b""),
        then_close(None),
        ok(b""),
        then_close(None),
        then_close(None),
        ok(b""),
    ]
    done = await netlab("get", "localhost", str(server.port), stdin=b"/a\n/b\n/c\n/d\n")
    assert done.out == "HTTP/1.1 200 OK\n" * 3
    url = f"http://localhost:{server.port}/c"
    assert done.err == f"netlab get: {url}: the connection ended without an answer\n"
    assert done.status == 1
    asked = [(number, request.split(b" ")[1]) for number, request in server.requests]
    assert asked == [(0, b"/a"), (0, b"/b"), (1, b"/b"), (1, b"/c"), (2, b"/c"), (3, b"/d")]


@pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]
async def test_connection_close(server: ScriptedServer, netlab: RunNetlab) -> None:
    """
    After an answer that says close the client closes by itself and connects anew.
    """
    server.script = [ok(b"", b"Connection: close"), ok(b"")]
    done = await netlab("get", "localhost", str(server.port), stdin=b"/a\n/b\n")
    assert (done.status, done.err) == (0, "")
    assert [number for number, _ in server.requests] == [0, 1]


@pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(ok(b""), id="kept"),
        pytest.param(ok(b"", b"Connection: close"), id="empty"),
        pytest.param(ok(b"x" * 100_000, b"Connection: close"), id="long"),
        pytest.param(then_close(ok(b"x", b"Connection: close")), id="server-first"),
    ],
)
async def test_ends_with_a_fin(server: ScriptedServer, netlab: RunNetlab, answer: Answer) -> None:
    """
    Who has its answer whole closes in order: its server sees the end of the stream, and no reset,
    which would say that the answer may not have arrived (RFC 9112 section 9.6).
    """
    server.script = [answer]
    done = await netlab("get", f"http://127.0.0.1:{server.port}/a")
    assert (done.status, done.err) == (0, "")
    (connection,) = server.connections
    await connection.lost
    assert connection.ending is ConnectionDone


@pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]
async def test_our_close(server: ScriptedServer, netlab: RunNetlab) -> None:
    """
    With --close each request says so and has a connection of its own.
    """
    server.script = [ok(b""), ok(b"")]
    url = f"http://127.0.0.1:{server.port}/a"
    done = await netlab("get", "--close", url, url)
    assert (done.status, done.err) == (0, "")
    assert [number for number, _ in server.requests] == [0, 1]
    assert [connection.ending for connection in server.connections] == [ConnectionDone] * 2
    assert b"\r\nConnection: close\r\n" in server.requests[0][1]
    assert b"\r\nHost: 127.0.0.1:%d\r\n" % server.port in server.requests[0][1]


@pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]
async def test_truncated(server: ScriptedServer, netlab: RunNetlab, tmp_path: Path) -> None:
    """
    A truncated answer leaves the old file, and nothing else.
    """
    (tmp_path / "a").write_bytes(b"old")
    server.script = [then_close(ok(b"new", length=1000))]
    url = f"http://127.0.0.1:{server.port}/a"
    done = await netlab("get", url)
    assert done.status == 1
    assert done.err == (f"netlab get: {url}: the body ends 997 bytes early; nothing was saved\n")
    assert (tmp_path / "a").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


@pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]
async def test_interrupted(
    server: ScriptedServer, start_netlab: StartNetlab, tmp_path: Path
) -> None:
    """
    Ctrl-C in the middle of an answer leaves no file and says nothing.
    """
    server.script = [ok(b"new", length=1000)]
    program = start_netlab("get", f"http://127.0.0.1:{server.port}/a", "http://127.0.0.1:1/")
    await program.line("200 OK")
    done = await program.stop(signal.SIGINT)
    assert (done.status, done.err) == (130, "")
    assert os.listdir(tmp_path) == []


@pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]
@pytest.mark.slow
async def test_wrong_usage(netlab: RunNetlab) -> None:
    """
    Wrong usage is one line and exit status 2.
    """
    for arguments in (
        ["localhost:80"],
        ["localhost", "x"],
        [],
        ["http://a/", "--pause", "x"],
        ["http://a/", "--timeout", "0"],
    ):
        done = await netlab("get", *arguments)
        assert (done.status, done.out) == (2, "")
        assert re.fullmatch(r"netlab get: .*\n", done.err)


@pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]
async def test_closed_input(start_netlab: StartNetlab) -> None:
    """
    Without any standard input there are no paths to ask for.
    """
    done = await start_netlab("get", "localhost", "80", closed_input=True).ended()
    assert done.status == 1
    assert "standard input is closed" in done.err


@pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]
@pytest.mark.slow
async def test_large_content(twistd: StartServer, netlab: RunNetlab, tmp_path: Path) -> None:
    """
    Large content from our own server arrives whole.
    """
    root = tmp_path / "root"
    root.mkdir()
    content = os.urandom(1 << 16) * 128
    (root / "large.bin").write_bytes(content)
    running = await twistd("netlab-http", "--root", str(root))
    done = await netlab("get", f"http://127.0.0.1:{running.port}/large.bin")
    assert (done.status, done.err) == (0, "")
    assert (tmp_path / "large.bin").read_bytes() == content


@pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]
@pytest.mark.slow
async def test_our_server(
    twistd: StartServer, start_netlab: StartNetlab, netlab: RunNetlab, tmp_path: Path
) -> None:
    """
    The reference's story with our own server: a page, a redirect, a missing page, and a page again
    after the idle timeout.
    """
    running = await twistd("netlab-http", "--bare-headers", "--idle-timeout", "0.2")
    program = start_netlab("get", "127.0.0.1", str(running.port), "--pause", "0.5")
    program.send(b"/\n/redirect\n/nothing\n/result.html\n")
    program.end_input()
    done = await program.ended()
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines() == [
        "HTTP/1.1 200 OK",
        "HTTP/1.1 301 Moved Permanently",
        "HTTP/1.1 404 Not Found",
        "HTTP/1.1 200 OK",
    ]
    root = Path(demonstration_root())
    assert sorted(os.listdir(tmp_path)) == ["index.html", "result.html"]
    for name in ("index.html", "result.html"):
        assert (tmp_path / name).read_bytes() == (root / name).read_bytes()
    url = f"http://127.0.0.1:{running.port}/redirect"
    followed = await netlab("get", "--follow", url)
    assert followed.out == "HTTP/1.1 301 Moved Permanently\nHTTP/1.1 200 OK\n"
    assert (tmp_path / "redirect").read_bytes() == (root / "result.html").read_bytes()


@pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]
async def test_nothing_listens(netlab: RunNetlab) -> None:
    """
    A refused connection is one line and exit status 1.
    """
    url = "http://127.0.0.1:1/"
    done = await netlab("get", url)
    assert (done.status, done.out) == (1, "")
    assert done.err == f"netlab get: {url}: connection refused: nothing listens there\n"
