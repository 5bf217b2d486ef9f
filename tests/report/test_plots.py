"""
Tests for L{netlab.report.plots}.
"""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from twisted.trial.unittest import SynchronousTestCase

from netlab.report import html
from netlab.report.plots import SIGNS, WIDTH, PlotStack, plots_of
from netlab.report.scales import POINTS_MAX
from tests.captures.frames import ACK, PSH
from tests.captures.reference import NAMES
from tests.captures.stories import only, reference_story, story_of
from tests.captures.talk import Talk
from tests.report.test_series import lossy

_LABEL = re.compile(
    r'<text class="([\w-]+)" x="([^"]+)" y="([^"]+)"(?: text-anchor="(\w+)")?>([^<]+)<'
)


def drawn(talk: Talk) -> PlotStack:
    """
    Draw the one conversation of a capture.
    """
    found = plots_of(only(story_of(talk.pcap())))
    assert found is not None
    return found


def slow_start() -> Talk:
    """
    A server doubles what it sends in each of five round trips of 100 ms.
    """
    talk = Talk(shift=10).open(half_ms=(0.1, 100)).say("c", b"ask")
    for turn in range(5):
        for _ in range(2 ** (turn + 1)):
            talk.send("s", ACK, bytes(1000), after_ms=0.1)
        talk.send("c", ACK, after_ms=100)
    return talk


def closed_window() -> Talk:
    """
    A client closes its window for 900 ms.
    """
    talk = Talk(shift=None).open()
    talk.send("s", PSH | ACK, bytes(500))
    talk.send("c", ACK, window=0)
    talk.send("c", ACK, window=500, after_ms=900)
    talk.send("s", PSH | ACK, bytes(500))
    talk.send("c", ACK, window=500)
    return talk


def many() -> list[PlotStack]:
    """
    Draw conversations of many kinds.
    """
    stories = [reference_story(name) for name in NAMES]
    stories += [story_of(each.pcap()) for each in (lossy(), slow_start(), closed_window())]
    found = [plots_of(each) for story in stories for each in story.conversations]
    return [each for each in found if each is not None]


def path_of(stack: PlotStack, style: str) -> list[str]:
    """
    Give the paths that have a style.
    """
    return re.findall(rf'<path class="{style}" d="([^"]*)"', stack.svg)


def places_of(path: str) -> list[tuple[float, float]]:
    """
    Give the corners of a path of steps.
    """
    x = y = 0.0
    found = []
    for letter, numbers in re.findall(r"([MHV])([-\d. ]+)", path):
        values = [float(each) for each in numbers.split()]
        if letter == "M":
            x, y = values
        elif letter == "H":
            x = values[0]
        else:
            y = values[0]
        found.append((x, y))
    return found


class GeometryTests(SynchronousTestCase):
    """
    How it is drawn.
    """

    def test_they_are_well_formed(self) -> None:
        """
        Each drawing is XML, with no number that is none.
        """
        for stack in many():
            ET.fromstring(f"<svg>{stack.svg}</svg>")  # noqa: S314 -- our own
            self.assertNotRegex(stack.svg, "nan|inf")

    def test_labels(self) -> None:
        """
        Each label is within the drawing, and none of a row lies on another.
        """
        for stack in many():
            rows: dict[str, list[tuple[float, float]]] = {}
            for style, x, y, anchor, text in _LABEL.findall(stack.svg):
                # Digits and letters of 12.5 units; bold ones are wider.
                width = (6.9 if style == "tick" else 7.6) * len(text)
                part = {"": 0.0, "middle": 0.5, "end": 1.0}[anchor]
                start = float(x) - width * part
                rows.setdefault(y, []).append((start, start + width))
                self.assertGreaterEqual(start, -1, text)
                self.assertLessEqual(start + width, WIDTH + 1, text)
                self.assertLess(float(y), stack.height, text)
            for row in rows.values():
                row.sort()
                for (_, end), (start, _) in pairwise(row):
                    self.assertLessEqual(end, start)

    def test_ticks(self) -> None:
        """
        Each scale has three to seven ticks with units, evenly, the time axis its two ends at least.
        """
        for stack in many():
            scales: dict[float, list[float]] = {}
            titles = [
                float(y) for style, _, y, _, _ in _LABEL.findall(stack.svg) if style == "plot-title"
            ]
            for style, _, y, anchor, text in _LABEL.findall(stack.svg):
                if style == "tick" and anchor == "end" and float(y) < stack.height - 45:
                    if "above" in text:
                        continue
                    panel = max(top for top in titles if top <= float(y))
                    scales.setdefault(panel, []).append(float(y))
                    self.assertRegex(text, r"^(0|[\d.]+ (B|kB|MB|GB|µs|ms|s|ns)(/s)?)$")
            self.assertEqual(len(scales), len(titles))
            for places in scales.values():
                self.assertIn(len(places), range(3, 8))
                gaps = {round(abs(a - b)) for a, b in pairwise(sorted(places))}
                self.assertLessEqual(max(gaps) - min(gaps), 1)
                # Text of 12.5 units does not touch the next line's.
                self.assertGreaterEqual(min(gaps), 14)

    def test_size(self) -> None:
        """
        Where it is narrowest a unit is nearly a pixel, and text has 12 of them.
        """
        page = html.render(reference_story("echo"), "echo.pcap")
        narrowest = int(re.findall(r"min-width: (\d+)px; max-width: \d+px", page)[0])
        self.assertGreaterEqual(narrowest, 720)
        for size in re.findall(r"\.(?:tick|name|plot-title) \{[^}]*?([\d.]+)px var", page):
            self.assertGreaterEqual(float(size) * narrowest / WIDTH, 12)

    @pytest.mark.slow
    def test_they_are_bounded(self) -> None:
        """
        A curve of thousands of frames has no more points than can be seen.
        """
        talk = Talk().open()
        for index in range(2000):
            talk.say("c", b"x" * 10)
            talk.send("c", PSH | ACK, b"x" * 10, seq=talk.next["c"] - 10, after_ms=index % 7)
        for path in re.findall(r' d="([^"]*)"', drawn(talk).svg):
            self.assertLess(len(re.findall("[VM]", path)), 2 * POINTS_MAX + 10)


class MeaningTests(SynchronousTestCase):
    """
    What somebody sees who does not know the capture.
    """

    def test_doubling(self) -> None:
        """
        In slow start each step of what is in flight is twice as high as the one before, on a linear
        scale, and round trips are neither cut out nor of different widths.
        """
        stack = drawn(slow_start())
        self.assertEqual(stack.axis.pauses, [])
        (path,) = path_of(stack, "flight server")
        places = places_of(path)
        floor = max(y for _, y in places)
        held: dict[float, float] = {}
        for (x, y), (after, also) in pairwise(places):
            if y == also and y < floor and after - x > 50:
                held[x] = floor - y
        heights = [held[x] for x in sorted(held)]
        self.assertEqual(len(heights), 5)
        for before, after in pairwise(heights):
            self.assertAlmostEqual(after / before, 2, delta=0.1)

    def test_retransmission(self) -> None:
        """
        What was sent again has a sign at each of its copies, and the second names its frame.
        """
        talk = lossy()
        stack = drawn(talk)
        self.assertEqual(len(path_of(stack, "again-sign mark")), 1)
        self.assertEqual(len(path_of(stack, "repeated-sign mark")), 1)
        self.assertEqual(len(path_of(stack, "sack-sign client")), 1)
        names = [text for style, _, _, _, text in _LABEL.findall(stack.svg) if style == "name"]
        self.assertEqual(names, [f"#{len(talk.frames) - 1}"])
        self.assertLessEqual({"again", "repeated", "sack"}, set(stack.legend))

    def test_no_sign_without_need(self) -> None:
        """
        A conversation in which nothing was lost has no sign of loss, and a legend without them.
        """
        for name in NAMES:
            for conversation in reference_story(name).conversations:
                stack = plots_of(conversation)
                assert stack is not None
                self.assertNotIn("-sign", stack.svg)
                self.assertEqual(set(stack.legend) & {"again", "repeated", "sack"}, set())

    def test_zero_window(self) -> None:
        """
        A window of zero lies on the floor of its scale, and is named; the silence in which it was
        closed is a cut with its length.
        """
        stack = drawn(closed_window())
        names = [text for style, _, _, _, text in _LABEL.findall(stack.svg) if style == "name"]
        self.assertEqual(names, ["zero window"])
        (path,) = path_of(stack, "window client")
        (flight,) = path_of(stack, "flight server")
        floor = max(y for _, y in places_of(flight))
        on_floor = [x for x, y in places_of(path) if y == floor]
        (pause,) = stack.axis.pauses
        self.assertLessEqual(min(on_floor), pause.start)
        self.assertGreaterEqual(max(on_floor), pause.end)
        labels = [text for style, _, _, _, text in _LABEL.findall(stack.svg) if style == "tick"]
        self.assertTrue(any("900" in text and "cut" in text for text in labels))

    def test_a_window_far_above(self) -> None:
        """
        A window that is no limit does not flatten what is in flight: it is given in words.
        """
        stack = drawn(Talk().open().say("s", b"x" * 100))
        labels = [text for style, _, _, _, text in _LABEL.findall(stack.svg) if style == "tick"]
        self.assertTrue(any("64 kB" in text and "above" in text for text in labels), labels)

    def test_summary(self) -> None:
        """
        Who cannot see a drawing reads the figures that matter.
        """
        stack = plots_of(only(reference_story("echo")))
        assert stack is not None
        self.assertIn("The client's sequence numbers reach 55", stack.summary)
        self.assertIn("At most 33 bytes were in flight from the client", stack.summary)
        self.assertIn("between 64240 and 262656 bytes", stack.summary)
        self.assertIn("1 segment is sent again", drawn(lossy()).summary)

    def test_signs(self) -> None:
        """
        Each sign of a legend has words and a drawing.
        """
        page = html.render(story_of(lossy().pcap()), "x.pcap")
        legend = page[page.index('<figcaption class="legend">') : page.index("</figcaption>")]
        for name in drawn(lossy()).legend:
            self.assertIn(SIGNS[name].replace("'", "&#39;"), legend)

    def test_colours(self) -> None:
        """
        Nothing is in the client's or the server's colour but what is theirs: the style sheet gives
        those colours to no other class.
        """
        page = html.render(reference_story("echo"), "echo.pcap")
        style = page[page.index("<style>") : page.index("</style>")]
        roots = dict(re.findall(r"--(\w[\w-]*): (#[0-9a-f]{6})", style[: style.index("@media")]))
        theirs = {roots["client"], roots["server"]}
        others = {name for name, value in roots.items() if value in theirs} - {"client", "server"}
        self.assertEqual(others, set())
