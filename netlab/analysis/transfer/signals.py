"""
FINs and SYNs that were sent again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from netlab.analysis.claims.claim import Claim, Figure, Known
from netlab.analysis.observations.course import COPY_MAX_NS
from netlab.analysis.observations.streams import Streams, StreamStep
from netlab.analysis.transfer.repeats import TIMEOUT_MIN_NS

_KINDS: Final = {"syn": "repeats.syn", "syn-ack": "repeats.syn-ack", "fin": "repeats.fin"}

_FIN_URG: Final = 0x21


def claims_of(streams: Streams) -> Iterator[Claim]:
    """
    Judge FINs and SYNs whose very number was used for one before.
    """
    seen: dict[tuple[int, str, int, int], list[int]] = {}
    asked = [-1, -1]
    for step in streams.steps:
        sent = step.sent
        if step.copy_of is not None or sent.has_rst or step.is_beyond:
            continue
        for name, has, raw in (
            ("syn-ack" if sent.has_ack else "syn", sent.has_syn, sent.seq_raw),
            ("fin", sent.has_fin, (sent.seq_raw + sent.length + sent.has_syn) % (1 << 32)),
        ):
            if not has:
                continue
            # A SYN with FIN or URG is none that a TCP sends again.
            odd = 0 if name == "fin" else sent.flags & _FIN_URG
            before = seen.setdefault((sent.sender, name, raw, odd), [])
            if before and not _may_be_a_copy(streams, step, before[1], asked[1 - sent.sender]):
                yield _again(streams, step, name, before, asked[1 - sent.sender])
                before[1] = step.index
                before[2] += 1
            elif not before:
                before.extend((step.index, step.index, 1))
        if sent.has_syn:
            asked[sent.sender] = step.index


def _may_be_a_copy(streams: Streams, step: StreamStep, latest: int, asked: int) -> bool:
    """
    Tell whether a SYN or a FIN comes as soon after another as no timer sends it, and carries no
    identification by which a copy of it would be known.
    """
    waited = streams.since_ns(latest, step.index)
    is_soon = waited is not None and waited < COPY_MAX_NS
    return is_soon and not step.sent.ip_id and asked < latest


def _again(streams: Streams, step: StreamStep, name: str, before: list[int], asked: int) -> Claim:
    """
    Claim that a SYN or a FIN was sent again.

    @param before: where it was first, where last, and how often.
    @param asked: the peer's last SYN.
    """
    first, latest, tries = before
    sent = step.sent
    figures: dict[str, Figure] = {"first_frame": streams.number(first), "tries": tries}
    waited = streams.since_ns(latest, step.index)
    if waited is not None:
        figures["waited_ns"] = waited
    who = streams.history.name(sent.sender)
    frames = streams.numbers(first, latest, step.index)
    if name == "syn-ack" and asked > latest:
        figures["asked_frame"] = streams.number(asked)
        frames = streams.numbers(first, latest, asked, step.index)
        return Claim("repeats.syn-ack", frames, Known.SEEN, figures, "", (), who)
    if name == "fin" and step.acked is not None and step.acked >= sent.end:
        assert step.acked_by is not None
        figures["ack_frame"] = streams.number(step.acked_by)
        frames = streams.numbers(first, latest, step.acked_by, step.index)
        return Claim("repeats.fin", frames, Known.SEEN, figures, "", (), who)
    is_timed = waited is not None and waited >= TIMEOUT_MIN_NS
    if name == "fin" and (step.duplicates or step.sacked_bytes or not streams.has_both):
        is_timed = False
    if name == "syn-ack" and not streams.has_both:
        # It may answer a SYN that was sent again, which is not here.
        is_timed = False
    known, rule = (Known.FOLLOWS, "RFC 6298 section 5") if is_timed else (Known.SEEN, "")
    return Claim(_KINDS[name], frames, known, figures, rule, (), who)
