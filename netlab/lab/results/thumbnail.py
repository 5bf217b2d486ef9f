"""
A ladder of a whole capture, small and without words, for a page of many.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from netlab.analysis.explanation.story import CaptureStory, FrameStory

#: Further frames are not drawn: nobody would tell them apart.
FRAMES_MAX: Final = 60

_WIDTH: Final = 220
_HEIGHT: Final = 150
_CLIENT, _SERVER = 30, 190
_TOP, _BOTTOM = 12, 138

#: The colours of the reports, in light and in dark.
_STYLE: Final = """
svg{--client:#1a57b8;--server:#a84c08;--fail:#b3202b;--line:#b9b5aa}
@media (prefers-color-scheme:dark){svg{--client:#82b4ff;--server:#ffb27a;--fail:#ff8a86;
--line:#4a5463}}
line{stroke-width:1.3}.life{stroke:var(--line);stroke-width:1}
.c{stroke:var(--client)}.s{stroke:var(--server)}.data{stroke-width:2.6}
.opening,.closing{stroke-dasharray:7 3;stroke-width:1.8}.probe{stroke-dasharray:2 3}
.reset{stroke:var(--fail);stroke-width:2.4}
""".strip()


def render(story: CaptureStory) -> str:
    """
    Draw the first frames of a story, one below the other.

    @return: an SVG image; it has no text, and needs one beside it.
    """
    frames = list(islice(_frames(story), FRAMES_MAX))
    step = (_BOTTOM - _TOP) / max(12, len(frames))
    # Each arrow falls a little, as time does.
    fall = min(5.0, step)
    lines = [
        f'<line class="life" x1="{x}" y1="{_TOP - 6}" x2="{x}" y2="{_BOTTOM + 6}"/>'
        for x in (_CLIENT, _SERVER)
    ]
    for at, frame in enumerate(frames):
        y = _TOP + at * step
        start, end = (_CLIENT, _SERVER) if frame.is_from_client else (_SERVER, _CLIENT)
        way = "c" if frame.is_from_client else "s"
        lines.append(
            f'<line class="{way} {frame.kind.value}" x1="{start}" y1="{y:.1f}" '
            f'x2="{end}" y2="{y + fall:.1f}"/>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}"><style>{_STYLE}</style>{"".join(lines)}</svg>\n'
    )


def _frames(story: CaptureStory) -> Iterator[FrameStory]:
    """
    Give the frames of all conversations in the order of the capture.
    """
    every = [frame for conversation in story.conversations for frame in conversation.frames]
    return iter(sorted(every, key=lambda frame: frame.number))
