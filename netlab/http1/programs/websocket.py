"""
A WebSocket (RFC 6455) as a Twisted protocol: frames are wsproto's affair, bounds and time are ours.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import (
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    TextMessage,
)
from wsproto.extensions import PerMessageDeflate
from wsproto.frame_protocol import CloseReason
from wsproto.handshake import server_extensions_handshake
from wsproto.utilities import generate_accept_token
from zope.interface import implementer

from netlab.http1.sansio.fields import Fields
from netlab.http1.sansio.messages import HTTP_1_1, RequestHead

#: A message may be as long as uvicorn's default is.
MESSAGE_MAX_BYTES: Final = 16 << 20

#: What waits for the application; then no more is read.
_WAITING_MAX_BYTES: Final = 1 << 16

#: What one of these costs beside its content: empty ones take room too.
_MESSAGE_BYTES: Final = 64

#: What is decompressed at a time: a deflate stream grows a thousandfold at most, and the length of
#: a message is looked at in between.
_SLICE_BYTES: Final = 2048

#: A ping after this long, and as long for the answer: as uvicorn does.
_PING_SECONDS: Final = 20.0

#: How long the peer may take to answer our close.
_CLOSE_SECONDS: Final = 5.0

_KEY_BYTES: Final = 24
_VERSION: Final = b"13"

Incoming: TypeAlias = str | bytes
"""A message: text or binary."""


class HandshakeError(ValueError):
    """
    A request that wants a WebSocket and breaks a rule.

    @ivar status: what to answer: 400, or 426 for another version.
    """

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem)
        self.status = status


@dataclass(frozen=True, slots=True)
class Opening:
    """
    What a client asks for in its handshake (RFC 6455 section 4.2.1).

    @ivar key: its nonce.
    @ivar subprotocols: those that it offers, in its order.
    @ivar extensions: the offers, as they came.
    """

    key: bytes
    subprotocols: tuple[str, ...]
    extensions: tuple[str, ...]


def wants_websocket(head: RequestHead) -> bool:
    """
    Tell whether a request asks for a WebSocket.
    """
    fields = head.fields
    return b"upgrade" in fields and b"websocket" in fields.tokens(b"upgrade")


def read_opening(head: RequestHead) -> Opening:
    """
    Read a client's handshake.

    @raise HandshakeError: it breaks a rule of RFC 6455 section 4.2.1.
    """
    fields = head.fields
    if head.method != b"GET" or head.version < HTTP_1_1:
        raise HandshakeError(400, "a WebSocket begins with GET in HTTP/1.1")
    if b"upgrade" not in fields.tokens(b"connection"):
        raise HandshakeError(400, "Connection does not say upgrade")
    if fields.get(b"sec-websocket-version") != _VERSION:
        raise HandshakeError(426, "this server speaks version 13 of WebSocket")
    key = fields.get(b"sec-websocket-key") or b""
    if len(key) != _KEY_BYTES:
        raise HandshakeError(400, "Sec-WebSocket-Key is not 16 bytes in Base64")
    return Opening(
        key,
        _elements(fields, b"sec-websocket-protocol"),
        _elements(fields, b"sec-websocket-extensions"),
    )


def _elements(fields: Fields, name: bytes) -> tuple[str, ...]:
    text = (fields.get(name) or b"").decode("latin-1")
    return tuple(element.strip() for element in text.split(",") if element.strip())


def accept_fields(
    opening: Opening, subprotocol: str | None, more: list[tuple[bytes, bytes]]
) -> tuple[Fields, list[PerMessageDeflate]]:
    """
    Answer a handshake (RFC 6455 section 4.2.2).

    @param subprotocol: the one that was chosen.
    @param more: what else the header section has.
    @return: the header section, and the extensions that were agreed on.
    @raise netlab.http1.sansio.errors.LocalProtocolError: there can be no such field.
    """
    deflate = PerMessageDeflate()
    agreed = server_extensions_handshake(opening.extensions, [deflate])
    lines = [
        (b"Upgrade", b"websocket"),
        (b"Connection", b"Upgrade"),
        (b"Sec-WebSocket-Accept", generate_accept_token(opening.key)),
    ]
    if subprotocol is not None:
        lines.append((b"Sec-WebSocket-Protocol", subprotocol.encode("latin-1")))
    if agreed is not None:
        lines.append((b"Sec-WebSocket-Extensions", agreed))
    return Fields([*lines, *more]), [] if agreed is None else [deflate]


@implementer(IPushProducer)
class WebSocketProtocol(Protocol):
    """
    One WebSocket, from our answer to its handshake on.

    @ivar close_code: why it ended (RFC 6455 section 7.1.5); None while it has not.
    @ivar close_reason: the peer's words.
    """

    def __init__(
        self,
        clock: IReactorTime,
        extensions: list[PerMessageDeflate],
        changed: Callable[[], None],
        message_max_bytes: int = MESSAGE_MAX_BYTES,
    ) -> None:
        """
        @param clock: for pings and for the end.
        @param changed: is called when there is something to receive, or the end has come.
        """
        self.close_code: int | None = None
        self.close_reason = ""
        self._clock = clock
        self._changed = changed
        self._message_max_bytes = message_max_bytes
        self._frames = Connection(ConnectionType.SERVER, list(extensions))
        # The message that is being received, and whole ones that wait for the application.
        self._pieces: list[Any] = []
        self._size = 0
        self._messages: deque[Incoming] = deque()
        self._waiting_bytes = 0
        self._is_paused = False
        # Who waits until the client has taken what was sent.
        self._is_full = False
        self._ping_to_answer: Ping | None = None
        self._room: list[Deferred[None]] = []
        self._timer: IDelayedCall | None = None
        self._is_awaiting_pong = False
        self._is_lost = False

    # From the transport

    def connectionMade(self) -> None:
        """
        Begin to look after the peer.
        """
        transport: Any = self.transport
        transport.registerProducer(self, True)
        self._timer = self._clock.callLater(_PING_SECONDS, self._ping)

    def dataReceived(self, data: bytes) -> None:
        """
        Read frames.
        """
        self._is_awaiting_pong = False
        view = memoryview(data)
        for begin in range(0, len(data), _SLICE_BYTES):
            if self._frames.state in (ConnectionState.CLOSED, ConnectionState.REMOTE_CLOSING):
                return
            self._frames.receive_data(bytes(view[begin : begin + _SLICE_BYTES]))
            for event in self._frames.events():
                self._happened(event)
        self._pace()

    def _pace(self) -> None:
        """
        Read no more while messages wait for the application.
        """
        must_wait = self._waiting_bytes > _WAITING_MAX_BYTES
        if must_wait is self._is_paused or self._is_lost:
            return
        self._is_paused = must_wait
        transport: Any = self.transport
        if must_wait:
            transport.pauseProducing()
        else:
            transport.resumeProducing()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        The connection is gone.
        """
        self._is_lost = True
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._ended(CloseReason.ABNORMAL_CLOSURE, "")
        self.resumeProducing()

    # As a producer

    def pauseProducing(self) -> None:
        """
        The client does not take what it is sent.
        """
        self._is_full = True

    def resumeProducing(self) -> None:
        """
        It has taken all.
        """
        self._is_full = False
        ping, self._ping_to_answer = self._ping_to_answer, None
        if ping is not None and not self._is_lost:
            self._answer_ping(ping)
        waiting, self._room = self._room, []
        for one in waiting:
            one.callback(None)

    def stopProducing(self) -> None:
        """
        The connection is lost; C{connectionLost} sees to it.
        """

    # For the application

    def take(self) -> Incoming | None:
        """
        Take the next message.

        @return: None if there is none.
        """
        if not self._messages:
            return None
        message = self._messages.popleft()
        self._waiting_bytes -= len(message) + _MESSAGE_BYTES
        self._pace()
        return message

    def send(self, message: Incoming) -> Deferred[None] | None:
        """
        Send a message; nothing happens after the end.

        @return: fires when the client has taken it; None if there is room for more at once.
        """
        if self._frames.state is not ConnectionState.OPEN or self._is_lost:
            return None
        if isinstance(message, str):
            self._write(TextMessage(message))
        else:
            self._write(BytesMessage(message))
        if not self._is_full:
            return None
        waiting: Deferred[None] = Deferred()
        self._room.append(waiting)
        return waiting

    def close(self, code: int = CloseReason.GOING_AWAY, reason: str = "") -> None:
        """
        Close: say so, and wait for the peer's answer for a while.

        @param reason: at most 123 bytes in UTF-8.
        """
        if self._frames.state is not ConnectionState.OPEN or self._is_lost:
            return
        self._write(CloseConnection(code, reason))
        self._ended(code, reason)
        self._end_within(_CLOSE_SECONDS)

    def abort(self) -> None:
        """
        Close now.
        """
        if not self._is_lost:
            transport: Any = self.transport
            transport.abortConnection()

    # Behind it

    def _write(self, event: Event) -> None:
        transport: Any = self.transport
        transport.write(self._frames.send(event))

    def _happened(self, event: Event) -> None:
        match event:
            case TextMessage() | BytesMessage():
                self._size += len(event.data)
                if self._size > self._message_max_bytes:
                    self._fail(CloseReason.MESSAGE_TOO_BIG, "the message is too long")
                    return
                self._pieces.append(event.data)
                if event.message_finished:
                    empty = "" if isinstance(event, TextMessage) else b""
                    message: Incoming = empty.join(self._pieces)
                    self._pieces, self._size = [], 0
                    self._messages.append(message)
                    self._waiting_bytes += len(message) + _MESSAGE_BYTES
                    self._changed()
            case Ping():
                self._answer_ping(event)
            case Pong():
                pass
            case CloseConnection():
                # Of the peer, or because it broke a rule.
                if self._frames.state is ConnectionState.OPEN:
                    self._fail(event.code, event.reason or "")
                    return
                if self._frames.state is ConnectionState.REMOTE_CLOSING:
                    self._write(event.response())
                self._ended(event.code, event.reason or "")
                self._lose()
            case _:
                raise AssertionError(f"a WebSocket has no {event!r}")

    def _answer_ping(self, ping: Ping) -> None:
        """
        Answer; of a client that does not take what it is sent only the last one (RFC 6455 section
        5.5.3), so that answers do not pile up.
        """
        if self._is_full:
            self._ping_to_answer = ping
        elif self._frames.state is ConnectionState.OPEN:
            self._write(ping.response())

    def _fail(self, code: int, reason: str) -> None:
        """
        The peer has broken a rule: say which, and read no more.
        """
        if self._frames.state is ConnectionState.OPEN:
            self._write(CloseConnection(code, reason[:100]))
        self._pieces, self._size = [], 0
        self._ended(code, reason)
        self._lose()

    def _ended(self, code: int, reason: str) -> None:
        if self.close_code is None:
            self.close_code, self.close_reason = code, reason
            self._changed()

    def _lose(self) -> None:
        transport: Any = self.transport
        transport.unregisterProducer()
        transport.loseConnection()
        self._end_within(_CLOSE_SECONDS)

    def _end_within(self, seconds: float) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if not self._is_lost:
            self._timer = self._clock.callLater(seconds, self.abort)

    def _ping(self) -> None:
        """
        Find out whether the peer is still there: it has to say something within a while.
        """
        if self._is_awaiting_pong:
            self._ended(CloseReason.ABNORMAL_CLOSURE, "no answer to a ping")
            self.abort()
            return
        self._is_awaiting_pong = True
        self._write(Ping())
        self._timer = self._clock.callLater(_PING_SECONDS, self._ping)
