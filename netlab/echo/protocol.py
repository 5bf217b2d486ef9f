"""
The echo server's protocol: each delivery goes back in upper case, a few times, then the close.

The reference server called C{recv(100)}, sent the upper-cased bytes back, did so once more, and
closed. A delivery was what one C{recv} returned: whatever had arrived by then, but at most 100
bytes, with the rest left in the kernel for the next call. That matters at the close: a kernel that
still holds bytes nobody has read answers with a reset instead of an orderly end. So the limit here
is a limit on what is read, and no more is taken from the kernel than is answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from twisted.internet.abstract import FileDescriptor
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import (
    IAddress,
    IConsumer,
    IDelayedCall,
    IHalfCloseableProtocol,
    ILoggingContext,
    IPushProducer,
    IReactorTime,
    ITCPTransport,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from netlab.connections import OpenConnections
from netlab.factories import Factory

#: The server's name: in the log, and among twistd's commands.
SERVER_NAME = "netlab-echo"

#: How much of a delivery one log line shows; twice the reference's largest delivery.
SHOWN_BYTES_MAX = 200

_log = Logger(namespace=SERVER_NAME)


@dataclass(frozen=True, slots=True)
class EchoSettings:
    """
    How the server treats each client. The defaults are the reference's.

    @ivar exchanges: How many deliveries are answered before the server closes; 0 answers until the
        client closes.
    @ivar max_bytes: The largest delivery, in bytes, at least 1.
    @ivar idle_timeout: How many seconds a client may leave the connection without progress before
        the server closes it; C{None} waits for ever.
    @ivar shows_deliveries: Whether each delivery is logged.
    """

    exchanges: int = 2
    max_bytes: int = 100
    idle_timeout: float | None = None
    shows_deliveries: bool = True


# "push": while the client reads more slowly than it sends, the transport pauses us.
@implementer(IHalfCloseableProtocol, IPushProducer)
class EchoProtocol(Protocol):
    """
    One client's connection. The protocol is the producer of what it sends: when the client does not
    read, the transport pauses it, it stops reading, and TCP's window then stops the client. So each
    connection holds about two deliveries in memory, whatever the client does.
    """

    def __init__(
        self, settings: EchoSettings, clock: IReactorTime, connections: OpenConnections
    ) -> None:
        """
        @param settings: How to treat the client.
        @param clock: Measures the idle timeout.
        @param connections: Where to be counted while the connection is open.
        """
        self._clock = clock
        self._connections = connections
        self._exchanges_left = settings.exchanges
        self._max_bytes = settings.max_bytes
        self._idle_timeout = settings.idle_timeout
        self._shows_deliveries = settings.shows_deliveries
        self._peer = ""
        self._is_closing = False
        self._deadline = 0.0
        self._timer: IDelayedCall | None = None

    def connectionMade(self) -> None:
        """
        Greet in the log, and arm the idle timeout.
        """
        transport = self.transport
        assert transport is not None
        if isinstance(transport, FileDescriptor):
            # At most this much is read at a time. TLS, which is not a descriptor, reads ahead:
            # there a larger delivery is cut up in dataReceived.
            transport.bufferSize = self._max_bytes
        cast(IConsumer, transport).registerProducer(self, True)
        self._connections.add(self)
        self._peer = _shown_address(transport.getPeer())
        _log.info("Connection from:  {peer}", peer=self._peer)
        if self._idle_timeout is not None:
            self._deadline = self._clock.seconds() + self._idle_timeout
            self._timer = self._clock.callLater(self._idle_timeout, self._check_deadline)

    def dataReceived(self, data: bytes) -> None:
        """
        Answer a delivery, and close after the last one.
        """
        if len(data) > self._max_bytes:
            for start in range(0, len(data), self._max_bytes):
                self.dataReceived(data[start : start + self._max_bytes])
            return
        if self._is_closing:
            return
        if self._idle_timeout is not None:
            self._deadline = self._clock.seconds() + self._idle_timeout
        if self._shows_deliveries:
            shown = _shown_bytes(data)
            _log.info("Received:  {shown} from {peer}", shown=shown, peer=self._peer)
        assert self.transport is not None
        self.transport.write(data.upper())
        if self._exchanges_left:
            self._exchanges_left -= 1
            if not self._exchanges_left:
                self.close()

    def readConnectionLost(self) -> None:
        """
        The client will send no more: let it have its answers, then close.
        """
        self.close()

    def writeConnectionLost(self) -> None:
        """
        Our write side is never shut alone, so there is nothing to do.
        """

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Leave nothing behind.
        """
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._connections.remove(self)
        if isinstance(reason.value, ConnectionDone):
            how = ""
        elif isinstance(reason.value, ConnectionAborted):
            how = " (aborted by this server)"
        else:
            how = " (connection lost or reset)"
        _log.info("Client disconnected:  {peer}{how}", peer=self._peer, how=how)

    def close(self) -> None:
        """
        Send what is still to be sent, then close.
        """
        if not self._is_closing:
            self._is_closing = True
            assert self.transport is not None
            # A transport that still has a producer does not close.
            cast(IConsumer, self.transport).unregisterProducer()
            self.transport.loseConnection()

    def abort(self) -> None:
        """
        Close now, dropping what is still to be sent.
        """
        # Every stream transport of Twisted can do this, TLS and UNIX sockets too.
        cast(ITCPTransport, self.transport).abortConnection()

    def pauseProducing(self) -> None:
        """
        The client does not read: read no more from it.
        """
        cast(IPushProducer, self.transport).pauseProducing()

    def resumeProducing(self) -> None:
        """
        The client has read everything: go on. That counts as progress.
        """
        if self._idle_timeout is not None:
            self._deadline = self._clock.seconds() + self._idle_timeout
        cast(IPushProducer, self.transport).resumeProducing()

    def stopProducing(self) -> None:
        """
        The connection is lost; C{connectionLost} will see to it.
        """

    def _check_deadline(self) -> None:
        """
        Close if the deadline has passed, and abort if even closing takes too long.

        The timer is lazy: activity only moves the deadline, and a timer that fires too early is
        armed again for what is left.
        """
        assert self._idle_timeout is not None
        self._timer = None
        now = self._clock.seconds()
        if now < self._deadline:
            self._timer = self._clock.callLater(self._deadline - now, self._check_deadline)
        elif self._is_closing:
            self.abort()
        else:
            # Armed first: a transport may lose its connection while it is being closed, and then
            # the timer must be there to be cancelled.
            self._deadline = now + self._idle_timeout
            self._timer = self._clock.callLater(self._idle_timeout, self._check_deadline)
            _log.info(
                "Idle for {seconds:g} seconds, closing:  {peer}",
                seconds=self._idle_timeout,
                peer=self._peer,
            )
            self.close()


@implementer(ILoggingContext)
class EchoFactory(Factory[EchoProtocol]):
    """
    Makes an L{EchoProtocol} for each client.

    @ivar connections: The open ones.
    """

    noisy = False

    def __init__(self, settings: EchoSettings, clock: IReactorTime) -> None:
        """
        @param settings: How to treat every client.
        @param clock: Measures the idle timeouts.
        """
        self.connections = OpenConnections()
        self._settings = settings
        self._clock = clock

    def buildProtocol(self, addr: IAddress | None) -> EchoProtocol:
        """
        Make the protocol for one client.
        """
        return EchoProtocol(self._settings, self._clock, self.connections)

    def logPrefix(self) -> str:
        """
        Name the server in the lines that Twisted itself logs about its ports.
        """
        return SERVER_NAME


def _shown_address(address: IAddress) -> str:
    """
    Write a peer as the reference did: the address and the port, as Python shows a tuple.
    """
    match address:
        case IPv4Address(host=host, port=port) | IPv6Address(host=host, port=port):
            return f"({host!r}, {port})"
        case UNIXAddress():
            # The client's end of a UNIX connection hardly ever has a name.
            return "a UNIX socket"
        case _:
            return str(address)


def _shown_bytes(data: bytes) -> str:
    """
    Write a delivery as the reference did, as Python shows bytes: so it cannot forge a log line.
    """
    if len(data) <= SHOWN_BYTES_MAX:
        return repr(data)
    return f"{data[:SHOWN_BYTES_MAX]!r}... ({len(data)} bytes)"
