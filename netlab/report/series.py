"""
What a conversation's plots show, as numbers: JSON has the same.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, NamedTuple

from netlab.analysis.explanation.story import ConversationStory, FrameStory
from netlab.report.times import PAUSE_MIN_NS

_AGAIN: Final = frozenset({"retransmission", "fast retransmission", "spurious retransmission"})

RATE_SPELLS: Final = 48
"""Into how many spells the time without pauses is divided for rates, about."""

_SPELL_MIN_NS: Final = 1_000_000


class SentBytes(NamedTuple):
    """
    What one segment carries.

    @ivar number: The frame.
    @ivar time_ns: When.
    @ivar start: The first relative sequence number.
    @ivar end: The one after the last.
    @ivar is_again: Whether it is a retransmission.
    @ivar was_repeated: Whether a later frame carries some of it again, which no ACK had covered.
    """

    number: int
    time_ns: int
    start: int
    end: int
    is_again: bool
    was_repeated: bool


class SackRange(NamedTuple):
    """
    A range that was acknowledged selectively.

    @ivar time_ns: When.
    @ivar start: The first relative sequence number.
    @ivar end: The one after the last.
    """

    time_ns: int
    start: int
    end: int


class Sample(NamedTuple):
    """
    A figure at a time.

    @ivar time_ns: When.
    @ivar value: It.
    """

    time_ns: int
    value: int


class Rate(NamedTuple):
    """
    How fast payload travelled, what was sent again included.

    @ivar start_ns: From when.
    @ivar end_ns: Until when.
    @ivar value: Bytes per second.
    """

    start_ns: int
    end_ns: int
    value: int


@dataclass(frozen=True, slots=True)
class DirectionSeries:
    """
    One direction of a conversation over time. Each figure holds until the next one.

    @ivar from_client: Which direction.
    @ivar sent: What its segments carry, SYN and FIN included.
    @ivar acknowledged: Up to which number its peer has acknowledged.
    @ivar edge: Up to which number its peer's window lets it send.
    @ivar sacks: Ranges that were acknowledged selectively.
    @ivar in_flight: Bytes sent and not seen acknowledged.
    @ivar window: The peer's window, in bytes.
    @ivar cwnd: The sender's congestion window in bytes, where the capture says so.
    @ivar ssthresh: Its slow start threshold in bytes, likewise.
    @ivar rtt: From a segment to its acknowledgement, in nanoseconds, where this was captured.
    @ivar rate: How fast payload travelled.
    """

    from_client: bool
    sent: Sequence[SentBytes]
    acknowledged: Sequence[Sample]
    edge: Sequence[Sample]
    sacks: Sequence[SackRange]
    in_flight: Sequence[Sample]
    window: Sequence[Sample]
    cwnd: Sequence[Sample]
    ssthresh: Sequence[Sample]
    rtt: Sequence[Sample]
    rate: Sequence[Rate]

    @property
    def byte_count(self) -> int:
        """How far its numbers reach."""
        return max((each.end for each in self.sent), default=0)


def pause_min_ns(both: Sequence[DirectionSeries]) -> int:
    """
    Tell from how long on a silence is more than waiting for an acknowledgement: one that is not is
    no gap on a time axis.
    """
    shortest = [min(each.value for each in series.rtt) for series in both if series.rtt]
    return max(PAUSE_MIN_NS, 5 * max(shortest, default=0) // 2)


def series_of(conversation: ConversationStory) -> tuple[DirectionSeries, DirectionSeries]:
    """
    Follow both directions of a conversation.

    @param conversation: It; only frames that are explained one by one count.
    @return: The client's, then the server's.
    """
    frames = conversation.frames
    both = [_direction(frames, from_client=from_client) for from_client in (True, False)]
    spells = _spells(frames, pause_min_ns(both)) if frames else []
    client, server = (
        replace(each, rate=_rates(frames, spells, from_client=each.from_client)) for each in both
    )
    return client, server


def _direction(frames: Sequence[FrameStory], *, from_client: bool) -> DirectionSeries:
    """
    Follow one direction, but for its rate.
    """
    sent = reach = acked = None
    window: int | None = None
    acks: list[Sample] = []
    edges: list[Sample] = []
    flights: list[Sample] = []
    windows: list[Sample] = []
    cwnds: list[Sample] = []
    thresholds: list[Sample] = []
    rtts: list[Sample] = []
    sacks: list[SackRange] = []
    for frame in frames:
        now = frame.time_ns
        if frame.is_from_client == from_client:
            sent = max(frame.nxtseq, sent or 0)
            acked = frame.seq if acked is None else acked
            if frame.sender is not None:
                _hold(cwnds, now, frame.sender.cwnd_bytes)
                threshold = frame.sender.ssthresh_bytes
                if threshold is not None:
                    _hold(thresholds, now, threshold)
        else:
            is_ack = "ACK" in frame.flags and "RST" not in frame.flags
            if is_ack:
                acked = max(frame.ack, acked or 0)
                _hold(acks, now, acked)
            if is_ack or "SYN" in frame.flags:
                window = frame.window_size
                _hold(windows, now, window)
            if is_ack and window is not None:
                # An end that shrinks its window takes nothing back (RFC 9293 section 3.8.6).
                reach = max(frame.ack + window, reach or 0)
                _hold(edges, now, reach)
            sacks += [SackRange(now, low, high) for low, high in frame.sacks if low < high]
            if frame.rtt_ns is not None:
                rtts.append(Sample(now, frame.rtt_ns))
        _hold(flights, now, 0 if sent is None or acked is None else max(sent - acked, 0))
    return DirectionSeries(
        from_client,
        _sent(frames, from_client=from_client),
        acks,
        edges,
        sacks,
        flights,
        windows,
        cwnds,
        thresholds,
        rtts,
        (),
    )


def _hold(samples: list[Sample], time_ns: int, value: int) -> None:
    """
    Note a figure, if it is another than before.
    """
    if not samples or samples[-1].value != value:
        samples.append(Sample(time_ns, value))


def _sent(frames: Sequence[FrameStory], *, from_client: bool) -> list[SentBytes]:
    """
    Tell what each segment carries, and which of it was sent again.
    """
    found: list[SentBytes] = []
    # First copies: their numbers and ends ascend, since each brings something new.
    starts: list[int] = []
    places: list[int] = []
    for frame in frames:
        if frame.is_from_client != from_client or frame.nxtseq <= frame.seq:
            continue
        marks = set(frame.marks)
        is_again = bool(marks & _AGAIN)
        if is_again and "spurious retransmission" not in marks:
            at = bisect_right(starts, frame.seq) - 1
            while 0 <= at < len(starts) and starts[at] < frame.nxtseq:
                place = places[at]
                if found[place].end > frame.seq:
                    found[place] = found[place]._replace(was_repeated=True)
                at += 1
        elif not is_again and (not starts or frame.seq > starts[-1]):
            starts.append(frame.seq)
            places.append(len(found))
        found.append(
            SentBytes(frame.number, frame.time_ns, frame.seq, frame.nxtseq, is_again, False)
        )
    return found


def _spells(frames: Sequence[FrameStory], pause_ns: int) -> list[tuple[int, int]]:
    """
    Divide the time between pauses into spells of one length.

    @param pause_ns: From how long on a silence is a pause.
    """
    runs: list[tuple[int, int]] = []
    # A capture's clock may have been set back.
    times = sorted(frame.time_ns for frame in frames)
    begin = times[0]
    for before, after in pairwise(times):
        if after - before >= pause_ns:
            runs.append((begin, before))
            begin = after
    runs.append((begin, times[-1]))
    busy_ns = sum(end - start for start, end in runs)
    length = _round_spell(max(busy_ns // RATE_SPELLS, _SPELL_MIN_NS))
    spells = []
    for first, end in runs:
        spells += [(start, start + length) for start in range(first, end + 1, length)]
    return spells


def _round_spell(length_ns: int) -> int:
    """
    Round up to a length that one can read.
    """
    unit: int = 10 ** (len(str(length_ns)) - 1)
    return next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= length_ns)


def _rates(
    frames: Sequence[FrameStory], spells: Sequence[tuple[int, int]], *, from_client: bool
) -> list[Rate]:
    starts = [start for start, _ in spells]
    sums = [0] * len(spells)
    for frame in frames:
        if frame.is_from_client == from_client and frame.len:
            at = min(max(bisect_right(starts, frame.time_ns) - 1, 0), len(spells) - 1)
            sums[at] += frame.len
    return [
        Rate(start, end, total * 1_000_000_000 // (end - start))
        for (start, end), total in zip(spells, sums, strict=True)
    ]
