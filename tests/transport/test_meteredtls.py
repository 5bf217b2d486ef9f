"""
Tests for L{netlab.transport.meteredtls}.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

from twisted.internet import tcp

from netlab.transport.certificates import RenewableTLSEndpoint
from netlab.transport.meteredtls import CountedConnection, MeteredTLSFactory
from netlab.transport.tls.channel import CONTENTLESS_RECORDS_MAX
from tests.transport.connections import Recorder
from tests.transport.tls.rawrecords import RecordWriter, secret_in
from tests.transport.tls.secured import SecureTestCase, issued
from tests.transport.tls.test_floods import await_arrival_at, send
from tests.transport.traffic import MUCH, echo


class MeteredTests(SecureTestCase):
    """
    Twisted's TLS on Twisted's own port.
    """

    port_class: Any = tcp.Port

    def setUp(self) -> None:
        """
        Make the endpoint whose certificate ports use.
        """
        super().setUp()
        _, folder = issued()
        self.endpoint: Any = RenewableTLSEndpoint(
            self.reactor, f"ssl:0:{folder}/key.pem:{folder}/cert.pem"
        )
        self.key_log = Path(self.mktemp())
        self.client_context.keylog_filename = str(self.key_log)

    def listen_for(self, factory: Any, interface: str = "127.0.0.1", **options: Any) -> Any:
        """
        Listen on a port that the kernel chooses.
        """
        secret: Any = MeteredTLSFactory(self.endpoint._certificate, factory, self.reactor)
        secret.noisy = False
        port = tcp.Port(0, secret, 50, interface, self.watcher)
        port.startListening()
        self._ports.append(port)
        return port

    def attacker(self, port: Any) -> tuple[Any, RecordWriter]:
        """
        Connect a client that will write its records by hand.
        """
        client: Any = self.connect(port)
        return client, RecordWriter(client.tls.cipher()[0], secret_in(self.key_log))

    def test_much(self) -> None:
        """
        All that is sent arrives, whole and in order, in both directions, and the end is told.
        """
        port, factory = self.listen(lambda: Recorder(echo))
        client, writer = self.attacker(port)
        records = b"".join(writer.record(MUCH[at : at + 5000]) for at in range(0, 1 << 20, 5000))
        send(client, records, self.turn)
        wanted = MUCH[: (1 << 20) // 5000 * 5000 + 5000]
        self.assertTrue(self.read_bytes(client, len(wanted)) == wanted)
        self.assertTrue(factory.built[0].received == wanted)

    def test_pause(self) -> None:
        """
        While the protocol has paused reading, what waits for its turn does not resume it.
        """
        port, factory = self.listen(
            lambda: Recorder(lambda protocol, _: protocol.transport.pauseProducing())
        )
        client, writer = self.attacker(port)
        send(client, b"".join(writer.record(b"x") for _ in range(100)))
        self.turn_until(lambda: factory.built and len(factory.built[0].received) == 100)
        send(client, writer.record(b"y"))
        self.turn(5)
        self.assertNotIn(b"y", factory.built[0].received)
        factory.built[0].transport.resumeProducing()
        self.turn_until(lambda: factory.built[0].received.endswith(b"y"))

    def test_key_updates(self) -> None:
        """
        KeyUpdates end the connection when there are too many in a row, and are harmless before.
        """
        port, factory = self.listen(lambda: Recorder(echo))
        client, writer = self.attacker(port)
        for number in range(3):
            records = [writer.key_update() for _ in range(CONTENTLESS_RECORDS_MAX)]
            send(client, b"".join(records) + writer.record(b"%d" % number))
        self.turn_until(lambda: factory.built and factory.built[0].received == b"012")
        send(client, b"".join(writer.key_update() for _ in range(1000)))
        protocol = factory.built[0]
        self.turn_until(lambda: protocol.lost)
        self.assertEqual(1, len(protocol.lost))

    def test_turns(self) -> None:
        """
        Records of one byte keep no other client waiting.
        """
        port, factory = self.listen(lambda: Recorder(echo))
        attackers = [self.attacker(port) for _ in range(10)]
        bystander: Any = self.connect(port)
        self.turn_until(lambda: len(factory.built) == len(attackers) + 1)
        for client, writer in attackers:
            send(client, b"".join(writer.record(b"x") for _ in range(500)))
        for protocol in factory.built[:-1]:
            await_arrival_at(protocol.transport.transport.socket)
        self.turn()
        bystander.send(b"?")
        await_arrival_at(factory.built[-1].transport.transport.socket)
        self.turn(3)
        self.assertEqual(b"?", self.read(bystander))
        received = [len(protocol.received) for protocol in factory.built[:-1]]
        self.assertLess(sum(received), 500 * len(attackers))
        self.turn_until(lambda: all(len(p.received) == 500 for p in factory.built[:-1]))

    def test_suites(self) -> None:
        """
        Of TLS 1.2 nothing without forward secrecy, no CBC and no SHA-1 is accepted.
        """
        port, _ = self.listen(Recorder)
        self.client_context.maximum_version = ssl.TLSVersion.TLSv1_2
        for suites in ("AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384"):
            self.client_context.set_ciphers(suites + ":@SECLEVEL=0")
            with self.assertRaises(ssl.SSLError) as refused:
                self.connect(port)
            self.assertIn("HANDSHAKE_FAILURE", str(refused.exception.reason))

    def test_counted(self) -> None:
        """
        What counts is otherwise the connection itself.
        """

        class Connection:
            name = "inner"

            def recv(self, most: int) -> bytes:
                return bytes(most)

        counted = CountedConnection(Connection())
        self.assertEqual((b"\0\0", "inner", 1), (counted.recv(2), counted.name, counted.contents))
