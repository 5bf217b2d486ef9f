"""
The way of a request that nobody has seen before: from C{dataReceived} to C{transport.write} and the
line in the log, in few calls and few files. Work is counted, not time, so a slow way fails here on
any machine.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

from netlab.http1.accesslog.log import AccessLog
from netlab.http1.resources.beneath import Root
from netlab.http1.resources.receiving import RequestContent
from netlab.http1.resources.resource import Receiver, Redirect, Resource, Router
from netlab.http1.resources.responses import Pages, Response
from netlab.http1.resources.static import StaticFiles
from netlab.http1.sansio.messages import RequestHead
from netlab.http1.server.context import ANSWER_CACHE_MAX_BYTES
from netlab.http1.server.factory import HTTPServerFactory
from tests.http1.serving import BytesWriter, Client, ServerTestCase, read_answers

FILES_MAX = 8
CALLS_MAX = 60

#: Of a request with content. It was 95 as long as each went through a buffer and an exchange.
CONTENT_CALLS_MAX = 30

_PACKAGE = str(Path(sys.modules["netlab"].__path__[0]))

#: A browser's head, in which each request has a cookie of its own.
_LINES = (
    "Host: localhost",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language: en-GB,en;q=0.7,de;q=0.3",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Connection: keep-alive",
    "Upgrade-Insecure-Requests: 1",
    "Sec-Fetch-Mode: navigate",
)


def unseen(number: int) -> bytes:
    """
    Write a request that differs from all others.
    """
    lines = "\r\n".join((*_LINES, f"Cookie: session={number}-abcdefghijklmnop"))
    return f"GET /page.html HTTP/1.1\r\n{lines}\r\n\r\n".encode()


class Way:
    """
    Counts what is called, from one call of C{dataReceived}.

    @ivar calls: Python functions of this package, in order, with their files.
    @ivar python_calls: how many Python functions were called, of any package.
    @ivar c_calls: how many functions written in C.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.python_calls = 0
        self.c_calls = 0

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> None:
        """
        Take note.
        """
        if event == "c_call":
            self.c_calls += 1
        elif event == "call":
            self.python_calls += 1
            code = frame.f_code
            if code.co_filename.startswith(_PACKAGE):
                name = code.co_filename[len(_PACKAGE) + 1 :]
                self.calls.append((name, code.co_qualname))

    @property
    def files(self) -> Counter[str]:
        """
        The files of this package, with the number of calls into each.
        """
        return Counter(name for name, _function in self.calls)

    def __str__(self) -> str:
        way = "\n".join(f"  {name}: {function}" for name, function in self.calls)
        return (
            f"{self.python_calls} calls (and {self.c_calls} of C) in {len(self.files)} files, "
            f"{CALLS_MAX} in {FILES_MAX} are allowed:\n{way}"
        )


class _Transport:
    """
    Takes what it is given, in C alone.
    """

    is_drained = True

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.write = self.sent.append

    def registerProducer(self, producer: object, streaming: bool) -> None:
        """
        There is always room.
        """

    unregisterProducer = registerProducer
    loseConnection = registerProducer


class StraightWayTests(ServerTestCase):
    """
    A static file, served as C{twistd netlab-http} puts it together.
    """

    def serve_page(self, answer_cache_max_bytes: int) -> Client:
        """
        Serve a folder with a page, and let a client ask for it.
        """
        root_path = Path(self.mktemp())
        root_path.mkdir()
        (root_path / "page.html").write_bytes(b"x" * 210)
        root = Root(root_path)
        self.addCleanup(root.close)
        pages = Pages()
        routes: dict[tuple[bytes, ...], Resource] = {
            (b"redirect",): Redirect(b"/result.html", pages=pages)
        }
        self.factory = HTTPServerFactory(
            Router(routes, StaticFiles(root, self.reactor.seconds), pages),
            self.reactor,
            access_log=AccessLog(BytesWriter(self.log_lines), self.reactor),
            answer_cache_max_bytes=answer_cache_max_bytes,
        )
        client = self.connect()
        for number in range(3):
            client.send(unseen(number))
        return client

    def look(self, answer_cache_max_bytes: int) -> Way:
        """
        Follow a request that has not come before on its way.
        """
        client = self.serve_page(answer_cache_max_bytes)
        protocol: Any = client.protocol
        transport = _Transport()
        protocol.transport = transport
        way = Way()
        request = unseen(100)
        profiler = sys.getprofile()
        sys.setprofile(way)
        try:
            protocol.dataReceived(request)
        finally:
            sys.setprofile(profiler)
        self.assertEqual(len(transport.sent), 1, "it is one write")
        (answer,) = read_answers(transport.sent[0])
        self.assertEqual((answer.status, len(answer.content)), (200, 210))
        assert self.factory.context.access_log is not None
        self.factory.context.access_log.flush()
        self.assertEqual(len(self.log_lines), 4)
        self.assertIn(b'"GET /page.html HTTP/1.1" 200 210 "-" "Mozilla', self.log_lines[-1])
        return way

    def check(self, way: Way) -> None:
        """
        Compare with what is allowed.
        """
        self.assertLessEqual(len(way.files), FILES_MAX, str(way))
        self.assertLessEqual(way.python_calls, CALLS_MAX, str(way))

    def test_cache_off(self) -> None:
        """
        Without an answer cache.
        """
        self.check(self.look(0))

    def test_cache_on(self) -> None:
        """
        With one that does not know the request.
        """
        self.check(self.look(ANSWER_CACHE_MAX_BYTES))


class Reading:
    """
    A resource that reads what it is sent, and says how much that is.
    """

    def respond(self, head: RequestHead) -> Response:
        """
        Refuse what it cannot read.
        """
        return Response(405)

    def receiver(self, head: RequestHead) -> Receiver:
        """
        Read.
        """
        return self.receive

    async def receive(self, head: RequestHead, content: RequestContent) -> Response:
        """
        Read, and answer.
        """
        length = 0
        async for piece in content:
            length += len(piece)
        return Response(200, content=b"%d" % length)


class ContentWayTests(ServerTestCase):
    """
    A POST whose content a resource reads.
    """

    def posted(self, number: int) -> bytes:
        """
        Write a request that differs from all others.
        """
        lines = "\r\n".join((*_LINES, f"Cookie: session={number}"))
        head = f"POST /items HTTP/1.1\r\n{lines}\r\nContent-Length: 1024\r\n\r\n"
        return (head + str(number).ljust(1024, "x")).encode()

    def test_one_delivery(self) -> None:
        """
        What comes in one delivery goes no longer way than what has no content: no exchange, no
        buffer, one write.
        """
        log = AccessLog(BytesWriter(self.log_lines), self.reactor)
        self.factory = HTTPServerFactory(Reading(), self.reactor, access_log=log)
        client = self.connect()
        client.send(*map(self.posted, range(3)))
        protocol: Any = client.protocol
        transport = protocol.transport = _Transport()
        way = Way()
        request = self.posted(100)
        profiler = sys.getprofile()
        sys.setprofile(way)
        try:
            protocol.dataReceived(request)
        finally:
            sys.setprofile(profiler)
        (answer,) = read_answers(b"".join(transport.sent))
        self.assertEqual((answer.status, answer.content, len(transport.sent)), (200, b"1024", 1))
        self.assertLessEqual(way.python_calls, CONTENT_CALLS_MAX, str(way))
        self.assertNotIn("http1/server/exchange.py", way.files)
        self.assertNotIn("http1/sansio/receivebuffer.py", way.files)
