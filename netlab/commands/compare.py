"""
C{netlab compare}.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from netlab.commands.outcome import Run, fold, show
from netlab.commands.reports import format_of, refuse_capture, written

_FORMATS = ("terminal", "html", "markdown", "json")

SUMMARY = "Compare two captures: of the same exchange at two places, or of two exchanges."


def add_options(parser: argparse.ArgumentParser) -> Run:
    """
    Describe the options.

    @return: what runs the subcommand.
    """
    parser.epilog = (
        "Where both captures hold the same conversation (the same initial sequence numbers, and "
        "nothing that contradicts it), they are aligned, and the report says what was lost "
        "between them and where the time went: at the server, on the way, or at the client. "
        "Otherwise it says how the exchanges differ and why, and how long each took. See "
        "docs/compare.md.\n\n"
        "Examples:\n"
        "    netlab compare client.pcapng server.pcapng\n"
        "    netlab compare before.pcapng after.pcapng -o compared.html"
    )
    parser.add_argument(
        "first",
        metavar="A",
        help="a pcap or pcapng file, packed with gzip or not; - is standard input",
    )
    parser.add_argument("second", metavar="B", help="another one")
    parser.add_argument(
        "--format",
        choices=_FORMATS,
        metavar="FORMAT",
        help="terminal, html, markdown or json (default: what the name after -o ends in, such as "
        ".html or .md; else terminal)",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="the file to write (default: standard output)"
    )

    def run(arguments: argparse.Namespace) -> int:
        paths = arguments.first, arguments.second
        form = arguments.format or format_of(arguments.output, _FORMATS)
        refuse_capture(arguments.output, *paths)
        lines = _compare(paths, form)
        if arguments.output is None:
            for line in lines:
                show(fold(line) if form == "terminal" else line)
            return 0
        # Captures that cannot be read leave no file behind.
        with written(arguments.output) as file:
            file.writelines(f"{line}\n".encode("utf-8", "backslashreplace") for line in lines)
        return 0

    return run


def _compare(paths: tuple[str, str], form: str) -> Iterator[str]:
    """
    Compare, and give the lines of the report, or all of it as one.
    """
    from twisted.python.usage import UsageError

    from netlab.analysis.comparison.contrast import contrast, lapses
    from netlab.analysis.comparison.pairing import pair
    from netlab.analysis.comparison.sides import compare_sides
    from netlab.analysis.comparison.sightings import Sightings
    from netlab.report import comparison
    from netlab.report.reading import read_segments
    from netlab.report.verification import printable

    if paths == ("-", "-"):
        raise UsageError("A and B cannot both be standard input")
    captures = []
    for path in paths:
        sightings = Sightings()
        for analysed in read_segments(path):
            sightings.receive(analysed)
        sightings.dialogues.finish()
        captures.append(sightings)
    first, second = captures
    pairs = pair(first, second)
    if pairs:
        sides = [compare_sides(first, second, both) for both in pairs]
        as_json = comparison.sides_json(paths, sides)
        if form == "html":
            from netlab.report import comparisonpage

            yield comparisonpage.sides_page(paths, sides)
            return
        as_markdown = comparison.sides_markdown(paths, sides)
        as_text = comparison.sides_terminal(paths, sides)
    else:
        mine, other = (list(capture.dialogues.all.values()) for capture in captures)
        found, times = contrast(mine, other), lapses(mine, other)
        as_json = comparison.contrasts_json(paths, found, times)
        if form == "html":
            from netlab.report import comparisonpage

            yield comparisonpage.contrasts_page(paths, found, times)
            return
        as_markdown = comparison.contrasts_markdown(paths, found, times)
        as_text = comparison.contrasts_terminal(paths, found, times)
    if form == "json":
        yield as_json
        return
    for line in as_markdown if form == "markdown" else as_text:
        yield printable(line)
