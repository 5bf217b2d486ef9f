"""
A transfer over a network that loses, delays and doubles, captured at a point on the way: with the
truth about each packet.

A server sends a file to a client, by a small TCP: slow start, fast retransmit, recovery with or
without SACK (RFC 6675, RFC 6582), a retransmission timer with back-off. Time is virtual, and all
chance comes from the seed.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from netlab.analysis.observations.history import History
from netlab.analysis.tcp.analyser import Analyser
from netlab.capture.decode import Decoder
from netlab.capture.records import Interface, Record
from netlab.capture.segments import Segment
from tests.captures import frames

SIZE: Final = 1000
"""How many bytes a full segment has."""

SERVER, CLIENT = 0, 1

_ISN: Final = (5_000_000, 1_000_000)
_ADDRESSES: Final = (("198.51.100.2", 80), ("192.0.2.1", 40000))
_START_NS: Final = 1_700_000_000_000_000_000


@dataclass(frozen=True, slots=True)
class Packet:
    """
    One packet, as it was sent.

    @ivar uid: counts all packets of both ends in the order of sending.
    @ivar ip_id: counts those of one end.
    @ivar why: C{new}, C{timeout}, C{after-timeout}, C{fast}, C{sack}, C{partial} or C{ack}.
    """

    uid: int
    ip_id: int
    sender: int
    seq: int
    length: int
    flags: int
    ack: int
    sacks: tuple[tuple[int, int], ...]
    why: str
    time: float


@dataclass(slots=True)
class Weather:
    """
    What the network does.

    @ivar near: seconds from the server to the capture.
    @ivar far: seconds from the capture to the client.
    @ivar lost: chance of loss on each half of the way.
    @ivar held: chance that a packet is held, on each half.
    @ivar held_for: seconds.
    @ivar doubled: chance that a packet is doubled, on each half.
    @ivar missed: chance that the capture misses a packet.
    """

    near: float = 0.001
    far: float = 0.02
    lost: float = 0.0
    held: float = 0.0
    held_for: float = 0.002
    doubled: float = 0.0
    missed: float = 0.0


@dataclass(slots=True)
class Truth:
    """
    What happened.

    @ivar packets: all that were sent.
    @ivar captured: of each frame, the packet.
    @ivar times: of each frame.
    @ivar arrived: when each segment of the server first reached the client, by its position.
    @ivar acked: when the client first acknowledged up to a position, by that position.
    """

    packets: list[Packet] = field(default_factory=list)
    captured: list[Packet] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    arrived: dict[int, float] = field(default_factory=dict)


class Transfer:
    """
    One run.
    """

    def __init__(self, seed: int, weather: Weather, *, segments: int, with_sack: bool) -> None:
        self.chance = random.Random(seed)
        self.weather = weather
        self.truth = Truth()
        self.now = 0.0
        self.total = 1 + segments * SIZE
        self.with_sack = with_sack
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = 0
        self._ip_ids = [100, 7000]
        self._busy = [0.0] * 4
        # The server.
        self.una = self.next = self.highest = 1
        self.window = 4.0
        self.threshold = 64.0
        self.duplicates = 0
        self.recover_to = 0
        self.timeout_to = 0
        self.first_timeout = self.timeout = self.chance.choice((0.2, 0.25, 1.0))
        self.timer = 0
        self.sacked: set[int] = set()
        self.repeated: set[int] = set()
        # The client.
        self.expected = 1
        self.beyond: set[int] = set()
        self.unacked = 0
        self.delay = 0
        self.is_open = False

    def run(self) -> Truth:
        """
        Shake hands, ask, and send all, or give up after a minute.
        """
        syn, ack = frames.SYN, frames.ACK
        way = self.weather.near + self.weather.far + 1e-4
        for times, sender, seq, length, flags, acked in (
            (0, CLIENT, 0, 0, syn, 0),
            (1, SERVER, 0, 0, syn | ack, 1),
            (2, CLIENT, 1, 0, ack, 1),
            (2.01, CLIENT, 1, 10, ack | frames.PSH, 1),
            (3.02, SERVER, 1, 0, ack, 11),
        ):
            self._at(times * way, partial(self._greet, sender, seq, length, flags, acked))
        self._at(4 * way + self.chance.random(), self._begin)
        while self._queue and self.now < 60 and self.una < self.total:
            self.now, _, act = heapq.heappop(self._queue)
            act()
        return self.truth

    def history(self) -> History:
        """
        Read what was captured.
        """
        decoder, analyser = Decoder(), Analyser()
        history: History | None = None
        for number, (packet, time) in enumerate(
            zip(self.truth.captured, self.truth.times, strict=True), 1
        ):
            (src, srcport), (dst, dstport) = (
                _ADDRESSES[packet.sender],
                _ADDRESSES[1 - packet.sender],
            )
            other = _ISN[1 - packet.sender]
            options = b""
            if packet.flags & frames.SYN:
                options = frames.syn_options(1460, 7, sack_permitted=self.with_sack)
            elif packet.sacks:
                options = frames.sack_option(
                    (low + other, high + other) for low, high in packet.sacks
                )
            segment = frames.Segment(
                src,
                dst,
                srcport,
                dstport,
                _ISN[packet.sender] + packet.seq,
                other + packet.ack if packet.flags & frames.ACK else 0,
                packet.flags,
                _payload(packet.seq, packet.length),
                60000,
                options,
            )
            data = frames.ethernet_frame(
                frames.ip_packet(segment, packet.ip_id), b"\2\0\0\0\0\1", b"\2\0\0\0\0\2"
            )
            record = Record(number, _START_NS + round(time * 1e9), data, len(data), Interface(1))
            decoded = decoder.decode(record)
            assert isinstance(decoded, Segment)
            analysed = analyser.analyse(decoded)
            history = history or History(analysed.conversation)
            history.add(analysed)
        assert history is not None
        history.client = history.conversation.client.index
        return history

    def _greet(self, sender: int, seq: int, length: int, flags: int, ack: int) -> None:
        self._send(sender, seq, length, flags, ack, (), "new", is_safe=True)

    def _at(self, time: float, act: Callable[[], None]) -> None:
        self._order += 1
        heapq.heappush(self._queue, (time, self._order, act))

    def _send(
        self,
        sender: int,
        seq: int,
        length: int,
        flags: int,
        ack: int,
        sacks: tuple[tuple[int, int], ...],
        why: str,
        *,
        is_safe: bool = False,
    ) -> None:
        self._ip_ids[sender] += 1
        packet = Packet(
            len(self.truth.packets),
            self._ip_ids[sender],
            sender,
            seq,
            length,
            flags,
            ack,
            sacks,
            why,
            self.now,
        )
        self.truth.packets.append(packet)
        weather = self.weather
        first, second = (
            (weather.near, weather.far) if sender == SERVER else (weather.far, weather.near)
        )
        for at in self._passes(self.now, first, 2 * sender, is_safe=is_safe):
            self._at(at, lambda: self._capture(packet, second, is_safe=is_safe))

    def _passes(self, now: float, delay: float, half: int, *, is_safe: bool) -> list[float]:
        """
        Give when a packet comes through half of the way: never, once or twice.

        @param half: which, by direction.
        """
        weather, chance = self.weather, self.chance
        if is_safe:
            return [now + delay]
        if chance.random() < weather.lost:
            return []
        at = now + delay
        if chance.random() < weather.held:
            at += weather.held_for
        else:
            # Packets keep their order, and a link takes its time for each.
            at = self._busy[half] = max(at, self._busy[half] + 1e-6)
        return [at, at + 3e-5] if chance.random() < weather.doubled else [at]

    def _capture(self, packet: Packet, delay: float, *, is_safe: bool) -> None:
        if is_safe or self.chance.random() >= self.weather.missed:
            self.truth.captured.append(packet)
            self.truth.times.append(self.now)
        for at in self._passes(self.now, delay, 2 * packet.sender + 1, is_safe=is_safe):
            self._at(at, lambda: self._arrive(packet))

    def _arrive(self, packet: Packet) -> None:
        if packet.sender == SERVER and packet.length:
            self._receive(packet)
        elif packet.sender == CLIENT and self.is_open:
            self._acknowledged(packet)

    # The client.

    def _receive(self, packet: Packet) -> None:
        twice = packet.seq < self.expected or packet.seq in self.beyond
        if packet.seq not in self.truth.arrived:
            self.truth.arrived[packet.seq] = self.now
        was_hole = bool(self.beyond)
        if packet.seq == self.expected:
            self.expected += SIZE
            while self.expected in self.beyond:
                self.beyond.discard(self.expected)
                self.expected += SIZE
            self.unacked += 1
        elif packet.seq > self.expected:
            self.beyond.add(packet.seq)
        named = ((packet.seq, packet.seq + packet.length),) if twice and self.with_sack else ()
        if twice or was_hole or packet.seq > self.expected or self.unacked >= 2:
            self._answer(named)
        else:
            self.delay += 1
            serial = self.delay
            self._at(self.now + 0.04, lambda: self._answer(()) if serial == self.delay else None)

    def _answer(self, named: tuple[tuple[int, int], ...]) -> None:
        self.delay += 1
        self.unacked = 0
        ranges: list[list[int]] = []
        for seq in sorted(self.beyond):
            if ranges and ranges[-1][1] == seq:
                ranges[-1][1] += SIZE
            else:
                ranges.append([seq, seq + SIZE])
        sacks = tuple((low, high) for low, high in ranges[-3:]) if self.with_sack else ()
        self._send(CLIENT, 11, 0, frames.ACK, self.expected, (*named, *sacks)[:3], "ack")

    # The server.

    def _begin(self) -> None:
        self.is_open = True
        self._fill()

    def _fill(self) -> None:
        while self.next < self.total and self.next - self.una < int(self.window) * SIZE:
            why = "new" if self.next >= self.highest else "after-timeout"
            if self.next in self.sacked:
                self.next += SIZE
                continue
            self._push(self.next, why)
            self.next += SIZE
            self.highest = max(self.highest, self.next)

    def _push(self, seq: int, why: str) -> None:
        self._send(SERVER, seq, SIZE, frames.ACK | frames.PSH, 11, (), why)
        self._arm()

    def _arm(self) -> None:
        self.timer += 1
        serial = self.timer
        self._at(self.now + self.timeout, lambda: self._expire(serial))

    def _expire(self, serial: int) -> None:
        if serial != self.timer or self.una >= self.highest:
            return
        self.timeout *= 2
        self.threshold = max(2.0, self.window / 2)
        self.window = 1.0
        self.duplicates = 0
        self.recover_to = 0
        self.timeout_to = self.highest
        self.repeated.clear()
        self.sacked.clear()
        self._push(self.una, "timeout")
        self.next = self.una + SIZE

    def _acknowledged(self, packet: Packet) -> None:
        for low, high in packet.sacks:
            if low >= packet.ack:
                self.sacked.update(range(low, high, SIZE))
        if packet.ack > self.una:
            self._advance(packet)
        elif packet.ack == self.una and self.highest > self.una and not packet.length:
            self.duplicates += 1
            in_timeout = self.una < self.timeout_to
            if self.duplicates == 3 and not self.recover_to and not in_timeout:
                self.threshold = max(2.0, self.window / 2)
                self.window = self.threshold
                self.recover_to = self.highest
                self.repeated = {self.una}
                self._push(self.una, "fast")
            elif self.recover_to and self.with_sack:
                self._repair()

    def _advance(self, packet: Packet) -> None:
        self.una = packet.ack
        self.next = max(self.next, self.una)
        self.timeout = self.first_timeout
        self.duplicates = 0
        self.sacked = {seq for seq in self.sacked if seq >= self.una}
        if self.recover_to and self.una >= self.recover_to:
            self.recover_to = 0
        if self.recover_to:
            if self.with_sack:
                self._repair()
            else:
                self._push(self.una, "partial")
            return
        self.window += 1 if self.window < self.threshold else 1 / self.window
        self.window = min(self.window, 40.0)
        if self.una < self.highest:
            self._arm()
        self._fill()

    def _repair(self) -> None:
        """
        Send the next hole below what was selectively acknowledged.
        """
        top = max(self.sacked, default=0)
        for seq in range(self.una, min(top, self.recover_to), SIZE):
            if seq not in self.sacked and seq not in self.repeated:
                self.repeated.add(seq)
                self._push(seq, "sack")
                return


def _payload(seq: int, length: int) -> bytes:
    """Give the stream's bytes at a position: each segment has its own."""
    return bytes((seq + index) // SIZE % 251 for index in range(length))
