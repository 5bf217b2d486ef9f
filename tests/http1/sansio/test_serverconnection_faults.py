"""
L{netlab.http1.sansio.serverconnection}: what the peer does wrong, and what its user does wrong.
"""

from __future__ import annotations

from netlab.http1.sansio.errors import LocalProtocolError
from netlab.http1.sansio.fields import Fields
from netlab.http1.sansio.limits import Limits
from netlab.http1.sansio.messages import (
    CONNECTION_CLOSED,
    END_OF_MESSAGE,
    Content,
    Event,
    RequestHead,
    ResponseHead,
)
from netlab.http1.sansio.serverconnection import ServerConnection
from tests.http1.servermachines import (
    CHUNKED,
    GET,
    OK,
    POST,
    WRONG,
    MachineCase,
    connect,
    events_of,
    exchange,
    observe,
)


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
