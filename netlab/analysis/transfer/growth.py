"""
Slow start: flights that grow with each round trip, and what ended their growth, as far as seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from netlab.analysis.claims.claim import Claim, Known
from netlab.analysis.observations.streams import Streams, StreamStep

FLIGHTS_MIN: Final = 3
"""How many flights show a growth."""

GROWTH_MIN: Final = 14
"""How many tenths of the one before a flight has at least: half of it more, with delayed ACKs."""

FLIGHTS_MAX: Final = 64
"""How many flights are looked at."""


@dataclass(slots=True)
class _Flight:
    """
    What was sent in one round trip.

    @ivar first: its first step.
    @ivar last: its last step.
    @ivar size: its new bytes.
    @ivar mark: the round trip is over when this is acknowledged.
    @ivar is_full: whether its segments but the last were of full size.
    """

    first: StreamStep
    last: StreamStep
    size: int
    mark: int
    is_full: bool


def claims_of(streams: Streams) -> Iterator[Claim]:
    """
    Judge the growth of both ends' first flights.
    """
    for sender in (0, 1):
        yield from _growth(streams, sender)


def _growth(streams: Streams, sender: int) -> Iterator[Claim]:
    largest = streams.directions[sender].largest
    flights: list[_Flight] = []
    current: _Flight | None = None
    ended, end_step = "all-sent", None
    for step in streams.steps:
        if step.copy_of is not None or step.is_beyond:
            continue
        if step.sent.sender != sender:
            if step.length and flights:
                break
            acked = step.sent.ack
            if current is not None and step.newly and acked is not None and acked >= current.mark:
                flights.append(current)
                current = None
                if len(flights) >= FLIGHTS_MAX:
                    break
            continue
        if step.repeated or step.hole is not None or step.opens is not None:
            ended, end_step = "loss", step
            break
        if not step.fresh:
            continue
        if current is None:
            current = _Flight(step, step, step.fresh, step.end, is_full=True)
        else:
            current.is_full = current.is_full and current.last.length == largest
            current.last, current.size = step, current.size + step.fresh
    grown = [flight for flight in flights if flight.is_full]
    count = 1
    while count < len(grown) and 10 * grown[count].size >= GROWTH_MIN * grown[count - 1].size:
        count += 1
    if count < FLIGHTS_MIN or grown[:count] != flights[:count]:
        return
    top = grown[count - 1]
    rest = [*flights[count:], *([current] if current is not None else [])]
    if ended == "loss" and len(rest) > 1:
        ended = "unknown"
    if ended != "loss":
        if any(_fills(each.last, largest) for each in (top, *rest[:1])):
            ended = "window"
        else:
            ended = "all-sent" if len(rest) <= 1 else "unknown"
    others = [end_step.index] if ended == "loss" and end_step is not None else []
    yield Claim(
        "delays.slow-start",
        streams.numbers(grown[0].first.index, top.last.index, *others),
        Known.FOLLOWS,
        {
            "flights": count,
            "first_bytes": grown[0].size,
            "last_bytes": top.size,
            "ended": ended,
        },
        "RFC 5681 section 3.1",
        (),
        streams.history.name(sender),
    )


def _fills(step: StreamStep, largest: int) -> bool:
    """
    Tell whether a segment leaves no room for a full one in the window.
    """
    return step.edge is not None and 0 <= step.edge - step.end < largest
