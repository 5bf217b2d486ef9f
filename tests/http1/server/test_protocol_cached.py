"""
Tests for L{netlab.http1.server.protocol}: an answer that is sent again from memory is like one that
is made anew, in everything that anyone can observe.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from netlab.http1.accesslog.log import AccessLog
from netlab.http1.resources.files import FileRange, OpenFile
from netlab.http1.resources.responses import Pages, Response, refuse_method
from netlab.http1.sansio.fields import NO_FIELDS, Fields
from netlab.http1.sansio.limits import Limits, Timeouts
from netlab.http1.sansio.messages import RequestHead
from netlab.http1.sansio.serversettings import ServerSettings
from netlab.http1.server.factory import HTTPServerFactory
from tests.http1.serving import (
    NOW,
    BytesWriter,
    Client,
    FunctionResource,
    ServerTestCase,
    get,
    read_answers,
)

_DATE = re.compile(rb"Date: [^\r]*\r\n")
_LOG_TIME = re.compile(rb"\[[^]]*\]")


class CountingResource:
    """
    Answers with the path and how often it was asked, for a while or once.
    """

    def __init__(self, fresh_seconds: float) -> None:
        self.fresh_seconds = fresh_seconds
        self.asked = 0

    def respond(self, head: RequestHead) -> Response:
        """
        Answer, to be repeated for a while.
        """
        refusal = refuse_method(head, Pages())
        if refusal is not None:
            return refusal
        self.asked += 1
        if head.target.path == b"/missing":
            return Pages().error(404)
        fields = Fields([(b"Content-Type", b"text/plain")])
        content = b"<%b>" % head.target.path
        return Response(200, fields, content, repeat_seconds=self.fresh_seconds)


class RepeatTests(ServerTestCase):
    """
    The way through the memory.
    """

    def remember(self, settings: ServerSettings | None = None) -> CountingResource:
        """
        Serve answers that may be repeated for a second.
        """
        resource = CountingResource(1.0)
        self.serve(resource, settings, has_access_log=True)
        return resource

    def test_asked_once(self) -> None:
        """
        The same request head, on any connection, asks the resource twice: an answer is kept when
        its request comes the second time.
        """
        resource = self.remember()
        contents = [
            answer.content for _ in range(4) for answer in self.ask(get("/a"), get("/a"), get("/b"))
        ]
        self.assertEqual(contents, [b"</a>", b"</a>", b"</b>"] * 4)
        self.assertEqual(resource.asked, 4)

    def test_seen_once(self) -> None:
        """
        Heads that come once leave no answer behind.
        """
        self.remember()
        for number in range(100):
            self.ask(get(f"/{number}"))
        self.assertEqual(self.factory.context.known, {})

    def test_secrets(self) -> None:
        """
        A head with a secret in it is not kept, however often it comes.
        """
        self.remember()
        for line in ("Cookie: a=b", "Authorization: Basic YTpi", "Proxy-Authorization: x"):
            self.ask(*[get("/a", line)] * 4)
        self.assertEqual(self.factory.context.known, {})

    def test_switched_off(self) -> None:
        """
        Without a cache the resource is asked each time.
        """
        resource = CountingResource(1.0)
        self.serve(resource, answer_cache_max_bytes=0)
        for _ in range(3):
            self.ask(get("/a"), get("/a"))
        self.assertEqual(resource.asked, 6)

    def test_until(self) -> None:
        """
        An answer is repeated until its time, and not then.
        """
        resource = self.remember()
        self.ask(get("/a"), get("/a"))
        self.pass_time(0.99)
        self.ask(get("/a"))
        self.assertEqual(resource.asked, 2)
        self.pass_time(0.01)
        self.ask(get("/a"))
        self.assertEqual(resource.asked, 3)

    def test_other_heads(self) -> None:
        """
        Any other byte in the head asks anew.
        """
        resource = self.remember()
        for request in (get("/a"), get("/a", "X: 1"), get("/a", version="HTTP/1.0"), get("/a?")):
            self.ask(request)
        self.assertEqual(resource.asked, 4)

    def test_never_repeated(self) -> None:
        """
        Not kept are: answers that close of themselves, answers to requests with content, and those
        to heads that are too long to be worth it.
        """
        resource = self.remember()
        requests = [
            get("/missing"),
            get("/a", "Content-Length: 1") + b"x",
            get("/a", "X: " + "x" * 5000),
        ]
        for request in requests:
            before = resource.asked
            for _ in range(4):
                self.ask(request)
            self.assertEqual(resource.asked, before + 4)

    def test_last_answer(self) -> None:
        """
        An answer that closes because the request asked for that is repeated to such requests.
        """
        resource = self.remember()
        for request in (get("/a", "Connection: close"), get("/a", version="HTTP/1.0")):
            before = resource.asked
            for _ in range(3):
                client = self.connect()
                client.send(request)
                (answer,) = read_answers(client.received)
                self.assertEqual(answer.content, b"</a>")
                self.assertEqual(answer.fields["Connection"], "close")
                self.assertTrue(client.is_ended)
            self.assertEqual(resource.asked, before + 2)

    def test_last_exchange_of_a_limit(self) -> None:
        """
        An answer that closes because the connection has had its share is not kept for others.
        """
        resource = self.remember(ServerSettings(Limits(exchanges_max=1)))
        for _ in range(4):
            answer = self.ask_one(get("/a"))
            self.assertEqual(answer.fields["Connection"], "close")
        self.assertEqual(resource.asked, 4)

    def test_burst(self) -> None:
        """
        Requests that come in one delivery are answered, counted and logged each, the first time
        and when the same delivery comes again.
        """
        resource = self.remember()
        burst = get("/a") + get("/b") + get("/a")
        for number in (1, 2, 3):
            client = self.connect()
            client.send(burst, burst)
            contents = [answer.content for answer in read_answers(client.received)]
            self.assertEqual(contents, [b"</a>", b"</b>", b"</a>"] * 2)
            self.assertEqual(self.factory.context.counters.answers, {200: 6 * number})
            self.assertEqual(self.factory.context.counters.content_bytes, 24 * number)
            client.vanish()
        # The first two deliveries went the long way.
        self.assertEqual(resource.asked, 6)
        assert self.factory.context.access_log is not None
        self.factory.context.access_log.flush()
        lines = b"".join(self.log_lines).splitlines()
        paths = [line.split(b" ")[6] for line in lines]
        self.assertEqual(paths, [b"/a", b"/b", b"/a"] * 6)

    def test_burst_of_several_statuses(self) -> None:
        """
        Statuses are counted apart.
        """
        self.serve(
            lambda head: Response(204 if head.target.path == b"/none" else 200, repeat_seconds=100)
        )
        burst = get("/a") + get("/none") + get("/none") + get("/a")
        for _ in range(3):
            self.ask(burst)
        self.assertEqual(self.factory.context.counters.answers, {200: 6, 204: 6})

    def test_burst_within_the_limit(self) -> None:
        """
        The last exchange of a connection says so, wherever in a delivery it is.
        """
        self.remember(ServerSettings(Limits(exchanges_max=5)))
        for _ in range(3):
            client = self.connect()
            client.send(get("/a") * 4, get("/a") * 4)
            answers = read_answers(client.received)
            self.assertEqual(
                [answer.fields["Connection"] for answer in answers], [None] * 4 + ["close"]
            )

    def test_renewed(self) -> None:
        """
        When its time is over, an answer that can say whether it is still right is asked, not made
        anew; its Date is then that of now.
        """
        asked: list[float] = []
        made: list[RequestHead] = []

        def renew() -> float:
            now = self.reactor.seconds()
            asked.append(now)
            return 1.0 if now < NOW + 4.0 else 0.0

        def respond(head: RequestHead) -> Response:
            made.append(head)
            return Response(200, NO_FIELDS, b"content", repeat_seconds=1.0, renew=renew)

        self.serve(respond)
        for second in (30, 31, 32, 33):
            answer = self.ask_one(get("/a"))
            self.assertEqual(answer.content, b"content")
            self.assertEqual(answer.fields["Date"], f"Fri, 13 Feb 2009 23:31:{second} GMT")
            self.ask(get("/a"))
            self.pass_time(1.0)
        self.assertEqual((len(made), asked), (2, [NOW + 1, NOW + 2, NOW + 3]))
        self.ask(get("/a"))
        self.assertEqual(len(made), 3)

    def test_head(self) -> None:
        """
        HEAD is repeated without content.
        """
        self.remember()
        requests = [get("/a", method="HEAD"), get("/a", method="HEAD"), get("/a")]
        answers = self.ask(*requests, methods=["HEAD", "HEAD", "GET"])
        self.assertEqual([answer.content for answer in answers], [b"", b"", b"</a>"])
        self.assertEqual([answer.fields["Content-Length"] for answer in answers], ["4"] * 3)

    def test_date(self) -> None:
        """
        The Date of a repeated answer is at most a second old.
        """
        self.remember()
        self.ask(get("/a"), get("/a"))
        self.pass_time(0.9)
        answer = self.ask_one(get("/a"))
        self.assertIn(answer.fields["Date"][-6:], ("30 GMT",))

    def test_idle_deadline(self) -> None:
        """
        A repeated answer moves the idle deadline as any other.
        """
        self.remember()
        client = self.connect()
        for _ in range(5):
            client.send(get("/a"))
            self.pass_time(Timeouts().idle - 0.01)
            self.assertFalse(client.is_ended)
        self.pass_time(0.02)
        self.assertTrue(client.is_lost)

    def test_idle_deadline_after_an_empty_line(self) -> None:
        """
        Even behind an empty line, which had lent the connection the head's timeout.
        """
        self.remember()
        self.ask(get("/a"), get("/a"))
        client = self.connect()
        self.pass_time(0.5)
        client.send(b"\r\n")
        self.pass_time(0.6)
        client.send(get("/a"), b"\r\n", get("/a"))
        self.pass_time(Timeouts().idle + 0.01)
        self.assertTrue(client.is_lost)

    def test_closing_connections(self) -> None:
        """
        Nothing is repeated on a connection that has been told to close.
        """
        self.remember()
        self.ask(get("/a"), get("/a"))
        client = self.connect()
        client.protocol.close()
        client.send(get("/a"))
        (answer,) = read_answers(client.received)
        self.assertEqual(answer.fields["Connection"], "close")

    def test_full_buffer(self) -> None:
        """
        Nothing is repeated into a full buffer; the answers come in order when there is room.
        """
        content = b"x" * 30_000
        self.serve(
            lambda head: Response(200, Fields(), content + head.target.path, repeat_seconds=100)
        )
        paths = [b"/a", b"/b"] * 10
        self.ask(get("/a"), get("/b"), get("/a"), get("/b"))
        client = self.connect()
        client.transport.window = 0
        client.send(b"".join(get(path.decode()) for path in paths[:10]))
        client.send(*(get(path.decode()) for path in paths[10:]))
        self.assertLess(client.transport.largest_buffer, 130_000)
        for _ in range(100):
            client.transport.take(10_000)
        answers = read_answers(client.received)
        self.assertEqual([answer.content for answer in answers], [content + p for p in paths])


class FileTests(ServerTestCase):
    """
    Large files, which are sent again from their descriptor.
    """

    CONTENT = bytes(range(256)) * 2048

    def serve_file(self, settings: ServerSettings | None = None) -> list[RequestHead]:
        """
        Serve one open file.

        @return: what the resource is asked.
        """
        path = self.mktemp()
        with open(path, "wb") as file:
            file.write(self.CONTENT)
        self.file: OpenFile | None = OpenFile(os.open(path, os.O_RDONLY))
        self.is_fresh = True
        asked: list[RequestHead] = []

        def renew() -> float:
            return 1.0 if self.is_fresh else 0.0

        def respond(head: RequestHead) -> Response:
            asked.append(head)
            if self.file is None:
                return Response(200, NO_FIELDS, b"another")
            return Response(
                200, NO_FIELDS, FileRange(self.file, 256, len(self.CONTENT) - 256), renew=renew
            )

        self.serve(respond, settings, has_access_log=True)
        return asked

    def test_asked_once(self) -> None:
        """
        The resource is asked once; every answer is whole, counted and logged.
        """
        asked = self.serve_file()
        for _ in range(3):
            for answer in self.ask(get("/"), get("/")):
                self.assertEqual(answer.content, self.CONTENT[256:])
            self.pass_time(1.5)
        self.assertEqual(len(asked), 2)
        self.assertEqual(self.factory.context.counters.answers, {200: 6})
        self.assertEqual(self.factory.context.counters.content_bytes, 6 * (len(self.CONTENT) - 256))
        assert self.factory.context.access_log is not None
        self.factory.context.access_log.flush()
        lines = b"".join(self.log_lines).splitlines()
        length = b"%d" % (len(self.CONTENT) - 256)
        self.assertEqual([line.split()[9] for line in lines], [length] * 6)

    def test_large(self) -> None:
        """
        Files that are not written in one piece count as large, new and repeated; others do not.
        """
        self.serve_file()
        self.ask(get("/"), get("/"))
        self.assertEqual(self.factory.context.counters.large_answers, 2)
        self.assertEqual(self.factory.context.counters.small_answers, 0)
        self.file = None
        self.is_fresh = False
        self.pass_time(1.5)
        self.ask(get("/other"))
        self.assertEqual(self.factory.context.counters.small_answers, 1)

    def test_changed(self) -> None:
        """
        What is not fresh any more is asked for anew, and so is what nobody keeps open.
        """
        asked = self.serve_file()
        self.ask(get("/"))
        self.pass_time(1.0)
        self.is_fresh = False
        self.ask(get("/"), get("/"))
        self.assertEqual(len(asked), 3)
        self.is_fresh = True
        self.file = None
        self.assertEqual(self.ask_one(get("/")).content, b"another")

    def test_in_order(self) -> None:
        """
        To a slow reader that has asked for more meanwhile, all answers go in order.
        """
        self.serve_file()
        self.ask(get("/"))
        client = self.connect()
        client.transport.window = 1000
        client.send(get("/"), get("/") + get("/"), get("/", "Connection: close"))
        for _ in range(100):
            client.transport.take(30_000)
        answers = read_answers(client.received)
        self.assertEqual([answer.content for answer in answers], [self.CONTENT[256:]] * 4)
        self.assertTrue(client.is_ended)

    def test_no_progress(self) -> None:
        """
        A reader that takes nothing is cut off; the log tells how much was sent.
        """
        self.serve_file()
        self.ask(get("/"))
        client = self.connect()
        client.transport.window = 1000
        client.send(get("/"))
        self.pass_time(Timeouts().write - 0.01)
        self.assertFalse(client.is_lost)
        self.pass_time(0.02)
        self.assertTrue(client.transport.is_aborted)
        assert self.factory.context.access_log is not None
        self.factory.context.access_log.flush()
        last = b"".join(self.log_lines).splitlines()[-1]
        self.assertLess(int(last.split()[9]), len(self.CONTENT) - 256)
        self.assert_nothing_armed()

    def test_idle_after(self) -> None:
        """
        When the file is sent, the connection is idle, and closed in time.
        """
        self.serve_file()
        self.ask(get("/"))
        client = self.connect()
        client.send(get("/"))
        self.pass_time(Timeouts().idle - 0.01)
        self.assertFalse(client.is_ended)
        self.pass_time(0.02)
        self.assertTrue(client.is_ended)

    def test_last_exchange(self) -> None:
        """
        The last exchange of a connection says so.
        """
        self.serve_file(ServerSettings(Limits(exchanges_max=2)))
        self.ask(get("/"))
        answers = self.ask(get("/"), get("/"))
        self.assertEqual([answer.fields["Connection"] for answer in answers], [None, "close"])

    def test_told_to_stop(self) -> None:
        """
        A server that stops finishes the file, then closes.
        """
        self.serve_file()
        self.ask(get("/"))
        client = self.connect()
        client.transport.window = 1000
        client.send(get("/"))
        client.protocol.close()
        for _ in range(20):
            client.transport.take(30_000)
        (answer,) = read_answers(client.received)
        self.assertEqual(answer.content, self.CONTENT[256:])
        self.assertTrue(client.is_ended)


@dataclass
class Observed:
    """
    What a client and the log see of a connection.
    """

    received: bytes
    lines: list[bytes]
    is_ended: bool
    is_lost: bool
    deadline: float | None


class EqualityTests(ServerTestCase):
    """
    Servers side by side: one with a cache that knows answers, one with a cache of which nothing
    may be kept, one without a cache.
    """

    def observe(
        self, fresh_seconds: float, deliveries: list[bytes], limit: int, cache_bytes: int
    ) -> Observed:
        """
        Let a server warm up, then look at one connection.
        """
        lines: list[bytes] = []
        resource = CountingResource(fresh_seconds)
        factory = HTTPServerFactory(
            resource,
            self.reactor,
            ServerSettings(Limits(exchanges_max=limit)),
            AccessLog(BytesWriter(lines), self.reactor),
            answer_cache_max_bytes=cache_bytes,
        )
        for request in 2 * (
            get("/a"),
            get("/b"),
            get("/a", method="HEAD"),
            get("/a", "Connection: close"),
            get("/a", version="HTTP/1.0"),
            get("/a") + get("/b"),
            get("/a") + get("/a", method="HEAD") + get("/b"),
        ):
            warm = Client(factory, self.reactor)
            warm.send(request)
            warm.vanish()
        assert factory.context.access_log is not None
        factory.context.access_log.flush()
        lines.clear()
        client = Client(factory, self.reactor)
        client.send(*deliveries)
        factory.context.access_log.flush()
        observed = Observed(
            _DATE.sub(b"", client.received),
            [_LOG_TIME.sub(b"", line) for line in lines],
            client.is_ended,
            client.is_lost,
            client.protocol.next_deadline(),
        )
        client.vanish()
        return observed

    @given(
        requests=st.lists(
            st.sampled_from(
                (
                    get("/a"),
                    get("/b"),
                    get("/c"),
                    get("/a") + get("/b"),
                    get("/a") + get("/a", method="HEAD") + get("/b"),
                    get("/a", method="HEAD"),
                    get("/a", version="HTTP/1.0"),
                    get("/a", "Connection: close"),
                    get("/a", "Connection: keep-alive", version="HTTP/1.0"),
                    get("/a", "Content-Length: 2") + b"hi",
                    get("/a", method="OPTIONS"),
                    get("/missing"),
                    b"\r\n",
                    b"nonsense\r\n\r\n",
                    get("/a")[:10],
                )
            ),
            max_size=8,
        ),
        cuts=st.lists(st.integers(0, 400), max_size=4),
        limit=st.integers(0, 5),
    )
    @example(requests=[b"\r\n", get("/a"), b"\r\n", get("/a")], cuts=[], limit=0)
    @example(requests=[b"\r\n\r\n", get("/a")], cuts=[], limit=0)
    @settings(deadline=None, max_examples=100)
    def test_equal(self, requests: list[bytes], cuts: list[int], limit: int) -> None:
        """
        Whatever is sent, cut as it may be: the same bytes apart from Date, the same log lines, the
        same end and the same deadline.
        """
        data = b"".join(requests)
        places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
        pieces = [data[a:b] for a, b in pairwise(places)]
        for deliveries in (pieces, requests):
            without = self.observe(1.0, deliveries, limit, 0)
            self.assertEqual(self.observe(1.0, deliveries, limit, 1 << 20), without)
            self.assertEqual(self.observe(0.0, deliveries, limit, 1 << 20), without)


class MemoryTests(ServerTestCase):
    """
    What is kept is bounded.
    """

    def test_bounded(self) -> None:
        """
        However many different requests come, and however large their answers, what is kept stays
        within its bounds.
        """
        content = bytes(60_000)
        factory = self.serve(
            FunctionResource(lambda head: Response(200, Fields(), content, repeat_seconds=9))
        )
        client = self.connect()
        for number in range(2000):
            client.send(get(f"/{number}"), get(f"/{number}"))
            client.transport.sent.clear()
        kept = sum(len(answer.data) for answer in factory.context.known.values())
        self.assertGreater(kept, 0)
        self.assertLessEqual(kept, 32 << 20)
