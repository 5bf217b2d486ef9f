"""
Tests for L{netlab.analysis.comparison.sides}.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.comparison import sides, sightings
from netlab.analysis.comparison.losses import Absent
from netlab.analysis.comparison.pairing import pair
from netlab.analysis.comparison.shares import WaitShares
from netlab.analysis.comparison.sides import SameConversation, compare_sides
from netlab.analysis.comparison.sightings import Sightings
from netlab.analysis.expectations.expectations import SECOND_NS
from tests.analysis.dialogue_script import CLIENT, SERVER, Script

_MS = SECOND_NS // 1000


@dataclass
class _Wire:
    """
    One conversation seen at its client and at its server, whose clocks disagree.

    @ivar way_ns: how long a segment travels.
    """

    way_ns: int = 10 * _MS
    now_ns: int = SECOND_NS
    client: Sightings = field(default_factory=Sightings)
    server: Sightings = field(default_factory=Sightings)
    scripts: list[Script] = field(default_factory=list)
    isns: tuple[tuple[int, int], tuple[int, int]] = ((4_294_967_290, 700), (4_294_967_290, 700))

    def __post_init__(self) -> None:
        for number, isn in enumerate(self.isns):
            self.scripts.append(Script(ports=(40000 + number, 8080), isn=isn))

    def send(
        self,
        who: int,
        flags: str,
        payload: bytes = b"",
        *,
        is_lost: bool = False,
        seq: int | None = None,
    ) -> None:
        """
        Send a segment from one end to the other.
        """
        for place, script in enumerate(self.scripts):
            here = place == who
            # The server's clock is an hour ahead.
            at_ns = self.now_ns + (0 if here else self.way_ns) + place * 3600 * SECOND_NS
            is_here = here or not is_lost
            at = at_ns / SECOND_NS
            script.send(
                who, flags, payload, at=at, seq=seq, is_captured=is_here, arrives=not is_lost
            )
        self.now_ns += self.way_ns

    def open(self) -> None:
        """
        Shake hands; the server takes 1 ms.
        """
        self.send(CLIENT, "SYN")
        self.now_ns += _MS
        self.send(SERVER, "SYN ACK")
        self.send(CLIENT, "ACK")

    def read(self) -> None:
        """
        End both captures.
        """
        for capture, script in zip((self.client, self.server), self.scripts, strict=True):
            for analysed in script.segments():
                capture.receive(analysed)
            capture.dialogues.finish()

    def compare(self) -> SameConversation:
        """
        End both captures and compare them.
        """
        self.read()
        (both,) = pair(self.server, self.client)
        return compare_sides(self.server, self.client, both)


class CompareSidesTests(SynchronousTestCase):
    """
    What a segment met between two places is told from both captures.
    """

    def test_where_the_time_went(self) -> None:
        """
        Of what the client waited, what the server took is the server's and the rest the way's,
        whatever the clocks say; the order in which the captures are given does not matter.
        """
        wire = _Wire()
        wire.open()
        wire.send(CLIENT, "ACK", b"hello")
        wire.now_ns += 70 * _MS
        wire.send(SERVER, "ACK", b"HELLO")
        wire.now_ns += 500 * _MS
        wire.send(CLIENT, "ACK", b"again")
        found = wire.compare()
        self.assertEqual(found.is_swapped, True)
        self.assertEqual(found.is_one_place, False)
        self.assertEqual(
            [(wait.total_ns, wait.server_ns, wait.way_ns) for wait in found.waits],
            [(21 * _MS, _MS, 20 * _MS), (90 * _MS, 70 * _MS, 20 * _MS)],
        )
        self.assertEqual([pause.client_ns for pause in found.pauses], [500 * _MS])
        self.assertEqual((found.common, found.to_client, found.to_server), (6, Absent(), Absent()))
        # What the client took includes its ACK and its first message, 10 ms each after it could.
        self.assertEqual(
            sides.totals([found]),
            WaitShares(client_ns=510 * _MS, way_ns=40 * _MS, server_ns=71 * _MS),
        )

    def test_lost_segment(self) -> None:
        """
        A segment that one side sent and the other never saw was lost; that it was sent again does
        not hide it.
        """
        wire = _Wire()
        wire.open()
        wire.send(CLIENT, "ACK", b"hello", is_lost=True)
        wire.send(CLIENT, "ACK", b"hello", seq=1)
        wire.send(SERVER, "ACK", b"HELLO", is_lost=True)
        found = wire.compare()
        self.assertEqual([sighting.at.frame for sighting in found.to_server.lost], [4])
        # The answer was not sent again, nor acknowledged: nobody knows.
        self.assertEqual([each.mark.length for each in found.to_client.unknown], [5])
        self.assertEqual(found.to_client.lost, ())

    def test_in_vain(self) -> None:
        """
        A segment that was acknowledged before it was sent again had arrived: it was not lost,
        though one capture lacks it and it came twice.
        """
        wire = _Wire()
        wire.open()
        wire.send(CLIENT, "ACK", b"hello", is_lost=True)
        for script in wire.scripts:
            # What the server's capture has missed has arrived.
            script.heard[SERVER] = script.next[CLIENT]
        wire.send(SERVER, "ACK")
        wire.send(CLIENT, "ACK", b"hello", seq=1)
        found = wire.compare()
        self.assertEqual(found.to_server.lost, ())
        self.assertEqual([sighting.at.frame for sighting in found.to_server.uncaptured], [4])

    def test_carriage(self) -> None:
        """
        How long a message took is measured at both places, and only there.
        """
        wire = _Wire()
        wire.open()
        wire.send(CLIENT, "ACK", b"ask")
        for _ in range(4):
            wire.send(SERVER, "ACK", bytes(100))
            wire.now_ns += 20 * _MS
        (carriage,) = wire.compare().carriages
        self.assertEqual((carriage.from_client, carriage.length), (False, 400))
        # Each leaves 30 ms after the one before, and all travel alike.
        self.assertEqual((carriage.client_ns, carriage.server_ns), (90 * _MS, 90 * _MS))

    def test_joined_segments(self) -> None:
        """
        Data that a network card cut into other segments on its way was not lost.
        """
        wire = _Wire()
        wire.open()
        wire.scripts[0].client("PSH ACK", b"hello there")
        for text in (b"hello ", b"there"):
            wire.scripts[1].client("PSH ACK", text)
        found = wire.compare()
        self.assertEqual((found.to_server, found.to_client), (Absent(), Absent()))

    def test_one_place(self) -> None:
        """
        Two captures of one place differ in no time.
        """
        wire = _Wire(way_ns=0)
        wire.open()
        self.assertEqual(wire.compare().is_one_place, True)

    def test_middle(self) -> None:
        """
        Captures without the opening are paired by what was said.
        """
        wire = _Wire()
        for script in wire.scripts:
            script.begins()
        wire.send(CLIENT, "ACK", b"hello")
        self.assertEqual(wire.compare().common, 1)

    def test_strangers(self) -> None:
        """
        Conversations with other sequence numbers are not paired.
        """
        wire = _Wire(isns=((4_294_967_290, 700), (4_294_967_290, 701)))
        wire.open()
        wire.read()
        self.assertEqual(pair(wire.client, wire.server), [])

    def test_bounds(self) -> None:
        """
        Only so many segments are kept for aligning.
        """
        self.patch(sightings, "SEGMENTS_MAX", 2)
        wire = _Wire()
        wire.open()
        found = wire.compare()
        self.assertEqual((found.common, wire.client.left_out), (2, 1))


class SightingsTests(SynchronousTestCase):
    """
    A capture is read for comparing.
    """

    def test_quotes(self) -> None:
        """
        What an ICMP error quotes was not seen at this place.
        """
        capture = Sightings()
        for analysed in Script().open().segments():
            segment = analysed.segment._replace(is_quoted=True)
            capture.receive(analysed._replace(segment=segment))
        self.assertEqual((capture.seen, capture.dialogues.all), ({}, {}))
