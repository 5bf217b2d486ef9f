"""
A conversation over time as one drawing, in SVG: sequence numbers, bytes in flight below the window,
round trips and rates, one below the other on one time axis.

Shapes carry classes, not colours: the page's style sheet colours them for light, dark and print.
Whatever is the client's is in one colour, whatever is the server's in another; what a shape is, its
form says.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

from netlab.analysis.explanation.story import ConversationStory
from netlab.analysis.words.units import count, duration
from netlab.report.series import DirectionSeries, Rate, Sample, SentBytes, pause_min_ns, series_of
from netlab.report.times import TimeAxis

WIDTH: Final = 780
"""In units that are at least as large as a pixel: the style sheet sees to it."""

_LEFT, _RIGHT = 78, 770
_TITLE_HEIGHT: Final = 26
_AXIS_HEIGHT: Final = 42
_LETTER: Final = 7.2
"""How wide a label's letter is, at most."""

TICKS_MAX: Final = 7

POINTS_MAX: Final = 1500
"""How many points a curve has at most; of more, each place on the axis keeps the last one."""

_MARKS_MAX: Final = 400
"""How many marks of one kind are drawn; of more, each place keeps one."""

_ZERO: Final = "zero window"

_NAMES_MAX: Final = 8
"""How many frames are named beside their marks."""

_BOTH_FROM: Final = 10
"""A direction has plots of its own if it reaches at least this part of the other: one tenth."""


_Write: TypeAlias = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class PlotStack:
    """
    The drawing.

    @ivar height: In units, of L{WIDTH}.
    @ivar summary: What it shows, for somebody who cannot see it.
    @ivar svg: What is inside the C{svg} element: safe markup made of numbers and of fixed words.
    @ivar legend: The signs that it has, of L{SIGNS}.
    @ivar axis: Its times and places, for a cursor.
    """

    height: int
    summary: str
    svg: str
    legend: Sequence[str]
    axis: TimeAxis


@dataclass(frozen=True, slots=True)
class _Panel:
    """
    A part of the drawing that has a scale of its own.

    @ivar top: Where it begins.
    @ivar bottom: Where its scale is 0.
    @ivar most: The value at its top.
    """

    top: float
    bottom: float
    most: float

    def y(self, value: float) -> float:
        """
        Give the place of a value; what is too large lies on the upper edge.
        """
        share = min(max(value / self.most, 0.0), 1.0)
        return self.bottom - (self.bottom - self.top) * share


_TRIANGLE: Final = "m0 -14l6 10.5h-12z"
_CROSS: Final = "m-4 -4l8 8m0 -8l-8 8"
_DIAMOND: Final = "m0 -4l4 4l-4 4l-4 -4z"

#: What the signs of the drawing mean, in the order of the legend.
SIGNS: Final = {
    "sent": "sent",
    "acked": "acknowledged by the peer",
    "edge": "edge of the peer's window",
    "again": "sent again",
    "repeated": "first copy of what was sent again",
    "sack": "acknowledged selectively (SACK)",
    "flight": "bytes in flight",
    "window": "the peer's window",
}


#: The same as small drawings of 24 by 12 units.
LEGEND: Final = {
    "sent": '<path class="sent ink" d="M12 1V11"/>',
    "acked": '<path class="acked ink" d="M1 6H23"/>',
    "edge": '<path class="edge ink" d="M1 6H23"/>',
    "again": f'<path class="again-sign mark" d="M12 14{_TRIANGLE}"/>',
    "repeated": f'<path class="repeated-sign mark" d="M12 6{_CROSS}"/>',
    "sack": f'<path class="sack-sign ink" d="M12 6{_DIAMOND}"/>',
    "flight": '<path class="flight ink" d="M1 12V3H23V12Z"/>',
    "window": '<path class="window ink" d="M1 6H23"/>',
}


def plots_of(conversation: ConversationStory) -> PlotStack | None:
    """
    Draw a conversation.

    @return: C{None} for a conversation of which no frame is explained.
    """
    frames = conversation.frames
    if not frames:
        return None
    both = series_of(conversation)
    # A capture's clock may have been set back.
    times = sorted(frame.time_ns for frame in frames)
    axis = TimeAxis(times, _LEFT, _RIGHT, pause_min_ns=pause_min_ns(both))
    reach = max(each.byte_count for each in both)
    # Whose data is most of it comes first.
    shown = sorted(
        (each for each in both if each.byte_count * _BOTH_FROM >= reach),
        key=lambda each: -each.byte_count,
    )
    stack = _Stack(axis)
    for series in shown:
        stack.sequence(series, 210 if len(shown) == 1 else 170)
    for series in shown:
        stack.flight(series, 120 if len(shown) == 1 else 90)
    stack.round_trips(both)
    stack.rates(both)
    stack.times(times[0], times[-1])
    return PlotStack(
        round(stack.y),
        " ".join([*stack.said, f"In all {duration(times[-1] - times[0])}."]),
        "".join([*stack.behind, *stack.parts]),
        [sign for sign in SIGNS if sign in stack.signs],
        axis,
    )


class _Stack:
    """
    What is drawn so far.

    @ivar y: Down to where.
    @ivar behind: What lies behind all.
    @ivar parts: What is drawn.
    @ivar said: What it shows, a sentence each.
    @ivar signs: Which signs it has.
    """

    def __init__(self, axis: TimeAxis) -> None:
        self.axis = axis
        self.y = 4.0
        self.behind: list[str] = []
        self.parts: list[str] = []
        self.said: list[str] = []
        self.signs: set[str] = set()

    def sequence(self, series: DirectionSeries, height: int) -> None:
        """
        Draw sequence numbers: a bar for what a segment carries, a line for what is acknowledged,
        another for the edge of the window.
        """
        me, peer = _ends(series)
        panel = self._panel(
            f"Sequence numbers of the {me}", height, _top(series.byte_count), _bytes_text
        )
        self._steps("acked", peer, panel, series.acknowledged)
        self._steps("edge", peer, panel, series.edge, is_cut=True)
        again = [each for each in series.sent if each.is_again]
        self._bars("sent", me, panel, [each for each in series.sent if not each.is_again])
        self._bars("again", me, panel, again)
        middles = ((each.time_ns, (each.start + each.end) / 2) for each in series.sacks)
        self._marks("sack", peer, middles, panel, _DIAMOND)
        lost = [each for each in series.sent if each.was_repeated]
        middles = ((each.time_ns, (each.start + each.end) / 2) for each in lost)
        self._marks("repeated", "mark", middles, panel, _CROSS)
        self._marks("again", "mark", ((each.time_ns, each.end) for each in again), panel, _TRIANGLE)
        self._name(panel, again)
        told = f"The {me}'s sequence numbers reach {series.byte_count}"
        if again:
            told += f"; {count(len(again), 'segment is', 'segments are')} sent again"
        self.said.append(f"{told}.")

    def flight(self, series: DirectionSeries, height: int) -> None:
        """
        Draw bytes in flight below the receiver's window, as far as that comes near.
        """
        me, peer = _ends(series)
        most = max((each.value for each in series.in_flight), default=0)
        windows = [each.value for each in series.window]
        low = min(windows, default=0)
        # A window far above is no limit, and would flatten what is in flight.
        top = max(most, min(low, 2 * most) if windows else 0, 1)
        if windows and max(windows) <= 2 * most:
            top = max(top, *windows)
        scale = _top(top)
        is_above = bool(windows) and low > scale[0]
        title = f"Bytes in flight from the {me}"
        panel = self._panel(
            title if is_above else f"{title}, and the {peer}'s window", height, scale, _bytes_text
        )
        line, first = self._line(panel, series.in_flight)
        self._sign("flight")
        self.parts.append(f'<path class="flight {me}" d="{line}V{panel.bottom:.1f}H{first:.1f}Z"/>')
        self._steps("window", peer, panel, series.window, is_cut=True)
        self._zero(panel, series.window)
        told = f"between {low} and {max(windows)} bytes" if windows else "not known"
        if is_above:
            # It is nowhere in the drawing: the words say where it is.
            text = f"the {peer}'s window: {_bytes_text(low)}"
            text += f" to {_bytes_text(max(windows))}" if max(windows) > low else ""
            self.parts.append(
                f'<text class="tick" x="{_RIGHT}" y="{panel.top - 8:.1f}" text-anchor="end">'
                f"{text}, above</text>"
            )
        self.said.append(
            f"At most {count(most, 'byte')} were in flight from the {me}; the {peer}'s window was "
            f"{told}."
        )

    def _zero(self, panel: _Panel, windows: Sequence[Sample]) -> None:
        """
        Name the longest spell with a window of zero.
        """
        spells = [
            (self.axis.place(before.time_ns), self.axis.place(after.time_ns))
            for before, after in _runs_of_zero(windows)
        ]
        start, end = max(spells, key=lambda each: each[1] - each[0], default=(0.0, 0.0))
        width = _LETTER * len(_ZERO)
        if end:
            left = min(max((start + end - width) / 2, _LEFT), _RIGHT - width)
            self.parts.append(
                f'<text class="name" x="{left:.1f}" y="{panel.bottom - 8:.1f}">{_ZERO}</text>'
            )

    def round_trips(self, both: Sequence[DirectionSeries]) -> None:
        """
        Draw a dot for each acknowledgement: how long after the segment it came.
        """
        samples = [sample for each in both for sample in each.rtt]
        if not samples:
            return
        longest = max(sample.value for sample in samples)
        panel = self._panel(
            "Round-trip time to each ACK, where this was captured", 100, _top(longest), _short_time
        )
        for series in both:
            me, peer = _ends(series)
            self._dots(peer, panel, series.rtt)
            if series.rtt:
                values = sorted(sample.value for sample in series.rtt)
                self.said.append(
                    f"The {peer} acknowledges the {me}'s segments after {duration(values[0])} to "
                    f"{duration(values[-1])}, {duration(values[len(values) // 2])} in the median."
                )

    def rates(self, both: Sequence[DirectionSeries]) -> None:
        """
        Draw how fast each end sends.
        """
        most = max((rate.value for each in both for rate in each.rate), default=0)
        if not most:
            return
        first = both[0].rate[0]
        spell = _short_time(first.end_ns - first.start_ns)
        title = f"Rate of each end, over {spell} each"
        panel = self._panel(title, 100, _top(most), _rate_text)
        for series in both:
            me, _ = _ends(series)
            if any(rate.value for rate in series.rate):
                self.parts.append(
                    f'<path class="rate {me}" d="{self._rate_line(panel, series.rate)}"/>'
                )
                fastest = max(rate.value for rate in series.rate)
                self.said.append(f"The {me} sends at most {_bytes_text(fastest)} per second.")

    def times(self, start_ns: int, end_ns: int) -> None:
        """
        Draw the time axis: ticks, and each silence that is cut out with its length.
        """
        bottom = self.y
        # Whole texts that do not touch: first both ends, then how long the cuts are, then ticks.
        taken: list[tuple[float, float]] = []
        self._label(taken, _LEFT, "0", bottom + 16, "middle")
        self._label(taken, _RIGHT, _short_time(end_ns - start_ns), bottom + 16, "end")
        cuts: list[tuple[float, float]] = []
        for pause in self.axis.pauses:
            middle = (pause.start + pause.end) / 2
            self.behind.append(
                f'<rect class="pause" x="{pause.start:.1f}" y="2" '
                f'width="{pause.end - pause.start:.1f}" height="{bottom - 2:.1f}"/>'
                f'<path class="cut" d="M{pause.start:.1f} 2V{bottom:.1f}M{pause.end:.1f} 2'
                f'V{bottom:.1f}"/>'
            )
            text = f"{_short_time(pause.length_ns)} cut"
            self._label(cuts, middle, text, bottom + 34, "middle")
        for time_ns, text in _time_ticks(self.axis, start_ns, end_ns):
            place = self.axis.place(time_ns)
            if self._label(taken, place, text, bottom + 16, "middle"):
                self.behind.append(f'<path class="grid" d="M{place:.1f} 4V{bottom:.1f}"/>')
        self.y += _AXIS_HEIGHT

    def _label(
        self, taken: list[tuple[float, float]], x: float, text: str, y: float, anchor: str
    ) -> bool:
        """
        Write a label, unless another one is there or it would be cut off.
        """
        width = _LETTER * len(text)
        left = x - width * {"middle": 0.5, "end": 1.0}[anchor]
        right = left + width
        if left < 2 or right > WIDTH - 2:
            left = min(max(left, 2), WIDTH - 2 - width)
            x, anchor, right = left + width / 2, "middle", left + width
        if any(left < end + 8 and start < right + 8 for start, end in taken):
            return False
        taken.append((left, right))
        self.parts.append(
            f'<text class="tick" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'
        )
        return True

    def _panel(self, title: str, height: int, scale: tuple[int, int], write: _Write) -> _Panel:
        """
        Begin a part: its title, its scale, its frame.

        @param scale: The value at its top, and between two ticks.
        """
        most, step = scale
        top = self.y + _TITLE_HEIGHT
        panel = _Panel(top, top + height, most)
        self.parts.append(f'<text class="plot-title" x="{_LEFT}" y="{top - 8:.1f}">{title}</text>')
        for value in range(0, most + 1, step):
            y = panel.y(value)
            self.behind.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{_RIGHT}"/>')
            self.parts.append(
                f'<text class="tick" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">'
                f"{write(value)}</text>"
            )
        self.parts.append(f'<path class="axis" d="M{_LEFT} {panel.bottom}H{_RIGHT}"/>')
        self.y = panel.bottom + 8
        return panel

    def _sign(self, name: str) -> None:
        self.signs.add(name)

    def _line(self, panel: _Panel, samples: Iterable[Sample]) -> tuple[str, float]:
        points = [(self.axis.place(each.time_ns), panel.y(each.value)) for each in samples]
        return _steps(points), points[0][0] if points else _LEFT

    def _steps(
        self,
        name: str,
        end: str,
        panel: _Panel,
        samples: Sequence[Sample],
        *,
        is_cut: bool = False,
    ) -> None:
        """
        Draw a curve of steps.

        @param is_cut: Whether it is left out where it is above the scale.
        """
        if not samples:
            return
        runs: list[list[Sample]] = [[]]
        for each in samples:
            if is_cut and each.value > panel.most:
                if runs[-1]:
                    # It goes up there: the line ends at the edge.
                    runs[-1].append(Sample(each.time_ns, math.ceil(panel.most)))
                    runs.append([])
            else:
                runs[-1].append(each)
        lines = []
        for run in runs:
            if run:
                points = [(self.axis.place(each.time_ns), panel.y(each.value)) for each in run]
                lines.append(_steps(points, to_end=run is runs[-1]))
        if lines:
            self._sign(name)
            self.parts.append(f'<path class="{name} {end}" d="{"".join(lines)}"/>')

    def _bars(self, name: str, end: str, panel: _Panel, sent: Sequence[SentBytes]) -> None:
        if not sent:
            return
        self._sign(name)
        bars = _thin(
            [(self.axis.place(each.time_ns), each.start, each.end) for each in sent], is_joined=True
        )
        path = []
        for x, start, stop in bars:
            low, high = panel.y(start), panel.y(stop)
            # What is too small for a bar is still seen.
            high = min(high, low - 2)
            path.append(f"M{x:.1f} {low:.1f}V{high:.1f}")
        self.parts.append(f'<path class="{name} {end}" d="{"".join(path)}"/>')

    def _marks(
        self,
        name: str,
        style: str,
        places: Iterable[tuple[int, float]],
        panel: _Panel,
        shape: str,
    ) -> None:
        seen: set[tuple[int, int]] = set()
        path: list[str] = []
        for time_ns, value in places:
            x, y = self.axis.place(time_ns), panel.y(value)
            if (key := (round(x / 4), round(y / 4))) not in seen and len(path) < _MARKS_MAX:
                seen.add(key)
                path.append(f"M{x:.1f} {y:.1f}{shape}")
        if path:
            self._sign(name)
            self.parts.append(f'<path class="{name}-sign {style}" d="{"".join(path)}"/>')

    def _name(self, panel: _Panel, sent: Iterable[SentBytes]) -> None:
        """
        Name frames beside their marks, as far as their names do not lie on one another.
        """
        taken: list[tuple[float, float, float]] = []
        for each in sent:
            text = f"#{each.number}"
            width = _LETTER * len(text)
            x, y = self.axis.place(each.time_ns), panel.y(each.end) - 6
            # A curve that rises leaves room above it on the left.
            left = x - 8 - width if x - 8 - width > _LEFT else x + 8
            if (
                any(
                    abs(y - other) < 14 and left < end and start < left + width
                    for other, start, end in taken
                )
                or len(taken) >= _NAMES_MAX
            ):
                continue
            taken.append((y, left, left + width))
            self.parts.append(f'<text class="name" x="{left:.1f}" y="{y:.1f}">{text}</text>')

    def _dots(self, end: str, panel: _Panel, samples: Sequence[Sample]) -> None:
        seen = dict.fromkeys(
            (round(self.axis.place(each.time_ns), 1), round(panel.y(each.value), 1))
            for each in samples
        )
        dots = _thin([(x, y) for x, y in seen])
        path = "".join(f"M{x} {y}h0" for x, y in dots)
        if path:
            self.parts.append(f'<path class="dots {end}" d="{path}"/>')

    def _rate_line(self, panel: _Panel, rates: Sequence[Rate]) -> str:
        parts = []
        end: float | None = None
        for rate in rates:
            start, stop = self.axis.place(rate.start_ns), self.axis.place(rate.end_ns)
            y = panel.y(rate.value)
            if end is None or start - end > 1:
                if end is not None:
                    parts.append(f"V{panel.bottom:.1f}")
                parts.append(f"M{start:.1f} {panel.bottom:.1f}")
            parts.append(f"V{y:.1f}H{stop:.1f}")
            end = stop
        return "".join(parts) + f"V{panel.bottom:.1f}"


def _ends(series: DirectionSeries) -> tuple[str, str]:
    return ("client", "server") if series.from_client else ("server", "client")


def _runs_of_zero(windows: Sequence[Sample]) -> Iterator[tuple[Sample, Sample]]:
    """
    Give each spell in which the window stays zero: its first sample, and the one that ends it.
    """
    first: Sample | None = None
    for sample in windows:
        if not sample.value:
            first = first or sample
        elif first is not None:
            yield first, sample
            first = None
    if first is not None:
        yield first, windows[-1]


def _top(most: float) -> tuple[int, int]:
    """
    Choose where a scale ends, and its ticks: round numbers, at most six of them.
    """
    most = max(math.ceil(most), 4)
    power = 10 ** (len(str(most)) - 1)
    for step in (power // 5, power // 4, power // 2, power, 2 * power):
        if step >= 1 and (steps := -(-most // step)) <= TICKS_MAX - 2:
            return step * steps, step
    return 5 * power, power


def _time_ticks(axis: TimeAxis, start_ns: int, end_ns: int) -> Iterator[tuple[int, str]]:
    """
    Choose times for labels: round ones, so that five to seven fit where something happens.
    """
    busy = [
        (before, after)
        for (before, _), (after, _) in pairwise(axis.stops)
        if after > before and not any(axis.place(before) == p.start for p in axis.pauses)
    ]
    busy_ns = sum(after - before for before, after in busy)
    step = _round_step(max(busy_ns / TICKS_MAX, 1))
    for before, after in busy:
        first = -(-(before - start_ns) // step) * step
        for time_ns in range(start_ns + first, after + 1, step):
            if start_ns < time_ns < end_ns:
                yield time_ns, _short_time(time_ns - start_ns)


def _round_step(length: float) -> int:
    power = 10 ** math.floor(math.log10(length))
    return (
        int(next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= length)) or 1
    )


def _short_time(nanoseconds: int) -> str:
    """
    Write a time for a tick, in at most four digits.
    """
    for unit, factor in (("s", 1_000_000_000), ("ms", 1_000_000), ("µs", 1000)):
        if nanoseconds >= factor:
            return f"{nanoseconds / factor:.4g} {unit}"
    return f"{nanoseconds} ns" if nanoseconds else "0"


def _bytes_text(value: int) -> str:
    """
    Write a number of bytes for a tick.
    """
    for factor, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if value >= factor:
            return f"{round(value / factor, 2):g} {unit}"
    return f"{value} B" if value else "0"


def _rate_text(value: int) -> str:
    return f"{_bytes_text(value)}/s" if value else "0"


def _steps(points: Sequence[tuple[float, float]], *, to_end: bool = True) -> str:
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
    if parts and to_end:
        parts.append(f"H{_RIGHT}")
    return "".join(parts)


def _thin(
    points: Sequence[tuple[float, ...]], *, is_joined: bool = False
) -> list[tuple[float, ...]]:
    """
    Keep at most L{POINTS_MAX} points: the last of those that fall on one place.

    @param is_joined: Whether what falls on one place is a range, from the least to the most.
    """
    if len(points) <= POINTS_MAX:
        return list(points)
    kept: dict[int, tuple[float, ...]] = {}
    for point in points:
        place = int(point[0] * POINTS_MAX / WIDTH)
        if is_joined and (other := kept.get(place)) is not None:
            kept[place] = (point[0], min(point[1], other[1]), max(point[2], other[2]))
        else:
            kept[place] = point
    return list(kept.values())
