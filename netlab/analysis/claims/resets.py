"""
Why an end sent a RST, as far as the frames before it tell: claims of the topic C{resets}.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final

from netlab.analysis.claims.claim import Claim, Figure, Known
from netlab.analysis.claims.refusals import answers, in_the_handshake, of_a_closed_port, refused
from netlab.analysis.claims.silence import gave_up
from netlab.analysis.observations.course import Course, between_ns, course_of
from netlab.analysis.observations.history import History, Sent

RESETS_JUDGED_MAX: Final = 50
"""How many RSTs of a conversation are judged one by one, the first ones."""

LONG_SILENCE_NS: Final = 60_000_000_000
"""After so long without a segment, an answer to the next one is an answer to it."""

COUNTING_MIN: Final = 3
"""After how many steps from one IP identification to the next a host is known to count them."""

COUNTING_STEP_MAX: Final = 64
"""How far those of two packets of one connection lie apart where a host counts them."""

_FASTCLOSE: Final = 1 << 7

_FORGERY: Final = ("forged", "sent-on-the-way", "stack-with-another-ttl")


def claims_of(history: History) -> Iterator[Claim]:
    """
    Judge each RST.
    """
    course = course_of(history)
    had_reset = [False, False]
    answered = _acknowledged(course)
    for reset in course.resets[:RESETS_JUDGED_MAX]:
        if had_reset[reset.sender]:
            # The connection is over: what is sent now is no part of it, wherever its number lies.
            asking = answered.get((1 - reset.sender, reset.seq_raw), [])
            yield _again(course, reset, asking)
            yield from _of_the_segment(reset, history.name(reset.sender))
            continue
        is_outside = _is_outside(course, reset)
        if is_outside is not None:
            other = _other_sender(course, reset)
            causes = _FORGERY if other else ()
            yield is_outside._replace(figures={**is_outside.figures, **other}, causes=causes)
            yield from _of_the_segment(reset, history.name(reset.sender))
            continue
        goes_on = _goes_on(course, reset)
        if had_reset[1 - reset.sender]:
            yield Claim("resets.after-a-reset", (reset.number,), who=history.name(reset.sender))
        else:
            reason = _reason(course, reset)
            has_effect = reason.known is Known.FOLLOWS or not _sends_on(course, reset)
            yield reason if has_effect else _without_effect(course, reset)
        other = _other_sender(course, reset)
        if other:
            who = history.name(reset.sender)
            frames = (reset.number,)
            yield Claim("resets.other-sender", frames, Known.POSSIBLE, other, "", _FORGERY, who)
        yield from _of_the_segment(reset, history.name(reset.sender))
        if goes_on is not None:
            yield goes_on
        else:
            had_reset[reset.sender] = True


def _acknowledged(course: Course) -> dict[tuple[int, int], list[int]]:
    """
    List which frames of each end carried an acknowledgement number.

    @return: by the index of the sender and the number as sent.
    """
    found: dict[tuple[int, int], list[int]] = {}
    for each in course.segments:
        if each.has_ack:
            found.setdefault((each.sender, each.ack_raw), []).append(each.number)
    return found


def _again(course: Course, reset: Sent, asking: list[int]) -> Claim:
    """
    Judge a RST of an end that has reset the connection before.

    @param asking: the frames that it may answer and that no RST before it does; the one that it
        does answer is taken out.
    """
    who = course.history.name(reset.sender)
    asked = asking.pop(0) if asking and not reset.has_ack else 0
    if not 0 < asked < reset.number:
        return Claim("resets.again", (reset.number,), who=who)
    rule = "RFC 9293 section 3.10.7.1"
    return Claim(
        "resets.answers-a-segment", (asked, reset.number), Known.FOLLOWS, rule=rule, who=who
    )


def final_reset(course: Course) -> Sent | None:
    """
    Give the first RST that ended the connection, as far as the frames show.
    """
    for reset in course.resets[:RESETS_JUDGED_MAX]:
        if _is_outside(course, reset) is None and _goes_on(course, reset) is None:
            return reset
    return None


def _of_the_segment(reset: Sent, who: str) -> Iterator[Claim]:
    """
    Judge what is unusual about the RST itself.
    """
    if reset.length:
        figures: dict[str, Figure] = {"bytes": reset.length}
        rule = "RFC 9293 section 3.5.3"
        yield Claim("resets.text", (reset.number,), Known.FOLLOWS, figures, rule, who=who)


def _other_sender(course: Course, reset: Sent) -> dict[str, Figure]:
    """
    Find what of a RST's IP header is not as in its sender's other segments.

    @return: as figures; none where nothing is.
    """
    own = [each for each in course.segments if each.sender == reset.sender and not each.has_rst]
    found: dict[str, Figure] = {}
    times_to_live = {each.ttl for each in own if each.ttl}
    if len(times_to_live) == 1 and reset.ttl:
        usual = min(times_to_live)
        if abs(reset.ttl - usual) > 1:
            found |= {"ttl": reset.ttl, "usual_ttl": usual}
    steps = [_id_step(earlier, later) for earlier, later in itertools.pairwise(own)]
    before = [each for each in own if each.number < reset.number]
    # Of a host that numbers its packets one after the other, the RST is numbered so too; some
    # number none that belongs to no socket.
    is_counted = len(steps) >= COUNTING_MIN and max(steps) <= COUNTING_STEP_MAX and before
    if is_counted and reset.ip_id and _id_step(before[-1], reset) > 2 * COUNTING_STEP_MAX:
        found |= {"ip_id": reset.ip_id, "usual_ip_id": before[-1].ip_id}
    return found


def _id_step(earlier: Sent, later: Sent) -> int:
    return (later.ip_id - earlier.ip_id) % (1 << 16)


def _is_outside(course: Course, reset: Sent) -> Claim | None:
    """
    Judge whether a RST is one that its receiver has to drop: its number is outside the window.
    """
    receiver = 1 - reset.sender
    edge: int | None = None
    window = 0
    last: Sent | None = None
    sent_until = 0
    for each in course.before(reset):
        if each.has_rst:
            continue
        if each.sender == reset.sender:
            sent_until = max(sent_until, each.end)
        elif each.ack is not None:
            if edge is None or each.ack > edge:
                edge, last = each.ack, each
            # Not less than it ever offered, and not less than an unscaled field may hold.
            window = max(window, each.window, 65535)
    if edge is None or last is None or not course.syns[receiver] + course.answers[receiver]:
        return None
    if not course.established or not course.has_both():
        return None
    # The receiver may have got all that was sent by then, and not have acknowledged it yet.
    high = max(edge, sent_until) + window
    if edge - 1 <= reset.start <= high:
        return None
    return Claim(
        "resets.outside-window",
        tuple(sorted((last.number, reset.number))),
        Known.FOLLOWS,
        {
            "position": reset.start,
            "expected": edge,
            "window": window,
            "distance": reset.start - edge if reset.start > edge else edge - reset.start,
        },
        "RFC 9293 section 3.10.7.4, RFC 5961 section 3.2",
        who=course.history.name(reset.sender),
    )


def _goes_on(course: Course, reset: Sent) -> Claim | None:
    """
    Find out whether the connection goes on after a RST: both ends send, and acknowledge, more.
    """
    spoke: list[Sent | None] = [None, None]
    has_overtaken = _has_overtaken(course, reset)
    for each in course.after(reset):
        if each.has_rst or each.has_syn:
            continue
        if each.sender == reset.sender and each.end <= reset.start and has_overtaken:
            continue
        if spoke[each.sender] is None and (each.length or each.has_fin or each.has_ack):
            spoke[each.sender] = each
    own, other = spoke[reset.sender], spoke[1 - reset.sender]
    if own is None or other is None:
        return None
    return Claim(
        "resets.goes-on",
        tuple(sorted({reset.number, own.number, other.number})),
        who=course.history.name(reset.sender),
    )


def _sends_on(course: Course, reset: Sent) -> bool:
    """
    Tell whether an end sends new bytes, or acknowledges some, after its own RST, and the other end
    goes on too: then that end has not reset the connection.
    """
    before = [each for each in course.before(reset) if each.sender == reset.sender]
    sent = max((each.end for each in before), default=0)
    if _has_overtaken(course, reset):
        sent = max(sent, reset.start)
    acked = max((each.ack or 0 for each in (*before, reset)), default=0)
    later = [each for each in course.after(reset) if not each.has_rst and not each.has_syn]
    return any(each.sender != reset.sender for each in later) and any(
        each.sender == reset.sender
        and ((each.length and each.end > sent) or (each.ack or 0) > acked)
        for each in later
    )


def _has_overtaken(course: Course, reset: Sent) -> bool:
    """
    Tell whether a RST came before data that had been sent before it: its sender's later data ends
    exactly where it begins.
    """
    ends = [
        each.end
        for each in course.after(reset)
        if each.sender == reset.sender and each.length and not each.has_rst
    ]
    return bool(ends) and max(ends) == reset.start


def _without_effect(course: Course, reset: Sent) -> Claim:
    """
    Claim that a RST was not obeyed, though its number lies in the window: it is not the next one,
    or it never arrived.
    """
    return Claim(
        "resets.without-effect",
        (reset.number,),
        Known.POSSIBLE,
        {},
        "RFC 5961 section 3.2",
        ("forged", "sent-on-the-way"),
        course.history.name(reset.sender),
    )


def _reason(course: Course, reset: Sent) -> Claim:
    """
    Judge why a RST was sent, by what came before it.
    """
    for judge in (
        refused,
        of_a_closed_port,
        in_the_handshake,
        _fast_close,
        gave_up,
        _answer_of_no_connection,
        _after_own_fin,
        _instead_of_fin,
    ):
        claim = judge(course, reset)
        if claim is not None:
            return claim
    return _abort(course, reset)


def _fast_close(course: Course, reset: Sent) -> Claim | None:
    """
    A RST around an MP_FASTCLOSE of Multipath TCP.
    """
    for each in reversed(course.before(reset)):
        if each.options.multipath & _FASTCLOSE and each.sender != reset.sender:
            return Claim(
                "resets.fast-close",
                (each.number, reset.number),
                Known.FOLLOWS,
                {},
                "RFC 8684 section 3.5",
                who=course.history.name(reset.sender),
            )
    if reset.options.multipath & _FASTCLOSE:
        return Claim(
            "resets.fast-close",
            (reset.number,),
            Known.FOLLOWS,
            {},
            "RFC 8684 section 3.5",
            who=course.history.name(reset.sender),
        )
    return None


def _answer_of_no_connection(course: Course, reset: Sent) -> Claim | None:
    """
    A RST as a host answers what belongs to no connection of its own: without ACK, its number the
    one that the answered segment acknowledges.
    """
    if reset.has_ack:
        return None
    peer = 1 - reset.sender
    answered = _answered(course, reset)
    if answered is None:
        return None
    own_fin = course.fins[reset.sender]
    who = course.history.name(reset.sender)
    if own_fin is not None and own_fin.number < reset.number:
        if answered.length:
            figures: dict[str, Figure] = {"late_bytes": answered.length}
            figures |= {"fin_frame": own_fin.number, "answered_frame": answered.number}
            return Claim(
                "resets.data-after-close",
                tuple(sorted({own_fin.number, answered.number, reset.number})),
                Known.FOLLOWS,
                figures,
                "RFC 9293 section 3.10.7.1",
                who=who,
            )
        figures = {"fin": int(answered.has_fin)}
        if answered.number < own_fin.number:
            return None
        before = course.before(reset)
        sent = max((each.data_end for each in before if each.sender == peer), default=0)
        acked = max((each.ack or 0 for each in before if each.sender != peer), default=0)
        figures["unacknowledged"] = max(0, sent - acked)
        return Claim(
            "resets.closed-socket",
            (own_fin.number, answered.number, reset.number),
            Known.FOLLOWS,
            figures,
            "RFC 9293 section 3.10.7.1",
            who=who,
        )
    own = [e for e in course.before(reset) if e.sender == reset.sender and not e.has_rst]
    if own and all(each.has_syn for each in own):
        # It has just answered a SYN, and no more: it knows the connection.
        return None
    silence = _silence_before(course, answered)
    figures = {"bytes": answered.length}
    if silence is not None:
        figures["silent_ns"] = silence
    causes = ["restarted", "device-forgot", "closed-without-a-trace"]
    if silence is None or silence < LONG_SILENCE_NS:
        # A program that aborts, or closes with data unread, makes some systems send the same.
        more = [each for each in _abort_causes(course, reset) if each != "sent-on-the-way"]
        causes += [each for each in more if each not in causes]
    spoke = any(e.sender == reset.sender and not e.has_rst for e in course.before(reset))
    if answered.has_syn:
        causes = ["never-asked", "gave-up"]
    elif not spoke:
        # Nothing shows that it ever knew the connection.
        causes.append("never-existed")
    return Claim(
        "resets.unknown-connection",
        (answered.number, reset.number),
        Known.POSSIBLE,
        figures,
        "RFC 9293 section 3.10.7.1",
        tuple(causes),
        who,
    )


def _answered(course: Course, reset: Sent) -> Sent | None:
    """
    Find the segment that a RST without ACK answers: of those of the peer with that number the first
    that brought something which its sender has not acknowledged, or else the last, if its sender
    has not spoken since.
    """
    acked: int | None = None
    found: Sent | None = None
    for each in reversed(course.before(reset)):
        if each.sender == reset.sender:
            if not each.has_rst:
                acked = max(acked or 0, each.ack or 0)
        elif each.has_ack and answers(reset, each):
            if each.end > each.start and each.end > (acked or 0):
                found = each
            elif acked is None and found is None:
                return each
    return found


def _after_own_fin(course: Course, reset: Sent) -> Claim | None:
    """
    A RST of an end that had closed its direction before.
    """
    fin = course.fins[reset.sender]
    if fin is None or fin.number > reset.number:
        return None
    peer = 1 - reset.sender
    late = 0
    frames = {fin.number, reset.number}
    last_frame = 0
    known = max((each.end for each in course.before(fin) if each.sender == peer), default=1)
    for each in course.segments[course.index[fin.number] + 1 : course.index[reset.number]]:
        if each.sender == peer and each.length and each.data_end > known:
            late += each.data_end - max(known, each.data_start)
            known = each.data_end
            last_frame = each.number
    who = course.history.name(reset.sender)
    if last_frame:
        frames.add(last_frame)
    waited = between_ns(fin, reset)
    figures: dict[str, Figure] = {"late_bytes": late}
    if waited is not None:
        figures["after_ns"] = waited
    acked = course.fin_acks[reset.sender]
    if acked is not None and acked.number < reset.number:
        frames.add(acked.number)
        figures["fin_acked"] = 1
    if late:
        return Claim(
            "resets.data-after-close",
            tuple(sorted(frames)),
            Known.POSSIBLE,
            figures,
            "RFC 9293 section 3.6.1",
            ("data-after-close", "abort"),
            who,
        )
    return Claim(
        "resets.after-own-fin",
        tuple(sorted(frames)),
        Known.POSSIBLE,
        figures,
        "",
        ("abort", "fin-wait-timeout"),
        who,
    )


def _instead_of_fin(course: Course, reset: Sent) -> Claim | None:
    """
    A RST of an end whose peer had closed.
    """
    fin = course.fins[1 - reset.sender]
    if fin is None or fin.number > reset.number:
        return None
    acked = course.fin_acks[1 - reset.sender]
    has_acked = acked is not None and acked.number <= reset.number
    frames = {fin.number, reset.number}
    if acked is not None and acked.number < reset.number:
        frames.add(acked.number)
    return Claim(
        "resets.instead-of-fin",
        tuple(sorted(frames)),
        Known.POSSIBLE,
        {"received": course.bytes[1 - reset.sender], "fin_acked": int(has_acked)},
        "RFC 9293 section 3.6.1",
        _abort_causes(course, reset),
        course.history.name(reset.sender),
    )


def _abort(course: Course, reset: Sent) -> Claim:
    before = course.before(reset)
    received = max(
        (each.data_end - 1 for each in before if each.sender != reset.sender and each.length),
        default=0,
    )
    last = before[-1] if before else None
    figures: dict[str, Figure] = {"received": received}
    if last is not None:
        waited = between_ns(last, reset)
        if waited is not None:
            figures["after_ns"] = waited
    frames = (last.number, reset.number) if last is not None else (reset.number,)
    return Claim(
        "resets.abort",
        frames,
        Known.POSSIBLE,
        figures,
        "RFC 9293 section 3.10.5",
        _abort_causes(course, reset),
        course.history.name(reset.sender),
    )


def _abort_causes(course: Course, reset: Sent) -> tuple[str, ...]:
    """
    Give what may have made a program's end give the connection up: unread data only if it had been
    sent some.
    """
    peer = 1 - reset.sender
    if not any(each.sender == peer for each in course.before(reset)):
        # What it may answer is not here: a SYN, or a segment of a connection that is unknown there.
        return (
            "answers-what-is-not-here",
            "abort",
            "restarted",
            "sent-on-the-way",
        )
    was_sent = any(each.sender == peer and each.length for each in course.before(reset))
    is_whole = course.history.is_whole and course.syns[course.history.client]
    causes: tuple[str, ...] = ("abort", "sent-on-the-way")
    if reset.ack is None:
        # So a host answers that does not know the connection; some systems abort like that too.
        causes = ("abort", "restarted", "device-forgot", "sent-on-the-way")
    return ("unread-data", *causes) if was_sent or not is_whole else causes


def _silence_before(course: Course, sent: Sent) -> int | None:
    at = course.index[sent.number]
    return between_ns(course.segments[at - 1], sent) if at else None
