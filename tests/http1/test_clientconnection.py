"""
The client's machine: requests out, answers in, in any cuts.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.clientconnection import ClientConnection, ClientPhase, ClientSettings
from netlab.http1.errors import LocalProtocolError, RemoteProtocolError
from netlab.http1.fields import Fields
from netlab.http1.limits import Limits
from netlab.http1.messages import (
    CONNECTION_CLOSED,
    END_OF_MESSAGE,
    HTTP_1_0,
    ConnectionClosed,
    Content,
    EndOfMessage,
    Event,
    RequestHead,
    ResponseHead,
)
from netlab.http1.serverconnection import ServerConnection
from netlab.http1.serversettings import ServerSettings
from netlab.http1.target import Target, TargetForm, parse_target


def request(
    method: bytes = b"GET", target: bytes = b"/", *lines: tuple[bytes, bytes]
) -> RequestHead:
    """
    Make a request to localhost.
    """
    return RequestHead(
        method, parse_target(method, target), fields=Fields([(b"Host", b"localhost"), *lines])
    )


def asked(
    head: RequestHead | None = None, client_settings: ClientSettings | None = None
) -> ClientConnection:
    """
    Make a machine that has sent one request without content at time 0.
    """
    machine = ClientConnection(client_settings or ClientSettings())
    machine.send(head or request(), 0.0)
    machine.send(END_OF_MESSAGE, 0.0)
    return machine


def events_of(
    machine: ClientConnection, pieces: Iterable[bytes], *, ends: bool = True
) -> list[Event | str]:
    """
    Deliver the pieces, then the end; collect all events, adjacent content joined, and the
    explanation of the error, if there is one.
    """
    found: list[Event | str] = []

    def drain() -> bool:
        try:
            while (event := machine.next_event()) is not None:
                last = found[-1] if found else None
                if isinstance(event, Content) and isinstance(last, Content):
                    found[-1] = Content(last.data + event.data)
                else:
                    found.append(event)
        except RemoteProtocolError as error:
            found.append(error.explanation)
            return False
        return True

    for piece in pieces:
        machine.receive(piece, 1.0)
        if not drain():
            return found
    if ends:
        machine.receive_end(2.0)
        drain()
    return found


def bytes_of(data: bytes) -> list[bytes]:
    """
    Cut into single bytes.
    """
    return [data[at : at + 1] for at in range(len(data))]


OK = (b"HTTP/1.1 200 OK\r\n", b"\r\n")


def answer(*lines: bytes, body: bytes = b"", status: bytes = b"200 OK") -> bytes:
    """
    Write an answer from its field lines and body.
    """
    return b"HTTP/1.1 %b\r\n%b\r\n%b" % (status, b"".join(line + b"\r\n" for line in lines), body)


class RequestTests(SynchronousTestCase):
    """
    What the machine sends.
    """

    def test_reference_request(self) -> None:
        """
        The reference client's request has 59 bytes (WIRE.md section 2).
        """
        machine = ClientConnection(ClientSettings())
        sent = machine.send(request(b"GET", b"/", (b"Connection", b"keep-alive")), 0.0)
        sent += machine.send(END_OF_MESSAGE, 0.0)
        self.assertEqual(
            sent, b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n"
        )
        self.assertEqual(len(sent), 59)

    def test_query(self) -> None:
        """
        The request target keeps its query and its encoding.
        """
        sent = ClientConnection(ClientSettings()).send(request(b"GET", b"/a%20b?c=%64"), 0.0)
        self.assertTrue(sent.startswith(b"GET /a%20b?c=%64 HTTP/1.1\r\n"))

    def test_asterisk(self) -> None:
        """
        OPTIONS may ask for the server as a whole.
        """
        sent = ClientConnection(ClientSettings()).send(request(b"OPTIONS", b"*"), 0.0)
        self.assertTrue(sent.startswith(b"OPTIONS * HTTP/1.1\r\n"))

    def test_fixed_content(self) -> None:
        """
        A request's own Content-Length frames its content, and holds it to that.
        """
        machine = ClientConnection(ClientSettings())
        machine.send(request(b"PUT", b"/", (b"Content-Length", b"3")), 0.0)
        self.assertEqual(machine.send(Content(b"ab"), 0.0), b"ab")
        with self.assertRaises(LocalProtocolError):
            machine.send(END_OF_MESSAGE, 0.0)
        with self.assertRaises(LocalProtocolError):
            machine.send(Content(b"cd"), 0.0)
        self.assertEqual(machine.send(Content(b"c"), 0.0), b"c")
        self.assertEqual(machine.send(END_OF_MESSAGE, 0.0), b"")

    def test_chunked_content(self) -> None:
        """
        A request's own Transfer-Encoding makes its content chunked (RFC 9112 section 7.1).
        """
        machine = ClientConnection(ClientSettings())
        machine.send(request(b"POST", b"/", (b"Transfer-Encoding", b"chunked")), 0.0)
        self.assertEqual(machine.send(Content(b"hello"), 0.0), b"5\r\nhello\r\n")
        self.assertEqual(
            machine.send(EndOfMessage(Fields([(b"A", b"b")])), 0.0), b"0\r\nA: b\r\n\r\n"
        )

    def test_no_request_within_another(self) -> None:
        """
        There is no pipelining: a second request waits for the end of the first answer.
        """
        machine = asked()
        with self.assertRaises(LocalProtocolError):
            machine.send(request(), 0.0)

    def test_refused_requests(self) -> None:
        """
        A request that no server could take leaves nothing behind: the next one may be sent.
        """
        machine = ClientConnection(ClientSettings())
        origin = parse_target(b"GET", b"/")
        host = Fields([(b"Host", b"localhost")])
        wrong = [
            RequestHead(b"GET", origin),
            RequestHead(b"GET", origin, fields=Fields([(b"Host", b"a"), (b"Host", b"a")])),
            RequestHead(b"GET", origin, fields=Fields([(b"Host", b"a b")])),
            RequestHead(b"GE T", origin, fields=host),
            RequestHead(b"CONNECT", parse_target(b"CONNECT", b"a:1"), fields=host),
            RequestHead(b"GET", parse_target(b"GET", b"http://a/"), fields=host),
            RequestHead(b"GET", Target(TargetForm.ORIGIN, b"/ HTTP/1.1\r\nX: y"), fields=host),
            RequestHead(b"GET", origin, (2, 0), host),
            request(b"PUT", b"/", (b"Content-Length", b"1"), (b"Content-Length", b"1")),
        ]
        for head in wrong:
            with self.assertRaises(LocalProtocolError):
                machine.send(head, 0.0)
        self.assertEqual(machine.exchanges, 0)
        self.assertTrue(machine.is_ready)
        for event in (ResponseHead(200), CONNECTION_CLOSED, Content(b"a"), END_OF_MESSAGE):
            with self.assertRaises(LocalProtocolError):
                machine.send(event, 0.0)
        machine.send(request(), 0.0)


class AnswerTests(SynchronousTestCase):
    """
    What the machine reads, whole, byte by byte and at every cut.
    """

    def check(
        self,
        data: bytes,
        expected: list[Event | str],
        method: bytes = b"GET",
        client_settings: ClientSettings | None = None,
    ) -> None:
        """
        Check that these bytes, in all these cuts, followed by the end, are these events.
        """
        cuts = [[data], bytes_of(data)]
        cuts += [[data[:at], data[at:]] for at in range(1, len(data))]
        for pieces in cuts:
            machine = asked(request(method), client_settings)
            self.assertEqual(events_of(machine, pieces), expected, pieces)
            self.assertIsNone(machine.deadline)
            self.assertFalse(machine.is_ready)

    def test_fixed(self) -> None:
        """
        Content-Length delimits; the connection lives on, and its later end is no error.
        """
        self.check(
            answer(b"Content-Length: 3", body=b"abc"),
            [
                ResponseHead(200, Fields([(b"Content-Length", b"3")]), b"OK"),
                Content(b"abc"),
                END_OF_MESSAGE,
                CONNECTION_CLOSED,
            ],
        )

    def test_chunked(self) -> None:
        """
        Chunks are put together, and trailers come with the end (RFC 9112 section 7.1).
        """
        fields = Fields([(b"Transfer-Encoding", b"chunked")])
        self.check(
            answer(
                b"Transfer-Encoding: chunked", body=b"3;x=y\r\nabc\r\n1\r\nd\r\n0\r\nT: u\r\n\r\n"
            ),
            [
                ResponseHead(200, fields, b"OK"),
                Content(b"abcd"),
                EndOfMessage(Fields([(b"T", b"u")])),
                CONNECTION_CLOSED,
            ],
        )

    def test_until_close(self) -> None:
        """
        Without any length the content ends with the connection (RFC 9112 section 6.3 item 8).
        """
        self.check(
            answer(body=b"all of it"),
            [ResponseHead(200, Fields(), b"OK"), Content(b"all of it"), END_OF_MESSAGE],
        )

    def test_reference_redirect(self) -> None:
        """
        The reference's 301, 77 bytes and the close, is an answer without content.
        """
        data = answer(
            b"Connection: close", b"Location: /result.html", status=b"301 Moved Permanently"
        )
        self.assertEqual(len(data), 77)
        fields = Fields([(b"Connection", b"close"), (b"Location", b"/result.html")])
        self.check(data, [ResponseHead(301, fields, b"Moved Permanently"), END_OF_MESSAGE])

    def test_without_content(self) -> None:
        """
        The answer to HEAD, 204 and 304 end with their heads, whatever these say of a length (RFC
        9112 section 6.3 item 1).
        """
        fields = Fields([(b"Content-Length", b"5")])
        for method, status in ((b"HEAD", 200), (b"GET", 204), (b"GET", 304)):
            self.check(
                answer(b"Content-Length: 5", status=b"%d X" % status),
                [ResponseHead(status, fields, b"X"), END_OF_MESSAGE, CONNECTION_CLOSED],
                method,
            )

    def test_interim(self) -> None:
        """
        Any interim response is reported and is not the answer (RFC 9110 section 15.2).
        """
        self.check(
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
            + answer(b"Content-Length: 0"),
            [
                ResponseHead(100, Fields(), b"Continue"),
                ResponseHead(103, Fields([(b"Link", b"</a>")]), b"Early Hints"),
                ResponseHead(200, Fields([(b"Content-Length", b"0")]), b"OK"),
                END_OF_MESSAGE,
                CONNECTION_CLOSED,
            ],
        )

    def test_surplus_behind_the_answer(self) -> None:
        """
        Bytes behind a complete answer are an error of the connection and not of the answer, and
        are never taken for the answer to a later request.
        """
        events: list[Event | str] = [
            ResponseHead(200, Fields([(b"Content-Length", b"1")]), b"OK"),
            Content(b"a"),
            END_OF_MESSAGE,
            "the server sent what nobody had asked for",
        ]
        self.check(answer(b"Content-Length: 1", body=b"a" + answer(b"Content-Length: 0")), events)

    def test_surplus_where_the_connection_ends(self) -> None:
        """
        Bytes behind the last answer of a connection are thrown away (RFC 9112 section 6.3).
        """
        fields = Fields([(b"Connection", b"close"), (b"Content-Length", b"1")])
        self.check(
            answer(b"Connection: close", b"Content-Length: 1", body=b"abc"),
            [ResponseHead(200, fields, b"OK"), Content(b"a"), END_OF_MESSAGE],
        )

    def test_truncated(self) -> None:
        """
        A body that ends before its length is an error, with all of its content before it.
        """
        fields = Fields([(b"Content-Length", b"5")])
        self.check(
            answer(b"Content-Length: 5", body=b"abc"),
            [ResponseHead(200, fields, b"OK"), Content(b"abc"), "the body ends 2 bytes early"],
        )

    def test_truncated_chunks(self) -> None:
        """
        A chunked body that ends without its last chunk is truncated (RFC 9112 section 8).
        """
        fields = Fields([(b"Transfer-Encoding", b"chunked")])
        self.check(
            answer(b"Transfer-Encoding: chunked", body=b"3\r\nabc\r\n"),
            [
                ResponseHead(200, fields, b"OK"),
                Content(b"abc"),
                "the chunked body ends before its last chunk",
            ],
        )

    def test_truncated_head(self) -> None:
        """
        A head that is cut off is no answer.
        """
        self.check(
            b"HTTP/1.1 200 OK\r\nContent-Le", ["the connection ended within the head of the answer"]
        )

    def test_no_http(self) -> None:
        """
        What cannot become a status line is refused at its first wrong byte, so that another
        protocol's greeting is not waited on until the deadline.
        """
        for data in (b"SSH-2.0-OpenSSH_9.2\r\n", b"GET / HTTP/1.1", b"HTTP/2.0 200 OK", b"\r\n"):
            self.check(data, ["the answer is not HTTP/1.0 or HTTP/1.1"])

    def test_switched_protocols(self) -> None:
        """
        101 without an Upgrade in the request is an error (RFC 9110 section 15.2.2).
        """
        self.check(
            answer(status=b"101 Switching Protocols"), ["the server switched protocols unasked"]
        )

    def test_doubtful_length(self) -> None:
        """
        Two lengths, or a length that is no number, are refused (RFC 9112 section 6.3).
        """
        both = (b"Content-Length: 1", b"Transfer-Encoding: chunked")
        for lines, explanation in (
            (both, "the response has both a Content-Length and a Transfer-Encoding"),
            ((b"Content-Length: 1",) * 2, "there is more than one Content-Length"),
            ((b"Content-Length: +1",), "the Content-Length is not a number of bytes"),
        ):
            self.check(answer(*lines), [explanation])

    def test_wrong_chunk(self) -> None:
        """
        A chunk whose data is not followed by CRLF ends the connection (RFC 9112 section 7.1).
        """
        fields = Fields([(b"Transfer-Encoding", b"chunked")])
        self.check(
            answer(b"Transfer-Encoding: chunked", body=b"1\r\nabc"),
            [
                ResponseHead(200, fields, b"OK"),
                Content(b"a"),
                "a chunk is not followed by CRLF",
            ],
        )

    def test_content_of_the_limit(self) -> None:
        """
        Content of exactly the limit passes, one byte more does not, however it is framed.
        """
        small = ClientSettings(Limits(content_max_bytes=3))
        for lines, body in (
            ((), b"abcd"),
            ((b"Transfer-Encoding: chunked",), b"4\r\nabcd\r\n0\r\n\r\n"),
            ((b"Content-Length: 4",), b"abcd"),
        ):
            found = events_of(asked(client_settings=small), [answer(*lines, body=body)])
            self.assertEqual(found[-1], "the content is too long")
        self.assertIn(
            END_OF_MESSAGE,
            events_of(asked(client_settings=small), [answer(b"Content-Length: 3", body=b"abc")]),
        )


class BoundsTests(SynchronousTestCase):
    """
    What a hostile server can make us hold.
    """

    def test_endless_head(self) -> None:
        """
        A head without an end is refused at its limit, whether it has lines or not.
        """
        limits = Limits(start_line_max_bytes=100, header_section_max_bytes=100)
        for piece in (b"a", b"A: b\r\n"):
            machine = asked(client_settings=ClientSettings(limits))
            found: list[Event | str] = []
            sent = 0
            machine.receive(b"HTTP/1.1 200 OK\r\n", 1.0)
            while not found:
                machine.receive(piece, 1.0)
                sent += len(piece)
                try:
                    self.assertIsNone(machine.next_event())
                except RemoteProtocolError as error:
                    found.append(error.explanation)
                self.assertLess(sent, 250)
            self.assertEqual(found, ["the answer's head is too long"])

    def test_endless_interim_responses(self) -> None:
        """
        Sixteen interim responses pass; a server that never comes to the point is given up.
        """
        interim = b"HTTP/1.1 100 Continue\r\n\r\n"
        found = events_of(asked(), [interim * 16 + answer(b"Content-Length: 0")])
        self.assertIn(END_OF_MESSAGE, found)
        found = events_of(asked(), [interim * 17])
        self.assertEqual(found[-1], "there are too many interim responses")

    def test_nothing_is_parsed_after_a_fault(self) -> None:
        """
        After a fault whatever comes is thrown away.
        """
        machine = asked()
        events_of(machine, [b"no"], ends=False)
        self.assertEqual(events_of(machine, [answer(b"Content-Length: 0")]), [])
        self.assertTrue(machine.must_close)


class PersistenceTests(SynchronousTestCase):
    """
    When a connection lives on (RFC 9112 section 9.3).
    """

    def persists(self, data: bytes, head: RequestHead | None = None) -> bool:
        """
        Say whether the connection takes another request after this answer.
        """
        machine = asked(head)
        found = events_of(machine, [data], ends=False)
        self.assertEqual(found[-1], END_OF_MESSAGE)
        self.assertNotEqual(machine.is_ready, machine.must_close)
        return machine.is_ready

    def test_versions(self) -> None:
        """
        HTTP/1.1 persists unless told otherwise, HTTP/1.0 closes unless told otherwise, and close
        outweighs keep-alive.
        """
        for version, option, expected in (
            (b"1.1", None, True),
            (b"1.1", b"keep-alive", True),
            (b"1.1", b"close", False),
            (b"1.1", b"x, Close", False),
            (b"1.0", None, False),
            (b"1.0", b"Keep-Alive", True),
            (b"1.0", b"keep-alive, close", False),
        ):
            line = b"" if option is None else b"Connection: %b\r\n" % option
            data = b"HTTP/%b 200 OK\r\nContent-Length: 0\r\n%b\r\n" % (version, line)
            self.assertIs(self.persists(data), expected, data)

    def test_our_close(self) -> None:
        """
        A request that said close was the last one, whatever the answer says.
        """
        head = request(b"GET", b"/", (b"Connection", b"close"))
        self.assertFalse(self.persists(answer(b"Content-Length: 0"), head))

    def test_our_http_1_0(self) -> None:
        """
        A request of HTTP/1.0 is the last one unless it said keep-alive.
        """
        for lines, expected in (((), False), (((b"Connection", b"keep-alive"),), True)):
            head = RequestHead(b"GET", parse_target(b"GET", b"/"), HTTP_1_0, Fields(lines))
            self.assertIs(self.persists(answer(b"Content-Length: 0"), head), expected)

    def test_next_exchange(self) -> None:
        """
        Exchange follows exchange on one connection.
        """
        machine = asked()
        for _ in range(3):
            found = events_of(machine, [answer(b"Content-Length: 1", body=b"x")], ends=False)
            self.assertEqual(found[1:], [Content(b"x"), END_OF_MESSAGE])
            machine.send(request(), 0.0)
            machine.send(END_OF_MESSAGE, 0.0)
        self.assertEqual(machine.exchanges, 4)

    def test_unasked_answer(self) -> None:
        """
        Bytes that come while nothing is asked rule out any further request.
        """
        machine = ClientConnection(ClientSettings())
        machine.receive(answer(b"Content-Length: 0"), 1.0)
        self.assertFalse(machine.is_ready)
        with self.assertRaises(LocalProtocolError):
            machine.send(request(), 1.0)
        with self.assertRaises(RemoteProtocolError):
            machine.next_event()

    def test_early_answer(self) -> None:
        """
        An answer that comes before the request is complete is reported; the exchange ends with the
        request.
        """
        machine = ClientConnection(ClientSettings())
        machine.send(request(b"PUT", b"/", (b"Content-Length", b"2")), 0.0)
        found = events_of(machine, [answer(b"Content-Length: 0")], ends=False)
        self.assertEqual(found[-1], END_OF_MESSAGE)
        self.assertFalse(machine.is_ready)
        machine.send(Content(b"ab"), 0.0)
        machine.send(END_OF_MESSAGE, 0.0)
        self.assertTrue(machine.is_ready)


class RepeatTests(SynchronousTestCase):
    """
    When a request may be sent again without asking anyone (RFC 9110 section 9.2.2).
    """

    def cut_off(self, method: bytes, *, exchanges: int, begin: bytes) -> ClientConnection:
        """
        End the connection under the last of these many requests, after these bytes of its answer.
        """
        machine = ClientConnection(ClientSettings())
        for number in range(exchanges):
            machine.send(request(method), 0.0)
            machine.send(END_OF_MESSAGE, 0.0)
            if number < exchanges - 1:
                events_of(machine, [answer(b"Content-Length: 0")], ends=False)
        found = events_of(machine, [begin] if begin else [])
        self.assertIsInstance(found[-1], str)
        return machine

    def test_may_repeat(self) -> None:
        """
        Only an idempotent request, only on a connection that had served before, and only when no
        byte of an answer had come.
        """
        for method, exchanges, begin, expected in (
            (b"GET", 2, b"", True),
            (b"PUT", 3, b"", True),
            (b"GET", 1, b"", False),
            (b"GET", 2, b"H", False),
            (b"POST", 2, b"", False),
            (b"PATCH", 2, b"", False),
        ):
            machine = self.cut_off(method, exchanges=exchanges, begin=begin)
            self.assertIs(machine.may_repeat, expected, (method, exchanges, begin))

    def test_reset(self) -> None:
        """
        The same holds for a connection that ends by a reset.
        """
        machine = asked()
        events_of(machine, [answer(b"Content-Length: 0")], ends=False)
        machine.send(request(), 0.0)
        machine.close()
        self.assertTrue(machine.may_repeat)


class DeadlineTests(SynchronousTestCase):
    """
    How long a server may take.
    """

    def setUp(self) -> None:
        """
        Ask at time 0.
        """
        self.machine = asked(client_settings=ClientSettings(answer_timeout=10, content_timeout=5))

    def test_answer(self) -> None:
        """
        The head must be complete in time: bytes of it, and interim responses, extend nothing.
        """
        self.machine.receive(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200", 9.0)
        self.machine.next_event()
        self.machine.next_event()
        self.assertIsNone(self.machine.expire(9.9))
        self.assertIs(self.machine.expire(10.0), ClientPhase.ANSWER)
        self.assertIsNone(self.machine.expire(11.0))
        self.assertTrue(self.machine.must_close)

    def test_content(self) -> None:
        """
        Content must make progress: each piece extends the time.
        """
        self.machine.receive(answer(b"Content-Length: 9", body=b"a"), 9.0)
        while self.machine.next_event() is not None:
            pass
        self.machine.receive(b"b", 13.0)
        self.assertIsNone(self.machine.expire(17.9))
        self.assertIs(self.machine.expire(18.0), ClientPhase.CONTENT)

    def test_hold(self) -> None:
        """
        While we do not read, the server's time does not run.
        """
        self.machine.receive(answer(b"Content-Length: 9", body=b"a"), 1.0)
        while self.machine.next_event() is not None:
            pass
        self.machine.hold()
        self.assertIsNone(self.machine.expire(1000.0))
        self.machine.resume(1000.0)
        self.assertEqual(self.machine.deadline, 1005.0)

    def test_idle(self) -> None:
        """
        Between two exchanges nothing is owed and no deadline runs; nor does resuming start one.
        """
        events_of(self.machine, [answer(b"Content-Length: 0")], ends=False)
        self.assertIsNone(self.machine.deadline)
        self.machine.resume(5.0)
        self.assertIsNone(self.machine.deadline)


HEAD_LINES = st.sampled_from(
    [
        b"Content-Length: 3",
        b"Transfer-Encoding: chunked",
        b"Connection: close",
        b"A: b",
        b"A:\tb",
        b"Content-Length: x",
        b" folded",
        b"no colon",
    ]
)
STREAMS = st.builds(
    lambda interim, status, lines, body, rest: (
        interim + answer(*lines, body=body, status=status) + rest
    ),
    st.sampled_from([b"", b"HTTP/1.1 100 Continue\r\n\r\n"]),
    st.sampled_from([b"200 OK", b"204 X", b"304 X", b"404 Not Found", b"999 "]),
    st.lists(HEAD_LINES, max_size=4),
    st.sampled_from([b"", b"abc", b"3\r\nabc\r\n0\r\n\r\n", b"3\r\nab"]),
    st.sampled_from([b"", b"\r\n", b"HTTP/1.1 200 OK\r\n\r\n"]),
)


class PropertyTests(SynchronousTestCase):
    """
    What holds for any bytes in any cuts.
    """

    @settings(deadline=None, max_examples=200)
    @given(
        st.one_of(STREAMS, st.binary(max_size=200), st.binary().map(lambda b: OK[0] + b)),
        st.lists(st.integers(0, 200), max_size=5),
        st.sampled_from([b"GET", b"HEAD"]),
    )
    def test_cuts_do_not_matter(self, data: bytes, cuts: list[int], method: bytes) -> None:
        """
        Any bytes give the same events in any cuts: events or the one error, nothing else.
        """
        edges = [0, *sorted(cut for cut in cuts if 0 < cut < len(data)), len(data)]
        pieces = [data[a:b] for a, b in itertools.pairwise(edges) if a < b]
        whole = events_of(asked(request(method)), [data] if data else [])
        self.assertEqual(events_of(asked(request(method)), pieces), whole)
        self.assertEqual(events_of(asked(request(method)), bytes_of(data)), whole)


class JoinedTests(SynchronousTestCase):
    """
    The two machines speak with each other in memory.
    """

    @settings(deadline=None, max_examples=100)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from([b"GET", b"HEAD", b"PUT"]),
                st.sampled_from([200, 204, 304, 404]),
                st.binary(max_size=50),
                st.booleans(),
                st.integers(1, 40),
            ),
            min_size=1,
            max_size=5,
        )
    )
    def test_exchanges(self, exchanges: list[tuple[bytes, int, bytes, bool, int]]) -> None:
        """
        What one machine sends the other one reads, exchange after exchange, in any framing and any
        cuts; and both agree on where the connection ends.
        """
        client = ClientConnection(ClientSettings())
        server = ServerConnection(ServerSettings(), 0.0)
        for method, status, data, has_length, cut in exchanges:
            lines = [(b"Content-Length", b"%d" % len(data))] if method == b"PUT" else []
            head = request(method, b"/x?y", *lines)
            sent = client.send(head, 1.0)
            if lines:
                sent += client.send(Content(data), 1.0)
            sent += client.send(END_OF_MESSAGE, 1.0)
            asked_for: list[Event] = []
            for at in range(0, len(sent), cut):
                server.receive(sent[at : at + cut], 1.0)
                while (event := server.next_event()) is not None:
                    asked_for.append(event)
            self.assertEqual(asked_for[0], head)
            got = b"".join(event.data for event in asked_for if isinstance(event, Content))
            self.assertEqual(got, data if lines else b"")
            self.assertEqual(asked_for[-1], END_OF_MESSAGE)

            allows_content = status not in (204, 304) and method != b"HEAD"
            out = server.send(ResponseHead(status), 2.0, len(data) if has_length else None)
            if allows_content:
                out += server.send(Content(data), 2.0)
            out += server.send(END_OF_MESSAGE, 2.0)
            pieces = [out[at : at + cut] for at in range(0, len(out), cut)]
            found = events_of(client, pieces, ends=False)
            first = found[0]
            self.assertIsInstance(first, ResponseHead)
            assert isinstance(first, ResponseHead)
            self.assertEqual(first.status, status)
            content = [event.data for event in found if isinstance(event, Content)]
            self.assertEqual(b"".join(content), data if allows_content else b"")
            self.assertEqual(found[-1], END_OF_MESSAGE)
            self.assertEqual(client.must_close, server.must_close)
            self.assertTrue(client.is_ready)
        client.close()
        server.receive_end(3.0)
        self.assertIsInstance(server.next_event(), ConnectionClosed)
