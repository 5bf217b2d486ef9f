"""
What a run leaves in its folder: reports, annotated captures, a thumbnail, and the verdict.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from netlab.analysis.claims.viewpoint import Place, View
from netlab.analysis.explanation.privacy import Discretion
from netlab.capture.opening import open_capture
from netlab.errors import KnownError
from netlab.lab.api.experiment import Experiment
from netlab.lab.api.sides import Side
from netlab.lab.results import thumbnail
from netlab.lab.results.description import wire_lines
from netlab.lab.results.judgement import Judgement
from netlab.lab.wire.places import capture_path, keylog_of
from netlab.report import annotate, html, markdown
from netlab.report import json as json_report
from netlab.report.reading import Reading, read_story

VERDICT: Final = "verdict.json"
THUMBNAIL: Final = "thumbnail.svg"

#: On a busy machine the handshake's times would tell otherwise.
_VIEWS: Final = {
    Side.CLIENT: View(Place.CLIENT, "Captured at the client's end of the wire."),
    Side.SERVER: View(Place.SERVER, "Captured at the server's end of the wire."),
}

_STEMS: Final = {Side.CLIENT: "report", Side.SERVER: "report-server"}


def write_reports(experiment: Experiment, folder: Path) -> list[str]:
    """
    Explain the captures in a run's own folder: C{report.html}, C{report.md} and C{report.json} tell
    what the client's end saw, C{report-server.*} the server's. The captures get the story as
    comments.

    @return: the names of the files.
    @raise OSError: a file cannot be written.
    @raise KnownError: a capture cannot be read.
    """
    names = []
    readings = {side: reading for side in Side if (reading := _read(folder, side)) is not None}
    for side, reading in readings.items():
        capture = capture_path(folder, side)
        title = f"{experiment.name}, at the {side.value}"
        stem = _STEMS[side]
        links = [
            html.Link("All experiments", f"../index.html#{quote(experiment.name)}"),
            *(
                html.Link(f"The same at the {other.value}", f"{_STEMS[other]}.html")
                for other in readings
                if other is not side
            ),
        ]
        for suffix, pieces in (
            ("html", html.pieces(reading.story, title, links)),
            ("md", markdown.pieces(reading.story, title)),
            ("json", json_report.pieces(reading.story, title)),
        ):
            name = f"{stem}.{suffix}"
            _write(folder / name, (piece.encode("utf-8", "backslashreplace") for piece in pieces))
            names.append(name)
        if side is Side.CLIENT:
            (folder / THUMBNAIL).write_text(thumbnail.render(reading.story), encoding="utf-8")
        annotated = folder / f"{side.value}.annotated"
        with open_capture(str(capture)) as reader:
            _write(
                annotated,
                annotate.pieces(reader, reading.interfaces, reading.story, Discretion()),
            )
        annotated.replace(capture)
        names.append(capture.name)
    return names


def _read(folder: Path, side: Side) -> Reading | None:
    """
    Read what one end saw.

    @return: its story; None where no host has sent anything, or no TCP: there is nothing to tell.
    @raise KnownError: the capture cannot be read.
    """
    capture = capture_path(folder, side)
    try:
        return read_story(
            str(capture), Discretion(), captured=_VIEWS[side], keylog=keylog_of(folder)
        )
    except KnownError:
        if capture.stat().st_size > 0 and _is_silent(capture):
            return None
        raise


def write_verdict(
    folder: Path,
    experiment: Experiment,
    judgement: Judgement | None,
    *,
    problem: str,
    isolation: str,
    seconds: float,
    lateness: float,
    command: str | None,
) -> None:
    """
    Write C{verdict.json}: the experiment in words, and what was expected and found.

    @param judgement: None where there are no captures.
    @param problem: why the run failed; empty if it did not.
    @param isolation: how the hosts were made.
    @param seconds: how long the run took.
    @param lateness: by how many seconds the laboratory itself was late at worst.
    @param command: the command line that runs it again; None where nobody typed one.
    """
    results = [
        {
            "end": side.value,
            "name": result.expectation.name,
            "expected": result.expectation.sentence,
            "is_met": result.shown.is_met,
            "found": result.shown.detail,
            "frames": list(result.shown.frames),
        }
        for side, group in (judgement.results.items() if judgement is not None else ())
        for result in group
    ]
    verdict: dict[str, Any] = {
        "name": experiment.name,
        "question": experiment.question,
        "programs": experiment.programs,
        "look_for": experiment.look_for,
        "explanation": experiment.explanation,
        "wire": wire_lines(experiment.wire),
        "isolation": isolation,
        "seconds": round(seconds, 3),
        "lateness": round(lateness, 6),
        "problem": problem,
        "command": command,
        "frames": {
            side.value: count
            for side, count in (judgement.frames.items() if judgement is not None else ())
        },
        "is_judged": judgement is not None,
        "is_met": judgement is not None and judgement.is_met and not problem,
        "results": results,
    }
    text = json.dumps(verdict, indent=1, ensure_ascii=False)
    (folder / VERDICT).write_text(f"{text}\n", encoding="utf-8")


def _is_silent(capture: Path) -> bool:
    with open_capture(str(capture)) as reader:
        return not any(True for _ in reader)


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)
