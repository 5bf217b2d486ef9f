"""
The first sentences of a report: what an expert would say before anything else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from netlab.analysis.claims.answers import (
    ConnectionEnd,
    Question,
    Told,
    Trouble,
    end_of,
    is_calm,
    limits,
    longest_waits,
    shares,
    troubles,
)
from netlab.analysis.explanation.story import (
    Answer,
    CaptureStory,
    CaptureTotals,
    ConversationStory,
)
from netlab.analysis.tcp.conversation import Completeness
from netlab.analysis.words.outlines import FATES
from netlab.analysis.words.sentences import sentence
from netlab.analysis.words.units import count, duration

_TROUBLES_MAX: Final = 4
_LIMITS_MAX: Final = 3
_WAITS_MAX: Final = 2
_STREAMS_MAX: Final = 5

#: How connections ended, as what can stand behind a number.
_ENDS: Final = {
    ConnectionEnd.UNANSWERED: "unanswered",
    ConnectionEnd.REFUSED: "refused",
    ConnectionEnd.RESET: "reset",
    ConnectionEnd.CLOSED: "closed by both ends",
    ConnectionEnd.HALF_CLOSED: "closed by one end only",
    ConnectionEnd.ONE_CLOSED: "closed by one end, the other not captured",
    ConnectionEnd.NOT_OPENED: "not seen to be open",
    ConnectionEnd.OPEN: "still open when the capture ends",
}


def answers_of(story: CaptureStory, *, is_whole: bool) -> tuple[Answer, ...]:
    """
    Answer what people ask of a capture.

    @param story: all else that is said of it.
    @param is_whole: whether every segment of it was judged.
    """
    told = [
        *(Told(-1, claim) for claim in story.claims),
        *(Told(each.stream, claim) for each in story.conversations for claim in each.claims),
    ]
    found = [*_shows(story)]
    wrong = troubles(told)
    found += _troubles(Question.WRONG, wrong, _TROUBLES_MAX)
    has_reset = any(each.completeness & Completeness.RST for each in story.conversations)
    if story.conversations and is_whole and not has_reset and is_calm(told):
        text = "Nothing in this capture was sent again, reset, refused or left unanswered."
        found.append(Answer(Question.WRONG, (), (), text))
    judged = len(story.conversations)
    of = f" in the {judged} conversations that are judged here" if story.is_abridged else ""
    found += [*_time(told, of), *_waits(told)]
    found += _troubles(Question.LIMITS, limits(told), _LIMITS_MAX)
    found += _where(story, wrong)
    return tuple(found)


def _amounts(sums: Counter[str], conversations: Sequence[ConversationStory]) -> str:
    """
    Say how much each end sent; of an end that was not captured, that.
    """
    parts = []
    for end in ("client", "server"):
        unseen = sum(each.unseen == end for each in conversations)
        if unseen == len(conversations) and not sums[end]:
            parts.append(f"no segment of the {end}")
            continue
        text = f"{count(sums[end], 'byte')} from the {end}"
        if unseen:
            text += f" (not captured in {count(unseen, 'connection')})"
        parts.append(text)
    return ", ".join(parts)


def _shows(story: CaptureStory) -> Iterator[Answer]:
    conversations = story.conversations
    if story.totals is not None and sum(story.totals.fates.values()) > len(conversations):
        yield _shows_many(story, story.totals)
        return
    if not conversations:
        return
    streams = tuple(each.stream for each in conversations)
    number = count(story.conversation_count, "TCP connection")
    text = f"{number} {_ends(conversations)}"
    sums = Counter[str]()
    for each in conversations:
        counted = {
            claim.who: int(claim.figures["bytes"])
            for claim in each.claims
            if claim.kind == "bytes.stream"
        }
        if not counted and any(each.sent):
            # Of a large capture not all is kept that would tell repeats from what is new.
            counted = dict(zip(("client", "server"), each.sent, strict=True))
        sums.update(counted)
    parts = [_amounts(sums, conversations) if sums else "no data"]
    ends = Counter(end_of(each.claims) for each in conversations)
    if len(conversations) == 1:
        parts.append(_ENDS[next(iter(ends))])
    else:
        parts += [f"{ends[end]} {words}" for end, words in _ENDS.items() if ends[end]]
    yield Answer(Question.SHOWS, (), streams[:_STREAMS_MAX], f"{text}: {', '.join(parts)}.")


def _shows_many(story: CaptureStory, totals: CaptureTotals) -> Answer:
    """
    Say what the figures of many conversations show, of which not all are judged.
    """
    parts = [f"{number} {FATES[fate]}" for fate, number in totals.fates.items()]
    line = story.lines[0]
    source = line.client.address if totals.clients == 1 else f"{totals.clients} clients"
    target = str(line.server) if totals.servers == 1 else f"{totals.servers} servers or ports"
    text = (
        f"{count(story.conversation_count, 'TCP connection')} from {source} to {target}: "
        f"{', '.join(parts)}. The clients sent {count(totals.client_bytes, 'byte')}, the servers "
        f"{count(totals.server_bytes, 'byte')}, with what was sent again."
    )
    streams = tuple(each.outline.stream for each in story.faulty[:_STREAMS_MAX])
    return Answer(Question.SHOWS, (), streams, text)


def _ends(conversations: Sequence[ConversationStory]) -> str:
    """
    Say between whom they are.
    """
    clients = dict.fromkeys(each.client.address for each in conversations)
    servers = dict.fromkeys(str(each.server) for each in conversations)
    source = next(iter(clients)) if len(clients) == 1 else f"{len(clients)} clients"
    target = next(iter(servers)) if len(servers) == 1 else f"{len(servers)} servers or ports"
    return f"from {source} to {target}"


def _troubles(question: Question, found: Sequence[Trouble], at_most: int) -> Iterator[Answer]:
    for trouble in found[:at_most]:
        first = trouble.told[0]
        text = sentence(first.claim)
        rest = trouble.told[1:]
        streams = tuple(dict.fromkeys(each.stream for each in trouble.told if each.stream >= 0))
        if first.stream >= 0 and (rest or first.stream):
            text = f"Conversation {first.stream}: {text}"
        if rest:
            where = ", ".join(f"#{each.claim.frames[-1]}" for each in rest[:3])
            more = " and so on" if len(rest) > 3 else ""
            text += f" {len(rest)} more like this: {where}{more}."
        frames = tuple(sorted({n for each in trouble.told[:4] for n in each.claim.frames[-1:]}))
        yield Answer(question, frames, streams, text, (first.claim.kind,))
    if len(found) > at_most:
        kinds = count(len(found) - at_most, "more kind")
        yield Answer(question, (), (), f"{kinds} of finding; see each connection.")


def _time(told: Sequence[Told], of: str) -> Iterator[Answer]:
    """
    Say where time passed.

    @param of: In what, if not in all.
    """
    sums = shares(told)
    parts = sorted(
        (
            (sums.server_ns, "at the server"),
            (sums.client_ns, "at the client"),
            (sums.network_ns, "on the network"),
            (sums.transfer_ns, "while data was being transferred"),
        ),
        reverse=True,
    )
    if not parts[0][0]:
        return
    said = ", ".join(f"{duration(size)} {where}" for size, where in parts if size)
    streams = tuple(each.stream for each in told if each.claim.kind == "delays.shares")
    text = f"Time between one end's data and the other's{of}: {said}."
    yield Answer(Question.TIME, (), streams[:_STREAMS_MAX], text, ("delays.shares",))


def _waits(told: Sequence[Told]) -> Iterator[Answer]:
    for each in longest_waits(told, _WAITS_MAX):
        text = sentence(each.claim)
        if each.stream:
            text = f"Conversation {each.stream}: {text}"
        kinds = (each.claim.kind,)
        yield Answer(Question.TIME, each.claim.frames[-1:], (each.stream,), text, kinds)


def _where(story: CaptureStory, wrong: Sequence[Trouble]) -> Iterator[Answer]:
    """
    Name the connections to look at first, where there are several.
    """
    if len(story.conversations) < 2:
        return
    streams = tuple(
        dict.fromkeys(each.stream for trouble in wrong for each in trouble.told if each.stream >= 0)
    )
    if story.is_abridged:
        streams = tuple(each.outline.stream for each in story.faulty)
    if not streams or len(streams) == story.conversation_count:
        return
    named = ", ".join(str(stream) for stream in streams[:_STREAMS_MAX])
    rest = len(streams) - _STREAMS_MAX
    more = f" and {rest} more" if rest > 0 else ""
    noun = "conversation" if len(streams) == 1 else "conversations"
    yield Answer(Question.WHERE, (), streams, f"Look first at {noun} {named}{more}.")
