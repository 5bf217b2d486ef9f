"""
Comparisons of two captures for people and for programs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from netlab.analysis.claims.units import duration
from netlab.analysis.comparison.contrast import Answer, Contrast, Lapse
from netlab.analysis.comparison.sides import SameConversation, Sighting, totals
from netlab.analysis.observations.dialogue import Dialogue, Moment
from netlab.report.markdown import escaped

#: The version of the JSON format; it grows when a key changes its meaning or goes.
JSON_VERSION: Final = 1

_LISTED_MAX: Final = 20


def sides_terminal(names: tuple[str, str], found: Sequence[SameConversation]) -> Iterator[str]:
    """
    Write a comparison of two places for people.

    @param names: of the captures.
    @param found: the conversations that both hold, at least one.
    @return: lines without line ends.
    """
    yield f"A = {names[0]}"
    yield f"B = {names[1]}"
    plural = "conversations" if len(found) > 1 else "conversation"
    yield f"The same exchange at two places: {len(found)} {plural} in both."
    for one in found:
        yield ""
        yield from side_lines(one)
    server, way, client = totals(found)
    if server or way or client:
        yield ""
        parts = {"at the server": server, "on the way": way, "at the client": client}
        if all(one.is_one_place for one in found):
            parts = {"at the server or on the way": server + way, "at the client": client}
        told = ", ".join(f"{duration(part)} {where}" for where, part in parts.items())
        yield f"In all: {told}. Most of the time passed {max(parts, key=lambda key: parts[key])}."


def side_lines(one: SameConversation) -> Iterator[str]:
    """
    Tell a conversation that both captures hold: a title, and lines below it.
    """
    client, server = ("B", "A") if one.is_swapped else ("A", "B")
    yield (
        f"Conversation {one.at_client.conversation.stream} of {client}, "
        f"{one.at_server.conversation.stream} of {server}: "
        f"{_ends(one.at_client)}, {one.common} segments in both"
    )
    if one.is_one_place:
        yield "  Both captures show the same times: they were taken at one place."
    else:
        yield f"  {client} was taken nearer to the client, {server} nearer to the server."
    for wait in one.waits:
        if one.is_one_place:
            yield f"  {wait.what}: the client waited {duration(wait.total_ns)}"
            continue
        yield (
            f"  {wait.what}: the client waited {duration(wait.total_ns)} "
            f"({client} {_span(wait.client)}), of which {duration(wait.server_ns)} at the server "
            f"({server} {_span(wait.server)}) and {duration(wait.way_ns)} on the way"
        )
    for pause in one.pauses:
        yield (
            f"  the client's next message: {duration(pause.client_ns)} after the answer "
            f"({client} {_span(pause.client)})"
        )
    for who, lost, where in (
        ("client", one.lost_to_server, client),
        ("server", one.lost_to_client, server),
    ):
        if lost:
            yield (
                f"  lost on the way: {len(lost)} of the {who}'s segments, in {where} {_list(lost)}"
            )


def contrasts_terminal(
    names: tuple[str, str], found: Sequence[Contrast], times: Sequence[Lapse]
) -> Iterator[str]:
    """
    Write a comparison of two exchanges for people.

    @param names: of the captures.
    @param found: what was asked.
    @param times: how long things took.
    @return: lines without line ends.
    """
    yield f"A = {names[0]}"
    yield f"B = {names[1]}"
    yield "Two exchanges: no conversation is in both."
    differing = [one for one in found if one.differs]
    for one in differing:
        yield ""
        yield one.question
        yield f"  A: {answer_text(one.first)}"
        yield f"  B: {answer_text(one.second)}"
        for why in one.whys:
            yield f"  why {why}"
    alike = [one.question for one in found if not one.differs]
    if alike:
        yield ""
        yield f"Alike: {'; '.join(alike)}."
    if not differing:
        yield "They do not differ in anything that is asked here."
    if times:
        yield ""
        yield "Times, which are never quite the same:"
    for lapse in times:
        yield f"  {lapse.what}"
        yield f"    A: {took_text(lapse.first)}"
        yield f"    B: {took_text(lapse.second)}"


def sides_markdown(names: tuple[str, str], found: Sequence[SameConversation]) -> Iterator[str]:
    """
    Write a comparison of two places as Markdown (GitHub's dialect, for its tables).

    @param names: of the captures.
    @param found: the conversations that both hold, at least one.
    @return: lines without line ends.
    """
    yield "# The same exchange at two places"
    yield ""
    yield f"A is {escaped(names[0])}, B is {escaped(names[1])}."
    for one in found:
        lines = list(side_lines(one))
        yield ""
        yield f"## {escaped(lines[0])}"
        yield ""
        if not one.is_one_place:
            yield "| waited for | by the client | at the server | on the way |"
            yield "|--|--|--|--|"
            for wait in one.waits:
                yield (
                    f"| {escaped(wait.what)} | {duration(wait.total_ns)} | "
                    f"{duration(wait.server_ns)} | {duration(wait.way_ns)} |"
                )
            yield ""
        for line in lines[1:]:
            yield f"- {escaped(line.strip())}"


def contrasts_markdown(
    names: tuple[str, str], found: Sequence[Contrast], times: Sequence[Lapse]
) -> Iterator[str]:
    """
    Write a comparison of two exchanges as Markdown (GitHub's dialect, for its tables).

    @param names: of the captures.
    @param found: what was asked.
    @param times: how long things took.
    @return: lines without line ends.
    """
    yield "# Two exchanges"
    yield ""
    yield f"A is {escaped(names[0])}, B is {escaped(names[1])}."
    yield ""
    yield "| | A | B |"
    yield "|--|--|--|"
    for one in found:
        emphasis = "**" if one.differs else ""
        yield (
            f"| {emphasis}{escaped(one.question)}{emphasis} | {escaped(answer_text(one.first))} | "
            f"{escaped(answer_text(one.second))} |"
        )
    for lapse in times:
        yield (
            f"| {escaped(lapse.what)} | {escaped(took_text(lapse.first))} | "
            f"{escaped(took_text(lapse.second))} |"
        )
    whys = [why for one in found for why in one.whys]
    if whys:
        yield ""
        yield from (f"- {escaped(why)}" for why in whys)


def sides_json(names: tuple[str, str], found: Sequence[SameConversation]) -> str:
    """
    Write a comparison of two places for programs; docs/compare.md describes the keys.
    """
    server, way, client = totals(found)
    return _document(
        names,
        "sides",
        {
            "totals_ns": {"server": server, "way": way, "client": client},
            "conversations": [
                {
                    "client_side": "B" if one.is_swapped else "A",
                    "is_one_place": one.is_one_place,
                    "stream_at_client": one.at_client.conversation.stream,
                    "stream_at_server": one.at_server.conversation.stream,
                    "segments_in_both": one.common,
                    "waits": [
                        {
                            "what": wait.what,
                            "total_ns": wait.total_ns,
                            "server_ns": wait.server_ns,
                            "way_ns": wait.way_ns,
                            "frames_at_client": [moment.frame for moment in wait.client],
                            "frames_at_server": [moment.frame for moment in wait.server],
                        }
                        for wait in one.waits
                    ],
                    "pauses": [
                        {
                            "client_ns": pause.client_ns,
                            "frames_at_client": [moment.frame for moment in pause.client],
                        }
                        for pause in one.pauses
                    ],
                    "lost_to_server": [sighting.at.frame for sighting in one.lost_to_server],
                    "lost_to_client": [sighting.at.frame for sighting in one.lost_to_client],
                }
                for one in found
            ],
        },
    )


def contrasts_json(
    names: tuple[str, str], found: Sequence[Contrast], times: Sequence[Lapse]
) -> str:
    """
    Write a comparison of two exchanges for programs; docs/compare.md describes the keys.
    """
    return _document(
        names,
        "exchanges",
        {
            "questions": [
                {
                    "question": one.question,
                    "differs": one.differs,
                    "a": {"answer": one.first.text, "frames": list(one.first.frames)},
                    "b": {"answer": one.second.text, "frames": list(one.second.frames)},
                    "whys": list(one.whys),
                }
                for one in found
            ],
            "times": [
                {
                    "what": lapse.what,
                    "a_ns": lapse.first[1].time_ns - lapse.first[0].time_ns,
                    "b_ns": lapse.second[1].time_ns - lapse.second[0].time_ns,
                    "frames_a": [moment.frame for moment in lapse.first],
                    "frames_b": [moment.frame for moment in lapse.second],
                }
                for lapse in times
            ],
        },
    )


def _document(names: tuple[str, str], kind: str, rest: dict[str, Any]) -> str:
    head = {"format": "netlab-compare", "version": JSON_VERSION, "a": names[0], "b": names[1]}
    return json.dumps(head | {"kind": kind} | rest, indent=2)


def answer_text(answer: Answer) -> str:
    """
    Write an answer with the frames that show it.
    """
    return f"{answer.text} ({_cited(answer.frames)})" if answer.frames else answer.text


def took_text(moments: tuple[Moment, Moment]) -> str:
    """
    Write how long it was from one frame to another.
    """
    return f"{duration(moments[1].time_ns - moments[0].time_ns)} ({_span(moments)})"


def _span(moments: tuple[Moment, Moment]) -> str:
    return f"#{moments[0].frame} to #{moments[1].frame}"


def _list(lost: Sequence[Sighting]) -> str:
    return _cited([sighting.at.frame for sighting in lost])


def _cited(frames: Sequence[int]) -> str:
    cited = ", ".join(f"#{frame}" for frame in frames[:_LISTED_MAX])
    return f"{cited}, ..." if len(frames) > _LISTED_MAX else cited


def _ends(dialogue: Dialogue) -> str:
    client, server = dialogue.client, dialogue.server
    return f"{client.address} port {client.port} to {server.address} port {server.port}"
