"""
The HTTP client on real sockets: TLS, IPv6, and a reader slower than the server.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted  # type: ignore[import-untyped]
from twisted.internet.defer import maybeDeferred
from twisted.internet.endpoints import (
    SSL4ServerEndpoint,
    TCP4ServerEndpoint,
    TCP6ServerEndpoint,
)
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IStreamServerEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import deferLater

from netlab.http1.client.client import HTTPClient
from netlab.http1.client.clientresponse import RequestError
from tests.live.processes import TOP, Program, spawn

Listen = Callable[[IStreamServerEndpoint, list[bytes]], Awaitable[int]]


class _Answering(Protocol):
    """
    Answers whatever comes with the next of the prepared answers.
    """

    def __init__(self, answers: list[bytes]) -> None:
        self._answers = answers

    def dataReceived(self, data: bytes) -> None:
        """
        Take each delivery for one request.
        """
        transport: Any = self.transport
        answer = self._answers.pop(0)
        transport.write(answer)
        if b"Content-Length" not in answer:
            # Below TLS, which so cannot say that the connection ends in order.
            transport.transport.loseConnection()


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]
async def listen() -> AsyncIterator[Listen]:
    """
    Listen where the test says, with prepared answers.
    """
    ports = []

    async def start(endpoint: IStreamServerEndpoint, answers: list[bytes]) -> int:
        factory: Factory[_Answering] = Factory()
        factory.protocol = lambda: _Answering(answers)
        port: Any = await endpoint.listen(factory)
        ports.append(port)
        number: int = port.getHost().port
        return number

    yield start
    for port in ports:
        await maybeDeferred(port.stopListening)


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


def certificate() -> Any:
    """
    Make a key and a certificate for localhost, signed by itself.
    """
    pytest.importorskip("OpenSSL", reason="https needs pyOpenSSL")
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID
    from twisted.internet.ssl import PrivateCertificate

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ) + signed.public_bytes(serialization.Encoding.PEM)
    return PrivateCertificate.loadPEM(pem)


@pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]
async def test_https(reactor: Any, listen: Listen) -> None:
    """
    Https works with a server whose certificate is trusted, and fails in one line with another.
    """
    ours = certificate()
    port = await listen(
        SSL4ServerEndpoint(reactor, 0, ours.options(), interface="127.0.0.1"), [OK, OK]
    )
    url = f"https://localhost:{port}/"
    async with HTTPClient(reactor, trust_root=ours) as client:
        for _ in range(2):
            response = await client.get(url)
            assert await response.read() == b"hi"
    async with HTTPClient(reactor) as client:
        with pytest.raises(RequestError) as caught:
            await client.get(url)
    assert str(caught.value) == (
        f"{url}: the secure connection failed: certificate verify failed (to trust another "
        "authority, name its file in SSL_CERT_FILE)"
    )


@pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]
async def test_https_wrong_name(reactor: Any, listen: Listen) -> None:
    """
    A trusted certificate for another name is no good.
    """
    ours = certificate()
    port = await listen(SSL4ServerEndpoint(reactor, 0, ours.options(), interface="127.0.0.1"), [OK])
    async with HTTPClient(reactor, trust_root=ours) as client:
        with pytest.raises(RequestError) as caught:
            await client.get(f"https://127.0.0.1:{port}/")
    assert "failed: the server's certificate is for another name" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]
async def test_https_cut_off(reactor: Any, listen: Listen) -> None:
    """
    Content without a length that ends without TLS saying so is truncated (RFC 9112 section 9.8).
    """
    ours = certificate()
    port = await listen(
        SSL4ServerEndpoint(reactor, 0, ours.options(), interface="127.0.0.1"),
        [b"HTTP/1.1 200 OK\r\n\r\nhalf of it"],
    )
    async with HTTPClient(reactor, trust_root=ours) as client:
        response = await client.get(f"https://localhost:{port}/")
        with pytest.raises(RequestError, match="the connection was reset"):
            await response.read()


@pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]
async def test_ipv6(reactor: Any, listen: Listen) -> None:
    """
    An IPv6 address may stand in a URL.
    """
    try:
        port = await listen(TCP6ServerEndpoint(reactor, 0, interface="::1"), [OK])
    except CannotListenError:
        pytest.skip("this machine has no ::1")
    async with HTTPClient(reactor) as client:
        response = await client.get(f"http://[::1]:{port}/")
        assert await response.read() == b"hi"


@pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]
async def test_slow_reader(reactor: Any, listen: Listen) -> None:
    """
    A slow reader makes the server wait, and gets everything in the end.
    """
    content = b"0123456789abcdef" * (1 << 18)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content)
    port = await listen(TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1"), [head + content])
    async with HTTPClient(reactor) as client:
        response = await client.get(f"http://127.0.0.1:{port}/")
        pieces = []
        most = 0
        async for piece in response:
            pieces.append(piece)
            await deferLater(reactor, 0.0)
            most = max(most, response.waiting_bytes)
        assert b"".join(pieces) == content
        assert most <= 2 * (1 << 16)


@pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]
async def test_documented_program(
    reactor: Any, listen: Listen, programs: list[Program], tmp_path: Path
) -> None:
    """
    The program in docs/client.md runs as it stands there.
    """
    text = (TOP / "docs" / "client.md").read_text(encoding="utf-8")
    source = text.partition("```python\n")[2].partition("```")[0]
    port = await listen(TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1"), [OK])
    program = Program(reactor)
    programs.append(program)
    spawn(reactor, program, ["-c", source, f"http://127.0.0.1:{port}/"], tmp_path)
    done = await program.ended()
    assert (done.status, done.out, done.err) == (0, "200 2 bytes\n", "")
