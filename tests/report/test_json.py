"""
Tests for L{netlab.report.json}.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from twisted.trial.unittest import SynchronousTestCase

from netlab.report.json import VERSION, render
from tests.captures.reference import NAMES, exchange
from tests.captures.stories import reference_story

_PAGE = Path(__file__).parents[2] / "docs" / "json.md"

#: Members that mean what a field of Wireshark means, and that field.
_FIELDS = {
    "number": "frame.number",
    "stream": "tcp.stream",
    "src": "ip.src",
    "dst": "ip.dst",
    "srcport": "tcp.srcport",
    "dstport": "tcp.dstport",
    "seq_raw": "tcp.seq_raw",
    "ack_raw": "tcp.ack_raw",
    "seq": "tcp.seq",
    "ack": "tcp.ack",
    "len": "tcp.len",
    "nxtseq": "tcp.nxtseq",
    "window_size_value": "tcp.window_size_value",
    "window_size": "tcp.window_size",
    "completeness": "tcp.completeness",
    "frame_len": "frame.len",
}


def document(name: str) -> dict[str, Any]:
    """
    Tell a reference exchange as JSON.
    """
    told: dict[str, Any] = json.loads(render(reference_story(name), f"{name}.pcap"))
    return told


class DocumentTests(SynchronousTestCase):
    """
    The document.
    """

    def test_version(self) -> None:
        """
        The document says what it is and by which description.
        """
        told = document("echo")
        self.assertEqual((told["format"], told["version"]), ("netlab-explain", VERSION))

    def test_frames_in_order(self) -> None:
        """
        All frames come once, in the capture's order, over all conversations.
        """
        numbers = [frame["number"] for frame in document("notfound")["frames"]]
        self.assertEqual(numbers, list(range(1, 19)))

    def test_findings(self) -> None:
        """
        A frame's findings have rule, frames, equation, verdict and sentence.
        """
        finding = document("echo")["frames"][6]["findings"][0]
        self.assertEqual(finding["rule"], "acknowledgement")
        self.assertEqual(finding["frames"], [1, 4, 6, 7])
        self.assertEqual(finding["verdict"], "PASS")
        self.assertEqual(
            finding["equation"], "ack 1928250499 = ISN 1928250445 + 1 (SYN) + 33 (#4) + 20 (#6)"
        )
        self.assertTrue(finding["sentence"].endswith("."))

    def test_every_member_is_described(self) -> None:
        """
        docs/json.md names each member of each kind of object, and no others.
        """
        told = document("redirect")
        sections = re.split(r"^## ", _PAGE.read_text(), flags=re.MULTILINE)
        described = {
            section.split("\n", 1)[0]: set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))
            for section in sections[1:]
        }
        passage = next(each for each in told["conversations"][0]["passages"] if each["findings"])
        for title, value in (
            ("The document", told),
            ("A conversation", told["conversations"][0]),
            ("A passage", passage),
            ("A frame", told["frames"][0]),
            ("A finding", passage["findings"][0]),
        ):
            self.assertEqual(described[title], set(value), title)


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize("name", NAMES)
def test_members_mean_what_wireshark_means(name: str, tmp_path: Path) -> None:
    """
    The members that are named after Wireshark's fields have tshark's values.
    """
    capture = tmp_path / f"{name}.pcap"
    capture.write_bytes(exchange(name).pcap())
    fields = [word for field in _FIELDS.values() for word in ("-e", field)]
    shown = subprocess.run(
        ["tshark", "-2", "-n", "-r", str(capture), "-T", "fields", *fields],
        capture_output=True,
        check=True,
        timeout=60,
    )
    lines = shown.stdout.decode("ascii").splitlines()
    told = document(name)["frames"]
    assert len(lines) == len(told)
    for line, frame in zip(lines, told, strict=True):
        values = dict(zip(_FIELDS, line.split("\t"), strict=True))
        assert values == {member: str(frame[member]) for member in _FIELDS}
