"""
One connection from the client's side, as a machine without a socket and without a clock.

Bytes and times go in; events, bytes and the next deadline come out. The machine never calls back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final, NamedTuple

from netlab.http1.sansio.bodies import BodyReader, BodyWriter, body_reader
from netlab.http1.sansio.errors import LocalProtocolError, RemoteProtocolError
from netlab.http1.sansio.framing import (
    Delimited,
    Fixed,
    Framing,
    request_framing,
    response_framing,
)
from netlab.http1.sansio.grammar import PATH_AND_QUERY, is_authority, is_token
from netlab.http1.sansio.heads import ResponseHeadReader
from netlab.http1.sansio.limits import Limits
from netlab.http1.sansio.messages import (
    CONNECTION_CLOSED,
    HTTP_1_0,
    HTTP_1_1,
    Content,
    EndOfMessage,
    Event,
    RequestHead,
    ResponseHead,
)
from netlab.http1.sansio.receivebuffer import ReceiveBuffer
from netlab.http1.sansio.states import (
    REQUEST_TRANSITIONS,
    RESPONSE_TRANSITIONS,
    RequestState,
    ResponseState,
    Step,
)
from netlab.http1.sansio.target import Target, TargetForm

IDEMPOTENT_METHODS: Final = frozenset((b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"))
"""What may be asked twice with the effect of asking once (RFC 9110 section 9.2.2)."""

_INTERIM_RESPONSES_MAX: Final = 16
"""Interim responses to one request. Go took 5 and now bounds their bytes; curl bounds bytes."""

_ANSWER_BEGINS: Final = b"HTTP/1."


class ClientPhase(Enum):
    """
    What a client's deadline is about.
    """

    ANSWER = auto()
    CONTENT = auto()


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """
    What all connections of one client have in common.

    @ivar limits: the bounds of messages; its C{content_max_bytes} counts for each answer. The
        default, 16 GiB, is for content that is streamed: no memory depends on it, but a disk does.
    @ivar answer_timeout: seconds from a request's head to the last byte of the final response head;
        interim responses and a byte now and then do not extend it.
    @ivar content_timeout: seconds for which the content of an answer may make no progress. A
        bound for all of it would forbid large files on slow lines.
    """

    limits: Limits = field(default_factory=lambda: Limits(content_max_bytes=1 << 34))
    answer_timeout: float = 30.0
    content_timeout: float = 30.0


class _WrittenHead(NamedTuple):
    """
    A request head that may be sent.

    @ivar data: its bytes.
    @ivar framing: of its content.
    @ivar is_persistent: whether the connection may serve another request, as far as we say.
    """

    head: RequestHead
    data: bytes
    framing: Framing
    is_persistent: bool


def _write_head(head: RequestHead) -> _WrittenHead:
    """
    Judge a request head and write it.

    @raise LocalProtocolError: it is no valid request.
    """
    if not is_token(head.method) or head.method == b"CONNECT":
        raise LocalProtocolError(f"no method for a request of this client: {head.method!r}")
    if head.version not in (HTTP_1_0, HTTP_1_1):
        raise LocalProtocolError(f"no version for a request of this client: {head.version!r}")
    hosts = head.fields.get_all(b"host")
    if len(hosts) > 1 or (not hosts and head.version == HTTP_1_1):
        raise LocalProtocolError("a request has one Host (RFC 9112 section 3.2)")
    if hosts and not is_authority(hosts[0]):
        raise LocalProtocolError(f"not a host with an optional port: {hosts[0]!r}")
    try:
        framing = request_framing(head)
    except RemoteProtocolError as error:
        raise LocalProtocolError(error.explanation) from error
    line = b"%b %b HTTP/1.%d\r\n" % (head.method, target_bytes(head.target), head.version[1])
    options = head.fields.tokens(b"connection")
    is_persistent = b"close" not in options and (
        head.version == HTTP_1_1 or b"keep-alive" in options
    )
    data = line + head.fields.serialised + b"\r\n"
    return _WrittenHead(head, data, framing, is_persistent)


class ClientConnection:
    """
    The client's machine for one connection: one request at a time, without pipelining.

    After a fault of the server nothing more is parsed, ever.

    @ivar deadline: when the current phase must be over, in the unit and from the origin of the
        times passed in; None while nothing is owed to us.
    @ivar exchanges: how many request heads have been sent.
    """

    __slots__ = (
        "_buffer",
        "_content_bytes",
        "_has_ended",
        "_head_reader",
        "_interim_responses",
        "_is_persistent",
        "_method",
        "_now",
        "_reader",
        "_request",
        "_response",
        "_settings",
        "_was_answered",
        "_writer",
        "_written",
        "deadline",
        "exchanges",
    )

    def __init__(self, settings: ClientSettings) -> None:
        """
        @param settings: the bounds and timeouts.
        """
        self._settings = settings
        self._buffer = ReceiveBuffer()
        self._head_reader = ResponseHeadReader(settings.limits)
        self._request = RequestState.IDLE
        self._response = ResponseState.IDLE
        self._method = b""
        self._reader: BodyReader | None = None
        self._writer: BodyWriter | None = None
        self._is_persistent = True
        self._has_ended = False
        self._was_answered = False
        self._written: _WrittenHead | None = None
        self._interim_responses = 0
        self._content_bytes = 0
        self._now = 0.0
        self.exchanges = 0
        self.deadline: float | None = None

    # What goes out

    @property
    def is_ready(self) -> bool:
        """
        Whether a request may be sent now: no exchange is under way, none is ruled out, and nothing
        has come that nobody asked for.
        """
        return (
            self._request is RequestState.IDLE
            and self._response is ResponseState.IDLE
            and not self._buffer
            and not self._has_ended
        )

    @property
    def must_close(self) -> bool:
        """
        Whether the last answer on this connection is complete.
        """
        return self._response is ResponseState.CLOSED or (
            self._response is ResponseState.DONE and not self._is_persistent
        )

    @property
    def may_repeat(self) -> bool:
        """
        Whether the request under way, or cut off by the end of the connection, may be sent again
        on another connection without asking anyone (RFC 9110 section 9.2.2, RFC 9112 section
        9.3.1): its method is idempotent, this connection had served before, so that the server may
        have closed it for being idle, and no byte of an answer has come.
        """
        return self.exchanges > 1 and not self._was_answered and self._method in IDEMPOTENT_METHODS

    def send(self, event: Event, now: float) -> bytes:
        """
        Turn an event of ours into bytes.

        A request's head is sent field by field as it is; its own Content-Length or
        Transfer-Encoding is its framing, and without either it has no content. An
        L{EndOfMessage} is always due.

        @param event: a L{RequestHead}, L{Content} or L{EndOfMessage}.
        @raise LocalProtocolError: when this event may not be sent now, or is no valid request; then
            nothing has changed.
        """
        match event:
            case RequestHead():
                return self._send_head(event, now)
            case Content():
                if self._writer is None:
                    raise LocalProtocolError("content without a request head before it")
                return self._writer.write(event.data)
            case EndOfMessage():
                if self._writer is None:
                    raise LocalProtocolError("the end of a request without its head")
                tail = self._writer.write_end(event.trailers)
                self._writer = None
                self._step_request(Step.END)
                self._end_exchange()
                return tail
            case _:
                raise LocalProtocolError(f"a client does not send {type(event).__name__}")

    def _send_head(self, head: RequestHead, now: float) -> bytes:
        if not self.is_ready:
            raise LocalProtocolError("this connection can take no request now")
        # Heads do not change, and programs send the same one again.
        written = self._written
        if written is None or written.head is not head:
            written = self._written = _write_head(head)
        self._step_request(Step.REQUEST_HEAD)
        self._step_response(Step.REQUEST_HEAD)
        self._writer = BodyWriter(written.framing)
        self._method = head.method
        self._is_persistent = written.is_persistent
        self._was_answered = False
        self._interim_responses = self._content_bytes = 0
        self.exchanges += 1
        self.deadline = now + self._settings.answer_timeout
        return written.data

    # What came in

    def receive(self, data: bytes, now: float) -> None:
        """
        Take a delivery; then ask L{next_event} until it returns None.

        @param data: not empty. It is thrown away once nothing more can be read here.
        """
        self._now = now
        if self._has_ended or self._response is ResponseState.CLOSED:
            return
        self._was_answered = True
        self._buffer.append(data)
        if self._response is ResponseState.CONTENT:
            self.deadline = now + self._settings.content_timeout

    def receive_end(self, now: float) -> None:
        """
        The server has ended its side, in order; for what a reset or a failure of TLS ends, there is
        L{close}.
        """
        self._now = now
        self._has_ended = True

    def next_event(self) -> Event | None:
        """
        Return the next event, or None: then wait for more bytes.

        A L{ResponseHead} whose C{is_interim} is true is followed by another.

        @raise RemoteProtocolError: once for each connection at the most; its status is of no
            meaning here.
        """
        try:
            return self._next_event()
        except RemoteProtocolError:
            self.close()
            raise

    def _next_event(self) -> Event | None:
        match self._response:
            case ResponseState.IDLE:
                if self._buffer:
                    raise RemoteProtocolError(400, "the server sent what nobody had asked for")
                if self._has_ended:
                    self.close()
                    return CONNECTION_CLOSED
            case ResponseState.DUE:
                return self._read_head()
            case ResponseState.CONTENT:
                return self._read_content()
            case ResponseState.DONE:
                # The answer came before the request was complete.
                if self._has_ended:
                    self.close()
            case ResponseState.CLOSED:
                pass
        return None

    def _read_head(self) -> ResponseHead | None:
        begin = self._buffer.peek(len(_ANSWER_BEGINS))
        if not _ANSWER_BEGINS.startswith(begin):
            # Said now and not when the head is complete: another protocol's greeting never is.
            raise RemoteProtocolError(400, "the answer is not HTTP/1.0 or HTTP/1.1")
        head = self._head_reader.read(self._buffer) if begin else None
        if head is None:
            if self._has_ended:
                raise RemoteProtocolError(
                    400,
                    "the connection ended within the head of the answer"
                    if self._was_answered
                    else "the connection ended without an answer",
                )
            return None
        if head.is_interim:
            if head.status == 101:
                # RFC 9110 section 15.2.2: only after an Upgrade, which this client never asks for.
                raise RemoteProtocolError(400, "the server switched protocols unasked")
            self._interim_responses += 1
            if self._interim_responses > _INTERIM_RESPONSES_MAX:
                raise RemoteProtocolError(400, "there are too many interim responses")
            self._step_response(Step.INTERIM_HEAD)
            return head
        framing = response_framing(self._method, head)
        limits = self._settings.limits
        if isinstance(framing, Fixed) and framing.length > limits.content_max_bytes:
            raise RemoteProtocolError(413, "the content is too long")
        if framing is Delimited.UNTIL_CLOSE or not _lets_persist(head):
            self._is_persistent = False
        self._step_response(Step.RESPONSE_HEAD)
        self._reader = body_reader(framing, limits)
        self.deadline = self._now + self._settings.content_timeout
        return head

    def _read_content(self) -> Content | EndOfMessage | None:
        assert self._reader is not None
        event = self._reader.read(self._buffer)
        if event is None:
            if not self._has_ended:
                return None
            event = self._reader.read_end()
        if isinstance(event, Content):
            self._content_bytes += len(event.data)
            if self._content_bytes > self._settings.limits.content_max_bytes:
                raise RemoteProtocolError(413, "the content is too long")
            return event
        self._reader = None
        self._step_response(Step.END)
        self.deadline = None
        self._end_exchange()
        return event

    # Time, and the end

    def hold(self) -> None:
        """
        Take the time off the server: we do not read what it sends now.
        """
        self.deadline = None

    def resume(self, now: float) -> None:
        """
        Give the server its time again, after L{hold}.
        """
        if self._response is ResponseState.CONTENT:
            self.deadline = now + self._settings.content_timeout

    def expire(self, now: float) -> ClientPhase | None:
        """
        End the connection if its deadline has passed.

        @return: the phase that took too long, or None where no deadline has passed.
        """
        if self.deadline is None or now < self.deadline:
            return None
        has_head = self._response is not ResponseState.DUE
        self.close()
        return ClientPhase.CONTENT if has_head else ClientPhase.ANSWER

    def close(self) -> None:
        """
        The connection has no future: from now on what is received is thrown away.
        """
        self._step_request(Step.CLOSE)
        self._step_response(Step.CLOSE)
        self._is_persistent = False
        self._reader = None
        self._writer = None
        self._buffer.take_all()
        self.deadline = None

    # How it moves

    def _end_exchange(self) -> None:
        """
        Once both sides are done: on to the next exchange, or to the end.
        """
        if self._request is not RequestState.DONE or self._response is not ResponseState.DONE:
            return
        if not self._is_persistent:
            self.close()
            return
        self._step_request(Step.NEXT)
        self._step_response(Step.NEXT)

    def _step_request(self, step: Step) -> None:
        try:
            self._request = REQUEST_TRANSITIONS[self._request, step]
        except KeyError:
            raise LocalProtocolError(f"{step.value!r} in {self._request}") from None

    def _step_response(self, step: Step) -> None:
        try:
            self._response = RESPONSE_TRANSITIONS[self._response, step]
        except KeyError:
            raise LocalProtocolError(f"{step.value!r} in {self._response}") from None


def target_bytes(target: Target) -> bytes:
    """
    Write a request target.

    Two dots and empty segments go out as they are: one who asks for them, in a laboratory, means
    them.

    @raise LocalProtocolError: when it is in a form that only proxies are sent, or holds a byte that
        must be encoded.
    """
    if target.form is TargetForm.ASTERISK:
        return b"*"
    if target.form is not TargetForm.ORIGIN:
        raise LocalProtocolError(f"this client does not send the {target.form.value}")
    raw = target.path if target.query is None else target.path + b"?" + target.query
    if PATH_AND_QUERY.fullmatch(raw) is None:
        raise LocalProtocolError(f"the request target holds a byte that must be encoded: {raw!r}")
    return raw


def _lets_persist(head: ResponseHead) -> bool:
    """
    Say whether the server keeps the connection after this answer (RFC 9112 section 9.3).
    """
    if b"connection" not in head.fields.index:
        return head.version >= HTTP_1_1
    options = head.fields.tokens(b"connection")
    return b"close" not in options and (head.version >= HTTP_1_1 or b"keep-alive" in options)
