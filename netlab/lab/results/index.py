"""
A page over all runs of a folder.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from types import UnionType
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from netlab.lab.results.catalogue import REFERENCE
from netlab.lab.results.folder import ResultsFolder
from netlab.lab.results.results import VERDICT
from netlab.lab.wire.places import RESULTS

INDEX: Final = "index.html"

_RUNS_MAX: Final = 1000
_VERDICT_MAX_BYTES: Final = 1 << 20

_VERDICT_TYPES: Final = {
    **dict.fromkeys(("name", "question", "programs", "look_for", "explanation"), str),
    **dict.fromkeys(("isolation", "problem"), str),
    **dict.fromkeys(("is_judged", "is_met"), bool),
    **dict.fromkeys(("wire", "results"), list),
    "seconds": int | float,
}
_RESULT_TYPES: Final = {
    **dict.fromkeys(("end", "expected", "found"), str),
    "is_met": bool,
    "frames": list,
}

_LABELS: Final = {
    "report.html": "report at the client",
    "report-server.html": "report at the server",
    "client.pcapng": "client.pcapng",
    "server.pcapng": "server.pcapng",
    "output.txt": "what the programs printed",
    "trace.txt": "trace of the relay",
    "report.md": "Markdown",
    "report.json": "JSON",
}


def write_index(folder: Path) -> Path:
    """
    Write C{index.html} over all runs whose results are in a folder, of whatever day.

    @return: where it is.
    @raise OSError: it cannot be written.
    """
    environment = Environment(
        loader=PackageLoader("netlab.lab.results"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    css = files("netlab.report").joinpath("templates/report.css").read_text(encoding="utf-8")
    order = {name: at for at, name in enumerate(REFERENCE)}
    with ResultsFolder(folder) as out:
        runs = [run for name in out.folders(_RUNS_MAX) if (run := _read(out, name)) is not None]
        runs.sort(key=lambda run: (order.get(run["name"], len(order)), run["name"]))
        page = environment.get_template("index.html.j2").render(
            runs=runs,
            good=sum(run["verdict"] == "good" for run in runs),
            css=Markup(css),  # noqa: S704, our own file
        )
        out.write(INDEX, [page.encode("utf-8", "backslashreplace")])
    return folder / INDEX


def _read(out: ResultsFolder, name: str) -> dict[str, Any] | None:
    """
    Read a verdict, and see what else there is of its run.

    @return: C{None} where there is no verdict.
    """
    try:
        with out.look_inside(name) as folder:
            present = folder.files([*RESULTS, VERDICT])
            if VERDICT not in present:
                return None
            run = json.loads(folder.read(VERDICT, _VERDICT_MAX_BYTES))
        _check(run)
    except (OSError, ValueError, RecursionError) as error:
        return {
            "name": name,
            "folder": name,
            "verdict": "bad",
            "headline": f"its {VERDICT} cannot be read: {error}",
            "links": [],
            "has_thumbnail": False,
            "is_readable": False,
        }
    problem, results = run["problem"], run["results"]
    missed = sum(not result["is_met"] for result in results)
    if problem:
        verdict, headline = "bad", problem
    elif not run["is_judged"]:
        verdict, headline = "open", "not checked: there is no capture"
    elif run["is_met"]:
        verdict, headline = "good", f"as expected, {len(results)} of {len(results)}"
    else:
        met = len(results) - missed
        verdict, headline = "bad", f"not as expected, {met} of {len(results)}"
    return {
        **run,
        "command": run.get("command"),
        "folder": name,
        "verdict": verdict,
        "headline": headline,
        "links": [(_LABELS[entry], entry) for entry in _LABELS if entry in present],
        "has_thumbnail": "thumbnail.svg" in present,
        "is_readable": True,
    }


def _check(run: object) -> None:
    """
    See to it that a verdict is what a run writes: anybody may have put one there.

    @raise ValueError: it is not.
    """
    _check_types(run, _VERDICT_TYPES)
    assert isinstance(run, dict)
    for result in run["results"]:
        _check_types(result, _RESULT_TYPES)
    if not all(isinstance(line, str) for line in run["wire"]):
        raise ValueError("its wire is no list of texts")
    if not isinstance(run.get("command"), str | None):
        raise ValueError("its command is no text")  # noqa: TRY004


def _check_types(value: object, types: Mapping[str, type | UnionType]) -> None:
    if not isinstance(value, dict):
        raise ValueError(f"{type(value).__name__} in place of an object")  # noqa: TRY004
    for key, kind in types.items():
        if key not in value:
            raise ValueError(f"it has no {key}")
        if not isinstance(value[key], kind):
            raise ValueError(f"{key} is {type(value[key]).__name__}")  # noqa: TRY004
