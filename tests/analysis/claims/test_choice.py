"""
Tests for L{netlab.analysis.claims.choice}, by way of whole captures.
"""

from __future__ import annotations

import io
from ipaddress import ip_address

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.claims.choice import ALL, Choice
from netlab.analysis.explanation.story import CaptureStory
from netlab.analysis.tcp.figures import FigureStore
from netlab.capture.reading import read_capture
from netlab.errors import KnownError
from netlab.report.reading import tell
from tests.analysis.dialogue_script import Script


def capture() -> bytes:
    """
    Two connections: #1 to #8 in the first 65 ms, and from another port 10 s later.
    """
    script = Script().open().say(0, b"x").close()
    script.now = 10
    return script.another(40001).open().close().pcap()


def told(choice: Choice, figures: FigureStore | None = None) -> CaptureStory:
    """Tell what is chosen of it."""
    reader = read_capture(io.BytesIO(capture()))
    return tell(reader, "test.pcap", choice=choice, figures=figures).story


def streams(choice: Choice) -> list[int]:
    """Name the conversations that are told."""
    return [each.stream for each in told(choice).conversations]


class ChoiceTests(SynchronousTestCase):
    """
    What is told of a capture.
    """

    def test_all(self) -> None:
        """
        Without a choice everything is told.
        """
        self.assertEqual(streams(ALL), [0, 1])
        self.assertTrue(Choice().takes_all)

    def test_ends(self) -> None:
        """
        An address or a port of either end chooses.
        """
        self.assertEqual(streams(Choice(host=ip_address("198.51.100.2").packed)), [0, 1])
        self.assertEqual(streams(Choice(port=40001)), [1])
        self.assertEqual(streams(Choice(port=8080)), [0, 1])

    def test_several(self) -> None:
        """
        Of several choices all hold.
        """
        self.assertEqual(streams(Choice(port=8080, conversation=1)), [1])
        with self.assertRaises(KnownError) as caught:
            told(Choice(port=40001, conversation=0))
        self.assertIn("2 conversations, but none matches", str(caught.exception))

    def test_times(self) -> None:
        """
        Conversations are told that lie in the time in part, and of their frames those that do;
        their claims are of the whole.
        """
        self.assertEqual(streams(Choice(begin_ns=5_000_000_000)), [1])
        self.assertEqual(streams(Choice(end_ns=5_000_000_000)), [0])
        story = told(Choice(begin_ns=22_000_000, end_ns=43_000_000))
        (conversation,) = story.conversations
        self.assertEqual([frame.number for frame in conversation.frames], [4, 5, 6])
        self.assertEqual(conversation.frame_count, 8)
        self.assertIn("opening.handshake", [claim.kind for claim in conversation.claims])

    def test_bounds_are_inclusive(self) -> None:
        """
        A frame at the very time is told.
        """
        (conversation,) = told(Choice(begin_ns=0, end_ns=0)).conversations
        self.assertEqual([frame.number for frame in conversation.frames], [1])

    def test_figures(self) -> None:
        """
        FigureStore are those of what is told.
        """
        figures = FigureStore()
        told(Choice(port=40001, end_ns=10_001_000_000), figures)
        self.assertEqual([each.number for each in figures.analysed()], [9])

    def test_reasons_of_what_is_not_told(self) -> None:
        """
        What is not told is read all the same: it is why another conversation began.
        """
        (conversation,) = told(Choice(conversation=1)).conversations
        reasons = [claim.kind for claim in conversation.claims if claim.topic == "reasons"]
        self.assertNotEqual(reasons, ["reasons.first"])
