"""
Sentences of the topic C{opening}.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from netlab.analysis.claims.claim import Claim
from netlab.analysis.words.causes import possible, rule
from netlab.analysis.words.phrases import (
    amount,
    frames,
    last,
    nothing,
    peer,
    time,
    who,
    whole,
    word,
)


def _handshake(claim: Claim) -> str:
    text = f"The client opens the connection with a three-way handshake ({frames(claim)})"
    if "far_ns" not in claim.figures:
        return f"{text}. The capture's clock is not consistent there, so no durations are given."
    return (
        f"{text} in {time(claim, 'total_ns')}: {time(claim, 'far_ns')} to the SYN-ACK, "
        f"{time(claim, 'near_ns')} from there to the ACK, as seen where this was captured."
    )


def _unanswered(claim: Claim) -> str:
    syns = amount(claim, "syns", "SYN")
    text = f"Neither a SYN-ACK nor a RST answers the client: {syns} ({frames(claim)})"
    if whole(claim, "syns") > 1 and "waited_ns" in claim.figures:
        text += f" in {time(claim, 'waited_ns')}"
        if claim.figures["doubling"]:
            text += ", with waits that double"
    return f"{text}.{possible(claim)}"


def _answer_not_captured(claim: Claim) -> str:
    return (
        f"The client acknowledges in #{claim.frames[-1]} a SYN-ACK that was not captured: the "
        "server answered, but none of its segments was captured."
    )


def _no_syn_ack(claim: Claim) -> str:
    return (
        f"The client asks for a connection (#{claim.frames[0]}); {who(claim)} sends segments "
        f"(from #{claim.frames[-1]}), but no SYN-ACK was captured."
    )


def _not_captured(claim: Claim) -> str:
    text = (
        "The connection was already open when the capture began. Its initial sequence numbers and "
        "window scales are not known, and which end opened it is a guess."
    )
    if not claim.figures["both"]:
        text += " Only segments of one end were captured."
    return text


def _unconfirmed(claim: Claim) -> str:
    return (
        f"Neither a SYN nor an answer other than a RST was captured: whether there is a connection "
        f"that #{claim.frames[0]} belongs to is not known.{possible(claim)}"
    )


def _no_ack_flag(claim: Claim) -> str:
    flags = word(claim, "flags")
    what = f"sets {flags} and no ACK" if flags else "sets no flag at all"
    return (
        f"#{claim.frames[0]} {what}, as no segment of a connection does once it is "
        f"open{rule(claim)}.{possible(claim)}"
    )


def _syn_not_captured(claim: Claim) -> str:
    text = f"The client's SYN was not captured; the server's SYN-ACK is #{claim.frames[-1]}."
    if not claim.figures["both"]:
        text += " Nothing that the client sent was captured."
    return text


def _odd_flags(claim: Claim) -> str:
    return (
        f"#{claim.frames[-1]} sets {word(claim, 'flags')} together: no TCP implementation opens "
        f"a connection this way.{possible(claim)}"
    )


def _simultaneous(claim: Claim) -> str:
    return (
        f"Simultaneous open{rule(claim)}: both ends send a SYN before the other's has arrived, "
        f"and each answers with a SYN-ACK ({frames(claim)})."
    )


def _split(claim: Claim) -> str:
    return (
        f"Split handshake{rule(claim)}: the server answers the SYN with a SYN of its own instead "
        f"of a SYN-ACK, and the other end acknowledges that ({frames(claim)})."
    )


def _both_unanswered(claim: Claim) -> str:
    return (
        f"Both ends send SYNs ({frames(claim)}), and neither acknowledges the other's in this "
        "capture."
    )


def _one_end(claim: Claim) -> str:
    return (
        f"Both ends have the same address and port (from #{claim.frames[0]} on), so which end sent "
        f"what cannot be told, and nothing more is claimed.{possible(claim)}"
    )


def _old(claim: Claim) -> str:
    return (
        f"{who(claim)} answers the SYN #{claim.frames[0]} with an ACK of an unrelated number "
        f"(#{claim.frames[-1]}): it still has an old connection between these ports, a half-open "
        f"one{rule(claim)}."
    )


def _syn_lost(claim: Claim) -> str:
    syns = whole(claim, "syns") - 1
    early = "The first SYN" if syns == 1 else f"The first {syns} SYNs"
    text = f"{early} got no answer in this capture; the client sent it again ({frames(claim)})"
    text += f", at a cost of {time(claim, 'cost_ns')}."
    if "answered_ns" in claim.figures:
        text += f" The SYN-ACK came {time(claim, 'answered_ns')} after the last SYN."
    return f"{text}{possible(claim)}"


def _answered_late(claim: Claim) -> str:
    text = f"The SYN #{claim.frames[0]} was answered"
    if "answered_ns" in claim.figures:
        text += f" after {time(claim, 'answered_ns')}"
    return (
        f"{text}, by the time stamp of the SYN-ACK #{claim.frames[-1]}{rule(claim)}: it was slow, "
        "not lost, and the client had sent its SYN again by then."
    )


def _syn_ack_lost(claim: Claim) -> str:
    return (
        f"The SYN-ACK #{claim.frames[0]} was seen here, yet the client sends its SYN again "
        f"(#{claim.frames[-1]}), {time(claim, 'cost_ns')} later.{possible(claim)}"
    )


def _syn_ack_discarded(claim: Claim) -> str:
    return (
        f"The SYN-ACK #{claim.frames[0]} has a wrong checksum, so the client must discard it"
        f"{rule(claim)} and sends its SYN again ({last(claim)}): {time(claim, 'cost_ns')} lost."
    )


def _syn_ack_repeated(claim: Claim) -> str:
    text = f"{who(claim)} sends its SYN-ACK {amount(claim, 'sendings', 'time')} ({frames(claim)})"
    if "cost_ns" in claim.figures:
        text += f" in {time(claim, 'cost_ns')}"
    return f"{text}.{possible(claim)}"


def _another(claim: Claim) -> str:
    text = (
        f"{who(claim)} answers with SYN-ACKs of different initial sequence numbers "
        f"({frames(claim)})"
    )
    if "taken_frame" in claim.figures:
        text += f"; the client took that of #{whole(claim, 'taken_frame')}"
    return f"{text}.{possible(claim)}"


def _never_completed(claim: Claim) -> str:
    return (
        f"The SYN #{claim.frames[0]} was answered by #{claim.frames[-1]}, but {who(claim)} never "
        f"completes the handshake in this capture.{possible(claim)}"
    )


def _accepted(claim: Claim) -> str:
    return (
        f"TCP Fast Open{rule(claim)}: the SYN #{claim.frames[0]} carries "
        f"{amount(claim, 'bytes')} and the SYN-ACK #{claim.frames[1]} acknowledges them: "
        "accepted, one round trip saved."
    )


def _rejected(claim: Claim) -> str:
    text = (
        f"TCP Fast Open{rule(claim)}: the SYN #{claim.frames[0]} carries "
        f"{amount(claim, 'bytes')}, but the SYN-ACK #{claim.frames[1]} acknowledges only "
    )
    covered = whole(claim, "covered")
    text += "the SYN: rejected" if not covered else f"{covered} of them"
    if len(claim.frames) > 2:
        text += f"; they are sent again after the handshake (#{claim.frames[2]})"
    return f"{text}."


def _cookie(claim: Claim) -> str:
    text = f"The client asks for a TCP Fast Open cookie (#{claim.frames[0]}){rule(claim)}"
    granted = whole(claim, "granted")
    if granted:
        return f"{text}; {peer(claim)} grants one of {granted} bytes."
    return f"{text}; {peer(claim)} grants none."


WORDS: Final[Mapping[str, Callable[[Claim], str]]] = {
    "opening.handshake": _handshake,
    "opening.unanswered": _unanswered,
    "opening.answer-not-captured": _answer_not_captured,
    "opening.no-syn-ack": _no_syn_ack,
    "opening.not-captured": _not_captured,
    "opening.unconfirmed": _unconfirmed,
    "opening.no-ack-flag": _no_ack_flag,
    "opening.syn-not-captured": _syn_not_captured,
    "opening.odd-flags": _odd_flags,
    "opening.simultaneous": _simultaneous,
    "opening.split-handshake": _split,
    "opening.both-unanswered": _both_unanswered,
    "opening.one-end": _one_end,
    "opening.old-connection": _old,
    "opening.syn-lost": _syn_lost,
    "opening.syn-answered-late": _answered_late,
    "opening.syn-ack-lost": _syn_ack_lost,
    "opening.syn-ack-discarded": _syn_ack_discarded,
    "opening.syn-ack-repeated": _syn_ack_repeated,
    "opening.another-syn-ack": _another,
    "opening.never-completed": _never_completed,
    "opening.fast-open-accepted": _accepted,
    "opening.fast-open-rejected": _rejected,
    "opening.fast-open-partly-accepted": _rejected,
    "opening.fast-open-cookie": _cookie,
}

FRAME_WORDS: Final[Mapping[str, Callable[[Claim], str]]] = {
    "opening.handshake": nothing,
    "opening.unanswered": nothing,
    "opening.not-captured": nothing,
    "opening.no-syn-ack": nothing,
    "opening.never-completed": nothing,
}
