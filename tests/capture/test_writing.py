"""
Captures as bytes.
"""

from __future__ import annotations

import struct

from twisted.trial.unittest import SynchronousTestCase

from netlab.capture.records import Interface, LinkType, Record
from netlab.capture.writing import PcapngWriter, PcapWriter

ETHERNET = Interface(LinkType.ETHERNET, name="eth0", snaplen=65535)


class PcapngWriterTests(SynchronousTestCase):
    """
    Blocks of pcapng (draft-ietf-opsawg-pcapng).
    """

    def test_begin(self) -> None:
        """
        A section begins with its header and a block for each interface, whose clock steps by 1 ns.
        """
        expected = bytes.fromhex(
            "0a0d0d0a 28000000 4d3c2b1a 0100 0000 ffffffffffffffff"
            "0400 0100 78000000 0000 0000 28000000"
            "01000000 28000000 0100 0000 ffff0000"
            "0200 0400 65746830 0900 0100 09000000 0000 0000 28000000"
        )
        self.assertEqual(PcapngWriter([ETHERNET], application="x").begin(), expected)

    def test_packet(self) -> None:
        """
        A frame's data is padded to four bytes, its comments follow, and its time has two halves.
        """
        block = PcapngWriter([ETHERNET]).packet(
            (1 << 32) + 2, b"abcde", length=60, comments=["hé", "x"]
        )
        expected = bytes.fromhex(
            "06000000 3c000000 00000000 01000000 02000000 05000000 3c000000 6162636465000000"
            "0100 0300 68c3a900 0100 0100 78000000 0000 0000 3c000000"
        )
        self.assertEqual(block, expected)

    def test_record(self) -> None:
        """
        A record goes to its own interface's number, with its comments; another's is refused.
        """
        loopback = Interface(LinkType.NULL, name="lo0")
        writer = PcapngWriter([ETHERNET, loopback])
        record = Record(7, 5, b"abcd", 4, loopback, ("note",))
        self.assertEqual(
            writer.record(record), writer.packet(5, b"abcd", interface=1, comments=["note"])
        )
        stranger = record._replace(interface=Interface(LinkType.RAW))
        self.assertRaises(ValueError, writer.record, stranger)

    def test_longComment(self) -> None:
        """
        A comment that does not fit is cut between characters.
        """
        block = PcapngWriter([ETHERNET]).packet(0, b"", comments=["é" * 40000])
        self.assertEqual(struct.unpack_from("<HH", block, 28), (1, 65534))

    def test_misfits(self) -> None:
        """
        What does not fit a field is refused.
        """
        writer = PcapngWriter([ETHERNET])
        for time_ns, interface, length in [(-1, 0, 0), (1 << 64, 0, 0), (0, 1, 0), (0, 0, 1 << 32)]:
            with self.assertRaises(ValueError):
                writer.packet(time_ns, b"", interface=interface, length=length)


class PcapWriterTests(SynchronousTestCase):
    """
    The pcap format with nanoseconds (draft-ietf-opsawg-pcap).
    """

    def test_file(self) -> None:
        """
        The header tells nanoseconds, version 2.4 and the link type; a frame follows its header.
        """
        writer = PcapWriter(LinkType.NULL, snaplen=96)
        self.assertEqual(
            writer.begin(),
            bytes.fromhex("4d3cb2a1 0200 0400 00000000 00000000 60000000 00000000"),
        )
        self.assertEqual(
            writer.packet(3_000_000_007, b"abc", length=1000),
            bytes.fromhex("03000000 07000000 03000000 e8030000") + b"abc",
        )

    def test_misfits(self) -> None:
        """
        A time before 1970 or after 2106, or a length of 4 GiB, is refused.
        """
        writer = PcapWriter(LinkType.ETHERNET)
        self.assertRaises(ValueError, writer.packet, -1, b"")
        self.assertRaises(ValueError, writer.packet, (1 << 32) * 1_000_000_000, b"")
        self.assertRaises(ValueError, writer.packet, 0, b"", length=1 << 32)
