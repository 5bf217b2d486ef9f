"""
A story for a terminal: a ladder that fits its width, readable without colour and through a pipe.

rich knows the terminal's width, whether it has colours and what C{NO_COLOR} asks for; the ladder is
drawn here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Final

from rich.console import Console
from rich.text import Text

from netlab.analysis.claims.ranking import NO_FAULT
from netlab.analysis.explanation.conversationstories import completeness_text
from netlab.analysis.explanation.findings import Verdict
from netlab.analysis.explanation.story import (
    CaptureStory,
    ConversationStory,
    FrameKind,
    FrameStory,
    Passage,
    PassageKind,
)
from netlab.analysis.words.units import count, duration
from netlab.report.texts import (
    HEADINGS,
    HOW_TO_CHOOSE,
    ConversationList,
    listing_of,
    main_equation,
    passages_shown,
    untold_text,
)
from netlab.report.times import PAUSE_MIN_NS, seconds

WIDTH_MIN: Final = 48
WIDTH_MAX: Final = 160
"""Longer lines are hard to read."""

_TEXT_BESIDE_MIN: Final = 34
_LADDER_MIN, _LADDER_MAX = 30, 44
_NUMBER_WIDTH: Final = 5
_TIME_WIDTH: Final = 11

#: Colour shows who sends, which nothing else has; a RST is in that of what failed.
_CLIENT_STYLE: Final = "blue"
_SERVER_STYLE: Final = "magenta"
_RESET_STYLE: Final = "bold red"
_VERDICT_STYLES: Final = {
    Verdict.PASS: "green",
    Verdict.NOTED: "dim",
    Verdict.FAIL: "bold red",
    Verdict.UNKNOWN: "bold yellow",
}
_RANK_STYLE: Final = "bold"
_STREAM_WIDTH: Final = 6
_BULLETS: Final = {PassageKind.UNUSUAL: "!", PassageKind.IDLE: "·"}


@dataclass(frozen=True, slots=True)
class _Signs:
    """
    What lines are drawn with.
    """

    left: str
    right: str
    line: str
    thick: str
    side: str
    silent: str
    rule: str
    bullet: str
    to: str


_UNICODE: Final = _Signs("◀", "▶", "─", "━", "│", "┊", "─", "•", "→")
_ASCII_FOR: Final = str.maketrans(
    {"−": "-", "×": "x", "≤": "<=", "≠": "!=", "µ": "u", "·": ".", "…": "..."}
)
_ASCII: Final = _Signs("<", ">", "-", "=", "|", ":", "-", "*", "->")


_LINES_AT_ONCE: Final = 64


def show(story: CaptureStory, name: str, console: Console) -> None:
    """
    Print a story.

    @param story: The story.
    @param name: What the capture is called.
    @param console: Where to.
    """
    width = min(max(console.width, WIDTH_MIN), WIDTH_MAX)
    signs = _UNICODE if console.encoding.lower().startswith("utf") else _ASCII
    told = lines(story, name, width, signs)
    if signs is not _UNICODE:
        told = (_encodable(line, console) for line in told)
    # Some at a time: each call of print costs as much as a line, and looks whether to flush.
    while some := list(islice(told, _LINES_AT_ONCE)):
        console.print(Text("\n").join(some), soft_wrap=True, highlight=False, markup=False)


def _encodable(line: Text, console: Console) -> Text:
    """
    Write a line in ASCII.
    """
    parts = Text()
    for segment in line.render(console):
        text = segment.text.translate(_ASCII_FOR).encode("ascii", "backslashreplace")
        parts.append(text.decode("ascii"), segment.style)
    return parts


def lines(story: CaptureStory, name: str, width: int, signs: _Signs = _UNICODE) -> Iterator[Text]:
    """
    Lay a story out in lines.

    @param story: The story.
    @param name: What the capture is called.
    @param width: In columns.
    @param signs: What to draw with.
    """
    yield Text(_cut(name, width), style="bold")
    yield Text(f"{story.title}, {story.link}" if story.link else story.title)
    for index, answer in enumerate(story.answers):
        if not index or answer.question is not story.answers[index - 1].question:
            yield Text(HEADINGS[answer.question], style="bold")
        yield from _item(answer.sentence, signs.bullet, width)
    passages, more = passages_shown(story)
    if story.answers and passages:
        yield Text("The whole capture", style="bold")
    for passage in passages:
        yield from _passage(passage, width, signs)
    if more:
        yield Text(f"    {more}", style="dim")
    listing = listing_of(story)
    if listing is not None:
        yield from _listing(listing, width, signs)
    if story.is_abridged:
        yield from _wrapped(Text(HOW_TO_CHOOSE, style="dim"), width, 0)
        return
    for conversation in story.ranked:
        yield Text("")
        yield from _conversation(conversation, story, width, signs)
    rest = story.conversation_count - len(story.conversations)
    if rest > 0:
        yield Text("")
        yield Text(f"{count(rest, 'more conversation')} not told here.", style="dim")


def _listing(listing: ConversationList, width: int, signs: _Signs) -> Iterator[Text]:
    yield from _wrapped(Text(listing.heading, style="bold"), width, 0)
    for line in listing.lines:
        text = Text.assemble(
            f"{line.outline.stream:>{_STREAM_WIDTH}}  {line.client} {signs.to} {line.server}  ",
            (line.words, "" if line.rank >= NO_FAULT else _RANK_STYLE),
        )
        yield from _wrapped(text, width, _STREAM_WIDTH + 2)
    for rest in listing.rest:
        is_head = rest.endswith((":", "."))
        yield from _wrapped(Text(rest if is_head else f"  {signs.bullet} {rest}"), width, 4)


def _conversation(
    conversation: ConversationStory, story: CaptureStory, width: int, signs: _Signs
) -> Iterator[Text]:
    yield Text(signs.rule * width, style="dim")
    title = f"Conversation {conversation.stream}: {conversation.title}"
    yield from _wrapped(Text(title, style="bold"), width, 0)
    ends = (
        f"client {conversation.client}, server {conversation.server}; "
        f"{count(conversation.frame_count, 'frame')} in "
        f"{conversation.lasted}; "
        f"{completeness_text(conversation.completeness)}"
    )
    yield from _wrapped(Text(ends, style="dim"), width, 0)
    for passage in conversation.passages:
        yield from _passage(passage, width, signs)
    if conversation.frames:
        yield Text("")
        yield from _ladder(conversation, story, width, signs)
    if untold := untold_text(conversation):
        yield Text(untold, style="dim")


def _passage(passage: Passage, width: int, signs: _Signs) -> Iterator[Text]:
    bullet = _BULLETS.get(passage.kind, signs.bullet)
    if bullet == "·" and signs is _ASCII:
        bullet = "."
    yield from _item(passage.sentence, bullet, width)
    for finding in passage.findings:
        text = Text.assemble(
            (f"{finding.verdict} ", _VERDICT_STYLES[finding.verdict]), (finding.equation, "dim")
        )
        for line in _wrapped(text, width - 6, 0):
            yield Text("      ") + line


def _item(sentence: str, bullet: str, width: int) -> Iterator[Text]:
    first = True
    for line in _wrapped(Text(sentence), width - 4, 0):
        yield Text(f"  {bullet} " if first else "    ") + line
        first = False


def _ladder(
    conversation: ConversationStory, story: CaptureStory, width: int, signs: _Signs
) -> Iterator[Text]:
    times = [seconds(frame.time_ns - story.start_ns) for frame in conversation.frames]
    # Long captures have long times: the columns keep a space between them.
    time_width = max(_TIME_WIDTH, 1 + max(map(len, times), default=0))
    margin = _NUMBER_WIDTH + time_width + 2
    room = width - margin
    is_beside = room - _LADDER_MIN - 2 >= _TEXT_BESIDE_MIN
    ladder = min(max(room // 3 if is_beside else room, _LADDER_MIN), _LADDER_MAX)
    head = f"{'#':>{_NUMBER_WIDTH}}{'seconds':>{time_width}}  "
    yield Text.assemble(
        (head, "dim"),
        ("client", _CLIENT_STYLE),
        ("server".rjust(ladder - len("client")), _SERVER_STYLE),
    )
    before: FrameStory | None = None
    for frame, time in zip(conversation.frames, times, strict=True):
        if before is not None and frame.time_ns - before.time_ns >= PAUSE_MIN_NS:
            yield _silence(frame.time_ns - before.time_ns, margin, ladder, signs)
        before = frame
        start = Text(f"{frame.number:>{_NUMBER_WIDTH}}{time:>{time_width}}  ")
        arrow = _arrow(frame, ladder, signs)
        said = list(_said(frame, width - margin - ladder - 2 if is_beside else room))
        if is_beside:
            rung = Text(signs.side + " " * (ladder - 2) + signs.side, style="dim")
            for index, line in enumerate(said):
                lead = start + arrow if index == 0 else Text(" " * margin) + rung
                yield lead + Text("  ") + line
        else:
            yield start + arrow
            for line in said:
                yield Text(" " * margin) + line


def _said(frame: FrameStory, width: int) -> Iterator[Text]:
    text = Text()
    for finding in frame.findings:
        if finding.verdict is Verdict.FAIL:
            # Some equations begin with the name of their rule.
            equation = finding.equation.removeprefix(f"{finding.rule}: ")
            text.append(f"FAIL {finding.rule}: {equation}. ", style="bold red")
    for mark in frame.marks:
        text.append(f"[{mark}] ", style="yellow")
    text.append(frame.sentence)
    yield from _wrapped(text, width, 0)
    equation = main_equation(frame)
    if equation:
        verdict = frame.findings[0].verdict
        line = Text.assemble((f"{verdict} ", _VERDICT_STYLES[verdict]), (equation, "dim"))
        yield from _wrapped(line, width, 2)


def _arrow(frame: FrameStory, width: int, signs: _Signs) -> Text:
    """
    Draw a frame between its ends.
    """
    inner = width - 2
    line = signs.thick if frame.kind is FrameKind.DATA else signs.line
    label = f" {_cut(frame.label, inner - 6)} "
    body = label.center(inner - 1, line)
    drawn = body + signs.right if frame.is_from_client else signs.left + body
    style = _CLIENT_STYLE if frame.is_from_client else _SERVER_STYLE
    if frame.kind is FrameKind.DATA:
        style = f"bold {style}"
    elif frame.kind is FrameKind.RESET:
        style = _RESET_STYLE
    return Text.assemble((signs.side, "dim"), (drawn, style), (signs.side, "dim"))


def _silence(length_ns: int, margin: int, width: int, signs: _Signs) -> Text:
    label = f"{duration(length_ns)} of silence".center(width - 2)
    return Text(" " * margin + signs.silent + label + signs.silent, style="dim")


def _wrapped(text: Text, width: int, hanging: int) -> Iterator[Text]:
    """
    Break a text into lines, those after the first indented.
    """
    room = max(width - hanging, 10)
    if text.plain.isascii() and len(text) <= room and text.plain.isprintable():
        # Most do, and to ask rich takes ten times as long.
        text.rstrip()
        yield text
        return
    wrapped = text.wrap(_wrapper(), room, tab_size=4)
    for index, line in enumerate(wrapped):
        line.rstrip()
        yield line if index == 0 else Text(" " * hanging) + line


@cache
def _wrapper() -> Console:
    """
    Give what rich wants for breaking lines; only whose settings it asks for.
    """
    return Console(color_system=None, legacy_windows=False)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 1, 1)] + "…"
