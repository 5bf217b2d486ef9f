"""
The client's machine: when a connection may be used again, when a request is sent once more, and
how long an answer may take.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.sansio.clientconnection import ClientConnection, ClientPhase, ClientSettings
from netlab.http1.sansio.errors import LocalProtocolError, RemoteProtocolError
from netlab.http1.sansio.fields import Fields
from netlab.http1.sansio.messages import END_OF_MESSAGE, HTTP_1_0, Content, RequestHead
from netlab.http1.sansio.target import parse_target
from tests.http1.clientmachines import answer, asked, events_of, request


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
