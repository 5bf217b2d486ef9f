"""
HTTP messages in a few words, and how many more there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from netlab.analysis.explanation.passages import EXCHANGES_TOLD_MAX
from netlab.analysis.explanation.privacy import METHODS_SHOWN
from netlab.analysis.explanation.story import Passage, PassageKind
from netlab.analysis.http.exchange import ExchangeReader
from netlab.analysis.http.messages import HTTPExchange, Message
from netlab.analysis.words.units import count
from netlab.http1.sansio.messages import RequestHead

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


def notes_of(exchanges: Iterable[HTTPExchange], *, quotes: bool) -> dict[int, str]:
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


def _messages(exchange: HTTPExchange) -> Iterator[Message]:
    if exchange.request is not None:
        yield exchange.request
    yield from exchange.interim
    if exchange.response is not None:
        yield exchange.response


def more_exchanges(reader: ExchangeReader, skimmed: int, end_ns: int) -> Iterator[Passage]:
    """
    Count the exchanges that are not told one by one.

    @param reader: What was read of the conversation.
    @param skimmed: How many more requests were counted after what was read.
    @param end_ns: When the conversation ended.
    """
    told = min(len(reader.exchanges), EXCHANGES_TOLD_MAX)
    rest = len(reader.exchanges) - told + reader.exchanges_uncounted + skimmed
    if not rest:
        return
    sentence = f"{count(rest, 'more exchange')} like these."
    if skimmed:
        sentence = (
            f"{count(rest, 'more exchange')} like these, counted by the segments that begin with a "
            "request."
        )
    last = reader.exchanges[told - 1]
    message = last.response or last.request
    at = end_ns if message is None else message.last_time_ns
    yield Passage(PassageKind.EXCHANGE, (), at, at, sentence)
