"""
Tests for L{netlab.analysis.expectations.expected_tls}.
"""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.expectations.expectations import Expectation, Shown, Who
from netlab.analysis.expectations.expected_tls import (
    agrees_on_tls,
    is_opened,
    says_close_notify,
)
from netlab.analysis.observations.dialogue import Dialogue
from netlab.lab.results.judgement import read_dialogues
from tests.analysis.tls.played import HOST, REQUEST, Played, Terms, begin, http_exchange
from tests.captures.talk import Talk


class TLSTests(SynchronousTestCase):
    """
    What is expected of TLS is met by what is so, and by nothing else.
    """

    def read(self, talk: Talk, played: Played | None = None) -> list[Dialogue]:
        """
        Read a capture, with the secrets of a connection or none.
        """
        path = Path(self.mktemp())
        path.write_bytes(talk.pcap())
        if played is None:
            return read_dialogues(path)[0]
        return read_dialogues(path, played.tools())[0]

    def check(self, expectation: Expectation, cast: list[Dialogue]) -> Shown:
        """
        Check one.
        """
        shown = expectation.check(cast)
        self.assertEqual(list(shown.frames), sorted(shown.frames))
        return shown

    def test_met(self) -> None:
        """
        A connection that OpenSSL made meets them.
        """
        played = http_exchange(Terms())
        cast = self.read(played.captured().close("c"), played)
        for expectation in (
            agrees_on_tls(0, 0x0304, HOST),
            is_opened(0),
            says_close_notify(0, Who.CLIENT),
            says_close_notify(0, Who.SERVER),
        ):
            shown = self.check(expectation, cast)
            self.assertTrue(shown.is_met, shown)
            self.assertTrue(shown.frames)

    def test_not_met(self) -> None:
        """
        Another version or host, no secrets, and a close without a word do not.
        """
        played = begin(Terms())
        played.say("c", REQUEST)
        opened = self.read(played.captured().close("c"), played)
        closed = self.read(played.captured().close("c"))
        for expectation, cast, detail in (
            (agrees_on_tls(0, 0x0303, HOST), opened, "TLS 1.3, "),
            (agrees_on_tls(0, 0x0304, b"other"), opened, "for www.example.com"),
            (is_opened(0), closed, "no key log was given"),
            (says_close_notify(0, Who.CLIENT), opened, "the client says no close_notify"),
            (says_close_notify(0, Who.CLIENT), closed, "the client says no close_notify"),
        ):
            shown = self.check(expectation, cast)
            self.assertFalse(shown.is_met, shown)
            self.assertIn(detail, shown.detail)

    def test_no_tls(self) -> None:
        """
        Of a connection without TLS, and of none at all, nothing is met.
        """
        plain = self.read(Talk().open().say("c", b"GET / HTTP/1.1\r\n\r\n"))
        for expectation in (
            agrees_on_tls(0, 0x0304, HOST),
            is_opened(0),
            says_close_notify(0, Who.SERVER),
        ):
            self.assertIn("not TLS", self.check(expectation, plain).detail)
            self.assertFalse(self.check(expectation, []).is_met)
