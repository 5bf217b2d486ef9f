"""
Captures of conversations in which everything goes wrong, at random but the same for each seed.

Several connections at a time between few addresses and ports, so that ports are used again; SYNs
with and without options and data, lost and repeated and overlapping data, holes, old and premature
ACKs, SACK, windows that close, keep-alives, probes, FINs, resets, copies of frames, clocks that go
back, and in half of them numbers out of nowhere. Sequence numbers begin next to where they wrap.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.captures import frames
from tests.captures.frames import ACK, FIN, PSH, RST, SYN, Segment

_MASK = 0xFFFFFFFF
_ISNS = (0, 1, 0x7FFFFF00, 0xFFFFFF00, 0xFFFFFFF0)
_PAUSES_NS = (0, 1, 1000, 100_000, 1_000_000, 5_000_000, 30_000_000, 300_000_000, -1000)
_WINDOWS = (0, 0, 1, 10, 500, 1000, 64240, 65535)
_STRANGE_FLAGS = (0, FIN | ACK, SYN, SYN | ACK, FIN | PSH | frames.URG, 0x0C2, 0x052)


@dataclass
class _Connection:
    endpoints: tuple[tuple[str, int], tuple[str, int]]
    isns: tuple[int, int]
    shift: int | None
    has_timestamps: bool
    sent: list[int] = field(default_factory=lambda: [0, 0])
    windows: list[int] = field(default_factory=lambda: [64240, 65535])
    history: list[list[tuple[int, int]]] = field(default_factory=lambda: [[], []])
    stage: int = 0


class Chaos:
    """
    One capture.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._has_nonsense = bool(seed % 2)
        self._connections: list[_Connection] = []

    def frames(self, count: int) -> Iterator[tuple[int, bytes]]:
        """
        Make Ethernet frames with their times.
        """
        dice = self._random
        now_ns = 1_700_000_000_000_000_000
        for number in range(count):
            now_ns += dice.choice(_PAUSES_NS)
            packet = frames.ip_packet(self._segment(), number)
            frame = frames.ethernet_frame(packet, bytes(6), bytes(6))
            yield now_ns, frame
            if dice.random() < 0.03:
                yield now_ns + 1, frame

    def _connect(self) -> _Connection:
        dice = self._random
        hosts = (
            ("2001:db8::{}", "2001:db8::1:{}")
            if dice.random() < 0.2
            else ("10.0.0.{}", "10.0.1.{}")
        )
        client = (hosts[0].format(dice.randrange(1, 4)), dice.randrange(1000, 1006))
        server = (hosts[1].format(dice.randrange(1, 4)), dice.choice((80, 443)))
        isns = [dice.choice((*_ISNS, dice.getrandbits(32))) for _ in range(2)]
        shift = dice.choice((None, 0, 2, 7, 15))
        return _Connection((client, server), (isns[0], isns[1]), shift, dice.random() < 0.3)

    def _segment(self) -> Segment:
        dice = self._random
        if not self._connections or dice.random() < 0.05:
            self._connections.append(self._connect())
        connection = dice.choice(self._connections[-4:])
        if connection.stage < 2 and dice.random() < 0.8:
            return self._handshake(connection)
        connection.stage = 2
        return self._exchange(connection, dice.randrange(2))

    def _handshake(self, connection: _Connection) -> Segment:
        dice = self._random
        direction, connection.stage = connection.stage, connection.stage + 1
        payload = bytes(dice.randrange(20)) if direction == 0 and dice.random() < 0.2 else b""
        connection.sent[direction] = 1 + len(payload)
        shift = connection.shift if dice.random() < 0.9 else None
        ack = connection.isns[0] + connection.sent[0] if direction else dice.choice((0, 0, 0, 5))
        return self._make(
            connection,
            direction,
            connection.isns[direction],
            ack,
            SYN | ACK if direction else SYN,
            payload,
            frames.syn_options(1460, shift, sack_permitted=dice.random() < 0.5),
        )

    def _exchange(self, connection: _Connection, direction: int) -> Segment:
        dice = self._random
        there = 1 - direction
        seq = connection.isns[direction] + connection.sent[direction]
        ack = connection.isns[there] + connection.sent[there]
        flags, size = ACK, 0
        history = connection.history
        what = dice.random()
        if what < 0.45:
            size = dice.choice((1, 1, 2, 10, 100, 1000, connection.windows[there] & 0x3FF))
            flags |= PSH if dice.random() < 0.4 else 0
            how = dice.random()
            if how < 0.06:
                seq += dice.randrange(1, 3000)
            elif how < 0.25 and history[direction]:
                seq, size = dice.choice(history[direction][-6:])
            elif how < 0.3:
                seq -= dice.randrange(1, 50)
            elif dice.random() < 0.97:
                connection.sent[direction] += size
            history[direction].append((seq, size))
        elif what < 0.5:
            seq, size = seq - 1, dice.randrange(2)
        elif what < 0.55 and history[there]:
            ack = sum(dice.choice(history[there][-6:]))
        elif what < 0.58:
            ack += dice.randrange(1, 2000)
        elif what < 0.62:
            flags |= FIN
            connection.sent[direction] += dice.random() < 0.9
        elif what < 0.67:
            flags, ack = dice.choice(((RST | ACK, ack), (RST, 0), (RST, ack)))
        elif what < 0.69:
            flags = dice.choice(_STRANGE_FLAGS)
        if dice.random() < 0.15:
            connection.windows[direction] = dice.choice(_WINDOWS)
        if self._has_nonsense and dice.random() < 0.1:
            seq = dice.getrandbits(32)
        if self._has_nonsense and dice.random() < 0.1:
            ack = dice.getrandbits(32)
        return self._make(
            connection, direction, seq, ack, flags, bytes(size), self._options(connection, there)
        )

    def _options(self, connection: _Connection, there: int) -> bytes:
        dice = self._random
        if dice.random() > 0.1:
            return b"\1\1\x08\x0a" + bytes(8) if connection.has_timestamps else b""
        begin = connection.isns[there] + connection.sent[there]
        count = dice.randrange(1, 4)
        edges = [begin + 500 * n + side for n in range(count) for side in (100, 300)]
        return struct.pack(
            f">BBBB{len(edges)}I", 1, 1, 5, 2 + 8 * count, *(edge & _MASK for edge in edges)
        )

    def _make(
        self,
        connection: _Connection,
        direction: int,
        seq: int,
        ack: int,
        flags: int,
        payload: bytes,
        options: bytes,
    ) -> Segment:
        (src, srcport), (dst, dstport) = connection.endpoints[:: -1 if direction else 1]
        window = connection.windows[direction]
        return Segment(
            src, dst, srcport, dstport, seq & _MASK, ack & _MASK, flags, payload, window, options
        )
