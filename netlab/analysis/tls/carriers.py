"""
Which frame carried each byte of a stream.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

FRAMES_CITED_MAX: Final = 64
"""How many frames of one record or message are named; of more, the first ones and the last."""


class ByteSpan(NamedTuple):
    """
    Bytes that one frame carried.

    @ivar begin: where they begin, counted from the first byte of what they belong to.
    @ivar end: where they end.
    @ivar frame: the frame's number.
    @ivar time_ns: when it was captured, in nanoseconds since 1970.
    """

    begin: int
    end: int
    frame: int
    time_ns: int


class Travel(NamedTuple):
    """
    The frames in which something travelled.

    @ivar frames: their numbers, in the order of the bytes, at most L{FRAMES_CITED_MAX}.
    @ivar start_ns: when the first was captured, in nanoseconds since 1970.
    @ivar end_ns: when the last was captured: before it, the record was not complete.
    """

    frames: tuple[int, ...]
    start_ns: int
    end_ns: int


def travel_of(spans: Sequence[ByteSpan]) -> Travel:
    """
    Name the frames of some bytes.

    @param spans: at least one.
    """
    frames = list(dict.fromkeys(span.frame for span in spans))
    if len(frames) > FRAMES_CITED_MAX:
        frames[FRAMES_CITED_MAX - 1 :] = frames[-1:]
    return Travel(tuple(frames), spans[0].time_ns, spans[-1].time_ns)


class Carriers:
    """
    The frames of a stream, of which the beginning may be forgotten.

    @ivar end: the position after the stream's last byte so far.
    """

    __slots__ = ("_marks", "end")

    def __init__(self, end: int = 0) -> None:
        self._marks: deque[tuple[int, int, int]] = deque()
        self.end = end

    def append(self, length: int, frame: int, time_ns: int) -> None:
        """
        Take note of who carried the next bytes.
        """
        if not length:
            return
        self.end += length
        if self._marks and self._marks[-1][1] == frame:
            time_ns = self._marks.pop()[2]
        self._marks.append((self.end, frame, time_ns))

    def skip(self, position: int) -> None:
        """
        Forget everything; the next byte stands at a later position.
        """
        self._marks.clear()
        self.end = position

    def forget(self, position: int) -> None:
        """
        Forget the bytes before a position.
        """
        marks = self._marks
        while marks and marks[0][0] <= position:
            marks.popleft()

    def spans(self, begin: int, end: int) -> list[ByteSpan]:
        """
        Tell who carried some bytes that have not been forgotten.

        @param begin: the position of the first; the spans count from there.
        @param end: the position after the last.
        """
        found: list[ByteSpan] = []
        at = begin
        for mark, frame, time_ns in self._marks:
            if mark <= at:
                continue
            stop = min(mark, end)
            found.append(ByteSpan(at - begin, stop - begin, frame, time_ns))
            at = stop
            if at >= end:
                break
        return found
