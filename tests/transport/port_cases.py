"""
What a factory may rely on, on any port of ours: see test_both.
"""

from __future__ import annotations

import gc
import socket
from typing import Any

from twisted.internet import error

from tests.transport.connections import ConnectionCases, Recorder, no_descriptors
from tests.transport.traffic import echo


class PortMixin(ConnectionCases):
    """
    Accepting, refusing and stopping, and what a connection tells of itself.
    """

    def test_many(self) -> None:
        """
        Two hundred connections are all served.
        """
        port, factory = self.listen(lambda: Recorder(echo))
        clients: list[socket.socket] = []
        for _ in range(5):
            # Within the backlog, which is 50 here.
            clients += [self.connect(port) for _ in range(40)]
            self.turn_until(lambda: len(factory.built) == len(clients))  # noqa: B023 (called here)
        for number, client in enumerate(clients):
            client.send(b"%d" % number)
        for number, client in enumerate(clients):
            wanted = b"%d" % number
            self.assertEqual(wanted, self.read_bytes(client, len(wanted)))
        for client in clients:
            client.close()
        self.turn_until(lambda: all(protocol.lost for protocol in factory.built))
        self.assertEqual([[error.ConnectionDone]] * 200, [p.reasons for p in factory.built])

    def test_refused_by_factory(self) -> None:
        """
        A connection for which the factory builds nothing is closed.
        """
        port, _ = self.listen(lambda: None)
        client = self.connect(port)
        self.assertEqual(b"", self.read_to_end(client))

    def test_exception_in_factory(self) -> None:
        """
        An exception in buildProtocol is logged, and the port goes on.
        """

        def build() -> Recorder:
            if not attempts:
                attempts.append(1)
                raise ZeroDivisionError("of the application")
            return Recorder(echo)

        attempts: list[int] = []
        port, _ = self.listen(build)
        self.connect(port)
        second = self.connect(port)
        second.send(b"hello")
        self.assertEqual(b"hello", self.read_bytes(second, 5))
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))

    def test_out_of_descriptors(self) -> None:
        """
        While no descriptor is left, clients are turned away; afterwards they are served.
        """
        # Sockets that earlier tests left in cycles would give back descriptors in the middle.
        gc.collect()
        port, factory = self.listen(lambda: Recorder(echo))
        turned_away = [self.connect(port) for _ in range(3)]
        with no_descriptors(port.fileno()):
            ends = [self.read_to_end(client) for client in turned_away]
        self.assertEqual([b""] * 3, ends)
        self.assertEqual([], factory.built)
        client = self.connect(port)
        client.send(b"hello")
        self.assertEqual(b"hello", self.read_bytes(client, 5))

    def test_stop_listening(self) -> None:
        """
        A port that stopped accepts no more; its connections go on.
        """
        port, factory = self.listen(lambda: Recorder(echo))
        client = self.connect(port)
        self.turn_until(lambda: factory.built)
        host = port.getHost()
        stopped: list[object] = []
        port.stopListening().addCallback(stopped.append)
        self.turn_until(lambda: stopped)
        with socket.socket() as refused:
            self.assertNotEqual(0, refused.connect_ex((host.host, host.port)))
        client.send(b"hello")
        self.assertEqual(b"hello", self.read_bytes(client, 5))

    def test_addresses(self) -> None:
        """
        A connection knows both its ends, over IPv4 and IPv6.
        """
        for interface, kind in (("127.0.0.1", "IPv4Address"), ("::1", "IPv6Address")):
            port, factory = self.listen(Recorder, interface)
            client = self.connect(port)
            self.turn(3)
            transport = factory.built[0].transport
            self.assertEqual(kind, transport.getPeer().__class__.__name__)
            self.assertEqual(client.getsockname()[:2], _pair(transport.getPeer()))
            self.assertEqual(client.getpeername()[:2], _pair(transport.getHost()))
            self.assertEqual(interface, transport.hostname)

    def test_texts(self) -> None:
        """
        The texts for the log name the protocol, the connection's number and the peer.
        """
        port, factory = self.listen(Recorder)
        self.connect(port)
        self.turn_until(lambda: factory.built)
        transport = factory.built[0].transport
        self.assertEqual("Recorder,0,127.0.0.1", transport.logPrefix())
        self.assertEqual(f"<Recorder #0 on {port.getHost().port}>", repr(transport))

    def test_options(self) -> None:
        """
        TCP options can be read and set.
        """
        protocol, _ = self.connected(Recorder())
        transport = protocol.transport
        transport.setTcpNoDelay(False)
        self.assertFalse(transport.getTcpNoDelay())
        transport.setTcpKeepAlive(True)
        self.assertTrue(transport.getTcpKeepAlive())
        self.assertIsInstance(transport.getHandle(), socket.SocketType)


def _pair(host: Any) -> tuple[str, int]:
    return host.host, host.port
