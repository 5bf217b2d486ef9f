"""
Tests for L{netlab.transport.proxied}, on real connections of both transports.
"""

from __future__ import annotations

from typing import Any

from twisted.internet import tcp
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress, IStreamServerEndpoint
from twisted.internet.task import Clock
from zope.interface.verify import verifyObject

from netlab.factories import Factory
from netlab.transport import proxied
from netlab.transport.proxied import HEADER_SECONDS, ProxiedEndpoint, ProxiedFactory
from tests.transport.connections import ConnectionTestCase, HalfCloseableRecorder, Recorder
from tests.transport.test_proxyheader import V1_INET, V2_INET6


class PeerFactory(Factory[Recorder]):
    """
    Keeps the addresses that it is given.
    """

    noisy = False

    def __init__(self) -> None:
        self.peers: list[IAddress | None] = []
        self.built: list[HalfCloseableRecorder] = []
        self.takes_any = True

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """
        Keep the address.
        """
        self.peers.append(addr)
        if not self.takes_any:
            return None
        self.built.append(HalfCloseableRecorder())
        return self.built[-1]


class ProxiedTests(ConnectionTestCase):
    """
    Connections with a header before all else, on the fast path.
    """

    def setUp(self) -> None:
        """
        Listen.
        """
        super().setUp()
        self.clock = Clock()
        self.wrapped = PeerFactory()
        self.factory = ProxiedFactory(self.wrapped, self.clock)
        self.port: Any = self.port_class(0, self.factory, 50, "127.0.0.1", self.watcher)
        self.port.startListening()
        self._ports.append(self.port)

    def tearDown(self) -> None:
        """
        Nothing is left armed.
        """
        super().tearDown()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.factory.waiting, set())

    def test_introduced(self) -> None:
        """
        The protocol behind is made with the client's address, and has the transport to itself.
        """
        for header, peer in (
            (V1_INET, IPv4Address("TCP", "192.0.2.1", 56324)),
            (V2_INET6, IPv6Address("TCP", "2001:db8::1", 56324)),
        ):
            client = self.connect(self.port)
            client.send(header + b"hello")
            self.turn_until(lambda: self.wrapped.built and self.wrapped.built[-1].received)
            self.assertEqual(self.wrapped.peers.pop(), peer)
            protocol = self.wrapped.built.pop()
            self.assertEqual(protocol.received, b"hello")
            transport: Any = protocol.transport
            self.assertIs(transport.protocol, protocol)
            transport.write(b"and to you")
            self.assertEqual(self.read_bytes(client, 10), b"and to you")
            client.send(b", bye")
            self.turn_until(lambda protocol=protocol: protocol.deliveries == 2)  # type: ignore[misc]
            client.close()
            self.turn_until(lambda protocol=protocol: protocol.halves)  # type: ignore[misc]
            transport.loseConnection()
            self.turn_until(lambda protocol=protocol: protocol.lost)  # type: ignore[misc]

    def test_byte_by_byte(self) -> None:
        """
        A header may come in any number of deliveries.
        """
        client = self.connect(self.port)
        for byte in V1_INET:
            self.assertEqual(self.wrapped.built, [])
            client.send(bytes([byte]))
            self.turn(2)
        self.turn_until(lambda: self.wrapped.built)
        self.assertEqual(self.wrapped.built[0].received, b"")

    def test_proxy_itself(self) -> None:
        """
        Where the proxy speaks for itself the peer is the proxy.
        """
        client = self.connect(self.port)
        client.send(b"PROXY UNKNOWN\r\n")
        self.turn_until(lambda: self.wrapped.peers)
        peer: Any = self.wrapped.peers[0]
        self.assertEqual(peer.host, "127.0.0.1")

    def test_no_header(self) -> None:
        """
        Without a header there is no connection.
        """
        client = self.connect(self.port)
        client.send(b"GET / HTTP/1.1\r\n\r\n")
        self.turn_until(lambda: not self.factory.waiting)
        self.assertRaises(ConnectionError, self.read, client)
        self.assertEqual(self.wrapped.peers, [])

    def test_header_never_comes(self) -> None:
        """
        A header is waited for only so long.
        """
        client = self.connect(self.port)
        self.turn_until(lambda: self.factory.waiting)
        self.clock.advance(HEADER_SECONDS - 0.01)
        self.assertEqual(len(self.factory.waiting), 1)
        self.clock.advance(0.02)
        self.assertRaises(ConnectionError, self.read, client)

    def test_many_wait(self) -> None:
        """
        Only so many connections may wait for their header at a time.
        """
        self.patch(proxied, "WAITING_MAX", 2)
        first, second, third = (self.connect(self.port) for _ in range(3))
        self.assertRaises(ConnectionError, self.read, third)
        first.send(V1_INET)
        second.send(V1_INET)
        self.turn_until(lambda: len(self.wrapped.built) == 2)

    def test_client_vanishes(self) -> None:
        """
        A connection that ends before its header leaves nothing behind.
        """
        client = self.connect(self.port)
        self.turn_until(lambda: self.factory.waiting)
        client.close()
        self.turn_until(lambda: not self.factory.waiting)
        self.assertEqual(self.wrapped.peers, [])

    def test_port_closes(self) -> None:
        """
        When the port closes nobody is waited for.
        """
        client = self.connect(self.port)
        self.turn_until(lambda: self.factory.waiting)
        self.port.stopListening()
        self.assertRaises(ConnectionError, self.read, client)

    def test_nobody_behind(self) -> None:
        """
        A factory that wants no connection gets none.
        """
        self.wrapped.takes_any = False
        client = self.connect(self.port)
        client.send(V1_INET)
        self.assertEqual(self.read(client), b"")

    def test_endpoint(self) -> None:
        """
        The endpoint starts and stops the factory behind.
        """

        class Behind:
            """
            An endpoint that gives back the factory.
            """

            def listen(self, factory: Any) -> Any:
                """
                Give it back.
                """
                return factory

        endpoint = ProxiedEndpoint(Behind(), self.clock)  # type: ignore[arg-type]
        verifyObject(IStreamServerEndpoint, endpoint)
        factory: Any = endpoint.listen(self.wrapped)
        before = self.wrapped.numPorts
        factory.doStart()
        self.assertEqual(self.wrapped.numPorts, before + 1)
        factory.doStop()
        self.assertEqual(self.wrapped.numPorts, before)


class StockProxiedTests(ProxiedTests):
    """
    The same on Twisted's own transport.
    """

    port_class = tcp.Port
    has_poller = False
