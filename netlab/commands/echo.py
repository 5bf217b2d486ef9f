"""
C{netlab echo}.
"""

from __future__ import annotations

import argparse
import os

from netlab.commands.outcome import Run
from netlab.commands.surroundings import may_be_simulated, surroundings_of

SUMMARY = "Send messages to an echo server and print its answers."


def add_options(parser: argparse.ArgumentParser) -> Run:
    """
    Describe the options.

    @return: what runs the subcommand.
    """
    parser.epilog = (
        "By default netlab-echo reads and answers twice, at most 100 bytes each time, then closes: "
        "what goes beyond that is reported as closed early.\n\n"
        "Examples:\n"
        "    netlab echo localhost 12345 'hello there' 'and goodbye'\n"
        "    netlab echo localhost 12345 - < lines.txt"
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
        from twisted.python.usage import UsageError

        from netlab.echo.client import run_client
        from netlab.options import seconds, tcp_port

        surroundings = surroundings_of(arguments)
        if not arguments.host:
            raise UsageError("HOST '': names no host; write one such as localhost")
        run_client(
            arguments.host,
            tcp_port("PORT", at_least=1)(arguments.port),
            [os.fsencode(message) for message in arguments.messages],
            timeout=seconds("--timeout")(arguments.timeout),
            reactor=surroundings.own_reactor(),
            show=lambda answer: surroundings.show(f"Server sent:  {answer!r}"),
        )
        return 0

    may_be_simulated(parser, lambda arguments: "-" in arguments.messages)
    return run
