"""
Tests for L{netlab.transport.client}.
"""

from __future__ import annotations

import socket
import struct
from typing import Any

from twisted.internet import error
from twisted.internet.interfaces import IReactorPluggableNameResolver, IReactorTCP
from twisted.internet.protocol import ClientFactory
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from netlab.transport.client import ConnectingReactor, FastClient, connecting_reactor
from netlab.transport.disconnection import disconnect
from tests.transport.connections import Recorder
from tests.transport.test_server import Room

MUCH = b"0123456789abcdef" * 65536


class FastClientTests(SynchronousTestCase):
    """
    A client's transport in a reactor that does nothing by itself.
    """

    def setUp(self) -> None:
        """
        One connection.
        """
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        self.reactor: Any = Room()
        self.protocol = Recorder()
        factory: Any = ClientFactory()
        factory.buildProtocol = lambda address: self.protocol
        self.lost: list[Any] = []
        factory.clientConnectionLost = lambda connector, reason: self.lost.append(reason.type)
        host, port = listener.getsockname()
        connector: Any = ConnectingReactor(self.reactor).connectTCP(host, port, factory)
        self.reactor.advance(0)
        self.peer, _address = listener.accept()
        self.addCleanup(self.peer.close)
        self.transport = connector.transport
        while not self.transport.connected:
            self.transport.doWrite()
        self.addCleanup(self.transport.abortConnection)
        self.peer.setblocking(False)

    def test_at_once(self) -> None:
        """
        What is written is with the kernel when write returns; nobody waits for room.
        """
        self.assertIsInstance(self.transport, FastClient)
        self.transport.write(b"one ")
        self.transport.writeSequence([b"two ", b"three"])
        self.assertEqual(self.peer.recv(100), b"one two three")
        self.assertEqual(self.reactor.writers, [])

    def test_queued(self) -> None:
        """
        What the kernel does not take goes later, and in order.
        """
        written = b""
        while self.transport.is_drained:
            self.transport.write(MUCH)
            written += MUCH
        self.transport.write(b"the last")
        written += b"the last"
        received = bytearray()
        while len(received) < len(written):
            try:
                received += self.peer.recv(1 << 20)
            except BlockingIOError:
                self.assertEqual(self.reactor.writers, [self.transport])
                self.assertIsNone(self.transport.doWrite())
        self.assertEqual(bytes(received), written)

    def test_delivery(self) -> None:
        """
        What arrives is delivered.
        """
        self.peer.sendall(b"answer")
        self.assertIsNone(self.transport.doRead())
        self.assertEqual(self.protocol.received, b"answer")

    def test_end(self) -> None:
        """
        The server's end in order is one.
        """
        self.peer.shutdown(socket.SHUT_WR)
        self.assertIsInstance(self.transport.doRead(), error.ConnectionDone)

    def test_reset(self) -> None:
        """
        A reset whose error a send has taken is still one: the end of what came is not in order.
        """
        self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.peer.close()
        self.transport.write(b"into the void")
        over = self.transport.doRead()
        self.assertIsInstance(over, error.ConnectionLost)
        disconnect(self.reactor, self.transport, over, is_read=True)
        self.assertEqual(self.lost, [error.ConnectionLost])

    def test_close(self) -> None:
        """
        C{loseConnection} closes when all is sent, and the factory is told.
        """
        self.transport.write(b"bye")
        self.transport.loseConnection()
        over = self.transport.doWrite()
        self.assertIsInstance(over, error.ConnectionDone)
        disconnect(self.reactor, self.transport, over, is_read=False)
        self.assertEqual(self.lost, [error.ConnectionDone])
        self.assertEqual((self.peer.recv(10), self.peer.recv(10)), (b"bye", b""))


class ConnectingReactorTests(SynchronousTestCase):
    """
    Which reactor connects.
    """

    def test_others(self) -> None:
        """
        A reactor that connects in a way of its own, as those of tests do, goes on doing so.
        """
        reactor = MemoryReactorClock()
        self.assertIs(connecting_reactor(reactor), reactor)

    def test_interfaces(self) -> None:
        """
        What stands before a reactor provides what that does.
        """
        from twisted.internet import reactor

        made = connecting_reactor(reactor)
        self.assertIsInstance(made, ConnectingReactor)
        for interface in (IReactorTCP, IReactorPluggableNameResolver):
            self.assertTrue(interface.providedBy(made))
        self.assertEqual(made.seconds, reactor.seconds)
