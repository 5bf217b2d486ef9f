"""
Bytes that were sent again: which frame carried them first, and what made the sender repeat them, as
far as the frames decide.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from netlab.analysis.claims.claim import Claim, Figure, Known
from netlab.analysis.observations.streams import Streams, StreamStep
from netlab.analysis.transfer.order import numbers_count, was_sent_before

TIMEOUT_MIN_NS: Final = 200_000_000
"""
The shortest retransmission timeout that is called one: RFC 6298 section 2.4 wants a second, Linux
and Windows wait 200 to 300 ms at least.
"""

TIMEOUT_NEAR_NS: Final = 190_000_000
"""
From how long on a repeat may be for such a timer: packets do not all take equally long to this
point.
"""

TIMER_MIN_NS: Final = 5_000_000
"""Shorter than any retransmission timer may be set to, in a data centre too."""

PROBE_MAX_NS: Final = 1_000_000_000
"""After how long a repeat may still be a tail loss probe: two round trips and 200 ms at most."""

THRESHOLD: Final = 3
"""How many duplicate ACKs make a fast retransmit (RFC 5681 section 3.2)."""

PROMPT_NS: Final = 50_000_000
"""How long after the last duplicate ACK a repeat is still its effect, where no way is longer."""

_TIMEOUT: Final = "retransmission-timeout"
_PROBE: Final = "tail-loss-probe"
_RACK: Final = "rack"
_EARLY: Final = "early-retransmit"
_FAST: Final = "fast-retransmit"
_EARLIER: Final = "earlier-timeout"
_UNKNOWN: Final = "unknown"


_DOUBTS: Final = {
    "repeats.timeout": ("repeats.timer", _TIMEOUT),
    "repeats.after-timeout": ("repeats.after-timeout", _EARLIER),
    "repeats.fast-retransmit": ("repeats.after-duplicate-acks", _FAST),
    "repeats.sack-recovery": ("repeats.after-duplicate-acks", "sack-recovery"),
    "repeats.partial-ack": ("repeats.after-duplicate-acks", "partial-ack"),
}
"""What each sure trigger becomes where it is doubted, and as which cause it is named then."""


@dataclass(slots=True)
class _Repair:
    """
    How an end's repair of a loss stands.

    @ivar recovery: the repeat that began a fast recovery, or None.
    @ivar is_sure: whether it certainly was one.
    @ivar recovery_to: the recovery ends when all up to here is acknowledged.
    @ivar timeout: the claim of the last repeat for a timer; None where it is only possible.
    @ivar timeout_step: its step; -1 before the first.
    @ivar timeout_to: up to where had been sent then.
    @ivar waited_at: the position that a timer repeated last.
    @ivar waited_ns: how long it had waited then.
    """

    recovery: int | None = None
    recovery_to: int = 0
    is_sure: bool = False
    timeout: Claim | None = None
    timeout_step: int = -1
    timeout_to: int = 0
    waited_at: int = -1
    waited_ns: int = 0


def claims_of(streams: Streams) -> Iterator[Claim]:
    """
    Judge each segment whose bytes were sent before.
    """
    repairs = (_Repair(), _Repair())
    counts = tuple(numbers_count(streams, sender) for sender in (0, 1))
    for step in streams.steps:
        if step.copy_of is not None:
            continue
        repair = repairs[step.sent.sender]
        if step.hole is not None and step.fresh:
            _note_unseen(streams, step, repair)
        if not step.repeated or step.latest is None:
            continue
        carrier = streams.steps[step.latest]
        if carrier.sent.has_syn or step.is_keep_alive or step.is_window_probe:
            # Data of a SYN that was not taken is no loss (RFC 7413 section 4.2).
            continue
        is_earlier, evidence = was_sent_before(
            step.sent, carrier.sent, counts=counts[step.sent.sender]
        )
        if is_earlier:
            yield _late_original(streams, step, evidence)
        elif not _is_altered(streams, step):
            claim = _repeat(streams, step, repair)
            yield _doubted(claim) if streams.lacks_segments else claim


def _late_original(streams: Streams, step: StreamStep, evidence: str) -> Claim:
    """
    Claim that a packet was sent before one that carried the same bytes and came sooner.
    """
    assert step.latest is not None
    return Claim(
        "reordering.late-original",
        streams.numbers(step.latest, step.index),
        Known.SEEN,
        {
            "first": step.sent.data_start,
            "last": step.end - 1,
            "repeat_frame": streams.number(step.latest),
            "evidence": evidence,
        },
        "",
        (),
        streams.history.name(step.sent.sender),
    )


def _doubted(claim: Claim) -> Claim:
    """
    Where the capture has missed segments, what made a sender repeat may be among them. Only a wait
    that doubles is a timer's for sure.
    """
    if claim.known is not Known.FOLLOWS or "waited_before_ns" in claim.figures:
        return claim
    kind, cause = _DOUBTS[claim.kind]
    figures = {"duplicates": 0, **claim.figures} if kind != claim.kind else claim.figures
    return claim._replace(
        kind=kind, known=Known.POSSIBLE, rule="", causes=(cause, _UNKNOWN), figures=figures
    )


def _note_unseen(streams: Streams, step: StreamStep, repair: _Repair) -> None:
    """
    Take note of what may be a repeat of bytes that were never seen here: it began a repair, too.
    """
    assert step.hole is not None
    late = streams.since_ns(step.hole, step.index)
    if step.duplicates >= THRESHOLD:
        _begin(step, repair)
    elif late is None or late >= TIMEOUT_NEAR_NS:
        _note_timeout(step, repair, None, late or 0)


def _is_altered(streams: Streams, step: StreamStep) -> bool:
    """
    Tell whether it carries other bytes than the first copy did: then it repeats nothing.
    """
    return any(step.sent.shares_bytes(streams.steps[first].sent) is False for first in step.firsts)


def _repeat(streams: Streams, step: StreamStep, repair: _Repair) -> Claim:
    assert step.latest is not None
    start, acked = step.sent.data_start, step.acked
    if acked is not None and acked >= step.end:
        # Its sender did not know that, and may be in a recovery that cannot be seen from here.
        if repair.recovery is None and step.highest > acked:
            _begin(step, repair)
        return _unneeded(streams, step)
    if repair.recovery is not None and acked is not None and acked >= repair.recovery_to:
        repair.recovery = None
    at_edge = acked is not None and start <= acked < step.end
    if step.latest < repair.timeout_step and start < repair.timeout_to:
        return _after_timeout(streams, step, repair)
    duplicates = step.duplicates_kept
    if (
        at_edge
        and step.duplicates >= THRESHOLD
        and step.latest < duplicates[0]
        and repair.recovery is None
    ):
        return _fast(streams, step, repair)
    if repair.recovery is not None and step.latest < repair.recovery:
        if step.sacked_to > start:
            return _sack(streams, step, repair)
        if at_edge and step.acked_by is not None and step.acked_by > repair.recovery:
            return _partial(streams, step, repair)
    if step.sacked_to > start:
        return _selective(streams, step, repair)
    return _timed(streams, step, repair)


def _may_be_timed(streams: Streams, step: StreamStep) -> bool:
    """
    Tell whether a retransmission timer may have expired: it runs anew with each ACK of new data
    (RFC 6298 section 5.3), and never for less than a round trip.
    """
    assert step.latest is not None
    for index in (step.latest, step.acked_by):
        since = None if index is None else streams.since_ns(index, step.index)
        if since is not None and since < TIMEOUT_NEAR_NS:
            return False
    waited = streams.since_ns(step.latest, step.index)
    return waited is None or waited >= (streams.round_trip_ns or 0)


def _is_prompt(streams: Streams, index: int, step: StreamStep) -> bool:
    """
    Tell whether a step is recent enough for what the peer sent in it to have made the sender repeat
    at once.
    """
    since = streams.since_ns(index, step.index)
    return since is not None and since <= max(PROMPT_NS, 2 * (streams.round_trip_ns or 0))


def _claim(
    streams: Streams,
    step: StreamStep,
    kind: str,
    others: tuple[int, ...] = (),
    known: Known = Known.FOLLOWS,
    rule: str = "",
    causes: tuple[str, ...] = (),
    **figures: Figure,
) -> Claim:
    """
    Claim that a step repeats bytes.

    @param others: further steps that it rests on, all before it.
    """
    assert step.latest is not None
    first = step.firsts[0] if step.firsts else step.latest
    low = max(step.sent.data_start, streams.steps[first].sent.data_start)
    told: dict[str, Figure] = {
        "first": low,
        "last": step.end - 1,
        "bytes": step.repeated,
        "first_frame": streams.number(first),
        "tries": step.tries,
    }
    if step.fresh:
        told["fresh_bytes"] = step.fresh
    if step.latest != first:
        told["latest_frame"] = streams.number(step.latest)
    if streams.steps[step.latest].is_discarded:
        told["discarded_frame"] = streams.number(step.latest)
    waited = streams.since_ns(step.latest, step.index)
    if waited is not None:
        told["waited_ns"] = waited
    told.update(figures)
    frames = streams.numbers(*step.firsts, step.latest, *others, step.index)
    who = streams.history.name(step.sent.sender)
    return Claim(kind, frames, known, told, rule, causes, who)


def _unneeded(streams: Streams, step: StreamStep) -> Claim:
    assert step.acked_by is not None
    since = streams.since_ns(step.acked_by, step.index)
    way = streams.directions[1 - step.sent.sender].rtt_min_ns
    causes: tuple[str, ...] = ("ack-lost", "ack-late")
    if since is not None and way is not None and since > 2 * way + PROMPT_NS:
        causes = ("ack-lost", _UNKNOWN)
    span = {} if since is None else {"since_ack_ns": since}
    return _claim(
        streams,
        step,
        "repeats.acknowledged-before",
        (step.acked_by,),
        Known.POSSIBLE,
        "",
        causes,
        ack_frame=streams.number(step.acked_by),
        **span,
    )


def _after_timeout(streams: Streams, step: StreamStep, repair: _Repair) -> Claim:
    claim = repair.timeout
    is_sure = claim is not None and claim.known is Known.FOLLOWS
    causes: tuple[str, ...] = () if is_sure else (_EARLIER, _TIMEOUT, _UNKNOWN)
    return _claim(
        streams,
        step,
        "repeats.after-timeout",
        (repair.timeout_step,),
        Known.FOLLOWS if is_sure else Known.POSSIBLE,
        "RFC 5681 section 3.1" if is_sure else "",
        causes,
        timeout_frame=streams.number(repair.timeout_step),
    )


def _begin(step: StreamStep, repair: _Repair) -> None:
    repair.recovery = step.index
    repair.recovery_to = step.highest
    repair.is_sure = False


def _fast(streams: Streams, step: StreamStep, repair: _Repair) -> Claim:
    duplicates = step.duplicates_kept
    with_sack = step.sacked_bytes > 0
    _begin(step, repair)
    third = duplicates[THRESHOLD - 1]
    if _may_be_timed(streams, step) or not _is_prompt(streams, third, step):
        return _timer_or(streams, step, repair, "sack-recovery" if with_sack else _FAST)
    repair.is_sure = True
    return _claim(
        streams,
        step,
        "repeats.sack-recovery" if with_sack else "repeats.fast-retransmit",
        duplicates[:THRESHOLD],
        rule="RFC 6675 section 5" if with_sack else "RFC 5681 section 3.2",
        duplicates=step.duplicates,
    )


def _sack(streams: Streams, step: StreamStep, repair: _Repair) -> Claim:
    assert repair.recovery is not None
    if not repair.is_sure or _may_be_timed(streams, step):
        return _timer_or(streams, step, repair, "sack-recovery")
    others = (repair.recovery,) if step.window_by is None else (repair.recovery, step.window_by)
    return _claim(
        streams,
        step,
        "repeats.sack-recovery",
        others,
        rule="RFC 6675 section 5",
        recovery_frame=streams.number(repair.recovery),
        duplicates=step.duplicates,
    )


def _partial(streams: Streams, step: StreamStep, repair: _Repair) -> Claim:
    assert repair.recovery is not None
    assert step.acked_by is not None
    is_prompt = _is_prompt(streams, step.acked_by, step)
    if not repair.is_sure or not is_prompt or _may_be_timed(streams, step):
        return _timer_or(streams, step, repair, "partial-ack")
    return _claim(
        streams,
        step,
        "repeats.partial-ack",
        (repair.recovery, step.acked_by),
        rule="RFC 6582 section 3.2",
        recovery_frame=streams.number(repair.recovery),
        ack_frame=streams.number(step.acked_by),
    )


def _selective(streams: Streams, step: StreamStep, repair: _Repair) -> Claim:
    """
    SACK names bytes beyond, but neither three duplicate ACKs nor a recovery under way explain it.
    """
    largest = streams.directions[step.sent.sender].largest
    others = () if step.window_by is None else (step.window_by,)
    is_first = repair.recovery is None and step.tries == 1
    is_prompt = step.window_by is not None and _is_prompt(streams, step.window_by, step)
    if (
        is_first
        and is_prompt
        and step.sacked_bytes > (THRESHOLD - 1) * largest
        and not _may_be_timed(streams, step)
    ):
        _begin(step, repair)
        repair.is_sure = True
        return _claim(
            streams,
            step,
            "repeats.sack-recovery",
            others,
            rule="RFC 6675 section 4",
            duplicates=step.duplicates,
            sacked_bytes=step.sacked_bytes,
        )
    return _timer_or(streams, step, repair, _RACK)


def _timer_or(streams: Streams, step: StreamStep, repair: _Repair, other: str) -> Claim:
    """
    Claim a repeat that one more mechanism than a timer may have made.
    """
    assert step.latest is not None
    waited = streams.since_ns(step.latest, step.index)
    others = () if step.window_by is None else (step.window_by,)
    causes = [other]
    if other == _RACK and step.tries == 1:
        causes.append(_EARLY)
    if waited is None or waited >= (streams.round_trip_ns or 0):
        causes.append(_TIMEOUT)
    if waited is not None and waited >= TIMEOUT_MIN_NS and _may_be_timed(streams, step):
        _note_timeout(step, repair, None, waited)
    causes.append(_UNKNOWN)
    return _claim(
        streams,
        step,
        "repeats.after-duplicate-acks",
        (*others, *step.duplicates_kept),
        Known.POSSIBLE,
        causes=tuple(causes),
        duplicates=step.duplicates,
        sacked_bytes=step.sacked_bytes,
    )


def _timed(streams: Streams, step: StreamStep, repair: _Repair) -> Claim:
    """
    Nothing that came from the peer explains it: a timer, if it waited long enough for one.
    """
    assert step.latest is not None
    waited = streams.since_ns(step.latest, step.index)
    way = streams.round_trip_ns or 0
    if waited is None:
        return _claim(streams, step, "repeats.again", known=Known.SEEN)
    start = step.sent.data_start
    flows = streams.history.conversation.flows
    before = repair.waited_ns if repair.waited_at == start else 0
    may_probe = (
        step.tries == 1
        and step.end == step.highest
        and all(flow.sack_permitted or flow.iss is None for flow in flows)
        and 2 * way <= waited <= PROBE_MAX_NS + 2 * way
    )
    if waited < TIMEOUT_MIN_NS or waited < way:
        if may_probe and way:
            causes = (_PROBE, _TIMEOUT) if waited >= TIMER_MIN_NS else (_PROBE, _UNKNOWN)
            return _claim(streams, step, "repeats.timer", (), Known.POSSIBLE, causes=causes)
        return _claim(streams, step, "repeats.again", known=Known.SEEN)
    if not _may_be_timed(streams, step):
        # New data was acknowledged too shortly before: a timer would have begun anew.
        others = () if step.acked_by is None else (step.acked_by,)
        return _claim(
            streams,
            step,
            "repeats.timer",
            others,
            Known.POSSIBLE,
            causes=(_EARLIER, _TIMEOUT, _UNKNOWN),
        )
    if before and 1.5 * before <= waited <= 3 * before:
        claim = _claim(
            streams,
            step,
            "repeats.timeout",
            rule="RFC 6298 section 5",
            waited_before_ns=before,
        )
    elif not streams.has_both:
        claim = _claim(
            streams, step, "repeats.timer", (), Known.POSSIBLE, causes=(_TIMEOUT, _UNKNOWN)
        )
    elif may_probe:
        claim = _claim(
            streams, step, "repeats.timer", (), Known.POSSIBLE, causes=(_TIMEOUT, _PROBE)
        )
    elif step.duplicates and _is_prompt(streams, step.duplicates_kept[-1], step):
        claim = _claim(
            streams,
            step,
            "repeats.after-duplicate-acks",
            step.duplicates_kept,
            Known.POSSIBLE,
            causes=(_TIMEOUT, _EARLY),
            duplicates=step.duplicates,
        )
    else:
        claim = _claim(streams, step, "repeats.timeout", rule="RFC 6298 section 5")
    _note_timeout(step, repair, claim, waited)
    return claim


def _note_timeout(step: StreamStep, repair: _Repair, claim: Claim | None, waited: int) -> None:
    repair.timeout = claim
    repair.timeout_step = step.index
    repair.timeout_to = step.highest
    repair.recovery = None
    repair.waited_at, repair.waited_ns = step.sent.data_start, waited
