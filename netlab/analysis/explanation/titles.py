"""
A conversation in a few words, made of what is claimed of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from netlab.analysis.claims.claim import Claim
from netlab.analysis.observations.facts import Facts
from netlab.analysis.words.units import count, duration

#: What a title says of how a conversation opened, where that is all that there is to say.
_NEVER_OPENED: Final = {
    "opening.unanswered": "not answered",
    "resets.refused": "refused",
    "opening.never-completed": "handshake not completed",
    "resets.after-syn-ack": "reset before it was open",
    "resets.own-attempt": "attempt given up",
}


_COUNTS: Final = "bytes.stream"


def title_of(facts: Facts, claims: Sequence[Claim]) -> str:
    """
    Give a conversation's title.

    @param facts: What was gathered of it.
    @param claims: What is claimed of it.
    """
    kinds = {claim.kind: claim for claim in claims}
    ended = _ending(claims, kinds)
    if not facts.has_data:
        for kind, words in _NEVER_OPENED.items():
            if kind in kinds:
                return words
    return f"{_said(facts, claims)}; {ended}" if ended else _said(facts, claims)


def _said(facts: Facts, claims: Sequence[Claim]) -> str:
    http = facts.dialogue.http
    if http.is_http:
        total = len(http.exchanges) + http.exchanges_uncounted
        total += facts.skimmed.requests if facts.skimmed else 0
        return count(total, "HTTP exchange")
    if not facts.has_data:
        is_known = facts.history.is_whole and facts.history.has_both
        return "no data" if is_known else "no data captured"
    history = facts.history
    up, down = facts.client_side.byte_count, facts.server_side.byte_count
    if history.is_whole:
        # What is claimed of the stream counts each byte once, and none outside the window.
        counts = {claim.who: claim.figures["bytes"] for claim in claims if claim.kind == _COUNTS}
        up, down = (int(counts.get(who, 0)) for who in ("client", "server"))
    said = ", ".join(
        f"{count(size, 'byte')} {way}" if size or flow.frames else f"{way} not captured"
        for size, way, flow in (
            (up, "up", facts.dialogue.client),
            (down, "down", facts.dialogue.server),
        )
    )
    return f"{history.tls.version_name}, {said}" if history.tls is not None else said


def _ending(claims: Sequence[Claim], kinds: dict[str, Claim]) -> str:
    words = []
    if "closes.simultaneous" in kinds:
        words.append("simultaneous close")
    elif "closes.one-direction-only" in kinds:
        closer = "client" if kinds["closes.one-direction-only"].who == "server" else "server"
        words.append(f"half-closed by the {closer}")
    elif "closes.first" in kinds:
        text = f"closed first by the {kinds['closes.first'].who}"
        idle = kinds.get("closes.idle") or kinds.get("closes.announced-timeout")
        if idle is not None:
            idle_ns = idle.figures["idle_ns"]
            assert isinstance(idle_ns, int)
            text += f" after {duration(idle_ns)} idle"
        silence = kinds.get("closes.after-silence")
        if silence is not None:
            silent_ns = silence.figures["silent_ns"]
            assert isinstance(silent_ns, int)
            text += f" after {duration(silent_ns)} of silence"
        words.append(text)
    elif "closes.begins-with-fin" in kinds or "closes.fin-of-one-direction" in kinds:
        words.append("closed")
    elif "closes.peer-silent" in kinds:
        words.append(f"the {kinds['closes.peer-silent'].who} fell silent")
    elif "closes.open-at-the-end" in kinds:
        words.append("no end in this capture")
    harmless = {
        claim.frames[0] if claim.kind == "resets.goes-on" else claim.frames[-1]
        for claim in claims
        if claim.kind in ("resets.goes-on", "resets.outside-window")
    }
    for claim in claims:
        is_reset = claim.topic == "resets" and claim.kind not in _NO_REASON
        if is_reset and claim.frames[-1] not in harmless:
            words.append(f"reset by the {claim.who}")
            break
    return ", ".join(words)


_NO_REASON: Final = frozenset(
    {
        "resets.text",
        "resets.other-sender",
        "resets.goes-on",
        "resets.outside-window",
        "resets.unacceptable-ack",
    }
)
