"""
C{netlab compare}.
"""

from __future__ import annotations

import argparse

from netlab.commands.outcome import Run, show

SUMMARY = "Compare two captures: of the same exchange at two places, or of two exchanges."


def add_options(parser: argparse.ArgumentParser) -> Run:
    """
    Describe the options.

    @return: what runs the subcommand.
    """
    parser.epilog = (
        "Where both captures hold the same conversation (the same initial sequence numbers), they "
        "are aligned, and it is told what was lost between them and where the time went: at the "
        "server, on the way, or at the client. Otherwise it is told in what the exchanges differ "
        "and why. See docs/compare.md."
    )
    parser.add_argument("first", metavar="A", help="a pcap or pcapng file; - is standard input")
    parser.add_argument("second", metavar="B", help="another one")
    parser.add_argument(
        "--format",
        choices=("terminal", "json"),
        default="terminal",
        metavar="FORMAT",
        help="terminal or json (default: %(default)s)",
    )

    def run(arguments: argparse.Namespace) -> int:
        return _compare((arguments.first, arguments.second), arguments.format)

    return run


def _compare(paths: tuple[str, str], form: str) -> int:
    from netlab.analysis.contrast import contrast
    from netlab.analysis.sides import Sightings, compare_sides, pair
    from netlab.commands.captures import analysed_segments
    from netlab.report.comparison import (
        contrasts_json,
        contrasts_terminal,
        sides_json,
        sides_terminal,
    )
    from netlab.report.verification import printable

    captures = []
    for path in paths:
        sightings = Sightings()
        for analysed in analysed_segments(path):
            sightings.receive(analysed)
        sightings.dialogues.finish()
        captures.append(sightings)
    first, second = captures
    pairs = pair(first, second)
    if pairs:
        sides = [compare_sides(first, second, both) for both in pairs]
        as_text, as_json = sides_terminal(paths, sides), sides_json(paths, sides)
    else:
        mine, other = (list(capture.dialogues.all.values()) for capture in captures)
        found = contrast(mine, other)
        as_text, as_json = contrasts_terminal(paths, found), contrasts_json(paths, found)
    if form == "json":
        show(as_json)
    else:
        for line in as_text:
            show(printable(line))
    return 0
