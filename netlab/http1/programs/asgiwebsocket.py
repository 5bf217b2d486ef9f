"""
A WebSocket of an ASGI application ("HTTP & WebSocket ASGI Message Format" 2.4, "WebSocket").
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from netlab.http1 import SERVER_NAME
from netlab.http1.programs.answerheads import AnswerHead, AnswerHeads, ApplicationError
from netlab.http1.programs.asgiscope import Message, ScopeOfConnection, http_scope
from netlab.http1.programs.websocket import (
    HandshakeError,
    Opening,
    WebSocketProtocol,
    accept_fields,
    read_opening,
)
from netlab.http1.resources.resource import Answer
from netlab.http1.resources.responses import Pages, Response, Upgrade
from netlab.http1.sansio.errors import LocalProtocolError
from netlab.http1.sansio.fields import Fields
from netlab.http1.sansio.messages import RequestHead

_SCHEMES: Final = {"http": "ws", "https": "wss"}

#: What an application's answer in place of a WebSocket may have.
_DENIAL_MAX_BYTES: Final = 1 << 20

_ABNORMAL: Final = 1006
_INTERNAL_ERROR: Final = 1011
_NORMAL: Final = 1000

_log = Logger(namespace=SERVER_NAME)


def websocket_scope(
    head: RequestHead,
    opening: Opening,
    connection: ScopeOfConnection,
    root_path: str,
    state: dict[str, Any] | None,
) -> Message:
    """
    Write the scope of a WebSocket.
    """
    scope = http_scope(head, connection, root_path, state)
    del scope["method"]
    scope["type"] = "websocket"
    scope["scheme"] = _SCHEMES[connection.scheme]
    scope["subprotocols"] = list(opening.subprotocols)
    scope["extensions"] = {**connection.extensions, "websocket.http.response": {}}
    return scope


class CalledProgram(Protocol):
    """
    What is known here of an application.
    """

    loop: asyncio.AbstractEventLoop
    root_path: str
    state: dict[str, Any] | None
    heads: AnswerHeads
    running: set[Any]

    @property
    def application(self) -> Callable[[Message, Any, Any], Awaitable[None]]:
        """
        What is called for each request.
        """


def websocket_answer(
    program: CalledProgram, head: RequestHead, connection: ScopeOfConnection, clock: IReactorTime
) -> Answer:
    """
    Answer a request that wants a WebSocket: call the application.
    """
    try:
        opening = read_opening(head)
    except HandshakeError as error:
        version = Fields([(b"Sec-WebSocket-Version", b"13")])
        return Pages().error(error.status, f"{error}.", version, closes=True)
    call = WebSocketCall(clock, program.loop, opening, program.heads)
    scope = websocket_scope(head, opening, connection, program.root_path, program.state)

    async def run() -> None:
        problem: Exception | None = None
        try:
            await program.application(scope, call.receive, call.send)
        except asyncio.CancelledError:
            problem = ApplicationError("the application was cancelled")
        except Exception as error:  # noqa: BLE001, as for every resource; it goes to the log
            problem = error
        finally:
            program.running.discard(task)
        call.ended(problem)

    task = program.loop.create_task(run())
    program.running.add(task)
    return call.answer


class WebSocketCall:
    """
    One WebSocket, and the call of the application that it is for.

    @ivar answer: fires with the answer to the handshake.
    """

    def __init__(
        self,
        clock: IReactorTime,
        loop: asyncio.AbstractEventLoop,
        opening: Opening,
        heads: AnswerHeads,
    ) -> None:
        """
        @param clock: for the connection.
        @param loop: on which the application runs.
        @param opening: what the client asks for.
        @param heads: reads an answer in place of a WebSocket.
        """
        self.answer: Deferred[Response] = Deferred(lambda _: self._gone())
        self._clock = clock
        self._loop = loop
        self._opening = opening
        self._heads = heads
        self._socket: WebSocketProtocol | None = None
        self._has_connected = False
        self._is_gone = False
        self._denial: AnswerHead | None = None
        self._denial_content = b""
        self._waiting: asyncio.Future[None] | None = None

    def ended(self, error: Exception | None) -> None:
        """
        The application has returned, or raised something.
        """
        socket = self._socket
        if socket is not None:
            if error is not None and socket.close_code is None:
                _log.failure("An ASGI application failed", Failure(error))  # type: ignore[no-untyped-call]
            socket.close(_NORMAL if error is None else _INTERNAL_ERROR)
        elif not self.answer.called:
            problem = error or ApplicationError("the application has returned without an answer")
            self.answer.errback(Failure(problem))  # type: ignore[no-untyped-call]

    def _gone(self) -> None:
        """
        The client has gone before there was an answer.
        """
        self._is_gone = True
        self._changed()

    def _changed(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    async def receive(self) -> Message:
        """
        C{receive} of the application.
        """
        if not self._has_connected:
            self._has_connected = True
            return {"type": "websocket.connect"}
        while True:
            socket = self._socket
            message = None if socket is None else socket.take()
            if isinstance(message, str):
                return {"type": "websocket.receive", "text": message}
            if message is not None:
                return {"type": "websocket.receive", "bytes": message}
            if socket is not None and socket.close_code is not None:
                code, reason = int(socket.close_code), socket.close_reason
                return {"type": "websocket.disconnect", "code": code, "reason": reason}
            if self._is_gone or (self.answer.called and socket is None):
                return {"type": "websocket.disconnect", "code": _ABNORMAL, "reason": ""}
            if self._waiting is None:
                self._waiting = self._loop.create_future()
            await asyncio.shield(self._waiting)

    async def send(self, message: Message) -> None:
        """
        C{send} of the application.
        """
        kind = message["type"]
        socket = self._socket
        if socket is not None:
            await self._send_open(socket, kind, message)
        elif kind == "websocket.http.response.body" and self._denial is not None:
            self._deny(self._denial, message)
        elif self._is_gone:
            return
        elif self.answer.called:
            raise ApplicationError(f"{kind} after the end")
        elif kind == "websocket.accept":
            self._accept(message)
        elif kind == "websocket.close":
            self.answer.callback(Response(403))
        elif kind == "websocket.http.response.start":
            self._denial = self._heads.read(message.get("status"), message.get("headers", ()))
        else:
            raise ApplicationError(f"{kind} before websocket.accept")

    async def _send_open(self, socket: WebSocketProtocol, kind: str, message: Message) -> None:
        if kind == "websocket.send":
            text: Any = message.get("text")
            data: Any = message.get("bytes")
            if (text is None) is (data is None):
                raise ApplicationError("websocket.send has neither text nor bytes, or both")
            if socket.close_code is not None:
                raise OSError("the client has disconnected")
            waiting = socket.send(data if text is None else text)
            if waiting is not None:
                await waiting.asFuture(self._loop)
        elif kind == "websocket.close":
            reason = message.get("reason") or ""
            socket.close(message.get("code", _NORMAL), reason)
        else:
            raise ApplicationError(f"{kind!r} is no message of an open WebSocket")

    def _accept(self, message: Message) -> None:
        subprotocol = message.get("subprotocol")
        if subprotocol is not None and subprotocol not in self._opening.subprotocols:
            raise ApplicationError(f"the client has not offered the subprotocol {subprotocol!r}")
        try:
            more = [(bytes(name), bytes(value)) for name, value in message.get("headers", ())]
            fields, extensions = accept_fields(self._opening, subprotocol, more)
        except (TypeError, ValueError, LocalProtocolError) as error:
            raise ApplicationError(
                f"websocket.accept has headers that are none: {error}"
            ) from error
        self._socket = socket = WebSocketProtocol(self._clock, extensions, self._changed)
        self.answer.callback(Response(101, fields, Upgrade(socket)))

    def _deny(self, head: AnswerHead, message: Message) -> None:
        self._denial_content += message.get("body", b"")
        if len(self._denial_content) > _DENIAL_MAX_BYTES:
            raise ApplicationError("the answer in place of a WebSocket is too long")
        if not message.get("more_body") and not self.answer.called:
            fields: Fields = head.fields
            self.answer.callback(Response(head.status, fields, self._denial_content, head.closes))
