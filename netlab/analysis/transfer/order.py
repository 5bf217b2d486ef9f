"""
Holes in a stream: what filled them, and whether it was lost, overtaken or not captured.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from netlab.analysis.claims.claim import Claim, Figure, Known
from netlab.analysis.observations.history import Sent
from netlab.analysis.observations.streams import Streams, StreamStep

NEAR: Final = 1000
"""How far apart the identifications of packets are that one end sent near in time."""

_MODULUS: Final = 1 << 16
_TICKS: Final = 1 << 32


def claims_of(streams: Streams) -> Iterator[Claim]:
    """
    Judge each hole where it is filled, or where an ACK shows that it need not be.
    """
    counts = tuple(numbers_count(streams, sender) for sender in (0, 1))
    pointers = [0, 0]
    reported: set[tuple[int, int]] = set()
    for step in streams.steps:
        if step.copy_of is not None:
            continue
        if step.opens is not None and not step.is_beyond:
            missing = step.sent.data_start - step.opens
            yield Claim(
                "gaps.opened",
                streams.numbers(step.index),
                Known.SEEN,
                {"first": step.opens, "last": step.sent.data_start - 1, "bytes": missing},
                "",
                (),
                streams.history.name(step.sent.sender),
            )
        if step.hole is not None and step.fresh:
            yield _filled(streams, step, counts=counts[step.sent.sender])
        if step.sent.ack is not None and not step.is_nonsense and step.newly:
            yield from _acknowledged(streams, step, pointers, reported)
    if streams.is_whole:
        for sender in (0, 1):
            yield from _left_open(streams, sender, reported)


def numbers_count(streams: Streams, sender: int) -> bool:
    """
    Tell whether an end counts its packets: their identifications grow by little.
    """
    before: int | None = None
    pairs = near = 0
    for step in streams.steps:
        if step.sent.sender != sender or step.copy_of is not None or not step.sent.ip_id:
            continue
        if before is not None:
            pairs += 1
            distance = (step.sent.ip_id - before) % _MODULUS
            # An overtaken one goes a little back.
            near += 0 < min(distance, _MODULUS - distance) < NEAR
        before = step.sent.ip_id
    return pairs >= 2 and 4 * near >= 3 * pairs


def was_sent_before(late: Sent, other: Sent, *, counts: bool) -> tuple[bool | None, str]:
    """
    Tell whether a segment was sent before one that was captured before it.

    @param counts: whether their sender counts its packets.
    @return: None where nothing shows it; and what shows it.
    """
    if late.options.timestamps is not None and other.options.timestamps is not None:
        ticks = (other.options.timestamps[0] - late.options.timestamps[0]) % _TICKS
        if ticks:
            return ticks < _TICKS // 2, "timestamps"
    if counts and late.ip_id and other.ip_id:
        distance = (other.ip_id - late.ip_id) % _MODULUS
        if 0 < distance < NEAR:
            return True, "ip-id"
        if distance > _MODULUS - NEAR:
            return False, "ip-id"
    return None, ""


def _filled(streams: Streams, step: StreamStep, *, counts: bool) -> Claim:
    assert step.hole is not None
    opener = streams.steps[step.hole]
    late = streams.since_ns(step.hole, step.index)
    figures: dict[str, Figure] = {
        "first": step.sent.data_start,
        "last": step.end - 1,
        "bytes": step.fresh,
        "opened_frame": opener.sent.number,
    }
    if late is not None:
        figures["late_ns"] = late
    who = streams.history.name(step.sent.sender)
    frames = streams.numbers(step.hole, step.index)
    if opener.sent.sender != step.sent.sender:
        # Only what that ACK covers.
        reached = min(step.end, opener.sent.ack or 0)
        figures["last"] = reached - 1
        figures["bytes"] = min(step.fresh, reached - step.sent.data_start)
        return Claim(
            "gaps.seen-after-its-ack",
            frames,
            Known.POSSIBLE,
            figures,
            "",
            ("captured-late", "retransmission"),
            who,
        )
    earlier, evidence = was_sent_before(step.sent, opener.sent, counts=counts)
    if evidence:
        figures["evidence"] = evidence
    if earlier:
        if evidence == "ip-id":
            figures |= {"ip_id": step.sent.ip_id, "opened_ip_id": opener.sent.ip_id}
        return Claim("reordering.overtaken", frames, Known.SEEN, figures, "", (), who)
    duplicates = step.duplicates
    way = streams.round_trip_ns
    is_soon = late is not None and way is not None and 2 * late < way
    if duplicates:
        figures["duplicates"] = duplicates
        frames = streams.numbers(step.hole, *step.duplicates_kept, step.index)
    if late is None or (is_soon and earlier is None):
        causes = ("overtaken", "retransmission")
        return Claim("reordering.late", frames, Known.POSSIBLE, figures, "", causes, who)
    if is_soon:
        causes = ("sent-out-of-order", "retransmission")
        return Claim("reordering.late", frames, Known.POSSIBLE, figures, "", causes, who)
    is_repeat = earlier is False or (way is not None and late >= way)
    if duplicates and is_repeat and not streams.lacks_segments:
        return Claim(
            "repeats.first-copy-lost-before",
            frames,
            Known.FOLLOWS,
            figures,
            "RFC 5681 section 4.2",
            (),
            who,
        )
    lost = ("lost-before-this-point", "not-captured")
    found = ("overtaken", *lost) if earlier is None else lost
    return Claim("repeats.first-copy-not-seen", frames, Known.POSSIBLE, figures, "", found, who)


def _acknowledged(
    streams: Streams, step: StreamStep, pointers: list[int], reported: set[tuple[int, int]]
) -> Iterator[Claim]:
    """
    Claim the holes that an ACK covers: their bytes arrived, so the capture lacks them.
    """
    sender = 1 - step.sent.sender
    direction = streams.directions[sender]
    ack = step.sent.ack
    assert ack is not None
    if not direction.is_seen:
        return
    holes = direction.holes
    while pointers[sender] < len(holes) and holes[pointers[sender]][1] <= ack:
        low, high, opener = holes[pointers[sender]]
        if opener > step.index:
            break
        pointers[sender] += 1
        reported.add((sender, low))
        # Numbers before the first that was seen, and what was only seen later, are not missing.
        missing = _missing(streams, sender, low, high)
        if not missing or high <= (direction.base_seen or 0):
            continue
        yield Claim(
            "gaps.not-captured",
            streams.numbers(opener, step.index),
            Known.FOLLOWS,
            {"first": low, "last": high - 1, "bytes": missing},
            "RFC 9293 section 3.4",
            (),
            streams.history.name(sender),
        )


def _missing(streams: Streams, sender: int, low: int, high: int) -> int:
    """
    Count the numbers of a hole that nothing fills; a FIN at its end that was seen fills one.
    """
    first, last, _ = streams.bytes_in(sender, low, high)
    return streams.directions[sender].covered.missing(first, last + 1)


def _left_open(streams: Streams, sender: int, reported: set[tuple[int, int]]) -> Iterator[Claim]:
    direction = streams.directions[sender]
    for low, high, opener in direction.holes:
        if streams.steps[opener].sent.sender != sender:
            continue
        missing = _missing(streams, sender, low, high)
        if missing and (sender, low) not in reported and low >= (direction.base_seen or 0):
            yield Claim(
                "gaps.never-filled",
                streams.numbers(opener),
                Known.POSSIBLE,
                {"first": low, "last": high - 1, "bytes": missing},
                "",
                ("lost-on-the-way", "not-captured"),
                streams.history.name(sender),
            )
