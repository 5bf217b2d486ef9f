"""
The events of a message exchange: what a connection machine reports and what it is given to send.

They are values: frozen, comparable, and the same for both roles.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, TypeAlias

from netlab.http1.sansio.fields import NO_FIELDS, Fields
from netlab.http1.sansio.target import Target

Version: TypeAlias = tuple[int, int]
"""Major and minor number of an HTTP version."""

HTTP_1_0: Final[Version] = (1, 0)
HTTP_1_1: Final[Version] = (1, 1)


# One of these is made for each request: a frozen dataclass takes twice as long to make, so Final
# says to the type checker what cannot be done.
@dataclass(slots=True, unsafe_hash=True)
class RequestHead:
    """
    A request line with its header section.

    @ivar method: case-sensitive, as it came.
    @ivar target: the request target, taken apart.
    @ivar version: the version in the request line.
    @ivar fields: the header section.
    @ivar raw: the head's bytes as they came, from the request line to the empty line; they do not
        count in comparisons.
    """

    method: Final[bytes]
    target: Final[Target]
    version: Final[Version] = HTTP_1_1
    fields: Final[Fields] = NO_FIELDS
    raw: Final[bytes] = field(default=b"", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """
    A status line with its header section; an interim response where the status is 1xx.

    @ivar status: 100 to 999.
    @ivar fields: the header section.
    @ivar reason: the reason phrase; None takes the registered one when sending.
    @ivar version: the version in the status line.
    @ivar raw: the head's bytes as they came; they do not count in comparisons.
    """

    status: int
    fields: Fields = NO_FIELDS
    reason: bytes | None = None
    version: Version = HTTP_1_1
    raw: bytes = field(default=b"", compare=False, repr=False)

    @property
    def is_interim(self) -> bool:
        """
        Whether another head follows for the same request (RFC 9110 section 15.2).
        """
        return self.status < 200


@dataclass(frozen=True, slots=True)
class Content:
    """
    A piece of a message's content, transfer coding removed; never empty when received.
    """

    data: bytes


@dataclass(frozen=True, slots=True)
class EndOfMessage:
    """
    The end of a message.

    @ivar trailers: the trailer section of chunked content, never merged into the header section
        (RFC 9110 section 6.5.1).
    """

    trailers: Fields = NO_FIELDS


@dataclass(frozen=True, slots=True)
class ConnectionClosed:
    """
    The peer has ended its side between two messages.
    """


Event: TypeAlias = RequestHead | ResponseHead | Content | EndOfMessage | ConnectionClosed

END_OF_MESSAGE: Final = EndOfMessage()
CONNECTION_CLOSED: Final = ConnectionClosed()
