"""
How a subcommand ends: its exit status and what it says to a terminal.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final, TypeAlias

from netlab.errors import KnownError

#: What a shell reports for a program ended by Ctrl-C: 128 + SIGINT.
STATUS_INTERRUPTED: Final = 130
STATUS_FAILED: Final = 1
STATUS_WRONG_USAGE: Final = 2

Run: TypeAlias = Callable[[argparse.Namespace], int]
"""What runs a subcommand: it reads the options' values and returns the exit status."""


class OutputError(KnownError):
    """
    Standard output takes no more: the disk is full, say.
    """


def show(text: str) -> None:
    """
    Write to standard output, and see to it that it has arrived there.

    @param text: One or more lines, without the last one's end.
    @raise OutputError: It cannot be written.
    @raise BrokenPipeError: Nobody reads it any more.
    """
    with _output():
        print(text, flush=True)


def flush() -> None:
    """
    See to it that all that was printed has arrived; the errors are those of L{show}.
    """
    with _output():
        sys.stdout.flush()


@contextmanager
def _output() -> Generator[None, None, None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"cannot write to standard output: {error.strerror}") from error


def say(status: int, line: str) -> int:
    """
    Write one line to standard error.

    @return: The status, for the caller to return in turn.
    """
    # An error may quote what came from outside: no control character of it reaches the terminal.
    print("".join(c if c.isprintable() else ascii(c)[1:-1] for c in line), file=sys.stderr)
    return status
