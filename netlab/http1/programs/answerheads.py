"""
What a program answers with before the content, checked once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from netlab.http1.sansio.errors import LocalProtocolError
from netlab.http1.sansio.fields import CONNECTIONS_OWN, NO_FIELDS, Fields

#: How many header sections are remembered, and how long one may be. Most applications
#: send the same few again and again; those that never do (cookies) cost no more than before.
_REMEMBERED_MAX: Final = 256
_REMEMBERED_LINES_MAX: Final = 16
_REMEMBERED_MAX_BYTES: Final = 1024

#: Numbers of Content-Length, as RFC 9110 section 8.6 writes them, and no larger than any file.
_LENGTH_DIGITS_MAX: Final = 18


class ApplicationError(Exception):
    """
    An application does not keep to its protocol. The text is a sentence for its author.
    """


@dataclass(frozen=True, slots=True)
class AnswerHead:
    """
    What a program says of its answer before the content.

    @ivar status: 200 to 599.
    @ivar fields: without those that are the connection's own to send.
    @ivar length: of the content, if the application has told it.
    @ivar closes: it wants the connection to end.
    """

    status: int
    fields: Fields
    length: int | None
    closes: bool


class AnswerHeads:
    """
    Reads what programs say, and remembers header sections that have come before: they need not be
    checked again.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[tuple[bytes, bytes], ...], Fields] = {}

    def read(self, status: object, headers: Iterable[tuple[bytes, bytes]]) -> AnswerHead:
        """
        Read the status and the header section of an answer.

        @param headers: of any origin.
        @raise ApplicationError: they are none.
        """
        if not isinstance(status, int) or not 200 <= status <= 599:
            raise ApplicationError(f"{status!r} is no status of a final response; 200 to 599 are")
        length: int | None = None
        closes = False
        lines: list[tuple[bytes, bytes]] = []
        try:
            for name, value in headers:
                if (lowered := name.lower()) in CONNECTIONS_OWN:
                    if lowered == b"content-length":
                        length = _read_length(value)
                    elif lowered == b"connection":
                        closes = closes or b"close" in value.lower()
                else:
                    lines.append((name, value))
            return AnswerHead(status, self._fields(tuple(lines)), length, closes)
        except (AttributeError, TypeError, ValueError, LocalProtocolError) as error:
            raise ApplicationError(f"not a header section: {error}") from error

    def _fields(self, lines: tuple[tuple[bytes, bytes], ...]) -> Fields:
        if not lines:
            return NO_FIELDS
        known = self._known.get(lines)
        if known is not None:
            return known
        fields = Fields(lines)
        if len(lines) <= _REMEMBERED_LINES_MAX and _size(lines) <= _REMEMBERED_MAX_BYTES:
            if len(self._known) >= _REMEMBERED_MAX:
                self._known.clear()
            self._known[lines] = fields
        return fields


def _size(lines: Iterable[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) for name, value in lines)


def _read_length(value: bytes) -> int:
    if not value.isdigit() or len(value) > _LENGTH_DIGITS_MAX:
        raise ValueError(f"content-length {value!r}")
    return int(value)
