"""
The segments of a conversation in order, as its claims are judged by: bounded, and comparable.

Positions count the numbers of one direction from its initial sequence number: the SYN is at 0, the
first byte at 1. They do not wrap. Where the SYN was not captured, the first number seen is 1.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from netlab.analysis.http.exchange import ExchangeReader
from netlab.analysis.tcp.conversation import Conversation
from netlab.analysis.tcp.frames import Analysed
from netlab.analysis.tls.conversation import TLSReader
from netlab.analysis.tls.observations import TLSConversation
from netlab.capture.options import TCPOptions
from netlab.capture.segments import Checksum, Flag

SEGMENTS_MAX: Final = 10_000
"""How many segments of a conversation are kept one by one."""

PAYLOAD_KEPT_MAX_BYTES: Final = 16 << 20
"""How many bytes of payload a history keeps, to compare what was sent again with what was sent."""

BEGINNING_MAX: Final = 64
"""How many segments of a conversation are kept where the capture is too large to keep all."""

NOTEWORTHY_MAX: Final = 256
"""How many of those after them are kept that are marked, or end a silence."""

EVENTS_MAX: Final = 128
"""How many of those after them are kept that open, close or reset, or follow a FIN."""

BASES_MAX: Final = 8
"""How many initial sequence numbers of one end are distinguished."""

SILENCE_MIN_NS: Final = 500_000_000
"""From how long on a silence is noted where not all segments are kept."""

_ACK: Final = int(Flag.ACK)
_FIN: Final = int(Flag.FIN)
_RST: Final = int(Flag.RST)
_SYN: Final = int(Flag.SYN)
_URG: Final = int(Flag.URG)
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
    options: TCPOptions
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
    @ivar segments: the first L{SEGMENTS_MAX} of them, in the order of the capture; of a large
        capture L{BEGINNING_MAX} and up to L{NOTEWORTHY_MAX} after them.
    @ivar keeps_payload: whether bytes of payloads are kept, by which copies are compared: where
        payloads are hidden, whether two are the same is hidden too.
    @ivar left_out: how many more there were.
    @ivar unbroken: how many of them, from the first on, have none left out between them; None for
        all.
    @ivar http: the conversation read as HTTP, once it is over.
    @ivar tls: what the conversation did in TLS, once it is over; None if nothing.
    @ivar client: the index of the end that opened the connection, or seems to have.
    @ivar silences: of a large capture, for frames that end a silence, the frame before it and how
        long it was, in nanoseconds.
    @ivar announced_close: of a large capture, the last frame whose answer said
        C{Connection: close}; 0 if none did.
    @ivar discarded: the frames that their receiver discards, once it is over.
    @ivar course: what L{netlab.analysis.observations.course.course_of} has made of it.
    """

    __slots__ = (
        "_bases",
        "_events",
        "_kept_bytes",
        "_next",
        "_noteworthy",
        "announced_close",
        "client",
        "conversation",
        "course",
        "discarded",
        "http",
        "keeps_payload",
        "left_out",
        "segments",
        "silences",
        "tls",
        "unbroken",
    )

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.keeps_payload = True
        self.segments: list[Sent] = []
        self.left_out = 0
        self.unbroken: int | None = None
        self.http = ExchangeReader()
        self.silences: dict[int, tuple[int, int]] = {}
        self.announced_close = 0
        self.discarded: frozenset[int] = frozenset()
        self.course: object = None
        self._events = self._noteworthy = 0
        self.tls: TLSConversation | None = None
        self.client = conversation.client.index
        self._bases: tuple[list[int], list[int]] = ([], [])
        self._next = [1, 1]
        self._kept_bytes = 0

    @property
    def is_whole(self) -> bool:
        """Whether no segment was left out."""
        return not self.left_out

    @property
    def has_both(self) -> bool:
        """Whether both ends sent something that was captured."""
        return len({each.sender for each in self.segments}) == 2

    @property
    def has_all_events(self) -> bool:
        """Whether each segment that opens, closes or resets the connection is here."""
        return self._events <= EVENTS_MAX and (self.is_whole or len(self.segments) < SEGMENTS_MAX)

    def name(self, sender: int) -> str:
        """
        Call an end by its part.

        @return: C{client} or C{server}.
        """
        return "client" if sender == self.client else "server"

    def add(
        self,
        analysed: Analysed,
        checksum: Checksum | None = None,
        payload_max: int = PAYLOAD_KEPT_MAX_BYTES,
    ) -> int:
        """
        Take the conversation's next segment.

        @param checksum: what its checksum says, if that is known already.
        @param payload_max: how many bytes of its payload may be kept; a longer one is not.
        @return: how many are.
        """
        if len(self.segments) >= SEGMENTS_MAX:
            self.left_out += 1
            return 0
        segment = analysed.segment
        flags = segment.flags
        sender = analysed.flow.index
        has_syn = flags & _SYN
        start = self._position(sender, segment.seq, 0 if has_syn else 1, is_first=bool(has_syn))
        end = start + segment.seglen
        ack = self._position(1 - sender, segment.ack, 1) if flags & _ACK else None
        if not flags & _RST:
            self._next[sender] = max(self._next[sender], end)
        payload = segment.payload
        room = payload_max if self.keeps_payload else 0
        if len(payload) > room or self._kept_bytes + len(payload) > PAYLOAD_KEPT_MAX_BYTES:
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
                int.from_bytes(segment.data[at : at + 2]) if flags & _URG else 0,
                segment.option_values,
                segment.checksum if checksum is None else checksum,
                payload,
            )
        )
        return len(payload)

    def add_noteworthy(
        self, analysed: Analysed, before: int, silent_ns: int, *, is_event: bool
    ) -> None:
        """
        Take the next segment that is noteworthy, of a capture too large to keep all.

        @param before: the frame before it.
        @param silent_ns: how long ago that was.
        @param is_event: whether it opens, closes or resets, or follows a FIN.
        """
        if self.unbroken is None:
            self.unbroken = len(self.segments)
        if is_event:
            self._events += 1
            if self._events > EVENTS_MAX:
                return
        else:
            self._noteworthy += 1
            if self._noteworthy > NOTEWORTHY_MAX:
                return
        if silent_ns >= SILENCE_MIN_NS:
            self.silences[analysed.number] = before, silent_ns
        self.add(analysed, payload_max=0)

    def finish(self, total: int, client: int, http: ExchangeReader, tls: TLSReader) -> None:
        """
        There are no more segments.

        @param total: how many there were, with those that were not given.
        @param client: the index of the end that opened the connection, or seems to have.
        @param http: the conversation read as HTTP.
        @param tls: the conversation read as TLS.
        """
        self.left_out = max(total - len(self.segments), 0)
        self.client = client
        self.http = http
        self.tls = tls.conversation() if tls.is_tls else None

    def _position(self, sender: int, raw: int, first: int, *, is_first: bool = False) -> int:
        """
        Give the position of a raw number: of all those that it may be, the nearest to what that
        end would send next.

        @param first: the position that it has if nothing is known of its direction yet.
        @param is_first: whether it is an initial sequence number, which is at 0. One end may send
            several, and go on with any of them.
        """
        bases = self._bases[sender]
        base = (raw - first) % _MODULUS
        if not bases:
            bases.append(base)
            self._next[sender] = max(self._next[sender], first)
        if is_first:
            if base not in bases and len(bases) < BASES_MAX:
                bases.append(base)
            return 0
        near = self._next[sender]
        distances = [_signed(raw - each - near) for each in bases]
        return near + min(distances, key=abs)


def _signed(distance: int) -> int:
    """
    Give a difference of two sequence numbers its sign.
    """
    distance %= _MODULUS
    return distance - _MODULUS if distance >= _MODULUS // 2 else distance
