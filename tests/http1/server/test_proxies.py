"""
Tests for L{netlab.http1.server.proxies}, and for all that a trusted proxy's word counts for.
"""

from __future__ import annotations

import asyncio
from typing import Any

from twisted.internet.address import IPv4Address

from netlab.http1.accesslog.log import AccessLog
from netlab.http1.programs.asgi import ASGIProgram
from netlab.http1.resources.responses import Response
from netlab.http1.sansio.forwarded import TrustedProxies, parse_trusted
from netlab.http1.sansio.limits import Admission
from netlab.http1.server.factory import HTTPServerFactory
from tests.http1.serving import BytesWriter, Client, FunctionResource, ServerTestCase, get

PROXY = IPv4Address("TCP", "10.0.0.1", 40000)
SPOOFER = IPv4Address("TCP", "203.0.113.5", 40000)


class ProxiedTests(ServerTestCase):
    """
    A server behind a proxy that it trusts.
    """

    def serve_proxied(self, resource: Any, admission: Admission | None = None) -> None:
        """
        Start the server.
        """
        proxies = TrustedProxies([parse_trusted("10.0.0.0/8")])
        log = AccessLog(BytesWriter(self.log_lines), self.reactor)
        self.factory = HTTPServerFactory(
            resource, self.reactor, access_log=log, admission=admission, proxies=proxies
        )

    def from_proxy(self, *requests: bytes) -> Client:
        """
        Send by the proxy.
        """
        client = self.connect(PROXY)
        client.send(*requests)
        return client

    def test_log(self) -> None:
        """
        The log has the client, also of an answer that is sent again and again, and not what others
        say of themselves.
        """
        always = FunctionResource(lambda head: Response(content=b"x", repeat_seconds=60))
        self.serve_proxied(always)
        for number in (1, 2, 1, 1, 1):
            self.from_proxy(get("/", f"X-Forwarded-For: 192.0.2.{number}"))
        self.from_proxy(get("/"))
        spoofer = self.connect(SPOOFER)
        spoofer.send(get("/", "X-Forwarded-For: 192.0.2.9"))
        self.pass_time(2)
        addresses = [line.split(b" ")[0] for line in b"".join(self.log_lines).splitlines()]
        clients = [b"192.0.2.%d" % number for number in (1, 2, 1, 1, 1)]
        self.assertEqual(addresses, [*clients, b"10.0.0.1", b"203.0.113.5"])

    def test_limits(self) -> None:
        """
        A proxy's connections are not bounded as one peer's.
        """
        always = FunctionResource(lambda head: Response(content=b"x"))
        self.serve_proxied(always, Admission(connections_per_peer_max=2))
        statuses = [self.from_proxy(get("/")).received[9:12] for _ in range(5)]
        self.assertEqual(statuses, [b"200"] * 5)
        for _ in range(3):
            client = self.connect(SPOOFER)
        client.transport.turn()
        self.assertEqual(client.received[9:12], b"503")

    def test_scope(self) -> None:
        """
        An ASGI application gets the client and the scheme of each request.
        """
        scopes: list[Any] = []

        async def application(scope: Any, receive: Any, send: Any) -> None:
            scopes.append((scope["client"], scope["scheme"]))

        loop = asyncio.new_event_loop()
        self.addCleanup(loop.close)
        self.serve_proxied(ASGIProgram(application, loop))
        client = self.connect(PROXY)
        for fields in (("X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https"), ()):
            client.send(get("/", *fields))
            loop.call_soon(loop.stop)
            loop.run_forever()
            self.take_turns()
            client.transport.turn()
        self.flushLoggedErrors()
        self.assertEqual(scopes, [(("192.0.2.1", 0), "https"), (("10.0.0.1", 0), "http")])
