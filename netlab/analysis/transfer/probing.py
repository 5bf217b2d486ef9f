"""
Keep-alives: a sign of life that is asked for, given, or not given.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from netlab.analysis.claims.claim import Claim, Figure, Known
from netlab.analysis.observations.streams import Streams, StreamStep

CITED_MAX: Final = 16
"""How many keep-alives are cited one by one."""

IDLE_MIN_NS: Final = 100_000_000
"""
After how short a silence no end asks whether the other is there: the least that systems let a
program set is a second. An ACK of an unacceptable segment may have the same number.
"""

_RULE: Final = "RFC 9293 section 3.8.4"
_SYN_FIN_RST: Final = 7


def claims_of(streams: Streams) -> Iterator[Claim]:
    """
    Judge what was sent only to be answered.
    """
    open_: tuple[list[int], list[int]] = ([], [])
    counts = [0, 0]
    asked_in: tuple[list[int], list[int]] = ([], [])
    answered = [0, 0]
    before: int | None = None
    for step in streams.steps:
        if step.copy_of is not None:
            continue
        sender = step.sent.sender
        own, asked = open_[sender], open_[1 - sender]
        if _is_one(streams, step, before) or _may_be_one(streams, step):
            yield _asked(streams, step, before, counts[sender])
            counts[sender] += 1
            asked_in[sender].append(step.index)
            if len(own) >= CITED_MAX:
                own.pop()
            own.append(step.index)
        if asked:
            if not step.length and not step.sent.flags & _SYN_FIN_RST and not step.is_keep_alive:
                answered[1 - sender] += 1
                yield _answered(streams, step, asked[-1])
            asked.clear()
            counts[1 - sender] = 0
        before = step.index
    if streams.is_whole:
        for sender in (0, 1):
            if asked_in[sender]:
                yield Claim(
                    "keepalives.exchanged",
                    streams.numbers(asked_in[sender][0], asked_in[sender][-1]),
                    Known.SEEN,
                    {"asked": len(asked_in[sender]), "answered": answered[sender]},
                    "",
                    (),
                    streams.history.name(sender),
                )
            if open_[sender] and not any(
                step.sent.has_rst for step in streams.steps[open_[sender][-1] :]
            ):
                yield Claim(
                    "keepalives.unanswered",
                    streams.numbers(*open_[sender]),
                    Known.SEEN,
                    {"unanswered": counts[sender]},
                    "",
                    (),
                    streams.history.name(sender),
                )


def _is_one(streams: Streams, step: StreamStep, before: int | None) -> bool:
    """
    Tell whether it asks for a sign of life, after a silence.
    """
    idle = None if before is None else streams.since_ns(before, step.index)
    return step.is_keep_alive and (idle is None or idle >= IDLE_MIN_NS)


def _may_be_one(streams: Streams, step: StreamStep) -> bool:
    """
    Tell whether a direction's first captured segment, without a byte, is followed by an ACK of one
    number more: a keep-alive, or the byte before it was not captured.
    """
    direction = streams.directions[step.sent.sender]
    if (
        step.length
        or step.sent.flags & _SYN_FIN_RST
        or direction.base_seen != step.sent.start
        or direction.syn is not None
        or step.acked is not None
        or step.index + 1 >= len(streams.steps)
    ):
        return False
    after = streams.steps[step.index + 1].sent
    return (
        after.sender != step.sent.sender
        and not after.length
        and not after.flags & _SYN_FIN_RST
        and after.ack == step.sent.start + 1
        and after.start == step.sent.ack
    )


def _asked(streams: Streams, step: StreamStep, before: int | None, unanswered: int) -> Claim:
    figures: dict[str, Figure] = {"unanswered_before": unanswered, "length": step.length}
    idle = None if before is None else streams.since_ns(before, step.index)
    if idle is not None:
        figures["idle_ns"] = idle
    frames = streams.numbers(step.index)
    who = streams.history.name(step.sent.sender)
    if step.is_keep_alive:
        return Claim("keepalives.probe", frames, Known.FOLLOWS, figures, _RULE, (), who)
    causes = ("keep-alive", "byte-not-captured")
    return Claim("keepalives.possible-probe", frames, Known.POSSIBLE, figures, "", causes, who)


def _answered(streams: Streams, step: StreamStep, probe: int) -> Claim:
    figures: dict[str, Figure] = {"probe_frame": streams.number(probe)}
    span = streams.since_ns(probe, step.index)
    if span is not None:
        figures["after_ns"] = span
    who = streams.history.name(step.sent.sender)
    frames = streams.numbers(probe, step.index)
    return Claim("keepalives.answer", frames, Known.SEEN, figures, "", (), who)
