"""
What a protocol may rely on while bytes move, on any transport of ours: see test_both.
"""

from __future__ import annotations

from typing import Any

from twisted.internet import error

from tests.transport.connections import ConnectionCases, Recorder
from tests.transport.traffic import MUCH, Counter, Valve, echo


class DeliveryMixin(ConnectionCases):
    """
    What arrives, what is sent, and producers.
    """

    # Delivery

    def test_echo(self) -> None:
        """
        What a client sends is delivered, and what is written arrives.
        """
        protocol, client = self.connected(Recorder(echo))
        client.send(b"hello")
        self.assertEqual(b"hello", self.read_bytes(client, 5))
        client.send(b"again")
        self.assertEqual(b"again", self.read_bytes(client, 5))
        self.assertEqual(b"helloagain", protocol.received)

    def test_sent_before_accept(self) -> None:
        """
        What a client sent before it was accepted is delivered.
        """
        port, factory = self.listen(lambda: Recorder(echo))
        client = self.connect(port)
        client.send(b"early")
        self.assertEqual(b"early", self.read_bytes(client, 5))
        self.assertEqual(1, len(factory.built))

    def test_order(self) -> None:
        """
        Writes and sequences of writes arrive in the order in which they were made.
        """

        def answer(protocol: Any, _data: bytes) -> None:
            protocol.transport.write(b"one ")
            protocol.transport.writeSequence([b"two ", b"", b"three "])
            protocol.transport.write(b"")
            protocol.transport.writeSequence([])
            protocol.transport.write(b"four")

        _, client = self.connected(Recorder(answer))
        client.send(b"?")
        self.assertEqual(b"one two three four", self.read_bytes(client, 18))

    def test_only_bytes(self) -> None:
        """
        Writing anything but bytes raises TypeError and sends nothing.
        """
        protocol, client = self.connected(Recorder())
        write, write_sequence = protocol.transport.write, protocol.transport.writeSequence
        for wrong in ("text", bytearray(b"array"), memoryview(b"view"), None):
            self.assertRaises(TypeError, write, wrong)
            self.assertRaises(TypeError, write_sequence, [b"right", wrong])
        write(b"end")
        self.assertEqual(b"end", self.read_bytes(client, 3))

    def test_pause_in_delivery(self) -> None:
        """
        After pauseProducing inside dataReceived nothing is delivered until resumeProducing.
        """
        protocol, client = self.connected(
            Recorder(lambda protocol, _data: protocol.transport.pauseProducing())
        )
        client.send(b"first")
        self.turn_until(lambda: protocol.received)
        client.send(b"second")
        self.turn(5)
        self.assertEqual(b"first", protocol.received)
        protocol.transport.resumeProducing()
        self.turn_until(lambda: protocol.received == b"firstsecond")

    def test_pause_when_made(self) -> None:
        """
        After pauseProducing inside connectionMade not even what had arrived is delivered.
        """
        protocol: Any = Recorder()
        protocol.on_made = lambda protocol: protocol.transport.pauseProducing()
        port, factory = self.listen(lambda: protocol)
        client = self.connect(port)
        client.send(b"early")
        self.turn_until(lambda: factory.built)
        self.turn(5)
        self.assertEqual(b"", protocol.received)
        protocol.transport.resumeProducing()
        self.turn_until(lambda: protocol.received == b"early")

    # Backpressure

    def test_slow_reader(self) -> None:
        """
        A large write reaches a reader that is slow to begin, whole and in order.
        """
        protocol, client = self.connected(Recorder(echo), receive_buffer=65536)
        protocol.transport.write(MUCH)
        protocol.transport.write(b"and ")
        protocol.transport.writeSequence([b"more", MUCH])
        self.turn(5)
        wanted = MUCH + b"and more" + MUCH
        self.assertTrue(self.read_bytes(client, len(wanted)) == wanted)
        client.send(b"still there")
        self.assertEqual(b"still there", self.read_bytes(client, 11))

    def test_pull_producer(self) -> None:
        """
        A pull producer is asked again each time what it wrote is gone.
        """
        protocol, client = self.connected(Recorder())
        counter = Counter(protocol.transport, 50)
        protocol.transport.registerProducer(counter, False)
        self.assertEqual(b"".join(counter.lines), self.read_bytes(client, 140))
        protocol.transport.write(b"after")
        self.assertEqual(b"after", self.read_bytes(client, 5))

    def test_pull_producer_behind_a_queue(self) -> None:
        """
        A pull producer registered while something is queued writes behind it.
        """
        protocol, client = self.connected(Recorder(), receive_buffer=65536)
        protocol.transport.write(MUCH)
        counter = Counter(protocol.transport, 3)
        protocol.transport.registerProducer(counter, False)
        wanted = MUCH + b"0\n1\n2\n"
        self.assertTrue(self.read_bytes(client, len(wanted)) == wanted)

    def test_push_producer(self) -> None:
        """
        A push producer is paused when the queue is full and resumed when it is empty.
        """
        protocol, client = self.connected(Recorder(), receive_buffer=65536)
        valve = Valve()
        protocol.transport.registerProducer(valve, True)
        protocol.transport.write(MUCH)
        self.assertEqual(["pause"], valve.told)
        self.read_bytes(client, len(MUCH))
        self.turn_until(lambda: valve.told == ["pause", "resume"])
        protocol.transport.unregisterProducer()
        protocol.transport.write(b"after")
        self.assertEqual(b"after", self.read_bytes(client, 5))

    def test_push_producer_behind_a_queue(self) -> None:
        """
        A push producer registered while something is queued is paused by its next write.
        """
        protocol, client = self.connected(Recorder(), receive_buffer=65536)
        protocol.transport.write(MUCH)
        valve = Valve()
        protocol.transport.registerProducer(valve, True)
        self.assertEqual([], valve.told)
        protocol.transport.write(b"more")
        self.assertEqual(["pause"], valve.told)
        self.assertTrue(self.read_bytes(client, len(MUCH) + 4).endswith(b"more"))
        self.turn_until(lambda: valve.told == ["pause", "resume"])

    def test_close_waits_for_producer(self) -> None:
        """
        A connection whose closing was asked for closes when its pull producer is done.
        """
        protocol, client = self.connected(Recorder())
        counter = Counter(protocol.transport, 20)
        protocol.transport.registerProducer(counter, False)
        protocol.transport.loseConnection()
        self.assertEqual(b"".join(counter.lines), self.read_to_end(client))
        self.turn_until(lambda: protocol.lost)
        self.assertEqual([error.ConnectionDone], protocol.reasons)

    def test_producer_stopped(self) -> None:
        """
        A producer is stopped, once, when the connection is lost.
        """
        protocol, client = self.connected(Recorder())
        valve = Valve()
        protocol.transport.registerProducer(valve, True)
        client.close()
        self.turn_until(lambda: protocol.lost)
        self.assertEqual(["stop"], valve.told)

    def test_producer_too_late(self) -> None:
        """
        A producer registered after the connection was lost is stopped at once.
        """
        protocol, client = self.connected(Recorder())
        transport = protocol.transport
        client.close()
        self.turn_until(lambda: protocol.lost)
        valve = Valve()
        transport.registerProducer(valve, True)
        self.assertEqual(["stop"], valve.told)
