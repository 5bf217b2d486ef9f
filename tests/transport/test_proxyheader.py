"""
Tests for L{netlab.transport.proxyheader}.
"""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.protocols.haproxy._v1parser import V1Parser
from twisted.protocols.haproxy._v2parser import V2Parser
from twisted.trial.unittest import SynchronousTestCase

from netlab.transport.proxyheader import (
    VERSION_1_MAX_BYTES,
    VERSION_2_MAX_BYTES,
    ProxyHeaderError,
    read_proxy_header,
)

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def version_2(command: int, family: int, payload: bytes) -> bytes:
    """
    Write a header of version 2.
    """
    return SIGNATURE + struct.pack("!BBH", command, family, len(payload)) + payload


V1_INET = b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n"
V1_INET6 = b"PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n"
V2_INET = version_2(0x21, 0x11, bytes([192, 0, 2, 1, 198, 51, 100, 2]) + b"\xdc\x04\x01\xbb")
V2_INET6 = version_2(
    0x21, 0x21, IPv6Address("2001:db8::1").packed + IPv6Address("::2").packed + b"\xdc\x04\x01\xbb"
)


class ProxyHeaderTests(SynchronousTestCase):
    """
    Headers that are good, and all else.
    """

    def test_sources(self) -> None:
        """
        Both versions say the client's address and port; what follows is not looked at.
        """
        for header, address in (
            (V1_INET, IPv4Address("192.0.2.1")),
            (V1_INET6, IPv6Address("2001:db8::1")),
            (V2_INET, IPv4Address("192.0.2.1")),
            (V2_INET6, IPv6Address("2001:db8::1")),
        ):
            for rest in (b"", b"GET / HTTP/1.1\r\n"):
                read = read_proxy_header(header + rest)
                assert read is not None
                self.assertEqual(read.source, (address, 56324))
                self.assertEqual(read.length, len(header))

    def test_extensions(self) -> None:
        """
        Extensions behind the addresses of version 2 belong to the header.
        """
        payload = V2_INET[16:] + b"\x05\x00\x03abc"
        read = read_proxy_header(version_2(0x21, 0x11, payload) + b"GET")
        assert read is not None
        self.assertEqual(read.length, 16 + len(payload))

    def test_no_source(self) -> None:
        """
        A proxy may speak for itself, or for a client that did not come over TCP.
        """
        for header in (
            b"PROXY UNKNOWN\r\n",
            b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n",
            version_2(0x20, 0x00, b""),
            version_2(0x20, 0x11, V2_INET[16:]),
            version_2(0x21, 0x00, b""),
            version_2(0x21, 0x31, bytes(216)),
        ):
            read = read_proxy_header(header)
            assert read is not None
            self.assertEqual((read.source, read.length), (None, len(header)))

    def test_cuts(self) -> None:
        """
        A part of a header is no header yet.
        """
        for header in (V1_INET, V1_INET6, V2_INET, V2_INET6):
            for cut in range(len(header)):
                self.assertIsNone(read_proxy_header(header[:cut]), header[:cut])

    def test_refused(self) -> None:
        """
        Anything else is refused as soon as it shows.
        """
        for data in (
            b"G",
            b"GET / HTTP/1.1\r\n\r\n",
            b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\n",
            b"PROXY  TCP4 192.0.2.1 198.51.100.2 56324 443\r\n",
            b"PROXY TCP4 192.0.2.1 198.51.100.2 +1 443\r\n",
            b"PROXY TCP4 192.0.2.1 198.51.100.2 056324 443\r\n",
            b"PROXY TCP4 192.0.2.1 198.51.100.2 65536 443\r\n",
            b"PROXY TCP4 192.0.2.1 198.51.100.2 1 65536\r\n",
            b"PROXY TCP4 192.0.2.256 198.51.100.2 1 2\r\n",
            b"PROXY TCP4 192.0.2.1 198.51.100.256 1 2\r\n",
            b"PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n",
            b"PROXY TCP6 2001:db8::1::1 2001:db8::2 1 2\r\n",
            b"PROXY TCP6 2001:db8::1 2001:db8::2::1 1 2\r\n",
            b"PROXY TCP4 \x1b[31m 198.51.100.2 1 2\r\n",
            b"PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n",
            b"PROXY UNKNOWN \x1b[31m\r\n",
            b"PROXY UNKNOWN " + b"x" * VERSION_1_MAX_BYTES,
            version_2(0x11, 0x11, V2_INET[16:]),
            version_2(0x22, 0x11, V2_INET[16:]),
            version_2(0x21, 0x11, V2_INET[16:-1]),
            version_2(0x21, 0x21, V2_INET[16:]),
            SIGNATURE + b"\x21\x11\xff\xff",
        ):
            self.assertRaises(ProxyHeaderError, read_proxy_header, data)

    def test_bounds(self) -> None:
        """
        The longest headers are taken, and no byte more.
        """
        line = b"PROXY UNKNOWN " + b"x" * (VERSION_1_MAX_BYTES - 16) + b"\r\n"
        self.assertIsNotNone(read_proxy_header(line))
        self.assertRaises(ProxyHeaderError, read_proxy_header, line[:-2] + b"x\r\n")
        longest = version_2(0x20, 0, bytes(VERSION_2_MAX_BYTES - 16))
        self.assertIsNotNone(read_proxy_header(longest))
        self.assertIsNone(read_proxy_header(longest[:-1]))

    @given(st.ip_addresses(), st.ip_addresses(), st.integers(0, 65535), st.integers(0, 65535))
    def test_as_twisted_reads_it(
        self,
        source: IPv4Address | IPv6Address,
        destination: IPv4Address | IPv6Address,
        port: int,
        other: int,
    ) -> None:
        """
        What Twisted's own parsers read in a good header, we read.
        """
        if source.version != destination.version:
            destination = source
        line = f"PROXY TCP{source.version} {source} {destination} {port} {other}\r\n".encode()
        payload = source.packed + destination.packed + struct.pack("!HH", port, other)
        binary = version_2(0x21, 0x11 if source.version == 4 else 0x21, payload)
        for header, parser in ((line, V1Parser()), (binary, V2Parser())):
            theirs: Any = parser.feed(header)[0]
            ours = read_proxy_header(header)
            assert ours is not None
            assert ours.source is not None
            self.assertEqual(ours.source[0], type(source)(theirs.source.host))
            self.assertEqual(ours.source[1], theirs.source.port)

    @given(st.binary(max_size=300), st.sampled_from([b"", b"PROXY ", SIGNATURE, V1_INET[:12]]))
    def test_any_bytes(self, data: bytes, begin: bytes) -> None:
        """
        Any bytes are a header, the beginning of one, or L{ProxyHeaderError}.
        """
        try:
            header = read_proxy_header(begin + data)
        except ProxyHeaderError:
            return
        self.assertTrue(header is None or header.length <= len(begin + data))
