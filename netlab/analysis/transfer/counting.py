"""
How many bytes each stream had, each counted once, and how many repeats there were of each kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from netlab.analysis.claims.claim import Claim, Figure, Known
from netlab.analysis.observations.streams import Streams


def claims_of(streams: Streams, made: Iterable[Claim]) -> Iterator[Claim]:
    """
    Count.

    @param made: what the other judges have claimed of this conversation.
    """
    if not streams.is_whole or not streams.steps:
        return
    found = list(made)
    for sender in (streams.history.client, 1 - streams.history.client):
        who = streams.history.name(sender)
        own = [claim for claim in found if claim.who == who]
        direction = streams.directions[sender]
        missing = sum(
            figure
            for claim in own
            if claim.kind in {"gaps.not-captured", "gaps.never-filled"}
            and isinstance(figure := claim.figures["bytes"], int)
            # A last number that was acknowledged and not captured is a FIN's as likely as a byte's.
            and not (figure == 1 and claim.figures["last"] == direction.highest - 1)
        )
        if direction.covered.total or missing:
            figures: dict[str, Figure] = {
                "bytes": direction.covered.total + missing,
                "again_bytes": direction.sent_bytes - direction.covered.total,
                "missing_bytes": missing,
            }
            frames = streams.numbers(0, len(streams.steps) - 1)
            yield Claim("bytes.stream", frames, Known.SEEN, figures, "", (), who)
        counts: dict[str, int] = {}
        cited: list[int] = []
        for claim in own:
            if claim.kind.startswith(("repeats.", "reordering.")) and claim.kind not in _ACKS:
                name = claim.kind.partition(".")[2].replace("-", "_")
                counts[name] = counts.get(name, 0) + 1
                cited.append(claim.frames[-1])
        if counts:
            ends = tuple(sorted({min(cited), max(cited)}))
            yield Claim("repeats.counts", ends, Known.SEEN, dict(counts), "", (), who)


_ACKS = frozenset(
    {"repeats.spurious-by-sack", "repeats.spurious-by-timestamp", "repeats.received-twice"}
)
