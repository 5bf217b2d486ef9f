"""
Following whatever bytes come, with a look at every figure.
"""

from __future__ import annotations

import io

from netlab.analysis.tcp.analyser import Analyser
from netlab.analysis.tcp.frames import Analysed
from netlab.analysis.tcp.limits import STREAMING
from netlab.capture.decode import Decoder
from netlab.capture.faults import CaptureError
from netlab.capture.reading import read_capture
from netlab.capture.segments import Segment

FIGURES = [
    name
    for kind in (Analysed, Segment)
    for name, value in vars(kind).items()
    if isinstance(value, property)
]


def follow(data: bytes) -> int:
    """
    Read, decode and analyse all, look at every figure, and count the frames.
    """
    try:
        reader = read_capture(io.BytesIO(data))
    except CaptureError as error:
        assert "\n" not in str(error)
        return 0
    decoder, analyser = Decoder(reader.faults), Analyser(STREAMING, reader.faults)
    count = 0
    for record in reader:
        count += 1
        found = decoder.decode(record)
        if isinstance(found, Segment):
            look(analyser.analyse(found))
    decoder.end()
    return count


def look(analysed: Analysed) -> None:
    """
    Ask for every figure.
    """
    for name in FIGURES:
        getattr(analysed if hasattr(Analysed, name) else analysed.segment, name)
    figures = analysed.figures()
    assert figures == tuple(getattr(analysed, name) for name in figures._fields)
    for flow in analysed.conversation.flows:
        assert flow.rcv_wnd is None or flow.rcv_wnd >= 0
    assert 0 <= analysed.seq < 1 << 32
    assert analysed.conversation.client.peer is analysed.conversation.server
