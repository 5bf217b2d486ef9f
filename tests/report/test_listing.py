"""
Tests for the list of conversations in reports of L{netlab.report}: what went wrong stands first.
"""

from __future__ import annotations

import io
import json
import re
import sys
from collections import Counter
from types import FrameType
from typing import Any

from rich.cells import cell_len
from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.explanation import explain
from netlab.analysis.explanation.privacy import Discretion
from netlab.analysis.explanation.story import CaptureStory
from netlab.capture.reading import read_capture
from netlab.report import html, markdown, terminal
from netlab.report import json as json_report
from netlab.report.reading import tell
from tests.captures.crowd import CALM, REFUSED, REPEATED, RESET, SLOW, crowd
from tests.captures.talk import Talk

WORST = [REFUSED, RESET, SLOW, REPEATED]
"""The conversations that went wrong in the order in which they are listed: of the two that lost
time, the one that lost more is first."""


def summary(talk: Talk, **options: Any) -> CaptureStory:
    """
    Tell a capture without its frames.
    """
    reader = read_capture(io.BytesIO(talk.pcap()), "test.pcap")
    return tell(reader, "test.pcap", tells_frames=False, **options).story


def page(story: CaptureStory, width: int = 100) -> list[str]:
    """
    Lay a story out for a terminal.
    """
    return [line.plain for line in terminal.lines(story, "test.pcap", width)]


def listed(lines: list[str]) -> list[int]:
    """
    Give the numbers of the conversations that a page lists.
    """
    return [int(match[1]) for line in lines if (match := re.match(r" +(\d+)  \d", line))]


class SummaryTests(SynchronousTestCase):
    """
    Many conversations in summary.
    """

    def test_worst_first(self) -> None:
        """
        Those that went wrong are listed, the worst first, whatever their number; the others are
        counted, all of them.
        """
        story = summary(crowd())
        lines = page(story)
        self.assertEqual(listed(lines), WORST)
        counted = [each.group.conversations for each in story.calm]
        self.assertEqual(counted, [CALM])
        self.assertTrue(any(f"{CALM} conversations without a fault" in line for line in lines))

    def test_a_page(self) -> None:
        """
        However many conversations there are, a summary is about a page; also at 60 columns, beyond
        which no line goes.
        """
        few, many = summary(crowd()), summary(crowd(300))
        self.assertEqual(many.conversation_count, 304)
        for width in (60, 100):
            lines = page(many, width)
            self.assertLess(len(lines), 70)
            self.assertEqual(len(lines), len(page(few, width)))
            self.assertLessEqual(max(map(cell_len, lines)), width)

    def test_more_than_a_page_lists(self) -> None:
        """
        Of more conversations that went wrong than a page has room for, the rest is counted by what
        went wrong.
        """
        talk = crowd()
        for port in range(50000, 50040):
            talk = talk.again(port)
            talk.send("c", 0x02)
        lines = page(summary(talk))
        self.assertEqual(len(listed(lines)), 20)
        (rest,) = [line for line in lines if "more conversations in which" in line]
        # 44 went wrong: of 41 without a connection one was refused, and is listed first.
        self.assertIn("24 more", rest)
        self.assertIn("21 not answered", rest)

    def test_judged(self) -> None:
        """
        What went wrong is judged, not just counted, though it began after hundreds of others.
        """
        story = summary(crowd(300))
        kinds = {each.stream: {claim.kind for claim in each.claims} for each in story.conversations}
        self.assertIn("resets.refused", kinds[300])
        self.assertTrue(any(kind.startswith("resets.") for kind in kinds[301]))
        self.assertTrue(any(kind.startswith("repeats.") for kind in kinds[302]))
        self.assertIn("delays.server", kinds[303])
        wrong = " ".join(each.sentence for each in story.answers)
        self.assertIn("Conversation 300", wrong)

    def test_same_claims(self) -> None:
        """
        A conversation is judged alike, whether it was followed from its first frame or from when
        something went wrong; but for why there is one, which takes all those before it.
        """
        talk = crowd(explain.FOLLOWED_MAX)
        late = {each.stream: each for each in summary(talk).conversations}
        eager = {each.stream: each for each in summary(talk, tells_all=True).conversations}
        for stream in range(explain.FOLLOWED_MAX, explain.FOLLOWED_MAX + 4):
            ours, theirs = (
                [claim for claim in each[stream].claims if claim.topic != "reasons"]
                for each in (late, eager)
            )
            self.assertEqual(ours, theirs)
            self.assertFalse(any(claim.topic == "reasons" for claim in late[stream].claims))

    def test_all(self) -> None:
        """
        Each conversation is told when all are asked for.
        """
        story = summary(crowd(), tells_all=True)
        self.assertFalse(story.is_abridged)
        self.assertEqual(len(story.conversations), CALM + 4)
        heads = [line for line in page(story) if line.startswith("Conversation ")]
        self.assertEqual(len(heads), CALM + 4)
        self.assertEqual([int(re.findall(r"\d+", line)[0]) for line in heads[:4]], WORST)

    def test_few(self) -> None:
        """
        Of few conversations there is no list: each is told.
        """
        talk = Talk().open().close("c")
        talk = talk.again(40001).open().close("c")
        story = summary(talk)
        self.assertFalse(story.is_abridged)
        self.assertEqual(listed(page(story)), [])

    def test_anonymous(self) -> None:
        """
        A list shows no address where none is to be shown.
        """
        reader = read_capture(io.BytesIO(crowd().pcap()), "test.pcap")
        discretion = Discretion(shows_payload=False, anonymises=True)
        story = tell(reader, "test.pcap", discretion, tells_frames=False).story
        document = json_report.render(story, "test.pcap")
        for text in ("\n".join(page(story)), document, markdown.render(story, "test.pcap")):
            self.assertNotIn("10.0.0.1", text)
            self.assertNotIn("10.0.0.2", text)


class FormatTests(SynchronousTestCase):
    """
    The list in each format.
    """

    def test_json(self) -> None:
        """
        JSON has a line for every conversation, the worst first, with its figures.
        """
        document = json.loads(json_report.render(summary(crowd(), tells_all=True), "test.pcap"))
        rows = document["overview"]
        self.assertEqual(len(rows), CALM + 4)
        self.assertEqual([row["stream"] for row in rows[:4]], WORST)
        self.assertEqual(
            [row["fault"] for row in rows[:4]], ["refused", "reset", "slow", "repeated"]
        )
        self.assertEqual(rows[2]["lost_ns"], 3_000_000_000)
        self.assertEqual({row["rank"] for row in rows[4:]}, {0})
        (group,) = document["without_fault"]
        self.assertEqual(group["conversations"], CALM)
        self.assertEqual(group["server"], {"address": "10.0.0.2", "port": 8080})

    def test_markdown(self) -> None:
        """
        Markdown has a row for each that went wrong.
        """
        text = markdown.render(summary(crowd()), "test.pcap")
        rows = re.findall(r"^\| (\d+) \|", text, re.MULTILINE)
        self.assertEqual([int(row) for row in rows], WORST)

    def test_html(self) -> None:
        """
        On the page each that is reported is a link to its section.
        """
        text = html.render(summary(crowd()), "test.pcap")
        table = text[text.index("<table>") : text.index("</table>")]
        links = [int(each) for each in re.findall(r'href="#c(\d+)"', table)]
        self.assertEqual(links[:4], WORST)
        for stream in links:
            self.assertIn(f'id="c{stream}"', text)


class WorkTests(SynchronousTestCase):
    """
    What a summary costs, counted.
    """

    def test_work(self) -> None:
        """
        What a conversation without a fault adds to a summary is a few calls a frame: it is neither
        followed, nor judged, nor told.
        """
        calls: dict[int, Counter[str]] = {}
        for calm in (100, 200):
            counts: Counter[str] = Counter()

            def note(
                frame: FrameType, event: str, _: object, counts: Counter[str] = counts
            ) -> None:
                if event == "call":
                    counts[frame.f_code.co_filename.rpartition("netlab/")[2]] += 1

            data = crowd(calm)
            before = sys.getprofile()
            sys.setprofile(note)
            try:
                page(summary(data))
            finally:
                sys.setprofile(before)
            calls[calm] = counts
        frames = 100 * 11
        more = calls[200] - calls[100]
        explaining = sum(
            number
            for name, number in more.items()
            if name.startswith(("analysis/", "report/")) and not name.startswith("analysis/tcp/")
        )
        # 8.5 when this was written, nothing of which is more than a few lines; 60 when each
        # conversation was followed and judged.
        self.assertLess(explaining / frames, 12, more.most_common(12))
        for package in ("claims", "transfer", "words", "explanation/conversationstories"):
            made = sum(
                number for name, number in more.items() if name.startswith(f"analysis/{package}")
            )
            self.assertLess(made / 100, 6, package)


class AnswerTests(SynchronousTestCase):
    """
    Answers on the page.
    """

    def test_links(self) -> None:
        """
        A conversation that an answer names is a link where it is named, and no second one follows.
        """
        text = html.render(summary(crowd()), "test.pcap")
        answers = text[text.index('<dl class="answers">') : text.index("</dl>")]
        for answer in re.findall(r"<dd>(.*?)</dd>", answers, re.DOTALL):
            links = re.findall(r'href="#c(\d+)"', answer)
            self.assertEqual(len(links), len(set(links)), answer)
        where = re.findall(r"<dd>(Look first.*?)</dd>", answers, re.DOTALL)[0]
        self.assertEqual([int(each) for each in re.findall(r'href="#c(\d+)"', where)], WORST)
