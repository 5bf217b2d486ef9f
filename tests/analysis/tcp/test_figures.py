"""
Tests for L{netlab.analysis.tcp.figures}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.tcp import figures as module
from netlab.analysis.tcp.figures import FigureStore
from netlab.analysis.tcp.frames import Analysed
from tests.analysis.dialogue_script import Script

_FIGURES = (
    "number",
    "time_ns",
    "stream",
    "src",
    "dst",
    "srcport",
    "dstport",
    "flags",
    "seq_raw",
    "ack_raw",
    "seq",
    "ack",
    "len",
    "nxtseq",
    "window_size_value",
    "window_size",
    "completeness",
    "marks",
    "bytes_in_flight",
)


def _numbers(analysed: Analysed) -> list[object]:
    return [getattr(analysed, name) for name in _FIGURES]


class FiguresTests(SynchronousTestCase):
    """
    Segments come back with the figures that they had.
    """

    def setUp(self) -> None:
        """
        Two conversations, one segment of which is quoted, and one after a hole.
        """
        script = Script(isn=(4_294_967_290, 700))
        for port in (40000, 40001):
            script.another(port).open().client("PSH ACK", b"hello")
            script.server("ACK", b"hi", seq=1001, arrives=False).client("RST", seq=7)
        self.given = list(script.segments())
        quoted = self.given[4].segment._replace(is_quoted=True, is_partial=True)
        self.given[4] = self.given[4]._replace(segment=quoted, bytes_in_flight=77)

    def test_again(self) -> None:
        """
        Every figure is the same, in the same order, computed from what is known in the end.
        """
        figures = FigureStore()
        for analysed in self.given:
            figures.add(analysed)
        again = list(figures.analysed())
        self.assertEqual([_numbers(one) for one in again], [_numbers(one) for one in self.given])
        self.assertEqual([one.segment.is_quoted for one in again].index(True), 4)
        self.assertEqual(again[3].seq, 1)

    def test_without(self) -> None:
        """
        Frames that are told elsewhere are passed over.
        """
        figures = FigureStore()
        for analysed in self.given:
            figures.add(analysed)
        self.assertEqual([one.number for one in figures.analysed(without=range(2, 12))], [1, 12])

    def test_odd_times(self) -> None:
        """
        Times that a file may claim, but that no clock shows, are kept too.
        """
        figures = FigureStore()
        times = [1 << 80, -(1 << 70), 0]
        for analysed, time_ns in zip(self.given, times, strict=False):
            record = analysed.segment.record._replace(time_ns=time_ns)
            segment = analysed.segment._replace(record=record)
            figures.add(analysed._replace(segment=segment))
        self.assertEqual([one.time_ns for one in figures.analysed()], times)

    def test_bounds(self) -> None:
        """
        Segments, conversations and odd times are bounded, and what is left out is counted.
        """
        for name in ("FIGURES_MAX", "FIGURES_CONVERSATIONS_MAX"):
            self.patch(module, name, 1)
            figures = FigureStore()
            for analysed in self.given:
                figures.add(analysed)
            kept = len(list(figures.analysed()))
            self.assertEqual(kept, {"FIGURES_MAX": 1, "FIGURES_CONVERSATIONS_MAX": 6}[name])
            self.assertEqual(figures.left_out, 12 - kept)
            self.patch(module, name, 100)
