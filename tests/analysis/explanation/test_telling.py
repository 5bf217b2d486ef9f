"""
Tests for L{netlab.analysis.explanation.telling}.
"""

from __future__ import annotations

import io
from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.explanation import telling
from netlab.analysis.explanation.story import FrameStory
from netlab.analysis.explanation.telling import FrameTeller
from netlab.capture.decode import Decoder
from netlab.capture.reading import read_capture
from netlab.capture.segments import Segment
from tests.analysis.dialogue_script import Script
from tests.captures.faults import FOLDER, fault_story
from tests.captures.faults import NAMES as NAMES_OF_FAULTS
from tests.captures.reference import NAMES, exchange
from tests.captures.stories import reference_story


def told_of(pcap: bytes) -> list[FrameStory]:
    """
    Tell a capture's segments one by one.
    """
    decoder, teller = Decoder(), FrameTeller()
    stories = []
    for record in read_capture(io.BytesIO(pcap), "test.pcap"):
        segment = decoder.decode(record)
        story = teller.tell(segment) if isinstance(segment, Segment) else None
        if story is not None:
            stories.append(story)
    return stories


def told(name: str) -> list[FrameStory]:
    """
    Tell a reference exchange frame by frame.
    """
    return told_of(exchange(name).pcap())


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
                self.assertLessEqual(set(frame.marks), set(story.marks))
                judged = replace(story, claims=(), sentence=frame.sentence, marks=frame.marks)
                self.assertEqual(replace(frame, completeness=0, claims=()), judged, name)

    def test_nothing_is_taken_back(self) -> None:
        """
        What is claimed of a frame while it comes is claimed of it when all is known, in each of the
        tiny captures: repeats with their cause, window probes, keep-alives and duplicate ACKs among
        it.
        """
        kinds = set()
        for name in NAMES_OF_FAULTS:
            known = {
                frame.number: {(claim.kind, claim.frames) for claim in frame.claims}
                for each in fault_story(name).conversations
                for frame in each.frames
            }
            for frame in told_of((FOLDER / f"{name}.pcap").read_bytes()):
                said = {(claim.kind, claim.frames) for claim in frame.claims}
                self.assertLessEqual(said, known.get(frame.number, set()), (name, frame.number))
                kinds |= {kind for kind, _ in said}
        self.assertLessEqual(
            {
                "acks.duplicate",
                "keepalives.probe",
                "repeats.fast-retransmit",
                "repeats.sack-recovery",
                "repeats.timeout",
                "windows.closed",
                "windows.probe",
            },
            kinds,
        )

    def test_bound(self) -> None:
        """
        Beyond so many segments of a conversation no claims are made while they come.
        """
        self.patch(telling, "JUDGED_MAX", 10)
        script = Script().open()
        for _ in range(10):
            script.client("PSH ACK", b"x", seq=1, after=0.5)
        frames = told_of(script.pcap())
        self.assertTrue(frames[8].claims)
        self.assertEqual([frame.number for frame in frames[10:] if frame.claims], [])

    def test_the_first_syn_says_nothing_of_the_other_end(self) -> None:
        """
        Numbers of the server are derived from its own SYN, which comes after the client's.
        """
        equations = [frame.findings[0].equation for frame in told("echo")[:3]]
        self.assertIn("ISN", equations[2])
        self.assertNotIn("not captured", " ".join(equations))
