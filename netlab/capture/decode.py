"""
From a frame to the TCP segment in it: link, tags, tunnels, IP, fragments.
"""

from __future__ import annotations

import struct
from typing import Final

from netlab.capture.faults import Faults
from netlab.capture.fragments import Reassembly
from netlab.capture.icmp import ERRORS_4, ERRORS_6, IcmpError, read_error
from netlab.capture.links import EITHER_IP, HEADERS, IPV4, IPV6, NAMES, ethernet
from netlab.capture.records import LinkType, Record
from netlab.capture.segments import Other, Segment
from netlab.capture.tunnels import UDP, carried, gre

_TUNNELS_MAX: Final = 8
"""IP headers in one frame; three are seen in practice."""

_EXTENSIONS_MAX: Final = 32
"""IPv6 extension headers of one datagram."""

_ETHERNET: Final = int(LinkType.ETHERNET)
_TCP: Final = 6
_ICMP: Final = 1
_ICMPV6: Final = 58

_PROTOCOLS: Final = {
    1: "ICMP",
    2: "IGMP",
    17: "UDP",
    50: "ESP",
    58: "ICMPv6",
    59: "no next header",
    88: "EIGRP",
    89: "OSPF",
    103: "PIM",
    112: "VRRP",
    132: "SCTP",
    136: "UDP-Lite",
}

_CUT: Final = "The frame ends, or was cut in capturing, within its headers."

#: Ethernet, IPv4 without options and TCP up to the window.
_USUAL: Final = struct.Struct(">12xHBxH2xHxB10xHHIIHH").unpack_from
_USUAL_BYTES: Final = 54

_IPV4: Final = struct.Struct(">BxHHHxB10x").unpack_from
_IPV6: Final = struct.Struct(">BxxxHB").unpack_from
_TCP_LEAST_BYTES: Final = 16
"""How much of a TCP header must belong to the datagram: up to the window."""

_TCP_HEADER: Final = struct.Struct(">HHIIHH").unpack_from

_new = tuple.__new__


class Decoder:
    """
    Decodes the frames of one capture. It keeps fragments that wait for others, and no more.

    @ivar faults: what was malformed.
    @ivar icmp: the ICMP error that the last frame was which was one. What L{decode} gives for it
        is what it quotes, if that is a TCP header.
    """

    def __init__(self, faults: Faults | None = None) -> None:
        """
        @param faults: where to tell of faults; by default a list of its own.
        """
        self.faults = Faults() if faults is None else faults
        self.icmp: IcmpError | None = None
        self._reassembly = Reassembly(self.faults)

    def decode(self, record: Record) -> Segment | Other:
        """
        Decode a frame. Whatever is in it, the answer is one of the two.
        """
        data = record[2]
        if record[4][0] == _ETHERNET and len(data) >= _USUAL_BYTES:
            (
                ethertype,
                version_length,
                total,
                fragment,
                protocol,
                srcport,
                dstport,
                seq,
                ack,
                offset_flags,
                window,
            ) = _USUAL(data)
            if (
                ethertype == IPV4
                and version_length == 0x45
                and protocol == _TCP
                and not fragment & 0x3FFF
                and offset_flags >= 0x5000
            ):
                header = offset_flags >> 12 << 2
                payload_at = 34 + header
                length = total - 20 - header
                if 0 <= length <= record[3] - payload_at and payload_at <= len(data):
                    return _new(
                        Segment,
                        (
                            record,
                            data[26:38],
                            srcport,
                            dstport,
                            seq,
                            ack,
                            offset_flags & 0xFFF,
                            window,
                            data[54:payload_at],
                            length,
                            data,
                            14,
                            34,
                            payload_at,
                            (),
                            False,
                            False,
                        ),
                    )
        return self._decode(record, data)

    def end(self) -> None:
        """
        Tell of fragments whose others never came. To be called when the capture is over.
        """
        self._reassembly.end()

    def _decode(self, record: Record, data: bytes) -> Segment | Other:
        decode_link = HEADERS.get(record.interface.link_type)
        if decode_link is None:
            return Other(record, f"link type {record.interface.link_type}")
        try:
            ethertype, at = decode_link(data, 0)
            return self._network(record, data, ethertype, at)
        except (IndexError, struct.error):
            if self.icmp is not None and self.icmp.number == record.number:
                # An error may quote no more than eight bytes, and L{IcmpError} has what they say.
                return self._quoted(record)
            return self._malformed(record, "cut", _CUT)

    def _quoted(self, record: Record) -> Other:
        """
        Give an ICMP error that quotes no whole TCP header.
        """
        assert self.icmp is not None
        return Other(record, "ICMP" if self.icmp.version == 4 else "ICMPv6")

    def _malformed(self, record: Record, protocol: str, problem: str) -> Other:
        self.faults.add("malformed", problem, record.number)
        return Other(record, protocol, problem)

    def _network(self, record: Record, data: bytes, ethertype: int, at: int) -> Segment | Other:
        # Where the frame ends on the wire: more than was captured, less where an outer header says
        # so.
        end = max(record.length, len(data))
        is_quoted = is_partial = False
        fragments: tuple[int, ...] = ()
        for _ in range(_TUNNELS_MAX):
            if ethertype == EITHER_IP:
                ethertype = {4: IPV4, 6: IPV6}.get(data[at] >> 4, -1)
            ip_at = at
            if ethertype == IPV4:
                version_length, total, identification, fragment, protocol = _IPV4(data, at)
                header = (version_length & 15) * 4
                if version_length >> 4 != 4 or header < 20:
                    return self._malformed(record, "IPv4", "The IPv4 header's length is wrong.")
                # A length of 0 is what segmentation offload leaves to the network card.
                if total and total < header:
                    return self._malformed(record, "IPv4", "The IPv4 total length is too short.")
                end = min(end, at + total) if total else end
                addresses = data[at + 12 : at + 20]
                if header > 20:
                    addresses = addresses[:4] + _destination(data, at, at + header)
                at += header
                while protocol == 51:
                    protocol, at = data[at], at + (data[at + 1] + 2) * 4
                more, offset = fragment & 0x2000, (fragment & 0x1FFF) * 8
                identity: tuple[bytes, int, int] = addresses, identification, protocol
            elif ethertype == IPV6:
                version, payload_bytes, protocol = _IPV6(data, at)
                if version >> 4 != 6:
                    return self._malformed(record, "IPv6", "The IPv6 header's version is wrong.")
                addresses = data[at + 8 : at + 40]
                at += 40
                if payload_bytes == 0 and protocol == 0 and data[at + 2 : at + 4] == b"\xc2\x04":
                    # A jumbogram (RFC 2675): the length is in an option.
                    payload_bytes = int.from_bytes(data[at + 4 : at + 8])
                end = min(end, at + payload_bytes)
                if payload_bytes == 0:
                    return Other(record, "IPv6 without payload")
                at, protocol, fragment, identification = _extensions(data, at, protocol)
                more, offset = fragment & 1, fragment & 0xFFF8
                identity = addresses, identification, -1
            else:
                return Other(record, _ethertype_name(ethertype), "", b"", data, at, end)
            if more or offset:
                is_whole = end <= len(data) and end > at
                if is_whole and not is_quoted:
                    joined = self._reassembly.add(
                        identity, record.number, offset, data[at:end], has_more=bool(more)
                    )
                    if joined is None:
                        return Other(record, "IP fragment")
                    payload, fragments = joined
                    data = data[:at] + payload
                    end = len(data)
                elif offset:
                    return Other(record, "IP fragment", "Not all of the fragment was captured.")
                else:
                    is_partial = True
            if protocol == _TCP:
                return self._tcp(
                    record, data, addresses, ip_at, at, end, fragments, is_partial, is_quoted
                )
            if protocol == 17:
                decode_tunnel = UDP.get((data[at] << 8) | data[at + 1]) or UDP.get(
                    (data[at + 2] << 8) | data[at + 3]
                )
                if decode_tunnel is None and is_quoted:
                    return self._quoted(record)
                if decode_tunnel is None:
                    key = addresses + data[at : at + 4]
                    return Other(record, "UDP", "", key, data, at, end)
                ethertype, at = decode_tunnel(data, at + 8)
            elif protocol == 47:
                ethertype, at = gre(data, at)
            elif protocol == 4:
                ethertype = IPV4
            elif protocol == 41:
                ethertype = IPV6
            elif protocol == 97:
                ethertype, at = ethernet(data, at + 2)
            elif protocol == 137:
                ethertype, at = carried(data, 0x8847, at)
            elif (protocol == _ICMP and data[at] in ERRORS_4) or (
                protocol == _ICMPV6 and data[at] in ERRORS_6
            ):
                ethertype, version = (IPV4, 4) if protocol == _ICMP else (IPV6, 6)
                sender = addresses[: len(addresses) // 2]
                self.icmp = read_error(record, data, at, version, sender)
                at += 8
                is_quoted = is_partial = True
                end = max(end, len(data), at + 65535)
            elif is_quoted:
                return self._quoted(record)
            else:
                return Other(record, _PROTOCOLS.get(protocol, f"IP protocol {protocol}"))
        return self._malformed(record, "IP", "More headers of IP than are believed.")

    def _tcp(
        self,
        record: Record,
        data: bytes,
        addresses: bytes,
        ip_at: int,
        at: int,
        end: int,
        fragments: tuple[int, ...],
        is_partial: bool,
        is_quoted: bool,
    ) -> Segment | Other:
        if end - at < _TCP_LEAST_BYTES:
            return self._malformed(record, "TCP", "The datagram ends within the TCP header.")
        if len(data) - at < _TCP_LEAST_BYTES and not is_quoted:
            # Nobody's fault: a snap length. The ports may be there all the same.
            key = addresses + data[at : at + 4]
            return Other(record, "TCP", "", key, data, at, end)
        srcport, dstport, seq, ack, offset_flags, window = _TCP_HEADER(data, at)
        header = offset_flags >> 12 << 2
        length = end - at - header
        if header < 20:
            # Its options would begin within the header; the rest is followed as Wireshark does.
            self.faults.add(
                "malformed", f"The TCP header claims to have {header} bytes.", record.number
            )
        if length < 0:
            is_partial = True
            if not is_quoted:
                self.faults.add(
                    "malformed", "The datagram ends within the TCP header.", record.number
                )
        return Segment(
            record,
            addresses + data[at : at + 4],
            srcport,
            dstport,
            seq,
            ack,
            offset_flags & 0xFFF,
            window,
            data[at + 20 : at + header],
            0 if is_partial else length,
            data,
            ip_at,
            at,
            at + header,
            fragments,
            is_partial,
            is_quoted,
        )


def _destination(data: bytes, at: int, end: int) -> bytes:
    """
    Return where a datagram goes in the end: a source route's last address (RFC 791 section 3.1), or
    else the destination.

    @param at: where the IPv4 header begins.
    @param end: where its options end.
    """
    destination = data[at + 16 : at + 20]
    option = at + 20
    while option < end and data[option]:
        if data[option] == 1:
            option += 1
            continue
        length = data[option + 1]
        if length < 2 or option + length > end:
            break
        if data[option] in {131, 137} and length >= 7:
            # Beyond its end the pointer says that the route has been gone.
            if data[option + 2] < length:
                return data[option + length - 4 : option + length]
            break
        option += length
    return destination


def _extensions(data: bytes, at: int, protocol: int) -> tuple[int, int, int, int]:
    """
    Pass over IPv6 extension headers (RFC 8200 section 4), and an authentication header.

    @return: the place and protocol of what follows, the fragment header's offset field (0 without
        one) and its identification.
    """
    fragment = identification = 0
    for _ in range(_EXTENSIONS_MAX):
        if protocol in {0, 43, 60, 135, 139, 140}:
            protocol, at = data[at], at + (data[at + 1] + 1) * 8
        elif protocol == 51:
            protocol, at = data[at], at + (data[at + 1] + 2) * 4
        elif protocol == 44:
            fragment = (data[at + 2] << 8) | data[at + 3]
            identification = int.from_bytes(data[at + 4 : at + 8])
            protocol, at = data[at], at + 8
            if fragment & 0xFFF8:
                break
        else:
            break
    return at, protocol, fragment, identification


def _ethertype_name(ethertype: int) -> str:
    if ethertype < 0:
        return "a protocol that is not IP"
    return NAMES.get(ethertype, f"ethertype 0x{ethertype:04x}")
