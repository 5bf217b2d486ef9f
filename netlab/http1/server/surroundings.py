"""
Finds out what surrounds a request, for a resource that asks for it.
"""

from __future__ import annotations

from itertools import count
from typing import Any, Final, Protocol
from weakref import WeakKeyDictionary

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import ISSLTransport, ITransport

from netlab.http1.resources.requestcontext import Address, RequestContext, TLSParameters


class Reached(Protocol):
    """
    What is known here of a connection.

    @ivar transport: what carries it.
    @ivar peer: the client's address; empty where it has none.
    """

    transport: ITransport | None
    peer: bytes


class ConnectionNumbers:
    """
    Numbers connections, when they are first asked for their number.
    """

    def __init__(self) -> None:
        self._next = count(1)
        self._numbers: WeakKeyDictionary[Reached, int] = WeakKeyDictionary()

    def number(self, connection: Reached) -> int:
        """
        Return what no other connection has.
        """
        number = self._numbers.get(connection)
        if number is None:
            number = self._numbers[connection] = next(self._next)
        return number


def request_context(connection: Reached, numbers: ConnectionNumbers) -> RequestContext:
    """
    Look up what surrounds the request that a connection has received.
    """
    transport: Any = connection.transport
    # What a proxy has told of its client, by netlab.transport.proxied.
    client = getattr(transport, "proxied_client", None) or transport.getPeer()
    return RequestContext(
        connection.peer,
        _address(client),
        _address(transport.getHost()),
        _tls(transport) if ISSLTransport.providedBy(transport) else None,
        numbers.number(connection),
    )


def _address(address: object) -> Address | None:
    if isinstance(address, (IPv4Address, IPv6Address)):
        return Address(address.host, address.port)
    return None


_UNKNOWN_VERSION: Final = "TLS"


def _tls(transport: Any) -> TLSParameters:
    """
    Read what a transport of ours knows, or one of Twisted's.
    """
    version = getattr(transport, "tls_version", None)
    if version is not None:
        return TLSParameters(version, transport.negotiatedProtocol, transport.peer_certificate)
    certificate = transport.getPeerCertificate()
    if certificate is not None:
        # Not at the top: it needs pyOpenSSL, which is there where this is called.
        from twisted.internet.ssl import Certificate

        certificate = Certificate(certificate).dump()  # type: ignore[no-untyped-call]
    handle = transport.getHandle()
    version = getattr(handle, "get_protocol_version_name", lambda: _UNKNOWN_VERSION)()
    return TLSParameters(version, transport.negotiatedProtocol, certificate)
