"""
Tests for L{netlab.report.verification}.
"""

from __future__ import annotations

import csv
import json

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.expectations.references import ECHO, EXCHANGES, verify
from netlab.report.verification import Marked, as_csv, as_json, terminal
from tests.analysis.dialogue_script import Script


def _echo(file: str, second: bytes = b"over the lazy dog 20") -> Marked:
    script = Script(addresses=("10.0.0.1", "10.0.0.99")).open()
    for text in (b"the quick brown fox jumps onwards", second):
        script.client("PSH ACK", text).server("PSH ACK", text.upper())
    script.server("FIN ACK").client("FIN ACK")
    return Marked(file, verify(ECHO, script.dialogues()))


_BROKEN = Marked("empty.pcap", None, "empty.pcap is empty: it is not a capture")


class TerminalTests(SynchronousTestCase):
    """
    Verdicts for people.
    """

    def test_whole(self) -> None:
        """
        Shown whole, each expectation has a line with its verdict, its sentence and its frames.
        """
        lines = list(terminal([_echo("a.pcap")], is_whole=True))
        self.assertEqual(lines[0], "PASS  a.pcap: echo, 5 of 5 as expected, conversation 0")
        self.assertEqual(len(lines), 6)
        self.assertEqual(
            lines[1],
            "    PASS  opens: The first connection opens with the three-way handshake. "
            "Found: SYN, SYN+ACK, ACK (#1, #2, #3)",
        )

    def test_failures(self) -> None:
        """
        Of several captures only what fails is shown, and the sum at the end.
        """
        captures = [_echo("a.pcap"), _echo("b.pcap", b"short"), _BROKEN]
        lines = list(terminal(captures, is_whole=False))
        self.assertEqual(
            [line for line in lines if not line.startswith(" ")],
            [
                "PASS  a.pcap: echo, 5 of 5 as expected, conversation 0",
                "FAIL  b.pcap: echo, 4 of 5 as expected, conversation 0",
                "ERROR empty.pcap is empty: it is not a capture",
                "3 captures: 1 PASS, 1 FAIL, 1 ERROR",
            ],
        )
        self.assertIn("FAIL  says: ", lines[2])
        self.assertIn("Found: 33 up, 33 down, 5 up, 5 down (#4, #5, #6, #7)", lines[2])

    def test_missing_connection(self) -> None:
        """
        That a connection is missing is said once, not for each expectation of it.
        """
        found = verify(EXCHANGES["double_fin"], [])
        lines = list(terminal([Marked("a.pcap", found)], is_whole=True))
        self.assertEqual(len(lines), 3)
        self.assertEqual(lines[2], "    FAIL  and 14 more that need it")

    def test_control_characters(self) -> None:
        """
        The name of a file draws nothing on the terminal and begins no line.
        """
        lines = list(terminal([_echo("a\x1b[2J\nb\udcff")], is_whole=False))
        self.assertTrue(lines[0].startswith("PASS  a\\x1b[2J\\nb\\udcff: echo"), lines)

    def test_notes(self) -> None:
        """
        What is wrong with a capture is noted under its verdict.
        """
        marked = Marked("a", _echo("a").verification, notes=("frame 3: it is cut short",))
        self.assertEqual(
            list(terminal([marked], is_whole=False))[1], "    note  frame 3: it is cut short"
        )


class CSVTests(SynchronousTestCase):
    """
    Verdicts for a spreadsheet.
    """

    def _rows(self, *captures: Marked) -> list[list[str]]:
        return list(csv.reader(as_csv(captures, ECHO)))

    def test_rows(self) -> None:
        """
        Each capture has a row, each expectation a column.
        """
        head, good, bad, broken = self._rows(_echo("a"), _echo("b", b"short"), _BROKEN)
        self.assertEqual(
            head,
            ["file", "exchange", "verdict", "met", "expected", "found"]
            + [expectation.name for expectation in ECHO.expectations],
        )
        self.assertEqual(good, ["a", "echo", "PASS", "5", "5", "", *["PASS"] * 5])
        self.assertEqual(bad[:5], ["b", "echo", "FAIL", "4", "5"])
        self.assertEqual(bad[5], "says: 33 up, 33 down, 5 up, 5 down (#4, #5, #6, #7)")
        self.assertEqual(bad[6:], ["PASS", "FAIL", "PASS", "PASS", "PASS"])
        self.assertEqual(broken[2:6], ["ERROR", "0", "5", _BROKEN.error])
        self.assertEqual({len(row) for row in (head, good, bad, broken)}, {11})

    def test_formulas(self) -> None:
        """
        A file that is named like a formula is text to a spreadsheet, on one line.
        """
        for name in ("=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)"):
            self.assertEqual(self._rows(_echo(name))[1][0], f"'{name}")
        self.assertEqual(self._rows(_echo("\t=1\r\n2"))[1][0], "\\t=1\\r\\n2")

    def test_formulas_behind_semicolons(self) -> None:
        """
        So it is where a spreadsheet takes a semicolon for the end of a cell.
        """
        for name in ("a;=1+1", "a; -1", 'a;b,;"@SUM(A1)', ";;+1"):
            for line in as_csv([_echo(name, b"short"), _BROKEN], ECHO):
                (cells,) = csv.reader([line], delimiter=";")
                self.assertEqual([c for c in cells if c.strip(' "')[:1] in tuple("=+-@")], [])
            self.assertIn("'", self._rows(_echo(name))[1][0])


class JSONTests(SynchronousTestCase):
    """
    Verdicts for programs.
    """

    def test_document(self) -> None:
        """
        The document names format and version, and gives each expectation with its frames.
        """
        document = json.loads(as_json([_echo("a", b"short"), _BROKEN], ECHO))
        self.assertEqual(
            (document["format"], document["version"], document["exchange"]),
            ("netlab-verify", 1, "echo"),
        )
        bad, broken = document["captures"]
        self.assertEqual((bad["file"], bad["verdict"], bad["error"]), ("a", "FAIL", None))
        self.assertEqual(
            bad["conversations"],
            [
                {
                    "stream": 0,
                    "client": {"address": "10.0.0.1", "port": 40000},
                    "server": {"address": "10.0.0.99", "port": 8080},
                    "first_frame": 1,
                    "last_frame": 9,
                }
            ],
        )
        self.assertEqual(
            bad["expectations"][1],
            {
                "name": "says",
                "sentence": (
                    "The first connection carries these bytes in turn: "
                    "33 up, 33 down, 20 up, 20 down"
                ),
                "verdict": "FAIL",
                "found": "33 up, 33 down, 5 up, 5 down",
                "frames": [4, 5, 6, 7],
            },
        )
        self.assertEqual(
            (broken["verdict"], broken["error"], broken["expectations"]),
            ("ERROR", _BROKEN.error, []),
        )
