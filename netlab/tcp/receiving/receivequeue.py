"""
The bytes that have arrived: those in order, which can be read, and those behind a gap.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

OUT_OF_ORDER_PIECES_MAX: Final = 1024
"""
How many pieces are kept behind gaps. A sender of full segments needs as many as its window has
segments; one that means harm sends every other byte, and each piece costs more than its byte.
"""

SACK_RANGES_MAX: Final = 4
"""How many ranges are remembered by their age; no segment has room for more."""


class ReceiveQueue:
    """
    The stream as far as it has arrived.

    @ivar nxt: RCV.NXT: the sequence number behind the last byte in order, and the FIN if it is.
    @ivar fin: the sequence number of the FIN, or C{None} if it has not been seen.
    @ivar sacks: the ranges behind gaps, the one that changed last first; at most
        L{SACK_RANGES_MAX}.
    @ivar duplicate: the range that arrived although it had been there, until it is reported
        (RFC 2883); C{None} if there is none.
    @ivar out_of_order: bytes behind gaps.
    """

    __slots__ = ("_pieces", "_ready", "duplicate", "fin", "nxt", "out_of_order", "sacks")

    def __init__(self, nxt: int) -> None:
        self.nxt = nxt
        self.fin: int | None = None
        self.sacks: list[tuple[int, int]] = []
        self.duplicate: tuple[int, int] | None = None
        self.out_of_order = 0
        self._ready = bytearray()
        self._pieces: list[tuple[int, bytes]] = []

    @property
    def unread(self) -> int:
        """
        Bytes that can be read.
        """
        return len(self._ready)

    @property
    def has_gap(self) -> bool:
        """
        Whether something has arrived that is behind a gap.
        """
        return bool(self._pieces)

    @property
    def is_finished(self) -> bool:
        """
        Whether all has arrived, up to and with the FIN.
        """
        return self.fin is not None and self.nxt > self.fin

    def read(self, maximum: int) -> bytes:
        """
        Take bytes out.

        @param maximum: how many at most.
        """
        ready = self._ready
        if maximum >= len(ready):
            data = bytes(ready)
            ready.clear()
        else:
            data = bytes(memoryview(ready)[:maximum])
            del ready[:maximum]
        return data

    def peek(self) -> bytes:
        """
        Copy the bytes that can be read.
        """
        return bytes(self._ready)

    def note_fin(self, seq: int) -> None:
        """
        Note where the stream ends. The first FIN counts: a peer that ends its stream twice, at two
        places, lies at least once.
        """
        if self.fin is None:
            self.fin = seq
            if self.nxt == seq and not self._pieces:
                self.nxt += 1

    def add(self, seq: int, payload: bytes) -> int:
        """
        Take a segment's payload.

        @param seq: the sequence number of its first byte; the payload ends within the window.
        @return: by how many bytes C{nxt} has moved.
        """
        nxt = self.nxt
        if seq == nxt and not self._pieces and self.fin is None:
            self._ready += payload
            self.nxt = nxt + len(payload)
            return len(payload)
        end = seq + len(payload)
        if self.fin is not None and end > self.fin:
            end = max(seq, self.fin)
            payload = payload[: end - seq]
        if seq < nxt:
            self.duplicate = (seq, min(end, nxt))
            payload = payload[nxt - seq :]
            seq = nxt
        if seq >= end:
            return 0
        if seq > nxt:
            self._keep(seq, end, payload)
            return 0
        self._ready += payload
        self.nxt = end
        self._join()
        return self.nxt - nxt

    def _keep(self, seq: int, end: int, payload: bytes) -> None:
        """
        Keep a payload that is behind a gap, as far as it is not there.
        """
        pieces = self._pieces
        begin = seq
        at = bisect_right(pieces, seq, key=_start_of)
        if at and pieces[at - 1][0] + len(pieces[at - 1][1]) > seq:
            known = pieces[at - 1][0] + len(pieces[at - 1][1])
            self.duplicate = (seq, min(known, end))
            payload = payload[known - seq :]
            seq = known
        first = seq
        while seq < end:
            stop = min(end, pieces[at][0]) if at < len(pieces) else end
            if stop > seq:
                if len(pieces) >= OUT_OF_ORDER_PIECES_MAX:
                    break
                pieces.insert(at, (seq, payload[seq - first : stop - first]))
                self.out_of_order += stop - seq
                at += 1
            if stop < end:
                known = stop + len(pieces[at][1])
                if self.duplicate is None:
                    self.duplicate = (stop, min(known, end))
                stop = known
                at += 1
            seq = stop
        if seq > begin:
            self._note_range(begin, min(seq, end))

    def _note_range(self, start: int, end: int) -> None:
        """
        Put the range that now has these bytes in front of the others.
        """
        others = []
        for low, high in self.sacks:
            if high < start or low > end:
                others.append((low, high))
            else:
                start, end = min(start, low), max(end, high)
        self.sacks = [(start, end), *others[: SACK_RANGES_MAX - 1]]

    def _join(self) -> None:
        """
        Move to the bytes in order what is behind no gap any more.
        """
        pieces = self._pieces
        nxt = self.nxt
        used = 0
        for start, payload in pieces:
            if start > nxt:
                break
            used += 1
            self.out_of_order -= len(payload)
            end = start + len(payload)
            if start < nxt:
                self._note_duplicate(start, min(end, nxt))
            if end <= nxt:
                continue
            self._ready += payload[nxt - start :]
            nxt = end
        del pieces[:used]
        self.nxt = nxt
        if self.sacks:
            self.sacks = [(low, high) for low, high in self.sacks if high > nxt]
        if self.fin == nxt:
            self.nxt = nxt + 1

    def _note_duplicate(self, start: int, end: int) -> None:
        """
        Note that bytes came twice. One D-SACK reports one range: what adjoins it joins it.
        """
        if self.duplicate is None:
            self.duplicate = (start, end)
            return
        low, high = self.duplicate
        if start <= high and low <= end:
            self.duplicate = (min(low, start), max(high, end))

    def discard(self) -> None:
        """
        Forget all bytes: nobody will read them.
        """
        self._ready.clear()
        self._pieces.clear()
        self.sacks.clear()
        self.out_of_order = 0


def _start_of(piece: tuple[int, bytes]) -> int:
    return piece[0]
