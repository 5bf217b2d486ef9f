"""
Expectations of the HTTP messages of a conversation.
"""

from __future__ import annotations

from collections.abc import Sequence

from netlab.analysis.expectations.expectations import Expectation, Shown, count_of, expect_of
from netlab.analysis.http.messages import HTTPExchange
from netlab.analysis.observations.dialogue import Dialogue
from netlab.http1.sansio.errors import RemoteProtocolError
from netlab.http1.sansio.messages import RequestHead, ResponseHead
from netlab.http1.sansio.target import parse_target


def exchanges(number: int, count: int) -> Expectation:
    """
    Expect a number of requests, each answered and none before the one before it was.

    @param number: of the conversation.
    @param count: how many.
    """

    def check(dialogue: Dialogue) -> Shown:
        found = dialogue.http.exchanges
        frames = _frames_of(found)
        if dialogue.http.fault is not None and not found:
            fault = dialogue.http.fault
            return Shown(False, f"this is not HTTP: {fault.reason}", (fault.frame,))
        complete = [one for one in found if one.request is not None and one.response is not None]
        if len(found) != count or dialogue.http.exchanges_uncounted:
            return Shown(False, f"{count_of(len(found), 'request')}", frames)
        if len(complete) != count:
            return Shown(False, f"{len(complete)} of {count} requests were answered", frames)
        if any(one.is_pipelined for one in found):
            return Shown(False, "a request was sent before the answer to the one before", frames)
        return Shown(True, count_of(count, "request") + ", each with its answer", frames)

    sentence = f"carries {count_of(count, 'request')}" + (", one after the other" * (count > 1))
    return expect_of(number, "exchanges", sentence, check)


def requests(number: int, at: int, path: bytes | None, *, is_persistent: bool) -> Expectation:
    """
    Expect a GET.

    @param number: of the conversation.
    @param at: which request of it, from 0.
    @param path: for what; C{None} for anything.
    @param is_persistent: whether it must ask for the connection to be kept.
    """

    def check(dialogue: Dialogue) -> Shown:
        one = _exchange(dialogue, at)
        if one is None or one.request is None or not isinstance(one.request.head, RequestHead):
            return Shown(False, "there is no such request", _frames_of(dialogue.http.exchanges))
        head = one.request.head
        frames = (one.request.first_frame, one.request.last_frame)
        told = f"{_text(head.method)} {_text(head.target.path)}, {one.request.length} bytes"
        options = head.fields.tokens(b"connection")
        keeps = b"close" not in options and (head.version >= (1, 1) or b"keep-alive" in options)
        is_met = (
            head.method == b"GET"
            and (path is None or head.target.path == path)
            and (keeps or not is_persistent)
        )
        if is_persistent and not keeps:
            told += ", which asks for the connection to be closed"
        return Shown(is_met, told, tuple(sorted(set(frames))))

    what = "a page" if path is None else _text(path)
    keeping = " and asks to keep the connection" if is_persistent else ""
    sentence = f"asks for {what}{keeping}"
    return expect_of(number, f"request-{at + 1}", sentence, check)


def answers(
    number: int, at: int, status: int, content_length: int, *, location: bytes | None = None
) -> Expectation:
    """
    Expect an answer.

    @param number: of the conversation.
    @param at: to which request of it, from 0.
    @param status: its status.
    @param content_length: how many bytes of content it has.
    @param location: what its Location field says.
    """

    def check(dialogue: Dialogue) -> Shown:
        one = _exchange(dialogue, at)
        if one is None or one.response is None or not isinstance(one.response.head, ResponseHead):
            return Shown(False, "there is no such answer", _frames_of(dialogue.http.exchanges))
        answer, head = one.response, one.response.head
        frames = tuple(sorted({answer.first_frame, answer.last_frame}))
        told = (
            f"{head.status}, {count_of(answer.content_length, 'byte')} of content "
            f"after {answer.head_length} bytes of head"
        )
        is_met = head.status == status and answer.content_length == content_length
        if answer.end is None:
            is_met, told = False, told + "; it never ended"
        where = head.fields.get_all(b"location")
        if location is not None and not _leads_to(where, location):
            told += f"; Location: {_text(where[0])}" if where else "; no Location"
            is_met = False
        return Shown(is_met, told, frames)

    to = f" to {_text(location)}" if location is not None else ""
    amount = count_of(content_length, "byte") if content_length else "no byte"
    sentence = f"answers with {status}{to} and {amount} of content"
    return expect_of(number, f"answer-{at + 1}", sentence, check)


def _exchange(dialogue: Dialogue, at: int) -> HTTPExchange | None:
    found = dialogue.http.exchanges
    return found[at] if at < len(found) else None


def _frames_of(found: Sequence[HTTPExchange]) -> tuple[int, ...]:
    """
    List the frames in which messages begin.
    """
    messages = [message for one in found for message in (one.request, one.response)]
    return tuple(sorted({message.first_frame for message in messages if message is not None}))


def _leads_to(where: Sequence[bytes], path: bytes) -> bool:
    """
    Say whether a Location leads to a path, written in full or not (RFC 9110 section 10.2.2).
    """
    if len(where) != 1:
        return False
    try:
        return parse_target(b"GET", where[0]).path == path
    except RemoteProtocolError:
        return False


def _text(raw: bytes) -> str:
    """
    Write bytes of a message for a person, at most 80 of them.
    """
    return ascii(raw[:80].decode("latin-1"))[1:-1]
