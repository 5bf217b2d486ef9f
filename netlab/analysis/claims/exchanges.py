"""
What HTTP said in a connection, as far as it was captured: claims of the topic C{http}.

How many bytes of each direction the capture lacks is seen by what the other end acknowledges: what
was not captured may be a request or an answer, and then neither is claimed not to have been sent.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator
from typing import Final

from netlab.analysis.claims.claim import Claim, Figure, Known
from netlab.analysis.explanation.httpnotes import message_name, says_close
from netlab.analysis.http.exchange import ENDED_EARLY, NO_ANSWER
from netlab.analysis.http.messages import HTTPExchange, Message, MessageEnd, status_of
from netlab.analysis.observations.history import History, Sent
from netlab.http1.sansio.messages import RequestHead

EXCHANGES_CLAIMED_MAX: Final = 1000
"""Of how many exchanges of a conversation something is claimed, the first ones."""

HOLES_MAX: Final = 4096
"""How many segments behind holes are remembered of a direction."""


class _Seen:
    """
    What was captured and acknowledged of each direction up to each segment.
    """

    __slots__ = ("_acked", "_index", "_said", "_unseen", "segments")

    def __init__(self, history: History) -> None:
        self.segments = history.segments
        self._index = {each.number: at for at, each in enumerate(history.segments)}
        self._acked: list[tuple[int, int]] = []
        self._said: list[tuple[int, int]] = []
        self._unseen: list[tuple[int, int]] = []
        ends = (_Direction(), _Direction())
        for at, each in enumerate(history.segments):
            if not each.has_rst:
                if each.length or each.has_fin:
                    ends[each.sender].take(each, at if each.length else None)
                if each.ack is not None:
                    ends[1 - each.sender].acknowledge(each.ack)
            self._acked.append((ends[0].acked, ends[1].acked))
            self._said.append((ends[0].said, ends[1].said))
            self._unseen.append((ends[0].unseen, ends[1].unseen))

    def at(self, frame: int) -> int | None:
        """
        Give the place of a frame's segment.
        """
        return self._index.get(frame)

    def unseen(self, sender: int, after: int | None, until: int) -> int:
        """
        Count the numbers of an end that were acknowledged between two segments, and that no frame
        of the capture carried by then.

        @param after: the place of the first segment; None for the beginning.
        """
        before = 0 if after is None else self._unseen[after][sender]
        return max(0, self._unseen[until][sender] - before)

    def acked(self, sender: int, at: int) -> int:
        """
        Give what had been acknowledged of an end by then.
        """
        return self._acked[at][sender]

    def has_spoken(self, sender: int, after: int, before: int) -> bool:
        """
        Tell whether an end sent data between two segments.
        """
        return before > 0 and self._said[before - 1][sender] > after

    def spoken(self, sender: int, after: int) -> Sent:
        """
        Give the first segment with data that an end sent after one.
        """
        return next(
            each
            for each in self.segments[after + 1 :]
            if each.sender == sender and not each.has_rst and each.length
        )


class _Direction:
    """
    One end's numbers: what was captured, and what was acknowledged and not captured.
    """

    __slots__ = ("_lost", "_reached", "_waiting", "acked", "said")

    def __init__(self) -> None:
        self.acked = 1
        self.said = -1
        self._lost = 0
        self._reached = 1
        self._waiting: list[tuple[int, int]] = []

    @property
    def unseen(self) -> int:
        """How many numbers were acknowledged that no frame carried."""
        return self._lost + max(0, self.acked - self._reached)

    def take(self, sent: Sent, at: int | None) -> None:
        """
        Take a segment with data or FIN.

        @param at: its place, if it has data.
        """
        if at is not None:
            self.said = at
        if sent.data_start > self._reached:
            if len(self._waiting) < HOLES_MAX:
                insort(self._waiting, (sent.data_start, sent.end))
            self._fill()
            return
        self._reached = max(self._reached, sent.end)
        self._fill()

    def acknowledge(self, ack: int) -> None:
        """
        Take an acknowledgement.
        """
        self.acked = max(self.acked, ack)
        self._fill()

    def _fill(self) -> None:
        """
        Go on over what is there, and over holes that were acknowledged.
        """
        while self._waiting:
            start, end = self._waiting[0]
            if start > self._reached:
                if start > self.acked:
                    return
                self._lost += start - self._reached
            self._reached = max(self._reached, end)
            self._waiting.pop(0)


def claims_of(history: History) -> Iterator[Claim]:
    """
    Judge what HTTP said.
    """
    reader = history.http
    if not reader.is_http:
        return
    seen = _Seen(history)
    before: HTTPExchange | None = None
    told = reader.exchanges[:EXCHANGES_CLAIMED_MAX]
    for number, exchange in enumerate(told, 1):
        after = told[number] if number < len(told) else None
        yield from _of_exchange(history, seen, (before, exchange, after), number)
        before = exchange
    if told:
        yield from _surplus(history, seen, told[-1], len(told))


def _of_exchange(
    history: History,
    seen: _Seen,
    three: tuple[HTTPExchange | None, HTTPExchange, HTTPExchange | None],
    number: int,
) -> Iterator[Claim]:
    """
    Judge an exchange, between the one before and the one after it.
    """
    before, exchange, _ = three
    request, response = exchange.request, exchange.response
    if request is None:
        if response is not None:
            yield _without_request(history, seen, (before, exchange), response, number)
    else:
        if request.fault:
            yield Claim(
                "http.rule-broken",
                _frames(request),
                Known.FOLLOWS,
                {"number": number, "fault": request.fault},
                "RFC 9112 section 3.2" if "Host" in request.fault else "RFC 9112 section 2.2",
                who="client",
            )
        if before is not None and _is_pipelined(history, seen, before, request):
            assert before.request is not None
            yield Claim(
                "http.pipelined",
                (before.request.last_frame, request.first_frame),
                Known.FOLLOWS,
                {"number": number},
                "RFC 9112 section 9.3.2",
                who="client",
            )
        yield from _of_request(history, seen, three, request, number)
    for interim in exchange.interim:
        status = status_of(interim)
        if status != 101:
            assert status is not None
            yield Claim(
                "http.interim",
                _frames(interim),
                Known.FOLLOWS,
                {"number": number, "status": status},
                "RFC 9110 section 15.2",
                who="server",
            )
    if response is not None:
        yield from _of_response(history, response, number)


def _frames(*messages: Message) -> tuple[int, ...]:
    return tuple(
        sorted(
            {
                frame
                for message in messages
                for frame in (message.first_frame, message.head_frame, message.last_frame)
            }
        )
    )


def _request_figures(request: Message, number: int) -> dict[str, Figure]:
    assert isinstance(request.head, RequestHead)
    return {
        "number": number,
        "request_text": message_name(request, quotes=True),
        "method": message_name(request, quotes=False),
        "request_bytes": request.length,
    }


def _of_request(
    history: History,
    seen: _Seen,
    three: tuple[HTTPExchange | None, HTTPExchange, HTTPExchange | None],
    request: Message,
    number: int,
) -> Iterator[Claim]:
    """
    Judge what became of a request.

    @param three: its exchange, between the one before and the one after it.
    """
    before, exchange, after = three
    figures = _request_figures(request, number)
    response = exchange.response
    if response is not None:
        status = status_of(response)
        assert status is not None
        figures |= {
            "status": status,
            "answer_text": message_name(response, quotes=True),
            "answer_bytes": response.length,
            "head_bytes": response.head_length,
            "body_bytes": response.body_length,
            "close": int(says_close(response)),
            "answer_first": response.first_frame,
        }
        waited = response.first_time_ns - request.last_time_ns
        length = getattr(request.framing, "length", None)
        if request.end is None and isinstance(length, int) and history.is_whole:
            figures |= {"early": 1, "came": request.body_length, "announced": length}
        elif response.first_frame < request.last_frame:
            figures["early"] = 1
        elif waited >= 0:
            figures["waited_ns"] = waited
        yield Claim("http.exchange", _frames(request, response), figures=figures)
        return
    switched = next((each for each in exchange.interim if status_of(each) == 101), None)
    if switched is not None:
        protocol = switched.head.fields.get(b"upgrade") or b""
        yield Claim(
            "http.upgrade",
            _frames(request, switched),
            Known.FOLLOWS,
            {**figures, "protocol_text": protocol[:40].decode("ascii", "replace")},
            "RFC 9110 section 15.2.2",
            who="server",
        )
        return
    is_read = history.is_whole and not history.http.is_partial
    if request.end is MessageEnd.NOT_FOLLOWED or not is_read:
        yield Claim("http.not-followed", _frames(request), figures=figures)
        return
    server = 1 - history.client
    asked = seen.at(request.last_frame)
    if before is not None and before.response is not None and asked is not None:
        # Answers come in the order of their requests: until then it is not this one's turn.
        asked = max(asked, seen.at(before.response.last_frame) or 0)
    until = None
    if after is not None and after.request is not None:
        until = seen.at(after.request.first_frame)
    until = len(seen.segments) - 1 if until is None else until
    missing = 0 if asked is None or until < asked else seen.unseen(server, asked, until)
    if missing:
        covering = next(
            seen.segments[at].number
            for at in range(asked or 0, until + 1)
            if seen.unseen(server, asked, at)
        )
        yield Claim(
            "http.answer-not-captured",
            tuple(sorted({*_frames(request), covering})),
            Known.POSSIBLE,
            {**figures, "missing": missing},
            "RFC 9293 section 3.4",
            ("answer-in-missing-bytes", "unknown"),
            "server",
        )
    elif asked is not None and seen.has_spoken(server, asked, until + 1):
        spoken = seen.spoken(server, asked)
        yield Claim(
            "http.answer-unreadable",
            tuple(sorted({*_frames(request), spoken.number})),
            figures=figures,
            who="server",
        )
    elif request.end is None:
        yield Claim("http.request-goes-on", _frames(request), figures=figures, who="client")
    else:
        yield Claim(
            "http.unanswered",
            _frames(request),
            figures=figures,
            who="server",
        )


def _is_pipelined(history: History, seen: _Seen, before: HTTPExchange, request: Message) -> bool:
    """
    Tell whether a request was sent before anything of the answer to the last one was known: no byte
    of the server came between the two, captured or acknowledged.
    """
    if before.request is None or not history.is_whole:
        return False
    earlier = seen.at(before.request.last_frame)
    later = seen.at(request.first_frame)
    if earlier is None or later is None or earlier > later:
        return False
    answers = [*before.interim, *([before.response] if before.response else [])]
    if any(answer.first_frame < request.first_frame for answer in answers):
        return False
    server = 1 - history.client
    if seen.has_spoken(server, earlier, later):
        return False
    return seen.acked(server, earlier) == seen.acked(server, later)


def _without_request(
    history: History,
    seen: _Seen,
    pair: tuple[HTTPExchange | None, HTTPExchange],
    response: Message,
    number: int,
) -> Claim:
    """
    Judge an answer without a request.

    @param pair: the exchange before its own, and its own.
    """
    before, exchange = pair
    status = status_of(response)
    assert status is not None
    figures: dict[str, Figure] = {
        "number": number,
        "status": status,
        "answer_text": message_name(response, quotes=True),
        "answer_bytes": response.length,
        "close": int(says_close(response)),
        "answer_first": response.first_frame,
    }
    frames = _frames(response)
    begun = exchange.begun
    if begun is not None and begun.last_frame <= response.first_frame:
        figures |= {"request_bytes": begun.length}
        passed = begun.last_time_ns - begun.first_time_ns
        if passed >= 0:
            figures["took_ns"] = passed
        return Claim(
            "http.request-incomplete",
            tuple(sorted({begun.first_frame, begun.last_frame, *frames})),
            Known.SEEN,
            figures,
            who="client",
        )
    at = seen.at(response.first_frame)
    begins = any(each.has_syn for each in seen.segments[:8])
    last = None
    if before is not None:
        message = before.response or before.request
        last = None if message is None else seen.at(message.first_frame)
    if at is None or not begins or seen.unseen(history.client, last, at) > 0:
        return Claim("http.request-not-captured", frames, figures=figures, who="client")
    if seen.has_spoken(history.client, -1 if last is None else last, at):
        spoken = seen.spoken(history.client, -1 if last is None else last)
        return Claim(
            "http.request-unreadable",
            tuple(sorted({spoken.number, *frames})),
            figures=figures,
            who="client",
        )
    return Claim("http.unasked", frames, figures=figures, who="server")


def _of_response(history: History, response: Message, number: int) -> Iterator[Claim]:
    """
    Judge how an answer ended, and what of it is not here.
    """
    frames = _frames(response)
    if response.missing:
        yield Claim(
            "http.bytes-not-captured",
            frames,
            figures={"number": number, "missing": response.missing},
            who="server",
        )
    if response.end is MessageEnd.END_OF_STREAM and response.end_frame is not None:
        status = status_of(response)
        assert status is not None
        alert = None if history.tls is None else history.tls.close_notify(from_client=False)
        is_notified = alert is not None and alert.travel.frames[-1] == response.end_frame
        yield Claim(
            "http.ends-with-the-stream",
            tuple(sorted({*frames, response.end_frame})),
            Known.FOLLOWS,
            {
                "number": number,
                "status": status,
                "answer_first": response.first_frame,
                "in_tls": int(is_notified),
            },
            "RFC 9112 section 9.8" if is_notified else "RFC 9112 section 6.3",
            who="server",
        )
    elif response.end is MessageEnd.NOT_FOLLOWED:
        yield Claim("http.not-followed", frames, figures={"number": number})
    elif response.end is None and _is_unreadable(history, response):
        yield Claim("http.body-unreadable", frames, figures={"number": number}, who="server")
    elif response.end is None:
        figures: dict[str, Figure] = {"number": number, "came": response.body_length}
        length = getattr(response.framing, "length", None)
        if isinstance(length, int):
            figures["announced"] = length
        yield Claim("http.answer-incomplete", frames, figures=figures, who="server")


def _surplus(history: History, seen: _Seen, last: HTTPExchange, number: int) -> Iterator[Claim]:
    """
    Find bytes of the server after the end of its last answer that begin no other.
    """
    fault, response = history.http.fault, last.response
    if fault is None or fault.from_client or fault.reason != NO_ANSWER or response is None:
        return
    if response.end_frame is None or response.end_frame > fault.frame:
        return
    at = seen.at(fault.frame)
    if at is None or seen.unseen(1 - history.client, None, at):
        return
    length = getattr(response.framing, "length", None)
    figures: dict[str, Figure] = {"number": number, "body_bytes": response.body_length}
    if isinstance(length, int):
        figures["announced"] = length
    yield Claim(
        "http.surplus",
        tuple(sorted({response.head_frame, response.end_frame, fault.frame})),
        Known.FOLLOWS,
        figures,
        "RFC 9112 section 6.3",
        who="server",
    )


def _is_unreadable(history: History, response: Message) -> bool:
    """
    Tell whether reading stopped within an answer because of what came.
    """
    fault = history.http.fault
    return (
        fault is not None
        and not fault.from_client
        and fault.frame >= response.first_frame
        and not fault.reason.startswith(ENDED_EARLY)
    )
