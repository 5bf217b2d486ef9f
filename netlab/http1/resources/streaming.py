"""
Content that is not known when the answer begins: it is sent as it comes, and no faster than the
client takes it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterable, Callable
from typing import Any, Final, Self, cast

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import (
    IConsumer,
    IPushProducer,
    IReactorTime,
    ITCPTransport,
    ITransport,
)
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from netlab.http1 import SERVER_NAME
from netlab.http1.resources.receiving import ContentLostError

TURN_BYTES: Final = 65536
"""After so much, all other connections have their turn, however fast this client takes it."""

_PIECE_COST_BYTES: Final = 1024
"""What a piece counts for at least: a thousand empty ones are work too."""

_log = Logger(namespace=SERVER_NAME)


class SlowReaderError(Exception):
    """
    The client takes what is pushed more slowly than it comes.
    """


class PushedContent:
    """
    Content of a response that is pushed, piece by piece, by whatever has something to say: the
    natural content of server-sent events.

    As long as nothing is pushed nothing is sent, and nothing times out. What the client has not
    taken yet waits, up to a bound; then the connection is cut.
    """

    def __init__(self, waiting_max_bytes: int = 1 << 16) -> None:
        """
        @param waiting_max_bytes: how much may wait for the client.
        """
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._waiting_max_bytes = waiting_max_bytes
        self._has_ended = False
        self._is_closed = False
        self._error: SlowReaderError | None = None
        self._reader: Deferred[None] | None = None
        self._when_closed: list[Deferred[None]] = []

    @property
    def is_closed(self) -> bool:
        """
        Whether nobody reads this any longer: all is sent, or the client is gone.
        """
        return self._is_closed

    def when_closed(self) -> Deferred[None]:
        """
        Wait until nobody reads this any longer.

        @return: a new one for each call; it never fails.
        """
        closed: Deferred[None] = Deferred()
        if self._is_closed:
            closed.callback(None)
        else:
            self._when_closed.append(closed)
        return closed

    def push(self, data: bytes) -> bool:
        """
        Send this after all that was pushed before.

        @return: whether it will be sent, if the client stays; nothing is after the end.
        """
        if self._is_closed or self._has_ended or self._error is not None:
            return False
        if self._waiting_bytes + len(data) > self._waiting_max_bytes:
            self._error = SlowReaderError(f"more than {self._waiting_max_bytes} bytes wait for it")
            self._waiting.clear()
            self._wake()
            return False
        if data:
            self._waiting.append(data)
            self._waiting_bytes += len(data)
            self._wake()
        return True

    def end(self) -> None:
        """
        End the content after what was pushed.
        """
        self._has_ended = True
        self._wake()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while True:
            if self._error is not None:
                raise self._error
            if self._waiting:
                data = b"".join(self._waiting)
                self._waiting.clear()
                self._waiting_bytes = 0
                return data
            if self._has_ended or self._is_closed:
                raise StopAsyncIteration
            self._reader = Deferred()
            try:
                await self._reader
            finally:
                self._reader = None

    async def aclose(self) -> None:
        """
        Nobody reads this any longer.
        """
        self._is_closed = True
        self._waiting.clear()
        closed, self._when_closed = self._when_closed, []
        for one in closed:
            one.callback(None)

    def _wake(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.callback(None)


@implementer(IPushProducer)
class StreamSender:
    """
    Sends content from an asynchronous iterator. The next piece is asked for when the transport has
    room, so that a generator waits for a slow client; if the client goes, it is cancelled.

    @ivar sent: how many bytes of content the transport has been given.
    """

    __slots__ = (
        "_clock",
        "_content",
        "_done",
        "_frame",
        "_is_blocked",
        "_on_blocked",
        "_pumping",
        "_room",
        "_transport",
        "sent",
    )

    def __init__(
        self,
        transport: ITransport,
        content: AsyncIterable[bytes],
        frame: Callable[[bytes], bytes],
        done: Callable[[Exception | None], None],
        on_blocked: Callable[[bool], None],
        clock: IReactorTime,
    ) -> None:
        """
        @param transport: has no producer.
        @param content: yields pieces, of any size. Its C{aclose}, if it has one, is called once.
        @param frame: adds the message's framing to a piece.
        @param done: is called once: with None when the transport has been given everything, or
            with what went wrong; then the connection is lost, or has been aborted.
        @param on_blocked: is called when the transport becomes full, and when it has room again.
        @param clock: gives the other connections their turn.
        """
        self._transport = transport
        self._content = content
        self._frame = frame
        self._done: Callable[[Exception | None], None] | None = done
        self._on_blocked = on_blocked
        self._clock = clock
        self._is_blocked = False
        self._room: Deferred[None] | None = None
        self._pumping: Deferred[None] | None = None
        self.sent = 0

    def begin(self, head: bytes) -> None:
        """
        Send a head at once, and the content as it comes.
        """
        self._transport.write(head)
        cast(IConsumer, self._transport).registerProducer(self, True)
        self._pumping = Deferred.fromCoroutine(self._pump())

    # IPushProducer

    def pauseProducing(self) -> None:
        """
        The transport is full.
        """
        if not self._is_blocked:
            self._is_blocked = True
            self._on_blocked(True)

    def resumeProducing(self) -> None:
        """
        The transport has room.
        """
        if self._is_blocked:
            self._is_blocked = False
            self._on_blocked(False)
        room, self._room = self._room, None
        if room is not None:
            room.callback(None)

    def stopProducing(self) -> None:
        """
        The connection is lost.
        """
        self._end(ConnectionError("the connection was lost before all was sent"))
        pumping, self._pumping = self._pumping, None
        if pumping is not None:
            pumping.cancel()

    # Behind the interface

    async def _pump(self) -> None:
        """
        Move the content, and say how it went. Nothing is raised: there is nobody to tell.
        """
        try:
            try:
                await self._move()
            finally:
                await close_stream(self._content)
        except Exception as error:  # noqa: BLE001, content is anyone's code
            if self._done is not None:
                self._cut(error)
            elif not isinstance(error, CancelledError):
                failure = Failure(error)  # type: ignore[no-untyped-call]
                _log.failure("Content that was cancelled does not end well", failure)
            return
        if self._done is not None:
            cast(IConsumer, self._transport).unregisterProducer()
            self._end(None)

    async def _move(self) -> None:
        cost = 0
        async for piece in self._content:
            if self._done is None:
                return  # it has gone on although it was cancelled
            if piece:
                self._transport.write(self._frame(piece))
                self.sent += len(piece)
            if self._is_blocked:
                self._room = Deferred()
                await self._room
                cost = 0
                continue
            cost += max(len(piece), _PIECE_COST_BYTES)
            if cost >= TURN_BYTES:
                await self._next_turn()
                cost = 0

    def _next_turn(self) -> Deferred[None]:
        turn: Deferred[None] = Deferred(lambda _: call.cancel())
        call = self._clock.callLater(0, turn.callback, None)
        return turn

    def _cut(self, why: Exception) -> None:
        """
        Content has failed in its middle: only a connection that breaks off can say so.
        """
        if isinstance(why, (SlowReaderError, ContentLostError)):
            _log.warn("A client is cut off in the middle of its answer: {why}", why=why)
        else:
            failure = Failure(why)  # type: ignore[no-untyped-call]
            _log.failure("The content of an answer failed; the connection is cut", failure)
        cast(IConsumer, self._transport).unregisterProducer()
        cast(ITCPTransport, self._transport).abortConnection()
        self._end(ConnectionAbortedError("the content failed"))

    def _end(self, why: Exception | None) -> None:
        done, self._done = self._done, None
        if done is not None:
            done(why)


async def close_stream(content: object) -> None:
    """
    Close an asynchronous iterator that can be closed, as generators can.
    """
    close: Any = getattr(content, "aclose", None)
    if close is not None:
        await close()


def discard_stream(content: object) -> None:
    """
    Close content that is not going to be sent.
    """
    closing = Deferred.fromCoroutine(close_stream(content))
    closing.addErrback(lambda failure: _log.failure("Unsent content does not close", failure))
