"""
How a conversation ended: who closed first, why, and what the other end did.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from netlab.analysis.claims.findings import Finding, Verdict
from netlab.analysis.claims.story import Passage, PassageKind
from netlab.analysis.claims.units import count, duration
from netlab.analysis.observations.facts import IDLE_MIN_NS, Facts, Fin, Reset


class How(StrEnum):
    """
    The ways to end.
    """

    OPEN = "open"
    """No FIN and no RST were captured."""

    SIMULTANEOUS = "simultaneous"
    """Each end's FIN left before the other's had arrived (RFC 9293 section 3.6, case 3)."""

    ORDERLY = "orderly"
    """One end closed, then the other."""

    HALF = "half"
    """Only one end closed."""

    RESET = "reset"
    REFUSED = "refused"


class Close(NamedTuple):
    """
    A close, classified.

    @ivar how: The way.
    @ivar first: The index of the flow that closed first; C{None} if none did or both at once.
    @ivar idle_ns: The silence before the first FIN, in nanoseconds, if it was an idle timeout, and
        0 otherwise.
    @ivar half_ns: From the first FIN to the second, in nanoseconds; 0 without either.
    @ivar title: A few words.
    @ivar passages: What there is to tell.
    """

    how: How
    first: int | None
    idle_ns: int
    half_ns: int
    title: str
    passages: tuple[Passage, ...]


def close_of(facts: Facts, start_ns: int) -> Close:
    """
    Classify a conversation's end.

    @param facts: What was gathered of it.
    @param start_ns: The capture's first time, which the times in equations are relative to.
    @return: The close.
    """
    fins = sorted(
        ((side.fin, index) for index, side in enumerate(facts.sides) if side.fin is not None),
        key=lambda pair: pair[0].at,
    )
    if facts.reset is not None and not _is_after_close(facts, facts.reset, fins):
        return _reset(facts, facts.reset, fins)
    if not fins:
        sentence = "The capture ends before the connection does."
        passage = _passage(facts, (facts.last.number,), sentence)
        return Close(How.OPEN, None, 0, 0, "still open", (passage,))
    first, closer = fins[0]
    idle_ns = _idle_before(first)
    reason = _reason(facts, first, closer, start_ns)
    if len(fins) == 1:
        peer = facts.name(1 - closer)
        sentence = (
            f"{reason[0]} {peer.capitalize()} never closes its own direction in this capture."
        )
        passage = _passage(facts, (first.at.number,), sentence, reason[1])
        title = f"half-closed by {facts.name(closer)}"
        return Close(How.HALF, closer, idle_ns, 0, title, (passage,))
    second = fins[1][0]
    half_ns = second.at.time_ns - first.at.time_ns
    if not second.has_seen_peers and not first.has_seen_peers:
        return _simultaneous(facts, first, second, start_ns)
    return _orderly(facts, first, second, closer, reason, idle_ns, half_ns, start_ns)


def _simultaneous(facts: Facts, first: Fin, second: Fin, start_ns: int) -> Close:
    here, there = first.at.number, second.at.number
    equation = (
        f"ack of #{here} {first.ack_raw} and ack of #{there} {second.ack_raw}: neither is beyond "
        "the other's FIN"
    )
    finding = Finding(
        "simultaneous-close",
        (here, there),
        equation,
        Verdict.PASS,
        "Neither FIN acknowledges the other, so each left before the other had arrived.",
    )
    acked = [side.fin_acked.number for side in facts.sides if side.fin_acked is not None]
    frames = tuple(sorted({here, there, *acked}))
    order = " ".join("FIN" for _ in (first, second)) + " ACK" * len(acked)
    sentence = (
        f"Both ends close at once: each FIN (#{here}, #{there}) left before the other had arrived. "
        f"Two half-closes, in the order {order}; nobody closed first (RFC 9293 section 3.6, "
        "case 3)."
    )
    half_ns = second.at.time_ns - first.at.time_ns
    passage = _passage(facts, frames, sentence, (finding,), first.at.time_ns)
    return Close(
        How.SIMULTANEOUS, None, _idle_before(first), half_ns, "simultaneous close", (passage,)
    )


def _orderly(
    facts: Facts,
    first: Fin,
    second: Fin,
    closer: int,
    reason: tuple[str, tuple[Finding, ...]],
    idle_ns: int,
    half_ns: int,
    start_ns: int,
) -> Close:
    one, other = facts.name(closer), facts.name(1 - closer)
    acks = tuple(side.fin_acked.number for side in facts.sides if side.fin_acked is not None)
    frames = tuple(sorted({first.at.number, second.at.number, *acks}))
    half = Finding(
        "half-close",
        (first.at.number, second.at.number),
        f"{_at(second.at.time_ns, start_ns)} (#{second.at.number}) − "
        f"{_at(first.at.time_ns, start_ns)} (#{first.at.number}) = {_seconds(half_ns)}",
        Verdict.PASS,
        "So long only one direction was closed.",
    )
    parts = [reason[0]]
    text = f"{other.capitalize()} closes second (#{second.at.number}), {duration(half_ns)} later"
    if half_ns >= IDLE_MIN_NS:
        text += "; in between the connection was half-closed"
    parts.append(text + ".")
    missing = [side for side in facts.sides if side.fin_acked is None]
    if missing:
        parts.append("The last ACK was not captured.")
    title = f"closed first by {one}"
    if idle_ns:
        title += f" after {duration(idle_ns)} idle"
    passage = _passage(facts, frames, " ".join(parts), (*reason[1], half), first.at.time_ns)
    return Close(How.ORDERLY, closer, idle_ns, half_ns, title, (passage,))


def _reason(facts: Facts, fin: Fin, closer: int, start_ns: int) -> tuple[str, tuple[Finding, ...]]:
    """
    Say why an end closed first, as far as the frames tell.
    """
    name = facts.name(closer).capitalize()
    waited = fin.at.time_ns - fin.active.time_ns
    finding = Finding(
        "idle-before-close",
        (fin.active.number, fin.at.number),
        f"{_at(fin.at.time_ns, start_ns)} (#{fin.at.number}) − "
        f"{_at(fin.active.time_ns, start_ns)} (#{fin.active.number}) = {_seconds(waited)}",
        Verdict.PASS,
        "From the connection's last activity (new data, or the handshake) to the FIN.",
    )
    if _idle_before(fin):
        why = "it had nothing more to ask" if name == "The client" else "its idle timeout"
        sentence = (
            f"{name} closes first (#{fin.at.number}), after {duration(waited)} without activity: "
            f"{why}."
        )
        return sentence, (finding,)
    if fin.active.number == fin.at.number:
        return f"{name} closes first (#{fin.at.number}), with its last data.", ()
    sentence = (
        f"{name} closes first (#{fin.at.number}), {duration(waited)} after #{fin.active.number}: "
        "at once, without waiting."
    )
    return sentence, (finding,)


def _idle_before(fin: Fin) -> int:
    waited = fin.at.time_ns - fin.active.time_ns
    return waited if waited >= IDLE_MIN_NS else 0


def _is_after_close(facts: Facts, reset: Reset, fins: list[tuple[Fin, int]]) -> bool:
    """
    Tell whether a RST came when both directions had been closed: it changes nothing.
    """
    return (
        len(fins) == 2
        and all(side.fin_acked is not None for side in facts.sides)
        and all(fin.at.number < reset.at.number for fin, _ in fins)
    )


def _reset(facts: Facts, reset: Reset, fins: list[tuple[Fin, int]]) -> Close:
    name = facts.name(reset.flow)
    peer = facts.name(1 - reset.flow)
    number = reset.at.number
    frames = tuple(sorted({reset.before.number, number}))
    flow = facts.conversation.flows[reset.flow]
    waited = reset.at.time_ns - reset.before.time_ns
    if (
        facts.dialogue.syn is not None
        and facts.dialogue.syn_ack is None
        and flow is facts.dialogue.server
    ):
        sentence = f"{name.capitalize()} refuses (#{number}): nobody listens on port {flow.port}."
        passage = _passage(facts, frames, sentence, start_ns=reset.at.time_ns)
        return Close(How.REFUSED, reset.flow, 0, 0, "refused", (passage,))
    peer_fin = facts.sides[1 - reset.flow].fin
    has_all = facts.sides[1 - reset.flow].fin_acked is not None
    title = f"reset by {name}"
    if reset.after_own_fin:
        own = _fin_number(fins, reset.flow)
        why = f"it had closed already (#{own}), and {peer} still sent: nobody there reads it"
        title = f"closed first by {facts.name(fins[0][1])}, {title}"
    elif peer_fin is not None and has_all:
        why = (
            f"{peer} had closed (#{peer_fin.at.number}), and instead of closing too it gives the "
            "connection up. It has acknowledged all that was sent, so nothing is lost on the way, "
            "but its program may not have read it"
        )
        title = f"closed first by {peer}, {title}"
    elif reset.received_bytes:
        why = (
            f"its program ended before it had read all of the "
            f"{count(reset.received_bytes, 'byte')} that it had been sent, or aborted; else there "
            "would have been a FIN (RFC 9293 section 3.6.1)"
        )
    else:
        why = "it aborts, though it had been sent nothing that it could have left unread"
    silence = f" after {duration(waited)} of silence" if waited >= IDLE_MIN_NS else ""
    sentence = f"{name.capitalize()} resets the connection (#{number}){silence}: {why}."
    finding = Finding(
        "reset",
        frames,
        f"#{number} comes {duration(waited)} after #{reset.before.number}; its sender had been "
        f"sent {reset.received_bytes} bytes, {reset.since_own_bytes} since it last sent any",
        Verdict.PASS,
        "A RST ends both directions at once and is not acknowledged.",
    )
    passage = _passage(facts, frames, sentence, (finding,), reset.at.time_ns)
    return Close(How.RESET, reset.flow, 0, 0, title, (passage,))


def _fin_number(fins: list[tuple[Fin, int]], flow: int) -> int:
    return next(fin.at.number for fin, index in fins if index == flow)


def _at(time_ns: int, start_ns: int) -> str:
    return _seconds(time_ns - start_ns)


def _seconds(nanoseconds: int) -> str:
    return f"{nanoseconds / 1e9:.6f} s"


def _passage(
    facts: Facts,
    frames: tuple[int, ...],
    sentence: str,
    findings: tuple[Finding, ...] = (),
    start_ns: int | None = None,
) -> Passage:
    start = facts.last.time_ns if start_ns is None else start_ns
    return Passage(PassageKind.CLOSE, frames, start, facts.last.time_ns, sentence, findings)
