"""
One exchange captured at two places: what was lost between them, and where the time went.

Clocks of two hosts disagree by more than a packet takes, so no time of one capture is compared with
a time of the other: only durations are. How long the client waited for an answer, less how long the
server took for it, is how long both ways took.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from netlab.analysis.comparison.losses import Absent, absent_of
from netlab.analysis.comparison.shares import Shut, WaitShares, shares_of, shut_windows
from netlab.analysis.comparison.sightings import Sighting, Sightings
from netlab.analysis.observations.dialogue import Dialogue, Moment
from netlab.capture.segments import Flag

_FAR_MIN_NS: Final = 5_000_000
"""A host answers a SYN, and the answer to its own, in less: beyond it there is a way."""

_DRIP_MIN_NS: Final = 200_000_000
"""A message that takes longer than this to send is reported with its pieces."""

_CARRIAGE_MIN_NS: Final = 50_000_000
"""From how long on it is said how long a message took to be carried."""

_DRIP_MAX_BYTES: Final = 500
"""Of pieces that are larger on average, the network or the other end may set the pace."""

_SYN: Final = int(Flag.SYN)
_ACK: Final = int(Flag.ACK)
_SYN_ACK: Final = _SYN | _ACK


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
class SilentPause:
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
class Drip:
    """
    A message that an end sent in pieces, over longer than a moment.

    @ivar from_client: who sent it.
    @ivar length: how many bytes.
    @ivar pieces: in how many segments.
    @ivar begin: its first segment, where it was sent.
    @ivar end: its last.
    """

    from_client: bool
    length: int
    pieces: int
    begin: Moment
    end: Moment


@dataclass(frozen=True, slots=True)
class Carriage:
    """
    How long one message took from its first byte to its last, where it was sent and where it came.

    @ivar from_client: who sent it.
    @ivar length: how many bytes.
    @ivar client: its first and last segment at the client's place.
    @ivar server: the same at the server's.
    """

    from_client: bool
    length: int
    client: tuple[Moment, Moment]
    server: tuple[Moment, Moment]

    @property
    def client_ns(self) -> int:
        """How long it took at the client's place."""
        return max(self.client[1].time_ns - self.client[0].time_ns, 0)

    @property
    def server_ns(self) -> int:
        """How long it took at the server's place."""
        return max(self.server[1].time_ns - self.server[0].time_ns, 0)


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
    @ivar shares: all of its time, dealt out.
    @ivar ahead_ns: how long after the server's SYN the client's place saw the client's ACK, where
        that is too long for the client's own host: the place is not at the client; else 0.
    @ivar behind_ns: the same of the client's SYN, its answer and the server's place.
    @ivar shut: spells in which an end's window was 0, at that end's place.
    @ivar drips: messages that an end sent in pieces with time between.
    @ivar carriages: messages that took long from their first byte to their last.
    @ivar common: how many segments both captures have.
    @ivar to_server: segments of the client that the server's side did not capture.
    @ivar to_client: segments of the server that the client's side did not capture.
    @ivar at_both: segments that the end's own side did not capture, though the other did: the
        client's, then the server's.
    """

    at_client: Dialogue
    at_server: Dialogue
    is_swapped: bool
    is_one_place: bool
    waits: tuple[Wait, ...]
    pauses: tuple[SilentPause, ...]
    shares: WaitShares
    ahead_ns: int
    behind_ns: int
    shut: tuple[Shut, ...]
    drips: tuple[Drip, ...]
    carriages: tuple[Carriage, ...]
    common: int
    to_server: Absent
    to_client: Absent
    at_both: tuple[tuple[Sighting, ...], tuple[Sighting, ...]] = ((), ())


def compare_sides(
    first: Sightings, second: Sightings, both: tuple[Dialogue, Dialogue]
) -> SameConversation:
    """
    Compare a conversation in two captures.

    @param first: a capture.
    @param second: another capture.
    @param both: the conversation in each, from L{netlab.analysis.comparison.pairing.pair}.
    """
    gaps = [_answer_gap(dialogue) for dialogue in both]
    # Nearer to the client one waits longer for the server.
    is_swapped = gaps[1] > gaps[0]
    captures = (second, first) if is_swapped else (first, second)
    at_client, at_server = (both[1], both[0]) if is_swapped else both
    near, far = (
        capture.seen.get(dialogue.conversation.stream, [])
        for capture, dialogue in zip(captures, (at_client, at_server), strict=True)
    )
    up_near, down_near = _by_sender(near)
    up_far, down_far = _by_sender(far)
    to_server = absent_of(up_near, up_far, down_near, down_far)
    to_client = absent_of(down_far, down_near, up_far, up_near)
    unseen = (
        sum(map(len, to_server)),
        sum(map(len, to_client)),
    )
    is_one_place = gaps[0] == gaps[1]
    ahead_ns, behind_ns = _halves(near)[1], _halves(far)[0]
    return SameConversation(
        at_client,
        at_server,
        is_swapped,
        is_one_place,
        tuple(_waits(at_client, at_server)),
        tuple(_pauses(at_client)),
        shares_of(near, far, ahead_ns=ahead_ns, behind_ns=behind_ns),
        ahead_ns,
        behind_ns,
        (*shut_windows(near, from_client=True), *shut_windows(far, from_client=False)),
        (
            *_drips(at_client, up_near, from_client=True),
            *_drips(at_server, down_far, from_client=False),
        ),
        tuple(_carriages(at_client, at_server)),
        len(up_near) - unseen[0] + len(down_far) - unseen[1],
        to_server,
        to_client,
        (
            absent_of(up_far, up_near, down_far, down_near).uncaptured,
            absent_of(down_near, down_far, up_near, up_far).uncaptured,
        ),
    )


def _by_sender(sightings: Sequence[Sighting]) -> tuple[list[Sighting], list[Sighting]]:
    """
    Part the client's segments from the server's.
    """
    up: list[Sighting] = []
    down: list[Sighting] = []
    for sighting in sightings:
        (up if sighting.mark.from_client else down).append(sighting)
    return up, down


def _halves(sightings: Sequence[Sighting]) -> tuple[int, int]:
    """
    Tell how long the halves of a handshake took at a place: until the SYN was answered, and until
    that was. 0 is short enough for a host's own answer, or not known: a SYN that was sent again has
    no answer of its own.
    """
    if len(sightings) < 3:
        return 0, 0
    syn, answer, opened = sightings[:3]
    steps = [(each.mark.from_client, each.mark.flags & _SYN_ACK) for each in (syn, answer, opened)]
    if steps != [(True, _SYN), (False, _SYN_ACK), (True, _ACK)]:
        return 0, 0
    first, second = answer.at.time_ns - syn.at.time_ns, opened.at.time_ns - answer.at.time_ns
    return (
        first if first >= _FAR_MIN_NS else 0,
        second if second >= _FAR_MIN_NS else 0,
    )


def _drips(dialogue: Dialogue, sent: Sequence[Sighting], *, from_client: bool) -> Iterator[Drip]:
    """
    List an end's messages that took long to send, with the pieces that they came in.

    @param sent: that end's segments.
    """
    frames = [sighting.at.frame for sighting in sent if sighting.mark.length]
    for turn in dialogue.turns:
        if turn.from_client != from_client:
            continue
        first, last = turn.first, turn.last
        pieces = bisect_right(frames, last.frame) - bisect_left(frames, first.frame)
        is_small = turn.length <= pieces * _DRIP_MAX_BYTES
        if pieces > 1 and is_small and last.time_ns - first.time_ns >= _DRIP_MIN_NS:
            yield Drip(from_client, turn.length, pieces, first, last)


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


def _carriages(at_client: Dialogue, at_server: Dialogue) -> Iterator[Carriage]:
    turns, theirs = at_client.turns, at_server.turns
    if [(t.from_client, t.length) for t in turns] != [(t.from_client, t.length) for t in theirs]:
        return
    for ours, other in zip(turns, theirs, strict=True):
        found = Carriage(
            ours.from_client, ours.length, (ours.first, ours.last), (other.first, other.last)
        )
        if max(found.client_ns, found.server_ns) >= _CARRIAGE_MIN_NS:
            yield found


def _pauses(at_client: Dialogue) -> Iterator[SilentPause]:
    turns = at_client.turns
    for answer, message in itertools.pairwise(turns):
        if not answer.from_client:
            yield SilentPause((answer.last, message.first))


def totals(conversations: Iterable[SameConversation]) -> WaitShares:
    """
    Sum up where the time went.
    """
    total = WaitShares()
    for one in conversations:
        total = total.plus(one.shares)
    return total
