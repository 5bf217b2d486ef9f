"""
L{netlab.http1.sansio.serverconnection}: one connection from the server's side.

What makes a request valid is tested in C{test_heads*}, C{test_framing} and C{test_bodies}; here is
what happens to the connection. The modules test_serverconnection_*.py look at persistence, faults
and deadlines.
"""

from __future__ import annotations

from typing import Final

from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.sansio.errors import LocalProtocolError
from netlab.http1.sansio.fields import Fields
from netlab.http1.sansio.messages import END_OF_MESSAGE, Content, EndOfMessage, ResponseHead
from netlab.http1.sansio.serverconnection import ServerConnection
from netlab.http1.sansio.serversettings import ServerSettings
from tests.http1.deliveries import outcome_of
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
)


class ReferenceBytesTests(SynchronousTestCase):
    """
    The reference server's bytes, which C{is_bare} sends; the captures in tests/captures/wire have
    their lengths.
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


EPOCH_DATE: Final = b"Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"


class SettingsTests(SynchronousTestCase):
    """
    What connections share.
    """

    def test_connections_of_one_server_share_a_parser(self) -> None:
        """
        A field line that came on one connection need not be parsed on another.
        """
        shared = ServerSettings()
        one, other = (ServerConnection(shared, 0.0).receive_request(GET, 0.0) for _ in range(2))
        assert one is not None
        assert other is not None
        self.assertIs(one.head.fields.index[b"host"], other.head.fields.index[b"host"])

    def test_promised_content(self) -> None:
        """
        None, a number, or not known (chunked).
        """
        for data, promised in ((GET, 0), (POST, 5), (CHUNKED, None)):
            connection = connect()
            connection.receive(data, 0.0)
            connection.next_event()
            self.assertEqual(connection.promised_content_bytes, promised)
