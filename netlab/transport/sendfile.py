"""
A range of a file, sent with the transport's backpressure.

On a L{FastServer<netlab.transport.server.FastServer>} the kernel copies the file to the socket by
sendfile(2); on any other transport, under TLS, and for files that sendfile refuses, the range is
read in pieces of bounded size. Either way one piece goes out for each time the transport has room,
so that other connections get their turn; either way the outcome is reported exactly once.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from errno import EINVAL, ENOSYS, ENOTSUP, EOPNOTSUPP
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPullProducer
from zope.interface import implementer

from netlab.transport.server import FastServer

# At most so much for one connection in one turn, where nobody waits who wants little. Each piece is
# a wake-up: half of this costs a twentieth more for a byte; see decision notes 0042 and 0046.
SENDFILE_PIECE_MAX_BYTES = 4 * 1024 * 1024

# While it gives way to others: so much takes some fifty microseconds.
COURTEOUS_PIECE_MAX_BYTES = 128 * 1024

# Read into memory at a time where sendfile(2) does not serve. Twisted's transports call a queue of
# 64 KiB full.
READ_PIECE_MAX_BYTES = 64 * 1024

# This file or file system, or this kernel, cannot do it; reading may still.
_UNSUPPORTED = frozenset({EINVAL, ENOSYS, ENOTSUP, EOPNOTSUPP})


class FileTransferError(Exception):
    """
    A range was not sent whole. What was sent stays sent: the message on the wire is cut.
    """


class FileTruncatedError(FileTransferError):
    """
    The file ended before the range did: it was cut after its length was announced.
    """


class TransferStoppedError(FileTransferError):
    """
    The connection was lost, or the sender was stopped, before the range was sent.
    """


@implementer(IPullProducer)
class FileTransfer:
    """
    One transfer of one range of an open file.

    The file descriptor is only borrowed: from C{start} until C{done} is called, which happens
    exactly once, in every case, and may be before C{start} returns. The descriptor's own position
    is neither used nor moved, so several transfers may share it.

    @ivar sent: how many bytes the transport has taken so far.
    """

    __slots__ = (
        "_done",
        "_fd",
        "_gives_way",
        "_is_registered",
        "_left",
        "_next",
        "_on_progress",
        "_sends_by_kernel",
        "_transport",
        "sent",
    )

    def __init__(
        self,
        transport: Any,
        fd: int,
        start: int,
        length: int,
        done: Callable[[Exception | None], None],
        on_progress: Callable[[int], None] | None = None,
        gives_way: Callable[[], bool] | None = None,
    ) -> None:
        """
        @param transport: an L{ITransport<twisted.internet.interfaces.ITransport>} and
            L{IConsumer<twisted.internet.interfaces.IConsumer>} with no producer registered.
        @param fd: the file, open for reading.
        @param start: the range's first byte, counted from 0.
        @param length: how many bytes, 0 or more.
        @param done: called with C{None} when the transport has taken the whole range, otherwise
            with what went wrong: L{FileTruncatedError}, L{TransferStoppedError} or the C{OSError}
            of reading. In all cases but the first the connection is lost or was aborted.
        @param on_progress: called with L{sent} after each piece.
        @param gives_way: asked before each piece whether others wait who want little: then it is
            small, and the kernel is not given much to send later, for it does so in great gulps.
        """
        self._transport = transport
        self._fd = fd
        self._next = start
        self._left = length
        self._done: Callable[[Exception | None], None] | None = done
        self._on_progress = on_progress
        self._gives_way = gives_way
        self._sends_by_kernel = False
        self._is_registered = False
        self.sent = 0

    def begin(self, head: bytes = b"") -> None:
        """
        Send what goes before the range, and begin with the range.

        @param head: sent first, in one packet with the beginning of the range where possible.
        """
        transport = self._transport
        if isinstance(transport, FastServer) and transport.can_send_files:
            self._sends_by_kernel = True
            if self._left:
                transport.write_more(head)
            else:
                transport.write(head)
        elif head:
            transport.write(head)
        if (
            self._sends_by_kernel
            and 0 < self._left <= SENDFILE_PIECE_MAX_BYTES
            and transport.is_clear()
        ):
            # Most files that are not very large are taken at once: no producer is needed then.
            self._send_piece()
            if self._done is None:
                return
        if self._left:
            self._is_registered = True
            transport.registerProducer(self, False)
        else:
            self._finish(None)

    # IPullProducer

    def resumeProducing(self) -> None:
        """
        Send the next piece: the transport has room.
        """
        if self._done is None:
            return
        if not self._left:
            # The piece before was the last, and has been taken.
            self._complete()
        elif not self._sends_by_kernel:
            self._read_piece()
        elif self._transport.is_drained:
            self._send_piece()
        # Otherwise the head is still queued, and we are called again when it is gone.

    def stopProducing(self) -> None:
        """
        The connection is lost.
        """
        self._finish(TransferStoppedError(f"{self._left} bytes were not sent"))

    def stop(self) -> None:
        """
        Give up: the message is cut, so the connection is aborted.
        """
        self._fail(TransferStoppedError(f"{self._left} bytes were not sent"))

    # Behind the interface

    def _send_piece(self) -> None:
        transport = self._transport
        is_courteous = self._gives_way is not None and self._gives_way()
        most = COURTEOUS_PIECE_MAX_BYTES if is_courteous else SENDFILE_PIECE_MAX_BYTES
        try:
            transport.hold_back(is_courteous)
            taken = transport.send_file_part(self._fd, self._next, min(self._left, most))
        except OSError as refused:
            if refused.errno in _UNSUPPORTED:
                self._sends_by_kernel = False
                if self._is_registered:
                    self._read_piece()
            else:
                self._fail(refused)
            return
        if taken is None:
            self._await_room()
        elif taken == 0:
            self._fail(FileTruncatedError(f"the file ended {self._left} bytes early"))
        else:
            self._count(taken)
            if self._done is None:
                return  # on_progress gave up
            if self._left:
                self._await_room()
            else:
                self._complete()

    def _await_room(self) -> None:
        if self._is_registered:
            self._transport.await_room()

    def _read_piece(self) -> None:
        try:
            piece = os.pread(self._fd, min(self._left, READ_PIECE_MAX_BYTES), self._next)
        except OSError as refused:
            self._fail(refused)
            return
        if not piece:
            self._fail(FileTruncatedError(f"the file ended {self._left} bytes early"))
            return
        self._transport.write(piece)
        self._count(len(piece))

    def _count(self, taken: int) -> None:
        self._next += taken
        self._left -= taken
        self.sent += taken
        if self._on_progress is not None:
            self._on_progress(self.sent)

    def _complete(self) -> None:
        if self._is_registered:
            self._transport.unregisterProducer()
        self._finish(None)

    def _fail(self, why: Exception) -> None:
        if self._done is None:
            return
        if self._is_registered:
            self._transport.unregisterProducer()
        self._transport.abortConnection()
        self._finish(why)

    def _finish(self, why: Exception | None) -> None:
        done, self._done = self._done, None
        if done is not None:
            done(why)


def send_file(
    transport: Any,
    fd: int,
    start: int,
    length: int,
    head: bytes = b"",
    on_progress: Callable[[int], None] | None = None,
) -> Deferred[int]:
    """
    Send a range of a file.

    @param transport: as for L{FileTransfer}.
    @param fd: likewise.
    @param start: likewise.
    @param length: likewise.
    @param head: what to send before it.
    @param on_progress: as for L{FileTransfer}.
    @return: fires with C{length} when the transport has taken it all, or fails with what C{done}
        of L{FileTransfer} is notified. Cancelling it aborts the connection.
    """

    def done(why: Exception | None) -> None:
        if why is None:
            finished.callback(length)
        else:
            finished.errback(why)

    transfer = FileTransfer(transport, fd, start, length, done, on_progress)
    finished: Deferred[int] = Deferred(lambda _: transfer.stop())
    transfer.begin(head)
    return finished
