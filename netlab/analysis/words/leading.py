"""
Sentences of the topics C{dns} and C{arp}.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from netlab.analysis.claims.claim import Claim
from netlab.analysis.words.causes import possible
from netlab.analysis.words.phrases import amount, frames, last, time, whole, word


def _named(claim: Claim) -> str:
    name = word(claim, "name_text")
    return f"the name {name}" if name else "a name"


def _answered(claim: Claim) -> str:
    *_, answer, syn = claim.frames
    took = (
        f", {time(claim, 'took_ns')} after the question in #{claim.frames[0]}"
        if "took_ns" in claim.figures
        else ""
    )
    return (
        f"The client had asked DNS: {_named(claim)} was answered by the server's address in "
        f"#{answer}{took}, {time(claim, 'before_ns')} before the SYN in #{syn}."
    )


def _failed(claim: Claim) -> str:
    return (
        f"DNS returns no address for {_named(claim)} (record {word(claim, 'record')}): "
        f"{word(claim, 'failure')} ({last(claim)}). Without an address no connection to it can be "
        "opened."
    )


def _unanswered(claim: Claim) -> str:
    questions = whole(claim, "questions")
    often = f"asked {questions} times" if questions > 1 else "asked"
    text = f"DNS was {often} for {_named(claim)} and did not answer ({frames(claim)})."
    return text + possible(claim)


def _neighbour(claim: Claim) -> str:
    return (
        f"{word(claim, 'by')} asks by ARP for the hardware address of {word(claim, 'address')}, "
        f"{amount(claim, 'requests', 'time')} ({frames(claim)}), and no frame of that host "
        f"was captured. Without an answer it can send no packet there, nor open a connection."
        f"{possible(claim)}"
    )


WORDS: Final[Mapping[str, Callable[[Claim], str]]] = {
    "dns.answered": _answered,
    "dns.failed": _failed,
    "dns.unanswered": _unanswered,
    "arp.unanswered": _neighbour,
}

FRAME_WORDS: Final[Mapping[str, Callable[[Claim], str]]] = {"dns.answered": lambda _: ""}
