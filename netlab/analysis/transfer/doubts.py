"""
Repeats that were not needed, by what the receiver says of them, and repeats that are none: other
bytes under the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from netlab.analysis.claims.claim import Claim, Figure, Known
from netlab.analysis.observations.streams import Streams, StreamStep
from netlab.analysis.transfer.order import numbers_count, was_sent_before
from netlab.capture.segments import Checksum

_TICKS: Final = 1 << 32
_MODULUS: Final = 1 << 32


def claims_of(streams: Streams) -> Iterator[Claim]:
    """
    Judge each repeat by the bytes that it carries and by the ACK that answers it.
    """
    pending: list[StreamStep | None] = [None, None]
    counts = tuple(numbers_count(streams, sender) for sender in (0, 1))
    for step in streams.steps:
        if step.copy_of is not None or step.is_beyond:
            continue
        if step.repeated and not step.is_keep_alive and not step.is_window_probe:
            yield from _altered(streams, step)
        is_odd = step.is_nonsense or step.is_discarded
        if step.sent.ack is not None and not is_odd and not step.sent.has_rst:
            yield from _received_twice(streams, step, counts=counts[1 - step.sent.sender])
            asked = pending[1 - step.sent.sender]
            if asked is not None and step.newly:
                pending[1 - step.sent.sender] = None
                yield from _answered_before(streams, step, asked)
        if step.repeated and step.latest is not None and step.acked == step.sent.data_start:
            pending[step.sent.sender] = step


def _altered(streams: Streams, step: StreamStep) -> Iterator[Claim]:
    for first in step.firsts:
        other = streams.steps[first].sent
        if step.sent.shares_bytes(other) is not False:
            continue
        figures: dict[str, Figure] = {
            "first": max(step.sent.data_start, other.data_start),
            "last": min(step.end, other.data_end) - 1,
            "first_frame": other.number,
            "ttl": step.sent.ttl,
            "first_ttl": other.ttl,
            "ip_id": step.sent.ip_id,
            "first_ip_id": other.ip_id,
        }
        who = streams.history.name(step.sent.sender)
        frames = streams.numbers(first, step.index)
        wrong = [each.number for each in (other, step.sent) if each.checksum is Checksum.BAD]
        if wrong:
            figures["wrong_checksum_frame"] = wrong[0]
            rule = "RFC 9293 section 3.1"
            yield Claim("repeats.damaged", frames, Known.FOLLOWS, figures, rule, (), who)
        else:
            causes = ("injected", "sender-changed-its-bytes")
            yield Claim("repeats.other-bytes", frames, Known.POSSIBLE, figures, "", causes, who)
        return


def _received_twice(streams: Streams, step: StreamStep, *, counts: bool) -> Iterator[Claim]:
    """
    A first SACK range below the ACK, or within the second range, names what came twice.

    @param counts: whether the sender of these bytes counts its packets.
    """
    ranges = step.sent.options.sacks
    ack = step.sent.ack
    if not ranges or ack is None:
        return
    placed = [
        (ack + _signed(low - step.sent.ack_raw), ack + _signed(high - step.sent.ack_raw))
        for low, high in ranges[:2]
    ]
    low, high = placed[0]
    is_within = len(placed) > 1 and placed[1][0] <= low < high <= placed[1][1]
    if not (low < high <= ack or (is_within and low >= ack)):
        return
    sender = 1 - step.sent.sender
    direction = streams.directions[sender]
    if low < 1 or high > direction.highest:
        return
    one, other, size = streams.bytes_in(sender, low, high)
    if not size:
        return
    figures: dict[str, Figure] = {"first": one, "last": other, "bytes": size}
    who = streams.history.name(step.sent.sender)
    first, latest = direction.firsts.at(low), direction.latest.at(low)
    rule = "RFC 2883 section 4"
    sent = streams.steps
    if (
        first is None
        or latest is None
        or latest > step.index
        or first == latest
        # One of the two was not taken: which, nothing shows.
        or sent[latest].sent.shares_bytes(sent[first].sent) is False
    ):
        frames = streams.numbers(step.index)
        yield Claim("repeats.received-twice", frames, Known.FOLLOWS, figures, rule, (), who)
        return
    if was_sent_before(sent[latest].sent, sent[first].sent, counts=counts)[0]:
        # The repeat came first.
        first, latest = latest, first
    figures |= {"first_frame": streams.number(first), "repeat_frame": streams.number(latest)}
    frames = streams.numbers(first, latest, step.index)
    yield Claim("repeats.spurious-by-sack", frames, Known.FOLLOWS, figures, rule, (), who)


def _answered_before(streams: Streams, step: StreamStep, repeat: StreamStep) -> Iterator[Claim]:
    """
    The ACK echoes the time stamp of the first copy: that one arrived (RFC 3522 section 3.2).
    """
    assert repeat.latest is not None
    original = streams.steps[repeat.firsts[0] if repeat.firsts else repeat.latest].sent
    if repeat.tries != 1 or repeat.firsts[1:]:
        return
    if step.sent.ack is None or step.sent.ack < repeat.end:
        return
    one, two, three = (each.options.timestamps for each in (original, repeat.sent, step.sent))
    if one is None or two is None or three is None:
        return
    first, again, echo = one[0], two[0], three[1]
    if first == again or echo != first:
        return
    yield Claim(
        "repeats.spurious-by-timestamp",
        tuple(sorted({original.number, repeat.sent.number, step.sent.number})),
        Known.FOLLOWS,
        {"first_frame": original.number, "repeat_frame": repeat.sent.number, "echoed": echo},
        "RFC 3522 section 3.2",
        (),
        streams.history.name(step.sent.sender),
    )


def _signed(number: int) -> int:
    number %= _MODULUS
    return number - _MODULUS if number >= _MODULUS // 2 else number
