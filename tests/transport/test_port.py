"""
What the fast port does that Twisted's own does not. The rest is in test_both.
"""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.address import IPv6Address

from netlab.transport import compat
from netlab.transport.port import ACCEPT_REST_SECONDS, FastPort
from netlab.transport.reception import Reception
from tests.transport.connections import (
    ConnectionTestCase,
    Recorder,
    RecorderFactory,
    no_descriptors,
)
from tests.transport.traffic import echo


class FastPortTests(ConnectionTestCase):
    """
    A listening port.
    """

    def test_no_delay(self) -> None:
        """
        Connections send small segments at once.
        """
        protocol, _ = self.connected(Recorder())
        self.assertTrue(protocol.transport.getTcpNoDelay())

    def test_reuses_address(self) -> None:
        """
        The port can be taken again while old connections linger.
        """
        port, _ = self.listen(Recorder)
        option = port.socket.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
        self.assertTrue(option)

    def test_deferred_accept(self) -> None:
        """
        A deferred accept is off, unless it is asked for.
        """
        if not hasattr(socket, "TCP_DEFER_ACCEPT"):
            self.skipTest("this kernel cannot defer an accept")
        for seconds, is_on in ((0, False), (3, True)):
            port, factory = self.listen(lambda: Recorder(echo), defer_accept_seconds=seconds)
            option = port.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT)
            self.assertEqual(is_on, option > 0)
            client = self.connect(port)
            self.turn(3)
            self.assertEqual(0 if is_on else 1, len(factory.built))
            client.send(b"hello")
            self.assertEqual(b"hello", self.read_bytes(client, 5))

    def test_shared_number(self) -> None:
        """
        Ports that agree to share a number all listen on it.
        """
        first, _ = self.listen(Recorder, reuse_port=True)
        second = FastPort(
            first.getHost().port,
            first.factory,
            50,
            "127.0.0.1",
            self.watcher,
            reuse_port=True,
        )
        second.startListening()
        self._ports.append(second)
        self.assertEqual(first.getHost(), second.getHost())

    def test_adopted(self) -> None:
        """
        A socket that listens already is adopted, and goes on listening when the port has stopped.
        """
        for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            with socket.create_server((host, 0), family=family) as listener:
                _, factory = self.listen(lambda: Recorder(echo))
                port = FastPort.adopt(self.watcher, listener.fileno(), family, factory)
                port.startListening()
                self._ports.append(port)
                self.assertEqual(listener.getsockname()[:2], (host, port.getHost().port))
                client = self.connect(port)
                client.send(b"hello")
                self.assertEqual(b"hello", self.read_bytes(client, 5))
                self.assertTrue(factory.built[-1].transport.getTcpNoDelay())
                self.assertEqual(host, factory.built[-1].transport.getPeer().host)
                stopped: list[object] = []
                port.stopListening().addCallback(stopped.append)
                self.turn_until(lambda stopped=stopped: stopped)  # type: ignore[misc]
                listener.setblocking(False)
                with socket.socket(family) as another:
                    another.connect(listener.getsockname())
                    listener.accept()[0].close()

    def test_stop_accepts_who_waits(self) -> None:
        """
        A port that stops accepts who waits in the backlog, however many; one that is shared leaves
        them to the others.
        """
        for is_shared in (False, True):
            port, factory = self.listen(Recorder)
            port.is_shared = is_shared
            port.accepts_max = 1
            for _ in range(5):
                self.connect(port)
            port.stopListening()
            self.assertEqual(len(factory.built), 0 if is_shared else 5)
            self.turn_until(lambda port=port: not port.connected)  # type: ignore[misc]

    def test_stop_accepts_who_comes_meanwhile(self) -> None:
        """
        So is who comes until the port is closed, a turn of the reactor later, where it is not
        shared: the kernel would reset the connection.
        """
        for is_shared in (False, True):
            port, factory = self.listen(Recorder)
            port.is_shared = is_shared
            stopped: list[object] = []
            port.stopListening().addCallback(stopped.append)
            client = self.connect(port)
            client.send(b"late")
            self.turn_until(lambda stopped=stopped: stopped)  # type: ignore[misc]
            self.assertEqual([b"late"] * (not is_shared), [one.received for one in factory.built])

    def test_reads_at_once(self) -> None:
        """
        What a client sent before it was accepted is delivered in the turn that accepts it.
        """
        port, factory = self.listen(Recorder)
        self.connect(port).send(b"early")
        port.doRead()
        self.assertEqual(b"early", factory.built[0].received)

    def test_over_at_once(self) -> None:
        """
        A connection whose only request was there when it was accepted is answered and closed
        without ever being watched.
        """

        def answer(protocol: Any, data: bytes) -> None:
            protocol.transport.write(data.upper())
            protocol.transport.loseConnection()

        port, factory = self.listen(lambda: Recorder(answer))
        client = self.connect(port)
        client.send(b"once")
        watched: list[Any] = []
        add = self.watcher.addReader

        def add_reader(reader: Any) -> None:
            watched.append(reader)
            add(reader)

        self.patch(self.watcher, "addReader", add_reader)
        port.doRead()
        self.assertEqual([], watched)
        self.assertTrue(factory.built[0].lost)
        self.assertEqual(b"ONCE", self.read_to_end(client))

    def test_paused_at_once(self) -> None:
        """
        A connection whose protocol pauses it within its first delivery is read from when it is
        resumed, and not before.
        """
        port, factory = self.listen(lambda: Recorder(lambda it, _: it.transport.pauseProducing()))
        client = self.connect(port)
        client.send(b"one")
        port.doRead()
        (protocol,) = factory.built
        client.send(b"two")
        self.turn(3)
        self.assertEqual(b"one", protocol.received)
        protocol.transport.resumeProducing()
        self.turn_until(lambda: protocol.received == b"onetwo")

    def test_known_by_host(self) -> None:
        """
        A factory that builds for a host is given the peer's address and nothing else.
        """
        hosts: list[str] = []

        def build(host: str) -> Any:
            hosts.append(host)
            return factory.buildProtocol(None)

        factory: Any = RecorderFactory(Recorder)
        factory.build_for_host = build
        port = self.listen_for(factory)
        self.connect(port).send(b"early")
        port.doRead()
        self.assertEqual(["127.0.0.1"], hosts)
        self.assertEqual(b"early", factory.built[0].received)
        self.assertEqual("127.0.0.1", factory.built[0].transport.getPeer().host)

    def test_exception_in_factory(self) -> None:
        """
        A connection whose protocol could not be built is closed at once.
        """

        def build() -> Recorder:
            raise ZeroDivisionError

        port, _ = self.listen(build)
        self.assertEqual(b"", self.read_to_end(self.connect(port)))
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))

    def test_accepts_are_bounded(self) -> None:
        """
        One turn accepts no more than its bound.
        """
        port, factory = self.listen(Recorder)
        port.accepts_max = 3
        for _ in range(5):
            self.connect(port)
        port.doRead()
        self.assertEqual(3, len(factory.built))
        port.doRead()
        self.assertEqual(5, len(factory.built))

    def test_without_the_call_underneath(self) -> None:
        """
        Where the library has no C{_accept} its C{accept} serves.
        """

        class Listener:
            """Only what is public."""

            def accept(self) -> str:
                """Answer."""
                return "accepted"

        listener: Any = Listener()
        self.assertEqual("accepted", compat.accept_from(listener)())

    def test_scope(self) -> None:
        """
        A link-local peer's address has its scope, as Twisted's does.
        """
        port, factory = self.listen(Recorder)
        port._addressType = IPv6Address
        ours, peers = socket.socketpair()
        self.addCleanup(peers.close)
        index, name = socket.if_nameindex()[0]
        Reception(port).admit_all([(ours, ("fe80::1", 5, 0, index))])
        transport = factory.built[0].transport
        self.assertEqual(f"fe80::1%{name}", transport.getPeer().host)
        transport.abortConnection()

    def test_rests_when_descriptors_run_out(self) -> None:
        """
        A port that could not accept does not try again at once, and forgets it when it stops.
        """
        port, factory = self.listen(Recorder)
        waiting = self.connect(port)
        with no_descriptors(port.fileno()):
            port.doRead()
        self.assertEqual(b"", waiting.recv(1))
        self.assertNotIn(port, self.watcher.getReaders())
        (resting,) = self.reactor.getDelayedCalls()
        self.assertLessEqual(resting.getTime() - self.reactor.seconds(), ACCEPT_REST_SECONDS)
        stopped: list[object] = []
        port.stopListening().addCallback(stopped.append)
        self.turn_until(lambda: stopped)
        self.assertFalse(resting.active())
        self.assertEqual([], factory.built)
