"""
Tests for L{netlab.commands.compare}.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.captures.frames import pcap_file
from tests.captures.reference import exchange
from tests.captures.talk import Talk
from tests.test_cli import CommandTestCase

_WAY_NS = 300_000


class CompareTests(CommandTestCase):
    """
    C{netlab compare} on files.
    """

    def _write(self, data: bytes) -> str:
        path = str(self.mktemp())
        Path(path).write_bytes(data)
        return path

    def _server_side(self) -> bytes:
        """
        Make the echo exchange as the server's host would have captured it: 0.3 ms of the way are
        gone from each wait, and the clock is wrong.
        """
        echo = exchange("echo")
        frames = []
        for row, time_ns, frame in zip(echo.rows, echo.times_ns, echo.frames, strict=True):
            way = 0 if row["from"] == "client" else -_WAY_NS
            frames.append((time_ns - 10**12 + way, frame))
        return pcap_file(echo.link_type, sorted(frames))

    def test_two_places(self) -> None:
        """
        Two captures of one exchange are aligned, and the wait is split between server and way.
        """
        paths = self._write(exchange("echo").pcap()), self._write(self._server_side())
        self.assertEqual(self.status("compare", *paths, "--format", "json"), 0)
        document = json.loads(self.out.getvalue())
        (one,) = document["conversations"]
        self.assertEqual((document["kind"], one["client_side"]), ("sides", "A"))
        nothing: dict[str, list[int]] = {"lost": [], "uncaptured": [], "unknown": []}
        self.assertEqual((one["missing_at_server"], one["missing_at_client"]), (nothing, nothing))
        message = one["waits"][1]
        self.assertEqual(
            (message["total_ns"], message["server_ns"], message["way_ns"]),
            (72_559_000, 72_559_000 - _WAY_NS, _WAY_NS),
        )
        self.assertEqual(self.status("compare", *paths), 0)
        self.assertIn("300.0 µs on the way", self.out.getvalue())

    def test_two_exchanges(self) -> None:
        """
        single_fin and double_fin differ in their connections, because of the server's timeout.
        """
        paths = [self._write(exchange(name).pcap()) for name in ("single_fin", "double_fin")]
        self.assertEqual(self.status("compare", *paths), 0)
        shown = self.out.getvalue()
        self.assertIn("  A: 1 connection (#1)\n  B: 2 connections (#1, #12)\n", shown)
        self.assertIn("came 0.101732 s after the answer in #6", shown)
        self.assertIn("the server had closed the one before in #8, after 1.010355 s", shown)
        self.assertEqual(self.status("compare", *paths, "--format", "json"), 0)

    def test_html_of_two_places(self) -> None:
        """
        As a page each wait has its parts in numbers and a bar, and nothing else is asked for.
        """
        paths = self._write(exchange("echo").pcap()), self._write(self._server_side())
        self.assertEqual(self.status("compare", *paths, "--format", "html"), 0)
        page = self.out.getvalue()
        self.assertIn('<td class="t">300.0 µs</td>', page)
        self.assertIn('<td class="t">72.26 ms</td>', page)
        self.assertEqual(page.count("<svg "), page.count('<rect class="at-server"'))
        self.assertIn("default-src 'none'", page)
        self.assertNotIn("<script", page)
        for outward in ("src=", "href=", "url(", "http:", "https:"):
            self.assertNotIn(outward, page)

    def test_html_of_two_exchanges(self) -> None:
        """
        As a page the questions in which exchanges differ are marked, and the reasons follow.
        """
        paths = [self._write(exchange(name).pcap()) for name in ("single_fin", "double_fin")]
        self.assertEqual(self.status("compare", *paths, "--format", "html"), 0)
        page = self.out.getvalue()
        self.assertIn("<td>1 connection (#1)</td><td>2 connections (#1, #12)</td>", page)
        self.assertIn('<span class="mark">differs</span>', page)
        self.assertIn("the server had closed the one before in #8, after 1.010355 s", page)

    def test_html_tells_names_apart(self) -> None:
        """
        On the page captures have the last parts of their names, as many as tell them apart.
        """
        top = Path(self.mktemp())
        paths = [top / "near" / "echo" / "client.pcap", top / "far" / "echo" / "client.pcap"]
        for path, name in zip(paths, ("single_fin", "double_fin"), strict=True):
            path.parent.mkdir(parents=True)
            path.write_bytes(exchange(name).pcap())
        self.assertEqual(self.status("compare", *map(str, paths), "--format", "html"), 0)
        self.assertIn(
            "<h1>near/echo/client.pcap and far/echo/client.pcap</h1>", self.out.getvalue()
        )
        other = str(paths[1].with_name("server.pcap"))
        paths[1].rename(other)
        self.assertEqual(self.status("compare", str(paths[0]), other, "--format", "html"), 0)
        self.assertIn("<h1>client.pcap and server.pcap</h1>", self.out.getvalue())
        same = str(paths[0])
        self.assertEqual(self.status("compare", same, same, "--format", "html"), 0)

    def test_html_of_what_does_not_differ(self) -> None:
        """
        Where nothing differs the page says so, as a terminal does.
        """
        same = [Talk(isn=isn).open().say("c", b"x").close("c") for isn in ((1, 2), (3, 4))]
        paths = [self._write(talk.pcap()) for talk in same]
        self.assertEqual(self.status("compare", *paths, "--format", "html"), 0)
        self.assertIn("They do not differ in anything that is asked here.", self.out.getvalue())

    def test_output(self) -> None:
        """
        -o names the file to write, whose name chooses the format; a capture is never replaced, and
        one that cannot be read leaves no file.
        """
        paths = [self._write(exchange(name).pcap()) for name in ("single_fin", "double_fin")]
        target = self.mktemp()
        for suffix, start in (
            (".html", "<!DOCTYPE html>"),
            (".md", "# Two exchanges"),
            (".json", "{"),
            (".txt", "A = "),
            (".svg", "A = "),
        ):
            self.assertEqual(self.status("compare", *paths, "-o", target + suffix), 0)
            self.assertTrue(Path(target + suffix).read_text(encoding="utf-8").startswith(start))
        self.assertEqual(self.out.getvalue(), "")
        before = Path(paths[1]).read_bytes()
        self.assertEqual(self.status("compare", *paths, "-o", paths[1]), 1)
        self.assertIn("is the capture itself: name another file with -o", self.err.getvalue())
        self.assertEqual(Path(paths[1]).read_bytes(), before)
        self.assertEqual(self.status("compare", paths[0], __file__, "-o", target), 1)
        self.assertFalse(Path(target).exists())

    def test_html_escapes(self) -> None:
        """
        What a file is called, or says, is text on the page and nothing else.
        """
        talk = Talk().open().say("c", b"GET /<b>&amp; HTTP/1.1\r\nHost: a\r\n\r\n")
        other = Talk(isn=(7, 9)).open()
        name = str(self.mktemp()) + "<script>alert(1)<"
        Path(name).write_bytes(talk.pcap())
        paths = name, self._write(other.pcap())
        self.assertEqual(self.status("compare", *paths, "--format", "html"), 0)
        page = self.out.getvalue()
        self.assertNotIn("<script", page)
        self.assertNotIn("<b>", page)
        self.assertIn("&lt;script&gt;alert(1)&lt;", page)

    def test_times(self) -> None:
        """
        Of two exchanges it is told how long the same things took in each.
        """
        one, other = exchange("echo"), exchange("single_fin")
        paths = self._write(one.pcap()), self._write(other.pcap())
        self.assertEqual(self.status("compare", *paths, "--format", "json"), 0)
        times = {time["what"]: time for time in json.loads(self.out.getvalue())["times"]}
        self.assertEqual(len(times), 3)
        handshake = times["connection 1, the handshake"]
        self.assertEqual((handshake["frames_a"], handshake["frames_b"]), ([1, 3], [1, 3]))
        self.assertEqual(handshake["a_ns"], one.times_ns[2] - one.times_ns[0])
        self.assertEqual(handshake["b_ns"], other.times_ns[2] - other.times_ns[0])
        # Of echo's answers the first one came later: #5 after #4.
        wait = times["connection 1, the longest wait for an answer"]
        self.assertEqual(wait["frames_a"], [4, 5])
        self.assertEqual(wait["a_ns"], one.times_ns[4] - one.times_ns[3])
        talk = times["connection 1, from the first byte to the last"]
        self.assertEqual(talk["frames_a"], [4, 7])

    def test_seen_again(self) -> None:
        """
        Bytes that were sent again are a difference, and whose they are is told.
        """
        echo = exchange("echo")
        frames = list(zip(echo.times_ns, echo.frames, strict=True))
        frames.insert(5, (frames[4][0] + 1000, frames[3][1]))
        paths = (
            self._write(exchange("single_fin").pcap()),
            self._write(pcap_file(echo.link_type, frames)),
        )
        self.assertEqual(self.status("compare", *paths), 0)
        self.assertIn(
            "connection 1: seen again\n  A: no byte\n  B: 33 bytes of the client\n",
            self.out.getvalue(),
        )

    def test_markdown(self) -> None:
        """
        C{--format markdown} is a document of either kind.
        """
        echo = self._write(exchange("echo").pcap())
        other = self._write(exchange("redirect").pcap())
        for path, title in (
            (echo, "# The same exchange at two places"),
            (other, "# Two exchanges"),
        ):
            self.out.truncate(0)
            self.out.seek(0)
            self.assertEqual(self.status("compare", echo, path, "--format", "markdown"), 0)
            self.assertEqual(self.out.getvalue().splitlines()[0], title)

    def test_standard_input_twice(self) -> None:
        """
        Standard input cannot be both captures.
        """
        self.assertEqual(self.status("compare", "-", "-"), 2)
        self.assertEqual(self.err.getvalue().count("\n"), 1)

    def test_unreadable(self) -> None:
        """
        What cannot be read is one line and status 1.
        """
        path = self._write(exchange("echo").pcap())
        self.assertEqual(self.status("compare", path, self._write(b"text")), 1)
        self.assertRegex(self.err.getvalue(), r"\Anetlab compare: .* neither pcap nor pcapng.*\n\Z")
