"""
The figures of frames that are not told one by one, in few bytes until the capture has been read.

What Wireshark shows of a segment rests on what its whole conversation shows; so it is computed at
the end, as C{tshark -2} does in its second pass.
"""

from __future__ import annotations

import struct
from collections.abc import Container, Iterator
from typing import Final

from netlab.analysis.tcp.conversation import Conversation
from netlab.analysis.tcp.frames import Analysed
from netlab.capture.records import Interface, Record
from netlab.capture.segments import Segment

FIGURES_MAX: Final = 2_000_000
"""Of how many frames figures are kept, the first ones: some 90 MB."""

FIGURES_CONVERSATIONS_MAX: Final = 65_536
"""Of how many conversations, the first ones: some 130 MB."""

_new = tuple.__new__
_ROW: Final = struct.Struct("<IqIIBHIIIHHI")
_pack = _ROW.pack
_PEER: Final = 1
_PARTIAL: Final = 2
_QUOTED: Final = 4
_NOWHERE: Final = Interface(0)
_LENGTH_MAX: Final = (1 << 32) - 1
_TIME_MAX: Final = (1 << 63) - 1

_ODD_TIMES_MAX: Final = 10_000
"""How many times may be beyond the year 2262, or as far in the past."""


class FigureStore:
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
        segment, conversation, flow, marks, in_flight, *_ = analysed
        record, _, _, _, seq, ack, flags, window, _, length, *_, is_partial, is_quoted = segment
        number, time_ns = record[0], record[1]
        is_known = conversation.stream in self._conversations
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
            self._odd_times[number] = time_ns
        bits = _PEER if flow.index else 0
        if is_partial:
            bits |= _PARTIAL
        if is_quoted:
            bits |= _QUOTED
        frame_len = record.length
        self._rows += _pack(
            number,
            0 if is_odd else time_ns,
            min(_LENGTH_MAX, frame_len),
            conversation.stream,
            bits,
            flags,
            seq,
            ack,
            max(0, length),
            window,
            marks,
            in_flight or 0,
        )

    def analysed(self, without: Container[int] = ()) -> Iterator[Analysed]:
        """
        Give the segments again, in order, without options, payload and what else is not kept.

        @param without: the numbers of frames that are passed over.
        """
        for (
            number,
            time_ns,
            frame_len,
            stream,
            bits,
            flags,
            seq,
            ack,
            length,
            window,
            marks,
            in_flight,
        ) in _ROW.iter_unpack(self._rows):
            if number in without:
                continue
            if self._odd_times:
                time_ns = self._odd_times.get(number, time_ns)  # noqa: PLW2901 -- kept elsewhere
            conversation = self._conversations[stream]
            flow = conversation.flows[bits & _PEER]
            record = _new(Record, (number, time_ns, b"", frame_len, _NOWHERE, ()))
            segment = _new(
                Segment,
                (
                    record,
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
                    (),
                    bits & _PARTIAL != 0,
                    bits & _QUOTED != 0,
                ),
            )
            yield _new(
                Analysed,
                (
                    segment,
                    conversation,
                    flow,
                    marks,
                    in_flight or None,
                    None,
                    0,
                    None,
                    0,
                    0,
                    None,
                    0,
                ),
            )
