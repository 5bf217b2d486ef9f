"""
What a WSGI application gets to know of a request (PEP 3333, "environ Variables").
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from urllib.parse import unquote_to_bytes

from netlab.http1.resources.connectionfacts import ConnectionFacts
from netlab.http1.sansio.messages import RequestHead
from netlab.http1.sansio.target import TargetForm

Environ: TypeAlias = dict[str, Any]

#: Fields that CGI names without the prefix of the others (RFC 3875 section 4.1).
_UNPREFIXED: Final = {b"content-length": "CONTENT_LENGTH", b"content-type": "CONTENT_TYPE"}

#: PEP 3333 wants both of every server; a Unix socket has neither.
_NO_HOST: Final = "localhost"
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}


@dataclass(frozen=True, slots=True)
class EnvironOfConnection:
    """
    What is the same in the environs of all requests of a connection.

    @ivar values: that part.
    """

    values: Environ


def environ_of_connection(facts: ConnectionFacts, *, is_multiprocess: bool) -> EnvironOfConnection:
    """
    Look up what an environ says of the connection.

    @param is_multiprocess: whether other processes have the same application.
    """
    scheme = "https" if facts.is_secure else "http"
    client, server = facts.client, facts.server
    values: Environ = {
        "SERVER_NAME": _NO_HOST if server is None else server.host,
        "SERVER_PORT": _DEFAULT_PORTS[scheme] if server is None else str(server.port),
        "REMOTE_ADDR": "" if client is None else client.host,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.multithread": True,
        "wsgi.multiprocess": is_multiprocess,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }
    if client is not None:
        values["REMOTE_PORT"] = str(client.port)
    return EnvironOfConnection(values)


def environ_of(head: RequestHead, connection: EnvironOfConnection, root_path: str) -> Environ:
    """
    Write the environ of a request, but for its streams.

    @param root_path: the path at which the application is mounted, without a slash at its end.
    """
    target = head.target
    path = b"*" if target.form is TargetForm.ASTERISK else target.path
    decoded = unquote_to_bytes(path) if b"%" in path else path
    query = target.query or b""
    environ = connection.values.copy()
    environ["REQUEST_METHOD"] = head.method.decode("latin-1")
    environ["SCRIPT_NAME"] = root_path
    environ["PATH_INFO"] = decoded.decode("latin-1")[len(root_path) :]
    environ["QUERY_STRING"] = query.decode("latin-1")
    environ["RAW_URI"] = (path + b"?" + query if target.query is not None else path).decode(
        "latin-1"
    )
    environ["SERVER_PROTOCOL"] = "HTTP/1.1" if head.version == (1, 1) else "HTTP/1.0"
    environ["wsgi.errors"] = sys.stderr
    for name, values in head.fields.index.items():
        if b"_" in name:
            # It would become the name of another field, which a proxy may have checked.
            continue
        key = _UNPREFIXED.get(name) or "HTTP_" + name.decode("ascii").upper().replace("-", "_")
        joint = b"; " if name == b"cookie" else b", "
        environ[key] = (values[0] if len(values) == 1 else joint.join(values)).decode("latin-1")
    if "CONTENT_LENGTH" in environ and "," in environ["CONTENT_LENGTH"]:
        # The same number twice, as the parser has seen.
        environ["CONTENT_LENGTH"] = environ["CONTENT_LENGTH"].partition(",")[0]
    return environ


def note_asker(environ: Environ, asker: tuple[tuple[str, int] | None, str]) -> None:
    """
    Note in an environ whose request it is that a trusted proxy has handed on.

    @param asker: the client and the scheme that the proxy tells.
    """
    client, scheme = asker
    environ["REMOTE_ADDR"] = "" if client is None else client[0]
    environ.pop("REMOTE_PORT", None)
    environ["wsgi.url_scheme"] = scheme
