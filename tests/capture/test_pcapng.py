"""
Reading pcapng (draft-ietf-opsawg-pcapng).
"""

from __future__ import annotations

import struct

from twisted.trial.unittest import SynchronousTestCase

from netlab.capture.pcapng import NOT_A_FRAME
from netlab.capture.records import Interface
from tests.capture.streams import (
    block,
    faults_of,
    interface,
    packet,
    reader_of,
    records_of,
    section,
)

BEGIN = section() + interface()
SECOND = 1_000_000_000


class PacketTests(SynchronousTestCase):
    """
    Blocks that hold frames.
    """

    def test_enhanced(self) -> None:
        """
        An enhanced packet has time, both lengths and data, in both byte orders (section 4.3).
        """
        for order in "<>":
            data = section(order) + interface(order=order)
            data += packet(b"abcde", 7, order=order) + packet(b"", 1 << 33, order=order)
            first, second = records_of(data)
            self.assertEqual((first.number, first.data, first.length), (1, b"abcde", 6))
            self.assertEqual((first.time_ns, second.time_ns), (7000, (1 << 33) * 1000))
            self.assertEqual(second.data, b"")

    def test_comments(self) -> None:
        """
        Packet comments are kept in their order; other options are passed over, and nothing after
        the end of options counts.
        """
        values = [(1, "größer".encode()), (2, bytes(4)), (1, b"zwei\xff"), (0, b""), (1, b"no")]
        (record,) = records_of(BEGIN + packet(b"abc", values=values))
        self.assertEqual(record.comments, ("größer", "zwei�"))

    def test_simple(self) -> None:
        """
        A simple packet is of the first interface, has no time, and is cut at the snaplen (section
        4.4).
        """
        data = section() + interface(snaplen=4) + block(3, struct.pack("<I", 6) + b"abcd")
        (record,) = records_of(data)
        self.assertEqual((record.time_ns, record.data, record.length), (0, b"abcd", 6))

    def test_obsolete(self) -> None:
        """
        The obsolete packet block has 16 bits for the interface and 16 for drops (appendix A).
        """
        body = struct.pack("<HHIIII", 1, 9, 0, 5, 3, 3) + b"abc"
        (record,) = records_of(BEGIN + interface(101) + block(2, body))
        self.assertEqual((record.time_ns, record.data), (5000, b"abc"))
        self.assertEqual(record.interface.link_type, 101)

    def test_otherBlocks(self) -> None:
        """
        Blocks that hold no frame are passed over; those that Wireshark shows as frames are
        counted, so that the frames after them have the numbers that it gives them.
        """
        data = BEGIN + block(5, bytes(12)) + packet(b"a") + block(10, bytes(40))
        data += block(0x0BAD, bytes(8)) + block(9, b"x=1\n") + block(0x12345, b"") + packet(b"b")
        records = records_of(data)
        self.assertEqual([record.number for record in records], [1, 2, 3, 4])
        self.assertEqual([record.interface == NOT_A_FRAME for record in records], [0, 1, 1, 0])

    def test_deliveries(self) -> None:
        """
        In whatever pieces a file comes, its frames are the same.
        """
        data = BEGIN + b"".join(
            packet(bytes(size), size, values=[(1, b"note")] if size % 3 else None)
            for size in range(30)
        )
        whole = records_of(data)
        self.assertEqual(len(whole), 30)
        for step in (1, 3, 12, 32, 61):
            self.assertEqual(records_of(data, step), whole)


class InterfaceTests(SynchronousTestCase):
    """
    Interfaces and sections.
    """

    def test_description(self) -> None:
        """
        Name, description, snaplen, and length of frame check sequences are kept (section 4.2).
        """
        values = [(2, b"eth0"), (3, b"the wire\0"), (13, b"\x04"), (9, b"\x09")]
        reader = reader_of(section() + interface(113, 96, values))
        self.assertEqual(list(reader), [])
        self.assertEqual(reader.interfaces, [Interface(113, "eth0", "the wire", 96, 0, 4, 1)])

    def test_resolution(self) -> None:
        """
        if_tsresol is a negative power of 10, or with its highest bit of 2; if_tsoffset adds
        seconds.
        """
        for resolution, count, expected in [
            (0, 3, 3 * SECOND),
            (3, 3, 3_000_000),
            (9, 3, 3),
            (12, 3999, 3),
            (0x80, 3, 3 * SECOND),
            (0x80 | 10, 1 << 9, SECOND // 2),
            (0x80 | 32, 5 << 31, 2 * SECOND + SECOND // 2),
            (0xFF, 1, 0),
            (127, 1, 0),
        ]:
            values = [(9, bytes([resolution])), (14, struct.pack("<q", -2))]
            for extra in (None, [(1, b"with options")]):
                (record,) = records_of(
                    section() + interface(values=values) + packet(b"", count, values=extra)
                )
                self.assertEqual(record.time_ns, expected - 2 * SECOND)

    def test_sections(self) -> None:
        """
        Each section has its own byte order and its own interfaces, counted from 0.
        """
        data = section("<") + interface(1) + interface(0) + packet(b"a", index=1)
        data += section(">") + interface(101, order=">") + packet(b"b", order=">")
        reader = reader_of(data)
        self.assertEqual([record.interface.link_type for record in reader], [0, 101])
        self.assertEqual([found.number for found in reader.interfaces], [0, 1, 2])

    def test_names(self) -> None:
        """
        Name resolution gives names to addresses of both families; the first one is kept.
        """
        records = struct.pack("<HH", 1, 12) + b"\x0a\0\0\1one\0uno\0"
        records += struct.pack("<HH", 2, 20) + bytes(15) + b"\1six\0"
        records += struct.pack("<HH", 1, 9) + b"\x0a\0\0\1two\0\0\0\0" + bytes(4)
        reader = reader_of(section() + block(4, records))
        self.assertEqual(list(reader), [])
        self.assertEqual(reader.names, {b"\x0a\0\0\1": "one", bytes(15) + b"\1": "six"})

    def test_drops(self) -> None:
        """
        Statistics tell how many frames an interface and the system dropped; the last ones count,
        and those of an interface that is missing do not (section 4.6).
        """
        for order in "<>":
            data = section(order) + interface(order=order) + interface(order=order)

            def statistics(index: int, *dropped: tuple[int, int], order: str = order) -> bytes:
                body = struct.pack(order + "III", index, 0, 0)
                for code, count in dropped:
                    body += struct.pack(order + "HHQ", code, 8, count)
                return block(5, body + bytes(4), order)

            data += statistics(0, (4, 99), (5, 1)) + statistics(0, (5, 3), (7, 4))
            data += statistics(1, (5, 2)) + statistics(2, (5, 50)) + block(5, b"short123", order)
            reader = reader_of(data)
            self.assertEqual(list(reader), [])
            self.assertEqual(reader.drops, {0: 7, 1: 2})

    def test_long_names(self) -> None:
        """
        Of names and descriptions, which may be as long as 64 KiB and as many, 255 bytes are kept.
        """
        values = [(2, b"n" * 65535), (3, b"d" * 65535)]
        host = struct.pack("<HH", 1, 60000) + b"\x0a\0\0\1" + b"h" * 59996
        reader = reader_of(section() + interface(values=values) + block(4, host))
        self.assertEqual(list(reader), [])
        (found,) = reader.interfaces
        self.assertEqual((found.name, found.description), ("n" * 255, "d" * 255))
        self.assertEqual(reader.names, {b"\x0a\0\0\1": "h" * 255})


class MalformedTests(SynchronousTestCase):
    """
    What makes no sense becomes a fault, and what can still be read is read.
    """

    def rules(self, data: bytes) -> tuple[int, list[str]]:
        """Count the frames, and name the faults."""
        records, faults = faults_of(data)
        return len(records), [fault.rule for fault in faults]

    def test_everyCut(self) -> None:
        """
        Of a file that is cut anywhere, the whole blocks are read and a fault tells of the cut,
        unless it is between blocks.
        """
        blocks = [section(), interface(), packet(b"abc"), packet(b"defgh", values=[(1, b"x")])]
        data = b"".join(blocks)
        ends = [sum(map(len, blocks[:count])) for count in range(1, 5)]
        for cut in range(4, len(data) + 1):
            count, rules = self.rules(data[:cut])
            self.assertEqual(count, sum(end <= cut for end in ends[2:]))
            self.assertEqual(rules, [] if cut in ends else ["cut"], cut)

    def test_missingInterface(self) -> None:
        """
        A frame of an interface that was not described is counted, and named.
        """
        self.assertEqual(self.rules(BEGIN + packet(b"a", index=1)), (1, ["interface"]))
        self.assertEqual(self.rules(section() + block(3, bytes(4))), (1, ["interface"]))

    def test_captured(self) -> None:
        """
        A frame that claims more bytes than its block has is cut to those.
        """
        records, faults = faults_of(BEGIN + packet(b"abcd", captured=0xFFFFFFFF))
        self.assertEqual([record.data for record in records], [b"abcd"])
        self.assertEqual([fault.rule for fault in faults], ["length"])

    def test_shortPacket(self) -> None:
        """
        A packet block without room for its own header is counted, and named.
        """
        self.assertEqual(self.rules(BEGIN + block(6, bytes(8))), (1, ["length"]))
        self.assertEqual(self.rules(section() + block(1, bytes(4))), (0, ["interface"]))

    def test_hostileLengths(self) -> None:
        """
        A block that claims 4 GiB is passed over without being kept in memory; one that claims less
        than its own header ends the reading.
        """
        huge = struct.pack("<II", 6, 0xFFFFFFFC) + bytes(100_000)
        self.assertEqual(self.rules(BEGIN + packet(b"a") + huge), (1, ["length", "cut"]))
        tiny = struct.pack("<III", 6, 8, 8)
        self.assertEqual(self.rules(BEGIN + tiny + packet(b"a")), (0, ["length"]))

    def test_longBlockIsSkipped(self) -> None:
        """
        What follows a block that is too long is read.
        """
        long = block(0x777, bytes(1 << 25))
        self.assertEqual(self.rules(BEGIN + long + packet(b"a")), (1, ["length"]))

    def test_differingLengths(self) -> None:
        """
        Where a block's two lengths differ the first is believed, and a fault tells so.
        """
        broken = packet(b"abc")[:-4] + bytes(4)
        self.assertEqual(self.rules(BEGIN + broken + packet(b"a")), (2, ["length"]))

    def test_noByteOrder(self) -> None:
        """
        A section without byte-order magic cannot be read.
        """
        self.assertEqual(self.rules(BEGIN + block(0x0A0D0D0A, bytes(16))), (0, ["section"]))
