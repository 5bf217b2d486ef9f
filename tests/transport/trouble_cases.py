"""
What a protocol may rely on when something goes wrong, on any transport of ours: see test_both.
"""

from __future__ import annotations

from typing import Any

from twisted.internet import error

from tests.transport.connections import ConnectionCases, Recorder, reset
from tests.transport.traffic import MUCH, Valve, echo


class TroubleMixin(ConnectionCases):
    """
    Resets and exceptions.
    """

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
