"""
How a subcommand ends: its exit status and what it says to a terminal.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Final, TypeAlias

#: What a shell reports for a program ended by Ctrl-C: 128 + SIGINT.
STATUS_INTERRUPTED: Final = 130
STATUS_FAILED: Final = 1
STATUS_WRONG_USAGE: Final = 2

Run: TypeAlias = Callable[[argparse.Namespace], int]
"""What runs a subcommand: it reads the options' values and returns the exit status."""


def say(status: int, line: str) -> int:
    """
    Write one line to standard error.

    @return: The status, for the caller to return in turn.
    """
    # An error may quote what came from outside: no control character of it reaches the terminal.
    print("".join(c if c.isprintable() else ascii(c)[1:-1] for c in line), file=sys.stderr)
    return status
