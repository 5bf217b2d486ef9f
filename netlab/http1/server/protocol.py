"""
One client's connection to the HTTP server: what it asks for, and what it is answered.

What arrives goes to the machine, what the machine reports goes to an
L{Exchange<netlab.http1.server.exchange.Exchange>}, which asks the resource, and what that returns
goes through the machine to the transport. No byte of a message is looked at here.
"""

from __future__ import annotations

from types import CoroutineType
from typing import Any, Final, cast

from twisted.internet.interfaces import (
    IConsumer,
    IDelayedCall,
    IHalfCloseableProtocol,
    ISSLTransport,
    ITransport,
)
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from netlab.http1 import SERVER_NAME
from netlab.http1.accesslog.loglines import shown_head
from netlab.http1.resources.connectionfacts import ConnectionFacts
from netlab.http1.resources.files import FileRange
from netlab.http1.resources.receiving import RequestContent
from netlab.http1.resources.resource import Answer, receiver_of
from netlab.http1.resources.responses import Response, Upgrade
from netlab.http1.sansio.errors import LocalProtocolError, RemoteProtocolError
from netlab.http1.sansio.fields import Fields
from netlab.http1.sansio.messages import (
    ConnectionClosed,
    Content,
    EndOfMessage,
    RequestHead,
    ResponseHead,
)
from netlab.http1.server.answercache import CachedAnswer, joined
from netlab.http1.server.context import ServerContext
from netlab.http1.server.coroutines import run_coroutine
from netlab.http1.server.exchange import Exchange
from netlab.http1.server.pacing import PacedConnection
from netlab.http1.server.sender import PIECE_BYTES
from netlab.http1.server.transfer import begin_transfer
from netlab.http1.server.upgrades import UpgradedConnection

#: How much input is thrown away behind a refusal before the peer is cut off: most that a client
#: sends before it looks for an answer. It costs no memory, and time is bounded too.
_LINGER_MAX_BYTES: Final = 64 << 20

#: How many pipelined requests are read before everybody else has a turn: their answers take some
#: milliseconds. One delivery may hold thousands. nginx reads one a turn.
_REQUESTS_A_TURN: Final = 64

#: Likewise the pieces of one request's content: a chunk of one byte takes some microseconds.
_PIECES_A_TURN: Final = 512

#: How many small answers to requests that came together leave together, if none is larger.
_GATHERED_MAX: Final = 16
_GATHERED_MAX_BYTES: Final = 4096

#: And however few they are, a turn is over after so long: a head of 8 KB may take milliseconds.
_TURN_SECONDS: Final = 0.002

#: What hardly ever has content: a resource is not asked whether it wants any that is not there.
_WITHOUT_CONTENT: Final = frozenset((b"GET", b"HEAD"))

_RETRY_SOON: Final = Fields([(b"Retry-After", b"1")])

_log = Logger(namespace=SERVER_NAME)


@implementer(IHalfCloseableProtocol)
class HTTPServerProtocol(PacedConnection):
    """
    One client's connection.

    @ivar peer: the client's address; empty where it has none.
    @ivar facts: what the resource may learn of this connection; None where it does not ask.
    @ivar resource: answers the requests of this connection.
    @ivar exchange: the request being answered; with content that nobody wants, it first waits for
        its end.
    @ivar is_advancing: L{advance} is running.
    """

    __slots__ = (
        "_burst",
        "_gathered",
        "_is_admitted",
        "_is_refused",
        "_linger_bytes",
        "_turn",
        "exchange",
        "facts",
        "is_advancing",
        "peer",
        "resource",
    )

    def __init__(self, context: ServerContext, peer: bytes = b"") -> None:
        """
        @param context: what all connections have in common.
        @param peer: the client's address; empty where it has none.
        """
        super().__init__(context)
        self.peer = peer
        self.resource = context.resource
        self.facts: ConnectionFacts | None = None
        self.exchange: Exchange | None = None
        # Answers that will be kept together, while they are sent.
        self._burst: list[CachedAnswer] | None = None
        # Answers that will leave together.
        self._gathered: list[bytes] | None = None
        self._is_admitted = False
        self._is_refused = False
        self.is_advancing = False
        self._linger_bytes = 0
        # When others have had theirs.
        self._turn: IDelayedCall | None = None

    # From the transport

    def connectionMade(self) -> None:
        """
        Start the idle deadline.
        """
        context = self.context
        transport = self.transport
        assert transport is not None
        context.connections.add(self)
        context.counters.connections += 1
        if context.binder is not None:
            number = context.counters.connections
            self.facts = ConnectionFacts(transport, self.peer, number, context.proxies)
            self.resource = context.binder(self.facts)
        cast(IConsumer, transport).registerProducer(self, True)
        self._is_admitted = context.gate.enter(self.peer)
        if self._is_admitted:
            deadline = self.machine.deadline
            if deadline is not None:
                context.deadlines.watch(self, deadline)
        elif context.gate.enter_refusal():
            self._is_refused = True
            self._turn_away()
        else:
            self.abort()

    def dataReceived(self, data: bytes) -> None:
        """
        Answer what has been answered before; ask the resource for what is one request, whole; pass
        everything else to the machine.
        """
        context = self.context
        now = context.seconds()
        if now >= context.time_of_day_due:
            context.read_time_of_day(now)
        machine = self.machine
        if not self.is_write_blocked:
            answered = context.known
            known = answered.get(data) if answered else None
            if known is not None and (now < known.until or self._is_renewed(data, known, now)):
                if known.file is not None:
                    if self._send_file_again(known):
                        return
                elif machine.repeat_exchange(now, known.count):
                    self.transport.write(known.data)  # type: ignore[union-attr]
                    context.recorder.record_again(self.peer, known, now)
                    if known.closes:
                        machine.close()
                        self.lose()
                    return
            request = machine.receive_request(data, now)
            if request is not None:
                if not self._answer(request.head, request.content, now, may_keep=True):
                    self.advance()
                return
        if self.is_lingering:
            self._linger_bytes += len(data)
            if self._linger_bytes > _LINGER_MAX_BYTES:
                self.abort()
            return
        answers = context.answers
        if (
            answers is not None
            and data.endswith(b"\r\n\r\n")
            and machine.is_clear
            and answers.has_come(data)
        ):
            # Several requests, and the same ones again: what leaves now is kept as a whole.
            self._burst = []
            exchanges = machine.exchanges
            machine.receive(data, now)
            self.advance()
            burst, self._burst = self._burst, None
            if machine.is_clear and len(burst) == machine.exchanges - exchanges > 0:
                answer = joined(burst)
                if answer is not None:
                    answers.keep(data, answer)
            return
        machine.receive(data, now)
        self.advance()

    def readConnectionLost(self) -> None:
        """
        The client will send no more; what it has asked for it still gets.
        """
        if self.facts is not None:
            self.facts.end_input()
        if self.is_closing:
            self.lose()
            return
        self.machine.receive_end(self.context.seconds())
        self.advance()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Leave nothing behind.
        """
        context = self.context
        context.deadlines.forget(self)
        context.connections.remove(self)
        if self._is_admitted:
            context.gate.leave(self.peer)
        elif self._is_refused:
            context.gate.leave_refusal()
        self.is_closing = True
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        exchange, self.exchange = self.exchange, None
        if exchange is not None:
            exchange.give_up("the client has gone")
        if not context.ports:
            context.flush_when_over()

    # What was received, and what is sent

    def advance(self) -> None:
        """
        Go as far as what has been received, and what the client has taken, allows.
        """
        machine = self.machine
        seconds = self.context.seconds
        began = seconds()
        self.is_advancing = True
        complete = pieces = 0
        while not (self.is_closing or self.is_write_blocked or self._turn is not None):
            exchange = self.exchange
            must_wait = self.sender is not None if exchange is None else exchange.must_wait
            if must_wait:
                break
            if (
                complete == _REQUESTS_A_TURN
                or pieces == _PIECES_A_TURN
                # (A clock may be set back.)
                or (
                    complete
                    and machine.waiting_bytes
                    and not 0 <= seconds() - began < _TURN_SECONDS
                )
            ):
                self._turn = self.context.clock.callLater(0, self._take_turn)
                break
            try:
                event = machine.next_event()
            except RemoteProtocolError as fault:
                self.refuse(fault.status, fault.explanation)
                break
            if event is None:
                break
            match event:
                case RequestHead():
                    if event.method in _WITHOUT_CONTENT and machine.promised_content_bytes == 0:
                        machine.next_event()  # its end
                        complete += 1
                        if self._gathered is None and machine.waiting_bytes:
                            self._gathered = []
                        self._answer(event, b"", seconds())
                        continue
                    self.send_gathered()
                    if self.context.shows_requests:
                        _log.info("{head}", head=shown_head(event.raw))
                    complete += 1
                    self.exchange = exchange = Exchange(self, event)
                    exchange.begin()
                case EndOfMessage():
                    if exchange is not None:
                        exchange.end_received()
                case ConnectionClosed():
                    self.lose()
                case Content():
                    pieces += 1
                    if exchange is not None:
                        exchange.content_received(event)
                case _:
                    raise LocalProtocolError(f"a server does not receive {event!r}")
        self.send_gathered()
        self.is_advancing = False
        self.pace_reading()
        self.watch()

    def _take_turn(self) -> None:
        """
        Go on with what has been received: the others have been served meanwhile.
        """
        self._turn = None
        self.advance()

    def _answer(
        self, head: RequestHead, received: bytes, now: float, *, may_keep: bool = False
    ) -> bool:
        """
        Ask the resource for the answer to a whole request, and send it.

        @param received: the request's content.
        @param may_keep: whether the request came alone, so that its answer may be sent again where
            it has no content.
        @return: whether the answer was sent at once. If not, an exchange has it.
        """
        context = self.context
        if context.shows_requests:
            _log.info("{head}", head=shown_head(head.raw))
        if head.target.is_https and not ISSLTransport.providedBy(self.transport):
            self._take_up(head, context.pages.error(421, closes=True))
            return False
        answer: Any
        try:
            resource = self.resource
            receiver = None
            if received or head.method not in _WITHOUT_CONTENT:
                may_keep = False
                receiver = receiver_of(resource, head)
            if receiver is None:
                answer = resource.respond(head)
            else:
                answer = receiver(head, RequestContent.whole(received))
            if answer.__class__ is CoroutineType:
                answer = run_coroutine(answer)
            if answer.__class__ is Response:
                content = answer.content
                if content.__class__ is bytes and len(content) <= PIECE_BYTES:
                    self._send_small(head, answer, content, now, may_keep=may_keep)
                    return True
        except Exception:  # noqa: BLE001, whatever a resource does wrong ends here, in the log
            self.send_gathered()
            self.exchange = exchange = Exchange(self, head)
            exchange.fail()
            return False
        answers = context.answers
        cached = None
        if (
            may_keep
            and answers is not None
            and isinstance(answer, Response)
            and isinstance(answer.content, FileRange)
            and answers.wants(head, answer, is_alone=True)
        ):
            cached = self._cached(head, answer, b"", now, closes=False)
        exchange = self._take_up(head, answer)
        if (
            cached is not None
            and answers is not None
            and exchange.sent_head
            and self.machine.is_persistent
        ):
            cached.data = exchange.sent_head
            answers.keep(head.raw, cached)
        return False

    def _take_up(self, head: RequestHead, answer: Answer) -> Exchange:
        """
        Begin an exchange with a whole request, and what answers it.
        """
        self.send_gathered()
        was_advancing, self.is_advancing = self.is_advancing, True
        self.exchange = exchange = Exchange(self, head)
        exchange.take(answer)
        self.is_advancing = was_advancing
        return exchange

    def _send_small(
        self, head: RequestHead, response: Response, content: bytes, now: float, *, may_keep: bool
    ) -> None:
        """
        Send an answer that has come at once; keep it where it comes again.
        """
        if self.is_closing:
            return
        machine = self.machine
        if response.closes:
            machine.give_up_persistence()
        burst = self._burst
        answers = self.context.answers
        keeps = (
            answers is not None
            and (may_keep or burst is not None)
            and answers.wants(head, response, is_alone=burst is None)
        )
        closes = keeps and machine.is_last_by_request
        data = self.send_whole(head, response, content, now)
        if keeps and not response.closes and (closes or not machine.must_close):
            cached = self._cached(head, response, data, now, closes=closes)
            if cached is not None:
                if burst is not None:
                    burst.append(cached)
                elif answers is not None:
                    answers.keep(head.raw, cached)
        if not machine.is_clear and machine.must_close:
            self.close_in_order()

    def _cached(
        self, head: RequestHead, response: Response, data: bytes, now: float, *, closes: bool
    ) -> CachedAnswer | None:
        """
        Make what is kept of an answer, if it may be sent again.
        """
        context = self.context
        more = response.repeat_seconds
        if more <= 0 and response.renew is not None:
            more = response.renew()
        if more <= 0:
            return None
        content = response.content
        file = content if isinstance(content, FileRange) else None
        length = file.length if file is not None else len(cast(bytes, content))
        sent = 0 if head.method == b"HEAD" else length
        status = response.status
        return CachedAnswer(
            data,
            now + more,
            response.renew,
            context.recorder.logged(head, status, sent),
            context.counters.tally(status),
            sent,
            closes=closes,
            content=file,
        )

    def _is_renewed(self, delivery: bytes, known: CachedAnswer, now: float) -> bool:
        answers = self.context.answers
        return answers is not None and answers.renew(delivery, known, now)

    def _send_file_again(self, known: CachedAnswer) -> bool:
        """
        Send an answer whose content is a file again.

        @return: False where that is not possible; nothing has happened then.
        """
        file = None if known.file is None else known.file()
        machine = self.machine
        if file is None or not machine.begin_repeat():
            return False
        context = self.context

        def over(sent: int, why: Exception | None) -> None:
            now = context.seconds()
            if why is None:
                context.recorder.record_again(self.peer, known, now)
                machine.end_repeat(now)
                self.answered()
                return
            context.recorder.record_part(self.peer, known, sent, now)

        was_advancing, self.is_advancing = self.is_advancing, True
        content = FileRange(file, known.offset, known.content_bytes)
        begin_transfer(self, known.data, content, over)
        self.is_advancing = was_advancing
        if self.sender is None and not self.is_closing:
            self.watch()
        return True

    def finish(self, answer: CachedAnswer, sent: int) -> None:
        """
        Send the rest of the only answer of a connection, then close.

        @param sent: how many bytes of the answer were sent before the connection had a protocol.
        """
        machine = self.machine
        if not machine.is_clear:
            # Refused in the meantime: a second answer behind the half of one would look like its
            # rest.
            self.abort()
            return
        cast(ITransport, self.transport).write(answer.data[sent:])
        self.context.recorder.record_again(self.peer, answer, self.context.seconds())
        machine.close()
        self.lose()

    def send_whole(
        self, head: RequestHead | None, response: Response, content: bytes, now: float
    ) -> bytes:
        """
        Send an answer in one piece, count it and log it. L{answered} is to be called then.

        @param head: the request's; None where none could be read.
        @return: what was sent.
        """
        machine = self.machine
        is_head = machine.is_answering_head if head is None else head.method == b"HEAD"
        sent = 0 if is_head else len(content)
        data = machine.send_whole(response, content, now)
        gathered = self._gathered
        if gathered is None:
            self.transport.write(data)  # type: ignore[union-attr]
        else:
            gathered.append(data)
            if len(data) > _GATHERED_MAX_BYTES or len(gathered) == _GATHERED_MAX:
                self.send_gathered()
        self.context.recorder.record(self.peer, head, response.status, sent, now)
        return data

    def send_gathered(self) -> None:
        """
        Send the answers that have gathered.
        """
        gathered, self._gathered = self._gathered, None
        if gathered:
            cast(ITransport, self.transport).write(b"".join(gathered))

    def answered(self) -> None:
        """
        An answer is complete, as far as the machine is concerned.
        """
        self.exchange = None
        if self.machine.must_close:
            self.close_in_order()

    def upgrade(self, head: RequestHead, answer: ResponseHead, content: Upgrade) -> None:
        """
        Leave HTTP: another protocol takes the transport.

        @raise LocalProtocolError: that cannot be now; nothing has happened then.
        """
        context = self.context
        now = context.seconds()
        data, rest = self.machine.switch(answer, now)
        self.exchange = None
        self.is_closing = True
        self.send_gathered()
        transport: Any = self.transport
        transport.write(data)
        context.recorder.record(self.peer, head, answer.status, 0, now)
        context.deadlines.forget(self)
        context.connections.remove(self)
        transport.unregisterProducer()
        self._resume_reading()
        UpgradedConnection(self, content.protocol, context.connections).take_over(transport, rest)

    def leaves_input(self) -> bool:
        """
        Find out whether what the peer sends is left alone, so that it cannot be late.
        """
        return self.is_write_blocked or (self.exchange is not None and self.exchange.is_full)

    # What is refused

    def refuse(self, status: int, explanation: str) -> None:
        """
        Say what is wrong with what the peer has sent, if an answer is still due; then close.
        """
        head = None
        exchange, self.exchange = self.exchange, None
        if exchange is not None:
            head = exchange.head
            exchange.give_up("the client broke the rules")
        if not self.machine.can_answer:
            if self.sender is None:
                self.lose()
            else:
                self.abort()  # in the middle of an answer, which must not look complete
            return
        if self.context.shows_requests:
            _log.info("Refused with {status}: {why}", status=status, why=explanation)
        response = self.context.pages.error(status, explanation[0].upper() + explanation[1:] + ".")
        self._send_page(head, response)

    def _turn_away(self) -> None:
        """
        Tell a peer for whom there is no room, before it has asked for anything.
        """
        machine = self.machine
        machine.refuse_connection()
        response = self.context.pages.error(503, fields=_RETRY_SOON)
        # Its request is on the way: closing at once would reset the connection and lose the 503.
        self._send_page(None, response)

    def _send_page(self, head: RequestHead | None, response: Response) -> None:
        assert isinstance(response.content, bytes)
        self.send_whole(head, response, response.content, self.context.seconds())
        self.answered()
