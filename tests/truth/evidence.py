"""
What the frames that a claim cites must show, kind by kind.

Each rule is written from the meaning of the kind in docs/claims.md, and says what is lacking.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from tests.truth.claimed import Claimed
from tests.truth.frames import ACK, FIN, PSH, RST, SYN, Frame

_Rule: TypeAlias = Callable[[Claimed, Mapping[int, Frame], Sequence[Frame]], str | None]

_MODULUS: Final = 1 << 32
_HALF: Final = 1 << 31


def evidence_lacks(
    claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]
) -> str | None:
    """
    Tell what of a claim its frames do not show.
    """
    rule = _RULES.get(claim.kind)
    if rule is None or not claim.frames or any(each not in frames for each in claim.frames):
        return None
    return rule(claim, frames, talk)


def _last(claim: Claimed, frames: Mapping[int, Frame]) -> Frame:
    return frames[claim.frames[-1]]


def _is_before(one: int, other: int) -> bool:
    return 0 < (other - one) % _MODULUS < _HALF


def _end(frame: Frame) -> int:
    return (frame.seq + frame.length + frame.has(SYN) + frame.has(FIN)) % _MODULUS


def _named(claim: Claimed, frames: Mapping[int, Frame], figure: str) -> Frame | None:
    number = claim.figures.get(figure)
    return frames.get(number) if isinstance(number, int) else None


def _answers(claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]) -> str | None:
    """
    A RST without ACK has the number that the segment acknowledges which it answers.
    """
    reset = _last(claim, frames)
    answered = _named(claim, frames, "answered_frame") or frames[claim.frames[-2]]
    if claim.kind == "resets.data-after-close" and "answered_frame" not in claim.figures:
        return None
    if answered.src == reset.src or not reset.has(RST):
        return f"#{reset.number} answers nothing of the other end"
    same = reset.seq == answered.ack and not reset.has(ACK)
    return None if same else f"#{reset.number} has not the number that #{answered.number} expects"


def _other_sender(claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]) -> str | None:
    """
    What a RST's header says is not what its sender's other segments say.
    """
    reset = _last(claim, frames)
    others = [each for each in talk if each.src == reset.src and not each.has(RST)]
    if "ttl" in claim.figures and claim.figures["ttl"] != reset.ttl:
        return f"the time to live of #{reset.number} is {reset.ttl}"
    usual = claim.figures.get("usual_ttl")
    if usual is not None and any(each.ttl != usual for each in others):
        return f"not all others have a time to live of {usual}"
    if "ip_id" in claim.figures and claim.figures["ip_id"] != reset.ip_id:
        return f"the identification of #{reset.number} is {reset.ip_id}"
    return None


def _outside(claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]) -> str | None:
    """
    A RST outside the window has none of the next 65,535 numbers that its receiver expects.
    """
    reset = _last(claim, frames)
    acks = [
        each.ack
        for each in talk
        if each.src != reset.src and each.number < reset.number and each.has(ACK)
    ]
    if acks:
        # The highest: one that was overtaken is older.
        ack = max(acks, key=lambda each: (each - acks[0] + _MODULUS // 2) % _MODULUS)
        if (reset.seq - ack) % _MODULUS < 1 << 15:
            return f"#{reset.number} has a number that is expected"
    return _other_sender(claim, frames, talk)


def _goes_on(claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]) -> str | None:
    later = {frames[each].src for each in claim.frames[1:]}
    return None if len(later) == 2 else "not both ends send after it"


def _half_close(claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]) -> str | None:
    """
    After one FIN the other end sends data that acknowledges it.
    """
    fin = frames[claim.frames[0]]
    data = [
        each
        for each in talk
        if each.src != fin.src
        and each.length
        and fin.number < each.number <= claim.frames[-1]
        and not _is_before(each.ack, _end(fin))
    ]
    return None if fin.has(FIN) and data else f"no data comes after the FIN #{fin.number}"


def _both_closed(claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]) -> str | None:
    ends = {each.src for each in talk if each.has(FIN)}
    return None if len(ends) == 2 else "not both ends send a FIN"


def _duplicate(claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]) -> str | None:
    """
    A duplicate ACK repeats one of the same end, without data.
    """
    ack = _last(claim, frames)
    if ack.length:
        return f"#{ack.number} carries data"
    before = [
        each
        for each in talk
        if each.src == ack.src and each.number < ack.number and each.ack == ack.ack
    ]
    return None if before else f"#{ack.number} repeats no ACK"


def _keep_alive(claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]) -> str | None:
    """
    A keep-alive has the number before the next one, and one byte at most.
    """
    probe = _last(claim, frames)
    if probe.length > 1 or probe.flags & (SYN | FIN | RST):
        return f"#{probe.number} is no probe"
    sent = [_end(each) for each in talk if each.src == probe.src and each.number < probe.number]
    if sent and not any(end == (probe.seq + 1) % _MODULUS for end in sent):
        heard = [each.ack for each in talk if each.src != probe.src and each.number < probe.number]
        if (probe.seq + 1) % _MODULUS not in heard:
            return f"#{probe.number} has not the number before the next"
    return None


def _answer(claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]) -> str | None:
    probe, answer = _named(claim, frames, "probe_frame"), _last(claim, frames)
    if probe is None or probe.number >= answer.number or probe.src == answer.src:
        return f"#{answer.number} answers no probe of the other end"
    return None


def _still_shut(claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]) -> str | None:
    answer = _last(claim, frames)
    return f"the window of #{answer.number} is not 0" if answer.window else None


def _copy(claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]) -> str | None:
    """
    A copy is the same packet: numbers, flags, bytes and identification.
    """
    copy, original = _last(claim, frames), _named(claim, frames, "original_frame")
    if original is None or original.number >= copy.number:
        return f"#{copy.number} has no original before it"
    same = (copy.seq, copy.ack, copy.flags, copy.payload, copy.ip_id) == (
        original.seq, original.ack, original.flags, original.payload, original.ip_id
    )  # fmt: skip
    return None if same else f"#{copy.number} is not the packet #{original.number}"


def _syns(claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]) -> str | None:
    """
    A lost SYN was sent again before any SYN-ACK.
    """
    answer = _last(claim, frames)
    syns = [frames[each] for each in claim.frames[:-1]]
    if not (answer.has(SYN, ACK) and len(syns) > 1 and all(each.has(SYN) for each in syns)):
        return "these are not two SYNs and their answer"
    early = [
        each.number
        for each in talk
        if each.has(SYN, ACK) and each.number < syns[-1].number and each.is_sound is not False
    ]
    return f"#{early[0]} had answered before" if early else None


def _asked(claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]) -> str | None:
    """
    Who is waited for sends data after data of the other end.
    """
    data, asked = _last(claim, frames), _named(claim, frames, "asked_frame")
    if asked is None or asked.number >= data.number or asked.src == data.src:
        return f"#{data.number} comes after no data of the other end"
    return None if data.length and asked.length else "one of them carries no data"


def _pushes(claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]) -> str | None:
    src = _last(claim, frames).src
    pushed = [each for each in talk if each.src == src and each.length and each.has(PSH)]
    count = claim.figures["pushes"]
    return None if len(pushed) >= count else f"{len(pushed)} segments set PSH, not {count}"


def _acked_unseen(claim: Claimed, frames: Mapping[int, Frame], talk: Sequence[Frame]) -> str | None:
    """
    What was not captured, and arrived, is acknowledged.
    """
    last = _last(claim, frames)
    return None if last.has(ACK) else f"#{last.number} acknowledges nothing"


_RULES: Final[Mapping[str, _Rule]] = {
    "resets.closed-socket": _answers,
    "resets.data-after-close": _answers,
    "resets.unknown-connection": _answers,
    "resets.answers-a-segment": _answers,
    "resets.other-sender": _other_sender,
    "resets.outside-window": _outside,
    "resets.goes-on": _goes_on,
    "closes.half-close": _half_close,
    "closes.time-wait": _both_closed,
    "acks.duplicate": _duplicate,
    "acks.duplicate-for-hole": _duplicate,
    "keepalives.probe": _keep_alive,
    "keepalives.answer": _answer,
    "windows.probe-answered": _still_shut,
    "copies.copy": _copy,
    "copies.single": _copy,
    "opening.syn-lost": _syns,
    "delays.server": _asked,
    "delays.client": _asked,
    "delays.pushes": _pushes,
    "gaps.not-captured": _acked_unseen,
}
