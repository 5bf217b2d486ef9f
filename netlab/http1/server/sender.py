"""
Sending content that is not written in one piece: no faster than the client takes it.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from typing import Any, Final, Protocol, cast

from twisted.internet.interfaces import IConsumer, IPullProducer, ITCPTransport, ITransport
from zope.interface import implementer

from netlab.http1.resources.files import FileRange
from netlab.http1.resources.responses import ContentSource
from netlab.transport.sendfile import FileTransfer

PIECE_BYTES: Final = 65536
"""How much is read at a time; between two pieces all other connections have their turn."""

# struct tcp_info of linux/tcp.h: eight bytes, twenty-four 32-bit numbers, two pacing rates.
_BYTES_ACKED_OFFSET: Final = 8 + 24 * 4 + 2 * 8
_BYTES_ACKED: Final = struct.Struct("=Q")
_INT: Final = struct.Struct("=i")


class Sender(Protocol):
    """
    Sends content that is not written in one piece.

    @ivar sent: how many bytes the transport has been given.
    """

    sent: int

    def begin(self, head: bytes) -> None:
        """
        Send a head and then the content.
        """


@implementer(IPullProducer)
class ContentSender:
    """
    Takes content from a source whenever the transport has none left to send.

    @ivar sent: how many bytes the transport has been given.
    """

    __slots__ = ("_done", "_progressed", "_source", "_transport", "sent")

    def __init__(
        self,
        transport: ITransport,
        source: ContentSource,
        done: Callable[[Exception | None], None],
        progressed: Callable[[int], None],
    ) -> None:
        """
        @param transport: has no producer.
        @param source: is borrowed until C{done} is called.
        @param done: is called once: with None when the transport has been given everything, or
            with what went wrong; then the connection is lost, or has been aborted.
        @param progressed: is called with L{sent} whenever the transport has taken a piece.
        """
        self._transport = transport
        self._source = source
        self._done: Callable[[Exception | None], None] | None = done
        self._progressed = progressed
        self.sent = 0

    def begin(self, head: bytes) -> None:
        """
        Send a head and then the content.
        """
        self._transport.write(head)
        cast(IConsumer, self._transport).registerProducer(self, False)

    def resumeProducing(self) -> None:
        """
        Hand on the next piece.
        """
        if self._done is None:
            return
        left = self._source.length - self.sent
        if not left:
            cast(IConsumer, self._transport).unregisterProducer()
            self._end(None)
            return
        try:
            piece = self._source.read(min(PIECE_BYTES, left))
        except Exception as error:  # noqa: BLE001, a source is anyone's code; L{done} gets it
            self._cut(error)
            return
        if not piece:
            self._cut(EOFError(f"the content ended {left} bytes early"))
            return
        self.sent += len(piece)
        self._transport.write(piece)
        self._progressed(self.sent)

    def stopProducing(self) -> None:
        """
        The connection is lost.
        """
        self._end(ConnectionError("the connection was lost before all was sent"))

    def _cut(self, why: Exception) -> None:
        """
        Less comes than was announced: only the end of the connection can say so.
        """
        cast(IConsumer, self._transport).unregisterProducer()
        cast(ITCPTransport, self._transport).abortConnection()
        self._end(why)

    def _end(self, why: Exception | None) -> None:
        done, self._done = self._done, None
        if done is not None:
            done(why)


def sender_for(
    transport: ITransport,
    source: ContentSource,
    done: Callable[[Exception | None], None],
    progressed: Callable[[int], None],
    gives_way: Callable[[], bool],
) -> Sender:
    """
    Choose how to send: a file goes by the kernel where that is possible.

    @param transport: as for L{ContentSender}, and so are the next three.
    @param gives_way: tells whether others wait, so that pieces should be small.
    """
    if isinstance(source, FileRange):
        return FileTransfer(
            transport, source.descriptor, source.offset, source.left, done, progressed, gives_way
        )
    return ContentSender(transport, source, done, progressed)


def acknowledged_bytes(transport: object) -> int | None:
    """
    Ask the kernel how much of what was sent the peer's kernel has acknowledged.

    This is what tells a slow reader from one that has stopped: between two wake-ups of a writer
    hundreds of kilobytes may wait in the kernel's queue and drain byte by byte.

    @return: a number that only grows (C{tcpi_bytes_acked}), or None where the kernel does not
        tell: outside of Linux, or where there is no TCP underneath.
    """
    handle = _socket_of(transport)
    if handle is None:
        return None
    try:
        info = handle.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        return int(_BYTES_ACKED.unpack_from(info, _BYTES_ACKED_OFFSET)[0])
    except (OSError, AttributeError, struct.error):
        return None


def unacknowledged_bytes(transport: object) -> int | None:
    """
    Ask the kernel how much of what it was given to send the peer's kernel has not acknowledged.

    @return: the number (tcp(7), C{SIOCOUTQ}), or None where the kernel does not tell.
    """
    handle = _socket_of(transport)
    if not isinstance(handle, socket.SocketType):
        return None
    try:
        from fcntl import ioctl
        from termios import TIOCOUTQ
    except ImportError:  # Windows has neither
        return None
    try:
        waiting = ioctl(handle.fileno(), TIOCOUTQ, bytes(_INT.size))
    except OSError:
        return None
    return int(_INT.unpack(waiting)[0])


def _socket_of(transport: object) -> Any:
    while transport is not None:
        handle = getattr(transport, "getHandle", lambda: None)()
        # A socket of this machine's kernel, or of a simulated host's.
        if hasattr(handle, "getsockopt"):
            return handle
        # TLS wraps the transport that has the socket.
        transport = getattr(transport, "transport", None)
    return None
