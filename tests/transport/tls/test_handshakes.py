"""
Tests for L{netlab.transport.tls.handshakes}.
"""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import Any

from OpenSSL import SSL
from twisted.internet import error
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher
from zope.interface import implementer

from netlab.transport.poller import NestedPoller
from netlab.transport.tls.channel import HANDSHAKE_RECORDS_MAX
from netlab.transport.tls.contexts import RenewableContext
from netlab.transport.tls.handshakes import (
    FAILURES_TOLD_SECONDS,
    HANDSHAKE_MAX_BYTES,
    PLAIN_HTTP_ANSWER,
    handshakes_max,
)
from netlab.transport.tls.secureserver import UNREAD_MAX_BYTES
from tests.transport.connections import Recorder, no_descriptors, reset
from tests.transport.tls.secured import SecureTestCase, client_context, issued, settings
from tests.transport.traffic import echo


class ClockedPoller(NestedPoller):
    """
    Watches sockets in real time, and keeps time by a clock of the test: what is to happen at once
    does.
    """

    def __init__(self, reactor: Any, clock: Clock) -> None:
        super().__init__(reactor)
        self._clock = clock

    def seconds(self) -> float:
        """
        Tell the clock's time.
        """
        now: float = self._clock.seconds()
        return now

    def callLater(self, delay: float, callable: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: A002
        """
        Call by the clock, or soon.
        """
        keeper: Any = self._reactor if delay < 1 else self._clock
        return keeper.callLater(delay, callable, *args, **kwargs)


class HandshakeTestCase(SecureTestCase):
    """
    One port whose handshakes are timed by a clock of the test.
    """

    def setUp(self) -> None:
        """
        Listen.
        """
        super().setUp()
        self.clock = Clock()
        self.watcher = ClockedPoller(self.reactor, self.clock)
        self.port, self.factory = self.listen(lambda: Recorder(echo))
        self.reception: Any = self.port._reception

    def hello(self) -> bytes:
        """
        Make the first flight of a client.
        """
        outgoing = ssl.MemoryBIO()
        tls = client_context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
        self.assertRaises(ssl.SSLWantReadError, tls.do_handshake)
        return outgoing.read()

    def come_plainly(self, data: bytes = b"") -> socket.socket:
        """
        Be a client that sends what the test says.
        """
        before = len(self.reception)
        client = self.connect_plainly(self.port)
        if data:
            client.send(data)
        self.turn_until(lambda: len(self.reception) > before)
        return client


class DeadlineTests(HandshakeTestCase):
    """
    Handshakes that do not go on.
    """

    def test_silent(self) -> None:
        """
        A client that says nothing is dropped when its time is up, and not before.
        """
        client = self.come_plainly()
        self.clock.advance(9.9)
        self.assertEqual(1, len(self.reception))
        self.clock.advance(0.1)
        self.assertEqual(b"", self.read(client))
        self.assertEqual((0, []), (len(self.reception), self.clock.getDelayedCalls()))

    def test_half_done(self) -> None:
        """
        So is one that has begun: it has as much time again, however little it sends.
        """
        hello = self.hello()
        client = self.come_plainly()
        self.clock.advance(9)
        client.send(hello[:5])
        self.turn_until(lambda: not self.reception._silent)
        for byte in hello[5:14]:
            client.send(bytes([byte]))
            self.turn(2)
            self.clock.advance(1)
        self.assertEqual(1, len(self.reception))
        self.clock.advance(1)
        self.assertEqual(b"", self.read(client))
        self.assertEqual(0, len(self.reception))

    def test_after_hello(self) -> None:
        """
        So is one that does not answer the server's flight.
        """
        client = self.come_plainly(self.hello())
        self.assertEqual(22, self.read(client)[0])
        self.clock.advance(10)
        self.assertEqual(0, len(self.reception))

    def test_one_after_the_other(self) -> None:
        """
        Each has its own time.
        """
        first = self.come_plainly()
        self.clock.advance(5)
        self.come_plainly()
        self.clock.advance(5)
        self.assertEqual(b"", self.read(first))
        self.assertEqual(1, len(self.reception))
        self.clock.advance(5)
        self.assertEqual(0, len(self.reception))

    def test_complete(self) -> None:
        """
        A handshake that is complete is not timed any more.
        """
        client = self.connect(self.port)
        self.turn_until(lambda: self.factory.built)
        self.assertEqual(0, len(self.reception))
        self.clock.advance(1000)
        client.send(b"hello")
        self.assertEqual(b"hello", self.read(client))

    def test_port_stops(self) -> None:
        """
        Those whose handshake is under way are dropped when the port stops; nothing is left.
        """
        client = self.come_plainly(self.hello())
        self.port.stopListening()
        self.turn_until(lambda: not self.port.connected)
        self.assertEqual((0, []), (len(self.reception), self.clock.getDelayedCalls()))
        self.read(client)
        self.assertEqual(b"", self.read(client))


class NumberTests(HandshakeTestCase):
    """
    Many handshakes at a time.
    """

    def test_silent_ones_give_way(self) -> None:
        """
        Beyond the bound the oldest of those that have sent nothing is dropped, and others are
        served.
        """
        self.reception._most = 20
        speaking = self.come_plainly(self.hello())
        silent = []
        for _ in range(60):
            silent.append(self.connect_plainly(self.port))
            # The backlog is 50.
            self.turn()
            self.turn_until(lambda: self.port._gathering is None)
        self.turn_until(lambda: len(self.reception) == 20)
        client = self.connect(self.port)
        client.send(b"hello")
        self.assertEqual(b"hello", self.read(client))
        self.assertEqual(b"", self.read(silent[0]))
        self.assertRaises(BlockingIOError, silent[-1].recv, 1)
        self.assertEqual(22, self.read(speaking)[0])

    def test_oldest_gives_way(self) -> None:
        """
        Where all have begun, the oldest is dropped.
        """
        self.reception._most = 3
        clients = [self.come_plainly(self.hello()) for _ in range(3)]
        self.connect_plainly(self.port)
        self.read(clients[0])
        self.assertEqual(b"", self.read(clients[0]))
        self.assertEqual(3, len(self.reception))

    def test_room_of_the_factory(self) -> None:
        """
        A factory may have room for fewer; when that shrinks, the oldest go.
        """
        room = [3]
        self.reception._most_now = lambda: room[0]
        clients = [self.come_plainly(self.hello()) for _ in range(3)]
        room[0] = 2
        self.connect_plainly(self.port)
        for client in clients[:2]:
            self.read(client)
            self.assertEqual(b"", self.read(client))
        self.assertEqual(2, len(self.reception))
        self.assertRaises(BlockingIOError, lambda: [clients[2].recv(1 << 16) for _ in range(2)])

    def test_part_of_descriptors(self) -> None:
        """
        Where a process may have few descriptors, handshakes take a quarter of them.
        """
        with no_descriptors(self.port.fileno()):
            self.assertEqual(128, handshakes_max())


class RefusalTests(HandshakeTestCase):
    """
    What is no handshake.
    """

    def test_plain_http(self) -> None:
        """
        Plain HTTP is answered in plain text, once, in order.
        """
        client = self.come_plainly(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertEqual(PLAIN_HTTP_ANSWER, self.read_to_end(client))
        head, content = PLAIN_HTTP_ANSWER.split(b"\r\n\r\n")
        self.assertIn(b"\r\nContent-Length: %d\r\n" % len(content), head)
        client.send(b"GET / HTTP/1.1\r\n")
        self.turn(3)
        client.close()
        self.turn_until(lambda: not len(self.reception))
        self.assertEqual([], self.factory.built)

    def test_plain_http_without_end(self) -> None:
        """
        A client that goes on after that is cut off.
        """
        client = self.come_plainly(b"P")
        self.read_to_end(client)
        sent = 0
        try:
            while sent < 2 * HANDSHAKE_MAX_BYTES:
                sent += client.send(bytes(4096))
                self.turn()
        except (ConnectionError, BlockingIOError):
            pass
        self.turn_until(lambda: not len(self.reception))

    def test_anything_else(self) -> None:
        """
        Bytes that are neither get an alert, and are logged without a traceback: once a minute.
        """
        events: list[Any] = []
        observer: Any = events.append
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        for _ in range(3):
            client = self.come_plainly(b"\x00" * 100)
            self.read_to_end(client)
            client.close()
            self.turn_until(lambda: not len(self.reception))
        self.clock.advance(FAILURES_TOLD_SECONDS)
        self.read_to_end(self.come_plainly(b"\x16\x03\x01\xff\xff" * 20))
        self.assertEqual([1, 3], [event["count"] for event in events if "peer" in event])
        self.assertEqual([], self.factory.built)

    def test_gone(self) -> None:
        """
        A client that goes in the middle leaves nothing behind, however it goes.
        """
        for go in (socket.socket.close, reset):
            for data in (b"", self.hello()[:50], self.hello(), b"GET / HTTP/1.1\r\n\r\n"):
                client = self.come_plainly(data)
                go(client)
                self.turn_until(lambda: not len(self.reception))
        self.assertEqual([], self.factory.built)

    def test_many_records(self) -> None:
        """
        A first message in many small records is refused, before it is whole.
        """
        hello = self.hello()
        message = hello[5:]
        records = b"".join(b"\x16\x03\x01\x00\x01" + bytes([byte]) for byte in message)
        self.assertGreater(len(message), HANDSHAKE_RECORDS_MAX)
        client = self.come_plainly(records)
        self.assertEqual(b"", self.read_to_end(client))

    def test_fragments(self) -> None:
        """
        A first message in a few records is no fault, and neither are cuts in TCP.
        """
        for whole in (self.hello(), None):
            message = self.hello()[5:] if whole is None else b""
            parts = [message[start : start + 20] for start in range(0, len(message), 20)]
            split = b"".join(b"\x16\x03\x01\x00" + bytes([len(p)]) + p for p in parts)
            client = self.come_plainly()
            for byte in whole or split:
                client.send(bytes([byte]))
                self.turn()
            self.assertEqual(22, self.read(client)[0])

    def test_much(self) -> None:
        """
        A handshake that goes on and on is cut off.
        """
        client = self.come_plainly(b"\x16\x03\x01\x40\x00")
        try:
            for _ in range(HANDSHAKE_MAX_BYTES // 4096 + 1):
                client.send(bytes(4096))
                self.turn()
        except (ConnectionError, BlockingIOError):
            pass
        self.turn_until(lambda: not len(self.reception))


class AgreementTests(HandshakeTestCase):
    """
    What the two agree upon.
    """

    def test_versions(self) -> None:
        """
        TLS 1.2 and 1.3 are spoken, each with suites that are forward secret and authenticate.
        """
        for version, suite in (("TLSv1.2", "ECDHE-ECDSA-AES"), ("TLSv1.3", "TLS_AES_256_GCM")):
            self.client_context.maximum_version = getattr(ssl.TLSVersion, version.replace(".", "_"))
            client: Any = self.connect(self.port)
            self.assertEqual(version, client.tls.version())
            self.assertIn(suite, client.tls.cipher()[0])

    def test_old_suites(self) -> None:
        """
        Of TLS 1.2 nothing without forward secrecy, no CBC and no SHA-1 is accepted.
        """
        self.client_context.maximum_version = ssl.TLSVersion.TLSv1_2
        for suites in ("AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384"):
            self.client_context.set_ciphers(suites + ":@SECLEVEL=0")
            with self.assertRaises(ssl.SSLError) as refused:
                self.connect(self.port)
            self.assertIn("HANDSHAKE_FAILURE", str(refused.exception.reason))

    def test_old_versions(self) -> None:
        """
        TLS 1.1 is refused.
        """
        self.client_context.minimum_version = ssl.TLSVersion.TLSv1
        self.client_context.maximum_version = ssl.TLSVersion.TLSv1_1
        self.client_context.set_ciphers("ALL:@SECLEVEL=0")
        with self.assertRaises(ssl.SSLError) as refused:
            self.connect(self.port)
        self.assertIn("PROTOCOL_VERSION", str(refused.exception.reason))

    def test_minimum(self) -> None:
        """
        With a minimum of TLS 1.3, TLS 1.2 is refused.
        """
        self.context = RenewableContext(settings(minimum=ssl.TLSVersion.TLSv1_3))
        port, _ = self.listen(Recorder)
        self.client_context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.assertRaises(ssl.SSLError, self.connect, port)

    def test_application_protocol(self) -> None:
        """
        ALPN chooses what the factory speaks, and the transport knows what.
        """
        factory: Any = self.factory
        factory.acceptableProtocols = lambda: [b"http/1.1", b"http/1.0"]
        port = self.listen_for(factory)
        self.client_context.set_alpn_protocols(["h2", "http/1.1"])
        client: Any = self.connect(port)
        self.assertEqual("http/1.1", client.tls.selected_alpn_protocol())
        self.turn_until(lambda: self.factory.built)
        self.assertEqual(b"http/1.1", self.factory.built[0].transport.negotiatedProtocol)

    def test_resumption(self) -> None:
        """
        A session is resumed, in TLS 1.2 and 1.3. (Tickets of TLS 1.3 come with the first answer.)
        """
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            self.client_context = client_context()
            self.client_context.maximum_version = version
            first: Any = self.connect(self.port)
            first.send(b"hello")
            self.assertEqual(b"hello", self.read(first))
            self.assertFalse(first.tls.session_reused)
            again: Any = self.shake(self.connect_plainly(self.port), first.tls.session)
            self.assertTrue(again.tls.session_reused)
            again.send(b"again")
            self.assertEqual(b"again", self.read(again))

    def test_renegotiation(self) -> None:
        """
        A client of TLS 1.2 that wants to renegotiate is refused by a warning.
        """
        client, tls, request = self.renegotiating()
        client.send(request)
        tls.bio_write(self.read(client))
        with self.assertRaises(SSL.Error) as refused:
            tls.do_handshake()
        self.assertIn("no renegotiation", str(refused.exception))
        self.assertEqual([], self.factory.built[0].lost)

    def test_renegotiation_unread(self) -> None:
        """
        One that reads nothing is cut off when TLS itself would have to wait for it.
        """
        client, _, request = self.renegotiating()
        protocol = self.factory.built[0]
        protocol.transport.write(bytes(16 << 20))
        self.assertGreater(len(protocol.transport.dataBuffer), UNREAD_MAX_BYTES)
        client.send(request)
        self.turn_until(lambda: protocol.lost)
        self.assertEqual([error.ConnectionLost], protocol.reasons)

    def renegotiating(self) -> tuple[socket.socket, Any, bytes]:
        """
        Be a client of TLS 1.2 that wants to renegotiate.

        @return: its socket, its TLS, and the request.
        """
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_max_proto_version(SSL.TLS1_2_VERSION)
        tls = SSL.Connection(context, None)
        tls.set_connect_state()
        client = self.connect_plainly(self.port)
        for _ in range(2):
            self.assertRaises(SSL.WantReadError, tls.do_handshake)
            client.send(tls.bio_read(1 << 16))
            tls.bio_write(self.read(client))
        tls.do_handshake()
        tls.renegotiate()
        self.assertRaises(SSL.WantReadError, tls.do_handshake)
        return client, tls, tls.bio_read(1 << 16)

    def test_client_certificate(self) -> None:
        """
        Where certificates of clients are required, one without is refused; of one that has one, the
        transport tells which.
        """
        authority, folder = issued()
        self.context = RenewableContext(settings(client_authorities=str(folder / "authority.pem")))
        port, factory = self.listen(lambda: Recorder(echo))
        client: Any = self.connect(port)
        with self.assertRaises(ssl.SSLError) as refused:
            for _ in range(100):
                try:
                    self.read(client)
                except AssertionError:
                    break
        self.assertIn("CERTIFICATE_REQUIRED", str(refused.exception.reason))
        mine = Path(self.mktemp())
        mine.mkdir()
        authority.issue(mine, "Kim")
        self.client_context.load_cert_chain(mine / "cert.pem", mine / "key.pem")
        self.connect(port)
        self.turn_until(lambda: factory.built)
        transport = factory.built[0].transport
        certificate = transport.getPeerCertificate()
        self.assertEqual("Kim", certificate.get_subject().CN)
        self.assertEqual(
            ssl.PEM_cert_to_DER_cert((mine / "cert.pem").read_text()), transport.peer_certificate
        )

    def test_no_client_certificate(self) -> None:
        """
        Of a client that was not asked for one there is none.
        """
        self.connect(self.port)
        self.turn_until(lambda: self.factory.built)
        self.assertIsNone(self.factory.built[0].transport.getPeerCertificate())

    def test_listener(self) -> None:
        """
        A protocol is told that the handshake is complete, after C{connectionMade}.
        """

        @implementer(IHandshakeListener)
        class Listener(Recorder):
            told = b""

            def handshakeCompleted(self) -> None:
                self.told = b"made " if self.transport else b""
                self.transport.write(b"welcome")  # type: ignore[union-attr]

        port, _ = self.listen(Listener)
        self.assertEqual(b"welcome", self.read(self.connect(port)))

    def test_renewed(self) -> None:
        """
        A certificate that was renewed is shown to connections that come then.
        """
        client: Any = self.connect(self.port)
        before = client.tls.getpeercert(binary_form=True)
        self.context.renew()
        self.assertEqual(before, self._shown())
        authority, folder = issued()
        kept = {name: (folder / name).read_bytes() for name in ("key.pem", "cert.pem")}
        try:
            authority.issue(folder, "renewed")
            self.assertEqual(before, self._shown())
            self.context.renew()
        finally:
            for name, content in kept.items():
                (folder / name).write_bytes(content)
        self.assertNotEqual(before, self._shown())
        client.send(b"still there")
        self.assertEqual(b"still there", self.read(client))

    def _shown(self) -> Any:
        client: Any = self.connect(self.port)
        return client.tls.getpeercert(binary_form=True)


class EndTests(HandshakeTestCase):
    """
    How the end of the other side is told.
    """

    def test_truncated(self) -> None:
        """
        A FIN without a closure alert is a connection lost: what came may be truncated.
        """
        client: Any = self.connect(self.port)
        client.send(b"begun")
        self.assertEqual(b"begun", self.read(client))
        socket.socket.shutdown(client.tls, socket.SHUT_WR)
        protocol = self.factory.built[0]
        self.turn_until(lambda: protocol.lost)
        self.assertEqual([error.ConnectionLost], protocol.reasons)

    def test_damaged(self) -> None:
        """
        A record that cannot be decrypted ends the connection with an alert.
        """
        client: Any = self.connect(self.port)
        self.turn_until(lambda: self.factory.built)
        socket.socket.send(client.tls, b"\x17\x03\x03\x00\x20" + bytes(32))
        with self.assertRaises(ssl.SSLError) as told:
            self.read_to_end(client)
        self.assertIn("BAD_RECORD_MAC", str(told.exception.reason))
        protocol = self.factory.built[0]
        self.turn_until(lambda: protocol.lost)
        self.assertEqual([error.ConnectionLost], protocol.reasons)

    def test_too_long(self) -> None:
        """
        So does one that is longer than allowed; nobody waits for its end.
        """
        client: Any = self.connect(self.port)
        self.turn_until(lambda: self.factory.built)
        socket.socket.send(client.tls, b"\x17\x03\x03\xff\xff" + bytes(32))
        with self.assertRaises(ssl.SSLError) as told:
            self.read_to_end(client)
        self.assertIn("RECORD_OVERFLOW", str(told.exception.reason))

    def test_tls_in_tls(self) -> None:
        """
        TLS is not begun again on a connection that has it.
        """
        self.connect(self.port)
        self.turn_until(lambda: self.factory.built)
        self.assertRaises(RuntimeError, self.factory.built[0].transport.startTLS, None)
