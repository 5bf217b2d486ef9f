"""
Tests for L{netlab.http1.resources.connectionfacts}.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress, ISSLTransport, ITransport
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import directlyProvides

from netlab.http1.resources.connectionfacts import (
    ConnectionFacts,
    InternetPlace,
    TLSFacts,
    binder_of,
)
from netlab.http1.resources.redirects import RedirectRules
from netlab.http1.resources.resource import (
    Answer,
    CrossOrigin,
    Nothing,
    Redirected,
    Resource,
    Router,
    WithFields,
)
from netlab.http1.resources.responses import Pages, Response
from netlab.http1.sansio.messages import RequestHead
from tests.http1.serving import FunctionResource, ServerTestCase, echo_path, get


@dataclass(frozen=True)
class WhoAsks:
    """
    Says who asks, once it is made for a connection.
    """

    facts: ConnectionFacts | None = None

    def for_connection(self, facts: ConnectionFacts) -> Resource:
        """
        Know.
        """
        return WhoAsks(facts)

    def respond(self, head: RequestHead) -> Answer:
        """
        Say.
        """
        who = self.facts
        return Response(content=b"?" if who is None else b"%d %b" % (who.number, who.peer))


class FakeTransport:
    """
    A transport that has two ends.
    """

    def __init__(self, peer: IAddress, host: IAddress) -> None:
        self._peer = peer
        self._host = host

    def getPeer(self) -> IAddress:
        """
        Say who the client is.
        """
        return self._peer

    def getHost(self) -> IAddress:
        """
        Say who we are.
        """
        return self._host


class FakeTLSTransport(FakeTransport):
    """
    Our own transport of TLS, as far as L{ConnectionFacts} looks.
    """

    tls_agreement = ("TLSv1.3", "TLS_AES_256_GCM_SHA384")
    negotiatedProtocol = b"http/1.1"
    peer_certificate = b"DER"


def around(transport: object) -> ConnectionFacts:
    """
    Say what surrounds requests on a transport.
    """
    return ConnectionFacts(cast(ITransport, transport), b"", 1)


class ConnectionFactsTests(SynchronousTestCase):
    """
    Tests for L{ConnectionFacts}.
    """

    def test_addresses(self) -> None:
        """
        Both ends are told, of either version of IP.
        """
        ends = (IPv4Address("TCP", "192.0.2.7", 40000), IPv4Address("TCP", "192.0.2.1", 80))
        four = around(FakeTransport(*ends))
        self.assertEqual(four.client, InternetPlace("192.0.2.7", 40000))
        self.assertEqual(four.server, ("192.0.2.1", 80))
        six = around(FakeTransport(IPv6Address("TCP", "2001:db8::7", 1), ends[1]))
        self.assertEqual(six.client, ("2001:db8::7", 1))

    def test_no_address(self) -> None:
        """
        A client on a Unix socket has no address and no port.
        """
        unix = around(FakeTransport(UNIXAddress(None), UNIXAddress("server.socket")))
        self.assertEqual((unix.client, unix.server), (None, None))

    def test_plain(self) -> None:
        """
        Without TLS there is nothing to say of it.
        """
        plain = around(FakeTransport(UNIXAddress(None), UNIXAddress(None)))
        self.assertFalse(plain.is_secure)
        self.assertIsNone(plain.tls)

    def test_tls(self) -> None:
        """
        With TLS version, suite, protocol and the client's certificate are told.
        """
        transport = FakeTLSTransport(UNIXAddress(None), UNIXAddress(None))
        directlyProvides(transport, ISSLTransport)
        secured = around(transport)
        self.assertTrue(secured.is_secure)
        expected = TLSFacts("TLSv1.3", "TLS_AES_256_GCM_SHA384", "http/1.1", b"DER")
        self.assertEqual(secured.tls, expected)


class ConnectedResourceTests(ServerTestCase):
    """
    A resource that asks for it is made for each connection, wherever it stands.
    """

    def answers(self, resource: Resource, path: str = "/") -> list[bytes]:
        """
        Ask on two connections of different clients, twice each.
        """
        self.serve(resource)
        contents = []
        for host in ("192.0.2.7", "2001:db8::7"):
            kind: Any = IPv6Address if ":" in host else IPv4Address
            client = self.connect(kind("TCP", host, 40000))
            for _ in range(2):
                before = len(client.received)
                client.send(get(path))
                contents.append(client.received[before:].rpartition(b"\r\n\r\n")[2])
        return contents

    def test_behind_others(self) -> None:
        """
        It knows its connection behind every resource that can stand in front of it.
        """
        who = WhoAsks()
        pages = Pages()
        for resource in (
            who,
            WithFields(who, ((b"X-A", b"1"),)),
            CrossOrigin(who, (b"*",)),
            Redirected(RedirectRules(()), who, pages),
            Router({(b"here",): Nothing(pages)}, who, pages),
            Router({(b"",): WithFields(who, ())}, Nothing(pages), pages),
        ):
            first, second = b"1 192.0.2.7", b"2 2001:db8::7"
            self.assertEqual(self.answers(cast(Resource, resource)), [first] * 2 + [second] * 2)

    def test_nobody_asks(self) -> None:
        """
        Where no resource asks, the same one answers all connections.
        """
        inner = FunctionResource(echo_path)
        pages = Pages()
        for resource in (
            inner,
            WithFields(inner, ()),
            CrossOrigin(inner, ()),
            Redirected(RedirectRules(()), inner, pages),
            Router({(b"a",): inner}, Nothing(pages), pages),
        ):
            self.assertIsNone(binder_of(resource))
            factory = self.serve(cast(Resource, resource))
            self.assertIs(self.connect().protocol.resource, factory.context.resource)
