"""
Why there is a connection at all: after those of the same client before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from netlab.analysis.claims.closing import Close, How
from netlab.analysis.claims.httpnotes import says_close
from netlab.analysis.claims.story import Passage, PassageKind
from netlab.analysis.claims.units import duration
from netlab.analysis.observations.facts import Facts, Point

#: How a connection ends that never was one.
_WITHOUT_CLOSE: Final = (How.REFUSED, How.OPEN)


def why_of(stream: int, known: Mapping[int, Facts], closes: Mapping[int, Close]) -> Passage:
    """
    Say why there is this connection, after those before it.

    @param stream: Its number.
    @param known: What was gathered of the conversations that are told, by number.
    @param closes: How they ended.
    """
    facts = known[stream]
    client, server = facts.dialogue.client, facts.dialogue.server
    before = [
        other
        for other in range(stream)
        if (peer := known.get(other)) is not None
        and peer.dialogue.server.raw_address == server.raw_address
        and peer.dialogue.server.port == server.port
        and peer.dialogue.client.raw_address == client.raw_address
    ]
    frames: tuple[int, ...] = (facts.first.number,)
    is_empty = not facts.has_data
    if not before:
        text = "The first connection of this client to this server."
        if is_empty and closes[stream].how is not How.REFUSED:
            text += " It carries not a byte."
    else:
        other = before[-1]
        reason, cited = _reason(known[other], closes[other], facts.first)
        frames = tuple(sorted({*cited, *frames}))
        if is_empty and _is_attempt(facts, closes[stream]):
            text = f"Another attempt to connect, from port {client.port}. {reason}"
        elif is_empty:
            text = (
                "A spare connection: opened in advance, it carries not a byte. Browsers open "
                f"such ones, to have one at hand. {reason}"
            )
        else:
            text = f"A new connection, from port {client.port}. {reason}"
    return Passage(PassageKind.WHY, frames, facts.first.time_ns, facts.first.time_ns, text.rstrip())


def _is_attempt(facts: Facts, close: Close) -> bool:
    """
    Tell whether a client asked for a connection and, as far as was captured, got none.
    """
    has_answer = facts.dialogue.syn_ack is not None
    return facts.dialogue.syn is not None and not has_answer and close.how in _WITHOUT_CLOSE


def _reason(facts: Facts, close: Close, now: Point) -> tuple[str, tuple[int, ...]]:
    """
    Say in what state the last connection was when a new one was opened.
    """
    stream = facts.conversation.stream
    name = f"conversation {stream}"
    if facts.reset is not None and facts.reset.at.time_ns <= now.time_ns:
        number = facts.reset.at.number
        how = "refused" if close.how is How.REFUSED else "reset"
        return f"The one before, {name}, had been {how} (#{number}).", (number,)
    server = facts.server_side.fin
    if (
        server is not None
        and server.at.time_ns <= now.time_ns
        and close.first != facts.dialogue.client.index
    ):
        number = server.at.number
        announced = [
            exchange.response.first_frame
            for exchange in facts.dialogue.http.exchanges
            if exchange.response is not None and says_close(exchange.response)
        ]
        if facts.skimmed is not None and facts.skimmed.announced_close:
            announced.append(facts.skimmed.announced_close)
        if announced:
            at = announced[-1]
            text = (
                f"The server had closed the one before, {name} (#{number}), as its answer had said "
                f"(Connection: close, #{at})."
            )
            return text, (at, number)
        if close.idle_ns:
            text = (
                f"The server had closed the one before, {name} (#{number}), after "
                f"{duration(close.idle_ns)} without a request."
            )
            return text, (number,)
        return f"The server had closed the one before, {name} (#{number}).", (number,)
    client = facts.client_side.fin
    if client is not None and client.at.time_ns <= now.time_ns:
        number = client.at.number
        return f"The client had closed the one before, {name} (#{number}), itself.", (number,)
    return f"The one before, {name}, was still open.", ()
