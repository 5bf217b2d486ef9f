"""
Tests for L{netlab.http1.server.protocol}: deadlines, each looked at just before and just after.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from netlab.http1.resources.resource import Answer
from netlab.http1.resources.responses import Response
from netlab.http1.sansio.fields import NO_FIELDS
from netlab.http1.sansio.limits import Limits, Timeouts
from netlab.http1.sansio.messages import RequestHead
from netlab.http1.sansio.serversettings import ServerSettings
from netlab.http1.server.deadlines import BUCKET_SECONDS
from tests.http1.serving import Client, ServerTestCase, echo_path, get, read_answers

TIMEOUTS = Timeouts()

#: A deadline is noticed at most this late, besides the reactor's own delay.
LATE = 2 * BUCKET_SECONDS
EARLY = 0.001


class DeadlineTests(ServerTestCase):
    """
    The deadline of each phase.
    """

    def setUp(self) -> None:
        """
        Serve.
        """
        super().setUp()
        self.later: Deferred[Response] = Deferred()

        def respond(head: RequestHead) -> Answer:
            return self.later if head.target.path == b"/slow" else echo_path(head)

        self.serve(respond, ServerSettings(Limits(unwanted_content_max_bytes=1000)))

    def check_closes_after(self, client: Client, seconds: float) -> None:
        """
        Check that the connection is closed after this time, and without an answer.
        """
        before = client.received
        self.pass_time(seconds - EARLY)
        self.assertFalse(client.is_ended)
        self.pass_time(EARLY + LATE)
        self.assertTrue(client.is_lost)
        self.assertFalse(client.transport.is_aborted)
        self.assertEqual(client.received, before)
        self.assert_nothing_armed()

    def check_408_after(self, client: Client, seconds: float, word: bytes) -> None:
        """
        Check that the connection gets a 408 after this time.
        """
        self.pass_time(seconds - EARLY)
        self.assertEqual(client.received, b"")
        self.pass_time(EARLY + LATE)
        (answer,) = read_answers(client.received)
        self.assertEqual(answer.status, 408)
        self.assertEqual(answer.fields["Connection"], "close")
        self.assertIn(word, answer.content)
        self.assertTrue(client.is_ended)
        client.shut()
        self.assertTrue(client.is_lost)
        self.assert_nothing_armed()

    def test_silent(self) -> None:
        """
        A connection on which nothing comes is closed after the idle timeout.
        """
        self.check_closes_after(self.connect(), TIMEOUTS.idle)

    def test_between_requests(self) -> None:
        """
        The idle timeout counts from the end of the last answer.
        """
        client = self.connect()
        for path in ("/a", "/b", "/c"):
            client.send(get(path))
            self.pass_time(TIMEOUTS.idle - EARLY)
        self.assertEqual(len(read_answers(client.received)), 3)
        client.send(get("/d"))
        self.check_closes_after(client, TIMEOUTS.idle)

    def test_after_a_slow_answer(self) -> None:
        """
        While an answer is being made no time counts; the idle timeout begins at its end.
        """
        client = self.connect()
        client.send(get("/slow"))
        self.pass_time(1000)
        self.assertFalse(client.is_ended)
        self.later.callback(Response(200, NO_FIELDS, b""))
        client.transport.turn()
        self.check_closes_after(client, TIMEOUTS.idle)

    def test_head(self) -> None:
        """
        A head that has begun must be whole by the head timeout.
        """
        client = self.connect()
        client.send(b"G")
        self.check_408_after(client, TIMEOUTS.head, b"head")

    def test_head_byte_by_byte(self) -> None:
        """
        A byte now and then does not extend it.
        """
        client = self.connect()
        request = get("/a")
        client.send(request[:1])
        for at in range(1, 11):
            self.pass_time(0.9)
            client.send(request[at : at + 1])
        self.check_408_after(client, TIMEOUTS.head - 9, b"head")

    def test_head_after_an_exchange(self) -> None:
        """
        The next head has the whole head timeout, from its first byte.
        """
        client = self.connect()
        client.send(get("/a"))
        self.pass_time(0.9)
        client.send(b"GET ")
        self.pass_time(TIMEOUTS.head - EARLY)
        self.assertEqual(len(read_answers(client.received)), 1)
        self.pass_time(EARLY + LATE)
        self.assertEqual([a.status for a in read_answers(client.received)], [200, 408])

    def test_pipelined_head(self) -> None:
        """
        So has a head of which the beginning came with the request before it, from the end of that
        one's answer.
        """
        client = self.connect()
        client.send(get("/slow") + b"GET ")
        self.pass_time(1000)
        self.later.callback(Response(200, NO_FIELDS, b""))
        client.transport.turn()
        self.pass_time(TIMEOUTS.head - EARLY)
        self.assertEqual(len(read_answers(client.received)), 1)
        self.pass_time(EARLY + LATE)
        self.assertEqual([a.status for a in read_answers(client.received)], [200, 408])

    def test_content(self) -> None:
        """
        Content must be whole by the content timeout; a byte now and then does not extend it.
        """
        client = self.connect()
        client.send(get("/a", "Content-Length: 100", method="POST"))
        for _ in range(29):
            self.pass_time(1)
            client.send(b"x")
        self.check_408_after(client, TIMEOUTS.content - 29, b"content")

    def test_empty_lines(self) -> None:
        """
        An empty line before a request extends nothing for long.
        """
        client = self.connect()
        self.pass_time(TIMEOUTS.idle - EARLY)
        client.send(b"\r\n")
        self.pass_time(TIMEOUTS.head + LATE)
        self.assertTrue(client.is_lost)
        self.assertEqual(client.received, b"")

    def test_full_buffer(self) -> None:
        """
        Complete requests that wait because the client has not taken its answers are not called
        late: they are answered when it has.
        """
        self.serve(lambda head: Response(200, NO_FIELDS, b"x" * 60_000))
        client = self.connect()
        client.transport.window = 0
        client.send(*[get("/a")] * 4)
        self.pass_time(TIMEOUTS.write - 1)
        client.transport.take(121_000)
        self.pass_time(TIMEOUTS.write - 1)
        client.transport.take(1 << 20)
        self.assertEqual([a.status for a in read_answers(client.received)], [200] * 4)
        self.check_closes_after(client, TIMEOUTS.idle)

    def test_other_timeouts(self) -> None:
        """
        The timeouts are the settings' own.
        """
        self.serve(settings=ServerSettings(timeouts=Timeouts(idle=5, head=7)))
        self.check_closes_after(self.connect(), 5)
        client = self.connect()
        client.send(b"G")
        self.check_408_after(client, 7, b"head")

    def test_many_connections(self) -> None:
        """
        All connections of a server wait on one delayed call.
        """
        for _ in range(100):
            self.connect()
            self.pass_time(0.003)
        self.assertEqual(len(self.reactor.getDelayedCalls()), 1)
        self.pass_time(TIMEOUTS.idle + LATE)
        self.assertEqual(len(self.factory.connections), 0)
        self.assert_nothing_armed()
