"""
What all connections of one HTTP server have in common: bounds, times and the style of its answers.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from netlab.http1.sansio.dates import format_date
from netlab.http1.sansio.heads import RequestParser
from netlab.http1.sansio.limits import Limits, Timeouts


class _DateField:
    """
    The Date field line of the current second.
    """

    __slots__ = ("_line", "_second")

    def __init__(self) -> None:
        self._second = -1
        self._line = b""

    def line(self, now: float) -> bytes:
        second = int(now)
        if second != self._second:
            self._second = second
            self._line = b"Date: %b\r\n" % format_date(second)
        return self._line


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """
    What all connections of one server have in common.

    @ivar limits: the bounds of messages.
    @ivar timeouts: the lengths of the phases.
    @ivar is_bare: send the reference's bytes: no Date, and a Connection field in every answer
        which, where the connection persists, says what the request's said.
    @ivar date: writes the Date field line, once a second.
    @ivar idle_seconds: C{timeouts.idle}, for who asks with each request.
    @ivar last_exchange: likewise the number of the exchange that ends a connection, by C{limits}.
    @ivar parser: parses and remembers request heads.
    """

    limits: Limits = field(default_factory=Limits)
    timeouts: Timeouts = field(default_factory=Timeouts)
    is_bare: bool = False
    parser: RequestParser = field(init=False)
    date: _DateField = field(init=False, default_factory=_DateField, repr=False)
    idle_seconds: float = field(init=False, repr=False)
    last_exchange: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """
        Make what follows from the rest.
        """
        object.__setattr__(self, "parser", RequestParser(self.limits))
        object.__setattr__(self, "idle_seconds", self.timeouts.idle)
        object.__setattr__(self, "last_exchange", self.limits.exchanges_max or 1 << 62)

    def redate(self, answer: bytes, now: float) -> bytes:
        """
        Give an answer the date of another time.

        @param answer: an answer of L{ServerConnection.send_whole
            <netlab.http1.sansio.serverconnection.ServerConnection.send_whole>} with these settings.
        """
        if self.is_bare:
            return answer
        # The Date line stands behind the status line, and all of them are of the same length.
        begin = answer.index(b"\r\n") + 2
        line = self.date.line(now)
        return b"".join((answer[:begin], line, answer[begin + len(line) :]))
