"""
How each connection of an HTTP server begins.
"""

from __future__ import annotations

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import (
    IAddress,
    ILoggingContext,
    IProtocolNegotiationFactory,
    IReactorTime,
)
from zope.interface import implementer

from netlab.factories import Factory
from netlab.http1 import SERVER_NAME
from netlab.http1.accesslog.log import AccessLog
from netlab.http1.resources.resource import Resource
from netlab.http1.sansio.forwarded import TrustedProxies
from netlab.http1.sansio.limits import Admission
from netlab.http1.sansio.serversettings import ServerSettings
from netlab.http1.server.admission import peer_of
from netlab.http1.server.answercache import CachedAnswer
from netlab.http1.server.context import ANSWER_CACHE_MAX_BYTES, ServerContext
from netlab.http1.server.oneshot import OneShotConnections
from netlab.http1.server.protocol import HTTPServerProtocol
from netlab.transport import oneshot


@implementer(ILoggingContext, IProtocolNegotiationFactory)
class HTTPServerFactory(Factory[HTTPServerProtocol]):
    """
    Makes an L{HTTPServerProtocol} for each client.

    @ivar context: what they share.
    @ivar connections: the open ones.
    @ivar one_shot: answers where no protocol need be made.
    """

    noisy = False

    def __init__(
        self,
        resource: Resource,
        clock: IReactorTime,
        settings: ServerSettings | None = None,
        access_log: AccessLog | None = None,
        *,
        admission: Admission | None = None,
        shows_requests: bool = False,
        answer_cache_max_bytes: int = ANSWER_CACHE_MAX_BYTES,
        proxies: TrustedProxies | None = None,
    ) -> None:
        """
        @param resource: answers all requests.
        @param clock: the reactor, or a clock in tests: its seconds are since the epoch.
        @param settings: limits, timeouts and the style of answers.
        @param access_log: gets a line for each answer.
        @param admission: how many connections are taken.
        @param shows_requests: log each request head.
        @param answer_cache_max_bytes: how much memory answers may take that are sent again; 0
            switches that off.
        @param proxies: whose word of their clients counts.
        """
        self.context = ServerContext(
            resource,
            clock,
            settings,
            access_log,
            admission=admission,
            shows_requests=shows_requests,
            answer_cache_max_bytes=answer_cache_max_bytes,
            proxies=proxies,
        )
        self.connections = self.context.connections
        self.one_shot: oneshot.OneShotAnswers[CachedAnswer] = OneShotConnections(self.context)

    def buildProtocol(self, addr: IAddress | None) -> HTTPServerProtocol:
        """
        Make the protocol for one client.

        @param addr: the client's address, which a proxy in front may have told.
        """
        return HTTPServerProtocol(self.context, _address(addr))

    def build_for_host(self, host: str) -> HTTPServerProtocol:
        """
        Make the protocol for one client, of whom only this is asked: for ports that would make an
        address object for nothing else.

        @param host: the client's address.
        """
        return HTTPServerProtocol(self.context, peer_of(host))

    def handshakes_max(self) -> int:
        """
        Say how many connections may be in their TLS handshake: they count as connections.
        """
        return self.context.gate.handshakes_max

    def acceptableProtocols(self) -> list[bytes]:
        """
        Say what is spoken over TLS (RFC 7301). Without this Twisted refuses every client that
        offers a choice, as browsers and curl do.
        """
        return [b"http/1.1", b"http/1.0"]

    def doStart(self) -> None:
        """
        A port has opened.
        """
        super().doStart()  # type: ignore[no-untyped-call]
        self.context.ports = self.numPorts

    def doStop(self) -> None:
        """
        A port has closed.
        """
        super().doStop()  # type: ignore[no-untyped-call]
        self.context.ports = self.numPorts
        self.context.flush_when_over()

    def logPrefix(self) -> str:
        """
        Name the server in the lines that Twisted itself logs about its ports.
        """
        return SERVER_NAME


def _address(address: object) -> bytes:
    if isinstance(address, (IPv4Address, IPv6Address)):
        return peer_of(address.host)
    return b""
