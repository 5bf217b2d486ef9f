"""
The figures of frames that are not told one by one, in few bytes until the capture has been read.

What Wireshark shows of a segment rests on what its whole conversation shows; so it is computed at
the end, as C{tshark -2} does in its second pass.
"""

from __future__ import annotations

import struct
from collections.abc import Container, Iterator
from typing import Final

from netlab.analysis.conversation import Conversation
from netlab.analysis.frames import Analysed
from netlab.capture.records import Interface, Record
from netlab.capture.segments import Segment

FIGURES_MAX: Final = 2_000_000
"""Of how many frames figures are kept, the first ones: some 90 MB."""

FIGURES_CONVERSATIONS_MAX: Final = 20_000
"""Of how many conversations, the first ones: some 40 MB."""

_ROW: Final = struct.Struct("<IqIIBHIIIHHI")
_PEER: Final = 1
_PARTIAL: Final = 2
_QUOTED: Final = 4
_NOWHERE: Final = Interface(0)
_LENGTH_MAX: Final = (1 << 32) - 1
_TIME_MAX: Final = (1 << 63) - 1

_ODD_TIMES_MAX: Final = 10_000
"""How many times may be beyond the year 2262, or as far in the past."""


class Figures:
    """
    Keeps the figures of segments.

    @ivar left_out: of how many segments none are kept.
    """

    def __init__(self) -> None:
        self.left_out = 0
        self._rows = bytearray()
        self._conversations: dict[int, Conversation] = {}
        self._odd_times: dict[int, int] = {}

    def add(self, analysed: Analysed) -> None:
        """
        Keep a segment's figures.
        """
        conversation = analysed.conversation
        is_known = conversation.stream in self._conversations
        time_ns = analysed.time_ns
        is_odd = not -_TIME_MAX <= time_ns <= _TIME_MAX
        if (
            len(self._rows) >= FIGURES_MAX * _ROW.size
            or (not is_known and len(self._conversations) >= FIGURES_CONVERSATIONS_MAX)
            or (is_odd and len(self._odd_times) >= _ODD_TIMES_MAX)
        ):
            self.left_out += 1
            return
        if not is_known:
            self._conversations[conversation.stream] = conversation
        if is_odd:
            self._odd_times[analysed.number] = time_ns
        segment = analysed.segment
        bits = _PEER if analysed.flow is conversation.flows[1] else 0
        bits |= (_PARTIAL if segment.is_partial else 0) | (_QUOTED if segment.is_quoted else 0)
        self._rows += _ROW.pack(
            segment.record.number,
            0 if is_odd else time_ns,
            min(segment.record.length, _LENGTH_MAX),
            conversation.stream,
            bits,
            segment.flags,
            segment.seq,
            segment.ack,
            max(0, segment.length),
            segment.window,
            analysed.first_marks,
            analysed.bytes_in_flight or 0,
        )

    def analysed(self, without: Container[int] = ()) -> Iterator[Analysed]:
        """
        Give the segments again, in order, without options, payload and what else is not kept.

        @param without: the numbers of frames that are passed over.
        """
        for row in _ROW.iter_unpack(self._rows):
            number, time_ns, frame_len, stream, bits, flags, seq, ack, length, window = row[:10]
            if number in without:
                continue
            time_ns = self._odd_times.get(number, time_ns)
            conversation = self._conversations[stream]
            flow = conversation.flows[bits & _PEER]
            segment = Segment(
                Record(number, time_ns, b"", frame_len, _NOWHERE),
                b"",
                flow.port,
                flow.peer.port,
                seq,
                ack,
                flags,
                window,
                b"",
                length,
                b"",
                0,
                0,
                0,
                is_partial=bool(bits & _PARTIAL),
                is_quoted=bool(bits & _QUOTED),
            )
            marks, in_flight = row[10:]
            yield Analysed(
                segment, conversation, flow, marks, in_flight or None, None, 0, None, 0, 0, None, 0
            )
