"""
Tests for L{netlab.http1.server.protocol}: content that is sent in pieces, to clients that read
slowly or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator

from netlab.http1.resources.responses import Response
from netlab.http1.sansio.fields import NO_FIELDS
from tests.http1.serving import ServerTestCase, echo_path, get, read_answers
from tests.http1.sources import Source, pattern


class LargeContentTests(ServerTestCase):
    """
    Content that is sent in pieces.
    """

    def steps(self, client_step: int) -> Iterator[int]:
        """
        Give what a client takes at a time, for a while.
        """
        yield from [client_step] * 10_000

    def test_source(self) -> None:
        """
        A source is read to its end, closed once, and the connection persists.
        """
        data = pattern(300_000)
        source = Source(data)
        self.serve(
            lambda head: (
                Response(200, NO_FIELDS, source) if head.target.path == b"/" else echo_path(head)
            )
        )
        client = self.connect()
        client.send(get("/"), get("/a"))
        answers = read_answers(client.received)
        self.assertEqual([answer.content for answer in answers], [data, b"/a"])
        self.assertEqual(source.closed, 1)
        self.assertFalse(client.is_ended)

    def test_slow_reader(self) -> None:
        """
        However slowly the client reads, no more than a piece waits in memory.
        """
        data = pattern(1_000_000)
        source = Source(data)
        self.serve(lambda head: Response(200, NO_FIELDS, source))
        client = self.connect()
        client.transport.window = 0
        client.send(get("/"))
        for step in self.steps(10_007):
            client.transport.take(step)
        self.assertEqual(read_answers(client.received)[0].content, data)
        self.assertLess(client.transport.largest_buffer, 140_000)
        self.assertLessEqual(max(source.pieces), 65536)

    def test_large_bytes(self) -> None:
        """
        So are large bytes at hand.
        """
        data = pattern(1_000_000)
        self.serve(lambda head: Response(200, NO_FIELDS, data))
        client = self.connect()
        client.transport.window = 0
        client.send(get("/") + get("/"))
        for step in self.steps(10_007):
            client.transport.take(step)
        self.assertEqual([a.content for a in read_answers(client.received)], [data, data])
        self.assertLess(client.transport.largest_buffer, 140_000)

    def test_head_of_a_source(self) -> None:
        """
        HEAD closes the source unread, and the next answer follows.
        """
        source = Source(b"x" * 100_000)
        self.serve(
            lambda head: (
                Response(200, NO_FIELDS, source) if head.target.path == b"/" else echo_path(head)
            )
        )
        answers = self.ask(get("/", method="HEAD"), get("/b"), methods=["HEAD"])
        self.assertEqual(answers[0].fields["Content-Length"], "100000")
        self.assertEqual([answer.content for answer in answers], [b"", b"/b"])
        self.assertEqual((source.closed, source.pieces), (1, []))

    def test_empty_source(self) -> None:
        """
        A source may have nothing.
        """
        source = Source(b"")
        self.serve(lambda head: Response(200, NO_FIELDS, source))
        answers = self.ask(get("/") + get("/"))
        self.assertEqual([answer.content for answer in answers], [b"", b""])
        self.assertEqual(source.closed, 2)

    def test_connection_close(self) -> None:
        """
        The connection closes behind the last byte, and not before.
        """
        data = pattern(300_000)
        self.serve(lambda head: Response(200, NO_FIELDS, Source(data)))
        client = self.connect()
        client.transport.window = 0
        client.send(get("/", "Connection: close"))
        for step in self.steps(10_007):
            client.transport.take(step)
        self.assertEqual(read_answers(client.received)[0].content, data)
        self.assertTrue(client.is_lost)
        self.assertFalse(client.transport.is_aborted)
        self.assert_nothing_armed()

    def test_became_shorter(self) -> None:
        """
        When the content becomes shorter while it is sent, the connection is cut, so that nobody
        takes it for the whole; the log says so.
        """
        for error in (None, OSError("disk"), ValueError("mistake")):
            source = Source(pattern(300_000), cut=100_000, error=error)
            self.serve(lambda head, s=source: Response(200, NO_FIELDS, s))  # type: ignore[misc]
            client = self.connect()
            client.send(get("/") + get("/"))
            self.pass_time(0)
            self.assertTrue(client.transport.is_aborted)
            self.assertTrue(client.is_lost)
            self.assertEqual(source.closed, 1)
            self.assertEqual(client.received.count(b"HTTP/1.1"), 1)
            self.assertIn("the connection is cut", self.logged()[-1])

    def test_client_vanishes(self) -> None:
        """
        When the client goes in the middle, the source is closed, and the log does not blame it.
        """
        source = Source(pattern(300_000))
        self.serve(lambda head: Response(200, NO_FIELDS, source), has_access_log=True)
        client = self.connect()
        client.transport.window = 0
        client.send(get("/"))
        client.transport.take(100_000)
        client.vanish()
        self.assertEqual(source.closed, 1)
        self.assertEqual(self.logged(), [])
        self.pass_time(1)
        self.assertEqual(len(self.log_lines), 1)
        self.assert_nothing_armed()

    def test_cut_answer_is_large(self) -> None:
        """
        An answer that is cut counts as a large one all the same.
        """
        self.serve(lambda head: Response(200, NO_FIELDS, Source(pattern(300_000))))
        client = self.connect()
        client.transport.window = 0
        client.send(get("/"))
        client.transport.take(100_000)
        client.vanish()
        counters = self.factory.context.counters
        self.assertEqual((counters.answers, counters.small_answers), ({200: 1}, 0))


class BackpressureTests(ServerTestCase):
    """
    Clients that ask and do not read.
    """

    def test_never_reads(self) -> None:
        """
        A client that sends requests without end and never reads is stopped: what waits on our side
        is bounded in both directions.
        """
        self.serve(lambda head: Response(200, NO_FIELDS, b"x" * 1000))
        client = self.connect()
        client.transport.window = 0
        sent = 0
        delivery = get("/") * 200
        for _ in range(1000):
            if not client.transport.is_reading:
                break
            client.send(delivery)
            sent += len(delivery)
        self.assertFalse(client.transport.is_reading)
        self.assertLess(client.transport.largest_buffer, 140_000)
        self.assertLess(sent, 65536 + 200_000)

    def test_reads_at_last(self) -> None:
        """
        When it reads at last, not an answer is missing.
        """
        self.serve(lambda head: Response(200, NO_FIELDS, b"x" * 1000))
        client = self.connect()
        client.transport.window = 0
        client.send(*[get("/") * 100] * 10)
        for _ in range(2000):
            client.transport.take(10_000)
        answers = read_answers(client.received)
        self.assertEqual({answer.content for answer in answers}, {b"x" * 1000})
        self.assertEqual(len(answers), 1000)
