"""
L{netlab.http1.serverconnection}: one connection from the server's side.

What makes a request valid is tested in C{test_heads} and C{test_framing}; here is what happens to
the connection.
"""

from __future__ import annotations

from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.errors import LocalProtocolError, RemoteProtocolError
from netlab.http1.fields import Fields
from netlab.http1.limits import Limits, Timeouts
from netlab.http1.messages import (
    CONNECTION_CLOSED,
    END_OF_MESSAGE,
    Content,
    EndOfMessage,
    Event,
    RequestHead,
    ResponseHead,
)
from netlab.http1.serverconnection import Phase, ServerConnection
from netlab.http1.serversettings import ServerSettings
from tests.http1.deliveries import outcome_of

GET: Final = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
HEAD: Final = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
CLOSING: Final = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
OLD: Final = b"GET / HTTP/1.0\r\n\r\n"
OLD_PERSISTENT: Final = b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"
POST: Final = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
CHUNKED: Final = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
WRONG: Final = b"GET / HTTP/1.1\r\n\r\n"

OK: Final = ResponseHead(200)
EPOCH_DATE: Final = b"Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"

TIMEOUTS: Final = Timeouts(idle=1.0, head=10.0, content=30.0)


def connect(limits: Limits | None = None, *, is_bare: bool = False) -> ServerConnection:
    """
    Make a machine whose connection began at time 0.
    """
    return ServerConnection(ServerSettings(limits or Limits(), TIMEOUTS, is_bare), 0.0)


def events_of(connection: ServerConnection, data: bytes = b"", now: float = 0.0) -> list[Event]:
    """
    Give a delivery to a machine, and take all the events there are.
    """
    if data:
        connection.receive(data, now)
    events = []
    while (event := connection.next_event()) is not None:
        events.append(event)
    return events


def exchange(
    connection: ServerConnection, data: bytes = GET, now: float = 0.0, answer: ResponseHead = OK
) -> bytes:
    """
    Bring a whole request and answer it without content.
    """
    events_of(connection, data, now)
    return connection.send_whole(answer, b"", now)


def observe(connection: ServerConnection) -> dict[str, object]:
    """
    Look at everything that a machine lets others see.
    """
    names = (
        "deadline", "exchanges", "can_answer", "must_close", "is_between_exchanges",
        "has_unread_input", "waiting_bytes", "expects_continue",
    )  # fmt: skip
    return {name: getattr(connection, name) for name in names}


class MachineCase(SynchronousTestCase):
    """
    What the test cases below have in common.
    """

    def fault(self, connection: ServerConnection, data: bytes = b"", now: float = 0.0) -> int:
        """
        Expect a fault of the peer and return its status.
        """
        fault: RemoteProtocolError
        fault = self.assertRaises(RemoteProtocolError, events_of, connection, data, now)
        return fault.status

    def assert_no_answer_is_due(self, connection: ServerConnection) -> None:
        """
        No response, interim or final, may be sent.
        """
        self.assertFalse(connection.can_answer)
        for head in (OK, ResponseHead(100)):
            self.assertRaises(LocalProtocolError, connection.send, head, 0.0)


class ReferenceBytesTests(SynchronousTestCase):
    """
    The reference server's bytes, which C{is_bare} sends: WIRE.md section 2's table.
    """

    REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n"

    def answer(
        self, response: ResponseHead, content: bytes, request: bytes = REQUEST, closes: bool = False
    ) -> bytes:
        """
        Answer a request in bare mode.
        """
        connection = connect(is_bare=True)
        events_of(connection, request)
        if closes:
            connection.give_up_persistence()
        return connection.send_whole(response, content, 0.0)

    def test_request_of_the_script_has_59_bytes(self) -> None:
        """
        16 + 17 + 24 + 2 bytes, and they are a request.
        """
        self.assertEqual(len(self.REQUEST), 59)
        lines = self.REQUEST.split(b"\r\n")[:-1]
        self.assertEqual([len(line) + 2 for line in lines], [16, 17, 24, 2])
        self.assertEqual(outcome_of(self.REQUEST).head.target.path, b"/")

    def test_200_for_index_html_has_64_and_274_bytes(self) -> None:
        """
        A head of 17 + 24 + 21 + 2 bytes, and 210 of content.
        """
        data = self.answer(OK, b"x" * 210)
        head = b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 210\r\n\r\n"
        self.assertEqual(data, head + b"x" * 210)
        self.assertEqual((len(head), len(data)), (64, 274))

    def test_200_for_result_html_has_63_and_127_bytes(self) -> None:
        """
        One digit less in its Content-Length, and 64 bytes of content.
        """
        data = self.answer(OK, b"x" * 64)
        head, _, _content = data.partition(b"\r\n\r\n")
        self.assertEqual((len(head) + 4, len(data)), (63, 127))

    def test_301_has_77_bytes(self) -> None:
        """
        32 + 19 + 24 + 2 bytes: Connection, Location, and nothing that says its length.
        """
        location = Fields([(b"Location", b"/result.html")])
        data = self.answer(ResponseHead(301, location), b"", closes=True)
        self.assertEqual(
            data,
            b"HTTP/1.1 301 Moved Permanently\r\nConnection: close\r\n"
            b"Location: /result.html\r\n\r\n",
        )
        self.assertEqual(len(data), 77)

    def test_404_has_45_bytes(self) -> None:
        """
        24 + 19 + 2 bytes.
        """
        data = self.answer(ResponseHead(404), b"", closes=True)
        self.assertEqual(data, b"HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n")
        self.assertEqual(len(data), 45)

    def test_connection_says_what_the_request_said(self) -> None:
        """
        In the request's own case where the connection persists, and always something.
        """
        for said, answered in (
            (b"Connection: Keep-Alive\r\n", b"Connection: Keep-Alive\r\n"),
            (b"Connection: close\r\n", b"Connection: close\r\n"),
            (b"Connection: Close\r\n", b"Connection: close\r\n"),
            (b"Connection: keep-alive, x\r\n", b"Connection: keep-alive\r\n"),
            (b"", b"Connection: keep-alive\r\n"),
        ):
            data = self.answer(OK, b"x", b"GET / HTTP/1.1\r\nHost: a\r\n" + said + b"\r\n")
            self.assertEqual(
                data, b"HTTP/1.1 200 OK\r\n" + answered + b"Content-Length: 1\r\n\r\nx"
            )


class ResponseTests(MachineCase):
    """
    Framing, Date and Connection of our answers.
    """

    def head_of(
        self, response: ResponseHead, request: bytes = GET, length: int | None = None
    ) -> list[bytes]:
        """
        Answer a request and return the lines of the answer's head, Date left out.
        """
        connection = connect()
        events_of(connection, request)
        lines = connection.send(response, 0.0, length).split(b"\r\n")
        self.assertEqual(lines[-2:], [b"", b""])
        self.assertEqual(lines.pop(1) + b"\r\n", EPOCH_DATE)
        return lines[:-2]

    def test_whole_answer(self) -> None:
        """
        Status line, Date, the answer's own fields, Content-Length, content.
        """
        connection = connect()
        events_of(connection, GET)
        self.assertEqual(
            connection.send_whole(ResponseHead(200, Fields([(b"A", b"b")])), b"abc", 0.0),
            b"HTTP/1.1 200 OK\r\n" + EPOCH_DATE + b"A: b\r\nContent-Length: 3\r\n\r\nabc",
        )

    def test_date_is_the_time_passed_in(self) -> None:
        """
        RFC 9110 section 6.6.1: to the second, and made anew when the second is another.
        """
        connection = connect()
        for now, date in ((784111777.9, b"Sun, 06 Nov 1994 08:49:37 GMT"),
                          (784111778.0, b"Sun, 06 Nov 1994 08:49:38 GMT")):  # fmt: skip
            self.assertIn(b"\r\nDate: " + date + b"\r\n", exchange(connection, now=now))

    def test_http_1_1_persists_without_a_word(self) -> None:
        """
        And says close when it does not (RFC 9112 section 9.6).
        """
        self.assertEqual(self.head_of(OK, GET, 0), [b"HTTP/1.1 200 OK", b"Content-Length: 0"])
        self.assertIn(b"Connection: close", self.head_of(OK, CLOSING, 0))

    def test_http_1_0_is_answered_in_our_version_and_told_whether_it_persists(self) -> None:
        """
        RFC 9110 section 2.5 and RFC 9112 appendix C.2.2.
        """
        for request, said in ((OLD, b"close"), (OLD_PERSISTENT, b"keep-alive")):
            lines = self.head_of(OK, request, 0)
            self.assertEqual(lines[0], b"HTTP/1.1 200 OK")
            self.assertIn(b"Connection: " + said, lines)

    def test_unknown_length_is_chunked_for_http_1_1(self) -> None:
        """
        RFC 9112 section 6.3: then the connection can go on.
        """
        connection = connect()
        events_of(connection, GET)
        self.assertIn(b"Transfer-Encoding: chunked\r\n", connection.send(OK, 0.0))
        self.assertEqual(connection.send(Content(b"abc"), 0.0), b"3\r\nabc\r\n")
        trailers = Fields([(b"T", b"u")])
        self.assertEqual(connection.send(EndOfMessage(trailers), 0.0), b"0\r\nT: u\r\n\r\n")
        self.assertTrue(connection.is_between_exchanges)

    def test_unknown_length_ends_with_the_connection_for_http_1_0(self) -> None:
        """
        Chunks are never sent to HTTP/1.0 (RFC 9112 section 6.1), whatever it asked for.
        """
        connection = connect()
        events_of(connection, OLD_PERSISTENT)
        head = connection.send(OK, 0.0)
        self.assertNotIn(b"Transfer-Encoding", head)
        self.assertIn(b"Connection: close\r\n", head)
        self.assertEqual(connection.send(Content(b"abc"), 0.0), b"abc")
        self.assertEqual(connection.send(END_OF_MESSAGE, 0.0), b"")
        self.assertTrue(connection.must_close)

    def test_head_gets_the_same_head_and_no_content(self) -> None:
        """
        RFC 9110 section 9.3.2: the answer to HEAD has the Content-Length of the answer to GET.
        """
        connection = connect()
        events_of(connection, HEAD)
        data = connection.send_whole(OK, b"abc", 0.0)
        self.assertTrue(data.endswith(b"Content-Length: 3\r\n\r\n"))
        self.assertTrue(connection.is_between_exchanges)
        events_of(connection, HEAD)
        connection.send(OK, 0.0, 3)
        self.assertRaises(LocalProtocolError, connection.send, Content(b"abc"), 0.0)
        self.assertEqual(connection.send(END_OF_MESSAGE, 0.0), b"")

    def test_204_and_304_have_neither_length_nor_content(self) -> None:
        """
        RFC 9112 section 6.1 and RFC 9110 section 8.6: no Transfer-Encoding, no Content-Length.
        """
        for status in (204, 304):
            for request in (GET, OLD_PERSISTENT, HEAD):
                for length in (0, 5, None):
                    lines = self.head_of(ResponseHead(status), request, length)
                    self.assertEqual(
                        [line[:9] for line in lines[1:] if line[:10] != b"Connection"], []
                    )
            connection = connect()
            events_of(connection, GET)
            self.assertTrue(
                connection.send_whole(ResponseHead(status), b"abc", 0.0).endswith(b"\r\n\r\n")
            )
            self.assertTrue(connection.is_between_exchanges)

    def test_reason_phrase(self) -> None:
        """
        The registered one, ours where we give one, none for an unregistered status.
        """
        for head, line in (
            (ResponseHead(413), b"HTTP/1.1 413 Content Too Large"),
            (ResponseHead(200, reason=b"Fine \xe9"), b"HTTP/1.1 200 Fine \xe9"),
            (ResponseHead(299), b"HTTP/1.1 299 "),
            (ResponseHead(404, reason=b""), b"HTTP/1.1 404 "),
        ):
            self.assertEqual(self.head_of(head, GET, 0)[0], line)

    def test_content_by_another_way_is_counted(self) -> None:
        """
        A file that the transport sends has as many bytes as the head said.
        """
        connection = connect()
        events_of(connection, GET)
        connection.send(OK, 0.0, 5)
        connection.note_content_sent(3)
        self.assertRaises(LocalProtocolError, connection.note_content_sent, 3)
        self.assertRaises(LocalProtocolError, connection.send, END_OF_MESSAGE, 0.0)
        connection.note_content_sent(2)
        self.assertEqual(connection.send(END_OF_MESSAGE, 0.0), b"")


class InterimResponseTests(MachineCase):
    """
    1xx, RFC 9110 section 15.2.
    """

    EXPECTING = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"

    def test_any_number_before_the_final_one(self) -> None:
        """
        They are status line and fields, and the answer is still due.
        """
        connection = connect()
        events_of(connection, GET)
        self.assertEqual(connection.send(ResponseHead(100), 0.0), b"HTTP/1.1 100 Continue\r\n\r\n")
        hints = ResponseHead(103, Fields([(b"Link", b"</a.css>")]))
        self.assertEqual(
            connection.send(hints, 0.0), b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
        )
        self.assertTrue(connection.can_answer)
        connection.send_whole(OK, b"", 0.0)

    def test_never_to_http_1_0(self) -> None:
        """
        HTTP/1.0 does not know them, keep-alive or not.
        """
        for request in (OLD, OLD_PERSISTENT):
            connection = connect()
            events_of(connection, request)
            self.assertRaises(LocalProtocolError, connection.send, ResponseHead(100), 0.0)

    def test_never_to_what_was_not_understood(self) -> None:
        """
        A fault gets one final answer.
        """
        connection = connect()
        self.fault(connection, WRONG)
        self.assertRaises(LocalProtocolError, connection.send, ResponseHead(100), 0.0)

    def test_never_after_the_final_head(self) -> None:
        """
        Behind a final head they would be content.
        """
        connection = connect()
        events_of(connection, GET)
        connection.send(OK, 0.0, 5)
        self.assertRaises(LocalProtocolError, connection.send, ResponseHead(100), 0.0)

    def test_have_no_framing(self) -> None:
        """
        Neither Content-Length (RFC 9110 section 8.6) nor Transfer-Encoding (RFC 9112 section 6.1).
        """
        for name in (b"Content-Length", b"Transfer-Encoding"):
            connection = connect()
            events_of(connection, GET)
            head = ResponseHead(103, Fields([(name, b"5")]))
            self.assertRaises(LocalProtocolError, connection.send, head, 0.0)

    def test_are_no_whole_answer(self) -> None:
        """
        An interim response as the final one would leave the peer waiting.
        """
        connection = connect()
        events_of(connection, GET)
        self.assertRaises(LocalProtocolError, connection.send_whole, ResponseHead(100), b"", 0.0)
        self.assertTrue(connection.can_answer)

    def test_peer_may_be_waiting(self) -> None:
        """
        For 100, until content or the whole request has come (RFC 9110 section 10.1.1).
        """
        connection = connect()
        self.assertFalse(connection.expects_continue)
        events_of(connection, self.EXPECTING)
        self.assertTrue(connection.expects_continue)
        self.assertEqual(connection.promised_content_bytes, 5)
        events_of(connection, b"1")
        self.assertFalse(connection.expects_continue)
        events_of(connection, b"2345")
        self.assertFalse(connection.expects_continue)
        connection.send_whole(OK, b"", 0.0)
        self.assertFalse(connection.expects_continue)

    def test_peer_that_has_sent_content_is_not_waiting(self) -> None:
        """
        Content in the same delivery as the head, not yet asked for, counts.
        """
        connection = connect()
        connection.receive(self.EXPECTING + b"1", 0.0)
        connection.next_event()
        self.assertFalse(connection.expects_continue)


class MisuseTests(MachineCase):
    """
    Mistakes of ours are L{LocalProtocolError} and change nothing.
    """

    def refuse(self, connection: ServerConnection, event: Event, length: int | None = None) -> None:
        """
        Expect that this event may not be sent, and that nothing has changed then.
        """
        before = observe(connection)
        self.assertRaises(LocalProtocolError, connection.send, event, 0.0, length)
        self.assertEqual(observe(connection), before)

    def test_answer_without_a_request(self) -> None:
        """
        Nothing is due before a request, after its answer, and after the connection's end.
        """
        connection = connect()
        self.refuse(connection, OK)
        exchange(connection)
        self.refuse(connection, OK)
        connection.close()
        self.refuse(connection, OK)
        self.assertRaises(LocalProtocolError, connection.send_whole, OK, b"", 0.0)

    def test_second_answer(self) -> None:
        """
        One request has one final answer.
        """
        connection = connect()
        events_of(connection, POST)
        connection.send_whole(OK, b"", 0.0)
        self.refuse(connection, OK)
        self.refuse(connection, Content(b"x"))
        self.refuse(connection, END_OF_MESSAGE)

    def test_content_out_of_place(self) -> None:
        """
        Content and end come behind a head, and as much as it said.
        """
        connection = connect()
        events_of(connection, GET)
        self.refuse(connection, Content(b"x"))
        self.refuse(connection, END_OF_MESSAGE)
        self.assertRaises(LocalProtocolError, connection.note_content_sent, 1)
        connection.send(OK, 0.0, 2)
        self.refuse(connection, Content(b"xyz"))
        self.refuse(connection, END_OF_MESSAGE)
        self.refuse(connection, OK)

    def test_fields_that_are_the_connections(self) -> None:
        """
        Framing, Date and Connection are never the answer's own, in any case of the name.
        """
        connection = connect()
        events_of(connection, GET)
        for name in (b"content-length", b"Transfer-Encoding", b"DATE", b"Connection"):
            self.refuse(connection, ResponseHead(200, Fields([(name, b"x")])))

    def test_answer_that_would_split(self) -> None:
        """
        A reason phrase that ends its line, and a status that is none, never reach the wire.
        """
        connection = connect()
        events_of(connection, GET)
        for head in (
            ResponseHead(200, reason=b"OK\r\nX: y"), ResponseHead(200, reason=b"O\x00K"),
            ResponseHead(1000), ResponseHead(103, reason=b"a\nb"), ResponseHead(99),
            ResponseHead(-200), ResponseHead(0),
        ):  # fmt: skip
            self.refuse(connection, head, 0)
        self.refuse(connection, OK, -1)
        self.assertTrue(connection.can_answer)

    def test_events_that_servers_do_not_send(self) -> None:
        """
        Requests and the end of a connection.
        """
        connection = connect()
        (head, _end) = events_of(connection, GET)
        assert isinstance(head, RequestHead)
        self.refuse(connection, head)
        self.refuse(connection, CONNECTION_CLOSED)


class PipeliningTests(MachineCase):
    """
    Several requests without waiting, RFC 9112 section 9.3.2.
    """

    def test_one_at_a_time(self) -> None:
        """
        The second request is read when the first is answered; its bytes wait, and are counted.
        """
        connection = connect()
        first = events_of(connection, GET + POST + b"12345" + HEAD)
        self.assertEqual(len(first), 2)
        self.assertEqual(connection.waiting_bytes, len(POST) + 5 + len(HEAD))
        self.assertTrue(connection.has_unread_input)
        connection.send_whole(OK, b"", 0.0)
        self.assertFalse(connection.is_between_exchanges)
        second = events_of(connection)
        self.assertEqual(second[1:], [Content(b"12345"), END_OF_MESSAGE])
        connection.send_whole(OK, b"", 0.0)
        self.assertEqual(len(events_of(connection)), 2)
        connection.send_whole(OK, b"", 0.0)
        self.assertEqual(connection.exchanges, 3)
        self.assertTrue(connection.is_between_exchanges)

    def test_answer_before_the_request_is_complete(self) -> None:
        """
        The exchange ends when both are complete, and the rest of the content is not a request.
        """
        connection = connect()
        events_of(connection, POST + b"GE")
        connection.send_whole(OK, b"", 0.0)
        self.assertFalse(connection.must_close)
        self.assertTrue(connection.has_unread_input)
        self.assertEqual(events_of(connection, b"T /")[-1], END_OF_MESSAGE)
        self.assertTrue(connection.is_between_exchanges)
        self.assertEqual(len(events_of(connection, GET)), 2)

    def test_nothing_is_run_behind_close(self) -> None:
        """
        Requests behind one that says close are not read (section 9.6), and what comes later is
        not kept; but that it came is remembered, because closing at once would reset.
        """
        for connection in (connect(), connect(Limits(exchanges_max=1))):
            self.assertEqual(len(events_of(connection, CLOSING)), 2)
            self.assertFalse(connection.has_unread_input)
            for _ in range(9):
                self.assertEqual(events_of(connection, GET), [])
            self.assertEqual(connection.waiting_bytes, 0)
            self.assertTrue(connection.has_unread_input)
            connection.send_whole(OK, b"", 0.0)
            self.assertTrue(connection.must_close)
            self.assertEqual(events_of(connection, GET), [])
            self.assertEqual(connection.exchanges, 1)


class PersistenceTests(MachineCase):
    """
    When a connection ends, RFC 9112 section 9.
    """

    def test_persists_by_default(self) -> None:
        """
        After an exchange another may follow.
        """
        connection = connect()
        exchange(connection)
        self.assertFalse(connection.must_close)
        self.assertTrue(connection.is_between_exchanges)
        exchange(connection)
        self.assertEqual(connection.exchanges, 2)

    def test_close_of_the_peer(self) -> None:
        """
        C{Connection: close}, and HTTP/1.0 that does not ask for more, end after the answer.
        """
        for request in (CLOSING, OLD):
            connection = connect()
            self.assertIn(b"Connection: close\r\n", exchange(connection, request))
            self.assertTrue(connection.must_close)

    def test_http_1_0_that_asks_persists(self) -> None:
        """
        Section 9.3 and appendix C.2.2.
        """
        connection = connect()
        self.assertIn(b"Connection: keep-alive\r\n", exchange(connection, OLD_PERSISTENT))
        self.assertFalse(connection.must_close)
        exchange(connection, OLD)
        self.assertTrue(connection.must_close)

    def test_we_give_up_persistence(self) -> None:
        """
        Before the head is sent it says so; later the connection ends all the same.
        """
        connection = connect()
        events_of(connection, GET)
        connection.give_up_persistence()
        self.assertIn(b"Connection: close\r\n", connection.send_whole(OK, b"", 0.0))
        self.assertTrue(connection.must_close)
        connection = connect()
        events_of(connection, GET)
        connection.send(OK, 0.0, 0)
        connection.give_up_persistence()
        self.assertFalse(connection.must_close)
        connection.send(END_OF_MESSAGE, 0.0)
        self.assertTrue(connection.must_close)

    def test_last_exchange_says_close(self) -> None:
        """
        With C{exchanges_max} of 3 the third answer, and only it, says close.
        """
        connection = connect(Limits(exchanges_max=3))
        closes = [b"Connection: close" in exchange(connection) for _ in range(3)]
        self.assertEqual(closes, [False, False, True])
        self.assertTrue(connection.must_close)
        self.assertEqual(events_of(connection, GET), [])

    def test_zero_exchanges_max_is_any_number(self) -> None:
        """
        Then no answer says close.
        """
        connection = connect(Limits(exchanges_max=0))
        self.assertNotIn(b"close", b"".join(exchange(connection) for _ in range(50)))

    def test_we_close(self) -> None:
        """
        In whatever state: nothing is parsed, answered or waited for then.
        """
        for data in (b"", b"GET", GET, POST, POST + b"12", GET + GET):
            connection = connect()
            events_of(connection, data)
            connection.close()
            connection.close()
            self.assertEqual(events_of(connection, GET), [])
            self.assertIsNone(connection.deadline)
            self.assertEqual(connection.waiting_bytes, 0)
            self.assertTrue(connection.must_close)
            self.assert_no_answer_is_due(connection)


class EndOfStreamTests(MachineCase):
    """
    The peer ends its side, in each state (RFC 9112 section 9.5 and 9.6).
    """

    def test_between_requests(self) -> None:
        """
        That is the connection's end, reported once; no answer is due.
        """
        for data in (b"", b"\r\n"):
            connection = connect()
            events_of(connection, data)
            connection.receive_end(0.0)
            self.assertEqual(events_of(connection), [CONNECTION_CLOSED])
            self.assertEqual(events_of(connection), [])
            self.assertIsNone(connection.deadline)
            self.assertTrue(connection.must_close)
            self.assert_no_answer_is_due(connection)

    def test_within_a_head(self) -> None:
        """
        An incomplete head is a fault, and is answered: the peer may still read.
        """
        for data in (b"G", GET[:-1], b"\r"):
            connection = connect()
            events_of(connection, data)
            connection.receive_end(0.0)
            self.assertEqual(self.fault(connection), 400)
            self.assertTrue(connection.can_answer)
            self.assertIn(
                b"Connection: close\r\n", connection.send_whole(ResponseHead(400), b"x", 0.0)
            )
            self.assertTrue(connection.must_close)

    def test_within_content(self) -> None:
        """
        An incomplete request is a fault (section 8), and is answered if it has not been.
        """
        for data in (POST, POST + b"1234", CHUNKED, CHUNKED + b"5\r\n12"):
            connection = connect()
            events_of(connection, data)
            connection.receive_end(0.0)
            self.assertEqual(self.fault(connection), 400)
            self.assertTrue(connection.can_answer)
            connection.send_whole(ResponseHead(400), b"", 0.0)
            self.assertTrue(connection.must_close)

    def test_before_the_answer(self) -> None:
        """
        Half-close: a complete request is still answered, and so are those behind it.
        """
        connection = connect()
        events_of(connection, GET + GET)
        connection.receive_end(0.0)
        self.assertNotIn(b"close", connection.send_whole(OK, b"", 0.0))
        self.assertEqual(len(events_of(connection)), 2)
        connection.send_whole(OK, b"", 0.0)
        self.assertEqual(events_of(connection), [CONNECTION_CLOSED])

    def test_in_one_step_with_the_request(self) -> None:
        """
        Bytes and end before anybody asks for events.
        """
        connection = connect()
        connection.receive(GET, 0.0)
        connection.receive_end(0.0)
        self.assertEqual(len(events_of(connection)), 2)
        self.assertTrue(connection.can_answer)

    def test_within_the_answer(self) -> None:
        """
        The answer goes on to its end.
        """
        connection = connect()
        events_of(connection, GET)
        connection.send(OK, 0.0, 3)
        connection.receive_end(0.0)
        self.assertEqual(events_of(connection), [])
        self.assertEqual(connection.send(Content(b"abc"), 0.0), b"abc")
        connection.send(END_OF_MESSAGE, 0.0)
        self.assertEqual(events_of(connection), [CONNECTION_CLOSED])

    def test_after_a_fault(self) -> None:
        """
        Nothing more is said.
        """
        connection = connect()
        self.fault(connection, WRONG)
        connection.receive_end(0.0)
        self.assertEqual(events_of(connection), [])
        self.assertTrue(connection.can_answer)


class FaultTests(MachineCase):
    """
    After a fault of the peer nothing more is parsed, ever.
    """

    def test_one_answer_that_says_close(self) -> None:
        """
        Then the connection ends, with input that may be unread.
        """
        connection = connect()
        self.assertEqual(self.fault(connection, WRONG + GET), 400)
        self.assertEqual(connection.waiting_bytes, 0)
        self.assertIsNone(connection.deadline)
        self.assertFalse(connection.must_close)
        data = connection.send_whole(ResponseHead(400), b"no", 0.0)
        self.assertIn(b"Connection: close\r\n", data)
        self.assertTrue(connection.must_close)
        self.assertTrue(connection.has_unread_input)
        self.assert_no_answer_is_due(connection)

    def test_nothing_more_is_parsed(self) -> None:
        """
        Whatever comes, whenever it comes, before and after the answer.
        """
        for begun, wrong in (
            (b"", b"\x00"),
            (b"", WRONG + GET),
            (CHUNKED, b"x\n" + GET),
            (CHUNKED + b"1\r\na\r\n", b"1\r\nXX\r\n0\r\n\r\n" + GET),
        ):
            connection = connect()
            events_of(connection, begun)
            self.fault(connection, wrong)
            for _ in range(3):
                self.assertEqual(events_of(connection, GET), [])
                self.assertEqual(connection.waiting_bytes, 0)
            connection.send_whole(ResponseHead(400), b"", 0.0)
            self.assertEqual(events_of(connection, GET), [])
            connection.close()
            self.assertEqual(events_of(connection, GET), [])

    def test_fault_while_answering(self) -> None:
        """
        An answer under way goes on; a second one is not due.
        """
        connection = connect()
        events_of(connection, CHUNKED)
        connection.send(OK, 0.0, 3)
        self.fault(connection, b"x\r\n")
        self.assertFalse(connection.can_answer)
        connection.send(Content(b"abc"), 0.0)
        connection.send(END_OF_MESSAGE, 0.0)
        self.assertTrue(connection.must_close)

    def test_fault_behind_the_answer(self) -> None:
        """
        Where the answer is complete already the connection just ends.
        """
        connection = connect()
        events_of(connection, CHUNKED)
        connection.send_whole(OK, b"", 0.0)
        self.fault(connection, b"x\r\n")
        self.assertTrue(connection.must_close)
        self.assert_no_answer_is_due(connection)

    def test_fault_of_a_pipelined_request_waits_for_its_turn(self) -> None:
        """
        The requests before it are answered first.
        """
        connection = connect()
        self.assertEqual(len(events_of(connection, GET + WRONG)), 2)
        connection.send_whole(OK, b"", 0.0)
        self.assertEqual(self.fault(connection), 400)
        self.assertTrue(connection.can_answer)

    def test_faulty_head_request_gets_no_content(self) -> None:
        """
        Where the head was understood and the content is not, the answer to HEAD stays empty.
        """
        connection = connect()
        events_of(connection, CHUNKED.replace(b"POST", b"HEAD"))
        self.fault(connection, b"x\r\n")
        self.assertTrue(connection.send_whole(ResponseHead(400), b"abc", 0.0).endswith(b"\r\n\r\n"))

    def test_too_much_content_is_answered(self) -> None:
        """
        413 (RFC 9110 section 15.5.14) says close, and the content is not read.
        """
        connection = connect(Limits(content_max_bytes=4))
        self.assertEqual(self.fault(connection, POST + b"12345"), 413)
        self.assertIn(b"Connection: close", connection.send_whole(ResponseHead(413), b"", 0.0))
        self.assertTrue(connection.has_unread_input)


class DeadlineTests(MachineCase):
    """
    Each phase has a deadline, kept to the instant.
    """

    def assert_expires(self, connection: ServerConnection, deadline: float, phase: Phase) -> None:
        """
        Expect this deadline, nothing just before it, and this phase at it.
        """
        self.assertEqual(connection.deadline, deadline)
        self.assertIsNone(connection.expire(deadline - 0.001))
        self.assertEqual(connection.deadline, deadline)
        self.assertEqual(connection.expire(deadline), phase)
        self.assertIsNone(connection.deadline)
        self.assertIsNone(connection.expire(deadline + 99))
        self.assertEqual(events_of(connection, GET, deadline + 99), [])

    def test_idle_from_the_beginning(self) -> None:
        """
        A connection that carries nothing is closed without a word.
        """
        connection = connect()
        self.assert_expires(connection, 1.0, Phase.IDLE)
        self.assert_no_answer_is_due(connection)
        self.assertTrue(connection.must_close)

    def test_idle_from_the_end_of_an_exchange(self) -> None:
        """
        From the end of the answer, or of the request where that is later.
        """
        connection = connect()
        exchange(connection, now=5.0)
        self.assert_expires(connection, 6.0, Phase.IDLE)
        connection = connect()
        events_of(connection, POST, 5.0)
        connection.send_whole(OK, b"", 6.0)
        events_of(connection, b"12345", 7.0)
        self.assert_expires(connection, 8.0, Phase.IDLE)

    def test_head_from_its_first_byte(self) -> None:
        """
        A byte now and then does not extend it (slow headers); the peer is told 408.
        """
        connection = connect()
        for at, byte in enumerate(GET[:9]):
            events_of(connection, bytes([byte]), 0.5 + at)
        self.assert_expires(connection, 10.5, Phase.HEAD)
        self.assertTrue(connection.can_answer)
        self.assertIn(b"Connection: close", connection.send_whole(ResponseHead(408), b"", 10.5))

    def test_head_of_a_pipelined_request_from_the_answer_before_it(self) -> None:
        """
        While it waits its time does not run.
        """
        connection = connect()
        events_of(connection, GET + GET[:5], 0.5)
        self.assertIsNone(connection.deadline)
        connection.send_whole(OK, b"", 7.0)
        events_of(connection)
        self.assert_expires(connection, 17.0, Phase.HEAD)

    def test_empty_line_before_a_request_is_no_beginning(self) -> None:
        """
        A peer that sends CRLF and nothing else is idle: no 408, no longer time.
        """
        for pieces in ([b"\r\n"], [b"\r", b"\n"]):
            connection = connect()
            for piece in pieces:
                events_of(connection, piece, 0.5)
            self.assertTrue(connection.is_between_exchanges)
            self.assert_expires(connection, 1.5, Phase.IDLE)
        connection = connect()
        events_of(connection, b"\r\nG", 0.5)
        self.assert_expires(connection, 10.5, Phase.HEAD)

    def test_content_from_the_end_of_the_head(self) -> None:
        """
        A byte now and then does not extend it (slow body); the peer is told 408.
        """
        for request in (POST, CHUNKED + b"5\r\n"):
            connection = connect()
            events_of(connection, request, 2.0)
            events_of(connection, b"1", 20.0)
            self.assert_expires(connection, 32.0, Phase.CONTENT)
            self.assertTrue(connection.can_answer)
            self.assertTrue(connection.has_unread_input)

    def test_content_behind_a_complete_answer(self) -> None:
        """
        Then there is nobody to tell.
        """
        connection = connect()
        events_of(connection, POST, 2.0)
        connection.send_whole(OK, b"", 3.0)
        self.assert_expires(connection, 32.0, Phase.CONTENT)
        self.assertTrue(connection.must_close)
        self.assert_no_answer_is_due(connection)

    def test_none_while_we_answer(self) -> None:
        """
        When the request is complete the next step is ours.
        """
        for request in (GET, POST + b"12345", CLOSING, CHUNKED + b"0\r\n\r\n"):
            connection = connect()
            events_of(connection, request, 0.5)
            self.assertIsNone(connection.deadline)
            self.assertIsNone(connection.expire(1e9))
            connection.send_whole(OK, b"", 1e9)

    def test_none_after_the_last_answer(self) -> None:
        """
        What follows is our close.
        """
        connection = connect()
        exchange(connection, CLOSING, 0.5)
        self.assertIsNone(connection.deadline)


class RepeatTests(MachineCase):
    """
    An exchange answered from memory is like one that went the long way.
    """

    def test_equals_the_long_way(self) -> None:
        """
        In all that can be seen, and in what comes after it.
        """
        short, long = connect(), connect()
        for now in (0.5, 0.75, 3.0):
            self.assertTrue(short.repeat_exchanges(now))
            exchange(long, now=now)
            self.assertEqual(observe(short), observe(long))
        self.assertEqual(exchange(short, now=4.0), exchange(long, now=4.0))
        self.assertEqual(observe(short), observe(long))

    def test_not_while_anything_is_under_way(self) -> None:
        """
        False, and nothing has changed: within a head, behind an empty line, before and within an
        answer, within content, after close, fault and end of stream.
        """

        def answering(connection: ServerConnection) -> None:
            events_of(connection, GET)
            connection.send(OK, 0.0, 3)

        def faulty(connection: ServerConnection) -> None:
            self.fault(connection, WRONG)

        for prepare in (
            lambda connection: events_of(connection, b"G"),
            lambda connection: events_of(connection, b"\r\n"),
            lambda connection: events_of(connection, GET),
            lambda connection: events_of(connection, POST),
            lambda connection: exchange(connection, CLOSING),
            lambda connection: exchange(connection, POST),
            ServerConnection.give_up_persistence,
            ServerConnection.close,
            lambda connection: connection.receive_end(0.0),
            lambda connection: connection.expire(99.0),
            answering,
            faulty,
        ):
            connection = connect()
            prepare(connection)
            before = observe(connection)
            self.assertFalse(connection.repeat_exchanges(0.5))
            self.assertEqual(observe(connection), before)

    def test_last_exchange_goes_the_long_way(self) -> None:
        """
        Because its answer says close.
        """
        connection = connect(Limits(exchanges_max=3))
        repeated = [connection.repeat_exchanges(0.0) for _ in range(3)]
        self.assertEqual(repeated, [True, True, False])
        self.assertIn(b"Connection: close", exchange(connection))

    @given(
        st.lists(
            st.tuples(
                st.sampled_from([GET, b"\r\n", b"G", POST, b"12345", CLOSING, b"\x00"]),
                st.floats(0, 3),
            ),
            max_size=8,
        )
    )
    @settings(deadline=None, max_examples=200)
    def test_any_conversation(self, deliveries: list[tuple[bytes, float]]) -> None:
        """
        Whatever is delivered around them, repeated exchanges leave no trace.
        """
        limits = Limits(exchanges_max=4)
        short, long = connect(limits), connect(limits)
        now = 0.0
        for data, later in deliveries:
            now += later
            if data != GET or not short.repeat_exchanges(now):
                self.go(short, data, now)
            self.go(long, data, now)
            self.assertEqual(observe(short), observe(long))

    def go(self, connection: ServerConnection, data: bytes, now: float) -> None:
        """
        Give a delivery and answer whatever is complete.
        """
        connection.receive(data, now)
        try:
            while (event := connection.next_event()) is not None:
                if isinstance(event, EndOfMessage):
                    connection.send_whole(OK, b"", now)
        except RemoteProtocolError:
            connection.send_whole(ResponseHead(400), b"", now)


class SettingsTests(SynchronousTestCase):
    """
    What connections share.
    """

    def test_connections_of_one_server_share_a_parser(self) -> None:
        """
        A head that came on one connection need not be parsed on another.
        """
        shared = ServerSettings()
        heads = [events_of(ServerConnection(shared, 0.0), GET)[0] for _ in range(2)]
        self.assertIs(heads[0], heads[1])

    def test_promised_content(self) -> None:
        """
        None, a number, or not known (chunked).
        """
        for data, promised in ((GET, 0), (POST, 5), (CHUNKED, None)):
            connection = connect()
            connection.receive(data, 0.0)
            connection.next_event()
            self.assertEqual(connection.promised_content_bytes, promised)
