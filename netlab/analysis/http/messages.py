"""
HTTP messages and exchanges as they travelled, with the frames that carried them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from netlab.http1.sansio.framing import Framing
from netlab.http1.sansio.messages import RequestHead, ResponseHead


class MessageEnd(Enum):
    """
    What ended a message (RFC 9112 section 6.3).
    """

    NO_CONTENT = "it has no content"
    LENGTH = "its length was said before"
    LAST_CHUNK = "its last chunk"
    END_OF_STREAM = "the end of the stream"
    NOT_FOLLOWED = "it was not followed to its end"
    """Of a large capture only the beginning of a conversation is read (L{ExchangeReader.stop})."""


@dataclass(slots=True)
class Message:
    """
    A request, or a response, as it travelled.

    @ivar head: its start line and header section.
    @ivar framing: how its body is delimited.
    @ivar head_length: the head's length in bytes.
    @ivar first_frame: the frame that carried the first byte, which is where the status line is.
    @ivar first_time_ns: that frame's time, in nanoseconds since 1970.
    @ivar head_frame: the frame that carried the head's last byte.
    @ivar last_frame: the frame that carried the last byte so far.
    @ivar last_time_ns: that frame's time, in nanoseconds since 1970.
    @ivar content_length: the content's bytes so far, without transfer coding.
    @ivar body_length: the body's bytes so far, as they were on the wire.
    @ivar missing: how many of them are not in the capture.
    @ivar end: what ended it; C{None} while it has not ended.
    @ivar end_frame: the frame by which the reader knows that it has ended: the last one of its
        own, or the one with the FIN.
    @ivar fault: the rule that a request's head breaks; empty where it breaks none.
    """

    head: RequestHead | ResponseHead
    framing: Framing
    head_length: int
    first_frame: int
    first_time_ns: int
    head_frame: int
    last_frame: int
    last_time_ns: int
    content_length: int = 0
    body_length: int = 0
    missing: int = 0
    end: MessageEnd | None = None
    end_frame: int | None = None
    fault: str = ""

    @property
    def length(self) -> int:
        """
        How many bytes of the stream it took so far.
        """
        return self.head_length + self.body_length


class Begun(NamedTuple):
    """
    The beginning of a request that never became complete.

    @ivar length: how many bytes of it came.
    @ivar first_frame: the frame that carried the first of them.
    @ivar first_time_ns: that frame's time, in nanoseconds since 1970.
    @ivar last_frame: the frame that carried the last of them.
    @ivar last_time_ns: that frame's time.
    """

    length: int
    first_frame: int
    first_time_ns: int
    last_frame: int
    last_time_ns: int


@dataclass(slots=True)
class HTTPExchange:
    """
    A request with its answer.

    @ivar request: C{None} where it was not captured, or was never sent.
    @ivar interim: the interim responses (status 1xx), in order.
    @ivar response: the final response; C{None} where there is none.
    @ivar is_pipelined: whether the request began before the answer to the one before it had ended,
        as far as both were read by then.
    @ivar begun: what had come of a request that was not complete when the answer began.
    """

    request: Message | None
    interim: list[Message] = field(default_factory=list)
    response: Message | None = None
    is_pipelined: bool = False
    begun: Begun | None = None

    @property
    def method(self) -> bytes:
        """
        The request's method; empty where there is no request.
        """
        if self.request is None or not isinstance(self.request.head, RequestHead):
            return b""
        return self.request.head.method

    @property
    def is_over(self) -> bool:
        """
        Whether the final response has come to its end.
        """
        return self.response is not None and self.response.end is not None

    @property
    def status(self) -> int | None:
        """
        The final response's status.
        """
        return None if self.response is None else status_of(self.response)


def status_of(message: Message) -> int | None:
    """
    Tell a response's status; a request has none.
    """
    return message.head.status if isinstance(message.head, ResponseHead) else None


def is_interim(message: Message) -> bool:
    """
    Tell whether another response follows for the same request (RFC 9110 section 15.2).
    """
    return isinstance(message.head, ResponseHead) and message.head.is_interim


@dataclass(frozen=True, slots=True)
class HTTPFault:
    """
    Where the reading of one direction stopped.

    @ivar from_client: whose bytes.
    @ivar frame: the frame that carried the byte at which the message began to be wrong, or the
        first frame of what could not be read.
    @ivar reason: a short sentence without a full stop.
    """

    from_client: bool
    frame: int
    reason: str
