"""
What an ASGI application gets to know of a request (ASGI 3.0, "HTTP & WebSocket ASGI Message Format"
2.4).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias
from urllib.parse import unquote_to_bytes

from netlab.http1.resources.connectionfacts import ConnectionFacts, InternetPlace, TLSFacts
from netlab.http1.sansio.messages import RequestHead
from netlab.http1.sansio.target import TargetForm

Message: TypeAlias = dict[str, Any]
"""What an application receives and sends."""

ASGI_VERSION: Final = {"version": "3.0", "spec_version": "2.4"}

_VERSIONS: Final = {(1, 0): "1.0", (1, 1): "1.1"}

_TLS_VERSIONS: Final = {"TLSv1.2": 0x0303, "TLSv1.3": 0x0304}


@dataclass(frozen=True, slots=True)
class ScopeOfConnection:
    """
    What is the same in the scopes of all requests of a connection.

    @ivar scheme: C{http} or C{https}.
    @ivar client: the client's address and port; None on a Unix socket.
    @ivar server: ours.
    @ivar extensions: what this server can do beside, and the facts of TLS.
    """

    scheme: str
    client: tuple[str, int] | None
    server: tuple[str, int] | None
    extensions: dict[str, dict[str, object]]


def scope_of_connection(facts: ConnectionFacts) -> ScopeOfConnection:
    """
    Look up what a scope says of the connection.
    """
    tls = facts.tls
    extensions: dict[str, dict[str, object]] = {}
    if tls is not None:
        extensions["tls"] = _tls_extension(tls)
    client, server = facts.client, facts.server
    return ScopeOfConnection(
        "http" if tls is None else "https",
        None if client is None else (client.host, client.port),
        None if server is None else (server.host, server.port),
        extensions,
    )


def proxied_scope(
    scope: ScopeOfConnection, asker: tuple[InternetPlace | None, str]
) -> ScopeOfConnection:
    """
    Make what holds for one request that a trusted proxy has handed on.

    @param asker: the client and the scheme that the proxy tells.
    """
    client, scheme = asker
    return replace(
        scope, scheme=scheme, client=None if client is None else (client.host, client.port)
    )


def _tls_extension(tls: TLSFacts) -> dict[str, object]:
    """
    Write the TLS extension 0.2 of ASGI.
    """
    chain: list[str] = []
    if tls.peer_certificate is not None:
        # Not at the top: hardly any client shows a certificate.
        from ssl import DER_cert_to_PEM_cert

        chain = [DER_cert_to_PEM_cert(tls.peer_certificate)]
    return {
        "server_cert": None,
        "client_cert_chain": chain,
        "client_cert_name": None,
        "client_cert_error": None,
        "tls_version": _TLS_VERSIONS.get(tls.version),
        "cipher_suite": None,
    }


def http_scope(
    head: RequestHead, connection: ScopeOfConnection, root_path: str, state: dict[str, Any] | None
) -> Message:
    """
    Write the scope of a request.

    @param root_path: the path at which the application is mounted, without a slash at its end.
    @param state: what the application has put aside in its lifespan; None if it has no lifespan.
    """
    target = head.target
    raw_path = b"*" if target.form is TargetForm.ASTERISK else target.path
    path = unquote_to_bytes(raw_path) if b"%" in raw_path else raw_path
    scope: Message = {
        "type": "http",
        "asgi": ASGI_VERSION,
        "http_version": _VERSIONS[head.version],
        "method": head.method.decode("ascii"),
        "scheme": connection.scheme,
        # What is no UTF-8 cannot be told by this protocol; raw_path has it.
        "path": path.decode("utf-8", "replace"),
        "raw_path": raw_path,
        "query_string": target.query or b"",
        "root_path": root_path,
        "headers": [(name.lower(), value) for name, value in head.fields.lines],
        "client": connection.client,
        "server": connection.server,
        "extensions": connection.extensions,
    }
    if state is not None:
        scope["state"] = state.copy()
    return scope
