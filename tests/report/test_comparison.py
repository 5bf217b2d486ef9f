"""
Tests for L{netlab.report.comparison}.
"""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.comparison.contrast import Contrast, Lapse, TimedAnswer
from netlab.analysis.comparison.losses import Absent
from netlab.analysis.comparison.shares import Shut, WaitShares
from netlab.analysis.comparison.sides import Carriage, Drip, SameConversation, SilentPause, Wait
from netlab.analysis.comparison.sightings import Sighting, SightingMark
from netlab.analysis.observations.dialogue import Moment
from netlab.report.comparison import (
    contrasts_json,
    contrasts_markdown,
    contrasts_terminal,
    sides_json,
    sides_markdown,
    sides_terminal,
)
from tests.analysis.dialogue_script import Script

_NAMES = ("a.pcap", "b.pcap")


def _same(*, is_one_place: bool = False, behind_ns: int = 0) -> SameConversation:
    (dialogue,) = Script(addresses=("10.0.0.1", "10.0.0.99")).client("SYN").dialogues()
    return SameConversation(
        dialogue,
        dialogue,
        is_swapped=True,
        is_one_place=is_one_place,
        waits=(
            Wait(
                "the handshake",
                (Moment(1, 0), Moment(2, 21_000_000)),
                (Moment(3, 500), Moment(4, 1_000_500)),
            ),
        ),
        pauses=(SilentPause((Moment(5, 0), Moment(6, 2_500_000_000))),),
        shares=WaitShares(client_ns=2_500_000_000, way_ns=20_000_000, server_ns=1_000_000),
        ahead_ns=0,
        behind_ns=behind_ns,
        shut=(Shut(True, Moment(8, 0), Moment(9, 9_000_000_000)),),
        carriages=(
            Carriage(
                False,
                300_000,
                (Moment(20, 0), Moment(29, 600_000_000)),
                (Moment(21, 0), Moment(31, 500_000_000)),
            ),
        ),
        drips=(Drip(True, 8, 4, Moment(10, 0), Moment(13, 4_000_000_000)),),
        common=6,
        to_server=Absent(lost=(_sighting(7),), uncaptured=(_sighting(14),)),
        to_client=Absent(unknown=(_sighting(15),)),
    )


def _sighting(frame: int) -> Sighting:
    return Sighting(SightingMark(True, 1, 1, 5, 16), Moment(frame, 0))


class SidesTests(SynchronousTestCase):
    """
    Two places of one exchange.
    """

    def test_terminal(self) -> None:
        """
        Each wait is told with its parts and its frames in both captures; what was lost too.
        """
        text = "\n".join(sides_terminal(_NAMES, [_same()]))
        self.assertIn("B was taken nearer to the client, A nearer to the server.", text)
        self.assertIn(
            "the handshake: the client waited 21.00 ms (B #1 to #2), of which 1.000 ms at the "
            "server (A #3 to #4) and 20.00 ms on the way",
            text,
        )
        self.assertIn("2.500 s after the answer (B #5 to #6)", text)
        self.assertIn("lost between B and A: 1 segment of the client, in B #7", text)
        self.assertIn("1 segment of the client is missing from A (B #14)", text)
        self.assertIn("not in B: 1 segment of the server, in A #15", text)
        self.assertIn("the client's window was shut for 9.000 s (B #8 to #9)", text)
        self.assertIn("its 8 bytes in 4 pieces over 4.000 s (B #10 to #13)", text)
        self.assertIn("2.500 s (99 %) at the client", text)
        self.assertIn("the server's 300 000 bytes: 500.0 ms", text.replace("\xa0", " "))
        self.assertIn("600.0 ms as they came to the client (B #20 to #29), 4 Mbit/s", text)
        self.assertIn("Most of it passed at the client.", text)

    def test_several(self) -> None:
        """
        Of several conversations the sum is told.
        """
        text = "\n".join(sides_terminal(_NAMES, [_same(), _same()]))
        self.assertIn("In all: Of 5.042 s: 5.000 s (99 %) at the client", text)

    def test_middle(self) -> None:
        """
        What passed behind a place in the middle is not told as the server's.
        """
        text = "\n".join(sides_terminal(_NAMES, [_same(behind_ns=80_000_000)]))
        self.assertIn("A is not at the server", text)
        self.assertIn("of which 1.000 ms behind A", text)

    def test_one_place(self) -> None:
        """
        Captures of one place cannot tell the server's part from the way's.
        """
        text = "\n".join(sides_terminal(_NAMES, [_same(is_one_place=True)]))
        self.assertIn("they were taken at one place", text)
        self.assertNotIn("of which", text)
        self.assertIn("21.00 ms (less than 1 %) at the server or on the way", text)

    def test_markdown(self) -> None:
        """
        Waits are a table; what a name might say in Markdown, it does not.
        """
        text = "\n".join(sides_markdown(("*a*|b", "b.pcap"), [_same()]))
        self.assertIn(r"A is `*a*`\|`b`, B is `b.pcap`.", text)
        self.assertIn("| the handshake | 21.00 ms | 1.000 ms | 20.00 ms |", text)
        self.assertIn("- lost between B and A: 1 segment of the client, in B `#7`", text)
        one_place = "\n".join(sides_markdown(_NAMES, [_same(is_one_place=True)]))
        self.assertNotIn("| the handshake", one_place)

    def test_json(self) -> None:
        """
        The document gives times in nanoseconds and frames by number.
        """
        document = json.loads(sides_json(_NAMES, [_same()]))
        self.assertEqual(
            (document["format"], document["version"], document["kind"], document["a"]),
            ("netlab-compare", 2, "sides", "a.pcap"),
        )
        self.assertEqual(
            {name: part for name, part in document["totals"].items() if part},
            {"server_ns": 1_000_000, "way_ns": 20_000_000, "client_ns": 2_500_000_000},
        )
        (one,) = document["conversations"]
        self.assertEqual(one["client_side"], "B")
        self.assertEqual(one["missing_at_server"], {"lost": [7], "uncaptured": [14], "unknown": []})
        self.assertEqual(one["waits"][0]["frames_at_server"], [3, 4])


class ContrastsTests(SynchronousTestCase):
    """
    Two exchanges.
    """

    def setUp(self) -> None:
        """
        One difference, one likeness.
        """
        self.found = [
            Contrast(
                "connections", TimedAnswer("1", (1,)), TimedAnswer("2", (1, 8)), ("B: because",)
            ),
            Contrast("HTTP", TimedAnswer("none"), TimedAnswer("none")),
        ]
        self.times = [
            Lapse(
                "the handshake",
                (Moment(1, 5), Moment(3, 40_000_005)),
                (Moment(9, 7), Moment(11, 500_007)),
            )
        ]

    def test_terminal(self) -> None:
        """
        What differs is told with its cause, what does not is listed.
        """
        self.assertEqual(
            list(contrasts_terminal(_NAMES, self.found, self.times))[3:],
            [
                "",
                "connections",
                "  A: 1 (#1)",
                "  B: 2 (#1, #8)",
                "  why B: because",
                "",
                "Alike: HTTP.",
                "",
                "Times, which are never quite the same:",
                "  the handshake",
                "    A: 40.00 ms (#1 to #3)",
                "    B: 500.0 µs (#9 to #11), 80 times as fast",
            ],
        )
        self.assertEqual(
            list(contrasts_terminal(_NAMES, self.found[1:], []))[-1],
            "They do not differ in anything that is asked here.",
        )

    def test_markdown(self) -> None:
        """
        Every question is a row, in bold where the answers differ; causes follow.
        """
        lines = list(contrasts_markdown(_NAMES, self.found, self.times))
        self.assertIn("| **connections** | 1 (`#1`) | 2 (`#1`, `#8`) |", lines)
        self.assertIn("| HTTP | none | none |", lines)
        (row,) = [line for line in lines if line.startswith("| the handshake ")]
        self.assertIn("| 40.00 ms (`#1` to `#3`) | 500.0 µs (`#9` to `#11`)", row)
        self.assertIn("80 times as fast |", row)
        self.assertEqual(lines[-1], "- B: because")

    def test_json(self) -> None:
        """
        The document has every question, and every duration in nanoseconds.
        """
        document = json.loads(contrasts_json(_NAMES, self.found, self.times))
        self.assertEqual(document["kind"], "exchanges")
        self.assertEqual([one["differs"] for one in document["questions"]], [True, False])
        self.assertEqual(document["questions"][0]["b"], {"answer": "2", "frames": [1, 8]})
        self.assertEqual(
            document["times"],
            [
                {
                    "what": "the handshake",
                    "a_ns": 40_000_000,
                    "b_ns": 500_000,
                    "frames_a": [1, 3],
                    "frames_b": [9, 11],
                }
            ],
        )
