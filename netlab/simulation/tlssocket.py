"""
What a blocking program takes for C{ssl}: the library's own TLS, on sockets of a simulated host.

TLS draws its own random numbers, so what travels by it is not the same each time.
"""

from __future__ import annotations

import ssl
from types import ModuleType, TracebackType
from typing import Any, Final, Self

from netlab.simulation.blockingsocket import BlockingSocket

_READ_BYTES: Final = 65536


class TLSSocket:
    """
    TLS on a connected socket. What it does not have, the socket has.
    """

    def __init__(self, below: BlockingSocket, context: ssl.SSLContext, **options: Any) -> None:
        """
        @param options: as for C{ssl.SSLContext.wrap_bio}.
        """
        self._below = below
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, **options)
        self.context = context

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:
        if name in ("version", "cipher", "getpeercert", "selected_alpn_protocol", "pending"):
            return getattr(self._tls, name)
        return getattr(self._below, name)

    def do_handshake(self) -> None:
        """
        Shake hands.
        """
        self._carry(self._tls.do_handshake)

    def recv(self, bufsize: int = _READ_BYTES, flags: int = 0) -> bytes:
        """
        Receive bytes.
        """
        try:
            received: bytes = self._carry(lambda: self._tls.read(bufsize))
        except ssl.SSLZeroReturnError:
            return b""
        except ssl.SSLEOFError:
            # As wrap_socket's suppress_ragged_eofs has it.
            return b""
        return received

    def send(self, data: Any, flags: int = 0) -> int:
        """
        Send bytes.
        """
        return int(self._carry(lambda: self._tls.write(data)))

    def sendall(self, data: Any, flags: int = 0) -> None:
        """
        Send bytes, all of them.
        """
        view = memoryview(data).cast("B")
        while len(view):
            view = view[self.send(view) :]

    def unwrap(self) -> BlockingSocket:
        """
        Say close_notify and wait for the peer's.
        """
        self._carry(self._tls.unwrap)
        return self._below

    def close(self) -> None:
        """
        Close the socket.
        """
        self._below.close()

    def _carry(self, step: Any) -> Any:
        """
        Take a step of TLS, and carry what it sends and wants.
        """
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                self._send_waiting()
                data = self._below.recv(_READ_BYTES)
                if data:
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            else:
                self._send_waiting()
                return result

    def _send_waiting(self) -> None:
        if data := self._outgoing.read():
            self._below.sendall(data)


def make_ssl_members(module: ModuleType) -> None:
    """
    Give a program's C{ssl} what makes contexts for its own sockets.
    """

    def adopted(context: ssl.SSLContext) -> ssl.SSLContext:
        def wrap_socket(
            sock: BlockingSocket,
            server_side: bool = False,
            do_handshake_on_connect: bool = True,
            suppress_ragged_eofs: bool = True,
            server_hostname: str | None = None,
            session: Any = None,
        ) -> TLSSocket:
            secure = TLSSocket(
                sock,
                context,
                server_side=server_side,
                server_hostname=server_hostname,
                session=session,
            )
            if do_handshake_on_connect:
                secure.do_handshake()
            return secure

        context.wrap_socket = wrap_socket  # type: ignore[method-assign, assignment]
        return context

    own: Any = module
    own.SSLContext = lambda *words, **options: adopted(ssl.SSLContext(*words, **options))
    own.create_default_context = lambda *words, **options: adopted(
        ssl.create_default_context(*words, **options)
    )
