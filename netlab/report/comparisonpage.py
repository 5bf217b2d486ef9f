"""
Comparisons of two captures as one HTML page, in the style of L{netlab.report.html}.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from netlab.analysis.comparison.contrast import Contrast, Lapse
from netlab.analysis.comparison.sides import SameConversation
from netlab.analysis.words.units import count, duration
from netlab.report import comparison
from netlab.report.html import content_hash, source
from netlab.report.verification import printable

_BAR: Final = 200
"""How long the bar of the longest wait is, in pixels."""


def sides_page(names: tuple[str, str], found: Sequence[SameConversation]) -> str:
    """
    Lay out a comparison of two places: for each wait how much of it passed where.

    @param names: of the captures.
    @param found: the conversations that both hold, at least one.
    @return: the page.
    """
    longest = max((wait.total_ns for one in found for wait in one.waits), default=0) or 1
    sides = []
    for one in found:
        lines = [printable(line.strip()) for line in comparison.side_lines(one)]
        rows = [
            {
                "what": printable(wait.what),
                "total": duration(wait.total_ns),
                "server": duration(wait.server_ns),
                "way": duration(wait.way_ns),
                "server_width": _width(wait.server_ns, longest),
                "way_width": _width(wait.way_ns, longest),
            }
            for wait in one.waits
        ]
        sides.append(
            {
                "title": lines[0],
                "lines": lines[1:],
                "rows": () if one.is_one_place else rows,
                "there": f"behind {'A' if one.is_swapped else 'B'}"
                if one.behind_ns
                else "at the server",
            }
        )
    lead = f"The same exchange at two places: {count(len(found), 'conversation')} in both."
    return _page(names, lead, sides=sides)


def contrasts_page(
    names: tuple[str, str], found: Sequence[Contrast], times: Sequence[Lapse]
) -> str:
    """
    Lay out a comparison of two exchanges: question by question, and why.

    @param names: of the captures.
    @param found: what was asked.
    @param times: how long things took.
    @return: the page.
    """
    differing = sum(one.differs for one in found)
    told = (
        f"They differ in {differing} of {len(found)} questions."
        if differing
        else "They do not differ in anything that is asked here."
    )
    return _page(
        names,
        f"Two exchanges: no conversation is in both. {told}",
        contrasts=[
            {
                "question": printable(one.question),
                "differs": one.differs,
                "first": printable(comparison.answer_text(one.first)),
                "second": printable(comparison.answer_text(one.second)),
            }
            for one in found
        ],
        times=[
            {
                "what": printable(lapse.what),
                "first": comparison.took_text(lapse.first),
                "second": comparison.took_text(lapse.second) + comparison.ratio_text(lapse),
            }
            for lapse in times
        ],
        whys=[printable(why) for one in found for why in one.whys],
    )


def _width(part_ns: int, longest_ns: int) -> str:
    # Clocks that disagree may make a part negative, or longer than the whole.
    return f"{min(max(part_ns, 0) / longest_ns, 1) * _BAR:.1f}"


def _told_apart(names: tuple[str, str]) -> tuple[str, str]:
    """
    Shorten two names to their last parts, and to as many of them as tell them apart: two runs of an
    experiment are both called C{client.pcapng}.
    """
    first, second = (os.path.normpath(name).split(os.sep) for name in names)
    for kept in range(1, max(len(first), len(second)) + 1):
        if first[-kept:] != second[-kept:]:
            break
    return os.sep.join(first[-kept:]), os.sep.join(second[-kept:])


def _page(names: tuple[str, str], lead: str, **parts: Any) -> str:
    environment = Environment(
        loader=PackageLoader("netlab.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    style = source(environment, "report.css") + source(environment, "comparison.css")
    nothing: dict[str, Sequence[Any]] = dict.fromkeys(("sides", "contrasts", "times", "whys"), ())
    return environment.get_template("comparison.html.j2").render(
        names=[printable(name) for name in _told_apart(names)],
        lead=lead,
        style=Markup(style),  # noqa: S704 -- our own files
        style_hash=content_hash(style),
        **(nothing | parts),
    )
