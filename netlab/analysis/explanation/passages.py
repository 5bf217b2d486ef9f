"""
From claims to the passages of a story: which claims stand together, where, and how many.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from netlab.analysis.claims.claim import Claim, Figure
from netlab.analysis.claims.viewpoint import INFERRED_PLACES
from netlab.analysis.explanation.equations import equations_of
from netlab.analysis.explanation.story import Passage, PassageKind
from netlab.analysis.observations.history import History
from netlab.analysis.words.sentences import FRAME_ONLY, sentence
from netlab.analysis.words.units import count

PASSAGES_OF_A_KIND_MAX: Final = 20
"""How many claims of one kind are written out per conversation; further ones are counted."""

EXCHANGES_TOLD_MAX: Final = 100
"""How many HTTP exchanges of a conversation are described one by one."""

_KINDS: Final = {
    "opening": PassageKind.OPENING,
    "http": PassageKind.EXCHANGE,
    "tls": PassageKind.EXCHANGE,
    "closes": PassageKind.CLOSE,
    "resets": PassageKind.CLOSE,
    "reasons": PassageKind.WHY,
    "delays": PassageKind.IDLE,
    "keepalives": PassageKind.IDLE,
    "dns": PassageKind.WHY,
}
"""What kind of passage each topic makes; any other is something unusual."""

_JOINED: Final = frozenset({PassageKind.OPENING, PassageKind.CLOSE, PassageKind.WHY})
"""What makes one passage each."""


def passages_of(claims: Sequence[Claim], history: History, start_ns: int = 0) -> Iterator[Passage]:
    """
    Tell a conversation's claims.

    @param claims: In the order in which those of a topic are to be told.
    @param history: What they are about.
    @param start_ns: The capture's first time, which the times in equations are relative to.
    """
    sent = {each.number: each for each in history.segments}
    harmless = _harmless(claims)
    joined: dict[PassageKind, list[tuple[Claim, str]]] = {}
    exchanges: dict[Figure, list[tuple[Claim, str]]] = {}
    alone = []
    for claim, text in _bounded(claims):
        kind = _kind(claim)
        if kind is PassageKind.CLOSE and _reset_frame(claim) in harmless:
            kind = PassageKind.UNUSUAL
        if claim.topic == "http":
            exchanges.setdefault(claim.figures["number"], []).append((claim, text))
        elif kind in _JOINED:
            joined.setdefault(kind, []).append((claim, text))
        else:
            alone.append((kind, [(claim, text)]))
    told_exchanges = [(PassageKind.EXCHANGE, each) for each in exchanges.values()]
    for kind, told in (*joined.items(), *told_exchanges, *alone):
        frames = tuple(sorted({frame for claim, _ in told for frame in claim.frames}))
        # What is said of the end begins with the effect, not with what may have caused it.
        effects = [claim.frames[-1] for claim, _ in told] if kind is PassageKind.CLOSE else frames
        found = [sent[frame].time_ns for frame in effects if frame in sent]
        found = found or [history.segments[0].time_ns]
        sentence_ = " ".join(text for _, text in told)
        yield Passage(
            kind,
            frames,
            min(found),
            max(found),
            sentence_,
            tuple(
                finding
                for claim, _ in told
                if all(frame in sent for frame in claim.frames)
                for finding in equations_of(claim, sent, start_ns)
            ),
            claims=tuple(claim for claim, _ in told),
        )


def _harmless(claims: Iterable[Claim]) -> set[int]:
    """
    Give the frames with a RST that did not end the connection.
    """
    return {
        _reset_frame(claim)
        for claim in claims
        if claim.kind in ("resets.outside-window", "resets.goes-on")
    }


def _reset_frame(claim: Claim) -> int:
    """
    Give the frame with the RST that a claim is about; 0 if it is about none.
    """
    if claim.topic != "resets":
        return 0
    return claim.frames[0] if claim.kind == "resets.goes-on" else claim.frames[-1]


def capture_passages(claims: Sequence[Claim], span: tuple[int, int]) -> Iterator[Passage]:
    """
    Tell what is claimed of a capture.

    @param claims: In the order in which they are to be told.
    @param span: When the capture begins and ends, in nanoseconds since 1970.
    """
    for claim, text in _bounded(claims):
        yield Passage(_kind(claim), claim.frames, *span, text, claims=(claim,))


def _kind(claim: Claim) -> PassageKind:
    if claim.kind in INFERRED_PLACES or claim.kind == "capture.checksums-offloaded":
        return PassageKind.VIEW
    return _KINDS.get(claim.topic, PassageKind.UNUSUAL)


def _bounded(claims: Iterable[Claim]) -> Iterator[tuple[Claim, str]]:
    """
    Give the claims that are written out, with their sentences. The last of those of a kind says
    how many more there are.
    """
    groups: dict[str, list[Claim]] = {}
    for claim in claims:
        if claim.kind not in FRAME_ONLY:
            groups.setdefault(claim.kind, []).append(claim)
    for group in groups.values():
        most = EXCHANGES_TOLD_MAX if group[0].topic == "http" else PASSAGES_OF_A_KIND_MAX
        for claim in group[:most]:
            yield claim, sentence(claim)
        rest = len(group) - most if group[0].topic != "http" else 0
        if rest > 0:
            told = f"{count(rest, 'more case')} of the same, up to #{group[-1].frames[-1]}."
            yield group[-1], told
