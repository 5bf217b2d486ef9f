"""
Tests for L{netlab.capture.icmp}.
"""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.capture.icmp import IcmpError, read_error
from netlab.capture.records import Interface, Record

ROUTER = bytes([198, 51, 100, 9])
HOSTS = bytes([192, 0, 2, 1, 198, 51, 100, 2])
PORTS = struct.pack(">HH", 40000, 5000)


def ip(protocol: int = 6, options: bytes = b"", fragment: int = 0) -> bytes:
    """Write the header of a quoted datagram."""
    first = 0x45 + len(options) // 4
    return struct.pack(">BBHHHBBH", first, 0, 1500, 1, fragment, 64, protocol, 0) + HOSTS + options


def error(kind: int, code: int, quoted: bytes, rest: int = 0, version: int = 4) -> IcmpError:
    """Read an error."""
    data = b"link" + struct.pack(">BBHI", kind, code, 0, rest) + quoted
    record = Record(9, 1_000, data, len(data), Interface(1))
    return read_error(record, data, 4, version, ROUTER)


class ErrorTests(SynchronousTestCase):
    """
    What is reported about which datagram.
    """

    def test_eight_bytes(self) -> None:
        """
        Eight bytes of TCP are its ports and its number (RFC 792): that names the connection.
        """
        found = error(3, 13, ip() + PORTS + struct.pack(">I", 77))
        self.assertEqual((found.key, found.seq), (HOSTS + PORTS, 77))
        self.assertEqual((found.number, found.sender), (9, ROUTER))
        self.assertEqual(found.means, "communication administratively prohibited")

    def test_next_hop_mtu(self) -> None:
        """
        Fragmentation needed names the next hop's MTU in its last two bytes (RFC 1191 section 4),
        packet too big in all four (RFC 4443 section 3.2). Other errors name none.
        """
        found = error(3, 4, ip(), rest=1400)
        self.assertEqual((found.mtu, found.is_too_big), (1400, True))
        found = error(2, 0, b"", rest=1280, version=6)
        self.assertEqual((found.mtu, found.is_too_big), (1280, True))
        self.assertEqual(
            (error(3, 3, ip(), rest=1400).mtu, error(3, 3, ip()).is_too_big), (0, False)
        )

    def test_numbers_of_both_versions(self) -> None:
        """
        The same numbers mean other things in ICMPv6.
        """
        self.assertEqual(error(3, 0, b"").means, "network unreachable")
        self.assertEqual(error(3, 0, b"", version=6).means, "hop limit exceeded in transit")
        self.assertEqual(error(1, 4, b"", version=6).means, "port unreachable")
        self.assertEqual(error(3, 99, b"").means, "destination unreachable, code 99")

    def test_options(self) -> None:
        """
        A quoted header's options are passed over.
        """
        self.assertEqual(error(3, 1, ip(options=bytes(8)) + PORTS).key, HOSTS + PORTS)

    def test_ipv6(self) -> None:
        """
        Extension headers of a quoted IPv6 datagram are passed over.
        """
        header = b"\x60\0\0\0\0\x20" + b"\0\x40" + bytes(32) + b"\6\0" + bytes(6) + PORTS
        found = error(1, 4, header, version=6)
        self.assertEqual((found.protocol, found.key), (6, bytes(32) + PORTS))

    def test_later_fragment(self) -> None:
        """
        A later fragment has no ports.
        """
        found = error(11, 1, ip(fragment=100) + PORTS)
        self.assertEqual((found.protocol, found.key, found.seq), (-1, b"", -1))

    def test_every_cut(self) -> None:
        """
        A quotation that is cut anywhere tells what is there.
        """
        whole = ip() + PORTS + struct.pack(">I", 77)
        for cut in range(len(whole)):
            found = error(3, 3, whole[:cut])
            self.assertEqual(found.key, HOSTS + PORTS if cut >= 24 else b"")
            self.assertEqual(found.seq, -1)

    @given(st.binary(max_size=120), st.sampled_from([4, 6]), st.integers(0, 255))
    def test_anything(self, quoted: bytes, version: int, kind: int) -> None:
        """
        Whatever is quoted, there are words for it.
        """
        self.assertTrue(error(kind, 0, quoted, version=version).means)
