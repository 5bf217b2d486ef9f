"""
Whatever bytes come, they are read, decoded and analysed, or refused with the one error.
"""

from __future__ import annotations

import gzip

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.tcp.analyser import Analyser
from netlab.capture.decode import Decoder
from netlab.capture.faults import Faults
from netlab.capture.links import HEADERS
from netlab.capture.records import Interface, Record
from netlab.capture.segments import Segment
from netlab.capture.unpacking import GunzipStream
from netlab.capture.writing import PcapngWriter, PcapWriter
from tests.capture import streams
from tests.capture.following import follow, look
from tests.capture.test_decode import V4, ethernet
from tests.captures import reference

PCAP = streams.pcap_header() + b"".join(
    streams.pcap_record(ethernet(V4), (second, 5)) for second in range(8)
)
PCAPNG = (
    streams.section()
    + streams.interface(values=[(2, b"eth0"), (9, b"\x09")])
    + b"".join(
        streams.packet(ethernet(V4), n, values=[(1, b"note")] if n % 2 else None) for n in range(8)
    )
    + streams.block(4, b"\1\0\x08\0\x0a\0\0\1one\0" + bytes(4))
)
ECHO = reference.exchange("echo").pcap()

KINDS = st.sampled_from([PCAP, PCAPNG, ECHO])


class HostileTests(SynchronousTestCase):
    """
    The chain of reader, decoder and analyser.
    """

    @settings(deadline=None)
    @given(st.binary(max_size=300), st.sampled_from([b"", PCAP[:24], PCAPNG[:28], PCAPNG[:68]]))
    def test_anyBytes(self, data: bytes, begin: bytes) -> None:
        """
        Any bytes, alone or after the beginning of a capture, are followed or refused.
        """
        follow(begin + data)

    @settings(deadline=None)
    @given(KINDS, st.lists(st.tuples(st.integers(0), st.integers(0, 7)), min_size=1, max_size=40))
    def test_bitFlips(self, capture: bytes, flips: list[tuple[int, int]]) -> None:
        """
        A capture with flipped bits is followed or refused.
        """
        data = bytearray(capture)
        for place, bit in flips:
            data[place % len(data)] ^= 1 << bit
        follow(bytes(data))

    @settings(deadline=None)
    @given(KINDS, st.integers(0), st.integers(0), st.binary(max_size=20))
    def test_splices(self, capture: bytes, begin: int, end: int, between: bytes) -> None:
        """
        A capture that lost a piece, or got one, is followed or refused.
        """
        follow(capture[: begin % len(capture)] + between + capture[end % len(capture) :])

    @settings(deadline=None)
    @given(st.sampled_from(sorted(HEADERS)), st.binary(max_size=200), st.integers(0, 1 << 32))
    def test_anyFrame(self, link_type: int, data: bytes, length: int) -> None:
        """
        Any bytes of any link type are decoded.
        """
        found = Decoder().decode(Record(1, 0, data, length, Interface(link_type)))
        if isinstance(found, Segment):
            look(Analyser().analyse(found))

    @settings(deadline=None)
    @given(st.binary(min_size=40, max_size=120), st.sampled_from([0x0800, 0x86DD, 0x8847, 0x8864]))
    def test_anyDatagram(self, data: bytes, ethertype: int) -> None:
        """
        Any datagram of IP, whose protocol is one that carries others, is decoded.
        """
        version = b"\x45" if ethertype == 0x0800 else b"\x60"
        for protocol in (6, 1, 4, 17, 41, 43, 44, 47, 51, 58, 60, 97, 137):
            changed = bytearray(version + data[1:])
            changed[9 if ethertype == 0x0800 else 6] = protocol
            frame = ethernet(bytes(changed), ethertype)
            found = Decoder().decode(Record(1, 0, frame, 2000, Interface(1)))
            if isinstance(found, Segment):
                look(Analyser().analyse(found))

    @settings(deadline=None)
    @given(st.binary(max_size=300), st.booleans(), st.integers(0), st.integers(1, 50))
    def test_anyGzip(self, data: bytes, is_whole: bool, cut: int, step: int) -> None:
        """
        Any gzip stream is unpacked as far as it goes, in whatever pieces it comes.
        """
        packed = gzip.compress(data, mtime=0)
        if not is_whole:
            packed = packed[: cut % len(packed)]
        faults = Faults()
        stream = GunzipStream(streams.Trickle(packed, step), faults)
        content = b""
        while piece := stream.read(16):
            content += piece
        self.assertTrue(data.startswith(content))
        self.assertEqual(not faults.kept, is_whole)
        if is_whole:
            self.assertEqual(content, data)


TIMES = st.integers(0, (1 << 63) - 1)
COMMENTS = st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8")), max_size=3)


class RoundTripTests(SynchronousTestCase):
    """
    What is written is read again as it was.
    """

    @settings(deadline=None)
    @given(
        st.lists(
            st.tuples(TIMES, st.binary(max_size=70), st.integers(0, 1), st.integers(0, 9), COMMENTS)
        )
    )
    def test_pcapng(self, frames: list[tuple[int, bytes, int, int, list[str]]]) -> None:
        """
        Times, data, lengths, interfaces and comments survive pcapng.
        """
        interfaces = (Interface(1, "eth0", number=0), Interface(0, "lo0", "loop", 96, 1))
        records = [
            Record(number, time_ns, data, len(data) + more, interfaces[index], tuple(comments))
            for number, (time_ns, data, index, more, comments) in enumerate(frames, 1)
        ]
        writer = PcapngWriter(interfaces)
        data = writer.begin() + b"".join(map(writer.record, records))
        self.assertEqual(streams.records_of(data, 100), records)

    @settings(deadline=None)
    @given(st.lists(st.tuples(st.integers(0, (1 << 32) * 10**9 - 1), st.binary(max_size=70))))
    def test_pcap(self, frames: list[tuple[int, bytes]]) -> None:
        """
        Times and data survive pcap.
        """
        writer = PcapWriter(113, snaplen=70)
        data = writer.begin() + b"".join(writer.packet(*frame) for frame in frames)
        records = streams.records_of(data, 100)
        self.assertEqual([(record.time_ns, record.data) for record in records], frames)
        self.assertEqual({record.interface.link_type for record in records} - {113}, set())
