"""
C{netlab explain}.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from netlab.commands.outcome import Run
from netlab.commands.reports import format_of

if TYPE_CHECKING:
    from netlab.analysis.claims.choice import Choice

_FORMATS = ("terminal", "html", "svg", "markdown", "json", "pcapng")

_SECONDS_MAX = 100 * 365 * 24 * 3600

SUMMARY = "Explain what happened in a capture, and why each number is right."


def add_options(parser: argparse.ArgumentParser) -> Run:
    """
    Describe the options.

    @return: what runs the subcommand.
    """
    parser.epilog = (
        "Hidden data is left out of a report altogether: --no-payload leaves out payloads "
        "and what is quoted from them; --anonymise also replaces every address by one from the "
        "ranges reserved for documentation. Ports and times stay.\n\n"
        "Examples:\n"
        "    netlab explain capture.pcapng\n"
        "    netlab explain capture.pcapng -o report.html\n"
        "    netlab explain --keylog keys.txt https.pcapng\n"
        "    netlab explain capture.pcapng --anonymise --format markdown > report.md\n"
        "    tcpdump -i lo -c 20 -w - port 8080 | netlab explain -"
    )
    parser.add_argument(
        "file",
        metavar="FILE",
        help="a pcap or pcapng file, packed with gzip or not; - is standard input",
    )
    parser.add_argument(
        "--conversation",
        metavar="N",
        help="explain only this conversation (from 0, as tcp.stream in Wireshark)",
    )
    parser.add_argument(
        "--host", metavar="ADDRESS", help="explain the conversations of this IPv4 or IPv6 address"
    )
    parser.add_argument("--port", metavar="N", help="explain the conversations of this port")
    parser.add_argument(
        "--from",
        dest="begin",
        metavar="SECONDS",
        help="explain conversations that are not over by then, and their frames from then on; "
        "seconds since the first frame, as reports show them",
    )
    parser.add_argument(
        "--to",
        dest="end",
        metavar="SECONDS",
        help="explain conversations that have begun by then, and their frames until then",
    )
    parser.add_argument(
        "--summary",
        action="store_true",
        help="explain conversations, not frames (as captures of more than 10000 frames are); "
        "of many, list them: the worst first, those without a fault counted",
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="explain each conversation of a large capture, whether or not something went wrong "
        "(at most 500)",
    )
    parser.add_argument(
        "--format",
        choices=_FORMATS,
        metavar="FORMAT",
        help="terminal, html, svg, markdown, json, or pcapng, the capture with comments (default: "
        "what the name after -o ends in, such as .html or .md; else terminal)",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="the file to write (default: standard output)"
    )
    parser.add_argument(
        "--keylog",
        metavar="FILE",
        help="decrypt TLS with the secrets in this file, as browsers, curl and netlab get write it "
        "(the format of SSLKEYLOGFILE)",
    )
    parser.add_argument("--no-payload", action="store_true", help="show no payload")
    parser.add_argument(
        "--anonymise", action="store_true", help="replace addresses, and show no payload"
    )

    def run(arguments: argparse.Namespace) -> int:
        import gc

        from netlab.commands.explaining import ExplainOptions, explain

        # A story makes many values, nearly all of which are needed to the end: to look through them
        # as often as is usual takes a tenth of the time. Less often still, and conversations that
        # are over would stay in memory.
        gc.set_threshold(5_000, 3, 5)
        return explain(
            ExplainOptions(
                arguments.file,
                arguments.format or format_of(arguments.output, _FORMATS),
                arguments.output,
                _choice(arguments),
                tells_frames=not arguments.summary,
                shows_payload=not arguments.no_payload,
                anonymises=arguments.anonymise,
                keylog=arguments.keylog,
                tells_all=arguments.all,
            )
        )

    return run


def _choice(arguments: argparse.Namespace) -> Choice:
    """
    Read what is to be explained.

    @raise UsageError: one of the options makes no sense.
    """
    from netlab.analysis.claims.choice import ALL, Choice

    given = (arguments.conversation, arguments.host, arguments.port, arguments.begin, arguments.end)
    if all(each is None for each in given):
        # What reads numbers knows of servers too, and takes longer to import than a small capture
        # takes to explain.
        return ALL
    from ipaddress import ip_address

    from twisted.python.usage import UsageError

    from netlab.options import count, seconds

    number, port, host = arguments.conversation, arguments.port, arguments.host

    def nanoseconds(option: str, text: str | None) -> int | None:
        if text is None:
            return None
        return round(seconds(option, at_least=0, at_most=_SECONDS_MAX)(text) * 1_000_000_000)

    begin, end = nanoseconds("--from", arguments.begin), nanoseconds("--to", arguments.end)
    if begin is not None and end is not None and begin > end:
        raise UsageError(f"--from {arguments.begin} is after --to {arguments.end}")
    if host is not None:
        try:
            host = ip_address(host).packed
        except ValueError:
            raise UsageError(
                f"--host {host!r} is not an address: give one such as 192.0.2.1 or 2001:db8::1"
            ) from None
    return Choice(
        None if number is None else count("--conversation")(number),
        host,
        None if port is None else count("--port", at_most=65535)(port),
        begin,
        end,
    )
