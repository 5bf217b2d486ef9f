"""
One way to give bytes to a server's machine, for every test that has bytes to give.

TCP keeps bytes and their order and nothing else: where a delivery ends is chance. So the same
bytes are delivered whole, byte by byte, cut in two at every place, and with another request
behind, and each time they must say the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from netlab.http1.sansio.errors import RemoteProtocolError
from netlab.http1.sansio.messages import (
    END_OF_MESSAGE,
    Content,
    EndOfMessage,
    Event,
    RequestHead,
    ResponseHead,
)
from netlab.http1.sansio.serverconnection import ServerConnection
from netlab.http1.sansio.serversettings import ServerSettings

ANSWER: Final = ResponseHead(200)

BEHIND: Final = b"GET /behind HTTP/1.1\r\nHost: behind.example\r\n\r\n"
"""The request that is put behind: it shows whether its first byte is where we think it is."""

_CUTS_ALL: Final = 1500
_CUTS_SPREAD: Final = 150


@dataclass(frozen=True, slots=True)
class Fault:
    """
    What a L{RemoteProtocolError} says.
    """

    status: int
    explanation: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What a machine made of the bytes it was given.

    @ivar events: its events in order, with neighbouring pieces of content joined.
    @ivar fault: the error that ended it, if one did.
    @ivar may_go_on: whether another request could follow: no fault, the last message complete, and
        the connection persistent.
    """

    events: tuple[Event, ...]
    fault: Fault | None
    may_go_on: bool

    @property
    def heads(self) -> list[RequestHead]:
        """
        The request heads alone.
        """
        return [event for event in self.events if isinstance(event, RequestHead)]

    @property
    def head(self) -> RequestHead:
        """
        The only request head.
        """
        (head,) = self.heads
        return head

    @property
    def content(self) -> bytes:
        """
        The content of all messages together.
        """
        return b"".join(event.data for event in self.events if isinstance(event, Content))

    @property
    def ends(self) -> list[EndOfMessage]:
        """
        The ends of messages alone.
        """
        return [event for event in self.events if isinstance(event, EndOfMessage)]

    @property
    def status(self) -> int | None:
        """
        The status of the fault, or None.
        """
        return self.fault.status if self.fault else None


def deliver(
    pieces: Iterable[bytes],
    settings: ServerSettings,
    *,
    is_ended: bool = False,
    tries_whole: bool = False,
) -> Outcome:
    """
    Give these deliveries to a new machine, which answers each request with an empty 200.

    @param tries_whole: whether each delivery is first taken for a whole request, as the protocol
        does.
    @param is_ended: whether the peer ends its side after the last delivery.
    @raise AssertionError: when anything but an event or one L{RemoteProtocolError} comes out, or
        anything at all after that.
    """
    connection = ServerConnection(settings, 0.0)
    events: list[Event] = []
    fault: Fault | None = None

    def next_event() -> Event | Fault | None:
        try:
            return connection.next_event()
        except RemoteProtocolError as error:
            return Fault(error.status, error.explanation)

    def drain() -> None:
        nonlocal fault
        while (event := next_event()) is not None:
            assert fault is None, f"{event} after {fault}"
            if isinstance(event, Fault):
                fault = event
                continue
            _join(events, event)
            if isinstance(event, EndOfMessage):
                connection.send_whole(ANSWER, b"", 0.0)

    for piece in pieces:
        request = connection.receive_request(piece, 0.0) if tries_whole else None
        if request is not None:
            events.append(request.head)
            if request.content:
                events.append(Content(request.content))
            events.append(END_OF_MESSAGE)
            connection.send_whole(ANSWER, b"", 0.0)
            continue
        connection.receive(piece, 0.0)
        drain()
    if is_ended:
        connection.receive_end(0.0)
        drain()
    assert fault is None or connection.waiting_bytes == 0, "bytes are kept after a fault"
    may_go_on = connection.is_between_exchanges and fault is None and not is_ended
    return Outcome(tuple(events), fault, may_go_on)


def outcome_of(
    data: bytes, settings: ServerSettings | None = None, *, is_ended: bool = False
) -> Outcome:
    """
    Deliver these bytes in every way, and return what they say.

    @param data: at least one byte.
    @param is_ended: whether the peer ends its side after them; then nothing is put behind.
    @raise AssertionError: when two ways differ.
    """
    if settings is None:
        settings = ServerSettings()
    whole = deliver([data], settings, is_ended=is_ended)
    tried = deliver([data], settings, is_ended=is_ended, tries_whole=True)
    assert tried == whole, f"taken for a request: {tried}\nwhole: {whole}"
    by_byte = deliver(one_by_one(data), settings, is_ended=is_ended)
    assert by_byte == whole, f"by byte: {by_byte}\nwhole: {whole}"
    for cut in _cuts(len(data)):
        in_two = deliver([data[:cut], data[cut:]], settings, is_ended=is_ended)
        assert in_two == whole, f"cut at {cut}: {in_two}\nwhole: {whole}"
    if not is_ended:
        _put_behind(data, whole, settings)
    return whole


def one_by_one(data: bytes) -> Iterator[bytes]:
    """
    Cut bytes into deliveries of one byte each.
    """
    return (data[at : at + 1] for at in range(len(data)))


def _put_behind(data: bytes, whole: Outcome, settings: ServerSettings) -> None:
    """
    Deliver the same bytes with another request behind them.
    """
    if whole.may_go_on:
        behind = deliver([BEHIND], settings).events
        expected = Outcome(whole.events + behind, None, may_go_on=True)
    elif whole.fault is not None or _is_over(whole):
        # Not one byte behind a fault, or behind the last exchange, is ever run as a request.
        expected = whole
    else:
        return  # the message is not complete, so these bytes would belong to it
    for pieces in ([data + BEHIND], [data, BEHIND], one_by_one(data + BEHIND)):
        followed = deliver(pieces, settings)
        assert followed == expected, f"with a request behind: {followed}\nexpected: {expected}"
    followed = deliver([data, BEHIND], settings, tries_whole=True)
    assert followed == expected, f"with a request behind: {followed}\nexpected: {expected}"


def _is_over(outcome: Outcome) -> bool:
    return bool(outcome.events) and isinstance(outcome.events[-1], EndOfMessage)


def _cuts(length: int) -> Iterable[int]:
    if length <= _CUTS_ALL:
        return range(1, length)
    step = max(1, length // _CUTS_SPREAD)
    ends = (*range(1, 40), *range(length - 40, length))
    return sorted({*ends, *range(1, length, step)})


def _join(events: list[Event], event: Event) -> None:
    last = events[-1] if events else None
    if isinstance(event, Content) and isinstance(last, Content):
        events[-1] = Content(last.data + event.data)
    else:
        events.append(event)
