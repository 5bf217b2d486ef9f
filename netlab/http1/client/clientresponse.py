"""
What a request of the HTTP client comes to: an answer that is read as it comes, or an error.
"""

from __future__ import annotations

from collections import deque
from typing import Final, Protocol

from twisted.internet.defer import Deferred

from netlab.errors import KnownError
from netlab.http1.sansio.fields import NO_FIELDS, Fields
from netlab.http1.sansio.messages import ResponseHead

DISCARDED_MAX_BYTES: Final = 65536
"""
How much content is read and thrown away to keep a connection. To open another one costs about as
much as that.
"""


class RequestError(KnownError):
    """
    There is no complete answer. The text is one line, which begins with what was asked for.
    """


class ConnectionEnded(RequestError):
    """
    The connection ended before its time.

    @ivar may_repeat: whether the request may be sent again on another connection without asking
        anyone; see L{ClientConnection.may_repeat
        <netlab.http1.sansio.clientconnection.ClientConnection.may_repeat>}.
    """

    def __init__(self, text: str, *, may_repeat: bool) -> None:
        super().__init__(text)
        self.may_repeat = may_repeat


class ContentOrigin(Protocol):
    """
    Where the content of an answer comes from: its connection.
    """

    def resume_reading(self) -> None:
        """
        The reader has nothing left: read on.
        """

    def abort(self) -> None:
        """
        Nobody wants the rest: close at once.
        """


class ClientResponse:
    """
    An answer whose head has come; its content comes as it is read.

    Read it to its end, by iterating or with L{read}, or L{abandon} it: until then it holds its
    connection, and a reader that does not read makes the server wait, not our memory grow.

    @ivar head: the final response head.
    @ivar interim: the interim responses before it, in order.
    @ivar trailers: the trailer section, once the content has been read to its end.
    @ivar waiting_bytes: how much content has come and has not been read.
    """

    def __init__(
        self,
        head: ResponseHead,
        interim: tuple[ResponseHead, ...],
        connection: ContentOrigin,
    ) -> None:
        """
        @param connection: where the content comes from.
        """
        self.head = head
        self.interim = interim
        self.trailers: Fields = NO_FIELDS
        self.waiting_bytes = 0
        self._connection = connection
        self._pieces: deque[bytes] = deque()
        self._reader: Deferred[None] | None = None
        self._is_complete = False
        self._error: RequestError | None = None

    @property
    def status(self) -> int:
        """
        The status code, 200 to 999.
        """
        return self.head.status

    def __aiter__(self) -> ClientResponse:
        return self

    async def __anext__(self) -> bytes:
        """
        Wait for the next piece of content, which is not empty.

        @raise RequestError: the answer is incomplete; all that came has been read before.
        """
        while not self._pieces:
            if self._error is not None:
                raise self._error
            if self._is_complete:
                raise StopAsyncIteration
            self._connection.resume_reading()
            if not self._pieces:
                self._reader = Deferred(lambda _: self.abandon())
                await self._reader
        piece = self._pieces.popleft()
        self.waiting_bytes -= len(piece)
        return piece

    async def read(self, bytes_max: int = 1 << 20) -> bytes:
        """
        Wait for all of the content.

        @param bytes_max: how much there may be.
        @raise RequestError: the answer is incomplete, or longer than that.
        """
        if self._is_complete and self.waiting_bytes <= bytes_max:
            content = b"".join(self._pieces)
            self._pieces.clear()
            self.waiting_bytes = 0
            return content
        pieces = []
        length = 0
        async for piece in self:
            pieces.append(piece)
            length += len(piece)
            if length > bytes_max:
                self.abandon()
                raise RequestError(f"there are more than {bytes_max:,} bytes of content")
        return b"".join(pieces)

    async def discard(self) -> None:
        """
        Throw the rest of the content away: read it if it is short, so that the connection can
        serve again, else close the connection. Whether the rest is complete does not matter.
        """
        length = 0
        try:
            async for piece in self:
                length += len(piece)
                if length > DISCARDED_MAX_BYTES:
                    self.abandon()
                    return
        except RequestError:
            return

    def abandon(self) -> None:
        """
        Close the connection unless the answer is complete; what was not read is lost.
        """
        self._pieces.clear()
        self.waiting_bytes = 0
        if not self._is_complete:
            self._connection.abort()

    # What the connection calls

    def add(self, data: bytes) -> None:
        """
        Take a piece of content that has come.
        """
        self._pieces.append(data)
        self.waiting_bytes += len(data)
        self._wake()

    def complete(self, trailers: Fields) -> None:
        """
        The content has come to its end.
        """
        self.trailers = trailers
        self._is_complete = True
        self._wake()

    def fail(self, error: RequestError) -> None:
        """
        The rest of the content will not come.
        """
        self._error = error
        self._wake()

    def _wake(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.callback(None)
