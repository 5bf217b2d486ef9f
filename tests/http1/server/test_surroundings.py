"""
Tests for L{netlab.http1.server.surroundings}.
"""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from twisted.internet.address import UNIXAddress
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import ISSLTransport
from twisted.internet.ssl import Certificate
from zope.interface import alsoProvides

from netlab.http1.resources.requestcontext import Address, RequestContext, TLSParameters
from netlab.http1.resources.resource import (
    Answer,
    ContextualAnswer,
    CrossOrigin,
    Receiver,
    WithFields,
)
from netlab.http1.resources.responses import Response
from netlab.http1.sansio.fields import NO_FIELDS
from netlab.http1.sansio.messages import RequestHead
from netlab.http1.server.surroundings import request_context
from tests.certificates import Authority
from tests.http1.serving import HOST, PEER, ServerTestCase, get, post, read_answers


class Asking:
    """
    A resource that asks what surrounds its requests.

    @ivar contexts: what it got.
    """

    def __init__(self, later: bool = False) -> None:
        self.contexts: list[RequestContext] = []
        self._later = later

    def respond(self, head: RequestHead) -> Answer:
        """
        Ask.
        """
        return ContextualAnswer(self._answer)

    def receiver(self, head: RequestHead) -> Receiver | None:
        """
        Ask when content has come, too.
        """
        return lambda head, content: ContextualAnswer(self._answer)

    def _answer(self, context: RequestContext) -> Answer:
        self.contexts.append(context)
        response = Response(200, NO_FIELDS, context.peer)
        return succeed(response) if self._later else response


class ContextTests(ServerTestCase):
    """
    What a resource gets that asks.
    """

    def test_plain(self) -> None:
        """
        The two ends, the scheme, and a number that only this connection has, whether the answer
        comes now or later, with content or without.
        """
        for later in (False, True):
            resource = Asking(later)
            self.serve(resource)
            one, other = self.connect(), self.connect()
            for client, request in (
                (one, get("/a")),
                (one, post("Content-Length: 3", content=b"abc")),
                (other, get("/a")),
            ):
                client.send(request)
            first, again, second = resource.contexts
            self.assertEqual(first, again)
            self.assertEqual(first.peer, b"192.0.2.7")
            self.assertEqual(first.client, Address(PEER.host, PEER.port))
            self.assertEqual(first.local, Address(HOST.host, HOST.port))
            self.assertEqual((first.tls, first.scheme), (None, "http"))
            self.assertNotEqual(first.connection_id, second.connection_id)
            self.assertEqual(
                [answer.content for answer in read_answers(one.received)], [b"192.0.2.7"] * 2
            )

    def test_through_others(self) -> None:
        """
        Resources that add fields to what another answers pass the question on.
        """
        resource = Asking(later=True)
        self.serve(CrossOrigin(WithFields(resource, ((b"X-A", b"b"),)), (b"*",)))
        for request in (get("/a"), post("Content-Length: 3", content=b"abc")):
            answer = self.ask_one(request)
            self.assertEqual(answer.content, b"192.0.2.7")
            self.assertEqual(answer.fields["X-A"], "b")
            self.assertEqual(answer.fields["Access-Control-Allow-Origin"], "*")

    def test_is_not_sent_again(self) -> None:
        """
        An answer that depends on its client is not kept, even if it might be sent again.
        """
        answers = iter((b"first", b"second", b"third"))

        class Kept:
            def respond(self, head: RequestHead) -> Answer:
                return ContextualAnswer(
                    lambda context: Response(200, NO_FIELDS, next(answers), repeat_seconds=60.0)
                )

        self.serve(Kept())
        client = self.connect()
        client.send(get("/a"), get("/a"), get("/a"))
        contents = [answer.content for answer in read_answers(client.received)]
        self.assertEqual(contents, [b"first", b"second", b"third"])

    def test_fault(self) -> None:
        """
        A resource that fails when it is told gets a 500 answered, and a traceback.
        """

        def fail(context: RequestContext) -> Answer:
            raise ZeroDivisionError

        class Failing:
            def respond(self, head: RequestHead) -> Answer:
                return ContextualAnswer(fail)

        self.serve(Failing())
        self.assertEqual(self.ask_one(get("/a")).status, 500)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_gone(self) -> None:
        """
        A client that goes cancels what such an answer waits for.
        """
        cancelled: list[Deferred[Response]] = []
        waiting: Deferred[Response] = Deferred(cancelled.append)

        class Waiting:
            def respond(self, head: RequestHead) -> Answer:
                return ContextualAnswer(lambda context: waiting)

        self.serve(Waiting())
        client = self.connect()
        client.send(get("/a"))
        client.vanish()
        self.assertEqual(cancelled, [waiting])

    def context_of(self, **attributes: object) -> RequestContext:
        """
        Look up what surrounds a connection whose transport has these attributes.
        """
        self.serve(Asking())
        client = self.connect()
        transport: Any = client.transport
        for name, value in attributes.items():
            setattr(transport, name, value)
        if "negotiatedProtocol" in attributes:
            alsoProvides(transport, ISSLTransport)
        return request_context(client.protocol, self.factory.context.numbers)

    def test_proxied(self) -> None:
        """
        Behind a proxy that says so, the client is the proxy's.
        """
        client = type(PEER)("TCP", "198.51.100.9", 5)
        self.assertEqual(self.context_of(proxied_client=client).client, Address("198.51.100.9", 5))

    def test_without_address(self) -> None:
        """
        A UNIX socket has no addresses.
        """
        nowhere = UNIXAddress(None)
        context = self.context_of(getPeer=lambda: nowhere, getHost=lambda: nowhere)
        self.assertEqual((context.client, context.local), (None, None))

    def test_tls(self) -> None:
        """
        What our own TLS has settled.
        """
        context = self.context_of(
            tls_version="TLSv1.3", negotiatedProtocol=b"http/1.1", peer_certificate=b"DER"
        )
        self.assertEqual(context.tls, TLSParameters("TLSv1.3", b"http/1.1", b"DER"))
        self.assertEqual(context.scheme, "https")

    def test_stock_tls(self) -> None:
        """
        And what Twisted's has.
        """

        class Handle:
            def get_protocol_version_name(self) -> str:
                return "TLSv1.2"

        shown = Certificate.load(Authority().certificate.public_bytes(Encoding.DER))
        for original, encoded in ((None, None), (shown.original, shown.dump())):
            context = self.context_of(
                negotiatedProtocol=None,
                getPeerCertificate=lambda shown=original: shown,
                getHandle=Handle,
            )
            self.assertEqual(context.tls, TLSParameters("TLSv1.2", None, encoded))
