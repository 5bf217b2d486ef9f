"""
What the receivers' windows allowed: closed, probed, opened, exceeded, and too small for the way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from netlab.analysis.claims.claim import Claim, Figure, Known
from netlab.analysis.observations.streams import Streams, StreamStep

ROUNDS_MIN: Final = 3
"""How many times a window must have been used up for it to be what limits a transfer."""

ROUND_TRIP_MIN_NS: Final = 1_000_000
"""The shortest round trip in which waiting for a window is worth a sentence."""

_RST: Final = 4
_NANOSECONDS: Final = 1_000_000_000


@dataclass(slots=True)
class _Window:
    """
    One end's window, as it was announced.

    @ivar offered: the newest; -1 before the first.
    @ivar offered_by: its step.
    @ivar acked: the ACK that came with it.
    @ivar edge: the highest number that it has allowed.
    @ivar edge_by: the step that did.
    @ivar closed_by: the step that closed it, while it is closed.
    @ivar probed_by: the newest of those that asked since.
    @ivar answered: the newest probe that was not answered yet.
    """

    offered: int = -1
    offered_by: int = -1
    acked: int = 0
    edge: int = -1
    edge_by: int = -1
    closed_by: int | None = None
    probed_by: int | None = None
    probe_count: int = 0
    last_probe: int | None = None


def claims_of(streams: Streams) -> Iterator[Claim]:
    """
    Judge the windows of both ends.
    """
    windows = (_Window(), _Window())
    for step in streams.steps:
        if step.copy_of is not None:
            continue
        own, other = windows[step.sent.sender], windows[1 - step.sent.sender]
        if step.is_beyond:
            yield from _beyond(streams, step)
            continue
        if other.closed_by is not None:
            yield from _while_closed(streams, step, other)
        if step.edge is not None and step.fresh and step.end == step.edge:
            yield _claim(
                streams,
                step,
                "windows.full",
                () if step.window_by is None else (step.window_by,),
                in_flight=step.end - (step.acked or step.end),
            )
        is_odd = step.is_nonsense or step.is_discarded
        if step.sent.has_ack and not step.sent.flags & _RST and not is_odd:
            yield from _announce(streams, step, own)
    yield from _limited(streams)
    if streams.is_whole and streams.steps:
        for window in windows:
            if window.closed_by is not None:
                yield from _still_closed(streams, window)


def _claim(
    streams: Streams, step: StreamStep, kind: str, others: tuple[int, ...] = (), **figures: Figure
) -> Claim:
    frames = streams.numbers(*others, step.index)
    return Claim(kind, frames, Known.SEEN, figures, "", (), streams.history.name(step.sent.sender))


def _span(streams: Streams, name: str, earlier: int, later: int) -> dict[str, Figure]:
    span = streams.since_ns(earlier, later)
    return {} if span is None else {name: span}


def _announce(streams: Streams, step: StreamStep, own: _Window) -> Iterator[Claim]:
    sent = step.sent
    assert sent.ack is not None
    knows_scale = streams.directions[1 - sent.sender].knows_scale
    before = own.offered
    if sent.has_syn:
        # Its window is not scaled (RFC 7323 section 2.2), and nobody waits for it yet.
        own.offered, own.offered_by, own.acked = sent.window, step.index, sent.ack
        return
    if sent.window == 0 and own.closed_by is None:
        own.closed_by = step.index
        own.probe_count, own.probed_by, own.last_probe = 0, None, None
        yield _claim(streams, step, "windows.closed")
    elif sent.window == 0 and own.closed_by is not None:
        if own.last_probe is not None:
            yield _claim(
                streams,
                step,
                "windows.probe-answered",
                (own.closed_by, own.last_probe),
                probe_frame=streams.number(own.last_probe),
                **_span(streams, "closed_ns", own.closed_by, step.index),
            )
            own.last_probe = None
    elif sent.window and own.closed_by is not None:
        figures = _span(streams, "closed_ns", own.closed_by, step.index)
        figures["probes"] = own.probe_count
        if knows_scale:
            figures["window"] = sent.window
        yield Claim(
            "windows.reopened",
            streams.numbers(own.closed_by, step.index),
            Known.POSSIBLE,
            figures,
            "",
            ("application-read", "buffer-enlarged"),
            streams.history.name(sent.sender),
        )
        own.closed_by = None
    elif (
        knows_scale
        and 0 < before < sent.window
        and sent.ack == own.acked
        and not step.length
        and not sent.flags & 1
        and own.offered_by >= 0
    ):
        yield _claim(
            streams, step, "windows.raised", (own.offered_by,), before=before, window=sent.window
        )
    if knows_scale:
        edge = sent.ack + sent.window
        shift = max(0, streams.history.conversation.flows[sent.sender].window_shift)
        if edge >= own.edge:
            own.edge, own.edge_by = edge, step.index
        elif own.edge - edge >= 1 << shift and sent.ack > own.acked:
            # Another time to live is another sender's, most likely: it offered nothing.
            if streams.steps[own.edge_by].sent.ttl == sent.ttl:
                yield _claim(
                    streams, step, "windows.shrunk", (own.edge_by,), taken_back=own.edge - edge
                )
            own.edge, own.edge_by = edge, step.index
    if sent.ack >= own.acked:
        own.offered, own.offered_by, own.acked = sent.window, step.index, sent.ack


def _while_closed(streams: Streams, step: StreamStep, window: _Window) -> Iterator[Claim]:
    """
    Judge what the other end sends against a window of zero.
    """
    assert window.closed_by is not None
    if step.is_window_probe:
        since = window.closed_by if window.probed_by is None else window.probed_by
        window.probed_by = step.index
        window.probe_count += 1
        window.last_probe = step.index
        yield _claim(
            streams,
            step,
            "windows.probe",
            (window.closed_by,),
            probe=window.probe_count,
            closed_frame=streams.number(window.closed_by),
            length=step.length,
            **_span(streams, "waited_ns", since, step.index),
        )
    elif step.sent.has_rst:
        # The topic resets tells of it.
        window.closed_by = None


def _beyond(streams: Streams, step: StreamStep) -> Iterator[Claim]:
    if step.edge is None or not streams.is_whole or step.sent.has_rst:
        return
    others = () if step.window_by is None else (step.window_by,)
    yield Claim(
        "windows.beyond",
        streams.numbers(*others, step.index),
        Known.FOLLOWS,
        {"bytes": step.length, "beyond": step.sent.data_start - step.edge},
        "RFC 9293 section 3.10.7.4",
        (),
        streams.history.name(step.sent.sender),
    )


def _still_closed(streams: Streams, window: _Window) -> Iterator[Claim]:
    assert window.closed_by is not None
    last = streams.steps[-1]
    closed = streams.steps[window.closed_by]
    if closed is last or any(step.sent.has_rst for step in streams.steps[closed.index :]):
        return
    yield Claim(
        "windows.closed-to-the-end",
        streams.numbers(closed.index, last.index),
        Known.SEEN,
        {"probes": window.probe_count, **_span(streams, "closed_ns", closed.index, last.index)},
        "",
        (),
        streams.history.name(closed.sent.sender),
    )


def _limited(streams: Streams) -> Iterator[Claim]:
    """
    Claim that one window a round trip is all that an end could send, where it was so repeatedly.
    """
    way = streams.round_trip_ns
    if way is None or way < ROUND_TRIP_MIN_NS:
        return
    for sender in (0, 1):
        full: StreamStep | None = None
        stalls: list[tuple[StreamStep, StreamStep, int]] = []
        for step in streams.steps:
            if step.sent.sender != sender or not step.fresh or step.edge is None:
                continue
            if full is not None and full.edge is not None and step.edge > full.edge:
                waited = streams.since_ns(full.index, step.index)
                if waited is not None and way <= 2 * waited <= 4 * way:
                    stalls.append((full, step, waited))
            room = step.edge - step.end
            largest = streams.directions[sender].largest
            full = step if 0 <= room < largest and step.window > 0 else None
        if len(stalls) >= ROUNDS_MIN:
            yield _round_trips(streams, sender, stalls, way)


def _round_trips(
    streams: Streams, sender: int, stalls: list[tuple[StreamStep, StreamStep, int]], way: int
) -> Claim:
    window = max(full.edge - (full.acked or 0) for full, _, _ in stalls if full.edge is not None)
    flows = streams.history.conversation.flows
    syns = [
        step
        for step in streams.steps[:16]
        if step.sent.has_syn and step.copy_of is None and not step.sent.has_rst
    ]
    lacking = {
        streams.history.name(step.sent.sender)
        for step in syns
        if step.sent.options.window_shift is None
    }
    if all(flow.window_shift >= 0 for flow in flows):
        scaling = "used"
    elif len(lacking) == 2:
        scaling = "neither"
    else:
        scaling = next(iter(lacking), "unknown")
    cited = [stalls[0][0].index, stalls[0][1].index, stalls[-1][1].index]
    return Claim(
        "windows.one-a-round-trip",
        streams.numbers(*[step.index for step in syns[:2]], *cited),
        Known.FOLLOWS,
        {
            "rounds": len(stalls),
            "window": window,
            "round_trip_ns": way,
            "bits_per_second": window * 8 * _NANOSECONDS // way,
            "waited_ns": sum(waited for _, _, waited in stalls),
            "scaling": scaling,
        },
        "RFC 7323 section 2" if scaling != "used" else "RFC 9293 section 3.8.6",
        (),
        streams.history.name(sender),
    )
