"""
What kind of input it is, unpacking, and opening files.
"""

from __future__ import annotations

import gzip
import io
import os
import sys

from twisted.trial.unittest import SynchronousTestCase

from netlab.capture.faults import FAULTS_KEPT_MAX, CaptureError, Faults
from netlab.capture.opening import open_capture
from netlab.capture.unpacking import GunzipStream
from tests.capture.streams import Trickle, pcap_header, pcap_record, reader_of, section

CAPTURE = pcap_header() + b"".join(pcap_record(bytes([n]) * 50) for n in range(100))


class KindTests(SynchronousTestCase):
    """
    L{netlab.capture.reading.read_capture}.
    """

    def test_formats(self) -> None:
        """
        The first four bytes tell pcap and pcapng.
        """
        self.assertEqual(reader_of(CAPTURE).format, "pcap")
        self.assertEqual(reader_of(section()).format, "pcapng")

    def test_strangers(self) -> None:
        """
        Anything else is refused in one line that says what it is, if that is known.
        """
        for data, expected in [
            (b"", "the input is empty: it is not a capture"),
            (b"GET ", "the input is neither pcap nor pcapng: it begins with 47 45 54 20"),
            (b"\xd4", "the input is neither pcap nor pcapng: it begins with d4"),
            (b"BZh91AY", "unpack it with `bzip2 -d` first"),
            (b"\x28\xb5\x2f\xfd", "unpack it with `zstd -d` first"),
            (b"snoop\0\0\0\0\0", "convert it with `editcap -F pcapng`"),
        ]:
            error = self.assertRaises(CaptureError, reader_of, data)
            self.assertIn(expected, str(error))
            self.assertNotIn("\n", str(error))


class GunzipTests(SynchronousTestCase):
    """
    L{netlab.capture.unpacking.GunzipStream}.
    """

    def unpack(self, packed: bytes, step: int = 1 << 20) -> tuple[bytes, list[str]]:
        """Unpack all, and tell the faults."""
        faults = Faults()
        stream = GunzipStream(Trickle(packed, step), faults)
        pieces = []
        while piece := stream.read(1000):
            self.assertLessEqual(len(piece), 1000)
            pieces.append(piece)
        return b"".join(pieces), [fault.text for fault in faults.kept]

    def test_members(self) -> None:
        """
        Members that follow each other are one content, also with zero bytes between and behind
        them (RFC 1952 section 2.2).
        """
        packed = gzip.compress(CAPTURE) + bytes(9) + gzip.compress(b"more") + bytes(512)
        for step in (1, 7, 1 << 20):
            self.assertEqual(self.unpack(packed, step), (CAPTURE + b"more", []))

    def test_broken(self) -> None:
        """
        What was unpacked before a cut or damage is there, and a fault says why it ends.
        """
        packed = gzip.compress(os.urandom(5000))
        content, faults = self.unpack(packed[:3000])
        self.assertGreater(len(content), 2000)
        self.assertEqual(faults, ["The gzip stream is cut."])
        content, faults = self.unpack(packed[:-8] + bytes(8))
        self.assertEqual(faults, ["The gzip stream is damaged."])
        content, faults = self.unpack(gzip.compress(b"abc") + b"rest")
        self.assertEqual(
            (content, faults), (b"abc", ["Something that is not gzip follows the gzip stream."])
        )

    def test_bomb(self) -> None:
        """
        What is packed a thousandfold comes in pieces of the size that was asked for.
        """
        packed = gzip.compress(bytes(10_000_000))
        stream = GunzipStream(Trickle(packed, 1 << 20), Faults())
        total = 0
        while piece := stream.read(65536):
            self.assertLessEqual(len(piece), 65536)
            total += len(piece)
        self.assertEqual(total, 10_000_000)


class OpenTests(SynchronousTestCase):
    """
    L{netlab.capture.opening.open_capture}.
    """

    def write(self, data: bytes) -> str:
        """Make a file."""
        path: str = self.mktemp()
        with open(path, "wb") as file:
            file.write(data)
        return path

    def test_plainAndPacked(self) -> None:
        """
        A file is read whether it is packed with gzip or not, whatever its name is.
        """
        for data in (CAPTURE, gzip.compress(CAPTURE)):
            with open_capture(self.write(data)) as reader:
                self.assertEqual(len(list(reader)), 100)
                self.assertEqual(reader.faults.kept, [])

    def test_packedFaults(self) -> None:
        """
        A cut of the packed file and the cut of its content are both told.
        """
        packed = gzip.compress(pcap_header() + pcap_record(os.urandom(5000)))
        with open_capture(self.write(packed[:3000])) as reader:
            self.assertEqual(list(reader), [])
            self.assertEqual([fault.rule for fault in reader.faults.kept], ["packed", "cut"])

    def test_standardInput(self) -> None:
        """
        A dash is standard input, which stays open.
        """
        for data in (CAPTURE, gzip.compress(CAPTURE)):
            stream = io.TextIOWrapper(io.BytesIO(data))
            self.patch(sys, "stdin", stream)
            with open_capture("-") as reader:
                self.assertEqual(len(list(reader)), 100)
            self.assertFalse(stream.buffer.closed)

    def test_unopenable(self) -> None:
        """
        What cannot be opened or read is told in one line with its name.
        """
        missing = self.mktemp()
        for path, expected in [
            (missing, f"cannot open {missing}: No such file or directory"),
            (os.curdir, "cannot open .: Is a directory"),
        ]:
            error = self.assertRaises(CaptureError, open_capture(path).__enter__)
            self.assertEqual(str(error), expected)

    def test_failingDisk(self) -> None:
        """
        A failure while reading is told in one line too.
        """

        class Broken(io.BytesIO):
            """A file on a broken disk."""

            def read(self, size: int | None = -1, /) -> bytes:
                raise OSError(5, "Input/output error")

        self.patch(sys, "stdin", io.TextIOWrapper(Broken()))
        error = self.assertRaises(CaptureError, open_capture("-").__enter__)
        self.assertEqual(str(error), "cannot read standard input: Input/output error")


class FaultsTests(SynchronousTestCase):
    """
    L{Faults}.
    """

    def test_bounded(self) -> None:
        """
        Faults beyond the limit are counted and not kept.
        """
        faults = Faults()
        for number in range(FAULTS_KEPT_MAX + 5):
            faults.add("cut", "text", number)
        self.assertEqual(len(faults), FAULTS_KEPT_MAX + 5)
        self.assertEqual(len(faults.kept), FAULTS_KEPT_MAX)
        self.assertEqual(faults.counts, {"cut": FAULTS_KEPT_MAX + 5})
