"""
Waiting: for a delayed ACK, for Nagle's algorithm, for the server, for the client, for the network.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from netlab.analysis.claims.claim import Claim, Figure, Known
from netlab.analysis.observations.streams import Streams, StreamStep
from netlab.analysis.transfer.order import numbers_count

DELAYED_MIN_NS: Final = 20_000_000
"""How much longer than the shortest answer an ACK must take to count as delayed."""

DELAYED_MAX_NS: Final = 500_000_000
"""Beyond this no ACK may be delayed (RFC 9293 section 3.8.6.3)."""

AT_ONCE_NS: Final = 1_000_000
"""How soon after an ACK a segment was held back by it."""

WAIT_MIN_NS: Final = 200_000_000
"""From how long on a wait for an end has a sentence of its own."""

SHARES_MIN_NS: Final = 200_000_000
"""A conversation in which less was waited has no account of it."""

UNSTEADY: Final = 10
"""A wait is distinguished from the path's delay where that varies by less than this part of it."""

NEAR_NS: Final = 2_000_000
"""Where a round trip to an end is as short as this, what passed there is seen."""

_TICKS: Final = 1 << 32
_MSS_DEFAULT: Final = 536
_LATE: Final = ("waited-there", "lost-before-this-point")
_FAR: Final = ("waited-there", "held-up-on-the-way")
_NAGLE: Final = ("nagle-and-delayed-ack", "application-pause")


def claims_of(streams: Streams) -> Iterator[Claim]:
    """
    Judge the spells between segments.
    """
    yield from _small_writes(streams)
    yield from _turns(streams)


def _small_writes(streams: Streams) -> Iterator[Claim]:
    waits: tuple[list[tuple[StreamStep, StreamStep, int]], ...] = ([], [])
    delayed: list[StreamStep | None] = [None, None]
    for step in streams.steps:
        if step.copy_of is not None:
            continue
        sender = step.sent.sender
        ack = delayed[sender]
        if ack is not None:
            delayed[sender] = None
            met = _meeting(streams, step, ack)
            if met is not None:
                first = streams.steps[ack.answers or 0]
                waits[sender].append((first, step, met))
                yield Claim(
                    "delays.nagle",
                    streams.numbers(first.index, ack.index, step.index),
                    Known.POSSIBLE,
                    {
                        "waited_ns": met,
                        "ack_frame": ack.sent.number,
                        "first_frame": first.sent.number,
                        "first_bytes": first.length,
                        "bytes": step.length,
                    },
                    "",
                    _NAGLE,
                    streams.history.name(sender),
                )
        if step.length or step.sent.flags & 7:
            # The other end spoke: what follows may answer it.
            delayed[1 - sender] = None
        else:
            shortest = _delay(streams, step)
            if shortest is not None and step.rtt_ns is not None and step.answers is not None:
                delayed[1 - sender] = step
                yield Claim(
                    "delays.delayed-ack",
                    streams.numbers(step.answers, step.index),
                    Known.POSSIBLE,
                    {"waited_ns": step.rtt_ns, "shortest_ns": shortest, "bytes": step.newly},
                    "",
                    ("delayed-ack", "slow-way"),
                    streams.history.name(sender),
                )
    for sender in (0, 1):
        if len(waits[sender]) > 1:
            yield _total(streams, sender, waits[sender])


def _total(streams: Streams, sender: int, waits: list[tuple[StreamStep, StreamStep, int]]) -> Claim:
    figures: dict[str, Figure] = {
        "times": len(waits),
        "waited_ns": sum(waited for _, _, waited in waits),
    }
    whole = streams.since_ns(0, len(streams.steps) - 1)
    if whole is not None:
        figures["whole_ns"] = whole
    return Claim(
        "delays.nagle-total",
        streams.numbers(waits[0][0].index, waits[-1][1].index),
        Known.POSSIBLE,
        figures,
        "",
        _NAGLE,
        streams.history.name(sender),
    )


def _delay(streams: Streams, step: StreamStep) -> int | None:
    """
    Tell whether an ACK without data took much longer than the shortest one.

    @return: how long the shortest took, or None.
    """
    if step.length or step.answers is None or step.rtt_ns is None or step.newly <= 0:
        return None
    answered = streams.steps[step.answers]
    if not answered.length or answered.sent.flags & 7 or step.sent.flags & 7:
        return None
    direction = streams.directions[answered.sent.sender]
    shortest = direction.rtt_min_ns
    if shortest is None or step.newly > direction.largest or step.duplicates:
        return None
    if not shortest + DELAYED_MIN_NS <= step.rtt_ns <= shortest + DELAYED_MAX_NS:
        return None
    return shortest if step.rtt_ns >= 2 * shortest else None


def _meeting(streams: Streams, step: StreamStep, ack: StreamStep) -> int | None:
    """
    Tell whether a small segment left as soon as a delayed ACK came.

    @return: how long it had been held back at most, or None.
    """
    if not step.fresh or step.repeated or ack.answers is None:
        return None
    first = streams.steps[ack.answers]
    if first.end != step.sent.data_start:
        return None
    # A full segment need not wait (RFC 9293 section 3.7.4).
    flows = streams.history.conversation.flows
    full = min((flow.mss for flow in flows if flow.mss), default=536)
    if first.length >= full or step.length >= full:
        return None
    after = streams.since_ns(ack.index, step.index)
    way = streams.directions[ack.sent.sender].rtt_min_ns or 0
    if after is None or after > AT_ONCE_NS + 2 * way:
        return None
    return streams.since_ns(first.index, step.index)


class _Shut:
    """
    How long the windows were 0.

    @ivar spent_ns: by the end whose window it was.
    """

    def __init__(self) -> None:
        self.spent_ns = [0, 0]
        self._since: list[int | None] = [None, None]

    def note(self, streams: Streams, step: StreamStep) -> None:
        """
        Take the next segment.
        """
        sent = step.sent
        if step.copy_of is not None or step.is_discarded or not sent.has_ack:
            return
        if sent.has_syn or sent.has_rst:
            return
        since = self._since[sent.sender]
        if sent.window == 0 and since is None:
            self._since[sent.sender] = step.index
        elif sent.window and since is not None:
            self.spent_ns[sent.sender] += streams.since_ns(since, step.index) or 0
            self._since[sent.sender] = None


def _turns(streams: Streams) -> Iterator[Claim]:
    """
    Judge the spells in which one end had sent all and the other had not begun.
    """
    client = streams.history.client
    counts = tuple(numbers_count(streams, sender) for sender in (0, 1))
    spent = {"server_ns": 0, "client_ns": 0, "network_ns": 0, "transfer_ns": 0}
    turns = 0
    last: StreamStep | None = None
    began: StreamStep | None = None
    is_repaired = False
    paused = 0
    shut = _Shut()
    for step in streams.steps:
        shut.note(streams, step)
        if step.copy_of is not None or step.is_beyond or not step.length:
            continue
        if not step.fresh or step.hole is not None or step.opens is not None:
            is_repaired = True
            continue
        if last is not None and began is not None and last.sent.sender != step.sent.sender:
            waited = streams.since_ns(last.index, step.index)
            way = _way_ns(streams, last.sent.sender)
            transfer = streams.since_ns(began.index, last.index)
            if waited is not None and way is not None and not is_repaired:
                turns += 1
                network = min(waited, way)
                share = "server_ns" if step.sent.sender != client else "client_ns"
                spent[share] += waited - network
                spent["network_ns"] += network
                closed = min(shut.spent_ns[step.sent.sender], max(0, (transfer or 0) - paused))
                spent["transfer_ns"] += max(0, (transfer or 0) - paused - closed)
                spent["client_ns" if step.sent.sender == client else "server_ns"] += closed
                spent["client_ns" if last.sent.sender == client else "server_ns"] += paused
                if waited - network >= WAIT_MIN_NS:
                    claim = _waited(streams, last, step, waited, network)
                    is_next = (
                        "ack_frame" in claim.figures
                        and counts[step.sent.sender]
                        and _follows_directly(streams, step)
                    )
                    spread = _spread_ns(streams, last.sent.sender)
                    if UNSTEADY * spread > waited - network:
                        yield _unsteady(claim, waited, spread)
                    elif is_next and network <= NEAR_NS:
                        yield claim
                    elif is_next:
                        # What one segment met on the way no other segment's time tells.
                        yield _doubted(claim, _FAR)
                    else:
                        # The ACK itself may have been late: at most all but the shortest way.
                        at_most = {"network_ns": network, "end_ns": waited - network}
                        yield _doubted(claim._replace(figures={**claim.figures, **at_most}))
            began = step
            is_repaired = False
            paused = 0
            shut.spent_ns = [0, 0]
        elif last is not None and not is_repaired:
            pause = _pause(streams, step)
            paused += pause
            if pause >= WAIT_MIN_NS:
                claim = _paused(streams, last, step, pause)
                is_next = counts[step.sent.sender] and _follows_directly(streams, step)
                yield claim if is_next else _doubted(claim)
        began = began or step
        last = step
    if turns and sum(spent.values()) >= SHARES_MIN_NS and streams.is_whole:
        figures: dict[str, Figure] = {"turns": turns, **spent}
        ways = [way for way in (_way_ns(streams, 0), _way_ns(streams, 1)) if way is not None]
        if len(ways) == 2:
            figures["round_trip_ns"] = sum(ways)
        frames = streams.numbers(0, len(streams.steps) - 1)
        yield Claim("delays.shares", frames, Known.SEEN, figures)


def _way_ns(streams: Streams, sender: int) -> int | None:
    """
    Give the shortest time from a segment to its ACK, as a measure of the way alone.

    @return: None where each ACK carried data: the program that wrote it may have taken all of the
        time, so nothing is known of the way.
    """
    direction = streams.directions[sender]
    return direction.rtt_min_ns if direction.has_bare_answer else None


def _spread_ns(streams: Streams, sender: int) -> int:
    """
    Tell by how much the times differ that an end's segments took there and their ACKs back.
    """
    direction = streams.directions[sender]
    return max(0, direction.rtt_max_ns - (direction.rtt_min_ns or 0))


def _unsteady(claim: Claim, waited: int, spread: int) -> Claim:
    """
    Take back how much passed at an end, where the way itself does not always take as long.
    """
    figures = {**claim.figures, "end_ns": waited, "spread_ns": spread}
    causes = ("waited-there", "slow-way", "lost-before-this-point")
    return claim._replace(known=Known.POSSIBLE, figures=figures, causes=causes)


def _pause(streams: Streams, step: StreamStep) -> int:
    """
    Tell how long a sender had nothing to send: all was acknowledged, and the window open.
    """
    if step.acked is None or step.acked < step.highest or step.window_by is None:
        return 0
    if step.is_window_probe or step.is_keep_alive:
        return 0
    flows = streams.history.conversation.flows
    if step.window < min((flow.mss for flow in flows if flow.mss), default=_MSS_DEFAULT):
        # With no room for a full segment it may wait for more (RFC 9293 section 3.8.6.2.1).
        return 0
    stamps = step.sent.options.timestamps
    acks = streams.steps[step.window_by].sent.options.timestamps
    if stamps is not None and acks is not None and 0 < (acks[0] - stamps[1]) % _TICKS < _TICKS // 2:
        # It echoes an earlier one: that ACK had not reached it (RFC 7323 section 4.3).
        return 0
    # Since the newest window: a smaller one before it may have held the sender back.
    since = streams.since_ns(step.window_by, step.index)
    way = streams.directions[1 - step.sent.sender].rtt_min_ns or 0
    return max(0, (since or 0) - way)


def _paused(streams: Streams, last: StreamStep, step: StreamStep, pause: int) -> Claim:
    assert step.window_by is not None
    figures: dict[str, Figure] = {"end_ns": pause, "ack_frame": streams.number(step.window_by)}
    frames = streams.numbers(last.index, step.window_by, step.index)
    who = streams.history.name(step.sent.sender)
    return Claim("delays.paused", frames, Known.SEEN, figures, "", (), who)


def _follows_directly(streams: Streams, step: StreamStep) -> bool:
    """
    Tell whether a packet is the next that its sender sent after the one captured before: then no
    copy of it was lost on the way to this point.
    """
    for before in reversed(streams.steps[max(0, step.index - 64) : step.index]):
        if before.sent.sender == step.sent.sender and before.copy_of is None:
            return (step.sent.ip_id - before.sent.ip_id) % (1 << 16) == 1
    return False


def _doubted(claim: Claim, causes: tuple[str, ...] = _LATE) -> Claim:
    return claim._replace(known=Known.POSSIBLE, causes=causes)


def _waited(
    streams: Streams, last: StreamStep, step: StreamStep, waited: int, network: int
) -> Claim:
    figures: dict[str, Figure] = {"waited_ns": waited, "asked_frame": last.sent.number}
    others: tuple[int, ...] = ()
    for between in streams.steps[last.index + 1 : min(step.index, last.index + 16)]:
        if between.answers == last.index and between.rtt_ns is not None:
            figures |= {"ack_frame": between.sent.number, "ack_ns": between.rtt_ns}
            others = (between.index,)
            # It had come by then: what is left did not pass on that way.
            network = max(network, between.rtt_ns)
            break
    figures |= {"network_ns": network, "end_ns": waited - network}
    who = streams.history.name(step.sent.sender)
    frames = streams.numbers(last.index, *others, step.index)
    kind = "delays.client" if who == "client" else "delays.server"
    return Claim(kind, frames, Known.SEEN, figures, "", (), who)
