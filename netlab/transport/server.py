"""
A server's end of a TCP connection, sooner and smaller than Twisted's.

The private names that it uses are explained and checked in L{netlab.transport.compat}.
"""

# mypy: allow-untyped-calls
# Most methods of the base class have no annotations.

from __future__ import annotations

import socket
from errno import ENOBUFS
from typing import Any

from twisted.internet import address, error, main, tcp
from twisted.internet.interfaces import IProtocol, IReactorFDSet
from twisted.python import failure

from netlab.transport.directsending import NO_QUEUE, DirectSender
from netlab.transport.disconnection import disconnect
from netlab.transport.filetransport import FULL

# The states of a delivery.
NO_DELIVERY, _RUNNING, _LAST = range(3)

_DONE = failure.Failure(main.CONNECTION_DONE)


def _gone() -> int:
    return -1


class FastServer(DirectSender, tcp.Server):
    """
    A server's end of a TCP connection, as L{tcp.Server} but sooner and smaller.

      - What is written is sent at once: L{DirectSender}.
      - C{loseConnection} from inside C{dataReceived} closes when that returns, if all was sent.
      - shutdown(2) before close(2) is left out: nobody else has our descriptors, which are
        close-on-exec.
      - Attributes that most connections never need appear when they are needed: the queue and the
        texts for the log.
      - A producer may send files past the queue: L{FileTransport}.

    @ivar reads_to_the_end: for L{NestedPoller<netlab.transport.poller.NestedPoller>}.
    @ivar is_reading: what arrives is delivered.
    @ivar _delivery: whether C{dataReceived} is running, and C{loseConnection} was called meanwhile.
        (In one attribute of the instance: those of the class take longer to find.)
    @ivar _is_finished: all was sent, and C{doRead} ended the connection by our wish, not the
        peer's.
    @ivar _is_watched: the reactor has been asked to watch the socket.
    """

    _shouldShutdown = False

    reads_to_the_end = True
    is_reading = True
    _delivery = NO_DELIVERY
    _is_finished = False
    _is_watched = False

    _tempDataBuffer: list[bytes] = NO_QUEUE
    _tempDataLen = 0

    def __init__(
        self,
        sock: socket.socket,
        protocol: IProtocol,
        client: tuple[object, ...],
        server: tcp.Port,
        sessionno: int,
        reactor: IReactorFDSet,
        *,
        is_read_first: bool = False,
    ) -> None:
        """
        Take over a connection and begin to read from it.

        The base class is not called: its constructor sets more, and formats text for the log.

        @param sock: the connected socket, made non-blocking here.
        @param protocol: what the bytes are delivered to.
        @param client: the peer's address as accept(2) gave it: two items for IPv4, four for IPv6.
        @param server: the port that accepted the connection.
        @param sessionno: the connection's number at that port.
        @param reactor: what watches the socket.
        @param is_read_first: its maker calls C{doRead} at once, and L{startReading} if
            L{is_reading} still then: many connections are over in between, and need no watching.
        """
        if sock.gettimeout() != 0:
            sock.setblocking(False)
        self.socket = sock
        self.reactor = reactor
        self.protocol = protocol
        self.server = server
        self.client = client
        self.sessionno = sessionno
        if len(client) != 2:
            self._addressType = address.IPv6Address
        self.connected = 1
        self._is_direct = True
        # Found here it is found in half the time.
        self.bufferSize = self.bufferSize
        if not is_read_first:
            self.startReading()

    @property
    def fileno(self) -> Any:
        """
        What returns the descriptor, or -1 when the connection is gone. Twisted keeps the socket's
        method, 72 bytes for each connection.
        """
        try:
            return self.socket.fileno
        except AttributeError:
            return _gone

    @fileno.deleter
    def fileno(self) -> None:
        # Twisted's connectionLost takes it away; with the socket it is gone already.
        pass

    # Text for the log, made when somebody asks.

    @property
    def hostname(self) -> object:  # type: ignore[override]
        """
        The peer's address, without the port.
        """
        return self.client[0]

    @property
    def logstr(self) -> str:  # type: ignore[override]
        """
        The prefix of log lines about this connection.
        """
        protocol = getattr(self, "protocol", None)
        return f"{self._getLogPrefix(protocol)},{self.sessionno},{self.client[0]}"

    @property
    def repstr(self) -> str:  # type: ignore[override]
        """
        The connection's C{repr}.
        """
        protocol = getattr(self, "protocol", None)
        port = getattr(self.server, "_realPortNumber", None)
        return f"<{protocol.__class__.__name__} #{self.sessionno} on {port}>"

    # Reading

    def startReading(self) -> None:
        """
        Deliver what arrives.
        """
        self._is_watched = True
        if not self.is_reading:
            self.is_reading = True
        self.reactor.addReader(self)

    def take_watch(self) -> None:
        """
        Note that the reactor watches the socket for input already, on our behalf.
        """
        self._is_watched = True

    def stopReading(self) -> None:
        """
        Leave what arrives in the kernel, until L{startReading}.
        """
        self.is_reading = False
        if self._is_watched:
            self.reactor.removeReader(self)

    def doRead(  # type: ignore[override]
        self,
    ) -> error.ConnectionLost | error.ConnectionDone | None:
        """
        Deliver what has arrived, and close if the protocol asked for it and all is sent.

        @return: why the connection, or the peer's half of it, is over; C{None} while it is not.
        """
        try:
            data = self.socket.recv(self.bufferSize)
        except OSError as refused:
            return self._not_read(refused)
        if not data or len(data) == self.bufferSize:
            return self.receive(data)
        # As in receive, without the call.
        self._delivery = _RUNNING
        try:
            self.protocol.dataReceived(data)
        except BaseException:
            self._delivery = NO_DELIVERY
            raise
        if self._delivery is _LAST:
            return self._close_after_delivery()
        self._delivery = NO_DELIVERY
        return None

    def _not_read(self, refused: OSError) -> error.ConnectionLost | None:
        """
        Find out what it means that nothing was read.

        @return: as of C{doRead}.
        """
        if refused.errno not in FULL:
            return main.CONNECTION_LOST
        if refused.errno == ENOBUFS:
            self._look_again()
        return None

    def receive(self, data: bytes) -> error.ConnectionLost | error.ConnectionDone | None:
        """
        Deliver what has been read.

        @param data: empty at the end of the stream.
        @return: as of C{doRead}.
        """
        if not data:
            # A send may have taken the error that recv(2) would have reported.
            return main.CONNECTION_LOST if self._is_broken else main.CONNECTION_DONE
        if len(data) == self.bufferSize:
            self._look_again()
        self._delivery = _RUNNING
        try:
            self.protocol.dataReceived(data)
        except BaseException:
            self._delivery = NO_DELIVERY
            raise
        if self._delivery is _LAST:
            return self._close_after_delivery()
        self._delivery = NO_DELIVERY
        return None

    def _look_again(self) -> None:
        """
        Have it reported that there may be more to read.
        """
        look_again = getattr(self.reactor, "look_again", None)
        if look_again is not None:
            look_again(self)

    def _close_after_delivery(self) -> error.ConnectionDone | None:
        """
        Close as C{loseConnection} asked, unless something has come between.
        """
        self._delivery = NO_DELIVERY
        if self._aborting or not self.connected:
            return None
        if self._tempDataBuffer or self.dataBuffer or self.producer is not None:
            # Something was queued after all: wait for it, as Twisted does.
            self.stopReading()
            self.startWriting()
            return None
        self._is_finished = True
        return main.CONNECTION_DONE

    def readConnectionLost(self, reason: failure.Failure) -> None:
        """
        The peer's half is over; or all of it, when it was us who ended it in C{doRead}.

        @param reason: L{error.ConnectionDone}.
        """
        if self._is_finished:
            self.finish()
        else:
            super().readConnectionLost(reason)

    def conclude(self, why: BaseException) -> None:
        """
        End the connection, or the peer's half of it, where no reactor does so.

        @param why: what C{doRead} or its like returned or raised.
        """
        if self._is_finished and self.connected:
            self.finish()
        else:
            disconnect(self.reactor, self, why, is_read=True)

    def finish(self) -> None:
        """
        Close a connection of which all is done, as C{connectionLost} does, in a few steps: no
        producer is left, nothing to send, nobody to be told but the protocol.
        """
        protocol, sock = self.protocol, self.socket
        self._is_direct = False
        self.disconnected = 1
        self.connected = 0
        if self._is_watched:
            self.reactor.removeReader(self)
            self.reactor.removeWriter(self)
        sock.close()
        del self.protocol
        del self.socket
        protocol.connectionLost(_DONE)

    def startWriting(self) -> None:
        """
        Have C{doWrite} called when the socket has room.
        """
        self._is_watched = True
        self.reactor.addWriter(self)

    # Closing

    def loseConnection(self) -> None:
        """
        Close when all is sent; from inside C{dataReceived}, as soon as that returns.
        """
        if (
            self._delivery is not NO_DELIVERY
            and self.connected
            and not self.disconnecting
            and not self._writeDisconnected
            and not self._aborting
            and not self.TLS
            and self.producer is None
            and self.is_drained
        ):
            self.disconnecting = 1
            self._delivery = _LAST
        else:
            super().loseConnection()
