"""
Reading pcap (draft-ietf-opsawg-pcap).
"""

from __future__ import annotations

import struct

from twisted.trial.unittest import SynchronousTestCase

from netlab.capture.records import Interface
from netlab.capture.source import FRAME_MAX_BYTES
from tests.capture.streams import (
    faults_of,
    pcap_header,
    pcap_record,
    reader_of,
    records_of,
)


class PcapTests(SynchronousTestCase):
    """
    L{netlab.capture.pcap.read_pcap}.
    """

    def test_microsecondsAndNanoseconds(self) -> None:
        """
        The magic number tells both the byte order and what the second half of a time counts.
        """
        for order in "<>":
            for magic, expected in [(0xA1B2C3D4, 3_000_007_000), (0xA1B23C4D, 3_000_000_007)]:
                data = pcap_header(order, magic) + pcap_record(b"abc", (3, 7), order, 60)
                (record,) = records_of(data)
                self.assertEqual(
                    (record.number, record.time_ns, record.data, record.length),
                    (1, expected, b"abc", 60),
                )

    def test_interface(self) -> None:
        """
        A file has one interface: its link type is in the lower half of the field, and the length of
        its frame check sequences, in units of two bytes, in the highest bits.
        """
        reader = reader_of(pcap_header(network=0x24000065, snaplen=96))
        self.assertEqual(list(reader), [])
        self.assertEqual(reader.interfaces, [Interface(101, "", "", 96, 0, 4, 1000)])

    def test_deliveries(self) -> None:
        """
        In whatever pieces a file comes, its frames are the same.
        """
        data = pcap_header() + b"".join(pcap_record(bytes(size), (size, 0)) for size in range(40))
        whole = records_of(data)
        self.assertEqual(len(whole), 40)
        for step in (1, 2, 7, 16, 24, 41):
            self.assertEqual(records_of(data, step), whole)

    def test_modifiedVariant(self) -> None:
        """
        Kuznetzov's variant has eight more bytes in each frame's header.
        """
        frames = [pcap_record(b"abc"), pcap_record(b"defg")]
        data = pcap_header(magic=0xA1B2CD34)
        data += b"".join(frame[:16] + bytes(8) + frame[16:] for frame in frames)
        self.assertEqual([record.data for record in records_of(data)], [b"abc", b"defg"])

    def test_ixiaVariant(self) -> None:
        """
        Ixia's variant has the size of all frames after the file header.
        """
        for magic in (0x1C0001AC, 0x1C0001AB):
            data = pcap_header(magic=magic) + bytes(4) + pcap_record(b"abc", (1, 2))
            (record,) = records_of(data)
            self.assertEqual((record.data, record.time_ns), (b"abc", 1_000_000_002))

    def test_swappedLengths(self) -> None:
        """
        Before version 2.3 a frame's two lengths stood the other way round, in 2.3 sometimes.
        """
        swapped = struct.pack("<IIII", 0, 0, 60, 3) + b"abc"
        for version in [(2, 2), (2, 3)]:
            (record,) = records_of(pcap_header(version=version) + swapped)
            self.assertEqual((record.data, record.length), (b"abc", 60))
        (record,) = records_of(pcap_header(version=(2, 3)) + pcap_record(b"abc", length=60))
        self.assertEqual((record.data, record.length), (b"abc", 60))

    def test_everyCut(self) -> None:
        """
        Of a file that is cut anywhere, the whole frames are read, and a fault tells of the cut
        unless it is between frames.
        """
        frames = [pcap_record(b"abc"), pcap_record(b""), pcap_record(b"defgh")]
        data = pcap_header() + b"".join(frames)
        ends = [24, 24 + 19, 24 + 19 + 16, len(data)]
        for cut in range(4, len(data) + 1):
            records, faults = faults_of(data[:cut])
            self.assertEqual(len(records), sum(end <= cut for end in ends[1:]))
            self.assertEqual([fault.rule for fault in faults], [] if cut in ends else ["cut"])

    def test_hostileLength(self) -> None:
        """
        A frame that claims more bytes than any frame has ends the reading, and nothing is reserved
        for it.
        """
        header = struct.pack("<IIII", 0, 0, FRAME_MAX_BYTES + 1, FRAME_MAX_BYTES + 1)
        for claim in (header, struct.pack("<IIII", 0, 0, 0xFFFFFFFF, 60)):
            records, faults = faults_of(pcap_header() + pcap_record(b"abc") + claim + bytes(1000))
            self.assertEqual(len(records), 1)
            self.assertEqual([fault.rule for fault in faults], ["length"])
            self.assertEqual((faults[0].number, faults[0].offset), (1, 24 + 19))
