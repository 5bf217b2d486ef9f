"""
Copies of a packet that the way or the capture made, of which none is a retransmission.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from netlab.analysis.claims.claim import Claim, Figure, Known
from netlab.analysis.observations.history import History, Sent
from netlab.analysis.observations.streams import Streams

TRANSLATED_MIN: Final = 3
"""How many packets must be the same in two conversations for them to be one connection."""

TRANSLATED_MAX_NS: Final = 1_000_000_000
"""How long a packet may take from one side of a translator to the other."""

PACKETS_COMPARED_MAX: Final = 32
"""How many packets at the beginning of two conversations are compared."""

PARTNERS_MAX: Final = 4
"""How many conversations with the same initial numbers are compared with each."""


def claims_of(streams: Streams) -> Iterator[Claim]:
    """
    Judge each copy, and a conversation of which most is copied.
    """
    copies = [step for step in streams.steps if step.copy_of is not None]
    if streams.is_doubled:
        first = copies[0]
        assert first.copy_of is not None
        steps = {
            step.sent.ttl - streams.steps[step.copy_of].sent.ttl
            for step in copies
            if step.copy_of is not None
        }
        spans = sorted(
            span
            for step in copies
            if step.copy_of is not None
            and (span := streams.since_ns(step.copy_of, step.index)) is not None
        )
        figures: dict[str, Figure] = {
            "copies": len(copies),
            "packets": len(streams.steps) - len(copies),
            "place": _place(steps),
        }
        if spans:
            figures["after_ns"] = spans[len(spans) // 2]
        frames = streams.numbers(first.copy_of, first.index)
        yield Claim("copies.throughout", frames, Known.SEEN, figures)
    for step in copies:
        assert step.copy_of is not None
        original = streams.steps[step.copy_of].sent
        figures = {"original_frame": original.number, "ttl_step": step.sent.ttl - original.ttl}
        span = streams.since_ns(step.copy_of, step.index)
        if span is not None:
            figures["after_ns"] = span
        frames = streams.numbers(step.copy_of, step.index)
        who = streams.history.name(step.sent.sender)
        if streams.is_doubled or step.sent.ttl != original.ttl:
            yield Claim("copies.copy", frames, Known.SEEN, figures, "", (), who)
        else:
            causes = ("duplicated-on-the-way", "captured-twice")
            yield Claim("copies.single", frames, Known.POSSIBLE, figures, "", causes, who)


def _place(steps: set[int]) -> str:
    """
    Name where copies were made by what happened to the time to live.
    """
    if steps == {0}:
        return "same-ttl"
    return "router" if all(step for step in steps) else "mixed"


class _Same(NamedTuple):
    """
    A packet in two conversations.

    @ivar one: it, in the one.
    @ivar other: it, in the other.
    """

    one: Sent
    other: Sent


def claims_across(histories: Sequence[History]) -> Iterator[Claim]:
    """
    Judge which conversations are one connection, captured before and after an address translator:
    the same numbers and the same bytes, packet by packet.

    @param histories: of one capture.
    """
    by_numbers: dict[int, list[History]] = {}
    for history in histories:
        opening = _opening(history)
        if opening is None:
            continue
        partners = by_numbers.setdefault(opening.seq_raw, [])
        for partner in partners[:PARTNERS_MAX]:
            if _ends(partner) != _ends(history):
                yield from _translated(partner, history)
        partners.append(history)


def _opening(history: History) -> Sent | None:
    """Give the first SYN without ACK."""
    for sent in history.segments[:PACKETS_COMPARED_MAX]:
        if sent.has_syn and not sent.has_ack:
            return sent
    return None


def _ends(history: History) -> tuple[tuple[bytes, int], ...]:
    return tuple((flow.raw_address, flow.port) for flow in history.conversation.flows)


def _translated(one: History, other: History) -> Iterator[Claim]:
    seen: dict[tuple[object, ...], Sent] = {}
    for sent in one.segments[:PACKETS_COMPARED_MAX]:
        seen.setdefault(_identity(one, sent), sent)
    pairs = [
        _Same(seen[identity], sent)
        for sent in other.segments[:PACKETS_COMPARED_MAX]
        if (identity := _identity(other, sent)) in seen
        and abs(sent.time_ns - seen[identity].time_ns) <= TRANSLATED_MAX_NS
    ]
    least = min(len(one.segments), len(other.segments), PACKETS_COMPARED_MAX)
    if len(pairs) < TRANSLATED_MIN or 2 * len(pairs) < least:
        return
    first = pairs[0]
    earlier, later = sorted((first.one, first.other), key=lambda sent: sent.number)
    inner, outer = (one, other) if earlier is first.one else (other, one)
    yield Claim(
        "copies.translated",
        (earlier.number, later.number),
        Known.SEEN,
        {
            "packets": len(pairs),
            "inside": inner.conversation.stream,
            "outside": outer.conversation.stream,
            "ttl": earlier.ttl,
            "ttl_after": later.ttl,
            "after_ns": abs(later.time_ns - earlier.time_ns),
        },
    )


def _identity(history: History, sent: Sent) -> tuple[object, ...]:
    """Give what a translator leaves as it is."""
    is_client = sent.sender == history.client
    return (is_client, sent.seq_raw, sent.ack_raw, sent.flags, sent.length, sent.payload)
