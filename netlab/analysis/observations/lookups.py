"""
The DNS questions of a capture and their answers, as far as they explain a connection. Bounded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

from netlab.capture.dns import AAAA, A, DNSMessage

ADDRESSES_MAX: Final = 4096
"""For how many pairs of host and address the last answer is kept; of more, the oldest goes."""

OPEN_MAX: Final = 1024
"""How many questions wait for an answer; of more, the oldest is taken to have none."""

FAILURES_MAX: Final = 50
"""How many names without an address are kept, the first ones."""

_KINDS: Final = frozenset({A, AAAA})

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class Lookup(NamedTuple):
    """
    A question and what came of it.

    @ivar host: the address of who asked.
    @ivar resolver: the address of who was asked.
    @ivar name: that was asked for.
    @ivar kind: L{A} or L{AAAA}.
    @ivar asked: the frame of the question, 0 if it was not captured.
    @ivar asked_ns: its time.
    @ivar answered: the frame of the answer, 0 if there is none.
    @ivar answered_ns: its time.
    @ivar failure: what the answer says is wrong, in words.
    @ivar times: how often it was asked.
    @ivar last: the last frame that asked, if there were several.
    @ivar last_ns: its time.
    """

    host: bytes
    resolver: bytes
    name: str
    kind: int
    asked: int
    asked_ns: int
    answered: int = 0
    answered_ns: int = 0
    failure: str = ""
    times: int = 1
    last: int = 0
    last_ns: int = 0


@dataclass(slots=True)
class Lookups:
    """
    What was asked and answered so far.

    @ivar failed: names for which no address came, the first L{FAILURES_MAX}.
    """

    failed: list[Lookup] = field(default_factory=list)
    _open: dict[tuple[bytes, bytes, bytes, int, str, int], Lookup] = field(default_factory=dict)
    _answers: dict[tuple[bytes, bytes], Lookup] = field(default_factory=dict)
    _found: dict[tuple[bytes, str], None] = field(default_factory=dict)

    def receive(self, key: bytes, number: int, time_ns: int, message: DNSMessage) -> None:
        """
        Take a message.

        @param key: of its datagram, as L{netlab.capture.segments.Segment.key}.
        @param number: of the frame.
        @param time_ns: when it was captured.
        @param message: the message.
        """
        if message.kind not in _KINDS:
            return
        half = len(key) // 2 - 2
        source, destination = key[:half], key[half : half * 2]
        what = message.identity, message.name, message.kind
        if not message.is_answer:
            # A client without an answer asks again, often from another port with another number.
            asked = source, destination, key[-4:-2], *what
            before = self._open.get(asked)
            if before is not None:
                self._open[asked] = before._replace(
                    times=before.times + 1, last=number, last_ns=time_ns
                )
                return
            if len(self._open) >= OPEN_MAX:
                self._fail(self._open.pop(next(iter(self._open))))
            self._open[asked] = Lookup(
                source,
                destination,
                message.name,
                message.kind,
                number,
                time_ns,
                last=number,
                last_ns=time_ns,
            )
            return
        asked = destination, source, key[-2:], *what
        lookup = self._open.pop(asked, None) or Lookup(
            destination, source, message.name, message.kind, 0, 0
        )
        lookup = lookup._replace(answered=number, answered_ns=time_ns, failure=message.failure)
        if not message.addresses:
            if not message.is_truncated:
                self._fail(lookup)
            return
        _remember(self._found, (lookup.host, lookup.name), None)
        for address in message.addresses:
            _remember(self._answers, (lookup.host, address), lookup)

    def finish(self) -> None:
        """
        There are no more messages.
        """
        for lookup in self._open.values():
            self._fail(lookup)
        self._open.clear()

    def answer_for(self, host: bytes, address: bytes) -> Lookup | None:
        """
        Give the last answer so far that gave a host an address.
        """
        return self._answers.get((host, address))

    def has_address(self, host: bytes, name: str) -> bool:
        """
        Tell whether a host got any address for a name.
        """
        return (host, name) in self._found

    def _fail(self, lookup: Lookup) -> None:
        if len(self.failed) < FAILURES_MAX:
            self.failed.append(lookup)


def _remember(table: dict[_Key, _Value], key: _Key, value: _Value) -> None:
    """
    Keep a value as the last one, and no more than L{ADDRESSES_MAX}.
    """
    table.pop(key, None)
    if len(table) >= ADDRESSES_MAX:
        del table[next(iter(table))]
    table[key] = value
