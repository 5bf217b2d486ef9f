"""
Tests for L{netlab.report.html}. How it looks and what its keys do is met in tests/live.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from html.parser import HTMLParser
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.explanation import explain
from netlab.analysis.explanation.privacy import Discretion
from netlab.report.html import render
from tests.captures.reference import NAMES, exchange
from tests.captures.stories import reference_story, story_of
from tests.captures.talk import Talk
from tests.report.test_text_reports import hostile_pcap


class Page(HTMLParser):
    """
    A page taken apart.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.styles: list[str] = []
        self._within = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """
        Note an element.
        """
        self.elements.append((tag, dict(attrs)))
        self._within = tag
        if tag == "script":
            self.scripts.append((dict(attrs), ""))
        elif tag == "style":
            self.styles.append("")

    def handle_endtag(self, tag: str) -> None:
        """
        Note its end.
        """
        self._within = ""

    def handle_data(self, data: str) -> None:
        """
        Note what scripts and styles hold.
        """
        if self._within == "script":
            attributes, text = self.scripts[-1]
            self.scripts[-1] = (attributes, text + data)
        elif self._within == "style":
            self.styles[-1] += data

    def rows(self) -> list[dict[str, str | None]]:
        """
        Give the rows of frames.
        """
        return [
            attributes
            for tag, attributes in self.elements
            if tag == "li" and "id" in attributes and "row" in str(attributes.get("class")).split()
        ]

    def data(self) -> dict[str, Any]:
        """
        Unpack what the page has of each frame for its details, by number.
        """
        data: dict[str, Any] = {}
        for attributes, text in self.scripts:
            if attributes.get("class") == "data":
                data |= json.loads(zlib.decompress(base64.b64decode(text), -zlib.MAX_WBITS))
        return data


class PageTests(SynchronousTestCase):
    """
    The page.
    """

    def test_a_row_for_each_frame(self) -> None:
        """
        Each frame has one row, and data for the details of it.
        """
        for name in NAMES:
            page = Page(render(reference_story(name), name))
            numbers = [int(str(row["id"]).removeprefix("f")) for row in page.rows()]
            self.assertEqual(sorted(numbers), list(range(1, len(exchange(name).frames) + 1)))
            self.assertEqual(sorted(map(int, page.data())), sorted(numbers))

    def test_it_asks_nobody(self) -> None:
        """
        No element names anything outside the page, and the page's own policy forbids every request.
        """
        text = render(reference_story("notfound"), "notfound.pcap")
        page = Page(text)
        for tag, attributes in page.elements:
            self.assertNotIn(tag, {"link", "img", "iframe", "object", "embed", "base", "form"})
            for name, value in attributes.items():
                if name in {"src", "href", "srcset", "action", "data"}:
                    self.assertTrue(str(value).startswith("#"), (tag, name, value))
        self.assertNotRegex(text, r"(?i)url\((?!#)|@import|fetch\(|XMLHttpRequest|WebSocket")
        (policy,) = [
            str(attributes["content"])
            for tag, attributes in page.elements
            if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
        ]
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("unsafe", policy)

    def test_the_policy_allows_what_is_there(self) -> None:
        """
        The hashes of the policy are those of the page's style and script, which are the only ones.
        """
        text = render(reference_story("echo"), "echo.pcap")
        page = Page(text)
        running = [code for attributes, code in page.scripts if "type" not in attributes]
        for code in (*running, *page.styles):
            digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode("ascii")
            self.assertIn(f"'sha256-{digest}'", text)
        self.assertEqual((len(running), len(page.styles)), (1, 1))
        for _, attributes in page.elements:
            self.assertNotIn("style", attributes)
            self.assertFalse([name for name in attributes if name.startswith("on")])

    def test_hostile_payload(self) -> None:
        """
        What a payload or a name says is text, wherever it stands.
        """
        text = render(story_of(hostile_pcap()), '"><script>x</script>')
        page = Page(text)
        kinds = [attributes.get("type", "run") for attributes, _ in page.scripts]
        self.assertEqual(kinds.count("run"), 1)
        self.assertNotIn("<script>|", text)
        self.assertNotIn("<script>x", text)

    def test_crossing(self) -> None:
        """
        Of the echo's FINs the first one's arrow ends behind the second one's, which it passed.
        """
        ways = re.findall(r'<use href="#([cs]x?)-', render(reference_story("echo"), "echo"))
        self.assertEqual([way.endswith("x") for way in ways].index(True), 7)
        self.assertEqual(sum(way.endswith("x") for way in ways), 1)

    def test_meanwhile(self) -> None:
        """
        Where another conversation has frames in between, the ladder says which.
        """
        text = render(reference_story("notfound"), "notfound")
        self.assertIn("Meanwhile elsewhere: #10 to #12.", text)

    def test_discretion(self) -> None:
        """
        Without payload nothing of it is in the page; anonymised, no address is either.
        """
        shown = render(reference_story("redirect", Discretion()), "x")
        hidden = render(reference_story("redirect", Discretion(shows_payload=False)), "x")
        anonymous = render(reference_story("redirect", Discretion(anonymises=True)), "x")
        texts = [text + json.dumps(Page(text).data()) for text in (shown, hidden, anonymous)]
        for word in ("Mozilla", "/result.html"):
            self.assertEqual([word in text for text in texts], [True, False, False])
        self.assertIn("192.168.1.224", hidden)
        self.assertNotIn("192.168.1", anonymous)
        self.assertIn("192.0.2.1:51489", anonymous)

    def test_chunks(self) -> None:
        """
        Many frames come in lists of a hundred, which a browser lays out when they are looked at.
        """
        talk = Talk().open()
        for _ in range(150):
            talk.say("c", b"x")
        page = Page(render(story_of(talk.pcap()), "x"))
        lists = [each for _, each in page.elements if each.get("class") == "chunk"]
        self.assertEqual([each["start"] for each in lists], ["1", "101", "201", "301"])

    def test_overview(self) -> None:
        """
        Several conversations are drawn over each other in time, the first ones of many.
        """
        talk = Talk().open()
        for port in range(40001, 40031):
            talk = talk.again(port).open()
        text = render(story_of(talk.pcap()), "x")
        self.assertIn("When each of the first 24 conversations began and ended.", text)
        self.assertIn("and 7 more, in the list below", text)
        self.assertNotIn("began and ended", render(reference_story("echo"), "x"))

    def test_no_frame_is_told(self) -> None:
        """
        Of a conversation whose frames are beyond what is told, its story is.
        """
        self.patch(explain, "FRAMES_TOLD_MAX", 4)
        self.patch(explain, "FRAMES_OF_SUMMARY", 2)
        talk = Talk().open()
        talk.again(40001).open().say("c", b"x")
        page = Page(render(story_of(talk.pcap()), "x"))
        self.assertEqual(len(page.rows()), 2)
        sections = [each for tag, each in page.elements if tag == "section"]
        self.assertEqual([each["data-stream"] for each in sections], ["0", "1"])

    def test_ipv6(self) -> None:
        """
        IPv6 addresses stand in brackets before their port.
        """
        talk = Talk("2001:db8:1::5", "2001:db8:1::6").open()
        self.assertIn("[2001:db8:1::5]:40000", render(story_of(talk.pcap()), "x"))
