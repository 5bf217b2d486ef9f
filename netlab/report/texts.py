"""
What several reports say of a frame in the same words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from netlab.analysis.claims.answers import Question
from netlab.analysis.explanation.findings import Verdict
from netlab.analysis.explanation.story import (
    LISTED_MIN,
    PAYLOAD_SHOWN_MAX_BYTES,
    CaptureStory,
    ConversationLine,
    ConversationStory,
    FrameStory,
    Passage,
)
from netlab.analysis.words.outlines import FATES
from netlab.analysis.words.units import count, duration
from netlab.capture.sendernotes import SenderNote

_BYTES_A_LINE: Final = 16
_PRINTABLE: Final = bytes(range(0x20, 0x7F))
_TEXT: Final = _PRINTABLE + b"\r\n\t"

#: How each byte of a text is shown: what is no printable ASCII is escaped, a line's end is kept.
_VISIBLE: Final = {
    **{byte: f"\\x{byte:02x}" for byte in range(256) if byte not in _PRINTABLE},
    0x0A: "\\n\n",
    0x0D: "\\r",
}

#: What stands above the answers to a question.
HEADINGS: Final = {
    Question.SHOWS: "What it shows",
    Question.WRONG: "What went wrong",
    Question.TIME: "Where the time went",
    Question.LIMITS: "What to know about the capture",
    Question.WHERE: "Where to look",
}


LINES_SHOWN: Final = 20
"""How many conversations in which something went wrong a list for reading has."""

CALM_SHOWN: Final = 5
"""How many groups of conversations without a fault it has."""

PASSAGES_SHOWN: Final = 6
"""How many remarks on the whole of a large capture a page has."""

SLOWEST_SHOWN: Final = 5
"""How many conversations it has where nothing went wrong."""


class ConversationList(NamedTuple):
    """
    The list of conversations that a report begins with.

    @ivar heading: What stands above it.
    @ivar lines: The conversations.
    @ivar rest: What is left out of it, a sentence or a few words each.
    """

    heading: str
    lines: Sequence[ConversationLine]
    rest: Sequence[str]


def listing_of(story: CaptureStory, at_most: int = LINES_SHOWN) -> ConversationList | None:
    """
    List the conversations of a capture, the worst first; those without a fault are counted.

    @param at_most: How many lines it has.
    @return: C{None} where there are so few that each is explained anyway.
    """
    if len(story.lines) < LISTED_MIN and not story.is_abridged:
        return None
    faulty = story.faulty
    shown = faulty[:at_most]
    heading = "Conversations in which something went wrong, the worst first"
    if not faulty:
        shown = story.lines[:SLOWEST_SHOWN]
        is_slow = any(each.outline.lost_ns for each in shown)
        heading = "The conversations with the longest waits" if is_slow else "Conversations"
    rest = []
    if more := faulty[at_most:]:
        kinds = Counter(each.outline.fate for each in more)
        told = ", ".join(f"{kinds[fate]} {words}" for fate, words in FATES.items() if kinds[fate])
        rest.append(
            f"{count(len(more), 'more conversation')} in which something went wrong: {told}."
        )
    calm = sum(each.group.conversations for each in story.calm)
    if calm:
        rest.append(f"{count(calm, 'conversation')} without a fault:")
    for each in story.calm[:CALM_SHOWN]:
        conversations, frames, size = each.group
        with_whom = "with other servers" if each.server is None else f"with {each.server}"
        rest.append(
            f"{count(conversations, 'conversation')} {with_whom}, {count(frames, 'frame')}, "
            f"{count(size, 'byte')}"
        )
    if len(story.calm) > CALM_SHOWN:
        others = sum(each.group.conversations for each in story.calm[CALM_SHOWN:])
        servers = count(len(story.calm) - CALM_SHOWN, "other server or port", "others")
        rest.append(f"{count(others, 'conversation')} with {servers}")
    return ConversationList(heading, shown, rest)


def passages_shown(story: CaptureStory) -> tuple[Sequence[Passage], str]:
    """
    Choose what a report says of the whole capture.

    @return: The passages; how many more there are of a capture summed up in a page, or nothing.
    """
    most = PASSAGES_SHOWN if story.is_abridged else len(story.passages)
    rest = len(story.passages) - most
    return story.passages[:most], f"{count(rest, 'more remark')}." if rest > 0 else ""


HOW_TO_CHOOSE: Final = (
    "Explain one with --conversation N, some with --host or --port, and each with --all."
)


def main_doubt(frame: FrameStory) -> str:
    """
    Give the verdict on that equation, if it is not that it holds: what stands out is what does not.
    """
    verdict = frame.findings[0].verdict if frame.findings else Verdict.NOTED
    return verdict.value if verdict in (Verdict.FAIL, Verdict.UNKNOWN) else ""


def main_equation(frame: FrameStory) -> str:
    """
    Give the equation that explains most of a frame: of its acknowledgement number, or without one
    of its sequence number.
    """
    return frame.findings[0].equation if frame.findings else ""


def values_of(frame: FrameStory) -> dict[str, int | str]:
    """
    Give a frame's figures by Wireshark's names.
    """
    values: dict[str, int | str] = {
        "flags": ", ".join(frame.flags),
        "seq (relative)": frame.seq,
        "ack (relative)": frame.ack,
        "next seq": frame.nxtseq,
        "len": frame.len,
        "window": frame.window_size,
        "in flight": frame.bytes_in_flight,
        "frame length": frame.frame_len,
    }
    if frame.sender is not None:
        values |= _sender_values(frame.sender)
    return values


def _sender_values(note: SenderNote) -> dict[str, int | str]:
    """
    Give what a sender knew, by the names of RFC 5681 and RFC 6298.
    """
    threshold = note.ssthresh_bytes
    values: dict[str, int | str] = {
        "sent because of": note.reason,
        "cwnd": f"{note.cwnd} segments ({note.cwnd_bytes} bytes)",
        "ssthresh": "none yet" if threshold is None else f"{note.ssthresh} segments",
        "in flight (sender)": f"{note.flight} segments",
        "state": note.recovery,
        "SRTT": duration(note.srtt_ns) if note.srtt_ns else "not measured yet",
        "RTO": duration(note.rto_ns),
    }
    if note.timer:
        values["timer"] = f"{note.timer} in {duration(note.timer_ns)}"
    for name, number, unit in (
        ("SACKed", note.sacked, "segment"),
        ("taken for lost", note.lost, "segment"),
        ("not sent yet", note.unsent, "byte"),
        ("not read yet", note.unread, "byte"),
        ("behind a gap", note.out_of_order, "byte"),
        ("queued in the interface", note.queued, "frame"),
    ):
        if number:
            values[name] = count(number, unit)
    return values


def untold_text(conversation: ConversationStory) -> str:
    """
    Say how many of a conversation's frames are not told one by one; nothing if all are.
    """
    rest = conversation.frame_count - len(conversation.frames)
    if not rest:
        return ""
    return f"{count(rest, 'more frame' if conversation.frames else 'frame')}, summarised only."


def payload_text(frame: FrameStory) -> str:
    """
    Show a frame's payload: text as text, anything else in hexadecimal; bounded, and without any
    character that does more than be seen.
    """
    data = frame.payload
    if not data:
        return ""
    strange = len(data.translate(None, _TEXT))
    if strange <= 0.1 * len(data):
        shown = data.decode("latin-1").translate(_VISIBLE)
    else:
        shown = "\n".join(
            f"{at:04x}  {data[at : at + _BYTES_A_LINE].hex(' ')}"
            for at in range(0, len(data), _BYTES_A_LINE)
        )
    if frame.len > len(data) and len(data) == PAYLOAD_SHOWN_MAX_BYTES:
        shown += f"\n… {frame.len - len(data)} bytes more"
    return shown
