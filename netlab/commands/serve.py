"""
C{netlab serve}.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import sys

from netlab.commands.outcome import Run, show

SUMMARY = "Run the echo server and the HTTP server until Ctrl-C."


def add_options(parser: argparse.ArgumentParser) -> Run:
    """
    Describe the options.

    @return: what runs the subcommand.
    """
    parser.epilog = (
        "Requests are shown as they come. For all options of the servers, or one of them alone, "
        "see twistd netlab-echo --help and twistd netlab-http --help.\n\n"
        "Examples:\n"
        "    netlab serve\n"
        "    netlab serve --root public --http-port 8000"
    )
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

        from netlab.commands.serving import serve
        from netlab.options import tcp_port

        return serve(
            arguments.host,
            tcp_port("--echo-port")(arguments.echo_port),
            tcp_port("--http-port")(arguments.http_port),
            arguments.root,
            reactor=reactor,
            show=show,
            command=_called(),
        )

    return run


def _called() -> str:
    """
    Tell how to call this command again: by its name where the shell finds it, else by its path.
    """
    program = sys.argv[0]
    if os.path.basename(program) != "netlab":
        # Called by python -m: where its script is cannot be said.
        return "netlab"
    found = shutil.which("netlab")
    if found is not None and os.path.realpath(found) == os.path.realpath(program):
        return "netlab"
    near = os.path.relpath(program)
    if near.startswith(".."):
        near = os.path.abspath(program)
    return shlex.quote(near if os.sep in near else f"./{near}")
