"""
RSTs of connections that are not open: refused, of a closed port, or before the handshake is over.
"""

from __future__ import annotations

from typing import Final

from netlab.analysis.claims.claim import Claim, Figure, Known
from netlab.analysis.observations.course import Course, between_ns
from netlab.analysis.observations.history import Sent
from netlab.analysis.tcp.frames import Mark

ANSWER_MAX_NS: Final = 3_000_000_000
"""A RST that answers a segment follows it within a round trip: no longer than this."""

_MODULUS: Final = 1 << 32


def refused(course: Course, reset: Sent) -> Claim | None:
    """
    A RST that answers a SYN of a peer to whom nothing else was said.
    """
    peer = 1 - reset.sender
    syns = [each for each in course.syns[peer] if each.number < reset.number]
    if not syns or course.answers[reset.sender] or course.syns[reset.sender]:
        return None
    if any(each.sender == reset.sender and not each.has_rst for each in course.before(reset)):
        return None
    if reset.ack is not None and reset.ack != syns[-1].end and reset.ack != 1:
        return None
    causes: tuple[str, ...] = ("no-listener", "firewall-rejects")
    if syns[0].marks & Mark.REUSED_PORTS:
        causes = ("earlier-attempt", *causes)
    waited = between_ns(syns[-1], reset)
    figures: dict[str, Figure] = {"port": _port(course, reset.sender), "syns": len(syns)}
    if waited is not None:
        figures["answered_ns"] = waited
    return Claim(
        "resets.refused",
        (syns[-1].number, reset.number),
        Known.POSSIBLE,
        figures,
        "RFC 9293 section 3.10.7.1",
        causes,
        course.history.name(reset.sender),
    )


def of_a_closed_port(course: Course, reset: Sent) -> Claim | None:
    """
    A RST with the number 0 that acknowledges a segment which itself had no ACK: the answer of a
    host without a connection for it.
    """
    before = course.before(reset)
    asked = before[-1] if before else None
    if asked is None or asked.sender == reset.sender or asked.has_ack or asked.has_rst:
        return None
    is_answer = (asked.seq_raw + asked.end - asked.start) % _MODULUS == reset.ack_raw
    if asked.has_syn or not reset.has_ack or reset.seq_raw or not is_answer:
        return None
    return Claim(
        "resets.no-connection",
        (asked.number, reset.number),
        Known.FOLLOWS,
        {"port": _port(course, reset.sender)},
        "RFC 9293 section 3.10.7.1",
        who=course.history.name(reset.sender),
    )


def in_the_handshake(course: Course, reset: Sent) -> Claim | None:
    """
    A RST before the handshake was complete, or right after an answer that belongs to no SYN of its
    sender.
    """
    peer = 1 - reset.sender
    who = course.history.name(reset.sender)
    before = course.before(reset)
    own = [each for each in before if each.sender == reset.sender and not each.has_rst]
    answer = next((each for each in reversed(before) if each.sender == peer), None)
    if answer is None:
        if own and all(each.has_syn and not each.has_ack for each in own):
            return Claim("resets.own-attempt", (own[-1].number, reset.number), who=who)
        return None
    is_answer = answers(reset, answer)
    if own and all(each.has_syn and not each.has_ack for each in own):
        if answer.has_syn and answer.has_ack and answer.ack is not None and answer.ack >= 1:
            waited = between_ns(answer, reset)
            figures: dict[str, Figure] = {} if waited is None else {"after_ns": waited}
            return Claim(
                "resets.after-syn-ack",
                tuple(sorted({own[-1].number, answer.number, reset.number})),
                Known.POSSIBLE,
                figures,
                "",
                ("half-open-scan", "health-check", "client-gave-up", "answer-not-expected"),
                who,
            )
        if is_answer and answer.has_ack and not answer.has_syn and answer.ack != own[-1].end:
            return Claim(
                "resets.unacceptable-ack",
                (own[-1].number, answer.number, reset.number),
                Known.FOLLOWS,
                {},
                "RFC 9293 section 3.10.7.3",
                who=who,
            )
    # Not yet open, and the ACK does not complete the handshake either.
    is_waiting = bool(own) and all(each.has_syn and each.has_ack for each in own)
    if is_waiting and is_answer and not answer.has_syn and answer.ack != own[-1].end:
        return Claim(
            "resets.unacceptable-ack",
            (own[-1].number, answer.number, reset.number),
            Known.FOLLOWS,
            {},
            "RFC 9293 section 3.10.7.4",
            who=who,
        )
    return None


def answers(reset: Sent, segment: Sent) -> bool:
    """
    Tell whether a RST without ACK has the number that a segment acknowledged, soon after it.
    """
    waited = between_ns(segment, reset)
    return (
        not reset.has_ack
        and segment.has_ack
        and segment.ack_raw == reset.seq_raw
        and waited is not None
        and waited <= ANSWER_MAX_NS
    )


def _port(course: Course, sender: int) -> int:
    return course.history.conversation.flows[sender].port
