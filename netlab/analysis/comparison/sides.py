"""
One exchange captured at two places: what was lost between them, and where the time went.

Clocks of two hosts disagree by more than a packet takes, so no time of one capture is compared with
a time of the other: only durations are. How long the client waited for an answer, less how long the
server took for it, is how long both ways took.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from netlab.analysis.observations.dialogue import Dialogue, Dialogues, Moment
from netlab.analysis.tcp.frames import Analysed

#: How many segments of a capture are kept for aligning; further ones are not aligned.
SEGMENTS_MAX: Final = 500_000

_HALF: Final = 1 << 31
_MASK: Final = (1 << 32) - 1


class Mark(NamedTuple):
    """
    What makes a segment the same at both places, whatever a translator of addresses does to it.

    @ivar from_client: who sent it.
    @ivar seq: its raw sequence number.
    @ivar ack: its raw acknowledgement number.
    @ivar length: its payload's length.
    @ivar flags: its flags.
    """

    from_client: bool
    seq: int
    ack: int
    length: int
    flags: int


class Sighting(NamedTuple):
    """
    A segment at one place.

    @ivar mark: what it is.
    @ivar at: its frame there.
    """

    mark: Mark
    at: Moment


class Sightings:
    """
    A capture read for comparing.

    @ivar dialogues: its conversations.
    @ivar seen: the segments of each conversation, in order, by its number.
    @ivar left_out: how many segments are not among them.
    """

    def __init__(self) -> None:
        self.dialogues = Dialogues()
        self.seen: dict[int, list[Sighting]] = {}
        self.left_out = 0
        self._kept = 0

    def receive(self, analysed: Analysed) -> None:
        """
        Take the capture's next segment.
        """
        if analysed.segment.is_quoted:
            return
        self.dialogues.receive(analysed)
        dialogue = self.dialogues.all.get(analysed.conversation.stream)
        if dialogue is None or self._kept >= SEGMENTS_MAX:
            self.left_out += 1
            return
        self._kept += 1
        segment = analysed.segment
        mark = Mark(
            analysed.flow is dialogue.client,
            segment.seq,
            segment.ack,
            segment.length,
            segment.flags,
        )
        sighting = Sighting(mark, Moment(analysed.number, analysed.time_ns))
        self.seen.setdefault(analysed.conversation.stream, []).append(sighting)


@dataclass(frozen=True, slots=True)
class Wait:
    """
    A time that the client waited, and its parts.

    @ivar what: for what.
    @ivar client: the frames at the client, from what it sent to what it got.
    @ivar server: the frames at the server.
    """

    what: str
    client: tuple[Moment, Moment]
    server: tuple[Moment, Moment]

    @property
    def total_ns(self) -> int:
        """
        How long the client waited.
        """
        return self.client[1].time_ns - self.client[0].time_ns

    @property
    def server_ns(self) -> int:
        """
        How much of it passed at the server.
        """
        return self.server[1].time_ns - self.server[0].time_ns

    @property
    def way_ns(self) -> int:
        """
        How much of it passed on the way, both directions together.
        """
        return self.total_ns - self.server_ns


@dataclass(frozen=True, slots=True)
class Pause:
    """
    A time that the server waited for the client.

    @ivar client: at the client, from the end of an answer to its next words.
    """

    client: tuple[Moment, Moment]

    @property
    def client_ns(self) -> int:
        """
        How long the client took.
        """
        return self.client[1].time_ns - self.client[0].time_ns


@dataclass(frozen=True, slots=True)
class SameConversation:
    """
    A conversation that both captures hold.

    @ivar at_client: as the client's side shows it.
    @ivar at_server: as the server's side shows it.
    @ivar is_swapped: whether the second capture is the client's side.
    @ivar is_one_place: whether both captures seem to be of one place, so that no time passed
        between them.
    @ivar waits: the handshake and each answer.
    @ivar pauses: between an answer and the next message.
    @ivar common: how many segments both captures have.
    @ivar lost_to_server: segments of the client that the server's side never saw.
    @ivar lost_to_client: segments of the server that the client's side never saw.
    """

    at_client: Dialogue
    at_server: Dialogue
    is_swapped: bool
    is_one_place: bool
    waits: tuple[Wait, ...]
    pauses: tuple[Pause, ...]
    common: int
    lost_to_server: tuple[Sighting, ...]
    lost_to_client: tuple[Sighting, ...]


def pair(first: Sightings, second: Sightings) -> list[tuple[Dialogue, Dialogue]]:
    """
    Find the conversations that both captures hold: those with the same initial sequence numbers,
    which are 64 random bits; without a handshake, with a segment of the same numbers.

    @return: pairs, in the order of the first capture.
    """
    known: dict[tuple[int | None, int | None], Dialogue] = {}
    for dialogue in second.dialogues.all.values():
        known.setdefault(_openings(dialogue), dialogue)
    pairs = []
    taken = set()
    for dialogue in first.dialogues.all.values():
        opening = _openings(dialogue)
        other = known.get(opening)
        if None not in opening and other is not None:
            pairs.append((dialogue, other))
            taken.add(dialogue.conversation.stream)
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
    others = {other.conversation.stream for _, other in pairs}
    for (stream, match), _ in votes.most_common():
        if stream not in taken and match not in others:
            pairs.append((first.dialogues.all[stream], second.dialogues.all[match]))
            taken.add(stream)
            others.add(match)
    return sorted(pairs, key=lambda both: both[0].conversation.first_frame)


def _openings(dialogue: Dialogue) -> tuple[int | None, int | None]:
    return dialogue.client.iss, dialogue.server.iss


def compare_sides(
    first: Sightings, second: Sightings, both: tuple[Dialogue, Dialogue]
) -> SameConversation:
    """
    Compare a conversation in two captures.

    @param first: a capture.
    @param second: another capture.
    @param both: the conversation in each, from L{pair}.
    """
    gaps = [_answer_gap(dialogue) for dialogue in both]
    # Nearer to the client one waits longer for the server.
    is_swapped = gaps[1] > gaps[0]
    captures = (second, first) if is_swapped else (first, second)
    at_client, at_server = (both[1], both[0]) if is_swapped else both
    up_client, up_server, down_client, down_server = (
        [
            sighting
            for sighting in capture.seen.get(dialogue.conversation.stream, ())
            if sighting.mark.from_client == from_client
        ]
        for from_client in (True, False)
        for capture, dialogue in zip(captures, (at_client, at_server), strict=True)
    )
    lost_up = tuple(_missing(up_client, up_server))
    lost_down = tuple(_missing(down_server, down_client))
    common = len(up_client) - len(lost_up) + len(down_server) - len(lost_down)
    return SameConversation(
        at_client,
        at_server,
        is_swapped,
        gaps[0] == gaps[1],
        tuple(_waits(at_client, at_server)),
        tuple(_pauses(at_client)),
        common,
        lost_up,
        lost_down,
    )


def _answer_gap(dialogue: Dialogue) -> int:
    """
    Sum up how long the client waited, as far as this capture shows.
    """
    gap = 0
    if dialogue.syn is not None and dialogue.syn_ack is not None:
        gap += dialogue.syn_ack.time_ns - dialogue.syn.time_ns
    turns = dialogue.turns
    for message, answer in itertools.pairwise(turns):
        if message.from_client:
            gap += answer.first.time_ns - message.last.time_ns
    return gap


def _missing(here: Sequence[Sighting], there: Sequence[Sighting]) -> Iterator[Sighting]:
    """
    List what was sent here and did not arrive there; of equal segments, the first ones.

    A network card may cut a segment into several, and join several into one: data whose every byte
    arrived is not missing.
    """
    arrived = Counter(sighting.mark for sighting in there)
    sent: dict[Mark, list[Sighting]] = {}
    for sighting in here:
        sent.setdefault(sighting.mark, []).append(sighting)
    base = there[0].mark.seq if there else 0
    covered = _covered(there, base)
    lost: list[Sighting] = []
    for mark, sightings in sent.items():
        if mark.length and not arrived[mark] and _is_covered(mark, covered, base):
            continue
        lost.extend(sightings[: max(0, len(sightings) - arrived[mark])])
    return iter(sorted(lost, key=lambda sighting: sighting.at))


def _covered(there: Sequence[Sighting], base: int) -> list[tuple[int, int]]:
    """
    Join what data took to intervals, ascending, counted from a sequence number.
    """
    intervals: list[tuple[int, int]] = []
    for begin, end in sorted(
        (_place(sighting.mark.seq, base), _place(sighting.mark.seq, base) + sighting.mark.length)
        for sighting in there
        if sighting.mark.length
    ):
        if intervals and begin <= intervals[-1][1]:
            intervals[-1] = (intervals[-1][0], max(end, intervals[-1][1]))
        else:
            intervals.append((begin, end))
    return intervals


def _is_covered(mark: Mark, intervals: Sequence[tuple[int, int]], base: int) -> bool:
    begin = _place(mark.seq, base)
    at = bisect_right(intervals, (begin, 1 << 33)) - 1
    return at >= 0 and begin + mark.length <= intervals[at][1]


def _place(seq: int, base: int) -> int:
    """
    Count from a base to a sequence number, backwards where that is nearer.
    """
    return ((seq - base + _HALF) & _MASK) - _HALF


def _waits(at_client: Dialogue, at_server: Dialogue) -> Iterator[Wait]:
    steps = (at_client.syn, at_client.syn_ack, at_server.syn, at_server.syn_ack)
    if None not in steps:
        syn, syn_ack, syn_there, syn_ack_there = (step for step in steps if step is not None)
        yield Wait("the handshake", (syn, syn_ack), (syn_there, syn_ack_there))
    turns, theirs = at_client.turns, at_server.turns
    if [(t.from_client, t.length) for t in turns] != [(t.from_client, t.length) for t in theirs]:
        return
    for at in range(len(turns) - 1):
        if turns[at].from_client:
            yield Wait(
                f"the answer to {turns[at].length} bytes",
                (turns[at].last, turns[at + 1].first),
                (theirs[at].last, theirs[at + 1].first),
            )


def _pauses(at_client: Dialogue) -> Iterator[Pause]:
    turns = at_client.turns
    for answer, message in itertools.pairwise(turns):
        if not answer.from_client:
            yield Pause((answer.last, message.first))


def totals(conversations: Iterable[SameConversation]) -> tuple[int, int, int]:
    """
    Sum up where the time went.

    @return: nanoseconds that passed at the server, on the way, and at the client.
    """
    server = way = client = 0
    for one in conversations:
        server += sum(wait.server_ns for wait in one.waits)
        way += sum(wait.way_ns for wait in one.waits)
        client += sum(pause.client_ns for pause in one.pauses)
    return server, way, client
