"""
Tests for L{netlab.report.redact}: nothing that was to be left out remains in a frame.
"""

from __future__ import annotations

import struct

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.explanation.privacy import Discretion
from netlab.capture.decode import Decoder
from netlab.capture.records import Interface, LinkType, Record
from netlab.capture.segments import Checksum, Segment
from netlab.report.redact import Frame, Redactor
from tests.captures import frames
from tests.captures.frames import ip_packet

_SECRET = b"a secret of somebody"
_CLIENT, _SERVER = bytes([10, 9, 8, 7]), bytes([10, 9, 8, 6])
_HARDWARE = b"\x00\x1b\x21\xaa\xbb\xcc"


def redacted(record: Record, discretion: Discretion) -> Frame | None:
    """
    Leave out of one frame what is not to be seen.
    """
    return Redactor(discretion).redacted(record)


def packet(*, version: int = 4) -> bytes:
    """
    Make a packet that carries the secret between the two addresses.
    """
    source, target = ("10.9.8.7", "10.9.8.6") if version == 4 else ("fd09::7", "fd09::6")
    return ip_packet(frames.Segment(source, target, 40000, 80, 1, 1, payload=_SECRET), 1)


def with_options(data: bytes, options: bytes) -> bytes:
    """
    Give an IPv4 packet options.
    """
    head = bytearray(data[:20])
    head[0] = 0x40 | (20 + len(options)) // 4
    head[2:4] = struct.pack("!H", len(data) + len(options))
    return bytes(head) + options + data[20:]


class RedactedTests(SynchronousTestCase):
    """
    Frames of several links.
    """

    def redact(self, link_type: int, data: bytes, *, anonymises: bool = True) -> bytes | None:
        """
        Leave out what is to be left out; what remains is still the same segment.
        """
        record = Record(1, 0, data, len(data), Interface(link_type))
        frame = redacted(record, Discretion(shows_payload=False, anonymises=anonymises))
        if frame is None:
            return None
        self.assertEqual(frame.length, len(data))
        self.assertNotIn(_SECRET[:8], frame.data)
        again = Decoder().decode(Record(1, 0, frame.data, frame.length, Interface(link_type)))
        assert isinstance(again, Segment)
        self.assertEqual((again.srcport, again.dstport, again.length), (40000, 80, len(_SECRET)))
        if anonymises:
            for address in (_CLIENT, _SERVER, _HARDWARE, b"\xfd\x09"):
                self.assertNotIn(address, frame.data)
        return frame.data

    def test_links(self) -> None:
        """
        Addresses go from Ethernet, with and without a VLAN's tag, both cooked links and raw IP.
        """
        ethernet = _HARDWARE * 2
        for link_type, head in (
            (LinkType.ETHERNET, ethernet + b"\x08\x00"),
            (LinkType.ETHERNET, ethernet + b"\x81\x00\x00\x05\x08\x00"),
            (LinkType.LINUX_SLL, struct.pack("!HHH", 0, 1, 6) + _HARDWARE + bytes(2) + b"\x08\x00"),
            (
                LinkType.LINUX_SLL2,
                b"\x08\x00" + bytes(2) + struct.pack("!IHBB", 1, 1, 0, 6) + _HARDWARE + bytes(2),
            ),
            (LinkType.RAW, b""),
            (LinkType.NULL, struct.pack("<I", 2)),
        ):
            self.assertIsNotNone(self.redact(link_type, head + packet()), link_type)

    def test_ipv6(self) -> None:
        """
        IPv6 addresses go.
        """
        self.assertIsNotNone(self.redact(LinkType.RAW, packet(version=6)))

    def test_a_recorded_route(self) -> None:
        """
        IPv4 options may hold addresses: they become no-operations.
        """
        route = b"\x07\x07\x08" + _SERVER + b"\x00"
        data = self.redact(LinkType.RAW, with_options(packet(), route))
        assert data is not None
        self.assertEqual(data[20:28], b"\x01" * 8)

    def test_tcp_options(self) -> None:
        """
        Options that may hold an address become no-operations, those that the story needs stay, and
        what is malformed goes.
        """
        known = b"\x02\x04\x05\xb4\x03\x03\x07\x01"
        for options in (
            known + b"\x1e\x08\x30\x01" + _SERVER,
            b"\x1e\x08\x30\x01" + _SERVER + known,
            known + b"\x02\x20" + _SERVER + b"\x01\x01",
        ):
            segment = frames.Segment(
                "10.9.8.7", "10.9.8.6", 40000, 80, 1, 1, payload=_SECRET, options=options
            )
            data = self.redact(LinkType.RAW, ip_packet(segment, 1))
            assert data is not None
            self.assertEqual(len(data), 40 + len(options))
            self.assertIn(known, data)

    def test_cut_within_the_headers(self) -> None:
        """
        A frame that was cut anywhere within its headers is left out, or loses what it should.
        """
        options = b"\x1e\x08\x30\x01" + _SERVER
        segment = frames.Segment("10.9.8.7", "10.9.8.6", 40000, 80, 1, 1, options=options)
        whole = ip_packet(segment, 1)
        for size in range(len(whole)):
            record = Record(1, 0, whole[:size], len(whole), Interface(LinkType.RAW))
            frame = redacted(record, Discretion(anonymises=True))
            if frame is not None:
                self.assertEqual(len(frame.data), size)
                self.assertNotIn(_SERVER, frame.data)
                self.assertNotIn(_CLIENT, frame.data)

    def test_tunnels(self) -> None:
        """
        A frame with more headers than we look into is left out whole: they hold addresses too.
        """
        inner = packet()
        outer = bytearray(with_options(inner[:20] + inner, b"")[:20])
        outer[2:4] = struct.pack("!H", 20 + len(inner))
        outer[9] = 4
        self.assertIsNone(self.redact(LinkType.RAW, bytes(outer) + inner))
        self.assertIsNone(
            self.redact(LinkType.ETHERNET, _HARDWARE * 2 + b"\x08\x00" + bytes(outer) + inner)
        )

    def test_checksums(self) -> None:
        """
        A checksum says what it said, where what it is the sum of is all there, and else nothing: it
        is no sum of what is hidden.
        """
        for checksum, said, without in (
            (frames.Checksum.GOOD, Checksum.UNCHECKABLE, Checksum.GOOD),
            (frames.Checksum.BAD, Checksum.UNCHECKABLE, Checksum.BAD),
            (frames.Checksum.OFFLOADED, Checksum.OFFLOADED, Checksum.OFFLOADED),
        ):
            for payload, expected in ((_SECRET, said), (b"", without)):
                for anonymises in (False, True):
                    segment = frames.Segment(
                        "10.9.8.7", "10.9.8.6", 40000, 80, 1, 1, payload=payload, checksum=checksum
                    )
                    whole = ip_packet(segment, 1)
                    interface = Interface(LinkType.RAW)
                    record = Record(1, 0, whole, len(whole), interface)
                    frame = redacted(record, Discretion(False, anonymises))
                    assert frame is not None
                    again = Decoder().decode(record._replace(data=frame.data))
                    assert isinstance(again, Segment)
                    self.assertIs(again.checksum, expected)
                    if payload and checksum is not frames.Checksum.OFFLOADED:
                        self.assertEqual(again.checksum_field, 0)

    def test_fields_without_meaning(self) -> None:
        """
        An urgent pointer without its flag, and whatever an address of a cooked link is padded with,
        are no part of what is shown.
        """
        whole = bytearray(packet())
        whole[38:40] = b"\x12\x34"
        cooked = struct.pack("!HHH", 0, 1, 6) + _HARDWARE + b"zz" + b"\x08\x00"
        data = self.redact(LinkType.LINUX_SLL, cooked + whole, anonymises=False)
        assert data is not None
        self.assertEqual(data[6:14], _HARDWARE + bytes(2))
        self.assertEqual(data[16 + 38 : 16 + 40], bytes(2))
        self.assertNotIn(b"zz", data)

    def test_payload_alone(self) -> None:
        """
        Where only the payload is to go, addresses stay.
        """
        data = self.redact(LinkType.RAW, packet(), anonymises=False)
        assert data is not None
        self.assertIn(_CLIENT + _SERVER, data)

    def test_nothing(self) -> None:
        """
        Where nothing is to go, the frame stays as it is, whatever it is.
        """
        record = Record(1, 0, b"\xff" * 60, 60, Interface(1))
        self.assertEqual(redacted(record, Discretion()), (record.data, 60))
