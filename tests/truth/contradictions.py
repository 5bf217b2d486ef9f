"""
Claims that other frames of their conversation contradict: those before, between or after the ones
that they cite.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol, TypeVar

from tests.truth.frames import ACK, FIN, RST, SYN, Frame

_MODULUS: Final = 1 << 32
_HALF: Final = 1 << 31

#: No end asks so soon whether the other is still there.
_SOON_NS: Final = 10_000_000

#: An ACK that comes later than this was under way, or held back by more than a delayed ACK.
_LATE_NS: Final = 250_000_000

#: No program's timeout is that short.
_TIMEOUT_MIN_NS: Final = 100_000_000

#: Reasons of a RST that say that its sender ended the connection, or does not have it.
_ENDING: Final = frozenset(
    {
        "resets.abort",
        "resets.instead-of-fin",
        "resets.unknown-connection",
        "resets.after-own-fin",
        "resets.data-after-close",
    }
)


class Claimed(Protocol):
    """
    What is looked at of a claim; see L{tests.truth.checker.Claimed}.
    """

    @property
    def kind(self) -> str:
        """What is claimed."""

    @property
    def frames(self) -> tuple[int, ...]:
        """The frames that it rests on."""

    @property
    def figures(self) -> Mapping[str, Any]:
        """Its values."""

    @property
    def causes(self) -> tuple[str, ...]:
        """The causes that are possible."""


Told = TypeVar("Told", bound=Claimed)

Rule = Callable[[Claimed, Mapping[int, Frame], Sequence[Frame]], str | None]


def _ahead(number: int, other: int) -> int:
    """
    Tell how far one sequence number is ahead of another, from -2**31 on.
    """
    distance = (number - other) % _MODULUS
    return distance - _MODULUS if distance >= _HALF else distance


def _end(frame: Frame) -> int:
    return frame.seq + frame.length + bool(frame.flags & SYN) + bool(frame.flags & FIN)


def _handshake(claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]) -> str | None:
    """
    A handshake's SYN-ACK is not one that was sent again after the ACK.
    """
    if claim.kind != "opening.handshake":
        return None
    cited = [frames[number] for number in claim.frames if number in frames]
    answer = next((each for each in cited if each.has(SYN, ACK)), None)
    last = next((each for each in cited if not each.has(SYN)), None)
    if answer is None or last is None or answer.number < last.number:
        return None
    for each in talk:
        is_first = each.has(SYN, ACK) and (each.seq + 1) % _MODULUS == last.ack
        if is_first and each.number < last.number and each.src == answer.src:
            return f"#{each.number} is the SYN-ACK that #{last.number} acknowledges"
    return None


def _open_before(claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]) -> str | None:
    """
    A connection that only one end knows was not seen to be open.
    """
    if claim.kind != "opening.not-captured":
        return None
    own = [each for each in talk if not each.is_quoted]
    spoken = [each for each in own if not each.has(RST)]
    if spoken and not any(each.has(ACK) for each in spoken):
        return "no segment of it has ACK"
    if len({each.src for each in spoken}) == 1 and len({each.src for each in own}) == 2:
        return "the other end only resets it"
    return None


def _reset_of_no_connection(
    claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]
) -> str | None:
    """
    A RST with the number 0 that acknowledges a segment without ACK is a closed port's.
    """
    if claim.kind not in _ENDING:
        return None
    reset = frames[claim.frames[-1]]
    before = [each for each in talk if each.number < reset.number and not each.is_quoted]
    asked = before[-1] if before else None
    if asked is None or asked.src == reset.src or asked.flags & (ACK | RST | SYN):
        return None
    is_answer = reset.has(ACK) and not reset.seq and reset.ack == _end(asked) % _MODULUS
    return f"#{reset.number} answers #{asked.number}, which has no ACK" if is_answer else None


def _reset_by_an_end_that_goes_on(
    claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]
) -> str | None:
    """
    Nobody has aborted, closed or forgotten a connection on which he sends new bytes afterwards.
    """
    if claim.kind not in _ENDING:
        return None
    reset = frames[claim.frames[-1]]
    own = [e for e in talk if e.src == reset.src and not e.has(RST) and not e.is_quoted]
    later = [each for each in own if each.number > reset.number and not each.has(SYN)]
    others = [e for e in talk if e.src != reset.src and e.number > reset.number]
    ends = [_end(each) for each in own if each.number < reset.number]
    if not ends or not any(not each.flags & (RST | SYN) for each in others):
        return None
    for each in later:
        if not _ahead(_end(each), reset.seq) > 0:
            # From below the RST: it was sent before, and overtaken.
            continue
        if each.length and all(_ahead(_end(each), end) > 0 for end in ends):
            return f"its sender goes on in #{each.number}"
    return None


def _reset_in_the_handshake(
    claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]
) -> str | None:
    """
    An end that has just sent a SYN-ACK, and no more, knows the connection.
    """
    if claim.kind != "resets.unknown-connection":
        return None
    reset = frames[claim.frames[-1]]
    own = [e for e in talk if e.src == reset.src and e.number < reset.number and not e.has(RST)]
    if own and all(each.has(SYN, ACK) for each in own):
        return f"#{own[-1].number} is its SYN-ACK"
    return None


def _sign_of_life(claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]) -> str | None:
    """
    A keep-alive follows a silence.
    """
    if claim.kind != "keepalives.probe":
        return None
    probe = frames[claim.frames[-1]]
    before = [e for e in talk if e.number < probe.number and e.src != probe.src]
    if before and 0 <= probe.time_ns - before[-1].time_ns < _SOON_NS:
        return f"the other end sends #{before[-1].number} just before"
    return None


def _acknowledged_before(
    claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]
) -> str | None:
    """
    Bytes that an ACK covered before they were captured are not more than it covers.
    """
    if claim.kind != "gaps.seen-after-its-ack":
        return None
    late, ack = frames[claim.frames[-1]], frames[claim.figures["opened_frame"]]
    covered = _ahead(ack.ack, late.seq)
    count = claim.figures["last"] - claim.figures["first"] + 1
    return f"#{ack.number} covers {covered} of them" if covered < count else None


def _never_sent(claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]) -> str | None:
    """
    What its sender's own next ACK stands before has not been sent, and so not been missed.
    """
    if claim.kind != "gaps.not-captured":
        return None
    ack = frames[claim.frames[-1]]
    after = [e for e in talk if e.number > ack.number and e.src != ack.src and not e.is_quoted]
    if not after or not any(e.src != ack.src and e.has(SYN) for e in talk):
        return None
    bare = after[0]
    if bare.length or bare.flags & (SYN | FIN | RST) or not bare.has(ACK):
        return None
    highest = max((_ahead(_end(e), bare.seq) for e in talk if e.src == bare.src), default=0)
    seen = [e for e in talk if e.src == bare.src and e.number < ack.number]
    is_next = any(_end(e) % _MODULUS == bare.seq for e in seen)
    if highest >= 0 and is_next and _ahead(ack.ack, bare.seq) > 1:
        reached = all(_ahead(_end(e), bare.seq) <= 0 for e in seen)
        return f"#{bare.number} shows that they had not been sent" if reached else None
    return None


def _the_last_segment(
    claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]
) -> str | None:
    """
    What is called the last segment of a connection is the last.
    """
    if claim.kind not in {"closes.one-direction-only", "windows.closed-to-the-end"}:
        return None
    last = [each.number for each in talk if not each.is_quoted][-1]
    return f"#{last} comes later" if claim.frames[-1] < last else None


def _late_ack_while_idle(
    claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]
) -> str | None:
    """
    Nothing is under way while a connection idles, so no late ACK of something comes.
    """
    if claim.kind != "closes.idle" or len(claim.frames) < 2:
        return None
    start, end = frames[claim.frames[0]], frames[claim.frames[-1]]
    for each in talk:
        if not start.number < each.number < end.number or each.src == start.src:
            continue
        before = [e.ack for e in talk if e.src == each.src and e.number < start.number]
        is_new = before and start.length and _ahead(each.ack, before[-1]) > 0
        if is_new and each.time_ns - start.time_ns > _LATE_NS:
            return f"#{each.number} acknowledges #{start.number} late"
        if is_new:
            return None
    return None


def _pause_before_the_ack(
    claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]
) -> str | None:
    """
    An end that has not got an ACK, as the time stamp shows that it echoes, may be waiting for it.
    """
    if claim.kind != "delays.paused":
        return None
    sent, ack = frames[claim.frames[-1]], frames[claim.figures["ack_frame"]]
    if min(sent.echo, ack.stamp) < 0 or _ahead(ack.stamp, sent.echo) <= 0:
        return None
    return f"#{sent.number} echoes a time stamp before that of #{ack.number}"


def _quick_timeout(
    claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]
) -> str | None:
    """
    What took no time was no timeout.
    """
    waited = claim.figures.get("waited_ns")
    if claim.kind != "closes.while-a-request-waits" or not isinstance(waited, int):
        return None
    is_timeout = any("timeout" in cause for cause in claim.causes)
    return f"no timeout is {waited} ns long" if is_timeout and waited < _TIMEOUT_MIN_NS else None


RULES: Final[tuple[Rule, ...]] = (
    _handshake,
    _open_before,
    _reset_of_no_connection,
    _reset_by_an_end_that_goes_on,
    _reset_in_the_handshake,
    _sign_of_life,
    _acknowledged_before,
    _never_sent,
    _the_last_segment,
    _late_ack_while_idle,
    _pause_before_the_ack,
    _quick_timeout,
)


def one_answer_each(claims: Sequence[Told]) -> list[tuple[Told, str]]:
    """
    Find claims of one conversation that call an answer to another request unreadable.
    """
    answers = {
        claim.figures["answer_first"]: claim.figures["number"]
        for claim in claims
        if claim.kind == "http.exchange" and "answer_first" in claim.figures
    }
    return [
        (claim, f"#{claim.frames[-1]} answers request {answers[claim.frames[-1]]}")
        for claim in claims
        if claim.kind == "http.answer-unreadable"
        and answers.get(claim.frames[-1], claim.figures["number"]) < claim.figures["number"]
    ]
