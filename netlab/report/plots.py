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
from typing import Final, TypeAlias

from netlab.analysis.explanation.story import ConversationStory
from netlab.analysis.words.units import count, duration
from netlab.report.scales import (
    bytes_text,
    rate_text,
    scale_to,
    steps_path,
    thinned,
    time_text,
    time_ticks,
)
from netlab.report.series import DirectionSeries, Rate, Sample, SentBytes, pause_min_ns, series_of
from netlab.report.times import TimeAxis

WIDTH: Final = 780
"""In units that are at least as large as a pixel: the style sheet sees to it."""

_LEFT, _RIGHT = 78, 770
_TITLE_HEIGHT: Final = 26
_AXIS_HEIGHT: Final = 42
_LETTER: Final = 7.2
"""How wide a label's letter is, at most."""

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
    "cwnd": "congestion window (cwnd)",
    "ssthresh": "slow start threshold",
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
    "cwnd": '<path class="cwnd ink" d="M1 6H23"/>',
    "ssthresh": '<path class="ssthresh ink" d="M1 6H23"/>',
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
            f"Sequence numbers of the {me}", height, scale_to(series.byte_count), bytes_text
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
        highest = max((each.value for each in series.cwnd), default=most)
        windows = [each.value for each in series.window]
        low = min(windows, default=0)
        # A window far above is no limit, and would flatten what is in flight.
        top = max(most, highest, min(low, 2 * most) if windows else 0, 1)
        if windows and max(windows) <= 2 * most:
            top = max(top, *windows)
        scale = scale_to(top)
        is_above = bool(windows) and low > scale[0]
        title = f"Bytes in flight from the {me}"
        panel = self._panel(
            title if is_above else f"{title}, and the {peer}'s window", height, scale, bytes_text
        )
        line, first = self._line(panel, series.in_flight)
        self._sign("flight")
        self.parts.append(f'<path class="flight {me}" d="{line}V{panel.bottom:.1f}H{first:.1f}Z"/>')
        self._steps("window", peer, panel, series.window, is_cut=True)
        self._steps("cwnd", me, panel, series.cwnd, is_cut=True)
        self._steps("ssthresh", me, panel, series.ssthresh, is_cut=True)
        self._zero(panel, series.window)
        told = f"between {low} and {max(windows)} bytes" if windows else "not known"
        if is_above:
            # It is nowhere in the drawing: the words say where it is.
            text = f"the {peer}'s window: {bytes_text(low)}"
            text += f" to {bytes_text(max(windows))}" if max(windows) > low else ""
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
            "Round-trip time to each ACK, where this was captured",
            100,
            scale_to(longest),
            time_text,
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
        spell = time_text(first.end_ns - first.start_ns)
        title = f"Rate of each end, over {spell} each"
        panel = self._panel(title, 100, scale_to(most), rate_text)
        for series in both:
            me, _ = _ends(series)
            if any(rate.value for rate in series.rate):
                self.parts.append(
                    f'<path class="rate {me}" d="{self._rate_line(panel, series.rate)}"/>'
                )
                fastest = max(rate.value for rate in series.rate)
                self.said.append(f"The {me} sends at most {bytes_text(fastest)} per second.")

    def times(self, start_ns: int, end_ns: int) -> None:
        """
        Draw the time axis: ticks, and each silence that is cut out with its length.
        """
        bottom = self.y
        # Whole texts that do not touch: first both ends, then how long the cuts are, then ticks.
        taken: list[tuple[float, float]] = []
        self._label(taken, _LEFT, "0", bottom + 16, "middle")
        self._label(taken, _RIGHT, time_text(end_ns - start_ns), bottom + 16, "end")
        cuts: list[tuple[float, float]] = []
        for pause in self.axis.pauses:
            middle = (pause.start + pause.end) / 2
            self.behind.append(
                f'<rect class="pause" x="{pause.start:.1f}" y="2" '
                f'width="{pause.end - pause.start:.1f}" height="{bottom - 2:.1f}"/>'
                f'<path class="cut" d="M{pause.start:.1f} 2V{bottom:.1f}M{pause.end:.1f} 2'
                f'V{bottom:.1f}"/>'
            )
            text = f"{time_text(pause.length_ns)} cut"
            self._label(cuts, middle, text, bottom + 34, "middle")
        for time_ns, text in time_ticks(self.axis, start_ns, end_ns):
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
        return steps_path(points, _RIGHT), points[0][0] if points else _LEFT

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
                lines.append(steps_path(points, _RIGHT if run is runs[-1] else None))
        if lines:
            self._sign(name)
            self.parts.append(f'<path class="{name} {end}" d="{"".join(lines)}"/>')

    def _bars(self, name: str, end: str, panel: _Panel, sent: Sequence[SentBytes]) -> None:
        if not sent:
            return
        self._sign(name)
        bars = thinned(
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
        dots = thinned([(x, y) for x, y in seen])
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
