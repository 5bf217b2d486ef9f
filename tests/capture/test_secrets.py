"""
Blocks of secrets in a pcapng (draft-ietf-opsawg-pcapng section 4.7).
"""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from twisted.trial.unittest import SynchronousTestCase

from netlab.capture import pcapng
from netlab.report.reading import read_story
from tests.analysis.tls.played import Terms, http_exchange
from tests.capture.streams import block, interface, packet, reader_of, section

_TLS = 0x544C534B


def secrets(data: bytes, kind: int = _TLS, size: int | None = None, order: str = "<") -> bytes:
    """
    Write a block of secrets.
    """
    head = struct.pack(order + "II", kind, len(data) if size is None else size)
    return block(10, head + data, order)


class SecretsTests(SynchronousTestCase):
    """
    What is kept of them.
    """

    def test_kept(self) -> None:
        """
        A key log of TLS is kept without its padding, in both byte orders; the frames are what they
        are without it.
        """
        for order in "<>":
            data = section(order) + interface(order=order) + secrets(b"keys!", order=order)
            reader = reader_of(data + packet(b"abc", order=order))
            (record,) = reader
            self.assertEqual(record.number, 1)
            self.assertEqual(reader.secrets, [b"keys!"])
            self.assertEqual(reader.faults.kept, [])

    def test_passed_over(self) -> None:
        """
        Secrets of another protocol are passed over; a size that lies gives what is there.
        """
        data = section() + interface() + secrets(b"x", 0x57474B4C) + secrets(b"keys", size=1 << 31)
        reader = reader_of(data)
        self.assertEqual(list(reader), [])
        self.assertEqual(reader.secrets, [b"keys"])

    def test_cut(self) -> None:
        """
        A block without room for its own header is a fault, and no more.
        """
        reader = reader_of(section() + interface() + block(10, b"abcd") + packet(b"abc"))
        self.assertEqual(len(list(reader)), 1)
        self.assertEqual([fault.rule for fault in reader.faults.kept], ["secrets"])

    def test_bound(self) -> None:
        """
        So many bytes are kept in all, also where a reader takes them away meanwhile.
        """
        self.patch(pcapng, "SECRETS_MAX_BYTES", 10)
        reader = reader_of(
            section() + interface() + b"".join(secrets(b"keys") + packet(b"a") for _ in range(5))
        )
        taken = []
        for _ in reader:
            taken += reader.secrets
            reader.secrets.clear()
        self.assertEqual(taken, [b"keys"] * 2)
        self.assertEqual({fault.rule for fault in reader.faults.kept}, {"secrets"})

    @pytest.mark.skipif(shutil.which("editcap") is None, reason="editcap is not installed")
    def test_injected(self) -> None:
        """
        What Wireshark's editcap puts in opens the capture.
        """
        played = http_exchange(Terms())
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "keys.txt").write_bytes(played.keylog_bytes)
        (folder / "closed.pcap").write_bytes(played.captured().close("c").pcap())
        subprocess.run(
            ["editcap", "--inject-secrets", "tls,keys.txt", "closed.pcap", "open.pcapng"],
            cwd=folder,
            check=True,
            timeout=60,
        )
        for name, title in (("closed.pcap", "TLS 1.3"), ("open.pcapng", "1 HTTP exchange")):
            story = read_story(str(folder / name)).story
            self.assertIn(title, story.conversations[0].title)
