"""
The client's machine: requests out, answers in, in any cuts.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.sansio.clientconnection import ClientConnection, ClientSettings
from netlab.http1.sansio.errors import LocalProtocolError, RemoteProtocolError
from netlab.http1.sansio.fields import Fields
from netlab.http1.sansio.limits import Limits
from netlab.http1.sansio.messages import (
    CONNECTION_CLOSED,
    END_OF_MESSAGE,
    Content,
    EndOfMessage,
    Event,
    RequestHead,
    ResponseHead,
)
from netlab.http1.sansio.target import Target, TargetForm, parse_target
from tests.http1.clientmachines import answer, asked, bytes_of, events_of, request


class RequestTests(SynchronousTestCase):
    """
    What the machine sends.
    """

    def test_reference_request(self) -> None:
        """
        The reference client's request has 59 bytes (tests/captures/wire/double_fin.json).
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
