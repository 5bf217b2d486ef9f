"""
A host: demultiplexing, deadlines, ports, floods.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.tcp.events import Closed, WasReset
from netlab.tcp.segment import Reason, TCPSegment
from netlab.tcp.settings import Settings
from netlab.tcp.stack import ANY, AddressInUseError, Stack
from netlab.tcp.states import TCPState
from netlab.tcp.timers import NANOSECONDS
from tests.tcp.dialogue import Dialogue
from tests.tcp.pair import CLIENT, PORT, SERVER, Pair

A = bytes((10, 0, 0, 1))
B = bytes((10, 0, 0, 2))


def stack(draw: float = 0.0, **settings: object) -> Stack:
    """
    Make a host.
    """
    # The names and types are those of the test's author.
    return Stack([A], Settings(**settings), b"k" * 16, lambda: draw)  # type: ignore[arg-type]


class UnknownTests(SynchronousTestCase):
    """
    Segments of no connection (RFC 9293 section 3.10.7.1).
    """

    def answer(self, segment: TCPSegment) -> TCPSegment | None:
        """
        Let a segment arrive, and take the answer.
        """
        host = stack()
        host.packet_arrives(0, B, A, segment)
        sent = host.packets_to_send(0)
        if not sent:
            return None
        (packet,) = sent
        self.assertEqual((packet.source, packet.destination), (A, B))
        self.assertIs(packet.reason, Reason.RESET)
        self.assertIsNone(packet.variables)
        return packet.segment

    def test_syn(self) -> None:
        """
        A SYN gets a reset that acknowledges it.
        """
        answer = self.answer(TCPSegment(5, 80, 100, 0, 2, 1000))
        self.assertEqual(answer, TCPSegment(80, 5, 0, 101, 0x14, 0))

    def test_data(self) -> None:
        """
        So do data without ACK, and FIN.
        """
        answer = self.answer(TCPSegment(5, 80, 0xFFFF_FFFF, 0, 1, 1000, b"", b"abc"))
        self.assertEqual(answer, TCPSegment(80, 5, 0, 3, 0x14, 0))

    def test_ack(self) -> None:
        """
        A segment with ACK gets one with that number.
        """
        answer = self.answer(TCPSegment(5, 80, 100, 777, 0x10, 1000))
        self.assertEqual(answer, TCPSegment(80, 5, 777, 0, 4, 0))

    def test_reset(self) -> None:
        """
        A reset gets nothing.
        """
        self.assertIsNone(self.answer(TCPSegment(5, 80, 100, 777, 0x14, 1000)))


class ListenTests(SynchronousTestCase):
    """
    Listeners.
    """

    def test_twice(self) -> None:
        """
        A port is listened to once.
        """
        host = stack()
        listener = host.listen(0, (A, 80), 5)
        with self.assertRaises(AddressInUseError):
            host.listen(0, (A, 80), 5)
        listener.close(0)
        host.listen(0, (A, 80), 5)

    def test_any_address(self) -> None:
        """
        The exact address goes before any.
        """
        host = stack()
        wide = host.listen(0, (ANY, 80), 5)
        exact = host.listen(0, (A, 80), 5)
        host.packet_arrives(0, B, A, TCPSegment(5, 80, 100, 0, 2, 1000))
        self.assertEqual((len(wide.half_open), len(exact.half_open)), (0, 1))
        exact.close(0)
        host.packet_arrives(0, B, A, TCPSegment(6, 80, 100, 0, 2, 1000))
        self.assertEqual(len(wide.half_open), 1)

    def test_to_a_listener(self) -> None:
        """
        An ACK to it is reset; what has no flags is dropped (RFC 9293 section 3.10.7.2).
        """
        host = stack()
        host.listen(0, (A, 80), 5)
        host.packet_arrives(0, B, A, TCPSegment(5, 80, 100, 7, 0x12, 1000))
        self.assertEqual(host.packets_to_send(0)[0].segment.flags, 4)
        host.packet_arrives(0, B, A, TCPSegment(5, 80, 100, 0, 0, 1000))
        self.assertEqual(host.packets_to_send(0), [])

    def test_close(self) -> None:
        """
        To close it resets who has not been accepted.
        """
        talk = Dialogue(self)
        talk.listen()
        talk.peer("S", 0, options=talk.syn_options())
        talk.iss = talk.says("SA").segment.seq
        talk.peer("", 1, 1)
        talk.listener.close(talk.now)
        talk.drain()
        talk.says("RA", 1, 1)


class FloodTests(SynchronousTestCase):
    """
    SYNs without end (RFC 4987).
    """

    def test_half_open(self) -> None:
        """
        So many connections may be half open, and what comes beyond is dropped.
        """
        host = stack(tcp_max_syn_backlog=10)
        listener = host.listen(0, (A, 80), 5)
        for port in range(1000, 1100):
            host.packet_arrives(0, B, A, TCPSegment(port, 80, 100, 0, 2, 1000))
        self.assertEqual(len(listener.half_open), 10)
        self.assertEqual(len(host.packets_to_send(0)), 10)
        now = 0
        while (deadline := host.deadline) is not None:
            now = deadline
            host.timeout(now)
            host.packets_to_send(now)
        self.assertEqual(len(listener.half_open), 0)
        self.assertLess(now, 64 * NANOSECONDS)

    def test_backlog(self) -> None:
        """
        When as many wait to be accepted as may, the third segment of a handshake is dropped, and
        new SYNs are.
        """
        pair = Pair()
        pair.listener.backlog = 0
        for _ in range(3):
            pair.client.connect(pair.now, (SERVER, PORT))
        pair.run_for(NANOSECONDS // 2)
        self.assertEqual(pair.listener.waiting, 1)
        pair.run_for(100 * NANOSECONDS)
        self.assertEqual(pair.listener.waiting, 1)
        self.assertIsNotNone(pair.listener.accept())

    def test_backlog_resets(self) -> None:
        """
        With C{tcp_abort_on_overflow} it is reset instead.
        """
        pair = Pair(server=Settings(tcp_abort_on_overflow=1))
        pair.listener.backlog = 0
        clients = [pair.client.connect(pair.now, (SERVER, PORT)) for _ in range(2)]
        pair.run_for(NANOSECONDS // 2)
        states = [client.state for client in clients]
        self.assertEqual(states, [TCPState.ESTABLISHED, TCPState.CLOSED])
        self.assertEqual(pair.listener.half_open, {})


class PortTests(SynchronousTestCase):
    """
    Ephemeral ports.
    """

    def test_from_the_draw(self) -> None:
        """
        The draw says where the search begins.
        """
        for draw, port in ((0.0, 100), (0.5, 105), (0.999, 109)):
            host = stack(draw, ip_local_port_range=(100, 109))
            self.assertEqual(host.connect(0, (B, 80)).local[1], port)

    def test_next_free(self) -> None:
        """
        Those in use are passed over, until there is none.
        """
        host = stack(0.9, ip_local_port_range=(100, 102))
        ports = [host.connect(0, (B, 80)).local[1] for _ in range(3)]
        self.assertEqual(ports, [102, 100, 101])
        with self.assertRaises(AddressInUseError):
            host.connect(0, (B, 80))
        host.connect(0, (B, 81))


class DeadlineTests(SynchronousTestCase):
    """
    One deadline for all connections.
    """

    def test_earliest(self) -> None:
        """
        It is that of the connection whose deadline is first, exactly.
        """
        host = stack()
        host.connect(0, (B, 80))
        host.packets_to_send(0)
        host.connect(300, (B, 80))
        host.packets_to_send(300)
        self.assertEqual(host.deadline, NANOSECONDS)
        host.timeout(NANOSECONDS)
        self.assertEqual(len(host.packets_to_send(NANOSECONDS)), 1)
        self.assertEqual(host.deadline, NANOSECONDS + 300)

    def test_later(self) -> None:
        """
        It moves with the timers.
        """
        talk = Dialogue(self)
        talk.serve(sack=False)
        talk.write(3000)
        first = talk.stack.deadline
        talk.wait(100)
        talk.peer("", 1, 1461)
        second = talk.stack.deadline
        assert first is not None
        assert second is not None
        self.assertGreater(second, first)
        talk.peer("", 1, 3001)
        self.assertIsNone(talk.stack.deadline)


class ForgettingTests(SynchronousTestCase):
    """
    What is over is forgotten.
    """

    def test_closed(self) -> None:
        """
        After TIME-WAIT nothing is left of a connection at either host.
        """
        pair = Pair()
        client, server = pair.connect()
        client.close(pair.now)
        pair.run_for(NANOSECONDS)
        server.close(pair.now)
        pair.run_for(100 * NANOSECONDS)
        self.assertIs(client.state, TCPState.CLOSED)
        self.assertIsNone(pair.next_time())
        late = TCPSegment(client.local[1], PORT, 1, 1, 0x10, 1000)
        pair.server.packet_arrives(pair.now, CLIENT, SERVER, late)
        self.assertEqual(pair.server.packets_to_send(pair.now)[0].reason, Reason.RESET)

    def test_reboot(self) -> None:
        """
        A host that has forgotten a connection resets it (RFC 9293 section 3.5.1, figure 10).
        """
        pair = Pair()
        client, _ = pair.connect()
        pair.server = Stack([SERVER], Settings(), b"another one" * 3, lambda: 0.5)
        client.write(pair.now, b"hello?")
        pair.run_for(NANOSECONDS)
        events = []
        while (event := client.next_event()) is not None:
            events.append(event)
        self.assertEqual(events[-2:], [WasReset(), Closed()])


class RepeatabilityTests(SynchronousTestCase):
    """
    The same again.
    """

    def test_equal(self) -> None:
        """
        The same keys, draws and times give the same segments to the bit.
        """
        logs = []
        for _ in range(2):
            pair = Pair(seed=7)
            client, server = pair.connect()
            client.write(pair.now, bytes(20_000))
            pair.run_for(NANOSECONDS)
            server.read(pair.now, 1 << 20)
            pair.run_for(NANOSECONDS)
            logs.append(pair.log)
        self.assertEqual(logs[0], logs[1])
        self.assertGreater(len(logs[0]), 20)
