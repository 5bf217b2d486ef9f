"""
Tests for L{netlab.simulation.network}, and for servers and clients of netlab's on it.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet import error
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.protocol import ClientFactory, Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from netlab.echo.protocol import EchoFactory, EchoSettings
from netlab.http1.client.client import HTTPClient
from netlab.http1.resources.resource import Resource
from netlab.http1.resources.responses import Response
from netlab.http1.sansio.limits import Timeouts
from netlab.http1.sansio.messages import RequestHead
from netlab.http1.sansio.serversettings import ServerSettings
from netlab.http1.server.factory import HTTPServerFactory
from netlab.simulation.network import SimulatedNetwork
from netlab.simulation.reactor import ProcessReactor
from tests.simulation.hosts import SERVER, two_hosts

_DOCUMENTATION = Path(__file__).resolve().parent.parent.parent / "docs" / "simulation.md"
_LARGE = 4_000_000


class _Pages(Resource):
    def respond(self, head: RequestHead) -> Response:
        size = _LARGE if head.target.path == b"/large" else 5
        return Response(200, content=b"x" * size)


class _Client(Protocol):
    """
    Keeps what it receives.
    """

    def __init__(self) -> None:
        self.received = bytearray()
        self.lost: list[type | None] = []
        self.lost_at = 0.0
        self.clock: Callable[[], float] = lambda: 0.0

    def dataReceived(self, data: bytes) -> None:
        """
        Keep it.
        """
        self.received += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Keep why, and when.
        """
        self.lost.append(type(reason.value))
        self.lost_at = self.clock()


class _Factory(ClientFactory):
    """
    Makes one client.
    """

    noisy = False

    def __init__(self, client: _Client) -> None:
        self.client = client
        self.failures: list[type | None] = []

    def buildProtocol(self, addr: object) -> _Client:
        """
        Give the client.
        """
        return self.client

    def clientConnectionFailed(self, connector: object, reason: Failure) -> None:
        """
        Keep why.
        """
        self.failures.append(type(reason.value))


class ServersTests(SynchronousTestCase):
    """
    netlab's servers and clients, as they are.
    """

    def setUp(self) -> None:
        """
        Make two hosts, 10 ms apart, with a program on each.
        """
        self.network: SimulatedNetwork = two_hosts(0.01)
        self.server: ProcessReactor = self.network.reactor("server")
        self.client: ProcessReactor = self.network.reactor("client")

    def serve(self, **timeouts: float) -> HTTPServerFactory:
        """
        Serve HTTP by an endpoint's description.
        """
        settings = ServerSettings(timeouts=Timeouts(**timeouts))
        factory = HTTPServerFactory(_Pages(), self.server, settings)
        listening = serverFromString(self.server, "tcp:8080").listen(factory)
        self.successResultOf(listening)
        return factory

    def connect(self, port: int = 8080) -> _Client:
        """
        Connect, and wait until that is done.
        """
        client = _Client()
        client.clock = self.client.seconds
        self.client.connectTCP(SERVER, port, _Factory(client))
        self.network.run_for(0.1)
        self.began = self.client.seconds()
        return client

    def write(self, client: _Client, data: bytes) -> None:
        """
        Let the client send something.
        """
        assert client.transport is not None
        client.transport.write(data)

    def test_echo(self) -> None:
        """
        The echo server answers two deliveries and closes.
        """
        self.server.listenTCP(12345, EchoFactory(EchoSettings(), self.server))
        client = self.connect(12345)
        for word in (b"one", b"two"):
            self.write(client, word)
            self.network.run_for(0.1)
        self.assertEqual(client.received, b"ONETWO")
        self.assertEqual(len(client.lost), 1)

    def test_get(self) -> None:
        """
        The HTTP client gets an answer of some megabytes from the HTTP server.
        """
        self.serve()
        sizes: list[int] = []

        async def get() -> None:
            async with HTTPClient(self.client) as client:
                response = await client.get("http://server:8080/large")
                size = 0
                async for piece in response:
                    size += len(piece)
                sizes.append(size)

        done = Deferred.fromCoroutine(get())
        self.network.run_for(60)
        self.successResultOf(done)
        self.assertEqual(sizes, [_LARGE])

    def test_idle_deadline(self) -> None:
        """
        A connection without a request is closed when its time is over, neither sooner nor much
        later. (It was open for a while before it was idle here.)
        """
        self.serve(idle=5)
        client = self.connect()
        self.network.run_for(10)
        self.assertEqual(len(client.lost), 1)
        self.assertEqual(round(client.lost_at - self.began, 1), 4.9)

    def test_head_deadline(self) -> None:
        """
        A head that comes byte by byte is refused with 408.
        """
        self.serve(head=2)
        client = self.connect()
        for byte in b"GET / HTTP/1.1\r\nHost: server":
            if client.received:
                break
            self.write(client, bytes((byte,)))
            self.network.run_for(0.2)
        self.assertTrue(client.received.startswith(b"HTTP/1.1 408 "), client.received)

    def test_write_deadline(self) -> None:
        """
        A client that takes nothing of a large answer is cut off; one that takes a little now and
        then is not, as TCP_INFO says.
        """
        factory = self.serve(write=3)
        readers = {"silent": self.connect(), "slow": self.connect()}
        for reader in readers.values():
            self.write(reader, b"GET /large HTTP/1.1\r\nHost: server\r\n\r\n")
            transport: Any = reader.transport
            transport.bufferSize = 2000
            transport.pauseProducing()
        slow: Any = readers["slow"].transport
        for _ in range(40):
            slow.resumeProducing()
            self.network.run_for(0.0001)
            slow.pauseProducing()
            self.network.run_for(0.5)
        self.assertEqual(len(factory.connections), 1)
        silent: Any = readers["silent"].transport
        silent.resumeProducing()
        self.network.run_for(5)
        self.assertEqual(readers["silent"].lost, [error.ConnectionLost])
        self.assertEqual(readers["slow"].lost, [])

    def test_connect_timeout(self) -> None:
        """
        A connection attempt that nobody answers fails with Twisted's own error after its timeout.
        """
        self.network.hosts["server"].power_off()
        factory = _Factory(_Client())
        self.client.connectTCP(SERVER, 8080, factory, timeout=4)
        self.network.run_for(3.9)
        self.assertEqual(factory.failures, [])
        self.network.run_for(0.2)
        self.assertEqual(factory.failures, [error.TimeoutError])

    def test_backpressure(self) -> None:
        """
        A producer is paused when the peer does not read, and resumed when it does.
        """
        calls: list[str] = []

        class Producer(Protocol):
            def connectionMade(self) -> None:
                transport: Any = self.transport
                transport.registerProducer(self, True)
                transport.write(bytes(10_000_000))

            def pauseProducing(self) -> None:
                calls.append("pause")

            def resumeProducing(self) -> None:
                calls.append("resume")

            def stopProducing(self) -> None:
                calls.append("stop")

        self.server.listenTCP(9, Factory.forProtocol(Producer))
        client = self.connect(9)
        transport: Any = client.transport
        transport.pauseProducing()
        self.network.run_for(5)
        self.assertEqual(calls, ["pause"])
        transport.resumeProducing()
        self.network.run_for(30)
        self.assertEqual(calls, ["pause", "resume"])
        self.assertEqual(len(client.received), 10_000_000)


class DocumentedProgramTests(SynchronousTestCase):
    """
    The program of docs/simulation.md.
    """

    def test_it_prints(self) -> None:
        """
        It runs as it stands, and says when the greeting came: two round trips' halves and some
        microseconds after the beginning.
        """
        (code,) = re.findall(r"```python\n(.*?)```", _DOCUMENTATION.read_text("utf-8"), re.DOTALL)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, {"__name__": "documented"})  # noqa: S102, it is ours
        seconds, data = printed.getvalue().split()
        self.assertEqual(data, "b'hello'")
        self.assertEqual(round(float(seconds), 3), 0.04)
