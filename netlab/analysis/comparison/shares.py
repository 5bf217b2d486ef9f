"""
Where the time of a conversation went: at the client, on the way, at the server.

All of the time between the first and the last segment at the client's place is dealt out, spell by
spell, by what ended the spell. A segment of the client ended the client's time. One of the server
ended a wait: as much of it as passed at the server's place before that segment left is the
server's, the rest is the way's. What only repeats was waited for because something was lost.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final, NamedTuple

from netlab.analysis.comparison.sightings import Sighting, SightingMark
from netlab.analysis.observations.dialogue import Moment
from netlab.capture.segments import Flag

_SYN: Final = int(Flag.SYN)
_ENDS: Final = int(Flag.FIN | Flag.RST)
_TAKES: Final = int(Flag.SYN | Flag.FIN)


class WaitShares(NamedTuple):
    """
    How the time of a conversation is dealt out, in nanoseconds.

    @ivar client_ns: the client took: it sent, or kept its window shut.
    @ivar way_ns: on the way between both places.
    @ivar server_ns: the server took.
    @ivar repair_ns: until what was lost was sent again.
    @ivar ahead_ns: on the way between the client and the place nearer to it.
    @ivar behind_ns: on the way between the place nearer to the server, and the server.
    @ivar idle_ns: nobody had anything to send, until one end closed or asked whether the other is
        still there.
    @ivar unknown_ns: what both captures do not tell.
    """

    client_ns: int = 0
    way_ns: int = 0
    server_ns: int = 0
    repair_ns: int = 0
    ahead_ns: int = 0
    behind_ns: int = 0
    idle_ns: int = 0
    unknown_ns: int = 0

    def plus(self, other: WaitShares) -> WaitShares:
        """
        Add up.
        """
        return WaitShares(*(one + two for one, two in zip(self, other, strict=True)))


class Shut(NamedTuple):
    """
    A spell in which an end's window was 0.

    @ivar from_client: whose.
    @ivar begin: the segment that shut it.
    @ivar end: the first that opened it again, or else the last one seen.
    """

    from_client: bool
    begin: Moment
    end: Moment

    @property
    def length_ns(self) -> int:
        """How long it was."""
        return max(self.end.time_ns - self.begin.time_ns, 0)


def shares_of(
    near: Sequence[Sighting], far: Sequence[Sighting], *, ahead_ns: int = 0, behind_ns: int = 0
) -> WaitShares:
    """
    Deal out the time.

    @param near: the conversation's segments at the client's place, in order.
    @param far: the same at the server's.
    @param ahead_ns: how long the way from the client's place to the client and back takes.
    @param behind_ns: how long the way from the server's place to the server and back takes.
    """
    departures = _departures(near, far)
    repeats = {number for number, _ in _repeats(near, from_client=True)}
    repeats_far = {number for number, _ in _repeats(far, from_client=False)}
    dealt = dict.fromkeys(WaitShares._fields, 0)
    windows = {True: 1, False: 1}
    before: Sighting | None = None
    for sighting in near:
        spell = 0 if before is None else sighting.at.time_ns - before.at.time_ns
        if before is not None and spell < 0:
            # The clock went back: how long it was is not known.
            spell = 0
        from_client = sighting.mark.from_client
        departure = departures.get(sighting.at.frame)
        if not windows[True]:
            dealt["client_ns"] += spell
        elif not windows[False]:
            dealt["server_ns"] += spell
        elif sighting.is_probe:
            dealt["idle_ns"] += spell
        elif from_client:
            _deal_client(dealt, sighting, before, spell, repeats, ahead_ns)
        elif departure is None:
            dealt["unknown_ns"] += spell
        elif departure.frame in repeats_far:
            dealt["repair_ns"] += spell
        else:
            _deal_server(dealt, sighting, departure, spell, behind_ns)
        if not sighting.mark.flags & (_SYN | _ENDS):
            windows[from_client] = sighting.window
        before = sighting
    return WaitShares(**dealt)


def _deal_client(
    dealt: dict[str, int],
    sighting: Sighting,
    before: Sighting | None,
    spell: int,
    repeats: set[int],
    ahead_ns: int,
) -> None:
    if sighting.at.frame in repeats:
        dealt["repair_ns"] += spell
        return
    ahead = 0
    if before is not None and not before.mark.from_client:
        ahead = min(spell, ahead_ns)
    dealt["ahead_ns"] += ahead
    is_end = sighting.mark.flags & _ENDS and not sighting.mark.length
    dealt["idle_ns" if is_end else "client_ns"] += spell - ahead


class _Departure(NamedTuple):
    """
    When a segment that arrived left.

    @ivar frame: at the server's place.
    @ivar waited_ns: since the segment before it there, of either end.
    @ivar is_answer: whether that was one of the client's.
    """

    frame: int
    waited_ns: int
    is_answer: bool


def _deal_server(
    dealt: dict[str, int], sighting: Sighting, departure: _Departure, spell: int, behind_ns: int
) -> None:
    there = min(spell, departure.waited_ns)
    behind = min(there, behind_ns) if departure.is_answer else 0
    dealt["way_ns"] += spell - there
    dealt["behind_ns"] += behind
    is_end = sighting.mark.flags & _ENDS and not sighting.mark.length
    dealt["idle_ns" if is_end else "server_ns"] += there - behind


def _departures(near: Sequence[Sighting], far: Sequence[Sighting]) -> dict[int, _Departure]:
    """
    Find for each segment of the server that arrived when it left. Of several that are alike, the
    last ones are taken to have arrived: what is sent again was most often lost before.
    """
    left: dict[SightingMark, list[_Departure]] = {}
    last: dict[int, _Departure] = {}
    base = next((each.mark.seq for each in far if not each.mark.from_client), 0)
    before: Sighting | None = None
    for sighting in far:
        if not sighting.mark.from_client:
            waited = 0 if before is None else sighting.at.time_ns - before.at.time_ns
            is_answer = before is not None and before.mark.from_client
            departure = _Departure(sighting.at.frame, max(waited, 0), is_answer)
            left.setdefault(sighting.mark, []).append(departure)
            if sighting.mark.length:
                last[_end(sighting.mark, base)] = departure
        before = sighting
    ends = sorted(last)
    found: dict[int, _Departure] = {}
    for sighting in reversed(near):
        if sighting.mark.from_client:
            continue
        alike = left.get(sighting.mark)
        if alike:
            found[sighting.at.frame] = alike.pop()
        elif sighting.mark.length:
            # A network card cut or joined it: what brought its last byte.
            place = bisect_left(ends, _end(sighting.mark, base))
            if place < len(ends):
                found[sighting.at.frame] = last[ends[place]]
    return found


def _end(mark: SightingMark, base: int) -> int:
    """
    Give the place after a segment's last byte, counted from a sequence number.
    """
    return (mark.seq + mark.length - base) % (1 << 32)


def _repeats(sightings: Sequence[Sighting], *, from_client: bool) -> list[tuple[int, Sighting]]:
    """
    List an end's segments that begin where an earlier one with data, SYN or FIN began.
    """
    seen: set[tuple[int, bool]] = set()
    found = []
    for sighting in sightings:
        mark = sighting.mark
        if mark.from_client != from_client or not (mark.length or mark.flags & _TAKES):
            continue
        begin = mark.seq, bool(mark.length)
        if begin in seen:
            found.append((sighting.at.frame, sighting))
        seen.add(begin)
    return found


def shut_windows(sightings: Sequence[Sighting], *, from_client: bool) -> tuple[Shut, ...]:
    """
    List the spells in which an end's window was 0.

    @param sightings: at the place nearer to that end.
    @param from_client: which end.
    """
    found = []
    begin: Moment | None = None
    last: Moment | None = None
    for sighting in sightings:
        last = sighting.at
        mark = sighting.mark
        if mark.from_client != from_client or mark.flags & (_SYN | _ENDS):
            continue
        if not sighting.window:
            begin = begin or sighting.at
        elif begin is not None:
            found.append(Shut(from_client, begin, sighting.at))
            begin = None
    if begin is not None and last is not None and last != begin:
        found.append(Shut(from_client, begin, last))
    return tuple(found)
