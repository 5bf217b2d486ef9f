"""
Our figures of a capture beside tshark's.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from netlab.analysis.tcp.analyser import Analyser
from netlab.analysis.tcp.frames import Analysed, Mark
from netlab.capture.decode import Decoder
from netlab.capture.opening import open_capture
from netlab.capture.segments import Segment
from tests.oracle import reference

_NANOSECONDS: Final = 1_000_000_000
#: tshark counts the kinds of retransmission as retransmissions too.
_SHOWN_BY: Final = {
    "RETRANSMISSION": Mark.RETRANSMISSION | Mark.FAST_RETRANSMISSION | Mark.SPURIOUS_RETRANSMISSION
}


class Difference(NamedTuple):
    """
    A figure that is not the same.

    @ivar number: of the frame.
    @ivar figure: its name.
    @ivar ours: as text; empty for none.
    @ivar theirs: as text; empty for none.
    @ivar protocols: the frame's layers, in tshark's words.
    @ivar is_quoted: whether we take the segment for one that an ICMP error quotes.
    """

    number: int
    figure: str
    ours: str
    theirs: str
    protocols: str = ""
    is_quoted: bool = False


def read(path: Path) -> Iterator[Analysed]:
    """
    Analyse a whole capture.

    @param path: the capture.
    @return: its segments; what is computed late rests on the whole capture.
    """
    decoder, analyser = Decoder(), Analyser()
    with open_capture(os.fspath(path)) as records:
        analysed = [
            analyser.analyse(frame)
            for record in records
            if isinstance(frame := decoder.decode(record), Segment)
        ]
    yield from analysed


def figures(analysed: Analysed) -> dict[str, str]:
    """
    Write our figures of a segment as tshark writes them.
    """
    texts = {
        name: str(getattr(analysed, name))
        for name in reference.FIGURES
        if name not in ("time", "flags", "rtt")
    }
    texts["flags"] = f"0x{analysed.flags:04x}"
    if not analysed.acked_frame:
        texts["acked_frame"] = ""
    if not analysed.duplicate_ack_number:
        texts["duplicate_ack_number"] = texts["duplicate_ack_frame"] = ""
    for name in ("bytes_in_flight", "push_bytes_sent"):
        if texts[name] == "None":
            texts[name] = ""
    texts["time"] = _seconds(analysed.time_ns)
    texts["rtt"] = "" if analysed.rtt_ns is None else _seconds(analysed.rtt_ns)
    for name in reference.MARKS:
        texts[name] = "1" if analysed.marks & _SHOWN_BY.get(name, Mark[name]) else ""
    return texts


def _seconds(time_ns: int) -> str:
    """
    Write a time as tshark does.
    """
    sign = "-" if time_ns < 0 else ""
    seconds, rest = divmod(abs(time_ns), _NANOSECONDS)
    return f"{sign}{seconds}.{rest:09d}"


def compare(ours: Iterable[Analysed], theirs: Iterable[reference.Row]) -> Iterator[Difference]:
    """
    Compare two readings of a capture, frame by frame.

    @param ours: in the order of frames.
    @param theirs: in the order of frames.
    @return: each figure that differs; a frame that one of them does not see as TCP differs in its
        C{stream} only.
    """
    known = {analysed.number: analysed for analysed in ours}
    for row in theirs:
        number = int(row["frame.number"])
        protocols = row["frame.protocols"]
        analysed = known.pop(number, None)
        if analysed is None:
            yield Difference(number, "stream", "", row["tcp.stream"], protocols)
            continue
        mine = figures(analysed)
        for name, field in reference.FIGURES.items():
            if mine[name] != row[field]:
                yield Difference(number, name, mine[name], row[field], protocols)
        for name, field in reference.MARKS.items():
            if bool(mine[name]) != bool(row[field]):
                yield Difference(number, name, mine[name], row[field], protocols)
        for name, end in (("src", 0), ("dst", 1)):
            addresses = row[("ip.src", "ip.dst")[end]] + "," + row[("ipv6.src", "ipv6.dst")[end]]
            if getattr(analysed, name) not in addresses.split(","):
                yield Difference(number, name, getattr(analysed, name), addresses, protocols)
    for number, analysed in known.items():
        is_quoted = analysed.segment.is_quoted
        yield Difference(number, "stream", str(analysed.stream), "", is_quoted=is_quoted)
