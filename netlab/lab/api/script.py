"""
Scripted impairments: what happens to exactly which frame, however often the experiment runs.

A rule reads as a sentence: C{drop server data 2} loses the second segment with data that the server
sends. As a value it is C{Rule(Drop(), Side.SERVER, Kind.DATA, 2, 2)}.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from netlab.capture.segments import Flag, Other, Segment
from netlab.lab.api.sides import Side

#: More digits than any experiment has frames.
_ORDINAL_DIGITS_MAX: Final = 6
_ORDINALS: Final = re.compile(rf"([1-9][0-9]{{0,{_ORDINAL_DIGITS_MAX - 1}}})(?:-([0-9]{{0,6}}))?")
#: A segment that is waited for may never come.
HOLD_MAX_SECONDS: Final = 5.0

_FRAMES: Final = re.compile(r"([1-9][0-9]?)frames?")
_SECONDS: Final = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)(ms|s)")


class Kind(enum.Enum):
    """
    Which of a host's segments are counted.
    """

    ANY = "segment"
    DATA = "data"
    ACK = "ack"
    """Without data, SYN, FIN or RST."""

    SYN = "syn"
    FIN = "fin"
    RST = "rst"

    def covers(self, segment: Segment) -> bool:
        """
        Tell whether a segment is of this kind.
        """
        match self:
            case Kind.ANY:
                return True
            case Kind.DATA:
                return segment.length > 0
            case Kind.ACK:
                special = Flag.SYN | Flag.FIN | Flag.RST
                return not segment.length and not segment.flags & special
            case Kind.SYN:
                return bool(segment.flags & Flag.SYN)
            case Kind.FIN:
                return bool(segment.flags & Flag.FIN)
            case Kind.RST:
                return bool(segment.flags & Flag.RST)


@dataclass(frozen=True, slots=True)
class Drop:
    """
    The frame is lost.
    """

    def of(self, what: str) -> str:
        """
        Say what happens to what.
        """
        return f"drop {what}"


@dataclass(frozen=True, slots=True)
class Delay:
    """
    The frame takes longer than others, which may overtake it.

    @ivar seconds: how much longer.
    """

    seconds: float

    def of(self, what: str) -> str:
        """
        Say what happens to what.
        """
        return f"delay {what} by {self.seconds * 1000:g} ms"


@dataclass(frozen=True, slots=True)
class DelayFrames:
    """
    The frame is overtaken by the next ones of its host, but waits for at most L{HOLD_MAX_SECONDS}.

    @ivar count: by how many, at least 1.
    """

    count: int

    def of(self, what: str) -> str:
        """
        Say what happens to what.
        """
        return f"delay {what} by {self.count} frame{'' if self.count == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class Hold:
    """
    The frame takes longer than others, and so do all behind it: the order stays.

    @ivar seconds: how much longer.
    """

    seconds: float

    def of(self, what: str) -> str:
        """
        Say what happens to what.
        """
        return f"hold {what} for {self.seconds * 1000:g} ms"


@dataclass(frozen=True, slots=True)
class HoldUntil:
    """
    The frame waits, and so do all behind it, until the other host has sent a segment of a kind on
    the same connection, or for L{HOLD_MAX_SECONDS}. If it has sent one before, nobody waits. So two
    segments cross on the wire however fast the hosts are.

    @ivar kind: what the other host must have sent.
    """

    kind: Kind

    def of(self, what: str) -> str:
        """
        Say what happens to what.
        """
        return f"hold {what} until the other host sends {self.kind.value}"


@dataclass(frozen=True, slots=True)
class Duplicate:
    """
    The frame arrives twice.
    """

    def of(self, what: str) -> str:
        """
        Say what happens to what.
        """
        return f"duplicate {what}"


Action = Drop | Delay | DelayFrames | Hold | HoldUntil | Duplicate


@dataclass(frozen=True, slots=True)
class Rule:
    """
    One sentence of a script.

    @ivar action: what happens to the frames.
    @ivar sender: whose frames.
    @ivar kind: which of them are counted.
    @ivar first: the first that it happens to, counted from 1, over all connections; a
        retransmission counts again.
    @ivar last: the last that it happens to, inclusive; C{None} for all that follow.
    """

    action: Action
    sender: Side
    kind: Kind = Kind.ANY
    first: int = 1
    last: int | None = 1

    def __str__(self) -> str:
        if self.last is None:
            which = f"from no. {self.first} on"
        elif self.last == self.first:
            which = f"no. {self.first}"
        else:
            which = f"no. {self.first} to {self.last}"
        return self.action.of(f"{self.sender.value} {self.kind.value} {which}")


class ScriptError(ValueError):
    """
    A rule that cannot be read. Its text is a sentence.
    """


def parse_rule(text: str) -> Rule:
    """
    Read a rule: an action (C{drop}, C{duplicate}, C{delay} or C{hold}), whose segments (C{client}
    or C{server}), what kind of segments, which of them (C{2}, C{2-4}, C{2-} for all from the second
    on; without a number the first), and for C{delay} and C{hold} how long (C{50ms}, C{1.5s}), or
    for C{delay} how many frames overtake it (C{2frames}), for C{hold} until what the other host
    sends (C{until fin}).

    @raise ScriptError: it is none.
    """
    words = text.split()
    if len(words) < 3:
        raise ScriptError("write a rule such as 'drop server data 2' or 'hold server fin 1 50ms'")
    action_word, side_word, kind_word, *rest = words
    if side_word not in (side.value for side in Side):
        raise ScriptError(f"{side_word!a} is not a host; write client or server")
    kind = _kind(kind_word)
    action: Action
    if action_word == "hold" and rest[-2:-1] == ["until"]:
        action = HoldUntil(_kind(rest.pop()))
        rest.pop()
    elif action_word == "delay" and rest and (frames := _FRAMES.fullmatch(rest[-1])):
        action = DelayFrames(int(frames[1]))
        rest.pop()
    elif action_word in ("delay", "hold"):
        duration = _SECONDS.fullmatch(rest.pop()) if rest else None
        if duration is None:
            raise ScriptError(f"{action_word} needs its duration last, such as 50ms or 1.5s")
        seconds = float(duration[1]) * (0.001 if duration[2] == "ms" else 1)
        action = Delay(seconds) if action_word == "delay" else Hold(seconds)
    elif action_word in ("drop", "duplicate"):
        action = Drop() if action_word == "drop" else Duplicate()
    else:
        raise ScriptError(
            f"{action_word!a} is not an action; there are drop, delay, hold and duplicate"
        )
    first, last = _ordinals(rest)
    return Rule(action, Side(side_word), kind, first, last)


def rule_text(rule: Rule) -> str:
    """
    Write a rule as L{parse_rule} reads it.
    """
    match rule.action:
        case Drop():
            action, detail = "drop", ""
        case Duplicate():
            action, detail = "duplicate", ""
        case Delay(seconds):
            action, detail = "delay", f" {seconds * 1000:g}ms"
        case DelayFrames(count):
            action, detail = "delay", f" {count}frames"
        case Hold(seconds):
            action, detail = "hold", f" {seconds * 1000:g}ms"
        case HoldUntil(kind):
            action, detail = "hold", f" until {kind.value}"
        case _:
            assert_never(rule.action)
    which = f"{rule.first}" if rule.last == rule.first else f"{rule.first}-{rule.last or ''}"
    return f"{action} {rule.sender.value} {rule.kind.value} {which}{detail}"


def _kind(word: str) -> Kind:
    if word not in (kind.value for kind in Kind):
        kinds = ", ".join(kind.value for kind in Kind)
        raise ScriptError(f"{word!a} is not a kind of segment; there are {kinds}")
    return Kind(word)


def _ordinals(words: Sequence[str]) -> tuple[int, int | None]:
    """
    Read which segments a rule is about.
    """
    if not words:
        return 1, 1
    match = _ORDINALS.fullmatch(words[0])
    if match is None or len(words) > 1:
        raise ScriptError(f"{' '.join(words)!a} does not tell which; write 2, 2-4 or 2-")
    first = int(match[1])
    if match[2] is None:
        return first, first
    if not match[2]:
        return first, None
    if int(match[2]) < first:
        raise ScriptError(f"{words[0]!a} ends before it begins")
    return first, int(match[2])


class ScriptState:
    """
    The rules about one direction, and how far each has counted.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._counts = [(rule, _Count()) for rule in rules]

    def rule_for(self, frame: Segment | Other) -> Rule | None:
        """
        Count a frame, and find the rule that applies to it: the first that does.
        """
        if not isinstance(frame, Segment):
            return None
        found = None
        for rule, count in self._counts:
            if not rule.kind.covers(frame):
                continue
            count.value += 1
            is_due = rule.first <= count.value and (rule.last is None or count.value <= rule.last)
            if is_due and found is None:
                found = rule
        return found


@dataclass(slots=True)
class _Count:
    value: int = 0
