"""
docs/echo-walkthrough.md quotes what the program prints.
"""

from __future__ import annotations

import io
import re
from pathlib import Path

from rich.console import Console
from twisted.trial.unittest import SynchronousTestCase

from netlab.report import terminal
from tests.captures.stories import frame_of, reference_story

_PAGE = Path(__file__).parents[2] / "docs" / "echo-walkthrough.md"
_COLUMNS = 120


class QuoteTests(SynchronousTestCase):
    """
    What the page quotes.
    """

    def test_excerpts(self) -> None:
        """
        Each excerpt is a part of the report on the echo exchange, and together they show every
        frame.
        """
        file = io.StringIO()
        story = reference_story("echo")
        terminal.show(story, "echo.pcap", Console(file=file, width=_COLUMNS))
        excerpts = re.findall(r"^```text\n(.*?)\n```", _PAGE.read_text(), re.DOTALL | re.MULTILINE)
        for excerpt in excerpts:
            self.assertIn(f"\n{excerpt}\n", file.getvalue())
        numbers = re.findall(r"^ +(\d+) +\d\.\d{6} ", "\n".join(excerpts), re.MULTILINE)
        self.assertEqual([int(number) for number in numbers], list(range(1, 12)))

    def test_equations(self) -> None:
        """
        The equations that the page quotes from frames are those of frames.
        """
        story = reference_story("echo")
        equations = {
            each.equation for number in range(1, 12) for each in frame_of(story, number).findings
        }
        quoted = re.findall(r"`((?:window|length|20) [^`]*)`", _PAGE.read_text())
        self.assertEqual(len(quoted), 3)
        for each in quoted:
            self.assertIn(each, equations)

    def test_lines_of_json(self) -> None:
        """
        The last lines that the page shows of the JSON are the last four frames.
        """
        story = reference_story("echo")
        shown = re.findall(
            r"^(\d+) (\[.*?\]) (\d+) (\d+) (\d+) (\d+)$", _PAGE.read_text(), re.MULTILINE
        )
        self.assertEqual([int(line[0]) for line in shown], [8, 9, 10, 11])
        for number, flags, *values in shown:
            frame = frame_of(story, int(number))
            self.assertEqual(flags, str(list(frame.flags)))
            self.assertEqual(
                [int(value) for value in values], [frame.seq, frame.ack, frame.len, frame.nxtseq]
            )
