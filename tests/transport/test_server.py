"""
What the fast transport does that Twisted's own does not. The rest is in test_both.
"""

from __future__ import annotations

import contextlib
import gc
import socket
import weakref
from typing import Any

from twisted.internet import error
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from netlab.transport.server import FastServer
from tests.transport.connections import ConnectionTestCase, Recorder, reset
from tests.transport.descriptors import Watchers
from tests.transport.test_reception import PoorSocket
from tests.transport.traffic import MUCH, Valve


class Room(Watchers):
    """
    A reactor that also remembers who waits for room.
    """

    def __init__(self) -> None:
        super().__init__()
        self.writers: list[Any] = []

    def addWriter(self, writer: Any) -> None:
        """Remember it, once."""
        if writer not in self.writers:
            self.writers.append(writer)

    def removeReader(self, reader: Any) -> None:
        """Forget it, if it is there."""
        if reader in self.readers:
            self.readers.remove(reader)

    def removeWriter(self, writer: Any) -> None:
        """Forget it, if it is there."""
        if writer in self.writers:
            self.writers.remove(writer)


class FastServerTests(SynchronousTestCase):
    """
    A transport in a reactor that does nothing by itself.
    """

    def setUp(self) -> None:
        """
        One connection.
        """
        listener = socket.create_server(("127.0.0.1", 0))
        self.peer = socket.create_connection(listener.getsockname())
        accepted, client = listener.accept()
        listener.close()
        self.addCleanup(self.peer.close)
        self.addCleanup(accepted.close)
        self.peer.setblocking(False)
        self.accepted = accepted
        self.reactor: Any = Room()
        self.protocol = Recorder()
        port: Any = None
        self.transport = FastServer(accepted, self.protocol, client, port, 3, self.reactor)
        self.protocol.makeConnection(self.transport)

    def fill(self) -> bytes:
        """
        Write until the kernel has no room.

        @return: all that was written.
        """
        written = b""
        while self.transport.is_drained:
            self.transport.write(MUCH)
            written += MUCH
        return written

    def drain(self, count: int) -> bytes:
        """
        Read so much as the peer while the transport writes.
        """
        parts = bytearray()
        while len(parts) < count:
            try:
                parts += self.peer.recv(1 << 20)
            except BlockingIOError:
                self.assertEqual([self.transport], self.reactor.writers)
                self.assertEqual(None, self.transport.doWrite())
        return bytes(parts)

    def test_at_once(self) -> None:
        """
        What is written is with the kernel when write returns, and nobody waits for room.
        """
        self.transport.write(b"one ")
        self.transport.writeSequence([b"two ", b"three"])
        self.transport.write_more(b"")
        self.assertEqual(b"one two three", self.peer.recv(100))
        self.assertEqual([], self.reactor.writers)

    def test_partial(self) -> None:
        """
        What the kernel does not take is queued, and later writes wait behind it.
        """
        written = self.fill()
        self.assertEqual([self.transport], self.reactor.writers)
        self.transport.write(b"one ")
        self.transport.write_more(b"two ")
        self.transport.writeSequence([b"three"])
        written += b"one two three"
        self.assertTrue(self.drain(len(written)) == written)
        self.assertEqual(None, self.transport.doWrite())
        self.assertTrue(self.transport.is_drained)
        self.assertEqual([], self.reactor.writers)
        self.transport.write(b"at once again")
        self.assertEqual(b"at once again", self.peer.recv(100))

    def test_no_room_at_all(self) -> None:
        """
        A write that the kernel refuses for want of room is queued whole.
        """
        taken = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                taken += self.accepted.send(b"x" * 65536)
        self.transport.write(b"refused")
        self.assertEqual((b"refused", 0), (self.transport.dataBuffer, self.transport.offset))
        self.assertEqual([self.transport], self.reactor.writers)
        self.assertTrue(self.drain(taken + 7).endswith(b"xrefused"))

    def test_large_write_is_bounded(self) -> None:
        """
        One write offers the kernel no more than Twisted's doWrite would.
        """
        self.transport.write(MUCH)
        self.assertLessEqual(self.transport.offset, self.transport.SEND_LIMIT)
        self.assertFalse(self.transport.is_drained)

    def test_queue_is_not_copied(self) -> None:
        """
        What is left of a large write is the caller's own object.
        """
        self.transport.write(MUCH)
        self.assertIs(MUCH, self.transport.dataBuffer)

    def test_pull_producer_writes_wait(self) -> None:
        """
        While a pull producer is registered writes are queued, so that the producer is asked again.
        """
        self.transport.registerProducer(Valve(), False)
        self.transport.write(b"queued")
        self.assertRaises(BlockingIOError, self.peer.recv, 100)
        self.assertEqual([self.transport], self.reactor.writers)

    def test_reset_inside_write(self) -> None:
        """
        A write that finds the connection gone says nothing; doWrite and doRead both report it.
        """
        reset(self.peer)
        self.transport.write(b"x")
        self.transport.write(b"y")
        self.assertEqual([], self.protocol.lost)
        self.assertIsInstance(self.transport.doWrite(), error.ConnectionLost)
        self.assertIsInstance(self.transport.doRead(), error.ConnectionLost)

    def test_nothing_to_read(self) -> None:
        """
        A turn with nothing to read reads nothing.
        """
        self.assertEqual(None, self.transport.doRead())
        self.assertEqual(0, self.protocol.deliveries)

    def test_says_what_it_leaves(self) -> None:
        """
        A delivery that fills the buffer, or that the kernel had no memory for, may have left
        something, and that is said; any other has not.
        """
        said: list[object] = []
        self.reactor.look_again = said.append
        self.transport.bufferSize = 4
        for data, times in ((b"abcd", 1), (b"efg", 0)):
            self.peer.send(data)
            self.assertEqual(None, self.transport.doRead())
            self.assertEqual([self.transport] * times, said)
            said.clear()
        self.assertEqual(None, self.transport.doRead())
        self.assertEqual([], said)
        poor: Any = PoorSocket(self.accepted, "recv")
        self.transport.socket = poor
        self.assertEqual(None, self.transport.doRead())
        self.assertEqual([self.transport], said)
        self.assertEqual(b"abcdefg", self.protocol.received)

    def test_closes_at_end_of_delivery(self) -> None:
        """
        After loseConnection in a delivery doRead itself reports the end: no further turn.
        """
        self.protocol.on_data = lambda protocol, _data: protocol.transport.loseConnection()
        self.peer.send(b"x")
        self.assertIsInstance(self.transport.doRead(), error.ConnectionDone)

    def test_exception_after_close(self) -> None:
        """
        An exception after loseConnection in a delivery goes to the reactor.
        """

        def act(protocol: Any, _data: bytes) -> None:
            protocol.transport.loseConnection()
            raise ZeroDivisionError

        self.protocol.on_data = act
        self.peer.send(b"x")
        self.assertRaises(ZeroDivisionError, self.transport.doRead)
        self.assertFalse(self.transport._delivery)

    def test_attributes(self) -> None:
        """
        A connection that has only answered carries nothing that it has not needed.
        """
        self.protocol.on_data = lambda protocol, data: protocol.transport.write(data)
        self.peer.send(b"x")
        self.transport.doRead()
        self.assertEqual(
            {
                "_delivery",
                "_is_direct",
                "_is_watched",
                "bufferSize",
                "client",
                "connected",
                "protocol",
                "reactor",
                "server",
                "sessionno",
                "socket",
            },
            set(vars(self.transport)),
        )

    def test_no_cycle_left(self) -> None:
        """
        A connection that ended is freed without the cycle collector, once its protocol lets go.
        """
        self.addCleanup(gc.enable)
        gc.disable()
        self.transport.connectionLost(_done())
        transport = weakref.ref(self.transport)
        self.protocol.transport = None
        del self.transport
        self.assertEqual(None, transport())

    def test_texts_after_loss(self) -> None:
        """
        The texts for the log can still be asked for when the connection is lost.
        """
        self.assertEqual("Recorder,3,127.0.0.1", self.transport.logstr)
        self.transport.connectionLost(_done())
        self.assertIn(",3,127.0.0.1", self.transport.logPrefix())
        self.assertIn("#3", repr(self.transport))


class FullBufferTests(ConnectionTestCase):
    """
    Deliveries that fill the buffer.
    """

    def send_much(self, protocol: Any) -> tuple[Any, bytes]:
        """
        Send what fills the buffer of a connection three times and a little more, at once.

        @return: the connection and what was sent.
        """
        protocol, client = self.connected(protocol)
        protocol.transport.bufferSize = 1000
        self.turn(3)
        sent = MUCH[:3010]
        self.assertEqual(len(sent), client.send(sent))
        return client, sent

    def test_nothing_left(self) -> None:
        """
        All is delivered, though nothing more comes.
        """
        protocol = Recorder()
        _, sent = self.send_much(protocol)
        self.turn_until(lambda: len(protocol.received) >= len(sent))
        self.assertEqual((sent, 4), (protocol.received, protocol.deliveries))

    def test_exactly_full(self) -> None:
        """
        A delivery that fills the buffer is the last where nothing is behind it.
        """
        protocol, client = self.connected(Recorder())
        protocol.transport.bufferSize = 1000
        client.send(bytes(1000))
        self.turn_until(lambda: protocol.received)
        self.turn(3)
        self.assertEqual((bytes(1000), 1), (protocol.received, protocol.deliveries))
        client.send(b"more")
        self.turn_until(lambda: protocol.deliveries == 2)

    def test_end_behind_it(self) -> None:
        """
        The end of the stream behind such deliveries is told.
        """
        protocol = Recorder()
        client, sent = self.send_much(protocol)
        client.close()
        self.turn_until(lambda: protocol.lost)
        self.assertEqual((sent, 4), (protocol.received, protocol.deliveries))
        self.assertEqual([error.ConnectionDone], protocol.reasons)

    def test_paused_at_each(self) -> None:
        """
        A protocol that pauses at each delivery gets the next one when it resumes, and not before.
        """
        protocol: Any = Recorder(lambda it, _: it.transport.pauseProducing())
        _, sent = self.send_much(protocol)
        for deliveries in (1, 2, 3, 4):
            self.turn_until(lambda deliveries=deliveries: protocol.deliveries == deliveries)  # type: ignore[misc]
            self.turn(3)
            self.assertEqual(deliveries, protocol.deliveries)
            protocol.transport.resumeProducing()
        self.assertEqual(sent, protocol.received)

    def test_upgraded_in_between(self) -> None:
        """
        What is left behind the delivery in which the protocol is exchanged reaches the new one.
        """
        latter = Recorder()

        def exchange(former: Any, _data: bytes) -> None:
            former.transport.protocol = latter
            latter.makeConnection(former.transport)

        former = Recorder(exchange)
        _, sent = self.send_much(former)
        self.turn_until(lambda: len(former.received + latter.received) >= len(sent))
        self.assertEqual(sent, former.received + latter.received)
        self.assertEqual((1, 3), (former.deliveries, latter.deliveries))


class FullBufferWithoutPollerTests(FullBufferTests):
    """
    The same straight in Twisted's epoll reactor.
    """

    has_poller = False


def _done() -> Failure:
    return Failure(error.ConnectionDone())
