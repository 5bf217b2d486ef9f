"""
Decoded frames: a TCP segment with all its headers, or what else it was.

Tuples and not frozen dataclasses, and most figures as properties that are computed when asked for:
one is made for each frame, see docs/decisions/0100.
"""

from __future__ import annotations

from enum import Enum, IntFlag
from ipaddress import IPv6Address
from typing import NamedTuple

from netlab.capture import checksums, options
from netlab.capture.options import TCPOptions
from netlab.capture.records import Record


class Flag(IntFlag):
    """
    The twelve flag bits of a TCP header as C{tcp.flags} shows them (RFC 9293 section 3.1).
    L{Segment.flags} is a plain integer, which is quicker to test.
    """

    FIN = 0x001
    SYN = 0x002
    RST = 0x004
    PSH = 0x008
    ACK = 0x010
    URG = 0x020
    ECE = 0x040
    CWR = 0x080
    AE = 0x100


class Checksum(Enum):
    """
    What a TCP checksum says.
    """

    GOOD = "good"
    BAD = "bad"
    OFFLOADED = "offloaded"
    """Only the pseudo-header's sum: the capturing host left the rest to its network card."""

    ZEROED = "not filled in"
    """It is 0 and should not be: it was captured before its sum was made."""

    UNCHECKABLE = "not checkable"
    """Not all of the segment was captured."""


class Segment(NamedTuple):
    """
    A TCP segment as it was captured.

    @ivar record: the frame that carried it; of a datagram in fragments, the last one seen.
    @ivar key: source address, destination address, source port, destination port, as on the wire:
        12 bytes for IPv4, 36 for IPv6. The other direction's key is L{reverse_key}.
    @ivar srcport: 0 to 65535.
    @ivar dstport: 0 to 65535.
    @ivar seq: C{tcp.seq_raw}.
    @ivar ack: C{tcp.ack_raw}, also where the ACK flag is not set.
    @ivar flags: of L{Flag}; the three reserved bits (0x200 to 0x800) are there too.
    @ivar window: the window field, unscaled: C{tcp.window_size_value}.
    @ivar options: the bytes of the options; L{Segment.option_values} are their values.
    @ivar length: C{tcp.len}: payload bytes by the IP header's length, captured or not.
    @ivar data: the bytes that the offsets count in: C{record.data}, or, of a datagram in
        fragments, the last one's headers followed by all of the datagram's payload.
    @ivar ip_at: where the (innermost) IP header begins in C{data}.
    @ivar tcp_at: where the TCP header begins in C{data}.
    @ivar payload_at: where the payload begins in C{data}.
    @ivar fragments: the frame numbers of the fragments the datagram came in; empty for a whole one.
    @ivar is_partial: only the header is there, and its length is not known: what an ICMP error
        quotes, the first fragment of a datagram of which not all was captured, or a datagram that
        ends within the TCP header. It belongs to a conversation, but has no figures.
    @ivar is_quoted: it is what an ICMP error quotes: not sent by its source just now.
    """

    record: Record
    key: bytes
    srcport: int
    dstport: int
    seq: int
    ack: int
    flags: int
    window: int
    options: bytes
    length: int
    data: bytes
    ip_at: int
    tcp_at: int
    payload_at: int
    fragments: tuple[int, ...] = ()
    is_partial: bool = False
    is_quoted: bool = False

    @property
    def ip_version(self) -> int:
        """4 or 6."""
        return 4 if len(self.key) == 12 else 6

    @property
    def src(self) -> str:
        """The source address as text."""
        return address_text(self.key[: len(self.key) // 2 - 2])

    @property
    def dst(self) -> str:
        """The destination address as text."""
        half = len(self.key) // 2 - 2
        return address_text(self.key[half : half * 2])

    @property
    def reverse_key(self) -> bytes:
        """The L{key} of an answer to this segment."""
        key = self.key
        half = len(key) // 2 - 2
        return key[half : half * 2] + key[:half] + key[-2:] + key[-4:-2]

    @property
    def payload(self) -> bytes:
        """The payload as far as it was captured: at most L{length} bytes, without padding."""
        return self.data[self.payload_at : self.payload_at + self.length]

    @property
    def seglen(self) -> int:
        """
        SEG.LEN of RFC 9293: payload bytes, and one each for SYN and FIN.
        """
        return self.length + (self.flags & 1) + ((self.flags >> 1) & 1)

    @property
    def link_bytes(self) -> int:
        """
        What precedes the (innermost) IP header: the link header with its tags, and a tunnel's.
        """
        return self.ip_at

    @property
    def ip_bytes(self) -> int:
        """The IP header with its options or extension headers, in bytes."""
        return self.tcp_at - self.ip_at

    @property
    def tcp_bytes(self) -> int:
        """The TCP header with its options, in bytes: 20 to 60."""
        return self.payload_at - self.tcp_at

    @property
    def padding_bytes(self) -> int:
        """
        What follows the payload in the frame: an Ethernet frame's filling up to 60 bytes, or a
        frame check sequence. Negative where the frame is shorter than its IP header says; 0 for a
        datagram in fragments and a partial segment.
        """
        if self.fragments or self.is_partial:
            return 0
        return self.record.length - self.payload_at - self.length

    @property
    def ip_id(self) -> int:
        """IPv4's identification, 0 for IPv6."""
        at = self.ip_at + 4
        return int.from_bytes(self.data[at : at + 2]) if self.ip_version == 4 else 0

    @property
    def ttl(self) -> int:
        """IPv4's time to live, IPv6's hop limit."""
        return self.data[self.ip_at + (8 if self.ip_version == 4 else 7)]

    @property
    def option_values(self) -> TCPOptions:
        """The options' values."""
        return options.parse(self.options)

    @property
    def checksum_field(self) -> int:
        """The checksum as it stands in the header; -1 if it was not captured."""
        field = self.data[self.tcp_at + 16 : self.tcp_at + 18]
        return int.from_bytes(field) if len(field) == 2 else -1

    @property
    def checksum(self) -> Checksum:
        """
        What the checksum says. Costs time linear in the payload's length.
        """
        if self.is_partial or self.checksum_field < 0:
            return Checksum.UNCHECKABLE
        segment = self.data[self.tcp_at : self.payload_at + self.length]
        whole = self.tcp_bytes + self.length
        pseudo = checksums.pseudo_header_sum(self.key[:-4], whole)
        # By chance (one in 65536) the right checksum is one of those below.
        if len(segment) == whole and checksums.is_right(pseudo, segment):
            return Checksum.GOOD
        # Offload leaves the folded sum of the pseudo-header, not complemented; segmentation offload
        # that of a pseudo-header without the length, which the card puts in.
        if self.checksum_field in {pseudo, checksums.pseudo_header_sum(self.key[:-4], 0)}:
            return Checksum.OFFLOADED
        if len(segment) < whole:
            return Checksum.UNCHECKABLE
        return Checksum.BAD if self.checksum_field else Checksum.ZEROED


class Other(NamedTuple):
    """
    A frame that is no TCP segment, or none that can be read.

    @ivar record: the frame.
    @ivar protocol: the innermost protocol that was recognised, as C{ARP}, C{UDP}, C{ICMP}, or the
        number of one that has no name here, as C{ethertype 0x88cc}.
    @ivar problem: why it could not be decoded further, one sentence; empty if it is just not TCP.
    @ivar key: of what travels over IP, source and destination address, and the ports of TCP and
        UDP: as L{Segment.key}. Empty where they are not known, and for what an ICMP error quotes.
    @ivar data: the bytes that the offsets count in, of UDP, ARP, and TCP that was cut.
    @ivar at: where the header of L{protocol} begins in C{data}.
    @ivar end: where what it carries ends on the wire, counted in C{data}; it may be cut before.
    """

    record: Record
    protocol: str
    problem: str = ""
    key: bytes = b""
    data: bytes = b""
    at: int = 0
    end: int = 0


def address_text(address: bytes) -> str:
    """
    Write an address of 4 or 16 bytes as people do (RFC 5952).
    """
    if len(address) == 4:
        one, two, three, four = address
        return f"{one}.{two}.{three}.{four}"
    return str(IPv6Address(address))
