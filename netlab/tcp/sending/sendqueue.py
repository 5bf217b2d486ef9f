"""
The bytes that have been written and not yet acknowledged.
"""

from __future__ import annotations

from collections import deque

from netlab.tcp.segment import FIN, PSH


class SendQueue:
    """
    A stretch of the stream, from the first byte that is not acknowledged to the last one written.

    @ivar start: the sequence number of its first byte.
    @ivar end: the sequence number behind its last byte; that of the FIN, once there is one.
    @ivar records: where records end that no segment reaches beyond (MSG_EOR).
    @ivar has_fin: whether the program has closed: no byte will follow.
    """

    __slots__ = ("_data", "_pushes", "end", "has_fin", "records", "start")

    def __init__(self, start: int) -> None:
        self.start = start
        self.end = start
        self.has_fin = False
        self._data = bytearray()
        self._pushes: deque[int] = deque()
        self.records: deque[int] = deque()

    def write(self, data: bytes | memoryview, push_every: int, *, is_pushed: bool = True) -> None:
        """
        Append bytes. The end of a write is marked to be pushed (RFC 9293 section 3.9.1.2), unless
        more is written before it is sent; and so is, within a large one, at regular distances.

        @param push_every: bytes: half the peer's largest window, as Linux does.
        @param is_pushed: whether the end is marked.
        """
        self._data += data
        start, self.end = self.end, self.end + len(data)
        ends_record = bool(self.records) and self.records[-1] == start
        if self._pushes and self._pushes[-1] == start and not ends_record:
            self._pushes.pop()
        if push_every > 0:
            self._pushes.extend(range(start + push_every, self.end, push_every))
        if is_pushed:
            self._pushes.append(self.end)

    def flags(self, seq: int, end: int) -> int:
        """
        Tell which of PSH and FIN a segment has that is sent for the first time.

        @param seq: its first byte.
        @param end: behind its last byte, or behind the FIN.
        """
        pushes = self._pushes
        flags = 0
        while pushes and pushes[0] <= end:
            pushes.popleft()
            flags = PSH
        if end > self.end:
            flags |= FIN
        return flags

    def peek(self, seq: int, end: int) -> bytes:
        """
        Copy bytes out.

        @param seq: not below C{start}.
        @param end: beyond the last byte means up to it.
        """
        start = self.start
        return bytes(memoryview(self._data)[seq - start : end - start])

    def release(self, una: int) -> None:
        """
        Forget the bytes before a sequence number.

        @param una: not below C{start}; it may lie behind the FIN.
        """
        una = min(una, self.end)
        if una > self.start:
            del self._data[: una - self.start]
            self.start = una

    def clear(self) -> None:
        """
        Forget all bytes: they will not be sent any more.
        """
        self._data.clear()
        self._pushes.clear()
        self.records.clear()
        self.start = self.end

    def __len__(self) -> int:
        return len(self._data)
