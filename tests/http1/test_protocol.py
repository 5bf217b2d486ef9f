"""
Tests for L{netlab.http1.protocol}: exchanges. The modules test_protocol_*.py look at repeated
answers, deadlines and the end of connections.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IHalfCloseableProtocol, IPushProducer, ISSLTransport
from zope.interface import directlyProvides
from zope.interface.verify import verifyObject

from netlab.http1.fields import NO_FIELDS, Fields
from netlab.http1.limits import Limits
from netlab.http1.messages import RequestHead
from netlab.http1.resource import Answer
from netlab.http1.responses import Response
from netlab.http1.serversettings import ServerSettings
from tests.http1.serving import NOW, ServerTestCase, echo_path, get, read_answers


class InterfaceTests(ServerTestCase):
    """
    What the transport relies on.
    """

    def test_interfaces(self) -> None:
        """
        The protocol can be half-closed, and is a producer for the transport.
        """
        self.serve()
        protocol = self.connect().protocol
        self.assertTrue(verifyObject(IHalfCloseableProtocol, protocol))
        self.assertTrue(verifyObject(IPushProducer, protocol))


class ExchangeTests(ServerTestCase):
    """
    Requests and their answers.
    """

    def test_answer(self) -> None:
        """
        An answer has a Date and the length of its content, and the content.
        """
        self.serve()
        answer = self.ask_one(get("/a"))
        self.assertEqual((answer.status, answer.reason, answer.version), (200, "OK", 11))
        self.assertEqual(answer.fields["Date"], "Fri, 13 Feb 2009 23:31:30 GMT")
        self.assertEqual(answer.fields["Content-Length"], "2")
        self.assertEqual(answer.content, b"/a")

    def test_cuts(self) -> None:
        """
        It does not matter how a request is cut into deliveries.
        """
        self.serve()
        request = get("/a")
        for cut in range(1, len(request)):
            (answer,) = self.ask(request[:cut], request[cut:])
            self.assertEqual(answer.content, b"/a")

    def test_bytewise(self) -> None:
        """
        Two requests that come byte by byte get both answers.
        """
        self.serve()
        answers = self.ask(*(bytes((byte,)) for byte in get("/a") + get("/b")))
        self.assertEqual([answer.content for answer in answers], [b"/a", b"/b"])

    def test_persistence(self) -> None:
        """
        HTTP/1.1 persists without being asked to (RFC 9112 section 9.3).
        """
        self.serve()
        client = self.connect()
        client.send(get("/a"), get("/b"), get("/c"))
        answers = read_answers(client.received)
        self.assertEqual([answer.content for answer in answers], [b"/a", b"/b", b"/c"])
        self.assertFalse(client.is_ended)
        self.assertNotIn("Connection", answers[0].names)

    def test_connection_close(self) -> None:
        """
        A request with the connection option close gets an answer with it, and then the end; the
        option may stand anywhere in the list and in any case (RFC 9112 section 9.6).
        """
        self.serve()
        for value in ("close", "Close", "x, CLOSE", "close,x"):
            client = self.connect()
            client.send(get("/a", f"Connection: {value}"))
            (answer,) = read_answers(client.received)
            self.assertEqual(answer.fields["Connection"], "close")
            self.assertTrue(client.is_lost)

    def test_http_1_0(self) -> None:
        """
        HTTP/1.0 closes after the answer, unless it asks for keep-alive and is told so.
        """
        self.serve()
        client = self.connect()
        client.send(get(version="HTTP/1.0"))
        self.assertEqual(read_answers(client.received)[0].fields["Connection"], "close")
        self.assertTrue(client.is_lost)
        client = self.connect()
        client.send(get("/a", "Connection: Keep-Alive", version="HTTP/1.0"))
        self.assertEqual(read_answers(client.received)[0].fields["Connection"], "keep-alive")
        self.assertFalse(client.is_ended)
        client.send(get("/b", version="HTTP/1.0"))
        self.assertEqual(read_answers(client.received)[1].content, b"/b")
        self.assertTrue(client.is_lost)

    def test_http_1_0_without_host(self) -> None:
        """
        HTTP/1.0 may do without Host.
        """
        self.serve()
        self.assertEqual(self.ask_one(b"GET /a HTTP/1.0\r\n\r\n").content, b"/a")

    def test_head(self) -> None:
        """
        HEAD gets the head of the answer to GET and no content (RFC 9110 section 9.3.2), and the
        next answer follows at once.
        """
        self.serve()
        answers = self.ask(get("/a", method="HEAD"), get("/b"), methods=["HEAD"])
        self.assertEqual(answers[0].fields["Content-Length"], "2")
        self.assertEqual([answer.content for answer in answers], [b"", b"/b"])

    def test_status_without_content(self) -> None:
        """
        204 and 304 have no content and no Content-Length, whatever the resource returns.
        """
        for status in (204, 304):
            for content in (b"x", b"x" * 100_000):
                self.serve(lambda head, s=status, c=content: Response(s, NO_FIELDS, c))  # type: ignore[misc]
                client = self.connect()
                client.send(get("/a"), get("/b"))
                answers = read_answers(client.received)
                self.assertEqual([answer.status for answer in answers], [status, status])
                self.assertTrue(client.received.endswith(b"\r\n\r\n"))
                self.assertEqual(self.failures(), [])

    def test_pipelined(self) -> None:
        """
        Pipelined requests are answered in order (RFC 9112 section 9.3.2).
        """
        self.serve()
        paths = [f"/{number}" for number in range(100)]
        answers = self.ask(b"".join(get(path) for path in paths))
        self.assertEqual([answer.content.decode() for answer in answers], paths)

    def test_turns(self) -> None:
        """
        However many requests come in one delivery, others have a turn after 64 of them.
        """
        self.serve()
        flood, other = self.connect(), self.connect()
        flood.protocol.dataReceived(b"".join(get(f"/{number}") for number in range(200)))
        flood.transport.turn()
        self.assertEqual(len(read_answers(flood.received)), 64)
        other.protocol.dataReceived(get("/other"))
        other.transport.turn()
        self.assertEqual(len(read_answers(other.received)), 1)
        flood.protocol.dataReceived(get("/more"))
        self.assertEqual(len(read_answers(flood.received)), 64)
        self.pass_time(0)
        paths = [*(f"/{number}" for number in range(200)), "/more"]
        self.assertEqual([a.content.decode() for a in read_answers(flood.received)], paths)

    def test_turns_between_chunks(self) -> None:
        """
        However many chunks come in one delivery, others have a turn after 512 of them.
        """
        self.serve()
        flood, other = self.connect(), self.connect()
        head = b"POST /flood HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        flood.protocol.dataReceived(head + b"1\r\nx\r\n" * 1000 + b"0\r\n\r\n")
        self.assertEqual(flood.protocol.machine.content_bytes, 512)
        other.protocol.dataReceived(get("/other"))
        other.transport.turn()
        self.assertEqual(len(read_answers(other.received)), 1)
        flood.protocol.dataReceived(get("/more"))
        self.assertEqual(flood.protocol.machine.content_bytes, 512)
        self.pass_time(0)
        answers = read_answers(flood.received)
        self.assertEqual([answer.content for answer in answers], [b"/flood", b"/more"])

    def test_gone_before_its_turn(self) -> None:
        """
        What is left of a flood whose client has gone is not answered, and nothing is called later.
        """
        resource = self.serve().resource
        flood = self.connect()
        flood.protocol.dataReceived(b"".join(get(f"/{number}") for number in range(200)))
        flood.vanish()
        self.reactor.advance(0)
        self.assertEqual(len(resource.heads), 64)  # type: ignore[attr-defined]

    def test_pipelined_with_slow_answers(self) -> None:
        """
        Requests behind one whose answer takes time wait for it.
        """
        waiting: list[Deferred[Response]] = []

        def respond(head: RequestHead) -> Answer:
            if head.target.path.startswith(b"/slow"):
                waiting.append(Deferred())
                return waiting[-1]
            return echo_path(head)

        self.serve(respond)
        client = self.connect()
        client.send(get("/a") + get("/slow1") + get("/b") + get("/slow2"), get("/c"))
        self.assertEqual(len(waiting), 1)
        self.assertEqual([a.content for a in read_answers(client.received)], [b"/a"])
        waiting[0].callback(Response(200, NO_FIELDS, b"1"))
        client.transport.turn()
        self.assertEqual([a.content for a in read_answers(client.received)], [b"/a", b"1", b"/b"])
        waiting[1].callback(Response(200, NO_FIELDS, b"2"))
        client.transport.turn()
        self.assertEqual(
            [a.content for a in read_answers(client.received)], [b"/a", b"1", b"/b", b"2", b"/c"]
        )

    def test_nothing_behind_a_last_answer(self) -> None:
        """
        Behind a request whose answer closes the connection nothing is answered.
        """
        resource = self.serve().resource
        answers = self.ask(get("/a", "Connection: close") + get("/b"))
        self.assertEqual([answer.content for answer in answers], [b"/a"])
        self.assertEqual(len(resource.heads), 1)  # type: ignore[attr-defined]

    def test_exchanges_limit(self) -> None:
        """
        The last exchange that a connection may have says close.
        """
        self.serve(settings=ServerSettings(Limits(exchanges_max=3)))
        client = self.connect()
        client.send(get("/a"), get("/b"), get("/c"), get("/d"))
        answers = read_answers(client.received)
        self.assertEqual(
            [(a.content, a.fields["Connection"]) for a in answers],
            [(b"/a", None), (b"/b", None), (b"/c", "close")],
        )
        self.assertTrue(client.is_ended)

    def test_half_close(self) -> None:
        """
        A client that shuts its side after its requests gets all answers, then the end.
        """
        later: Deferred[Response] = Deferred()
        self.serve(lambda head: later if head.target.path == b"/slow" else echo_path(head))
        client = self.connect()
        client.send(get("/slow") + get("/b"))
        client.shut()
        self.assertFalse(client.is_ended)
        later.callback(Response(200, NO_FIELDS, b"slow"))
        client.transport.turn()
        self.assertEqual([a.content for a in read_answers(client.received)], [b"slow", b"/b"])
        self.assertTrue(client.is_lost)
        self.assert_nothing_armed()

    def test_close_without_request(self) -> None:
        """
        A client that shuts its side without a request gets the end and not a byte.
        """
        self.serve()
        client = self.connect()
        client.shut()
        self.assertEqual(client.received, b"")
        self.assertTrue(client.is_lost)

    def test_end_within_head(self) -> None:
        """
        A client that shuts its side within a head is told 400; as nothing more can come, the
        connection is closed at once, without a reset.
        """
        self.serve()
        client = self.connect()
        client.send(b"GET / HT")
        client.shut()
        self.assertEqual(read_answers(client.received)[0].status, 400)
        self.assertTrue(client.is_lost)
        self.assertFalse(client.transport.is_aborted)
        self.assert_nothing_armed()


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
        resource = self.serve().resource
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
        until = NOW + 1
        self.serve(lambda head: Response(200, content=head.target.path, repeat_until=until))
        client = self.connect()
        directlyProvides(client.transport, ISSLTransport)
        client.send(get("https://localhost/a"))
        (answer,) = read_answers(client.received)
        self.assertEqual((answer.status, answer.content), (200, b"/a"))
        self.assertEqual(self.ask_one(get("https://localhost/a")).status, 421)


class ContentTests(ServerTestCase):
    """
    Requests with content, which no resource of ours wants.
    """

    def test_little_is_dropped(self) -> None:
        """
        A little content is read and thrown away; then comes the answer, and the connection lives.
        """
        self.serve()
        client = self.connect()
        client.send(get("/a", "Content-Length: 5", method="POST"))
        self.assertEqual(client.received, b"")
        client.send(b"GET /", get("/b"))
        answers = read_answers(client.received)
        self.assertEqual([answer.content for answer in answers], [b"/a", b"/b"])
        self.assertFalse(client.is_ended)

    def test_chunked(self) -> None:
        """
        So is a little chunked content.
        """
        self.serve()
        request = get("/a", "Transfer-Encoding: chunked") + b"3\r\nabc\r\n0\r\n\r\n"
        answers = self.ask(request + get("/b"))
        self.assertEqual([answer.content for answer in answers], [b"/a", b"/b"])

    def test_fault_in_content(self) -> None:
        """
        A fault in the content is answered by 400 in place of the answer.
        """
        self.serve()
        client = self.connect()
        client.send(get("/a", "Transfer-Encoding: chunked") + b"x\r\n")
        self.assertEqual([a.status for a in read_answers(client.received)], [400])
        self.assertTrue(client.is_ended)

    def test_much_is_not_waited_for(self) -> None:
        """
        With much content promised the answer comes at once and says close.
        """
        self.serve(settings=ServerSettings(Limits(unwanted_content_max_bytes=100)))
        client = self.connect()
        client.send(get("/a", "Content-Length: 101", method="POST"))
        (answer,) = read_answers(client.received)
        self.assertEqual((answer.content, answer.fields["Connection"]), (b"/a", "close"))
        self.assertTrue(client.is_ended)

    def test_limit_of_what_is_dropped(self) -> None:
        """
        Just as much content as may be thrown away leaves the connection open.
        """
        self.serve(settings=ServerSettings(Limits(unwanted_content_max_bytes=100)))
        client = self.connect()
        client.send(get("/a", "Content-Length: 100", method="POST") + b"x" * 100)
        (answer,) = read_answers(client.received)
        self.assertEqual(answer.fields["Connection"], None)
        self.assertFalse(client.is_ended)

    def test_much_chunked(self) -> None:
        """
        Chunked content that turns out to be much is answered then.
        """
        self.serve(settings=ServerSettings(Limits(unwanted_content_max_bytes=100)))
        client = self.connect()
        client.send(get("/a", "Transfer-Encoding: chunked"))
        client.send(b"64\r\n" + b"x" * 100 + b"\r\n")
        self.assertEqual(client.received, b"")
        client.send(b"1\r\nx\r\n")
        (answer,) = read_answers(client.received)
        self.assertEqual((answer.content, answer.fields["Connection"]), (b"/a", "close"))
        self.assertTrue(client.is_ended)

    def test_expect_continue(self) -> None:
        """
        A client that waits for 100 gets the final answer instead, and need not send its content
        (RFC 9110 section 10.1.1).
        """
        self.serve()
        client = self.connect()
        client.send(get("/a", "Content-Length: 5", "Expect: 100-continue", method="PUT"))
        (answer,) = read_answers(client.received)
        self.assertEqual((answer.status, answer.fields["Connection"]), (200, "close"))
        self.assertTrue(client.is_ended)

    def test_content_behind_a_slow_answer(self) -> None:
        """
        While an answer without its content read is still being made, what comes in is bounded.
        """
        later: Deferred[Response] = Deferred()
        limits = Limits(unwanted_content_max_bytes=100, pipelined_max_bytes=1000)
        self.serve(lambda head: later, ServerSettings(limits))
        client = self.connect()
        client.send(get("/a", "Content-Length: 100000"), *[b"x" * 900] * 5)
        self.assertFalse(client.transport.is_reading)
        later.callback(Response(200, NO_FIELDS, b"done"))
        client.transport.turn()
        self.assertEqual([a.content for a in read_answers(client.received)], [b"done"])
        self.assertTrue(client.is_ended)


class ResourceTests(ServerTestCase):
    """
    What a resource may return, and what happens when it does wrong.
    """

    def check_500(self) -> None:
        """
        Check that there is one answer, without detail, and that the connection serves on.
        """
        client = self.connect()
        client.send(get("/"))
        (answer,) = read_answers(client.received)
        self.assertEqual(answer.status, 500)
        self.assertNotIn(b"secret", answer.content)
        self.assertNotIn(b"Traceback", answer.content)
        self.assertFalse(client.is_ended)
        client.send(get("/"))
        self.assertEqual([a.status for a in read_answers(client.received)], [500, 500])

    def test_raises(self) -> None:
        """
        An exception is a 500 without detail, and a traceback in the log.
        """

        def respond(head: RequestHead) -> Answer:
            raise ValueError("secret")

        self.serve(respond)
        self.check_500()
        self.assertEqual(self.failures(), [ValueError, ValueError])
        self.flushLoggedErrors(ValueError)

    def test_nonsense(self) -> None:
        """
        So is what is no response.
        """

        async def nothing() -> None:
            pass

        async def text() -> str:
            return "secret"

        for nonsense in (lambda: None, lambda: "secret", lambda: 200, nothing, text):
            self.serve(lambda head, n=nonsense: n())  # type: ignore[misc]
            self.check_500()
        self.assertEqual(set(self.failures()), {TypeError})
        self.flushLoggedErrors(TypeError)

    def test_wrong_responses(self) -> None:
        """
        So is a response that cannot be sent: fields that are the connection's, interim statuses,
        and values of the wrong type.
        """
        wrong = [
            Response(200, Fields([(b"Content-Length", b"1")])),
            Response(200, Fields([(b"Transfer-Encoding", b"chunked")])),
            Response(200, Fields([(b"connection", b"close")])),
            Response(200, Fields([(b"Date", b"now")])),
            Response(101),
            Response("200"),  # type: ignore[arg-type]
            Response(None),  # type: ignore[arg-type]
            Response(200, None),  # type: ignore[arg-type]
            Response(200, NO_FIELDS, "text"),  # type: ignore[arg-type]
            Response(200, NO_FIELDS, None),  # type: ignore[arg-type]
        ]
        for response in wrong:
            self.serve(lambda head, r=response: r)  # type: ignore[misc]
            self.check_500()
        self.flushLoggedErrors()

    def test_deferred(self) -> None:
        """
        A Deferred's result is the answer, whether it has fired or not.
        """
        fired: Deferred[Response] = Deferred()
        fired.callback(Response(200, NO_FIELDS, b"fired"))
        later: Deferred[Response] = Deferred()
        self.serve(lambda head: fired if head.target.path == b"/fired" else later)
        client = self.connect()
        client.send(get("/fired"))
        self.assertEqual([a.content for a in read_answers(client.received)], [b"fired"])
        client.send(get("/later"))
        later.callback(Response(200, NO_FIELDS, b"later"))
        client.transport.turn()
        self.assertEqual([a.content for a in read_answers(client.received)], [b"fired", b"later"])

    def test_deferred_fails(self) -> None:
        """
        A Deferred that fails is a 500, whether it fails before it is returned or after.
        """
        early: Deferred[Response] = Deferred()
        early.errback(ValueError("secret"))
        late: Deferred[Response] = Deferred()
        self.serve(lambda head: early if head.target.path == b"/early" else late)
        client = self.connect()
        client.send(get("/early"), get("/late"))
        late.errback(ValueError("secret"))
        client.transport.turn()
        self.assertEqual([a.status for a in read_answers(client.received)], [500, 500])
        self.assertNotIn(b"secret", client.received)
        self.assertEqual(self.failures(), [ValueError, ValueError])
        self.flushLoggedErrors(ValueError)

    def test_coroutine(self) -> None:
        """
        A resource may be a coroutine function that awaits Deferreds.
        """
        later: Deferred[bytes] = Deferred()

        async def respond(head: RequestHead) -> Response:
            return Response(200, NO_FIELDS, await later)

        self.serve(respond)
        client = self.connect()
        client.send(get("/"))
        self.assertEqual(client.received, b"")
        later.callback(b"later")
        client.transport.turn()
        self.assertEqual([a.content for a in read_answers(client.received)], [b"later"])

    def test_cancelled(self) -> None:
        """
        When the client has gone, the Deferred is cancelled, without a word in the log.
        """
        cancelled: list[Deferred[Response]] = []
        self.serve(lambda head: Deferred(cancelled.append))
        client = self.connect()
        client.send(get("/"))
        self.assertEqual(cancelled, [])
        client.vanish()
        self.assertEqual(len(cancelled), 1)
        self.assertEqual(self.failures(), [])
        self.assert_nothing_armed()

    def test_cancelled_coroutine(self) -> None:
        """
        So is a coroutine, at the place where it waits; it may tidy up.
        """
        steps: list[str] = []

        async def respond(head: RequestHead) -> Response:
            try:
                await Deferred()
            finally:
                steps.append("tidied")
            return Response()

        self.serve(respond)
        client = self.connect()
        client.send(get("/"))
        client.vanish()
        self.assertEqual(steps, ["tidied"])
        self.assertEqual(self.failures(), [])

    def test_too_late(self) -> None:
        """
        A resource that answers although it was cancelled answers nobody; its content is closed.
        """
        source = Source(b"x" * 10)
        self.serve(lambda head: Deferred(lambda d: d.callback(Response(200, NO_FIELDS, source))))
        client = self.connect()
        client.send(get("/"))
        client.vanish()
        self.assertEqual(source.closed, 1)
        self.assertEqual(client.received, b"")
        self.assertEqual(self.failures(), [])


@dataclass
class Source:
    """
    A source of content that counts.

    @ivar pieces: how many bytes each read asked for.
    @ivar closed: how often it was closed.
    @ivar cut: after how many bytes it has nothing more, though it promised it.
    @ivar error: what reading raises then.
    """

    data: bytes
    cut: int | None = None
    error: Exception | None = None
    pieces: list[int] = field(default_factory=list)
    closed: int = 0
    offset: int = 0

    @property
    def length(self) -> int:
        """
        Say how much there is.
        """
        return len(self.data)

    def read(self, count: int) -> bytes:
        """
        Return some.
        """
        self.pieces.append(count)
        end = self.offset + count
        if self.cut is not None and end > self.cut:
            if self.error is not None:
                raise self.error
            end = self.cut
        piece = self.data[self.offset : end]
        self.offset += len(piece)
        return piece

    def close(self) -> None:
        """
        Count.
        """
        self.closed += 1


def pattern(length: int) -> bytes:
    """
    Make content in which every place is different from its neighbours.
    """
    return (b"%08d" * (length // 8 + 1) % tuple(range(length // 8 + 1)))[:length]


class LargeContentTests(ServerTestCase):
    """
    Content that is sent in pieces.
    """

    def steps(self, client_step: int) -> Iterator[int]:
        """
        Give what a client takes at a time, for a while.
        """
        yield from [client_step] * 10_000

    def test_source(self) -> None:
        """
        A source is read to its end, closed once, and the connection persists.
        """
        data = pattern(300_000)
        source = Source(data)
        self.serve(
            lambda head: (
                Response(200, NO_FIELDS, source) if head.target.path == b"/" else echo_path(head)
            )
        )
        client = self.connect()
        client.send(get("/"), get("/a"))
        answers = read_answers(client.received)
        self.assertEqual([answer.content for answer in answers], [data, b"/a"])
        self.assertEqual(source.closed, 1)
        self.assertFalse(client.is_ended)

    def test_slow_reader(self) -> None:
        """
        However slowly the client reads, no more than a piece waits in memory.
        """
        data = pattern(1_000_000)
        source = Source(data)
        self.serve(lambda head: Response(200, NO_FIELDS, source))
        client = self.connect()
        client.transport.window = 0
        client.send(get("/"))
        for step in self.steps(10_007):
            client.transport.take(step)
        self.assertEqual(read_answers(client.received)[0].content, data)
        self.assertLess(client.transport.largest_buffer, 140_000)
        self.assertLessEqual(max(source.pieces), 65536)

    def test_large_bytes(self) -> None:
        """
        So are large bytes at hand.
        """
        data = pattern(1_000_000)
        self.serve(lambda head: Response(200, NO_FIELDS, data))
        client = self.connect()
        client.transport.window = 0
        client.send(get("/") + get("/"))
        for step in self.steps(10_007):
            client.transport.take(step)
        self.assertEqual([a.content for a in read_answers(client.received)], [data, data])
        self.assertLess(client.transport.largest_buffer, 140_000)

    def test_head_of_a_source(self) -> None:
        """
        HEAD closes the source unread, and the next answer follows.
        """
        source = Source(b"x" * 100_000)
        self.serve(
            lambda head: (
                Response(200, NO_FIELDS, source) if head.target.path == b"/" else echo_path(head)
            )
        )
        answers = self.ask(get("/", method="HEAD"), get("/b"), methods=["HEAD"])
        self.assertEqual(answers[0].fields["Content-Length"], "100000")
        self.assertEqual([answer.content for answer in answers], [b"", b"/b"])
        self.assertEqual((source.closed, source.pieces), (1, []))

    def test_empty_source(self) -> None:
        """
        A source may have nothing.
        """
        source = Source(b"")
        self.serve(lambda head: Response(200, NO_FIELDS, source))
        answers = self.ask(get("/") + get("/"))
        self.assertEqual([answer.content for answer in answers], [b"", b""])
        self.assertEqual(source.closed, 2)

    def test_connection_close(self) -> None:
        """
        The connection closes behind the last byte, and not before.
        """
        data = pattern(300_000)
        self.serve(lambda head: Response(200, NO_FIELDS, Source(data)))
        client = self.connect()
        client.transport.window = 0
        client.send(get("/", "Connection: close"))
        for step in self.steps(10_007):
            client.transport.take(step)
        self.assertEqual(read_answers(client.received)[0].content, data)
        self.assertTrue(client.is_lost)
        self.assertFalse(client.transport.is_aborted)
        self.assert_nothing_armed()

    def test_became_shorter(self) -> None:
        """
        When the content becomes shorter while it is sent, the connection is cut, so that nobody
        takes it for the whole; the log says so.
        """
        for error in (None, OSError("disk"), ValueError("mistake")):
            source = Source(pattern(300_000), cut=100_000, error=error)
            self.serve(lambda head, s=source: Response(200, NO_FIELDS, s))  # type: ignore[misc]
            client = self.connect()
            client.send(get("/") + get("/"))
            self.pass_time(0)
            self.assertTrue(client.transport.is_aborted)
            self.assertTrue(client.is_lost)
            self.assertEqual(source.closed, 1)
            self.assertEqual(client.received.count(b"HTTP/1.1"), 1)
            self.assertIn("the connection is cut", self.logged()[-1])

    def test_client_vanishes(self) -> None:
        """
        When the client goes in the middle, the source is closed, and the log does not blame it.
        """
        source = Source(pattern(300_000))
        self.serve(lambda head: Response(200, NO_FIELDS, source), has_access_log=True)
        client = self.connect()
        client.transport.window = 0
        client.send(get("/"))
        client.transport.take(100_000)
        client.vanish()
        self.assertEqual(source.closed, 1)
        self.assertEqual(self.logged(), [])
        self.pass_time(1)
        self.assertEqual(len(self.log_lines), 1)
        self.assert_nothing_armed()


class BackpressureTests(ServerTestCase):
    """
    Clients that ask and do not read.
    """

    def test_never_reads(self) -> None:
        """
        A client that sends requests without end and never reads is stopped: what waits on our side
        is bounded in both directions.
        """
        self.serve(lambda head: Response(200, NO_FIELDS, b"x" * 1000))
        client = self.connect()
        client.transport.window = 0
        sent = 0
        delivery = get("/") * 200
        for _ in range(1000):
            if not client.transport.is_reading:
                break
            client.send(delivery)
            sent += len(delivery)
        self.assertFalse(client.transport.is_reading)
        self.assertLess(client.transport.largest_buffer, 140_000)
        self.assertLess(sent, 65536 + 200_000)

    def test_reads_at_last(self) -> None:
        """
        When it reads at last, not an answer is missing.
        """
        self.serve(lambda head: Response(200, NO_FIELDS, b"x" * 1000))
        client = self.connect()
        client.transport.window = 0
        client.send(*[get("/") * 100] * 10)
        for _ in range(2000):
            client.transport.take(10_000)
        answers = read_answers(client.received)
        self.assertEqual({answer.content for answer in answers}, {b"x" * 1000})
        self.assertEqual(len(answers), 1000)


class ShownRequestTests(ServerTestCase):
    """
    Requests in the log.
    """

    def test_verbatim(self) -> None:
        """
        Each request head is logged line by line, as it came.
        """
        self.serve(shows_requests=True)
        self.ask(get("/a", "X-Case: As {It} Came") + get("/b"))
        self.assertEqual(
            self.logged(),
            [
                "GET /a HTTP/1.1\nHost: localhost\nX-Case: As {It} Came\n\n",
                "GET /b HTTP/1.1\nHost: localhost\n\n",
            ],
        )

    def test_every_request(self) -> None:
        """
        A request that was answered before is shown again.
        """
        self.serve(
            lambda head: Response(200, NO_FIELDS, b"", repeat_until=NOW_AND_EVER),
            shows_requests=True,
        )
        self.ask(get("/a"), get("/a"), get("/a") + get("/a"))
        self.assertEqual(len(self.logged()), 4)

    def test_escaped(self) -> None:
        """
        What could speak to a terminal is escaped.
        """
        self.serve(shows_requests=True)
        self.ask(get("/", "X: \x9b31m{red}\xff\tend"))
        (line,) = self.logged()
        self.assertIn(r"X: \x9b31m{red}\xff\x09end", line)
        self.assertEqual(line, "".join(c for c in line if c == "\n" or " " <= c <= "~"))

    def test_refused(self) -> None:
        """
        Of what is no request it is said why.
        """
        self.serve(shows_requests=True)
        self.ask(b"GET / HTTP/1.1\r\n\r\n")
        self.assertEqual(self.logged(), ["Refused with 400: the request has no Host"])


NOW_AND_EVER = 1e12
