"""
What a wire does to frames, one direction of it: a pure function of the frame, the time and chance.

Each frame meets, in this order: the script (L{netlab.lab.api.script}), corruption, loss,
duplication,
the queue in front of the rate limit, the transmission at that rate, and the delay with its jitter.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from netlab.capture.segments import Other, Segment
from netlab.lab.api.script import (
    Delay,
    DelayFrames,
    Drop,
    Duplicate,
    Hold,
    HoldUntil,
    Kind,
    Rule,
    ScriptState,
)
from netlab.lab.api.sides import Side

#: Bytes of Ethernet and IPv4 header, which corruption leaves alone: a damaged frame is to reach the
#: host, whose TCP finds out by the checksum.
_HEADERS_BYTES: Final = 34


@dataclass(frozen=True, slots=True)
class Impairment:
    """
    How one direction of a wire treats frames. The probabilities are from 0 to 1, for each frame.

    @ivar delay: seconds that every frame takes.
    @ivar jitter: at most this many seconds more, evenly spread; frames stay in order.
    @ivar rate: bits per second, C{None} for no limit.
    @ivar queue: frames that may wait for their transmission at that rate; further ones are lost.
    @ivar loss: the probability that a frame is lost.
    @ivar duplication: that it arrives twice.
    @ivar reordering: that it is held back so that those behind it overtake it.
    @ivar reordering_delay: seconds for which it is held back then.
    @ivar corruption: that one of its bits is flipped.
    """

    delay: float = 0.0
    jitter: float = 0.0
    rate: float | None = None
    queue: int = 1000
    loss: float = 0.0
    duplication: float = 0.0
    reordering: float = 0.0
    reordering_delay: float = 0.01
    corruption: float = 0.0


@dataclass(frozen=True, slots=True)
class WireSettings:
    """
    How a wire treats frames.

    @ivar client: those that the client sends.
    @ivar server: those that the server sends.
    @ivar rules: the script, for both.
    @ivar seed: of all chance.
    """

    client: Impairment = field(default_factory=Impairment)
    server: Impairment = field(default_factory=Impairment)
    rules: Sequence[Rule] = ()
    seed: int = 1

    def of(self, sender: Side) -> Impairment:
        """
        The settings for the frames of one host.
        """
        return self.client if sender is Side.CLIENT else self.server


class Plan(NamedTuple):
    """
    What becomes of one frame.

    @ivar arrivals: when it arrives, in seconds on the clock of the call, and as which bytes; none
        if it is lost.
    @ivar notes: what was done to it, each a few words; none if it was only delayed as all are.
    @ivar behind: how many of the next frames overtake it.
    @ivar until: it waits until the other host has sent this on the same connection, and so does
        what follows.
    @ivar number: the frame's, which the wire gives it.
    """

    arrivals: Sequence[tuple[float, bytes]]
    notes: Sequence[str] = ()
    until: Kind | None = None
    behind: int = 0
    number: int = 0


@dataclass(slots=True)
class Direction:
    """
    One direction of a wire, with what it remembers.

    @ivar impairment: may be replaced at any time, and then holds for the frames that follow.
    @ivar draw: gives a number from 0 (inclusive) to 1 (exclusive) at each call. It is called the
        same number of times for every frame, so that one knob does not shift another's chances.
    @ivar script: what happens to certain frames.
    """

    impairment: Impairment
    draw: Callable[[], float]
    script: ScriptState = field(default_factory=lambda: ScriptState(()))
    _free_at: float = 0.0
    _waiting: deque[float] = field(default_factory=deque)
    _last_arrival: float = 0.0

    def plan(self, frame: bytes, decoded: Segment | Other, now: float) -> Plan:
        """
        Decide about a frame.

        @param frame: from the Ethernet header on.
        @param decoded: what it is.
        @param now: seconds, never less than at the last call.
        """
        knobs = self.impairment
        is_lost, is_duplicated, is_reordered, is_corrupted, place, jitter = (
            self.draw() < knobs.loss,
            self.draw() < knobs.duplication,
            self.draw() < knobs.reordering,
            self.draw() < knobs.corruption,
            self.draw(),
            self.draw() * knobs.jitter,
        )
        notes: list[str] = []
        rule = self.script.rule_for(decoded)
        held = extra = 0.0
        until = None
        behind = 0
        if rule is not None:
            notes.append(f"by the script: {rule}")
            match rule.action:
                case Drop():
                    return Plan((), notes)
                case Delay(seconds):
                    extra = seconds
                case DelayFrames(count):
                    behind = count
                case Hold(seconds):
                    held = seconds
                case HoldUntil(kind):
                    until = kind
                case Duplicate():
                    is_duplicated = True
        if is_corrupted and len(frame) > _HEADERS_BYTES:
            frame, where = _flip_bit(frame, place)
            notes.append(f"a bit of byte {where} was flipped")
        if is_lost:
            return Plan((), [*notes, "lost by chance"])
        sent_at = self._transmit(len(frame), now)
        if sent_at is None:
            return Plan((), [*notes, f"lost: {knobs.queue} frames were waiting already"])
        arrival = sent_at + knobs.delay + jitter + held
        if extra or is_reordered or behind:
            # It leaves its place in the line: those behind it may overtake it.
            if is_reordered:
                extra += knobs.reordering_delay
                notes.append(f"held back for {knobs.reordering_delay * 1000:g} ms by chance")
            arrival += extra
        else:
            arrival = self._last_arrival = max(arrival, self._last_arrival)
        if is_duplicated:
            notes.append("sent twice")
            return Plan([(arrival, frame)] * 2, notes, until, behind)
        return Plan([(arrival, frame)], notes, until, behind)

    def _transmit(self, length: int, now: float) -> float | None:
        """
        Put a frame on the line.

        @return: when its last bit has left, or None if the queue is full.
        """
        rate = self.impairment.rate
        if rate is None:
            return now
        while self._waiting and self._waiting[0] <= now:
            self._waiting.popleft()
        if len(self._waiting) >= self.impairment.queue:
            return None
        starts_at = max(now, self._free_at)
        if starts_at > now:
            self._waiting.append(starts_at)
        self._free_at = starts_at + length * 8 / rate
        return self._free_at


def _flip_bit(frame: bytes, place: float) -> tuple[bytes, int]:
    """
    Flip one bit behind the IP header.

    @param place: from 0 to 1, which one.
    @return: the frame, and the offset of the byte.
    """
    bit = _HEADERS_BYTES * 8 + int(place * (len(frame) - _HEADERS_BYTES) * 8)
    damaged = bytearray(frame)
    damaged[bit // 8] ^= 0x80 >> bit % 8
    return bytes(damaged), bit // 8
