"""
A story as Markdown (GitHub's dialect, for its tables).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from netlab.analysis.claims.conversationstories import completeness_text
from netlab.analysis.claims.findings import Verdict
from netlab.analysis.claims.story import CaptureStory, ConversationStory, Passage, PassageKind
from netlab.analysis.claims.units import count, duration
from netlab.report.texts import main_equation, untold_text
from netlab.report.times import PAUSE_MIN_NS, seconds

#: What Markdown, or HTML inside it, might take for markup.
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>|~&#])")


def pieces(story: CaptureStory, name: str) -> Iterator[str]:
    """
    Write a story line by line.

    @param story: The story.
    @param name: What the capture is called.
    """
    yield f"# {escaped(name)}\n\n{escaped(story.title)}"
    yield f", {escaped(story.link)}.\n" if story.link else ".\n"
    if story.passages:
        yield "\n"
    for passage in story.passages:
        yield from _passage(passage)
    for conversation in story.conversations:
        yield from _conversation(conversation, story)


def render(story: CaptureStory, name: str) -> str:
    """
    Write a story.

    @param story: The story.
    @param name: What the capture is called.
    """
    return "".join(pieces(story, name))


def _conversation(conversation: ConversationStory, story: CaptureStory) -> Iterator[str]:
    yield f"\n## Conversation {conversation.stream}: {escaped(conversation.title)}\n\n"
    yield (
        f"Client {escaped(str(conversation.client))}, server "
        f"{escaped(str(conversation.server))}; "
        f"{count(conversation.frame_count, 'frame')} in "
        f"{conversation.lasted}; "
        f"{escaped(completeness_text(conversation.completeness))}.\n\n"
    )
    for passage in conversation.passages:
        yield from _passage(passage)
    if conversation.frames:
        yield from _table(conversation, story)
    if untold := untold_text(conversation):
        yield f"\n{untold}\n"


def _table(conversation: ConversationStory, story: CaptureStory) -> Iterator[str]:
    yield "\n| frame | seconds | client | | server | what it does | why its number is right |\n"
    yield "|--:|--:|--:|:-:|:--|--|--|\n"
    before = conversation.frames[0].time_ns
    for frame in conversation.frames:
        since = frame.time_ns - before
        if since >= PAUSE_MIN_NS:
            yield f"| | | | ⋮ | | *{duration(since)} of silence* | |\n"
        before = frame.time_ns
        label = escaped(frame.label)
        left, arrow, right = (label, "→", "") if frame.is_from_client else ("", "←", label)
        verdict = frame.findings[0].verdict if frame.findings else Verdict.UNKNOWN
        marks = "".join(f"**{escaped(mark)}** " for mark in frame.marks)
        yield (
            f"| {frame.number} | {seconds(frame.time_ns - story.start_ns)} | {left} | {arrow} | "
            f"{right} | {marks}{escaped(frame.sentence)} | {verdict} "
            f"{escaped(main_equation(frame))} |\n"
        )


def _passage(passage: Passage) -> Iterator[str]:
    lead = "**Unusual:** " if passage.kind is PassageKind.UNUSUAL else ""
    yield f"- {lead}{escaped(passage.sentence)}\n"
    for finding in passage.findings:
        yield f"  - {finding.verdict} {escaped(finding.equation)}\n"


def escaped(text: str) -> str:
    """
    Make a text mean itself: nothing in it is markup, a link to an issue, or a new line.
    """
    return _SPECIAL.sub(r"\\\1", " ".join(text.split("\n")))
