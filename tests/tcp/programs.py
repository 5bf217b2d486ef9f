"""
Two programs on a L{Pair} that send each other bytes and close, and what must hold of all that
happens then.
"""

from __future__ import annotations

from typing import NamedTuple

from netlab.tcp.connection import TCPConnection
from netlab.tcp.events import Closed, Event, PeerClosed, Refused, TimedOut, WasReset
from netlab.tcp.segment import ACK, RST, SYN, Outgoing
from netlab.tcp.sequence import unwrap
from netlab.tcp.states import TCPState
from netlab.tcp.timers import NANOSECONDS
from tests.tcp.pair import Pair

STEPS_MAX = 60_000
RTO_MAX = 120 * NANOSECONDS


class Plan(NamedTuple):
    """
    What a program does.

    @ivar sends: bytes in all.
    @ivar piece: bytes per write.
    @ivar reads: bytes per read; 0: it does not read before C{reads_after}.
    @ivar reads_after: nanoseconds.
    @ivar ends: C{shutdown}, C{close} or C{abort} after all is written; C{close} and C{abort} may
        cut off what the peer sends.
    @ivar nodelay: without Nagle.
    """

    sends: int = 10_000
    piece: int = 4096
    reads: int = 65536
    reads_after: int = 0
    ends: str = "shutdown"
    nodelay: bool = False


def content(side: int, size: int) -> bytes:
    """
    Bytes of which each tells where it belongs.
    """
    return b"".join(
        ((number * 2654435761 + side) & 0xFFFF_FFFF).to_bytes(4) for number in range(size // 4 + 1)
    )[:size]


class Program:
    """
    One side's program.

    @ivar got: what it has read.
    @ivar told: the events it was told.
    """

    def __init__(self, connection: TCPConnection, plan: Plan, side: int, begin: int) -> None:
        self.connection = connection
        self.plan = plan
        self.begin = begin
        self.data = content(side, plan.sends)
        self.written = 0
        self.has_ended = False
        self.is_closed = False
        self.got = bytearray()
        self.told: list[Event] = []
        self.sees_end = False
        connection.set_nodelay(is_on=plan.nodelay)
        # Without probes a side that only listens never hears of a peer whose reset was lost.
        connection.set_keepalive(begin, time=100 * NANOSECONDS, interval=NANOSECONDS)

    def run(self, now: int) -> None:
        """
        Do what can be done now.
        """
        connection, plan = self.connection, self.plan
        while (event := connection.next_event()) is not None:
            self.told.append(event)
            if isinstance(event, PeerClosed):
                self.sees_end = True
        if self.is_closed:
            return
        if plan.reads and now - self.begin >= plan.reads_after:
            while data := connection.read(now, plan.reads):
                self.got += data
        while self.written < len(self.data):
            piece = self.data[self.written : self.written + plan.piece]
            taken = connection.write(now, piece)
            self.written += taken
            if not taken:
                break
        if self.written == len(self.data) and not self.has_ended:
            self.has_ended = True
            if plan.ends == "shutdown":
                connection.shutdown(now)
            elif plan.ends == "close":
                self.is_closed = True
                connection.close(now)
            else:
                self.is_closed = True
                connection.abort(now)
        if self.has_ended and self.sees_end and not connection.is_readable:
            self.is_closed = True
            connection.close(now)

    @property
    def was_cut(self) -> bool:
        """
        Whether it was told that the connection did not end in good order.
        """
        return any(isinstance(event, WasReset | TimedOut | Refused) for event in self.told)

    @property
    def is_over(self) -> bool:
        """
        Whether it was told that the connection is over, and has read what there was.
        """
        if not self.is_closed and self.connection.is_readable:
            return False
        return any(isinstance(event, Closed) for event in self.told)


class Witness:
    """
    Watches every segment of one connection for what must never be.
    """

    def __init__(self, pair: Pair, client: TCPConnection, server: TCPConnection) -> None:
        self.pair = pair
        self.sides = {True: client, False: server}
        self._seen = 0
        self._edge = {True: 0, False: 0}
        self._sent = {True: client.iss, False: server.iss}

    def look(self) -> None:
        """
        Look at what was sent since.
        """
        log = self.pair.log
        for passed in log[self._seen :]:
            self.check(passed.by_client, passed.packet)
        self._seen = len(log)
        for side in self.sides.values():
            deadline = side.deadline
            if deadline is not None and side.state is not TCPState.TIME_WAIT:
                assert deadline - self.pair.now <= max(RTO_MAX, 2 * side.rtt.rto), "a timer is late"
            assert side.board.in_flight >= 0
            assert 0 <= side.board.sacked <= len(side.board)
            assert 0 <= side.board.lost <= len(side.board)
            assert side.congestion.cwnd >= 1

    def check(self, by_client: bool, packet: Outgoing) -> None:
        """
        Look at a segment.
        """
        segment = packet.segment
        side, peer = self.sides[by_client], self.sides[not by_client]
        if segment.flags & RST:
            return
        seq = unwrap(segment.seq, side.snd_una)
        end = seq + segment.seglen
        self._sent[by_client] = max(self._sent[by_client], end)
        if segment.flags & ACK:
            ack = unwrap(segment.ack, peer.snd_una)
            assert ack <= self._sent[not by_client], "acknowledges what was never sent"
            shift = 0 if segment.flags & SYN else side.negotiated.receive_shift
            self._edge[by_client] = max(self._edge[by_client], ack + (segment.window << shift))
        if segment.payload and not segment.flags & SYN:
            limit = self._edge[not by_client]
            assert seq + len(segment.payload) <= limit, "sends beyond the window"


def run(pair: Pair, client_plan: Plan, server_plan: Plan) -> tuple[Program, Program]:
    """
    Let two programs run until both know the end.

    @raise AssertionError: something happened that must not, or nothing happens any more.
    """
    connection, accepted = pair.connect()
    client = Program(connection, client_plan, 1, pair.now)
    server = Program(accepted, server_plan, 2, pair.now)
    witness = Witness(pair, connection, accepted)
    for _ in range(STEPS_MAX):
        client.run(pair.now)
        server.run(pair.now)
        witness.look()
        if client.is_over and server.is_over:
            break
        if not pair.step():
            client.run(pair.now)
            server.run(pair.now)
            if client.is_over and server.is_over:
                break
            at = max(client.plan.reads_after, server.plan.reads_after) + client.begin
            assert pair.now < at, "nothing will ever happen"
            pair.now = at
    else:
        raise AssertionError("it does not end")
    client.run(pair.now)
    server.run(pair.now)
    judge(client, server)
    pair.run_for(300 * NANOSECONDS)
    return client, server


def judge(client: Program, server: Program) -> None:
    """
    Each byte arrived once and in order; or a side that misses some was told that it does.
    """
    for sender, receiver in ((client, server), (server, client)):
        assert sender.data.startswith(receiver.got), "what arrived is not what was sent"
        if receiver.got != sender.data and receiver.plan.ends == "shutdown":
            assert receiver.was_cut, "a side misses bytes and does not know"
