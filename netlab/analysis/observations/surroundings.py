"""
What a capture holds beside its TCP segments, and how it was made: as far as it explains a
connection, or what is missing of one. Bounded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from netlab.analysis.observations.clock import Clock
from netlab.analysis.observations.lookups import Lookup, Lookups
from netlab.analysis.tcp.frames import Analysed
from netlab.capture import arp, dns
from netlab.capture.icmp import IcmpError
from netlab.capture.segments import Other

ERRORS_MAX: Final = 1000
"""How many ICMP errors are kept, the first ones."""

NEIGHBOURS_MAX: Final = 1024
"""How many pairs of who asked by ARP for whom are kept, the first ones; and how many senders."""

CUT_MAX: Final = 256
"""Of how many pairs of ports the cut segments are counted, the first ones."""

LAYERS_MAX: Final = 50
"""How many protocols are counted by name."""

_UDP_HEADER_BYTES: Final = 8
_TCP_LEAST_HEADER_BYTES: Final = 20


class Layer(NamedTuple):
    """
    Frames of a protocol that is no TCP.

    @ivar first: the first frame.
    @ivar frames: how many there are.
    """

    first: int
    frames: int


class Asked(NamedTuple):
    """
    ARP requests of one host for another.

    @ivar first: the first frame.
    @ivar last: the last frame.
    @ivar frames: how many there are.
    """

    first: int
    last: int
    frames: int


class Cut(NamedTuple):
    """
    Segments between two ports of which not even the TCP header was captured whole.

    @ivar first: the first frame.
    @ivar frames: how many there are.
    @ivar byte_count: what they carry on the wire beyond a TCP header of 20 bytes: options and data.
    """

    first: int
    frames: int
    byte_count: int


class Surroundings:
    """
    What was seen so far.

    @ivar clock: the frames' times.
    @ivar links: the link types of the interfaces that frames came from.
    @ivar dropped: how many frames the capture itself says that it dropped.
    @ivar errors: ICMP errors.
    @ivar lookups: DNS.
    @ivar layers: frames that are no TCP, by the name of their protocol.
    @ivar unknown_layers: the names among them that are numbers of what is not decoded.
    @ivar cut_frames: how many frames were cut in capturing.
    @ivar first_cut: the first of them, 0 if there is none.
    @ivar snap_bytes: the most bytes that were captured of one of them.
    @ivar cut_segments: of what is too short to be followed, by L{Segment.key}, for one direction.
    """

    def __init__(self) -> None:
        self.clock = Clock()
        self.links: set[int] = set()
        self.dropped = 0
        self.errors: list[IcmpError] = []
        self.lookups = Lookups()
        self.layers: dict[str, Layer] = {}
        self.cut_frames = self.first_cut = self.snap_bytes = 0
        self.cut_segments: dict[bytes, Cut] = {}
        self._answers: dict[int, Lookup] = {}
        self._errors_of: dict[int, list[IcmpError]] = {}
        self._arp: dict[tuple[bytes, bytes], Asked] = {}
        self._heard: set[bytes] = set()

    def observe(self, analysed: Analysed) -> None:
        """
        Take the next segment.
        """
        number, time_ns, data, length, _, _ = analysed[0][0]
        clock = self.clock
        if clock.now_ns is None or time_ns < clock.now_ns:
            clock.tick(number, time_ns)
        else:
            clock.now_ns = time_ns
        if len(data) < length:
            self._cut(number, len(data))
        if analysed[2].frames == 1:
            self._hear(analysed[2].raw_address)

    def begin(self, analysed: Analysed) -> None:
        """
        Take note of a conversation's first segment: what led to it was before.
        """
        client = analysed.conversation.client
        lookup = self.lookups.answer_for(client.raw_address, client.peer.raw_address)
        if lookup is not None:
            self._answers[analysed.stream] = lookup

    def observe_other(
        self, other: Other, error: IcmpError | None = None, stream: int | None = None
    ) -> None:
        """
        Take a frame that is no TCP segment.

        @param other: the frame.
        @param error: the ICMP error that it is.
        @param stream: the conversation that the error is about.
        """
        number, time_ns, data, length, _, _ = other.record
        self.clock.tick(number, time_ns)
        if len(data) < length:
            self._cut(number, len(data))
        protocol = other.protocol
        known = self.layers.get(protocol)
        if known is not None:
            self.layers[protocol] = Layer(known.first, known.frames + 1)
        elif len(self.layers) < LAYERS_MAX:
            self.layers[protocol] = Layer(number, 1)
        if error is not None:
            self._observe_error(error, stream)
        elif protocol == "UDP":
            self._observe_udp(other)
        elif protocol == "ARP":
            self._observe_arp(other)
        elif protocol == "TCP" and len(other.key) in {12, 36} and not other.problem:
            before = self.cut_segments.get(other.key)
            more = max(0, other.end - other.at - _TCP_LEAST_HEADER_BYTES)
            if before is not None:
                cut = Cut(before.first, before.frames + 1, before.byte_count + more)
                self.cut_segments[other.key] = cut
            elif len(self.cut_segments) < CUT_MAX:
                self.cut_segments[other.key] = Cut(number, 1, more)

    def finish(self) -> None:
        """
        There are no more frames.
        """
        self.lookups.finish()

    def errors_of(self, stream: int) -> Sequence[IcmpError]:
        """
        Give the ICMP errors about a conversation.
        """
        return self._errors_of.get(stream, ())

    def lookup_of(self, stream: int) -> Lookup | None:
        """
        Give the DNS answer that a conversation's client had before it began.
        """
        return self._answers.get(stream)

    @property
    def unknown_layers(self) -> Mapping[str, Layer]:
        """Frames of protocols that have no name here, and are not decoded."""
        return {
            name: layer
            for name, layer in self.layers.items()
            if name.startswith(("ethertype ", "link type ", "IP protocol "))
        }

    def unanswered_requests(self) -> Sequence[tuple[tuple[bytes, bytes], Asked]]:
        """
        List the ARP requests for hosts of which nothing was seen: who asked, for whom, when.

        @return: nothing where there are too many hosts to know.
        """
        if len(self._heard) >= NEIGHBOURS_MAX:
            return ()
        return [(both, asked) for both, asked in self._arp.items() if both[1] not in self._heard]

    def _cut(self, number: int, size: int) -> None:
        self.cut_frames += 1
        self.first_cut = self.first_cut or number
        self.snap_bytes = max(self.snap_bytes, size)

    def _observe_error(self, error: IcmpError, stream: int | None) -> None:
        if len(self.errors) < ERRORS_MAX:
            self.errors.append(error)
            if stream is not None:
                self._errors_of.setdefault(stream, []).append(error)

    def _observe_udp(self, other: Other) -> None:
        ports = other.key[-4:]
        half = len(other.key) // 2 - 2
        self._hear(other.key[:half])
        if dns.PORT not in {int.from_bytes(ports[:2]), int.from_bytes(ports[2:])}:
            return
        message = dns.read_message(other.data[other.at + _UDP_HEADER_BYTES : other.end])
        if message is not None:
            record = other.record
            self.lookups.receive(other.key, record.number, record.time_ns, message)

    def _observe_arp(self, other: Other) -> None:
        message = arp.read_arp(other.data, other.at)
        if message is None:
            return
        number = other.record.number
        if message.operation == arp.REQUEST and message.sender != message.target:
            both = message.sender, message.target
            before = self._arp.get(both)
            if before is not None:
                self._arp[both] = Asked(before.first, number, before.frames + 1)
            elif len(self._arp) < NEIGHBOURS_MAX:
                self._arp[both] = Asked(number, number, 1)
        if any(message.sender):
            self._hear(message.sender)

    def _hear(self, address: bytes) -> None:
        if len(self._heard) < NEIGHBOURS_MAX:
            self._heard.add(address)
