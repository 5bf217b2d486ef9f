"""
The states of an exchange, one side at a time, and every transition between them.

Each connection has two sides: one sends requests and the other sends responses. Either role keeps
the state of both, its own and its peer's, and moves them by the same tables; docs/states.md is
drawn from them. An exchange is over when both sides are C{DONE}; then both return to C{IDLE} if
the connection is persistent, and else both end C{CLOSED}.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final


class RequestState(Enum):
    """
    Where the side that sends requests is.
    """

    # Members are unique; Enum's own hash, of the name, is a function in Python, and the tables are
    # looked into a dozen times for each exchange.
    __hash__ = object.__hash__

    IDLE = "between requests"
    CONTENT = "sending content"
    DONE = "request complete"
    CLOSED = "no more requests"
    FAILED = "not understood"


class ResponseState(Enum):
    """
    Where the side that sends responses is.
    """

    __hash__ = object.__hash__

    IDLE = "nothing to answer"
    DUE = "owes an answer"
    CONTENT = "sending content"
    DONE = "answer complete"
    CLOSED = "no more answers"


class Step(Enum):
    """
    What moves a side from one state to another.
    """

    __hash__ = object.__hash__

    REQUEST_HEAD = "request head"
    INTERIM_HEAD = "interim response head"
    RESPONSE_HEAD = "response head"
    CONTENT = "content"
    END = "end of message"
    NEXT = "next exchange"
    CLOSE = "close"
    FAULT = "fault of the peer"


REQUEST_TRANSITIONS: Final[dict[tuple[RequestState, Step], RequestState]] = {
    (RequestState.IDLE, Step.REQUEST_HEAD): RequestState.CONTENT,
    (RequestState.IDLE, Step.CLOSE): RequestState.CLOSED,
    (RequestState.IDLE, Step.FAULT): RequestState.FAILED,
    (RequestState.CONTENT, Step.CONTENT): RequestState.CONTENT,
    (RequestState.CONTENT, Step.END): RequestState.DONE,
    (RequestState.CONTENT, Step.FAULT): RequestState.FAILED,
    (RequestState.CONTENT, Step.CLOSE): RequestState.CLOSED,
    (RequestState.DONE, Step.NEXT): RequestState.IDLE,
    (RequestState.DONE, Step.CLOSE): RequestState.CLOSED,
    (RequestState.CLOSED, Step.CLOSE): RequestState.CLOSED,
    (RequestState.FAILED, Step.CLOSE): RequestState.CLOSED,
}

RESPONSE_TRANSITIONS: Final[dict[tuple[ResponseState, Step], ResponseState]] = {
    (ResponseState.IDLE, Step.REQUEST_HEAD): ResponseState.DUE,
    # A server owes one answer even to what it could not understand.
    (ResponseState.IDLE, Step.FAULT): ResponseState.DUE,
    (ResponseState.IDLE, Step.CLOSE): ResponseState.CLOSED,
    (ResponseState.DUE, Step.FAULT): ResponseState.DUE,
    (ResponseState.DUE, Step.INTERIM_HEAD): ResponseState.DUE,
    (ResponseState.DUE, Step.RESPONSE_HEAD): ResponseState.CONTENT,
    (ResponseState.DUE, Step.CLOSE): ResponseState.CLOSED,
    (ResponseState.CONTENT, Step.CONTENT): ResponseState.CONTENT,
    (ResponseState.CONTENT, Step.END): ResponseState.DONE,
    (ResponseState.CONTENT, Step.FAULT): ResponseState.CONTENT,
    (ResponseState.CONTENT, Step.CLOSE): ResponseState.CLOSED,
    (ResponseState.DONE, Step.NEXT): ResponseState.IDLE,
    (ResponseState.DONE, Step.FAULT): ResponseState.DONE,
    (ResponseState.DONE, Step.CLOSE): ResponseState.CLOSED,
    (ResponseState.CLOSED, Step.CLOSE): ResponseState.CLOSED,
}

WHOLE_REQUEST: Final = REQUEST_TRANSITIONS[
    REQUEST_TRANSITIONS[RequestState.IDLE, Step.REQUEST_HEAD], Step.END
]
"""Behind a request without content, from its head to its end."""

WHOLE_RESPONSE: Final = RESPONSE_TRANSITIONS[
    RESPONSE_TRANSITIONS[ResponseState.DUE, Step.RESPONSE_HEAD], Step.END
]
"""Behind a final response, from its head to its end."""

NEXT_EXCHANGE: Final = (
    REQUEST_TRANSITIONS[RequestState.DONE, Step.NEXT],
    RESPONSE_TRANSITIONS[ResponseState.DONE, Step.NEXT],
)
"""Behind an exchange, where another one may follow."""


class Phase(Enum):
    """
    What a connection's deadline is about.
    """

    IDLE = auto()
    HEAD = auto()
    CONTENT = auto()
    STOPPING = auto()
    """Idle, and told to end soon."""
