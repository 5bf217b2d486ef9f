"""
Run trial with the given arguments, and fail when a test was skipped.

Trial has no option for that: it lists the skips, with their reasons, and calls the run a success.
"""

from __future__ import annotations

import sys
from pathlib import Path

from twisted.scripts.trial import run
from twisted.trial.reporter import TestResult

was_successful = TestResult.wasSuccessful
TestResult.wasSuccessful = lambda result: was_successful(result) and not result.skips

# As under the trial command, tests are found from the current directory, not from this file's.
sys.path[0] = str(Path.cwd())
run()
