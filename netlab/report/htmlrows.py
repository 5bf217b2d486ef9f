"""
The rows of a page's ladders: one for each frame, in chunks of a hundred.

A page begins with the rows of its first L{STATIC_ROWS} frames as elements, which need no script. A
further row is a line of JSON, of which the page's script makes the same elements when it comes into
view, is chosen or printed: ten thousand frames would be a hundred thousand elements.

What is shown of the selected frame only stands there compressed (raw DEFLATE, RFC 1951, in base64),
a chunk at a time.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup

from netlab.analysis.explanation.findings import Verdict
from netlab.analysis.explanation.story import CaptureStory, ConversationStory, FrameKind, FrameStory
from netlab.analysis.words.units import duration
from netlab.report.texts import main_doubt, main_equation, payload_text, values_of
from netlab.report.times import PAUSE_MIN_NS, seconds

CHUNK_ROWS: Final = 100

STATIC_ROWS: Final = 200
"""How many rows of a page are elements when it is opened."""

#: A third larger than the tightest, at a third of the time.
_PACKING_LEVEL: Final = 3

_KINDS: Final = tuple(FrameKind)


@dataclass(frozen=True, slots=True)
class RowBefore:
    """
    What stands between two rows: a silence, or what other conversations did meanwhile.
    """

    size: str
    short: str
    sentence: str


@dataclass(frozen=True, slots=True)
class LadderRow:
    """
    A frame as a row.

    @ivar frame: It.
    @ivar time: Seconds since the capture's first.
    @ivar delta: How long after the row before.
    @ivar equation: What explains most of it.
    @ivar doubt: The verdict on that, if it does not hold or cannot be decided.
    @ivar fails: Whether a rule is broken.
    @ivar is_first: Whether it is the first of its ladder.
    @ivar before: What is between it and the row before.
    """

    frame: FrameStory
    time: str
    delta: str
    equation: str
    doubt: str
    fails: bool
    is_first: bool
    before: RowBefore | None


@dataclass(frozen=True, slots=True)
class RowChunk:
    """
    Rows that are laid out together, when they come into view, and the data of their frames.

    @ivar rows: The rows that are elements: all, or none.
    @ivar packed: Otherwise the rows as the script reads them.
    @ivar start: The first row's place in its ladder, from 1.
    @ivar first: The first frame.
    @ivar last: The last frame.
    @ivar count: How many rows there are.
    @ivar data: What is shown of a frame when it is selected.
    """

    rows: Sequence[LadderRow]
    start: int
    first: int
    last: int
    count: int
    packed: Markup
    data: Markup


class SharedTexts:
    """
    The sentences that many findings share, each kept once.

    @ivar known: They.
    @ivar rows: How many rows the page has so far.
    """

    def __init__(self) -> None:
        self.known: list[str] = []
        self.rows = 0
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        """
        Give the number of a sentence.
        """
        number = self._numbers.get(text)
        if number is None:
            number = self._numbers[text] = len(self.known)
            self.known.append(text)
        return number


def chunks_of(
    conversation: ConversationStory, story: CaptureStory, texts: SharedTexts
) -> Iterator[RowChunk]:
    """
    Give a conversation's rows.

    @param texts: What of them stands on the page once.
    """
    rows = list(_rows(conversation, story))
    for at in range(0, len(rows), CHUNK_ROWS):
        part = rows[at : at + CHUNK_ROWS]
        origin_ns = conversation.frames[0].time_ns
        data = {str(row.frame.number): _data(row.frame, origin_ns, texts) for row in part}
        is_static = texts.rows < STATIC_ROWS
        texts.rows += len(part)
        yield RowChunk(
            part if is_static else (),
            at + 1,
            part[0].frame.number,
            part[-1].frame.number,
            len(part),
            Markup() if is_static else in_script([_line(row) for row in part]),
            _packed(data),
        )


def _line(row: LadderRow) -> list[object]:
    """
    Write a row for the script, which makes the elements of it that the template makes.
    """
    frame, before = row.frame, row.before
    return [
        frame.number,
        row.time,
        row.delta,
        int(not frame.is_from_client),
        _KINDS.index(frame.kind),
        int(frame.is_crossed),
        frame.label,
        frame.marks,
        int(row.fails),
        frame.sentence,
        row.equation,
        row.doubt,
        0 if before is None else [before.size, before.short, before.sentence],
    ]


def _data(frame: FrameStory, origin_ns: int, texts: SharedTexts) -> dict[str, Any]:
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


def _rows(conversation: ConversationStory, story: CaptureStory) -> Iterator[LadderRow]:
    before: FrameStory | None = None
    for frame in conversation.frames:
        since = frame.time_ns - before.time_ns if before is not None else 0
        yield LadderRow(
            frame,
            seconds(frame.time_ns - story.start_ns),
            f"+{duration(since)}" if before is not None else "",
            main_equation(frame),
            main_doubt(frame),
            any(finding.verdict is Verdict.FAIL for finding in frame.findings),
            before is None,
            _between(before, frame, since, story) if before is not None else None,
        )
        before = frame


def _between(
    before: FrameStory, frame: FrameStory, since: int, story: CaptureStory
) -> RowBefore | None:
    """
    Say what is between two frames of a conversation, if it is more than a moment.
    """
    others = frame.number - before.number - 1
    meanwhile = ""
    if others and story.conversation_count > 1:
        where = f"#{before.number + 1}" + (f" to #{frame.number - 1}" if others > 1 else "")
        meanwhile = f"Meanwhile elsewhere: {where}."
    if since < PAUSE_MIN_NS:
        return RowBefore("meanwhile g1", "", meanwhile) if meanwhile else None
    sizes = ((250_000_000, "g1"), (1_000_000_000, "g2"), (5_000_000_000, "g3"))
    size = next((name for limit, name in sizes if since < limit), "g4")
    sentence = f"{duration(since)} in which nothing of this conversation travels. {meanwhile}"
    return RowBefore(size, duration(since), sentence.rstrip())


def in_script(value: object) -> Markup:
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
