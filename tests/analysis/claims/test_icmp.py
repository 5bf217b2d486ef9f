"""
Tests for L{netlab.analysis.claims.icmp}.
"""

from __future__ import annotations

import struct

from twisted.trial.unittest import SynchronousTestCase

from tests.analysis.dialogue_script import START_NS, Script, of_kind
from tests.captures.faults import fault_claims

ROUTER = bytes([203, 0, 113, 9])


def reports(script: Script, kind: int, code: int, *, rest: int = 0, keep: int = 28) -> Script:
    """
    Let a router report about the last frame of a script.
    """
    quoted = script.records[-1][1][14 : 14 + keep]
    message = struct.pack(">BBHI", kind, code, 0, rest) + quoted
    script.now += 0.001
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(message), 1, 0, 64, 1, 0)
    frame = bytes(12) + b"\x08\0" + ip + ROUTER + quoted[12:16] + message
    script.records.append((START_NS + round(script.now * 1e9), frame))
    return script


class ErrorTests(SynchronousTestCase):
    """
    Errors about a segment.
    """

    def test_means(self) -> None:
        """
        Type and code are told in words, whatever is quoted of the segment (f35).
        """
        for name, means in (
            ("administratively_prohibited", "communication administratively prohibited"),
            ("quoting_8_bytes_only", "communication administratively prohibited"),
            ("port_unreachable", "port unreachable"),
            ("time_exceeded", "time to live exceeded in transit"),
            ("fragmentation_needed", "fragmentation needed"),
        ):
            claim = of_kind(fault_claims(f"f35_icmp_{name}"), "icmp.error")[0]
            self.assertEqual((claim.figures["means"], claim.who), (means, "client"))
            frames = (4, 5) if name == "fragmentation_needed" else (1, 2)
            self.assertEqual(claim.frames, frames)

    def test_of_two_alike(self) -> None:
        """
        Of segments with the same number, the last before the error is meant.
        """
        claims = of_kind(fault_claims("f35_icmp_port_unreachable"), "icmp.error")
        self.assertEqual([claim.frames for claim in claims], [(1, 2), (3, 4)])

    def test_a_segment_that_was_not_captured(self) -> None:
        """
        An error about what is not in the capture cites itself alone.
        """
        script = Script().open().client("PSH ACK", b"x" * 10)
        reports(script, 3, 1)
        del script.records[3]
        (claim,) = of_kind(script.claims(), "icmp.error")
        self.assertEqual((claim.frames, claim.figures["quotes"]), ((4,), "nothing"))

    def test_what_the_silence_is_due_to(self) -> None:
        """
        Where an error answers a SYN, no other cause for the silence is guessed.
        """
        (claim,) = of_kind(fault_claims("f35_icmp_time_exceeded"), "opening.unanswered")
        self.assertEqual(claim.causes, ("icmp-error", "unknown"))

    def test_ipv6(self) -> None:
        """
        Packet too big names the MTU in IPv6 (RFC 4443 section 3.2; RFC 8201).
        """
        script = Script(addresses=("2001:db8::1", "2001:db8::2")).open()
        script.client("PSH ACK", b"x" * 1440, arrives=False)
        quoted = script.records[-1][1][14:1200]
        message = struct.pack(">BBHI", 2, 0, 0, 1400) + quoted
        ip = struct.pack(">IHBB", 6 << 28, len(message), 58, 64) + quoted[24:40] + quoted[8:24]
        script.now += 0.001
        frame = bytes(12) + b"\x86\xdd" + ip + message
        script.records.append((START_NS + round(script.now * 1e9), frame))
        script.client("PSH ACK", b"x" * 1340, seq=1)
        (claim,) = of_kind(script.claims(), "icmp.error")
        self.assertEqual((claim.frames, claim.figures["mtu"]), ((4, 5), 1400))
        self.assertEqual((claim.figures["by"], claim.rule), ("the other end", "RFC 4443"))
        (claim,) = of_kind(script.claims(), "icmp.sends-smaller")
        self.assertEqual((claim.figures["length"], claim.rule), (1340, "RFC 8201 section 3"))


class SequelTests(SynchronousTestCase):
    """
    What the sender does next.
    """

    def test_sends_smaller(self) -> None:
        """
        It goes on with what fits the next hop's MTU (RFC 1191; f35).
        """
        (claim,) = of_kind(fault_claims("f35_icmp_fragmentation_needed"), "icmp.sends-smaller")
        self.assertEqual(claim.frames, (5, 6))
        self.assertEqual(
            [claim.figures[name] for name in ("mtu", "before", "length")], [1400, 1460, 1360]
        )

    def test_sends_as_large(self) -> None:
        """
        A sender that sends the same again did not hear, or does not obey.
        """
        script = Script().open().client("PSH ACK", b"x" * 1460, arrives=False)
        reports(script, 3, 4, rest=1400).client("PSH ACK", b"x" * 1460, seq=1, after=0.3)
        (claim,) = of_kind(script.claims(), "icmp.sends-as-large")
        self.assertEqual((claim.frames, claim.figures["length"]), ((5, 6), 1460))

    def test_other_bytes(self) -> None:
        """
        Later bytes tell nothing of how the reported ones are sent again.
        """
        script = Script().open().client("PSH ACK", b"x" * 1460, arrives=False)
        reports(script, 3, 4, rest=1400).client("PSH ACK", b"x" * 100)
        self.assertEqual(of_kind(script.claims(), "icmp.sends-smaller"), [])
        self.assertEqual(of_kind(script.claims(), "icmp.sends-as-large"), [])

    def test_tries_again(self) -> None:
        """
        A SYN after an error is told with the wait (RFC 5461; f35).
        """
        (claim,) = of_kind(fault_claims("f35_icmp_port_unreachable"), "icmp.tries-again")
        self.assertEqual((claim.frames, claim.figures["waited_ns"]), ((2, 3), 1_000_000_000))

    def test_not_yet_cut(self) -> None:
        """
        What is longer than the MSS was captured before a network card cut it: how large its packets
        are is not known.
        """
        script = Script().open().client("PSH ACK", b"x" * 7240, arrives=False)
        reports(script, 3, 4, rest=1200).client("PSH ACK", b"x" * 7240, seq=1, after=0.0001)
        claims = script.claims()
        self.assertEqual(of_kind(claims, "icmp.sends-as-large"), [])
        (claim,) = of_kind(claims, "repeats.after-icmp")
        self.assertEqual((claim.frames, claim.figures["error_frame"]), ((4, 5, 6), 5))
        self.assertEqual(claim.causes[0], "icmp-too-big")

    def test_what_the_silence_of_data_is_due_to(self) -> None:
        """
        A path that is reported to be closed is why the same bytes are sent again and again.
        """
        script = Script().open().client("PSH ACK", b"x" * 100, arrives=False)
        reports(script, 3, 13)
        for wait in (0.3, 0.6, 1.2):
            script.client("PSH ACK", b"x" * 100, seq=1, arrives=False, after=wait)
        (claim,) = of_kind(script.claims(), "closes.peer-silent")
        self.assertEqual(claim.causes, ("icmp-error", "unknown"))
