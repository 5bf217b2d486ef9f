"""
Verdicts about many captures as a table for people, as CSV for a spreadsheet, as JSON for programs.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from netlab.analysis.expectations.expectations import NO_CONNECTION, Result
from netlab.analysis.expectations.references import NamedExchange, Verification
from netlab.analysis.observations.dialogue import Dialogue

#: The version of the JSON format; it grows when a key changes its meaning or goes.
JSON_VERSION: Final = 1

_FRAMES_SHOWN_MAX: Final = 8
_FORMULA: Final = re.compile(r"(^|;[ \"']*+)(?=[=+\-@])")


@dataclass(frozen=True, slots=True)
class Marked:
    """
    A capture with its verdict.

    @ivar file: its name as it was given.
    @ivar verification: what was found; C{None} where it could not be read.
    @ivar error: why it could not be read, in one sentence; empty where it could.
    @ivar notes: what else a teacher should know, a sentence each.
    """

    file: str
    verification: Verification | None
    error: str = ""
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """
        PASS, FAIL or ERROR.
        """
        if self.verification is None:
            return "ERROR"
        return "PASS" if self.verification.is_met else "FAIL"


def terminal(marked: Iterable[Marked], *, is_whole: bool) -> Iterator[str]:
    """
    Write verdicts for people.

    @param marked: the captures.
    @param is_whole: whether to show what is as expected too.
    @return: lines without line ends, as soon as each capture has been judged.
    """
    counts = {"PASS": 0, "FAIL": 0, "ERROR": 0}
    for one in marked:
        counts[one.verdict] += 1
        yield _headline(one)
        if one.verification is not None:
            shown = one.verification.results if is_whole else one.verification.failures
            yield from (f"    {line}" for line in _lines(shown))
        yield from (f"    note  {printable(note)}" for note in one.notes)
    if sum(counts.values()) > 1:
        told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
        yield f"{sum(counts.values())} captures: {told}"


def _headline(one: Marked) -> str:
    if one.verification is None:
        # Most errors name the file themselves.
        named = "" if one.file in one.error else f"{printable(one.file)}: "
        return f"ERROR {named}{printable(one.error)}"
    results = one.verification.results
    met = len(results) - len(one.verification.failures)
    streams = ", ".join(str(dialogue.conversation.stream) for dialogue in one.verification.cast)
    noun = "conversations" if len(one.verification.cast) > 1 else "conversation"
    where = f", {noun} {streams}" if streams else ", no conversation"
    return (
        f"{one.verdict:5} {printable(one.file)}: {one.verification.exchange.name}, "
        f"{met} of {len(results)} as expected{where}"
    )


def _lines(results: Sequence[Result]) -> Iterator[str]:
    """
    Write results; that a connection is missing is said once.
    """
    missing = [result for result in results if result.shown.detail == NO_CONNECTION]
    for result in results:
        if result not in missing[1:]:
            yield _line(result)
    if len(missing) > 1:
        yield f"FAIL  and {len(missing) - 1} more that need it"


def _line(result: Result) -> str:
    verdict = "PASS" if result.shown.is_met else "FAIL"
    return (
        f"{verdict}  {result.expectation.name}: {result.expectation.sentence}. "
        f"Found: {printable(result.shown.detail)}{_cited(result.shown.frames)}"
    )


def _cited(frames: Sequence[int]) -> str:
    """
    Cite frames in a few words.
    """
    if not frames:
        return ""
    cited = ", ".join(f"#{frame}" for frame in frames[:_FRAMES_SHOWN_MAX])
    return f" ({cited}{', ...' if len(frames) > _FRAMES_SHOWN_MAX else ''})"


def printable(text: str) -> str:
    """
    Keep what came from outside from drawing on a terminal or beginning another line.
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def as_csv(marked: Iterable[Marked], exchange: NamedExchange) -> Iterator[str]:
    """
    Write verdicts for a spreadsheet: a row for each capture, a column for each expectation.

    @param marked: the captures.
    @param exchange: what was looked for in all of them.
    @return: lines without line ends, the head first.
    """
    names = [expectation.name for expectation in exchange.expectations]
    yield _row(["file", "exchange", "verdict", "met", "expected", "found", *names])
    for one in marked:
        row = [one.file, exchange.name, one.verdict]
        if one.verification is None:
            row += ["0", str(len(names)), one.error, *([""] * len(names))]
        else:
            failures = one.verification.failures
            found = "; ".join(
                f"{result.expectation.name}: {result.shown.detail}{_cited(result.shown.frames)}"
                for result in failures
            )
            row += [str(len(names) - len(failures)), str(len(names)), found]
            row += [
                "PASS" if result.shown.is_met else "FAIL" for result in one.verification.results
            ]
        yield _row(row)


def _row(cells: Sequence[str]) -> str:
    """
    Write a row; the one place where cells are made harmless.
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow([_cell(cell) for cell in cells])
    return text.getvalue()


def _cell(text: str) -> str:
    """
    Keep a spreadsheet from running a cell as a formula: a student names the file, and the peer
    chooses the request target. An apostrophe before it makes it text. Where numbers have a decimal
    comma, spreadsheets begin a cell at each semicolon too.
    """
    return _FORMULA.sub(r"\1'", printable(text))


def as_json(marked: Iterable[Marked], exchange: NamedExchange) -> str:
    """
    Write verdicts for programs; docs/verify.md describes the keys.

    @param marked: the captures.
    @param exchange: what was looked for in all of them.
    @return: one document.
    """
    document = {
        "format": "netlab-verify",
        "version": JSON_VERSION,
        "exchange": exchange.name,
        "title": exchange.title,
        "captures": [_capture(one) for one in marked],
    }
    return json.dumps(document, indent=2)


def _capture(one: Marked) -> dict[str, Any]:
    document: dict[str, Any] = {"file": one.file, "verdict": one.verdict}
    if one.verification is None:
        return document | {"error": one.error, "conversations": [], "expectations": []}
    return document | {
        "error": None,
        "notes": list(one.notes),
        "conversations": [_conversation(dialogue) for dialogue in one.verification.cast],
        "expectations": [
            {
                "name": result.expectation.name,
                "sentence": result.expectation.sentence,
                "verdict": "PASS" if result.shown.is_met else "FAIL",
                "found": result.shown.detail,
                "frames": list(result.shown.frames),
            }
            for result in one.verification.results
        ],
    }


def _conversation(dialogue: Dialogue) -> dict[str, Any]:
    return {
        "stream": dialogue.conversation.stream,
        "client": {"address": dialogue.client.address, "port": dialogue.client.port},
        "server": {"address": dialogue.server.address, "port": dialogue.server.port},
        "first_frame": dialogue.conversation.first_frame,
        "last_frame": dialogue.conversation.last_frame,
    }
