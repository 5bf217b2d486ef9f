"""
C{netlab serve}.
"""

from __future__ import annotations

import argparse

from netlab.commands.outcome import Run, show

SUMMARY = "Run the echo server and the HTTP server until Ctrl-C."


def add_options(parser: argparse.ArgumentParser) -> Run:
    """
    Describe the options.

    @return: what runs the subcommand.
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
            show=show,
        )

    return run
