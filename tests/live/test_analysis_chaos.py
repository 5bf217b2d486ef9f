"""
Every figure of every frame equals tshark's, in captures where everything goes wrong.
"""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from netlab.analysis.tcp.analyser import Analyser
from netlab.analysis.tcp.frames import Analysed, Mark
from netlab.capture.decode import Decoder
from netlab.capture.reading import read_capture
from netlab.capture.segments import Segment
from tests.analysis.chaos import Chaos
from tests.captures.frames import LINK_ETHERNET, pcap_file

RETRANSMISSIONS = Mark.RETRANSMISSION | Mark.FAST_RETRANSMISSION | Mark.SPURIOUS_RETRANSMISSION


def _number(value: int | None) -> str:
    return str(value) if value else ""


def _seconds(value: int | None) -> str:
    if value is None:
        return ""
    sign = "-" if value < 0 else ""
    return f"{sign}{abs(value) // 10**9}.{abs(value) % 10**9:09d}"


#: tshark's field, and the same of ours as it prints it.
FIGURES: dict[str, Callable[[Analysed], str]] = {
    "frame.number": lambda frame: str(frame.number),
    "tcp.stream": lambda frame: str(frame.stream),
    "tcp.srcport": lambda frame: str(frame.srcport),
    "tcp.dstport": lambda frame: str(frame.dstport),
    "tcp.flags": lambda frame: f"0x{frame.flags:04x}",
    "tcp.seq_raw": lambda frame: str(frame.seq_raw),
    "tcp.ack_raw": lambda frame: str(frame.ack_raw),
    "tcp.seq": lambda frame: str(frame.seq),
    "tcp.ack": lambda frame: str(frame.ack),
    "tcp.len": lambda frame: str(frame.len),
    "tcp.nxtseq": lambda frame: str(frame.nxtseq),
    "tcp.window_size_value": lambda frame: str(frame.window_size_value),
    "tcp.window_size": lambda frame: str(frame.window_size),
    "tcp.completeness": lambda frame: str(frame.completeness),
    "tcp.analysis.bytes_in_flight": lambda frame: _number(frame.bytes_in_flight),
    "tcp.analysis.push_bytes_sent": lambda frame: _number(frame.push_bytes_sent),
    "tcp.analysis.acks_frame": lambda frame: _number(frame.acked_frame),
    "tcp.analysis.ack_rtt": lambda frame: _seconds(frame.rtt_ns),
    "tcp.analysis.duplicate_ack_num": lambda frame: _number(frame.duplicate_ack_number),
    "tcp.analysis.duplicate_ack_frame": lambda frame: (
        str(frame.duplicate_ack_frame) if frame.duplicate_ack_number else ""
    ),
    "tcp.analysis.rto": lambda frame: _seconds(frame.rto_ns),
    "tcp.analysis.rto_frame": lambda frame: _number(frame.rto_frame),
}
MARKS = {f"tcp.analysis.{mark.name.lower()}": mark for mark in Mark if mark.name}


def _ours(capture: bytes) -> list[list[str]]:
    decoder, analyser = Decoder(), Analyser()
    analysed = [
        analyser.analyse(found)
        for found in map(decoder.decode, read_capture(io.BytesIO(capture)))
        if isinstance(found, Segment)
    ]
    rows = []
    for frame in analysed:
        figures = frame.figures()
        assert figures == tuple(getattr(frame, name) for name in figures._fields)
        row = [figure(frame) for figure in FIGURES.values()]
        for mark in MARKS.values():
            # tshark shows the special kinds of retransmission as retransmissions too.
            wanted = RETRANSMISSIONS if mark is Mark.RETRANSMISSION else mark
            row.append("1" if frame.marks & wanted else "")
        rows.append(row)
    return rows


def _tsharks(path: Path) -> list[list[str]]:
    fields = [word for name in (*FIGURES, *MARKS) for word in ("-e", name)]
    command = ["tshark", "-2", "-n", "-r", str(path), "-T", "fields", *fields]
    output = subprocess.run(command, capture_output=True, check=True, text=True, timeout=60)
    rows = [line.split("\t") for line in output.stdout.splitlines()]
    # A flag's field is empty or says that it is there, in one word or another.
    return [
        [*row[: len(FIGURES)], *("1" if word else "" for word in row[len(FIGURES) :])]
        for row in rows
    ]


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize("seed", range(4))
def test_chaos(seed: int, tmp_path: Path) -> None:
    """All fields of 1500 frames are those that tshark prints."""
    capture = pcap_file(LINK_ETHERNET, Chaos(seed).frames(1500))
    path = tmp_path / "chaos.pcap"
    path.write_bytes(capture)
    names = (*FIGURES, *MARKS)
    ours, tsharks = _ours(capture), _tsharks(path)
    assert len(ours) == len(tsharks) > 1500
    for one, other in zip(ours, tsharks, strict=True):
        assert dict(zip(names, one, strict=True)) == dict(zip(names, other, strict=True))
    seen = {name for row in ours for name, value in zip(names, row, strict=True) if value}
    # The rarest needs three segments in a row; it does not come about with every seed.
    assert set(names) - seen <= {"tcp.analysis.zero_window_probe_ack"}
