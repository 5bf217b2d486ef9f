"""
Sentences of the topic C{closes}.
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


def _first(claim: Claim) -> str:
    text = f"{who(claim)} closes first ({last(claim)})"
    if claim.figures["bytes"]:
        return f"{text}, in the segment with its last {amount(claim, 'bytes')}."
    if "after_ns" in claim.figures:
        return f"{text}, {time(claim, 'after_ns')} after #{claim.frames[0]}."
    return f"{text}."


def _begins(claim: Claim) -> str:
    text = f"The capture begins with a FIN of {who(claim)} ({last(claim)})"
    if claim.figures["bytes"]:
        text += f" behind {amount(claim, 'bytes')}"
    return f"{text}; what came before was not captured."


def _second(claim: Claim) -> str:
    when = f", {time(claim, 'after_ns')} later" if "after_ns" in claim.figures else ""
    return f"{who(claim)} closes second ({last(claim)}){when}."


def _simultaneous(claim: Claim) -> str:
    return (
        f"Both ends close at once ({frames(claim)}): neither FIN acknowledges the other, so each "
        f"was sent before the other had arrived. Neither end closed first{rule(claim)}."
    )


def _one_way(claim: Claim) -> str:
    return (
        f"{who(claim)} closes ({last(claim)}). No segment of the other end was captured, so "
        "which end closed first is not known."
    )


def _peer_before(claim: Claim) -> str:
    return (
        f"The FIN {last(claim)} acknowledges one number more than the segment before it: very "
        f"likely {who(claim)}'s FIN, so {who(claim)} closed first.{possible(claim)}"
    )


def _announced(claim: Claim) -> str:
    return (
        f"That was announced: the {word(claim, 'by')} in #{claim.frames[0]} says Connection: "
        f"close{rule(claim)}."
    )


def _announced_timeout(claim: Claim) -> str:
    return (
        f"{who(claim)} closes ({last(claim)}) after {time(claim, 'idle_ns')} idle; its Keep-Alive "
        f"field had announced a timeout of {time(claim, 'timeout_ns')}."
    )


def _idle(claim: Claim) -> str:
    text = f"Before that the connection was idle for {time(claim, 'idle_ns')} "
    text += f"(#{claim.frames[0]} to {last(claim)})"
    if claim.figures["bytes"]:
        text += " with nothing under way"
    else:
        text += " and had not carried a byte"
    return f"{text}: consistent with an idle timeout of about that length.{possible(claim)}"


def _silence(claim: Claim) -> str:
    silence = time(claim, "silent_ns")
    return f"Before that nothing had travelled for {silence}, since #{claim.frames[0]}."


def _unanswered_bytes(claim: Claim) -> str:
    return (
        f"The client's last bytes (#{claim.frames[0]}) had received no answer by then, "
        f"{time(claim, 'idle_ns')} later.{possible(claim)}"
    )


def _waiting(claim: Claim) -> str:
    when = f" {time(claim, 'waited_ns')} after it" if "waited_ns" in claim.figures else ""
    return (
        f"The request that ends in #{claim.frames[0]} is still unanswered when {who(claim)} closes"
        f"{when} ({last(claim)}).{possible(claim)}"
    )


def _cut_off(claim: Claim) -> str:
    text = f"{who(claim)} closes ({last(claim)})"
    if "announced" not in claim.figures:
        return (
            f"{text} before the last chunk of the answer (#{claim.frames[0]}) had come: it is "
            f"incomplete{rule(claim)}.{possible(claim)}"
        )
    return (
        f"{text} when {amount(claim, 'came')} had arrived of the {amount(claim, 'announced')} that "
        f"the answer (#{claim.frames[0]}) announced.{possible(claim)}"
    )


def _half(claim: Claim) -> str:
    text = f"Half-close{rule(claim)}: {peer(claim)} had closed its direction (#{claim.frames[0]})"
    text += f", and {who(claim)} sends {amount(claim, 'bytes')} more before its own FIN"
    if "half_ns" in claim.figures:
        text += f" {time(claim, 'half_ns')} later"
    return f"{text} ({last(claim)})."


def _fin_wait(claim: Claim) -> str:
    spent = f", for {time(claim, 'waited_ns')}" if "waited_ns" in claim.figures else ""
    return (
        f"From #{claim.frames[1]} to {last(claim)}{spent}, {who(claim)} waits for "
        f"{peer(claim)} to close: its FIN is acknowledged (FIN-WAIT-2), and the connection is "
        f"half-closed{rule(claim)}."
    )


def _one_only(claim: Claim) -> str:
    text = f"{who(claim)} never closes its own direction in this capture"
    if not claim.figures["acknowledged"]:
        text += f", nor acknowledges {peer(claim)}'s FIN"
    if len(claim.frames) > 1 and "until_last_ns" in claim.figures:
        when = time(claim, "until_last_ns")
        text += f"; the last segment that was captured of it is {last(claim)}, {when} later"
    return f"{text}."


def _time_wait(claim: Claim) -> str:
    ends = who(claim) if claim.who else "each end"
    why = ", which closed first," if claim.who else ""
    return (
        f"After that {ends}{why} stays in TIME-WAIT{rule(claim)} for twice the maximum segment "
        "lifetime, to acknowledge a repeated FIN: 4 minutes by the standard, 60 s on Linux."
    )


def _last_ack(claim: Claim) -> str:
    return f"No ACK of the second FIN ({last(claim)}) was captured."


def _open(claim: Claim) -> str:
    probes = whole(claim, "keep_alives")
    if probes:
        return (
            f"Only keep-alives were captured ({amount(claim, 'keep_alives', 'keep-alive')}, "
            f"{amount(claim, 'answered', 'answer')}): the connection was open before the capture "
            "began, and the capture ends without a FIN or a RST."
        )
    if not claim.figures["is_whole"]:
        return f"No FIN and no RST is among the segments examined, up to {last(claim)}."
    return f"No FIN and no RST was captured; the connection's last captured frame is {last(claim)}."


def _silent(claim: Claim) -> str:
    text = f"{who(claim)} sends nothing more: {peer(claim)} sends the same "
    text += amount(claim, "bytes") if claim.figures["bytes"] else "FIN"
    text += f" {amount(claim, 'sendings', 'time')} ({frames(claim)}) in {time(claim, 'waited_ns')}"
    if claim.figures["doubling"]:
        text += ", with waits that double"
    return f"{text}, without an answer.{possible(claim)}"


WORDS: Final[Mapping[str, Callable[[Claim], str]]] = {
    "closes.first": _first,
    "closes.begins-with-fin": _begins,
    "closes.second": _second,
    "closes.simultaneous": _simultaneous,
    "closes.fin-of-one-direction": _one_way,
    "closes.peer-closed-before": _peer_before,
    "closes.announced": _announced,
    "closes.announced-timeout": _announced_timeout,
    "closes.idle": _idle,
    "closes.after-silence": _silence,
    "closes.after-unanswered-bytes": _unanswered_bytes,
    "closes.while-a-request-waits": _waiting,
    "closes.answer-cut-off": _cut_off,
    "closes.half-close": _half,
    "closes.fin-wait-2": _fin_wait,
    "closes.one-direction-only": _one_only,
    "closes.time-wait": _time_wait,
    "closes.last-ack-missing": _last_ack,
    "closes.open-at-the-end": _open,
    "closes.peer-silent": _silent,
}

FRAME_WORDS: Final[Mapping[str, Callable[[Claim], str]]] = {
    "closes.first": nothing,
    "closes.second": nothing,
    "closes.time-wait": nothing,
    "closes.open-at-the-end": nothing,
    "closes.one-direction-only": nothing,
    "closes.last-ack-missing": nothing,
    "closes.simultaneous": nothing,
    "closes.fin-of-one-direction": nothing,
    "closes.peer-silent": nothing,
}
