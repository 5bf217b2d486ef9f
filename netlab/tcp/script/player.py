"""
Playing a script: each event at its time, each segment held against what is expected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from netlab.capture.segments import Flag
from netlab.tcp.script.calls import CallResult, SystemCalls, Waiting
from netlab.tcp.script.expectations import differing, follows, is_in_time, joined, seen_as_script
from netlab.tcp.script.figures import figures_of
from netlab.tcp.script.host import ScriptHost, TooManyTimeoutsError
from netlab.tcp.script.icmp import deliver
from netlab.tcp.script.language.claims import Claims
from netlab.tcp.script.language.commands import sysctls_of
from netlab.tcp.script.language.configuration import Configuration
from netlab.tcp.script.language.errors import DifferenceError, NotSupportedError, ScriptSyntaxError
from netlab.tcp.script.language.packets import option_bytes
from netlab.tcp.script.language.symbols import number
from netlab.tcp.script.language.syntax import (
    NANOSECONDS,
    Anything,
    Call,
    Code,
    Command,
    PacketScript,
    ScriptEvent,
    ScriptICMP,
    ScriptSegment,
    When,
)
from netlab.tcp.script.language.texts import segment_text, time_text
from netlab.tcp.script.mapping import FlowPhase, ScriptFlow
from netlab.tcp.script.network import ScriptNetwork, ends
from netlab.tcp.script.socketoptions import check_congestion_control
from netlab.tcp.segment import Outgoing, TCPSegment
from netlab.tcp.settings import SettingError, Settings
from netlab.tcp.stack import AddressInUseError, Stack

#: A script's time 0 on the machine's clock: late enough that nothing is at its beginning.
_START: Final = 1000 * NANOSECONDS

#: How long to look for a segment that is late, to say how late it is.
_LATENESS_SHOWN: Final = 3 * NANOSECONDS

#: How long to wait for a segment that may come at any time.
_ANY_TIME: Final = 3600 * NANOSECONDS

#: The window of an inbound segment of which the script does not say it.
_WINDOW_DEFAULT: Final = 0


@dataclass(frozen=True, slots=True)
class _Blocked:
    """
    A call that has not returned.
    """

    event: ScriptEvent
    call: Call
    waiting: Waiting
    ends: int


class Player:
    """
    Plays one script, once.
    """

    def __init__(self, script: PacketScript, configuration: Configuration) -> None:
        self._script = script
        self._configuration = configuration
        self._sysctls: dict[str, str] = {}
        self._last: ScriptEvent | None = None
        self._last_at = _START
        self._blocked: _Blocked | None = None
        self._claims = Claims()
        stack = Stack(
            (ends(configuration.ip_version)[0],),
            self._settings(1),
            configuration.secret,
            lambda: 0.5,
        )
        self._host = ScriptHost(stack, _START)
        self._network = ScriptNetwork(self._host, configuration.ip_version)
        self._calls = SystemCalls(self._host, self._network)
        self._host.on_change(self._resume)

    def play(self) -> None:
        """
        Play the script to its end.

        @raise DifferenceError: the machine does something else.
        @raise NotSupportedError: the script asks for something that is not there.
        @raise ScriptSyntaxError: the script makes no sense.
        """
        for event in self._script.events:
            try:
                self._play_event(event)
            except TooManyTimeoutsError:
                raise DifferenceError(event.line, "timers run out without end") from None
            except AddressInUseError as error:
                raise DifferenceError(event.line, str(error)) from error
        self._finish_blocked()

    def _settings(self, line: int) -> Settings:
        if self._sysctls.get("net.ipv4.tcp_ecn", "0") not in {"0", "1", "2"}:
            raise NotSupportedError(line, "AccECN: net.ipv4.tcp_ecn above 2")
        check_congestion_control(
            self._sysctls.get("net.ipv4.tcp_congestion_control", "cubic"), line
        )
        try:
            settings = Settings.from_sysctls(self._sysctls)
        except SettingError as error:
            raise NotSupportedError(line, str(error)) from error
        return replace(settings, mtu=self._configuration.mtu)

    # Time.

    def _base(self, event: ScriptEvent) -> int:
        """
        Tell what a relative time of an event counts from: the event before, or, for segments that
        follow on one another inbound, the time that was written for the first.
        """
        return self._last_at if _is_inbound(event) and self._last_inbound else self._host.now

    @property
    def _last_inbound(self) -> bool:
        return self._last is not None and _is_inbound(self._last)

    def _play_event(self, event: ScriptEvent) -> None:
        if event.when is None:
            assert isinstance(event.action, Command)
            self._command(event.action, event.line)
            return
        base = self._base(event)
        action = event.action
        if isinstance(action, ScriptSegment) and not action.is_inbound:
            self._last_at = self._expect(event, event.when, action, base)
            self._last = event
            return
        assert event.when.start is not None
        at = event.when.start + (base if event.when.is_relative else _START)
        if at < self._host.now:
            late = time_text(self._host.now - _START)
            raise ScriptSyntaxError(event.line, f"its time has passed: it is {late} already")
        self._host.advance(at)
        self._last_at = at
        self._last = event
        match action:
            case ScriptSegment():
                self._send(action, event.line)
            case ScriptICMP():
                deliver(self._host, self._network, action, event.line)
            case Call():
                self._call(event, action, base)
            case Command():
                self._command(action, event.line)
            case Code():
                self._claims.check(action.text, self._figures(event.line), event.line)

    # What the script sends.

    def _send(self, segment: ScriptSegment, line: int) -> None:
        flow = self._flow_of_inbound(segment, line)
        flags = segment.flags
        options = self._live_options(flow, segment, line)
        window = _WINDOW_DEFAULT if segment.window is None else segment.window
        source, destination = flow.remote[1], flow.local[1]
        if segment.ports is not None:
            source, destination = segment.ports[0] or source, segment.ports[1] or destination
        arriving = TCPSegment(
            source_port=source,
            destination_port=destination,
            seq=flow.seq_to_live(segment.seq, flags),
            ack=flow.ack_to_live(segment.ack, flags),
            flags=flags,
            window=window,
            options=options,
            payload=bytes(segment.length),
            urgent=segment.urgent,
        )
        self._host.stack.packet_arrives(
            self._host.now, flow.remote[0], flow.local[0], arriving, segment.ecn or 0
        )
        self._host.settle()

    def _flow_of_inbound(self, segment: ScriptSegment, line: int) -> ScriptFlow:
        flow = self._network.flow
        if flow is None or flow.phase is FlowPhase.LISTENING:
            flow = self._network.syn_from_outside(segment.ports[0] if segment.ports else None)
            flow.script_remote_isn = flow.live_remote_isn = segment.seq
        elif flow.phase is FlowPhase.CONNECTING:
            raise ScriptSyntaxError(line, "the script must expect the SYN first")
        elif flow.phase is FlowPhase.SYN_SENT and segment.flags & Flag.SYN:
            flow.script_remote_isn = flow.live_remote_isn = segment.seq
            flow.phase = FlowPhase.OPEN
        return flow

    def _live_options(self, flow: ScriptFlow, segment: ScriptSegment, line: int) -> bytes:
        assert segment.options is not None
        try:
            options = flow.options_to_live(
                segment.options, segment.flags, is_scaled=self._configuration.echoes_are_scaled
            )
        except KeyError as error:
            raise ScriptSyntaxError(
                line, f"TS ecr {error.args[0]} is the TS val of no outbound segment before"
            ) from None
        return option_bytes(options)

    # What the script expects.

    def _expect(self, event: ScriptEvent, when: When, expected: ScriptSegment, base: int) -> int:
        flow = self._network.flow
        if flow is None:
            raise ScriptSyntaxError(event.line, "there is no connection that could send this")
        base = base if when.is_relative else _START
        tolerance = self._tolerance(when, base)
        if when.start is None:
            limit = self._host.now + _ANY_TIME
        else:
            latest = when.start if when.end is None else when.end
            limit = max(self._host.now, base + latest + tolerance + _LATENESS_SHOWN)
        due = "" if when.start is None else f" at {time_text(base + when.start - _START)}"
        wanted = f"expected {segment_text(expected)}{due}"
        parts = self._parts(expected, limit)
        if not parts:
            until = time_text(limit - _START)
            raise DifferenceError(event.line, f"{wanted}, got nothing until {until}")
        at = parts[-1][0]
        outgoing = joined([part for _, part in parts])
        self._learn_sequence(flow, expected, outgoing)
        seen = seen_as_script(outgoing, expected, flow)
        ticks = self._configuration.timestamp_ticks(tolerance)
        found = differing(expected, seen, ticks)
        got = f"got {segment_text(seen)} at {time_text(at - _START)}"
        if found:
            raise DifferenceError(event.line, f"{wanted}, {got}: the {found} differs")
        if any(outgoing.segment.payload):
            raise DifferenceError(event.line, f"{wanted}, {got}: its payload is not all zeros")
        if not is_in_time(when, base, at, tolerance):
            raise DifferenceError(
                event.line, f"{wanted}, {got}: more than {time_text(tolerance)} s off"
            )
        return at

    def _parts(self, expected: ScriptSegment, limit: int) -> list[tuple[int, Outgoing]]:
        """
        Collect the segments that are to be what one line expects: a line may be longer than the MSS
        because Linux leaves it to the network card to cut what it sends.
        """
        parts: list[tuple[int, Outgoing]] = []
        length = 0
        while not parts or (
            length < expected.length and not self._configuration.segments_are_strict
        ):
            # Only what directly follows can be part of it: of that nothing is lost by looking.
            found = (
                self._host.take_sent(limit, self._network.is_of_flow)
                if not parts
                else self._host.take_following(
                    limit, self._network.is_of_flow, lambda part: follows(part, parts[-1][1])
                )
            )
            if found is None:
                break
            parts.append(found)
            length += len(found[1].segment.payload)
        return parts

    def _learn_sequence(
        self, flow: ScriptFlow, expected: ScriptSegment, outgoing: Outgoing
    ) -> None:
        flags = expected.flags
        if not flags & Flag.SYN or not outgoing.segment.flags & Flag.SYN:
            return
        if flow.phase in {FlowPhase.CONNECTING, FlowPhase.SYN_RECEIVED}:
            flow.script_local_isn = expected.seq
            flow.live_local_isn = outgoing.segment.seq
            is_active = flow.phase is FlowPhase.CONNECTING
            flow.phase = FlowPhase.SYN_SENT if is_active else FlowPhase.OPEN

    def _tolerance(self, when: When, base: int) -> int:
        start = 0 if when.start is None else base + when.start
        return max(
            self._configuration.tolerance,
            (start - self._last_at) * self._configuration.tolerance_permille // 1000,
        )

    # What the program does.

    def _call(self, event: ScriptEvent, call: Call, base: int) -> None:
        self._finish_blocked()
        assert event.when is not None
        ends = None
        if call.ends is not None:
            ends = call.ends + (base if event.when.is_relative else _START)
        started = self._calls.start(call, event.line)
        result = started if isinstance(started, CallResult) else _run(started)
        if result is not None:
            self._check_result(event, call, result)
            if ends is not None:
                self._check_return(event, ends)
        elif ends is None or isinstance(started, CallResult):
            raise DifferenceError(event.line, f"{call.name} waits, and is not expected to")
        else:
            self._blocked = _Blocked(event, call, started, ends)

    def _check_return(self, event: ScriptEvent, ends: int) -> None:
        if abs(ends - self._host.now) > self._configuration.tolerance:
            raise DifferenceError(
                event.line,
                f"expected the call to return at {time_text(ends - _START)}, "
                f"it returned at {time_text(self._host.now - _START)}",
            )

    def _resume(self) -> None:
        blocked = self._blocked
        if blocked is None:
            return
        # It may move the machine, which asks to be resumed in turn: not within itself.
        self._blocked = None
        result = _run(blocked.waiting)
        if result is None:
            self._blocked = blocked
        else:
            self._check_result(blocked.event, blocked.call, result)
            self._check_return(blocked.event, blocked.ends)

    def _finish_blocked(self) -> None:
        blocked = self._blocked
        if blocked is None:
            return
        self._host.advance(max(self._host.now, blocked.ends + self._configuration.tolerance))
        if self._blocked is not None:
            raise DifferenceError(
                blocked.event.line,
                f"expected {blocked.call.name} to return at "
                f"{time_text(blocked.ends - _START)}, it still waits",
            )

    def _check_result(self, event: ScriptEvent, call: Call, result: CallResult) -> None:
        if isinstance(call.result, Anything):
            return
        wanted = number(call.result, event.line)
        got = f"{result.value} {result.error}".strip()
        differs = wanted != result.value or (call.error and call.error != result.error)
        if differs:
            raise DifferenceError(
                event.line,
                f"expected {call.name} to return {f'{wanted} {call.error}'.strip()} at "
                f"{time_text(self._host.now - _START)}, got {got}",
            )

    def _figures(self, line: int) -> Mapping[str, int]:
        connection = self._calls.connection_of(self._network.flow)
        if connection is None:
            raise ScriptSyntaxError(line, "there is no connection whose figures could be looked at")
        return figures_of(connection, self._host.now)

    def _command(self, command: Command, line: int) -> None:
        changes = sysctls_of(command.text, line)
        if changes:
            self._sysctls.update(changes)
            self._host.stack.change_settings(self._settings(line))


def _is_inbound(event: ScriptEvent) -> bool:
    return isinstance(event.action, ScriptICMP) or (
        isinstance(event.action, ScriptSegment) and event.action.is_inbound
    )


def _run(waiting: Waiting) -> CallResult | None:
    """
    Run a call until it waits or returns.
    """
    try:
        next(waiting)
    except StopIteration as stop:
        result: CallResult = stop.value
        return result
    return None
