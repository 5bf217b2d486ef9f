"""
FINs and SYNs that were sent again.
"""

from __future__ import annotations

from collections.abc import Iterator

from netlab.analysis.claims.claim import Claim, Figure, Known
from netlab.analysis.observations.streams import Streams
from netlab.analysis.transfer.repeats import TIMEOUT_MIN_NS


def claims_of(streams: Streams) -> Iterator[Claim]:
    """
    Judge FINs and SYNs whose very number was used for one before.
    """
    seen: dict[tuple[int, str, int], list[int]] = {}
    for step in streams.steps:
        sent = step.sent
        if step.copy_of is not None or sent.has_rst or step.is_beyond:
            continue
        for name, has, raw in (
            ("syn", sent.has_syn, sent.seq_raw),
            ("fin", sent.has_fin, (sent.seq_raw + sent.length + sent.has_syn) % (1 << 32)),
        ):
            if not has:
                continue
            before = seen.setdefault((sent.sender, name, raw), [])
            if before:
                figures: dict[str, Figure] = {
                    "first_frame": streams.number(before[0]),
                    "tries": before[2],
                }
                waited = streams.since_ns(before[1], step.index)
                if waited is not None:
                    figures["waited_ns"] = waited
                is_timed = waited is not None and waited >= TIMEOUT_MIN_NS
                yield Claim(
                    f"repeats.{name}",
                    streams.numbers(before[0], before[1], step.index),
                    Known.FOLLOWS if is_timed else Known.SEEN,
                    figures,
                    "RFC 6298 section 5" if is_timed else "",
                    (),
                    streams.history.name(sent.sender),
                )
                before[1] = step.index
                before[2] += 1
            else:
                before.extend((step.index, step.index, 1))
