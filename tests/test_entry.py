"""
Tests for L{netlab.entry}: Ctrl-C before the command is there.
"""

from __future__ import annotations

import signal
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from netlab import cli

#: What a terminal does to a process when Ctrl-C is pressed.
_PRESS = "import os, signal; os.kill(os.getpid(), signal.SIGINT)"
_PATIENCE_SECONDS = 60.0


class InterruptTests(SynchronousTestCase):
    """
    Ctrl-C at any time.
    """

    def run_python(self, code: str) -> tuple[int, str]:
        """
        Run a program.

        @return: its status and what it wrote to standard error.
        """
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
        return done.returncode, done.stderr

    def test_while_it_is_read(self) -> None:
        """
        Until all of the command is there it ends the process, without a traceback.
        """
        self.assertEqual(
            self.run_python(f"import netlab.entry; {_PRESS}; print('still here')"),
            (-signal.SIGINT, ""),
        )

    def test_at_once(self) -> None:
        """
        So it does in the command itself, wherever that is.
        """
        code = f"""
import sys
from netlab import cli, entry
def main(): {_PRESS}; return 0
cli.main = main
sys.exit(entry.main())
"""
        self.assertEqual(self.run_python(code), (128 + signal.SIGINT, ""))

    def test_ignored(self) -> None:
        """
        A shell that has put the command into the background wants it ignored.
        """
        ignoring = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
        self.assertEqual(self.run_python(f"{ignoring}; import netlab.entry; {_PRESS}"), (0, ""))

    def test_status(self) -> None:
        """
        The status is that of the command.
        """
        self.addCleanup(signal.signal, signal.SIGINT, signal.getsignal(signal.SIGINT))
        # Here: that alone changes what Ctrl-C does.
        from netlab import entry

        self.patch(cli, "main", lambda: 7)
        self.assertEqual(entry.main(), 7)
