"""
Expectations of what HTTP messages a conversation carries, for exchanges other than the reference's.
"""

from __future__ import annotations

from collections.abc import Sequence

from netlab.analysis.expectations.expectations import (
    SECOND_NS,
    Cast,
    Expectation,
    Shown,
    count_of,
    ends_of,
    expect_of,
)
from netlab.analysis.http.messages import HTTPExchange, status_of
from netlab.analysis.observations.dialogue import Dialogue
from netlab.http1.sansio.framing import Delimited
from netlab.http1.sansio.messages import RequestHead


def statuses(number: int, expected: Sequence[int]) -> Expectation:
    """
    Expect final answers with these statuses, in this order, each complete.

    @param number: of the conversation.
    """

    def check(dialogue: Dialogue) -> Shown:
        found = [one.response for one in dialogue.http.exchanges if one.response is not None]
        frames = tuple(sorted({message.first_frame for message in found}))
        got = [status_of(message) for message in found]
        told = ", ".join(map(str, got)) or "no answer"
        if any(message.end is None for message in found):
            return Shown(False, f"{told}; not all complete", frames)
        return Shown(got == list(expected), told, frames)

    told = ", ".join(map(str, expected))
    return expect_of(number, "statuses", f"carries answers with status {told}", check)


def continues(number: int) -> Expectation:
    """
    Expect 100 (Continue) between the head of a request and its content (RFC 9110 section 10.1.1).
    """

    def check(dialogue: Dialogue) -> Shown:
        for one in dialogue.http.exchanges:
            if one.request is None or not one.interim:
                continue
            request, interim = one.request, one.interim[0]
            frames = tuple(sorted({request.head_frame, interim.first_frame, request.last_frame}))
            is_met = (
                status_of(interim) == 100
                and request.head_frame < interim.first_frame < request.last_frame
            )
            told = f"{status_of(interim)}, then {count_of(request.content_length, 'byte')}"
            return Shown(is_met, told, frames)
        return Shown(False, "no interim answer", _frames(dialogue.http.exchanges))

    sentence = "carries 100 (Continue) before the content of a request"
    return expect_of(number, "continues", sentence, check)


def withholds_content(number: int) -> Expectation:
    """
    Expect a final answer to a request whose content is never sent.
    """

    def check(dialogue: Dialogue) -> Shown:
        for one in dialogue.http.exchanges:
            if one.request is not None and one.response is not None:
                frames = tuple(sorted({one.request.head_frame, one.response.first_frame}))
                told = f"{count_of(one.request.content_length, 'byte')} of content"
                return Shown(not one.request.content_length and not one.interim, told, frames)
        return Shown(False, "no request was answered", _frames(dialogue.http.exchanges))

    sentence = "carries a final answer before any content of the request"
    return expect_of(number, "withholds-content", sentence, check)


def pipelines(number: int, count: int) -> Expectation:
    """
    Expect a number of requests that did not wait for the answers before them, all answered.

    @param count: how many requests in all.
    """

    def check(dialogue: Dialogue) -> Shown:
        found = dialogue.http.exchanges
        pipelined = sum(one.is_pipelined for one in found)
        answered = sum(one.response is not None and one.request is not None for one in found)
        told = f"{count_of(len(found), 'request')}, {pipelined} early, {answered} answered"
        is_met = len(found) == answered == count and pipelined == count - 1
        return Shown(is_met, told, _frames(found))

    sentence = f"carries {count_of(count, 'request')}, all sent before the first answer"
    return expect_of(number, "pipelines", sentence, check)


def answers_in_chunks(number: int) -> Expectation:
    """
    Expect an answer that is delimited by its chunks (RFC 9112 section 7.1).
    """

    def check(dialogue: Dialogue) -> Shown:
        for one in dialogue.http.exchanges:
            if one.response is None:
                continue
            frames = tuple(sorted({one.response.first_frame, one.response.last_frame}))
            ending = one.response.end.value if one.response.end is not None else "nothing"
            is_met = one.response.framing is Delimited.CHUNKED
            return Shown(is_met and one.response.end is not None, f"ended by {ending}", frames)
        return Shown(False, "no answer", _frames(dialogue.http.exchanges))

    return expect_of(number, "chunked", "carries an answer in chunks", check)


def answers_after(number: int, least: float, most: float) -> Expectation:
    """
    Expect the server's first byte a number of seconds after the client's first.
    """

    def check(dialogue: Dialogue) -> Shown:
        up = next((turn for turn in dialogue.turns if turn.from_client), None)
        down = next((turn for turn in dialogue.turns if not turn.from_client), None)
        if up is None or down is None:
            return Shown(False, "not both ends say something")
        waited = (down.first.time_ns - up.first.time_ns) / SECOND_NS
        frames = (up.first.frame, down.first.frame)
        return Shown(least <= waited <= most, f"after {waited:.3f} s", frames)

    sentence = f"carries the server's first byte {least:g} to {most:g} s after the client's"
    return expect_of(number, "answers-after", sentence, check)


def asks_on_one_only(status: int) -> Expectation:
    """
    Expect one connection with one request, answered with a status, and no byte on any other.
    """

    def check(cast: Cast) -> Shown:
        talking = [dialogue for dialogue in cast if dialogue.turns]
        spare = len(cast) - len(talking)
        told = f"{count_of(len(talking), 'connection')} with data, {spare} without"
        if len(talking) != 1 or not spare:
            return Shown(False, told, ends_of(cast))
        found = talking[0].http.exchanges
        got = [status_of(one.response) for one in found if one.response is not None]
        return Shown(got == [status], f"{told}; {', '.join(map(str, got))}", _frames(found))

    sentence = f"One connection carries a request and {status}, the others not one byte"
    return Expectation("asks-on-one-only", sentence, check)


def asks_somewhere(path: bytes, status: int) -> Expectation:
    """
    Expect a request for a path on any connection, answered completely with a status.
    """

    def check(cast: Cast) -> Shown:
        found = [one for _, one in _requests(cast, path)]
        got = [status_of(one.response) for one in found if one.response is not None]
        told = f"{count_of(len(found), 'request')}, {', '.join(map(str, got)) or 'no answer'}"
        whole = [one for one in found if one.response is not None and one.response.end is not None]
        is_met = any(status_of(one.response) == status for one in whole if one.response is not None)
        return Shown(is_met, told, _frames(found) or ends_of(cast))

    name = f"asks-for{path.decode('ascii', 'replace').replace('/', '-')}"
    return Expectation(name, f"Somebody asks for {path.decode()!a} and gets {status}", check)


def asks_apart(first: bytes, second: bytes) -> Expectation:
    """
    Expect requests for two paths, the second later and on another connection.
    """

    def check(cast: Cast) -> Shown:
        before, after = _requests(cast, first), _requests(cast, second)
        if not before or not after:
            return Shown(False, "not both are asked for", ends_of(cast))
        (where, one), (elsewhere, another) = before[0], after[0]
        frames = _frames([one, another])
        if where is elsewhere:
            return Shown(False, "both are asked for on the same connection", frames)
        is_met = frames[0] in _frames([one])
        return Shown(is_met, "on two connections" if is_met else "in the other order", frames)

    told = f"{first.decode()!a} and {second.decode()!a}"
    return Expectation("asks-apart", f"{told} are asked for on two connections, in turn", check)


def _requests(cast: Cast, path: bytes) -> list[tuple[Dialogue, HTTPExchange]]:
    return [
        (dialogue, one)
        for dialogue in cast
        for one in dialogue.http.exchanges
        if one.request is not None
        and isinstance(one.request.head, RequestHead)
        and one.request.head.target.path == path
    ]


def _frames(found: Sequence[HTTPExchange]) -> tuple[int, ...]:
    messages = [message for one in found for message in (one.request, one.response)]
    return tuple(sorted({message.first_frame for message in messages if message is not None}))
