"""
Ranges of files, sent over real connections.
"""

from __future__ import annotations

import errno
import os
import socket
import tempfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet import error, tcp
from twisted.internet.interfaces import IPullProducer
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from netlab.transport import sendfile
from netlab.transport.filetransport import UNSENT_MAX_BYTES
from netlab.transport.port import FastPort
from netlab.transport.sendfile import (
    FileTransfer,
    FileTruncatedError,
    TransferStoppedError,
    send_file,
)
from tests.transport.connections import ConnectionTestCase, Recorder, reset
from tests.transport.traffic import MUCH

TEXT = b"0123456789abcdef" * 64


def file_of(case: SynchronousTestCase, content: bytes) -> int:
    """
    Make a file that nobody else has.

    @return: its descriptor, closed when the test is over.
    """
    file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 (closed by the test case)
    case.addCleanup(file.close)
    file.write(content)
    file.seek(7)
    return file.fileno()


if TYPE_CHECKING:
    _Cases = ConnectionTestCase
else:
    # Not a test case by itself: the classes below are.
    _Cases = object


class SendFileMixin(_Cases):
    """
    The cases; each runs with sendfile(2) and without.
    """

    outcomes: list[Exception | None]
    progress: list[int]

    def transfer(self, transport: Any, fd: int, start: int, length: int) -> FileTransfer:
        """
        Prepare a transfer that keeps its outcome and progress.
        """
        self.outcomes = []
        self.progress = []
        return FileTransfer(
            transport, fd, start, length, self.outcomes.append, self.progress.append
        )

    def test_interface(self) -> None:
        """
        A transfer is a pull producer.
        """
        verifyObject(IPullProducer, self.transfer(StringTransport(), 0, 0, 0))

    def test_whole(self) -> None:
        """
        The head, then the file; the descriptor's own position does not matter and stays.
        """
        protocol, client = self.connected(Recorder())
        fd = file_of(self, TEXT)
        self.transfer(protocol.transport, fd, 0, len(TEXT)).begin(b"head ")
        self.assertEqual(b"head " + TEXT, self.read_bytes(client, 5 + len(TEXT)))
        self.turn_until(lambda: self.outcomes)
        self.assertEqual(([None], [len(TEXT)]), (self.outcomes, self.progress))
        self.assertEqual(7, os.lseek(fd, 0, os.SEEK_CUR))
        protocol.transport.write(b"after")
        self.assertEqual(b"after", self.read_bytes(client, 5))

    def test_part(self) -> None:
        """
        A range begins and ends where it was told to.
        """
        protocol, client = self.connected(Recorder())
        self.transfer(protocol.transport, file_of(self, TEXT), 10, 6).begin()
        self.assertEqual(b"abcdef", self.read_bytes(client, 6))
        self.turn_until(lambda: self.outcomes)
        self.turn(3)
        self.assertRaises(BlockingIOError, client.recv, 1)

    def test_nothing(self) -> None:
        """
        An empty range is the head alone, and is done at once.
        """
        protocol, client = self.connected(Recorder())
        self.transfer(protocol.transport, file_of(self, b""), 0, 0).begin(b"head")
        self.assertEqual([None], self.outcomes)
        self.assertEqual(b"head", self.read_bytes(client, 4))

    def test_slow_reader(self) -> None:
        """
        A large file reaches a slow reader whole, piece by piece, behind what was queued before.
        """
        protocol, client = self.connected(Recorder(), receive_buffer=65536)
        protocol.transport.write(MUCH)
        self.transfer(protocol.transport, file_of(self, MUCH), 0, len(MUCH)).begin(b"head")
        self.turn(5)
        self.assertEqual([], self.outcomes)
        wanted = MUCH + b"head" + MUCH
        self.assertTrue(self.read_bytes(client, len(wanted)) == wanted)
        self.turn_until(lambda: self.outcomes)
        self.assertEqual([None], self.outcomes)
        self.assertGreater(len(self.progress), 1)
        self.assertEqual(sorted(set(self.progress)), self.progress)
        self.assertEqual(len(MUCH), self.progress[-1])

    def test_one_after_the_other(self) -> None:
        """
        When one range is done the next may begin at once.
        """
        protocol, client = self.connected(Recorder(), receive_buffer=65536)
        fd = file_of(self, MUCH)
        sent: list[Exception | None] = []

        def go_on(why: Exception | None) -> None:
            sent.append(why)
            if len(sent) < 4:
                size = len(MUCH) if len(sent) % 2 else len(TEXT)
                FileTransfer(protocol.transport, fd, 0, size, go_on).begin(b"%d" % len(sent))

        go_on(None)
        wanted = b"1" + MUCH + b"2" + MUCH[: len(TEXT)] + b"3" + MUCH
        self.assertTrue(self.read_bytes(client, len(wanted)) == wanted)
        self.turn_until(lambda: len(sent) == 4)
        self.assertEqual([None] * 4, sent)

    def test_close_when_done(self) -> None:
        """
        A connection may be closed from the outcome; all that was sent arrives.
        """
        for content in (TEXT, MUCH):
            fd = file_of(self, content)

            def answer(protocol: Any, _data: bytes, fd: int = fd, size: int = len(content)) -> None:
                FileTransfer(
                    protocol.transport,
                    fd,
                    0,
                    size,
                    lambda _why: protocol.transport.loseConnection(),
                ).begin(b"head")

            protocol, client = self.connected(Recorder(answer))
            client.send(b"?")
            self.assertTrue(self.read_to_end(client) == b"head" + content)
            self.turn_until(lambda protocol=protocol: protocol.lost)  # type: ignore[misc]
            self.assertEqual([error.ConnectionDone], protocol.reasons)

    def test_close_write_when_done(self) -> None:
        """
        So may its writing half.
        """
        protocol, client = self.connected(Recorder())
        FileTransfer(
            protocol.transport,
            file_of(self, MUCH),
            0,
            len(MUCH),
            lambda _why: protocol.transport.loseWriteConnection(),
        ).begin()
        self.assertTrue(self.read_to_end(client) == MUCH)

    def test_close_meanwhile(self) -> None:
        """
        Closing asked for during the transfer waits for its end.
        """
        protocol, client = self.connected(Recorder(), receive_buffer=65536)
        self.transfer(protocol.transport, file_of(self, MUCH), 0, len(MUCH)).begin(b"head")
        protocol.transport.loseConnection()
        self.assertTrue(self.read_to_end(client) == b"head" + MUCH)
        self.assertEqual([None], self.outcomes)

    # Trouble

    def test_short_file(self) -> None:
        """
        A file shorter than promised aborts the connection: nothing is padded, nothing waits.
        """
        protocol, client = self.connected(Recorder())
        fd = file_of(self, TEXT)
        self.transfer(protocol.transport, fd, 0, len(TEXT) + 1).begin()
        self.assertRaises(ConnectionResetError, self.read_to_end, client)
        self.turn_until(lambda: protocol.lost)
        (why,) = self.outcomes
        self.assertIsInstance(why, FileTruncatedError)
        self.assertEqual([error.ConnectionAborted], protocol.reasons)

    def test_shrinking_file(self) -> None:
        """
        So does a file that is cut while it is sent.
        """
        protocol, client = self.connected(Recorder(), receive_buffer=65536)
        fd = file_of(self, MUCH + MUCH)
        self.transfer(protocol.transport, fd, 0, 2 * len(MUCH)).begin()
        self.turn(3)
        os.ftruncate(fd, self.progress[-1] + 10)
        self.assertRaises(ConnectionResetError, self.read_to_end, client)
        self.turn_until(lambda: self.outcomes)
        self.assertIsInstance(self.outcomes[0], FileTruncatedError)

    def test_unreadable_file(self) -> None:
        """
        A file that cannot be read aborts the connection and tells the error.
        """
        protocol, client = self.connected(Recorder())
        fd = os.open(os.curdir, os.O_RDONLY)
        self.addCleanup(os.close, fd)
        self.transfer(protocol.transport, fd, 0, 100).begin()
        self.assertRaises(ConnectionResetError, self.read_to_end, client)
        (why,) = self.outcomes
        self.assertIsInstance(why, IsADirectoryError)

    def test_peer_leaves(self) -> None:
        """
        When the connection is lost the descriptor is given back, once, before connectionLost.
        """
        protocol, client = self.connected(Recorder(), receive_buffer=65536)
        given_back: list[int] = []
        protocol.on_lost = lambda _protocol: given_back.append(len(self.outcomes))
        transfer = self.transfer(protocol.transport, file_of(self, MUCH), 0, len(MUCH))
        transfer.begin(b"head")
        self.turn(3)
        reset(client)
        self.turn_until(lambda: protocol.lost)
        self.turn(3)
        transfer.stopProducing()
        transfer.resumeProducing()
        transfer.stop()
        (why,) = self.outcomes
        self.assertIsInstance(why, TransferStoppedError)
        self.assertEqual(([1], [error.ConnectionLost]), (given_back, protocol.reasons))

    def test_begin_after_reset(self) -> None:
        """
        A transfer to a peer that is gone ends with the connection, not inside the call.
        """
        protocol, client = self.connected(Recorder())
        reset(client)
        transfer = self.transfer(protocol.transport, file_of(self, TEXT), 0, len(TEXT))
        transfer.begin(b"head")
        self.assertEqual([], protocol.lost)
        self.turn_until(lambda: protocol.lost)
        self.assertEqual((1, [error.ConnectionLost]), (len(self.outcomes), protocol.reasons))

    def test_begin_after_loss(self) -> None:
        """
        A transfer on a lost connection stops at once.
        """
        protocol, client = self.connected(Recorder())
        transport = protocol.transport
        client.close()
        self.turn_until(lambda: protocol.lost)
        self.transfer(transport, file_of(self, TEXT), 0, len(TEXT)).begin(b"head")
        (why,) = self.outcomes
        self.assertIsInstance(why, TransferStoppedError)

    def test_stop(self) -> None:
        """
        A transfer that is stopped aborts the connection: the message is cut.
        """
        protocol, client = self.connected(Recorder(), receive_buffer=65536)
        transfer = self.transfer(protocol.transport, file_of(self, MUCH), 0, len(MUCH))
        transfer.begin()
        self.turn(3)
        transfer.stop()
        self.assertIsInstance(self.outcomes[0], TransferStoppedError)
        self.assertRaises(ConnectionResetError, self.read_to_end, client)
        self.assertEqual((1, [error.ConnectionAborted]), (len(self.outcomes), protocol.reasons))

    def test_stop_in_progress(self) -> None:
        """
        A transfer may be stopped by whoever is told of its progress.
        """
        protocol, client = self.connected(Recorder(), receive_buffer=65536)
        outcomes: list[Exception | None] = []
        transfer = FileTransfer(
            protocol.transport,
            file_of(self, MUCH),
            0,
            len(MUCH),
            outcomes.append,
            lambda _sent: transfer.stop(),
        )
        transfer.begin()
        self.assertRaises(ConnectionResetError, self.read_to_end, client)
        self.turn_until(lambda: protocol.lost)
        self.assertEqual(1, len(outcomes))

    # As a Deferred

    def test_deferred(self) -> None:
        """
        The Deferred fires with the length when all is taken.
        """
        protocol, client = self.connected(Recorder())
        sent = send_file(protocol.transport, file_of(self, TEXT), 0, len(TEXT), b"head ")
        self.assertEqual(b"head " + TEXT, self.read_bytes(client, 5 + len(TEXT)))
        self.turn(3)
        self.assertEqual(len(TEXT), self.successResultOf(sent))

    def test_deferred_fails(self) -> None:
        """
        The Deferred fails with the reason.
        """
        protocol, _ = self.connected(Recorder())
        sent = send_file(protocol.transport, file_of(self, b""), 0, 1)
        self.failureResultOf(sent, FileTruncatedError)

    def test_deferred_cancelled(self) -> None:
        """
        Cancelling the Deferred aborts the connection.
        """
        protocol, client = self.connected(Recorder(), receive_buffer=65536)
        sent = send_file(protocol.transport, file_of(self, MUCH), 0, len(MUCH))
        sent.cancel()
        self.failureResultOf(sent, TransferStoppedError)
        self.assertRaises(ConnectionResetError, self.read_to_end, client)


class KernelTests(SendFileMixin, ConnectionTestCase):
    """
    By sendfile(2), on the fast path.
    """

    port_class = FastPort

    def test_bounded(self) -> None:
        """
        A turn sends one piece of bounded size, however much room there is.
        """
        self.patch(sendfile, "SENDFILE_PIECE_MAX_BYTES", 100)
        protocol, client = self.connected(Recorder())
        self.transfer(protocol.transport, file_of(self, TEXT), 0, 250).begin()
        self.assertEqual([100], self.progress)
        self.turn()
        self.assertEqual([100, 200], self.progress)
        self.turn()
        self.assertEqual(([100, 200, 250], [None]), (self.progress, self.outcomes))
        self.turn(2)
        self.assertEqual([], self.watcher.getWriters())
        self.assertEqual(TEXT[:250], self.read_bytes(client, 250))

    def test_gives_way(self) -> None:
        """
        While others wait the pieces are small, and the kernel is to hold little that it cannot send
        yet; when nobody waits any longer both is as before.
        """
        lowat = getattr(socket, "TCP_NOTSENT_LOWAT", None)
        if lowat is None:
            self.skipTest("this kernel has no such bound")
        self.patch(sendfile, "COURTEOUS_PIECE_MAX_BYTES", 100)
        protocol, client = self.connected(Recorder())
        connection = protocol.transport.socket
        usual = connection.getsockopt(socket.IPPROTO_TCP, lowat)
        waits = [True, True, False]
        progress: list[int] = []
        bounds: list[int] = []

        def progressed(sent: int) -> None:
            progress.append(sent)
            bounds.append(connection.getsockopt(socket.IPPROTO_TCP, lowat))

        outcomes: list[Exception | None] = []
        FileTransfer(
            protocol.transport,
            file_of(self, TEXT),
            0,
            len(TEXT),
            outcomes.append,
            progressed,
            lambda: waits.pop(0),
        ).begin()
        self.turn_until(lambda: outcomes)
        self.assertEqual([100, 200, len(TEXT)], progress)
        self.assertEqual([UNSENT_MAX_BYTES, UNSENT_MAX_BYTES, usual], bounds)
        self.assertEqual(TEXT, self.read_bytes(client, len(TEXT)))

    def test_gives_way_to_the_end(self) -> None:
        """
        A slow reader gets all of a file that gives way all the time.
        """
        protocol, client = self.connected(Recorder(), receive_buffer=4096)
        outcomes: list[Exception | None] = []
        file = file_of(self, MUCH)
        FileTransfer(
            protocol.transport, file, 0, len(MUCH), outcomes.append, None, lambda: True
        ).begin()
        self.assertTrue(self.read_bytes(client, len(MUCH)) == MUCH)
        self.turn_until(lambda: outcomes)
        self.assertEqual([None], outcomes)

    def test_not_supported(self) -> None:
        """
        Where sendfile(2) cannot serve, from the start or suddenly, the file is read instead.
        """
        kernels = os.sendfile
        for allowed in (0, 1):
            calls: list[int] = []

            def refuse(*args: Any, allowed: int = allowed, calls: list[int] = calls) -> int:
                calls.append(1)
                if len(calls) > allowed:
                    raise OSError(errno.EINVAL, "not this file")
                return kernels(*args)

            self.patch(os, "sendfile", refuse)
            protocol, client = self.connected(Recorder(), receive_buffer=65536)
            self.transfer(protocol.transport, file_of(self, MUCH), 0, len(MUCH)).begin(b"head")
            self.assertTrue(self.read_bytes(client, 4 + len(MUCH)) == b"head" + MUCH)
            self.turn_until(lambda: self.outcomes)
            self.assertEqual([None], self.outcomes)
            self.assertEqual(allowed + 1, len(calls))

    def test_absent(self) -> None:
        """
        Where there is no sendfile(2) the file is read.
        """
        self.patch(os, "sendfile", None)
        del os.sendfile
        protocol, client = self.connected(Recorder())
        self.transfer(protocol.transport, file_of(self, TEXT), 0, len(TEXT)).begin(b"head")
        self.assertEqual(b"head" + TEXT, self.read_bytes(client, 4 + len(TEXT)))


class ReadingTests(SendFileMixin, ConnectionTestCase):
    """
    By reading, on Twisted's own transport.
    """

    port_class = tcp.Port


class MemoryTests(SynchronousTestCase):
    """
    On a transport that is no socket at all.
    """

    def test_pieces(self) -> None:
        """
        The file is read in pieces of bounded size, one each time the consumer asks.
        """
        self.patch(sendfile, "READ_PIECE_MAX_BYTES", 600)
        transport: Any = StringTransport()
        outcomes: list[Exception | None] = []
        act: Callable[..., None] = outcomes.append
        FileTransfer(transport, file_of(self, TEXT), 0, len(TEXT), act).begin(b"head ")
        self.assertEqual(b"head ", transport.value())
        transport.producer.resumeProducing()
        self.assertEqual(b"head " + TEXT[:600], transport.value())
        transport.producer.resumeProducing()
        self.assertEqual(b"head " + TEXT, transport.value())
        self.assertEqual([], outcomes)
        transport.producer.resumeProducing()
        self.assertEqual(([None], None), (outcomes, transport.producer))
