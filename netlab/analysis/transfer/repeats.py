"""
Bytes that were sent again: which frame carried them first, and what made the sender repeat them, as
far as the frames decide.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from netlab.analysis.claims.claim import Claim, Figure, Known
from netlab.analysis.observations.streams import Step, Streams

TIMEOUT_MIN_NS: Final = 200_000_000
"""
The shortest retransmission timeout that is called one: RFC 6298 section 2.4 wants a second, Linux
and Windows wait 200 to 300 ms at least.
"""

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
_UNKNOWN: Final = "unknown"


@dataclass(slots=True)
class _Repair:
    """
    How an end's repair of a loss stands.

    @ivar recovery: the repeat that began a fast recovery, or None.
    @ivar recovery_to: the recovery ends when all up to here is acknowledged.
    @ivar timeout: the claim of the last repeat for a timer.
    @ivar timeout_step: its step.
    @ivar timeout_to: up to where had been sent then.
    @ivar waited_at: the position that a timer repeated last.
    @ivar waited_ns: how long it had waited then.
    """

    recovery: int | None = None
    recovery_to: int = 0
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
    for step in streams.steps:
        if not step.repeated or step.latest is None or step.copy_of is not None:
            continue
        carrier = streams.steps[step.latest]
        if carrier.sent.has_syn or step.is_keep_alive or step.is_window_probe:
            # Data of a SYN that was not taken is no loss (RFC 7413 section 4.2).
            continue
        if _is_altered(streams, step):
            continue
        yield _repeat(streams, step, repairs[step.sent.sender])


def _is_altered(streams: Streams, step: Step) -> bool:
    """
    Tell whether it carries other bytes than the first copy did: then it repeats nothing.
    """
    return any(step.sent.shares_bytes(streams.steps[first].sent) is False for first in step.firsts)


def _repeat(streams: Streams, step: Step, repair: _Repair) -> Claim:
    assert step.latest is not None
    start, acked = step.sent.data_start, step.acked
    if acked is not None and acked >= step.end:
        return _unneeded(streams, step)
    if repair.recovery is not None and acked is not None and acked >= repair.recovery_to:
        repair.recovery = None
    at_edge = acked is not None and start <= acked < step.end
    if (
        repair.timeout is not None
        and step.latest < repair.timeout_step
        and (start < repair.timeout_to)
    ):
        return _after_timeout(streams, step, repair)
    duplicates = step.duplicates_kept
    if (
        at_edge
        and step.duplicates >= THRESHOLD
        and step.latest < duplicates[0]
        and (repair.recovery is None or step.latest < repair.recovery)
    ):
        return _fast(streams, step, repair)
    if repair.recovery is not None and step.latest < repair.recovery:
        if step.sacked_to > start:
            return _sack(streams, step, repair)
        if at_edge and step.acked_by is not None and step.acked_by > repair.recovery:
            return _claim(
                streams,
                step,
                "repeats.partial-ack",
                (repair.recovery, step.acked_by),
                rule="RFC 6582 section 3.2",
                recovery_frame=streams.number(repair.recovery),
                ack_frame=streams.number(step.acked_by),
            )
    if step.sacked_to > start:
        return _selective(streams, step, repair)
    return _timed(streams, step, repair)


def _claim(
    streams: Streams,
    step: Step,
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
    waited = streams.since_ns(step.latest, step.index)
    if waited is not None:
        told["waited_ns"] = waited
    told.update(figures)
    frames = streams.numbers(*step.firsts, step.latest, *others, step.index)
    who = streams.history.name(step.sent.sender)
    return Claim(kind, frames, known, told, rule, causes, who)


def _unneeded(streams: Streams, step: Step) -> Claim:
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


def _after_timeout(streams: Streams, step: Step, repair: _Repair) -> Claim:
    assert repair.timeout is not None
    return _claim(
        streams,
        step,
        "repeats.after-timeout",
        (repair.timeout_step,),
        repair.timeout.known,
        "RFC 5681 section 3.1" if repair.timeout.known is Known.FOLLOWS else "",
        repair.timeout.causes,
        timeout_frame=streams.number(repair.timeout_step),
    )


def _begin(step: Step, repair: _Repair) -> None:
    repair.recovery = step.index
    repair.recovery_to = step.highest


def _fast(streams: Streams, step: Step, repair: _Repair) -> Claim:
    duplicates = step.duplicates_kept
    with_sack = step.sacked_bytes > 0
    _begin(step, repair)
    if _is_long_since(streams, duplicates[-1], step):
        return _timer_or(streams, step, repair, "fast-retransmit")
    return _claim(
        streams,
        step,
        "repeats.sack-recovery" if with_sack else "repeats.fast-retransmit",
        duplicates[:THRESHOLD],
        rule="RFC 6675 section 5" if with_sack else "RFC 5681 section 3.2",
        duplicates=step.duplicates,
    )


def _sack(streams: Streams, step: Step, repair: _Repair) -> Claim:
    assert repair.recovery is not None
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


def _selective(streams: Streams, step: Step, repair: _Repair) -> Claim:
    """
    SACK names bytes beyond, but neither three duplicate ACKs nor a recovery under way explain it.
    """
    largest = streams.directions[step.sent.sender].largest
    others = () if step.window_by is None else (step.window_by,)
    is_first = repair.recovery is None and step.tries == 1
    if is_first and step.sacked_bytes > (THRESHOLD - 1) * largest:
        _begin(step, repair)
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


def _timer_or(streams: Streams, step: Step, repair: _Repair, other: str) -> Claim:
    """
    Claim a repeat that one more mechanism than a timer may have made.
    """
    assert step.latest is not None
    waited = streams.since_ns(step.latest, step.index)
    others = () if step.window_by is None else (step.window_by,)
    causes = (other, _TIMEOUT)
    if waited is None or waited < TIMEOUT_MIN_NS:
        causes = (other, _EARLY) if other == _RACK and step.tries == 1 else (other, _UNKNOWN)
    elif waited >= TIMEOUT_MIN_NS:
        _note_timeout(step, repair, None, waited)
    return _claim(
        streams,
        step,
        "repeats.after-duplicate-acks",
        (*others, *step.duplicates_kept),
        Known.POSSIBLE,
        causes=causes,
        duplicates=step.duplicates,
        sacked_bytes=step.sacked_bytes,
    )


def _timed(streams: Streams, step: Step, repair: _Repair) -> Claim:
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
            return _claim(
                streams,
                step,
                "repeats.timer",
                (),
                Known.POSSIBLE,
                causes=(_PROBE, _TIMEOUT),
            )
        return _claim(streams, step, "repeats.again", known=Known.SEEN)
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
    elif step.duplicates and not _is_long_since(streams, step.duplicates_kept[-1], step):
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


def _is_long_since(streams: Streams, index: int, step: Step) -> bool:
    """
    Tell whether a step is too long ago to have made its receiver act only now.
    """
    since = streams.since_ns(index, step.index)
    return since is not None and since > max(PROMPT_NS, 2 * (streams.round_trip_ns or 0))


def _note_timeout(step: Step, repair: _Repair, claim: Claim | None, waited: int) -> None:
    repair.timeout = claim
    repair.timeout_step = step.index
    repair.timeout_to = step.highest
    repair.recovery = None
    repair.waited_at, repair.waited_ns = step.sent.data_start, waited
