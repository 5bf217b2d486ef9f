"""
Tests that L{netlab.lab.results.judgement} opens TLS.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from twisted.trial.unittest import SynchronousTestCase

from netlab.analysis.tls.keylog import KeyLog, parse_keylog
from netlab.lab.experiments.https import EXPERIMENT
from netlab.lab.results.judgement import judge_capture
from tests.analysis.tls.played import Played, Terms, http_exchange


class SecretsTests(SynchronousTestCase):
    """
    The experiment https, judged by a capture that others made.
    """

    def _unmet(self, path: Path, keylog: KeyLog | None = None) -> set[str]:
        results = judge_capture(EXPERIMENT, path, None, keylog)
        return {each.expectation.name for each in results if not each.shown.is_met}

    def _capture(self) -> tuple[Path, Played]:
        played = http_exchange(Terms())
        path = Path(self.mktemp())
        path.write_bytes(played.captured().close("c").pcap())
        return path, played

    def test_keylog(self) -> None:
        """
        With a key log all is met but the host's name, which is another; without one, nothing that
        is inside.
        """
        path, played = self._capture()
        self.assertEqual(self._unmet(path, parse_keylog(played.keylog_bytes)), {"agrees-on-tls"})
        self.assertLessEqual({"is-opened", "exchanges", "statuses"}, self._unmet(path))

    @pytest.mark.skipif(shutil.which("editcap") is None, reason="editcap is not installed")
    def test_injected(self) -> None:
        """
        Secrets in the capture itself do as well.
        """
        path, played = self._capture()
        keys, injected = Path(self.mktemp()), Path(self.mktemp())
        keys.write_bytes(played.keylog_bytes)
        subprocess.run(
            ["editcap", "--inject-secrets", f"tls,{keys}", str(path), str(injected)],
            check=True,
            timeout=60,
        )
        self.assertEqual(self._unmet(injected), {"agrees-on-tls"})
