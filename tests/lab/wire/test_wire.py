"""
The wire: who gets which frame when, and what is told about it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netlab.lab.api.impairment import Impairment, WireSettings
from netlab.lab.api.script import HOLD_MAX_SECONDS, parse_rule
from netlab.lab.api.sides import Side
from netlab.lab.wire.wire import IN_FLIGHT_MAX, Crossing, Wire
from tests.captures.frames import ACK, FIN
from tests.lab.segments import frame

UP = frame(Side.CLIENT, payload=b"up")
DOWN = frame(Side.SERVER, payload=b"down")


class WireTests(SynchronousTestCase):
    """
    A wire between two hosts that only collect.
    """

    def wire(
        self, settings: WireSettings | None = None, time_ns: Callable[[], int] | None = None
    ) -> Wire:
        """
        Make a wire on a clock of the test's own.
        """
        self.clock = Clock()
        self.got: dict[Side, list[bytes]] = {side: [] for side in Side}
        self.told: list[Crossing] = []

        def clock_ns() -> int:
            return round(self.clock.rightNow * 1e9)

        wire = Wire(self.clock, settings or WireSettings(), time_ns or clock_ns)
        for side in Side:
            wire.attach(side, self.got[side].append)
        wire.observers.append(self.told.append)
        return wire

    def seen(self) -> list[tuple[float, Side, Side, bytes]]:
        """
        Tell what was told: seconds, end, sender, frame.
        """
        return [
            (crossing.time_ns / 1e9, crossing.end, crossing.sender, crossing.frame)
            for crossing in self.told
        ]

    def test_at_once(self) -> None:
        """
        Without delay a frame is with the other host when C{send} returns, and was told twice.
        """
        self.wire().send(Side.CLIENT, UP)
        self.assertEqual(self.got, {Side.CLIENT: [], Side.SERVER: [UP]})
        self.assertEqual(
            self.seen(),
            [(0.0, Side.CLIENT, Side.CLIENT, UP), (0.0, Side.SERVER, Side.CLIENT, UP)],
        )
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_delay_of_each_direction(self) -> None:
        """
        A frame arrives when its direction's delay has passed, not before.
        """
        wire = self.wire(WireSettings(Impairment(delay=0.5), Impairment(delay=0.125)))
        wire.send(Side.CLIENT, UP)
        wire.send(Side.SERVER, DOWN)
        self.clock.advance(0.12)
        self.assertEqual(self.got, {Side.CLIENT: [], Side.SERVER: []})
        self.clock.advance(0.005)
        self.assertEqual(self.got, {Side.CLIENT: [DOWN], Side.SERVER: []})
        self.clock.advance(0.375)
        self.assertEqual(self.got, {Side.CLIENT: [DOWN], Side.SERVER: [UP]})
        self.assertEqual([time for time, *_ in self.seen()], [0.0, 0.0, 0.125, 0.5])

    def test_order_of_equal_arrivals(self) -> None:
        """
        Frames that are due at the same time arrive in the order in which they were sent.
        """
        frames = [frame(Side.SERVER, payload=bytes([number])) for number in range(9)]
        wire = self.wire(WireSettings(server=Impairment(delay=1.0)))
        for each in frames:
            wire.send(Side.SERVER, each)
        self.clock.advance(1.0)
        self.assertEqual(self.got[Side.CLIENT], frames)

    def test_answer_comes_after(self) -> None:
        """
        What a host sends while it is given a frame is told after that frame's arrival.
        """
        wire = self.wire()

        def answer(data: bytes) -> None:
            wire.send(Side.SERVER, DOWN)

        wire.attach(Side.SERVER, answer)
        wire.send(Side.CLIENT, UP)
        self.assertEqual(
            [(crossing.end, crossing.sender) for crossing in self.told],
            [
                (Side.CLIENT, Side.CLIENT),
                (Side.SERVER, Side.CLIENT),
                (Side.SERVER, Side.SERVER),
                (Side.CLIENT, Side.SERVER),
            ],
        )

    def test_script(self) -> None:
        """
        A rule holds for the frames of its host alone, and a dropped frame is told once, as lost.
        """
        wire = self.wire(WireSettings(rules=[parse_rule("drop server data 1")]))
        wire.send(Side.CLIENT, UP)
        wire.send(Side.SERVER, DOWN)
        wire.send(Side.SERVER, DOWN)
        self.assertEqual(self.got, {Side.CLIENT: [DOWN], Side.SERVER: [UP]})
        lost = [crossing for crossing in self.told if crossing.is_lost]
        self.assertEqual(
            [(crossing.end, crossing.notes) for crossing in lost],
            [(Side.SERVER, ["by the script: drop server data no. 1"])],
        )

    def test_delay_by_frames(self) -> None:
        """
        A frame that is delayed by two arrives right behind the second that follows it, whenever
        that is; lost frames do not count.
        """
        rules = ["delay server data 1 2frames", "drop server data 3"]
        settings = WireSettings(
            server=Impairment(delay=0.5), rules=[parse_rule(rule) for rule in rules]
        )
        wire = self.wire(settings)
        frames = [frame(Side.SERVER, payload=bytes([number])) for number in range(5)]
        for each in frames[:4]:
            wire.send(Side.SERVER, each)
            self.clock.advance(0.25)
        wire.send(Side.SERVER, frames[4])
        self.clock.advance(0.5)
        first, second, _, fourth, fifth = frames
        self.assertEqual(self.got[Side.CLIENT], [second, fourth, first, fifth])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_delay_by_frames_in_vain(self) -> None:
        """
        A frame that nothing follows is late by some seconds at most.
        """
        wire = self.wire(WireSettings(rules=[parse_rule("delay server data 2frames")]))
        wire.send(Side.SERVER, DOWN)
        self.clock.advance(HOLD_MAX_SECONDS - 0.001)
        self.assertEqual(self.got[Side.CLIENT], [])
        self.clock.advance(0.001)
        self.assertEqual(self.got[Side.CLIENT], [DOWN])

    def test_hold_until(self) -> None:
        """
        A frame that waits for the other host keeps those behind it back too; when the other host
        has sent what is waited for, they arrive in order, and what was sent crosses them.
        """
        wire = self.wire(WireSettings(rules=[parse_rule("hold server fin until fin")]))
        first = frame(Side.SERVER, FIN | ACK)
        wire.send(Side.SERVER, first)
        wire.send(Side.SERVER, DOWN)
        wire.send(Side.CLIENT, UP)
        self.assertEqual(self.got, {Side.CLIENT: [], Side.SERVER: [UP]})
        last = frame(Side.CLIENT, FIN | ACK)
        wire.send(Side.CLIENT, last)
        self.assertEqual(self.got, {Side.CLIENT: [first, DOWN], Side.SERVER: [UP, last]})
        left = [crossing.end for crossing in self.told if crossing.frame == last]
        came = [crossing.end for crossing in self.told if crossing.frame == first]
        self.assertEqual((left[0], came), (Side.CLIENT, [Side.SERVER, Side.CLIENT]))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_hold_until_what_has_been_sent(self) -> None:
        """
        Nobody waits for what the other host has sent already: of two rules that wait for each
        other, the later frame opens the gate of the first and passes.
        """
        rules = [parse_rule(f"hold {side.value} fin until fin") for side in Side]
        wire = self.wire(WireSettings(rules=rules))
        fins = {side: frame(side, FIN | ACK) for side in Side}
        wire.send(Side.CLIENT, fins[Side.CLIENT])
        self.assertEqual(self.got, {Side.CLIENT: [], Side.SERVER: []})
        wire.send(Side.SERVER, fins[Side.SERVER])
        self.assertEqual(
            self.got, {Side.CLIENT: [fins[Side.SERVER]], Side.SERVER: [fins[Side.CLIENT]]}
        )

    def test_hold_until_in_vain(self) -> None:
        """
        What never comes is waited for no longer than some seconds.
        """
        wire = self.wire(WireSettings(rules=[parse_rule("hold server data until fin")]))
        wire.send(Side.SERVER, DOWN)
        self.clock.advance(HOLD_MAX_SECONDS - 0.001)
        self.assertEqual(self.got[Side.CLIENT], [])
        self.clock.advance(0.001)
        self.assertEqual(self.got[Side.CLIENT], [DOWN])

    def test_seed(self) -> None:
        """
        The same seed loses the same frames, another one others; the directions are independent.
        """

        def arrived(seed: int) -> tuple[list[bytes], list[bytes]]:
            settings = WireSettings(Impairment(loss=0.5), Impairment(loss=0.5), seed=seed)
            wire = self.wire(settings)
            for number in range(64):
                wire.send(Side.CLIENT, frame(Side.CLIENT, payload=bytes([number])))
                wire.send(Side.SERVER, frame(Side.SERVER, payload=bytes([number])))
            return self.got[Side.SERVER], self.got[Side.CLIENT]

        first = arrived(1)
        self.assertEqual(arrived(1), first)
        self.assertNotEqual(arrived(2), first)
        self.assertNotEqual([each[-1] for each in first[0]], [each[-1] for each in first[1]])

    def test_cut(self) -> None:
        """
        A cut wire loses what is on it and what is sent, until it is mended.
        """
        wire = self.wire(WireSettings(client=Impairment(delay=1.0)))
        wire.send(Side.CLIENT, UP)
        wire.cut()
        wire.send(Side.SERVER, DOWN)
        self.clock.advance(2.0)
        self.assertEqual(self.got, {Side.CLIENT: [], Side.SERVER: []})
        wire.mend()
        wire.send(Side.SERVER, DOWN)
        self.assertEqual(self.got, {Side.CLIENT: [DOWN], Side.SERVER: []})

    def test_frames_in_flight_are_bounded(self) -> None:
        """
        However fast a host sends, a slow wire holds only so many frames.
        """
        wire = self.wire(WireSettings(client=Impairment(delay=1.0)))
        for _ in range(IN_FLIGHT_MAX + 5):
            wire.send(Side.CLIENT, UP)
        self.clock.advance(1.0)
        self.assertEqual(len(self.got[Side.SERVER]), IN_FLIGHT_MAX)
        self.assertEqual(sum(crossing.is_lost for crossing in self.told), 5)

    def test_time_never_goes_back(self) -> None:
        """
        When the machine's time is set back, the times of frames stand still.
        """
        times = itertools.chain([1000, 500, 700], itertools.repeat(2000))
        wire = self.wire(time_ns=lambda: next(times))
        wire.send(Side.CLIENT, UP)
        wire.send(Side.CLIENT, UP)
        self.assertEqual([crossing.time_ns for crossing in self.told], [1000, 1000, 1000, 2000])

    def test_stop(self) -> None:
        """
        A stopped wire leaves no timer, carries nothing and tells nothing.
        """
        wire = self.wire(WireSettings(client=Impairment(delay=1.0)))
        wire.send(Side.CLIENT, UP)
        wire.stop()
        self.told.clear()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        wire.send(Side.SERVER, DOWN)
        self.assertEqual((self.got, self.told), ({Side.CLIENT: [], Side.SERVER: []}, []))

    def test_numbers(self) -> None:
        """
        A frame has a number of its own, the same wherever it is seen, and as often as it arrives.
        """
        settings = WireSettings(
            Impairment(delay=0.1),
            rules=[parse_rule("duplicate client data 1"), parse_rule("drop client data 2")],
        )
        wire = self.wire(settings)
        for _ in range(3):
            wire.send(Side.CLIENT, UP)
        self.clock.advance(0.1)
        left = [crossing.number for crossing in self.told if crossing.end is Side.CLIENT]
        arrived = [crossing.number for crossing in self.told if crossing.end is Side.SERVER]
        self.assertEqual(len(set(left)), 3)
        self.assertEqual(arrived, [left[0], left[0], left[2]])
