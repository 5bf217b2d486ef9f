"""
HTTP messages in a few words, and the passages that tell a conversation's exchanges.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from netlab.analysis.claims.findings import Finding, Verdict
from netlab.analysis.claims.privacy import METHODS_SHOWN
from netlab.analysis.claims.story import Passage, PassageKind
from netlab.analysis.claims.units import cite, count, duration
from netlab.analysis.http.exchange import ExchangeReader
from netlab.analysis.http.messages import End, Exchange, Message
from netlab.http1.sansio.messages import RequestHead, ResponseHead

EXCHANGES_TOLD_MAX: Final = 100
"""How many exchanges of a conversation are told one by one."""

_TARGET_MAX: Final = 60


def printable(data: bytes, at_most: int) -> str:
    """
    Make text of bytes that came from anywhere: printable ASCII, all else escaped, and bounded.

    @param data: The bytes.
    @param at_most: How many characters.
    """
    text = "".join(
        chr(byte) if 0x20 <= byte < 0x7F and byte != 0x5C else f"\\x{byte:02x}"
        for byte in data[:at_most]
    )
    return text if len(text) <= at_most and len(data) <= at_most else text[: at_most - 1] + "…"


def message_name(message: Message, *, quotes: bool) -> str:
    """
    Name a message: C{GET /index.html} or C{301 Moved Permanently}.

    @param message: The message.
    @param quotes: Whether what is not of a fixed set may be shown: a target, a reason phrase.
    """
    head = message.head
    if isinstance(head, RequestHead):
        if not quotes:
            known = f"{head.method.decode()} " if head.method in METHODS_SHOWN else ""
            return f"{'an' if known.startswith('O') else 'a'} {known}request"
        words = head.raw.split(b" ", 2)
        target = printable(words[1], _TARGET_MAX) if len(words) > 1 else ""
        return f"{printable(head.method, 16)} {target}".rstrip()
    reason = printable(head.reason or b"", 40) if quotes else ""
    return f"{head.status} {reason}".rstrip()


def says_close(message: Message | None) -> bool:
    """
    Tell whether a message says that the connection ends after it.
    """
    return message is not None and b"close" in message.head.fields.tokens(b"connection")


def notes_of(exchanges: Iterable[Exchange], *, quotes: bool) -> dict[int, str]:
    """
    Say what HTTP says in the frames that begin a message.

    @param exchanges: What was read of a conversation, or some of it.
    @param quotes: As for L{message_name}.
    @return: By frame number.
    """
    notes: dict[int, list[str]] = {}
    for exchange in exchanges:
        for message in _messages(exchange):
            notes.setdefault(message.first_frame, []).append(message_name(message, quotes=quotes))
    return {
        frame: " + ".join(names[:3]) + (f" + {len(names) - 3} more" if len(names) > 3 else "")
        for frame, names in notes.items()
    }


def _messages(exchange: Exchange) -> Iterator[Message]:
    if exchange.request is not None:
        yield exchange.request
    yield from exchange.interim
    if exchange.response is not None:
        yield exchange.response


def exchange_passages(
    reader: ExchangeReader, *, quotes: bool, skimmed: int = 0
) -> Iterable[Passage]:
    """
    Tell a conversation's exchanges.

    @param reader: What was read of it.
    @param quotes: As for L{message_name}.
    @param skimmed: How many more requests were counted after what was read.
    """
    told = reader.exchanges[:EXCHANGES_TOLD_MAX]
    for number, exchange in enumerate(told, 1):
        yield _passage(exchange, number, quotes=quotes)
    rest = len(reader.exchanges) - len(told) + reader.exchanges_uncounted + skimmed
    if rest:
        last = _points(told[-1])
        sentence = f"{count(rest, 'more exchange')} like these."
        if skimmed:
            sentence = (
                f"{count(rest, 'more exchange')} like these, counted by the segments that begin "
                "with a request."
            )
        yield Passage(PassageKind.EXCHANGE, (), last[1], last[1], sentence)


def _points(exchange: Exchange) -> tuple[int, int]:
    messages = list(_messages(exchange))
    return messages[0].first_time_ns, messages[-1].last_time_ns


def _frames(messages: Iterable[Message]) -> tuple[int, ...]:
    found = {
        frame
        for message in messages
        for frame in (message.first_frame, message.head_frame, message.last_frame)
    }
    return tuple(sorted(found))


def _passage(exchange: Exchange, number: int, *, quotes: bool) -> Passage:
    request, response = exchange.request, exchange.response
    start, end = _points(exchange)
    findings: list[Finding] = []
    parts = []
    if request is None:
        parts.append("An answer whose request was not captured")
    else:
        name = message_name(request, quotes=quotes)
        where = cite(_frames([request]))
        parts.append(
            f"Request {number}: {name} ({count(request.length, 'byte')}, {where})"
            + (
                ", sent before the last answer had ended (pipelined)"
                if exchange.is_pipelined
                else ""
            )
        )
    if response is None:
        is_followed = request is None or request.end is not End.NOT_FOLLOWED
        parts.append(
            "is not answered." if is_followed else "goes on; it was not followed to its end."
        )
    else:
        name = message_name(response, quotes=quotes)
        where = cite(_frames([response]))
        answer = f"{name} ({count(response.length, 'byte')}, {where})"
        if request is None:
            parts.append(f": {answer}.")
        else:
            wait = response.first_time_ns - request.last_time_ns
            when = f"after {duration(wait)}" if wait >= 0 else "before it had ended"
            parts.append(f"is answered by {answer} {when}.")
            findings.append(_size(response, "answer"))
        parts.append(_end(response, findings))
    if says_close(response):
        parts.append("The answer says Connection: close, so it is the last on this connection.")
    sentence = " ".join(part for part in parts if part)
    return Passage(
        PassageKind.EXCHANGE, _frames(_messages(exchange)), start, end, sentence, tuple(findings)
    )


def _size(message: Message, noun: str) -> Finding:
    return Finding(
        "message-length",
        _frames([message]),
        f"{message.length} = {message.head_length} (head) + {message.body_length} (body)",
        Verdict.PASS,
        f"The {noun}'s bytes in the stream; TCP does not know where it ends, HTTP does.",
    )


def _end(response: Message, findings: list[Finding]) -> str:
    """
    Say what ended an answer, if that is worth a word.
    """
    head = response.head
    if response.end is End.END_OF_STREAM and response.end_frame is not None:
        status = head.status if isinstance(head, ResponseHead) else ""
        findings.append(
            Finding(
                "ends-at-end-of-stream",
                (response.first_frame, response.end_frame),
                f"status {status} in #{response.first_frame}, end of the answer in "
                f"#{response.end_frame}",
                Verdict.PASS,
                "Without Content-Length or chunks only the FIN says that no more follows "
                "(RFC 9112 section 6.3).",
            )
        )
        return (
            f"It says no length, so the server's FIN (#{response.end_frame}) is its end: a "
            f"dissector prints the {status} there, though it travelled in "
            f"#{response.first_frame}."
        )
    if response.end is End.NOT_FOLLOWED:
        return "It goes on; it was not followed to its end, as the capture is large."
    if response.end is None:
        return "The capture does not show its end."
    return ""
