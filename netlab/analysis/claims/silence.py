"""
What an end sends in vain: until the capture ends, or until it gives up by a RST.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final

from netlab.analysis.claims.claim import Claim, Known
from netlab.analysis.observations.course import Course, between_ns, is_probe
from netlab.analysis.observations.history import Sent

SENDINGS_MIN: Final = 2
"""How often the same bytes are sent in vain until a peer has fallen silent."""

SILENT_MIN_NS: Final = 1_000_000_000
"""How long two sendings of the same bytes in vain have to be apart, to be no hasty repeat."""

PROBES_MIN: Final = 2
"""How many probes without an answer make a sender give up."""

_DOUBLING_MIN: Final = 3


def fell_silent(course: Course) -> Iterator[Claim]:
    """
    Find an end that sent the same bytes again and again until the capture ended, and heard nothing.
    """
    history = course.history
    if not history.is_whole or not course.has_both():
        return
    talker = course.segments[-1].sender
    tail = []
    for each in reversed(course.segments):
        if each.sender != talker:
            break
        tail.append(each)
    tail.reverse()
    with_bytes = [each for each in tail if each.end > each.start and not each.has_syn]
    if not with_bytes:
        return
    oldest = min(with_bytes, key=lambda each: each.start)
    sendings = [each for each in with_bytes if each.start == oldest.start]
    if len(sendings) < SENDINGS_MIN:
        return
    waited = between_ns(sendings[0], sendings[-1])
    if waited is None or (len(sendings) == SENDINGS_MIN and waited < SILENT_MIN_NS):
        return
    pairs = itertools.pairwise(sendings)
    waits = [later.time_ns - earlier.time_ns for earlier, later in pairs]
    yield Claim(
        "closes.peer-silent",
        tuple(each.number for each in sendings),
        Known.POSSIBLE,
        {
            "sendings": len(sendings),
            "bytes": oldest.length,
            "waited_ns": waited,
            "doubling": int(is_doubling(waits)),
        },
        "RFC 6298 section 5",
        ("lost-on-the-way", "peer-gone", "path-broken", "answers-not-captured"),
        history.name(1 - talker),
    )


def is_doubling(waits: list[int]) -> bool:
    """
    Tell whether each wait is about twice the one before, as those of a retransmission timer are.
    """
    return len(waits) + 1 >= _DOUBLING_MIN and all(
        1.6 * earlier <= later <= 2.5 * earlier for earlier, later in itertools.pairwise(waits)
    )


def gave_up(course: Course, reset: Sent) -> Claim | None:
    """
    A RST of an end whose probes, or whose data sent again and again, had no effect.
    """
    history = course.history
    if not history.is_whole:
        return None
    who, peer = history.name(reset.sender), 1 - reset.sender
    before = course.before(reset)
    shut: Sent | None = None
    for each in reversed(before):
        if each.sender == peer and each.has_ack:
            if each.window:
                break
            shut = each
    if shut is not None:
        probes = [
            each
            for each in course.segments[course.index[shut.number] : course.index[reset.number]]
            if each.sender == reset.sender
        ]
        waited = between_ns(shut, reset)
        if len(probes) >= PROBES_MIN and waited is not None:
            return Claim(
                "resets.window-stayed-shut",
                (shut.number, *(each.number for each in probes), reset.number),
                Known.POSSIBLE,
                {"probes": len(probes), "shut_ns": waited},
                "RFC 9293 section 3.8.6.1",
                ("peer-does-not-read", "unknown"),
                who,
            )
        return None
    unanswered: list[Sent] = []
    heard: Sent | None = None
    for each in reversed(before):
        if each.sender == peer:
            heard = each
            break
        unanswered.append(each)
    unanswered.reverse()
    asked = [each for each in unanswered if each.end > each.start or is_probe(each)]
    probes = [each for each in asked if is_probe(each)]
    if len(probes) < PROBES_MIN:
        again = [each for each in asked if each.start == asked[0].start]
        if len(again) <= PROBES_MIN or not course.has_both():
            return None
        waited = between_ns(again[0], reset)
        if waited is None:
            return None
        return Claim(
            "resets.no-answer",
            (*(each.number for each in again), reset.number),
            Known.POSSIBLE,
            {"sendings": len(again), "waited_ns": waited},
            "RFC 9293 section 3.8.3",
            ("peer-gone", "path-broken"),
            who,
        )
    waited = between_ns(probes[0], reset)
    if waited is None:
        return None
    answered = sum(is_probe(each) for each in before if each.sender == reset.sender) - len(probes)
    frames = {each.number for each in probes} | {reset.number}
    if heard is not None:
        frames.add(heard.number)
    return Claim(
        "resets.keep-alives-unanswered",
        tuple(sorted(frames)),
        Known.POSSIBLE,
        {"unanswered": len(probes), "answered": answered, "waited_ns": waited},
        "RFC 9293 section 3.8.4",
        ("peer-gone", "path-broken"),
        who,
    )
