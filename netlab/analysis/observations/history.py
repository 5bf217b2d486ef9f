"""
The segments of a conversation in order, as its claims are judged by: bounded, and comparable.

Positions count the numbers of one direction from its initial sequence number: the SYN is at 0, the
first byte at 1. They do not wrap. Where the SYN was not captured, the first number seen is 1.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from netlab.analysis.tcp.conversation import Conversation
from netlab.analysis.tcp.frames import Analysed
from netlab.capture.options import Options
from netlab.capture.segments import Checksum, Flag

SEGMENTS_MAX: Final = 10_000
"""How many segments of a conversation are kept one by one."""

PAYLOAD_KEPT_MAX_BYTES: Final = 16 << 20
"""How many bytes of payload a history keeps, to compare what was sent again with what was sent."""

_ACK: Final = int(Flag.ACK)
_FIN: Final = int(Flag.FIN)
_RST: Final = int(Flag.RST)
_SYN: Final = int(Flag.SYN)
_MODULUS: Final = 1 << 32


class Sent(NamedTuple):
    """
    One segment.

    @ivar number: of its frame.
    @ivar time_ns: when it was captured, in nanoseconds since 1970.
    @ivar sender: 0 or 1: the index of its flow in C{conversation.flows}.
    @ivar flags: of L{netlab.capture.segments.Flag}.
    @ivar start: the position of its first number.
    @ivar end: the position after its last number; SYN and FIN take one each.
    @ivar length: payload bytes, captured or not.
    @ivar ack: the position, in the other direction, that it expects next; None without ACK.
    @ivar seq_raw: its sequence number as sent.
    @ivar ack_raw: its acknowledgement number as sent.
    @ivar window: in bytes, scaled as far as the scale was known by then.
    @ivar marks: of L{netlab.analysis.tcp.frames.Mark}.
    @ivar ttl: time to live, or hop limit.
    @ivar ip_id: IPv4's identification; 0 for IPv6.
    @ivar urgent: the urgent pointer; 0 without URG.
    @ivar options: the values of its options.
    @ivar checksum: what its checksum says.
    @ivar payload: its bytes as far as they were captured and are kept.
    """

    number: int
    time_ns: int
    sender: int
    flags: int
    start: int
    end: int
    length: int
    ack: int | None
    seq_raw: int
    ack_raw: int
    window: int
    marks: int
    ttl: int
    ip_id: int
    urgent: int
    options: Options
    checksum: Checksum
    payload: bytes

    @property
    def has_syn(self) -> bool:
        """Whether SYN is set."""
        return bool(self.flags & _SYN)

    @property
    def has_ack(self) -> bool:
        """Whether ACK is set."""
        return bool(self.flags & _ACK)

    @property
    def has_fin(self) -> bool:
        """Whether FIN is set."""
        return bool(self.flags & _FIN)

    @property
    def has_rst(self) -> bool:
        """Whether RST is set."""
        return bool(self.flags & _RST)

    @property
    def data_start(self) -> int:
        """The position of its first byte of payload."""
        return self.start + self.has_syn

    @property
    def data_end(self) -> int:
        """The position after its last byte of payload."""
        return self.data_start + self.length

    def shares_bytes(self, other: Sent) -> bool | None:
        """
        Tell whether two segments of one direction carry the same bytes where their numbers overlap.

        @return: None where they do not overlap, or the bytes that do were not all captured.
        """
        low = max(self.data_start, other.data_start)
        high = min(self.data_end, other.data_end)
        if low >= high or self.sender != other.sender:
            return None
        own = self.payload[low - self.data_start : high - self.data_start]
        others = other.payload[low - other.data_start : high - other.data_start]
        if len(own) < high - low or len(others) < high - low:
            return None
        return own == others


class History:
    """
    What one conversation's segments were.

    @ivar conversation: whose they are.
    @ivar segments: the first L{SEGMENTS_MAX} of them, in the order of the capture.
    @ivar left_out: how many more there were.
    """

    __slots__ = ("_bases", "_kept_bytes", "_next", "conversation", "left_out", "segments")

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.segments: list[Sent] = []
        self.left_out = 0
        self._bases: list[int | None] = [None, None]
        self._next = [1, 1]
        self._kept_bytes = 0

    @property
    def is_whole(self) -> bool:
        """Whether no segment was left out."""
        return not self.left_out

    @property
    def client(self) -> int:
        """The index of the end that opened the connection, or seems to have."""
        return self.conversation.client.index

    def name(self, sender: int) -> str:
        """
        Call an end by its part.

        @return: C{client} or C{server}.
        """
        return "client" if sender == self.client else "server"

    def add(self, analysed: Analysed) -> None:
        """
        Take the conversation's next segment.
        """
        if len(self.segments) >= SEGMENTS_MAX:
            self.left_out += 1
            return
        segment = analysed.segment
        flags = segment.flags
        sender = analysed.flow.index
        start = self._position(sender, segment.seq, 0 if flags & _SYN else 1)
        end = start + segment.seglen
        ack = self._position(1 - sender, segment.ack, 1) if flags & _ACK else None
        self._next[sender] = max(self._next[sender], end)
        payload = segment.payload
        if self._kept_bytes + len(payload) > PAYLOAD_KEPT_MAX_BYTES:
            payload = b""
        self._kept_bytes += len(payload)
        at = segment.tcp_at + 18
        self.segments.append(
            Sent(
                analysed.number,
                analysed.time_ns,
                sender,
                flags,
                start,
                end,
                segment.length,
                ack,
                segment.seq,
                segment.ack,
                analysed.window_size,
                analysed.marks,
                segment.ttl,
                segment.ip_id,
                int.from_bytes(segment.data[at : at + 2]) if flags & Flag.URG else 0,
                segment.option_values,
                segment.checksum,
                payload,
            )
        )

    def _position(self, sender: int, raw: int, first: int) -> int:
        """
        Give the position of a raw number: of all those that it may be, the nearest to what that
        end would send next.

        @param first: the position that it has if nothing is known of its direction yet.
        """
        base = self._bases[sender]
        if base is None:
            base = self._bases[sender] = (raw - first) % _MODULUS
            self._next[sender] = max(self._next[sender], first)
        near = self._next[sender]
        distance = (raw - base - near) % _MODULUS
        if distance >= _MODULUS // 2:
            distance -= _MODULUS
        return near + distance
