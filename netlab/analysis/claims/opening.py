"""
How a connection opens, or does not: claims of the topic C{opening}.
"""

from __future__ import annotations

from collections.abc import Iterator

from netlab.analysis.claims.claim import Claim, Known
from netlab.analysis.observations.history import History


def claims_of(history: History) -> Iterator[Claim]:
    """
    Judge how a connection opened.
    """
    syns = [each for each in history.segments if each.has_syn and not each.has_ack]
    answers = [each for each in history.segments if each.has_syn and each.has_ack]
    if not syns or answers or not history.is_whole:
        return
    client = syns[0].sender
    if any(each.sender != client for each in history.segments):
        return
    if any(not each.has_syn for each in history.segments):
        return
    yield Claim(
        "opening.unanswered",
        tuple(each.number for each in syns),
        Known.SEEN,
        {"syns": len(syns), "waited_ns": max(syns[-1].time_ns - syns[0].time_ns, 0)},
        causes=("lost-on-the-way", "filtered", "host-down", "other-direction-not-captured"),
        who="client",
    )
