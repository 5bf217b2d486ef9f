"""
Captures that are broken, or made to break us: every report of them is made, and means what it is.
"""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.explanation.privacy import Discretion
from netlab.capture.reading import read_capture
from netlab.errors import KnownError
from netlab.report import annotate, html, markdown, svg, terminal
from netlab.report import json as json_report
from netlab.report.reading import tell
from tests.captures.frames import pcap_file
from tests.captures.reference import NAMES, exchange

_DATA = Path(__file__).parents[1] / "captures" / "data"
_FRAMES_MAX = 200

#: Where a capture is changed, as a share of its length, and into which byte.
_CHANGES = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=12
)


class BrokenTests(SynchronousTestCase):
    """
    Reference exchanges with some bytes changed, and cut off somewhere.
    """

    @settings(deadline=None, max_examples=40)
    @given(
        st.sampled_from(NAMES),
        _CHANGES,
        st.floats(0.3, 1),
        st.builds(Discretion, st.booleans(), st.booleans()),
    )
    @pytest.mark.slow
    def test_every_report(
        self, name: str, changes: list[tuple[float, int]], kept: float, discretion: Discretion
    ) -> None:
        """
        There is a report in each format, well-formed; or one line that says why there is none.
        """
        data = bytearray(exchange(name).pcap())
        for place, byte in changes:
            data[int(place * len(data))] = byte
        capture = bytes(data[: int(kept * len(data))])
        try:
            reading = tell(read_capture(io.BytesIO(capture)), "x.pcap", discretion)
        except KnownError as error:
            self.assertNotIn("\n", str(error))
            return
        story = reading.story
        self.assertIn("</html>", html.render(story, "x"))
        ET.fromstring(svg.render(story, "x"))  # noqa: S314 -- our own
        told = json.loads(json_report.render(story, "x"))
        self.assertEqual(told["frame_count"], story.frame_count)
        self.assertTrue(markdown.render(story, "x").startswith("# x\n"))
        file = io.StringIO()
        terminal.show(story, "x", Console(file=file, width=70))
        self.assertNotIn("\x1b", file.getvalue())
        again = read_capture(io.BytesIO(capture))
        pcapng = b"".join(annotate.pieces(again, reading.interfaces, story, discretion))
        frames = list(read_capture(io.BytesIO(pcapng)))
        self.assertLessEqual(len(frames), story.frame_count)


def _captures() -> Iterator[tuple[str, bytes]]:
    """
    Give the captures that other tests tell too, with their names.
    """
    for path in sorted((*_DATA.rglob("*.pcap"), *_DATA.rglob("*.pcapng"))):
        yield path.name, path.read_bytes()
    for name in NAMES:
        yield name, exchange(name).pcap()


def _with_clock(capture: bytes, clock: Callable[[int], int]) -> bytes:
    """
    Give each frame another time: nothing where the capture has none, too many or cannot be read.
    """
    try:
        records = list(read_capture(io.BytesIO(capture)))
    except KnownError:
        return b""
    if not 0 < len(records) <= _FRAMES_MAX:
        return b""
    frames = [(10**18 + clock(index), record.data) for index, record in enumerate(records)]
    return pcap_file(records[0].interface.link_type, frames)


class ClockTests(SynchronousTestCase):
    """
    Frames whose times make no sense: a capture's maker chooses them.
    """

    def test_any_order(self) -> None:
        """
        Whatever happens in a capture is told if its clock stands, goes back, or leaps about.
        """
        chance = random.Random(5)
        second = 10**9
        clocks: dict[str, Callable[[int], int]] = {
            "back": lambda index: -3 * second * index,
            "zigzag": lambda index: 10 * second * (index % 2),
            "leaping": lambda _index: chance.randrange(100 * second),
            "standing": lambda _index: 0,
        }
        told = 0
        for name, capture in _captures():
            for how, clock in clocks.items():
                changed = _with_clock(capture, clock)
                if not changed:
                    continue
                try:
                    tell(read_capture(io.BytesIO(changed)), "x.pcap")
                except KnownError:
                    continue
                except Exception as error:
                    raise AssertionError(f"{name}, its clock {how}") from error
                told += 1
        self.assertGreater(told, 200)
