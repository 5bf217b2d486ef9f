"""
Comparisons of two captures for people and for programs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from netlab.analysis.comparison.contrast import Contrast, Lapse, TimedAnswer
from netlab.analysis.comparison.losses import Absent
from netlab.analysis.comparison.shares import WaitShares
from netlab.analysis.comparison.sides import SameConversation, totals
from netlab.analysis.comparison.sightings import Sighting
from netlab.analysis.observations.dialogue import Dialogue, Moment
from netlab.analysis.words.units import count, duration
from netlab.report.markdown import escaped

#: The version of the JSON format; it grows when a key changes its meaning or goes.
JSON_VERSION: Final = 2

_LISTED_MAX: Final = 20

_ALIKE: Final = 1.05
"""Durations that differ by less are not told apart."""


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
    if len(found) > 1:
        yield ""
        # How the places are called may differ from conversation to conversation.
        swapped = {one.is_swapped for one in found}
        one_place = all(one.is_one_place for one in found)
        ends = ("B", "A") if swapped == {True} else ("A", "B")
        yield f"In all: {shares_text(totals(found), ends, is_one_place=one_place)}"


def side_lines(one: SameConversation) -> Iterator[str]:
    """
    Tell a conversation that both captures hold: a title, and lines below it.
    """
    ends = client, server = ("B", "A") if one.is_swapped else ("A", "B")
    yield (
        f"Conversation {one.at_client.conversation.stream} of {client}, "
        f"{one.at_server.conversation.stream} of {server}: "
        f"{_ends(one.at_client)}, {count(one.common, 'segment')} in both"
    )
    yield f"  {shares_text(one.shares, ends, is_one_place=one.is_one_place)}"
    yield from (f"  {line}" for line in _place_lines(one, client, server))
    for wait in one.waits:
        if one.is_one_place:
            yield f"  {wait.what}: the client waited {duration(wait.total_ns)}"
            continue
        there = f"behind {server}" if one.behind_ns else "at the server"
        yield (
            f"  {wait.what}: the client waited {duration(wait.total_ns)} "
            f"({client} {_span(wait.client)}), of which {duration(wait.server_ns)} {there} "
            f"({server} {_span(wait.server)}) and {duration(wait.way_ns)} on the way between"
        )
    for pause in one.pauses:
        yield (
            f"  the client's next message: {duration(pause.client_ns)} after the answer "
            f"({client} {_span(pause.client)})"
        )
    for drip in one.drips:
        who, where = ("client", client) if drip.from_client else ("server", server)
        moments = (drip.begin, drip.end)
        took = duration(drip.end.time_ns - drip.begin.time_ns)
        yield (
            f"  the {who} sent its {count(drip.length, 'byte')} in {drip.pieces} pieces over "
            f"{took} ({where} {_span(moments)})"
        )
    for carriage in one.carriages:
        who, other = ("client", "server") if carriage.from_client else ("server", "client")
        spans = {
            client: (carriage.client_ns, carriage.client),
            server: (carriage.server_ns, carriage.server),
        }
        here, there = (client, server) if carriage.from_client else (server, client)
        yield (
            f"  the {who}'s {count(carriage.length, 'byte')}: {duration(spans[here][0])} from the "
            f"first to the last as sent ({here} {_span(spans[here][1])}), "
            f"{duration(spans[there][0])} as they came to the {other} "
            f"({there} {_span(spans[there][1])}){_rate(carriage.length, spans[there][0])}"
        )
    for shut in one.shut:
        who, where = ("client", client) if shut.from_client else ("server", server)
        yield (
            f"  the {who}'s window was shut for {duration(shut.length_ns)} "
            f"({where} {_span((shut.begin, shut.end))}): its program did not read, and the other "
            "end had to wait"
        )
    yield from (f"  {line}" for line in _absence_lines(one, client, server))


def _rate(length: int, took_ns: int) -> str:
    if took_ns <= 0:
        return ""
    rate = length * 8_000_000_000 / took_ns
    for factor, unit in ((1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s")):
        if rate >= factor:
            return f", {rate / factor:.3g} {unit}"
    return f", {rate:.3g} bit/s"


def _place_lines(one: SameConversation, client: str, server: str) -> Iterator[str]:
    """
    Say what both places are.
    """
    if one.is_one_place:
        yield "Both captures show the same times: they were taken at one place."
        return
    yield f"{client} was taken nearer to the client, {server} nearer to the server."
    if one.behind_ns:
        took = duration(one.behind_ns)
        yield (
            f"{server} is not at the server but in the middle, most likely: there the SYN-ACK came "
            f"{took} after the SYN, which a host answers at once. The way behind {server} takes "
            f"{took}, there and back."
        )
    if one.ahead_ns:
        took = duration(one.ahead_ns)
        yield (
            f"{client} is not at the client but in the middle, most likely: there the ACK came "
            f"{took} after the SYN-ACK. The way between {client} and the client takes {took}, "
            "there and back."
        )


def _absence_lines(one: SameConversation, client: str, server: str) -> Iterator[str]:
    """
    Say what became of segments that one capture does not hold.
    """
    for who, absent, here, there in (
        ("client", one.to_server, client, server),
        ("server", one.to_client, server, client),
    ):
        if absent.lost:
            yield (
                f"lost between {here} and {there}: {count(len(absent.lost), 'segment')} of the "
                f"{who}, in {here} {_list(absent.lost)}, sent again later"
            )
        if absent.uncaptured:
            yield _uncaptured(who, absent.uncaptured, here, there)
        if absent.unknown:
            yield (
                f"not in {there}: {count(len(absent.unknown), 'segment')} of the {who}, in {here} "
                f"{_list(absent.unknown)}: lost between {here} and {there}, or not captured"
            )
    for who, missing, here, there in (
        ("client", one.at_both[0], server, client),
        ("server", one.at_both[1], client, server),
    ):
        if missing:
            yield _uncaptured(who, missing, here, there)


def _uncaptured(who: str, missing: Sequence[Sighting], here: str, there: str) -> str:
    noun = "segment" if len(missing) == 1 else "segments"
    verb = "is" if len(missing) == 1 else "are"
    it = "it was" if len(missing) == 1 else "they were"
    where = f"{here} {_list(missing)}"
    return (
        f"{len(missing)} {noun} of the {who} {verb} missing from {there} ({where}): "
        f"{it} acknowledged and never sent again, so the capture {there} missed what had arrived"
    )


def shares_text(shares: WaitShares, ends: tuple[str, str], *, is_one_place: bool) -> str:
    """
    Say where the time went, the greatest share first.

    @param ends: what the capture nearer to the client is called, and the other.
    @param is_one_place: whether both are at one place: then nobody knows what of a wait was the
        way's.
    """
    client, server = ends
    parts = {
        "at the client": shares.client_ns,
        f"on the way between {client} and {server}": shares.way_ns,
        "at the server": shares.server_ns,
        "until bytes were sent again": shares.repair_ns,
        f"on the way between {client} and the client": shares.ahead_ns,
        f"on the way behind {server}": shares.behind_ns,
        "idle, until a FIN, a RST or a keep-alive": shares.idle_ns,
        "not known": shares.unknown_ns,
    }
    if is_one_place:
        del parts[f"on the way between {client} and {server}"], parts["at the server"]
        parts["at the server or on the way"] = shares.server_ns + shares.way_ns
    total = sum(shares)
    told = sorted(((part, where) for where, part in parts.items() if part), reverse=True)
    if not told:
        return "No time passed."
    listed = ", ".join(
        f"{duration(part)} ({_percent(part, total)}) {where}" for part, where in told
    )
    return f"Of {duration(total)}: {listed}. Most of it passed {told[0][1]}."


def _percent(part: int, total: int) -> str:
    share = 100 * part / total
    return f"{share:.0f} %" if share >= 1 else "less than 1 %"


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
        yield f"    B: {took_text(lapse.second)}{ratio_text(lapse)}"


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
            server = "A" if one.is_swapped else "B"
            there = f"behind {server}" if one.behind_ns else "at the server"
            yield f"| waited for | by the client | {there} | on the way between |"
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
            f"{escaped(took_text(lapse.second) + ratio_text(lapse))} |"
        )
    whys = [why for one in found for why in one.whys]
    if whys:
        yield ""
        yield from (f"- {escaped(why)}" for why in whys)


def sides_json(names: tuple[str, str], found: Sequence[SameConversation]) -> str:
    """
    Write a comparison of two places for programs; docs/compare.md describes the keys.
    """
    return _document(
        names,
        "sides",
        {
            "totals": totals(found)._asdict(),
            "conversations": [
                {
                    "client_side": "B" if one.is_swapped else "A",
                    "is_one_place": one.is_one_place,
                    "shares": one.shares._asdict(),
                    "ahead_ns": one.ahead_ns,
                    "behind_ns": one.behind_ns,
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
                    "shut_windows": [
                        {
                            "from_client": shut.from_client,
                            "length_ns": shut.length_ns,
                            "frames": [shut.begin.frame, shut.end.frame],
                        }
                        for shut in one.shut
                    ],
                    "pieces": [
                        {
                            "from_client": drip.from_client,
                            "bytes": drip.length,
                            "pieces": drip.pieces,
                            "length_ns": drip.end.time_ns - drip.begin.time_ns,
                            "frames": [drip.begin.frame, drip.end.frame],
                        }
                        for drip in one.drips
                    ],
                    "carriages": [
                        {
                            "from_client": carriage.from_client,
                            "bytes": carriage.length,
                            "client_ns": carriage.client_ns,
                            "server_ns": carriage.server_ns,
                            "frames_at_client": [moment.frame for moment in carriage.client],
                            "frames_at_server": [moment.frame for moment in carriage.server],
                        }
                        for carriage in one.carriages
                    ],
                    "missing_at_server": _absent_json(one.to_server),
                    "missing_at_client": _absent_json(one.to_client),
                    "missing_at_own_side": {
                        "client": [sighting.at.frame for sighting in one.at_both[0]],
                        "server": [sighting.at.frame for sighting in one.at_both[1]],
                    },
                }
                for one in found
            ],
        },
    )


def _absent_json(absent: Absent) -> dict[str, list[int]]:
    return {
        name: [sighting.at.frame for sighting in sightings]
        for name, sightings in absent._asdict().items()
    }


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


def answer_text(answer: TimedAnswer) -> str:
    """
    Write an answer with the frames that show it.
    """
    return f"{answer.text} ({_cited(answer.frames)})" if answer.frames else answer.text


def took_text(moments: tuple[Moment, Moment]) -> str:
    """
    Write how long it was from one frame to another.
    """
    return f"{duration(moments[1].time_ns - moments[0].time_ns)} ({_span(moments)})"


def ratio_text(lapse: Lapse) -> str:
    """
    Say how many times as long something took in B as in A; nothing where it is hardly different, or
    took no time.
    """
    first, second = (end.time_ns - begin.time_ns for begin, end in (lapse.first, lapse.second))
    if min(first, second) <= 0:
        return ""
    ratio = second / first
    if 1 / _ALIKE < ratio < _ALIKE:
        return ""
    if ratio < 1:
        return f", {1 / ratio:.3g} times as fast"
    return f", {ratio:.3g} times as long"


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
