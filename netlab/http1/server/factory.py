"""
What all connections of one HTTP server share, and how each of them begins.
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

from netlab.connections import OpenConnections
from netlab.factories import Factory
from netlab.http1 import SERVER_NAME
from netlab.http1.accesslog.counters import Counters
from netlab.http1.accesslog.log import AccessLog
from netlab.http1.accesslog.loglines import LoggedAnswer
from netlab.http1.resources.resource import Resource
from netlab.http1.resources.responses import Pages
from netlab.http1.sansio.limits import Admission
from netlab.http1.sansio.messages import RequestHead
from netlab.http1.sansio.serversettings import ServerSettings
from netlab.http1.server.admission import Gate, peer_of
from netlab.http1.server.bystanders import Bystanders
from netlab.http1.server.deadlines import Deadlines
from netlab.http1.server.door import Doorkeeper
from netlab.http1.server.protocol import HTTPServerProtocol
from netlab.http1.server.repeats import Repeat, Repeats
from netlab.transport import door


@implementer(ILoggingContext, IProtocolNegotiationFactory)
class HTTPServerFactory(Factory[HTTPServerProtocol]):
    """
    Makes an L{HTTPServerProtocol} for each client, and holds what they share.

    @ivar pages: what is answered where no resource answers.
    @ivar connections: the open ones.
    @ivar counters: of connections and answers.
    @ivar bystanders: those who would wait behind large answers.
    @ivar gate: knows for how many more connections there is room.
    @ivar deadlines: those of all connections.
    @ivar clock: the reactor, or a clock in tests.
    @ivar seconds: tells the time.
    @ivar repeats: the answers that may be sent again.
    @ivar repeated: the younger of them, for whoever cannot afford a call: C{repeats.young}.
    @ivar doorkeeper: answers where no protocol need be made.
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
    ) -> None:
        """
        @param resource: answers all requests.
        @param clock: the reactor, or a clock in tests: its seconds are since the epoch.
        @param settings: limits, timeouts and the style of answers.
        @param access_log: gets a line for each answer.
        @param admission: how many connections are taken.
        @param shows_requests: log each request head.
        """
        self.resource = resource
        self.settings = ServerSettings() if settings is None else settings
        self.access_log = access_log
        self.shows_requests = shows_requests
        self.pages = Pages(self.settings.is_bare)
        self.connections = OpenConnections()
        self.counters = Counters()
        self.bystanders = Bystanders(self.counters, clock.seconds)
        self.gate = Gate(Admission() if admission is None else admission)
        self.deadlines = Deadlines(clock)
        self.clock = clock
        self.seconds = clock.seconds
        self.repeats = Repeats(self.settings)
        self.repeated = self.repeats.young
        self.doorkeeper: door.Doorkeeper[Repeat] = Doorkeeper(self)

    def buildProtocol(self, addr: IAddress | None) -> HTTPServerProtocol:
        """
        Make the protocol for one client.

        @param addr: the client's address, which a proxy in front may have told.
        """
        return HTTPServerProtocol(self, _address(addr))

    def build_for_host(self, host: str) -> HTTPServerProtocol:
        """
        Make the protocol for one client, of whom only this is asked: for ports that would make an
        address object for nothing else.

        @param host: the client's address.
        """
        return HTTPServerProtocol(self, peer_of(host))

    def acceptableProtocols(self) -> list[bytes]:
        """
        Say what is spoken over TLS (RFC 7301). Without this Twisted refuses every client that
        offers a choice, as browsers and curl do.
        """
        return [b"http/1.1", b"http/1.0"]

    def doStop(self) -> None:
        """
        A port has closed.
        """
        super().doStop()  # type: ignore[no-untyped-call]
        self.flush_when_over()

    def flush_when_over(self) -> None:
        """
        Leave nothing to be done later when no port and no connection is open: write what has
        gathered in the log.
        """
        if self.numPorts or self.connections:
            return
        self.deadlines.rest()
        if self.access_log is not None:
            self.access_log.flush()

    def record(self, peer: bytes, head: RequestHead | None, status: int, sent: int) -> LoggedAnswer:
        """
        Count and log an answer.

        @param peer: the client's address.
        @param head: the request's; None where none could be read.
        @param sent: how many bytes of content the answer had.
        @return: how it stands in the log.
        """
        log = self.access_log
        logged = ((b"", b"") if log is None else log.request_part(head), status, sent)
        self.count(peer, logged)
        return logged

    def count(self, peer: bytes, logged: LoggedAnswer) -> None:
        """
        Count and log an answer whose request's part in the log is known.
        """
        part, status, sent = logged
        tally = self.counters.tally(status)
        tally.answers += 1
        tally.content_bytes += sent
        if self.access_log is not None:
            self.access_log.add(peer, self.seconds(), part, status, sent)

    def logPrefix(self) -> str:
        """
        Name the server in the lines that Twisted itself logs about its ports.
        """
        return SERVER_NAME


def _address(address: object) -> bytes:
    if isinstance(address, (IPv4Address, IPv6Address)):
        return peer_of(address.host)
    return b""
