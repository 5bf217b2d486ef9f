"""
Sending content that is not written in one piece: no faster than the client takes it.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from typing import Final, cast

from twisted.internet.interfaces import IConsumer, IPullProducer, ITransport
from zope.interface import implementer

from netlab.http1.responses import ContentSource

PIECE_BYTES: Final = 65536
"""How much is read at a time; between two pieces all other connections have their turn."""

# struct tcp_info of linux/tcp.h: eight bytes, twenty-four 32-bit numbers, two pacing rates.
_BYTES_ACKED_OFFSET: Final = 8 + 24 * 4 + 2 * 8
_BYTES_ACKED: Final = struct.Struct("=Q")


class BytesSource:
    """
    Bytes as a source of content.
    """

    __slots__ = ("_data", "_offset")

    def __init__(self, data: bytes) -> None:
        """
        @param data: all the content.
        """
        self._data = data
        self._offset = 0

    @property
    def length(self) -> int:
        """
        How many bytes there are in all.
        """
        return len(self._data)

    def read(self, count: int) -> bytes:
        """
        Return the next piece.
        """
        piece = self._data[self._offset : self._offset + count]
        self._offset += len(piece)
        return piece

    def close(self) -> None:
        """
        There is nothing to give back.
        """


@implementer(IPullProducer)
class ContentSender:
    """
    Takes content from a source whenever the transport has none left to send.

    @ivar sent: how many bytes the transport has been given.
    """

    __slots__ = ("_done", "_progressed", "_source", "_transport", "sent")

    def __init__(
        self, source: ContentSource, transport: ITransport, progressed: Callable[[], None]
    ) -> None:
        """
        @param source: is closed at the end, however that comes.
        @param transport: has no producer.
        @param progressed: is called whenever the transport asks for more.
        """
        self._source = source
        self._transport = transport
        self._progressed = progressed
        self._done: Callable[[bool], None] | None = None
        self.sent = 0

    def begin(self, done: Callable[[bool], None]) -> None:
        """
        Send all of it.

        @param done: is called once: with True when the transport has been given everything, with
            False when the content became shorter or unreadable, or the connection was lost.
        """
        self._done = done
        cast(IConsumer, self._transport).registerProducer(self, False)

    def resumeProducing(self) -> None:
        """
        Hand on the next piece.
        """
        if self._done is None:
            return
        self._progressed()
        left = self._source.length - self.sent
        if left:
            try:
                piece = self._source.read(min(PIECE_BYTES, left))
            except OSError:
                piece = b""
            if not piece:
                cast(IConsumer, self._transport).unregisterProducer()
                self._end(is_complete=False)
                return
            self.sent += len(piece)
            left -= len(piece)
            self._transport.write(piece)
        if not left:
            cast(IConsumer, self._transport).unregisterProducer()
            self._end(is_complete=True)

    def stopProducing(self) -> None:
        """
        The connection is lost.
        """
        self._end(is_complete=False)

    def _end(self, *, is_complete: bool) -> None:
        done, self._done = self._done, None
        if done is not None:
            self._source.close()
            done(is_complete)


def acknowledged_bytes(transport: object) -> int | None:
    """
    Ask the kernel how much of what was sent the peer's kernel has acknowledged.

    This is what tells a slow reader from one that has stopped: between two wake-ups of a writer
    hundreds of kilobytes may wait in the kernel's queue and drain byte by byte.

    @return: a number that only grows (C{tcpi_bytes_acked}), or None where the kernel does not
        tell: outside of Linux, or where there is no TCP underneath.
    """
    while transport is not None:
        handle = getattr(transport, "getHandle", lambda: None)()
        if isinstance(handle, socket.socket):
            try:
                info = handle.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
                return int(_BYTES_ACKED.unpack_from(info, _BYTES_ACKED_OFFSET)[0])
            except (OSError, AttributeError, struct.error):
                return None
        # TLS wraps the transport that has the socket.
        transport = getattr(transport, "transport", None)
    return None
