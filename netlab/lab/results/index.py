"""
A page over all runs of a folder.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from netlab.lab.results.catalogue import REFERENCE
from netlab.lab.results.results import VERDICT
from netlab.lab.wire.places import RESULTS

INDEX: Final = "index.html"

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
    runs = [_read(path) for path in sorted(folder.glob(f"*/{VERDICT}"))]
    order = {name: at for at, name in enumerate(REFERENCE)}
    runs.sort(key=lambda run: (order.get(run["name"], len(order)), run["name"]))
    environment = Environment(
        loader=PackageLoader("netlab.lab.results"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    css = files("netlab.report").joinpath("templates/report.css").read_text(encoding="utf-8")
    page = environment.get_template("index.html.j2").render(
        runs=runs,
        good=sum(run["verdict"] == "good" for run in runs),
        css=Markup(css),  # noqa: S704, our own file
    )
    path = folder / INDEX
    path.write_text(page, encoding="utf-8")
    return path


def _read(path: Path) -> dict[str, Any]:
    """
    Read a verdict, and see what else there is of its run.
    """
    folder = path.parent
    try:
        run: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        name, is_judged, is_met = run["name"], run["is_judged"], run["is_met"]
        problem, results = run["problem"], run["results"]
    except (ValueError, KeyError, TypeError) as error:
        return {
            "name": folder.name,
            "folder": folder.name,
            "verdict": "bad",
            "headline": f"its {VERDICT} cannot be read: {error}",
            "links": [],
            "has_thumbnail": False,
            "is_readable": False,
        }
    missed = sum(not result["is_met"] for result in results)
    if problem:
        verdict, headline = "bad", problem
    elif not is_judged:
        verdict, headline = "open", "not checked: there is no capture"
    elif is_met:
        verdict, headline = "good", f"as expected, {len(results)} of {len(results)}"
    else:
        met = len(results) - missed
        verdict, headline = "bad", f"not as expected, {met} of {len(results)}"
    present = [entry for entry in RESULTS if (folder / entry).is_file()]
    return {
        **run,
        "name": name,
        "command": run.get("command"),
        "folder": folder.name,
        "verdict": verdict,
        "headline": headline,
        "links": [(_LABELS[entry], entry) for entry in _LABELS if entry in present],
        "has_thumbnail": "thumbnail.svg" in present,
        "is_readable": True,
    }
