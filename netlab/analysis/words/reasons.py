"""
Sentences of the topic C{reasons}.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from netlab.analysis.claims.claim import Claim
from netlab.analysis.words.causes import possible
from netlab.analysis.words.phrases import amount, nothing, time, who, whole, word


def _first(claim: Claim) -> str:
    del claim
    return "The first connection of this client to this server's port in this capture."


def _after(claim: Claim) -> str:
    before = f"conversation {whole(claim, 'before')}"
    frame = f"#{claim.frames[-2]}"
    match word(claim, "how"):
        case "refused":
            return f"Another attempt: the one before, {before}, had been refused ({frame})."
        case "reset":
            return f"A new connection: {who(claim)} had reset the one before, {before} ({frame})."
        case _:
            text = f"A new connection: {who(claim)} had closed the one before, {before} ({frame})"
            if "announced_frame" in claim.figures:
                return f"{text}, as Connection: close in #{claim.frames[0]} had announced."
            if "idle_ns" in claim.figures:
                return f"{text}, after {time(claim, 'idle_ns')} without data."
            return f"{text}."


def _attempt(claim: Claim) -> str:
    return (
        f"Another attempt to connect: the one before, conversation {whole(claim, 'before')}, had "
        "not been answered by then."
    )


def _beside(claim: Claim) -> str:
    return (
        f"A further connection: the one before, conversation {whole(claim, 'before')}, had neither "
        "been closed nor reset by then."
    )


def _no_bytes(claim: Claim) -> str:
    end = "opened and closed" if claim.figures["closed"] else "opened"
    return f"The connection was {end} without a byte of data.{possible(claim)}"


def _series(claim: Claim) -> str:
    text = amount(claim, "connections", "connection") + " of one client "
    text += (
        f"to port {whole(claim, 'port')}"
        if whole(claim, "ports") == 1
        else f"to {amount(claim, 'ports', 'port')}"
    )
    match claim.kind:
        case "reasons.series-half-open":
            text += " were reset right after the SYN-ACK, before they were open"
        case "reasons.series-refused":
            text += " were refused"
        case _:
            text += " were opened and ended without a byte"
    if "every_ns" in claim.figures:
        text += f", one every {time(claim, 'every_ns')}"
        if not claim.figures["regular"]:
            text += " on average"
    return f"{text}.{possible(claim)}"


WORDS: Final[Mapping[str, Callable[[Claim], str]]] = {
    "reasons.first": _first,
    "reasons.after-the-end": _after,
    "reasons.another-attempt": _attempt,
    "reasons.beside": _beside,
    "reasons.no-bytes": _no_bytes,
    "reasons.series-half-open": _series,
    "reasons.series-refused": _series,
    "reasons.series-no-bytes": _series,
}

FRAME_WORDS: Final[Mapping[str, Callable[[Claim], str]]] = dict.fromkeys(WORDS, nothing)
