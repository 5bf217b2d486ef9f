"""
What tshark says of a capture.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

TSHARK: Final = shutil.which("tshark")

#: How long tshark may take for one capture, in seconds.
_TSHARK_MAX_SECONDS: Final = 300

#: Fields whose values are compared as text, by the name that we give the same figure.
FIGURES: Final = {
    "time": "frame.time_epoch",
    "stream": "tcp.stream",
    "srcport": "tcp.srcport",
    "dstport": "tcp.dstport",
    "flags": "tcp.flags",
    "seq_raw": "tcp.seq_raw",
    "ack_raw": "tcp.ack_raw",
    "seq": "tcp.seq",
    "ack": "tcp.ack",
    "len": "tcp.len",
    "nxtseq": "tcp.nxtseq",
    "window_size_value": "tcp.window_size_value",
    "window_size": "tcp.window_size",
    "completeness": "tcp.completeness",
    "bytes_in_flight": "tcp.analysis.bytes_in_flight",
    "push_bytes_sent": "tcp.analysis.push_bytes_sent",
    "acked_frame": "tcp.analysis.acks_frame",
    "rtt": "tcp.analysis.ack_rtt",
    "duplicate_ack_number": "tcp.analysis.duplicate_ack_num",
    "duplicate_ack_frame": "tcp.analysis.duplicate_ack_frame",
}

#: Fields that are there or not, by the name of our mark.
MARKS: Final = {
    "RETRANSMISSION": "tcp.analysis.retransmission",
    "FAST_RETRANSMISSION": "tcp.analysis.fast_retransmission",
    "SPURIOUS_RETRANSMISSION": "tcp.analysis.spurious_retransmission",
    "OUT_OF_ORDER": "tcp.analysis.out_of_order",
    "DUPLICATE_ACK": "tcp.analysis.duplicate_ack",
    "LOST_SEGMENT": "tcp.analysis.lost_segment",
    "ACK_LOST_SEGMENT": "tcp.analysis.ack_lost_segment",
    "WINDOW_UPDATE": "tcp.analysis.window_update",
    "WINDOW_FULL": "tcp.analysis.window_full",
    "ZERO_WINDOW": "tcp.analysis.zero_window",
    "ZERO_WINDOW_PROBE": "tcp.analysis.zero_window_probe",
    "ZERO_WINDOW_PROBE_ACK": "tcp.analysis.zero_window_probe_ack",
    "KEEP_ALIVE": "tcp.analysis.keep_alive",
    "KEEP_ALIVE_ACK": "tcp.analysis.keep_alive_ack",
    "REUSED_PORTS": "tcp.analysis.reused_ports",
}

_ADDRESSES: Final = ("ip.src", "ip.dst", "ipv6.src", "ipv6.dst")
_FIELDS: Final = (
    "frame.number",
    "frame.protocols",
    "tcp.hdr_len",
    "_ws.malformed",
    *_ADDRESSES,
    *FIGURES.values(),
    *MARKS.values(),
)

Row = dict[str, str]
"""A frame's fields; empty text where the frame has no such field."""


def read(path: Path) -> Iterator[Row]:
    """
    Ask tshark for a capture's frames with TCP in them.

    @param path: the capture.
    @return: by tshark's field names; several values of one field are separated by commas.
    """
    assert TSHARK is not None, "tshark is not installed"
    command = [TSHARK, "-2", "-n", "-r", os.fspath(path), "-T", "fields"]
    for name in _FIELDS:
        command += ["-e", name]
    # Of a capture that is cut short tshark prints what it could read, and fails: we do the same.
    done = subprocess.run(
        command, capture_output=True, check=False, timeout=_TSHARK_MAX_SECONDS, text=True
    )
    for line in done.stdout.splitlines():
        row = dict(zip(_FIELDS, line.split("\t"), strict=True))
        if row["tcp.stream"]:
            yield row
