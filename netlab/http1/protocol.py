"""
HTTP/1.1 on a Twisted transport: the machine, a resource, one deadline and one sender of content.

What arrives goes to the machine, what the machine reports goes to the resource, and what the
resource returns goes through the machine to the transport. No byte of a message is looked at here.
"""

from __future__ import annotations

from collections.abc import AsyncIterable
from inspect import iscoroutine
from typing import TYPE_CHECKING, Any, Final, cast

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import (
    IConsumer,
    IDelayedCall,
    IHalfCloseableProtocol,
    IPushProducer,
    ISSLTransport,
    ITCPTransport,
    ITransport,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from netlab.http1 import SERVER_NAME
from netlab.http1.contents import BytesContent
from netlab.http1.errors import LocalProtocolError, RemoteProtocolError
from netlab.http1.fields import Fields
from netlab.http1.files import FileRange
from netlab.http1.log import LoggedAnswers, RequestPart, shown_head
from netlab.http1.messages import (
    END_OF_MESSAGE,
    ConnectionClosed,
    Content,
    EndOfMessage,
    RequestHead,
    ResponseHead,
)
from netlab.http1.receiving import ContentLostError, ContentTooLongError, RequestContent
from netlab.http1.repeats import HEAD_MAX_BYTES, FileRepeat, Repeat, joined
from netlab.http1.resource import Answer, Receiver, receiver_of
from netlab.http1.responses import ContentSource, Response
from netlab.http1.sender import PIECE_BYTES, Sender, acknowledged_bytes, sender_for
from netlab.http1.serverconnection import Phase, ServerConnection
from netlab.http1.statuses import forbids_content
from netlab.http1.streaming import StreamSender, discard_stream
from netlab.transport.sendfile import TransferStoppedError

if TYPE_CHECKING:
    from netlab.http1.factory import HTTPServerFactory

#: How much input is thrown away behind a refusal before the peer is cut off: most that a client
#: sends before it looks for an answer. It costs no memory, and time is bounded too.
_LINGER_MAX_BYTES: Final = 64 << 20

#: How many pipelined requests are read before everybody else has a turn: their answers take some
#: milliseconds. One delivery may hold thousands. nginx reads one a turn.
_REQUESTS_A_TURN: Final = 64

_CONTINUE: Final = ResponseHead(100)

#: What hardly ever has content: a resource is not asked whether it wants any that is not there.
_WITHOUT_CONTENT: Final = frozenset((b"GET", b"HEAD"))

_RETRY_SOON: Final = Fields([(b"Retry-After", b"1")])

_log = Logger(namespace=SERVER_NAME)


@implementer(IHalfCloseableProtocol, IPushProducer)
class HTTPServerProtocol(Protocol):
    """
    One client's connection.

    The protocol is the producer of what it sends: while the transport's buffer is full, no further
    request is read, so that a client which asks and never reads costs one buffer and no more.

    @ivar bucket: belongs to L{Deadlines}.
    """

    # There may be ten thousand of these, idle.
    __slots__ = (
        "_acknowledged",
        "_answering",
        "_content",
        "_factory",
        "_head",
        "_is_admitted",
        "_is_advancing",
        "_is_closing",
        "_is_lingering",
        "_is_reading_paused",
        "_is_refused",
        "_is_write_blocked",
        "_is_write_shut",
        "_linger_bytes",
        "_machine",
        "_peer",
        "_sender",
        "_turn",
        "_wait_until",
        "bucket",
        "connected",
        "transport",
    )

    transport: ITransport | None

    def __init__(self, factory: HTTPServerFactory, peer: bytes = b"") -> None:
        """
        @param factory: what all connections have in common.
        @param peer: the client's address; empty where it has none.
        """
        self._factory = factory
        self._machine = ServerConnection(factory.settings, factory.seconds())
        self.transport = None
        self.connected = 0
        self.bucket: int | None = None
        self._peer = peer
        # The request being answered; with content that nobody wants, it first waits for its end.
        self._head: RequestHead | None = None
        # Its content, while it arrives and a resource wants it.
        self._content: RequestContent | None = None
        self._answering: Deferred[None] | None = None
        self._sender: Sender | None = None
        self._is_admitted = False
        self._is_refused = False
        self._is_advancing = False
        self._is_write_blocked = False
        self._is_write_shut = False
        self._is_reading_paused = False
        self._is_closing = False
        self._is_lingering = False
        self._linger_bytes = 0
        # Until when the peer must have taken a byte, or the linger be over.
        self._wait_until: float | None = None
        self._acknowledged: int | None = None
        # When others have had theirs.
        self._turn: IDelayedCall | None = None

    # From the transport

    def connectionMade(self) -> None:
        """
        Start the idle deadline.
        """
        factory = self._factory
        transport = self.transport
        assert transport is not None
        factory.connections.add(self)
        factory.counters.connections += 1
        cast(IConsumer, transport).registerProducer(self, True)
        self._is_admitted = factory.gate.enter(self._peer)
        if self._is_admitted:
            self._watch()
        elif factory.gate.enter_refusal():
            self._is_refused = True
            self._turn_away()
        else:
            self.abort()

    def dataReceived(self, data: bytes) -> None:
        """
        Answer at once what has just been answered to others; pass everything else to the machine.
        """
        factory = self._factory
        now = factory.seconds()
        # The most frequent case by far, written out: each call costs as much as a tenth of it.
        entry = factory.repeated.get(data)
        if entry is not None:
            repeat = entry[0]
            if (
                now < repeat.until
                and not self._is_write_blocked
                and self._machine.repeat_exchanges(now)
            ):
                self.transport.write(repeat.data)  # type: ignore[union-attr]
                tally = repeat.tally
                tally.answers += 1
                tally.content_bytes += repeat.content_bytes
                log = factory.access_log
                if log is not None:
                    log.add_again(self._peer, now, repeat.logged)
                return
        if not self._is_write_blocked:
            data = self._repeat(data, now)
            if not data:
                return
        if self._is_lingering:
            self._linger_bytes += len(data)
            if self._linger_bytes > _LINGER_MAX_BYTES:
                self.abort()
            return
        self._machine.receive(data, now)
        self._advance()

    def readConnectionLost(self) -> None:
        """
        The client will send no more; what it has asked for it still gets.
        """
        if self._is_closing:
            self._lose()
            return
        self._machine.receive_end(self._factory.seconds())
        self._advance()

    def writeConnectionLost(self) -> None:
        """
        All has been sent, and our side is shut: from now on the linger counts.
        """
        self._is_write_shut = True
        self._wait(self._factory.settings.timeouts.linger)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Leave nothing behind.
        """
        factory = self._factory
        factory.deadlines.forget(self)
        factory.connections.remove(self)
        if self._is_admitted:
            factory.gate.leave(self._peer)
        elif self._is_refused:
            factory.gate.leave_refusal()
        self._is_closing = True
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        if self._answering is not None:
            self._answering.cancel()
            self._answering = None
        if self._content is not None:
            self._content.lose("the client has gone")
        factory.flush_when_over()

    def pauseProducing(self) -> None:
        """
        The transport's buffer is full: answer no more until the client has read.
        """
        self._is_write_blocked = True
        self._expect_progress()

    def resumeProducing(self) -> None:
        """
        The transport's buffer is empty again.
        """
        self._is_write_blocked = False
        if not self._is_closing:
            self._wait_until = None
            self._machine.restart_phase(self._factory.seconds())
            self._advance()

    def stopProducing(self) -> None:
        """
        The connection is lost; C{connectionLost} sees to it.
        """

    # The exchange

    def _repeat(self, data: bytes, now: float) -> bytes:
        """
        Answer the requests at the beginning of a delivery whose answers are known.

        @return: what is left of the delivery.
        """
        repeats = self._factory.repeats
        # Pipelined requests: perhaps the same ones have come in one delivery before.
        burst = repeats.find_burst(data, now)
        if burst is not None and self._machine.repeat_exchanges(now, burst.count):
            self._send_again(burst, now)
            return b""
        last = repeats.find_last(data, now)
        if last is not None and self._machine.repeat_last_exchange():
            self._send_again(last, now)
            self._lose()
            return b""
        file = repeats.find_file(data, now)
        if file is not None and self._machine.begin_repeat():
            self._send_file_again(*file)
            return b""
        # Otherwise head by head, with the answers sent in few pieces.
        known: list[Repeat] = []
        is_one_piece = True
        out_bytes = 0
        begin = 0
        while not self._is_write_blocked:
            end = data.find(b"\r\n\r\n", begin) + 4
            if end < 4:
                break
            repeat = repeats.find(data[begin:end], now)
            if repeat is None or not self._machine.repeat_exchanges(now):
                break
            begin = end
            if known and (out_bytes > PIECE_BYTES or repeat.tally is not known[0].tally):
                self._send_again(joined(known), now)
                known.clear()
                is_one_piece = False
                out_bytes = 0
            known.append(repeat)
            out_bytes += len(repeat.data)
        if known:
            burst = joined(known)
            self._send_again(burst, now)
            if burst.count > 1 and is_one_piece and begin == len(data):
                repeats.keep_burst(data, burst)
        return data[begin:]

    def _send_again(self, repeat: Repeat, now: float) -> None:
        """
        Send a repeated answer, count it and log it.
        """
        factory = self._factory
        cast(ITransport, self.transport).write(repeat.data)
        repeat.tally.answers += repeat.count
        repeat.tally.content_bytes += repeat.content_bytes
        if factory.access_log is not None:
            factory.access_log.add_again(self._peer, now, repeat.logged)

    def _send_file_again(self, repeat: FileRepeat, content: FileRange) -> None:
        """
        Send a large file again.
        """
        transport = self.transport
        assert transport is not None

        def done(why: Exception | None) -> None:
            content.close()
            self._sender = None
            if why is not None:
                self._sender_failed(why)
                part, status, _ = repeat.logged.answers[0]
                self._count(part, status, sender.sent)
                return
            cast(IConsumer, transport).registerProducer(self, True)
            self._wait_until = None
            now = self._factory.seconds()
            self._machine.end_repeat(now)
            repeat.tally.answers += 1
            repeat.tally.content_bytes += sender.sent
            if self._factory.access_log is not None:
                self._factory.access_log.add_again(self._peer, now, repeat.logged)
            if self._machine.must_close:
                self._close_in_order()
            elif has_begun:
                self._advance()

        def progressed(sent: int) -> None:
            if has_begun:
                self._expect_progress()

        has_begun = False
        sender = sender_for(transport, content, done, progressed)
        self._give_way(sender)
        sender.begin(repeat.data)
        has_begun = True
        if self._sender is sender:
            self._expect_progress()

    def _advance(self) -> None:
        """
        Go as far as what has been received, and what the client has taken, allows.
        """
        machine = self._machine
        self._is_advancing = True
        complete = 0
        while not (
            self._is_closing
            or self._is_write_blocked
            or self._turn is not None
            or (
                (self._answering is not None or self._sender is not None)
                and (self._content is None or self._content.is_full)
            )
        ):
            if complete == _REQUESTS_A_TURN:
                self._turn = self._factory.clock.callLater(0, self._take_turn)
                break
            try:
                event = machine.next_event()
            except RemoteProtocolError as fault:
                self._refuse(fault.status, fault.explanation)
                break
            if event is None:
                break
            match event:
                case RequestHead():
                    self._begin(event)
                case EndOfMessage():
                    complete += 1
                    if self._content is not None:
                        content, self._content = self._content, None
                        content.end()
                    elif self._head is not None:
                        self._respond(self._head)
                case ConnectionClosed():
                    self._lose()
                case Content():
                    if self._content is not None:
                        self._content.add(event.data)
                    else:
                        self._drop_content(event)
                case _:
                    raise LocalProtocolError(f"a server does not receive {event!r}")
        self._is_advancing = False
        self._pace_reading()
        self._watch()

    def _take_turn(self) -> None:
        """
        Go on with what is pipelined: the others have been served meanwhile.
        """
        self._turn = None
        self._advance()

    def _begin(self, head: RequestHead) -> None:
        """
        A request has begun. Content that no resource wants is read before it is answered if there
        is little of it: then a fault in it is still answered by 400.
        """
        factory = self._factory
        machine = self._machine
        self._head = head
        if factory.shows_requests:
            _log.info("{head}", head=shown_head(head.raw))
        promised = machine.promised_content_bytes
        if promised == 0 and head.method in _WITHOUT_CONTENT:
            return
        try:
            receiver = receiver_of(factory.resource, head)
        except Exception:  # noqa: BLE001, as in _respond
            machine.abandon_content()
            self._answer_failed(head, _failure())
            return
        if receiver is not None:
            self._content = RequestContent(self._content_wanted)
            self._respond(head, receiver)
            return
        if promised == 0:
            return
        most = factory.settings.limits.unwanted_content_max_bytes
        if machine.expects_continue or (promised is not None and promised > most):
            machine.abandon_content()
            self._respond(head)

    def _drop_content(self, content: Content) -> None:
        machine = self._machine
        if machine.content_bytes > self._factory.settings.limits.unwanted_content_max_bytes:
            machine.abandon_content()
            if self._head is not None:
                self._respond(self._head)

    def _content_wanted(self, was_full: bool) -> None:
        """
        A resource waits for content that has not been received.
        """
        if self._is_closing or self._content is None:
            return
        machine = self._machine
        now = self._factory.seconds()
        if machine.expects_continue and machine.can_answer:
            cast(ITransport, self.transport).write(machine.send(_CONTINUE, now))
            was_full = True
        if was_full:
            # The client had to wait for us.
            machine.restart_phase(now)
        if not self._is_advancing:
            self._advance()

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
        machine = self._machine
        while (event := machine.next_event()) is not None:
            if isinstance(event, EndOfMessage):
                return
        machine.abandon_content()

    def _respond(self, head: RequestHead, receiver: Receiver | None = None) -> None:
        """
        Ask the resource, and send what it returns, now or later.

        @param receiver: what the resource answers with where it wants the request's content.
        """
        if head.target.is_https and not ISSLTransport.providedBy(self.transport):
            self._send(head, self._factory.pages.error(421, closes=True))
            return
        try:
            if receiver is not None and self._content is not None:
                answer = receiver(head, self._content)
            else:
                answer = self._factory.resource.respond(head)
        except Exception:  # noqa: BLE001, whatever a resource does wrong ends here, in the log
            self._answer_failed(head, _failure())
            return
        if isinstance(answer, Response):
            self._send(head, answer)
        else:
            self._wait_for(head, answer)

    def _wait_for(self, head: RequestHead, answer: Answer) -> None:
        """
        Send a response when it comes; a client that has gone cancels it.
        """
        later: Deferred[Response]
        if isinstance(answer, Deferred):
            later = answer
        elif iscoroutine(answer):
            later = Deferred.fromCoroutine(answer)
        else:
            mistake = TypeError(f"{self._factory.resource!r} returned {answer!r}, not a response")
            self._answer_failed(head, _failure(mistake))
            return

        def came(response: Any) -> None:
            self._answering = None
            if self._head is not head:
                _close(getattr(response, "content", None))  # refused meanwhile
            elif isinstance(response, Response):
                self._send(head, response)
            else:
                self._answer_failed(head, _failure(TypeError(f"not a response: {response!r}")))

        def failed(failure: Failure) -> None:
            self._answering = None
            is_over = self._is_closing or self._head is not head
            if not (is_over and isinstance(failure.value, (CancelledError, ContentLostError))):
                self._answer_failed(head, failure)

        def go_on(ignored: None) -> None:
            if not (self._is_closing or self._is_advancing):
                self._advance()

        done = later.addCallbacks(came, failed)
        if not later.called or later.paused:
            self._answering = done
            done.addCallback(go_on)

    def _answer_failed(self, head: RequestHead, failure: Failure) -> None:
        status = 500
        if isinstance(failure.value, ContentTooLongError):
            status = 413
        else:
            _log.failure("The resource failed to answer", failure)
        if self._is_closing or self._head is not head:
            return
        if self._machine.can_answer:
            self._send(head, self._factory.pages.error(status))
        else:
            # Half of an answer has gone out: only the end of the connection can say that.
            self.abort()

    def _send(self, head: RequestHead, response: Response) -> None:
        """
        Send a response to a request.
        """
        content = response.content
        if self._is_closing:
            # The client has gone, or we have given up on it, while the resource was thinking.
            _close(content)
            return
        machine = self._machine
        if response.closes:
            machine.give_up_persistence()
        try:
            if isinstance(content, bytes):
                if self._content is not None:
                    self._leave_content()
                if len(content) <= PIECE_BYTES:
                    self._send_small(head, response, content)
                else:
                    self._send_large(head, response, BytesContent(content))
            elif isinstance(content, AsyncIterable):
                self._send_stream(head, response, content)
            else:
                self._leave_content()
                self._send_large(head, response, content)
        except RemoteProtocolError as fault:
            _close(content)
            self._refuse(fault.status, fault.explanation)
        except Exception:  # noqa: BLE001, as in _respond: a response may be made of anything
            _close(content)
            self._answer_failed(head, _failure())

    def _send_small(self, head: RequestHead | None, response: Response, content: bytes) -> None:
        factory = self._factory
        machine = self._machine
        now = factory.seconds()
        until = 0.0 if head is None else self._repeatable_until(head, response, now)
        is_last = machine.is_last_by_request and not response.closes
        sent = 0 if machine.is_answering_head else len(content)
        data = machine.send_whole(ResponseHead(response.status, response.fields), content, now)
        cast(ITransport, self.transport).write(data)
        log_part = self._record(head, response.status, sent)
        if until > now and head is not None and (is_last or not machine.must_close):
            logged = LoggedAnswers(((log_part, response.status, sent),))
            tally = factory.counters.tally(response.status)
            repeat = Repeat(data, until, response.renew, logged, tally, sent)
            factory.repeats.keep(head.raw, repeat, is_last=is_last)
        self._answered()

    def _repeatable_until(self, head: RequestHead, response: Response, now: float) -> float:
        """
        Say until when an answer may be sent again to the same request head.

        @return: a time that has passed where it may not.
        """
        if (
            len(head.raw) > HEAD_MAX_BYTES
            or self._machine.promised_content_bytes != 0
            # Over TLS and without it, it has two answers.
            or head.target.is_https
            or self._factory.shows_requests
        ):
            return 0.0
        if response.repeat_until <= now and response.renew is not None:
            return response.renew(now)
        return response.repeat_until

    def _keep_file(
        self, head: RequestHead, response: Response, source: ContentSource, data: bytes
    ) -> None:
        """
        Remember an answer with a large file, if it may be sent again.

        @param data: the head of the answer.
        """
        factory = self._factory
        now = factory.seconds()
        if not isinstance(source, FileRange) or not self._machine.is_persistent:
            return
        until = self._repeatable_until(head, response, now)
        if until <= now:
            return
        part = (b"", b"") if factory.access_log is None else factory.access_log.request_part(head)
        logged = LoggedAnswers(((part, response.status, source.length),))
        tally = factory.counters.tally(response.status)
        repeat = FileRepeat(data, until, response.renew, logged, tally, source)
        factory.repeats.keep_file(head.raw, repeat)

    def _send_large(self, head: RequestHead, response: Response, source: ContentSource) -> None:
        machine = self._machine
        transport = self.transport
        assert transport is not None
        now = self._factory.seconds()
        data = machine.send(ResponseHead(response.status, response.fields), now, source.length)
        if head.method == b"HEAD" or forbids_content(response.status):
            source.close()
            transport.write(data)
            self._content_sent(head, response, 0)
            return
        machine.note_content_sent(source.length)

        def done(why: Exception | None) -> None:
            source.close()
            self._sender_is_done(head, response, sender, why)

        def progressed(sent: int) -> None:
            if has_begun:
                self._expect_progress()

        has_begun = False
        self._keep_file(head, response, source, data)
        sender = sender_for(transport, source, done, progressed)
        self._give_way(sender)
        sender.begin(data)
        has_begun = True
        if self._sender is sender:
            self._expect_progress()

    def _send_stream(
        self, head: RequestHead, response: Response, content: AsyncIterable[bytes]
    ) -> None:
        """
        Send content as it comes. Meanwhile the rest of the request's content may be read.
        """
        factory = self._factory
        machine = self._machine
        transport = self.transport
        assert transport is not None
        data = machine.send(ResponseHead(response.status, response.fields), factory.seconds())
        if head.method == b"HEAD" or forbids_content(response.status):
            _close(content)
            transport.write(data)
            self._content_sent(head, response, 0)
            return

        def frame(piece: bytes) -> bytes:
            return machine.send(Content(piece), 0.0)

        def done(why: Exception | None) -> None:
            self._sender_is_done(head, response, sender, why)

        sender = StreamSender(transport, content, frame, done, self._stream_blocked, factory.clock)
        self._give_way(sender)
        sender.begin(data)

    def _stream_blocked(self, is_blocked: bool) -> None:
        """
        The client must go on taking what it is sent; but while nothing is to be sent, it need not.
        """
        if is_blocked:
            self._expect_progress()
        else:
            self._wait_until = None

    def _give_way(self, sender: Sender) -> None:
        """
        Let a sender be the transport's producer.
        """
        self._sender = sender
        cast(IConsumer, self.transport).unregisterProducer()
        self._is_write_blocked = False

    def _sender_is_done(
        self, head: RequestHead, response: Response, sender: Sender, why: Exception | None
    ) -> None:
        self._sender = None
        if why is not None:
            self._sender_failed(why)
            self._record(head, response.status, sender.sent)
            return
        cast(IConsumer, self.transport).registerProducer(self, True)
        self._wait_until = None
        self._content_sent(head, response, sender.sent)
        if not (self._is_advancing or self._is_closing):
            self._advance()

    def _sender_failed(self, why: Exception) -> None:
        if not isinstance(why, (TransferStoppedError, ConnectionError)):
            _log.error("Content could not be sent; the connection is cut: {why}", why=why)
        self._is_closing = True

    def _content_sent(self, head: RequestHead, response: Response, sent: int) -> None:
        if self._content is not None:
            try:
                self._leave_content()
            except RemoteProtocolError:
                # It is too late to say so, and the connection ends anyway.
                self._machine.abandon_content()
        tail = self._machine.send(END_OF_MESSAGE, self._factory.seconds())
        if tail:
            cast(ITransport, self.transport).write(tail)
        self._record(head, response.status, sent)
        self._answered()

    def _record(self, head: RequestHead | None, status: int, sent: int) -> RequestPart:
        """
        Count and log an answer.

        @param head: None where no request could be read.
        @param sent: how many bytes of content it had.
        @return: what the request determines of its line in the log.
        """
        log = self._factory.access_log
        part = (b"", b"") if log is None else log.request_part(head)
        self._count(part, status, sent)
        return part

    def _count(self, part: RequestPart, status: int, sent: int) -> None:
        factory = self._factory
        tally = factory.counters.tally(status)
        tally.answers += 1
        tally.content_bytes += sent
        if factory.access_log is not None:
            factory.access_log.add(self._peer, factory.seconds(), part, status, sent)

    def _answered(self) -> None:
        """
        An answer is complete, as far as the machine is concerned.
        """
        self._head = None
        if self._machine.must_close:
            self._close_in_order()

    # The end

    def _refuse(self, status: int, explanation: str) -> None:
        """
        Say what is wrong with what the peer has sent, if an answer is still due; then close.
        """
        head = self._give_up_answer()
        if not self._machine.can_answer:
            if self._sender is None:
                self._lose()
            else:
                self.abort()  # in the middle of an answer, which must not look complete
            return
        if self._factory.shows_requests:
            _log.info("Refused with {status}: {why}", status=status, why=explanation)
        response = self._factory.pages.error(status, explanation[0].upper() + explanation[1:] + ".")
        assert isinstance(response.content, bytes)
        self._send_small(head, response, response.content)

    def _give_up_answer(self) -> RequestHead | None:
        """
        Whoever thinks about an answer need do so no longer.

        @return: the request that would have been answered.
        """
        head, self._head = self._head, None
        content, self._content = self._content, None
        answering, self._answering = self._answering, None
        if answering is not None:
            answering.cancel()
        if content is not None:
            content.lose("the client broke the rules")
        return head

    def _turn_away(self) -> None:
        """
        Tell a peer for whom there is no room, before it has asked for anything.
        """
        machine = self._machine
        machine.refuse_connection()
        response = self._factory.pages.error(503, fields=_RETRY_SOON)
        assert isinstance(response.content, bytes)
        # Its request is on the way: closing at once would reset the connection and lose the 503.
        self._send_small(None, response, response.content)

    def _close_in_order(self, *, has_unread_input: bool | None = None) -> None:
        """
        Close after an answer: at once where all input has been read, and else in two steps, so
        that the answer is not lost to the reset that unread input causes (RFC 9112 section 9.6).

        @param has_unread_input: None asks the machine.
        """
        machine = self._machine
        if has_unread_input is None:
            has_unread_input = machine.has_unread_input
        machine.close()
        # TLS ends in order by itself: with a closure alert, while it goes on reading.
        is_secret = ISSLTransport.providedBy(self.transport)
        shut = None if is_secret else getattr(self.transport, "loseWriteConnection", None)
        if not has_unread_input or shut is None:
            self._lose()
            return
        self._is_closing = self._is_lingering = True
        self._resume_reading()
        self._expect_progress()
        # A paused producer would be resumed when all is sent, and our side never be shut.
        cast(IConsumer, self.transport).unregisterProducer()
        shut()

    def _lose(self) -> None:
        """
        Close once everything is sent, and wait for that only so long.
        """
        self._is_closing = True
        self._resume_reading()
        if not getattr(self.transport, "is_drained", False):
            self._expect_progress()
        if self._sender is None:
            # TLS does not close while it has a producer.
            cast(IConsumer, self.transport).unregisterProducer()
        cast(ITransport, self.transport).loseConnection()

    def _let_go_of_tls(self) -> None:
        """
        Close what is below TLS as soon as our closure alert has left. Twisted waits for the peer's,
        which it need not (RFC 8446 section 6.1): an idle peer that says nothing would stay for as
        long as one that takes no answer.
        """
        if ISSLTransport.providedBy(self.transport):
            below = getattr(self.transport, "transport", None)
            if below is not None:
                below.loseConnection()

    def close(self) -> None:
        """
        The server stops: answer what has been asked, then close. An idle connection is closed as
        soon as the reactor has looked once more for a request that is there already.
        """
        if not self._is_closing:
            self._machine.end_soon(self._factory.seconds())
            self._watch()

    def abort(self) -> None:
        """
        Close now, dropping what is still to be sent.
        """
        self._is_closing = True
        cast(ITCPTransport, self.transport).abortConnection()

    # Time

    def next_deadline(self) -> float | None:
        """
        Return the earlier of the machine's deadline and our own. While the peer takes nothing of
        what we send, nothing of what it sends is read, and only our own counts.
        """
        if self._is_write_blocked or (self._content is not None and self._content.is_full):
            return self._wait_until
        if self._wait_until is None:
            return self._machine.deadline
        if self._machine.deadline is None:
            return self._wait_until
        return min(self._wait_until, self._machine.deadline)

    def deadline_passed(self, now: float) -> None:
        """
        A phase has lasted too long.
        """
        if self._wait_until is not None and now >= self._wait_until:
            acknowledged = acknowledged_bytes(self.transport)
            if acknowledged == self._acknowledged:
                self.abort()
                return
            # Something was taken meanwhile: a slow reader, but a reader.
            self._acknowledged = acknowledged
            timeouts = self._factory.settings.timeouts
            self._wait_until = now + (timeouts.linger if self._is_write_shut else timeouts.write)
        is_ours = self._is_write_blocked or (self._content is not None and self._content.is_full)
        phase = None if is_ours else self._machine.expire(now)
        if phase is Phase.IDLE:
            self._lose()
            self._let_go_of_tls()
        elif phase is Phase.STOPPING:
            # A request may be on its way. If it met a closed socket, the reset could overtake our
            # FIN, and a proxy that sends unanswered requests to another server would not do so.
            self._close_in_order(has_unread_input=True)
        elif phase is not None:
            self._refuse(408, f"the request's {phase.name.lower()} took too long")
        self._watch()

    def _watch(self) -> None:
        deadline = self.next_deadline()
        if deadline is not None:
            self._factory.deadlines.watch(self, deadline)

    def _expect_progress(self) -> None:
        """
        From now on the peer must take something of what we send, ever again.
        """
        self._wait(self._factory.settings.timeouts.write)

    def _wait(self, seconds: float) -> None:
        self._acknowledged = acknowledged_bytes(self.transport)
        self._wait_until = self._factory.seconds() + seconds
        self._watch()

    # Reading

    def _pace_reading(self) -> None:
        """
        Read no further than the pipelined bytes that may wait.
        """
        machine = self._machine
        is_full = machine.waiting_bytes > self._factory.settings.limits.pipelined_max_bytes
        if is_full and not self._is_reading_paused and not self._is_closing:
            self._is_reading_paused = True
            cast(IPushProducer, self.transport).pauseProducing()
        elif not is_full:
            self._resume_reading()

    def _resume_reading(self) -> None:
        if self._is_reading_paused:
            self._is_reading_paused = False
            cast(IPushProducer, self.transport).resumeProducing()


def _failure(error: BaseException | None = None) -> Failure:
    """
    Wrap an error, or the one that is being handled, for the log.
    """
    return Failure(error)  # type: ignore[no-untyped-call]


def _close(content: object) -> None:
    """
    Give content back that is not sent; what is no source at all is let be.
    """
    if hasattr(content, "aclose"):
        discard_stream(content)
        return
    close = getattr(content, "close", None)
    if close is not None:
        close()
