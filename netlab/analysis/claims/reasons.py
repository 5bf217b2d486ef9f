"""
Why there is a connection, after those of the same client before it: claims of the topic C{reasons}.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from netlab.analysis.claims.claim import Claim, Figure, Known
from netlab.analysis.claims.closes import reason_of
from netlab.analysis.claims.resets import final_reset
from netlab.analysis.observations.course import Course, course_of
from netlab.analysis.observations.history import History, Sent

SERIES_MIN: Final = 3
"""How many connections of one kind make a series."""

SERIES_CITED_MAX: Final = 20
"""How many connections of a series are cited, the first ones."""


class _Past(NamedTuple):
    """
    What is remembered of a conversation.

    @ivar opened: whether its handshake was completed, or its middle was captured.
    @ivar end: the FIN or RST that came first, and ended it.
    @ivar why: what is claimed of why it was closed.
    """

    history: History
    opened: bool
    end: Sent | None
    why: Claim | None


def claims_of(histories: Sequence[History]) -> Iterator[tuple[int, Claim]]:
    """
    Judge for each conversation why it was needed.

    @param histories: those of a capture, by number.
    @return: for each claim the number of the conversation that it is about.
    """
    latest: dict[tuple[bytes, bytes, int], _Past] = {}
    for history in histories:
        course = course_of(history)
        if not course.segments:
            continue
        flows = history.conversation.flows
        client, server = flows[history.client], flows[1 - history.client]
        key = (client.raw_address, server.raw_address, server.port)
        first = course.segments[0]
        stream = history.conversation.stream
        for claim in _of_one(course, latest.get(key), first):
            yield stream, claim
        latest[key] = _past(course)


def _past(course: Course) -> _Past:
    fin, reset = course.first_fin, final_reset(course)
    ends = [each for each in (fin, reset) if each is not None]
    end = min(ends, key=lambda each: each.number) if ends else None
    has_syn = any(course.syns) or any(course.answers)
    opened = course.established is not None or not has_syn
    why = reason_of(course, end) if end is not None and end is fin and course.has_both() else None
    return _Past(course.history, opened, end, why)


def _of_one(course: Course, past: _Past | None, first: Sent) -> Iterator[Claim]:
    history = course.history
    has_syn = any(course.syns)
    if past is None:
        yield Claim("reasons.first", (first.number,), who="client")
    elif has_syn:
        yield _after(past, first)
    bytes_seen = any(course.bytes) or any(each.length for each in course.segments)
    if course.established is not None and not bytes_seen and history.is_whole:
        yield Claim(
            "reasons.no-bytes",
            (first.number, course.segments[-1].number),
            Known.POSSIBLE,
            {"closed": int(course.first_fin is not None)},
            "",
            ("spare-connection", "health-check", "scan", "client-gave-up"),
            "client",
        )


def _after(past: _Past, first: Sent) -> Claim:
    """
    Say in what state the connection before was when this one began.
    """
    figures: dict[str, Figure] = {"before": past.history.conversation.stream}
    end = past.end
    if end is not None and end.number < first.number:
        if end.has_rst:
            is_refusal = not past.opened and past.history.name(end.sender) == "server"
            figures["how"] = "refused" if is_refusal else "reset"
        else:
            figures["how"] = "closed"
        frames = [end.number, first.number]
        if past.why is not None:
            for name in ("idle_ns", "silent_ns"):
                if name in past.why.figures:
                    figures["idle_ns"] = past.why.figures[name]
            if past.why.kind == "closes.announced":
                figures["announced_frame"] = past.why.frames[0]
                frames.append(past.why.frames[0])
        return Claim(
            "reasons.after-the-end",
            tuple(sorted(set(frames))),
            Known.SEEN,
            figures,
            who=past.history.name(end.sender),
        )
    if not past.opened:
        return Claim("reasons.another-attempt", (first.number,), figures=figures, who="client")
    return Claim("reasons.beside", (first.number,), figures=figures, who="client")


def series_of(histories: Sequence[History]) -> Iterator[Claim]:
    """
    Find series of connections between one client and one server that carry nothing.

    @param histories: those of a capture, by number.
    """
    groups: dict[tuple[bytes, bytes, str], list[tuple[Sent, Sent, int]]] = {}
    for history in histories:
        course = course_of(history)
        kind = _empty_kind(course)
        if not kind:
            continue
        flows = history.conversation.flows
        client, server = flows[history.client], flows[1 - history.client]
        key = (client.raw_address, server.raw_address, kind)
        found = groups.setdefault(key, [])
        found.append((course.segments[0], course.segments[-1], server.port))
    for (_, _, kind), found in groups.items():
        if len(found) < SERIES_MIN:
            continue
        cited = found[:SERIES_CITED_MAX]
        times = [first.time_ns for first, _, _ in found]
        gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
        figures: dict[str, Figure] = {
            "connections": len(found),
            "ports": len({port for _, _, port in found}),
            "port": found[0][2],
        }
        if all(gap >= 0 for gap in gaps):
            figures["every_ns"] = sum(gaps) // len(gaps)
            figures["regular"] = int(max(gaps) - min(gaps) <= max(gaps) // 5)
        frames = tuple(sorted({first.number for first, _, _ in cited} | {cited[-1][1].number}))
        causes = {
            "half-open": ("half-open-scan", "health-check"),
            "refused": ("scan", "retries"),
            "no-bytes": ("health-check", "scan", "spare-connection"),
        }
        kinds = {
            "half-open": "reasons.series-half-open",
            "refused": "reasons.series-refused",
            "no-bytes": "reasons.series-no-bytes",
        }
        yield Claim(kinds[kind], frames, Known.POSSIBLE, figures, "", causes[kind], "client")


def _empty_kind(course: Course) -> str:
    """
    Name what a connection without a byte is like; nothing where it is none.
    """
    history = course.history
    if not history.is_whole or not any(course.syns):
        return ""
    if any(each.length for each in course.segments):
        return ""
    client = history.client
    reset = final_reset(course)
    if course.established is not None:
        return "no-bytes" if course.first_fin is not None or reset is not None else ""
    if reset is None:
        return ""
    if reset.sender == client and course.answers[1 - client]:
        return "half-open"
    return "refused" if reset.sender != client else ""
