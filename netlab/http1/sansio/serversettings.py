"""
What all connections of one HTTP server have in common: bounds, times and the style of its answers.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from netlab.http1.sansio.dates import format_date
from netlab.http1.sansio.heads import RequestParser
from netlab.http1.sansio.limits import Limits, Timeouts


class DateField:
    """
    The Date field line of the current second.

    @ivar offset: what the time of day (seconds since the epoch) has more than the clock that
        measures durations, whose times the connections are given. What knows both clocks sets
        it; 0 where one clock is both.
    @ivar second: the second, since the epoch, to which the line belongs.
    @ivar line: the field line with its CRLF.
    """

    __slots__ = ("line", "offset", "second")

    def __init__(self) -> None:
        self.offset = 0.0
        self.second = -1
        self.line = b""

    def render(self, second: int) -> None:
        """
        Write the line of another second.
        """
        self.second = second
        self.line = b"Date: %b\r\n" % format_date(second)


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """
    What all connections of one server have in common.

    @ivar limits: the bounds of messages.
    @ivar timeouts: the lengths of the phases.
    @ivar is_bare: send the reference's bytes: no Date, and a Connection field in every answer
        which, where the connection persists, says what the request's said.
    @ivar date: the Date field line.
    @ivar idle_seconds: C{timeouts.idle}, for who asks with each request.
    @ivar last_exchange: likewise the number of the exchange that ends a connection, by C{limits}.
    @ivar whole_content_max_bytes: likewise the most content that is taken with its head whether
        anybody wants it or not.
    @ivar parser: parses and remembers request heads.
    """

    limits: Limits = field(default_factory=Limits)
    timeouts: Timeouts = field(default_factory=Timeouts)
    is_bare: bool = False
    parser: RequestParser = field(init=False)
    date: DateField = field(init=False, default_factory=DateField, repr=False)
    idle_seconds: float = field(init=False, repr=False)
    last_exchange: int = field(init=False, repr=False)
    whole_content_max_bytes: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """
        Make what follows from the rest.
        """
        object.__setattr__(self, "parser", RequestParser(self.limits))
        object.__setattr__(self, "idle_seconds", self.timeouts.idle)
        limits = self.limits
        object.__setattr__(self, "last_exchange", limits.exchanges_max or 1 << 62)
        whole = min(limits.content_max_bytes, limits.unwanted_content_max_bytes)
        object.__setattr__(self, "whole_content_max_bytes", whole)

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
        date = self.date
        date.render(int(now + date.offset))
        line = date.line
        return b"".join((answer[:begin], line, answer[begin + len(line) :]))
