"""
A conversation in a few words, by its figures alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from netlab.analysis.observations.sketches import Fate, Outline
from netlab.analysis.words.units import count, duration

FATES: Final[Mapping[Fate, str]] = {
    Fate.UNANSWERED: "not answered",
    Fate.REFUSED: "refused",
    Fate.RESET: "with a RST",
    Fate.STALLED: "with a zero window",
    Fate.REPEATED: "with retransmissions",
    Fate.GAPS: "with segments not captured",
    Fate.SLOW: "slow",
    Fate.CALM: "without a fault",
}
"""What can stand behind a number of conversations."""

_ALONE: Final[Mapping[Fate, str]] = {
    Fate.UNANSWERED: "not answered",
    Fate.REFUSED: "refused",
    Fate.RESET: "RST",
    Fate.STALLED: "zero window",
}


def outline_words(outline: Outline, title: str = "") -> str:
    """
    Say what went wrong in a conversation, as far as its figures show.

    @param title: The title of its story, if it has one: that says how it ended.
    """
    parts = []
    if title:
        parts.append(title)
    elif outline.fate in _ALONE:
        parts.append(_ALONE[outline.fate])
    if outline.repeats:
        parts.append(count(outline.repeats, "retransmission"))
    if outline.gaps:
        parts.append(count(outline.gaps, "gap"))
    if outline.lost_ns:
        parts.append(f"{duration(outline.lost_ns)} of waiting")
    return "; ".join(parts) or "no fault"
