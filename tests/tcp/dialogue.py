"""
A machine spoken to segment by segment: what the peer sends, what it says to that, and when.

Sequence and acknowledgment numbers count from each side's initial sequence number, so a first byte
is 1. Times are milliseconds since the dialogue began.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.capture.options import TCPOptions, parse
from netlab.tcp.connection import TCPConnection
from netlab.tcp.events import Event
from netlab.tcp.segment import ACK, Outgoing, Reason, TCPSegment
from netlab.tcp.sending import optionwriting
from netlab.tcp.sequence import MASK
from netlab.tcp.settings import Settings
from netlab.tcp.stack import Stack
from netlab.tcp.timers import MILLISECOND, NANOSECONDS

PEER = bytes((192, 0, 2, 1))
LOCAL = bytes((192, 0, 2, 2))
PEER_PORT = 40000
LOCAL_PORT = 80
PEER_ISN = 0xFFFF_FF00
"""Near the end, so that the peer's numbers wrap in nearly every test."""

_BEGIN = 5000 * NANOSECONDS
_LETTERS = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16, "U": 32, "E": 64, "W": 128}


def flags_of(text: str) -> int:
    """
    Read flags by their first letters; CWR is W.
    """
    return sum(_LETTERS[letter] for letter in text)


class Dialogue:
    """
    One machine with one connection.

    @ivar said: what the machine has sent and nobody has looked at, with the time of each.
    @ivar peer_times: whether the peer's segments have timestamps.
    """

    def __init__(self, case: SynchronousTestCase, **settings: object) -> None:
        """
        @param settings: of the machine.
        """
        self.case = case
        # The names and types are those of the test's author.
        self.settings = Settings(**settings)  # type: ignore[arg-type]
        self.stack = Stack([LOCAL], self.settings, b"secret" * 4, lambda: 0.5)
        self.now = _BEGIN
        self.said: list[tuple[int, Outgoing]] = []
        self.peer_times = False
        self.peer_clock_offset = 0
        self.iss = 0
        self.local_port = LOCAL_PORT
        self.last: Outgoing | None = None
        self._connection: TCPConnection | None = None

    @property
    def connection(self) -> TCPConnection:
        """
        The connection that is talked about.
        """
        assert self._connection is not None
        return self._connection

    @property
    def ms(self) -> float:
        """
        The time.
        """
        return (self.now - _BEGIN) / MILLISECOND

    # The peer.

    def peer(
        self,
        flags: str,
        seq: int,
        ack: int | None = None,
        data: bytes | int = b"",
        *,
        win: int = 65535,
        options: bytes | None = None,
        sacks: tuple[tuple[int, int], ...] = (),
        urgent: int = 0,
        ecn: int = 0,
        echo: int | None = None,
        value: int | None = None,
    ) -> None:
        """
        Let the peer send a segment.

        @param data: bytes, or how many of them.
        @param sacks: ranges of the machine's sequence numbers.
        @param options: in place of those that follow from C{sacks} and the timestamps.
        @param echo: TSecr; the last TSval of the machine by default.
        @param value: TSval; the peer's clock by default.
        """
        payload = bytes(data) if isinstance(data, int) else data
        if options is None:
            options = b""
            if self.peer_times:
                tsval = self.peer_clock() if value is None else value
                options = optionwriting.timestamps(
                    tsval & MASK, self.last_times()[0] if echo is None else echo
                )
            moved = [(start + self.iss, end + self.iss) for start, end in sacks]
            options += optionwriting.sack(moved, 40 - len(options))
        segment = TCPSegment(
            PEER_PORT,
            self.local_port,
            (seq + PEER_ISN) & MASK,
            0 if ack is None else (ack + self.iss) & MASK,
            flags_of(flags) | (ACK if ack is not None else 0),
            win,
            options,
            payload,
            urgent,
        )
        self.stack.packet_arrives(self.now, PEER, LOCAL, segment, ecn)
        self.drain()

    def peer_clock(self) -> int:
        """
        The peer's TSval.
        """
        return self.now // MILLISECOND + 7_000_000 + self.peer_clock_offset

    def last_times(self) -> tuple[int, int]:
        """
        The timestamps that the machine sent last.
        """
        assert self.last is not None
        return parse(self.last.segment.options).timestamps or (0, 0)

    # The machine.

    def drain(self) -> None:
        """
        Take what the machine has to send.
        """
        for packet in self.stack.packets_to_send(self.now):
            self.said.append((self.now, packet))

    def wait(self, ms: float) -> None:
        """
        Let time pass.
        """
        end = self.now + round(ms * MILLISECOND)
        self.drain()
        while (deadline := self.stack.deadline) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.stack.timeout(self.now)
            self.drain()
        self.now = end

    def says(
        self,
        flags: str,
        seq: int | None = None,
        ack: int | None = None,
        length: int = 0,
        *,
        reason: Reason | None = None,
        at: float | None = None,
        sacks: tuple[tuple[int, int], ...] | None = None,
        win: int | None = None,
    ) -> Outgoing:
        """
        Look at the next segment that the machine has sent.

        @param flags: all of them; but PSH may be there unless it is named.
        @param seq: relative.
        @param ack: relative.
        @param length: payload bytes.
        @param at: when it was sent.
        @param sacks: the ranges it reports, of the peer's sequence numbers.
        @param win: as in the header.
        """
        case = self.case
        case.assertTrue(self.said, f"silence at {self.ms} ms; expected {flags} {seq}:{length}")
        time, packet = self.said.pop(0)
        self.last = packet
        segment = packet.segment
        found_flags = segment.flags if "P" in flags else segment.flags & ~flags_of("P")
        case.assertEqual(found_flags, flags_of(flags), f"flags of {packet}")
        if seq is not None:
            case.assertEqual((segment.seq - self.iss) & MASK, seq & MASK, f"seq of {packet}")
        if ack is not None:
            case.assertEqual((segment.ack - PEER_ISN) & MASK, ack, f"ack of {packet}")
        case.assertEqual(len(segment.payload), length, f"length of {packet}")
        if reason is not None:
            case.assertEqual(packet.reason, reason, f"at {(time - _BEGIN) / MILLISECOND} ms")
        if at is not None:
            case.assertEqual((time - _BEGIN) / MILLISECOND, at, f"time of {packet}")
        if win is not None:
            case.assertEqual(segment.window, win)
        if sacks is not None:
            found = tuple(
                ((start - PEER_ISN) & MASK, (end - PEER_ISN) & MASK)
                for start, end in self.options_of(packet).sacks
            )
            case.assertEqual(found, sacks)
        return packet

    def silent(self) -> None:
        """
        See that the machine has said nothing else.
        """
        self.case.assertEqual([packet for _, packet in self.said], [])

    def forget(self) -> None:
        """
        Do not look at what the machine has said so far.
        """
        if self.said:
            self.last = self.said[-1][1]
        self.said.clear()

    def options_of(self, packet: Outgoing) -> TCPOptions:
        """
        Read a segment's options.
        """
        return parse(packet.segment.options)

    def events(self) -> list[Event]:
        """
        Take what the program is told.
        """
        found = []
        while (event := self.connection.next_event()) is not None:
            found.append(event)
        return found

    def write(self, data: bytes | int) -> int:
        """
        Let the program write.
        """
        taken = self.connection.write(self.now, bytes(data) if isinstance(data, int) else data)
        self.drain()
        return taken

    def read(self, maximum: int = 1 << 20) -> bytes:
        """
        Let the program read.
        """
        data = self.connection.read(self.now, maximum)
        self.drain()
        return data

    def shutdown(self) -> None:
        """
        Let the program close its half.
        """
        self.connection.shutdown(self.now)
        self.drain()

    def close(self) -> None:
        """
        Let the program close.
        """
        self.connection.close(self.now)
        self.drain()

    def abort(self) -> None:
        """
        Let the program abort.
        """
        self.connection.abort(self.now)
        self.drain()

    # Ways to begin.

    def syn_options(
        self,
        *,
        mss: int | None = 1460,
        sack: bool = True,
        times: bool = False,
        shift: int | None = None,
        cookie: bytes | None = None,
    ) -> bytes:
        """
        Write the options of the peer's SYN.
        """
        self.peer_times = times
        echo = self.last_times()[0] if self.last is not None else 0
        options = optionwriting.handshake(
            mss or 0,
            sack_permitted=sack,
            times=(self.peer_clock() & MASK, echo) if times else None,
            window_shift=shift,
            cookie=cookie,
        )
        return options if mss is not None else options[4:]

    def connect(self, **options: object) -> None:
        """
        Let the machine open a connection, and send its SYN.

        @param options: as those of the program's.
        """
        connection = self.stack.prepare(self.now, (PEER, PEER_PORT))
        for name, value in options.items():
            setattr(connection.options, name, value)
        self._connection = connection
        self.local_port = connection.local[1]
        self.stack.open(self.now, connection)
        self.drain()
        self.iss = self.said[0][1].segment.seq

    def listen(self, backlog: int = 5) -> None:
        """
        Let the machine listen.
        """
        self.listener = self.stack.listen(self.now, (LOCAL, LOCAL_PORT), backlog)

    def accept(self) -> None:
        """
        Let the program accept a connection.
        """
        self._connection = self.listener.accept()
        assert self._connection is not None

    def serve(self, *, win: int = 65535, rtt: float = 100, **options: object) -> None:
        """
        Let the peer connect to the machine; the handshake takes a round trip.

        @param rtt: milliseconds.
        @param options: of L{syn_options}.
        """
        self.listen()
        # The names and types are those of the test's author.
        self.peer("S", 0, win=win, options=self.syn_options(**options))  # type: ignore[arg-type]
        self.iss = self.said[0][1].segment.seq
        self.says("SA", 0, 1)
        self.wait(rtt)
        self.peer("A", 1, 1, win=win)
        self.silent()
        self.accept()
        self.events()

    def open(self, *, win: int = 65535, rtt: float = 100, **options: object) -> None:
        """
        Let the machine connect to the peer.

        @param rtt: milliseconds.
        @param options: of L{syn_options}.
        """
        self.connect()
        self.says("S", 0)
        self.wait(rtt)
        # The names and types are those of the test's author.
        self.peer("S", 0, 1, win=win, options=self.syn_options(**options))  # type: ignore[arg-type]
        self.says("A", 1, 1)
        self.silent()
        self.events()
