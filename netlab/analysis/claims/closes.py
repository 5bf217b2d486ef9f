"""
Who closed first, why, who waited for whom, and what stayed behind: claims of the topic C{closes}.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from netlab.analysis.claims.claim import Claim, Figure, Known
from netlab.analysis.claims.resets import final_reset
from netlab.analysis.claims.silence import fell_silent
from netlab.analysis.http.messages import HTTPExchange
from netlab.analysis.observations.course import Course, between_ns, course_of, is_probe
from netlab.analysis.observations.history import History, Sent
from netlab.http1.sansio.framing import Delimited

IDLE_MIN_NS: Final = 500_000_000
"""From how long on a silence is a wait: longer than most round trips and than delayed ACKs."""

ACK_LATE_NS: Final = 200_000_000
"""An ACK that comes later than this was not just delayed."""

ROUND_TRIPS_MIN: Final = 3
"""How many round trips a wait is longer than, to be told from the way there and back."""

ANNOUNCED_SLACK_NS: Final = 1_500_000_000
"""How much later than its announced timeout a server may close: timers are coarse."""

_TIMEOUT: Final = re.compile(rb"(?:^|[,;\s])timeout=([0-9]{1,6})(?:$|[,;\s])")


def claims_of(history: History) -> Iterator[Claim]:
    """
    Judge how a connection ended.
    """
    course = course_of(history)
    if not course.segments or not history.has_all_events:
        return
    reset = final_reset(course)
    first = course.first_fin
    if first is not None and (reset is None or first.number < reset.number):
        yield from _of_fins(course, first, reset)
    elif first is None and reset is None:
        yield from _without_an_end(course)
    if reset is None:
        yield from fell_silent(course)


def _of_fins(course: Course, first: Sent, reset: Sent | None) -> Iterator[Claim]:
    history = course.history
    if not course.has_both():
        yield from _one_direction(course, first)
        return
    second = course.second_fin
    if reset is not None and second is not None and second.number > reset.number:
        second = None
    if second is not None and _is_simultaneous(first, second):
        acks = [each.number for each in course.fin_acks if each is not None]
        yield Claim(
            "closes.simultaneous",
            tuple(sorted({first.number, second.number, *acks})),
            Known.FOLLOWS,
            _span("between_ns", first, second),
            "RFC 9293 section 3.6",
        )
        if len(acks) == 2 and reset is None:
            yield from _time_wait(course, second, None)
        return
    yield from _first(course, first)
    yield from _why(course, first)
    if second is None:
        if reset is None:
            yield from _never_closed(course, first)
        return
    yield _second(course, first, second)
    yield from _half_closed(course, first, second)
    if history.is_whole and reset is None:
        last = course.fin_acks[second.sender]
        if last is None:
            yield Claim("closes.last-ack-missing", (second.number,), who=history.name(first.sender))
        elif course.fin_acks[first.sender] is not None:
            yield from _time_wait(course, last, first.sender)


def reason_of(course: Course, fin: Sent) -> Claim | None:
    """
    Give the first claim on why an end closed first.
    """
    return next(_why(course, fin), None)


def _span(name: str, earlier: Sent, later: Sent) -> dict[str, Figure]:
    """
    Give a duration as a figure, or none where the clock went back.
    """
    passed = between_ns(earlier, later)
    return {} if passed is None else {name: passed}


def _is_simultaneous(first: Sent, second: Sent) -> bool:
    """
    Tell whether each FIN left before the other had arrived: neither acknowledges the other.
    """
    return (
        first.ack is not None
        and second.ack is not None
        and first.ack < second.end
        and second.ack < first.end
    )


def _one_direction(course: Course, first: Sent) -> Iterator[Claim]:
    """
    Only the end that sent this FIN was captured: who closed first is seen in its ACKs at best.
    """
    who = course.history.name(first.sender)
    yield Claim("closes.fin-of-one-direction", (first.number,), who=who)
    before = [each.ack for each in course.before(first) if each.ack is not None and each.ack >= 1]
    if first.ack is not None and before and first.ack == before[-1] + 1:
        yield Claim(
            "closes.peer-closed-before",
            (first.number,),
            Known.POSSIBLE,
            {},
            "RFC 9293 section 3.4",
            ("fin-not-captured", "one-byte-not-captured"),
            course.history.name(1 - first.sender),
        )


def _first(course: Course, first: Sent) -> Iterator[Claim]:
    who = course.history.name(first.sender)
    before = course.before(first)
    if not before:
        yield Claim(
            "closes.begins-with-fin", (first.number,), figures={"bytes": first.length}, who=who
        )
        return
    # What was not captured may have come later than what was.
    active = before[-1] if _has_gap(course, first) else _last_active(course, first)
    figures: dict[str, Figure] = {"bytes": first.length}
    frames: tuple[int, ...] = (first.number,)
    if not first.length and active is not None and course.history.is_whole:
        figures |= _span("after_ns", active, first)
        frames = (active.number, first.number)
    yield Claim("closes.first", frames, figures=figures, who=who)


def _last_active(course: Course, fin: Sent) -> Sent | None:
    """
    Give the last segment before a FIN that did something: it carried bytes, new ones or old ones,
    or completed the handshake.
    """
    for each in reversed(course.before(fin)):
        if each is course.established or each.has_syn or each.has_fin:
            return each
        if each.length and not each.has_rst and not is_probe(each):
            return each
    return None


def _why(course: Course, fin: Sent) -> Iterator[Claim]:
    """
    Judge why an end closed first.
    """
    history = course.history
    if history.http.is_partial:
        # What was read of it says nothing about its end.
        return
    exchanges = history.http.exchanges
    who = history.name(fin.sender)
    announced = _announcement(history, fin, who)
    if announced is not None:
        yield announced
    if not history.is_whole:
        silence = history.silences.get(fin.number)
        if silence is not None and announced is None:
            before, silent_ns = silence
            figures: dict[str, Figure] = {"silent_ns": silent_ns}
            yield Claim("closes.after-silence", (before, fin.number), figures=figures, who=who)
        return
    cut = _cut_off(course, exchanges, fin, who)
    waiting = _waiting_request(course, exchanges, fin, who)
    if cut is not None:
        yield cut
    elif waiting is not None:
        yield waiting
    elif announced is None:
        idle = _idle(course, exchanges, fin, who)
        if idle is not None:
            yield idle


def _announcement(history: History, fin: Sent, who: str) -> Claim | None:
    """
    Find the last message that said C{Connection: close}.
    """
    exchanges = history.http.exchanges
    if 0 < history.announced_close < fin.number:
        return Claim(
            "closes.announced",
            (history.announced_close, fin.number),
            Known.FOLLOWS,
            {"by": "response"},
            "RFC 9112 section 9.6",
            who=who,
        )
    said = [
        (message, "response" if message is exchange.response else "request")
        for exchange in exchanges[-3:]
        for message in (exchange.request, exchange.response)
        if message is not None
        and message.head_frame <= fin.number
        and b"close" in message.head.fields.tokens(b"connection")
    ]
    if not said or not exchanges or exchanges[-1].response is None:
        return None
    message, part = said[-1]
    return Claim(
        "closes.announced",
        tuple(sorted({message.head_frame, fin.number})),
        Known.FOLLOWS,
        {"by": part},
        "RFC 9112 section 9.6",
        who=who,
    )


def _cut_off(course: Course, exchanges: list[HTTPExchange], fin: Sent, who: str) -> Claim | None:
    """
    Find an answer that had begun and was not complete when an end closed.
    """
    if not exchanges or exchanges[-1].response is None or _has_gap(course, fin):
        return None
    response = exchanges[-1].response
    if response.first_frame > fin.number:
        return None
    if response.end is not None and response.end_frame is not None:
        if response.end_frame <= fin.number:
            return None
        if who == "server":
            return None
    length = getattr(response.framing, "length", None)
    came = response.body_length
    figures: dict[str, Figure] = {"came": came}
    if length is not None:
        if came >= length:
            return None
        figures["announced"] = length
    elif response.framing is not Delimited.CHUNKED or response.end is not None or response.fault:
        return None
    return Claim(
        "closes.answer-cut-off",
        tuple(sorted({response.head_frame, response.last_frame, fin.number}))
        if response.last_frame < fin.number
        else tuple(sorted({response.head_frame, fin.number})),
        Known.POSSIBLE,
        figures,
        "RFC 9112 section 8",
        ("cancelled", "client-timeout")
        if who == "client"
        else ("server-failed", "server-timeout", "cancelled"),
        who,
    )


def _waiting_request(
    course: Course, exchanges: list[HTTPExchange], fin: Sent, who: str
) -> Claim | None:
    """
    Find a request that had no answer when an end closed.
    """
    if not exchanges or _has_gap(course, fin):
        return None
    last = exchanges[-1]
    request = last.request
    if request is None or last.response is not None or last.interim:
        return None
    if course.history.http.exchanges_uncounted or request.last_frame > fin.number:
        return None
    at = course.index.get(request.last_frame)
    if at is None:
        return None
    # What the server said after it is no answer that can be read, but something.
    server = 1 - course.history.client
    if any(
        each.length and each.sender == server
        for each in course.segments[at : course.index[fin.number] + 1]
    ):
        return None
    figures = _span("waited_ns", course.segments[at], fin)
    waited = figures.get("waited_ns", IDLE_MIN_NS)
    assert isinstance(waited, int)
    if waited < IDLE_MIN_NS:
        # No timeout is that short.
        causes: tuple[str, ...] = (
            ("cancelled", "client-failed") if who == "client" else ("server-failed", "not-accepted")
        )
    elif who == "client":
        causes = ("client-timeout", "cancelled")
    else:
        causes = ("server-timeout", "server-failed", "idle-timeout")
    return Claim(
        "closes.while-a-request-waits",
        (request.last_frame, fin.number),
        Known.POSSIBLE,
        figures,
        "",
        causes,
        who,
    )


def _has_gap(course: Course, until: Sent) -> bool:
    """
    Tell whether an end acknowledged bytes before a segment that the capture does not have.
    """
    server = 1 - course.history.client
    reached = 1
    for each in course.before(until):
        if each.sender == server and each.length:
            if each.data_start > reached:
                return True
            reached = max(reached, each.data_end)
    if until.sender == server:
        return until.data_start > reached
    acked = max(
        (each.ack or 0 for each in course.before(until) if each.sender != server), default=0
    )
    acked = max(acked, until.ack or 0)
    own = course.fins[server]
    return acked > reached + (own is not None)


def _idle(course: Course, exchanges: list[HTTPExchange], fin: Sent, who: str) -> Claim | None:
    """
    Find a wait with nothing under way before an end closed.
    """
    active = _last_active(course, fin)
    if active is None or fin.length or _has_gap(course, fin):
        return None
    idle = between_ns(active, fin)
    # Far from the end that closes, its FIN comes a round trip after what it answers.
    if idle is None or idle < max(IDLE_MIN_NS, ROUND_TRIPS_MIN * course.round_trip_ns):
        return None
    settled = _settled(course, active, fin)
    if settled is not active:
        # Until then it was under way.
        active, idle = settled, between_ns(settled, fin)
        if idle is None or idle < IDLE_MIN_NS:
            return None
    # What was sent last has to have arrived, or the wait was not idle.
    reached = [1, 1]
    acked = [0, 0]
    for each in course.before(fin):
        if each.has_rst:
            continue
        reached[each.sender] = max(reached[each.sender], each.end)
        if each.ack is not None:
            acked[1 - each.sender] = max(acked[1 - each.sender], each.ack)
    if fin.ack is not None:
        acked[1 - fin.sender] = max(acked[1 - fin.sender], fin.ack)
    if any(acked[end] < reached[end] for end in (0, 1)):
        return None
    frames = (active.number, fin.number)
    figures: dict[str, Figure] = {"idle_ns": idle}
    timeout = _announced_timeout(exchanges, fin)
    if timeout is not None and who == "server":
        seconds = timeout * 1_000_000_000
        # Some count from the answer's end, some from its ACK.
        if seconds - IDLE_MIN_NS <= idle <= seconds + ANNOUNCED_SLACK_NS:
            return Claim(
                "closes.announced-timeout",
                frames,
                Known.SEEN,
                {**figures, "timeout_ns": seconds},
                who=who,
            )
    is_asking = active.length > 0 and active.sender == course.history.client
    if not exchanges and is_asking:
        return Claim(
            "closes.after-unanswered-bytes",
            frames,
            Known.POSSIBLE,
            figures,
            "",
            ("idle-timeout", "no-answer-due", "server-timeout")
            if who == "server"
            else ("nothing-more-to-send", "client-timeout"),
            who,
        )
    return Claim(
        "closes.idle",
        frames,
        Known.POSSIBLE,
        {**figures, "bytes": int(any(course.bytes))},
        "",
        ("idle-timeout", "program-decided")
        if who == "server"
        else ("idle-timeout", "nothing-more-to-ask"),
        who,
    )


def _settled(course: Course, active: Sent, fin: Sent) -> Sent:
    """
    Give the ACK of what was sent last, if it was so late that the wait before it was no idling.
    """
    for each in course.segments[course.index[active.number] + 1 : course.index[fin.number]]:
        is_ack = each.sender != active.sender and each.ack is not None and each.ack >= active.end
        if is_ack and not each.has_rst:
            waited = between_ns(active, each)
            return each if waited is not None and waited >= ACK_LATE_NS else active
    return active


def _announced_timeout(exchanges: list[HTTPExchange], fin: Sent) -> int | None:
    """
    Read the seconds that the last answer's C{Keep-Alive} field announces.
    """
    for exchange in reversed(exchanges[-3:]):
        response = exchange.response
        if response is None or response.head_frame > fin.number:
            continue
        for value in response.head.fields.get_all(b"keep-alive"):
            found = _TIMEOUT.search(value)
            if found is not None:
                return int(found[1])
        return None
    return None


def _second(course: Course, first: Sent, second: Sent) -> Claim:
    return Claim(
        "closes.second",
        (first.number, second.number),
        figures=_span("after_ns", first, second),
        who=course.history.name(second.sender),
    )


def _half_closed(course: Course, first: Sent, second: Sent) -> Iterator[Claim]:
    """
    Judge what happened between the two FINs.
    """
    history = course.history
    acked = course.fin_acks[first.sender]
    other = second.sender
    start, end = course.index[first.number], course.index[second.number]
    known = max(
        (each.data_end for each in course.segments[:start] if each.sender == other), default=1
    )
    new = 0
    frames = []
    for each in course.segments[start + 1 : end + 1]:
        # Only what was sent by an end that has this FIN goes through a half-closed connection.
        has_it = each.ack is not None and each.ack >= first.end
        if each.sender == other and each.length and has_it and each.data_end > known:
            new += each.data_end - max(known, each.data_start)
            known = each.data_end
            frames.append(each.number)
    if new and history.is_whole:
        yield Claim(
            "closes.half-close",
            tuple(sorted({first.number, frames[0], frames[-1], second.number})),
            Known.FOLLOWS,
            {"bytes": new, **_span("half_ns", first, second)},
            "RFC 9293 section 3.6.1",
            who=history.name(other),
        )
        return
    waited = between_ns(first, second)
    if acked is None or acked.number >= second.number or waited is None or waited < IDLE_MIN_NS:
        return
    yield Claim(
        "closes.fin-wait-2",
        (first.number, acked.number, second.number),
        Known.FOLLOWS,
        _span("waited_ns", acked, second),
        "RFC 9293 section 3.6",
        who=history.name(first.sender),
    )


def _never_closed(course: Course, first: Sent) -> Iterator[Claim]:
    """
    Only one end closed.
    """
    history = course.history
    if not history.is_whole:
        return
    acked = course.fin_acks[first.sender]
    last = course.segments[-1]
    frames = {first.number, last.number}
    figures = _span("until_last_ns", first, last)
    if acked is not None:
        frames.add(acked.number)
    figures["acknowledged"] = int(acked is not None)
    yield Claim(
        "closes.one-direction-only",
        tuple(sorted(frames)),
        Known.SEEN,
        figures,
        who=history.name(1 - first.sender),
    )


def _time_wait(course: Course, last: Sent, closer: int | None) -> Iterator[Claim]:
    """
    Say who keeps the connection for a while: the end that closed first, or both.
    """
    fins = [fin.number for fin in course.fins if fin is not None]
    acks = [ack.number for ack in course.fin_acks if ack is not None]
    yield Claim(
        "closes.time-wait",
        tuple(sorted({*fins, *acks})),
        Known.FOLLOWS,
        {},
        "RFC 9293 section 3.6.1",
        who="" if closer is None else course.history.name(closer),
    )


def _without_an_end(course: Course) -> Iterator[Claim]:
    """
    Neither FIN nor RST.
    """
    history = course.history
    opened = course.established is not None or (not any(course.syns) and not any(course.answers))
    if not opened:
        return
    last = course.segments[-1]
    probes, answered = _keep_alives(course)
    yield Claim(
        "closes.open-at-the-end",
        tuple(sorted({course.segments[0].number, last.number})),
        figures={
            "keep_alives": probes,
            "answered": answered,
            "is_whole": int(history.is_whole),
        },
    )


def _keep_alives(course: Course) -> tuple[int, int]:
    """
    Count the keep-alives of a conversation that has nothing else (RFC 9293 section 3.8.4).

    A keep-alive has the number before the next, which its answer shows where nothing came before.

    @return: how many there are, and how many of them are answered; 0 and 0 if there is more.
    """
    probes = answered = 0
    asked: Sent | None = None
    for each in course.segments:
        if each.length > 1 or each.has_syn or each.has_fin or each.has_rst:
            return 0, 0
        if asked is not None and each.sender != asked.sender:
            if each.ack == asked.start + 1:
                answered += 1
            elif not is_probe(asked):
                return 0, 0
            asked = None
        else:
            asked = each
            probes += 1
    if asked is not None and not is_probe(asked):
        return 0, 0
    return probes, answered
