"""
A conversation told: how it opened, what was said, when nothing was, how it ended.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from netlab.analysis.claims.claim import Claim
from netlab.analysis.claims.judges import by_last_frame
from netlab.analysis.explanation.books import Books
from netlab.analysis.explanation.framestories import frame_story, mark_names
from netlab.analysis.explanation.httpnotes import more_exchanges, notes_of
from netlab.analysis.explanation.keeping import Kept
from netlab.analysis.explanation.passages import passages_of
from netlab.analysis.explanation.privacy import Discretion
from netlab.analysis.explanation.story import (
    ConversationStory,
    Endpoint,
    FrameKind,
    FrameStory,
    Passage,
    PassageKind,
)
from netlab.analysis.explanation.titles import title_of
from netlab.analysis.observations.dialogue import Turn
from netlab.analysis.observations.facts import Facts
from netlab.analysis.tcp.conversation import Completeness
from netlab.analysis.tcp.frames import Mark
from netlab.analysis.words.units import count, duration

TURNS_TOLD_MAX: Final = 100
"""How many turns of a conversation that is not HTTP are described one by one."""

#: Marks that mean that something went wrong, or looks so, in the order in which they are reported.
_TROUBLES: Final = (
    Mark.RETRANSMISSION,
    Mark.OUT_OF_ORDER,
    Mark.DUPLICATE_ACK,
    Mark.LOST_SEGMENT,
    Mark.ACK_LOST_SEGMENT,
    Mark.ZERO_WINDOW,
    Mark.WINDOW_FULL,
    Mark.KEEP_ALIVE,
    Mark.REUSED_PORTS,
)

_AT_THE_TOP: Final = frozenset({PassageKind.WHY, PassageKind.OPENING})
_IN_ORDER: Final = frozenset({PassageKind.EXCHANGE, PassageKind.CLOSE})


def conversation_story(
    facts: Facts,
    frames: Sequence[Kept],
    discretion: Discretion,
    claims: tuple[Claim, ...],
    start_ns: int,
) -> ConversationStory:
    """
    Tell a conversation.

    @param facts: What was gathered of it.
    @param frames: Those of its frames that are to be told, in order, from the first.
    @param discretion: What is left out.
    @param claims: What is claimed of it.
    @param start_ns: The capture's first time.
    """
    dialogue = facts.dialogue
    client, server = dialogue.client, dialogue.server
    if dialogue.http.is_http:
        skimmed = facts.skimmed.requests if facts.skimmed else 0
        exchanges = list(more_exchanges(dialogue.http, skimmed, facts.last.time_ns))
    elif facts.history.tls is not None:
        # The turns of what is encrypted are the handshake's as much as the programs'.
        exchanges = []
    else:
        has_more = dialogue.has_more_turns or bool(facts.skimmed and facts.skimmed.has_data)
        exchanges = list(
            _turn_passages(
                dialogue.turns,
                frozenset(each.frames[-1] for each in claims if each.kind == "windows.beyond"),
                has_more=has_more,
                quotes=discretion.quotes,
            )
        )
    told = list(passages_of(claims, facts.history, start_ns))
    in_order = sorted(
        [*exchanges, *_idle_passages(facts), *(each for each in told if each.kind in _IN_ORDER)],
        key=lambda each: each.start_ns,
    )
    passages = (
        *(each for each in told if each.kind in _AT_THE_TOP),
        *in_order,
        *(each for each in told if each.kind not in _IN_ORDER | _AT_THE_TOP),
        *_troubles(facts),
    )
    return ConversationStory(
        stream=facts.conversation.stream,
        client=Endpoint(discretion.address(client.raw_address), client.port),
        server=Endpoint(discretion.address(server.raw_address), server.port),
        start_ns=facts.first.time_ns,
        end_ns=facts.last.time_ns,
        title=title_of(facts, claims),
        passages=passages,
        frames=_frame_stories(facts, frames, discretion, claims),
        frame_count=facts.frame_count,
        completeness=facts.conversation.completeness,
        claims=claims,
        unseen=_unseen(facts),
        sent=(0, 0)
        if facts.history.is_whole
        else (facts.client_side.byte_count, facts.server_side.byte_count),
    )


def _unseen(facts: Facts) -> str:
    """
    Name the end of which no segment was captured.
    """
    for name, flow in (("client", facts.dialogue.client), ("server", facts.dialogue.server)):
        if not flow.frames:
            return name
    return ""


def completeness_text(completeness: int) -> str:
    """
    Say what of a connection's life was captured.

    @param completeness: C{tcp.completeness}.
    """
    parts = (
        (Completeness.SYN, "SYN"),
        (Completeness.SYN_ACK, "SYN-ACK"),
        (Completeness.ACK, "ACK"),
        (Completeness.DATA, "data"),
        (Completeness.FIN, "FIN"),
        (Completeness.RST, "RST"),
    )
    seen = [name for bit, name in parts if completeness & bit]
    opened = completeness & 7 == 7
    ended = completeness & (Completeness.FIN | Completeness.RST)
    if opened and ended:
        word = "complete"
    elif opened:
        word = "complete but for its end"
    elif completeness & (Completeness.SYN | Completeness.SYN_ACK):
        word = "without a whole handshake"
    elif ended:
        word = "complete but for its beginning"
    else:
        word = "a part from the middle"
    return f"{word} ({', '.join(seen) or 'no SYN, ACK, FIN or RST'})"


def _frame_stories(
    facts: Facts, frames: Sequence[Kept], discretion: Discretion, claims: Sequence[Claim]
) -> tuple[FrameStory, ...]:
    books = Books(facts.conversation)
    notes = notes_of(facts.dialogue.http.exchanges, quotes=discretion.quotes)
    effects = by_last_frame(claims)
    stories: list[FrameStory] = []
    for kept in frames:
        told = frame_story(
            books.enter(kept),
            notes,
            effects.get(kept.analysed.number, ()),
            is_from_client=kept.analysed.flow is facts.dialogue.client,
            discretion=discretion,
            is_judged=facts.history.is_whole,
        )
        if stories and _crosses(stories[-1], told):
            stories[-1] = stories[-1].crossed()
        stories.append(told)
    return tuple(stories)


def _crosses(before: FrameStory, after: FrameStory) -> bool:
    """
    Tell whether two frames passed each other: the second left before the first had arrived.

    Only FINs are judged. Of data one cannot tell: its receiver may have had it and not said so.
    """
    return (
        before.kind is FrameKind.CLOSING
        and after.kind is FrameKind.CLOSING
        and "FIN" in before.flags
        and "FIN" in after.flags
        and before.is_from_client != after.is_from_client
        and after.ack < before.nxtseq
    )


def _turn_passages(
    turns: Sequence[Turn], beyond: frozenset[int], *, has_more: bool, quotes: bool
) -> Iterator[Passage]:
    """
    Tell turns in pairs: what one end said, and what the other answered.

    @param beyond: frames outside the window.
    """
    index, number = 0, 0
    while index < len(turns) and number < TURNS_TOLD_MAX:
        number += 1
        asked = turns[index]
        answered = turns[index + 1] if index + 1 < len(turns) else None
        if number > 1 and asked.from_client != turns[0].from_client:
            answered = None
        who, other = ("client", "server") if asked.from_client else ("server", "client")
        frames = {asked.first.frame, asked.last.frame}
        text = f"The {who} sends {_turn(asked, beyond)}"
        end = asked.last.time_ns
        if answered is not None:
            frames |= {answered.first.frame, answered.last.frame}
            wait = answered.first.time_ns - asked.last.time_ns
            when = f"{duration(wait)} later" if wait >= 0 else "meanwhile"
            text += f"; {when} the {other} sends {_turn(answered, beyond)}"
            if quotes and _is_upper_case(asked, answered):
                text += ", the same text in capitals"
            end = answered.last.time_ns
        yield Passage(
            PassageKind.EXCHANGE,
            tuple(sorted(frames)),
            asked.first.time_ns,
            end,
            text + ".",
        )
        index += 1 if answered is None else 2
    if turns and (index < len(turns) or has_more):
        last = turns[index - 1].last
        rest = f"{len(turns) - index} or more" if has_more else f"{len(turns) - index}"
        text = f"{rest} more turns like these." if index < len(turns) else "And so on."
        yield Passage(PassageKind.EXCHANGE, (), last.time_ns, last.time_ns, text)


def _turn(turn: Turn, beyond: frozenset[int]) -> str:
    """
    Say how much was said in a turn, and where.

    @param beyond: frames outside the window: what comes before them was never sent.
    """
    frames = sorted({turn.first.frame, turn.last.frame})
    where = f"#{frames[0]}" if len(frames) == 1 else f"#{frames[0]} to #{frames[1]}"
    if turn.missing == turn.length:
        return f"{count(turn.length, 'byte')} that were not captured ({where})"
    text = f"{count(turn.length - turn.missing, 'byte')} ({where})"
    if turn.first.frame in beyond:
        return f"{text} outside the window"
    if turn.missing:
        text += f", and {count(turn.missing, 'byte')} that were not captured"
    return text


def _is_upper_case(asked: Turn, answered: Turn) -> bool:
    """
    Tell whether an answer is what the echo exchange asks for.
    """
    return (
        asked.is_whole
        and answered.is_whole
        and answered.text == asked.text.upper()
        and answered.text != asked.text
    )


def _idle_passages(facts: Facts) -> Iterator[Passage]:
    for idle in facts.idles:
        yield Passage(
            PassageKind.IDLE,
            (idle.before.number, idle.after.number),
            idle.before.time_ns,
            idle.after.time_ns,
            f"No segment for {duration(idle.length_ns)}, from #{idle.before.number} to "
            f"#{idle.after.number}.",
        )


def _troubles(facts: Facts) -> Iterator[Passage]:
    conversation = facts.conversation
    here = (facts.first.time_ns, facts.last.time_ns)
    if not facts.history.is_whole and 2 * conversation.copies >= facts.frame_count - 1 > 0:
        sentence = (
            f"{conversation.copies} of {facts.frame_count} frames are exact copies of the one "
            "before, which no retransmission is, even where it is marked as one. Possible causes: "
            "two interfaces or a mirror port captured it, or a loopback going and coming."
        )
        yield Passage(PassageKind.UNUSUAL, (facts.first.number,), *here, sentence)
        return
    # Where all segments are kept, claims tell more, and what Wireshark's marks do not know.
    for mark in _TROUBLES if not facts.history.is_whole else (Mark.REUSED_PORTS,):
        number, first = facts.marks.get(int(mark), (0, 0))
        if number:
            (name,) = mark_names(int(mark))
            where = f"in #{first}" if number == 1 else f"first in #{first}"
            sentence = (
                f"{count(number, f'frame is marked {name}', f'frames are marked {name}')}, {where}."
            )
            yield Passage(PassageKind.UNUSUAL, (first,), *here, sentence)
