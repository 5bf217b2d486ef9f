"""
Small plots of a conversation as SVG: its sequence numbers over time, its windows and what is in
flight.

Shapes carry classes, not colours: the page's style sheet colours them for light, dark and print.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from netlab.analysis.explanation.story import ConversationStory, FrameStory
from netlab.analysis.words.units import duration
from netlab.report.times import TimeAxis

WIDTH: Final = 640
HEIGHT: Final = 256
_LABEL_WIDTH: Final = 124
"""How far apart the middles of two labels must be."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 74, 632, 12, 196

POINTS_MAX: Final = 1500
"""How many points a curve has at most; of more, each place on the axis keeps the last one."""


@dataclass(frozen=True, slots=True)
class Plot:
    """
    A plot.

    @ivar title: What it shows.
    @ivar summary: The same for somebody who cannot see it.
    @ivar svg: What is inside the C{svg} element, of L{WIDTH} by L{HEIGHT} units; safe markup made
        of numbers and of fixed words.
    """

    title: str
    summary: str
    svg: str


@dataclass(frozen=True, slots=True)
class Flight:
    """
    What is on its way in one direction after a frame.

    @ivar time_ns: When.
    @ivar bytes: Sent and not seen acknowledged.
    @ivar window: What the receiver will take beyond its acknowledgement, C{None} if not known.
    """

    time_ns: int
    bytes: int
    window: int | None


def axis_of(conversation: ConversationStory) -> TimeAxis:
    """
    Make the time axis that a conversation's plots share.
    """
    return TimeAxis([frame.time_ns for frame in conversation.frames], _LEFT, _RIGHT)


def plots_of(conversation: ConversationStory) -> list[Plot]:
    """
    Draw a conversation's plots; none for a conversation of which no frame is explained.
    """
    if not conversation.frames:
        return []
    axis = axis_of(conversation)
    return [
        _sequence_plot(conversation, axis),
        _flight_plot(conversation, axis, from_client=True),
        _flight_plot(conversation, axis, from_client=False),
    ]


def flights(frames: Sequence[FrameStory], *, from_client: bool) -> Iterator[Flight]:
    """
    Follow what is in flight in one direction.

    @param frames: A conversation's frames.
    @param from_client: Which direction.
    """
    sent: int | None = None
    acked: int | None = None
    window: int | None = None
    for frame in frames:
        if frame.is_from_client == from_client:
            sent = max(frame.nxtseq, sent or 0)
            acked = frame.seq if acked is None else acked
        elif "ACK" in frame.flags and "RST" not in frame.flags:
            acked = max(frame.ack, acked or 0)
            window = frame.window_size
        elif "SYN" in frame.flags:
            window = frame.window_size
        flight = 0 if sent is None or acked is None else max(sent - acked, 0)
        yield Flight(frame.time_ns, flight, window)


def _sequence_plot(conversation: ConversationStory, axis: TimeAxis) -> Plot:
    """
    Draw sequence numbers over time: a bar for what a segment carries, a line for what is
    acknowledged.
    """
    frames = conversation.frames
    top = max(max(frame.nxtseq, frame.ack) for frame in frames)
    parts = [*_time_marks(axis, frames)]

    def height(number: float) -> float:
        return _BOTTOM - (_BOTTOM - _TOP) * number / max(top, 1)

    parts += _scale([(value, height(value)) for value in _nice_steps(top)])
    for from_client, name in ((True, "client"), (False, "server")):
        acks = [
            (axis.place(frame.time_ns), height(frame.ack))
            for frame in frames
            if frame.is_from_client != from_client and "ACK" in frame.flags
        ]
        parts.append(f'<path class="acked {name}" d="{_steps(acks)}"/>')
        bars = [
            (axis.place(frame.time_ns), height(frame.seq), height(frame.nxtseq))
            for frame in frames
            if frame.is_from_client == from_client and frame.nxtseq > frame.seq
        ]
        marks = "".join(
            f"M{x:.1f} {low + 0.8:.1f}V{high - 0.8:.1f}" for x, low, high in _thin(bars)
        )
        parts.append(f'<path class="sent {name}" d="{marks}"/>')
    ends = {
        is_client: max((f.nxtseq for f in frames if f.is_from_client == is_client), default=0)
        for is_client in (True, False)
    }
    return Plot(
        "Sequence numbers over time, in bytes",
        f"Relative sequence numbers: the client's reach {ends[True]}, the server's "
        f"{ends[False]}. A bar is what a segment carries, a line what the other end has "
        "acknowledged.",
        "".join(parts),
    )


def _flight_plot(conversation: ConversationStory, axis: TimeAxis, *, from_client: bool) -> Plot:
    """
    Draw one direction's bytes in flight below the receiver's window, both on a logarithmic scale.
    """
    frames = conversation.frames
    points = list(flights(frames, from_client=from_client))
    sender, receiver = ("client", "server") if from_client else ("server", "client")
    windows = [point.window for point in points if point.window is not None]
    top = max([*windows, *(point.bytes for point in points), 10])
    span = math.log10(top + 1)

    def height(number: float) -> float:
        return _BOTTOM - (_BOTTOM - _TOP) * math.log10(number + 1) / span

    decades = [10**power for power in range(math.ceil(span) + 1) if 10**power <= top]
    parts = [*_time_marks(axis, frames)]
    parts += _scale(
        [(value, height(value)) for value in decades if value in {1, 100, 10**4, 10**6, 10**8}]
    )
    curve = [(axis.place(point.time_ns), height(point.bytes)) for point in points]
    if curve:
        line = _steps(curve)
        parts.append(f'<path class="flight {sender}" d="{line}V{_BOTTOM}H{curve[0][0]:.1f}Z"/>')
    edge = [
        (axis.place(point.time_ns), height(point.window))
        for point in points
        if point.window is not None
    ]
    parts.append(f'<path class="window {receiver}" d="{_steps(edge)}"/>')
    most = max(point.bytes for point in points)
    told = f"between {min(windows)} and {max(windows)} bytes" if windows else "not known"
    return Plot(
        f"Bytes in flight from the {sender}, and the {receiver}'s window; logarithmic",
        f"At most {most} bytes were in flight from the {sender}; the {receiver}'s window was "
        f"{told}. The scale is logarithmic.",
        "".join(parts),
    )


def _time_marks(axis: TimeAxis, frames: Sequence[FrameStory]) -> Iterator[str]:
    """
    Draw the time axis, its gaps, and how long it is.
    """
    yield f'<path class="axis" d="M{_LEFT} {_BOTTOM}H{_RIGHT}"/>'
    labelled = -math.inf
    for pause in axis.pauses:
        width = pause.end - pause.start
        middle = min((pause.start + pause.end) / 2, WIDTH - _LABEL_WIDTH / 2)
        yield (
            f'<rect class="pause" x="{pause.start:.1f}" y="{_TOP}" width="{width:.1f}" '
            f'height="{_BOTTOM - _TOP}"/>'
        )
        if middle - labelled >= _LABEL_WIDTH:
            labelled = middle
            yield (
                f'<text class="tick" x="{middle:.1f}" y="{_BOTTOM + 50}" text-anchor="middle">'
                f"{duration(pause.length_ns)}</text>"
            )
    total = frames[-1].time_ns - frames[0].time_ns
    yield f'<text class="tick" x="{_LEFT}" y="{_BOTTOM + 24}">0</text>'
    yield (
        f'<text class="tick" x="{_RIGHT}" y="{_BOTTOM + 24}" text-anchor="end">'
        f"{duration(total)}</text>"
    )


def _scale(marks: Iterable[tuple[int, float]]) -> Iterator[str]:
    for value, y in marks:
        yield f'<path class="grid" d="M{_LEFT} {y:.1f}H{_RIGHT}"/>'
        yield (
            f'<text class="tick" x="{_LEFT - 6}" y="{y + 8:.1f}" text-anchor="end">'
            f"{_short(value)}</text>"
        )


def _short(value: int) -> str:
    for factor, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if value >= factor and value % (factor // 10) == 0:
            return f"{value / factor:g}{unit}"
    return str(value)


def _nice_steps(top: int) -> list[int]:
    """
    Choose round numbers up to a top.
    """
    if top <= 1:
        return [0, 1]
    rough = top / 4
    power = 10 ** math.floor(math.log10(rough)) if rough >= 1 else 1
    step = next(int(power * factor) for factor in (1, 2, 5, 10) if power * factor >= rough)
    return list(range(0, top + 1, max(step, 1)))


def _steps(points: Sequence[tuple[float, float]]) -> str:
    """
    Make a path of steps: a value holds until the next one.
    """
    parts: list[str] = []
    height = ""
    for x, y in _thin(points):
        place = f"{y:.1f}"
        if not parts:
            parts.append(f"M{x:.1f} {place}")
        elif place != height:
            parts.append(f"H{x:.1f}V{place}")
        height = place
    if parts:
        parts.append(f"H{_RIGHT}")
    return "".join(parts)


def _thin(points: Sequence[tuple[float, ...]]) -> list[tuple[float, ...]]:
    """
    Keep at most L{POINTS_MAX} points: the last of those that fall on one place.
    """
    if len(points) <= POINTS_MAX:
        return list(points)
    kept: dict[int, tuple[float, ...]] = {}
    for point in points:
        kept[int(point[0] * POINTS_MAX / WIDTH)] = point
    return list(kept.values())
