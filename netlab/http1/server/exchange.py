"""
One request and its answer: what the resource is asked, and how its response is sent.
"""

from __future__ import annotations

from collections.abc import AsyncIterable
from inspect import iscoroutine
from typing import Any, Final, Protocol, cast

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import ISSLTransport, ITCPTransport, ITransport
from twisted.logger import Logger
from twisted.python.failure import Failure

from netlab.http1 import SERVER_NAME
from netlab.http1.resources.contents import BytesContent
from netlab.http1.resources.receiving import ContentLostError, ContentTooLongError, RequestContent
from netlab.http1.resources.resource import Answer, Receiver, Resource, receiver_of
from netlab.http1.resources.responses import ContentSource, Response, Upgrade
from netlab.http1.resources.streaming import StreamSender, discard_stream
from netlab.http1.sansio.errors import RemoteProtocolError
from netlab.http1.sansio.messages import (
    END_OF_MESSAGE,
    Content,
    EndOfMessage,
    RequestHead,
    ResponseHead,
)
from netlab.http1.sansio.serverconnection import ServerConnection
from netlab.http1.sansio.statuses import forbids_content
from netlab.http1.server.coroutines import run_coroutine
from netlab.http1.server.sender import PIECE_BYTES
from netlab.http1.server.transfer import Carrier, begin_transfer

_CONTINUE: Final = ResponseHead(100)

#: How many pieces of content a resource finds when it begins; a chunk may be one byte.
_PIECES_AT_ONCE: Final = 64

_log = Logger(namespace=SERVER_NAME)


class Connection(Carrier, Protocol):
    """
    What an exchange knows of its connection, beside what a transfer does.

    @ivar machine: what has been received and sent, as messages.
    @ivar peer: the client's address; empty where it has none.
    @ivar resource: answers its requests.
    @ivar exchange: the one that is under way.
    """

    machine: ServerConnection
    peer: bytes
    resource: Resource
    exchange: Exchange | None

    def send_whole(
        self, head: RequestHead | None, response: Response, content: bytes, now: float
    ) -> bytes:
        """
        Send an answer in one piece, count it and log it.
        """

    def upgrade(self, head: RequestHead, answer: ResponseHead, content: Upgrade) -> None:
        """
        Leave HTTP.

        @raise LocalProtocolError: that cannot be now; nothing has happened then.
        """

    def answered(self) -> None:
        """
        The answer is complete, as far as the machine is concerned.
        """

    def stream_blocked(self, is_blocked: bool) -> None:
        """
        The client must take what it is sent, or there is nothing to be taken.
        """

    def refuse(self, status: int, explanation: str) -> None:
        """
        Say what is wrong with what the peer has sent, then close.
        """

    def abort(self) -> None:
        """
        Close now.
        """


class Exchange:
    """
    One request, from its head until its answer is complete, or until it is given up. A connection
    has one at a time, and none while it is idle.

    @ivar head: the request's.
    @ivar sent_head: the head of an answer with large content, once that is being sent.
    """

    __slots__ = ("_answering", "_connection", "_content", "head", "sent_head")

    def __init__(self, connection: Connection, head: RequestHead) -> None:
        """
        @param connection: whose C{exchange} this is, for as long as it is not over.
        """
        self._connection = connection
        self.head = head
        self.sent_head = b""
        # Its content, while it arrives and a resource wants it.
        self._content: RequestContent | None = None
        # The resource, while it thinks.
        self._answering: Deferred[None] | None = None

    @property
    def must_wait(self) -> bool:
        """
        Whether nothing more is to be read until the answer has come, or has been sent, or the
        resource has taken some of the content that it wants.
        """
        is_busy = self._answering is not None or self._connection.sender is not None
        return is_busy and (self._content is None or self._content.is_full)

    @property
    def is_full(self) -> bool:
        """
        Whether so much content waits for the resource that no more should be received.
        """
        return self._content is not None and self._content.is_full

    def give_up(self, why: str) -> None:
        """
        Work on the answer may end. Meanwhile the connection must have
        forgotten this exchange.

        @param why: for who reads the request's content.
        """
        content, self._content = self._content, None
        answering, self._answering = self._answering, None
        if answering is not None:
            answering.cancel()
        if content is not None:
            content.lose(why)

    def _is_over(self) -> bool:
        """
        Find out whether there is nobody left to be answered.
        """
        return self._connection.is_closing or self._connection.exchange is not self

    # The request

    def begin(self) -> None:
        """
        Ask the resource whether it wants the content, if there may be any. Content that it does
        not want is read before it answers if there is little of it: then a fault in it is still
        answered by 400.
        """
        context = self._connection.context
        machine = self._connection.machine
        head = self.head
        promised = machine.promised_content_bytes
        try:
            receiver = receiver_of(self._connection.resource, head)
        except Exception:  # noqa: BLE001, as in _respond
            machine.abandon_content()
            self._answer_failed(_failure())
            return
        if receiver is not None:
            self._content = content = RequestContent(self._content_wanted)
            if self._take_what_has_come(content):
                self._respond(receiver, content)
            return
        if promised == 0:
            return
        most = context.settings.limits.unwanted_content_max_bytes
        if machine.expects_continue or (promised is not None and promised > most):
            machine.abandon_content()
            self._respond()

    def _take_what_has_come(self, content: RequestContent) -> bool:
        """
        Let the resource find all that has come with the head: most contents are small, and nobody
        has to wait for them.

        @return: whether it may go on; not where there is a fault in it.
        """
        connection = self._connection
        for _ in range(_PIECES_AT_ONCE):
            try:
                event = connection.machine.next_event()
            except RemoteProtocolError as fault:
                connection.refuse(fault.status, fault.explanation)
                return False
            if isinstance(event, Content):
                content.add(event.data)
                if content.is_full:
                    break
            elif event is None:
                break
            else:
                self.end_received()
                break
        return True

    def content_received(self, content: Content) -> None:
        """
        A piece of the request's content has come.
        """
        if self._content is not None:
            self._content.add(content.data)
            return
        connection = self._connection
        machine = connection.machine
        if machine.content_bytes > connection.context.settings.limits.unwanted_content_max_bytes:
            machine.abandon_content()
            self._respond()

    def end_received(self) -> None:
        """
        The request has come whole.
        """
        if self._content is None:
            self._respond()
        else:
            content, self._content = self._content, None
            content.end()

    def _content_wanted(self, was_full: bool) -> None:
        """
        A resource waits for content that has not been received.
        """
        connection = self._connection
        if connection.is_closing or self._content is None:
            return
        machine = connection.machine
        now = connection.context.seconds()
        if machine.expects_continue and machine.can_answer:
            cast(ITransport, connection.transport).write(machine.send(_CONTINUE, now))
            was_full = True
        if was_full:
            # The client had to wait for us.
            machine.restart_phase(now)
        if not connection.is_advancing:
            connection.advance()

    def _leave_content(self) -> None:
        """
        The answer is complete before the request: drop what has come of it. If that is not all, the
        connection ends, and the rest is not waited for.

        @raise RemoteProtocolError: there is a fault in it.
        """
        content, self._content = self._content, None
        if content is None:
            return
        content.lose("the answer was complete before")
        machine = self._connection.machine
        while (event := machine.next_event()) is not None:
            if isinstance(event, EndOfMessage):
                return
        machine.abandon_content()

    # The resource

    def _respond(
        self, receiver: Receiver | None = None, content: RequestContent | None = None
    ) -> None:
        """
        Ask the resource, and send what it returns, now or later.

        @param receiver: what the resource answers with where it wants the request's content.
        @param content: that content.
        """
        connection = self._connection
        head = self.head
        if head.target.is_https and not ISSLTransport.providedBy(connection.transport):
            self._send(connection.context.pages.error(421, closes=True))
            return
        try:
            if receiver is not None and content is not None:
                answer = receiver(head, content)
            else:
                answer = connection.resource.respond(head)
        except Exception:  # noqa: BLE001, whatever a resource does wrong ends here, in the log
            self._answer_failed(_failure())
            return
        self.take(answer)

    def take(self, answer: Answer) -> None:
        """
        Send what the resource has returned, now or later.
        """
        if isinstance(answer, Response):
            self._send(answer)
        else:
            self._wait_for(answer)

    def fail(self) -> None:
        """
        The resource has raised what is being handled.
        """
        self._answer_failed(_failure())

    def _wait_for(self, answer: object) -> None:
        """
        Send a response when it comes; a client that has gone cancels it.
        """
        later: Deferred[Response]
        if iscoroutine(answer):
            try:
                come = run_coroutine(answer)
            except Exception:  # noqa: BLE001, as in _respond
                self._failed(_failure())
                return
            if not isinstance(come, Deferred):
                self._came(come)
                return
            later = come
        elif isinstance(answer, Deferred):
            later = answer
        else:
            resource = self._connection.resource
            mistake = TypeError(f"{resource!r} returned {answer!r}, not a response")
            self._answer_failed(_failure(mistake))
            return

        def go_on(ignored: None) -> None:
            connection = self._connection
            if not (connection.is_closing or connection.is_advancing):
                connection.advance()

        done = later.addCallbacks(self._came, self._failed)
        if not later.called or later.paused:
            self._answering = done
            done.addCallback(go_on)

    def _came(self, response: Any) -> None:
        """
        The response, or what a resource takes for one, is here.
        """
        self._answering = None
        if self._connection.exchange is not self:
            _close(getattr(response, "content", None))  # given up meanwhile
        elif isinstance(response, Response):
            self._send(response)
        else:
            self._answer_failed(_failure(TypeError(f"not a response: {response!r}")))

    def _failed(self, failure: Failure) -> None:
        """
        There will be no response.
        """
        self._answering = None
        if not (self._is_over() and isinstance(failure.value, (CancelledError, ContentLostError))):
            self._answer_failed(failure)

    def _answer_failed(self, failure: Failure) -> None:
        status = 500
        if isinstance(failure.value, ContentTooLongError):
            status = 413
        else:
            _log.failure("The resource failed to answer", failure)
        if self._is_over():
            return
        connection = self._connection
        if connection.machine.can_answer:
            self._send(connection.context.pages.error(status))
        else:
            # Half of an answer has gone out: only the end of the connection can say that.
            connection.abort()

    # The answer

    def _send(self, response: Response) -> None:
        """
        Send a response.
        """
        content = response.content
        if self._connection.is_closing:
            # The client has gone, or we have given up on it, while the resource was thinking.
            _close(content)
            return
        if response.closes:
            self._connection.machine.give_up_persistence()
        try:
            if isinstance(content, bytes):
                if self._content is not None:
                    self._leave_content()
                if len(content) <= PIECE_BYTES:
                    connection = self._connection
                    connection.send_whole(
                        self.head, response, content, connection.context.seconds()
                    )
                    connection.answered()
                else:
                    self._send_large(response, BytesContent(content))
            elif isinstance(content, Upgrade):
                connection = self._connection
                head = ResponseHead(response.status, response.fields, response.reason)
                connection.upgrade(self.head, head, content)
            elif isinstance(content, AsyncIterable):
                self._send_stream(response, content)
            else:
                self._leave_content()
                self._send_large(response, content)
        except RemoteProtocolError as fault:
            _close(content)
            self._connection.refuse(fault.status, fault.explanation)
        except Exception:  # noqa: BLE001, as in _respond: a response may be made of anything
            _close(content)
            self._answer_failed(_failure())

    def _send_large(self, response: Response, source: ContentSource) -> None:
        """
        Send content of known length, no faster than the client takes it.
        """
        connection = self._connection
        machine = connection.machine
        transport = connection.transport
        assert transport is not None
        now = connection.context.seconds()
        head = ResponseHead(response.status, response.fields, response.reason)
        data = machine.send(head, now, source.length)
        if self._is_without_content(response):
            source.close()
            transport.write(data)
            self._content_sent(response, 0)
            return
        machine.note_content_sent(source.length)
        self.sent_head = data

        def over(sent: int, why: Exception | None) -> None:
            self._sent(response, sent, why)

        begin_transfer(connection, data, source, over)

    def _send_stream(self, response: Response, content: AsyncIterable[bytes]) -> None:
        """
        Send content as it comes. Meanwhile the rest of the request's content may be read.
        """
        connection = self._connection
        context = connection.context
        machine = connection.machine
        transport = connection.transport
        assert transport is not None
        head = ResponseHead(response.status, response.fields, response.reason)
        data = machine.send(head, context.seconds(), response.content_length)
        if self._is_without_content(response):
            _close(content)
            transport.write(data)
            self._content_sent(response, 0)
            return

        def frame(piece: bytes) -> bytes:
            return machine.send(Content(piece), 0.0)

        def done(why: Exception | None) -> None:
            length = response.content_length
            if why is None and length is not None and sender.sent != length:
                # Only a connection that breaks off can say that less comes than was announced.
                why = EOFError(f"{length - sender.sent} bytes of content are missing")
                cast(ITCPTransport, transport).abortConnection()
            if why is None:
                connection.take_back()
            else:
                connection.sender_failed(why)
            self._sent(response, sender.sent, why)
            if why is None and not (connection.is_advancing or connection.is_closing):
                connection.advance()

        blocked = connection.stream_blocked
        sender = StreamSender(transport, content, frame, done, blocked, context.clock)
        connection.hand_over_to(sender)
        sender.begin(data)

    def _is_without_content(self, response: Response) -> bool:
        return self.head.method == b"HEAD" or forbids_content(response.status)

    def _sent(self, response: Response, sent: int, why: Exception | None) -> None:
        """
        Content has been handed to the transport, all of it or less.
        """
        if why is None:
            self._content_sent(response, sent)
        else:
            connection = self._connection
            self._record(response, sent, connection.context.seconds())

    def _content_sent(self, response: Response, sent: int) -> None:
        connection = self._connection
        machine = connection.machine
        if self._content is not None:
            try:
                self._leave_content()
            except RemoteProtocolError:
                # It is too late to say so, and the connection ends anyway.
                machine.abandon_content()
        now = connection.context.seconds()
        tail = machine.send(END_OF_MESSAGE, now)
        if tail:
            cast(ITransport, connection.transport).write(tail)
        self._record(response, sent, now)
        connection.answered()

    def _record(self, response: Response, sent: int, now: float) -> None:
        connection = self._connection
        connection.context.recorder.record(connection.peer, self.head, response.status, sent, now)


def _failure(error: BaseException | None = None) -> Failure:
    """
    Wrap an error, or the one that is being handled, for the log.
    """
    return Failure(error)  # type: ignore[no-untyped-call]


def _close(content: object) -> None:
    """
    Give content back that is not sent; what is no source at all is left alone.
    """
    if hasattr(content, "aclose"):
        discard_stream(content)
        return
    close = getattr(content, "close", None)
    if close is not None:
        close()
