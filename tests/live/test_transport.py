"""
The fast path in real processes, under each reactor a user may choose.
"""

from __future__ import annotations

import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# A server on the fast path: echoes, sends itself as a file, and prints why connections ended.
SERVER = """
import os, sys
__import__("twisted.internet." + sys.argv[1] + "reactor", fromlist=["install"]).install()
from twisted.internet import protocol, reactor, ssl
from twisted.protocols.tls import TLSMemoryBIOFactory
from netlab.transport.endpoint import server_from_string
from netlab.transport.sendfile import send_file

FILE = os.open(sys.argv[2], os.O_RDONLY)
SIZE = os.fstat(FILE).st_size

class Server(protocol.Protocol):
    def dataReceived(self, data):
        if data == b"file":
            send_file(self.transport, FILE, 0, SIZE, b"head").addCallback(self.sent)
        else:
            self.transport.write(data.upper())

    def sent(self, _):
        self.transport.loseConnection()

    def connectionLost(self, reason):
        print("lost", reason.type.__name__, flush=True)

factory = protocol.Factory.forProtocol(Server)

def listening(port):
    print(type(port).__name__, port.getHost().port, flush=True)

def listen(factory):
    server_from_string(reactor, "tcp:0:interface=127.0.0.1").listen(factory).addCallback(listening)

key = ssl.KeyPair.generate()
own = ssl.PrivateCertificate.fromCertificateAndKeyPair(key.selfSignedCert(1, CN=b"localhost"), key)
listen(factory)
listen(TLSMemoryBIOFactory(own.options(), False, factory))
reactor.run()
"""

SECONDS_MAX = 20


#: One server under each reactor for all.
pytestmark = pytest.mark.xdist_group("transport")


class Process:
    """
    A server and its two ports, plain and TLS.
    """

    def __init__(self, reactor: str, file: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER, reactor, str(file)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        self.plain, self.secure = (int(self.line().split()[1]) for _ in range(2))

    def line(self) -> str:
        """
        Wait for the next line that the server prints.
        """
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def close(self) -> None:
        """
        End the process, if it has not ended.
        """
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def connect(self) -> socket.socket:
        """
        Connect a client that waits for everything, but not for ever.
        """
        return socket.create_connection(("127.0.0.1", self.plain), timeout=SECONDS_MAX)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    A file larger than the kernel's buffers.
    """
    path = tmp_path_factory.mktemp("transport") / "file"
    path.write_bytes(bytes(range(256)) * 32768)
    return path


@pytest.fixture(params=["epoll", "poll", "select", "asyncio"], scope="module")
def reactor(request: pytest.FixtureRequest) -> str:
    """
    The reactors that watch descriptors.
    """
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def server(reactor: str, file: Path) -> Iterator[Process]:
    """
    A server under each reactor.
    """
    pytest.importorskip("OpenSSL")
    made = Process(reactor, file)
    yield made
    made.close()


@pytest.fixture
def mortal(reactor: str, file: Path) -> Iterator[Process]:
    """
    A server of its own for a test that ends it.
    """
    pytest.importorskip("OpenSSL")
    made = Process(reactor, file)
    yield made
    made.close()


def read_to_end(receive: Callable[[int], bytes]) -> bytes:
    """
    Read all that comes.
    """
    return b"".join(iter(lambda: receive(1 << 20), b""))


def test_echo(server: Process) -> None:
    """
    Many clients are served side by side, each in order.
    """
    clients = [server.connect() for _ in range(100)]
    for number, client in enumerate(clients):
        client.sendall(b"client %d" % number)
    for number, client in enumerate(clients):
        assert client.recv(100) == b"CLIENT %d" % number
    for client in clients:
        client.close()
    assert [server.line() for _ in clients] == ["lost ConnectionDone\n"] * 100


def test_file(server: Process, file: Path) -> None:
    """
    A large file arrives whole, and the connection ends behind it.
    """
    with server.connect() as client:
        client.sendall(b"file")
        assert read_to_end(client.recv) == b"head" + file.read_bytes()
    assert server.line() == "lost ConnectionDone\n"


def test_file_by_tls(server: Process, file: Path) -> None:
    """
    So it does through TLS, where the kernel cannot send it.
    """
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    plain = socket.create_connection(("127.0.0.1", server.secure), timeout=SECONDS_MAX)
    with context.wrap_socket(plain) as client:
        client.sendall(b"file")
        assert read_to_end(client.recv) == b"head" + file.read_bytes()
        client.unwrap()
    assert server.line() == "lost ConnectionDone\n"


def test_stop(mortal: Process) -> None:
    """
    When the reactor stops, connections that are still open are lost, and the process ends in peace.
    """
    with mortal.connect() as client:
        client.sendall(b"hello")
        assert client.recv(100) == b"HELLO"
        # Not SIGINT, which a shell makes its background jobs ignore.
        mortal.process.send_signal(signal.SIGTERM)
        assert mortal.line() == "lost ConnectionLost\n"
        assert client.recv(100) == b""
        assert mortal.process.wait(SECONDS_MAX) == 0
