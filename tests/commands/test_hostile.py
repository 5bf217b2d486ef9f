"""
Captures that are broken, or made to break us, on the command line: a status and at most one line.
"""

from __future__ import annotations

import gzip
import io
import itertools
import os
import struct
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.cli import main
from tests.captures.reference import NAMES, exchange

DATA = Path(__file__).parents[1] / "captures" / "data"

#: Where a capture is changed, as a share of its length, and into which byte.
_CHANGES = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=12)
_PCAPNG_HEAD = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)


def _commands(path: str, other: str, name: str) -> list[list[str]]:
    return [
        ["verify", path, "--exchange", name],
        ["verify", path, "--exchange", name, "--format", "csv"],
        ["verify", path, "--exchange", name, "--format", "json"],
        ["compare", path, other],
        ["compare", other, path, "--format", "json"],
        ["explain", path, "--format", "json"],
        ["explain", path],
    ]


class HostileTests(SynchronousTestCase):
    """
    No capture makes a command fail otherwise than in one line.

    @ivar shown: What the last command wrote to standard output.
    """

    shown = ""

    def _run_one(self, arguments: list[str]) -> int:
        """
        Run a command, and look at what it says.
        """
        out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
        err = io.StringIO()
        was = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = out, err
        try:
            status = main(arguments)
        finally:
            sys.stdout, sys.stderr = was
        out.flush()
        self.shown = out.buffer.getvalue().decode()
        complaint = err.getvalue()
        self.assertIn(status, (0, 1))
        self.assertLessEqual(complaint.count("\n"), 1)
        if complaint:
            self.assertEqual(status, 1)
            self.assertTrue(complaint.startswith(f"netlab {arguments[0]}: "), complaint)
        return status

    def _run_each(self, capture: bytes, name: str) -> set[int]:
        with tempfile.TemporaryDirectory() as folder:
            path, other = (os.path.join(folder, each) for each in ("a", "b"))
            Path(path).write_bytes(capture)
            Path(other).write_bytes(exchange(name).pcap())
            return {self._run_one(arguments) for arguments in _commands(path, other, name)}

    @settings(deadline=None, max_examples=30)
    @given(st.sampled_from(NAMES), _CHANGES, st.floats(0, 1), st.booleans())
    @pytest.mark.slow
    def test_broken(
        self, name: str, changes: list[tuple[float, int]], kept: float, is_packed: bool
    ) -> None:
        """
        Bytes are changed and the end is cut off, before or after packing.
        """
        data = exchange(name).pcap()
        if is_packed:
            data = gzip.compress(data)
        broken = bytearray(data)
        for place, byte in changes:
            broken[int(place * len(broken))] = byte
        self._run_each(bytes(broken[: int(kept * len(broken))]), name)

    @settings(deadline=None, max_examples=30)
    @given(st.binary(max_size=200), st.sampled_from([b"", _PCAPNG_HEAD, b"\xd4\xc3\xb2\xa1"]))
    @pytest.mark.slow
    def test_any_bytes(self, data: bytes, head: bytes) -> None:
        """
        The file is anything at all, with or without the beginning of a capture.
        """
        self._run_each(head + data, "echo")

    def test_length_of_four_gibibytes(self) -> None:
        """
        Lengths of 4 GiB in records and blocks are said to be wrong, not allocated.
        """
        record = struct.pack("<IIII", 0, 0, 0xFFFFFFFF, 0xFFFFFFFF)
        pcap = exchange("echo").pcap()
        block = struct.pack("<II", 6, 0xFFFFFFFC)
        for capture in (pcap[:24] + record + bytes(100), pcap + record, _PCAPNG_HEAD + block):
            self._run_each(capture, "echo")

    @pytest.mark.slow
    def test_captures_of_others(self) -> None:
        """
        Captures from other tools' tests, many of which once broke a tool, break none of ours.
        """
        paths = itertools.chain(DATA.rglob("*.pcap"), DATA.rglob("*.pcapng"))
        for path in sorted(paths):
            self._run_one(["verify", str(path), "--exchange", "redirect", "--format", "json"])
            self._run_one(["explain", str(path), "--format", "json"])

    @pytest.mark.slow
    def test_many_connections(self) -> None:
        """
        A scan of twelve thousand ports costs a note, not the memory of so many dialogues.
        """
        echo = exchange("echo")
        frame = bytearray(echo.frames[0])
        parts = [echo.pcap()[:24]]
        for number in range(12_000):
            struct.pack_into("!H", frame, 34, number)
            parts.append(struct.pack("<IIII", 0, number, len(frame), len(frame)) + frame)
        path = str(self.mktemp())
        Path(path).write_bytes(b"".join(parts))
        self.assertEqual(self._run_one(["verify", path, "--exchange", "echo"]), 1)
        self.assertIn("only the first 10000 conversations were followed", self.shown)
