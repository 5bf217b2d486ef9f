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
from netlab.plaintext import plain

#: What a shell reports for a program ended by Ctrl-C: 128 + SIGINT.
STATUS_INTERRUPTED: Final = 130
STATUS_FAILED: Final = 1
STATUS_WRONG_USAGE: Final = 2

_COLUMNS_MIN: Final = 40
"""A terminal that says that it is narrower does not know."""

#: Ends of lines, and what separates their columns and words.
LAYOUT: Final = "\n\t" + chr(0xA0)

Run: TypeAlias = Callable[[argparse.Namespace], int]
"""What runs a subcommand: it reads the options' values and returns the exit status."""


class OutputError(KnownError):
    """
    Standard output takes no more: the disk is full, say.
    """


def show(text: str) -> None:
    """
    Write to standard output, and see to it that it has arrived there.

    @param text: One or more lines, without the last one's end. It may quote what came from
        outside: no control character of it reaches the terminal.
    @raise OutputError: It cannot be written.
    @raise BrokenPipeError: Nobody reads it any more.
    """
    with _output():
        print(plain(text, LAYOUT), flush=True)


def fold(line: str, hanging: int = 4) -> str:
    """
    Break a line between words where a terminal would break it within one. Where nobody looks at a
    terminal the line stays one, as programs want it.

    @param line: Its spaces at the beginning are those of all its lines.
    @param hanging: How many spaces more than the first the further ones have.
    """
    columns = columns_of_terminal()
    if not columns or len(line) <= columns:
        return line
    import textwrap

    indent = len(line) - len(line.lstrip(" ")) + hanging
    return textwrap.fill(
        line,
        columns,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def columns_of_terminal() -> int:
    """
    Tell how wide the terminal is on which output is shown, in columns; 0 if it goes elsewhere.
    """
    if not sys.stdout.isatty():
        return 0
    import shutil

    return max(shutil.get_terminal_size().columns, _COLUMNS_MIN)


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
    print(plain(line), file=sys.stderr)
    return status
