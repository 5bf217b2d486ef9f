"""
The C{netlab} command: options to calls, nothing else. Each subcommand is a module of
L{netlab.commands}.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from netlab.commands import compare, echo, explain, get, lab, serve, verify
from netlab.commands.outcome import (
    LAYOUT,
    STATUS_FAILED,
    STATUS_INTERRUPTED,
    STATUS_WRONG_USAGE,
    OutputError,
    Run,
    flush,
    say,
)
from netlab.commands.surroundings import ProgramSurroundings
from netlab.errors import KnownError
from netlab.plaintext import plain


class _Formatter(argparse.HelpFormatter):
    """
    Fills the paragraphs of a text, and leaves blocks alone: those whose lines are indented.
    """

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n\n".join(
            block if "\n    " in block else super(_Formatter, self)._fill_text(block, width, indent)
            for block in text.split("\n\n")
        )


class _Parser(argparse.ArgumentParser):
    """
    An argument parser whose errors are one line, like all others of this command.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(formatter_class=_Formatter, **settings)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """
        Refuse what nobody asked for where it stands: argparse would leave it to the whole command,
        whose help does not have the subcommand's options.
        """
        parsed, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return parsed, unknown

    def error(self, message: str) -> NoReturn:
        """
        End with one line.
        """
        self.exit(STATUS_WRONG_USAGE, f"{self.prog}: {message}; see {self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the command.

    @param arguments: The command line after the command's name; C{None} takes the process's own.
    @return: The exit status: 0 done, 1 failed, 2 wrong usage, 130 ended by Ctrl-C.
    """
    _fill_closed_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What is shown comes from outside: a letter that the terminal cannot show is no failure.
        sys.stdout.reconfigure(errors="backslashreplace")
    parser = _parser()
    parsed = parser.parse_args(arguments)
    if parsed.subcommand is None:
        parser.error(f"say what to do: {', '.join(_SUBCOMMANDS)}")
    name = f"{parser.prog} {parsed.subcommand}"
    run: Run = parsed.run
    try:
        status = run(parsed)
        flush()
    except _usage_error() as error:
        return say(STATUS_WRONG_USAGE, f"{name}: {error}")
    except OutputError as error:
        _abandon_output()
        return say(STATUS_FAILED, f"{name}: {error}")
    except KnownError as error:
        return say(STATUS_FAILED, f"{name}: {error}")
    except BrokenPipeError:
        # The reader of our output (head, a pager) has read enough.
        _abandon_output()
        return STATUS_FAILED
    except KeyboardInterrupt:
        return STATUS_INTERRUPTED
    return status


def simulate(
    words: Sequence[str],
    reactor: Any,
    show: Callable[[str], object],
    complain: Callable[[str], object],
) -> int:
    """
    Run the command as a program of a simulated host.

    @param words: The command line after the command's name.
    @param reactor: The program's own, which is run.
    @param show: Is called with each line of output, without an end.
    @param complain: Likewise with each line about a failure.
    @return: The exit status.
    """

    class _SimulatedParser(_Parser):
        """
        Its help and its errors are the output of a simulated program.
        """

        def _print_message(self, message: str, file: Any = None) -> None:
            complain(message.rstrip("\n"))

    parser = _parser(_SimulatedParser)
    try:
        parsed = parser.parse_args(words)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else STATUS_WRONG_USAGE
    name = f"{parser.prog} {parsed.subcommand}"
    reads_input = getattr(parsed, "reads_input", None)
    if reads_input is None:
        complain(f"{name} cannot be simulated; run it with --isolation root or user")
        return STATUS_FAILED
    if reads_input(parsed):
        complain(f"{name}: its standard input cannot be simulated; name what it would read")
        return STATUS_FAILED
    parsed.surroundings = ProgramSurroundings(
        reactor, lambda line: show(plain(line, LAYOUT)), complain
    )
    run: Run = parsed.run
    try:
        return run(parsed)
    except _usage_error() as error:
        complain(f"{name}: {error}")
        return STATUS_WRONG_USAGE
    except KnownError as error:
        complain(f"{name}: {plain(str(error))}")
        return STATUS_FAILED
    except KeyboardInterrupt:
        return STATUS_INTERRUPTED


def _usage_error() -> type[Exception]:
    """
    Give the error that stands for wrong usage, when there is an error to compare with it: the
    import takes longer than many a command, and more memory.
    """
    from twisted.python.usage import UsageError

    return UsageError


def _fill_closed_streams() -> None:
    """
    Where a standard stream is closed, let its output go nowhere.

    Python has None in its place. And its number would go to the next file or connection that is
    opened, which then gets what a library prints.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            # For as long as the process lives.
            nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
            setattr(sys, name, nowhere)


def _abandon_output() -> None:
    """
    Let what Python still holds of our output, and would flush at exit with a complaint, go nowhere.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser(make: type[_Parser] = _Parser) -> argparse.ArgumentParser:
    """
    Describe the command line.

    @param make: Makes the parsers, of the command and of its subcommands.
    """
    parser = make(
        prog="netlab",
        description="A network laboratory: serve, run, capture, explain and verify exchanges.",
        epilog=_EPILOG,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"netlab {_version()}")
    subparsers = parser.add_subparsers(title="subcommands", dest="subcommand", metavar="SUBCOMMAND")
    for name, (summary, add_options) in _SUBCOMMANDS.items():
        subparser = subparsers.add_parser(
            name, help=summary, description=summary, allow_abbrev=False
        )
        subparser.set_defaults(run=add_options(subparser))
    return parser


_EPILOG = (
    "See netlab SUBCOMMAND --help for more. The exit status is 0 if all is well, 1 if something "
    "failed or is not as expected, 2 if the command line makes no sense, and 130 after Ctrl-C. "
    "twistd --help lists the servers with all their options.\n\n"
    "Examples:\n"
    "    netlab serve\n"
    "    netlab lab run echo\n"
    "    netlab explain capture.pcapng"
)

#: Each subcommand: its name, what it does, and the function that describes its options.
_SUBCOMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], Run]]] = {
    "serve": (serve.SUMMARY, serve.add_options),
    "echo": (echo.SUMMARY, echo.add_options),
    "get": (get.SUMMARY, get.add_options),
    "lab": (lab.SUMMARY, lab.add_options),
    "explain": (explain.SUMMARY, explain.add_options),
    "compare": (compare.SUMMARY, compare.add_options),
    "verify": (verify.SUMMARY, verify.add_options),
}


def _version() -> str:
    """
    Tell the version of the installed package.
    """
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("netlab")
    except PackageNotFoundError:
        return "(not installed)"


if __name__ == "__main__":
    sys.exit(main())
