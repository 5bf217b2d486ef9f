"""
What surrounds a request: the connection that it came by. A resource asks for it by answering with a
L{ContextualAnswer<netlab.http1.resources.resource.ContextualAnswer>}.

A head is what was received, and says nothing of its sender; most resources do not care, and nothing
is looked up for them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Address:
    """
    One end of a TCP connection.

    @ivar host: an IP address in its usual form.
    @ivar port: a TCP port.
    """

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class TLSParameters:
    """
    What a handshake has settled.

    @ivar version: as OpenSSL names it: C{TLSv1.3}.
    @ivar application_protocol: what ALPN has chosen; None if the client offered nothing.
    @ivar peer_certificate: the client's certificate, in DER, verified where the server asks for
        certificates; None if it has shown none.
    """

    version: str
    application_protocol: bytes | None
    peer_certificate: bytes | None


@dataclass(frozen=True, slots=True)
class RequestContext:
    """
    The connection that a request came by.

    @ivar peer: the client's address as the access log has it and limits per peer count it; empty
        where it has none, as on a UNIX socket. Behind a proxy that says so (PROXY protocol) it is
        the client's own, and so is C{client}.
    @ivar client: the client's end; None where it has no address.
    @ivar local: the server's end; None where it has no address.
    @ivar tls: None without TLS.
    @ivar connection_id: no other connection of this process has it.
    """

    peer: bytes
    client: Address | None
    local: Address | None
    tls: TLSParameters | None
    connection_id: int

    @property
    def scheme(self) -> str:
        """
        C{http} or C{https}.
        """
        return "http" if self.tls is None else "https"
