"""
Tests for L{netlab.simulation.frames}.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.capture.decode import Decoder
from netlab.capture.records import Interface, LinkType, Record
from netlab.capture.segments import Checksum, Segment
from netlab.simulation.frames import arrived, frame_of, read_usual, too_big_4, too_big_6
from netlab.tcp.segment import Outgoing, Reason, TCPSegment

_ETHERNET = bytes(range(12))
_LINK = Interface(LinkType.ETHERNET, "test")

_SEGMENTS = st.builds(
    TCPSegment,
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 0x1FF),
    st.integers(0, 0xFFFF),
    st.integers(0, 10).flatmap(lambda words: st.binary(min_size=4 * words, max_size=4 * words)),
    st.binary(max_size=100),
    st.integers(0, 0xFFFF),
)


def _decode(frame: bytes) -> Segment:
    decoded = Decoder().decode(Record(1, 0, frame, len(frame), _LINK))
    assert isinstance(decoded, Segment)
    return decoded


class FrameTests(SynchronousTestCase):
    """
    Tests for L{frame_of} and L{arrived}.
    """

    @given(_SEGMENTS, st.sampled_from([4, 16]), st.integers(0, 3), st.data())
    def test_there_and_back(
        self, segment: TCPSegment, size: int, ecn: int, data: st.DataObject
    ) -> None:
        """
        What goes into a frame comes out of it, over IPv4 and IPv6, and its checksum is right by
        the decoder of captures.
        """
        address = st.binary(min_size=size, max_size=size)
        source, destination = data.draw(address), data.draw(address)
        outgoing = Outgoing(source, destination, segment, Reason.DATA, ecn=ecn)
        decoded = _decode(frame_of(outgoing, _ETHERNET, 77))
        self.assertIs(decoded.checksum, Checksum.GOOD)
        self.assertEqual(arrived(decoded), (source, destination, segment, ecn))
        usual = arrived(decoded) if size == 4 else None
        self.assertEqual(read_usual(frame_of(outgoing, _ETHERNET, 77)), usual)
        self.assertEqual(decoded.ttl, 64)
        if size == 4:
            self.assertEqual(decoded.ip_id, 77)

    @given(_SEGMENTS, st.data())
    def test_damaged_segment_does_not_arrive(
        self, segment: TCPSegment, data: st.DataObject
    ) -> None:
        """
        A flipped bit behind the IP header is found by the checksum (RFC 9293 section 3.1).
        """
        outgoing = Outgoing(b"\x0a\0\0\1", b"\x0a\0\0\2", segment, Reason.DATA)
        frame = bytearray(frame_of(outgoing, _ETHERNET, 1))
        # The data offset may not be changed: then there are other headers, maybe none.
        place = data.draw(st.integers(34, len(frame) - 1).filter(lambda at: at != 46))
        frame[place] ^= 1 << data.draw(st.integers(0, 7))
        self.assertIsNone(arrived(_decode(bytes(frame))))
        self.assertIsNone(read_usual(bytes(frame)))

    def test_header_of_ipv4_is_right(self) -> None:
        """
        The header of IPv4 sums to what it should (RFC 1071), and says that it must not be
        fragmented.
        """
        segment = TCPSegment(1, 2, 3, 4, 0x10, 5)
        outgoing = Outgoing(b"\x0a\0\0\1", b"\x0a\0\0\2", segment, Reason.ACK)
        frame = frame_of(outgoing, _ETHERNET, 1)
        words = [int.from_bytes(frame[at : at + 2]) for at in range(14, 34, 2)]
        self.assertEqual(sum(words) % 0xFFFF, 0)
        self.assertEqual(frame[20:22], b"\x40\0")


class UsualFrameTests(SynchronousTestCase):
    """
    Tests for L{read_usual}.
    """

    @given(_SEGMENTS, st.data())
    def test_as_the_decoder(self, segment: TCPSegment, data: st.DataObject) -> None:
        """
        Whatever has become of a frame, what is read quickly is what the decoder of captures reads,
        or it is left to that.
        """
        outgoing = Outgoing(b"\x0a\0\0\1", b"\x0a\0\0\2", segment, Reason.DATA)
        frame = bytearray(frame_of(outgoing, _ETHERNET, 1))
        for place in data.draw(st.lists(st.integers(12, len(frame) - 1), max_size=2)):
            frame[place] ^= 1 << data.draw(st.integers(0, 7))
        cut = bytes(frame[: data.draw(st.integers(0, len(frame)))])
        for text in (bytes(frame), cut, bytes(frame) + b"padding"):
            usual = read_usual(text)
            if usual is not None:
                self.assertEqual(usual, arrived(_decode(text)))


class TooBigTests(SynchronousTestCase):
    """
    Tests for L{too_big_4} and L{too_big_6}.
    """

    def test_what_the_decoder_reads(self) -> None:
        """
        The decoder of captures finds the MTU, and the segment that was too big.
        """
        segment = TCPSegment(1000, 2000, 3, 4, 0x10, 5, b"", bytes(1000))
        for size, write in ((4, too_big_4), (16, too_big_6)):
            source, destination = bytes(size - 1) + b"\1", bytes(size - 1) + b"\2"
            outgoing = Outgoing(source, destination, segment, Reason.DATA)
            datagram = frame_of(outgoing, _ETHERNET, 1)[14:]
            frame = _ETHERNET + write(destination, datagram, 600)
            decoder = Decoder()
            quoted = decoder.decode(Record(1, 0, frame, len(frame), _LINK))
            assert isinstance(quoted, Segment)
            self.assertTrue(quoted.is_quoted)
            self.assertEqual((quoted.srcport, quoted.seq), (1000, 3))
            assert decoder.icmp is not None
            self.assertEqual(decoder.icmp.mtu, 600)
            self.assertIsNone(arrived(quoted))
