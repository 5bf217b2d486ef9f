"""
Tests for L{netlab.lab.live.narrator}.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netlab.lab.api.impairment import Impairment, WireSettings
from netlab.lab.api.script import parse_rule
from netlab.lab.api.sides import Side
from netlab.lab.live.narrator import LINE_SHOWN_MAX, Narrator
from netlab.lab.runs.programs import OutputLine
from netlab.lab.runs.relay import RelayedPassage
from tests.captures.frames import ACK, PSH, SYN
from tests.lab.live.runs import START_NS, observed_wire
from tests.lab.segments import frame


class NarratorTests(SynchronousTestCase):
    """
    What is observed, as events.
    """

    def setUp(self) -> None:
        """
        Collect events.
        """
        self.clock = Clock()
        self.events: list[tuple[str, Mapping[str, Any]]] = []
        self.narrator = Narrator(lambda name, data: self.events.append((name, data)))

    def named(self, name: str) -> list[Mapping[str, Any]]:
        """
        Give the data of all events of one type.
        """
        return [data for each, data in self.events if each == name]

    def test_a_handshake(self) -> None:
        """
        Frames are numbered as they are sent, have sentence and equation at once, and their arrival
        is an event of its own, with how long it took.
        """
        wire = observed_wire(
            self.clock, self.narrator.observe, WireSettings(Impairment(delay=0.02))
        )
        wire.send(Side.CLIENT, frame(Side.CLIENT, SYN, seq=999, ack=0))
        self.assertEqual([name for name, _ in self.events], ["sent"])
        self.clock.advance(0.02)
        wire.send(Side.SERVER, frame(Side.SERVER, SYN | ACK, seq=4999, ack=1000))
        self.assertEqual(
            [(name, data["n"]) for name, data in self.events],
            [("sent", 1), ("arrived", 1), ("sent", 2), ("arrived", 2)],
        )
        syn, answer = self.named("sent")
        self.assertEqual((syn["t"], syn["delta"], syn["sender"]), (0, "", "client"))
        self.assertEqual((answer["t"], answer["delta"]), (20_000_000, "+20.00 ms"))
        self.assertEqual((answer["kind"], answer["label"]), ("opening", "SYN, ACK"))
        self.assertEqual(answer["equation"], "ack 1000 = ISN 999 + 1 (SYN)")
        self.assertEqual(answer["findings"][0]["frames"], [1, 2])
        arrived = self.named("arrived")
        self.assertEqual([each["took"] for each in arrived], ["20.00 ms", "0 ns"])

    def test_numbers_in_the_captures(self) -> None:
        """
        Each frame has its number in the capture of each end, in which lost ones of the other are
        missing.
        """
        rules = [parse_rule("drop client data 1")]
        wire = observed_wire(self.clock, self.narrator.observe, WireSettings(rules=rules))
        wire.send(Side.CLIENT, frame(Side.CLIENT, PSH | ACK, b"lost"))
        wire.send(Side.CLIENT, frame(Side.CLIENT, PSH | ACK, b"here"))
        lost, here = self.named("sent")
        self.assertTrue(lost["is_lost"])
        self.assertEqual(lost["notes"], ["by the script: drop client data no. 1"])
        self.assertEqual((here["is_lost"], here["n"], here["captured"]), (False, 2, 2))
        (arrived,) = self.named("arrived")
        self.assertEqual((arrived["n"], arrived["captured"]), (2, 1))

    def test_duplicates(self) -> None:
        """
        A frame that arrives twice is told once when it is sent, and twice when it arrives.
        """
        rules = [parse_rule("duplicate client data 1")]
        wire = observed_wire(self.clock, self.narrator.observe, WireSettings(rules=rules))
        wire.send(Side.CLIENT, frame(Side.CLIENT, PSH | ACK, b"twice"))
        self.assertEqual([name for name, _ in self.events], ["sent", "arrived", "arrived"])
        self.assertEqual([each["captured"] for each in self.named("arrived")], [1, 2])

    def test_no_tcp(self) -> None:
        """
        A frame that is no TCP has its name and its length.
        """
        wire = observed_wire(self.clock, self.narrator.observe)
        wire.send(Side.CLIENT, bytes(12) + b"\x08\x06" + bytes(28))
        (arp,) = self.named("sent")
        self.assertEqual((arp["label"], arp["values"]), ("ARP", {"frame length": 42}))

    def test_lines_and_passages(self) -> None:
        """
        What programs print is told without their logs' own time, and bounded; so is what a relay
        notices.
        """
        text = "2026-11-24T07:09:00+0000 [netlab-echo#info] netlab-echo listens on tcp 10.0.0.2:1"
        for line in (text, "plain", "x" * 1000):
            self.narrator.observe(OutputLine(START_NS, Side.SERVER, "netlab-echo", line))
        self.narrator.observe(RelayedPassage(START_NS + 5, 1, Side.CLIENT, "connects"))
        self.assertEqual(
            [line["text"] for line in self.named("line")],
            ["netlab-echo listens on tcp 10.0.0.2:1", "plain", "x" * LINE_SHOWN_MAX],
        )
        (passage,) = self.named("passage")
        self.assertEqual(
            (passage["t"], passage["connection"], passage["sender"], passage["what"]),
            (5, 1, "client", "connects"),
        )
