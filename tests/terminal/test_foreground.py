"""
Tests for L{netlab.terminal.foreground}: how a program ends, whatever it waits for.
"""

from __future__ import annotations

import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

#: A name server that never answers, seen from inside.
_SILENT_NAMES = """
import socket, sys, threading
from netlab import cli
socket.getaddrinfo = lambda *arguments, **others: threading.Event().wait()
import twisted.internet._resolver as resolver
resolver.GAIResolver.__init__.__defaults__ = (None, socket.getaddrinfo)
sys.exit(cli.main(["get", "--max-time", "0.1", "http://silent.example/x"]))
"""

#: Far longer than it takes on a busy machine.
_PATIENCE_SECONDS = 60.0


class NameServerTests(SynchronousTestCase):
    """
    A name server that keeps a lookup waiting.
    """

    def test_ends(self) -> None:
        """
        C{--max-time} ends the program, and not the lookup.
        """
        ended = subprocess.run(
            [sys.executable, "-c", _SILENT_NAMES],
            capture_output=True,
            text=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
        self.assertEqual(1, ended.returncode, ended.stderr)
        self.assertEqual(
            "netlab get: http://silent.example/x: not done within 0.1 seconds; nothing was saved\n",
            ended.stderr,
        )
