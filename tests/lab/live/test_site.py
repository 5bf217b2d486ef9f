"""
Tests for L{netlab.lab.live.site}.
"""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

from netlab.http1.resources.hostguard import Names
from netlab.lab import live
from netlab.lab.api.script import parse_rule
from netlab.lab.hosts.settings import Isolation
from netlab.lab.live.feed import HEARTBEAT_SECONDS, LISTENERS_MAX
from netlab.lab.live.order import ORDER_MAX_BYTES
from netlab.lab.live.site import make_site
from netlab.lab.results.catalogue import names
from netlab.lab.runs.batch import Finished
from netlab.lab.wire.places import RESULTS
from tests.http1.serving import Client, ReceivedAnswer, ServerTestCase, get
from tests.lab.live.runs import Runs

TOKEN = "the-token"


def post(path: str, content: bytes = b"{}", token: str = TOKEN) -> bytes:
    """
    Write a request as the page sends it.
    """
    lines = (f"X-Netlab-Token: {token}", "Origin: http://localhost")
    return get(path, *lines, f"Content-Length: {len(content)}", method="POST") + content


class SiteTests(ServerTestCase):
    """
    The page, and what it asks for.
    """

    def setUp(self) -> None:
        """
        Serve the site of a bench that is ready.
        """
        super().setUp()
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.runs = Runs(self.folder, self.reactor)
        self.runs.bench.prepared(Isolation.USER, "Two hosts.")
        site = make_site(
            self.runs.bench,
            self.runs.feed,
            lambda: self.folder,
            self.reactor.seconds,
            Names(),
            TOKEN,
        )
        self.serve(site)

    def order(self, **order: Any) -> ReceivedAnswer:
        """
        Order a run.
        """
        return self.ask_one(post("/run", json.dumps(order).encode()))

    def follow(self, *lines: str) -> Client:
        """
        Look on.
        """
        client = self.connect()
        client.send(get("/events", *lines))
        return client

    def test_page(self) -> None:
        """
        The page has the token, every experiment with its wire in words that can be ordered again,
        and asks for nothing but its own files.
        """
        answer = self.ask_one(get("/"))
        page = answer.content.decode()
        self.assertIn(f'data-token="{TOKEN}"', page)
        (attribute,) = re.findall(r'data-catalogue="([^"]*)"', page)
        catalogue = json.loads(unescape(attribute))
        self.assertEqual(list(catalogue), names())
        for each in catalogue.values():
            self.assertTrue(each["question"].endswith("?"))
            for rule in each["rules"]:
                parse_rule(rule)
        wanted = re.findall(r'(?:src|href)="([^"#]+)"', page)
        self.assertEqual(wanted, ["data:,", "report.css", "live.css", "live.js"])
        for name in wanted[1:]:
            self.assertEqual(self.ask_one(get(f"/{name}")).status, 200)
        self.assertNotRegex(page, r"<script>|<style|\son\w+=|\sstyle=|https?://")

    def test_scripts(self) -> None:
        """
        What the page's script imports, and what that imports, is there as script.
        """
        wanted, seen = ["live.js"], set()
        while wanted:
            name = wanted.pop()
            seen.add(name)
            answer = self.ask_one(get(f"/{name}"))
            self.assertEqual(answer.status, 200, name)
            self.assertEqual(answer.fields["Content-Type"], "text/javascript; charset=utf-8")
            imported = re.findall(
                r'^(?:import|}).* from "(.*)";$', answer.content.decode(), re.MULTILINE
            )
            self.assertTrue(all(each.startswith("./") for each in imported), imported)
            wanted += {each[2:] for each in imported} - seen
        files = Path(live.__file__).parent.joinpath("templates").glob("*.js")
        self.assertEqual(seen, {file.name for file in files})

    def test_policies(self) -> None:
        """
        The page may load and reach what is its own and nothing else, and cannot be framed; nothing
        is kept by a cache, sniffed, or given to another site.
        """
        fields = self.ask_one(get("/")).fields
        policy = fields["Content-Security-Policy"]
        self.assertTrue(policy.startswith("default-src 'none'; script-src 'self'; "))
        self.assertIn("frame-ancestors 'none'", policy)
        self.assertNotIn("unsafe", policy)
        for path in ("/", "/live.js", "/nothing", "/results/echo/report.html"):
            fields = self.ask_one(get(path)).fields
            self.assertEqual(fields["Cache-Control"], "no-store")
            self.assertEqual(fields["X-Content-Type-Options"], "nosniff")
            self.assertEqual(fields["Cross-Origin-Resource-Policy"], "same-origin")
            self.assertEqual(fields["Referrer-Policy"], "no-referrer")

    def test_guarded(self) -> None:
        """
        The guards stand before everything.
        """
        for request in (
            get("/", "Sec-Fetch-Site: cross-site"),
            get("/events", "Sec-Fetch-Site: same-site"),
            get("/results/echo/client.pcapng", "Origin: http://evil.example"),
            b"GET /events HTTP/1.1\r\nHost: evil.example\r\n\r\n",
            post("/run", b'{"experiment":"echo"}', token="guessed"),
            post("/stop", token=""),
        ):
            self.assertEqual(self.ask_one(request).status, 403, request)
        self.assertEqual(self.runs.started, [])
        self.assertEqual(self.runs.feed.listeners, 0)

    def test_run(self) -> None:
        """
        A run is ordered, a second one meanwhile gets a clear 409; what means nothing a 400.
        """
        answer = self.order(experiment="echo", knobs={"delay": "20ms"})
        self.assertEqual((answer.status, json.loads(answer.content)), (202, {"run": 1}))
        knobs = self.runs.started[0][3]
        assert knobs is not None
        self.assertEqual(knobs.client, {"delay": 0.02})
        answer = self.order(experiment="echo")
        self.assertEqual(answer.status, 409)
        self.assertEqual(
            json.loads(answer.content),
            {"problem": "echo is running; wait for its end, or stop it"},
        )
        answer = self.order(experiment="nothing")
        self.assertEqual(answer.status, 400)
        self.assertEqual(len(self.runs.started), 1)

    def test_stop(self) -> None:
        """
        A run can be stopped, if there is one.
        """
        self.assertEqual(self.ask_one(post("/stop")).status, 409)
        self.order(experiment="echo")
        self.assertEqual(self.ask_one(post("/stop")).status, 202)
        self.assertEqual(self.runs.cancelled, 1)

    def test_methods_and_sizes(self) -> None:
        """
        Only POST does something; and an order has a bound.
        """
        answer = self.ask_one(get("/run"))
        self.assertEqual((answer.status, answer.fields["Allow"]), (405, "POST, OPTIONS"))
        self.assertEqual(self.ask_one(post("/")).status, 405)
        self.assertEqual(self.ask_one(post("/run", b" " * (ORDER_MAX_BYTES + 1))).status, 413)

    def test_events(self) -> None:
        """
        Who looks on gets what was told before, then each event when it happens, and heartbeats.
        """
        client = self.follow()
        head, _, content = client.received.partition(b"\r\n\r\n")
        self.assertIn(b"\r\nContent-Type: text/event-stream\r\n", head)
        self.assertIn(b'event: phase\nid: 0-2\ndata: {"phase":"idle"', content)
        self.order(experiment="echo")
        client.transport.turn()
        self.assertIn(b'event: begin\nid: 1-1\ndata: {"run":1,"name":"echo"', client.received)
        size = len(client.received)
        self.pass_time(HEARTBEAT_SECONDS)
        self.assertEqual(client.received[size:], b"3\r\n:\n\n\r\n")

    def test_coming_back(self) -> None:
        """
        A browser that connects again gets what it has missed, once.
        """
        client = self.follow("Last-Event-ID: 0-1")
        self.assertNotIn(b"id: 0-1\n", client.received)
        self.assertIn(b"id: 0-2\n", client.received)

    def test_listeners(self) -> None:
        """
        Only so many may look on; who goes makes room, and nothing of them is left.
        """
        clients = [self.follow() for _ in range(LISTENERS_MAX)]
        answer = self.ask_one(get("/events"))
        self.assertEqual((answer.status, answer.fields["Retry-After"]), (503, "5"))
        for client in clients:
            client.vanish()
        self.assertEqual(self.runs.feed.listeners, 0)
        self.follow()
        self.assertEqual(self.runs.feed.listeners, 1)

    def test_head(self) -> None:
        """
        HEAD for the events looks on to nothing.
        """
        answer = self.ask_one(get("/events", method="HEAD"))
        self.assertEqual((answer.status, self.runs.feed.listeners), (200, 0))

    def test_end_of_events(self) -> None:
        """
        When the laboratory stops, the stream of events is complete.
        """
        client = self.follow()
        self.runs.feed.end()
        client.transport.turn()
        self.assertTrue(client.received.endswith(b"0\r\n\r\n"))
        self.assertEqual(self.runs.feed.listeners, 0)

    def test_results(self) -> None:
        """
        The known files of experiments can be had, and a report is shut off from the page.
        """
        folder = self.folder / "echo"
        folder.mkdir()
        (folder / "report.html").write_text("<p>report")
        (folder / "client.pcapng").write_bytes(b"\x0a\x0d\x0d\x0a")
        answer = self.ask_one(get("/results/echo/client.pcapng"))
        self.assertEqual((answer.status, answer.content), (200, b"\x0a\x0d\x0d\x0a"))
        answer = self.ask_one(get("/results/echo/report.html"))
        self.assertEqual(answer.content, b"<p>report")
        self.assertTrue(answer.fields["Content-Security-Policy"].startswith("sandbox "))
        self.assertNotIn("allow-same-origin", answer.fields["Content-Security-Policy"])

    def test_nothing_else(self) -> None:
        """
        What a run is not known to leave cannot be had, wherever it is.
        """
        (self.folder / "echo" / "files").mkdir(parents=True)
        for path in ("secret", "echo/secret", "echo/files/report.html", "mine.py"):
            (self.folder / path).write_text("secret")
        for path in (
            "/results/echo/secret",
            "/results/echo/files/report.html",
            "/results/secret",
            "/results/echo/",
            "/results/echo",
            "/results/",
            "/results/mine/report.html",
            "/results/echo/files%2freport.html",
            "/echo/secret",
        ):
            self.assertEqual(self.ask_one(get(path)).status, 404, path)
        self.assertEqual(self.ask_one(get("/results/../secret")).status, 400)

    def test_a_link_out(self) -> None:
        """
        A program of an experiment that makes a result a link to elsewhere gives nothing away.
        """
        (self.folder / "echo").mkdir()
        outside = Path(self.mktemp())
        outside.write_text("secret")
        for name in RESULTS:
            (self.folder / "echo" / name).symlink_to(outside.absolute())
            answer = self.ask_one(get(f"/results/echo/{name}"))
            self.assertEqual(answer.status, 404)

    def test_another_run(self) -> None:
        """
        After the end of a run the next one can be ordered.
        """
        self.order(experiment="echo")
        self.runs.end(self.runs.outcome("it failed"))
        outcome, done = self.runs.finished[0]
        done.callback(Finished(outcome, None))
        self.assertEqual(self.order(experiment="redirect").status, 202)
