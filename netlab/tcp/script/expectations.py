"""
An outbound segment held against what the script expects of it.
"""

from __future__ import annotations

from netlab.capture.segments import Flag
from netlab.tcp.script.language import syntax
from netlab.tcp.script.language.syntax import ScriptOption, ScriptSegment, When
from netlab.tcp.script.mapping import ScriptFlow, read_options
from netlab.tcp.segment import Outgoing


def joined(parts: list[Outgoing]) -> Outgoing:
    """
    Make one segment of several that follow on one another, as segmentation offload shows them: with
    the PSH and FIN of the last.
    """
    first, last = parts[0], parts[-1]
    flags = first.segment.flags & ~(Flag.PSH | Flag.FIN)
    flags |= last.segment.flags & (Flag.PSH | Flag.FIN)
    payload = b"".join(part.segment.payload for part in parts)
    return first._replace(segment=first.segment._replace(flags=int(flags), payload=payload))


def follows(part: Outgoing, previous: Outgoing) -> bool:
    """
    Tell whether a segment goes on where another one ended, so that both may be one.
    """
    here, there = part.segment, previous.segment
    end = (there.seq + len(there.payload)) & 0xFFFFFFFF
    shared = Flag.SYN | Flag.RST | Flag.ACK | Flag.URG | Flag.ECE
    return (
        here.seq == end
        and here.ack == there.ack
        and (here.flags ^ there.flags) & shared == 0
        and len(here.options) == len(there.options)
        and bool(here.payload)
    )


def seen_as_script(outgoing: Outgoing, expected: ScriptSegment, flow: ScriptFlow) -> ScriptSegment:
    """
    Translate an outbound segment into the script's numbers, and show of it what the script names.
    """
    segment = outgoing.segment
    flags = int(segment.flags)
    options = flow.options_to_script(read_options(segment.options), flags)
    return ScriptSegment(
        is_inbound=False,
        flags=flags,
        seq=flow.seq_to_script(segment.seq, flags),
        length=len(segment.payload),
        ack=flow.ack_to_script(segment.ack, flags) if flags & Flag.ACK else 0,
        window=None if expected.window is None else segment.window,
        urgent=segment.urgent if flags & Flag.URG else 0,
        options=_with_script_times(options, expected.options, flow),
        ecn=None if expected.ecn is None else outgoing.ecn,
        ttl=None if expected.ttl is None else outgoing.ttl,
    )


def _with_script_times(
    options: tuple[ScriptOption, ...],
    expected: tuple[ScriptOption, ...] | None,
    flow: ScriptFlow,
) -> tuple[ScriptOption, ...]:
    wanted = [option.value for option in expected or () if option.kind == syntax.TIMESTAMPS]
    if not wanted:
        return options
    return tuple(
        option._replace(
            value=flow.learn_timestamp(
                int.from_bytes(wanted[0][:4]), int.from_bytes(option.value[:4])
            ).to_bytes(4)
            + option.value[4:]
        )
        if option.kind == syntax.TIMESTAMPS and len(option.value) == 8
        else option
        for option in options
    )


def differing(expected: ScriptSegment, seen: ScriptSegment, ticks: int) -> str:
    """
    Name the first field in which a segment differs from what is expected.

    @param ticks: how many ticks a timestamp may be off; negative to let any value pass, as
        packetdrill does by default.
    @return: empty if there is none.
    """
    fields: list[tuple[str, object, object]] = [
        ("flags", expected.flags, seen.flags),
        ("sequence number", expected.seq, seen.seq),
        ("length", expected.length, seen.length),
        ("acknowledgement number", expected.ack, seen.ack),
        ("window", expected.window, seen.window),
        ("urgent pointer", expected.urgent, seen.urgent),
        ("time to live", expected.ttl, seen.ttl),
    ]
    for name, wanted, got in fields:
        if wanted != got:
            return name
    if expected.ecn != seen.ecn and not (expected.ecn == -1 and seen.ecn in {1, 2}):
        return "ECN field"
    if expected.options is not None and not _are_alike(expected.options, seen.options or (), ticks):
        return "options"
    return ""


def _are_alike(
    expected: tuple[ScriptOption, ...], seen: tuple[ScriptOption, ...], ticks: int
) -> bool:
    if [option.kind for option in expected] != [option.kind for option in seen]:
        return False
    for wanted, got in zip(expected, seen, strict=True):
        if wanted.kind == syntax.TIMESTAMPS:
            apart = int.from_bytes(wanted.value[:4]) - int.from_bytes(got.value[:4])
            apart = min(apart % (1 << 32), -apart % (1 << 32))
            if len(got.value) != 8 or (0 <= ticks < apart):
                return False
        elif wanted.value != got.value:
            return False
    return True


def is_in_time(when: When, base: int, at: int, tolerance: int) -> bool:
    """
    Tell whether something came when it was expected.

    @param base: what a relative time counts from.
    @param at: when it came.
    @param tolerance: how much earlier or later it may come.
    """
    if when.start is None:
        return True
    offset = base if when.is_relative else 0
    end = when.start if when.end is None else when.end
    return offset + when.start - tolerance <= at <= offset + end + tolerance
