"""
A TCP connection that sends at once.

Twisted's C{write} queues, and waits for the reactor to report that the socket has room, which it
nearly always has: two system calls, a turn of the reactor and several calls for nothing.
L{DirectSender} sends where nothing waits before it, and leaves all else (what the kernel did not
take, producers, half-close, abort, TLS) to L{tcp.Connection<twisted.internet.tcp.Connection>}.

The private names that it uses are explained and checked in L{netlab.transport.compat}.
"""

# mypy: allow-untyped-calls
# Most methods of the base class have no annotations.

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import Any

from twisted.internet import tcp
from twisted.python import failure

from netlab.transport.filetransport import FULL, FileTransport

# Absent on systems that have no such hint; a packet more is all that is lost.
_MORE = getattr(socket, "MSG_MORE", 0)

# Twisted's own bound on what one connection may send in one go.
_SEND_LIMIT = tcp.Connection.SEND_LIMIT

#: What a connection has for its queue until it needs one. Being a tuple it cannot be written to by
#: mistake.
NO_QUEUE: Any = ()


class DirectSender(FileTransport):
    """
    Either end of a TCP connection: C{write} and C{writeSequence} send at once when nothing is
    queued and no pull producer is registered. (A push producer is paused if something is left to
    be queued.)

    C{connectionLost} is never called from inside C{write}: a send that fails is remembered in
    C{_is_broken}, and the connection ends, once and as C{ConnectionLost}, when the reactor next
    looks at it.

    @ivar _is_direct: nothing stands between C{write} and the socket. Whatever puts something there
        says so at once; that it is gone is found out by the next C{write}.
    """

    _is_direct = False

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
        if self._tempDataBuffer is NO_QUEUE:
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
