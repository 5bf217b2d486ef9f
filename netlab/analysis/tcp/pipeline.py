"""
From a capture to analysed segments: the one way in which reports, marks, comparisons and the
laboratory read one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from netlab.analysis.tcp.analyser import Analyser
from netlab.analysis.tcp.frames import Analysed
from netlab.analysis.tcp.limits import STREAMING, THOROUGH
from netlab.capture.decode import Decoder
from netlab.capture.faults import CaptureError, Fault
from netlab.capture.icmp import IcmpError
from netlab.capture.reading import Reader
from netlab.capture.records import Record
from netlab.capture.segments import Other, Segment

THOROUGH_FRAMES: Final = 10_000
"""For how many frames as much is remembered as Wireshark remembers; after them memory counts."""

_NEVER: Final = 1 << 62

Frame: TypeAlias = Analysed | Other


class Pipeline:
    """
    The frames of one capture, decoded and analysed, once. Memory does not grow with the capture.

    @ivar reader: the capture.
    @ivar frame_count: how many frames were read, once it is over.
    """

    def __init__(
        self,
        reader: Reader,
        *,
        thorough_frames: int = THOROUGH_FRAMES,
        shown: Callable[[Segment], Segment] | None = None,
        frames_max: int | None = None,
    ) -> None:
        """
        @param reader: the capture, of which nothing was read.
        @param thorough_frames: for how many frames everything is remembered.
        @param shown: gives of each segment what may be looked at; None is all.
        @param frames_max: how many frames the capture may have; None is any number.
        """
        self.reader = reader
        self.frame_count = 0
        self._thorough_frames = thorough_frames
        self._shown = shown
        self._frames_max = frames_max
        self._decoder = Decoder()
        self._analyser = Analyser(THOROUGH)

    def __iter__(self) -> Iterator[Frame]:
        """
        Read the capture.

        @raise CaptureError: it has more frames than it may.
        """
        decode, analyse = self._decoder.decode, self._analyser.analyse
        shown = self._shown
        # The one number at which something is to be done, so that a frame costs one comparison.
        next_stop = self._stop_after(0)
        number = 0
        try:
            for number, record in enumerate(self.reader, 1):
                if number >= next_stop:
                    next_stop = self._stop_at(number)
                frame = decode(record)
                if not isinstance(frame, Segment):
                    yield frame
                elif shown is None:
                    yield analyse(frame)
                else:
                    yield analyse(shown(frame))
        finally:
            self.frame_count = number
        self._decoder.end()

    def _stop_after(self, number: int) -> int:
        """
        Give the next frame's number at which something is to be done.
        """
        stops = [self._thorough_frames]
        if self._frames_max is not None:
            stops.append(self._frames_max + 1)
        return min((stop for stop in stops if stop > number), default=_NEVER)

    def _stop_at(self, number: int) -> int:
        """
        Do what is to be done at a frame.

        @return: the next one's number.
        @raise CaptureError: there are more than the limit.
        """
        if self._frames_max is not None and number > self._frames_max:
            text = f"it has more than {self._frames_max:,} frames: cut it with editcap -r"
            raise CaptureError(text)
        if number == self._thorough_frames:
            self._analyser.remember(STREAMING)
        return self._stop_after(number)

    def segments(self) -> Iterator[Analysed]:
        """
        Read the capture and give what is TCP.
        """
        for frame in self:
            if isinstance(frame, Analysed):
                yield frame

    def icmp_of(self, record: Record) -> IcmpError | None:
        """
        Give the ICMP error that the frame just given was, if it was one.
        """
        error = self._decoder.icmp
        return error if error is not None and error.number == record.number else None

    def stream_of(self, key: bytes) -> int | None:
        """
        Name the conversation that a segment would belong to now.

        @param key: as L{Segment.key}, of either direction.
        @return: its number; C{None} if there is none.
        """
        return self._analyser.stream_of(key)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """
        What is wrong with the file, with its frames, and what could not be followed, in this order.
        """
        return (
            *self.reader.faults.kept,
            *self._decoder.faults.kept,
            *self._analyser.faults.kept,
        )
