"""
Tests for L{netlab.lab.live.guards}.
"""

from __future__ import annotations

from netlab.http1.resources.hostguard import Names
from netlab.http1.resources.receiving import RequestContent
from netlab.http1.resources.resource import Receiver
from netlab.http1.resources.responses import Response
from netlab.http1.sansio.messages import RequestHead
from netlab.lab.live.guards import Guarded
from tests.http1.serving import ServerTestCase

TOKEN = b"a-token-of-this-start"
PORT = ":8081"


class Done:
    """
    A resource that does what it is asked.

    @ivar count: how often.
    """

    def __init__(self) -> None:
        self.count = 0

    def respond(self, head: RequestHead) -> Response:
        """
        Answer.
        """
        self.count += 1
        return Response(200, content=b"done")

    def receiver(self, head: RequestHead) -> Receiver | None:
        """
        Read nothing.
        """
        return self.receive if head.method == b"POST" else None

    def receive(self, head: RequestHead, content: RequestContent) -> Response:
        """
        Answer.
        """
        return self.respond(head)


class GuardedTests(ServerTestCase):
    """
    Requests of our page, and of others.
    """

    def setUp(self) -> None:
        """
        Serve behind the guards.
        """
        super().setUp()
        self.done = Done()
        self.guard(Names())

    def guard(self, names: Names) -> None:
        """
        Serve by other names.
        """
        self.serve(Guarded(self.done, names, TOKEN))

    def status(self, *lines: str, method: str = "GET", target: str = "/events") -> int:
        """
        Ask, and tell the answer's status. What is refused has not been done.
        """
        before = self.done.count
        length = ("Content-Length: 2",) if method == "POST" else ()
        content = "{}" if method == "POST" else ""
        text = "\r\n".join((f"{method} {target} HTTP/1.1", *lines, *length, "", content))
        status = self.ask_one(text.encode("latin-1")).status
        self.assertEqual(self.done.count, before + (status == 200))
        return status

    def test_hosts(self) -> None:
        """
        The name localhost and loopback addresses are ours, with any port; every other name may be
        an attacker's that leads here.
        """
        for host in ("localhost", "LOCALHOST:8081", "127.0.0.1:8081", "127.9.9.9", "[::1]:8081"):
            self.assertEqual(self.status(f"Host: {host}"), 200, host)
        for host in (
            "evil.example:8081",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "evil-localhost",
            "localhost.",
            "127.1",
            "2130706433",
            "0x7f.0.0.1",
            "192.0.2.7:8081",
            "[2001:db8::1]",
        ):
            self.assertEqual(self.status(f"Host: {host}"), 403, host)

    def test_absolute_form(self) -> None:
        """
        The name in the request target counts too.
        """
        for target, status in (
            ("http://localhost:8081/events", 200),
            ("http://evil.example/events", 403),
        ):
            self.assertEqual(self.status("Host: localhost", target=target), status, target)

    def test_no_host(self) -> None:
        """
        HTTP/1.0 allows a request without Host; it is refused here.
        """
        self.assertEqual(self.ask_one(b"GET / HTTP/1.0\r\n\r\n").status, 403)

    def test_chosen_names(self) -> None:
        """
        A name that the user gives is ours; an address is once the laboratory is exposed.
        """
        self.guard(Names(frozenset({"lab.example"})))
        self.assertEqual(self.status("Host: lab.example:8081"), 200)
        self.assertEqual(self.status("Host: 192.0.2.7:8081"), 403)
        self.guard(Names(takes_addresses=True))
        self.assertEqual(self.status("Host: 192.0.2.7:8081"), 200)
        self.assertEqual(self.status("Host: evil.example:8081"), 403)

    def test_sites(self) -> None:
        """
        What a page of another site asks for is refused, and so is what a page of another port of
        this machine does (same-site); what the user asks for, and our page, is not.
        """
        for site, status in (
            ("same-origin", 200),
            ("none", 200),
            ("same-site", 403),
            ("cross-site", 403),
            ("anything", 403),
        ):
            lines = ("Host: localhost", f"Sec-Fetch-Site: {site}")
            self.assertEqual(self.status(*lines), status, site)

    def test_a_link_to_the_page(self) -> None:
        """
        A link of another site may lead to the page, and to the page only; and what is not followed
        as a link may not ask for it.
        """
        lines = ("Host: localhost", "Sec-Fetch-Site: cross-site")
        visit = "Sec-Fetch-Mode: navigate"
        self.assertEqual(self.status(*lines, visit, target="/"), 200)
        self.assertEqual(self.status(*lines, visit, target="/results/echo/report.html"), 403)
        self.assertEqual(
            self.status(
                *lines, visit, f"X-Netlab-Token: {TOKEN.decode()}", method="POST", target="/"
            ),
            403,
        )
        self.assertEqual(self.status(*lines, "Sec-Fetch-Mode: no-cors", target="/"), 403)

    def test_origins(self) -> None:
        """
        The origin of whoever asks is ours, port and all, or is not told.
        """
        token = f"X-Netlab-Token: {TOKEN.decode()}"
        for origin, status in (
            ("http://localhost:8081", 200),
            ("http://localhost:9999", 403),
            ("http://localhost", 403),
            ("https://localhost:8081", 403),
            ("http://127.0.0.1:8081", 403),
            ("http://evil.example", 403),
            ("null", 403),
        ):
            lines = ("Host: localhost:8081", f"Origin: {origin}", token)
            self.assertEqual(self.status(*lines, method="POST"), status, origin)
            self.assertEqual(self.status(*lines), status, origin)

    def test_token(self) -> None:
        """
        Whoever wants something done must know the token of this start; who only looks need not.
        """
        for line, status in (
            (f"X-Netlab-Token: {TOKEN.decode()}", 200),
            ("X-Netlab-Token: another", 403),
            (f"X-Netlab-Token: {TOKEN.decode()[:-1]}", 403),
            ("X-Netlab-Token: \xe4", 403),
            ("X-Other: 1", 403),
        ):
            self.assertEqual(self.status("Host: localhost", line, method="POST"), status, line)
            self.assertEqual(self.status("Host: localhost", line), 200, line)
        twice = ("Host: localhost", *[f"X-Netlab-Token: {TOKEN.decode()}"] * 2)
        self.assertEqual(self.status(*twice, method="POST"), 403)
