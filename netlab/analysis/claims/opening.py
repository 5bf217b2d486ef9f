"""
How a connection opens, or does not: claims of the topic C{opening}.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from netlab.analysis.claims.around import Around
from netlab.analysis.claims.claim import Claim, Figure, Known
from netlab.analysis.claims.silence import is_doubling
from netlab.analysis.observations.course import Course, between_ns, course_of
from netlab.analysis.observations.history import History, Sent
from netlab.capture.segments import Flag

SYNS_CITED_MAX: Final = 50
"""How many SYNs of one end are looked at, the first ones."""

ANSWER_MAX_NS: Final = 1_000_000_000
"""Sooner than this the silence after a SYN shows nothing: its sender would not have repeated it yet
(RFC 6298 section 2.1)."""

_FLAGS: Final = {
    int(flag): flag.name
    for flag in (Flag.FIN, Flag.SYN, Flag.RST, Flag.PSH, Flag.URG)
    if flag.name is not None
}
_ODD: Final = {int(Flag.FIN): "FIN", int(Flag.RST): "RST", int(Flag.URG): "URG"}


def claims_of(history: History) -> Iterator[Claim]:
    """
    Judge how a connection opened.
    """
    course = course_of(history)
    if not course.segments:
        return
    yield from _odd_flags(course)
    both = [end for end in (0, 1) if course.syns[end]]
    if len(both) == 2:
        yield _both_asked(course)
        return
    if not both:
        yield from _without_a_syn(course)
        return
    client = both[0]
    syns = course.syns[client][:SYNS_CITED_MAX]
    answers = course.answers[1 - client][:SYNS_CITED_MAX]
    if not answers:
        yield from _not_answered(course, syns)
        return
    old = _old_connection(course, syns, answers[0])
    if old is not None:
        yield old
    else:
        yield from _repeated(course, syns, answers)
    yield from _other_numbers(course, answers)
    yield from _fast_open(course, syns, answers)
    yield from _completed(course, syns, answers)


def has_one_end(history: History) -> bool:
    """
    Tell whether both ends have one address and one port.
    """
    one, other = history.conversation.flows
    return (one.raw_address, one.port) == (other.raw_address, other.port)


def of_one_end(history: History) -> Iterator[Claim]:
    """
    Judge a socket that is connected to itself, which all that is sent goes back to.
    """
    if history.segments:
        causes = ("connected-to-itself", "false-address")
        yield Claim(
            "opening.one-end", (history.segments[0].number,), Known.POSSIBLE, {}, "", causes
        )


def until_the_end(history: History, around: Around, claims: Iterable[Claim]) -> Iterator[Claim]:
    """
    Name the end of the capture as the first cause where it came too soon after an unanswered SYN.
    """
    for claim in claims:
        if claim.kind == "opening.unanswered" and claim.causes:
            left_ns = around.seen.clock.last_ns - history.segments[0].time_ns
            if left_ns < ANSWER_MAX_NS:
                yield claim._replace(causes=("capture-ended", *claim.causes))
                continue
        yield claim


def _odd_flags(course: Course) -> Iterator[Claim]:
    for end in (0, 1):
        for syn in (*course.syns[end][:1], *course.answers[end][:1]):
            odd = _odd_in(syn)
            if odd:
                yield Claim(
                    "opening.odd-flags",
                    (syn.number,),
                    Known.POSSIBLE,
                    {"flags": ", ".join(["SYN", *odd])},
                    "RFC 9293 section 3.1",
                    ("scan", "test"),
                    course.history.name(end),
                )


def _odd_in(syn: Sent) -> list[str]:
    """
    List the flags that no SYN has.
    """
    return [name for bit, name in _ODD.items() if syn.flags & bit]


def _both_asked(course: Course) -> Claim:
    """
    Both ends sent a SYN without ACK.
    """
    syns = [course.syns[end][0] for end in (0, 1)]
    answers = [each[0] for each in course.answers if each]
    if not answers and course.established is None:
        frames = {each.number for end in (0, 1) for each in course.syns[end][:SYNS_CITED_MAX]}
        return Claim("opening.both-unanswered", tuple(sorted(frames)))
    kind = "opening.simultaneous" if len(answers) == 2 else "opening.split-handshake"
    frames = {each.number for each in (*syns, *answers)}
    if course.established is not None and len(answers) < 2:
        frames.add(course.established.number)
    first = min(syns, key=lambda each: each.number)
    return Claim(
        kind,
        tuple(sorted(frames)),
        Known.FOLLOWS,
        {},
        "RFC 9293 section 3.5",
        who=course.history.name(first.sender),
    )


def _without_a_syn(course: Course) -> Iterator[Claim]:
    history = course.history
    answer = next((each[0] for each in course.answers if each), None)
    if answer is not None:
        figures: dict[str, Figure] = {"both": int(course.has_both())}
        yield Claim("opening.syn-not-captured", (answer.number,), figures=figures)
        return
    if all(each.has_rst for each in course.segments):
        return
    figures = {"both": int(course.has_both())}
    first = history.segments[0]
    spoken = [each for each in course.segments if not each.has_rst]
    if not any(each.has_ack for each in spoken):
        names = [name for bit, name in _FLAGS.items() if spoken[0].flags & bit]
        figures["flags"] = ", ".join(names)
        yield Claim(
            "opening.no-ack-flag",
            (spoken[0].number,),
            Known.POSSIBLE,
            figures,
            "RFC 9293 section 3.1",
            ("scan", "test"),
            history.name(spoken[0].sender),
        )
    elif _is_unconfirmed(course, spoken):
        causes = ("open-before", "never-existed")
        frames = (first.number,)
        yield Claim("opening.unconfirmed", frames, Known.POSSIBLE, figures, "", causes)
    else:
        yield Claim("opening.not-captured", (first.number,), figures=figures)


def _is_unconfirmed(course: Course, spoken: Sequence[Sent]) -> bool:
    """
    Tell whether nothing shows that there is a connection: the other end only resets it, or nothing
    but the same bare segment is here.
    """
    if not course.history.is_whole or len({each.sender for each in spoken}) == 2:
        return False
    if course.has_both():
        return True
    acks = {each.ack for each in spoken}
    return len(acks) == 1 and not any(each.length for each in spoken)


def _not_answered(course: Course, syns: Sequence[Sent]) -> Iterator[Claim]:
    """
    There is no SYN of the server.
    """
    history = course.history
    if not history.is_whole:
        return
    client = syns[0].sender
    frames = tuple(each.number for each in syns)
    waited = between_ns(syns[0], syns[-1])
    figures: dict[str, Figure] = {"syns": len(course.syns[client])}
    if waited is not None:
        figures["waited_ns"] = waited
    waits = [later.time_ns - earlier.time_ns for earlier, later in itertools.pairwise(syns)]
    figures["doubling"] = int(is_doubling(waits))
    # An ICMP error that quotes a SYN says more than the frames of the connection do.
    has_error = bool(history.conversation.quoted)
    others = [each for each in course.segments if each.sender != client]
    acks = [
        each
        for each in course.segments
        if each.sender == client and each.ack is not None and not each.has_syn
    ]
    if not others and acks:
        yield Claim(
            "opening.answer-not-captured",
            (syns[-1].number, acks[0].number),
            Known.FOLLOWS,
            {},
            "RFC 9293 section 3.5",
            who="server",
        )
    elif not others:
        yield Claim(
            "opening.unanswered",
            frames,
            Known.SEEN if has_error else Known.POSSIBLE,
            figures,
            "",
            ()
            if has_error
            else ("lost-on-the-way", "filtered", "queue-full", "host-down", "answers-not-captured"),
            history.name(1 - client),
        )
    elif all(each.has_rst for each in others):
        return
    else:
        yield Claim(
            "opening.no-syn-ack",
            tuple(sorted({syns[0].number, others[0].number})),
            who=history.name(1 - client),
        )


def _old_connection(course: Course, syns: Sequence[Sent], answer: Sent) -> Claim | None:
    """
    Find an ACK with a strange number that answers a SYN: its sender has an old connection between
    the same ports.
    """
    for each in course.before(answer):
        strange = (
            each.sender == answer.sender
            and each.has_ack
            and not each.has_syn
            and not each.has_rst
            and each.number > syns[0].number
            and each.ack != syns[0].end
        )
        if strange:
            syn = max((syn for syn in syns if syn.number < each.number), key=_number)
            return Claim(
                "opening.old-connection",
                (syn.number, each.number),
                Known.FOLLOWS,
                {},
                "RFC 9293 section 3.5.1",
                who=course.history.name(each.sender),
            )
    return None


def _number(sent: Sent) -> int:
    return sent.number


def _repeated(course: Course, syns: Sequence[Sent], answers: Sequence[Sent]) -> Iterator[Claim]:
    """
    Judge a SYN, or its answer, that was sent more than once.
    """
    first = answers[0]
    name = course.history.name
    # One with FIN, RST or URG is dropped, not lost.
    early = [each for each in syns if each.number < first.number and not _odd_in(each)]
    late = [each for each in syns if each.number > first.number]
    opened = course.established
    if len(early) > 1:
        answered = _answered_syn(early, first)
        cost = between_ns(early[0], early[-1])
        damaged = [
            each
            for each in course.discarded
            if each.has_syn and each.has_ack and each.number < early[-1].number
        ]
        if damaged and cost is not None:
            yield Claim(
                "opening.syn-ack-discarded",
                (damaged[0].number, early[-1].number),
                Known.FOLLOWS,
                {"cost_ns": cost},
                "RFC 9293 section 3.1",
                who=name(early[0].sender),
            )
        elif answered is not None and answered is not early[-1]:
            # The time stamps tell that an earlier one was answered: it was slow, not lost.
            waited = between_ns(answered, first)
            yield Claim(
                "opening.syn-answered-late",
                tuple(sorted({answered.number, early[-1].number, first.number})),
                Known.FOLLOWS,
                {} if waited is None else {"answered_ns": waited},
                "RFC 7323 section 3.2",
                who=name(first.sender),
            )
        elif cost is not None:
            yield Claim(
                "opening.syn-lost",
                (*(each.number for each in early), first.number),
                Known.POSSIBLE,
                {"syns": len(early), "cost_ns": cost, **_time("answered_ns", early[-1], first)},
                "",
                ("syn-lost", "answer-lost-before-here", "answer-slow"),
                name(early[0].sender),
            )
    before_open = [
        each
        for each in late
        if opened is None or course.index[each.number] < course.index[opened.number]
    ]
    if before_open and early:
        cost = between_ns(first, before_open[-1])
        if cost is not None:
            yield Claim(
                "opening.syn-ack-lost",
                (first.number, *(each.number for each in before_open)),
                Known.POSSIBLE,
                {"cost_ns": cost},
                "",
                ("lost-behind-this-point", "crossed-on-the-way", "answer-not-accepted"),
                name(first.sender),
            )
    elif len(answers) > 1 and all(each.start == first.start for each in answers):
        same = [each for each in answers if each.seq_raw == first.seq_raw]
        if len(same) > 1:
            yield Claim(
                "opening.syn-ack-repeated",
                tuple(each.number for each in same),
                Known.POSSIBLE,
                {"sendings": len(same), **_time("cost_ns", same[0], same[-1])},
                "",
                ("syn-ack-lost", "last-ack-lost", "waits-for-data", "client-silent"),
                name(first.sender),
            )


def _answered_syn(syns: Sequence[Sent], answer: Sent) -> Sent | None:
    """
    Find the SYN that is answered by its time stamp (RFC 7323 section 3.2); None where there is no
    telling.
    """
    stamps = answer.options.timestamps
    if stamps is None:
        return None
    found = [
        each
        for each in syns
        if each.options.timestamps is not None and each.options.timestamps[0] == stamps[1]
    ]
    return found[0] if len(found) == 1 else None


def _time(name: str, earlier: Sent, later: Sent) -> dict[str, Figure]:
    passed = between_ns(earlier, later)
    return {} if passed is None else {name: passed}


def _other_numbers(course: Course, answers: Sequence[Sent]) -> Iterator[Claim]:
    """
    Judge SYN-ACKs of one end with different initial sequence numbers.
    """
    first = answers[0]
    other = next((each for each in answers if each.seq_raw != first.seq_raw), None)
    if other is None:
        return
    figures: dict[str, Figure] = {}
    frames = {first.number, other.number}
    opened = course.established
    if opened is not None:
        taken = next(
            (each for each in answers if (each.seq_raw + 1) % (1 << 32) == opened.ack_raw), None
        )
        if taken is not None:
            figures["taken_frame"] = taken.number
            frames |= {taken.number, opened.number}
    yield Claim(
        "opening.another-syn-ack",
        tuple(sorted(frames)),
        Known.POSSIBLE,
        figures,
        "",
        ("syn-cookies", "load-balancer", "restarted"),
        course.history.name(first.sender),
    )


def _fast_open(course: Course, syns: Sequence[Sent], answers: Sequence[Sent]) -> Iterator[Claim]:
    """
    Judge data in a SYN, and the cookie that it takes.
    """
    syn = next((each for each in syns if each.length), None)
    answer = next(
        (each for each in answers if syn is not None and each.number > syn.number), answers[0]
    )
    who = course.history.name(syns[0].sender)
    if syn is not None and answer.number > syn.number and answer.ack is not None:
        covered = min(max(answer.ack - 1, 0), syn.length)
        kind = "accepted" if covered == syn.length else "rejected" if not covered else "partly"
        frames = [syn.number, answer.number]
        figures: dict[str, Figure] = {
            "bytes": syn.length,
            "covered": covered,
            "cookie": len(syn.options.fast_open or b""),
        }
        if kind != "accepted":
            again = next(
                (
                    each
                    for each in course.after(answer)
                    if each.sender == syn.sender and each.length and each.data_start <= 1 + covered
                ),
                None,
            )
            if again is not None:
                frames.append(again.number)
        kinds = {
            "accepted": "opening.fast-open-accepted",
            "rejected": "opening.fast-open-rejected",
            "partly": "opening.fast-open-partly-accepted",
        }
        yield Claim(
            kinds[kind], tuple(frames), Known.FOLLOWS, figures, "RFC 7413 section 3", who=who
        )
    elif syns[0].options.fast_open == b"":
        granted = answers[0].options.fast_open
        yield Claim(
            "opening.fast-open-cookie",
            tuple(sorted({syns[0].number, answers[0].number})),
            Known.FOLLOWS,
            {"granted": len(granted or b"")},
            "RFC 7413 section 3.1",
            who=who,
        )


def _completed(course: Course, syns: Sequence[Sent], answers: Sequence[Sent]) -> Iterator[Claim]:
    """
    Judge the handshake's end.
    """
    name = course.history.name
    opened = course.established
    client = syns[0].sender
    if opened is None or opened.sender != client:
        if not course.history.is_whole:
            return
        if any(each.sender == client and not each.has_syn for each in course.segments):
            # The client went on by a FIN or a RST, which are reported as such.
            return
        frames = tuple(sorted({syns[0].number, answers[-1].number}))
        yield Claim(
            "opening.never-completed",
            frames,
            Known.POSSIBLE,
            {"answers": len(answers)},
            "",
            ("half-open-scan", "forged-address", "lost-on-the-way", "ack-not-captured"),
            name(client),
        )
        return
    fitting = [each for each in answers if (each.seq_raw + 1) % (1 << 32) == opened.ack_raw]
    # It may be sent again after the ACK; and where records are out of order, come after it.
    earlier = [each for each in fitting if each.number < opened.number]
    answer = earlier[-1] if earlier else (fitting or answers)[0]
    before = [each for each in syns if each.number < answer.number]
    syn = (_answered_syn(before, answer) or before[-1]) if before else syns[0]
    figures: dict[str, Figure] = {}
    far, near = between_ns(syn, answer), between_ns(answer, opened)
    if far is not None and near is not None and syn.number < answer.number < opened.number:
        figures = {"far_ns": far, "near_ns": near, "total_ns": far + near}
    yield Claim(
        "opening.handshake",
        tuple(sorted({syn.number, answer.number, opened.number})),
        figures=figures,
        who=name(client),
    )
