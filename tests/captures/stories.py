"""
Stories of captures that are held in memory.
"""

from __future__ import annotations

import io

from netlab.analysis.claims.choice import Choice
from netlab.analysis.explanation.privacy import Discretion
from netlab.analysis.explanation.story import CaptureStory, ConversationStory, FrameStory
from netlab.capture.reading import read_capture
from netlab.report.reading import tell
from tests.captures.reference import exchange


def story_of(
    pcap: bytes, discretion: Discretion | None = None, conversation: int | None = None
) -> CaptureStory:
    """
    Tell a capture.
    """
    reader = read_capture(io.BytesIO(pcap), "test.pcap")
    choice = Choice(conversation=conversation)
    return tell(reader, "test.pcap", discretion, choice=choice).story


def reference_story(name: str, discretion: Discretion | None = None) -> CaptureStory:
    """
    Tell a reference exchange.
    """
    return story_of(exchange(name).pcap(), discretion)


def only(story: CaptureStory) -> ConversationStory:
    """
    Give a story's one conversation.
    """
    (conversation,) = story.conversations
    return conversation


def frame_of(story: CaptureStory, number: int) -> FrameStory:
    """
    Give a frame of a story by its number.
    """
    return next(
        frame for each in story.conversations for frame in each.frames if frame.number == number
    )
