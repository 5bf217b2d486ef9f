"""
The record layer: the bytes of one direction to TLS records (RFC 8446 section 5.1).

Nothing is believed of a header but what a bound allows. A stream of which bytes are missing is
taken up again at the first byte after them, if a header stands there, and else only where two
headers follow each other at the distance that the first one says.
"""

from __future__ import annotations

import re
from enum import IntEnum
from heapq import heappop, heappush
from typing import Final, NamedTuple

from netlab.analysis.http.reassembly import Piece
from netlab.analysis.tls.carriers import ByteSpan, Carriers, Travel, travel_of

HEADER_BYTES: Final = 5

#: RFC 5246 section 6.2.3 lets a protected record grow by 2048 bytes, RFC 8446 section 5.2 by 256.
FRAGMENT_MAX_BYTES: Final = (1 << 14) + 2048

RECORD_MAX_BYTES: Final = HEADER_BYTES + FRAGMENT_MAX_BYTES

#: What is kept of a stream in which the next header is looked for: each candidate is confirmed, or
#: refuted, before the bytes after it are dropped.
_LOST_MAX_BYTES: Final = 2 * RECORD_MAX_BYTES

#: Types 20 to 24 and major version 3: SSL 3.0, TLS 1.0 to 1.2, and TLS 1.3, which says 1.2 here.
HEADER: Final = re.compile(rb"[\x14-\x18]\x03[\x00-\x04]")

#: The same, as far as it goes.
_HEADER_BEGINS: Final = re.compile(rb"(?:[\x14-\x18](?:\x03[\x00-\x04]?)?)?\Z")


class ContentType(IntEnum):
    """
    What a record carries.
    """

    CHANGE_CIPHER_SPEC = 20
    ALERT = 21
    HANDSHAKE = 22
    APPLICATION_DATA = 23
    HEARTBEAT = 24


class TLSRecord(NamedTuple):
    """
    One record as it travelled.

    @ivar type: of L{ContentType}.
    @ivar version: as its header has it, such as 0x0303.
    @ivar length: of its fragment in bytes, by its header.
    @ivar fragment: what was captured of it, up to the first byte that was not.
    @ivar spans: who carried its bytes, counted from the header's first.
    @ivar is_after_gap: whether bytes before it were not captured, or were no records.
    """

    type: ContentType
    version: int
    length: int
    fragment: bytes
    spans: tuple[ByteSpan, ...]
    is_after_gap: bool

    @property
    def is_whole(self) -> bool:
        """
        Whether all of it was captured.
        """
        return len(self.fragment) == self.length

    @property
    def header(self) -> bytes:
        """
        The header's bytes.
        """
        return bytes((self.type, self.version >> 8, self.version & 0xFF)) + self.length.to_bytes(
            2, "big"
        )

    @property
    def travel(self) -> Travel:
        """
        The frames that carried it.
        """
        return travel_of(self.spans)

    def carriers_of(self, begin: int, end: int) -> list[ByteSpan]:
        """
        Tell who carried some bytes of its fragment.

        @return: counted from C{begin}.
        """
        begin, end = begin + HEADER_BYTES, end + HEADER_BYTES
        return [
            ByteSpan(max(span.begin, begin) - begin, min(span.end, end) - begin, *span[2:])
            for span in self.spans
            if span.begin < end and span.end > begin
        ]


def begins_record(data: bytes) -> bool:
    """
    Tell whether bytes may be the beginning of a record, as far as they go.
    """
    if len(data) < 3:
        return bool(data) and _HEADER_BEGINS.match(data) is not None
    return HEADER.match(data) is not None


class RecordReader:
    """
    Reads one direction. Holds at most the bytes of two records.

    @ivar skipped: how many captured bytes were passed over because they belong to no record that
        could be made out.
    @ivar missing: how many bytes were not captured.
    """

    __slots__ = (
        "_base",
        "_buffer",
        "_candidates",
        "_carriers",
        "_hole",
        "_is_after_gap",
        "_resumes_at",
        "_scanned",
        "is_lost",
        "missing",
        "skipped",
    )

    def __init__(self, *, is_from_start: bool = True) -> None:
        """
        @param is_from_start: whether the first byte is the first of a record.
        """
        self._buffer = bytearray()
        self._base = 0
        self._carriers = Carriers()
        self._hole: int | None = None
        self._scanned = 0
        self._resumes_at = -1 if is_from_start else 0
        self._candidates: list[tuple[int, int]] = []
        self.is_lost = self._is_after_gap = not is_from_start
        self.skipped = self.missing = 0

    def receive(self, piece: Piece) -> list[TLSRecord]:
        """
        Take the next bytes.

        @return: the records that they complete.
        """
        records: list[TLSRecord] = []
        if piece.data:
            self._buffer += piece.data
            self._carriers.append(len(piece.data), piece.frame, piece.time_ns)
            self._read(records)
        if piece.missing:
            self.missing += piece.missing
            self._pass_over(piece, records)
        return records

    @property
    def unfinished_bytes(self) -> int:
        """
        How many bytes of a record wait for the rest of it.
        """
        return 0 if self.is_lost else len(self._buffer)

    @property
    def passed_over(self) -> int:
        """
        How many bytes belong to no record so far: L{skipped}, and those that still may.
        """
        return self.skipped + (len(self._buffer) if self.is_lost else 0)

    def forget(self) -> None:
        """
        Keep no bytes: no more will be given.
        """
        self._lose(len(self._buffer))

    def _read(self, records: list[TLSRecord]) -> None:
        while True:
            if self.is_lost and not self._resume() and not self._find():
                return
            buffer = self._buffer
            if not begins_record(bytes(buffer[:3])) or self._length() > FRAGMENT_MAX_BYTES:
                if not buffer:
                    return
                self._lose(1)
                continue
            if len(buffer) < HEADER_BYTES or len(buffer) < HEADER_BYTES + self._length():
                return
            records.append(self._take(HEADER_BYTES + self._length()))

    def _length(self) -> int:
        return int.from_bytes(self._buffer[3:HEADER_BYTES], "big") if self._has_header else 0

    @property
    def _has_header(self) -> bool:
        return len(self._buffer) >= HEADER_BYTES

    def _take(self, size: int) -> TLSRecord:
        """
        Take the record that the buffer begins with.

        @param size: how many bytes there are of it.
        """
        buffer = self._buffer
        known = size if self._hole is None else min(size, self._hole)
        record = TLSRecord(
            ContentType(buffer[0]),
            int.from_bytes(buffer[1:3], "big"),
            self._length(),
            bytes(buffer[HEADER_BYTES:known]),
            tuple(self._carriers.spans(self._base, self._base + size)),
            self._is_after_gap,
        )
        self._is_after_gap = False
        self._hole = None
        self._drop(size)
        return record

    def _drop(self, size: int) -> None:
        del self._buffer[:size]
        self._base += size
        self._carriers.forget(self._base)
        if self._base >= self._scanned:
            self._candidates.clear()

    def _pass_over(self, piece: Piece, records: list[TLSRecord]) -> None:
        """
        Pass over bytes that were not captured: within a record, whose end its header tells; else
        the next header has to be looked for.
        """
        if not self.is_lost and self._has_header:
            room = HEADER_BYTES + self._length() - len(self._buffer)
            if self._hole is None:
                self._hole = len(self._buffer)
            if piece.missing <= room:
                self._buffer += bytes(piece.missing)
                self._carriers.append(piece.missing, piece.frame, piece.time_ns)
                self._read(records)
                return
            records.append(self._take(len(self._buffer)))
        self._lose(len(self._buffer))
        self._base += piece.missing
        self._scanned = self._resumes_at = self._base
        self._carriers.skip(self._base)

    def _lose(self, size: int) -> None:
        """
        Give up until two headers follow each other.

        @param size: how many bytes of the buffer are passed over.
        """
        self.skipped += size - self._holes_within(size)
        self._hole = None
        self._drop(size)
        self.is_lost = self._is_after_gap = True
        # What was found in the bytes that are left still holds: to look at them again each time
        # would cost the square of their number.
        self._scanned = max(self._scanned, self._base)

    def _holes_within(self, size: int) -> int:
        return 0 if self._hole is None else max(0, size - self._hole)

    def _resume(self) -> bool:
        """
        Take up reading at the first byte after a gap, where frames often begin with a header. By
        chance, encrypted bytes look like one at a given place once in two million times.
        """
        if self._resumes_at != self._base or not self._has_header:
            return False
        self._resumes_at = -1
        if HEADER.match(self._buffer) is None or not 0 < self._length() <= FRAGMENT_MAX_BYTES:
            return False
        self._candidates.clear()
        self._scanned = self._base
        self.is_lost = False
        return True

    def _find(self) -> bool:
        """
        Look for a header at whose record's end another one stands.

        Each byte is looked at once, and each candidate is confirmed or refuted once, in whatever
        portions the bytes come, and however often reading is taken up and lost again.
        """
        buffer, base = self._buffer, self._base
        for match in HEADER.finditer(buffer, self._scanned - base):
            at = match.start()
            length = int.from_bytes(buffer[at + 3 : at + HEADER_BYTES], "big")
            if at + HEADER_BYTES <= len(buffer) and 0 < length <= FRAGMENT_MAX_BYTES:
                heappush(self._candidates, (base + at + HEADER_BYTES + length, base + at))
        self._scanned = max(self._scanned, base + len(buffer) - HEADER_BYTES + 1)
        while self._candidates:
            end, at = self._candidates[0]
            if at < base:
                # It stands in what was read meanwhile.
                heappop(self._candidates)
                continue
            following = bytes(buffer[end - base : end - base + 3])
            if len(following) < 3:
                break
            heappop(self._candidates)
            if HEADER.match(following):
                self.skipped += at - base
                self._drop(at - base)
                self.is_lost = False
                return True
        if len(buffer) > _LOST_MAX_BYTES:
            surplus = len(buffer) - _LOST_MAX_BYTES
            self.skipped += surplus
            self._drop(surplus)
        return False
