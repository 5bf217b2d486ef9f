"""
Tests for C{netlab explain --keylog}.
"""

from __future__ import annotations

import json

from tests.analysis.tls.played import Terms, http_exchange
from tests.commands.test_explaining import ExplainTestCase


class KeyLogTests(ExplainTestCase):
    """
    What the option opens, and what stays closed.
    """

    def setUp(self) -> None:
        """
        Have a capture with its key log.
        """
        super().setUp()
        played = http_exchange(Terms("1.2"))
        self.keys = str(self.folder / "keys.txt")
        (self.folder / "keys.txt").write_bytes(played.keylog_bytes)
        self.tls = str(self.folder / "tls.pcap")
        (self.folder / "tls.pcap").write_bytes(played.captured().close("c").pcap())

    def test_formats(self) -> None:
        """
        The request inside is in every format.
        """
        for form in ("terminal", "html", "svg", "markdown", "json", "pcapng"):
            output = self.folder / f"report-{form}"
            status = self.status(
                self.tls, "--keylog", self.keys, "--format", form, "-o", str(output)
            )
            self.assertEqual(status, 0, self.err.getvalue())
            self.assertIn(b"/secret", output.read_bytes(), form)

    def test_without(self) -> None:
        """
        Without the option, nothing of what is inside is in any format, and the host is.
        """
        for form in ("terminal", "html", "markdown", "json"):
            output = self.folder / f"report-{form}"
            status = self.status(self.tls, "--format", form, "-o", str(output))
            self.assertEqual(status, 0, self.err.getvalue())
            text = output.read_bytes()
            self.assertNotIn(b"/secret", text, form)
            self.assertIn(b"www.example.com", text, form)

    def test_no_payload(self) -> None:
        """
        With --no-payload neither target nor host is shown, key log or not.
        """
        for option in ("--no-payload", "--anonymise"):
            for form in ("terminal", "html", "svg", "markdown", "json", "pcapng"):
                output = self.folder / f"report-{form}"
                status = self.status(
                    self.tls, "--keylog", self.keys, option, "--format", form, "-o", str(output)
                )
                self.assertEqual(status, 0, self.err.getvalue())
                text = output.read_bytes()
                for word in (b"secret", b"example", b"hush"):
                    self.assertNotIn(word, text, (option, form))

    def test_claims(self) -> None:
        """
        JSON has the claims, with their figures.
        """
        output = self.folder / "report.json"
        self.assertEqual(self.status(self.tls, "--keylog", self.keys, "-o", str(output)), 0)
        document = json.loads(output.read_bytes())
        claims = {each["kind"]: each for each in document["conversations"][0]["claims"]}
        self.assertEqual(claims["tls.server-hello"]["figures"]["version"], "TLS 1.2")
        self.assertEqual(claims["tls.close-notify"]["known"], "seen")

    def test_faults(self) -> None:
        """
        A key log that is none ends the command with one line, before the capture is read.
        """
        self.assertEqual(self.status("missing.pcap", "--keylog", self.tls), 1)
        self.assertIn("holds no secret", self.err.getvalue())
        self.assertEqual(self.status("missing.pcap", "--keylog", "missing.txt"), 1)
        self.assertIn("cannot read the key log missing.txt", self.err.getvalue())
        self.assertEqual(len(self.err.getvalue().splitlines()), 2)
