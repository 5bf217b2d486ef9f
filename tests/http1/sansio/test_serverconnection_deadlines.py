"""
L{netlab.http1.sansio.serverconnection}: when the machine asks to be woken, and for what.
"""

from __future__ import annotations

from netlab.http1.sansio.messages import ResponseHead
from netlab.http1.sansio.serverconnection import ServerConnection
from netlab.http1.sansio.states import Phase
from tests.http1.servermachines import (
    CHUNKED,
    CLOSING,
    GET,
    OK,
    POST,
    MachineCase,
    connect,
    events_of,
    exchange,
)


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
