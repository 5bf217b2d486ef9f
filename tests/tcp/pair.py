"""
Two machines and a link between them that may do anything to what they send.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import NamedTuple

from netlab.tcp.connection import TCPConnection
from netlab.tcp.events import Event
from netlab.tcp.listener import TCPListener
from netlab.tcp.segment import Outgoing, TCPSegment
from netlab.tcp.settings import Settings
from netlab.tcp.stack import Stack
from netlab.tcp.timers import MILLISECOND, NANOSECONDS

CLIENT = bytes((10, 0, 0, 1))
SERVER = bytes((10, 0, 0, 2))
PORT = 80
BEGIN = 1000 * NANOSECONDS


class NeverConnectedError(Exception):
    """
    The link lost so much that no connection was accepted: the server gave up, and the client
    believes in one, or gave up, too.
    """


class Weather(NamedTuple):
    """
    What a link does to packets.

    @ivar delay: nanoseconds each way.
    @ivar jitter: nanoseconds more, at most: packets overtake each other.
    @ivar loss: the probability of each.
    @ivar duplication: likewise.
    @ivar corruption: likewise; a checksum finds it, so it is a loss.
    @ivar rate: bytes per second of each direction; 0 for no limit.
    @ivar queue: packets that may wait for that.
    @ivar ends: nanoseconds after which the link is perfect, so that everything comes to an end.
    """

    delay: int = 10 * MILLISECOND
    jitter: int = 0
    loss: float = 0.0
    duplication: float = 0.0
    corruption: float = 0.0
    rate: int = 0
    queue: int = 100
    ends: int = 1 << 62


class Passed(NamedTuple):
    """
    A packet that was sent.

    @ivar by_client: by whom.
    @ivar was_lost: what became of it.
    """

    at: int
    by_client: bool
    packet: Outgoing
    was_lost: bool

    @property
    def segment(self) -> TCPSegment:
        """
        What it carries.
        """
        return self.packet.segment


class Pair:
    """
    Two stacks on a link, and a clock.

    @ivar log: all that was sent, in order.
    @ivar lose: says of a packet whether it is lost, beside chance: given the number of this
        direction's packet, from 0, and the packet.
    """

    def __init__(
        self,
        weather: Weather = Weather(),  # noqa: B008 - it is immutable
        client: Settings | None = None,
        server: Settings | None = None,
        seed: int = 1,
    ) -> None:
        self.weather = weather
        self.random = Random(seed)
        draw = self.random.random
        self.client = Stack([CLIENT], client or Settings(), b"client" * 4, draw)
        self.server = Stack([SERVER], server or Settings(), b"server" * 4, draw)
        self.now = BEGIN
        self.log: list[Passed] = []
        self.lose: Callable[[bool, int, Outgoing], bool] = lambda by_client, number, packet: False
        self.events: list[tuple[int, str, Event]] = []
        self._sent = [0, 0]
        self._free_at = [0, 0]
        self._order = count()
        self._under_way: list[tuple[int, int, Outgoing]] = []
        self.listener: TCPListener = self.server.listen(self.now, (SERVER, PORT), 5)

    def connect(self) -> tuple[TCPConnection, TCPConnection]:
        """
        Open a connection, and run until it is accepted.

        @raise NeverConnectedError: it will never be.
        """
        client = self.client.connect(self.now, (SERVER, PORT))
        while not self.listener.waiting and self.step():
            pass
        accepted = self.listener.accept()
        if accepted is None:
            raise NeverConnectedError
        return client, accepted

    def drain(self) -> None:
        """
        Put on the link what both have to send.
        """
        for by_client, stack in ((True, self.client), (False, self.server)):
            for packet in stack.packets_to_send(self.now):
                self._send(packet, by_client=by_client)

    def _send(self, packet: Outgoing, *, by_client: bool) -> None:
        weather, random = self.weather, self.random
        number = self._sent[by_client]
        self._sent[by_client] += 1
        begins = max(self.now, self._free_at[by_client])
        size = 40 + len(packet.segment.options) + len(packet.segment.payload)
        takes = size * NANOSECONDS // weather.rate if weather.rate else 0
        is_wild = self.now - BEGIN < weather.ends
        lost = (
            self.lose(by_client, number, packet)
            or (is_wild and random.random() < weather.loss + weather.corruption)
            or (takes > 0 and begins - self.now > weather.queue * takes)
        )
        self.log.append(Passed(self.now, by_client, packet, lost))
        if lost:
            return
        self._free_at[by_client] = begins + takes
        copies = 1 + (is_wild and random.random() < weather.duplication)
        for _ in range(copies):
            at = begins + takes + weather.delay
            if weather.jitter and is_wild:
                at += int(random.random() * weather.jitter)
            heappush(self._under_way, (at, next(self._order), packet))

    def next_time(self) -> int | None:
        """
        When something happens next.
        """
        times = [self.client.deadline, self.server.deadline]
        if self._under_way:
            times.append(self._under_way[0][0])
        return min((at for at in times if at is not None), default=None)

    def step(self) -> bool:
        """
        Let the next thing happen.

        @return: false if there is none.
        """
        self.drain()
        at = self.next_time()
        if at is None:
            return False
        assert at >= self.now, "time went back"
        self.now = at
        while self._under_way and self._under_way[0][0] <= at:
            _, _, packet = heappop(self._under_way)
            stack = self.server if packet.destination == SERVER else self.client
            stack.packet_arrives(at, packet.source, packet.destination, packet.segment, packet.ecn)
            self.drain()
        for stack in (self.client, self.server):
            deadline = stack.deadline
            if deadline is not None and deadline <= at:
                stack.timeout(at)
        self.drain()
        return True

    def run_until(self, done: Callable[[], bool], steps: int = 200_000) -> None:
        """
        Run until something is the case.
        """
        for _ in range(steps):
            if done():
                return
            if not self.step():
                break
        assert done(), "it never came to be"

    def run_for(self, duration: int) -> None:
        """
        Run for a time.
        """
        end = self.now + duration
        self.drain()
        while (at := self.next_time()) is not None and at <= end:
            self.step()
        self.now = end
        self.drain()
