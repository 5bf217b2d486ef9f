"""
Sentences of the topics C{windows}, C{keepalives}, C{acks} and C{delays}.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from netlab.analysis.claims.claim import Claim
from netlab.analysis.words.causes import possible, rule
from netlab.analysis.words.phrases import amount, frames, last, peer, time, who, whole, word

_SCALING: Final = {
    "neither": "Neither end offered window scaling, so no window exceeds 65 535 bytes",
    "client": "The client did not offer window scaling, so no window exceeds 65 535 bytes",
    "server": "The server did not offer window scaling, so no window exceeds 65 535 bytes",
    "used": "The receiver offered no more",
    "unknown": "The receiver offered no more",
}
_MEGA: Final = 1_000_000


def _closed(claim: Claim) -> str:
    return (
        f"{who(claim)} announces a window of 0 in {last(claim)}: it accepts no more data for now, "
        f"and {peer(claim)} must wait."
    )


def _probe(claim: Claim) -> str:
    text = f"{last(claim)} is window probe number {whole(claim, 'probe')}"
    if "waited_ns" in claim.figures:
        text += f", after {time(claim, 'waited_ns')}"
    return (
        f"{text}: {who(claim)} asks whether {peer(claim)}'s window, 0 since "
        f"#{whole(claim, 'closed_frame')}, has opened (RFC 9293 section 3.8.6.1)."
    )


def _probe_answered(claim: Claim) -> str:
    text = f"{who(claim)} answers the window probe #{whole(claim, 'probe_frame')}: still 0"
    if "closed_ns" in claim.figures:
        text += f", after {time(claim, 'closed_ns')}"
    return f"{text}."


def _reopened(claim: Claim) -> str:
    text = f"{who(claim)} opens its window again in {last(claim)}"
    if "window" in claim.figures:
        text += f", to {amount(claim, 'window')}"
    if "closed_ns" in claim.figures:
        text += f"; it was 0 for {time(claim, 'closed_ns')} ({_span(claim)})"
    if whole(claim, "probes"):
        text += f", and {peer(claim)} sent {amount(claim, 'probes', 'window probe')}"
    return f"{text}.{possible(claim)}"


def _raised(claim: Claim) -> str:
    return (
        f"{who(claim)} raises its window from {whole(claim, 'before')} to "
        f"{amount(claim, 'window')} in {last(claim)} and acknowledges nothing new: a window update."
    )


def _shrunk(claim: Claim) -> str:
    return (
        f"{who(claim)} takes back {amount(claim, 'taken_back')} of the window that it had offered "
        f"({frames(claim)}), which a receiver should not do (RFC 9293 section 3.8.6)."
    )


def _full(claim: Claim) -> str:
    return (
        f"{last(claim)} fills {peer(claim)}'s window ({amount(claim, 'in_flight')} are "
        f"outstanding): {who(claim)} can send no more until an ACK or a window update comes."
    )


def _to_the_end(claim: Claim) -> str:
    text = f"{who(claim)}'s window stays 0 from #{claim.frames[0]} to {last(claim)}, the last "
    text += "segment that was captured"
    if "closed_ns" in claim.figures:
        text += f", for {time(claim, 'closed_ns')}"
    return f"{text}: most likely its program did not read meanwhile."


def _beyond(claim: Claim) -> str:
    return (
        f"{last(claim)} lies {amount(claim, 'beyond')} beyond {peer(claim)}'s window: outside, "
        f"and not accepted ({claim.rule})."
    )


def _round_trips(claim: Claim) -> str:
    rate = whole(claim, "bits_per_second") / _MEGA
    return (
        f"{who(claim)} used up {peer(claim)}'s window {whole(claim, 'rounds')} times and waited "
        f"{time(claim, 'waited_ns')} in all for ACKs ({frames(claim)}): one window of "
        f"{amount(claim, 'window')} per round trip of {time(claim, 'round_trip_ns')} is at most "
        f"{rate:.1f} Mbit/s. {_SCALING[word(claim, 'scaling')]}."
    )


def _keep_alive(claim: Claim) -> str:
    text = f"{last(claim)} is a keep-alive ({claim.rule}): it repeats a number already acknowledged"
    if "idle_ns" in claim.figures:
        text += f", after {time(claim, 'idle_ns')}"
    if whole(claim, "unanswered_before"):
        text += f"; {amount(claim, 'unanswered_before', 'earlier one')} went unanswered"
    return f"{text}."


def _possible_keep_alive(claim: Claim) -> str:
    return f"{last(claim)} carries no data and is answered by an ACK one higher.{possible(claim)}"


def _keep_alive_answer(claim: Claim) -> str:
    return f"{who(claim)} answers #{whole(claim, 'probe_frame')}: it is still there."


def _exchanged(claim: Claim) -> str:
    asked, answered = whole(claim, "asked"), whole(claim, "answered")
    where = " to ".join(f"#{number}" for number in dict.fromkeys(claim.frames))
    text = f"{who(claim)} sends {amount(claim, 'asked', 'keep-alive')} ({where})"
    if answered == asked:
        return f"{text}; {peer(claim)} answers {'it' if asked == 1 else 'each'}."
    return f"{text}; {peer(claim)} answers {answered or 'none'} of them."


def _unanswered(claim: Claim) -> str:
    return (
        f"{amount(claim, 'unanswered', 'keep-alive')} of {who(claim)} ({frames(claim)}) had no "
        "answer by the end of the capture."
    )


def _never_sent(claim: Claim) -> str:
    return (
        f"{last(claim)} acknowledges number {whole(claim, 'ack_raw')}, which {peer(claim)} cannot "
        f"have sent: an impossible ACK, which is ignored ({claim.rule})."
    )


def _sacked(claim: Claim) -> str:
    if "sacked_first" not in claim.figures:
        return ""
    return (
        f" It has {amount(claim, 'sacked_bytes')} beyond the hole, up to byte "
        f"{whole(claim, 'sacked_last')} (SACK)."
    )


def _duplicate(claim: Claim) -> str:
    return (
        f"Duplicate ACK {whole(claim, 'duplicate')}: {who(claim)} still expects byte "
        f"{whole(claim, 'expects')}.{_sacked(claim)}{possible(claim)}"
    )


def _selective(claim: Claim) -> str:
    return f"{who(claim)} expects byte {whole(claim, 'expects')} next.{_sacked(claim)}"


def _delayed(claim: Claim) -> str:
    return (
        f"{last(claim)} acknowledges {amount(claim, 'bytes')} after {time(claim, 'waited_ns')}; "
        f"the shortest ACK took {time(claim, 'shortest_ns')}.{possible(claim)}"
    )


def _delayed_in_frame(claim: Claim) -> str:
    return (
        f"That took {time(claim, 'waited_ns')}; the shortest ACK took "
        f"{time(claim, 'shortest_ns')}.{possible(claim)}"
    )


def _nagle(claim: Claim) -> str:
    return (
        f"{who(claim)} sends {amount(claim, 'bytes')} in {last(claim)} as soon as the ACK "
        f"#{whole(claim, 'ack_frame')} of its {amount(claim, 'first_bytes')} in "
        f"#{whole(claim, 'first_frame')} has come, {time(claim, 'waited_ns')} after it sent those."
        f"{possible(claim)}"
    )


def _nagle_in_frame(claim: Claim) -> str:
    return (
        f"It is sent as soon as the ACK #{whole(claim, 'ack_frame')} of the segment before "
        f"(#{whole(claim, 'first_frame')}) has arrived, {time(claim, 'waited_ns')} after that "
        "segment."
        f"{possible(claim)}"
    )


def _nagle_total(claim: Claim) -> str:
    text = (
        f"{whole(claim, 'times')} times {who(claim)} sent a small segment only when a late ACK of "
        f"the one before came ({_span(claim)}): {time(claim, 'waited_ns')}"
    )
    if "whole_ns" in claim.figures:
        text += f" of {time(claim, 'whole_ns')}"
    return (
        f"{text} passed that way. Nagle's algorithm (RFC 9293 section 3.7.4) meeting a delayed ACK "
        f"(section 3.8.6.3) looks like this.{possible(claim)}"
    )


def _waited(claim: Claim) -> str:
    text = (
        f"{who(claim)}'s data in {last(claim)} comes {time(claim, 'waited_ns')} after "
        f"{peer(claim)}'s in #{whole(claim, 'asked_frame')}"
    )
    if "ack_ns" in claim.figures:
        text += f", whose ACK took {time(claim, 'ack_ns')}"
    if "spread_ns" in claim.figures:
        return (
            f"{text}. The times that ACKs took here differ by {time(claim, 'spread_ns')}, so how "
            f"much of it passed at {who(claim)} is not known.{possible(claim)}"
        )
    if "held-up-on-the-way" in claim.causes:
        return (
            f"{text}: about {time(claim, 'end_ns')}, give or take a round trip, passed at "
            f"{who(claim)}; or its segment may have been held up on the way."
        )
    if claim.causes:
        return (
            f"{text}. The shortest round trip here takes {time(claim, 'network_ns')}; the rest may "
            f"have passed at {who(claim)}.{possible(claim)}"
        )
    return (
        f"{text}: about {time(claim, 'end_ns')}, give or take a round trip, passed at {who(claim)}."
    )


def _paused(claim: Claim) -> str:
    text = (
        f"{who(claim)} goes on in {last(claim)}, though #{whole(claim, 'ack_frame')} had "
        "acknowledged everything and the window was open: "
    )
    if claim.causes:
        return f"{text}at most {time(claim, 'end_ns')} passed at {who(claim)}.{possible(claim)}"
    return f"{text}about {time(claim, 'end_ns')} passed at {who(claim)}, which sent nothing."


def _shares(claim: Claim) -> str:
    parts = [
        f"{time(claim, f'{where}_ns')} {words}"
        for where, words in (
            ("server", "at the server"),
            ("client", "at the client"),
            ("network", "on the network"),
            ("transfer", "while one of them was sending"),
        )
        if whole(claim, f"{where}_ns")
    ]
    text = f"Time between one end's data and the other's: {', '.join(parts)}"
    if "round_trip_ns" in claim.figures:
        text += (
            f". The shortest round trip, {time(claim, 'round_trip_ns')}, counts as the network's"
        )
    return f"{text}."


def _span(claim: Claim) -> str:
    """
    Cite the first and the last of a run of frames.
    """
    return " to ".join(f"#{frame}" for frame in dict.fromkeys((claim.frames[0], claim.frames[-1])))


def _pushes(claim: Claim) -> str:
    return (
        f"{who(claim)} sets PSH in {whole(claim, 'pushes')} of its {whole(claim, 'segments')} "
        f"segments with new data ({_span(claim)}): PSH asks {peer(claim)} to hand data on without "
        f"waiting for more{rule(claim)}.{possible(claim)}"
    )


_ENDED: Final = {
    "loss": "It ends with what looks like a loss, in {last}",
    "window": "It ends where the receiver's window is full",
    "all-sent": "It ends because there is no more to send",
    "unknown": "The frames do not show why it ends",
}


def _slow_start(claim: Claim) -> str:
    ended = _ENDED[word(claim, "ended")].format(last=last(claim))
    return (
        f"{who(claim)} begins as in slow start ({claim.rule}): its flights grow from "
        f"{amount(claim, 'first_bytes')} to {amount(claim, 'last_bytes')} in "
        f"{amount(claim, 'flights', 'round trip')}, from #{claim.frames[0]} on. {ended}."
    )


WORDS: Final[Mapping[str, Callable[[Claim], str]]] = {
    "windows.closed": _closed,
    "windows.probe": _probe,
    "windows.probe-answered": _probe_answered,
    "windows.reopened": _reopened,
    "windows.raised": _raised,
    "windows.shrunk": _shrunk,
    "windows.full": _full,
    "windows.closed-to-the-end": _to_the_end,
    "windows.beyond": _beyond,
    "windows.one-a-round-trip": _round_trips,
    "keepalives.probe": _keep_alive,
    "keepalives.possible-probe": _possible_keep_alive,
    "keepalives.answer": _keep_alive_answer,
    "keepalives.exchanged": _exchanged,
    "keepalives.unanswered": _unanswered,
    "acks.never-sent": _never_sent,
    "acks.duplicate": _duplicate,
    "acks.duplicate-for-hole": _duplicate,
    "acks.selective": _selective,
    "delays.delayed-ack": _delayed,
    "delays.nagle": _nagle,
    "delays.nagle-total": _nagle_total,
    "delays.server": _waited,
    "delays.client": _waited,
    "delays.paused": _paused,
    "delays.shares": _shares,
    "delays.slow-start": _slow_start,
    "delays.pushes": _pushes,
}


def _nothing(_claim: Claim) -> str:
    return ""


FRAME_WORDS: Final[Mapping[str, Callable[[Claim], str]]] = {
    "delays.shares": _nothing,
    "delays.nagle-total": _nothing,
    "delays.slow-start": _nothing,
    "delays.pushes": _nothing,
    "keepalives.exchanged": _nothing,
    "delays.delayed-ack": _delayed_in_frame,
    "delays.nagle": _nagle_in_frame,
    "windows.one-a-round-trip": _nothing,
    "windows.closed-to-the-end": _nothing,
}

FRAME_ONLY: Final = frozenset(
    {
        "acks.duplicate",
        "acks.duplicate-for-hole",
        "acks.selective",
        "delays.delayed-ack",
        "keepalives.answer",
        "keepalives.probe",
        "windows.full",
        "windows.probe",
        "windows.probe-answered",
        "windows.raised",
    }
)
"""Kinds that a conversation's story does not tell one by one."""
