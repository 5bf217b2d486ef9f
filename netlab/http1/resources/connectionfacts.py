"""
The facts of one connection: who asks, at which address of ours, how protected.

A head is what was received: it says nothing of the connection it came on, and the same head may
have come on another. So a resource that wants to know is made for a connection, once::

    class Greeting:
        def for_connection(self, facts: ConnectionFacts) -> Resource:
            return GreetingFor(facts)

A resource in front of another one is made anew for a connection only if the other one asks for it,
see L{rebinding}; where none asks, no connection pays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress, ISSLTransport, ITransport

from netlab.http1.sansio.forwarded import TrustedProxies
from netlab.http1.sansio.messages import RequestHead

_R = TypeVar("_R")


class InternetPlace(NamedTuple):
    """
    One end of a connection.

    @ivar host: an IPv4 or IPv6 address as text.
    @ivar port: 0 to 65535.
    """

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class TLSFacts:
    """
    How a connection is protected.

    @ivar version: such as C{TLSv1.3}; empty where the transport does not say.
    @ivar cipher: the suite, by OpenSSL's name; empty likewise.
    @ivar application_protocol: what ALPN (RFC 7301) has chosen; empty if nothing.
    @ivar peer_certificate: the client's, in DER; None if it has shown none.
    """

    version: str
    cipher: str
    application_protocol: str
    peer_certificate: bytes | None


class Watcher(Protocol):
    """
    Hears of a connection's end.
    """

    def input_ended(self) -> None:
        """
        The client sends nothing more. It may have gone, or have shut its side and wait.
        """


class ConnectionFacts:
    """
    What is known of a connection beside what is received on it. All of it is looked up when it is
    asked for, and holds for as long as the connection does.

    @ivar has_input_ended: whether the client sends nothing more.
    @ivar watcher: hears of that; of the requests of a connection only one is answered at a time.
    @ivar peer: the client's address, as admission and the access log know it; empty where it has
        none, as on a Unix socket.
    @ivar number: of the connection, from 1, in the order in which this server's process took them.
    """

    __slots__ = ("_proxies", "_transport", "has_input_ended", "number", "peer", "watcher")

    def __init__(
        self,
        transport: ITransport,
        peer: bytes,
        number: int,
        proxies: TrustedProxies | None = None,
    ) -> None:
        """
        @param transport: the connection's.
        @param proxies: whose word of their clients counts.
        """
        self._proxies = proxies
        self._transport = transport
        self.peer = peer
        self.number = number
        self.has_input_ended = False
        self.watcher: Watcher | None = None

    def end_input(self) -> None:
        """
        The client sends nothing more. Harmless when repeated.
        """
        self.has_input_ended = True
        if self.watcher is not None:
            self.watcher.input_ended()

    @property
    def client(self) -> InternetPlace | None:
        """
        The client's address and port, which a proxy in front may have told by its PROXY header;
        None where it has none.
        """
        # The transport's own peer is then the proxy, see netlab.transport.proxied.
        told = getattr(self._transport, "proxied_client", None)
        return _place(self._transport.getPeer() if told is None else told)

    @property
    def is_proxied(self) -> bool:
        """
        Whether each request may be another client's: the peer is a trusted proxy.
        """
        proxies = self._proxies
        return proxies is not None and proxies.trusts(self.peer.decode("latin-1"))

    def asker(self, head: RequestHead) -> tuple[InternetPlace | None, str]:
        """
        Say whose request this is, and by which scheme it came, as trusted proxies tell; without
        them as L{client} and L{scheme} do.

        @return: the port is 0 where a proxy tells the address.
        """
        if self._proxies is None or not self.is_proxied:
            return self.client, self.scheme
        told = self._proxies.client(self.peer.decode("latin-1"), head.fields)
        return InternetPlace(told.address, 0), told.scheme or self.scheme

    def asking_peer(self, head: RequestHead) -> bytes:
        """
        Say whose request this is, as L{peer} does.
        """
        return self.peer if self._proxies is None else self._proxies.peer(self.peer, head.fields)

    @property
    def server(self) -> InternetPlace | None:
        """
        Our own address and port on this connection; None where there is none.
        """
        return _place(self._transport.getHost())

    @property
    def is_secure(self) -> bool:
        """
        Whether the connection is protected by TLS that this server ends.
        """
        return ISSLTransport.providedBy(self._transport)

    @property
    def scheme(self) -> str:
        """
        C{http} or C{https}.
        """
        return "https" if self.is_secure else "http"

    @property
    def tls(self) -> TLSFacts | None:
        """
        How it is protected; None if it is not.
        """
        if not self.is_secure:
            return None
        transport: Any = self._transport
        chosen = getattr(transport, "negotiatedProtocol", None) or b""
        version, cipher = _version_and_cipher(transport)
        return TLSFacts(version, cipher, chosen.decode("ascii"), _peer_certificate(transport))


Binder: TypeAlias = Callable[[ConnectionFacts], _R]
"""Makes a resource for a connection."""


def binder_of(resource: Any) -> Binder[Any] | None:
    """
    Ask a resource whether it is made for a connection.

    @return: None if it does not ask for that: the same one answers all.
    """
    binder: Binder[Any] | None = getattr(resource, "for_connection", None)
    return binder


def rebinding(resource: object, rebuild: Callable[[Any], _R]) -> Binder[_R] | None:
    """
    Find out whether a resource in front of another one is to be made for each connection: it is if
    the other one asks for that. For its C{for_connection}, as a property::

        @property
        def for_connection(self) -> Binder[Resource] | None:
            return rebinding(self.resource, lambda resource: replace(self, resource=resource))

    @param rebuild: makes the one in front anew, with another one behind it.
    """
    binder = binder_of(resource)
    if binder is None:
        return None

    def bind(facts: ConnectionFacts) -> _R:
        return rebuild(binder(facts))

    return bind


def _place(address: IAddress) -> InternetPlace | None:
    if isinstance(address, (IPv4Address, IPv6Address)):
        return InternetPlace(address.host, address.port)
    return None


def _version_and_cipher(transport: Any) -> tuple[str, str]:
    """
    Ask our own transport, or what Twisted's has from pyOpenSSL.
    """
    agreed: tuple[str, str] | None = getattr(transport, "tls_agreement", None)
    if agreed is not None:
        return agreed
    handle = transport.getHandle()
    if hasattr(handle, "get_protocol_version_name"):
        return handle.get_protocol_version_name(), handle.get_cipher_name() or ""
    return "", ""


def _peer_certificate(transport: Any) -> bytes | None:
    """
    Return the client's certificate in DER.
    """
    if hasattr(transport, "peer_certificate"):
        encoded: bytes | None = transport.peer_certificate
        return encoded
    certificate = transport.getPeerCertificate()
    if certificate is None:
        return None
    # Not at the top: only Twisted's own TLS comes here, and it needs pyOpenSSL.
    from twisted.internet.ssl import Certificate

    dumped: bytes = Certificate(certificate).dump()  # type: ignore[no-untyped-call]
    return dumped
