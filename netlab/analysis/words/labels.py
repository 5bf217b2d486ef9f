"""
The few words that mark a frame, by what is claimed of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from netlab.analysis.claims.claim import Claim

LABELS: Final[Mapping[str, str]] = {
    "repeats.timeout": "retransmission",
    "repeats.timer": "retransmission",
    "repeats.after-timeout": "retransmission",
    "repeats.fast-retransmit": "fast retransmission",
    "repeats.sack-recovery": "retransmission",
    "repeats.partial-ack": "retransmission",
    "repeats.after-duplicate-acks": "retransmission",
    "repeats.again": "retransmission",
    "repeats.acknowledged-before": "spurious retransmission",
    "repeats.first-copy-lost-before": "retransmission",
    "repeats.first-copy-not-seen": "out of order",
    "repeats.syn": "retransmission",
    "repeats.syn-ack": "retransmission",
    "repeats.fin": "retransmission",
    "repeats.other-bytes": "other bytes",
    "repeats.damaged": "damaged",
    "repeats.spurious-by-sack": "D-SACK",
    "repeats.received-twice": "D-SACK",
    "reordering.overtaken": "out of order",
    "reordering.late": "out of order",
    "reordering.late-original": "out of order",
    "gaps.opened": "previous segment not captured",
    "gaps.not-captured": "acknowledges what was not captured",
    "gaps.seen-after-its-ack": "out of order",
    "copies.copy": "copy",
    "copies.single": "copy",
    "acks.never-sent": "impossible ACK",
    "acks.duplicate": "duplicate ACK",
    "acks.duplicate-for-hole": "duplicate ACK",
    "windows.closed": "zero window",
    "windows.probe": "window probe",
    "windows.probe-answered": "answer to a window probe",
    "windows.reopened": "window update",
    "windows.raised": "window update",
    "windows.full": "window full",
    "windows.beyond": "outside the window",
    "keepalives.probe": "keep-alive",
    "keepalives.answer": "answer to a keep-alive",
}
"""For each kind that marks its frame the mark: Wireshark's word where it has one."""


def labels_of(claims: Iterable[Claim]) -> tuple[str, ...]:
    """
    Mark a frame.

    @param claims: those whose effect it is.
    @return: each mark once.
    """
    found = (LABELS[claim.kind] for claim in claims if claim.kind in LABELS)
    return tuple(dict.fromkeys(found))
