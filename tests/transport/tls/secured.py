"""
TLS clients for tests that turn a reactor by hand, and a port for them to connect to.
"""

from __future__ import annotations

import socket
import ssl
import tempfile
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any, cast

from netlab.transport.tls.contexts import RenewableContext, TLSSettings
from netlab.transport.tls.handshakes import SecureReception
from netlab.transport.tls.port import SecurePort
from tests.certificates import Authority
from tests.transport.connections import TURN_SECONDS, TURNS_MAX, ConnectionTestCase


@cache
def issued() -> tuple[Authority, Path]:
    """
    Make, once in the process, an authority and a folder with a certificate for localhost.
    """
    folder = Path(tempfile.mkdtemp(prefix="netlab-tests-"))
    authority = Authority()
    authority.issue(folder, "localhost")
    authority.write(folder / "authority.pem")
    return authority, folder


def settings(**others: Any) -> TLSSettings:
    """
    Make settings with that certificate.
    """
    _, folder = issued()
    return TLSSettings(str(folder / "cert.pem"), str(folder / "key.pem"), **others)


def client_context() -> ssl.SSLContext:
    """
    Make what a client needs that trusts the authority.
    """
    _, folder = issued()
    context = ssl.create_default_context(cafile=str(folder / "authority.pem"))
    context.check_hostname = False
    return context


class SecureClient:
    """
    What tests need of a client's socket that never blocks, on TLS.

    @ivar tls: the TLS socket.
    @ivar is_truncated: the stream has ended without a closure alert.
    """

    def __init__(self, tls: ssl.SSLSocket) -> None:
        self.tls = tls
        self._is_rude = False
        self.is_truncated = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.tls, name)

    def send(self, data: bytes) -> int:
        """
        Send as much as there is room for.
        """
        try:
            return self.tls.send(data)
        except ssl.SSLWantWriteError as full:
            raise BlockingIOError from full

    def recv(self, count: int) -> bytes:
        """
        Receive what is there.

        @raise OSError: as recv(2) does.
        """
        try:
            return self.tls.recv(count)
        except ssl.SSLWantReadError as empty:
            raise BlockingIOError from empty
        except ssl.SSLZeroReturnError:
            return b""
        except ssl.SSLEOFError as end:
            if end.reason is None:
                # It is how OpenSSL tells of an error of the system call.
                raise ConnectionResetError from end
            self.is_truncated = True
            return b""

    def setsockopt(self, level: int, option: int, value: Any) -> None:
        """
        Set an option of the socket; whoever sets SO_LINGER means to reset the connection.
        """
        self._is_rude = self._is_rude or option == socket.SO_LINGER
        self.tls.setsockopt(level, option, value)

    def shutdown(self, how: int) -> None:
        """
        Send a closure alert.
        """
        # The server's own has not come, or the server is gone.
        with suppress(ssl.SSLError, OSError):
            self.tls.unwrap()

    def close(self) -> None:
        """
        Close, and say so before.
        """
        if not self._is_rude and self.tls.fileno() != -1:
            self.shutdown(socket.SHUT_WR)
        self.tls.close()


class SecureTestCase(ConnectionTestCase):
    """
    A listening port that speaks TLS, and its clients.

    @ivar context: of the ports.
    @ivar client_context: of the clients.
    @ivar server_name: what they ask for.
    """

    port_class: Any = SecurePort
    server_name: str | None = "localhost"

    def setUp(self) -> None:
        """
        Nothing listens and nobody is connected.
        """
        super().setUp()
        self.context = RenewableContext(settings())
        self.client_context = client_context()

    def tearDown(self) -> None:
        """
        Each stream that has ended has ended by a closure alert, unless its protocol has failed, or
        there is none.
        """
        clients: list[Any] = self._clients
        super().tearDown()
        if not {"exception", "refused"} & set(self._testMethodName.split("_")):
            self.assertFalse(any(getattr(client, "is_truncated", False) for client in clients))

    def listen_for(self, factory: Any, interface: str = "127.0.0.1", **options: Any) -> Any:
        """
        Listen on a port that the kernel chooses.
        """
        receive = partial(SecureReception, context=self.context)
        return super().listen_for(factory, interface, receive=receive, **options)

    def connect(self, port: Any, receive_buffer: int | None = None) -> socket.socket:
        """
        Connect a client, and let it shake hands.
        """
        client = super().connect(port, receive_buffer)
        return self.shake(client)

    def connect_plainly(self, port: Any) -> socket.socket:
        """
        Connect a client that has not begun its handshake.
        """
        return super().connect(port)

    def shake(self, client: socket.socket, session: Any = None) -> socket.socket:
        """
        Let a client shake hands.
        """
        tls = self.client_context.wrap_socket(
            client,
            server_hostname=self.server_name,
            do_handshake_on_connect=False,
            suppress_ragged_eofs=False,
            session=session,
        )
        self._clients[-1] = cast(socket.socket, secure := SecureClient(tls))
        for _ in range(TURNS_MAX):
            try:
                tls.do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                self.reactor.iterate(TURN_SECONDS)
            else:
                return cast(socket.socket, secure)
        raise AssertionError("no handshake")
