"""
A TCP connection on which a producer may send past the queue: files, by sendfile(2).

The bytes of a file need not come up into this process, so they cannot go through Twisted's queue of
bytes. A pull producer sends them itself, for as long as nothing is queued, and asks to be called
when the kernel has room again.
"""

# mypy: allow-untyped-calls
# Most methods of the base class have no annotations.

from __future__ import annotations

import os
import socket
from errno import EAGAIN, ENOBUFS, EPIPE, EWOULDBLOCK
from typing import Any

from twisted.internet import main, tcp

#: The kernel has no room now, or nothing to be read.
FULL = frozenset({EAGAIN, EWOULDBLOCK, ENOBUFS})

# Absent on systems that have no such bound.
_NOTSENT_LOWAT = getattr(socket, "TCP_NOTSENT_LOWAT", None)

# How much the kernel holds that it cannot send yet, where it is to hold little.
UNSENT_MAX_BYTES = 128 * 1024

# What a send says of a connection that is gone, as opposed to a file that cannot be read.
_GONE = (ConnectionError, TimeoutError)


class FileTransport(tcp.Connection):
    """
    Either end of a TCP connection, as L{tcp.Connection}, with what
    L{FileTransfer<netlab.transport.sendfile.FileTransfer>} needs to send a file.

    @ivar _is_broken: a send found that the connection is gone. It ends when the reactor next looks
        at it.
    @ivar _awaits_room: the producer sends past the queue, and waits for room in the kernel.
    @ivar _is_held_back: the kernel is given little that it cannot send yet.
    """

    _is_broken = False
    _awaits_room = False
    _is_held_back = False

    @property
    def is_drained(self) -> bool:
        """
        Whether the kernel has taken all that was written.
        """
        return not (self.dataBuffer or self._tempDataBuffer)

    @property
    def can_send_files(self) -> bool:
        """
        Whether L{send_file_part} may be used: not under TLS, and only where there is sendfile(2).
        """
        return not self.TLS and hasattr(os, "sendfile")

    def send_file_part(self, fd: int, start: int, count: int) -> int | None:
        """
        Let the kernel copy a part of a file to the socket. Only while L{is_drained}, and only where
        no producer is registered but, if any, the one that calls this.

        @param fd: the file.
        @param start: where in the file to begin, in bytes.
        @param count: how many bytes at most, at least 1.
        @return: how many were taken; 0 at the end of the file; C{None} if there is no room, or the
            connection is gone: then a registered producer calls L{await_room}.
        @raise OSError: the file cannot be read, or cannot be sent in this way.
        """
        try:
            return os.sendfile(self.socket.fileno(), fd, start, count)
        except OSError as refused:
            if refused.errno in FULL:
                return None
            if isinstance(refused, _GONE) or refused.errno == EPIPE:
                self._is_broken = True
                return None
            raise

    def hold_back(self, is_held: bool) -> None:
        """
        Bound how much the kernel takes that it cannot send yet, or take the bound away.

        What lies there goes out whenever the peer's kernel acknowledges something, all at once, in
        the middle of whatever system call is under way: with megabytes on each of many connections
        that lasts milliseconds.

        @param is_held: bound it.
        """
        if is_held is not self._is_held_back and _NOTSENT_LOWAT is not None:
            self._is_held_back = is_held
            # 0 stands for the system's own bound.
            self.socket.setsockopt(
                socket.IPPROTO_TCP, _NOTSENT_LOWAT, UNSENT_MAX_BYTES if is_held else 0
            )

    def await_room(self) -> None:
        """
        Have the registered producer's C{resumeProducing} called when the kernel has room again.
        """
        self._awaits_room = True
        self.startWriting()

    def doWrite(self) -> Any:
        """
        Go on sending.

        @return: why the connection is over; C{None} while it is not.
        """
        if self._is_broken:
            return main.CONNECTION_LOST
        producer: Any = self.producer
        if producer is None or not self._awaits_room or not self.is_drained:
            return super().doWrite()
        # Twisted would stop watching the socket before each piece, and start again after it.
        self._awaits_room = False
        producer.resumeProducing()
        return self._after_piece()

    def _after_piece(self) -> Any:
        """
        Decide what the connection waits for when a producer has sent past the queue.
        """
        if self._is_broken:
            return main.CONNECTION_LOST
        if self._awaits_room or self._aborting or not self.connected:
            return None
        if self.is_drained and not (
            self.disconnecting or self._writeDisconnecting or self.producer is not None
        ):
            self.stopWriting()
            return None
        return super().doWrite()

    def unregisterProducer(self) -> None:
        """
        Stop taking from the producer, which then no longer waits for room.
        """
        self._awaits_room = False
        super().unregisterProducer()
