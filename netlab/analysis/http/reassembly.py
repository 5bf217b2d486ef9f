"""
One direction of a connection put back in order: each byte once, with the frame that carried it.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass
from typing import Final

#: How many bytes may wait for a gap to be filled; beyond it the gap is given up. A receive window
#: without scaling is 64 KiB; with it, a sender seldom has more than this in flight.
WAITING_MAX_BYTES: Final = 1 << 20

#: How many segments may wait for a gap to be filled; 1 MiB in segments of 1460 bytes is 719.
WAITING_MAX_SEGMENTS: Final = 1024

_HALF: Final = 1 << 31
_MASK: Final = (1 << 32) - 1


@dataclass(frozen=True, slots=True, order=True)
class Piece:
    """
    Bytes that follow each other in the stream and came in one frame.

    @ivar offset: where they stand, counted from the stream's first byte; unlike a sequence number
        it does not wrap around.
    @ivar data: the bytes.
    @ivar missing: how many bytes after them are not in the capture, because the frame was cut
        short or, where there are no C{data}, because no frame carried them.
    @ivar frame: the number of the frame; for bytes that no frame carried, of the one after them.
    @ivar time_ns: when that frame was captured, in nanoseconds since 1970.
    """

    offset: int
    data: bytes
    missing: int
    frame: int
    time_ns: int

    @property
    def end(self) -> int:
        """
        Where the byte after it stands.
        """
        return self.offset + len(self.data) + self.missing


class Reassembler:
    """
    Puts the segments of one direction in order (RFC 9293 section 3.10.7.4, "segments with higher
    beginning sequence numbers should be held for later processing").

    Bytes that come twice are taken from the frame that brought them first. What waits for a gap is
    bounded by L{WAITING_MAX_BYTES} and L{WAITING_MAX_SEGMENTS}.
    """

    __slots__ = ("_next_seq", "_waiting", "_waiting_bytes", "next_offset")

    def __init__(self) -> None:
        self._next_seq: int | None = None
        self._waiting: list[Piece] = []
        self._waiting_bytes = 0
        self.next_offset = 0

    def begin(self, seq: int) -> None:
        """
        Say where the stream begins; without it, it begins with the first segment that has data.

        @param seq: the raw sequence number of the first byte, which is the SYN's plus one.
        """
        self._next_seq = seq & _MASK

    def receive(
        self, seq: int, data: bytes, length: int, frame: int, time_ns: int
    ) -> tuple[Piece, ...]:
        """
        Take a segment.

        @param seq: the raw sequence number of its first byte.
        @param data: what was captured of its payload.
        @param length: how many bytes its payload had.
        @param frame: the number of its frame.
        @param time_ns: when it was captured, in nanoseconds since 1970.
        @return: what can now be read, in order: often this segment, sometimes nothing, sometimes
            what waited for it too.
        """
        if self._next_seq is None:
            self._next_seq = seq & _MASK
        distance = (seq - self._next_seq) & _MASK
        if distance >= _HALF:
            distance -= 1 << 32
        piece = Piece(self.next_offset + distance, data, length - len(data), frame, time_ns)
        if not length or piece.end <= self.next_offset:
            return ()
        if distance > 0:
            insort(self._waiting, piece)
            self._waiting_bytes += len(data)
            return self._give_up() if self._is_full() else ()
        read = [self._take(piece)]
        self._take_waiting(read)
        return tuple(read)

    def acknowledge(self, ack: int) -> tuple[Piece, ...]:
        """
        Take note of what the other end acknowledges: what is missing before that has arrived, and
        the capture does not have it.

        @param ack: the raw acknowledgement number.
        @return: what can be read after the gaps that are given up, as L{finish} gives it.
        """
        if not self._waiting or self._next_seq is None:
            return ()
        distance = (ack - self._next_seq) & _MASK
        if distance >= _HALF:
            return ()
        reached = self.next_offset + distance
        if reached > self._waiting[-1].end:
            # More than was ever seen: it may be of another connection, or wrong.
            return ()
        read: list[Piece] = []
        while self._waiting and self._waiting[0].offset < reached:
            read.extend(self._give_up())
        return tuple(read)

    def has_reached(self, seq: int) -> bool:
        """
        Say whether all bytes before a place have been read.

        @param seq: the raw sequence number of that place, such as a FIN's.
        """
        return self._next_seq is None or (self._next_seq - seq) & _MASK < _HALF

    def finish(self) -> tuple[Piece, ...]:
        """
        Give what still waits, with a L{Piece} without data for each gap before it.
        """
        read: list[Piece] = []
        while self._waiting:
            read.extend(self._give_up())
        return tuple(read)

    def forget(self) -> None:
        """
        Keep nothing of what waits: nobody will ask for it.
        """
        self._waiting.clear()
        self._waiting_bytes = 0

    def _is_full(self) -> bool:
        return self._waiting_bytes > WAITING_MAX_BYTES or len(self._waiting) > WAITING_MAX_SEGMENTS

    def _give_up(self) -> tuple[Piece, ...]:
        """
        Pass over the first gap.
        """
        first = self._waiting[0]
        gap = first.offset - self.next_offset
        read = [self._take(Piece(self.next_offset, b"", gap, first.frame, first.time_ns))]
        self._take_waiting(read)
        return tuple(read)

    def _take_waiting(self, read: list[Piece]) -> None:
        taken = 0
        for piece in self._waiting:
            if piece.offset > self.next_offset:
                break
            taken += 1
            self._waiting_bytes -= len(piece.data)
            if piece.end > self.next_offset:
                read.append(self._take(piece))
        del self._waiting[:taken]

    def _take(self, piece: Piece) -> Piece:
        """
        Make a piece begin where the last one ended, and be the last one.
        """
        known = self.next_offset - piece.offset
        data = piece.data[known:]
        missing = piece.missing - max(0, known - len(piece.data))
        taken = Piece(self.next_offset, data, missing, piece.frame, piece.time_ns)
        assert self._next_seq is not None
        self._next_seq = (self._next_seq + taken.end - self.next_offset) & _MASK
        self.next_offset = taken.end
        return taken
