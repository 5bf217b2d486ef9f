"""
An ASGI application (ASGI 3.0) as a resource: each request is a call of it, in a task of asyncio.

It needs Twisted's asyncio reactor, whose loop the tasks run on.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, Self, TypeAlias

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from netlab.http1 import SERVER_NAME
from netlab.http1.programs.answerheads import AnswerHead, AnswerHeads, ApplicationError
from netlab.http1.programs.asgiscope import (
    Message,
    ScopeOfConnection,
    http_scope,
    proxied_scope,
    scope_of_connection,
)
from netlab.http1.resources.connectionfacts import ConnectionFacts
from netlab.http1.resources.receiving import ContentLostError, RequestContent
from netlab.http1.resources.resource import Answer, Receiver, Resource
from netlab.http1.resources.responses import Response
from netlab.http1.sansio.messages import RequestHead
from netlab.http1.sansio.statuses import forbids_content

Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]
"""An ASGI application of one call."""

_REQUEST_WITHOUT_CONTENT: Final = {"type": "http.request", "body": b"", "more_body": False}

#: From this version on a task may run at once, up to where it first waits.
_HAS_EAGER_TASKS: Final = sys.version_info >= (3, 12)

_log = Logger(namespace=SERVER_NAME)


class DisconnectedError(OSError):
    """
    How sending to a client that has gone fails (ASGI's HTTP specification 2.4,
    "Disconnected Client").
    """


class Cancellable(Protocol):
    """
    A call that is under way.
    """

    def cancel(self) -> object:
        """
        End it.
        """


@dataclass(eq=False, slots=True)
class ASGIProgram:
    """
    An application, and the calls of it that are under way.

    @ivar application: what is called for each request.
    @ivar loop: on which its tasks run: that of the reactor.
    @ivar root_path: where it is mounted, without a slash at its end.
    @ivar state: what it has put aside in its lifespan; None if it has none.
    @ivar clock: for WebSockets; None if this cannot have any.
    @ivar heads: reads what it answers.
    @ivar running: the calls under way. A task that nobody holds may vanish.
    """

    application: Application
    loop: asyncio.AbstractEventLoop
    root_path: str = ""
    state: dict[str, Any] | None = None
    clock: IReactorTime | None = None
    heads: AnswerHeads = field(default_factory=AnswerHeads)
    running: set[Cancellable] = field(default_factory=set)

    def for_connection(self, facts: ConnectionFacts) -> Resource:
        """
        Answer the requests of one connection.
        """
        return _ProgramConnection(self, facts)

    def respond(self, head: RequestHead) -> Answer:
        """
        Refuse: what a scope says of the connection is not known here.

        @raise RuntimeError: always.
        """
        raise RuntimeError("an ASGI application answers by way of for_connection")


class _ProgramConnection:
    """
    What answers the requests of one connection.
    """

    __slots__ = ("_facts", "_program", "_scope")

    def __init__(self, program: ASGIProgram, facts: ConnectionFacts) -> None:
        self._program = program
        self._facts = facts
        self._scope: ScopeOfConnection | None = None

    def respond(self, head: RequestHead) -> Answer:
        """
        Answer a request whose content nobody wants, as most have none.
        """
        if self._program.clock is not None and b"upgrade" in head.fields:
            return self._begin_websocket(head, self._program.clock)
        return self._begin(head, None)

    def _begin_websocket(self, head: RequestHead, clock: IReactorTime) -> Answer:
        """
        Answer a request that wants another protocol.
        """
        # Not at the top: it needs wsproto, which need not be installed.
        from netlab.http1.programs.asgiwebsocket import websocket_answer
        from netlab.http1.programs.websocket import wants_websocket

        if not wants_websocket(head):
            return self._begin(head, None)
        return websocket_answer(self._program, head, self._connection_scope(head), clock)

    def receiver(self, head: RequestHead) -> Receiver | None:
        """
        An application may read the content of any request.
        """
        return self._begin

    def _begin(self, head: RequestHead, content: RequestContent | None) -> Answer:
        scope = self._connection_scope(head)
        return ASGICall(self._program, head, scope, content, self._facts).begin()

    def _connection_scope(self, head: RequestHead) -> ScopeOfConnection:
        scope = self._scope
        if self._facts.is_proxied:
            return proxied_scope(scope_of_connection(self._facts), self._facts.asker(head))
        if scope is None:
            # Not before: the handshake of TLS is over only with the first request.
            scope = self._scope = scope_of_connection(self._facts)
        return scope


class ASGICall:
    """
    One request, and the call of the application that answers it. It is also the content of an
    answer that comes in pieces.
    """

    __slots__ = (
        "_content",
        "_facts",
        "_has_ended",
        "_has_received",
        "_head",
        "_is_gone",
        "_piece",
        "_program",
        "_reader",
        "_result",
        "_scope",
        "_started",
        "_task",
        "_waiting",
    )

    def __init__(
        self,
        program: ASGIProgram,
        head: RequestHead,
        scope: ScopeOfConnection,
        content: RequestContent | None,
        facts: ConnectionFacts,
    ) -> None:
        """
        @param content: the request's; None if it has none, or it was read and thrown away.
        """
        self._program = program
        self._head = head
        self._scope = scope
        self._content = content
        self._facts = facts
        self._has_received = False
        # The response, once it is known, or who waits for it, or why there is none.
        self._result: Response | Deferred[Response] | Failure | None = None
        self._started: AnswerHead | None = None
        self._has_ended = False
        # Nobody will take anything more: all is sent, or the client has gone.
        self._is_gone = False
        # Content that comes in pieces: the one that waits to be sent, who waits for the next one,
        # and the application if it has to wait.
        self._piece: bytes | None = None
        self._reader: Deferred[None] | None = None
        self._waiting: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> Answer:
        """
        Call the application.

        @return: its response, if it comes before the application first waits.
        """
        program = self._program
        program.running.add(self)
        self._facts.watcher = self
        coroutine = self._run()
        if _HAS_EAGER_TASKS:
            self._task = asyncio.Task(coroutine, loop=program.loop, eager_start=True)  # type: ignore[call-arg]
        else:
            self._task = program.loop.create_task(coroutine)
        result = self._result
        if isinstance(result, Response):
            return result
        if isinstance(result, Failure):
            result.raiseException()
        answer: Deferred[Response] = Deferred(self._cancelled)
        self._result = answer
        return answer

    def cancel(self) -> None:
        """
        End the call, wherever it is.
        """
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        program = self._program
        try:
            scope = http_scope(self._head, self._scope, program.root_path, program.state)
            await program.application(scope, self._receive, self._send)
        except asyncio.CancelledError:
            self._fail(ApplicationError("the application was cancelled"))
        except Exception as error:  # noqa: BLE001, as for every resource; it goes to the log
            if self._is_gone:
                # Most often because sending to nobody fails.
                what = repr(error)
                _log.info("An ASGI application ended when its client had gone: {what}", what=what)
            elif self._has_ended:
                _log.failure("An ASGI application failed after its answer")
            self._fail(error)
        else:
            self._fail(ApplicationError("the application has returned without a whole response"))
        finally:
            program.running.discard(self)
            if self._facts.watcher is self:
                self._facts.watcher = None

    def _fail(self, error: Exception) -> None:
        """
        Unless there is a whole answer, or nobody who would take it, there will be none.
        """
        result = self._result
        if self._has_ended or self._is_gone:
            return
        failure = Failure(error)  # type: ignore[no-untyped-call]
        if isinstance(result, Deferred):
            self._result = failure
            if not result.called:
                result.errback(failure)
        else:
            self._result = failure
            self._wake_reader()

    def _cancelled(self, _answer: Deferred[Response]) -> None:
        """
        The client has gone before there was an answer.
        """
        self._go()

    def input_ended(self) -> None:
        """
        The client sends nothing more. Most that do this have gone, and this protocol knows no other
        way to end; what the application sends nevertheless goes out.
        """
        self._wake_application()

    def _go(self) -> None:
        """
        From now on nothing is taken, and C{receive} says that the client has disconnected.
        """
        self._is_gone = True
        self._piece = None
        self._wake_application()

    def _wake_application(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def _wake_reader(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.callback(None)

    # What the application calls

    async def _receive(self) -> Message:
        if not self._has_received and not self._is_gone:
            content = self._content
            if content is None:
                self._has_received = True
                return _REQUEST_WITHOUT_CONTENT.copy()
            try:
                piece = content.take()
                if piece is None:
                    piece = await Deferred.fromCoroutine(_next_of(content)).asFuture(
                        self._program.loop
                    )
            except ContentLostError:
                self._has_received = True
            else:
                self._has_received = content.is_at_end
                return {"type": "http.request", "body": piece, "more_body": not self._has_received}
        while not (self._is_gone or self._has_ended or self._facts.has_input_ended):
            await self._wait()
        return {"type": "http.disconnect"}

    def _wait(self) -> asyncio.Future[None]:
        """
        Wait until something has happened. Several tasks of an application may.
        """
        waiting = self._waiting
        if waiting is None:
            waiting = self._waiting = self._program.loop.create_future()
        return asyncio.shield(waiting)

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.body":
            started = self._started
            if started is None or self._has_ended:
                raise ApplicationError(f"{kind} comes too early, or too late")
            body = message.get("body", b"")
            if message.get("more_body", False) or self._result_is_stream():
                await self._send_piece(body, is_last=not message.get("more_body", False))
            else:
                self._send_whole(started, body)
        elif kind == "http.response.start":
            if self._started is not None:
                raise ApplicationError("http.response.start twice")
            self._started = self._program.heads.read(
                message.get("status"), message.get("headers", ())
            )
        else:
            raise ApplicationError(f"{kind!r} is no message that this server takes")

    def _result_is_stream(self) -> bool:
        return isinstance(self._result, Response)

    def _send_whole(self, started: AnswerHead, body: bytes) -> None:
        """
        The answer is complete with its first piece.
        """
        length = started.length
        content: Any = body
        if length is not None and length != len(body):
            if self._head.method != b"HEAD" and not forbids_content(started.status):
                raise ApplicationError(f"{len(body)} bytes of content, and content-length {length}")
            content = _Nothing()
        if self._is_gone:
            raise DisconnectedError("the client has disconnected")
        self._has_ended = True
        self._answer(started, content if content is not body else bytes(body), length)
        self._wake_application()

    def _answer(self, started: AnswerHead, content: Any, length: int | None) -> None:
        response = Response(
            started.status, started.fields, content, started.closes, content_length=length
        )
        result, self._result = self._result, response
        if isinstance(result, Deferred) and not result.called:
            result.callback(response)

    async def _send_piece(self, body: bytes, *, is_last: bool) -> None:
        """
        Give the next piece of an answer, and wait until the one before has left: an application is
        no faster than its client.
        """
        started = self._started
        assert started is not None
        if not (self._result_is_stream() or self._is_gone):
            self._answer(started, self, started.length)
        while self._piece is not None and not self._is_gone:
            await self._wait()
        if self._is_gone:
            raise DisconnectedError("the client has disconnected")
        self._piece = bytes(body)
        self._has_ended = is_last
        self._wake_reader()
        if is_last:
            self._wake_application()

    # As content that comes in pieces

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while True:
            piece, self._piece = self._piece, None
            if piece is not None:
                if not self._has_ended:
                    self._wake_application()
                return piece
            if isinstance(self._result, Failure):
                self._result.raiseException()
            if self._has_ended or self._is_gone:
                raise StopAsyncIteration
            self._reader = Deferred()
            try:
                await self._reader
            finally:
                self._reader = None

    async def aclose(self) -> None:
        """
        Nobody takes anything more.
        """
        self._go()


class _Nothing:
    """
    Content that is announced and never sent: that of an answer to HEAD.
    """

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        raise StopAsyncIteration


async def _next_of(content: RequestContent) -> bytes:
    """
    Wait for the next piece of a request's content.

    @return: nothing at its end.
    """
    async for piece in content:
        return piece
    return b""
