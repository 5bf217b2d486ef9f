"""
ACKs that say more than that something arrived: repeated ones, and those that cannot be.
"""

from __future__ import annotations

from collections.abc import Iterator

from netlab.analysis.claims.claim import Claim, Figure, Known
from netlab.analysis.observations.streams import Streams, StreamStep


def claims_of(streams: Streams) -> Iterator[Claim]:
    """
    Judge duplicate ACKs, ACKs that name bytes beyond a hole, and ACKs of what was never sent.
    """
    has_repeated = [False, False]
    numbers = [0, 0]
    for step in streams.steps:
        sender = step.sent.sender
        if step.copy_of is not None:
            has_repeated[sender] = has_repeated[sender] or bool(step.length)
            continue
        if step.length:
            has_repeated[sender] = bool(step.repeated)
        if step.is_nonsense:
            yield _nonsense(streams, step)
        elif step.is_duplicate:
            numbers[sender] += 1
            yield _duplicate(streams, step, numbers[sender], of_repeat=has_repeated[1 - sender])
        elif step.sent.ack is not None:
            numbers[sender] = 0
            beyond = _beyond(streams, step)
            if beyond:
                beyond["expects"] = step.sent.ack
                frames = streams.numbers(step.index)
                who = streams.history.name(sender)
                yield Claim("acks.selective", frames, Known.SEEN, beyond, "", (), who)


def _nonsense(streams: Streams, step: StreamStep) -> Claim:
    return Claim(
        "acks.never-sent",
        streams.numbers(step.index),
        Known.FOLLOWS,
        {"ack_raw": step.sent.ack_raw},
        "RFC 9293 section 3.10.7.4",
        (),
        streams.history.name(step.sent.sender),
    )


def _duplicate(streams: Streams, step: StreamStep, number: int, *, of_repeat: bool) -> Claim:
    """
    Claim what a duplicate ACK means (RFC 5681 section 4.2): that a segment beyond a hole arrived is
    certain only where SACK says so; one that brought nothing new is answered in the same way.

    @param of_repeat: whether the peer's last data was a repeat, or a copy of a packet.
    """
    assert step.sent.ack is not None
    figures: dict[str, Figure] = {"expects": step.sent.ack, "duplicate": number}
    frames = streams.numbers(step.index)
    who = streams.history.name(step.sent.sender)
    beyond = _beyond(streams, step)
    if beyond:
        figures |= beyond
        rule = "RFC 5681 section 4.2"
        return Claim("acks.duplicate-for-hole", frames, Known.FOLLOWS, figures, rule, (), who)
    causes = ("later-segment-came", "nothing-new-came" if of_repeat else "unknown")
    return Claim("acks.duplicate", frames, Known.POSSIBLE, figures, "", causes, who)


def _beyond(streams: Streams, step: StreamStep) -> dict[str, Figure]:
    """
    Give what an ACK names beyond the first hole (SACK).
    """
    ack = step.sent.ack
    if ack is None or step.sent.has_rst or step.is_discarded:
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
