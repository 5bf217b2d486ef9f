"""
A story's ladder as one SVG image, for a document or a slide.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape

from netlab.analysis.explanation.story import (
    CaptureStory,
    ConversationStory,
    FrameKind,
    FrameStory,
)
from netlab.analysis.words.units import count, duration
from netlab.report.texts import main_doubt, main_equation
from netlab.report.times import PAUSE_MIN_NS, seconds

FRAMES_MAX: Final = 500
"""An image of more frames than that nobody reads; it says how many are left out."""

_WIDTH: Final = 1120
_NUMBER_RIGHT, _TIME_RIGHT, _CLIENT, _SERVER, _TEXT = 40, 140, 170, 420, 450
_PASSAGE_COLUMNS: Final = 138
_TEXT_COLUMNS: Final = 88
_EQUATION_COLUMNS: Final = 92
_LINE: Final = 17
_LINE_SMALL: Final = 15

_STYLE: Final = """
svg{background:#faf9f6;--ink:#1c222d;--muted:#586070;--fail:#b3202b;
--client:#1a57b8;--server:#a84c08}
@media (prefers-color-scheme:dark){svg{background:#11141a;--ink:#e7e9ee;--muted:#a2abb9;
--fail:#ff8a86;--client:#82b4ff;--server:#ffb27a}}
text{font:14px ui-sans-serif,system-ui,"Liberation Sans",sans-serif;fill:var(--ink)}
.h{font-size:19px;font-weight:650}.m{fill:var(--muted);font-size:13px}
.e{font:12px ui-monospace,"Liberation Mono",monospace;fill:var(--muted)}
.l{font-size:12.5px;font-weight:600;text-anchor:middle}.r{text-anchor:end}
.client{stroke:var(--client);stroke-width:2}.server{stroke:var(--server);stroke-width:2}
.quiet{stroke:var(--muted);stroke-dasharray:2 5}
.a{fill:none;stroke-width:1.8}.k-data{stroke-width:3}.k-reset{stroke-width:2.6}
.k-opening,.k-closing{stroke-dasharray:10 3}.k-probe{stroke-dasharray:3 4}
.a-c{stroke:var(--client)}.a-s{stroke:var(--server)}.a-reset{stroke:var(--fail)}
.t-c{fill:var(--client)}.t-s{fill:var(--server)}.t-reset{fill:var(--fail)}
""".strip()


def render(story: CaptureStory, name: str) -> str:
    """
    Draw a story.

    @param story: The story.
    @param name: What the capture is called.
    @return: The image.
    """
    drawing = _Drawing()
    drawing.text(20, 30, "h", name)
    drawing.y = 52
    drawing.text(20, 52, "m", f"{story.title}, {story.link}" if story.link else story.title)
    left = FRAMES_MAX
    for conversation in story.ranked:
        if left <= 0:
            break
        drawing.conversation(conversation, story, left)
        left -= len(conversation.frames)
    if left < 0 or story.frame_count > FRAMES_MAX:
        drawing.y += 26
        drawing.text(20, drawing.y, "m", f"Of {story.frame_count} frames at most {FRAMES_MAX}.")
    height = drawing.y + 24
    markers = "".join(
        f'<marker id="{end}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="11" '
        f'markerHeight="9" markerUnits="userSpaceOnUse" orient="auto">'
        f'<path class="t-{end}" d="M0 0L10 5L0 10Z"/></marker>'
        for end in ("c", "s", "reset")
    )
    title = _escaped(f"{name}: {story.title}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" role="img" aria-labelledby="title">'
        f'<title id="title">{title}</title><style>{_STYLE}</style><defs>{markers}</defs>'
        f"{''.join(drawing.parts)}</svg>\n"
    )


class _Drawing:
    """
    What is drawn so far.

    @ivar parts: Its elements.
    @ivar y: Down to where.
    """

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.y = 0

    def text(self, x: int, y: int, style: str, text: str) -> None:
        self.parts.append(f'<text class="{style}" x="{x}" y="{y}">{_escaped(text)}</text>')

    def conversation(self, conversation: ConversationStory, story: CaptureStory, most: int) -> None:
        self.y += 42
        title = f"Conversation {conversation.stream}: {conversation.title}"
        self.text(20, self.y, "h", title)
        self.y += 20
        self.text(
            20,
            self.y,
            "m",
            f"client {conversation.client}, server {conversation.server}, "
            f"{count(conversation.frame_count, 'frame')}",
        )
        for passage in conversation.passages:
            for line in textwrap.wrap(passage.sentence, _PASSAGE_COLUMNS):
                self.y += 20
                self.text(20, self.y, "", line)
        self.y += 30
        self.text(_CLIENT - 4, self.y, "m", "client")
        self.text(_SERVER + 4, self.y, "m r", "server")
        self.y += 8
        before: FrameStory | None = None
        for frame in conversation.frames[:most]:
            if before is not None and frame.time_ns - before.time_ns >= PAUSE_MIN_NS:
                self._silence(frame.time_ns - before.time_ns)
            self._frame(frame, story)
            before = frame

    def _frame(self, frame: FrameStory, story: CaptureStory) -> None:
        said = textwrap.wrap(frame.sentence, _TEXT_COLUMNS)
        equation = list(_equation_lines(frame))
        top = self.y
        height = max(42, 12 + _LINE * len(said) + _LINE_SMALL * len(equation))
        self.parts += [
            f'<path class="client" d="M{_CLIENT} {top}v{height}"/>',
            f'<path class="server" d="M{_SERVER} {top}v{height}"/>',
        ]
        start, end = (_CLIENT, _SERVER) if frame.is_from_client else (_SERVER, _CLIENT)
        inside = 4 if frame.is_from_client else -4
        # Colour shows who sends, what is sent by weight and dashes.
        side = "c" if frame.is_from_client else "s"
        head = "reset" if frame.kind is FrameKind.RESET else side
        drop = height + 36 if frame.is_crossed else 34
        self.parts.append(
            f'<path class="a a-{head} k-{frame.kind}" marker-end="url(#{head})" '
            f'd="M{start + inside} {top + 24}L{end - inside // 2} {top + drop}"/>'
        )
        label = frame.label if len(frame.label) <= 36 else frame.label[:35] + "…"
        self.text((_CLIENT + _SERVER) // 2, top + 17, f"l t-{head}", label)
        self.text(_NUMBER_RIGHT, top + 20, "m r", f"{frame.number}")
        self.text(_TIME_RIGHT, top + 20, "e r", seconds(frame.time_ns - story.start_ns))
        y = top + 18
        for line in said:
            self.text(_TEXT, y, "", line)
            y += _LINE
        for line in equation:
            self.text(_TEXT, y, "e", line)
            y += _LINE_SMALL
        self.y = top + height

    def _silence(self, length_ns: int) -> None:
        height = 34 if length_ns < 1_000_000_000 else 52
        self.parts += [
            f'<path class="quiet" d="M{x} {self.y}v{height}"/>' for x in (_CLIENT, _SERVER)
        ]
        middle = self.y + height // 2 + 4
        text = f"{duration(length_ns)} of silence"
        self.parts.append(
            f'<text class="m" x="{(_CLIENT + _SERVER) // 2}" y="{middle}" '
            f'text-anchor="middle">{text}</text>'
        )
        self.y += height


def _escaped(text: str) -> str:
    """
    Make text that XML allows and takes for nothing else.
    """
    return escape("".join(char if char.isprintable() else "�" for char in text))


def _equation_lines(frame: FrameStory) -> Iterator[str]:
    doubt = main_doubt(frame)
    text = f"{doubt} {main_equation(frame)}" if doubt else main_equation(frame)
    yield from textwrap.wrap(text, _EQUATION_COLUMNS)
