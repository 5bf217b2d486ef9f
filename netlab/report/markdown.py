"""
A story as Markdown (GitHub's dialect, for its tables).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from netlab.analysis.explanation.conversationstories import completeness_text
from netlab.analysis.explanation.findings import Verdict
from netlab.analysis.explanation.story import CaptureStory, ConversationStory, Passage, PassageKind
from netlab.analysis.words.units import count, duration
from netlab.report.texts import (
    HEADINGS,
    HOW_TO_CHOOSE,
    listing_of,
    main_equation,
    passages_shown,
    untold_text,
)
from netlab.report.times import PAUSE_MIN_NS, seconds

#: What is text in Markdown and on every site that shows it: a word, a number too short for a
#: commit's name. All else may be markup, a link (C{www.}), a mention, a reference to an issue.
_PLAIN: Final = re.compile(
    r"(?!(?:[0-9a-f]{7,}|www)\b)[A-Za-zµ]+(?:[-'][A-Za-z]+)*\d?|\d{1,6}(?:\.\d{1,6})?%?"
)

#: What stands alone between words, but never at the beginning, where it may begin a list.
_OPERATORS: Final = frozenset("=+−×·≤≠→←–…")

#: A word with the punctuation before and after it.
_TOKEN: Final = re.compile(r"(\(?)(.*?)([).,;:?…]*)", re.DOTALL)

_LIST_ITEM: Final = re.compile(r"\d+[.)]+")
_BACKTICKS: Final = re.compile(r"`+")


def pieces(story: CaptureStory, name: str) -> Iterator[str]:
    """
    Write a story line by line.

    @param story: The story.
    @param name: What the capture is called.
    """
    yield f"# {escaped(name)}\n\n{escaped(story.title)}"
    yield f", {escaped(story.link)}.\n" if story.link else ".\n"
    if story.answers:
        yield "\n"
    for answer in story.answers:
        yield f"- **{HEADINGS[answer.question]}:** {escaped(answer.sentence)}\n"
    passages, more = passages_shown(story)
    if passages:
        yield "\n"
    for passage in passages:
        yield from _passage(passage)
    if more:
        yield f"- {escaped(more)}\n"
    listing = listing_of(story)
    if listing is not None:
        yield f"\n## {escaped(listing.heading)}\n\n"
        yield "| number | client | server | what |\n|--:|--|--|--|\n"
        for line in listing.lines:
            yield (
                f"| {line.outline.stream} | {escaped(str(line.client))} | "
                f"{escaped(str(line.server))} | {escaped(line.words)} |\n"
            )
        yield "\n"
        for text in listing.rest:
            yield f"- {escaped(text)}\n"
    if story.is_abridged:
        yield f"\n{escaped(HOW_TO_CHOOSE)}\n"
        return
    for conversation in story.ranked:
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
    Make a text mean itself: plain words stay as they are, and every other one becomes a code span,
    in which neither Markdown nor a site that shows it finds anything.
    """
    words = text.split()
    return " ".join(_word(word, is_first=not index) for index, word in enumerate(words))


def _word(word: str, *, is_first: bool) -> str:
    if is_first and (_LIST_ITEM.fullmatch(word) or word in _OPERATORS):
        return _code(word)
    if word in _OPERATORS:
        return word
    match = _TOKEN.fullmatch(word)
    assert match is not None
    before, core, after = match.groups()
    if not core or _PLAIN.fullmatch(core):
        return word
    # A bar ends a table's cell, in a code span too.
    spans = (_code(part) if part else "" for part in core.split("|"))
    return before + "\\|".join(spans) + after


def _code(text: str) -> str:
    """
    Write a code span (CommonMark section 6.1): between more backticks than it holds in a row.
    """
    fence = "`" * (1 + max((len(run) for run in _BACKTICKS.findall(text)), default=0))
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text}{space}{fence}"
