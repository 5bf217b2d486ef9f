"""
Tests for L{netlab.analysis.claims.leading}.
"""

from __future__ import annotations

import struct

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.explanation.privacy import Discretion
from tests.analysis.dialogue_script import START_NS, Script, of_kind
from tests.capture.test_dns import message, record
from tests.captures.stories import story_of

CLIENT, SERVER = bytes([192, 0, 2, 1]), bytes([198, 51, 100, 2])
RESOLVER = bytes([192, 0, 2, 53])


def add(script: Script, ethertype: int, data: bytes, after: float = 0.01) -> None:
    """Let another frame pass."""
    script.now += after
    frame = bytes(12) + struct.pack(">H", ethertype) + data
    script.records.append((START_NS + round(script.now * 1e9), frame))


def asks(script: Script, *, after: float = 0.01, number: int = 7) -> Script:
    """Let the client ask for example.org."""
    _datagram(script, CLIENT, RESOLVER, message(flags=0x0100), 5353 + number, after)
    return script


def answers(script: Script, *records: bytes, flags: int = 0x8180, number: int = 7) -> Script:
    """Let its resolver answer."""
    data = message(*records, flags=flags)
    _datagram(script, RESOLVER, CLIENT, data, 5353 + number, 0.012)
    return script


def _datagram(
    script: Script, source: bytes, target: bytes, data: bytes, port: int, after: float
) -> None:
    ports = (53, port) if source == RESOLVER else (port, 53)
    udp = struct.pack(">HHHH", *ports, 8 + len(data), 0) + data
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0) + source + target
    add(script, 0x0800, ip + udp, after)


def arp(script: Script, operation: int, sender: bytes, target: bytes) -> Script:
    """Let a host ask for another, or answer."""
    head = b"\0\1\x08\0\6\4" + struct.pack(">H", operation)
    add(script, 0x0806, head + bytes(6) + sender + bytes(6) + target, 1)
    return script


class NameTests(SynchronousTestCase):
    """
    DNS before a connection, and instead of one.
    """

    def test_answered(self) -> None:
        """
        The name whose answer gave the server's address is told, with both waits.
        """
        script = answers(asks(Script()), record(1, SERVER))
        (claim,) = of_kind(script.client("SYN", after=0.005).claims(), "dns.answered")
        self.assertEqual(claim.frames, (1, 2, 3))
        self.assertEqual(
            dict(claim.figures),
            {
                "name_text": "example.org",
                "record": "A",
                "took_ns": 12_000_000,
                "before_ns": 5_000_000,
            },
        )

    def test_names_are_payload(self) -> None:
        """
        Without payloads there is no name, in the claim or in any sentence.
        """
        script = answers(asks(Script()), record(1, SERVER)).client("SYN")
        for discretion in (Discretion(shows_payload=False), Discretion(anonymises=True)):
            story = story_of(script.pcap(), discretion)
            (claim,) = of_kind(story.conversations[0].claims, "dns.answered")
            self.assertNotIn("name_text", claim.figures)
            self.assertNotIn("example", repr(story))

    def test_other_addresses(self) -> None:
        """
        An answer with another address, to another host, or after the SYN is no reason.
        """
        other = bytes([198, 51, 100, 77])
        elsewhere = Script(addresses=("192.0.2.8", "198.51.100.2"))
        for script in (
            answers(asks(Script()), record(1, other)).client("SYN"),
            answers(asks(elsewhere), record(1, SERVER)).client("SYN"),
            answers(asks(Script().client("SYN")), record(1, SERVER)).client("SYN", seq=0),
        ):
            self.assertEqual(of_kind(script.claims(), "dns.answered"), [])

    def test_failed(self) -> None:
        """
        A name that does not exist is why there is no connection, also in a capture without TCP.
        """
        script = answers(asks(Script()), flags=0x8183)
        story = script.story()
        (claim,) = of_kind(story.claims, "dns.failed")
        self.assertEqual((claim.frames, story.conversation_count), ((1, 2), 0))
        self.assertTrue(str(claim.figures["failure"]).startswith("NXDOMAIN"))

    def test_no_address_of_one_kind(self) -> None:
        """
        An answer without an address says nothing of the other kind; two of them say all.
        """
        script = answers(asks(Script()))
        self.assertEqual(of_kind(script.client("SYN").story().claims, "dns.failed"), [])
        both = answers(asks(Script()))
        data = message(flags=0x8180, kind=28)
        _datagram(both, RESOLVER, CLIENT, data, 5361, 0.01)
        (claim,) = of_kind(both.client("SYN").story().claims, "dns.failed")
        self.assertIn("none", str(claim.figures["failure"]))

    def test_failed_and_answered(self) -> None:
        """
        A name that has one kind of address is not without one.
        """
        script = answers(asks(Script()), record(1, SERVER))
        script = answers(asks(script, number=8), flags=0x8183, number=8)
        self.assertEqual(of_kind(script.client("SYN").story().claims, "dns.failed"), [])

    def test_unanswered(self) -> None:
        """
        Questions without an answer are told once they had a second's time.
        """
        script = asks(asks(Script()), after=1, number=8)
        self.assertEqual(of_kind(script.client("SYN").story().claims, "dns.unanswered"), [])
        script.client("SYN", seq=0, after=1)
        (claim,) = of_kind(script.story().claims, "dns.unanswered")
        self.assertEqual((claim.frames, claim.figures["questions"]), ((1, 2), 2))


class NeighbourTests(SynchronousTestCase):
    """
    ARP without an answer.
    """

    def ask(self, times: int) -> Script:
        """Let the client ask for the server so often."""
        script = Script()
        for _ in range(times):
            arp(script, 1, CLIENT, SERVER)
        return script

    def test_unanswered(self) -> None:
        """
        A host that is asked for three times and of which nothing is seen is told.
        """
        (claim,) = of_kind(self.ask(3).story().claims, "arp.unanswered")
        self.assertEqual((claim.frames, claim.figures["requests"]), ((1, 3), 3))
        self.assertEqual(claim.figures["address"], "198.51.100.2")
        story = story_of(self.ask(3).pcap(), Discretion(anonymises=True))
        self.assertNotIn("198.51.100.2", repr(story))

    def test_answered(self) -> None:
        """
        An answer, or any segment of that host, shows that it is there.
        """
        script = arp(self.ask(3), 2, SERVER, CLIENT).client("SYN")
        self.assertEqual(of_kind(script.story().claims, "arp.unanswered"), [])
        script = self.ask(3).client("SYN").server("SYN ACK")
        self.assertEqual(of_kind(script.story().claims, "arp.unanswered"), [])

    def test_once(self) -> None:
        """
        A request or two may have had an answer that was not captured.
        """
        script = self.ask(2).client("SYN")
        self.assertEqual(of_kind(script.story().claims, "arp.unanswered"), [])
