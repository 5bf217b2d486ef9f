"""
Tests for what C{--no-payload} and C{--anonymise} promise: reports of captures that differ in hidden
bytes alone are the same, byte for byte, in every format.
"""

from __future__ import annotations

import ipaddress
import random
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from netlab.commands.explaining import FORMATS
from tests.analysis.tls.played import Terms, http_exchange
from tests.capture.streams import block, interface, options, section
from tests.captures.frames import (
    ACK,
    FIN,
    LINK_ETHERNET,
    PSH,
    SYN,
    Checksum,
    Segment,
    ethernet_frame,
    ip_packet,
    syn_options,
)
from tests.captures.talk import Talk
from tests.commands.test_explaining import ExplainTestCase

_START_NS = 1_700_000_000_000_000_000
_LINUX_SLL = 113
_ROUNDS = 6


class Hidden:
    """
    A capture in which everything that is to be hidden is made by chance, and nothing else.

    @ivar payloads: Chooses what C{--no-payload} hides.
    @ivar addresses: Chooses what C{--anonymise} hides besides.
    @ivar blocks: The capture so far, in blocks of pcapng.
    """

    def __init__(self, payloads: int, addresses: int) -> None:
        self.payloads = random.Random(payloads)
        self.addresses = random.Random(addresses)
        self.blocks = [section(), self._interface(LINK_ETHERNET), self._interface(_LINUX_SLL)]
        self._now_ns = _START_NS
        self._identifications = self.addresses.sample(range(1, 65536), 200)
        self._next: dict[tuple[str, int], int] = {}

    def capture(self) -> bytes:
        """
        Make it.
        """
        self._speak(self._address(4), self._address(4), 40000)
        self._speak(self._address(6), self._address(6), 40001)
        self._echo(self._address(4), self._address(4))
        self._odd(self._address(4), self._address(4))
        return b"".join(self.blocks)

    def word(self, size: int, alphabet: bytes = b"abcdefghijklmnopqrstuvwxyz0123456789") -> bytes:
        """
        Choose a word that a payload holds.
        """
        return bytes(self.payloads.choices(alphabet, k=size))

    def _address(self, version: int) -> str:
        # None of the ranges that mean something, and always another one.
        if version == 6:
            return str(ipaddress.IPv6Address((0x2A << 120) + self.addresses.getrandbits(100)))
        return str(ipaddress.IPv4Address((20 << 24) + self.addresses.getrandbits(23)))

    def _interface(self, link_type: int) -> bytes:
        values = [(2, self.word(9)), (3, self.word(20)), (9, b"\x09")]
        return interface(link_type, values=values)

    def write(self, packet: bytes, *, is_cooked: bool = False, tag: bool = False) -> None:
        """
        Put a packet on a link, with padding behind it.
        """
        hardware = [self.addresses.randbytes(6) for _ in range(2)]
        if is_cooked:
            kind = b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\x00"
            padding = self.payloads.randbytes(2)
            frame = struct.pack("!HHH", 0, 1, 6) + hardware[0] + padding + kind + packet
        else:
            frame = ethernet_frame(packet, *hardware)
            if tag:
                frame = frame[:12] + b"\x81\x00" + self.addresses.randbytes(2) + frame[12:]
        frame += self.payloads.randbytes(4)
        self._now_ns += 1_000_000
        head = struct.pack(
            "<IIIII",
            is_cooked,
            self._now_ns >> 32,
            self._now_ns & 0xFFFFFFFF,
            len(frame),
            len(frame),
        )
        comment = options([(1, self.word(30))])
        self.blocks.append(block(6, head + frame + bytes(-len(frame) % 4) + comment))

    def _send(
        self,
        source: str,
        target: str,
        ports: tuple[int, int],
        flags: int,
        payload: bytes = b"",
        *,
        options: bytes = b"",
        checksum: Checksum = Checksum.GOOD,
        urgent: int = 0,
        route: bytes = b"",
    ) -> bytes:
        """
        Make the next segment of a connection.
        """
        own, other = (source, ports[0]), (target, ports[1])
        seq = self._next.setdefault(own, 1000 * ports[0])
        packet = bytearray(
            ip_packet(
                Segment(
                    source,
                    target,
                    *ports,
                    seq,
                    self._next.get(other, 0),
                    flags,
                    payload,
                    options=options,
                    checksum=checksum,
                ),
                identification=self._identifications.pop(),
            )
        )
        self._next[own] = seq + len(payload) + bool(flags & SYN) + bool(flags & FIN)
        if packet[0] >> 4 == 6:
            packet[1:4] = (self.addresses.getrandbits(20)).to_bytes(3)
        if urgent:
            # What the checksum gains by one field it loses by itself.
            at = (packet[0] & 15) * 4
            packet[at + 18 : at + 20] = urgent.to_bytes(2)
            total = int.from_bytes(packet[at + 16 : at + 18]) - urgent
            packet[at + 16 : at + 18] = (total % 65535 or 65535).to_bytes(2)
        if route:
            packet[0] += len(route) // 4
            packet[2:4] = (len(packet) + len(route)).to_bytes(2)
            packet[20:20] = route
        return bytes(packet)

    def _open(self, client: str, server: str, port: int) -> None:
        times = b"\x01\x01\x08\x0a" + self.addresses.randbytes(8)
        there, back = (port, 80), (80, port)
        for source, target, ports, flags in (
            (client, server, there, SYN),
            (server, client, back, SYN | ACK),
            (client, server, there, ACK),
        ):
            said = times if flags == ACK else syn_options(1460, 7) + times
            self.write(self._send(source, target, ports, flags, options=said))

    def _speak(self, client: str, server: str, port: int) -> None:
        """
        HTTP, with a method of the client's own.
        """
        self._open(client, server, port)
        there, back = (port, 80), (80, port)
        for method in (b"POST", b"X" + self.word(9, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")):
            body = b"pin=" + self.word(4, b"0123456789")
            request = b"%s /%s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n" % (
                method,
                self.word(20),
                self.word(12),
                len(body),
            )
            self.write(self._send(client, server, there, PSH | ACK, request + body))
            self.write(self._send(server, client, back, ACK), is_cooked=True)
            answer = b"HTTP/1.1 404 %s\r\nX-%s: %s\r\nContent-Length: 9\r\n\r\n%s" % (
                self.word(12),
                self.word(5),
                self.word(5),
                self.word(9),
            )
            self.write(self._send(server, client, back, PSH | ACK, answer), tag=True)
            self.write(self._send(client, server, there, ACK))
        self.write(self._send(server, client, back, FIN | ACK))
        self.write(self._send(client, server, there, FIN | ACK))

    def _echo(self, client: str, server: str) -> None:
        """
        No HTTP: a text, and by chance the same text in capitals.
        """
        self._open(client, server, 40002)
        said = self.word(20, b"abc")
        answer = said.upper() if self.payloads.random() < 0.5 else self.word(20)
        self.write(self._send(client, server, (40002, 80), PSH | ACK, said))
        self.write(self._send(server, client, (80, 40002), PSH | ACK, answer))
        for checksum in (Checksum.OFFLOADED, Checksum.BAD):
            text = self.word(10)
            self.write(self._send(client, server, (40002, 80), PSH | ACK, text, checksum=checksum))
            self.write(self._send(server, client, (80, 40002), ACK, checksum=checksum))

    def _odd(self, client: str, server: str) -> None:
        """
        Odd options, fields that mean nothing, and frames that hold others.
        """
        self._open(client, server, 40003)
        ports, junk = (40003, 80), self.payloads.randbytes
        self.write(self._send(server, client, (80, 40003), PSH | ACK, junk(100)))
        for odd in (
            b"\x02\x06" + junk(4) + b"\x01\x01",
            b"\x05\x0c" + junk(10),
            b"\x05\x1c" + junk(26),
            b"\x1e\x0c\x20\x00" + junk(8),
            b"\x13\x12" + junk(16) + b"\x01\x01",
            b"\x01\x01\x01\x00" + junk(8),
            b"\x02\x04\x05\xb4\xfd\x40" + junk(6),
        ):
            self.write(self._send(client, server, ports, ACK, options=odd))
            self.write(self._send(server, client, (80, 40003), PSH | ACK, junk(10)))
        self.write(self._send(client, server, ports, ACK, urgent=junk(1)[0] + 1))
        route = b"\x07\x07\x08" + self.addresses.randbytes(4) + b"\0"
        self.write(self._send(client, server, ports, ACK, route=route))
        inner = self._send(client, server, ports, PSH | ACK, junk(20))
        outer = bytearray(ip_packet(Segment(server, client, 0, 0, 0))[:20])
        for protocol, between in ((4, b""), (1, b"\x03\x01" + junk(2) + bytes(4)), (17, b"")):
            content = between + inner if protocol != 17 else struct.pack("!HH", 9, 9) + junk(40)
            outer[2:4] = (20 + len(content)).to_bytes(2)
            outer[9] = protocol
            self.write(bytes(outer) + content)
        first, rest = bytearray(inner[:44]), bytearray(inner[:20] + inner[44:])
        first[6:8], rest[6:8] = b"\x20\x00", b"\x00\x03"
        first[2:4], rest[2:4] = len(first).to_bytes(2), len(rest).to_bytes(2)
        self.write(bytes(first))
        self.write(bytes(rest))


class HiddenBytesTests(ExplainTestCase):
    """
    What differs in hidden bytes alone.
    """

    def reports(self, hidden: Hidden, option: str) -> dict[str, bytes]:
        """
        Write every report of a capture whose name tells something too.
        """
        path = self.folder / f"{hidden.word(8).decode()}.pcapng"
        path.write_bytes(hidden.capture())
        shown = {}
        for form in FORMATS:
            self.buffer.truncate(0)
            self.buffer.seek(0)
            self.assertEqual(self.status(str(path), "--format", form, option), 0)
            shown[form] = self.shown()
        return shown

    def assert_same(self, shown: dict[str, bytes], first: dict[str, bytes]) -> None:
        """
        Each report is the same, or is shown from where it differs.
        """
        for form, one in shown.items():
            other = first[form]
            at = next(
                (i for i, pair in enumerate(zip(one, other, strict=False)) if len({*pair}) > 1), 0
            )
            self.assertEqual(one[at - 40 : at + 80], other[at - 40 : at + 80], form)
            self.assertEqual(one, other, form)

    @pytest.mark.slow
    def test_payloads(self) -> None:
        """
        With C{--no-payload} payloads, their checksums, padding, odd options, the file's name,
        comments and interfaces' names leave no trace.
        """
        first = self.reports(Hidden(0, 0), "--no-payload")
        for seed in range(1, _ROUNDS):
            self.assert_same(self.reports(Hidden(seed, 0), "--no-payload"), first)
        self.assertNotEqual(self.reports(Hidden(0, 1), "--no-payload")["json"], first["json"])

    @pytest.mark.slow
    def test_addresses(self) -> None:
        """
        With C{--anonymise} neither do addresses, of hardware too, tags, flow labels,
        identifications, timestamps and recorded routes.
        """
        first = self.reports(Hidden(0, 0), "--anonymise")
        for seed in range(1, _ROUNDS):
            self.assert_same(self.reports(Hidden(seed, seed), "--anonymise"), first)

    def test_without_options_all_shows(self) -> None:
        """
        Without either option each of these captures has reports of its own: the test above compares
        what could differ.
        """
        one, other = Hidden(0, 0).capture(), Hidden(1, 1).capture()
        self.assertEqual(len(one), len(other))
        for form in FORMATS:
            shown = []
            for capture in (one, other):
                Path(self.capture).write_bytes(capture)
                self.buffer.truncate(0)
                self.buffer.seek(0)
                self.assertEqual(self.status(self.capture, "--format", form), 0)
                shown.append(self.shown())
            self.assertNotEqual(shown[0], shown[1], form)


class ObservedTests(ExplainTestCase):
    """
    What is not quoted but found out: by comparing payloads, and from what TLS shows.
    """

    def shown_of(self, capture: bytes, option: str) -> list[bytes]:
        """
        Write every report of a capture.
        """
        path = self.folder / "x.pcap"
        path.write_bytes(capture)
        shown = []
        for form in FORMATS:
            self.buffer.truncate(0)
            self.buffer.seek(0)
            self.assertEqual(self.status(str(path), "--format", form, option), 0)
            shown.append(self.shown())
        return shown

    def test_other_bytes(self) -> None:
        """
        Whether the same bytes are sent again, or others under the same numbers, does not show.
        """
        for option in ("--no-payload", "--anonymise"):
            seen = []
            for again in (b"a secret", b"another!"):
                talk = Talk().open()
                talk.send("c", PSH | ACK, b"a secret", arrives=False)
                start = talk.next["c"] - 8
                talk.send("c", PSH | ACK, again, seq=start, after_ms=300)
                talk.send("s", ACK, ack=start + 8)
                seen.append(self.shown_of(talk.pcap(), option))
            self.assertEqual(seen[0], seen[1])

    def test_certificate(self) -> None:
        """
        Neither whose a certificate is nor when it is valid shows, nor which host the client asks
        for: a period of validity names a certificate in public logs.
        """
        played = http_exchange(Terms(version="1.2"))
        others = [
            (
                end,
                data.replace(b"www.example.com", b"abc.example.org")
                .replace(b"Example Authority", b"Another Authority")
                .replace(b"260101000000Z", b"250203040506Z")
                .replace(b"260401000000Z", b"270506070809Z"),
            )
            for end, data in played.sent
        ]
        self.assertNotEqual(others, played.sent)
        # Once while both are valid, and once when both are no longer.
        for now_ns in (1_770_000_000_000_000_000, 1_900_000_000_000_000_000):
            captures = [
                replace(played, sent=sent).captured(now_ns=now_ns).pcap()
                for sent in (list(played.sent), others)
            ]
            for option in ("--no-payload", "--anonymise"):
                one, other = (self.shown_of(capture, option) for capture in captures)
                self.assertIn(b"certificate", one[0])
                self.assertEqual(one, other)

    def test_surroundings(self) -> None:
        """
        Nor do addresses and names around connections: of DNS, ARP and of routers' ICMP errors.
        """
        seen = []
        for first, host in ((20, b"intranet"), (97, b"payrolls")):
            client, server, router, resolver, nobody = (f"{first}.3.{n}.{n + 7}" for n in range(5))
            talk = Talk(client, server, ports=(40000, 80))
            question = b"\x08" + host + b"\x07example\x00\x00\x01\x00\x01"
            answer = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04" + _packed(server)
            arp = b"\x00\x01\x08\x00\x06\x04\x00\x01" + bytes([first] * 6) + _packed(client)
            arp += bytes(6) + _packed(nobody)
            frames = [b"\xff" * 6 + bytes([first] * 6) + b"\x08\x06" + arp] * 4
            for source, target, ports, counts, content in (
                (client, resolver, (5000, 53), (0x0100, 1, 0, 0, 0), question),
                (resolver, client, (53, 5000), (0x8180, 1, 1, 0, 0), question + answer),
            ):
                message = struct.pack("!HHHHHH", 7, *counts) + content
                message = struct.pack("!HHHH", *ports, 8 + len(message), 0) + message
                frames.append(_around(source, target, 17, message))
            for frame in frames:
                talk.now_ns += 1_000_000_000
                talk.frames.append((talk.now_ns, frame))
            talk.open().send("c", PSH | ACK, b"x" * 1000)
            quoted = talk.frames[-1][1][14 : 14 + 28]
            error = struct.pack("!BBHHH", 3, 4, 0, 0, 576) + quoted
            talk.frames.append((talk.now_ns + 1000, _around(router, client, 1, error)))
            talk.close("c")
            seen.append(self.shown_of(talk.pcap(), "--anonymise"))
        self.assertIn(b"ICMP", seen[0][0])
        self.assertIn(b"ARP", seen[0][0])
        self.assertEqual(seen[0], seen[1])


def _packed(address: str) -> bytes:
    return ipaddress.ip_address(address).packed


def _around(source: str, target: str, protocol: int, content: bytes) -> bytes:
    """
    Make an Ethernet frame with an IPv4 packet that is no TCP.
    """
    size = 20 + len(content)
    head = struct.pack("!BBHHHBBH", 0x45, 0, size, 9, 0x4000, 64, protocol, 0)
    packet = head + _packed(source) + _packed(target) + content
    return ethernet_frame(packet, _packed(source)[:3] * 2, _packed(target)[:3] * 2)


class GuessTests(ExplainTestCase):
    """
    The attack: try every value of something short, and keep those that the report allows.
    """

    def test_a_pin(self) -> None:
        """
        Of ten thousand PINs none is ruled out by what a report of the request holds.
        """
        head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\npin="
        reports = set()
        for pin in (b"4821", b"0000", b"9999"):
            hidden = Hidden(0, 0)
            hidden.write(
                ip_packet(Segment("20.0.0.1", "20.0.0.2", 40000, 80, 1, 1, PSH | ACK, head + pin))
            )
            path = self.folder / f"{pin.decode()}.pcapng"
            path.write_bytes(b"".join(hidden.blocks))
            for form in FORMATS:
                for option in ("--no-payload", "--anonymise"):
                    self.buffer.truncate(0)
                    self.buffer.seek(0)
                    self.assertEqual(self.status(str(path), "--format", form, option), 0)
                    reports.add((form, option, self.shown()))
        self.assertEqual(len(reports), 2 * len(FORMATS))
