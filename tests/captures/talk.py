"""
Conversations made up frame by frame, with right numbers unless a test asks for wrong ones.
"""

from __future__ import annotations

from tests.captures.frames import (
    ACK,
    FIN,
    LINK_ETHERNET,
    LINK_NULL,
    PSH,
    SYN,
    Checksum,
    Segment,
    ethernet_frame,
    ip_packet,
    null_frame,
    pcap_file,
    sack_option,
    syn_options,
)

_START_NS = 1_700_000_000_000_000_000
_HARDWARE = {"c": b"\x02\0\0\0\0\x01", "s": b"\x02\0\0\0\0\x02"}


class Talk:
    """
    A client and a server. C{c} and C{s} name them; each keeps count of what it has sent.

    @ivar frames: Time in nanoseconds since 1970 and bytes of each frame so far.
    @ivar now_ns: When the last frame was captured.
    """

    def __init__(
        self,
        client: str = "10.0.0.1",
        server: str = "10.0.0.2",
        *,
        ports: tuple[int, int] = (40000, 8080),
        isn: tuple[int, int] = (1000, 5000),
        shift: int | None = 7,
        mss: int = 1460,
        link_type: int = LINK_ETHERNET,
        frames: list[tuple[int, bytes]] | None = None,
        now_ns: int = _START_NS,
    ) -> None:
        self.frames = [] if frames is None else frames
        self.now_ns = now_ns
        self._link_type = link_type
        self._shift = shift
        self._mss = mss
        self._addresses = {"c": client, "s": server}
        self._ports = dict(zip("cs", ports, strict=True))
        self.next = dict(zip("cs", isn, strict=True))
        self.received = {"c": 0, "s": 0}

    def send(
        self,
        end: str,
        flags: int = ACK,
        data: bytes = b"",
        *,
        after_ms: float = 1,
        seq: int | None = None,
        ack: int | None = None,
        window: int = 500,
        checksum: Checksum = Checksum.GOOD,
        ttl: int = 64,
        arrives: bool = True,
        is_captured: bool = True,
        padded: bool = False,
        sacks: tuple[tuple[int, int], ...] = (),
    ) -> None:
        """
        Send a segment.

        @param end: C{c} or C{s}.
        @param flags: Of L{tests.captures.frames}.
        @param data: The payload.
        @param after_ms: Milliseconds since the last frame.
        @param seq: A raw sequence number; by default the right one.
        @param ack: A raw acknowledgement number; by default all that has arrived.
        @param window: The window field.
        @param checksum: What stands in the checksum field.
        @param ttl: Time to live.
        @param arrives: Whether the peer has it before it sends itself.
        @param is_captured: Whether the capture has it.
        @param padded: Whether it has been on an Ethernet.
        @param sacks: Ranges of raw numbers that are acknowledged selectively.
        """
        other = "s" if end == "c" else "c"
        self.now_ns += round(after_ms * 1_000_000)
        number = self.next[end] if seq is None else seq
        segment = Segment(
            self._addresses[end],
            self._addresses[other],
            self._ports[end],
            self._ports[other],
            number,
            (self.received[end] if ack is None else ack) if flags & ACK else 0,
            flags,
            data,
            window,
            syn_options(self._mss, self._shift) if flags & SYN else sack_option(sacks),
            checksum,
            ttl,
        )
        if seq is None:
            taken = len(data) + bool(flags & SYN) + bool(flags & FIN)
            self.next[end] = (number + taken) % 2**32
            if arrives and taken:
                self.received[other] = self.next[end]
        if is_captured:
            packet = ip_packet(segment, identification=len(self.frames) % 65535 + 1)
            frame = (
                null_frame(packet)
                if self._link_type == LINK_NULL
                else ethernet_frame(packet, _HARDWARE[end], _HARDWARE[other], padded=padded)
            )
            self.frames.append((self.now_ns, frame))

    def arrive(self, end: str) -> None:
        """
        Let an end have all that its peer has sent.
        """
        self.received[end] = self.next["s" if end == "c" else "c"]

    def open(self, *, half_ms: tuple[float, float] = (1, 1)) -> Talk:
        """
        Shake hands.

        @param half_ms: Milliseconds from the SYN to its answer, and from that to the last ACK.
        """
        self.send("c", SYN)
        self.send("s", SYN | ACK, after_ms=half_ms[0])
        self.send("c", ACK, after_ms=half_ms[1])
        return self

    def say(self, end: str, data: bytes, *, after_ms: float = 1) -> Talk:
        """
        Send data, and acknowledge it at once.
        """
        self.send(end, PSH | ACK, data, after_ms=after_ms)
        self.send("s" if end == "c" else "c", ACK, after_ms=0.1)
        return self

    def close(self, first: str, *, after_ms: float = 1, then_ms: float = 1) -> Talk:
        """
        Close in four frames.

        @param first: Who closes first.
        @param after_ms: How long after the last frame.
        @param then_ms: How long the other end waits.
        """
        other = "s" if first == "c" else "c"
        self.send(first, FIN | ACK, after_ms=after_ms)
        self.send(other, ACK, after_ms=0.1)
        self.send(other, FIN | ACK, after_ms=then_ms)
        self.send(first, ACK, after_ms=0.1)
        return self

    def again(self, port: int, isn: tuple[int, int] = (70000, 90000)) -> Talk:
        """
        Begin another connection of the same client, in the same capture.
        """
        return Talk(
            self._addresses["c"],
            self._addresses["s"],
            ports=(port, self._ports["s"]),
            isn=isn,
            shift=self._shift,
            mss=self._mss,
            link_type=self._link_type,
            frames=self.frames,
            now_ns=self.now_ns,
        )

    def pcap(self) -> bytes:
        """
        Give the capture so far.
        """
        return pcap_file(self._link_type, self.frames)
