"""
Tests for L{tests.captures.reference}.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.captures.reference import NAMES, exchange

#: What tshark calls the fields, and the keys of C{wire/} that hold the same.
_FIELDS = {
    "frame.number": "frame",
    "frame.len": "frame_length",
    "tcp.stream": "stream",
    "tcp.seq_raw": "seq_raw",
    "tcp.ack_raw": "ack_raw",
    "tcp.seq": "seq",
    "tcp.ack": "ack",
    "tcp.len": "payload_length",
    "tcp.window_size_value": "window_field",
    "tcp.window_size": "window",
    "tcp.options.mss_val": "mss",
    "tcp.options.wscale.shift": "window_scale_shift",
}


class RebuiltTests(SynchronousTestCase):
    """
    The frames that are put together from C{wire/}.
    """

    def test_frame_lengths(self) -> None:
        """
        Every rebuilt frame is as long as the captured one.
        """
        for name in NAMES:
            rebuilt = exchange(name)
            self.assertEqual(
                [len(frame) for frame in rebuilt.frames],
                [row["frame_length"] for row in rebuilt.rows],
                name,
            )

    def test_all_frames_are_there(self) -> None:
        """
        The five exchanges have 88 frames together.
        """
        self.assertEqual(sum(len(exchange(name).frames) for name in NAMES), 88)


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize("name", NAMES)
def test_tshark_reads_the_captured_numbers(name: str, tmp_path: Path) -> None:
    """
    Tshark reads from the rebuilt capture the numbers that it once read from the captured one.
    """
    rebuilt = exchange(name)
    # Not by way of standard input, which two passes cannot read twice.
    capture = tmp_path / f"{name}.pcap"
    capture.write_bytes(rebuilt.pcap())
    shown = subprocess.run(
        ["tshark", "-2", "-n", "-r", str(capture), "-T", "fields"]
        + [word for field in _FIELDS for word in ("-e", field)],
        capture_output=True,
        check=True,
        timeout=60,
    )
    lines = shown.stdout.decode("ascii").splitlines()
    assert len(lines) == len(rebuilt.rows)
    for line, row in zip(lines, rebuilt.rows, strict=True):
        assert dict(zip(_FIELDS, line.split("\t"), strict=True)) == {
            field: str(row.get(key, "")) for field, key in _FIELDS.items()
        }
