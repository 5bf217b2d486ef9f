"""
Conversations written as a dialogue with times: who sends what, when.

    >>> script = Script().client("SYN").server("SYN ACK", after=0.02).client("ACK")
    >>> script.client("PSH ACK", b"x" * 10).server("ACK", after=0.02)
    >>> script.claims()

Numbers are right unless a line says otherwise; times are seconds. What is written is read by the
real decoder and analyser, so that a test's history is that of a capture file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Self

from netlab.analysis.claims.claim import Claim
from netlab.analysis.explanation.story import CaptureStory
from netlab.analysis.observations.dialogue import Dialogue, Dialogues
from netlab.analysis.observations.facts import Facts, Point
from netlab.analysis.observations.history import History
from netlab.analysis.tcp.analyser import Analyser
from netlab.analysis.tcp.frames import Analysed
from netlab.capture.decode import Decoder
from netlab.capture.records import Interface, LinkType, Record
from netlab.capture.segments import Segment
from tests.captures import frames
from tests.captures.stories import story_of

START_NS: Final = 1_700_000_000_000_000_000

CLIENT, SERVER = 0, 1

_HARDWARE: Final = (b"\x02\0\0\0\0\x01", b"\x02\0\0\0\0\x02")


class Tape:
    """
    A capture under way: what several conversations beside each other are written on.

    @ivar records: time in nanoseconds since 1970 and bytes of each frame so far.
    @ivar now: seconds since it began.
    """

    def __init__(self) -> None:
        self.records: list[tuple[int, bytes]] = []
        self.now = 0.0


class Script:
    """
    A capture under way, and the conversation in it that the next lines belong to.

    Positions count from each end's initial sequence number: the SYN is at 0, the first byte at 1.

    @ivar next: the position that each end sends next.
    @ivar heard: the position that each end acknowledges.
    @ivar tape: what it is written on.
    """

    def __init__(
        self,
        *,
        addresses: tuple[str, str] = ("192.0.2.1", "198.51.100.2"),
        ports: tuple[int, int] = (40000, 8080),
        isn: tuple[int, int] = (1_000_000, 5_000_000),
        ttl: tuple[int, int] = (64, 64),
        window: int = 64000,
        link_type: int = LinkType.ETHERNET,
        tape: Tape | None = None,
    ) -> None:
        self.tape = Tape() if tape is None else tape
        self.next = [0, 0]
        self.heard = [0, 0]
        self._addresses = addresses
        self._ports = ports
        self._isn = isn
        self._ttl = ttl
        self._window = window
        self._link_type = link_type
        self._ip_ids = [100, 200]

    @property
    def records(self) -> list[tuple[int, bytes]]:
        """Time in nanoseconds since 1970 and bytes of each frame so far."""
        return self.tape.records

    @property
    def now(self) -> float:
        """Seconds since the capture began."""
        return self.tape.now

    @now.setter
    def now(self, seconds: float) -> None:
        self.tape.now = seconds

    def beside(self, port: int, *, isn: tuple[int, int] = (70_000_000, 90_000_000)) -> Script:
        """
        Begin another connection of the same client, beside this one, in the same capture.
        """
        return Script(
            addresses=self._addresses,
            ports=(port, self._ports[1]),
            isn=isn,
            ttl=self._ttl,
            window=self._window,
            link_type=self._link_type,
            tape=self.tape,
        )

    def wait(self, seconds: float) -> Self:
        """
        Let time pass.
        """
        self.tape.now += seconds
        return self

    def begins(self, *, client: int = 1, server: int = 1) -> Self:
        """
        Let the capture begin in the middle, at these positions.
        """
        self.next = [client, server]
        self.heard = [server, client]
        return self

    def another(self, port: int, *, isn: tuple[int, int] = (70_000_000, 90_000_000)) -> Self:
        """
        Go on with another connection of the same client, from another port.
        """
        self._ports = (port, self._ports[1])
        self._isn = isn
        self.next = [0, 0]
        self.heard = [0, 0]
        return self

    def client(self, flags: str, data: bytes = b"", **how: object) -> Self:
        """
        Let the client send; see L{send}.
        """
        return self.send(CLIENT, flags, data, **how)  # type: ignore[arg-type]

    def server(self, flags: str, data: bytes = b"", **how: object) -> Self:
        """
        Let the server send; see L{send}.
        """
        return self.send(SERVER, flags, data, **how)  # type: ignore[arg-type]

    def send(
        self,
        who: int,
        flags: str,
        data: bytes = b"",
        *,
        after: float = 0.001,
        at: float | None = None,
        seq: int | None = None,
        ack: int | None = None,
        window: int | None = None,
        options: bytes | None = None,
        ttl: int | None = None,
        ip_id: int | None = None,
        urgent: int = 0,
        is_captured: bool = True,
        arrives: bool = True,
        checksum: frames.Checksum = frames.Checksum.GOOD,
        padded: bool = False,
    ) -> Self:
        """
        Send a segment.

        @param who: L{CLIENT} or L{SERVER}.
        @param flags: such as C{SYN ACK}.
        @param data: the payload.
        @param after: seconds since the last segment.
        @param at: seconds since the capture began, instead.
        @param seq: the position of its first number; by default the next, which it moves.
        @param ack: the position that it expects; by default what has arrived.
        @param window: the window field.
        @param options: TCP options; by default an MSS in a SYN.
        @param is_captured: whether the capture has it.
        @param arrives: whether the other end acknowledges it from now on.
        @param padded: whether the frame is padded to 60 bytes.
        """
        bits = sum(frames.FLAGS[name] for name in flags.split())
        self.now = self.now + after if at is None else at
        start = self.next[who] if seq is None else seq
        taken = len(data) + bool(bits & frames.SYN) + bool(bits & frames.FIN)
        acks = self.heard[who] if ack is None else ack
        self._ip_ids[who] += 1
        segment = frames.Segment(
            self._addresses[who],
            self._addresses[1 - who],
            self._ports[who],
            self._ports[1 - who],
            self._isn[who] + start,
            (self._isn[1 - who] + acks) % 2**32 if bits & frames.ACK else 0,
            bits,
            data,
            self._window if window is None else window,
            (frames.syn_options(1460) if bits & frames.SYN else b"")
            if options is None
            else options,
            checksum,
            self._ttl[who] if ttl is None else ttl,
            urgent,
        )
        if seq is None and not bits & frames.RST:
            self.next[who] = start + taken
        if arrives and not bits & frames.RST:
            self.heard[1 - who] = max(self.heard[1 - who], start + taken)
        if is_captured:
            packet = frames.ip_packet(segment, self._ip_ids[who] if ip_id is None else ip_id)
            frame = (
                frames.null_frame(packet)
                if self._link_type == LinkType.NULL
                else frames.ethernet_frame(
                    packet, _HARDWARE[who], _HARDWARE[1 - who], padded=padded
                )
            )
            self.records.append((START_NS + round(self.now * 1e9), frame))
        return self

    def open(self, rtt: float = 0.02, options: bytes | None = None) -> Self:
        """
        Shake hands: #1 to #3 of a new script.
        """
        self.client("SYN", options=options).server("SYN ACK", after=rtt, options=options)
        return self.client("ACK")

    def say(self, who: int, data: bytes, *, after: float = 0.001, rtt: float = 0.02) -> Self:
        """
        Send data, and let the other end acknowledge it.
        """
        self.send(who, "PSH ACK", data, after=after)
        return self.send(1 - who, "ACK", after=rtt)

    def close(self, first: int = CLIENT, *, after: float = 0.001, rtt: float = 0.02) -> Self:
        """
        Close in three segments: FIN, FIN, ACK.
        """
        self.send(first, "FIN ACK", after=after)
        self.send(1 - first, "FIN ACK", after=rtt)
        return self.send(first, "ACK")

    def pcap(self) -> bytes:
        """
        Give the capture as a file.
        """
        return frames.pcap_file(self._link_type, self.records)

    def histories(self) -> list[History]:
        """
        Give what was written as histories, by the number of their conversations.
        """
        found: dict[int, Facts] = {}
        for analysed in self.segments():
            facts = found.get(analysed.stream)
            if facts is None:
                facts = Facts(analysed.conversation, Point(analysed.number, analysed.time_ns))
                found[analysed.stream] = facts
            facts.observe(analysed)
            facts.history.add(analysed)
        for facts in found.values():
            facts.finish()
        return [facts.history for facts in found.values()]

    def dialogues(self, trail_max: int = 0) -> list[Dialogue]:
        """
        Give what was written as dialogues, by the number of their conversations.

        @param trail_max: how many segments of each are kept one by one.
        """
        found = Dialogues(trail_max=trail_max)
        for analysed in self.segments():
            found.receive(analysed)
        return found.finish()

    def segments(self) -> Iterator[Analysed]:
        """
        Decode and analyse what was written.
        """
        decoder, analyser = Decoder(), Analyser()
        interface = Interface(self._link_type)
        for number, (time_ns, data) in enumerate(self.records, 1):
            segment = decoder.decode(Record(number, time_ns, data, len(data), interface))
            assert isinstance(segment, Segment), segment
            yield analyser.analyse(segment)

    def history(self) -> History:
        """
        Give the history of the one conversation.
        """
        (history,) = self.histories()
        return history

    def story(self) -> CaptureStory:
        """
        Tell the capture.
        """
        return story_of(self.pcap())

    def claims(self) -> tuple[Claim, ...]:
        """
        Give the claims of the one conversation.
        """
        (conversation,) = self.story().conversations
        return conversation.claims


def of_kind(claims: tuple[Claim, ...], kind: str) -> list[Claim]:
    """
    Give the claims of a kind, or, for C{resets.}, of a topic.
    """
    return [
        claim
        for claim in claims
        if claim.kind == kind or (kind.endswith(".") and claim.kind.startswith(kind))
    ]
