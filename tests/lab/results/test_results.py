"""
Tests for L{netlab.lab.results.results}. What whole runs leave behind is met in tests/live.
"""

from __future__ import annotations

import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netlab.lab.api.sides import Side
from netlab.lab.results.catalogue import load
from netlab.lab.results.results import write_reports
from netlab.lab.wire.places import capture_path
from tests.captures.frames import LINK_ETHERNET, pcap_file
from tests.captures.reference import exchange


class ReportsTests(SynchronousTestCase):
    """
    The reports of a run.
    """

    def write(self, client: bytes, server: bytes) -> Path:
        """
        Write the reports of a run of C{echo} that has left such captures.
        """
        folder = Path(self.mktemp()) / "echo"
        folder.mkdir(parents=True)
        capture_path(folder, Side.CLIENT).write_bytes(client)
        capture_path(folder, Side.SERVER).write_bytes(server)
        write_reports(load("echo"), folder)
        return folder

    def links(self, page: Path) -> list[str]:
        """
        List where a report's links lead that leave it.
        """
        return re.findall(r'<a href="([^#"][^"]*)"', page.read_text(encoding="utf-8"))

    def test_they_lead_to_each_other(self) -> None:
        """
        Each end's report has a link to the other's, and to its experiment on the page over all.
        """
        echo = exchange("echo").pcap()
        folder = self.write(echo, echo)
        index = "../index.html#echo"
        self.assertEqual(self.links(folder / "report.html"), [index, "report-server.html"])
        self.assertEqual(self.links(folder / "report-server.html"), [index, "report.html"])
        self.assertTrue((folder / "report-server.html").is_file())

    def test_silence(self) -> None:
        """
        An end that saw nothing has no report, and the other's has no link to one.
        """
        folder = self.write(exchange("echo").pcap(), pcap_file(LINK_ETHERNET, []))
        self.assertEqual(self.links(folder / "report.html"), ["../index.html#echo"])
        self.assertFalse((folder / "report-server.html").exists())
