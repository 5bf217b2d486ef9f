"""
Tests for L{netlab.http1.server.protocol}: exchanges. The modules test_protocol_*.py look at
refusals, what
resources return, large, streamed and received content, repeated answers, deadlines and the end of
connections.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IHalfCloseableProtocol, IPushProducer
from zope.interface.verify import verifyObject

from netlab.http1.resources.resource import Answer
from netlab.http1.resources.responses import Response
from netlab.http1.sansio.fields import NO_FIELDS
from netlab.http1.sansio.limits import Limits
from netlab.http1.sansio.messages import RequestHead
from netlab.http1.sansio.serversettings import ServerSettings
from tests.http1.serving import ServerTestCase, echo_path, get, read_answers


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

    def test_turns_by_time(self) -> None:
        """
        Others have a turn after two milliseconds, however few requests took so long; not where
        nothing more has come.
        """

        def ponder(head: RequestHead) -> Response:
            self.reactor.rightNow += 0.0011
            return echo_path(head)

        self.serve(ponder)
        client = self.connect()
        client.protocol.dataReceived(b"".join(get(f"/{number}") for number in range(6)))
        client.transport.turn()
        self.assertEqual(len(read_answers(client.received)), 2)
        self.pass_time(0)
        self.assertEqual(len(read_answers(client.received)), 6)
        before = len(self.reactor.getDelayedCalls())
        client.protocol.dataReceived(get("/more") + get("/last"))
        client.transport.turn()
        self.assertEqual(len(read_answers(client.received)), 8)
        self.assertEqual(len(self.reactor.getDelayedCalls()), before)

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
        resource = self.serve().context.resource
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
        resource = self.serve().context.resource
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
            lambda head: Response(200, NO_FIELDS, b"", repeat_seconds=EVER),
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


EVER = 1e12
