"""
L{netlab.http1.sansio.serverconnection}: requests one behind another, repeated answers, and when the
connection ends.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from netlab.http1.sansio.errors import RemoteProtocolError
from netlab.http1.sansio.limits import Limits
from netlab.http1.sansio.messages import (
    CONNECTION_CLOSED,
    END_OF_MESSAGE,
    Content,
    EndOfMessage,
    ResponseHead,
)
from netlab.http1.sansio.serverconnection import ServerConnection
from tests.http1.servermachines import (
    CHUNKED,
    CLOSING,
    GET,
    HEAD,
    OK,
    OLD,
    OLD_PERSISTENT,
    POST,
    WRONG,
    MachineCase,
    connect,
    events_of,
    exchange,
    observe,
)

POSTED = POST + b"12345"
EXPECTING = POST.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n") + b"12345"
DELETE = GET.replace(b"GET", b"DELETE")


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
            self.assertTrue(short.repeat_exchange(now))
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
            self.assertFalse(connection.is_clear)
            self.assertFalse(connection.repeat_exchange(0.5))
            self.assertIsNone(connection.receive_request(GET, 0.5))
            self.assertIsNone(connection.receive_request(POSTED, 0.5))
            self.assertEqual(observe(connection), before)

    def test_whole_requests(self) -> None:
        """
        Taken whole, a request is like one that went through the buffer, before its answer and
        after it: with content or without, in any version, asking for the end or not.
        """
        for data in (GET, HEAD, CLOSING, OLD, OLD_PERSISTENT, POSTED, EXPECTING, DELETE):
            whole, piecemeal = connect(Limits(exchanges_max=2)), connect(Limits(exchanges_max=2))
            for now in (0.5, 0.75):
                request = whole.receive_request(data, now)
                if request is None:
                    self.assertFalse(whole.is_clear)
                    break
                content = [Content(request.content)] if request.content else []
                self.assertEqual(
                    events_of(piecemeal, data, now), [request.head, *content, END_OF_MESSAGE]
                )
                self.assertEqual(observe(whole), observe(piecemeal))
                sent = [
                    connection.send_whole(OK, b"content", now) for connection in (whole, piecemeal)
                ]
                self.assertEqual(sent[0], sent[1])
                self.assertEqual(observe(whole), observe(piecemeal))

    def test_not_a_whole_request(self) -> None:
        """
        What is more or less than one request, is chunked, or is faulty, goes through the buffer:
        nothing has happened.
        """
        for data in (
            POST,
            POSTED[:-1],
            POSTED + b"G",
            POSTED + GET,
            CHUNKED,
            GET[:-1],
            GET + GET,
            GET + b"G",
            b"\r\n" + GET,
            WRONG,
            b"\r\n\r\n",
        ):
            connection = connect()
            before = observe(connection)
            self.assertIsNone(connection.receive_request(data, 0.5))
            self.assertEqual(observe(connection), before)

    def test_much_content(self) -> None:
        """
        So does a request with more content than is read whether anybody wants it or not, or than
        is allowed at all: it is refused before its end, or the connection ends.
        """
        for limits in (Limits(unwanted_content_max_bytes=4), Limits(content_max_bytes=4)):
            connection = connect(limits)
            before = observe(connection)
            self.assertIsNone(connection.receive_request(POSTED, 0.5))
            self.assertEqual(observe(connection), before)
        self.assertIsNotNone(connect(Limits(content_max_bytes=5)).receive_request(POSTED, 0.5))

    def test_content_like_a_head(self) -> None:
        """
        Content that ends as a head does goes through the buffer, and means the same.
        """
        data = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nabcd\r\n\r\n"
        connection = connect()
        self.assertIsNone(connection.receive_request(data, 0.5))
        self.assertEqual(
            events_of(connection, data)[1:], [Content(b"abcd\r\n\r\n"), END_OF_MESSAGE]
        )

    def test_last_exchange_goes_the_long_way(self) -> None:
        """
        Because its answer says close.
        """
        connection = connect(Limits(exchanges_max=3))
        repeated = [connection.repeat_exchange(0.0) for _ in range(3)]
        self.assertEqual(repeated, [True, True, False])
        self.assertIn(b"Connection: close", exchange(connection))

    @given(
        st.lists(
            st.tuples(
                st.sampled_from([GET, b"\r\n", b"G", POST, b"12345", POSTED, CLOSING, b"\x00"]),
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
        short, whole, long = connect(limits), connect(limits), connect(limits)
        now = 0.0
        for data, later in deliveries:
            now += later
            if data != GET or not short.repeat_exchange(now):
                self.go(short, data, now)
            if whole.receive_request(data, now) is None:
                self.go(whole, data, now)
            else:
                whole.send_whole(OK, b"", now)
            self.go(long, data, now)
            self.assertEqual(observe(short), observe(long))
            self.assertEqual(observe(whole), observe(long))

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
