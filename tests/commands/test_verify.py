"""
Tests for L{netlab.commands.verify}.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
from pathlib import Path

from netlab.analysis.expectations.references import EXCHANGES
from netlab.commands.verify import EXCHANGE_NAMES
from tests.captures.frames import LINK_ETHERNET, pcap_file
from tests.captures.reference import NAMES, exchange
from tests.test_cli import CommandTestCase


class VerifyTests(CommandTestCase):
    """
    C{netlab verify} on files.
    """

    def _folder(self) -> Path:
        folder = Path(self.mktemp())
        folder.mkdir()
        for name in NAMES:
            (folder / f"{name}.pcap").write_bytes(exchange(name).pcap())
        return folder

    def test_names(self) -> None:
        """
        The names on the command line are those of the exchanges, and of the reference captures.
        """
        self.assertEqual(EXCHANGE_NAMES, tuple(EXCHANGES))
        self.assertEqual(set(EXCHANGE_NAMES), set(NAMES))

    def test_each_reference(self) -> None:
        """
        Each reference capture passes as itself, and as nothing else.
        """
        folder = self._folder()
        for name in NAMES:
            path = str(folder / f"{name}.pcap")
            passing = [
                other for other in NAMES if self.status("verify", path, "--exchange", other) == 0
            ]
            self.assertEqual(passing, [name])
        self.assertEqual(self.err.getvalue(), "")

    def test_folder(self) -> None:
        """
        A folder stands for its captures; one that fails makes the status 1.
        """
        folder = self._folder()
        (folder / "notes.txt").write_text("not a capture", encoding="ascii")
        self.assertEqual(self.status("verify", str(folder), "--exchange", "echo"), 1)
        lines = self.out.getvalue().splitlines()
        self.assertEqual(lines[-1], "5 captures: 1 PASS, 4 FAIL")
        self.assertIn(f"PASS  {folder}/echo.pcap: echo, 5 of 5 as expected, conversation 0", lines)

    def test_folder_without_captures(self) -> None:
        """
        A folder without a capture is one line and status 1.
        """
        folder = self.mktemp()
        Path(folder).mkdir()
        self.assertEqual(self.status("verify", folder, "--exchange", "echo"), 1)
        self.assertRegex(self.err.getvalue(), r"\Anetlab verify: .*no capture in this folder.*\n\Z")

    def test_packed(self) -> None:
        """
        A capture may be packed with gzip.
        """
        path = Path(self.mktemp())
        path.write_bytes(gzip.compress(exchange("echo").pcap()))
        self.assertEqual(self.status("verify", str(path), "--exchange", "echo"), 0)

    def test_unreadable(self) -> None:
        """
        What cannot be read is one line of the table, and the others are judged all the same.
        """
        folder = self._folder()
        text = folder / "text.pcap"
        text.write_text("not a capture", encoding="ascii")
        paths = [str(text), str(folder / "missing.pcap"), str(folder / "echo.pcap")]
        self.assertEqual(self.status("verify", *paths, "--exchange", "echo"), 1)
        lines = self.out.getvalue().splitlines()
        self.assertRegex(lines[0], r"ERROR .*text\.pcap.* neither pcap nor pcapng")
        self.assertRegex(lines[1], r"ERROR .*missing\.pcap.* No such file")
        self.assertEqual(lines[-1], "3 captures: 1 PASS, 2 ERROR")

    def test_csv(self) -> None:
        """
        C{--format csv} is a table with a row for each capture.
        """
        folder = self._folder()
        status = self.status("verify", str(folder), "--exchange", "redirect", "--format", "csv")
        rows = list(csv.DictReader(io.StringIO(self.out.getvalue())))
        self.assertEqual(status, 1)
        self.assertEqual(
            {Path(row["file"]).stem: row["verdict"] for row in rows},
            {name: "PASS" if name == "redirect" else "FAIL" for name in NAMES},
        )

    def test_json(self) -> None:
        """
        C{--format json} is one document.
        """
        folder = self._folder()
        path = str(folder / "double_fin.pcap")
        status = self.status("verify", path, "--exchange", "double_fin", "--format", "json")
        (capture,) = json.loads(self.out.getvalue())["captures"]
        self.assertEqual((status, capture["verdict"]), (0, "PASS"))
        self.assertEqual([one["stream"] for one in capture["conversations"]], [0, 1])
        frames = {one["name"]: one["frames"] for one in capture["expectations"]}
        self.assertEqual(frames["server-closes-idle"], [8])
        self.assertEqual(frames["second-client-closes-first"], [19])

    def test_among_other_traffic(self) -> None:
        """
        All references in one file, a frame of each in turn, still pass each for itself.
        """
        exchanges = [exchange(name) for name in NAMES if name != "echo"]
        frames = sorted(
            (time_ns, frame)
            for one in exchanges
            for time_ns, frame in zip(one.times_ns, one.frames, strict=True)
        )
        path = Path(self.mktemp())
        path.write_bytes(pcap_file(exchanges[0].link_type, frames))
        for one in exchanges:
            self.assertEqual(
                self.status("verify", str(path), "--exchange", one.name), 0, self.out.getvalue()
            )

    def test_cut_short(self) -> None:
        """
        A capture that ends before the close fails by name, and the cut is noted.
        """
        whole = exchange("echo").pcap()
        path = Path(self.mktemp())
        path.write_bytes(whole[: len(whole) - 250])
        self.assertEqual(self.status("verify", str(path), "--exchange", "echo"), 1)
        lines = self.out.getvalue().splitlines()
        self.assertEqual(
            [line.split()[1] for line in lines if line.strip().startswith("FAIL  ")][1:],
            ["both-close:"],
        )
        self.assertRegex(lines[-1], r"\A    note  ")

    def test_empty(self) -> None:
        """
        A capture without a frame fails, and says that the connection is missing.
        """
        path = Path(self.mktemp())
        path.write_bytes(pcap_file(LINK_ETHERNET, []))
        self.assertEqual(self.status("verify", str(path), "--exchange", "echo"), 1)
        self.assertIn("no conversation", self.out.getvalue())

    def test_standard_input(self) -> None:
        """
        A dash is standard input.
        """
        stream = io.TextIOWrapper(io.BytesIO(exchange("echo").pcap()))
        self.patch(sys, "stdin", stream)
        self.assertEqual(self.status("verify", "-", "--exchange", "echo"), 0)

    def test_usage(self) -> None:
        """
        An unknown exchange, and standard input twice, are one line and status 2.
        """
        self.assertEqual(self.status("verify", "a", "--exchange", "other"), 2)
        self.assertEqual(self.status("verify", "-", "-", "--exchange", "echo"), 2)
        self.assertEqual(self.err.getvalue().count("\n"), 2)
