"""
What a protocol may rely on when a connection ends as one side wishes, on any transport of ours:
see test_both.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from twisted.internet import error

from tests.transport.connections import ConnectionCases, HalfCloseableRecorder, Recorder
from tests.transport.traffic import MUCH, Counter


class ClosingMixin(ConnectionCases):
    """
    The end of a connection, and of one half of it.
    """

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
