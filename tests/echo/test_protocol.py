"""
Tests for L{netlab.echo.protocol}.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol, IPushProducer
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.logger import LogEvent, capturedLogs, formatEvent
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from netlab.echo.protocol import EchoFactory, EchoProtocol, EchoSettings

PEER = IPv4Address("TCP", "192.0.2.7", 40000)


class Transport(StringTransportWithDisconnection):
    """
    A transport in memory that remembers when it was told to close, and closes when C{flush} says
    that all is sent, as a real one does.
    """

    def __init__(self, peer: IAddress) -> None:
        super().__init__(peerAddress=peer)
        self.protocol: EchoProtocol
        self.is_aborted = False
        self.loses_at_once = False

    def loseConnection(self) -> None:
        """
        Remember to close.
        """
        self.disconnecting = True
        if self.loses_at_once:
            self.flush()

    def flush(self) -> None:
        """
        Close if told to, unless a producer may still produce something.
        """
        if self.disconnecting and self.producer is None and self.connected:
            self.connected = False
            self.protocol.connectionLost(Failure(ConnectionDone()))

    def abortConnection(self) -> None:
        """
        Close at once.
        """
        if self.connected:
            self.is_aborted = True
            self.connected = False
            self.protocol.connectionLost(Failure(ConnectionAborted()))


class EchoTestCase(SynchronousTestCase):
    """
    What the tests of the protocol share.
    """

    def setUp(self) -> None:
        """
        Take the log.
        """
        self.clock = Clock()
        self.events: Sequence[LogEvent] = self.enterContext(capturedLogs())

    def connect(
        self, settings: EchoSettings | None = None, peer: IAddress = PEER
    ) -> tuple[EchoProtocol, Transport]:
        """
        Let a client connect.
        """
        factory = EchoFactory(settings or EchoSettings(), self.clock)
        protocol = factory.buildProtocol(peer)
        transport = Transport(peer)
        transport.protocol = protocol
        protocol.makeConnection(transport)
        self.connections = factory.connections
        return protocol, transport

    def logged(self) -> list[str]:
        """
        Give the lines of the log.
        """
        return [formatEvent(event) for event in self.events]


class ExchangeTests(EchoTestCase):
    """
    Deliveries and their answers.
    """

    def test_reference(self) -> None:
        """
        By default two deliveries are answered in upper case, then the server closes.
        """
        protocol, transport = self.connect()
        protocol.dataReceived(b"x" * 33)
        self.assertEqual(transport.value(), b"X" * 33)
        self.assertFalse(transport.disconnecting)
        protocol.dataReceived(b"y" * 20)
        self.assertEqual(transport.value(), b"X" * 33 + b"Y" * 20)
        self.assertTrue(transport.disconnecting)
        transport.flush()
        self.assertFalse(transport.connected)
        self.assertEqual(len(self.connections), 0)

    def test_upper_case_is_ascii(self) -> None:
        """
        Only the letters a to z change: bytes are not text.
        """
        protocol, transport = self.connect()
        protocol.dataReceived(bytes(range(100)))
        protocol.dataReceived("straße é".encode())
        self.assertEqual(transport.value(), bytes(range(97)) + b"ABC" + b"STRA\xc3\x9fE \xc3\xa9")

    def test_number_of_exchanges(self) -> None:
        """
        The server closes after as many exchanges as it is told, one for instance.
        """
        protocol, transport = self.connect(EchoSettings(exchanges=1))
        protocol.dataReceived(b"a")
        self.assertTrue(transport.disconnecting)

    def test_until_the_client_closes(self) -> None:
        """
        With 0 exchanges the server never closes of its own accord.
        """
        protocol, transport = self.connect(EchoSettings(exchanges=0))
        for _ in range(1000):
            protocol.dataReceived(b"a")
        self.assertEqual(transport.value(), b"A" * 1000)
        self.assertFalse(transport.disconnecting)

    def test_larger_delivery(self) -> None:
        """
        A transport that reads ahead (TLS) delivers more than the limit: the delivery counts as
        several, and what lies beyond the last exchange is not answered.
        """
        protocol, transport = self.connect()
        protocol.dataReceived(b"a" * 100 + b"b" * 100 + b"c" * 50)
        self.assertEqual(transport.value(), b"A" * 100 + b"B" * 100)
        self.assertTrue(transport.disconnecting)

    def test_after_the_last_exchange(self) -> None:
        """
        A delivery that is on its way while the server closes is not answered.
        """
        protocol, transport = self.connect(EchoSettings(exchanges=1))
        protocol.dataReceived(b"a")
        protocol.dataReceived(b"b")
        self.assertEqual(transport.value(), b"A")

    @settings(deadline=None, max_examples=50)
    @given(st.lists(st.binary(min_size=1, max_size=30), max_size=20), st.integers(1, 10))
    def test_cuts_do_not_matter(self, deliveries: list[bytes], max_bytes: int) -> None:
        """
        Without a limit on exchanges, whatever is sent comes back in upper case, however it is cut.
        """
        protocol, transport = self.connect(EchoSettings(exchanges=0, max_bytes=max_bytes))
        for delivery in deliveries:
            protocol.dataReceived(delivery)
        self.assertEqual(transport.value(), b"".join(deliveries).upper())


class CloseTests(EchoTestCase):
    """
    The ways a connection ends.
    """

    def test_half_close(self) -> None:
        """
        A client that has shut its write side is closed only when its answers are sent (RFC 9293
        section 3.6, case 2, seen from the other end).
        """
        protocol, transport = self.connect(EchoSettings(exchanges=0))
        self.assertTrue(IHalfCloseableProtocol.providedBy(protocol))
        protocol.dataReceived(b"a")
        protocol.readConnectionLost()
        self.assertTrue(transport.disconnecting)
        self.assertTrue(transport.connected)
        transport.flush()
        self.assertFalse(transport.connected)

    def test_interfaces(self) -> None:
        """
        The protocol is what the transport takes it for.
        """
        protocol, _ = self.connect()
        verifyObject(IHalfCloseableProtocol, protocol)
        verifyObject(IPushProducer, protocol)

    def test_stop(self) -> None:
        """
        A server that stops closes its connections in order.
        """
        _, transport = self.connect()
        stopped = self.connections.close(self.clock, 2)
        self.assertTrue(transport.disconnecting)
        transport.flush()
        self.successResultOf(stopped)

    def test_stop_is_not_held_up(self) -> None:
        """
        A client that does not take its last bytes is aborted after the grace.
        """
        _, transport = self.connect()
        stopped = self.connections.close(self.clock, 2)
        self.clock.advance(2)
        self.successResultOf(stopped)
        self.assertTrue(transport.is_aborted)


class BackpressureTests(EchoTestCase):
    """
    A client that does not read.
    """

    def test_paused(self) -> None:
        """
        While the transport cannot send, nothing is read; when it can, reading goes on.
        """
        protocol, transport = self.connect()
        self.assertIs(transport.producer, protocol)
        self.assertTrue(transport.streaming)
        protocol.pauseProducing()
        self.assertEqual(transport.producerState, "paused")
        protocol.resumeProducing()
        self.assertEqual(transport.producerState, "producing")

    def test_lost(self) -> None:
        """
        A transport that is lost stops its producer, which asks for nothing then.
        """
        protocol, transport = self.connect()
        protocol.stopProducing()
        self.assertFalse(transport.disconnecting)


class IdleTests(EchoTestCase):
    """
    The idle timeout.
    """

    def setUp(self) -> None:
        """
        Let a client connect to a server with a timeout of ten seconds.
        """
        super().setUp()
        self.protocol, self.transport = self.connect(EchoSettings(exchanges=0, idle_timeout=10))

    def test_none_by_default(self) -> None:
        """
        Without a timeout no timer is armed at all.
        """
        self.transport.abortConnection()
        self.connect()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_silent_client(self) -> None:
        """
        A client that sends nothing is closed when the timeout has passed, not before.
        """
        self.clock.advance(9.99)
        self.assertFalse(self.transport.disconnecting)
        self.clock.advance(0.01)
        self.assertTrue(self.transport.disconnecting)

    def test_activity_moves_the_deadline(self) -> None:
        """
        The timeout counts from the last delivery, to the millisecond.
        """
        self.clock.advance(7)
        self.protocol.dataReceived(b"a")
        self.clock.pump([1] * 9)
        self.clock.advance(0.999)
        self.assertFalse(self.transport.disconnecting)
        self.clock.advance(0.001)
        self.assertTrue(self.transport.disconnecting)

    def test_reading_is_activity(self) -> None:
        """
        A client that takes its answers slowly, while we read nothing from it, is not idle.
        """
        self.protocol.pauseProducing()
        self.clock.advance(9)
        self.protocol.resumeProducing()
        self.clock.advance(9)
        self.assertFalse(self.transport.disconnecting)

    def test_lazy(self) -> None:
        """
        However many deliveries come, one timer is armed, and none is armed anew for them.
        """
        (timer,) = self.clock.getDelayedCalls()
        for _ in range(100):
            self.clock.advance(0.01)
            self.protocol.dataReceived(b"a")
        self.assertEqual(self.clock.getDelayedCalls(), [timer])
        self.assertEqual(timer.getTime(), 10)

    def test_never_reading_client(self) -> None:
        """
        A client that does not even take what is left to send is aborted after as long again.
        """
        self.clock.advance(10)
        self.assertTrue(self.transport.disconnecting)
        self.clock.advance(9.99)
        self.assertFalse(self.transport.is_aborted)
        self.clock.advance(0.01)
        self.assertTrue(self.transport.is_aborted)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_nothing_left_behind(self) -> None:
        """
        When the connection is lost no timer remains, whoever closed it.
        """
        self.protocol.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(self.clock.getDelayedCalls(), [])
        _, transport = self.connect(EchoSettings(idle_timeout=10))
        self.clock.advance(10)
        transport.flush()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_lost_while_closing(self) -> None:
        """
        A transport that loses its connection at the very moment when it is told to close leaves no
        timer either.
        """
        self.transport.loses_at_once = True
        self.clock.advance(10)
        self.assertFalse(self.transport.connected)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_logged(self) -> None:
        """
        The log says why the server closed.
        """
        self.clock.advance(10)
        self.assertIn("Idle for 10 seconds, closing:  ('192.0.2.7', 40000)", self.logged())


class LogTests(EchoTestCase):
    """
    What the log says.
    """

    def test_reference_lines(self) -> None:
        """
        Each step is a line in the reference's words, with the peer.
        """
        protocol, transport = self.connect()
        protocol.dataReceived(b"hello")
        protocol.close()
        transport.flush()
        self.assertEqual(
            self.logged(),
            [
                "Connection from:  ('192.0.2.7', 40000)",
                "Received:  b'hello' from ('192.0.2.7', 40000)",
                "Client disconnected:  ('192.0.2.7', 40000)",
            ],
        )

    def test_no_forged_lines(self) -> None:
        """
        Control bytes, line ends and braces in a delivery are shown, never obeyed.
        """
        protocol, _ = self.connect()
        protocol.dataReceived(b"\r\nConnection from: me\x1b[2J{0}\x85'")
        self.assertEqual(
            self.logged()[1],
            "Received:  b\"\\r\\nConnection from: me\\x1b[2J{0}\\x85'\" from ('192.0.2.7', 40000)",
        )

    def test_bounded_line(self) -> None:
        """
        Of a large delivery the log shows the beginning and the length.
        """
        protocol, _ = self.connect(EchoSettings(max_bytes=65536))
        protocol.dataReceived(b"\n" * 65536)
        line = self.logged()[1]
        self.assertIn("(65536 bytes)", line)
        self.assertLess(len(line), 1000)

    def test_quiet(self) -> None:
        """
        Deliveries can be left out of the log; connections are still in it.
        """
        protocol, _ = self.connect(EchoSettings(exchanges=1, shows_deliveries=False))
        protocol.dataReceived(b"hello")
        self.assertEqual(self.logged(), ["Connection from:  ('192.0.2.7', 40000)"])

    def test_unclean_ends(self) -> None:
        """
        A reset, and an abort by the server itself, are told apart from an orderly end.
        """
        protocol, _ = self.connect()
        protocol.connectionLost(Failure(ConnectionLost()))
        protocol, _ = self.connect()
        protocol.abort()
        self.assertEqual(
            [line for line in self.logged() if line.startswith("Client")],
            [
                "Client disconnected:  ('192.0.2.7', 40000) (connection lost or reset)",
                "Client disconnected:  ('192.0.2.7', 40000) (aborted by this server)",
            ],
        )

    def test_peers(self) -> None:
        """
        A peer is shown by its address and port, or as the UNIX socket that it is.
        """
        self.connect(peer=IPv6Address("TCP", "2001:db8::1", 5))
        self.connect(peer=UNIXAddress(None))
        self.assertEqual(
            self.logged(),
            ["Connection from:  ('2001:db8::1', 5)", "Connection from:  a UNIX socket"],
        )

    def test_name(self) -> None:
        """
        Twisted's own lines about ports name the server too.
        """
        self.assertEqual(EchoFactory(EchoSettings(), self.clock).logPrefix(), "netlab-echo")
