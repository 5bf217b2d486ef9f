"""
Which conversations of two captures are one, captured at two places.
"""

from __future__ import annotations

from collections import Counter

from netlab.analysis.comparison.sightings import Sighting, SightingMark, Sightings
from netlab.analysis.observations.dialogue import Dialogue
from netlab.analysis.tcp.conversation import Flow


def pair(first: Sightings, second: Sightings) -> list[tuple[Dialogue, Dialogue]]:
    """
    Find the conversations that both captures hold: those with the same initial sequence numbers,
    which are 64 random bits where hosts choose them well; without a handshake, with a segment of
    the same numbers. Nothing else of them may contradict it.

    @return: pairs, in the order of the first capture.
    """
    known: dict[tuple[int | None, int | None], list[Dialogue]] = {}
    for dialogue in second.dialogues.all.values():
        known.setdefault(_openings(dialogue), []).append(dialogue)
    pairs = []
    taken: set[int] = set()
    others: set[int] = set()

    def take(stream: int, match: int) -> bool:
        one, other = first.dialogues.all[stream], second.dialogues.all[match]
        if stream in taken or match in others or not _may_be_one(first, second, one, other):
            return False
        pairs.append((one, other))
        taken.add(stream)
        others.add(match)
        return True

    for dialogue in first.dialogues.all.values():
        opening = _openings(dialogue)
        if None in opening:
            continue
        for other in known.get(opening, ()):
            if take(dialogue.conversation.stream, other.conversation.stream):
                break
    marks = {
        sighting.mark: stream
        for stream, sightings in second.seen.items()
        for sighting in sightings
        if sighting.mark.length
    }
    votes = Counter(
        (stream, marks[sighting.mark])
        for stream, sightings in first.seen.items()
        if stream not in taken
        for sighting in sightings
        if sighting.mark in marks
    )
    for (stream, match), _ in votes.most_common():
        take(stream, match)
    return sorted(pairs, key=lambda both: both[0].conversation.first_frame)


def _openings(dialogue: Dialogue) -> tuple[int | None, int | None]:
    return dialogue.client.iss, dialogue.server.iss


def _may_be_one(first: Sightings, second: Sightings, one: Dialogue, other: Dialogue) -> bool:
    """
    Tell whether nothing contradicts that two conversations are one.

    A translator changes the client's port or the server's, not both; no device on the way changes
    where a stream ends, or what most of its segments carry.
    """
    flows = ((one.client, other.client), (one.server, other.server))
    if all(mine.port != theirs.port for mine, theirs in flows):
        return False
    ends = (_openings(one), _openings(other))
    if None not in ends[0] + ends[1] and ends[0] != ends[1]:
        return False
    if any(_ends_elsewhere(mine, theirs) for mine, theirs in flows):
        return False
    mine, theirs = (
        _contents(capture.seen.get(dialogue.conversation.stream, []))
        for capture, dialogue in ((first, one), (second, other))
    )
    common = mine.keys() & theirs.keys()
    same = sum(mine[mark] == theirs[mark] for mark in common)
    return 2 * same >= len(common)


def _ends_elsewhere(one: Flow, other: Flow) -> bool:
    return one.fin is not None and other.fin is not None and one.fin != other.fin


def _contents(sightings: list[Sighting]) -> dict[SightingMark, int]:
    """
    Give the digests of those payloads that were captured.
    """
    return {each.mark: each.digest for each in sightings if each.digest is not None}
