"""
One connection from the server's side, as a machine without a socket and without a clock.

Bytes and times go in; events, bytes and the next deadline come out. The machine never calls back.
"""

from __future__ import annotations

from typing import Final

from netlab.http1.sansio.bodies import BodyReader, BodyWriter, body_reader
from netlab.http1.sansio.errors import LocalProtocolError, RemoteProtocolError
from netlab.http1.sansio.framing import NO_BODY, Delimited, Fixed
from netlab.http1.sansio.heads import ParsedRequest, RequestHeadReader
from netlab.http1.sansio.messages import (
    CONNECTION_CLOSED,
    Content,
    EndOfMessage,
    Event,
    ResponseHead,
)
from netlab.http1.sansio.receivebuffer import ReceiveBuffer
from netlab.http1.sansio.responseheads import FinalHead, final_head, interim_head
from netlab.http1.sansio.serversettings import ServerSettings
from netlab.http1.sansio.states import (
    NEXT_EXCHANGE,
    REQUEST_TRANSITIONS,
    RESPONSE_TRANSITIONS,
    WHOLE_REQUEST,
    WHOLE_RESPONSE,
    Phase,
    RequestState,
    ResponseState,
    Step,
)

#: Longer deliveries are hardly ever one request: a poller reads that much at a time.
_WHOLE_MAX_BYTES: Final = 1 << 16

#: What a body is read from where nothing waits.
_NOTHING: Final = ReceiveBuffer()


class ServerConnection:
    """
    The server's machine for one connection.

    One exchange at a time: bytes of later requests wait until the answer is complete. After a
    fault of the peer nothing more is parsed, ever; one answer may still be sent.

    @ivar deadline: when the current phase must be over, in the unit and from the origin of the
        times passed in; None while the next step is ours.
    @ivar exchanges: how many request heads have been read.
    @ivar content_bytes: how much of the current request's content has been read.
    @ivar is_clear: whether nothing is under way: no request has begun, nothing waits, another
        exchange may follow. For reading only. Whatever puts something in the way says so; only the
        end of an exchange clears it.
    """

    __slots__ = (
        "_buffer",
        "_has_dropped_input",
        "_has_ended",
        "_head_reader",
        "_is_persistent",
        "_now",
        "_parsed",
        "_reader",
        "_request",
        "_response",
        "_settings",
        "_writer",
        "content_bytes",
        "deadline",
        "exchanges",
        "is_clear",
    )

    def __init__(self, settings: ServerSettings, now: float) -> None:
        """
        @param now: the time at which the connection began.
        """
        self._settings = settings
        # Only while something waits in it: a whole request needs none, an idle connection has none.
        self._buffer: ReceiveBuffer | None = None
        # Only while a head is expected to be read: an idle connection does without.
        self._head_reader: RequestHeadReader | None = None
        self._request = RequestState.IDLE
        self._response = ResponseState.IDLE
        self._parsed: ParsedRequest | None = None
        self._reader: BodyReader | None = None
        self._writer: BodyWriter | None = None
        self._is_persistent = True
        self.is_clear = True
        self._has_ended = False
        self._has_dropped_input = False
        self.content_bytes = 0
        self._now = now
        self.exchanges = 0
        self.deadline: float | None = now + settings.timeouts.idle

    # What came in

    def receive(self, data: bytes, now: float) -> None:
        """
        Take a delivery; then ask L{next_event} until it returns None.

        @param data: not empty. After a fault, or once no further request can be answered, it is
            thrown away.
        """
        self._now = now
        self.is_clear = False
        if self._has_ended or self._request in (RequestState.FAILED, RequestState.CLOSED):
            return
        if self._request is RequestState.DONE and not self._is_persistent:
            self._has_dropped_input = True
            return
        if self._request is RequestState.IDLE and not self._buffer:
            self.deadline = now + self._settings.timeouts.head
        if self._buffer is None:
            self._buffer = ReceiveBuffer()
        self._buffer.append(data)

    def receive_request(self, data: bytes, now: float) -> ParsedRequest | None:
        """
        Take a delivery that is one request, whole, while nothing else is under way: what nearly
        every delivery is. Its content is at hand, or there is none; its answer is due then;
        L{next_event} has nothing more to say of it.

        @return: None where it is anything else, or faulty: then nothing has happened yet, and
            L{receive} takes it.
        """
        if not self.is_clear or len(data) > _WHOLE_MAX_BYTES:
            return None
        settings = self._settings
        if data.endswith(b"\r\n\r\n"):
            # Content may end so too: to the parser that is no head, there is an empty line in it.
            length = 0
            raw = data
        else:
            end = data.find(b"\r\n\r\n") + 4
            length = len(data) - end
            if end < 4 or length > settings.whole_content_max_bytes:
                return None
            raw = data[:end]
        try:
            parsed = settings.parser.parse(raw)
        except RemoteProtocolError:
            return None
        if length:
            framing = parsed.framing
            if framing.__class__ is not Fixed or framing.length != length:
                return None
            parsed.content = data[-length:]
        elif parsed.framing is not NO_BODY:
            return None
        self._now = now
        self._parsed = parsed
        self.content_bytes = length
        self.exchanges += 1
        if not parsed.is_persistent or self.exchanges == settings.limits.exchanges_max:
            self._is_persistent = False
        self.deadline = None
        self.is_clear = False
        self._request = WHOLE_REQUEST
        self._response = ResponseState.DUE
        return parsed

    def receive_end(self, now: float) -> None:
        """
        The peer has ended its side; what it has asked for is still answered.
        """
        self._now = now
        self.is_clear = False
        self._has_ended = True

    def next_event(self) -> Event | None:
        """
        Return the next event, or None: then wait for more bytes, or finish the answer first.

        @raise RemoteProtocolError: once for each connection at the most; it may still be answered
            where L{can_answer} says so.
        """
        try:
            return self._next_event()
        except RemoteProtocolError:
            self._fail()
            self.deadline = None
            raise

    def _fail(self) -> None:
        """
        Parse nothing more, ever; what was received is dropped.
        """
        self._step(Step.FAULT)
        self._is_persistent = False
        self._buffer = None

    def _give_up_head(self) -> None:
        """
        The head that has begun will never be complete.
        """
        if self._head_reader is None:
            self._head_reader = RequestHeadReader(self._settings.parser)
        assert self._buffer is not None
        self._head_reader.give_up(self._buffer)

    def _next_event(self) -> Event | None:
        if self._request is RequestState.IDLE:
            if self._buffer:
                reader = self._head_reader
                if reader is None:
                    reader = self._head_reader = RequestHeadReader(self._settings.parser)
                parsed = reader.read(self._buffer)
                if parsed is not None:
                    self._head_reader = None
                    return self._begin_exchange(parsed)
                if not self._buffer:
                    # It was the empty line that may precede a request: none has begun.
                    self.deadline = self._now + self._settings.timeouts.idle
            if self._has_ended:
                if self._buffer:
                    self._give_up_head()
                    raise RemoteProtocolError(400, "the connection ended within a request head")
                self._step(Step.CLOSE)
                self._is_persistent = False
                self.deadline = None
                return CONNECTION_CLOSED
            return None
        if self._request is RequestState.CONTENT:
            assert self._reader is not None
            event = self._reader.read(self._buffer or _NOTHING)
            if event is None:
                if self._has_ended:
                    event = self._reader.read_end()
                else:
                    return None
            if isinstance(event, Content):
                self.content_bytes += len(event.data)
                return event
            self._request_is_done()
            return event
        return None

    def _begin_exchange(self, parsed: ParsedRequest) -> Event:
        limits = self._settings.limits
        self._parsed = parsed
        self._step(Step.REQUEST_HEAD)
        self.exchanges += 1
        self.content_bytes = 0
        if not parsed.is_persistent or self.exchanges == limits.exchanges_max:
            self._is_persistent = False
        framing = parsed.framing
        if isinstance(framing, Fixed) and framing.length > limits.content_max_bytes:
            raise RemoteProtocolError(413, "the content is too long")
        self._reader = body_reader(framing, limits, limits.content_max_bytes)
        if framing == NO_BODY:
            self.deadline = None
        else:
            self.deadline = self._now + self._settings.timeouts.content
        return parsed.head

    def _request_is_done(self) -> None:
        self._step(Step.END)
        self._reader = None
        self.deadline = None
        self._end_exchange()

    # What goes out

    @property
    def can_answer(self) -> bool:
        """
        Whether a final response head may still be sent.
        """
        return self._response is ResponseState.DUE

    @property
    def is_answering_head(self) -> bool:
        """
        Whether the request to be answered is a HEAD, or a faulty one: its answer has no content.
        """
        if self._parsed is None:
            return self._head_reader is not None and self._head_reader.is_head
        return self._parsed.head.method == b"HEAD"

    @property
    def must_close(self) -> bool:
        """
        Whether the answer is complete, or none is due, and no other exchange follows it.
        """
        return self._response in (ResponseState.DONE, ResponseState.CLOSED) and (
            not self._is_persistent
        )

    @property
    def is_between_exchanges(self) -> bool:
        """
        Whether no request has begun, not even with its first byte, and none is being answered.
        """
        return self._request is RequestState.IDLE and not self._buffer

    @property
    def has_unread_input(self) -> bool:
        """
        Whether the peer has sent, or has promised to send, bytes that have not been read: then
        closing at once would reset the connection, and the answer could be lost. A peer that has
        ended its side sends nothing more.
        """
        return not self._has_ended and (
            bool(self._buffer)
            or self._has_dropped_input
            or self._request in (RequestState.CONTENT, RequestState.FAILED)
        )

    @property
    def waiting_bytes(self) -> int:
        """
        How many received bytes wait to be parsed.
        """
        return 0 if self._buffer is None else len(self._buffer)

    @property
    def expects_continue(self) -> bool:
        """
        Whether the peer may be waiting for 100 before it sends the content of this request.
        """
        return (
            self._parsed is not None
            and self._parsed.expects_continue
            and self._request is RequestState.CONTENT
            and self.content_bytes == 0
            and not self._buffer
        )

    @property
    def promised_content_bytes(self) -> int | None:
        """
        How much content this request's head has promised; None where that is not known (chunked).
        """
        assert self._parsed is not None
        framing = self._parsed.framing
        return framing.length if isinstance(framing, Fixed) else None

    @property
    def is_persistent(self) -> bool:
        """
        Whether another exchange may follow this one, as far as is known now.
        """
        return self._is_persistent

    @property
    def is_last_by_request(self) -> bool:
        """
        Whether the request being answered has asked for the end of the connection, by its version
        or its Connection field.
        """
        return self._parsed is not None and not self._parsed.is_persistent

    def give_up_persistence(self) -> None:
        """
        End the connection after this exchange.
        """
        self._is_persistent = self.is_clear = False

    def end_soon(self, now: float) -> None:
        """
        End the connection after this exchange, or at once if none is under way. A request that has
        begun to arrive, or does so before L{expire} is called, is one.
        """
        self._is_persistent = self.is_clear = False
        if self.is_between_exchanges:
            self.deadline = now

    def refuse_connection(self) -> None:
        """
        Owe an answer to a connection that has asked for nothing yet, and read nothing from it.
        """
        self._step(Step.FAULT)
        self._is_persistent = False
        self.deadline = None

    def restart_phase(self, now: float) -> None:
        """
        Count the current phase anew: while the peer has not taken its answers, which has a deadline
        of its own, what it had sent was left alone.
        """
        self._now = now
        if self.deadline is None:
            return
        timeouts = self._settings.timeouts
        if self._request is RequestState.CONTENT:
            self.deadline = now + timeouts.content
        else:
            self.deadline = now + (timeouts.head if self._buffer else timeouts.idle)

    def abandon_content(self) -> None:
        """
        Read no more of this request's content, and nothing behind it: the connection ends after
        the answer.
        """
        self._is_persistent = False
        self.deadline = None

    def close(self) -> None:
        """
        We end the connection, whatever its state: from now on what is received is thrown away.
        """
        self._step(Step.CLOSE)
        self._is_persistent = False
        self._buffer = None
        self.deadline = None

    def switch(self, head: ResponseHead, now: float) -> tuple[bytes, bytes]:
        """
        Leave HTTP after a request that has come whole (RFC 9110 section 7.8).

        @param head: with status 101.
        @return: the head's bytes, and what has been received behind the request: the first bytes of
            the other protocol.
        @raise LocalProtocolError: the request has not come whole, or an answer has begun; nothing
            has changed then.
        """
        if head.status != 101 or self._request is not RequestState.DONE:
            raise LocalProtocolError(f"no switch of protocols in {self._request}")
        data = self.send(head, now)
        rest = b"" if self._buffer is None else self._buffer.take_all()
        self.close()
        return data, rest

    def send(self, event: Event, now: float, content_length: int | None = None) -> bytes:
        """
        Turn an event of ours into bytes.

        A final response head gets its framing (Content-Length where that is known; else chunked
        for HTTP/1.1, or until close), Date and Connection: its own fields hold none of these.

        @param content_length: with a final response head, how many bytes of content it has.
        @raise LocalProtocolError: when this event may not be sent now; nothing has changed then.
        """
        match event:
            case ResponseHead():
                if event.is_interim:
                    data = interim_head(event, None if self._parsed is None else self._parsed.head)
                    self._step_response(Step.INTERIM_HEAD)
                    return data
                return self._send_head(event, now, content_length)
            case Content():
                if self._response is not ResponseState.CONTENT or self._writer is None:
                    raise LocalProtocolError("content without a response head before it")
                return self._writer.write(event.data)
            case EndOfMessage():
                if self._response is not ResponseState.CONTENT or self._writer is None:
                    raise LocalProtocolError("the end of a response without its head")
                tail = self._writer.write_end(event.trailers)
                self._now = now
                self._writer = None
                self._step_response(Step.END)
                self._end_exchange()
                return tail
            case _:
                raise LocalProtocolError(f"a server does not send {type(event).__name__}")

    def send_whole(self, head: FinalHead, content: bytes, now: float) -> bytes:
        """
        Send a response whose content is at hand, in one piece.

        @param content: left out where the request or the status allows none.
        """
        parsed = self._parsed
        if parsed is None:
            request = None
            is_head = self.is_answering_head
        else:
            request = parsed.head
            is_head = request.method == b"HEAD"
        parts, framing = final_head(
            head, request, len(content), now, self._settings, is_persistent=self._is_persistent
        )
        if self._response is not ResponseState.DUE:
            raise LocalProtocolError(f"a response in {self._response}")
        if framing is Delimited.UNTIL_CLOSE:
            self._is_persistent = False
        if framing is not NO_BODY and not is_head:
            parts.append(content)
        self._now = now
        if (
            self._request is RequestState.DONE
            and self._is_persistent
            and self._buffer is None
            and not self._has_ended
        ):
            # As _end_exchange, for what nearly every exchange is.
            self._parsed = None
            self._request, self._response = NEXT_EXCHANGE
            self.is_clear = True
            self.deadline = now + self._settings.idle_seconds
        else:
            self._response = WHOLE_RESPONSE
            self._end_exchange()
        return b"".join(parts)

    def note_content_sent(self, length: int) -> None:
        """
        Count content that leaves without passing through here, as a file does.

        @param length: in bytes.
        """
        if self._writer is None:
            raise LocalProtocolError("content without a response head before it")
        self._writer.count(length)

    def repeat_exchange(self, now: float, count: int = 1) -> bool:
        """
        Count exchanges that were answered without looking into them: requests without content that
        came whole while nothing else was under way, and their answers.

        @param count: how many, at least 1.
        @return: False where these exchanges must go the long way; nothing has changed then.
        """
        if not self.is_clear:
            return False
        settings = self._settings
        self.exchanges += count
        if self.exchanges >= settings.last_exchange:
            # The last answer of the connection is another one: it says so.
            self.exchanges -= count
            return False
        self.deadline = now + settings.idle_seconds
        return True

    def begin_repeat(self) -> bool:
        """
        Begin an exchange as L{repeat_exchange} counts whole ones: for an answer that may take a
        while. L{end_repeat} ends it.

        @return: False where it must go the long way; nothing has changed then.
        """
        if not self.is_clear or self.exchanges + 1 >= self._settings.last_exchange:
            return False
        self.exchanges += 1
        self.content_bytes = 0
        self.deadline = None
        self.is_clear = False
        self._request = WHOLE_REQUEST
        self._response = RESPONSE_TRANSITIONS[ResponseState.DUE, Step.RESPONSE_HEAD]
        return True

    def end_repeat(self, now: float) -> None:
        """
        The answer that L{begin_repeat} began is complete.
        """
        self._now = now
        self._step_response(Step.END)
        self._end_exchange()

    def expire(self, now: float) -> Phase | None:
        """
        End the phase whose deadline has passed.

        @return: the phase, or None where no deadline has passed. After L{Phase.IDLE} and
            L{Phase.STOPPING} the connection is to be closed; after the others the peer may be told
            (408) where L{can_answer}.
        """
        if self.deadline is None or now < self.deadline:
            return None
        self._now = now
        self.deadline = None
        if self._request is RequestState.CONTENT:
            self._fail()
            return Phase.CONTENT
        if self._buffer:
            self._give_up_head()
            self._fail()
            return Phase.HEAD
        was_persistent, self._is_persistent = self._is_persistent, False
        self._step(Step.CLOSE)
        return Phase.IDLE if was_persistent else Phase.STOPPING

    # How it moves

    def _step(self, step: Step) -> None:
        self.is_clear = False
        try:
            self._request = REQUEST_TRANSITIONS[self._request, step]
        except KeyError:
            raise LocalProtocolError(f"{step.value!r} in {self._request}") from None
        if step is not Step.END and step is not Step.CONTENT:
            self._step_response(step)

    def _step_response(self, step: Step) -> None:
        try:
            self._response = RESPONSE_TRANSITIONS[self._response, step]
        except KeyError:
            raise LocalProtocolError(f"{step.value!r} in {self._response}") from None

    def _end_exchange(self) -> None:
        """
        Once both sides are done: on to the next exchange, or to the end.
        """
        if self._response is not ResponseState.DONE or self._request is not RequestState.DONE:
            return
        self._parsed = None
        if not self._is_persistent:
            return
        self._request, self._response = NEXT_EXCHANGE
        timeouts = self._settings.timeouts
        if self._buffer:
            self.is_clear = False
            self.deadline = self._now + timeouts.head
        else:
            self._buffer = None
            self.is_clear = not self._has_ended
            self.deadline = self._now + timeouts.idle

    def _send_head(self, head: ResponseHead, now: float, content_length: int | None) -> bytes:
        request = None if self._parsed is None else self._parsed.head
        parts, framing = final_head(
            head, request, content_length, now, self._settings, is_persistent=self._is_persistent
        )
        self._step_response(Step.RESPONSE_HEAD)
        if framing is Delimited.UNTIL_CLOSE:
            self._is_persistent = False
        if framing is None:
            assert content_length is not None
            framing = Fixed(content_length)
        self._writer = BodyWriter(NO_BODY if self.is_answering_head else framing)
        return b"".join(parts)
