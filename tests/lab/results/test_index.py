"""
The page over all runs of a folder.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from netlab.lab.results.index import write_index
from netlab.lab.results.results import VERDICT

RESULT = {
    "end": "client",
    "name": "opens",
    "expected": "The first connection opens",
    "is_met": True,
    "found": "SYN, SYN+ACK, ACK",
    "frames": [1, 2, 3],
}
VERDICTS: dict[str, Any] = {
    "name": "mine",
    "question": "Is <b> escaped?",
    "programs": "p",
    "look_for": "l",
    "explanation": "e",
    "wire": ["20 ms delay"],
    "isolation": "root",
    "seconds": 1.5,
    "lateness": 0.0,
    "problem": "",
    "frames": {"client": 3, "server": 3},
    "is_judged": True,
    "is_met": True,
    "results": [RESULT],
}


class IndexTests(SynchronousTestCase):
    """
    The page, from verdicts as runs leave them.
    """

    def page(self, *verdicts: dict[str, Any] | str) -> str:
        """
        Make the page of some verdicts, or of what stands in their files' place.
        """
        folder = Path(self.mktemp())
        for number, verdict in enumerate(verdicts):
            place = folder / f"run{number}"
            place.mkdir(parents=True)
            text = verdict if isinstance(verdict, str) else json.dumps({**VERDICTS, **verdict})
            (place / VERDICT).write_text(text)
        folder.mkdir(exist_ok=True)
        return write_index(folder).read_text()

    def test_verdicts(self) -> None:
        """
        Each run says whether it is as expected, or what else became of it, and the title counts.
        """
        page = self.page(
            {},
            {"is_met": False, "results": [RESULT, {**RESULT, "is_met": False}]},
            {"is_met": False, "problem": "no luck"},
            {"is_judged": False, "is_met": False, "results": []},
        )
        for words in (
            "1 of 4 experiments as expected",
            '<p class="verdict good">as expected, 1 of 1</p>',
            '<p class="verdict bad">not as expected, 1 of 2</p>',
            '<p class="verdict bad">no luck</p>',
            '<p class="verdict open">not checked: there is no capture</p>',
            "At the client: The first connection opens. Found: SYN, SYN+ACK, ACK (#1, #2, #3)",
        ):
            self.assertIn(words, page)

    def test_frames_lead_to_the_report(self) -> None:
        """
        Each frame that shows something is a link to it in the report of its end, if there is one.
        """
        folder = Path(self.mktemp())
        place = folder / "my run"
        place.mkdir(parents=True)
        results = [{**RESULT, "frames": [7]}, {**RESULT, "end": "server", "frames": [8, 9]}]
        (place / VERDICT).write_text(json.dumps({**VERDICTS, "results": results}))
        (place / "report-server.html").touch()
        page = write_index(folder).read_text()
        self.assertIn("(#7)", page)
        self.assertIn(
            '(<a href="my%20run/report-server.html#f8">#8</a>, '
            '<a href="my%20run/report-server.html#f9">#9</a>)',
            page,
        )

    def test_what_is_missed_is_seen_at_once(self) -> None:
        """
        What is not as expected stands before what must be opened to be read.
        """
        page = self.page({"is_met": False, "results": [RESULT, {**RESULT, "is_met": False}]})
        missed = page.index('<li class="bad">')
        self.assertLess(missed, page.index("<details>"))
        self.assertGreater(page.index('<li class="good">'), page.index("<details>"))

    def test_command(self) -> None:
        """
        The command line that runs it again is shown where there was one.
        """
        page = self.page({"command": "netlab lab run ./mine.py --delay 20ms"}, {"command": None})
        self.assertEqual(page.count("Run again:"), 1)
        self.assertIn("<code>netlab lab run ./mine.py --delay 20ms</code>", page)
        self.assertNotIn("Run again:", self.page({}))

    def test_text_is_escaped(self) -> None:
        """
        What a run says is text on the page, never markup.
        """
        page = self.page({"problem": "<script>alert(1)</script>"})
        self.assertIn("Is &lt;b&gt; escaped?", page)
        self.assertIn("&lt;script&gt;alert(1)&lt;/script&gt;", page)
        self.assertNotIn("<script", page)

    def test_reference_first(self) -> None:
        """
        The reference exchanges lead the page.
        """
        page = self.page({"name": "aaa"}, {"name": "single_fin"}, {"name": "echo"})
        places = [page.index(f"<h2>{name}</h2>") for name in ("echo", "single_fin", "aaa")]
        self.assertEqual(places, sorted(places))

    def test_unreadable(self) -> None:
        """
        A verdict that cannot be read is told as that, and the others are shown.
        """
        page = self.page("{", "{}", {})
        self.assertIn("1 of 3 experiments as expected", page)
        self.assertEqual(page.count("verdict.json cannot be read"), 2)

    def test_hostile_verdicts(self) -> None:
        """
        A verdict that no run has written is shown as one that cannot be read, and the page is made.
        """
        for hostile in (
            "",
            "null",
            "[]",
            "{}",
            '"x"',
            "[" * 100_000,
            "\x00\xff",
            "{" + '"a":' * 10_000,
            " " * ((1 << 20) + 1),
            *(
                json.dumps({**VERDICTS, key: value})
                for key, value in (
                    ("results", 1),
                    ("results", [1]),
                    ("results", [{}]),
                    ("results", [{**RESULT, "frames": 1}]),
                    ("wire", 1),
                    ("wire", [1]),
                    ("seconds", "x"),
                    ("name", ["x"]),
                    ("name", None),
                    ("command", 1),
                    ("is_met", "yes"),
                )
            ),
        ):
            page = self.page(hostile, {})
            self.assertIn("1 of 2 experiments as expected", page, hostile[:50])
            self.assertIn("its verdict.json cannot be read", page, hostile[:50])
