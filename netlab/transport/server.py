"""
A TCP connection that sends at once.

Twisted's C{write} queues, and waits for the reactor to report that the socket has room, which it
nearly always has: two system calls, a turn of the reactor and several calls for nothing.
L{FastServer} sends where nothing waits before it, and leaves all else (what the kernel did not
take, producers, half-close, abort, TLS) to L{tcp.Server<twisted.internet.tcp.Server>}.

The private names that it uses are explained and checked in L{netlab.transport.compat}.
"""

# mypy: allow-untyped-calls
# Most methods of the base class have no annotations.

from __future__ import annotations

import socket
from collections.abc import Iterable
from errno import ENOBUFS
from typing import Any

from twisted.internet import address, error, main, tcp
from twisted.internet.interfaces import IProtocol, IReactorFDSet
from twisted.python import failure

from netlab.transport.disconnection import disconnect
from netlab.transport.filetransport import FULL, FileTransport

# Absent on systems that have no such hint; a packet more is all that is lost.
_MORE = getattr(socket, "MSG_MORE", 0)

# Twisted's own bound on what one connection may send in one go.
_SEND_LIMIT = tcp.Connection.SEND_LIMIT

# The states of a delivery.
NO_DELIVERY, _RUNNING, _LAST = range(3)

# What a connection has for its queue until it needs one. Being a tuple it cannot be written to by
# mistake.
_NO_QUEUE: Any = ()

_DONE = failure.Failure(main.CONNECTION_DONE)


def _gone() -> int:
    return -1


class FastServer(FileTransport):
    """
    A server's end of a TCP connection, as L{tcp.Server} but sooner and smaller.

      - C{write} and C{writeSequence} send at once when nothing is queued and no pull producer is
        registered. (A push producer is paused if something is left to be queued.)
      - C{loseConnection} from inside C{dataReceived} closes when that returns, if all was sent.
      - shutdown(2) before close(2) is left out: nobody else has our descriptors, which are
        close-on-exec.
      - Attributes that most connections never need appear when they are needed: the queue and the
        texts for the log.
      - A producer may send files past the queue: L{FileTransport}.

    C{connectionLost} is never called from inside C{write}: a send that fails is remembered, and
    the connection ends, once and as C{ConnectionLost}, when the reactor next looks at it.

    @ivar reads_to_the_end: for L{NestedPoller<netlab.transport.poller.NestedPoller>}.
    @ivar is_reading: what arrives is delivered.
    @ivar _is_direct: nothing stands between C{write} and the socket. Whatever puts something there
        says so at once; that it is gone is found out by the next C{write}.
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

    _tempDataBuffer: list[bytes] = _NO_QUEUE
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

    # Writing

    def startWriting(self) -> None:
        """
        Have C{doWrite} called when the socket has room.
        """
        self._is_watched = True
        self.reactor.addWriter(self)

    def write(self, data: bytes) -> None:
        """
        Send some bytes: now if nothing is before them, otherwise in their turn.

        @param data: ignored when the connection, or our half of it, is closed.
        @raise TypeError: C{data} is not C{bytes}.
        """
        if self._is_direct and data.__class__ is bytes and 0 < (size := len(data)) <= _SEND_LIMIT:
            # As in _send_now, without the call.
            try:
                sent = self.socket.send(data)
            except OSError as refused:
                sent = self._refused(refused)
            if sent != size:
                self._queue_rest(data, sent)
            return
        if data.__class__ is bytes and data and self.is_clear():
            self._send_now(data, 0)
        else:
            self._own_queue()
            super().write(data)

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """
        Send several pieces as one.

        @param iovec: the pieces, in order.
        @raise TypeError: a piece is not C{bytes}; nothing is sent then.
        """
        if self.is_clear():
            iovec = list(iovec)
            if all(piece.__class__ is bytes for piece in iovec):
                data = b"".join(iovec)
                if data:
                    self._send_now(data, 0)
                return
        self._own_queue()
        super().writeSequence(iovec)

    def write_more(self, data: bytes) -> None:
        """
        Send some bytes as C{write} does, and let the kernel wait a moment for what follows.

        So a head and the file behind it share their first packet. Only where more follows at
        once: the kernel holds an incomplete packet for up to 0.2 seconds.

        @param data: what to send.
        """
        if data.__class__ is bytes and data and self.is_clear():
            self._send_now(data, _MORE)
        else:
            self.write(data)

    def is_clear(self) -> bool:
        """
        Find out whether nothing stands between C{write} and the socket.
        """
        self._is_direct = not (
            self._tempDataBuffer
            or self.dataBuffer
            or (self.producer is not None and not self.streamingProducer)
            or self._writeDisconnecting
            or self._aborting
            or self.TLS
            or not self.connected
        )
        return self._is_direct

    def _send_now(self, data: bytes, flags: int) -> None:
        """
        Offer bytes to the kernel and queue what it does not take.
        """
        size = len(data)
        try:
            if size <= _SEND_LIMIT:
                sent = self.socket.send(data, flags)
            else:
                sent = self.socket.send(memoryview(data)[:_SEND_LIMIT], flags)
        except OSError as refused:
            sent = self._refused(refused)
        if sent != size:
            self._queue_rest(data, sent)

    def _refused(self, refused: OSError) -> int:
        """
        Note why the kernel took nothing.
        """
        if refused.errno not in FULL:
            self._is_broken = True
        return 0

    def _queue_rest(self, data: bytes, sent: int) -> None:
        """
        Queue what the kernel did not take.
        """
        self._own_queue()
        self.dataBuffer = data
        self.offset = sent
        self._maybePauseProducer()
        self.startWriting()

    def _own_queue(self) -> None:
        """
        Give the connection a list of its own, for Twisted's code to add to.
        """
        self._is_direct = False
        if self._tempDataBuffer is _NO_QUEUE:
            self._tempDataBuffer = []

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """
        Take from a producer.

        @param producer: as in L{IConsumer.registerProducer
            <twisted.internet.interfaces.IConsumer.registerProducer>}.
        @param streaming: likewise.
        """
        if streaming and self.producer is None and not self.disconnected:
            # As Twisted does, without the call.
            self.producer = producer
            self.streamingProducer = True
            return
        if not streaming:
            # It writes from inside this very call.
            self._is_direct = False
        super().registerProducer(producer, streaming)

    # TLS

    def startTLS(self, ctx: Any, normal: bool = True) -> None:
        """
        Put TLS on the connection. From here on everything is as in L{tcp.Server}.

        @param ctx: as in L{ITLSTransport.startTLS
            <twisted.internet.interfaces.ITLSTransport.startTLS>}.
        @param normal: likewise.
        """
        self._own_queue()
        super().startTLS(ctx, normal)

    # Closing

    def loseWriteConnection(self) -> None:
        """
        Shut our half when all is sent.
        """
        self._is_direct = False
        super().loseWriteConnection()

    def abortConnection(self) -> None:
        """
        Close now, dropping what is still to be sent.
        """
        self._is_direct = False
        super().abortConnection()

    def connectionLost(self, reason: failure.Failure) -> None:
        """
        The connection is gone.

        @param reason: why.
        """
        self._is_direct = False
        super().connectionLost(reason)

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
