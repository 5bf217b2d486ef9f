"""
The five reference exchanges as expectations, and the search for one among other traffic.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final

from netlab.analysis.expectations.expectations import (
    Expectation,
    Result,
    Who,
    answers_in_capitals,
    judge,
    opens,
    opens_after,
    opens_while_open,
    says,
    says_nothing,
)
from netlab.analysis.expectations.expected_closing import (
    closes_at_once,
    closes_both,
    closes_first,
    closes_idle,
    closes_second,
    has_no_reset,
)
from netlab.analysis.expectations.expected_http import answers, exchanges, requests
from netlab.analysis.observations.dialogue import Dialogue, Moment

#: How many conversations of the same client with the same server, after one that looks right, are
#: tried as the one that the exchange goes on with. A browser opens six at a time.
_FOLLOWERS_MAX: Final = 50

#: How many beginnings that look equally right are tried with each follower.
_BEGINNINGS_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class NamedExchange:
    """
    An exchange that a capture may hold.

    @ivar name: as on the command line.
    @ivar title: what happens, in one sentence.
    @ivar conversations: how many conversations it is made of.
    @ivar expectations: what must be so.
    @ivar is_ordered: whether its conversations begin in the order in which they are listed.
    """

    name: str
    title: str
    conversations: int
    expectations: tuple[Expectation, ...]
    is_ordered: bool = True


@dataclass(frozen=True, slots=True)
class Verification:
    """
    A named exchange looked for in a capture.

    @ivar exchange: it.
    @ivar cast: the conversations that come nearest to it; empty where the capture has none.
    @ivar results: how they are judged.
    """

    exchange: NamedExchange
    cast: tuple[Dialogue, ...]
    results: tuple[Result, ...]

    @property
    def is_met(self) -> bool:
        """
        Whether the exchange is there.
        """
        return all(result.shown.is_met for result in self.results)

    @property
    def failures(self) -> tuple[Result, ...]:
        """
        What is expected and not so.
        """
        return tuple(result for result in self.results if not result.shown.is_met)


def verify(exchange: NamedExchange, dialogues: Sequence[Dialogue]) -> Verification:
    """
    Look for an exchange among the conversations of a capture.

    The verdict is about the conversations that meet most of what is expected; where several do,
    about the first.

    @param exchange: what to look for.
    @param dialogues: all conversations, finished, in the order in which they began.
    """
    best: Verification | None = None
    for cast in _casts(exchange, dialogues):
        found = Verification(exchange, cast, judge(exchange.expectations, cast))
        if best is None or len(found.failures) < len(best.failures):
            best = found
        if best.is_met:
            break
    return best or Verification(exchange, (), judge(exchange.expectations, ()))


def _casts(
    exchange: NamedExchange, dialogues: Sequence[Dialogue]
) -> Iterator[tuple[Dialogue, ...]]:
    """
    List the conversations that may be the exchange, the likeliest beginnings first.
    """

    def failures(dialogue: Dialogue) -> int:
        results = judge(exchange.expectations, (dialogue,))
        return sum(not result.shown.is_met for result in results)

    # A stable sort: among equals the first in the capture comes first.
    beginnings = sorted(range(len(dialogues)), key=lambda at: failures(dialogues[at]))
    if exchange.conversations == 1:
        for at in beginnings[:1]:
            yield (dialogues[at],)
        return
    for at in beginnings[:_BEGINNINGS_MAX]:
        first = dialogues[at]
        parties = _parties(first)
        others: Iterator[Dialogue] = islice(dialogues, at + 1, None)
        if not exchange.is_ordered:
            # Those after it first: that is how it is reported.
            others = chain(others, islice(dialogues, at))
        followers = (other for other in others if _parties(other) == parties)
        is_alone = True
        for other in islice(followers, _FOLLOWERS_MAX):
            is_alone = False
            yield (first, other)
        if is_alone:
            yield (first,)


def _parties(dialogue: Dialogue) -> tuple[bytes, bytes, int]:
    return (dialogue.client.raw_address, dialogue.server.raw_address, dialogue.server.port)


def _server_fin(dialogue: Dialogue) -> Moment | None:
    return None if dialogue.server_fin is None else dialogue.server_fin.at


_INDEX_BYTES: Final = 210
_RESULT_BYTES: Final = 64

ECHO: Final = NamedExchange(
    "echo",
    "Two messages of 33 and 20 bytes, each answered in capitals; then both ends close.",
    1,
    (
        opens(),
        says(0, (33, 33, 20, 20)),
        answers_in_capitals(),
        closes_both(0),
        has_no_reset(0),
    ),
)

SINGLE_FIN: Final = NamedExchange(
    "single_fin",
    "Two requests on one connection, which the server's idle timeout ends; the client's FIN is the "
    "second.",
    1,
    (
        opens(),
        exchanges(0, 2),
        requests(0, 0, b"/", is_persistent=True),
        answers(0, 0, 200, _INDEX_BYTES),
        requests(0, 1, b"/", is_persistent=True),
        answers(0, 1, 200, _INDEX_BYTES),
        closes_idle(0, Who.SERVER),
        closes_second(0, Who.CLIENT),
        has_no_reset(0),
    ),
)

DOUBLE_FIN: Final = NamedExchange(
    "double_fin",
    "A request, then a pause longer than the server's idle timeout, which ends the connection; the "
    "second request needs a new one, and this time the client closes first.",
    2,
    (
        opens(),
        exchanges(0, 1),
        requests(0, 0, b"/", is_persistent=True),
        answers(0, 0, 200, _INDEX_BYTES),
        closes_idle(0, Who.SERVER),
        closes_second(0, Who.CLIENT),
        has_no_reset(0),
        opens_after(1, "the server's FIN in the one before", _server_fin),
        opens(1),
        exchanges(1, 1),
        requests(1, 0, b"/", is_persistent=True),
        answers(1, 0, 200, _INDEX_BYTES),
        closes_first(1, Who.CLIENT),
        closes_second(1, Who.SERVER),
        has_no_reset(1),
    ),
)

REDIRECT: Final = NamedExchange(
    "redirect",
    "An answer 301, after which the server closes at once; the client follows on a new connection, "
    "which the server's idle timeout ends.",
    2,
    (
        opens(),
        exchanges(0, 1),
        requests(0, 0, None, is_persistent=False),
        answers(0, 0, 301, 0, location=b"/result.html"),
        closes_at_once(0, Who.SERVER),
        closes_second(0, Who.CLIENT),
        has_no_reset(0),
        opens_after(1, "the server's FIN in the one before", _server_fin),
        opens(1),
        exchanges(1, 1),
        requests(1, 0, b"/result.html", is_persistent=True),
        answers(1, 0, 200, _RESULT_BYTES),
        closes_idle(1, Who.SERVER),
        closes_second(1, Who.CLIENT),
        has_no_reset(1),
    ),
)

NOT_FOUND: Final = NamedExchange(
    "notfound",
    "An answer 404, after which the server closes at once; the client's spare connection carries "
    "nothing and is ended by the server's idle timeout.",
    2,
    (
        opens(),
        exchanges(0, 1),
        requests(0, 0, None, is_persistent=False),
        answers(0, 0, 404, 0),
        closes_at_once(0, Who.SERVER),
        closes_second(0, Who.CLIENT),
        has_no_reset(0),
        opens_while_open(1),
        opens(1),
        says_nothing(1),
        closes_idle(1, Who.SERVER),
        has_no_reset(1),
    ),
    is_ordered=False,
)

EXCHANGES: Final = {
    exchange.name: exchange for exchange in (ECHO, SINGLE_FIN, DOUBLE_FIN, REDIRECT, NOT_FOUND)
}
"""The named exchanges by name."""
