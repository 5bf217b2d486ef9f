"""
Tests for the reports that are text: L{netlab.report.terminal}, L{netlab.report.markdown} and
L{netlab.report.svg}.
"""

from __future__ import annotations

import io
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis.strategies import text
from markdown_it import MarkdownIt
from rich.cells import cell_len
from rich.console import Console
from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.explanation.story import CaptureStory
from netlab.report import html, markdown, svg, terminal
from tests.analysis.dialogue_script import Script
from tests.captures.frames import ACK, PSH, Checksum
from tests.captures.reference import NAMES
from tests.captures.stories import reference_story, story_of
from tests.captures.talk import Talk

#: What somebody might send to get into a report.
HOSTILE = b"HTTP/1.1 200 <script>|`x`[a](b)\xff&amp; #4\r\n\r\n"


def hostile_pcap() -> bytes:
    """
    Make a capture whose payload is markup.
    """
    talk = Talk().open().say("c", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    return talk.say("s", HOSTILE).close("s").pcap()


class TerminalTests(SynchronousTestCase):
    """
    The report for a terminal.
    """

    def shown(self, name: str, width: int, *, encoding: str = "utf-8", colour: bool = False) -> str:
        """
        Show a reference exchange on a terminal of so many columns.
        """
        buffer = io.BytesIO()
        file = io.TextIOWrapper(buffer, encoding=encoding)
        console = Console(
            file=file,
            width=width,
            force_terminal=colour,
            color_system="standard" if colour else None,
            legacy_windows=False,
        )
        terminal.show(reference_story(name), f"{name}.pcap", console)
        file.flush()
        return buffer.getvalue().decode(encoding)

    def test_long_times(self) -> None:
        """
        After a thousand seconds, or a million, a frame's number and its time are still two words.
        """
        for wait in (1500.0, 1_500_000.0):
            story = Script().open().say(0, b"x", after=wait).story()
            buffer = io.StringIO()
            terminal.show(story, "long.pcap", Console(file=buffer, width=160))
            words = [line.split() for line in buffer.getvalue().splitlines()]
            self.assertIn(["4", f"{wait + 0.021:.6f}"], [line[:2] for line in words])

    def test_wrong_checksum(self) -> None:
        """
        What failed is named once.
        """
        script = Script().open().client("PSH ACK", b"x", checksum=Checksum.BAD)
        buffer = io.StringIO()
        terminal.show(script.story(), "wrong.pcap", Console(file=buffer, width=160))
        self.assertIn("FAIL checksum: wrong. The client", buffer.getvalue())

    def test_it_fits(self) -> None:
        """
        No line is longer than the terminal is wide, whatever its width.
        """
        for name in NAMES:
            for width in (48, 60, 80, 100, 132, 160):
                for line in self.shown(name, width).splitlines():
                    self.assertLessEqual(cell_len(line), width, line)

    def test_direction_without_colour(self) -> None:
        """
        Arrows show who sent each frame, also on loopback where the addresses do not.
        """
        arrows = {}
        for line in self.shown("redirect", 120).splitlines():
            words = line.split()
            if words and words[0].isdigit() and ("▶" in line or "◀" in line):
                arrows[int(words[0])] = "▶" in line
        story = reference_story("redirect")
        self.assertEqual(
            arrows,
            {
                frame.number: frame.is_from_client
                for each in story.conversations
                for frame in each.frames
            },
        )

    def test_no_escape_without_colour(self) -> None:
        """
        Through a pipe there is not one escape sequence; on a terminal there are some.
        """
        self.assertNotIn("\x1b", self.shown("echo", 100))
        self.assertIn("\x1b[", self.shown("echo", 100, colour=True))

    def test_ascii(self) -> None:
        """
        Where the encoding has no arrows, they are made of ASCII.
        """
        shown = self.shown("single_fin", 100, encoding="latin-1")
        self.assertIn("- SYN -", shown)
        self.assertIn("->|", shown)
        self.assertIn("1.014 s of silence", shown)

    def test_silence_is_a_gap(self) -> None:
        """
        An idle spell is a row of its own.
        """
        self.assertIn("1.014 s of silence", self.shown("single_fin", 100))

    def test_hostile_payload(self) -> None:
        """
        What a payload says reaches the terminal escaped: no control character, no markup of rich's.
        """
        file = io.StringIO()
        terminal.show(story_of(hostile_pcap()), "x", Console(file=file, width=160))
        self.assertNotIn("\x1b", file.getvalue())
        self.assertIn("`x`[a](b)\\xff&", file.getvalue().replace("\n", ""))


class MarkdownTests(SynchronousTestCase):
    """
    The report in Markdown.
    """

    def test_a_row_for_each_frame(self) -> None:
        """
        The table has a row for each frame, with its equation and verdict.
        """
        text = markdown.render(reference_story("echo"), "echo.pcap")
        rows = [line for line in text.splitlines() if line.startswith("| ") and "|--" not in line]
        self.assertEqual(len(rows), 12)
        self.assertIn(
            "| PASS ack `1928250499` = ISN `1928250445` + 1 (SYN) + 33 (`#4`) + 20 (`#6`) |",
            rows[7],
        )

    def outside_code(self, text: str) -> list[str]:
        """
        Give what a site that shows Markdown looks at: each text that is in no code span. Nothing in
        it is markup but what a report has.
        """
        found = []
        parser = MarkdownIt("commonmark").enable("table")
        for token in parser.parse(text):
            self.assertIn(
                token.type.removesuffix("_open").removesuffix("_close"),
                {"heading", "paragraph", "inline", "bullet_list", "list_item"}
                | {"table", "thead", "tbody", "tr", "th", "td"},
            )
            for child in token.children or []:
                self.assertIn(child.type, {"text", "code_inline", "strong_open", "strong_close"})
                if child.type == "text":
                    found.append(child.content)
        return found

    def test_hostile_payload(self) -> None:
        """
        What a payload says is no markup: it is in code spans, and a bar ends no cell.
        """
        text = markdown.render(story_of(hostile_pcap()), "a|b.pcap")
        self.assertIn(r"`<script>`\|`` `x`[a](b)\xff&amp ``;", text)
        self.assertTrue(text.startswith("# `a`\\|`b.pcap`\n"))
        self.assertNotIn("script", " ".join(self.outside_code(text)))
        rows = [line for line in text.splitlines() if line.startswith("| ")]
        parsed = MarkdownIt("commonmark").enable("table").parse(text)
        cells = sum(token.type in {"td_open", "th_open"} for token in parsed)
        self.assertEqual(cells, 7 * len(rows))

    def test_hosting_sites(self) -> None:
        """
        Nothing that a site makes a link of stands outside a code span: mentions, addresses without
        a scheme, references to issues and commits; citations of frames neither.
        """
        for hostile in (
            b"@everyone",
            b"www.evil.example",
            b"http://evil.example/",
            b"me@evil.example",
            b"#1",
            b"GH-1",
            b"a/b#1",
            b"!1",
            b"deadbeef",
            b"1234567",
            b":smile:",
            b"[x](y)",
            b"$x$",
        ):
            talk = Talk().open().say("c", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            talk.say("s", b"HTTP/1.1 200 so " + hostile + b", it\r\n\r\n").close("s")
            text = markdown.render(story_of(talk.pcap()), f"{hostile.decode()} x.pcap")
            self.assertIn(f"`{hostile.decode().rstrip(':)')}`", text)
            for shown in self.outside_code(text):
                self.assertNotIn(hostile.decode(), shown)
                self.assertNotRegex(shown, r"[@#!$&~^/\\<>\[\]_*`]|www|[0-9a-f]{7}")

    @given(text())
    def test_any_text(self, said: str) -> None:
        """
        Whatever a text is, nothing in it is markup, and of words that are not plain nothing is seen
        outside a code span.
        """
        line = f"- {markdown.escaped(said)}\n\n| a |\n|--|\n| {markdown.escaped(said)} |\n"
        for shown in self.outside_code(line):
            self.assertNotRegex(shown, r"[@#!$&~^/\\<>\[\]_*`]|www|[0-9a-f]{7}")


class SvgTests(SynchronousTestCase):
    """
    The image.
    """

    def test_well_formed(self) -> None:
        """
        Each reference exchange gives an XML document with one arrow for each frame.
        """
        for name in NAMES:
            story = reference_story(name)
            root = ET.fromstring(svg.render(story, f"{name}.pcap"))  # noqa: S314 -- our own
            arrows = [each for each in root.iter() if each.get("marker-end")]
            self.assertEqual(len(arrows), story.frame_count)

    def test_hostile_payload(self) -> None:
        """
        What a payload or a name says is text of the image, never an element of it.
        """
        drawn = svg.render(story_of(hostile_pcap()), "<a>\x07&")
        root = ET.fromstring(drawn)  # noqa: S314 -- our own
        self.assertNotIn("script", {each.tag.rpartition("}")[2] for each in root.iter()})

    def test_bounded(self) -> None:
        """
        An image draws at most so many frames, and says so.
        """
        talk = Talk().open()
        for _ in range(400):
            talk.send("c", PSH | ACK, b"x")
            talk.send("s", ACK)
        drawn = svg.render(story_of(talk.pcap()), "x")
        self.assertEqual(drawn.count("marker-end="), svg.FRAMES_MAX)
        self.assertIn(f"Of 803 frames at most {svg.FRAMES_MAX}.", drawn)


class VerdictTests(SynchronousTestCase):
    """
    Verdicts in every format.
    """

    def story(self) -> CaptureStory:
        """
        Tell a capture in which a segment before the third is missing, and a checksum is wrong.
        """
        talk = Talk().open().say("c", b"x" * 10)
        talk.send("c", PSH | ACK, b"y" * 10, is_captured=False)
        talk.send("c", PSH | ACK, b"z" * 10)
        talk.send("s", ACK, after_ms=0.1)
        talk.send("c", PSH | ACK, b"w", checksum=Checksum.BAD)
        return story_of(talk.pcap())

    def test_what_does_not_hold_stands_out(self) -> None:
        """
        Each format says with a frame's equation that it cannot be decided, and that a rule is
        broken.
        """
        story = self.story()
        plain = "\n".join(line.plain for line in terminal.lines(story, "x", 100))
        page = html.render(story, "x")
        for report in (plain, markdown.render(story, "x"), svg.render(story, "x"), page):
            self.assertIn("UNKNOWN", report)
        self.assertIn("FAIL checksum", plain)
        self.assertIn('<b class="verdict UNKNOWN">UNKNOWN</b> seq', page.replace("ack", "seq"))
        self.assertIn('<span class="mark failed">FAIL</span>', page)

    def test_pass_can_fail(self) -> None:
        """
        A rule whose verdict is PASS somewhere has another one elsewhere: what no frame could break
        is noted. Measured on made-up conversations with every kind of fault.
        """
        stories = [self.story()]
        talk = Talk(mss=500).open().say("s", b"x" * 600)
        talk.send("s", PSH | ACK, b"y" * 600, window=10)
        talk.send("c", ACK, ack=999_999)
        talk.close("c")
        talk.send("c", PSH | ACK, b"after")
        stories.append(story_of(talk.pcap()))
        small = Talk(shift=None).open()
        small.send("c", ACK, window=10)
        for _ in range(60):
            small.send("s", PSH | ACK, bytes(1400), after_ms=0.1)
        stories.append(story_of(small.pcap()))
        verdicts: dict[str, set[str]] = {}
        for story in stories:
            for conversation in story.conversations:
                for frame in conversation.frames:
                    for finding in frame.findings:
                        verdicts.setdefault(finding.rule, set()).add(finding.verdict.value)
        for rule, found in verdicts.items():
            if "PASS" in found:
                self.assertTrue(found & {"FAIL", "UNKNOWN"}, rule)
        self.assertLessEqual({"acknowledgement", "sequence", "checksum"}, set(verdicts))
