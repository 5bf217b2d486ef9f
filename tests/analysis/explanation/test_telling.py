"""
Tests for L{netlab.analysis.explanation.telling}.
"""

from __future__ import annotations

import io
from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.explanation.story import FrameStory
from netlab.analysis.explanation.telling import FrameTeller
from netlab.capture.decode import Decoder
from netlab.capture.reading import read_capture
from netlab.capture.segments import Segment
from tests.captures.reference import NAMES, exchange
from tests.captures.stories import reference_story


def told(name: str) -> list[FrameStory]:
    """
    Tell a reference exchange frame by frame.
    """
    decoder, teller = Decoder(), FrameTeller()
    stories = []
    for record in read_capture(io.BytesIO(exchange(name).pcap()), name):
        segment = decoder.decode(record)
        assert isinstance(segment, Segment)
        story = teller.tell(segment)
        assert story is not None
        stories.append(story)
    return stories


class FrameTellerTests(SynchronousTestCase):
    """
    Telling frames while they come.
    """

    def test_as_in_the_whole_story(self) -> None:
        """
        Each frame of each reference exchange is told as in the story of the whole capture, but for
        what only the frames behind it can tell.
        """
        for name in NAMES:
            whole = {
                frame.number: replace(frame, completeness=0, is_crossed=False)
                for each in reference_story(name).conversations
                for frame in each.frames
            }
            for frame in told(name):
                story = whole[frame.number]
                self.assertTrue(story.sentence.startswith(frame.sentence), name)
                judged = replace(story, claims=(), sentence=frame.sentence, marks=frame.marks)
                self.assertEqual(replace(frame, completeness=0), judged, name)

    def test_the_first_syn_says_nothing_of_the_other_end(self) -> None:
        """
        Numbers of the server are derived from its own SYN, which comes after the client's.
        """
        equations = [frame.findings[0].equation for frame in told("echo")[:3]]
        self.assertIn("ISN", equations[2])
        self.assertNotIn("not captured", " ".join(equations))
