"""
What several reports say of a frame in the same words.
"""

from __future__ import annotations

from typing import Final

from netlab.analysis.claims.answers import Question
from netlab.analysis.explanation.story import PAYLOAD_SHOWN_MAX_BYTES, ConversationStory, FrameStory
from netlab.analysis.words.units import count

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
    return {
        "flags": ", ".join(frame.flags),
        "seq (relative)": frame.seq,
        "ack (relative)": frame.ack,
        "next seq": frame.nxtseq,
        "len": frame.len,
        "window": frame.window_size,
        "in flight": frame.bytes_in_flight,
        "frame length": frame.frame_len,
    }


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
