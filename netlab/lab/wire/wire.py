"""
The wire between two hosts: a Twisted program that carries every frame and sees it at both ends.

The wire I{is} the capture: what it does not carry has not been on the wire, and it carries nothing
without notice. Each frame is seen once at its sender's end, when it is sent, with what becomes of
it, and once for each time it arrives at the other end.
"""

from __future__ import annotations

import heapq
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from netlab.capture.decode import Decoder
from netlab.capture.records import Interface, LinkType, Record
from netlab.capture.segments import Other, Segment
from netlab.lab.api.impairment import Direction, Plan, WireSettings
from netlab.lab.api.script import HOLD_MAX_SECONDS, HoldUntil, Kind, ScriptState
from netlab.lab.api.sides import Side

#: Frames that may be on their way at once, in both directions together; more are lost. At 1514
#: bytes this is 15 MB.
IN_FLIGHT_MAX: Final = 10_000


class Crossing(NamedTuple):
    """
    A frame, seen at one end of the wire. A tuple, as segments are: two are made for each frame.

    @ivar time_ns: nanoseconds since 1970-01-01 UTC, never less than those of the one before.
    @ivar end: where it was seen.
    @ivar sender: who sent it: at this end it leaves, at the other it arrives.
    @ivar frame: its bytes, from the Ethernet header on.
    @ivar decoded: what it is.
    @ivar notes: what the wire does to it (where it leaves) or has done to it (where it arrives).
    @ivar is_lost: it will not arrive.
    @ivar number: of the frame, the same where it leaves and each time it arrives.
    """

    time_ns: int
    end: Side
    sender: Side
    frame: bytes
    decoded: Segment | Other
    notes: Sequence[str] = ()
    is_lost: bool = False
    number: int = 0


@dataclass(slots=True)
class _Gate:
    """
    What holds one host's frames back.

    @ivar awaited: connection, host and kind of the segment that opens it.
    @ivar timer: opens it if that never comes.
    @ivar waiting: when each frame would have arrived, the frame, and its plan.
    """

    awaited: tuple[frozenset[bytes], Side, Kind]
    timer: IDelayedCall
    waiting: list[tuple[float, bytes, Plan]] = field(default_factory=list)


@dataclass(slots=True)
class _Late:
    """
    A frame that others overtake.

    @ivar left: how many more.
    @ivar plan: its plan.
    @ivar timer: lets it go if no more come.
    """

    left: int
    plan: Plan
    timer: IDelayedCall


Observer = Callable[[Crossing], None]


class Wire:
    """
    Carries frames between two ends.

    @ivar observers: are called with each crossing, in order.
    @ivar directions: what happens to the frames of each host.
    """

    def __init__(
        self,
        clock: IReactorTime,
        settings: WireSettings,
        time_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """
        @param clock: delays frames.
        @param time_ns: tells the time of day in nanoseconds.
        """
        self.observers: list[Observer] = []
        self.directions = {
            side: Direction(
                settings.of(side),
                # One generator a direction: the frames of one do not change the other's luck.
                random.Random(f"{settings.seed} {side.value}").random,  # noqa: S311
                ScriptState([rule for rule in settings.rules if rule.sender is side]),
            )
            for side in Side
        }
        self._clock = clock
        self._time_ns = time_ns
        self._last_ns = 0
        self._outputs: dict[Side, Callable[[bytes], None]] = {}
        self._decoder = Decoder()
        self._interface = Interface(LinkType.ETHERNET, "wire")
        self._in_flight: list[tuple[float, int, Side, bytes, Plan]] = []
        self._gates: dict[Side, _Gate] = {}
        self._late: dict[Side, list[_Late]] = {side: [] for side in Side}
        # What each host has sent, as far as somebody may wait for it: connection, host, kind.
        self._sent: set[tuple[frozenset[bytes], Side, Kind]] = set()
        self._awaited = {
            rule.action.kind for rule in settings.rules if isinstance(rule.action, HoldUntil)
        }
        self._count = 0
        self._timer: IDelayedCall | None = None
        # The arrival that it was set for. It may find nothing: the wire may have been cut.
        self._timer_for = 0.0
        self._is_cut = False

    def attach(self, side: Side, output: Callable[[bytes], None]) -> None:
        """
        Connect a host; it replaces the one that was there.

        @param output: gives the host a frame.
        """
        self._outputs[side] = output

    def cut(self) -> None:
        """
        Lose every frame from now on, those on their way too.
        """
        self._is_cut = True
        self._in_flight.clear()
        for gate in self._gates.values():
            gate.timer.cancel()
        self._gates.clear()
        for late in self._late.values():
            for one in late:
                one.timer.cancel()
            late.clear()

    def mend(self) -> None:
        """
        Carry frames again.
        """
        self._is_cut = False

    def send(self, sender: Side, frame: bytes) -> None:
        """
        Take a frame from a host.
        """
        now_ns = self._now_ns()
        self._count += 1
        decoded = self._decoder.decode(
            Record(self._count, now_ns, frame, len(frame), self._interface)
        )
        now = self._clock.seconds()
        if self._is_cut:
            plan = Plan((), ["lost: the wire is cut"])
        elif self._count_in_flight() >= IN_FLIGHT_MAX:
            plan = Plan((), [f"lost: {IN_FLIGHT_MAX:,} frames are on the wire"])
        else:
            plan = self.directions[sender].plan(frame, decoded, now)
        plan = Plan(plan.arrivals, plan.notes, plan.until, plan.behind, self._count)
        is_lost = not plan.arrivals
        self._tell(
            Crossing(now_ns, sender, sender, frame, decoded, plan.notes, is_lost, plan.number)
        )
        if isinstance(decoded, Segment):
            self._wait_or_release(sender, decoded, plan)
        if plan.behind and plan.arrivals:
            timer = self._clock.callLater(HOLD_MAX_SECONDS, self._catch_up, sender)
            self._late[sender].append(_Late(plan.behind, plan, timer))
            return
        self._dispatch(sender, plan)
        if plan.arrivals:
            self._count_down(sender, plan.arrivals[-1][0])
        self._deliver()

    def stop(self) -> None:
        """
        Carry nothing more, and tell nothing more.
        """
        self.cut()
        self.observers.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _dispatch(self, sender: Side, plan: Plan) -> None:
        """
        Send a frame on its way, or to those that wait at its host's gate.
        """
        gate = self._gates.get(sender)
        for arrival, arriving in plan.arrivals:
            if gate is None:
                self._put(arrival, sender, arriving, plan)
            else:
                gate.waiting.append((arrival, arriving, plan))

    def _count_down(self, sender: Side, arrival: float) -> None:
        """
        A frame has overtaken those that are late: send on their way, behind it, those that have let
        enough pass.
        """
        for late in tuple(self._late[sender]):
            late.left -= 1
            if not late.left:
                self._let_go(sender, late, arrival)

    def _let_go(self, sender: Side, late: _Late, not_before: float) -> None:
        self._late[sender].remove(late)
        if late.timer.active():
            late.timer.cancel()
        arrivals = [(max(not_before, arrival), frame) for arrival, frame in late.plan.arrivals]
        self._dispatch(sender, late.plan._replace(arrivals=arrivals))

    def _catch_up(self, sender: Side) -> None:
        """
        Nothing more has come that could overtake the oldest late frame.
        """
        self._let_go(sender, self._late[sender][0], self._clock.seconds())
        self._deliver()

    def _wait_or_release(self, sender: Side, segment: Segment, plan: Plan) -> None:
        """
        See whether a segment is one that others wait for, and whether it has to wait itself.
        """
        connection = frozenset((segment.key, segment.reverse_key))
        for kind in self._awaited:
            if kind.covers(segment):
                self._sent.add((connection, sender, kind))
        gate = self._gates.get(sender.other)
        if gate is not None and gate.awaited in self._sent:
            self._open(sender.other)
        if plan.until is None or not plan.arrivals or sender in self._gates:
            return
        awaited = (connection, sender.other, plan.until)
        if awaited not in self._sent:
            timer = self._clock.callLater(HOLD_MAX_SECONDS, self._open, sender)
            self._gates[sender] = _Gate(awaited, timer)

    def _open(self, sender: Side) -> None:
        """
        Let go what a host's gate has held back.
        """
        gate = self._gates.pop(sender)
        if gate.timer.active():
            gate.timer.cancel()
        now = self._clock.seconds()
        for arrival, frame, plan in gate.waiting:
            self._put(max(arrival, now), sender, frame, plan)
        self._deliver()

    def _put(self, arrival: float, sender: Side, frame: bytes, plan: Plan) -> None:
        self._count += 1
        heapq.heappush(self._in_flight, (arrival, self._count, sender, frame, plan))

    def _count_in_flight(self) -> int:
        gated = sum(len(gate.waiting) for gate in self._gates.values())
        return len(self._in_flight) + gated + sum(map(len, self._late.values()))

    def _deliver(self) -> None:
        """
        Give the hosts what has arrived by now, and come back for the rest.
        """
        while self._in_flight and self._in_flight[0][0] <= self._clock.seconds():
            _, number, sender, frame, plan = heapq.heappop(self._in_flight)
            now_ns = self._now_ns()
            record = Record(number, now_ns, frame, len(frame), self._interface)
            # Told first: the host may answer at once, and the answer is to come after it.
            decoded = self._decoder.decode(record)
            self._tell(
                Crossing(
                    now_ns, sender.other, sender, frame, decoded, plan.notes, number=plan.number
                )
            )
            self._outputs[sender.other](frame)
        if not self._in_flight:
            return
        first = self._in_flight[0][0]
        if self._timer is not None:
            if self._timer_for == first:
                return
            self._timer.cancel()
        wait = max(0.0, first - self._clock.seconds())
        self._timer = self._clock.callLater(wait, self._on_timer)
        self._timer_for = first

    def _on_timer(self) -> None:
        self._timer = None
        self._deliver()

    def _tell(self, crossing: Crossing) -> None:
        for observer in tuple(self.observers):
            observer(crossing)

    def _now_ns(self) -> int:
        """
        The time of day, but never backwards.
        """
        self._last_ns = max(self._last_ns, self._time_ns())
        return self._last_ns
