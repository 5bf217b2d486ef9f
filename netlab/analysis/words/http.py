"""
Sentences of the topic C{http}.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from netlab.analysis.claims.claim import Claim
from netlab.analysis.words.causes import possible, rule
from netlab.analysis.words.phrases import amount, cited, frames, last, nothing, time, whole, word


def _request(claim: Claim) -> str:
    name = word(claim, "request_text") or word(claim, "method")
    return f"Request {whole(claim, 'number')}: {name} ({amount(claim, 'request_bytes')}"


def _answer(claim: Claim) -> str:
    name = word(claim, "answer_text") or word(claim, "status")
    first = whole(claim, "answer_first")
    where = [frame for frame in claim.frames if frame >= first]
    return f"{name} ({amount(claim, 'answer_bytes')}, {cited(where)})"


def _close(claim: Claim) -> str:
    if claim.figures["close"]:
        return " The answer says Connection: close, so it is the last on this connection."
    return ""


def _exchange(claim: Claim) -> str:
    first = whole(claim, "answer_first")
    where = [frame for frame in claim.frames if frame < first] or claim.frames[:1]
    if "waited_ns" in claim.figures:
        when = f" after {time(claim, 'waited_ns')}"
    else:
        when = " before it was complete" if "early" in claim.figures else ""
    if "announced" in claim.figures:
        when += f": {whole(claim, 'came')} of {amount(claim, 'announced')} of its body had come"
    text = f"{_request(claim)}, {cited(where)}) is answered by {_answer(claim)}{when}."
    return text + _close(claim)


def _unanswered(claim: Claim) -> str:
    return f"{_request(claim)}, {frames(claim)}) has no answer in this capture."


def _not_followed(claim: Claim) -> str:
    if "request_bytes" not in claim.figures:
        return "It continues; it was not followed to its end, as the capture is large."
    return f"{_request(claim)}, {frames(claim)}) continues; it was not followed to its end."


def _goes_on(claim: Claim) -> str:
    return f"{_request(claim)}, {frames(claim)}) does not end in this capture."


def _answer_lost(claim: Claim) -> str:
    return (
        f"{_request(claim)}, {cited(claim.frames[:-1])}): {amount(claim, 'missing')} that the "
        f"server sent after it were acknowledged (#{claim.frames[-1]}) but not "
        f"captured.{possible(claim)}"
    )


def _upgrade(claim: Claim) -> str:
    protocol = word(claim, "protocol_text")
    to = f" to {protocol}" if protocol else ""
    return (
        f"{_request(claim)}, #{claim.frames[0]}) is answered by 101 Switching Protocols "
        f"(#{claim.frames[-1]}){rule(claim)}: from there on the connection is switched{to} and "
        "carries no HTTP/1.1."
    )


def _interim(claim: Claim) -> str:
    return (
        f"Before its final answer comes an interim one, status {whole(claim, 'status')} "
        f"({frames(claim)}){rule(claim)}."
    )


def _pipelined(claim: Claim) -> str:
    return (
        f"Request {whole(claim, 'number')} (#{claim.frames[-1]}) was sent before any of the "
        f"answer to the one before (#{claim.frames[0]}) had arrived: pipelining{rule(claim)}."
    )


def _broken(claim: Claim) -> str:
    return (
        f"Request {whole(claim, 'number')} ({frames(claim)}) breaks a rule{rule(claim)}: "
        f"{word(claim, 'fault')}."
    )


def _incomplete(claim: Claim) -> str:
    text = f"A request never became complete: {amount(claim, 'request_bytes')}"
    if "took_ns" in claim.figures:
        text += f" in {time(claim, 'took_ns')}"
    first = whole(claim, "answer_first")
    begun = [frame for frame in claim.frames if frame < first] or claim.frames[:1]
    where = f"#{begun[0]}" if len(begun) == 1 else f"#{begun[0]} to #{begun[-1]}"
    return f"{text} ({where}). It is answered by {_answer(claim)}.{_close(claim)}"


def _lost_request(claim: Claim) -> str:
    return f"An answer whose request was not captured: {_answer(claim)}.{_close(claim)}"


def _unasked(claim: Claim) -> str:
    return f"The server sends {_answer(claim)} without a request.{_close(claim)}"


def _unreadable_answer(claim: Claim) -> str:
    return (
        f"{_request(claim)}, #{claim.frames[0]}) is followed by data of the server "
        f"(#{claim.frames[-1]}) that cannot be read as an HTTP/1.1 answer."
    )


def _unreadable_request(claim: Claim) -> str:
    return (
        f"The client's data in #{claim.frames[0]} cannot be read as an HTTP/1.1 request; after it "
        f"comes {_answer(claim)}.{_close(claim)}"
    )


def _unreadable_body(claim: Claim) -> str:
    return f"That answer ({frames(claim)}) cannot be read to its end."


def _missing(claim: Claim) -> str:
    return f"{amount(claim, 'missing')} of that answer ({frames(claim)}) were not captured."


def _with_stream(claim: Claim) -> str:
    end = claim.frames[-1]
    first = whole(claim, "answer_first")
    if whole(claim, "in_tls"):
        return (
            f"It states no length, so the server's close_notify (#{end}) is its end{rule(claim)}."
        )
    return (
        f"It states no length, so the server's FIN (#{end}) is its end{rule(claim)}; Wireshark "
        f"shows the {whole(claim, 'status')} there, though it travelled in #{first}."
    )


def _surplus(claim: Claim) -> str:
    end = f"its {amount(claim, 'body_bytes')} of body"
    if claim.figures.get("announced") == 0 or not whole(claim, "body_bytes"):
        end = "its head: it has no body"
    return (
        f"That answer (#{claim.frames[0]}) ends with {end}{rule(claim)}, yet the server sends more "
        f"({last(claim)}), which begins no other answer: a client discards it, or takes it for the "
        "next one."
    )


def _cut(claim: Claim) -> str:
    text = f"The end of that answer ({frames(claim)}) is not in this capture"
    if "announced" in claim.figures:
        text += f": {whole(claim, 'came')} of {amount(claim, 'announced')} came"
    return f"{text}."


WORDS: Final[Mapping[str, Callable[[Claim], str]]] = {
    "http.exchange": _exchange,
    "http.unanswered": _unanswered,
    "http.not-followed": _not_followed,
    "http.request-goes-on": _goes_on,
    "http.answer-not-captured": _answer_lost,
    "http.upgrade": _upgrade,
    "http.interim": _interim,
    "http.pipelined": _pipelined,
    "http.rule-broken": _broken,
    "http.request-incomplete": _incomplete,
    "http.request-not-captured": _lost_request,
    "http.unasked": _unasked,
    "http.answer-unreadable": _unreadable_answer,
    "http.request-unreadable": _unreadable_request,
    "http.body-unreadable": _unreadable_body,
    "http.bytes-not-captured": _missing,
    "http.ends-with-the-stream": _with_stream,
    "http.answer-incomplete": _cut,
    "http.surplus": _surplus,
}

FRAME_WORDS: Final[Mapping[str, Callable[[Claim], str]]] = {
    **dict.fromkeys(WORDS, nothing),
    "http.surplus": _surplus,
    "http.rule-broken": _broken,
    "http.pipelined": _pipelined,
}
