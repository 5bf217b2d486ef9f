"""
ACKs that say more than that something arrived: repeated ones, and those that cannot be.
"""

from __future__ import annotations

from collections.abc import Iterator

from netlab.analysis.claims.claim import Claim, Figure, Known
from netlab.analysis.observations.streams import Step, Streams


def claims_of(streams: Streams) -> Iterator[Claim]:
    """
    Judge duplicate ACKs by what came before them, and ACKs of what was never sent.
    """
    heard: list[Step | None] = [None, None]
    numbers = [0, 0]
    for step in streams.steps:
        sender = step.sent.sender
        if step.is_nonsense and step.copy_of is None:
            yield _nonsense(streams, step)
        elif step.is_duplicate:
            numbers[sender] += 1
            yield _duplicate(streams, step, heard[1 - sender], numbers[sender])
            # One arrival makes one duplicate.
            heard[1 - sender] = None
        elif step.copy_of is None and step.sent.ack is not None:
            numbers[sender] = 0
            beyond = _beyond(streams, step)
            if beyond:
                beyond["expects"] = step.sent.ack
                frames = streams.numbers(step.index)
                who = streams.history.name(sender)
                yield Claim("acks.selective", frames, Known.SEEN, beyond, "", (), who)
        if step.length or step.copy_of is not None:
            heard[sender] = step


def _nonsense(streams: Streams, step: Step) -> Claim:
    return Claim(
        "acks.never-sent",
        streams.numbers(step.index),
        Known.FOLLOWS,
        {"ack_raw": step.sent.ack_raw},
        "RFC 9293 section 3.10.7.4",
        (),
        streams.history.name(step.sent.sender),
    )


def _duplicate(streams: Streams, step: Step, heard: Step | None, number: int) -> Claim:
    assert step.sent.ack is not None
    figures: dict[str, Figure] = {"expects": step.sent.ack, "duplicate": number}
    others: tuple[int, ...] = ()
    kind = "acks.duplicate"
    if heard is not None:
        others = (heard.index,)
        if heard.copy_of is not None:
            kind = "acks.duplicate-for-copy"
        elif heard.end <= step.sent.ack:
            kind = "acks.duplicate-for-repeat"
        elif heard.sent.data_start > step.sent.ack:
            kind = "acks.duplicate-for-hole"
        else:
            others = ()
        if others:
            figures["heard_frame"] = heard.sent.number
    figures |= _beyond(streams, step)
    who = streams.history.name(step.sent.sender)
    frames = streams.numbers(*others, step.index)
    known = Known.FOLLOWS if kind == "acks.duplicate-for-hole" else Known.SEEN
    rule = "RFC 5681 section 4.2" if known is Known.FOLLOWS else ""
    return Claim(kind, frames, known, figures, rule, (), who)


def _beyond(streams: Streams, step: Step) -> dict[str, Figure]:
    """
    Give what an ACK names beyond the first hole (SACK).
    """
    ack = step.sent.ack
    if ack is None or step.sent.has_rst:
        return {}
    base = ack - step.sent.ack_raw
    ranges = [
        streams.bytes_in(1 - step.sent.sender, low + base, high + base)
        for low, high in step.sent.options.sacks
        if ack < low + base < high + base
    ]
    ranges = [each for each in dict.fromkeys(ranges) if each[2]]
    if not ranges:
        return {}
    return {
        "sacked_first": min(low for low, _, _ in ranges),
        "sacked_last": max(last for _, last, _ in ranges),
        "sacked_bytes": sum(size for _, _, size in ranges),
    }
