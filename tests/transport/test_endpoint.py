"""
Endpoints and descriptions, and when they are Twisted's own.
"""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet import endpoints, error, tcp
from twisted.internet.interfaces import IStreamServerEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import EventLoggingObserver, MemoryReactorClock
from twisted.logger import globalLogPublisher
from twisted.python.systemd import ListenFDs
from zope.interface.verify import verifyObject

from netlab.transport import compat, poller
from netlab.transport.certificates import RenewableTLSEndpoint
from netlab.transport.endpoint import (
    server_from_string,
)
from netlab.transport.fastendpoint import (
    BACKLOG,
    AdoptedTCPServerEndpoint,
    FastTCPServerEndpoint,
    SecureEndpoint,
)
from netlab.transport.poller import NestedPoller
from netlab.transport.port import FastPort
from netlab.transport.proxied import ProxiedEndpoint
from netlab.transport.tls.contexts import RenewableContext
from tests.transport.connections import ConnectionTestCase
from tests.transport.tls.secured import issued, settings


class EndpointTests(ConnectionTestCase):
    """
    Endpoints in a real reactor.
    """

    def port_of(self, made: Any) -> Any:
        """
        Listen, and stop when the test is over.
        """
        port = self.successResultOf(made.listen(Factory.forProtocol(Protocol)))
        self._ports.append(port)
        return port

    def test_fast(self) -> None:
        """
        The endpoint listens with a fast port in a poller of its own.
        """
        made = FastTCPServerEndpoint(self.reactor, 0, interface="127.0.0.1")
        verifyObject(IStreamServerEndpoint, made)
        port = self.port_of(made)
        self.assertIsInstance(port, FastPort)
        self.assertIsInstance(port.reactor, NestedPoller)
        self.assertEqual(("127.0.0.1", BACKLOG), (port.getHost().host, port.backlog))

    def test_taken(self) -> None:
        """
        A number that is taken fails as it does with Twisted's endpoint.
        """
        port = self.port_of(FastTCPServerEndpoint(self.reactor, 0, interface="127.0.0.1"))
        number = port.getHost().port
        again = FastTCPServerEndpoint(self.reactor, number, interface="127.0.0.1")
        self.failureResultOf(again.listen(port.factory), error.CannotListenError)

    def test_adopted(self) -> None:
        """
        A listening socket is adopted, any number of times.
        """
        with socket.create_server(("127.0.0.1", 0)) as listener:
            made = AdoptedTCPServerEndpoint(self.reactor, listener.fileno(), socket.AF_INET)
            verifyObject(IStreamServerEndpoint, made)
            for _ in range(2):
                port = self.port_of(made)
                self.assertIsInstance(port, FastPort)
                self.assertEqual(listener.getsockname()[1], port.getHost().port)

    def test_handed_over(self) -> None:
        """
        A TCP socket that systemd hands over is adopted by the fast path, and its accept is deferred
        where that is asked for.
        """
        # Twisted closes it when it has been adopted.
        handed_over = socket.create_server(("127.0.0.1", 0)).detach()
        self.patch(endpoints._SystemdParser, "_sddaemon", ListenFDs([handed_over]))
        description = "systemd:domain=INET:index=0"
        port = self.port_of(server_from_string(self.reactor, description, defer_accept_seconds=3))
        self.assertIsInstance(port, FastPort)
        if hasattr(socket, "TCP_DEFER_ACCEPT"):
            option = port.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT)
            self.assertGreater(option, 0)

    def test_plain_descriptions(self) -> None:
        """
        Descriptions of plain TCP come with the fast path, and mean what they do in Twisted.
        """
        for description, host, backlog in (
            ("tcp:0:interface=127.0.0.1", "127.0.0.1", BACKLOG),
            ("tcp:port=0:interface=127.0.0.1:backlog=7", "127.0.0.1", 7),
            ("tcp:0:127.0.0.1:8", "127.0.0.1", 8),
            ("tcp:0", "0.0.0.0", BACKLOG),
            (r"tcp:0:interface=\:\:1", "::1", BACKLOG),
            (r"tcp6:0:interface=\:\:1", "::1", BACKLOG),
        ):
            port = self.port_of(server_from_string(self.reactor, description))
            self.assertIsInstance(port, FastPort, description)
            self.assertEqual((host, backlog), (port.getHost().host, port.backlog), description)

    def test_options(self) -> None:
        """
        What a description cannot say is said beside it.
        """
        made = server_from_string(
            self.reactor, "tcp:0:interface=127.0.0.1", defer_accept_seconds=5, reuse_port=True
        )
        port = self.port_of(made)
        option = port.socket.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT)
        self.assertTrue(option)
        self.assertEqual(5, port._defer_accept_seconds)

    def test_other_descriptions(self) -> None:
        """
        All other descriptions are Twisted's own.
        """
        made = server_from_string(self.reactor, "unix:/nowhere/socket")
        self.assertIsInstance(made, endpoints.UNIXServerEndpoint)

    def test_behind_a_proxy(self) -> None:
        """
        PROXY headers go before plain TCP, which stays fast, and before UNIX sockets; not before
        TLS, which Twisted would have around them.
        """
        wrapped = server_from_string(self.reactor, "haproxy:tcp:0:interface=127.0.0.1")
        self.assertIsInstance(wrapped, ProxiedEndpoint)
        self.assertIsInstance(self.port_of(wrapped), FastPort)
        made = server_from_string(self.reactor, "haproxy:unix:/nowhere/socket")
        self.assertIsInstance(made, ProxiedEndpoint)
        self.assertRaises(ValueError, server_from_string, self.reactor, "haproxy:ssl:443")
        self.assertRaises(ValueError, server_from_string, self.reactor, "haproxy:")

    def test_stock(self) -> None:
        """
        On request nothing is on the fast path.
        """
        for description in ("tcp:0:interface=127.0.0.1", "haproxy:tcp:0:interface=127.0.0.1"):
            made = server_from_string(self.reactor, description, is_fast=False)
            self.assertNotIsInstance(self.port_of(made), FastPort)

    def test_wrong_descriptions(self) -> None:
        """
        A description that Twisted would refuse is refused.
        """
        for description in ("8080", "nonsense:1", "tcp:http", ""):
            self.assertRaises(ValueError, server_from_string, self.reactor, description)
        self.assertRaises(TypeError, server_from_string, self.reactor, "tcp:0:nonsense=1")

    def test_no_epoll(self) -> None:
        """
        Without epoll the fast port is in the reactor itself.
        """
        self.patch(poller, "is_supported", lambda _reactor: False)
        port = self.port_of(FastTCPServerEndpoint(self.reactor, 0, interface="127.0.0.1"))
        self.assertIsInstance(port, FastPort)
        self.assertIs(self.reactor, port.reactor)


class FallBackTests(ConnectionTestCase):
    """
    Where the fast path must not be used.
    """

    port_class = tcp.Port

    def setUp(self) -> None:
        """
        The check has not run yet, and what is logged is kept.
        """
        super().setUp()
        self.forget_verdict()
        self.addCleanup(self.forget_verdict)
        self.observer = EventLoggingObserver()
        globalLogPublisher.addObserver(self.observer)
        self.addCleanup(globalLogPublisher.removeObserver, self.observer)

    def forget_verdict(self) -> None:
        """
        Have the check run again.
        """
        compat.reason_to_stay_stock.cache_clear()

    def warnings(self) -> list[str]:
        """
        Give the reasons that were logged.
        """
        return [event["why"] for event in self.observer if "why" in event]

    def test_as_we_know_it(self) -> None:
        """
        The Twisted that is installed is one that the fast path knows.
        """
        self.assertEqual(None, compat.reason_to_stay_stock())

    def test_tls(self) -> None:
        """
        TLS is Twisted's own then, with a line in the log, and also where an C{sslmethod} is named.
        What only ours can do is refused, and what is to be secured is never served plainly.
        """
        _, folder = issued()
        place = f"ssl:0:{folder}/key.pem:{folder}/cert.pem:interface=127.0.0.1"
        named = place + ":sslmethod=TLSv1_2_METHOD"
        self.assertIsInstance(server_from_string(self.reactor, place), SecureEndpoint)
        self.assertIsInstance(server_from_string(self.reactor, named), RenewableTLSEndpoint)
        self.assertEqual(["sslmethod was asked for"], self.warnings())
        self.patch(tcp.Server, "_shouldShutdown", False)
        self.forget_verdict()
        self.assertIsInstance(server_from_string(self.reactor, place), RenewableTLSEndpoint)
        self.assertEqual(2, len(self.warnings()))
        for description in (place, "tcp:0", "unix:/sock"):
            with self.assertRaises(ValueError):
                server_from_string(self.reactor, description, tls=settings(), secures_tcp=True)
        late = FastTCPServerEndpoint(self.reactor, 0, context=RenewableContext(settings()))
        self.failureResultOf(late.listen(Factory()), ValueError)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            adopted = AdoptedTCPServerEndpoint(
                self.reactor,
                listener.fileno(),
                socket.AF_INET,
                context=RenewableContext(settings()),
            )
            self.failureResultOf(adopted.listen(Factory()), ValueError)

    def test_names_changed(self) -> None:
        """
        When a private name is gone, or means something else, the endpoints are Twisted's own and
        one line of the log says why.
        """

        def write(transport: Any, data: bytes) -> None:
            transport.queue = [data]

        for owner, name, changed in (
            (tcp.Server, "_tempDataLen", property(lambda _server: 0, lambda _server, _v: None)),
            (tcp.Server, "_writeDisconnecting", property(lambda _server: True)),
            (tcp.Server, "_shouldShutdown", False),
            (tcp.Server, "write", write),
            (tcp.Server, "loseConnection", lambda _server: None),
            (tcp.Server, "abortConnection", lambda _server: None),
            (tcp.Port, "_buildAddr", None),
            (tcp, "_reservedFD", None),
        ):
            self.forget_verdict()
            known = vars(owner).get(name)
            if changed is None:
                delattr(owner, name)
            else:
                setattr(owner, name, changed)
            try:
                verdict = compat.reason_to_stay_stock()
            finally:
                if known is None:
                    delattr(owner, name)
                else:
                    setattr(owner, name, known)
            self.assertNotEqual(None, verdict, name)

    def test_attribute_added(self) -> None:
        """
        A transport whose constructor sets more than we know is not ours to build.
        """
        stock = tcp.Server.__init__

        def init(server: Any, *args: Any) -> None:
            stock(server, *args)
            server.novelty = 1

        self.patch(tcp.Server, "__init__", init)
        made = server_from_string(self.reactor, "tcp:0:interface=127.0.0.1")
        port = self.successResultOf(made.listen(Factory.forProtocol(Protocol)))
        self._ports.append(port)
        self.assertEqual((tcp.Port, 50), (port.__class__, 50))
        (why,) = self.warnings()
        self.assertIn("tcp.Server.__init__ sets what it did", why)

    def test_adopted(self) -> None:
        """
        So is an adopted socket.
        """
        self.patch(tcp.Server, "_shouldShutdown", False)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            made = AdoptedTCPServerEndpoint(self.reactor, listener.fileno(), socket.AF_INET)
            port = self.successResultOf(made.listen(Factory.forProtocol(Protocol)))
        self._ports.append(port)
        self.assertIs(tcp.Port, port.__class__)
        self.assertEqual(1, len(self.warnings()))

    def test_other_reactors(self) -> None:
        """
        A reactor that does not watch descriptors listens in its own way.
        """

        class Completions(Clock):
            """Like the reactor of Windows' completion ports."""

            def listenTCP(self, *args: object, **kwargs: object) -> object:
                """Answer what it was called with."""
                return args, kwargs

        made = FastTCPServerEndpoint(Completions(), 80, interface="127.0.0.1")
        factory = Factory.forProtocol(Protocol)
        self.assertEqual(
            ((80, factory), {"backlog": BACKLOG, "interface": "127.0.0.1"}),
            self.successResultOf(made.listen(factory)),
        )
        self.assertEqual(["Completions does not watch descriptors"], self.warnings())

    def test_memory(self) -> None:
        """
        Twisted's reactor in memory is given to its own endpoint by who wants to test with it.
        """
        reactor = MemoryReactorClock()
        endpoints.serverFromString(reactor, "tcp:80").listen(Factory.forProtocol(Protocol))
        self.assertEqual(1, len(reactor.tcpServers))
