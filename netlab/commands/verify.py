"""
C{netlab verify}.
"""

from __future__ import annotations

import argparse
import traceback
from collections.abc import Iterator, Sequence

from netlab.commands.outcome import STATUS_FAILED, Run, fold, show

SUMMARY = "Check captures against a reference exchange, and say what is missing."

#: Repeated from L{netlab.analysis.expectations.references}, so that --help need not import it; a
#: test compares.
EXCHANGE_NAMES = ("echo", "single_fin", "double_fin", "redirect", "notfound")


def add_options(parser: argparse.ArgumentParser) -> Run:
    """
    Describe the options.

    @return: what runs the subcommand.
    """
    parser.epilog = (
        "The exit status is 0 if every capture passes and 1 if one fails or cannot be read. Other "
        "traffic in a capture does not matter. See docs/verify.md for what is expected and why.\n\n"
        "Examples:\n"
        "    netlab verify capture.pcapng --exchange echo\n"
        "    netlab verify submissions/ --exchange double_fin --format csv > marks.csv"
    )
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        help="a pcap or pcapng file, packed with gzip or not; a folder stands for all captures in "
        "it; - is standard input",
    )
    parser.add_argument(
        "--exchange",
        required=True,
        choices=EXCHANGE_NAMES,
        metavar="NAME",
        help=f"what the captures should show: {', '.join(EXCHANGE_NAMES)}",
    )
    parser.add_argument(
        "--format",
        choices=("terminal", "csv", "json"),
        default="terminal",
        metavar="FORMAT",
        help="terminal, csv (a row for each capture) or json (default: %(default)s)",
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="in a terminal, show what is as expected too (always so for a single capture)",
    )

    def run(arguments: argparse.Namespace) -> int:
        return _verify(
            arguments.files,
            arguments.exchange,
            arguments.format,
            shows_all=arguments.all,
        )

    return run


def _verify(paths: Sequence[str], name: str, form: str, *, shows_all: bool) -> int:
    from twisted.python.usage import UsageError

    from netlab.analysis.expectations.references import EXCHANGES, verify
    from netlab.capture.faults import CaptureError
    from netlab.commands.captures import read_dialogues
    from netlab.commands.handins import BOUNDS, hand_ins
    from netlab.report.verification import Marked, as_csv, as_json, terminal

    if paths.count("-") > 1:
        raise UsageError("standard input can be read only once")
    exchange = EXCHANGES[name]
    files = list(hand_ins(paths))
    has_failed = False

    def marked() -> Iterator[Marked]:
        nonlocal has_failed
        for file in files:
            try:
                dialogues, notes = read_dialogues(file.path, bounds=BOUNDS, opened=file.open())
                one = Marked(file.path, verify(exchange, dialogues), notes=notes)
            except CaptureError as error:
                one = Marked(file.path, None, str(error))
            except Exception as error:  # noqa: BLE001, the others are judged all the same
                traceback.print_exc()
                why = f"a mistake of ours: {type(error).__name__}: {error}; please report it"
                one = Marked(file.path, None, why)
            has_failed = has_failed or one.verdict != "PASS"
            yield one

    # Line by line, so that a table of hundreds grows while one looks at it.
    match form:
        case "csv":
            lines = as_csv(marked(), exchange)
        case "json":
            lines = iter([as_json(marked(), exchange)])
        case _:
            lines = terminal(marked(), is_whole=shows_all or len(files) == 1)
    for line in lines:
        show(fold(line, hanging=6) if form == "terminal" else line)
    return STATUS_FAILED if has_failed else 0
