"""
A story as one HTML file that needs nothing else.

Everything is inside: style, script, drawings and data. A Content-Security-Policy in the page allows
this style and this script, by their hashes, and no request to anywhere. What came from the capture
passes through Jinja2's autoescaping, or through JSON in which C{<} is escaped.

L{netlab.report.htmlrows} makes the rows of its ladders, of which only the first are elements.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from netlab.analysis.claims.ranking import NO_FAULT
from netlab.analysis.explanation.conversationstories import completeness_text
from netlab.analysis.explanation.findings import Verdict
from netlab.analysis.explanation.story import Answer, CaptureStory, ConversationStory, FrameKind
from netlab.analysis.words.units import count, duration
from netlab.report.htmlrows import STATIC_ROWS, SharedTexts, chunks_of, in_script
from netlab.report.plots import LEGEND, SIGNS, WIDTH, PlotStack, plots_of
from netlab.report.texts import (
    HEADINGS,
    HOW_TO_CHOOSE,
    listing_of,
    passages_shown,
    untold_text,
)
from netlab.report.times import TimeAxis

_OVERVIEW_MAX: Final = 24

#: Lines are links here, and the page can be searched.
_LINES_MAX: Final = 200
_CITATION: Final = re.compile(r"#(\d+)")
_NUMBER: Final = re.compile(r"\d+")
_CONVERSATIONS: Final = re.compile(r"\b([Cc]onversations?) (\d+(?:(?:, | and )\d+)*)")


@dataclass(frozen=True, slots=True)
class _Drawing:
    height: int
    summary: str
    svg: Markup


@dataclass(frozen=True, slots=True)
class Link:
    """
    A link from a report to what belongs to it.

    @ivar text: What it says.
    @ivar href: Where it leads, relative to the report.
    """

    text: str
    href: str


def render(story: CaptureStory, name: str) -> str:
    """
    Lay a story out.

    @param story: The story.
    @param name: What the page is called, such as the capture's file name.
    @return: The page.
    """
    return "".join(pieces(story, name))


def pieces(story: CaptureStory, name: str, links: Sequence[Link] = ()) -> Iterator[str]:
    """
    Lay a story out piece by piece, so that a large page need not be in memory as a whole.

    @param story: The story.
    @param name: What the page is called.
    @param links: To what lies beside it.
    """
    environment = Environment(
        loader=PackageLoader("netlab.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    told = {frame.number for each in story.conversations for frame in each.frames}
    reported = {each.stream for each in story.conversations}
    environment.filters["linked"] = lambda text: _linked(text, told)
    style, script = source(environment, "report.css"), source(environment, "report.js")
    texts = SharedTexts()
    template = environment.get_template("report.html.j2")
    conversations = [_conversation(each, story, texts) for each in story.conversations]
    verdicts = Counter(
        finding.verdict.value
        for each in story.conversations
        for frame in each.frames
        for finding in frame.findings
    )
    kinds = list(FrameKind)
    yield from template.generate(
        name=name,
        story=story,
        links=links,
        conversations=conversations,
        answers=[
            (
                HEADINGS[question],
                [
                    _answer(each, told, reported)
                    for each in story.answers
                    if each.question is question
                ],
            )
            for question in dict.fromkeys(each.question for each in story.answers)
        ],
        overview=_overview(story),
        passages=passages_shown(story),
        plot_width=WIDTH,
        signs={name: Markup(sign) for name, sign in LEGEND.items()},  # noqa: S704 -- our own
        sign_words=SIGNS,
        listing=listing_of(story, _LINES_MAX),
        how_to_choose=HOW_TO_CHOOSE,
        no_fault=NO_FAULT,
        streams=reported,
        kinds=kinds,
        kind_names=in_script([str(kind) for kind in kinds]),
        has_packed_rows=texts.rows > STATIC_ROWS,
        verdicts={verdict.value: verdicts[verdict.value] for verdict in Verdict},
        style=Markup(style),  # noqa: S704 -- our own file
        script=Markup(script),  # noqa: S704 -- our own file
        style_hash=content_hash(style),
        script_hash=content_hash(script),
        texts=in_script(texts.known),
    )


def source(environment: Environment, name: str) -> str:
    """
    Give a file of our own that becomes a part of a page.
    """
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def content_hash(text: str) -> str:
    """
    Name a part of a page as its Content-Security-Policy allows it.
    """
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def _linked(text: str, told: set[int]) -> Markup:
    """
    Make links of the frames that a text cites.
    """

    def link(match: re.Match[str]) -> str:
        if int(match[1]) not in told:
            return match[0]
        return f'<a class="cite" href="#f{match[1]}">{match[0]}</a>'

    # Escaping writes quotes as &#39; and &#34;, which look like citations: digits in an entity are
    # followed by a semicolon and preceded by an ampersand.
    escaped = re.split(r"(&#?\w+;)", str(escape(text)))
    escaped[::2] = [_CITATION.sub(link, part) for part in escaped[::2]]
    return Markup("".join(escaped))  # noqa: S704 -- escaped above


def _answer(answer: Answer, told: set[int], reported: set[int]) -> Markup:
    """
    Make links of the frames and conversations that an answer is about, each once.
    """
    named: set[int] = set()

    def link(stream: int, text: str) -> str:
        named.add(stream)
        return f'<a href="#c{stream}">{text}</a>' if stream in reported else text

    def listed(match: re.Match[str]) -> str:
        numbers = _NUMBER.sub(lambda each: link(int(each[0]), each[0]), match[2])
        return f"{match[1]} {numbers}"

    text = _CONVERSATIONS.sub(listed, str(_linked(answer.sentence, told)))
    others = [each for each in answer.streams if each in reported and each not in named]
    if len(reported) > 1:
        text += "".join(f" {link(each, f'conversation {each}')}" for each in others)
    return Markup(text)  # noqa: S704 -- escaped above, and numbers


def _conversation(
    conversation: ConversationStory, story: CaptureStory, texts: SharedTexts
) -> dict[str, Any]:
    plots = plots_of(conversation)
    return {
        "story": conversation,
        "frame_count": count(conversation.frame_count, "frame"),
        "duration": conversation.lasted,
        "completeness": completeness_text(conversation.completeness),
        "plots": plots,
        "svg": Markup(plots.svg) if plots is not None else "",  # noqa: S704 -- our own drawing
        "axis": _axis(conversation, plots),
        "chunks": list(chunks_of(conversation, story, texts)),
        "left_out": untold_text(conversation),
    }


def _axis(conversation: ConversationStory, plots: PlotStack | None) -> str:
    """
    Give the time axis to the script, in microseconds since the first frame.
    """
    if plots is None:
        return "[]"
    stops = plots.axis.stops
    first = conversation.frames[0].time_ns
    return json.dumps([[(time - first) / 1000, round(place, 2)] for time, place in stops])


def _overview(story: CaptureStory) -> _Drawing | None:
    """
    Draw when each conversation lived, if there are several.
    """
    told = story.conversations[:_OVERVIEW_MAX]
    if len(told) < 2:
        return None
    moments = sorted(
        {frame.time_ns for each in told for frame in each.frames}
        | {time for each in told for time in (each.start_ns, each.end_ns)}
    )
    left, right = 150, 1190
    axis = TimeAxis(moments, left, right)
    rest = len(story.conversations) - len(told)
    height = 18 * len(told) + 30
    parts = [
        f'<rect class="pause" x="{pause.start:.1f}" y="4" width="{pause.end - pause.start:.1f}" '
        f'height="{height - 30}"/><text class="tick" x="{(pause.start + pause.end) / 2:.1f}" '
        f'y="{height - 10}" text-anchor="middle">{duration(pause.length_ns)}</text>'
        for pause in axis.pauses
    ]
    for index, each in enumerate(told):
        y = 6 + 18 * index
        start, end = axis.place(each.start_ns), axis.place(each.end_ns)
        parts.append(
            f'<a href="#c{each.stream}"><text class="tick" x="{left - 8}" y="{y + 11}" '
            f'text-anchor="end">conversation {each.stream}</text><rect class="life" '
            f'x="{start:.1f}" y="{y + 2}" width="{max(end - start, 2):.1f}" height="10" rx="3"/>'
            "</a>"
        )
    if rest:
        parts.append(
            f'<text class="tick" x="{left}" y="{height - 10}">and {rest} more, in the list below'
            "</text>"
        )
    which = "" if len(told) == len(story.conversations) else "the first "
    summary = f"When each of {which}{count(len(told), 'conversation')} began and ended."
    return _Drawing(height, summary, Markup("".join(parts)))  # noqa: S704 -- numbers and our words
