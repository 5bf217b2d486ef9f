"""
C{netlab explain}.
"""

from __future__ import annotations

import argparse

from netlab.commands.outcome import Run
from netlab.commands.reports import format_of

_FORMATS = ("terminal", "html", "svg", "markdown", "json", "pcapng")

SUMMARY = "Tell what happened in a capture, and why each number is right."


def add_options(parser: argparse.ArgumentParser) -> Run:
    """
    Describe the options.

    @return: what runs the subcommand.
    """
    parser.epilog = (
        "What a report may not show is left out of it altogether: --no-payload leaves out payloads "
        "and what is quoted from them; --anonymise moreover replaces every address by one from the "
        "ranges set aside for documentation. Ports and times stay.\n\n"
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
        "--conversation", metavar="N", help="explain this one alone (they are counted from 0)"
    )
    parser.add_argument(
        "--summary",
        action="store_true",
        help="tell the conversations and not each frame (captures of more than 10000 frames are "
        "told so but for their first 250)",
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
        help="open TLS with the secrets in this file, which browsers, curl and netlab get write "
        "(the format of SSLKEYLOGFILE)",
    )
    parser.add_argument("--no-payload", action="store_true", help="show nothing of any payload")
    parser.add_argument(
        "--anonymise", action="store_true", help="replace addresses, and show no payload"
    )

    def run(arguments: argparse.Namespace) -> int:
        from netlab.commands.explaining import ExplainOptions, explain

        number = arguments.conversation
        if number is not None:
            from netlab.options import count

            number = count("--conversation")(number)
        return explain(
            ExplainOptions(
                arguments.file,
                arguments.format or format_of(arguments.output, _FORMATS),
                arguments.output,
                number,
                tells_frames=not arguments.summary,
                shows_payload=not arguments.no_payload,
                anonymises=arguments.anonymise,
                keylog=arguments.keylog,
            )
        )

    return run
