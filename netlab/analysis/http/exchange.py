"""
HTTP over a connection: which answer belongs to which request, and which frame carried what.

The bytes go through the same readers as those of our own server and client. Nothing here asks
whether an end may send what it sends: it is read after the fact, so a fault ends the reading of
one direction until a message begins again.
"""

from __future__ import annotations

import re
from collections import deque
from typing import Final

from netlab.analysis.http.allowance import Allowance
from netlab.analysis.http.lenient import LenientRequestReader
from netlab.analysis.http.messages import (
    Begun,
    HTTPExchange,
    HTTPFault,
    Message,
    MessageEnd,
    is_interim,
    status_of,
)
from netlab.analysis.http.reassembly import Piece
from netlab.http1.sansio.bodies import BodyReader, UntilCloseReader, body_reader
from netlab.http1.sansio.errors import RemoteProtocolError
from netlab.http1.sansio.framing import NO_BODY, Delimited, Fixed, Framing, response_framing
from netlab.http1.sansio.heads import RequestParser, ResponseHeadReader
from netlab.http1.sansio.limits import Limits
from netlab.http1.sansio.messages import Content, RequestHead, ResponseHead
from netlab.http1.sansio.receivebuffer import ReceiveBuffer

#: How many exchanges of one connection are kept; further ones are only counted.
EXCHANGES_MAX: Final = 10_000

#: How many interim responses to one request are kept, the last ones.
_INTERIM_MAX: Final = 100

#: How many bytes that were not captured are passed over within a body.
_GAP_MAX_BYTES: Final = 1 << 24
_GAP_STEP_BYTES: Final = 1 << 16

#: Wide, since nobody waits for us: a long cookie is no reason to lose the rest of a connection.
_LIMITS: Final = Limits(
    start_line_max_bytes=65536, header_section_max_bytes=262144, field_lines_max=1000
)
_PARSER: Final = RequestParser(_LIMITS)

#: Why the reading of a connection ends where the capture has more messages than are kept.
NOT_KEPT: Final = "the capture has more HTTP messages than are kept"

#: How the reason of a fault begins that is only an end that came early.
ENDED_EARLY: Final = "the stream ended within"

NO_ANSWER: Final = "the answer is not HTTP/1.0 or HTTP/1.1"

#: How a message begins, for taking up the reading where it was lost.
REQUEST_BEGINS: Final = re.compile(rb"[A-Z]{3,20} [^ \r\n]{1,8192} HTTP/1\.[01]\r\n")
RESPONSE_BEGINS: Final = re.compile(rb"HTTP/1\.[01] [1-9][0-9]{2}[ \r]")


class _Side:
    """
    One direction: what waits to be parsed, and which frame carried each byte of it.
    """

    __slots__ = (
        "buffer",
        "is_lost",
        "is_over",
        "is_tunnel",
        "marks",
        "message",
        "position",
        "reader",
        "received",
    )

    def __init__(self) -> None:
        self.buffer = ReceiveBuffer()
        self.received = 0
        self.position = 0
        self.marks: deque[tuple[int, int, int]] = deque()
        self.message: Message | None = None
        self.reader: BodyReader | None = None
        self.is_lost = False
        self.is_over = False
        self.is_tunnel = False

    def append(self, data: bytes, frame: int, time_ns: int) -> None:
        self.buffer.append(data)
        self.received += len(data)
        marks = self.marks
        while marks and marks[0][0] <= self.position:
            marks.popleft()
        marks.append((self.received, frame, time_ns))

    def carrier(self, position: int) -> tuple[int, int]:
        """
        Tell which frame carried a byte, and when; those before it will not be asked for any more,
        so that each mark is passed over once.

        @param position: not before any that was asked for.
        """
        marks = self.marks
        while marks[0][0] <= position:
            marks.popleft()
        return marks[0][1:]

    def stop(self) -> None:
        """
        Take nothing more.
        """
        self.lose()
        self.is_over = True

    def lose(self) -> None:
        """
        Give up until a message begins again.
        """
        self.buffer = ReceiveBuffer()
        self.marks.clear()
        self.position = self.received
        self.message = self.reader = None
        self.is_lost = True


class ExchangeReader:
    """
    Reads the two streams of one connection as HTTP/1.0 or HTTP/1.1.

    It is given what was captured in the order in which it was captured. Memory is bounded by the
    head limits and L{EXCHANGES_MAX}, that of all readers of a capture by its L{Allowance}; content
    is counted and thrown away.

    @ivar exchanges: the exchanges so far; the last ones may be unfinished.
    @ivar exchanges_uncounted: how many more there were than are kept.
    @ivar is_partial: whether reading has ended before the messages have, since the capture has more
        than are kept.
    @ivar fault: the first thing that could not be read; C{None} where all could.
    """

    def __init__(self, allowance: Allowance | None = None, *, is_from_start: bool = True) -> None:
        """
        @param allowance: what reading may cost, together with others; None for this one alone.
        @param is_from_start: whether the capture holds the beginning of both streams.
        """
        self._allowance = allowance or Allowance()
        self.exchanges: list[HTTPExchange] = []
        self.exchanges_uncounted = 0
        self.is_partial = False
        self.fault: HTTPFault | None = None
        self._waiting: deque[HTTPExchange] = deque()
        self._current: HTTPExchange | None = None
        self._client = _Side()
        self._server = _Side()
        self._requests = LenientRequestReader(_PARSER)
        self._responses = ResponseHeadReader(_LIMITS)
        if not is_from_start:
            self._client.is_lost = self._server.is_lost = True

    @property
    def is_http(self) -> bool:
        """
        Whether any message was found.
        """
        return bool(self.exchanges)

    @property
    def is_tunnel(self) -> bool:
        """
        Whether the connection has been given to another protocol (101, or 2xx to a CONNECT).
        """
        return self._server.is_tunnel

    def receive(self, piece: Piece, *, from_client: bool) -> None:
        """
        Take the next bytes of one direction.

        @param piece: what follows in its stream.
        @param from_client: whose they are.
        """
        side = self._client if from_client else self._server
        if side.is_over or side.is_tunnel:
            return
        if piece.data:
            begins = REQUEST_BEGINS if from_client else RESPONSE_BEGINS
            if side.is_lost:
                if begins.match(piece.data) is None:
                    return
                side.is_lost = False
                if from_client:
                    self._requests = LenientRequestReader(_PARSER)
                else:
                    self._forget_unanswered(piece.time_ns)
            side.append(piece.data, piece.frame, piece.time_ns)
            self._advance(side, from_client=from_client)
        if piece.missing:
            self._receive_gap(side, piece, from_client=from_client)

    def receive_end(self, frame: int, time_ns: int, *, from_client: bool) -> None:
        """
        One direction has ended with a FIN, all bytes before which have been given.

        @param frame: the frame with the FIN.
        @param time_ns: when it was captured, in nanoseconds since 1970.
        @param from_client: whose FIN it is.
        """
        side = self._client if from_client else self._server
        if side.is_over:
            return
        side.is_over = True
        if isinstance(side.reader, UntilCloseReader):
            self._end(side, frame, time_ns, from_client=from_client)
        elif side.message is not None:
            self._note_fault(frame, f"{ENDED_EARLY} a message", from_client=from_client)
        elif len(side.buffer):
            self._note_fault(frame, f"{ENDED_EARLY} a head", from_client=from_client)

    def skip(self, frame: int, reason: str, *, from_client: bool) -> None:
        """
        Bytes of one direction cannot be given, and nobody knows how many.

        @param frame: the number of the frame where they should have been.
        @param reason: a short sentence without a full stop.
        @param from_client: whose they were.
        """
        side = self._client if from_client else self._server
        if side.is_over or side.is_tunnel:
            return
        self._note_fault(frame, reason, from_client=from_client)
        side.lose()

    def stop(self) -> None:
        """
        Read no further, and keep no bytes for it. What has begun and not ended is only counted, if
        it is not all that there is.
        """
        self._client.stop()
        self._server.stop()
        while len(self.exchanges) > 1 and not self.exchanges[-1].is_over:
            self.exchanges.pop()
            self.exchanges_uncounted += 1
        for exchange in self.exchanges:
            for message in (exchange.request, exchange.response):
                if message is not None and message.end is None:
                    message.end = MessageEnd.NOT_FOLLOWED

    def _advance(self, side: _Side, *, from_client: bool) -> None:
        """
        Read as far as the bytes reach.
        """
        try:
            while not side.is_tunnel:
                self._allowance.spend()
                if side.reader is None:
                    if not self._read_head(side, from_client=from_client):
                        break
                elif not self._read_body(side, from_client=from_client):
                    break
        except RemoteProtocolError as error:
            frame = side.carrier(side.position)[0] if len(side.buffer) else side.marks[-1][1]
            self._note_fault(frame, error.explanation, from_client=from_client)
            side.lose()

    def _read_head(self, side: _Side, *, from_client: bool) -> bool:
        if not len(side.buffer):
            return False
        begin = side.position
        fault = ""
        if from_client:
            parsed = self._requests.read(side.buffer)
            if parsed is None:
                return False
            head: RequestHead | ResponseHead = parsed.head
            framing = parsed.framing
            fault = parsed.fault
        else:
            if not b"HTTP/1.".startswith(side.buffer.peek(7)):
                raise RemoteProtocolError(400, NO_ANSWER)
            answer = self._responses.read(side.buffer)
            if answer is None:
                return False
            head = answer
            framing = self._framing_of(answer)
        end = side.received - len(side.buffer)
        # The empty line that may precede a request is not part of it.
        begin = max(begin, end - len(head.raw))
        first_frame, first_time_ns = side.carrier(begin)
        if not self._allowance.keeps(head):
            self._note_fault(first_frame, NOT_KEPT, from_client=from_client)
            self.is_partial = True
            self.stop()
            return False
        head_frame, head_time_ns = side.carrier(end - 1)
        side.position = end
        side.message = Message(
            head,
            framing,
            end - begin,
            first_frame,
            first_time_ns,
            head_frame,
            head_frame,
            head_time_ns,
            fault=fault,
        )
        side.reader = body_reader(framing, _LIMITS)
        if from_client:
            self._begin_request(side.message)
        else:
            self._begin_response(side.message)
        return True

    def _read_body(self, side: _Side, *, from_client: bool) -> bool:
        message = side.message
        assert message is not None
        assert side.reader is not None
        event = side.reader.read(side.buffer)
        end = side.received - len(side.buffer)
        if end > side.position:
            message.body_length += end - side.position
            message.last_frame, message.last_time_ns = side.carrier(end - 1)
            side.position = end
        if event is None:
            return False
        if isinstance(event, Content):
            message.content_length += len(event.data)
            return True
        self._end(side, message.last_frame, message.last_time_ns, from_client=from_client)
        return True

    def _end(self, side: _Side, frame: int, time_ns: int, *, from_client: bool) -> None:
        message = side.message
        assert message is not None
        match message.framing:
            case Delimited.UNTIL_CLOSE:
                message.end = MessageEnd.END_OF_STREAM
            case Delimited.CHUNKED:
                message.end = MessageEnd.LAST_CHUNK
            case Fixed(length):
                message.end = MessageEnd.LENGTH if length else MessageEnd.NO_CONTENT
        message.end_frame = frame
        message.last_time_ns = max(message.last_time_ns, time_ns)
        side.message = side.reader = None
        if not from_client and not is_interim(message):
            self._current = None

    def _framing_of(self, head: ResponseHead) -> Framing:
        exchange = self._current or (self._waiting[0] if self._waiting else None)
        method = exchange.method if exchange is not None else b""
        if head.is_interim or (method == b"CONNECT" and head.status // 100 == 2):
            return NO_BODY
        return response_framing(method, head)

    def _begin_request(self, message: Message) -> None:
        is_pipelined = bool(self._waiting) or self._current is not None
        exchange = HTTPExchange(message, is_pipelined=is_pipelined)
        self._keep(exchange)
        if len(self._waiting) < EXCHANGES_MAX:
            self._waiting.append(exchange)

    def _begin_response(self, message: Message) -> None:
        if self._current is None:
            if self._waiting:
                self._current = self._waiting.popleft()
            else:
                self._current = HTTPExchange(None, begun=self._begun(message))
                self._keep(self._current)
        exchange = self._current
        if is_interim(message):
            exchange.interim = [*exchange.interim[1 - _INTERIM_MAX :], message]
            if status_of(message) == 101:
                self._client.is_tunnel = self._server.is_tunnel = True
            return
        exchange.response = message
        if exchange.method == b"CONNECT" and (exchange.status or 0) // 100 == 2:
            self._client.is_tunnel = self._server.is_tunnel = True

    def _begun(self, answer: Message) -> Begun | None:
        """
        Give what has come of a request when an answer begins that no whole request asked for.
        """
        side = self._client
        if side.is_lost or not len(side.buffer):
            return None
        first = side.carrier(side.position)
        _, *last = side.marks[-1]
        if last[0] > answer.first_frame:
            return None
        return Begun(len(side.buffer), *first, *last)

    def _keep(self, exchange: HTTPExchange) -> None:
        if len(self.exchanges) < EXCHANGES_MAX:
            self.exchanges.append(exchange)
        else:
            self.exchanges_uncounted += 1

    def _forget_unanswered(self, time_ns: int) -> None:
        """
        The reading of answers begins again: the request it answers is the last one before it.
        """
        self._current = None
        while len(self._waiting) > 1:
            following = self._waiting[1].request
            if following is None or following.last_time_ns > time_ns:
                return
            self._waiting.popleft()

    def _receive_gap(self, side: _Side, piece: Piece, *, from_client: bool) -> None:
        """
        Pass over bytes that are not in the capture: within a body whose end they do not hide.
        """
        message = side.message
        if message is None or message.framing is Delimited.CHUNKED:
            passed = 0
        elif isinstance(message.framing, Fixed):
            passed = min(piece.missing, message.framing.length - message.body_length)
        else:
            passed = piece.missing
        if passed > _GAP_MAX_BYTES:
            passed = 0
        if message is not None:
            message.missing += passed
        for begin in range(0, passed, _GAP_STEP_BYTES):
            self._allowance.spend()
            filler = bytes(min(_GAP_STEP_BYTES, passed - begin))
            side.append(filler, piece.frame, piece.time_ns)
            self._advance(side, from_client=from_client)
        if passed < piece.missing:
            if not side.is_lost:
                reason = f"{piece.missing} bytes were not captured"
                self._note_fault(piece.frame, reason, from_client=from_client)
            side.lose()

    def _note_fault(self, frame: int, reason: str, *, from_client: bool) -> None:
        if self.fault is None:
            self.fault = HTTPFault(from_client, frame, reason)
