"""
Tests for L{netlab.http1.server.protocol}: requests that cannot be understood, or not be served
here.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import ISSLTransport
from zope.interface import directlyProvides

from netlab.http1.resources.responses import Response
from tests.http1.serving import ServerTestCase, get, read_answers


class RefusalTests(ServerTestCase):
    """
    What cannot be understood or served.
    """

    def check(self, request: bytes, status: int) -> None:
        """
        Check that the request is refused, and that the connection ends.
        """
        client = self.connect()
        client.send(request)
        (answer,) = read_answers(client.received)
        self.assertEqual(answer.status, status, request)
        self.assertEqual(answer.fields["Connection"], "close")
        self.assertEqual(int(answer.fields["Content-Length"]), len(answer.content))
        self.assertTrue(client.is_ended)

    def test_host(self) -> None:
        """
        HTTP/1.1 has exactly one valid Host (RFC 9112 section 3.2).
        """
        self.serve()
        self.check(b"GET / HTTP/1.1\r\n\r\n", 400)
        self.check(b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400)
        self.check(b"GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n", 400)
        for host in (b"", b"a b", b"a/b", b"user@a", b"a:x", b"a:99999", b"[::1", b"a,b@c"):
            self.check(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n", 400)
        self.check(b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400)

    def test_malformed(self) -> None:
        """
        Malformed heads are refused.
        """
        self.serve()
        self.check(b"\x16\x03\x01\x02\x00", 400)
        self.check(b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400)
        self.check(b"GET / HTTP/1.1\nHost: a\n\n", 400)
        self.check(b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400)
        self.check(b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505)
        self.check(b"GET /" + b"a" * 8192 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414)
        self.check(get("/", "X: " + "x" * 16384), 431)
        self.check(get("/", *["X: x"] * 201), 431)
        self.check(get("/", "Expect: something"), 417)
        self.check(get("/", "Transfer-Encoding: gzip, chunked", method="POST"), 501)
        self.check(get("/", "Content-Length: 1", "Transfer-Encoding: chunked"), 400)
        self.check(get("/", "Content-Length: 99999999"), 413)

    def test_nothing_is_parsed_after_a_fault(self) -> None:
        """
        Behind a refused request nothing is looked at.
        """
        resource = self.serve().context.resource
        client = self.connect()
        client.send(b"GET / HTTP/9.9\r\n\r\n" + get("/a"), get("/b"))
        self.assertEqual([a.status for a in read_answers(client.received)], [505])
        self.assertEqual(resource.heads, [])  # type: ignore[attr-defined]

    def test_refusal_behind_answers(self) -> None:
        """
        Requests before a malformed one get their answers first.
        """
        self.serve()
        answers = self.ask(get("/a") + b"nonsense\r\n\r\n")
        self.assertEqual([answer.status for answer in answers], [200, 400])

    def test_refusal_waits_for_a_slow_answer(self) -> None:
        """
        What is wrong with the second request is said after the answer to the first one.
        """
        later: Deferred[Response] = Deferred()
        self.serve(lambda head: later)
        client = self.connect()
        client.send(get("/a") + b"nonsense\r\n\r\n")
        self.assertEqual(client.received, b"")
        later.callback(Response())
        client.transport.turn()
        self.assertEqual([a.status for a in read_answers(client.received)], [200, 400])


class FaultyHeadRequestTests(ServerTestCase):
    """
    HEAD requests that go wrong: the answer has no content even so (RFC 9110 section 9.3.2), or the
    client would take it for the next answer.
    """

    def assert_no_content(self, received: bytes, status: int) -> None:
        """
        There is a head of that status, and nothing behind it.
        """
        self.assertTrue(received.startswith(b"HTTP/1.1 %d " % status), received)
        self.assertEqual(received.partition(b"\r\n\r\n")[2], b"")

    def test_faulty(self) -> None:
        """
        A wrong field, a wrong line and an early end.
        """
        self.serve()
        for request, status in (
            (b"HEAD / HTTP/1.1\r\n\r\n", 400),
            (b"HEAD / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
            (b"HEAD / HTTP/1.1\r\nHost: a\r\nA: \x00", 400),
            (b"HEAD /" + b"a" * 9000, 414),
        ):
            with self.subTest(request=request[:40]):
                client = self.connect()
                client.send(request)
                self.assert_no_content(client.received, status)
        client = self.connect()
        client.send(b"HEAD / HT")
        client.shut()
        self.assert_no_content(client.received, 400)

    def test_behind(self) -> None:
        """
        A HEAD behind a faulty GET, or before it, changes nothing about the GET's answer.
        """
        self.serve()
        faulty = b"GET / HTTP/1.1\r\n\r\n"
        alone = self.connect()
        alone.send(faulty)
        for deliveries in ([faulty + get("/", method="HEAD")], [get("/", method="HEAD") + faulty]):
            client = self.connect()
            client.send(*deliveries)
            self.assertTrue(client.received.endswith(alone.received), client.received)

    def test_late(self) -> None:
        """
        One that takes too long.
        """
        self.serve()
        client = self.connect()
        client.send(b"HEAD / HT")
        self.pass_time(11)
        self.assert_no_content(client.received, 408)

    def test_logged(self) -> None:
        """
        The access log says that no content was sent.
        """
        self.serve(has_access_log=True)
        self.connect().send(b"HEAD / HTTP/1.1\r\n\r\n")
        self.pass_time(2)
        (line,) = self.log_lines
        self.assertIn(b'"-" 400 0 ', line)

    def test_get(self) -> None:
        """
        The answer to a faulty GET says what is wrong.
        """
        self.serve()
        client = self.connect()
        client.send(b"GET / HTTP/1.1\r\n\r\n")
        (answer,) = read_answers(client.received)
        self.assertIn(b"The request has no Host.", answer.content)


class MisdirectedTests(ServerTestCase):
    """
    Requests for an https URI, which must be secured (RFC 9110 section 7.4).
    """

    def test_without_tls(self) -> None:
        """
        Without TLS they are refused, and the connection ends.
        """
        self.serve()
        answer = self.ask_one(get("https://localhost/a"))
        self.assertEqual((answer.status, answer.will_close), (421, True))

    def test_with_tls(self) -> None:
        """
        Over TLS they are answered, and that answer is not remembered for those without.
        """
        self.serve(lambda head: Response(200, content=head.target.path, repeat_seconds=1))
        client = self.connect()
        directlyProvides(client.transport, ISSLTransport)
        client.send(get("https://localhost/a"))
        (answer,) = read_answers(client.received)
        self.assertEqual((answer.status, answer.content), (200, b"/a"))
        self.assertEqual(self.ask_one(get("https://localhost/a")).status, 421)
