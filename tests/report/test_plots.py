"""
Tests for L{netlab.report.plots}.
"""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from twisted.trial.unittest import SynchronousTestCase

from netlab.report.plots import HEIGHT, POINTS_MAX, WIDTH, flights, plots_of
from tests.captures.reference import NAMES
from tests.captures.stories import only, reference_story, story_of
from tests.captures.talk import Talk


class FlightTests(SynchronousTestCase):
    """
    What is in flight.
    """

    def test_rises_and_falls(self) -> None:
        """
        Bytes are in flight from the segment that carries them to the ACK that covers them.
        """
        frames = only(reference_story("echo")).frames
        in_flight = [flight.bytes for flight in flights(frames, from_client=True)]
        self.assertEqual(in_flight, [1, 0, 0, 33, 0, 20, 0, 1, 1, 1, 0])

    def test_windows(self) -> None:
        """
        The window is the receiver's last one.
        """
        frames = only(reference_story("echo")).frames
        windows = [flight.window for flight in flights(frames, from_client=True)]
        self.assertEqual(windows[:5], [None, 65535, 65535, 65535, 1049600])


class PlotTests(SynchronousTestCase):
    """
    The drawings.
    """

    def test_they_are_well_formed(self) -> None:
        """
        Each drawing of each reference exchange is XML, with no number that is none.
        """
        for name in NAMES:
            for conversation in reference_story(name).conversations:
                plots = plots_of(conversation)
                self.assertEqual(len(plots), 3)
                for plot in plots:
                    ET.fromstring(f"<svg>{plot.svg}</svg>")  # noqa: S314 -- our own
                    self.assertNotRegex(plot.svg, "nan|inf")

    def test_they_say_what_they_show(self) -> None:
        """
        Who cannot see a drawing reads the figures that matter.
        """
        sequence, client, server = plots_of(only(reference_story("echo")))
        self.assertIn("the client's reach 55, the server's 55", sequence.summary)
        self.assertIn("At most 33 bytes were in flight from the client", client.summary)
        self.assertIn("between 64240 and 262656 bytes", server.summary)

    def test_their_labels_are_inside(self) -> None:
        """
        Titles name the unit. Each number is within the drawing, and none lies on another.
        """
        letter = 14  # A wide digit of a label, in the drawing's units.
        for name in ("echo", "single_fin", "double_fin"):
            for conversation in reference_story(name).conversations:
                for plot in plots_of(conversation):
                    self.assertIn("bytes", plot.title.lower())
                    rows: dict[str, list[tuple[float, float]]] = {}
                    for x, y, anchor, text in re.findall(
                        r'<text class="tick" x="([^"]+)" y="([^"]+)"'
                        r'(?: text-anchor="(\w+)")?>([^<]+)<',
                        plot.svg,
                    ):
                        width = letter * len(text)
                        part = {"": 0.0, "middle": 0.5, "end": 1.0}[anchor]
                        start = float(x) - width * part
                        rows.setdefault(y, []).append((start, start + width))
                        self.assertGreaterEqual(start, 0, text)
                        self.assertLessEqual(start + width, WIDTH, text)
                        self.assertLess(float(y), HEIGHT, text)
                    for row in rows.values():
                        row.sort()
                        for (_, end), (start, _) in pairwise(row):
                            self.assertLessEqual(end, start)

    @pytest.mark.slow
    def test_they_are_bounded(self) -> None:
        """
        A curve of thousands of frames has no more points than can be seen.
        """
        talk = Talk().open()
        for _ in range(2000):
            talk.say("c", b"x" * 10)
        for plot in plots_of(only(story_of(talk.pcap()))):
            for path in re.findall(r' d="([^"]*)"', plot.svg):
                self.assertLess(path.count("V"), POINTS_MAX + 10)
