"""
The C{netlab} command: options to calls, nothing else.

A subcommand is one function below, named in L{_SUBCOMMANDS}. It describes its options to the parser
and returns a function that reads their values and calls what does the work. What does the work is
imported in there, so that no subcommand pays for another.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from netlab.errors import KnownError

#: What a shell reports for a program ended by Ctrl-C: 128 + SIGINT.
_STATUS_INTERRUPTED = 130
_STATUS_FAILED = 1
_STATUS_WRONG_USAGE = 2

_Run = Callable[[argparse.Namespace], int]


class _Parser(argparse.ArgumentParser):
    """
    An argument parser whose errors are one line, like all others of this command.
    """

    def error(self, message: str) -> NoReturn:
        """
        End with one line.
        """
        self.exit(_STATUS_WRONG_USAGE, f"{self.prog}: {message}; see {self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the command.

    @param arguments: The command line after the command's name; C{None} takes the process's own.
    @return: The exit status: 0 done, 1 failed, 2 wrong usage, 130 ended by Ctrl-C.
    """
    # Not at the top of the module: this is the one import that is slow, and --help can do without.
    from twisted.python.usage import UsageError

    parser = _parser()
    parsed = parser.parse_args(arguments)
    name = f"{parser.prog} {parsed.subcommand}"
    run: _Run = parsed.run
    try:
        status = run(parsed)
        sys.stdout.flush()
    except UsageError as error:
        return _say(_STATUS_WRONG_USAGE, f"{name}: {error}")
    except KnownError as error:
        return _say(_STATUS_FAILED, f"{name}: {error}")
    except BrokenPipeError:
        # Whoever read our output (head, a pager) has read enough. Python would try to flush the
        # rest at exit, and complain; so let it flush into nothing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _STATUS_FAILED
    except KeyboardInterrupt:
        return _STATUS_INTERRUPTED
    return status


def _parser() -> argparse.ArgumentParser:
    """
    Describe the command line.
    """
    parser = _Parser(
        prog="netlab",
        description="A network laboratory: serve, run, capture, explain and verify exchanges.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"netlab {_version()}")
    subparsers = parser.add_subparsers(
        title="subcommands", dest="subcommand", required=True, metavar="SUBCOMMAND"
    )
    for name, (summary, add_options) in _SUBCOMMANDS.items():
        subparser = subparsers.add_parser(
            name, help=summary, description=summary, allow_abbrev=False
        )
        subparser.set_defaults(run=add_options(subparser))
    return parser


def _echo(parser: argparse.ArgumentParser) -> _Run:
    """
    Describe C{netlab echo}.
    """
    parser.epilog = (
        "By default netlab-echo answers two messages of at most 100 bytes, then closes: a longer "
        "message, or a third one, is reported as closed early."
    )
    parser.add_argument("host", metavar="HOST", help="a host name, an IPv4 or an IPv6 address")
    parser.add_argument("port", metavar="PORT", help="a TCP port, such as 12345")
    parser.add_argument(
        "messages",
        metavar="MESSAGE",
        nargs="+",
        help="a message to send; - stands for the lines of standard input",
    )
    parser.add_argument(
        "--timeout",
        metavar="S",
        default="10",
        help="seconds that the connection, and each answer, may take (default: %(default)s)",
    )

    def run(arguments: argparse.Namespace) -> int:
        from twisted.internet import reactor

        from netlab.echo.client import run_client
        from netlab.options import seconds, tcp_port

        run_client(
            arguments.host,
            tcp_port("PORT", at_least=1)(arguments.port),
            [os.fsencode(message) for message in arguments.messages],
            timeout=seconds("--timeout")(arguments.timeout),
            reactor=reactor,
            show=lambda answer: print(f"Server sent:  {answer!r}", flush=True),
        )
        return 0

    return run


def _get(parser: argparse.ArgumentParser) -> _Run:
    """
    Describe C{netlab get}.
    """
    parser.usage = "%(prog)s [options] URL...\n       %(prog)s [options] HOST PORT < PATHS"
    parser.epilog = (
        "With a HOST and a PORT, the paths are the lines of standard input, asked for in the "
        "reference client's bytes. The content of a 200 is saved under the last part of its path "
        "(index.html for a path that ends in a slash); what comes with another status is thrown "
        "away. The exit status is 1 if any answer is missing or incomplete, or could not be saved."
    )
    parser.add_argument(
        "targets", metavar="URL", nargs="+", help="an http or https URL; or a HOST and a PORT"
    )
    parser.add_argument(
        "--output-dir",
        metavar="DIR",
        default=".",
        help="the folder to save in (default: the current one)",
    )
    parser.add_argument("--follow", action="store_true", help="follow redirects, at most 10")
    parser.add_argument(
        "--include", action="store_true", help="show whole heads, not only status lines"
    )
    parser.add_argument(
        "--close", action="store_true", help="ask for a connection to be closed after each answer"
    )
    parser.add_argument(
        "--pause",
        metavar="S",
        default="0",
        help="seconds to wait between an answer and the next request (default: %(default)s)",
    )
    parser.add_argument(
        "--timeout",
        metavar="S",
        default="30",
        help="seconds that a connection, and each head, may take, and for which the content may "
        "make no progress (default: %(default)s)",
    )

    def run(arguments: argparse.Namespace) -> int:
        from twisted.internet import reactor

        from netlab.http1.get import GetOptions, run_get
        from netlab.options import seconds

        options = GetOptions(
            output_dir=arguments.output_dir,
            follows=arguments.follow,
            includes_heads=arguments.include,
            closes=arguments.close,
            pause=seconds("--pause", at_least=0)(arguments.pause),
            timeout=seconds("--timeout")(arguments.timeout),
        )
        return run_get(
            arguments.targets,
            options,
            reactor=reactor,
            show=lambda line: print(line, flush=True),
            complain=lambda line: _say(_STATUS_FAILED, f"{parser.prog}: {line}"),
        )

    return run


def _serve(parser: argparse.ArgumentParser) -> _Run:
    """
    Describe C{netlab serve}.
    """
    parser.add_argument(
        "--host",
        metavar="ADDRESS",
        default="127.0.0.1",
        help="the address to listen on, such as 0.0.0.0 or ::1 (default: %(default)s)",
    )
    parser.add_argument(
        "--echo-port",
        metavar="PORT",
        default="12345",
        help="the echo server's port; 0 for any free one (default: %(default)s)",
    )
    parser.add_argument(
        "--http-port",
        metavar="PORT",
        default="8080",
        help="the HTTP server's port; 0 for any free one (default: %(default)s)",
    )
    parser.add_argument(
        "--root",
        metavar="DIR",
        help="the folder that the HTTP server serves (default: the demonstration pages)",
    )

    def run(arguments: argparse.Namespace) -> int:
        from twisted.internet import reactor

        from netlab.options import tcp_port
        from netlab.serve import serve

        return serve(
            arguments.host,
            tcp_port("--echo-port")(arguments.echo_port),
            tcp_port("--http-port")(arguments.http_port),
            arguments.root,
            reactor=reactor,
            show=lambda text: print(text, flush=True),
        )

    return run


#: Each subcommand: its name, what it does, and the function that describes its options.
_SUBCOMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], _Run]]] = {
    "serve": ("Run the echo server and the HTTP server until Ctrl-C.", _serve),
    "echo": ("Send messages to an echo server and print its answers.", _echo),
    "get": ("Ask an HTTP server for pages and save them.", _get),
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


def _say(status: int, line: str) -> int:
    """
    Write one line to standard error.

    @return: The status, for the caller to return in turn.
    """
    # An error may quote what came from outside: no control character of it reaches the terminal.
    print("".join(c if c.isprintable() else ascii(c)[1:-1] for c in line), file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
