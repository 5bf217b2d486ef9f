"""
A story as one HTML file that needs nothing else.

Everything is inside: style, script, drawings and data. A Content-Security-Policy in the page allows
this style and this script, by their hashes, and no request to anywhere. What came from the capture
passes through Jinja2's autoescaping, or through JSON in which C{<} is escaped.

What is shown of the selected frame only stands there compressed (raw DEFLATE, RFC 1951, in base64),
a hundred frames at a time: uncompressed it would be most of the page.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from netlab.analysis.claims.ranking import NO_FAULT
from netlab.analysis.explanation.conversationstories import completeness_text
from netlab.analysis.explanation.findings import Verdict
from netlab.analysis.explanation.story import CaptureStory, ConversationStory, FrameKind, FrameStory
from netlab.analysis.words.units import count, duration
from netlab.report.plots import LEGEND, SIGNS, WIDTH, PlotStack, plots_of
from netlab.report.texts import (
    HEADINGS,
    HOW_TO_CHOOSE,
    listing_of,
    main_equation,
    passages_shown,
    payload_text,
    untold_text,
    values_of,
)
from netlab.report.times import PAUSE_MIN_NS, TimeAxis, seconds

_CHUNK_ROWS: Final = 100

#: A third larger than the tightest, at a third of the time.
_PACKING_LEVEL: Final = 3

_OVERVIEW_MAX: Final = 24

#: Lines are links here, and the page can be searched.
_LINES_MAX: Final = 200
_CITATION: Final = re.compile(r"#(\d+)")


@dataclass(frozen=True, slots=True)
class _Before:
    """
    What stands between two rows: a silence, or what other conversations did meanwhile.
    """

    size: str
    short: str
    sentence: str


@dataclass(frozen=True, slots=True)
class _Row:
    frame: FrameStory
    time: str
    delta: str
    equation: str
    fails: bool
    is_first: bool
    before: _Before | None


@dataclass(frozen=True, slots=True)
class _Chunk:
    """
    Rows that are laid out together, when they come into view, and the data of their frames.
    """

    rows: Sequence[_Row]
    start: int
    first: int
    last: int
    data: Markup


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
    environment.filters["linked"] = lambda text: _linked(text, told)
    style, script = source(environment, "report.css"), source(environment, "report.js")
    texts = _Texts()
    template = environment.get_template("report.html.j2")
    conversations = [_conversation(each, story, texts) for each in story.conversations]
    verdicts = Counter(
        finding.verdict.value
        for each in story.conversations
        for frame in each.frames
        for finding in frame.findings
    )
    yield from template.generate(
        name=name,
        story=story,
        links=links,
        conversations=conversations,
        answers=[
            (HEADINGS[question], [each for each in story.answers if each.question is question])
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
        streams={each.stream for each in story.conversations},
        kinds=list(FrameKind),
        verdicts={verdict.value: verdicts[verdict.value] for verdict in Verdict},
        style=Markup(style),  # noqa: S704 -- our own file
        script=Markup(script),  # noqa: S704 -- our own file
        style_hash=content_hash(style),
        script_hash=content_hash(script),
        texts=_json(texts.known),
    )


class _Texts:
    """
    The sentences that many findings share, each kept once.
    """

    def __init__(self) -> None:
        self.known: list[str] = []
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        number = self._numbers.get(text)
        if number is None:
            number = self._numbers[text] = len(self.known)
            self.known.append(text)
        return number


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


def _json(value: object) -> Markup:
    """
    Write JSON that may stand inside a script element: nothing in it ends the element.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 -- no character of it means anything in HTML


def _packed(value: object) -> Markup:
    """
    Write JSON as the script unpacks it.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    packer = zlib.compressobj(_PACKING_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(text.encode("utf-8", "backslashreplace")) + packer.flush()
    return Markup(base64.b64encode(packed).decode("ascii"))  # noqa: S704 -- base64


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


def _conversation(
    conversation: ConversationStory, story: CaptureStory, texts: _Texts
) -> dict[str, Any]:
    rows = list(_rows(conversation, story))
    plots = plots_of(conversation)
    chunks = [
        _chunk(rows[at : at + _CHUNK_ROWS], at + 1, conversation.frames[0].time_ns, texts)
        for at in range(0, len(rows), _CHUNK_ROWS)
    ]
    return {
        "story": conversation,
        "frame_count": count(conversation.frame_count, "frame"),
        "duration": conversation.lasted,
        "completeness": completeness_text(conversation.completeness),
        "plots": plots,
        "svg": Markup(plots.svg) if plots is not None else "",  # noqa: S704 -- our own drawing
        "axis": _axis(conversation, plots),
        "chunks": chunks,
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


def _chunk(rows: Sequence[_Row], start: int, origin_ns: int, texts: _Texts) -> _Chunk:
    first = rows[0].frame
    data = {str(row.frame.number): _data(row.frame, origin_ns, texts) for row in rows}
    return _Chunk(rows, start, first.number, rows[-1].frame.number, _packed(data))


def _data(frame: FrameStory, origin_ns: int, texts: _Texts) -> dict[str, Any]:
    """
    Give a frame's findings, values and payload to the script.
    """
    return {
        "f": [
            (
                texts.number(finding.rule),
                finding.verdict.value,
                finding.equation,
                texts.number(finding.sentence),
                finding.frames if index == 0 else (),
            )
            for index, finding in enumerate(frame.findings)
        ],
        "v": values_of(frame),
        "p": payload_text(frame),
        "t": (frame.time_ns - origin_ns) / 1000,
    }


def _rows(conversation: ConversationStory, story: CaptureStory) -> Iterator[_Row]:
    before: FrameStory | None = None
    for frame in conversation.frames:
        since = frame.time_ns - before.time_ns if before is not None else 0
        yield _Row(
            frame,
            seconds(frame.time_ns - story.start_ns),
            f"+{duration(since)}" if before is not None else "",
            main_equation(frame),
            any(finding.verdict is Verdict.FAIL for finding in frame.findings),
            before is None,
            _between(before, frame, since, story) if before is not None else None,
        )
        before = frame


def _between(
    before: FrameStory, frame: FrameStory, since: int, story: CaptureStory
) -> _Before | None:
    """
    Say what is between two frames of a conversation, if it is more than a moment.
    """
    others = frame.number - before.number - 1
    meanwhile = ""
    if others and story.conversation_count > 1:
        where = f"#{before.number + 1}" + (f" to #{frame.number - 1}" if others > 1 else "")
        meanwhile = f"Meanwhile elsewhere: {where}."
    if since < PAUSE_MIN_NS:
        return _Before("meanwhile g1", "", meanwhile) if meanwhile else None
    sizes = ((250_000_000, "g1"), (1_000_000_000, "g2"), (5_000_000_000, "g3"))
    size = next((name for limit, name in sizes if since < limit), "g4")
    sentence = f"{duration(since)} in which nothing of this conversation travels. {meanwhile}"
    return _Before(size, duration(since), sentence.rstrip())


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
