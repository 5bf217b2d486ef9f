"""
From frames to segments.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from netlab.capture.decode import Decoder
from netlab.capture.fragments import HELD_MAX_BYTES
from netlab.capture.records import Interface, LinkType, Record
from netlab.capture.segments import Other, Segment
from tests.captures import frames

V4 = frames.ip_packet(
    frames.Segment("10.0.0.1", "10.0.0.2", 4000, 80, 1000, 1, frames.PSH | frames.ACK, b"hello"), 7
)
V6 = frames.ip_packet(
    frames.Segment("2001:db8::1", "2001:db8::2", 4000, 80, 1000, 1, frames.ACK, b"hello")
)
LONG = frames.ip_packet(
    frames.Segment("10.0.0.1", "10.0.0.2", 4000, 80, 1000, 1, frames.ACK, bytes(range(200)) * 10)
)
LONG6 = frames.ip_packet(
    frames.Segment("2001:db8::1", "2001:db8::2", 4000, 80, 1, 1, frames.ACK, bytes(range(200)) * 10)
)
SNAP4 = b"\xaa\xaa\x03\0\0\0\x08\0" + V4
WIFI = bytes(22)


def ethernet(payload: bytes, ethertype: int = 0x0800) -> bytes:
    """Make an Ethernet frame."""
    return bytes(12) + struct.pack(">H", ethertype) + payload


def ipv4(
    protocol: int,
    payload: bytes,
    options: bytes = b"",
    *,
    fragment: int = 0,
    total: int | None = None,
    identification: int = 1,
) -> bytes:
    """Make an IPv4 datagram."""
    words = 5 + len(options) // 4
    total = words * 4 + len(payload) if total is None else total
    head = struct.pack(
        ">BBHHHBBH", 0x40 | words, 0, total, identification, fragment, 64, protocol, 0
    )
    return head + bytes([10, 1, 0, 1, 10, 1, 0, 2]) + options + payload


def ipv6(protocol: int, payload: bytes) -> bytes:
    """Make an IPv6 datagram."""
    head = struct.pack(">IHBB", 0x60000000, len(payload), protocol, 64)
    return head + V6[8:40] + payload


def udp(port: int, payload: bytes) -> bytes:
    """Make a UDP datagram."""
    return struct.pack(">HHHH", 5555, port, 8 + len(payload), 0) + payload


def icmp(quoted: bytes, kind: int = 3) -> bytes:
    """Make an ICMP error."""
    return bytes([kind, 1]) + bytes(6) + quoted


class DecodeTestCase(SynchronousTestCase):
    """
    Ways to decode one frame.
    """

    def decode(
        self, data: bytes, link_type: int = LinkType.ETHERNET, length: int | None = None
    ) -> Segment | Other:
        """Decode a frame with a new decoder."""
        length = len(data) if length is None else length
        return Decoder().decode(Record(1, 0, data, length, Interface(link_type)))

    def segment(
        self, data: bytes, link_type: int = LinkType.ETHERNET, length: int | None = None
    ) -> Segment:
        """Decode a frame that is a segment."""
        found = self.decode(data, link_type, length)
        assert isinstance(found, Segment), found
        return found

    def other(self, data: bytes, link_type: int = LinkType.ETHERNET) -> Other:
        """Decode a frame that is none."""
        found = self.decode(data, link_type)
        assert isinstance(found, Other), found
        return found

    def assertHello(self, data: bytes, link_type: int, at: int) -> None:
        """The frame has the usual segment, whose IP header begins at some place."""
        segment = self.segment(data, link_type)
        self.assertEqual(
            (segment.srcport, segment.dstport, segment.seq, segment.ack, segment.payload),
            (4000, 80, 1000, 1, b"hello"),
        )
        self.assertEqual((segment.link_bytes, segment.length), (at, 5))
        self.assertEqual(segment.padding_bytes, 0)


class SegmentTests(DecodeTestCase):
    """
    The fields of a segment.
    """

    def test_ipv4(self) -> None:
        """
        A segment's fields are those of its headers, and the frame's length is their sum.
        """
        segment = self.segment(ethernet(V4))
        self.assertEqual((segment.src, segment.dst), ("10.0.0.1", "10.0.0.2"))
        self.assertEqual((segment.ip_version, segment.flags, segment.window), (4, 0x18, 65535))
        self.assertEqual((segment.ip_id, segment.ttl), (7, 128))
        self.assertEqual(
            (segment.link_bytes, segment.ip_bytes, segment.tcp_bytes, segment.length),
            (14, 20, 20, 5),
        )
        self.assertEqual(segment.record.length, 14 + 20 + 20 + 5)
        self.assertFalse(segment.is_partial)

    def test_ipv6(self) -> None:
        """
        The same of IPv6, which has no identification.
        """
        segment = self.segment(ethernet(V6, 0x86DD))
        self.assertEqual((segment.src, segment.dst), ("2001:db8::1", "2001:db8::2"))
        self.assertEqual((segment.ip_version, segment.ip_id, segment.ttl), (6, 0, 128))
        self.assertEqual((segment.ip_bytes, segment.length), (40, 5))

    def test_keys(self) -> None:
        """
        An answer's key is the segment's reverse key, for both families.
        """
        for source, target in [("10.0.0.1", "10.0.0.2"), ("2001:db8::1", "2001:db8::2")]:
            ethertype = 0x0800 if "." in source else 0x86DD
            there = frames.ip_packet(frames.Segment(source, target, 1, 2, 0))
            back = frames.ip_packet(frames.Segment(target, source, 2, 1, 0))
            self.assertEqual(
                self.segment(ethernet(there, ethertype)).reverse_key,
                self.segment(ethernet(back, ethertype)).key,
            )

    def test_flags(self) -> None:
        """
        All twelve bits beside the data offset are flags.
        """
        raw = bytearray(ethernet(V4))
        raw[46:48] = b"\x5f\xff"
        self.assertEqual(self.segment(bytes(raw)).flags, 0xFFF)

    def test_seglen(self) -> None:
        """
        SYN and FIN take one number each.
        """
        for flags, expected in [(frames.ACK, 5), (frames.SYN, 6), (frames.SYN | frames.FIN, 7)]:
            raw = frames.Segment("10.0.0.1", "10.0.0.2", 1, 2, 0, 0, flags, b"12345")
            self.assertEqual(self.segment(ethernet(frames.ip_packet(raw))).seglen, expected)

    def test_padding(self) -> None:
        """
        What follows the datagram in the frame is padding and no payload.
        """
        bare = frames.ip_packet(frames.Segment("10.0.0.1", "10.0.0.2", 1, 2, 0))
        segment = self.segment(ethernet(bare) + b"\0" * 6)
        self.assertEqual((segment.length, segment.payload, segment.padding_bytes), (0, b"", 6))

    def test_cutPayload(self) -> None:
        """
        The payload's length is that of the datagram, also where not all of it was captured.
        """
        segment = self.segment(ethernet(V4)[:-2], length=59)
        self.assertEqual((segment.length, segment.payload), (5, b"hel"))

    def test_lyingTotalLength(self) -> None:
        """
        A datagram ends with its frame, whatever its header says; a total length of 0 is what
        segmentation offload leaves, and means the same.
        """
        for total in (0, 500):
            segment = self.segment(ethernet(ipv4(6, V4[20:], total=total)))
            self.assertEqual((segment.length, segment.payload), (5, b"hello"))


class LinkTests(DecodeTestCase):
    """
    Link headers, tags and tunnels.
    """

    def cases(self) -> Iterator[tuple[int, bytes, int]]:
        """Link type, frame, and where its innermost IP header begins."""
        for family in (struct.pack("<I", 2), struct.pack(">I", 2)):
            yield LinkType.NULL, family + V4, 4
        for number in (24, 28, 30):
            yield LinkType.NULL, struct.pack("<I", number) + V6, 4
        yield LinkType.LOOP, struct.pack(">I", 2) + V4, 4
        for raw in (LinkType.RAW, LinkType.RAW_BSD, LinkType.RAW_OPENBSD):
            yield raw, V4, 0
            yield raw, V6, 0
        yield LinkType.IPV4, V4, 0
        yield LinkType.IPV6, V6, 0
        yield LinkType.LINUX_SLL, bytes(14) + b"\x08\0" + V4, 16
        yield LinkType.LINUX_SLL, bytes(14) + b"\x81\0\0\5\x86\xdd" + V6, 20
        yield LinkType.LINUX_SLL2, b"\x08\0" + bytes(18) + V4, 20
        yield LinkType.ETHERNET, ethernet(V6, 0x86DD), 14
        yield LinkType.ETHERNET, ethernet(b"\0\5\x08\0" + V4, 0x8100), 18
        yield LinkType.ETHERNET, ethernet(b"\0\5\x81\0\0\6\x86\xdd" + V6, 0x88A8), 22
        yield LinkType.ETHERNET, ethernet(SNAP4, len(SNAP4)), 22
        yield LinkType.ETHERNET, ethernet(b"\0\1\1\x40" + V4, 0x8847), 18
        yield LinkType.ETHERNET, ethernet(b"\0\1\0\x40\0\2\1\x40" + V6, 0x8847), 22
        yield LinkType.ETHERNET, ethernet(b"\x11\0\0\1\0\x2f\0\x21" + V4, 0x8864), 22
        yield 9, b"\xff\3\0\x21" + V4, 4
        yield 9, b"\x21" + V4, 1
        yield 9, b"\xff\3\x02\x81\0\1\1\x40" + V4, 8
        yield 242, bytes(40) + b"\x08\0\0\0" + V4, 44
        yield 50, b"\xff\3\0\x57" + V6, 4
        yield 50, b"\x0f\0\x08\0" + V4, 4
        yield 9, b"\x8f\0\x08\0" + V4, 4
        yield 51, b"\x11\0\0\1\0\x2f\0\x21" + V4, 8
        yield 104, b"\x0f\0\x86\xdd" + V6, 4
        yield 107, b"\x18\x41\3\xcc" + V4, 4
        yield 107, b"\x18\x41\3\0\x80\0\0\0\x08\0" + V4, 10
        yield 105, b"\x08\1" + WIFI + SNAP4, 32
        yield 105, b"\x08\3" + WIFI + bytes(6) + SNAP4, 38
        yield 105, b"\x88\1" + WIFI + bytes(2) + SNAP4, 34
        yield 127, b"\0\0\x08\0\0\0\0\0\x08\1" + WIFI + SNAP4, 40
        yield 127, b"\0\0\x09\0\2\0\0\0\x20\x88\1" + WIFI + bytes(4) + SNAP4, 45
        yield 192, b"\0\0\x08\0\x69\0\0\0\x08\1" + WIFI + SNAP4, 40
        yield 119, b"\x41\0\0\0\x90\0\0\0" + bytes(136) + b"\x08\1" + WIFI + SNAP4, 176
        yield 163, b"\x80\x21\x10\1\0\0\0\x40" + bytes(56) + b"\x08\1" + WIFI + SNAP4, 96
        yield 6, bytes(14) + SNAP4, 22
        yield 6, bytes(8) + b"\x80" + bytes(5) + b"\x06\x30\0\1\0\2" + SNAP4, 28
        yield 10, bytes(13) + SNAP4, 21
        yield 109, struct.pack("<I", 2) + bytes(8) + V4, 12
        yield 117, b"\x3d\2" + bytes(62) + V4, 64
        yield 138, bytes(16) + b"\x08\0" + V4, 18
        yield 239, b"\2\0\0\1\x08\0\1\0\x08\0\1\0" + struct.pack("<HH", 49, 9) + V4, 16

    def tunnels(self) -> Iterator[tuple[bytes, int]]:
        """Ethernet frame, and where its innermost IP header begins."""
        inner = ethernet(V4)
        yield ipv4(4, V4), 34
        yield ipv4(41, V6), 34
        yield ipv4(47, b"\0\0\x08\0" + V4), 38
        yield ipv4(47, b"\xb0\0\x86\xdd" + bytes(12) + V6), 50
        yield ipv4(47, b"\0\0\x65\x58" + inner), 52
        yield ipv4(47, b"\x30\1\x88\x0b" + bytes(8) + b"\xff\3\0\x21" + V4), 50
        yield ipv4(47, b"\x10\0\x88\xbe\0\0\0\1" + bytes(8) + inner), 64
        yield ipv4(51, b"\4\4" + bytes(22) + V4), 58
        yield ipv4(97, b"\x30\0" + inner), 50
        yield ipv4(137, b"\0\1\1\x40" + V4), 38
        yield ipv4(17, udp(4789, bytes(8) + inner)), 64
        yield ipv4(17, udp(6081, b"\0\0\x65\x58\0\0\1\0" + inner)), 64
        yield ipv4(17, udp(2152, b"\x30\xff\0\x2d\0\0\0\1" + V4)), 50
        yield ipv4(17, udp(2152, b"\x34\xff\0\x35\0\0\0\1\0\0\0\x85\1\0\0\0" + V4)), 58
        yield ipv4(17, udp(1701, b"\0\2\0\1\0\1\xff\3\0\x21" + V4)), 52
        yield ipv4(17, udp(3544, V6)), 42

    def test_links(self) -> None:
        """
        Through each link header the same segment is found.
        """
        for link_type, data, at in self.cases():
            self.assertHello(data, link_type, at)

    def test_tunnels(self) -> None:
        """
        Through each tunnel the same segment is found: that of the innermost IP header.
        """
        for data, at in self.tunnels():
            self.assertHello(ethernet(data), LinkType.ETHERNET, at)

    def test_everyCut(self) -> None:
        """
        A frame of any kind that is cut anywhere is decoded, or told to be cut, and nothing else.
        """
        every = [(link_type, data) for link_type, data, _ in self.cases()]
        every += [(1, ethernet(data)) for data, _ in self.tunnels()]
        for link_type, data in every:
            for cut in range(len(data)):
                decoder = Decoder()
                record = Record(1, 0, data[:cut], len(data), Interface(link_type))
                found = decoder.decode(record)
                is_malformed = isinstance(found, Other) and bool(found.problem)
                self.assertEqual(bool(decoder.faults.kept), is_malformed)

    def test_others(self) -> None:
        """
        What is not TCP is named, without a problem.
        """
        for data, expected in [
            (ethernet(bytes(46), 0x0806), "ARP"),
            (ethernet(bytes(46), 0x4242), "ethertype 0x4242"),
            (ethernet(b"\x42\x42\3" + bytes(43), 0x002E), "a protocol that is not IP"),
            (ethernet(ipv4(17, udp(53, b"x"))), "UDP"),
            (ethernet(ipv4(1, b"\x08\0" + bytes(6))), "ICMP"),
            (ethernet(ipv4(200, b"")), "IP protocol 200"),
            (ethernet(ipv6(58, b"\x86" + bytes(7)), 0x86DD), "ICMPv6"),
            (ethernet(ipv6(59, b""), 0x86DD), "IPv6 without payload"),
        ]:
            found = self.other(data)
            self.assertEqual((found.protocol, found.problem), (expected, ""))
        self.assertEqual(self.other(b"", 147).protocol, "link type 147")

    def test_deepTunnels(self) -> None:
        """
        However deep the headers are nested, the work is bounded.
        """
        data = V4
        for _ in range(9):
            data = ipv4(4, data)
        self.assertIn("More headers", self.other(ethernet(data)).problem)
        tags = b"\0\5\x81\0" * 5000
        self.assertEqual(self.other(ethernet(tags, 0x8100)).protocol, "ethertype 0x8100")
        snaps = b"\0\5\0\x08\xaa\xaa\3\0\0\0\x81\0" * 5000
        self.assertEqual(self.other(ethernet(snaps, 0x8100)).protocol, "ethertype 0x8100")


class NetworkTests(DecodeTestCase):
    """
    IP headers and TCP headers that are unusual.
    """

    def test_options(self) -> None:
        """
        IPv4 options are passed over; a source route that has not been gone gives the destination
        (RFC 791 section 3.1).
        """
        for options in (b"\x94\4\0\0", b"\1" * 40, b"\0\xff\xff\xff", b"\x07\xff\0\0"):
            segment = self.segment(ethernet(ipv4(6, V4[20:], options)))
            self.assertEqual((segment.ip_bytes, segment.dst), (20 + len(options), "10.1.0.2"))
        for route, expected in [
            (b"\x83\x07\4\x0a\x08\x08\x08\0", "10.8.8.8"),
            (b"\x89\x0b\4\x0a\x09\x09\x09\x0a\x08\x08\x08\0", "10.8.8.8"),
            (b"\x83\x07\x08\x0a\x08\x08\x08\0", "10.1.0.2"),
        ]:
            self.assertEqual(self.segment(ethernet(ipv4(6, V4[20:], route))).dst, expected)

    def test_extensions(self) -> None:
        """
        IPv6 extension headers are passed over (RFC 8200 section 4).
        """
        options, routing = b"\0\1\4\0\0\0\0", b"\0" * 7
        for data, size in [
            (ipv6(0, b"\6" + options + V6[40:]), 8),
            (ipv6(60, b"\x2b" + options + b"\6" + routing + V6[40:]), 16),
            (ipv6(44, b"\6\0\0\0\0\0\0\5" + V6[40:]), 8),
            (ipv6(51, b"\6\4" + bytes(22) + V6[40:]), 24),
        ]:
            segment = self.segment(ethernet(data, 0x86DD))
            self.assertEqual((segment.ip_bytes, segment.payload), (40 + size, b"hello"))

    def test_jumbogram(self) -> None:
        """
        A jumbogram's length is in an option (RFC 2675).
        """
        payload = b"\6\0\xc2\4" + struct.pack(">I", 8 + len(V6) - 40) + V6[40:]
        data = bytearray(ipv6(0, payload))
        data[4:6] = b"\0\0"
        self.assertEqual(self.segment(ethernet(bytes(data), 0x86DD)).payload, b"hello")

    def test_malformedHeaders(self) -> None:
        """
        A header that contradicts itself is named.
        """
        for data, expected in [
            (ethernet(b"\x44" + V4[1:]), "The IPv4 header's length is wrong."),
            (ethernet(b"\x55" + V4[1:]), "The IPv4 header's length is wrong."),
            (ethernet(ipv4(6, V4[20:], total=19)), "The IPv4 total length is too short."),
            (ethernet(b"\x50" + V6[1:], 0x86DD), "The IPv6 header's version is wrong."),
        ]:
            self.assertEqual(self.other(data).problem, expected)

    def test_shortTcp(self) -> None:
        """
        A datagram that ends within the TCP header has a segment without a length.
        """
        header = V4[20:32] + b"\xf0" + V4[33:]
        for data in (ipv4(6, header), ipv4(6, V4[20:], total=38)):
            decoder = Decoder()
            frame = ethernet(data)
            found = decoder.decode(Record(1, 0, frame, len(frame), Interface(1)))
            assert isinstance(found, Segment)
            self.assertEqual((found.is_partial, found.length), (True, 0))
            self.assertEqual(decoder.faults.counts, {"malformed": 1})

    def test_quoted(self) -> None:
        """
        An ICMP error quotes a segment, if it quotes enough of it. Of one that quotes eight bytes
        (RFC 792), the decoder still knows which connection and which number they are about.
        """
        for data, ethertype in [
            (ipv4(1, icmp(V4)), 0x0800),
            (ipv4(1, icmp(V4[:36], 11)), 0x0800),
            (ipv6(58, icmp(V6, 1)), 0x86DD),
        ]:
            segment = self.segment(ethernet(data, ethertype))
            self.assertEqual((segment.is_quoted, segment.is_partial, segment.seq), (1, 1, 1000))
            self.assertEqual((segment.length, segment.checksum.value), (0, "not checkable"))
        decoder = Decoder()
        frame = ethernet(ipv4(1, icmp(V4[:28])))
        found = decoder.decode(Record(1, 0, frame, len(frame), Interface(1)))
        self.assertEqual(found[1:3], ("ICMP", ""))
        self.assertEqual(len(decoder.faults), 0)
        assert decoder.icmp is not None
        self.assertEqual(
            (decoder.icmp.key, decoder.icmp.seq), (self.segment(ethernet(V4)).key, 1000)
        )

    def test_cut_within_tcp(self) -> None:
        """
        Of a TCP header that a snap length cut, the ports and the datagram's end are known.
        """
        frame = ethernet(V4)
        found = self.decode(frame[:40], length=len(frame))
        assert isinstance(found, Other)
        self.assertEqual((found.protocol, found.problem), ("TCP", ""))
        self.assertEqual(found.key, self.segment(frame).key)
        self.assertEqual((found.at, found.end), (34, len(frame)))


class FragmentTests(DecodeTestCase):
    """
    Datagrams in fragments.
    """

    def pieces(self, identification: int = 1, size: int = 800) -> list[bytes]:
        """The long segment in IPv4 fragments."""
        whole = LONG[20:]
        return [
            ethernet(
                ipv4(
                    6,
                    whole[at : at + size],
                    fragment=(0x2000 if at + size < len(whole) else 0) | at // 8,
                    identification=identification,
                )
            )
            for at in range(0, len(whole), size)
        ]

    def run_frames(self, decoder: Decoder, datas: list[bytes]) -> list[Segment | Other]:
        """Decode frames one after the other."""
        return [
            decoder.decode(Record(number, 0, data, len(data), Interface(1)))
            for number, data in enumerate(datas, 1)
        ]

    def test_reassembled(self) -> None:
        """
        In whatever order fragments come, the last one to come has the whole segment and names all.
        """
        for order in [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)]:
            pieces = self.pieces()
            *first, last = self.run_frames(Decoder(), [pieces[index] for index in order])
            self.assertEqual({type(found) for found in first}, {Other})
            assert isinstance(last, Segment)
            self.assertEqual(last.payload, bytes(range(200)) * 10)
            self.assertEqual((last.fragments, last.length), ((1, 2, 3), 2000))

    def test_ipv6(self) -> None:
        """
        The same of IPv6 (RFC 8200 section 4.5).
        """
        whole = LONG6[40:]
        datas = [
            ethernet(
                ipv6(44, struct.pack(">BBHI", 6, 0, at | (at < 1600), 5) + whole[at : at + 800]),
                0x86DD,
            )
            for at in range(0, len(whole), 800)
        ]
        last = self.run_frames(Decoder(), datas)[-1]
        assert isinstance(last, Segment)
        self.assertEqual((last.payload, last.fragments), (bytes(range(200)) * 10, (1, 2, 3)))

    def test_overlap(self) -> None:
        """
        Where fragments overlap, what came first stands.
        """
        whole = LONG[20:]
        datas = [
            ethernet(ipv4(6, whole[:800], fragment=0x2000)),
            ethernet(ipv4(6, b"!" * 80 + whole[800:1600], fragment=0x2000 | 720 // 8)),
            ethernet(ipv4(6, whole[1600:], fragment=1600 // 8)),
        ]
        last = self.run_frames(Decoder(), datas)[-1]
        assert isinstance(last, Segment)
        self.assertEqual(last.payload, bytes(range(200)) * 10)

    def test_incomplete(self) -> None:
        """
        A datagram of which a fragment never comes is named at the end.
        """
        decoder = Decoder()
        self.run_frames(decoder, [*self.pieces(1)[:2], *self.pieces(2)])
        self.assertEqual(decoder.faults.kept, [])
        decoder.end()
        ((rule, text, number, _),) = decoder.faults.kept
        self.assertEqual((rule, number), ("fragment", 2))
        self.assertIn("2 came and others did not", text)

    def test_notCaptured(self) -> None:
        """
        Of a fragment that was cut in capturing, the first shows its header and no length; a later
        one is named.
        """
        first, later, _ = self.pieces()
        segment = self.segment(first[:100], length=len(first))
        self.assertEqual((segment.is_partial, segment.srcport, segment.length), (True, 4000, 0))
        found = self.decode(later[:100], length=len(later))
        self.assertEqual(found[1:3], ("IP fragment", "Not all of the fragment was captured."))

    def test_beyondTheEnd(self) -> None:
        """
        A fragment that ends beyond the longest datagram is refused.
        """
        decoder = Decoder()
        self.run_frames(decoder, [ethernet(ipv4(6, bytes(80), fragment=0x1FFF))])
        self.assertEqual(decoder.faults.counts, {"fragment": 1})

    def test_held(self) -> None:
        """
        Fragments that wait are together at most 4 MiB: of more, the oldest datagram is given up.
        """
        decoder = Decoder()
        datas = [
            ethernet(ipv4(6, bytes(60000), fragment=0x2001, identification=number))
            for number in range(1, 81)
        ]
        self.run_frames(decoder, datas)
        numbers = [fault.number for fault in decoder.faults.kept]
        self.assertEqual(numbers, list(range(1, 81 - HELD_MAX_BYTES // 60000)))

    def test_hole(self) -> None:
        """
        Bytes enough, but not the right ones, are no datagram.
        """
        whole = LONG[20:]
        again = ethernet(ipv4(6, whole[:800], fragment=0x2000))
        last = ethernet(ipv4(6, whole[1600:], fragment=200))
        found = self.run_frames(Decoder(), [again, again, last])
        self.assertEqual({type(each) for each in found}, {Other})

    def test_flood(self) -> None:
        """
        Fragments without end, of many datagrams or of one, fill a bounded memory.
        """
        decoder = Decoder()
        frame = ipv4(6, bytes(1400), fragment=0x2000)
        datas = [
            ethernet(frame[:4] + struct.pack(">H", number) + frame[6:]) for number in range(5000)
        ]
        datas += [ethernet(ipv4(6, bytes(8), fragment=0x2001)) for _ in range(5000)]
        self.run_frames(decoder, datas)
        given_up = decoder.faults.counts["fragment"]
        decoder.end()
        self.assertLess(decoder.faults.counts["fragment"] - given_up, 257)
