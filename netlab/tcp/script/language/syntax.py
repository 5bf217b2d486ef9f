"""
A script as values: what the parser makes and the player plays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

NANOSECONDS: Final = 1_000_000_000
"""In one second. All times are integers of nanoseconds."""

# Numbers of TCP options (RFC 9293 section 3.1 and IANA's registry).
EOL: Final = 0
NOP: Final = 1
MSS: Final = 2
WINDOW_SCALE: Final = 3
SACK_PERMITTED: Final = 4
SACK: Final = 5
TIMESTAMPS: Final = 8
MD5: Final = 19
FAST_OPEN: Final = 34
EXPERIMENT: Final = 254
FAST_OPEN_EXPERIMENT: Final = b"\xf9\x89"
"""The identifier that fast open had as an experiment (RFC 7413 appendix)."""


class When(NamedTuple):
    """
    When an event happens.

    @ivar start: nanoseconds since the script began, or, if relative, since the event before;
        C{None} for any time.
    @ivar end: the end of a range, or C{None}.
    @ivar is_relative: whether both count from the event before.
    """

    start: int | None
    end: int | None
    is_relative: bool


@dataclass(frozen=True, slots=True)
class Anything:
    """
    Three dots: an argument that the interpreter fills in, or a result that may be anything.
    """


@dataclass(frozen=True, slots=True)
class Symbol:
    """
    A name of the C library.
    """

    name: str


@dataclass(frozen=True, slots=True)
class Text:
    """
    A quoted string.
    """

    text: str


@dataclass(frozen=True, slots=True)
class Either:
    """
    Flags joined by a bar.
    """

    parts: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Invocation:
    """
    C{name(arguments)} within an argument: C{htons(8080)}.
    """

    name: str
    arguments: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Structure:
    """
    Braces: fields with names, and values without.

    @ivar fields: of those with a name, their name and value.
    @ivar items: of those without.
    """

    fields: tuple[tuple[str, Value], ...]
    items: tuple[Value, ...]

    def field(self, name: str) -> Value | None:
        """
        Get a field's value, or C{None}.
        """
        return dict(self.fields).get(name)


Value = int | Anything | Symbol | Text | Either | Invocation | Structure | tuple["Value", ...]


class ScriptOption(NamedTuple):
    """
    A TCP option of a segment, in the script's sequence space.
    """

    kind: int
    value: bytes


@dataclass(frozen=True, slots=True)
class ScriptSegment:
    """
    A TCP segment that the script sends or expects.

    @ivar is_inbound: the script sends it to the machine.
    @ivar flags: of L{netlab.capture.segments.Flag}.
    @ivar window: as on the wire, or C{None} where any will do.
    @ivar options: or C{None} where any will do.
    @ivar ecn: the two bits of the IP header, C{None} where any will do; -1 for either ECT.
    @ivar ttl: or C{None}.
    @ivar ports: source and destination where they are given.
    """

    is_inbound: bool
    flags: int
    seq: int
    length: int
    ack: int
    window: int | None
    urgent: int
    options: tuple[ScriptOption, ...] | None
    ecn: int | None = None
    ttl: int | None = None
    ports: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class ScriptICMP:
    """
    An ICMP message to the machine about a segment that it sent.

    @ivar kind: such as C{unreachable}.
    @ivar code: such as C{frag_needed}; empty where there is none.
    @ivar mtu: of the next hop, or C{None}.
    @ivar seq: of the segment that it quotes.
    @ivar length: payload bytes of the segment that it quotes.
    """

    kind: str
    code: str
    mtu: int | None
    seq: int
    length: int


@dataclass(frozen=True, slots=True)
class Call:
    """
    A system call.

    @ivar ends: when it returns, in nanoseconds as its event's time counts; C{None} if it does not
        block.
    @ivar error: the name of the error that is expected, or empty.
    """

    name: str
    arguments: tuple[Value, ...]
    result: Value
    error: str
    ends: int | None


@dataclass(frozen=True, slots=True)
class Command:
    """
    A shell command.
    """

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """
    Python about the state of the connection.
    """

    text: str


Action = ScriptSegment | ScriptICMP | Call | Command | Code


class ScriptEvent(NamedTuple):
    """
    One event.

    @ivar line: of the script, from 1.
    @ivar when: C{None} for a command that stands without a time, before or behind all others.
    """

    line: int
    when: When | None
    action: Action


class ScriptFlag(NamedTuple):
    """
    An option of the script's first lines: C{--name=value}.
    """

    line: int
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class PacketScript:
    """
    A script.
    """

    flags: tuple[ScriptFlag, ...]
    events: tuple[ScriptEvent, ...]
