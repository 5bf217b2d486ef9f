"""
TCP checksums, and TCP options.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.capture.checksums import ones_complement_sum
from netlab.capture.options import TCPOptions, parse
from netlab.capture.segments import Checksum
from tests.capture.test_decode import DecodeTestCase, ethernet
from tests.captures import frames


class ChecksumTests(DecodeTestCase):
    """
    L{Segment.checksum}.
    """

    def verdict(self, checksum: frames.Checksum, src: str, cut: int = 0) -> Checksum:
        """Judge a segment's checksum."""
        dst = "10.0.0.2" if "." in src else "2001:db8::2"
        segment = frames.Segment(src, dst, 4000, 80, 1, 1, payload=b"odd", checksum=checksum)
        frame = ethernet(frames.ip_packet(segment), 0x0800 if "." in src else 0x86DD)
        return self.segment(frame[: len(frame) - cut], length=len(frame)).checksum

    def test_verdicts(self) -> None:
        """
        A checksum is good, bad, or only the pseudo-header's sum, which is offload and not bad
        (RFC 9293 section 3.1); that of a segment that was cut in capturing cannot be checked.
        """
        for src in ("10.0.0.1", "2001:db8::1"):
            for given, cut, expected in [
                (frames.Checksum.GOOD, 0, Checksum.GOOD),
                (frames.Checksum.BAD, 0, Checksum.BAD),
                (frames.Checksum.OFFLOADED, 0, Checksum.OFFLOADED),
                (frames.Checksum.OFFLOADED, 1, Checksum.OFFLOADED),
                (frames.Checksum.GOOD, 1, Checksum.UNCHECKABLE),
                (frames.Checksum.GOOD, 5, Checksum.UNCHECKABLE),
            ]:
                self.assertEqual(self.verdict(given, src, cut), expected)

    def test_sum(self) -> None:
        """
        RFC 1071 section 3's example, and an odd last byte, which is padded with zero.
        """
        self.assertEqual(ones_complement_sum(bytes.fromhex("0001f203f4f5f6f7")), 0xDDF2)
        self.assertEqual(ones_complement_sum(b"\x01"), 0x0100)
        self.assertEqual(ones_complement_sum(b"\xff\xff\0\1"), 1)
        self.assertEqual(ones_complement_sum(b"\xff\xff"), 0xFFFF)
        self.assertEqual(ones_complement_sum(bytes(4)), 0)


class OptionTests(SynchronousTestCase):
    """
    L{netlab.capture.options.parse}.
    """

    def test_values(self) -> None:
        """
        Every option that is known has its value (RFC 9293 section 3.2, 7323, 2018, 7413, 8684).
        """
        for data, expected in [
            ("", TCPOptions()),
            ("0204 05b4 01 0303 08 0101 0402", TCPOptions(1460, 8, sack_permitted=True)),
            ("0101 080a 00000001 fffffffe", TCPOptions(timestamps=(1, 0xFFFFFFFE))),
            (
                "0101 0512 00000001 00000002 fffffff0 00000010",
                TCPOptions(sacks=((1, 2), (0xFFFFFFF0, 16))),
            ),
            ("2202", TCPOptions(fast_open=b"")),
            ("220a 0102030405060708", TCPOptions(fast_open=bytes(range(1, 9)))),
            ("1e04 2000 1e03 00", TCPOptions(multipath=5)),
            ("fd04 f989", TCPOptions()),
            ("0204 05b4 00 0204 ffff", TCPOptions(1460)),
        ]:
            self.assertEqual(parse(bytes.fromhex(data)), expected)

    def test_malformed(self) -> None:
        """
        What comes before a malformed option is kept, and the problem is told.
        """
        for data, kept in [
            ("0204 05b4 03", 1460),
            ("0204 05b4 0300 01", 1460),
            ("0204 05b4 0301 01", 1460),
            ("0204 05b4 0308 01", 1460),
            ("0203 05", None),
            ("0504 0000", None),
            ("0505 000000 0204 05b4", None),
            ("0204 05b4 050c 00000001 00000002 0000 0303 08", 1460),
            ("0802", None),
        ]:
            found = parse(bytes.fromhex(data))
            self.assertEqual(found.mss, kept)
            self.assertNotEqual(found.problem, "")
            self.assertEqual(found.window_shift, None)
