"""
C{netlab get}.
"""

from __future__ import annotations

import argparse

from netlab.commands.outcome import Run
from netlab.commands.surroundings import may_be_simulated, surroundings_of

SUMMARY = "Fetch pages from an HTTP server and save them."


def add_options(parser: argparse.ArgumentParser) -> Run:
    """
    Describe the options.

    @return: what runs the subcommand.
    """
    parser.usage = "%(prog)s [options] URL...\n       %(prog)s [options] HOST PORT < PATHS"
    parser.epilog = (
        "With a HOST and a PORT, the paths are the lines of standard input, requested in the "
        "reference client's bytes. The content of a 200 is saved under the last part of its path "
        "(index.html for a path that ends in a slash); content with another status is "
        "discarded. The exit status is 1 if any answer is missing or incomplete, or could not be "
        "saved.\n\n"
        "Examples:\n"
        "    netlab get http://localhost:8080/\n"
        "    netlab get --follow --include http://localhost:8080/redirect\n"
        "    printf '/\\n/\\n' | netlab get --pause 2 localhost 8080"
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
        "--keylog",
        metavar="FILE",
        help="append the secrets of https connections to this file, so that netlab explain "
        "--keylog can decrypt a capture of them",
    )
    parser.add_argument(
        "--timeout",
        metavar="S",
        default="30",
        help="seconds that connecting, and each head, may take, and for which the content may make "
        "no progress (default: %(default)s)",
    )
    parser.add_argument(
        "--max-time",
        metavar="S",
        help="seconds that one URL or path may take in all, redirects and content included "
        "(default: no limit, as long as there is progress)",
    )

    def run(arguments: argparse.Namespace) -> int:
        from netlab.http1.client.get import GetOptions, run_get
        from netlab.options import seconds

        options = GetOptions(
            output_dir=arguments.output_dir,
            follows=arguments.follow,
            includes_heads=arguments.include,
            closes=arguments.close,
            pause=seconds("--pause", at_least=0)(arguments.pause),
            timeout=seconds("--timeout")(arguments.timeout),
            keylog=arguments.keylog,
            max_time=(
                None if arguments.max_time is None else seconds("--max-time")(arguments.max_time)
            ),
        )
        surroundings = surroundings_of(arguments)
        return run_get(
            arguments.targets,
            options,
            reactor=surroundings.own_reactor(),
            show=surroundings.show,
            complain=lambda line: surroundings.complain(f"{parser.prog}: {line}"),
        )

    may_be_simulated(parser, lambda arguments: "://" not in arguments.targets[0])
    return run
