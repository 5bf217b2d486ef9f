"""
Tests for L{netlab.lab.runs.owncongestion}.
"""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netlab.lab.runs.owncongestion import CongestionFileError, use_congestion
from netlab.tcp.congestion import choice
from netlab.tcp.congestion.base import Acknowledged
from netlab.tcp.congestion.reno import Reno

OWN = """
from netlab.tcp.congestion.base import Acknowledged, CongestionControl


class Brisk(CongestionControl):
    name = "brisk"

    def acknowledged(self, ack: Acknowledged) -> None:
        self.cwnd += 2

    def threshold_after_loss(self, now: int) -> int:
        return self.cwnd - 1
"""

ACK = Acknowledged(0, 1, 0, 0, 1, True, 0, 1)


class UseCongestionTests(SynchronousTestCase):
    """
    Tests for L{use_congestion}.
    """

    def setUp(self) -> None:
        """
        Leave the list of what is known as it was.
        """
        self.patch(choice, "KNOWN", dict(choice.KNOWN))

    def file(self, text: str) -> str:
        """
        Write a file.
        """
        path = Path(self.mktemp())
        path.mkdir()
        path /= "mine.py"
        path.write_text(text)
        return str(path)

    def test_ours(self) -> None:
        """
        Ours go by their names.
        """
        self.assertEqual(use_congestion("reno"), "reno")
        self.assertIsInstance(choice.make("reno"), Reno)

    def test_own(self) -> None:
        """
        A class of one's own decides about the window.
        """
        self.assertEqual(use_congestion(self.file(OWN)), "brisk")
        control = choice.make("brisk")
        control.acknowledged(ACK)
        self.assertEqual((control.cwnd, control.threshold_after_loss(0)), (12, 11))

    def test_refused(self) -> None:
        """
        What holds no such class, or cannot be loaded, is refused with the true reason.
        """
        cases = {
            "def f(:\n": r"SyntaxError.*line 1",
            "import nowhere_at_all\n": "nowhere_at_all",
            "x = 1\n": "no subclass",
            OWN + OWN.replace("Brisk", "Other"): "2 subclasses",
            OWN.replace("threshold_after_loss", "other"): "Brisk lacks threshold_after_loss",
            OWN.replace('name = "brisk"', ""): "Brisk lacks a name",
            OWN.replace('"brisk"', '"reno"'): "none of cubic, reno",
            OWN.replace('"brisk"', '"Brisk; rm"'): "lower-case letters",
        }
        for text, pattern in cases.items():
            error = self.assertRaises(CongestionFileError, use_congestion, self.file(text))
            self.assertRegex(str(error), pattern)
        for name in ("vegas", "./nowhere.py", "nowhere.py"):
            self.assertRaises(CongestionFileError, use_congestion, name)

    def test_mistakes(self) -> None:
        """
        A mistake in it is one line with its place, and so is a window that is no window.
        """
        cases = {
            "self.cwnd += 2": ("self.cwmd += 2", r"AttributeError: .*cwmd.*\(line 9\)"),
            "self.cwnd += 2\n": ("self.cwnd = 0\n", "cwnd is 0"),
            "self.cwnd += 2\n\n": ("self.cwnd = 1.5\n\n", r"cwnd is 1\.5"),
        }
        for old, (new, pattern) in cases.items():
            choice.KNOWN.pop("brisk", None)
            use_congestion(self.file(OWN.replace(old, new)))
            control = choice.make("brisk")
            error = self.assertRaises(CongestionFileError, control.acknowledged, ACK)
            self.assertRegex(str(error), pattern)
        use_congestion(self.file(OWN.replace("self.cwnd - 1", "1")))
        error = self.assertRaises(CongestionFileError, choice.make("brisk").threshold_after_loss, 0)
        self.assertRegex(str(error), "threshold_after_loss returned 1")
