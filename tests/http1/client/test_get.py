"""
C{netlab get}: what it asks, shows and saves.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionRefusedError as RefusedError
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from netlab.http1.client.client import HTTPClient, Request
from netlab.http1.client.get import (
    GetOptions,
    Getter,
    Server,
    get_each,
    read_targets,
    url_request,
    visible,
)
from netlab.http1.client.saving import OutputFolder
from netlab.http1.sansio.url import URL, URLError, parse_url
from tests.http1.memorynet import MemoryNet, ServerEnd


class TargetsTests(SynchronousTestCase):
    """
    The two forms of the command line.
    """

    def test_urls(self) -> None:
        """
        Any number of URLs.
        """
        self.assertEqual(
            read_targets(["http://a/b", "https://c"]),
            [URL("http", "a", 80, b"/b"), URL("https", "c", 443)],
        )

    def test_host_and_port(self) -> None:
        """
        A host by name or address, and a port.
        """
        for host in ("localhost", "127.0.0.1", "::1", "[::1]"):
            self.assertEqual(read_targets([host, "8080"]), Server(host, 8080))

    def test_neither(self) -> None:
        """
        Anything else is wrong usage, with the way out.
        """
        for targets, words in (
            (["localhost:8080"], "write http://localhost:8080, or a HOST and a PORT"),
            (["localhost", "http"], "not a TCP port"),
            (["localhost", "0"], "not a TCP port"),
            (["a b", "80"], "not a host name"),
            (["ü", "80"], "not a host name"),
            (["ftp://a/"], "not ftp"),
            (["http://a/", "b"], "write http://b"),
            (["http://a/\n"], "control characters"),
        ):
            with self.assertRaises(UsageError) as caught:
                read_targets(targets)
            self.assertIn(words, str(caught.exception))
            self.assertTrue(str(caught.exception).isprintable())


class RequestTests(SynchronousTestCase):
    """
    What is asked for.
    """

    def lines(self, request: Request) -> list[tuple[bytes, bytes]]:
        """
        Return the field lines.
        """
        return list(request.head().fields)

    def test_reference(self) -> None:
        """
        A host and a port give the reference's fields: Host without a port.
        """
        request = Server("localhost", 8080).request(b"/", GetOptions())
        self.assertEqual(
            self.lines(request), [(b"Host", b"localhost"), (b"Connection", b"keep-alive")]
        )
        self.assertEqual(request.url, URL("http", "localhost", 8080))
        ipv6 = Server("::1", 8080).request(b"/", GetOptions(closes=True))
        self.assertEqual(self.lines(ipv6), [(b"Host", b"[::1]"), (b"Connection", b"close")])

    def test_url(self) -> None:
        """
        A URL gives the RFCs' fields: Host with its port (RFC 9110 section 7.2), and a User-Agent
        (section 10.1.5).
        """
        request = url_request(parse_url("http://a:81/"), GetOptions())
        self.assertEqual(self.lines(request), [(b"Host", b"a:81"), (b"User-Agent", b"netlab")])
        closing = url_request(parse_url("http://a/"), GetOptions(closes=True))
        self.assertIn((b"Connection", b"close"), self.lines(closing))

    def test_typed_paths(self) -> None:
        """
        A path goes out as it was typed, dots included; what no target may hold is encoded, and a
        forgotten slash is put before it.
        """
        for typed, target in (
            (b"/../server.py", b"/../server.py"),
            (b"/%78?y", b"/%78?y"),
            (b"index.html", b"/index.html"),
            (b"/a b\xc3\xbc", b"/a%20b%C3%BC"),
            (b"/a?b=http://c", b"/a?b=http://c"),
        ):
            request = Server("a", 80).request(typed, GetOptions())
            self.assertEqual(request.url.target, target)

    def test_typed_url(self) -> None:
        """
        A URL among the paths is a mistake.
        """
        with self.assertRaises(URLError):
            Server("a", 80).request(b"http://a/", GetOptions())

    def test_visible(self) -> None:
        """
        Nothing from the wire speaks to the terminal.
        """
        self.assertEqual(visible(b"a\x1b[2J\xc3\x7f~ "), "a\\x1b[2J\\xc3\\x7f~ ")


class GetTests(SynchronousTestCase):
    """
    Requests, one after the other, from servers in memory.
    """

    def setUp(self) -> None:
        """
        Make a network and a folder.
        """
        self.net = MemoryNet()
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.shown: list[str] = []
        self.complaints: list[str] = []

    def start(
        self, *targets: str | None, options: GetOptions | None = None
    ) -> Deferred[int | None]:
        """
        Ask for these URLs; None stands for what could not be asked.
        """
        options = options or GetOptions(timeout=10)

        async def requests() -> AsyncIterator[Request | None]:
            for target in targets:
                yield None if target is None else url_request(parse_url(target), options)

        async def get_all() -> int | None:
            async with HTTPClient(self.net.clock, endpoint_for=self.net.endpoint_for) as client:
                folder = OutputFolder(str(self.folder))
                getter = Getter(client, folder, options, self.shown.append)
                return await get_each(getter, requests(), self.net.clock, self.complaints.append)

        return Deferred.fromCoroutine(get_all())

    def end(self) -> ServerEnd:
        """
        Return the last connection.
        """
        return self.net.ends[-1]

    def answer(self, content: bytes, *lines: bytes, status: bytes = b"200 OK") -> None:
        """
        Answer the last request whole.
        """
        fields = b"".join(line + b"\r\n" for line in lines)
        self.end().says(
            b"HTTP/1.1 %b\r\n%bContent-Length: %d\r\n\r\n%b"
            % (status, fields, len(content), content)
        )

    def check(self, running: Deferred[int | None], status: int, **files: bytes) -> None:
        """
        Check the exit status and the folder, and that nothing is left open or armed.
        """
        self.assertEqual(self.successResultOf(running), status)
        found = {name: (self.folder / name).read_bytes() for name in os.listdir(self.folder)}
        self.assertEqual(found, {name.replace("_", "."): data for name, data in files.items()})
        self.assertEqual([end for end in self.net.ends if end.is_open], [])
        self.assertTrue(self.net.idle_clock())

    def test_saved(self) -> None:
        """
        Each status line is shown, each 200 saved, on one connection.
        """
        running = self.start("http://a/", "http://a/b/c.txt?d", "http://a/e")
        self.answer(b"one")
        self.answer(b"two")
        self.answer(b"no such page", status=b"404 Not Found")
        self.check(running, 0, index_html=b"one", c_txt=b"two")
        self.assertEqual(
            self.shown, ["HTTP/1.1 200 OK", "HTTP/1.1 200 OK", "HTTP/1.1 404 Not Found"]
        )
        self.assertEqual(len(self.net.ends), 1)
        self.assertEqual(self.complaints, [])

    def test_heads(self) -> None:
        """
        With --include whole heads are shown, interim ones too, with control bytes escaped.
        """
        running = self.start("http://a/x", options=GetOptions(includes_heads=True))
        self.end().says(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        self.answer(b"", b"A: \xff", status=b"204 \xe9")
        self.check(running, 0)
        self.assertEqual(
            self.shown,
            [
                "HTTP/1.1 103 Early Hints",
                "",
                "HTTP/1.1 204 \\xe9",
                "A: \\xff",
                "Content-Length: 0",
                "",
            ],
        )

    def test_truncated(self) -> None:
        """
        A truncated answer leaves the earlier file as it was, and the next URL is asked for.
        """
        (self.folder / "x").write_bytes(b"old")
        running = self.start("http://a/x", "http://b/y")
        self.end().says(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nnew")
        self.end().ends()
        self.answer(b"other")
        self.check(running, 1, x=b"old", y=b"other")
        self.assertEqual(
            self.complaints, ["http://a/x: the body ends 6 bytes early; nothing was saved"]
        )

    def test_hostile_name(self) -> None:
        """
        What has no harmless name is not saved, and its connection given up.
        """
        running = self.start("http://a/%2e%2e%2fx")
        self.end().says(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nnew")
        self.check(running, 1)
        self.assertIn("not saved", self.complaints[0])
        self.assertTrue(self.end().was_aborted)

    def test_redirect_is_shown(self) -> None:
        """
        Without --follow a redirect is an answer like any other.
        """
        running = self.start("http://a/x")
        self.answer(b"moved", b"Location: /y", status=b"301 Moved Permanently")
        self.check(running, 0)
        self.assertEqual(self.shown, ["HTTP/1.1 301 Moved Permanently"])

    def test_redirect_is_followed(self) -> None:
        """
        With --follow each status line on the way is shown; the name is that of the URL asked for,
        which a server must not choose.
        """
        running = self.start("http://a/x", options=GetOptions(follows=True))
        self.answer(b"moved", b"Location: http://b/.profile", status=b"302 Found")
        self.answer(b"there")
        self.check(running, 0, x=b"there")
        self.assertEqual(self.shown, ["HTTP/1.1 302 Found", "HTTP/1.1 200 OK"])

    def test_failures(self) -> None:
        """
        Each failure is one line, and the rest goes on; so does what could not even be asked.
        """
        self.net.failure = RefusedError()
        running = self.start("http://a/", None, "http://b/")
        self.check(running, 1)
        self.assertEqual(
            self.complaints,
            [
                "http://a/: connection refused: nothing listens there",
                "http://b/: connection refused: nothing listens there",
            ],
        )

    def test_pause(self) -> None:
        """
        With --pause the next request waits, and meanwhile the server may close.
        """
        running = self.start("http://a/x", "http://a/y", options=GetOptions(pause=2))
        self.answer(b"one")
        self.end().asked()
        self.net.clock.advance(1)
        self.end().ends()
        self.net.clock.advance(0.9)
        self.assertEqual(len(self.net.ends), 1)
        self.net.clock.advance(0.1)
        self.assertIn(b"GET /y", self.end().asked())
        self.assertEqual(len(self.net.ends), 2)
        self.answer(b"two")
        self.check(running, 0, x=b"one", y=b"two")

    def test_max_time(self) -> None:
        """
        With --max-time a server that sends a byte of content now and then is given up; the next
        URL is asked for, and has as much time.
        """
        (self.folder / "x").write_bytes(b"old")
        running = self.start("http://a/x", "http://b/y", options=GetOptions(max_time=60))
        slow = self.end()
        slow.says(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")
        for _ in range(59):
            self.net.clock.advance(1)
            slow.says(b"x")
        self.assertEqual((self.complaints, slow.is_open), ([], True))
        self.net.clock.advance(1)
        self.assertEqual(
            self.complaints, ["http://a/x: not done within 60 seconds; nothing was saved"]
        )
        self.assertTrue(slow.was_aborted)
        self.end().says(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        self.net.clock.advance(29)
        self.end().says(b"othe")
        self.net.clock.advance(29)
        self.end().says(b"r")
        self.check(running, 1, x=b"old", y=b"other")

    def test_max_time_of_redirects(self) -> None:
        """
        Redirects gain no time.
        """
        running = self.start("http://a/x", options=GetOptions(max_time=60, follows=True))
        for number in range(3):
            self.net.clock.advance(20 if number < 2 else 19)
            self.assertEqual(self.complaints, [])
            self.answer(b"", b"Location: /%d" % number, status=b"302 Found")
        self.net.clock.advance(1)
        self.assertEqual(
            self.complaints, ["http://a/x: not done within 60 seconds; nothing was saved"]
        )
        self.check(running, 1)

    def test_max_time_while_redirects_are_read(self) -> None:
        """
        Nor does a server gain time whose redirect is just being read when the time is over.
        """
        options = GetOptions(timeout=10, max_time=3, follows=True)
        running = self.start("http://a/x", options=options)
        self.net.clock.advance(2)
        first = self.end()
        first.says(b"HTTP/1.1 302 Found\r\nLocation: http://b/z\r\nContent-Length: 9\r\n\r\n")
        self.net.clock.advance(1)
        self.net.clock.advance(0)
        self.check(running, 1)
        self.assertEqual(len(self.complaints), 1)
        self.assertIn("not done within 3 seconds", self.complaints[0])

    def test_max_time_is_kept(self) -> None:
        """
        An answer in time is saved, and nothing of the deadline is left.
        """
        running = self.start("http://a/x", options=GetOptions(max_time=3))
        self.net.clock.advance(2.9)
        self.answer(b"one")
        self.check(running, 0, x=b"one")
        self.net.failure = RefusedError()
        running = self.start("http://a/x", options=GetOptions(max_time=3))
        self.check(running, 1, x=b"one")
        self.assertEqual(self.complaints, ["http://a/x: connection refused: nothing listens there"])
