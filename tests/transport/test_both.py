"""
What a protocol may rely on, on Twisted's own TCP transport and on the fast path alike.

Each case runs on both, and on the fast path under every reactor it is meant for.
"""

from __future__ import annotations

import gc
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet import error, tcp
from twisted.internet.interfaces import IPullProducer, IPushProducer
from zope.interface import implementer

from netlab.transport.port import FastPort
from tests.transport.connections import (
    ConnectionTestCase,
    HalfCloseableRecorder,
    Recorder,
    no_descriptors,
    reset,
)

# More than the kernel's buffers on both sides hold.
MUCH = bytes(range(256)) * 4 * 6144


def echo(protocol: Any, data: bytes) -> None:
    """
    Send back what arrives.
    """
    protocol.transport.write(data)


@implementer(IPullProducer)
class Counter:
    """
    Writes numbered lines, one for each time it is asked.
    """

    def __init__(self, transport: Any, lines: int) -> None:
        self.transport = transport
        self.lines = [b"%d\n" % number for number in range(lines)]
        self.next = 0
        self.stopped = 0

    def resumeProducing(self) -> None:
        """
        Write the next line.
        """
        self.transport.write(self.lines[self.next])
        self.next += 1
        if self.next == len(self.lines):
            self.transport.unregisterProducer()

    def stopProducing(self) -> None:
        """
        Remember it.
        """
        self.stopped += 1


@implementer(IPushProducer)
class Valve:
    """
    Remembers when it was told to pause, resume and stop.
    """

    def __init__(self) -> None:
        self.told: list[str] = []

    def pauseProducing(self) -> None:
        """
        Remember it.
        """
        self.told.append("pause")

    def resumeProducing(self) -> None:
        """
        Remember it.
        """
        self.told.append("resume")

    def stopProducing(self) -> None:
        """
        Remember it.
        """
        self.told.append("stop")


if TYPE_CHECKING:
    _Cases = ConnectionTestCase
else:
    # Not a test case by itself: the classes at the end are.
    _Cases = object


class BothMixin(_Cases):
    """
    The cases.
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

    # Closing

    def _closed_by(self, act: Callable[[Any], None], recorder: type[Recorder] = Recorder) -> Any:
        """
        Have a delivery close the connection, and read what the client still gets.

        @return: the protocol and what was read, or the error of reading.
        """
        protocol, client = self.connected(recorder(lambda protocol, _data: act(protocol.transport)))
        client.send(b"?")
        got: Any
        try:
            got = self.read_to_end(client)
        except ConnectionResetError as refused:
            got = refused.__class__
        self.turn_until(lambda: protocol.lost)
        self.turn(3)
        return protocol, got

    def test_close_in_delivery(self) -> None:
        """
        Calling loseConnection inside dataReceived closes, once, after all that was written is sent.
        """

        def act(transport: Any) -> None:
            transport.write(b"before ")
            transport.loseConnection()
            self.assertTrue(transport.disconnecting)
            transport.loseConnection()
            transport.write(b"after")

        protocol, got = self._closed_by(act)
        self.assertEqual(b"before after", got)
        self.assertEqual([error.ConnectionDone], protocol.reasons)

    def test_close_in_delivery_with_queue(self) -> None:
        """
        Calling loseConnection inside dataReceived waits for what the kernel has not taken.
        """

        def act(transport: Any) -> None:
            transport.write(MUCH)
            transport.loseConnection()

        protocol, got = self._closed_by(act)
        self.assertTrue(got == MUCH)
        self.assertEqual([error.ConnectionDone], protocol.reasons)

    def test_close_before_much(self) -> None:
        """
        What is written after loseConnection in the same delivery is sent however much it is.
        """

        def act(transport: Any) -> None:
            transport.loseConnection()
            transport.write(MUCH)

        protocol, got = self._closed_by(act)
        self.assertTrue(got == MUCH)
        self.assertEqual([error.ConnectionDone], protocol.reasons)

    def test_no_delivery_while_closing(self) -> None:
        """
        While a closing connection waits for the kernel nothing more is delivered.
        """

        def act(protocol: Any, _data: bytes) -> None:
            protocol.transport.loseConnection()
            protocol.transport.write(MUCH)

        protocol, client = self.connected(Recorder(act), receive_buffer=65536)
        client.send(b"?")
        self.turn_until(lambda: protocol.received)
        client.send(b"!")
        self.turn(5)
        self.assertEqual((b"?", []), (protocol.received, protocol.lost))

    def test_close_before_producer(self) -> None:
        """
        A pull producer registered after loseConnection in the same delivery still has its turn.
        """

        def act(transport: Any) -> None:
            transport.loseConnection()
            transport.registerProducer(Counter(transport, 3), False)

        protocol, got = self._closed_by(act)
        self.assertEqual(b"0\n1\n2\n", got)
        self.assertEqual([error.ConnectionDone], protocol.reasons)

    def test_close_of_half_closeable(self) -> None:
        """
        Calling loseConnection ends a half-closeable protocol's connection, not its reading half.
        """
        protocol, got = self._closed_by(
            lambda transport: transport.loseConnection(), HalfCloseableRecorder
        )
        self.assertEqual(b"", got)
        self.assertEqual([], protocol.halves)
        self.assertEqual([error.ConnectionDone], protocol.reasons)

    def test_close_outside_delivery(self) -> None:
        """
        Calling loseConnection at any other time closes after all that was written is sent.
        """
        protocol, client = self.connected(Recorder())
        protocol.transport.write(b"bye")
        protocol.transport.loseConnection()
        self.assertEqual(b"bye", self.read_to_end(client))
        self.turn_until(lambda: protocol.lost)
        self.assertEqual([error.ConnectionDone], protocol.reasons)

    def test_close_when_made(self) -> None:
        """
        Calling loseConnection inside connectionMade closes, and nothing is delivered.
        """
        protocol: Any = Recorder()
        protocol.on_made = lambda protocol: protocol.transport.loseConnection()
        port, _ = self.listen(lambda: protocol)
        client = self.connect(port)
        client.send(b"early")
        self.turn_until(lambda: protocol.lost)
        self.assertEqual(b"", protocol.received)
        self.assertEqual([error.ConnectionDone], protocol.reasons)

    def test_abort_in_delivery(self) -> None:
        """
        Calling abortConnection resets the connection; what comes after it is nothing.
        """

        def act(transport: Any) -> None:
            transport.abortConnection()
            transport.write(b"too late")
            transport.loseConnection()
            transport.abortConnection()

        protocol, got = self._closed_by(act)
        self.assertEqual(ConnectionResetError, got)
        self.assertEqual([error.ConnectionAborted], protocol.reasons)

    def test_abort_after_close(self) -> None:
        """
        Calling abortConnection after loseConnection in the same delivery aborts.
        """

        def act(transport: Any) -> None:
            transport.loseConnection()
            transport.abortConnection()

        protocol, got = self._closed_by(act)
        self.assertEqual(ConnectionResetError, got)
        self.assertEqual([error.ConnectionAborted], protocol.reasons)

    def test_abort_with_queue(self) -> None:
        """
        Calling abortConnection forgets what is queued.
        """
        protocol, client = self.connected(Recorder(), receive_buffer=65536)
        protocol.transport.write(MUCH)
        self.turn(2)
        protocol.transport.abortConnection()
        self.assertRaises(ConnectionResetError, self.read_to_end, client)
        self.assertEqual([error.ConnectionAborted], protocol.reasons)

    def test_close_in_both_ways(self) -> None:
        """
        Calling loseConnection and loseWriteConnection in one delivery close, in either order.
        """
        for first, second in (
            ("loseConnection", "loseWriteConnection"),
            ("loseWriteConnection", "loseConnection"),
        ):

            def act(transport: Any, first: str = first, second: str = second) -> None:
                transport.write(b"bye")
                getattr(transport, first)()
                getattr(transport, second)()

            protocol, got = self._closed_by(act)
            self.assertEqual(b"bye", got)
            self.assertEqual([error.ConnectionDone], protocol.reasons)

    # Half-close

    def test_close_own_half(self) -> None:
        """
        Calling loseWriteConnection ends our stream after all that was written; the peer's goes on.
        """

        def act(protocol: Any, data: bytes) -> None:
            if data == b"?":
                protocol.transport.write(b"last")
                protocol.transport.loseWriteConnection()

        protocol, client = self.connected(HalfCloseableRecorder(act))
        client.send(b"?")
        self.assertEqual(b"last", self.read_to_end(client))
        self.assertEqual(["write"], protocol.halves)
        protocol.transport.write(b"too late")
        client.send(b"more")
        self.turn_until(lambda: protocol.received == b"?more")
        protocol.transport.loseConnection()
        self.turn_until(lambda: protocol.lost)
        self.assertEqual([error.ConnectionDone], protocol.reasons)

    def test_close_own_half_with_queue(self) -> None:
        """
        Calling loseWriteConnection waits for what is queued, and for what is written meanwhile.
        """
        protocol, client = self.connected(HalfCloseableRecorder(), receive_buffer=65536)
        protocol.transport.write(MUCH)
        protocol.transport.loseWriteConnection()
        protocol.transport.write(b"more")
        self.assertTrue(self.read_to_end(client) == MUCH + b"more")

    def test_peer_closes_half(self) -> None:
        """
        A half-closeable protocol is told of the peer's end of stream and may still answer.
        """
        protocol: Any = HalfCloseableRecorder()
        protocol.on_read_lost = lambda protocol: protocol.transport.write(b"answer")
        _, client = self.connected(protocol)
        client.send(b"request")
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(b"answer", self.read_bytes(client, 6))
        self.assertEqual(b"request", protocol.received)
        self.assertEqual((["read"], []), (protocol.halves, protocol.lost))
        protocol.transport.loseConnection()
        self.assertEqual(b"", self.read_to_end(client))
        self.turn_until(lambda: protocol.lost)
        self.assertEqual([error.ConnectionDone], protocol.reasons)

    def test_both_halves(self) -> None:
        """
        A connection whose two halves were closed one after the other ends once.
        """
        protocol, client = self.connected(HalfCloseableRecorder())
        protocol.transport.loseWriteConnection()
        self.assertEqual(b"", self.read_to_end(client))
        client.close()
        self.turn_until(lambda: protocol.halves == ["write", "read"] or protocol.lost)
        if not protocol.lost:
            protocol.transport.loseConnection()
        self.turn_until(lambda: protocol.lost)
        self.assertEqual([error.ConnectionDone], protocol.reasons)

    def test_peer_closes(self) -> None:
        """
        The peer's end of stream ends the connection of a protocol that knows no halves.
        """
        protocol, client = self.connected(Recorder())
        client.send(b"last")
        client.close()
        self.turn_until(lambda: protocol.lost)
        self.assertEqual(b"last", protocol.received)
        self.assertEqual([error.ConnectionDone], protocol.reasons)

    # Trouble

    def test_peer_resets(self) -> None:
        """
        A reset ends the connection as ConnectionLost.
        """
        protocol, client = self.connected(Recorder())
        reset(client)
        self.turn_until(lambda: protocol.lost)
        self.assertEqual([error.ConnectionLost], protocol.reasons)

    def test_write_after_reset(self) -> None:
        """
        Writing to a peer that has reset the connection is no error; the connection ends when the
        reactor turns, once, as ConnectionLost.
        """
        protocol, client = self.connected(Recorder())
        reset(client)
        for _ in range(3):
            protocol.transport.write(b"anybody?")
            self.assertEqual([], protocol.lost)
        self.turn_until(lambda: protocol.lost)
        self.turn(3)
        self.assertEqual([error.ConnectionLost], protocol.reasons)

    def test_write_while_paused_after_reset(self) -> None:
        """
        A write finds out about a reset even while reading is paused.
        """
        protocol, client = self.connected(Recorder())
        protocol.transport.pauseProducing()
        reset(client)
        protocol.transport.write(b"anybody?")
        self.turn_until(lambda: protocol.lost)
        self.assertEqual([error.ConnectionLost], protocol.reasons)

    def test_reset_with_queue(self) -> None:
        """
        A reset while much is queued ends the connection once.
        """
        protocol, client = self.connected(Recorder(), receive_buffer=65536)
        valve = Valve()
        protocol.transport.registerProducer(valve, True)
        protocol.transport.write(MUCH)
        self.turn(3)
        reset(client)
        self.turn_until(lambda: protocol.lost)
        self.turn(3)
        self.assertEqual([error.ConnectionLost], protocol.reasons)
        self.assertEqual(["pause", "stop"], valve.told)

    def test_write_after_loss(self) -> None:
        """
        A transport whose connection is lost takes every call, and does nothing.
        """
        protocol, client = self.connected(Recorder())
        transport = protocol.transport
        client.close()
        self.turn_until(lambda: protocol.lost)
        transport.write(b"too late")
        transport.writeSequence([b"too", b"late"])
        transport.loseConnection()
        transport.abortConnection()
        transport.pauseProducing()
        transport.resumeProducing()
        self.turn(3)
        self.assertEqual([error.ConnectionDone], protocol.reasons)

    def test_close_after_reset_in_delivery(self) -> None:
        """
        A write that fails inside dataReceived, with loseConnection behind it, ends the connection
        once.
        """

        def act(protocol: Any, _data: bytes) -> None:
            reset(client)
            protocol.transport.write(b"anybody?")
            protocol.transport.write(b"anybody?")
            protocol.transport.loseConnection()

        protocol, client = self.connected(Recorder(act))
        client.send(b"?")
        self.turn_until(lambda: protocol.lost)
        self.turn(3)
        self.assertEqual(1, len(protocol.lost))

    def test_exception_in_delivery(self) -> None:
        """
        An exception in dataReceived is logged and ends that connection, and no other, with itself.
        """

        def act(protocol: Any, data: bytes) -> None:
            if data == b"bad":
                raise ZeroDivisionError("of the application")
            echo(protocol, data)

        port, factory = self.listen(lambda: Recorder(act))
        bad, good = self.connect(port), self.connect(port)
        self.turn_until(lambda: len(factory.built) == 2)
        bad.send(b"bad")
        good.send(b"good")
        self.assertEqual(b"good", self.read_bytes(good, 4))
        self.assertEqual(b"", self.read_to_end(bad))
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))
        self.assertEqual(
            [[], [ZeroDivisionError]], sorted((p.reasons for p in factory.built), key=len)
        )

    def test_exception_in_first_delivery(self) -> None:
        """
        So does an exception in dataReceived for what had arrived before the connection was
        accepted.
        """

        def act(_protocol: Any, _data: bytes) -> None:
            raise ZeroDivisionError("of the application")

        port, factory = self.listen(lambda: Recorder(act))
        client = self.connect(port)
        client.send(b"early")
        self.turn_until(lambda: factory.built and factory.built[0].lost)
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))
        self.assertEqual([ZeroDivisionError], factory.built[0].reasons)

    def test_exception_in_connection_lost(self) -> None:
        """
        An exception in connectionLost is logged and disturbs no other connection.
        """

        def act(_protocol: Any) -> None:
            raise ZeroDivisionError("of the application")

        port, factory = self.listen(lambda: Recorder(echo))
        bad, good = self.connect(port), self.connect(port)
        self.turn_until(lambda: len(factory.built) == 2)
        for protocol in factory.built:
            protocol.on_lost = act
        bad.close()
        self.turn_until(lambda: any(protocol.lost for protocol in factory.built))
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))
        good.send(b"good")
        self.assertEqual(b"good", self.read_bytes(good, 4))
        good.close()
        self.turn_until(lambda: all(protocol.lost for protocol in factory.built))
        self.flushLoggedErrors(ZeroDivisionError)

    def test_connections_close_each_other(self) -> None:
        """
        Connections that are ready together may end each other.
        """

        def act(_protocol: Any, _data: bytes) -> None:
            for other in factory.built:
                if not other.lost:
                    other.transport.abortConnection()

        port, factory = self.listen(lambda: Recorder(act))
        clients = [self.connect(port) for _ in range(8)]
        self.turn_until(lambda: len(factory.built) == 8)
        for client in clients:
            client.send(b"?")
        self.turn_until(lambda: all(protocol.lost for protocol in factory.built))
        self.turn(3)
        self.assertEqual([[error.ConnectionAborted]] * 8, [p.reasons for p in factory.built])

    # The port

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


class StockTests(BothMixin, ConnectionTestCase):
    """
    Twisted's transport on Twisted's epoll reactor: what the others are measured against.
    """

    port_class = tcp.Port


class FastOnEPollTests(BothMixin, ConnectionTestCase):
    """
    The fast path in the epoll reactor.
    """

    port_class = FastPort


class FastOnPollTests(BothMixin, ConnectionTestCase):
    """
    The fast path in the poll reactor.
    """

    reactor_name = "poll"


class FastOnSelectTests(BothMixin, ConnectionTestCase):
    """
    The fast path in the select reactor.
    """

    reactor_name = "select"


class FastOnAsyncioTests(BothMixin, ConnectionTestCase):
    """
    The fast path in the asyncio reactor.
    """

    reactor_name = "asyncio"


class FastWithoutPollerTests(BothMixin, ConnectionTestCase):
    """
    The fast port and transport straight in Twisted's epoll reactor, as where there is no epoll of
    our own.
    """

    has_poller = False
