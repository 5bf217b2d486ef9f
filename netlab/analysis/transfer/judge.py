"""
The judge of what travelled: follows a conversation's streams once, and asks each topic.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from netlab.analysis.claims.claim import Claim
from netlab.analysis.observations.history import History
from netlab.analysis.observations.streams import Streams
from netlab.analysis.transfer import (
    acks,
    copying,
    counting,
    delays,
    doubts,
    growth,
    order,
    probing,
    pushes,
    repeats,
    signals,
    windows,
)

_TOPICS = (copying, repeats, doubts, signals, order, acks, windows, probing, delays, pushes, growth)


def claims_of(history: History) -> Iterator[Claim]:
    """
    Claim what may be claimed of repetition, loss, order, windows and waiting.
    """
    streams = Streams(history)
    made = [claim for topic in _TOPICS for claim in topic.claims_of(streams)]
    yield from made
    yield from counting.claims_of(streams, made)


def claims_across(histories: Sequence[History]) -> Iterator[Claim]:
    """
    Claim which conversations are one connection, captured twice.
    """
    return copying.claims_across(histories)
